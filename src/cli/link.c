#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "config/config.h"
#include "control/client.h"
#include "control/request.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct arguments {
	const char *words[3]; /* down|up|use, NAME, and the use */
	unsigned count;
	const char *device;
};

static int usage(void)
{
	hw_cli_error("link: usage: hawser link %s", hw_command_find("link")->synopsis);
	return HW_EXIT_USAGE;
}

static int unknown(const char *what, const char *word, const char *const *known, size_t count,
		   const char *expected)
{
	const char *nearest = hw_config_nearest(word, known, count);

	if (nearest != NULL)
		hw_cli_error("link: unknown %s '%s': did you mean '%s'?", what, word, nearest);
	else
		hw_cli_error("link: unknown %s '%s': expected %s", what, word, expected);
	return HW_EXIT_USAGE;
}

/* HW_EXIT_OK, or what the program is to return. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
	static const char *const options[] = { "--device", "--help" };
	bool only_words = false;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!only_words && strcmp(arg, "--") == 0) {
			only_words = true;
		} else if (!only_words && strncmp(arg, "--device=", 9) == 0) {
			args->device = arg + 9;
		} else if (!only_words && strcmp(arg, "--device") == 0) {
			if (++i == argc) {
				hw_cli_error("link: --device: which one? Write --device hw0");
				return HW_EXIT_USAGE;
			}
			args->device = argv[i];
		} else if (!only_words && arg[0] == '-' && arg[1] != '\0') {
			return unknown("option", arg, options, COUNT(options), "--device DEVICE");
		} else if (args->count == COUNT(args->words)) {
			return usage();
		} else {
			args->words[args->count++] = arg;
		}
	}
	return args->count >= 2 ? HW_EXIT_OK : usage();
}

/* The word that the daemon is to carry out, or NULL: it has been said what is wrong. */
static const char *find_do(const struct arguments *args)
{
	static const char *const verbs[] = { "down", "up", "use" };
	static const char *const uses[] = { "always", "backup", "never", "config" };

	if (strcmp(args->words[0], "use") != 0) {
		for (size_t i = 0; i < 2; i++) {
			if (strcmp(args->words[0], verbs[i]) != 0)
				continue;
			if (args->count == 2)
				return verbs[i];
			(void)usage();
			return NULL;
		}
		(void)unknown("word", args->words[0], verbs, COUNT(verbs), "down, up or use");
		return NULL;
	}
	if (args->count < 3) {
		hw_cli_error("link: use %s how? always, backup, never, or config", args->words[1]);
		return NULL;
	}
	for (size_t i = 0; i < COUNT(uses); i++)
		if (strcmp(args->words[2], uses[i]) == 0)
			return uses[i];
	(void)unknown("use", args->words[2], uses, COUNT(uses), "always, backup, never or config");
	return NULL;
}

int hw_cli_link(const struct hw_cli_call *call)
{
	struct arguments args = { .count = 0 };
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *reply = NULL;
	const char *what = NULL;
	int rc = read_arguments(call->argc, call->argv, &args);

	if (rc == HW_EXIT_OK)
		what = find_do(&args);
	if (what == NULL)
		return HW_EXIT_USAGE;
	if (!hw_control_name_valid(args.words[1])) {
		hw_cli_error("link: that is no link's name: 'hawser status' shows them");
		return HW_EXIT_USAGE;
	}
	rc = hw_control_ask(args.device,
			    json_pack("{s:s, s:s, s:s}", "request", "link", "link", args.words[1],
				      "do", what),
			    error, &reply);
	if (rc == 0) {
		const json_t *link = json_object_get(reply, "link");
		const char *text = json_string_value(json_object_get(link, "text"));

		printf("link %s: ", args.words[1]);
		hw_cli_print(text != NULL ? text : what, stdout);
		putchar('\n');
	} else {
		hw_cli_error("link: %s", error);
	}
	json_decref(reply);
	return hw_cli_ask_exit(rc);
}
