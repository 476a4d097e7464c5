/* How `hawser probe` shows what it found. */
#ifndef HW_CLI_PROBE_H
#define HW_CLI_PROBE_H

#include <stdio.h>

#include "daemon/advice.h"
#include "daemon/probe.h"

/* For people. */
void hw_cli_probe_print(const struct hw_probe_report *report, const struct hw_advice_list *advice,
			FILE *out);

/* For programs: one JSON object and a newline. -1: it could not be made or written. */
int hw_cli_probe_json(const struct hw_probe_report *report, const struct hw_advice_list *advice,
		      FILE *out);

/* Words that both use. */
const char *hw_cli_probe_nat(enum hw_nat nat);
const char *hw_cli_probe_trouble(const struct hw_probe_link *link);
const char *hw_cli_probe_shared(enum hw_shared verdict);

#endif
