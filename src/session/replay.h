/*
 * The replay window of one stream: which counters have been accepted (RFC 6479's ring bitmap),
 * bounded in packets and in time.
 *
 * A counter is refused when
 *   - it has been accepted before (DUPLICATE),
 *   - `packets` or more counters lie above it up to the highest accepted (OLD: the bitmap no longer
 *     knows it), or
 *   - it was overtaken more than `late_after` ago (LATE), that is, a higher counter was accepted
 *     then. Overtaking is remembered in marks about 1/31 of late_after apart, so that a counter is
 *     refused never before late_after, and at most 1/31 of it (and 1 ns) after.
 * A counter for which several of these hold is DUPLICATE, else LATE, else OLD.
 *
 * Growing. A bit that has left the bitmap cannot be brought back, so growing when a packet is found
 * too old would be too late for that packet. The window therefore grows ahead of need: when
 * accepting a counter would push another out that was overtaken less than late_after ago, the
 * window doubles (up to packets_max) first. So up to packets_max packets in late_after, path skew
 * costs nothing at all: the time limit alone says what is too late. It happens in hw_replay_accept,
 * so only an authenticated packet makes it allocate. It never shrinks (a session lives for
 * minutes), and if there is no memory to grow it stays as it is.
 *
 * Budget. A hostile peer can make every window of every session as large as it gets; the windows of
 * one peer therefore share a budget. What exceeds it counts as memory that is not there.
 */
#ifndef HW_SESSION_REPLAY_H
#define HW_SESSION_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

#define HW_REPLAY_PACKETS_MIN 64u
#define HW_REPLAY_PACKETS_DEFAULT 65536u
#define HW_REPLAY_PACKETS_MAX 524288u
#define HW_REPLAY_LATE_AFTER_DEFAULT HW_S(10)
#define HW_REPLAY_MARKS 32u

/* Bitmaps of all windows that share it. */
struct hw_replay_budget {
	size_t left_bytes;
};

struct hw_replay_params {
	uint32_t packets;     /* at first; a power of two, HW_REPLAY_PACKETS_MIN to _MAX */
	uint32_t packets_max; /* grows to; a power of two, from packets to HW_REPLAY_PACKETS_MAX */
	hw_time late_after;   /* more than 0; HW_TIME_NEVER: no time limit */
	struct hw_replay_budget *budget; /* borrowed until the fini; NULL: no limit */
};

struct hw_replay_mark {
	hw_time at;
	uint64_t highest; /* accepted at that time */
};

/* Read what you like; only the functions below write. */
struct hw_replay {
	struct hw_replay_params params;
	uint64_t *bits;     /* ring of `packets` bits */
	uint32_t packets;   /* now */
	bool any;           /* something was accepted */
	uint64_t highest;   /* highest counter accepted; 0 while none was */
	uint64_t accepted;  /* packets */
	uint64_t late_below; /* counters below are late: the newest mark that has expired */
	struct hw_replay_mark marks[HW_REPLAY_MARKS]; /* ring, times ascending */
	uint32_t mark_first;
	uint32_t mark_count;
	hw_time mark_until; /* when the newest mark stops moving */
};

enum hw_replay_verdict {
	HW_REPLAY_NEW,
	HW_REPLAY_DUPLICATE,
	HW_REPLAY_OLD,
	HW_REPLAY_LATE
};

/* Whether the parameters are in range. */
bool hw_replay_params_valid(const struct hw_replay_params *params);

/* Valid parameters (asserted). Allocates the bitmap: HW_E_NOMEM, also beyond the budget. */
HW_MUST_USE int hw_replay_init(struct hw_replay *replay, const struct hw_replay_params *params);

void hw_replay_fini(struct hw_replay *replay);

/* What accepting this counter now would find. Changes nothing. */
enum hw_replay_verdict hw_replay_check(const struct hw_replay *replay, uint64_t counter,
				       hw_time now);

/*
 * Check again and, if the counter is new, remember it. To be called only for packets that have
 * authenticated. Anything but HW_REPLAY_NEW has changed nothing.
 */
HW_MUST_USE enum hw_replay_verdict hw_replay_accept(struct hw_replay *replay, uint64_t counter,
						    hw_time now);

/*
 * Of all counters from 0 to the highest accepted, those that were not accepted. Exact at any
 * moment; a packet that is merely late is counted until it arrives.
 */
static inline uint64_t hw_replay_lost(const struct hw_replay *replay)
{
	return replay->any ? replay->highest - replay->accepted + 1 : 0;
}

#endif
