/*
 * Queueing delay of one direction of a path: one-way delay beyond a baseline, the least that the path
 * itself costs.
 *
 * Delays come relative, with the offset of two clocks that may drift apart (path/owd.h). So the
 * baseline follows the least delay of each 20 ms: down by nine tenths of the difference at once, up
 * with a time constant of 60 s. Clocks that drift by 20 ppm then cost 1.2 ms of error, a route that
 * became longer is forgotten after some minutes, and so is a queue that never drains: no receiver
 * can tell these two apart. After a pause the time of the pause counts too.
 *
 * The delay that is told is the least of a 20 ms slot, so jitter does not pass for a queue.
 */
#ifndef HW_PATH_QUEUE_H
#define HW_PATH_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_QUEUE_SLOT HW_MS(20)
#define HW_QUEUE_RISE HW_S(60)
#define HW_QUEUE_FRESH HW_S(1)

struct hw_queue {
	bool known;
	int64_t baseline_ns; /* as delays are given: relative */
	int64_t slot_min_ns; /* of the slot that is running */
	int64_t last_ns;     /* queueing delay in the slot before; -1: there was none */
	hw_time slot_start;
	hw_time folded_at; /* when the baseline last moved */
};

void hw_queue_init(struct hw_queue *queue);
void hw_queue_sample(struct hw_queue *queue, int64_t delay_ns, hw_time at);

/* What this delay is beyond the baseline; never negative. 0 before the first sample. */
static inline int64_t hw_queue_beyond(const struct hw_queue *queue, int64_t delay_ns)
{
	return queue->known && delay_ns > queue->baseline_ns ? delay_ns - queue->baseline_ns : 0;
}

/* The least queueing delay of the running slot and the one before; -1 without samples for a second. */
int64_t hw_queue_delay_ns(const struct hw_queue *queue, hw_time now);

#endif
