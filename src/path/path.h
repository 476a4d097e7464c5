/*
 * One path of a peer: a tuple (link, local, remote), its state, its timers and its estimators.
 *
 * Pure: time is an argument, nothing is sent from here. Every function that learns something
 * returns the path's pending work, a set of enum hw_path_todo; hw_path_table_next (path/table.h)
 * hands the work out, one action at a time, and marks it done. Declared are events (after
 * WireGuard's timers.c), not timers.
 *
 * State x event. "." is nothing; P: send a probe at once; the new state is named where it
 * changes, and its event is emitted then (none for PROBING).
 *
 *   event                        PROBING    UP           SUSPECT      DOWN
 *   answered (probe reply,       UP         .            UP           UP
 *     challenge reply, handshake)
 *   report with progress (0)     UP         .            UP           UP
 *   report without progress (1)  .          SUSPECT P    .            .
 *   heard                        .          .            .            P (2)
 *   send failed                  .          SUSPECT P    .            .
 *   send failed, link gone       DOWN       DOWN         DOWN         .
 *   link down (3)                DOWN       DOWN         DOWN         .
 *   link up (3)                  .          .            .            PROBING P
 *   link readdressed (3)         PROBING P  P            P            PROBING P
 *   silence (timer, 4)           .          SUSPECT P    .            .
 *   probe overdue (timer, 5)     P later    P, SUSPECT P P, DOWN      P later
 *
 *   (0) Progress of something that was sent after the state began: a report that was held up may
 *       still speak of what arrived before.
 *   (1) The report speaks of this path, and data has been outstanding for the silence time (4)
 *       without progress. Hearing the peer does not show that our packets arrive; reports do.
 *   (2) At most one each 250 ms.
 *   (3) A path whose link is down is not probed; link up means something only after link down.
 *   (4) Data was sent, and for the silence time since then nothing was heard and nothing
 *       progressed. Silence time: max(3 * rtt, 2 * wait + 4 * its variation, 150 ms), at most 3 s
 *       beyond 3 * rtt; the wait from a first packet to its report is measured. At half of the
 *       silence time a probe goes out, so that the loss of a lone packet makes no path suspect.
 *   (5) PROBING: 10 probes, at 0 and 250 ms, then after 500 ms, 1, 2, 4, 5, 5 ... s; then DOWN.
 *       UP: a probe without any sign (answer or progress) for max(2 * rtt, 250 ms) while active,
 *       or max(2 * rtt, 1 s) when idle, or 3 s when the rtt is not known, is repeated; when that
 *       has no sign either: SUSPECT.
 *       SUSPECT: 5 probes, one each max(100 ms, rtt + 4 * variation), then DOWN.
 *       DOWN: gaps of 1, 2, 4 ... 30 s; at most 12 s when all of the peer's paths are down.
 *
 * Regular probes of an UP path: every 1 s while the peer is active (data in either direction on any
 * path within 2 s). Idle: 12 s after the last packet sent on the path, by the side that initiated
 * the session; by the other 25 s after the last packet heard. So an idle path costs at most one
 * packet each way each 10 s.
 */
#ifndef HW_PATH_PATH_H
#define HW_PATH_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "path/mtu.h"
#include "path/rtt.h"
#include "path/rx.h"
#include "path/tx.h"
#include "sched/sched.h"

struct hw_control_report_path;

#define HW_PATH_PEER_ID_NONE 0xffu /* never in a frame: ids there are 0..15 */
#define HW_PATH_CHALLENGE_BYTES 8u
/* Data that is sent makes a path need a tick no sooner than this (half of the least silence time). */
#define HW_PATH_SOONEST HW_MS(75)
#define HW_PATH_PROBES 8u /* probes that may await their answers */

enum hw_path_todo {
	HW_PATH_TODO_PROBE = 1,
	HW_PATH_TODO_CHALLENGE = 2,
	HW_PATH_TODO_UP = 4, /* the rest are events to emit */
	HW_PATH_TODO_SUSPECT = 8,
	HW_PATH_TODO_DOWN = 16,
	HW_PATH_TODO_MOVED = 32,
	HW_PATH_TODO_NEW = 64
};

/* What the timers of all paths of a peer depend on; kept by the core. */
struct hw_path_context {
	bool session;      /* keys exist, so that probes can be sealed; without, timers rest */
	bool initiator;    /* this node initiated the current session */
	bool all_down;     /* set by hw_path_table_refresh */
	hw_time last_data; /* data last sent or heard on any path; 0: never */
};

/* Data within the last 2 s. */
bool hw_path_context_active(const struct hw_path_context *context, hw_time now);

/* A link's settings, copied into each of its paths. */
struct hw_path_link {
	enum hw_link_use use;
	uint32_t price;
	uint32_t mtu_bytes; /* largest UDP payload that the interface takes, or that is of any use */
	bool metered;       /* idle probing is spare */
};

#define HW_PATH_LINK_UNKNOWN 0xffu

/* What the peer has told of its own link of a path; until then it is as if it did not matter. */
struct hw_path_theirs {
	uint8_t link; /* the peer's number for it, or HW_PATH_LINK_UNKNOWN */
	enum hw_link_use use;
	uint32_t price;
	bool metered;
};

struct hw_path_probe {
	uint64_t token; /* 0: free */
	hw_time sent_at;
};

