#include <stdio.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "control/client.h"

/* A list of places with words, one a line: "FILE:LINE:COLUMN: KIND: text". */
static size_t print_places(const json_t *reload, const char *list, const char *kind, FILE *out)
{
	const char *file = json_string_value(json_object_get(reload, "file"));
	const json_t *entry;
	size_t i, count = 0;

	json_array_foreach(json_object_get(reload, list), i, entry) {
		const char *text = json_string_value(json_object_get(entry, "text"));
		long long line = json_integer_value(json_object_get(entry, "line"));
		long long column = json_integer_value(json_object_get(entry, "column"));

		if (!text || !file)
			continue;
		hw_cli_print(file, out);
		if (line > 0)
			fprintf(out, ":%lld:%lld", line, column);
		fprintf(out, ": %s", kind);
		hw_cli_print(text, out);
		putc('\n', out);
		count++;
	}
	return count;
}

static int print_changes(const json_t *reload)
{
	const char *file = json_string_value(json_object_get(reload, "file"));
	const json_t *change;
	size_t i, count = json_array_size(json_object_get(reload, "changes"));

	if (!file) {
		hw_cli_error("reload: the daemon's answer is of another version");
		return HW_EXIT_FAILURE;
	}
	(void)print_places(reload, "warnings", "warning: ", stderr);
	hw_cli_print(file, stdout);
	if (count == 0)
		printf(" says nothing new\n");
	else
		printf(" is in force: %zu change%s\n", count, count == 1 ? "" : "s");
	json_array_foreach(json_object_get(reload, "changes"), i, change) {
		const char *text = json_string_value(json_object_get(change, "text"));

		printf("  ");
		hw_cli_print(text ? text : "?", stdout);
		putchar('\n');
	}
	return HW_EXIT_OK;
}

int hw_cli_reload(const struct hw_cli_call *call)
{
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *reply = NULL;
	const json_t *reload;
	int rc = hw_control_ask(call->operands[0], json_pack("{s:s}", "request", "reload"), error,
				&reply);
	int code = hw_cli_ask_exit(rc);

	reload = json_object_get(reply, "reload");
	if (rc == 0) {
		code = print_changes(reload);
	} else {
		(void)print_places(reload, "warnings", "warning: ", stderr);
		if (print_places(reload, "faults", "error: ", stderr) > 0)
			code = HW_EXIT_CONFIG;
		(void)print_places(reload, "refused", "not while running: ", stderr);
		hw_cli_error("reload: %s%s", error,
			     reload ? "; nothing was changed" : "");
	}
	json_decref(reply);
	return code;
}
