/*
 * One path of a peer: a tuple (link, local, remote), its state, its timers and its estimators.
 *
 * Pure: time is an argument, nothing is sent from here. Every function that learns something
 * returns the path's pending work, a set of enum hw_path_todo; hw_path_table_next (path/table.h)
 * hands the work out, one action at a time, and marks it done. Declared are events (after
 * WireGuard's timers.c), not timers.
 *
 * Which event moves a path where is the table of path/state.h. When events happen:
 *
 *   PROVEN       an answer to a probe, challenge or handshake; or a report of something that was sent
 *                after the state began (one that was held up may still speak of what went before).
 *   SILENT       the oldest data that no report has shown to have arrived is older than its patience:
 *                the time that a report usually takes, plus four deviations of it (at least 30 ms), plus
 *                twice the gap between packets (at most 100 ms). Before that time is known: 3 * rtt, at
 *                least 150 ms; 1 s when that is not known either. At half of what is added a probe goes
 *                out; its answer ends the silence, so the loss of a lone packet makes no path suspect.
 *   LOSSES       a report shows at least three losses in a row, or the peer calls the path suspect and
 *                its report fits that.
 *   UNANSWERED   a probe of an UP path has had no sign (answer or progress) for max(2 * rtt, 250 ms)
 *                while active, or max(2 * rtt, 1 s) when idle, or 3 s when the rtt is not known; nor has
 *                its repetition after that.
 *   RETRY        PROBING: 10 probes, at 0 and 250 ms, then after 500 ms, 1, 2, 4, 5, 5 ... s.
 *                SUSPECT: 5 probes, one each max(100 ms, rtt + 4 * variation).
 *                DOWN: gaps of 1, 2, 4 ... 30 s; at most 12 s when all of the peer's paths are down.
 *   GIVEN_UP     those of PROBING or SUSPECT are used up.
 *   HEARD        in DOWN, at most one each 250 ms.
 *
 * Events to emit: UP and DOWN at once; SUSPECT only when that has lasted for 500 ms, since doubt costs
 * little and is mostly over by then; UP only after something else was told. So a path that comes and goes
 * within half a second says nothing.
 *
 * Regular probes of an UP path: every 1 s while the peer is active (data in either direction on any
 * path within 2 s). Idle: 12 s after the last packet sent on the path, by the side that initiated the
 * session; by the other 25 s after the last packet heard. So an idle path costs at most one packet each
 * way each 10 s. A path that is spare (metered, or of use BACKUP) and carries no data: 25 s, and by the
 * other side 60 s, whatever other paths do: less than 1 MB a day in both directions. A path that has
 * just come UP is probed three times, 100 ms or an rtt apart, so that its rtt is soon known (not when
 * spare).
 */
#ifndef HW_PATH_PATH_H
#define HW_PATH_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "path/flight.h"
#include "path/mtu.h"
#include "path/rtt.h"
#include "path/rx.h"
#include "path/state.h"
#include "path/tx.h"
#include "sched/sched.h"

struct hw_control_report_path;

#define HW_PATH_PEER_ID_NONE 0xffu /* never in a frame: ids there are 0..15 */
#define HW_PATH_CHALLENGE_BYTES 8u
/* Data that is sent makes a path need a tick no sooner than this: the least time to the early probe. */
#define HW_PATH_SOONEST HW_MS(15)
/*
 * Probes that may await their answers: in DOWN four go out a second while the peer is heard, and an
 * answer may take ten.
 */
#define HW_PATH_PROBES 64u

enum hw_path_todo {
	HW_PATH_TODO_PROBE = 1,
	HW_PATH_TODO_CHALLENGE = 2,
	HW_PATH_TODO_UP = 4, /* the rest are events to emit */
	HW_PATH_TODO_SUSPECT = 8,
	HW_PATH_TODO_DOWN = 16,
	HW_PATH_TODO_MOVED = 32,
	HW_PATH_TODO_NEW = 64,
	HW_PATH_TODO_RESEND = 128 /* see hw_path_doubted */
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
	struct hw_addr answers_from; /* another address of the peer's; NONE: it answers from its own */
	struct hw_path_link link;
	struct hw_path_theirs theirs; /* kept by the table */
	enum hw_path_state state;
	bool link_down;
	unsigned todo; /* enum hw_path_todo */
	bool view_stale;

	struct hw_rtt rtt;
	struct hw_rtt wait; /* from data to the report of it */
	hw_time wait_at;    /* when that was last measured */
	struct hw_flight flight;
	struct hw_path_rx rx;
	struct hw_path_tx tx;
	struct hw_path_mtu mtu; /* what it takes, as far as is known */

	hw_time last_sent, last_heard; /* any packet; 0: never */
	hw_time sign_at;               /* last proof that our packets arrive; 0: never */
	hw_time last_data;             /* in either direction; 0: never */
	hw_time last_probe;
	hw_time state_since;
	hw_time backoff; /* of DOWN */
	enum hw_path_event why;  /* what brought it into its state */
	uint32_t changes;        /* of its state so far */
	enum hw_path_state told; /* by the last event; PROBING: by none yet */
	uint32_t doubt_generation, doubt_sequence; /* what was to be sent next as the state began */
	uint32_t sound_generation, sound_sequence; /* the last of which no report since spoke of loss */
	bool doubt_all; /* all that is not reported is in doubt, not only what was reported with losses */
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

/* The sequence of the last packet sent on it under that generation, in 32 bits; 0: there is none. */
uint32_t hw_path_last_sequence(const struct hw_path *path, uint32_t generation);

/* Data came in on the path. */
static inline void hw_path_heard_data(struct hw_path *path, hw_time now)
{
	path->last_data = now;
}

/* Its link is metered, or to be used only where there is need of it. */
bool hw_path_spare(const struct hw_path *path);

/* No data has been sent or heard on it for 2 s: it stands by. */
bool hw_path_stands_by(const struct hw_path *path, hw_time now);

/*
 * Which of the data sent on it is to go out again elsewhere, as HW_PATH_TODO_RESEND asks: whether the
 * packet with that sequence of that generation may not have arrived.
 */
bool hw_path_doubted(const struct hw_path *path, uint32_t generation, uint32_t sequence);

/* No report needs to be waited for any more: the packet has arrived, or its loss is known and past. */
bool hw_path_vouched(const struct hw_path *path, uint32_t generation, uint32_t sequence);

/*
 * There is a new session. `anew`: it renews no working one, so the peer may have started anew, and what
 * was tried before says nothing.
 */
unsigned hw_path_new_session(struct hw_path *path, bool anew, hw_time now);

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

/* Whether a probe with that token awaits its answer. */
bool hw_path_asked(const struct hw_path *path, uint64_t token);

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
