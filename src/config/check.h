/* What no single value can tell: checks across the file, and the defaults that follow from the
 * rest. */
#ifndef HW_CONFIG_CHECK_H
#define HW_CONFIG_CHECK_H

#include "config/config.h"

/* Completes a configuration that was read without errors; what is wrong or doubtful goes to the
 * report. */
void hw_config_complete(struct hw_config *config, struct hw_config_report *report);

#endif
