/* The simulator as a subcommand: `hawser sim SCENARIO [--seed N] [--runs N] [--json]`. */
#ifndef HW_SIM_SIM_H
#define HW_SIM_SIM_H

/*
 * argv[0] is "sim". Gives the exit code: 0; 1 when an expectation of the scenario is not met; 2 for
 * a wrong command line; 3 for a wrong scenario; 5 when an invariant was broken.
 */
int hw_sim_main(int argc, char **argv);

#endif
