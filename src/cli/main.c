#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/config.h"

void hw_cli_error(const char *format, ...)
{
	va_list args;

	fputs("hawser: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static int unknown_command(const char *name)
{
	const char *nearest = hw_command_nearest(name);

	if (nearest != NULL)
		hw_cli_error("unknown command '%s': did you mean '%s'?", name, nearest);
	else
		hw_cli_error("unknown command '%s': 'hawser help' lists them", name);
	return HW_EXIT_USAGE;
}

static int unknown_option(const struct hw_command *command, const char *option)
{
	const char *known[8] = { "--help" };
	const char *nearest;
	size_t count = 1;

	for (size_t i = 0; command->options != NULL && command->options[i] != NULL; i++)
		known[count++] = command->options[i];
	nearest = hw_config_nearest(option, known, count);
	if (nearest != NULL)
		hw_cli_error("%s: unknown option '%s': did you mean '%s'?", command->name, option,
			     nearest);
	else
		hw_cli_error("%s: unknown option '%s': see 'hawser help %s'", command->name, option,
			     command->name);
	return HW_EXIT_USAGE;
}

static bool read_option(const struct hw_command *command, const char *option,
			struct hw_cli_call *call)
{
	for (unsigned i = 0; command->options != NULL && command->options[i] != NULL; i++) {
		if (strcmp(option, command->options[i]) == 0) {
			call->options |= 1u << i;
			return true;
		}
	}
	return false;
}

static int read_arguments(const struct hw_command *command, struct hw_cli_call *call)
{
	bool only_operands = false;
	unsigned count = 0;

	for (int i = 1; i < call->argc; i++) {
		const char *arg = call->argv[i];

		if (!only_operands && strcmp(arg, "--") == 0) {
			only_operands = true;
		} else if (!only_operands && arg[0] == '-' && arg[1] != '\0') {
			if (!read_option(command, arg, call))
				return unknown_option(command, arg);
		} else if (count == command->max_operands) {
			hw_cli_error("%s: '%s' is too much: usage: hawser %s%s%s", command->name,
				     arg, command->name, *command->synopsis != '\0' ? " " : "",
				     command->synopsis);
			return HW_EXIT_USAGE;
		} else {
			call->operands[count++] = arg;
		}
	}
	if (count < command->min_operands) {
		hw_cli_error("%s: usage: hawser %s %s", command->name, command->name,
			     command->synopsis);
		return HW_EXIT_USAGE;
	}
	return HW_EXIT_OK;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int run_command(const struct hw_command *command, int argc, char **argv)
{
	struct hw_cli_call call = { .argc = argc, .argv = argv };
	int rc;

	if (asks_for_help(argc, argv)) {
		hw_cli_help_command(command);
		return HW_EXIT_OK;
	}
	rc = command->own_arguments ? HW_EXIT_OK : read_arguments(command, &call);
	return rc != HW_EXIT_OK ? rc : command->run(&call);
}

static int dispatch(int argc, char **argv)
{
	const struct hw_command *command;

	if (argc < 2) {
		hw_cli_error("no command given: 'hawser help' lists them");
		return HW_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		hw_cli_help_all();
		return HW_EXIT_OK;
	}
	command = hw_command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (command == NULL)
		return unknown_command(argv[1]);
	return run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int rc = dispatch(argc, argv);

	/* A full disk must not pass for a key that was printed. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		hw_cli_error("cannot write: %s", strerror(errno));
		return rc == HW_EXIT_OK ? HW_EXIT_FAILURE : rc;
	}
	return rc;
}
