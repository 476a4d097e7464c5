/* Writing a report (config.h): notes are kept in the order they are made, up to
 * HW_CONFIG_MAX_NOTES. */
#ifndef HW_CONFIG_REPORT_H
#define HW_CONFIG_REPORT_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

/* Start anew. `file` is what messages call the file. */
void hw_config_report_init(struct hw_config_report *report, const char *file);

/* Line and column from 1, or both 0 for the file as a whole. Non-ASCII bytes are shown as '?'. */
void hw_config_error(struct hw_config_report *report, uint32_t line, uint32_t column,
		     const char *format, ...) HW_PRINTF(4, 5);
void hw_config_warning(struct hw_config_report *report, uint32_t line, uint32_t column,
		       const char *format, ...) HW_PRINTF(4, 5);

/* Copies at most room - 1 bytes and always ends with a zero. False when `from` had to be cut. */
bool hw_config_copy(char *to, size_t room, const char *from);

#endif
