/*
 * Round-trip time: smoothed value and variation as RFC 6298 section 2 (gains 1/8 and 1/4), and the
 * minimum of the last 10 to 20 seconds. The same estimator serves for any wait whose usual length
 * and spread are wanted. All in nanoseconds.
 */
#ifndef HW_PATH_RTT_H
#define HW_PATH_RTT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

/* Minimum over the current 10 s slot and the one before. */
struct hw_window_min {
	hw_time slot_start;
	int64_t current, previous; /* INT64_MAX: nothing in that slot */
};

#define HW_WINDOW_MIN_SLOT HW_S(10)

void hw_window_min_init(struct hw_window_min *min);
void hw_window_min_add(struct hw_window_min *min, int64_t value, hw_time now);

/* The minimum, or INT64_MAX when nothing was added for 20 s. */
int64_t hw_window_min_get(const struct hw_window_min *min, hw_time now);

struct hw_rtt {
	int64_t smoothed_ns; /* -1: no sample yet; the same below */
	int64_t variation_ns;
	int64_t latest_ns;
	unsigned young; /* samples to come that count for what they are: see hw_rtt_restart */
	struct hw_window_min min;
};

void hw_rtt_init(struct hw_rtt *rtt);

/*
 * What comes now may have nothing to do with what was: the next sample replaces the smoothed value, and
 * of the HW_RTT_YOUNG first ones the least counts, since the first after a break often includes the
 * resolution of an address or the waking of a radio.
 */
#define HW_RTT_YOUNG 3u
void hw_rtt_restart(struct hw_rtt *rtt);

/* Negative samples (a peer that claims to have held a probe for too long) count as 0. */
void hw_rtt_sample(struct hw_rtt *rtt, int64_t sample_ns, hw_time now);

static inline bool hw_rtt_known(const struct hw_rtt *rtt)
{
	return rtt->smoothed_ns >= 0;
}

/* smoothed + 4 * variation: when an answer is overdue; `unknown` before the first sample. */
hw_time hw_rtt_timeout(const struct hw_rtt *rtt, hw_time unknown);

/* The minimum of the last 10 to 20 s, or -1. */
int64_t hw_rtt_min(const struct hw_rtt *rtt, hw_time now);

#endif
