#include <string.h>

#include "cli/cli.h"
#include "config/config.h"

static const char *const status_options[] = { "--json", "--all", NULL };

const struct hw_command hw_commands[] = {
	{ "run", "FILE", "run the tunnel that FILE describes, in the foreground",
	  "Stops cleanly on SIGTERM and SIGINT, and reads FILE again on SIGHUP, as\n"
	  "'hawser reload' does. Needs the right to make network devices (CAP_NET_ADMIN)\n"
	  "and to bind sockets to interfaces (CAP_NET_RAW).\n",
	  hw_cli_run, NULL, 1, 1, false },
	{ "check", "FILE", "check the configuration FILE and say what it means",
	  "Reads the key files it names too. Errors and warnings name file, line and\n"
	  "column. Exit code 0 when the file can be used, 3 when not.\n",
	  hw_cli_check, NULL, 1, 1, false },
	{ "probe", "[--quick] [--limit SIZE] [--yes] [--json] FILE",
	  "try each link: what it carries, what to do about it",
	  "Calls the peer over every link of FILE, without a tunnel, and measures: round\n"
	  "trip, loss, packet size, capacity and queues each way, NAT, links that share a\n"
	  "bottleneck. The peer must run; a daemon for the same device must not.\n"
	  "\n"
	  "    --quick       no loads: a few seconds and 60 kB a link\n"
	  "    --limit SIZE  at most so much on each link, both ways together; 40MB without\n"
	  "                  it, on a link with a price or a quota 10MB, and 1MB there if\n"
	  "                  that is not agreed to\n"
	  "    --yes         agree to what links with a price or a quota cost\n"
	  "    --json        the result for programs; asks nothing\n"
	  "\n"
	  "Exit code 0 when every link works, 1 when one does not.\n",
	  hw_cli_probe, NULL, 0, 0, true },
	{ "status", "[--json | --all] [DEVICE]", "show how the running tunnel and its links are doing",
	  "DEVICE need not be named when one daemon runs. With --all, every figure that is\n"
	  "measured; with --json, the same for programs. Exit code 4 when no daemon\n"
	  "answers.\n",
	  hw_cli_status, status_options, 0, 1, false },
	{ "reload", "[DEVICE]", "read the running tunnel's configuration file again",
	  "Takes over what has changed without interrupting the tunnel, and says what. If\n"
	  "something cannot change while it runs, or the file is wrong, nothing is changed.\n"
	  "Exit code 1 when a change needs a restart, 3 when the file is wrong.\n",
	  hw_cli_reload, NULL, 0, 1, false },
	{ "link", "down|up|use NAME [USE] [--device DEVICE]",
	  "take a link down or up, or use it otherwise than configured",
	  "NAME is a link as 'hawser status' shows it; USE is always, backup or never, or\n"
	  "config for what the configuration says. Holds until a restart, over reloads.\n"
	  "DEVICE need not be named when one daemon runs.\n"
	  "\n"
	  "    hawser link down lte\n"
	  "    hawser link use lte backup\n"
	  "    hawser link use lte config\n",
	  hw_cli_link, NULL, 0, 0, true },
	{ "genkey", "", "print a new private key",
	  "Keep it where only root can read it:\n"
	  "\n"
	  "    (umask 077; hawser genkey > private.key)\n"
	  "    hawser pubkey < private.key\n",
	  hw_cli_genkey, NULL, 0, 0, false },
	{ "pubkey", "", "read a private key from standard input, print its public key", "",
	  hw_cli_pubkey, NULL, 0, 0, false },
	{ "gensecret", "[FILE]", "make a new shared secret, in FILE or on standard output",
	  "FILE is made with mode 0600 and must not exist yet. Copy it to the other host\n"
	  "by a way you trust, such as scp.\n",
	  hw_cli_gensecret, NULL, 0, 1, false },
	{ "sim", "SCENARIO [--seed N] [--runs N] [--json]", "play links and traffic in virtual time",
	  "The core that ships, over simulated links. SCENARIO is a YAML file; --seed and\n"
	  "--runs choose what is drawn, --suite NAME the cipher (null without it),\n"
	  "--quiet prints only what is not as expected. 'hawser sim --random' draws the\n"
	  "scenario too. Exit code 1 when an expectation of the scenario is not met, 3\n"
	  "when it is wrong, 5 when an invariant was broken.\n",
	  hw_cli_sim, NULL, 0, 0, true },
	{ "version", "", "print the version", "", hw_cli_version, NULL, 0, 0, false },
	{ "help", "[COMMAND]", "explain COMMAND, or list all of them", "", hw_cli_help, NULL, 0, 1,
	  false },
};

const size_t hw_command_count = sizeof(hw_commands) / sizeof(hw_commands[0]);

const struct hw_command *hw_command_find(const char *name)
{
	for (size_t i = 0; i < hw_command_count; i++)
		if (strcmp(hw_commands[i].name, name) == 0)
			return &hw_commands[i];
	return NULL;
}

const char *hw_command_nearest(const char *name)
{
	const char *names[sizeof(hw_commands) / sizeof(hw_commands[0])];

	for (size_t i = 0; i < hw_command_count; i++)
		names[i] = hw_commands[i].name;
	return hw_config_nearest(name, names, hw_command_count);
}
