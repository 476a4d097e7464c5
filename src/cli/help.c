#include <stdio.h>

#include "cli/cli.h"

void hw_cli_help_command(const struct hw_command *command)
{
	printf("usage: hawser %s%s%s\n\n%s\n", command->name, *command->synopsis != '\0' ? " " : "",
	       command->synopsis, command->summary);
	if (*command->details != '\0')
		printf("\n%s", command->details);
}

void hw_cli_help_all(void)
{
	puts("usage: hawser COMMAND [ARGUMENTS]\n\n"
	     "Several unreliable Internet links as one reliable one.\n");
	for (size_t i = 0; i < hw_command_count; i++)
		printf("  %-10s %s\n", hw_commands[i].name, hw_commands[i].summary);
	puts("\n'hawser help COMMAND' says more about one.\n\n"
	     "Exit codes: 0 done; 1 it did not work; 2 wrong command line;\n"
	     "3 wrong configuration, key file or scenario; 4 no daemon answers;\n"
	     "5 the simulator found a broken invariant.");
}

int hw_cli_help(const struct hw_cli_call *call)
{
	const char *name = call->operands[0];
	const struct hw_command *command = name != NULL ? hw_command_find(name) : NULL;
	const char *nearest = name != NULL ? hw_command_nearest(name) : NULL;

	if (name == NULL) {
		hw_cli_help_all();
		return HW_EXIT_OK;
	}
	if (command != NULL) {
		hw_cli_help_command(command);
		return HW_EXIT_OK;
	}
	if (nearest != NULL)
		hw_cli_error("unknown command '%s': did you mean '%s'?", name, nearest);
	else
		hw_cli_error("unknown command '%s': 'hawser help' lists them", name);
	return HW_EXIT_USAGE;
}
