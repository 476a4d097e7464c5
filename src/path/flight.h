/*
 * When the data was sent that no report has shown to have arrived: how old the oldest of it is, and
 * how long a report takes when all is well.
 *
 * Not every packet is noted: marks are at least 4 ms apart, and when all places are taken every second
 * one is dropped and the distance doubled. So what is said of the oldest is too late by no more than
 * that distance, and the cost does not depend on how much is under way.
 */
#ifndef HW_PATH_FLIGHT_H
#define HW_PATH_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_FLIGHT_MARKS 64u

struct hw_flight_mark {
	uint32_t generation, sequence;
	hw_time at;
	hw_time gap; /* between packets of data before it, smoothed; of pauses below 1 s */
};

struct hw_flight {
	struct hw_flight_mark marks[HW_FLIGHT_MARKS];
	uint32_t first, count;
	hw_time spacing;
	struct hw_flight_mark last; /* of all data; generation 0: none, or it was forgotten */
};

void hw_flight_init(struct hw_flight *flight);

/* Data was sent with that sequence of that session's generation. */
void hw_flight_sent(struct hw_flight *flight, uint32_t generation, uint32_t sequence, hw_time now);

/*
 * A report has shown that all up to that sequence has arrived or never will; `all`: nothing is under way
 * any more. Returns how long the newest of it took to be reported, in ns, or -1.
 */
int64_t hw_flight_reported(struct hw_flight *flight, uint32_t generation, uint32_t sequence, bool all,
			   hw_time now);

/*
 * Something else that was sent at `before` has arrived: what was sent before that is no silence, though
 * it may be lost.
 */
void hw_flight_excuse(struct hw_flight *flight, hw_time before);

/* Forget what is under way; what of it comes to be reported later is no news. */
void hw_flight_clear(struct hw_flight *flight);

/* The usual gap between packets when the oldest data under way was sent; 0: there is none. */
static inline hw_time hw_flight_gap(const struct hw_flight *flight)
{
	return flight->count > 0 ? flight->marks[flight->first].gap : 0;
}

/* When the oldest data under way was sent; HW_TIME_NEVER: there is none. */
static inline hw_time hw_flight_oldest(const struct hw_flight *flight)
{
	return flight->count > 0 ? flight->marks[flight->first].at : HW_TIME_NEVER;
}

#endif
