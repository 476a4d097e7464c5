#include "cli/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "config/config.h"
#include "control/client.h"

#define LIMIT_USUAL 40000000u
#define LIMIT_ALL 120000000u   /* of all links together, so that the peer's hour suffices */
#define LIMIT_SPARED 1000000u  /* on a link that costs something, unless more is agreed to */
#define LIMIT_AGREED 10000000u /* likewise, with consent */
#define LIMIT_MOST 1000000000u

struct arguments {
	const char *file;
	bool yes, quick, json;
	uint64_t limit; /* 0: not given */
};

/* ---- the command line ---- */

/* "500kB", "10MB", "1G": decimal. False: it is not a size from 100 kB to 1 GB. */
static bool read_size(const char *text, uint64_t *ret_bytes)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || !(value >= 0))
		return false;
	if (*end == 'k' || *end == 'K')
		value *= 1e3;
	else if (*end == 'M')
		value *= 1e6;
	else if (*end == 'G')
		value *= 1e9;
	else if (*end != '\0' && *end != 'B')
		return false;
	if (*end != '\0' && *end != 'B')
		end++;
	if (*end == 'B')
		end++;
	if (*end != '\0' || value < 1e5 || value > LIMIT_MOST)
		return false;
	*ret_bytes = (uint64_t)value;
	return true;
}

static int unknown_option(const char *option)
{
	static const char *const known[] = { "--help", "--yes", "--limit", "--quick", "--json" };
	const char *nearest = hw_config_nearest(option, known, sizeof(known) / sizeof(known[0]));

	if (nearest != NULL)
		hw_cli_error("probe: unknown option '%s': did you mean '%s'?", option, nearest);
	else
		hw_cli_error("probe: unknown option '%s': see 'hawser help probe'", option);
	return HW_EXIT_USAGE;
}

static int read_limit(const char *text, struct arguments *args)
{
	if (text != NULL && read_size(text, &args->limit))
		return HW_EXIT_OK;
	hw_cli_error("probe: --limit: expected a size from 100kB to 1GB, such as 10MB");
	return HW_EXIT_USAGE;
}

static int read_arguments(const struct hw_cli_call *call, struct arguments *args)
{
	bool only_operands = false;

	for (int i = 1; i < call->argc; i++) {
		const char *arg = call->argv[i];
		int rc = HW_EXIT_OK;

		if (only_operands || arg[0] != '-' || arg[1] == '\0') {
			if (args->file != NULL) {
				hw_cli_error("probe: '%s' is too much: one FILE", arg);
				return HW_EXIT_USAGE;
			}
			args->file = arg;
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
		} else if (strcmp(arg, "--yes") == 0) {
			args->yes = true;
		} else if (strcmp(arg, "--quick") == 0) {
			args->quick = true;
		} else if (strcmp(arg, "--json") == 0) {
			args->json = true;
		} else if (strcmp(arg, "--limit") == 0) {
			rc = read_limit(++i < call->argc ? call->argv[i] : NULL, args);
		} else if (strncmp(arg, "--limit=", 8) == 0) {
			rc = read_limit(arg + 8, args);
		} else {
			rc = unknown_option(arg);
		}
		if (rc != HW_EXIT_OK)
			return rc;
	}
	if (args->file == NULL) {
		hw_cli_error("probe: usage: hawser probe [--quick] [--limit SIZE] [--yes] [--json] FILE");
		return HW_EXIT_USAGE;
	}
	return HW_EXIT_OK;
}

/* ---- what it may cost ---- */

