/* Loading a configuration for a command, with what is to be said about it. */
#ifndef HW_CLI_LOAD_H
#define HW_CLI_LOAD_H

#include "cli/cli.h"

struct hw_config;

/*
 * Load and check the file, its key files too. Errors and warnings go to standard error, as
 * "FILE:LINE:COLUMN: ..." so that editors find the place. The caller frees the result with
 * hw_config_free. HW_EXIT_OK, HW_EXIT_CONFIG, or HW_EXIT_FAILURE when memory ran out.
 */
HW_MUST_USE int hw_cli_load(const char *path, struct hw_config **ret_config);

#endif
