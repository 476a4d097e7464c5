/* A result for people (at most 80 columns) and as JSON. */
#ifndef HW_SIM_REPORT_H
#define HW_SIM_REPORT_H

#include <stdio.h>

#include "sim/run.h"

struct hw_sim_report {
	const struct hw_sim_scenario *scenario;
	const struct hw_sim_result *result;
	const char *suite;
	double seconds; /* that the runs took */
};

void hw_sim_report_print(const struct hw_sim_report *report, FILE *out);

/* HW_E_NOMEM. */
HW_MUST_USE int hw_sim_report_json(const struct hw_sim_report *report, FILE *out);

#endif