static bool is_spared(const struct hw_probe_link *link)
{
	return link->metered || link->price > 1;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static void plan(const struct hw_probe_report *report, const struct arguments *args, bool consent,
		 struct hw_survey_config *ret)
{
	uint32_t links = 0;

	*ret = (struct hw_survey_config){ .patience = 0 };
	for (uint32_t i = 0; i < report->link_count; i++)
		links += report->links[i].trouble == HW_PROBE_FINE;
	for (uint32_t i = 0; i < report->link_count; i++) {
		const struct hw_probe_link *link = &report->links[i];
		uint64_t limit = at_most(LIMIT_USUAL, LIMIT_ALL / (links > 0 ? links : 1));

		if (link->trouble != HW_PROBE_FINE)
			continue;
		if (is_spared(link))
			limit = LIMIT_AGREED;
		if (args->limit > 0)
			limit = args->limit;
		if (is_spared(link) && !consent)
			limit = at_most(limit, LIMIT_SPARED);
		ret->links[link->number] = (struct hw_survey_link_config){
			.used = true, .load = !args->quick, .limit = limit
		};
	}
	/* Long queues take their time; what is not done by then is left out, and said so. */
	ret->patience = HW_S(14) + links * HW_S(9) + links * (links - 1) * HW_S(2);
}

static void print_plan(const struct hw_probe_report *report, const struct hw_survey_config *config)
{
	fprintf(stderr, "what this may cost at most, both ways together:\n");
	for (uint32_t i = 0; i < report->link_count; i++) {
		const struct hw_probe_link *link = &report->links[i];

		if (link->trouble != HW_PROBE_FINE)
			continue;
		fprintf(stderr, "  %-12s %6.2f MB", link->name,
			(double)hw_survey_cost(&config->links[link->number]) / 1e6);
		if (link->price > 1)
			fprintf(stderr, "  (price %u)", link->price);
		else if (link->metered)
			fprintf(stderr, "  (metered)");
		fputc('\n', stderr);
	}
}

/* Whether a link that costs something would be loaded with more if that were agreed to. */
static bool wants_consent(const struct hw_probe_report *report, const struct arguments *args)
{
	if (args->quick || (args->limit > 0 && args->limit <= LIMIT_SPARED))
		return false;
	for (uint32_t i = 0; i < report->link_count; i++)
		if (report->links[i].trouble == HW_PROBE_FINE && is_spared(&report->links[i]))
			return true;
	return false;
}

/* Asks where there is somebody to ask. HW_E_STATE: a signal came instead. */
static int get_consent(struct hw_probe *probe, const struct arguments *args, bool *ret_consent)
{
	const struct hw_probe_report *report = hw_probe_report(probe);
	uint64_t limit = args->limit > 0 ? args->limit : LIMIT_AGREED;

	*ret_consent = args->yes;
	if (args->yes || !wants_consent(report, args))
		return 0;
	if (args->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		hw_cli_error("probe: links with a price or a quota are loaded with at most %.0f MB: "
			     "--yes allows %.0f MB", LIMIT_SPARED / 1e6, (double)limit / 1e6);
		return 0;
	}
	for (uint32_t i = 0; i < report->link_count; i++)
		if (report->links[i].trouble == HW_PROBE_FINE && is_spared(&report->links[i]))
			fprintf(stderr, "%s costs something (%s %u).\n", report->links[i].name,
				report->links[i].price > 1 ? "price" : "metered, price",
				report->links[i].price);
	fprintf(stderr,
		"Spend up to %.0f MB on each of these? With %.0f MB the figures are rougher. [y/N] ",
		(double)limit / 1e6, LIMIT_SPARED / 1e6);
	return hw_probe_ask(probe, ret_consent);
}

/* ---- while it runs ---- */

static const char *name_of(const struct hw_probe_report *report, uint32_t number)
{
	for (uint32_t i = 0; i < report->link_count; i++)
		if (report->links[i].number == number)
			return report->links[i].name;
	return "?";
}

static void told(void *ctx, const struct hw_survey_news *news)
{
	const struct hw_probe_report *report = ctx;
	const char *way = news->way == HW_SURVEY_UP ? "up" : "down";

	switch (news->stage) {
	case HW_SURVEY_CONNECTING:
		fprintf(stderr, "calling %s over every link ...\n", report->config->peers[0].name);
		break;
	case HW_SURVEY_PINGING:
		fprintf(stderr, "pinging ...\n");
		break;
	case HW_SURVEY_LOADING:
		fprintf(stderr, "loading %s, %s ...\n", name_of(report, news->link), way);
		break;
	case HW_SURVEY_PAIRING:
		fprintf(stderr, "loading %s and %s together, %s ...\n",
			name_of(report, news->link), name_of(report, news->other), way);
		break;
	case HW_SURVEY_OVER:
		fputc('\n', stderr);
		break;
	}
}

/* ---- the whole ---- */

static bool has_endpoint(const struct hw_config *config)
{
	if (config->peers[0].endpoint_count > 0)
		return true;
	for (uint32_t i = 0; i < config->link_count; i++)
		if (config->links[i].endpoint_count > 0)
			return true;
	return false;
}

/* Two under the same keys would disturb each other. */
static bool daemon_runs(const char *device)
{
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *status = NULL;
	int rc = hw_control_status(device, error, &status);

	json_decref(status);
	return rc != HW_E_NOT_FOUND;
}

static int check_possible(const struct hw_config *config)
{
	const char *device = config->tunnel.device;

	if (!has_endpoint(config)) {
		hw_cli_error("probe: %s names no address of its peer: it is a hub's. Probe from the "
			     "other side", config->file);
		return HW_EXIT_FAILURE;
	}
	if (daemon_runs(device)) {
		hw_cli_error("probe: a daemon runs for %s, with the same keys: 'hawser status %s' shows "
			     "what it measures; or stop it first (systemctl stop hawser@...)",
			     device, device);
		return HW_EXIT_FAILURE;
	}
	return HW_EXIT_OK;
}

static int show(const struct hw_probe_report *report, bool json)
{
	static struct hw_advice_list advice; /* some KiB: not for the stack */

	hw_advice_make(report, &advice);
	if (!json) {
		hw_cli_probe_print(report, &advice, stdout);
	} else if (hw_cli_probe_json(report, &advice, stdout) < 0) {
		hw_cli_error("probe: cannot write the result");
		return HW_EXIT_FAILURE;
	}
	return advice.faults || report->interrupted || !report->survey->session ? HW_EXIT_FAILURE
										: HW_EXIT_OK;
}

static int probe_all(struct hw_probe *probe, const struct arguments *args)
{
	const struct hw_probe_report *report = hw_probe_report(probe);
	struct hw_survey_config config;
	bool consent;
	int rc = get_consent(probe, args, &consent);

	if (rc == 0) {
		plan(report, args, consent, &config);
		if (!args->json)
			print_plan(report, &config);
		rc = hw_probe_run(probe, &config, args->json ? NULL : told, (void *)(uintptr_t)report);
	}
	if (rc == HW_E_STATE) {
		fputc('\n', stderr);
		return HW_EXIT_FAILURE;
	}
	if (rc < 0) {
		hw_cli_error("probe: %s", rc == HW_E_SYSTEM ? strerror(errno) : hw_strerror(rc));
		return HW_EXIT_FAILURE;
	}
	return show(report, args->json);
}

int hw_cli_probe(const struct hw_cli_call *call)
{
	struct arguments args = { .file = NULL };
	struct hw_config *config = NULL;
	struct hw_probe *probe = NULL;
	int rc = read_arguments(call, &args);

	if (rc == HW_EXIT_OK)
		rc = hw_cli_load(args.file, &config);
	if (rc != HW_EXIT_OK)
		return rc;
	rc = check_possible(config);
	if (rc == HW_EXIT_OK)
		rc = hw_probe_new(config, &probe) < 0 ? HW_EXIT_FAILURE : probe_all(probe, &args);
	hw_probe_free(probe);
	hw_config_free(config);
	return rc;
}
