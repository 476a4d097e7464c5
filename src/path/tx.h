/*
 * What one path sends, and what the peer's reports say became of it.
 *
 * Sessions are named by generation, as in path/rx.h. The sequence of a stamp comes from
 * hw_path_tx_next just before the copy leaves. Loss comes from the differences between reports of
 * one session, so it runs on over a rekey; a report that fits nothing (older than the last, or
 * ahead of what was sent) is ignored.
 */
#ifndef HW_PATH_TX_H
#define HW_PATH_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "path/rx.h"
#include "wire/control.h"

#define HW_PATH_TX_KINDS 256u /* packets whose kind is remembered; older ones count as data */

struct hw_path_tx_seq {
	uint32_t generation; /* 0: unused */
	uint32_t next;       /* sequence of the next packet, 32 bits */
	uint32_t data_next;  /* one past the last one that carried data; 0: none did */
	uint32_t data_first; /* while data is unreported: none below can show that it arrives */
	uint64_t data[HW_PATH_TX_KINDS / 64]; /* which of the last ones carried data */
	bool reported;       /* the three below hold */
	uint32_t acked;      /* own sequence that the last report's highest stands for */
	uint32_t their_highest, their_received;
};

struct hw_path_tx {
	struct hw_path_tx_seq current, previous;
	uint64_t packets, bytes;             /* sent; UDP payload */
	double loss_expected, loss_received; /* fading sums */
	double loss;                         /* 0..1, -1: fewer than 20 packets reported so far */
	double rate_Bps;                     /* delivered, as the peer measures; -1 */
	bool owd_known;
	uint32_t owd_us; /* towards the peer, arbitrary offset: compare signed differences */
	int64_t queue_ns; /* of the last report; -1: not known */
	bool detailed;   /* `detail` is known */
	struct hw_control_report_detail detail; /* of the last report that had one */
	hw_time detailed_at;
	hw_time reported_at; /* last report with news; 0: none */
	hw_time loss_at;
	struct hw_meter meter;                 /* by the peer's reports */
	uint32_t step_expected, step_received; /* what the last report added; 0: nothing */
	struct hw_slotter slotter;
};

void hw_path_tx_init(struct hw_path_tx *tx);

/*
 * The sequence for the next packet of that session, which the caller sends now: counts it. A
 * generation higher than any before starts at 0; one older than the previous is a fault of the
 * caller's and gives 0 without counting.
 */
uint16_t hw_path_tx_next(struct hw_path_tx *tx, uint32_t generation, uint32_t bytes);

/*
 * Take in the peer's report of this path, opened under `generation`. Returns true when it shows
 * that packets arrived which no report had shown before: progress. While data is unreported, control
 * packets that were sent before it are no progress.
 *
 * Loss fades with a time constant of 2 s, but never over fewer than the last 20 packets or so.
 */
bool hw_path_tx_reported(struct hw_path_tx *tx, uint32_t generation,
			 const struct hw_control_report_path *report, hw_time now);

/* Bytes/s delivered, by the last report; 0 when that is older than 2 s, -1 before the first. */
double hw_path_tx_rate_Bps(const struct hw_path_tx *tx, hw_time now);

/* Loss over 1, 10 and 60 s, by reports; -1 where fewer than 20 packets were reported. */
double hw_path_tx_loss(const struct hw_path_tx *tx, unsigned seconds, hw_time now);

/* owd_us without what waited in queues. */
static inline uint32_t hw_path_tx_base_us(const struct hw_path_tx *tx)
{
	return tx->owd_us - (tx->queue_ns > 0 ? (uint32_t)(tx->queue_ns / (int64_t)HW_NS_PER_US) : 0);
}

/* Queueing delay towards the peer; -1 when not known or reported longer than 2 s ago. */
int64_t hw_path_tx_queue_ns(const struct hw_path_tx *tx, hw_time now);

/* What the path carries when it is full (path/rate.h), as last reported; 0 when not known. */
double hw_path_tx_rate_max_Bps(const struct hw_path_tx *tx, hw_time now);

/* Whether owd_us may be compared with other paths' at `now`: reported within HW_OWD_FRESH. */
bool hw_path_tx_owd_fresh(const struct hw_path_tx *tx, hw_time now);

/*
 * The packet that hw_path_tx_next numbered last, under this generation, carries data: the peer will
 * report it soon. Control packets are reported only along with data.
 */
void hw_path_tx_data(struct hw_path_tx *tx, uint32_t generation);

/* Whether all data sent under the newest session has been reported (or none was sent). */
bool hw_path_tx_data_acked(const struct hw_path_tx *tx);

#endif
