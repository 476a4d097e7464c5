#include "cli/cli.h"
#include "sim/sim.h"

int hw_cli_sim(const struct hw_cli_call *call)
{
	return hw_sim_main(call->argc, call->argv);
}
