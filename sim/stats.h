/* What simulations are judged by: delay histograms and intervals for probabilities. */
#ifndef HW_SIM_STATS_H
#define HW_SIM_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

/*
 * Delays in buckets of equal relative width: 1024 to each power of two, so a percentile is right to
 * 0.1 %. Minimum, maximum, sum and count are exact.
 */
struct hw_histogram {
	uint64_t *counts; /* made at the first delay */
	uint64_t count;
	hw_time min, max;
	double sum;
};

/* HW_E_NOMEM. */
HW_MUST_USE int hw_histogram_add(struct hw_histogram *histogram, hw_time delay);
HW_MUST_USE int hw_histogram_merge(struct hw_histogram *into, const struct hw_histogram *from);
void hw_histogram_fini(struct hw_histogram *histogram);

/* The delay that a share q (0..1) of all do not exceed; -1 when there are none. */
double hw_histogram_quantile_ns(const struct hw_histogram *histogram, double q);

/*
 * Clopper and Pearson's (1934) interval at 99.9 % for the probability behind `hits` of `trials`: it
 * holds the truth in at least that share of experiments, also for few or no hits.
 */
void hw_interval_999(uint64_t hits, uint64_t trials, double *ret_low, double *ret_high);

#endif
