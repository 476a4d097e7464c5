/*
 * What a path carries when it is full: the highest rate of the last 10 to 20 s among samples during
 * which packets waited in a queue all the time. While none waits, the sender, not the path, decides
 * the rate (an application-limited sample, after BBR), and then a sample counts only where it is
 * higher still.
 *
 * A sample runs from one arrival to another, at least 16 packets and 100 ms (or 20 times the jitter)
 * later; nothing is assumed of the time before the first and after the last.
 */
#ifndef HW_PATH_RATE_H
#define HW_PATH_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_RATE_QUEUE_NS ((int64_t)HW_MS(5)) /* that much waiting means full */
#define HW_RATE_SLOT HW_S(10)

struct hw_rate {
	hw_time from; /* the arrival at which the sample began; 0: none has */
	uint32_t packets;
	uint64_t bytes;
	bool full; /* so far */
	double latest_Bps;
	hw_time slot_start;
	double current_Bps, previous_Bps; /* highest of the slot; 0: none */
};

void hw_rate_packet(struct hw_rate *rate, uint32_t bytes, int64_t queue_ns, int64_t jitter_ns,
		    hw_time at);

/* 0 when the path was not seen full in the last 10 to 20 s. */
double hw_rate_max_Bps(const struct hw_rate *rate, hw_time now);

#endif
