#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/status_table.h"
#include "control/client.h"

/* The places of commands.c's status_options. */
enum { JSON = 1u << 0, ALL = 1u << 1 };

/* https://no-color.org: set and not empty means none. */
static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

int hw_cli_status(const struct hw_cli_call *call)
{
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *status = NULL;
	int rc = hw_control_status(call->operands[0], error, &status);

	if (rc != 0) {
		hw_cli_error("status: %s", error);
		return hw_cli_ask_exit(rc);
	}
	rc = HW_EXIT_OK;
	if ((call->options & JSON) == 0) {
		hw_cli_status_table(status, (call->options & ALL) != 0, wants_colour(), stdout);
	} else if (json_dumpf(status, stdout,
			      JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)) == 0) {
		putchar('\n');
	} else {
		hw_cli_error("status: cannot write the answer");
		rc = HW_EXIT_FAILURE;
	}
	json_decref(status);
	return rc;
}
