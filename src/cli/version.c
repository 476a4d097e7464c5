#include <stdio.h>

#include "cli/cli.h"

int hw_cli_version(const struct hw_cli_call *call)
{
	(void)call;
	puts("hawser " HW_VERSION);
	return HW_EXIT_OK;
}
