/* Every figure of a result by name: for expectations and for JSON. docs/simulator.md lists them. */
#ifndef HW_SIM_VALUE_H
#define HW_SIM_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/run.h"

/* Hits among trials, for intervals; 0 of 0 where a value is no share. */
struct hw_sim_share {
	uint64_t hits, trials;
};

double hw_sim_traffic_value(const struct hw_sim_traffic_result *traffic, bool back, size_t value,
			    struct hw_sim_share *ret_share);
double hw_sim_link_value(const struct hw_sim_way_result *way, hw_time simulated, size_t value);
double hw_sim_node_value(const struct hw_sim_node_result *node, size_t value);
double hw_sim_run_value(const struct hw_sim_result *result, size_t value);

/* An expectation held against a result: true when it is met. `ret_text` says what was seen. */
bool hw_sim_expect_met(const struct hw_sim_scenario *scenario, const struct hw_sim_expect *expect,
		       const struct hw_sim_result *result, char *ret_text, size_t room);

/* The value that it bounds; -1 is also what a delay without any packets gives. */
double hw_sim_expect_value(const struct hw_sim_scenario *scenario,
			   const struct hw_sim_expect *expect, const struct hw_sim_result *result);

#endif
