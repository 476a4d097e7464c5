/*
 * Figures of the status as text for people. Nothing in the status is trusted: what is missing, of
 * another kind or out of range is "-", what is long is cut, what is not printable ASCII is "?".
 */
#ifndef HW_CLI_STATUS_TEXT_H
#define HW_CLI_STATUS_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/status_table.h"

#define HW_STATUS_FIGURE_BYTES 32u
#define HW_STATUS_LINK_WIDTH 13
#define HW_STATUS_STATE_WIDTH 8

typedef char hw_status_figure[HW_STATUS_FIGURE_BYTES];
typedef char hw_status_text[HW_STATUS_COLUMNS + 1];

/* NAN where there is no number of that name. */
double hw_status_number(const json_t *object, const char *key);
bool hw_status_flag(const json_t *object, const char *key); /* false where there is none */

/* Each gives ret_text. At most width characters (HW_STATUS_COLUMNS); a cut is marked by '~'. */
const char *hw_status_string(const json_t *object, const char *key, int width,
			     hw_status_text ret_text);

/* Three digits and a unit: "0", "999", "1.23k", "45.6M". */
const char *hw_status_scaled(double value, hw_status_figure ret_text);
const char *hw_status_whole(double value, hw_status_figure ret_text); /* "1500" */
const char *hw_status_bytes(double value, hw_status_figure ret_text); /* "45.6 MB" */
const char *hw_status_ms(double value, hw_status_figure ret_text);
const char *hw_status_percent(double fraction, hw_status_figure ret_text); /* "0.25" */
const char *hw_status_ratio(double value, hw_status_figure ret_text); /* "1.0", "36" */
const char *hw_status_age(double seconds, hw_status_figure ret_text); /* "3 h 12 min" */
const char *hw_status_time(double unix_s, hw_status_figure ret_text); /* "2026-12-01 00:00" */

/* A state padded to width, green, red or yellow if `colour`. */
void hw_status_print_state(const char *state, int width, bool colour, FILE *out);

#endif
