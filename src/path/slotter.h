/*
 * Judges one path's slots of 100 ms for path/joint.h. A slot is bad when
 *
 *   lost       a fifth or more of what was sent in it never came, or nothing came and something is
 *              missing,
 *   late       all that came in it had waited for 30 ms or longer (path/queue.h),
 *   collapsed  less than a quarter of the usual came, and some of that had waited for 15 ms: so it is
 *              not the sender that has less to say.
 *
 * A slot in which nothing was sent is neither good nor bad. Silence is judged when the next packets
 * come: their numbers tell whether anything is missing. Traffic of less than four packets a second
 * is not judged.
 */
#ifndef HW_PATH_SLOTTER_H
#define HW_PATH_SLOTTER_H

#include <stdbool.h>
#include <stdint.h>

#include "path/joint.h"

#define HW_SLOTTER_LATE_NS ((int64_t)HW_MS(30))

struct hw_slotter {
	bool started;
	int64_t slot;                /* the running one */
	uint32_t expected, received; /* in it */
	int64_t queue_min_ns, queue_max_ns;
	double usual; /* packets in a slot */
};

/*
 * Packets came, at that time of the clock that all paths share: `expected` is how many more were sent
 * than was known, `received` how many of all came, `queue_ns` how long they had waited.
 */
void hw_slotter_add(struct hw_slotter *slotter, struct hw_joint *joint, uint32_t path, int64_t time_ns,
		    uint32_t expected, uint32_t received, int64_t queue_ns);

#endif
