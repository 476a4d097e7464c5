#include "cli/load.h"

#include <stdio.h>

#include "config/config.h"

int hw_cli_load(const char *path, struct hw_config **ret_config)
{
	static struct hw_config_report report; /* some KiB: not for the stack */
	int rc = hw_config_load(path, &report, ret_config);

	hw_config_report_print(&report, stderr);
	if (rc == 0)
		return HW_EXIT_OK;
	if (rc == HW_E_NOMEM) {
		hw_cli_error("out of memory");
		return HW_EXIT_FAILURE;
	}
	hw_cli_error("%s cannot be used: %u error%s", path, report.error_count,
		     report.error_count == 1 ? "" : "s");
	return HW_EXIT_CONFIG;
}
