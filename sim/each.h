/*
 * One run for each of many seeds, each held to what the scenario expects: how its figures spread.
 */
#ifndef HW_SIM_EACH_H
#define HW_SIM_EACH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/run.h"

struct hw_sim_each {
	const struct hw_sim_scenario *scenario;
	const struct hw_suite *suite;
	uint64_t seed, runs;
};

/*
 * Run them all and write to `out` a line for each expectation (JSON: all as one object): in how many
 * runs it was met, the median, the 90th percentile and the worst value with its seed. The worst is
 * the one that is nearest to its bound or furthest beyond. `ret_met` is true when all were met in all
 * runs; an invariant that was broken ends it, and is in `result`, which starts zeroed and ends as
 * that of the last run. HW_E_NOMEM, HW_E_INVAL.
 */
HW_MUST_USE int hw_sim_each_run(const struct hw_sim_each *each, bool json, bool quiet, FILE *out,
				struct hw_sim_result *result, bool *ret_met);

#endif
