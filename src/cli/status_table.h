/* The daemon's status as a table for people: 80 columns, ASCII. */
#ifndef HW_CLI_STATUS_TABLE_H
#define HW_CLI_STATUS_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define HW_STATUS_COLUMNS 80

/*
 * `status` is the object that control/status.h describes. What is missing or null is shown as "-";
 * nothing in it is trusted to be short or printable. With `all`, every figure there is; with
 * `colour`, states are coloured.
 */
void hw_cli_status_table(const json_t *status, bool all, bool colour, FILE *out);

#endif
