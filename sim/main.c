#include "sim/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "sim/each.h"
#include "sim/report.h"
#include "sim/run.h"
#include "sim/scenario.h"
#include "sim/suite.h"
#include "sim/value.h"

/* The same numbers mean the same as in the rest of the command line. */
enum { EXIT_MET = 0, EXIT_NOT_MET = 1, EXIT_USAGE = 2, EXIT_SCENARIO = 3, EXIT_VIOLATION = 5 };

struct options {
	const char *file;
	const char *suite;
	bool random, each, json, quiet, seed_given, help;
	uint64_t seed, runs;
};

static const char usage[] =
	"usage: hawser sim SCENARIO [--seed N] [--runs N] [--each] [--json] [--quiet]\n"
	"                  [--suite SUITE]\n"
	"       hawser sim --random [--seed N] [--runs N] [--quiet] [--suite SUITE]\n"
	"\n"
	"Runs a scenario in virtual time with the core that hawser ships, and says what came of "
	"it.\n"
	"\n"
	"  --seed N       the first seed (default: the scenario's)\n"
	"  --runs N       seeds N, N+1, ...: one run each, summed\n"
	"  --each         hold each of the runs to what is expected, not their sum, and show how\n"
	"                 its figures spread\n"
	"  --random       a scenario drawn from each seed, for finding faults\n"
	"  --json         the result as JSON\n"
	"  --quiet        only what is not as expected\n"
	"  --suite SUITE  null (default; seals without secrecy), chacha20-poly1305 or "
	"aes-256-gcm\n";

static bool parse_count(const char *text, uint64_t *ret_count)
{
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret_count = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--json") == 0) {
			options->json = true;
		} else if (strcmp(argv[i], "--quiet") == 0) {
			options->quiet = true;
		} else if (strcmp(argv[i], "--each") == 0) {
			options->each = true;
		} else if (strcmp(argv[i], "--random") == 0) {
			options->random = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			options->help = true;
		} else if (strcmp(argv[i], "--seed") == 0 && parse_count(next, &options->seed)) {
			options->seed_given = true;
			i++;
		} else if (strcmp(argv[i], "--runs") == 0 && parse_count(next, &options->runs) &&
			   options->runs > 0) {
			i++;
		} else if (strcmp(argv[i], "--suite") == 0 && next != NULL) {
			options->suite = next;
			i++;
		} else if (argv[i][0] != '-' && options->file == NULL) {
			options->file = argv[i];
		} else {
			fprintf(stderr, "hawser sim: '%s' is not right here\n", argv[i]);
			return false;
		}
	}
	return options->help || ((options->file != NULL) != options->random &&
				 !(options->each && options->random));
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int say_violation(const struct hw_sim_scenario *scenario, const struct hw_sim_result *result)
{
	fprintf(stderr, "hawser sim: %s: seed %" PRIu64 ", at %.9f s: %s\n", scenario->file,
		result->failed_seed, (double)result->failed_at / 1e9, result->failure);
	return EXIT_VIOLATION;
}

static int say_expectations(const struct hw_sim_scenario *scenario,
			    const struct hw_sim_result *result, const struct options *options)
{
	int code = EXIT_MET;

	for (uint32_t i = 0; i < scenario->expect_count; i++) {
		const struct hw_sim_expect *expect = &scenario->expects[i];
		char text[200];
		bool met = hw_sim_expect_met(scenario, expect, result, text, sizeof(text));

		if (!met) {
			fprintf(stderr, "%s:%u:%u: not as expected: %s\n", scenario->file,
				expect->line, expect->column, text);
			code = EXIT_NOT_MET;
		} else if (!options->json && !options->quiet) {
			printf("as expected: %s\n", text);
		}
	}
	return code;
}

static int run_each(const struct options *options, const struct hw_suite *suite,
		    const struct hw_sim_scenario *scenario)
{
	struct hw_sim_each each = { .scenario = scenario,
				    .suite = suite,
				    .seed = options->seed_given ? options->seed : scenario->seed,
				    .runs = options->runs };
	struct hw_sim_result result = { 0 };
	bool met = false;
	int code, r = hw_sim_each_run(&each, options->json, options->quiet, stdout, &result, &met);

	if (r < 0) {
		fprintf(stderr, "hawser sim: %s\n", hw_strerror(r));
		code = EXIT_NOT_MET;
	} else {
		code = result.failed ? say_violation(scenario, &result)
		       : met	     ? EXIT_MET
				     : EXIT_NOT_MET;
	}
	hw_sim_result_fini(&result);
	return code;
}

