/* What the commands that talk to a daemon have in common. */
#ifndef HW_CLI_ASK_H
#define HW_CLI_ASK_H

#include <stdio.h>

/* Print what came from a daemon: what is no visible ASCII as '?', so that no terminal is steered. */
void hw_cli_print(const char *text, FILE *out);

/* The exit code for what hw_control_ask and hw_control_status return. */
int hw_cli_ask_exit(int error);

#endif