struct hw_path {
	bool used;
	uint32_t id;     /* our number: place in the table, 0..15 */
	uint8_t peer_id; /* the peer's number for it, or HW_PATH_PEER_ID_NONE */
	bool learnt;     /* from the peer's packets (or moved by them), not from an endpoint */
	struct hw_tuple tuple;
	struct hw_path_link link;
	struct hw_path_theirs theirs; /* kept by the table */
	enum hw_path_state state;
	bool link_down;
	unsigned todo; /* enum hw_path_todo */
	bool view_stale;

	struct hw_rtt rtt;
	struct hw_rtt wait; /* from the first unanswered packet to a sign of life */
	struct hw_path_rx rx;
	struct hw_path_tx tx;
	struct hw_path_mtu mtu; /* what it takes, as far as is known */

	hw_time last_sent, last_heard; /* any packet; 0: never */
	hw_time sign_at;               /* last proof that our packets arrive; 0: never */
	hw_time silent_since;  /* first data sent since we last heard; HW_TIME_NEVER: none */
	hw_time unacked_since; /* since when data lacks progress; HW_TIME_NEVER: none does */
	hw_time last_probe;
	hw_time state_since;
	hw_time backoff; /* of DOWN */
	uint32_t doubt_generation, doubt_sequence; /* what was to be sent next as the state began */
	unsigned tries;  /* probes in this state since the last sign */
	uint64_t last_token;
	struct hw_path_probe probes[HW_PATH_PROBES];

	/* Our challenge to the address: a candidate may claim to be this path. */
	bool challenge_open;
	unsigned challenge_tries;
	hw_time challenge_first;    /* when it was first asked */
	hw_time challenge_answered; /* 0: never */
	uint8_t challenge[HW_PATH_CHALLENGE_BYTES];

	struct hw_addr observed; /* how the peer sees this end; family NONE: not told yet */
	hw_time observed_at;
};

#define HW_PATH_OBSERVE_AFTER HW_S(60) /* ask for it again, if there is anything to ask */

/* Whether the next probe had better ask how the peer sees this end. */
static inline bool hw_path_observe_due(const struct hw_path *path, hw_time now)
{
	return path->observed.family == HW_FAMILY_NONE || path->state != HW_PATH_UP ||
	       hw_time_since(now, path->observed_at) >= HW_PATH_OBSERVE_AFTER;
}

/* A path in PROBING; the first probe is pending. */
void hw_path_init(struct hw_path *path, uint32_t id, const struct hw_tuple *tuple,
		  const struct hw_path_link *link, bool learnt, hw_time now);

void hw_path_set_link(struct hw_path *path, const struct hw_path_link *link);

/* Of both ends' links: the stricter use, the sum of the prices, and whether either is metered. */
enum hw_link_use hw_path_use(const struct hw_path *path);
uint32_t hw_path_price(const struct hw_path *path);
bool hw_path_metered(const struct hw_path *path);

/*
 * A packet goes out on the path; `data`: it carries inner packets. Returns the sequence for its
 * stamp (path/tx.h).
 */
uint16_t hw_path_sent(struct hw_path *path, uint32_t generation, uint32_t bytes, bool data,
		      hw_time now);

/*
 * An authentic packet came in on the path. The stamp is measured apart, by hw_path_rx_stamp, since
 * duplicates are measured too, but only what was opened and is new may be given here.
 */
unsigned hw_path_heard(struct hw_path *path, hw_time now);

/*
 * A PROBE_REPLY came in on this path: takes the RTT sample, less hold_ns. An unknown token changes
 * nothing: *ret_known, which may be NULL, tells. With a known one, give the sender's own path id to
 * hw_path_table_learn_peer_id as proven.
 */
unsigned hw_path_probe_replied(struct hw_path *path, uint64_t token, hw_time hold_ns, hw_time now,
			       bool *ret_known);

/*
 * The peer reacted, on this path, to something that we sent on it, such as a handshake message.
 * rtt_ns: how long that took, or -1.
 */
unsigned hw_path_answered(struct hw_path *path, int64_t rtt_ns, hw_time now);

/* The peer's report of this path, opened under that generation. */
unsigned hw_path_reported(struct hw_path *path, uint32_t generation,
			  const struct hw_control_report_path *report, hw_time now);

unsigned hw_path_send_failed(struct hw_path *path, bool gone, hw_time now);
unsigned hw_path_link_down(struct hw_path *path, hw_time now);
unsigned hw_path_link_up(struct hw_path *path, hw_time now);

/* The link's addresses or routes have changed: whether it works still, and where to, is asked anew. */
unsigned hw_path_readdressed(struct hw_path *path, hw_time now);

/* Run what is due. */
unsigned hw_path_tick(struct hw_path *path, const struct hw_path_context *context, hw_time now);

/* When hw_path_tick is next needed; HW_TIME_NEVER without a session or with the link down. */
hw_time hw_path_deadline(const struct hw_path *path, const struct hw_path_context *context,
			 hw_time now);

/* The link and address of the path are others now, as path->tuple and path->link say. */
void hw_path_rerouted(struct hw_path *path, const struct hw_tuple *tuple,
		      const struct hw_path_link *link);

/* Answers to MTU probes count (path/mtu.h), and show that a path in PROBING works. */
unsigned hw_path_mtu_replied(struct hw_path *path, uint64_t token, uint32_t size, hw_time now);

/* Marks the pending probe as sent; gives its token. */
uint64_t hw_path_probe_sent(struct hw_path *path, hw_time now);

/*
 * What strategies see, but for delay_excess_ns and the group, which need all paths: see
 * hw_path_table_views, which also keeps the result.
 */
void hw_path_view(const struct hw_path *path, hw_time now, struct hw_sched_path *ret_view);

#endif
