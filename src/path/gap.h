/*
 * How far apart packets arrive on one path while data flows: mean and mean deviation, both with gain
 * 1/16. From that follows how long silence is nothing unusual. Gaps beyond 1 s are pauses, not gaps:
 * after one the estimate begins anew.
 */
#ifndef HW_PATH_GAP_H
#define HW_PATH_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_GAP_PAUSE HW_S(1)
#define HW_GAP_LEAST 8u /* gaps that make an estimate */

struct hw_gap {
	uint32_t count; /* gaps since the last pause, up to HW_GAP_LEAST */
	int64_t mean_ns, deviation_ns;
	hw_time last_at; /* last arrival; 0: none yet */
};

/* `at` may be earlier than before: then it counts as then. */
void hw_gap_arrival(struct hw_gap *gap, hw_time at);

/* Whether data flows, and for long enough to know its gaps. */
static inline bool hw_gap_flows(const struct hw_gap *gap, hw_time now)
{
	return gap->count >= HW_GAP_LEAST && hw_time_since(now, gap->last_at) < HW_GAP_PAUSE;
}

#endif
