#include "cli/ask.h"

#include "cli/cli.h"

void hw_cli_print(const char *text, FILE *out)
{
	for (; *text != '\0'; text++)
		putc(*text < ' ' || *text > '~' ? '?' : *text, out);
}

int hw_cli_ask_exit(int error)
{
	switch (error) {
	case 0:
		return HW_EXIT_OK;
	case HW_E_NOT_FOUND:
	case HW_E_AGAIN:
		return HW_EXIT_NO_DAEMON;
	case HW_E_LIMIT:
	case HW_E_INVAL:
		return HW_EXIT_USAGE;
	default:
		return HW_EXIT_FAILURE;
	}
}