static int run_file(const struct options *options, const struct hw_suite *suite)
{
	struct hw_config_report notes;
	struct hw_sim_scenario *scenario = NULL;
	struct hw_sim_result result = { 0 };
	int r = hw_sim_scenario_load(options->file, &notes, &scenario), code;

	if (r < 0) {
		hw_config_report_print(&notes, stderr);
		return EXIT_SCENARIO;
	}

	if (options->each) {
		code = run_each(options, suite, scenario);
		hw_sim_scenario_free(scenario);
		return code;
	}

	uint64_t seed = options->seed_given ? options->seed : scenario->seed;
	double start = seconds_now();

	for (uint64_t i = 0; i < options->runs && r == 0 && !result.failed; i++)
		r = hw_sim_run(scenario, suite, seed + i, &result);

	struct hw_sim_report report = { .scenario = scenario,
					.result = &result,
					.suite = suite->name,
					.seconds = seconds_now() - start };

	if (r < 0) {
		fprintf(stderr, "hawser sim: %s\n", hw_strerror(r));
		code = EXIT_NOT_MET;
		goto out;
	}
	if (options->json && hw_sim_report_json(&report, stdout) < 0)
		fprintf(stderr, "hawser sim: out of memory\n");
	else if (!options->json && !options->quiet)
		hw_sim_report_print(&report, stdout);
	code = result.failed ? say_violation(scenario, &result)
			     : say_expectations(scenario, &result, options);
out:
	hw_sim_result_fini(&result);
	hw_sim_scenario_free(scenario);
	return code;
}

static int run_random_one(uint64_t seed, const struct hw_suite *suite,
			  const struct options *options, uint64_t *transmissions)
{
	struct hw_sim_scenario *scenario = NULL;
	struct hw_sim_result result = { 0 };
	int code = EXIT_MET, r = hw_sim_scenario_random(seed, &scenario);

	if (r == 0)
		r = hw_sim_run(scenario, suite, seed, &result);
	if (r < 0) {
		fprintf(stderr, "hawser sim: seed %" PRIu64 ": %s\n", seed, hw_strerror(r));
		code = EXIT_NOT_MET;
	} else if (result.failed) {
		code = say_violation(scenario, &result);
	}
	if (r == 0 && options->runs == 1 && !options->quiet) {
		struct hw_sim_report report = { .scenario = scenario,
						.result = &result,
						.suite = suite->name };

		hw_sim_report_print(&report, stdout);
	}
	*transmissions += result.transmissions;
	hw_sim_result_fini(&result);
	hw_sim_scenario_free(scenario);
	return code;
}

static int run_random(const struct options *options, const struct hw_suite *suite)
{
	uint64_t first = options->seed_given ? options->seed : 1, transmissions = 0;
	double start = seconds_now();
	int code = EXIT_MET;
	uint64_t i = 0;

	for (; i < options->runs && code == EXIT_MET; i++)
		code = run_random_one(first + i, suite, options, &transmissions);
	if (code == EXIT_MET && !options->quiet)
		printf("suite %s, seeds %" PRIu64 " to %" PRIu64
		       ": every invariant held over %" PRIu64 " transmissions, in %.1f s\n",
		       suite->name, first, first + i - 1, transmissions, seconds_now() - start);
	return code;
}

int hw_sim_main(int argc, char **argv)
{
	struct options options = { .suite = "null", .runs = 1 };
	const struct hw_suite *suite;

	if (!parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (options.help) {
		fputs(usage, stdout);
		return EXIT_MET;
	}
	suite = hw_sim_suite_find(options.suite);
	if (suite == NULL) {
		fprintf(stderr, "hawser sim: there is no suite '%s': expected %s\n", options.suite,
			HW_SIM_SUITE_NAMES);
		return EXIT_USAGE;
	}
	return options.random ? run_random(&options, suite) : run_file(&options, suite);
}
