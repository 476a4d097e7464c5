#include "cli/cli.h"
#include "cli/load.h"
#include "config/config.h"
#include "daemon/daemon.h"

int hw_cli_run(const struct hw_cli_call *call)
{
	struct hw_config *config = NULL;
	int rc = hw_cli_load(call->operands[0], &config);

	if (rc != HW_EXIT_OK)
		return rc;
	rc = hw_daemon_run(config);
	hw_config_free(config);
	return rc == HW_DAEMON_OK ? HW_EXIT_OK : HW_EXIT_FAILURE;
}
