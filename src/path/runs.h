/*
 * How losses come: lengths of the runs of packets lost one after the other on a path, in order of
 * sending. The fates of packets come in 64 at a time, when all that may still arrive out of order
 * has had its chance (path/rx.h: 64 sequences).
 *
 * Mean and maximum are of the last 30 to 60 s; the histogram is of all time: bucket i has the runs of
 * 2^i to 2^(i+1) - 1 packets, the last one all that are longer.
 */
#ifndef HW_PATH_RUNS_H
#define HW_PATH_RUNS_H

#include <stdint.h>

#include "base/time.h"

#define HW_RUNS_BUCKETS 16u
#define HW_RUNS_SPAN HW_S(30)

struct hw_runs_half {
	uint32_t runs, lost, longest;
};

struct hw_runs {
	uint32_t open; /* length of the run at the end of what is known */
	hw_time turned_at;
	struct hw_runs_half current, previous;
	uint64_t histogram[HW_RUNS_BUCKETS];
};

/* 64 packets in a row; bit 0 is the first, a set bit is one that came. */
void hw_runs_word(struct hw_runs *runs, uint64_t came, hw_time now);

/* Mean length, 0 when nothing was lost; and the longest. */
double hw_runs_mean(const struct hw_runs *runs, hw_time now);
uint32_t hw_runs_longest(const struct hw_runs *runs, hw_time now);

#endif
