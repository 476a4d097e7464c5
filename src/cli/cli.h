/*
 * The command line: one file for each subcommand, one table of them (commands.c).
 *
 * Results go to standard output, everything else to standard error behind "hawser: ". main.c reads
 * options and operands by the table, so a command's function finds only what its line allows.
 */
#ifndef HW_CLI_CLI_H
#define HW_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What the program returns. Part of the interface: docs/configuration.md lists them. */
enum hw_exit {
	HW_EXIT_OK = 0,
	HW_EXIT_FAILURE = 1,  /* it was tried and did not work */
	HW_EXIT_USAGE = 2,    /* the command line is wrong */
	HW_EXIT_CONFIG = 3,   /* the configuration, or a key file it names, is wrong */
	HW_EXIT_NO_DAEMON = 4 /* no daemon answers */
			      /* 5: `sim` found a broken invariant (sim/sim.h) */
};

#define HW_CLI_MAX_OPERANDS 2u

struct hw_cli_call {
	const char *operands[HW_CLI_MAX_OPERANDS]; /* NULL where not given */
	unsigned options; /* bit i: the i-th option of the command's list was given */
	int argc;         /* the command's own name and all that follows it, as they came */
	char **argv;
};

struct hw_command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *summary;  /* one line */
	const char *details;  /* the rest of its help, ending in a newline */
	int (*run)(const struct hw_cli_call *call);
	const char *const *options; /* "--json", ends with NULL; NULL: none */
	unsigned min_operands, max_operands;
	bool own_arguments; /* run reads argv itself */
};

extern const struct hw_command hw_commands[];
extern const size_t hw_command_count;

const struct hw_command *hw_command_find(const char *name);

/* The known command closest to that word, or NULL. */
const char *hw_command_nearest(const char *name);

/* "hawser: ..." and a newline on standard error. */
void hw_cli_error(const char *format, ...) HW_PRINTF(1, 2);

/* The help of one command on standard output. */
void hw_cli_help_command(const struct hw_command *command);

/* The overview on standard output. */
void hw_cli_help_all(void);

int hw_cli_genkey(const struct hw_cli_call *call);
int hw_cli_pubkey(const struct hw_cli_call *call);
int hw_cli_gensecret(const struct hw_cli_call *call);
int hw_cli_run(const struct hw_cli_call *call);
int hw_cli_check(const struct hw_cli_call *call);
int hw_cli_status(const struct hw_cli_call *call);
int hw_cli_reload(const struct hw_cli_call *call);
int hw_cli_link(const struct hw_cli_call *call);
int hw_cli_probe(const struct hw_cli_call *call);
int hw_cli_sim(const struct hw_cli_call *call);
int hw_cli_version(const struct hw_cli_call *call);
int hw_cli_help(const struct hw_cli_call *call);

#endif
