/*
 * What one path receives: sequence accounting from path stamps, loss, rate, delay, and the figures
 * that go into a REPORT.
 *
 * Path sequences restart at 0 in every session. A session is named here by its generation, a number
 * that the core gives out in order, from 1. The current generation and the one before are both
 * tracked, so late packets of the old session are still counted right; loss, rate and delay run on
 * over the change. The first stamp of a higher generation makes it current.
 *
 * THROUGH A REKEY: a report always speaks of the session that it is itself sealed in. The sender of
 * a report asks hw_path_rx_report for the generation it seals under; the receiver gives
 * hw_path_tx_reported the generation it opened it under. Nothing more is carried.
 *
 * A stamp is measured at most once (bitmap of the last 2048 sequences) and only when it fits: one
 * with a higher sequence than the highest was not sent before it, one with a lower sequence not
 * after it. So a stamp that is replayed after its 16-bit sequence wrapped is refused by its send
 * time, as long as it is younger than 67 s: the core must not offer stamps of packets that the
 * replay window calls too old, only of fresh ones and of duplicates within the window. A stamp that
 * is far off (more than 4096 ahead), or behind but sent later (the peer restarted its numbering),
 * is taken only when the next one follows it; so one odd stamp, for instance of another path,
 * cannot shift the sequence.
 */
#ifndef HW_PATH_RX_H
#define HW_PATH_RX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "path/gap.h"
#include "path/meter.h"
#include "path/order.h"
#include "path/owd.h"
#include "path/queue.h"
#include "path/rate.h"
#include "path/runs.h"
#include "path/slotter.h"

#define HW_PATH_RX_WINDOW 2048u /* sequences remembered below the highest */
#define HW_PATH_RX_JUMP 4096u   /* sequences ahead that need no confirmation */

struct hw_control_report_path;

/* A received stamp whose MAC was right. */
struct hw_path_stamp {
	uint32_t generation; /* of the session it came in; from 1 */
	uint16_t sequence;
	uint32_t send_tick; /* 24 bits */
	bool duplicate;     /* the sealed packet had arrived already */
	bool data;          /* of a class: not a probe or a report */
	uint32_t bytes;     /* UDP payload */
	hw_time at;         /* arrival */
};

/* One session's numbering. */
struct hw_path_rx_seq {
	uint32_t generation; /* 0: unused */
	bool any;
	uint32_t highest;
	uint32_t highest_tick;
	uint32_t received;
	uint32_t copies;
	hw_time last_at;
	bool odd; /* an unfitting stamp waits to be confirmed by its successor */
	uint16_t odd_sequence;
	uint32_t odd_tick;
	uint32_t settled; /* number of the first word whose fates are still open: sequence / 64 */
	uint64_t seen[HW_PATH_RX_WINDOW / 64];
};

/* Why the peer ought to doubt the path (path/arrival.h). */
enum hw_path_trouble {
	HW_PATH_TROUBLE_NONE = 0,
	HW_PATH_TROUBLE_LOST = 1,  /* a run of packets is missing; told once */
	HW_PATH_TROUBLE_SILENT = 2 /* until something comes */
};

struct hw_path_rx {
	struct hw_path_rx_seq current, previous;
	struct hw_owd owd;
	struct hw_queue queue;
	struct hw_gap gap; /* of data */
	struct hw_rate rate;
	struct hw_runs runs;
	struct hw_order order;
	struct hw_slotter slotter;
	struct hw_meter meter;
	uint32_t expected; /* by the last stamp measured: how many more were sent */

	enum hw_path_trouble trouble;
	uint32_t newest_tick;  /* send time of what was sent last of all that came */
	uint32_t missed;       /* packets that others brought, sent after that */
	uint32_t missed_tick;  /* send time of the last of them */
	hw_time missed_due;    /* when the third of them was due here */
	int64_t stall_ns;      /* a silence that was no loss: what to expect of the path */
	hw_time stalled_at;
	uint64_t packets, bytes, duplicates; /* totals over all sessions: measured stamps only */
	uint64_t unmeasured; /* stamps refused: seen before, too old, or unfitting */
	uint64_t told;       /* `packets` at the last report that spoke of this path */
	hw_time detailed_at; /* last report with the path's detail; 0: none */
};

void hw_path_rx_init(struct hw_path_rx *rx);

/*
 * Measure one stamp. `clock` is the peer's. Returns whether it was measured; a refused stamp
 * changes nothing but `unmeasured` (and the memory of one odd stamp).
 */
bool hw_path_rx_stamp(struct hw_path_rx *rx, struct hw_owd_clock *clock,
		      const struct hw_path_stamp *stamp);

/*
 * The report's entry for the session of that generation: all of it but the path id and the state,
 * which are the caller's to set. False when nothing of that session came on this path: then the
 * report has no entry for the path.
 */
bool hw_path_rx_report(const struct hw_path_rx *rx, uint32_t generation, bool detailed, hw_time now,
		       struct hw_control_report_path *ret_report);

/* Whether stamps were measured since the last hw_path_rx_told; and: a report has told of them. */
bool hw_path_rx_news(const struct hw_path_rx *rx);
void hw_path_rx_told(struct hw_path_rx *rx, bool detailed, hw_time now);

/*
 * Silences of a path that ended without loss teach what to expect of it: the longest, fading to
 * nothing over 2 minutes. 0: there was none.
 */
int64_t hw_path_rx_stall_ns(const struct hw_path_rx *rx, hw_time now);

/* Loss towards this node over about 1 s, or over 10 s when that has fewer than 20 packets; -1. */
double hw_path_rx_loss(const struct hw_path_rx *rx, hw_time now);

/* The same over so many seconds, 10 at most, or 60; -1 where fewer than 20 packets were expected. */
double hw_path_rx_loss_over(const struct hw_path_rx *rx, unsigned seconds, hw_time now);

#endif
