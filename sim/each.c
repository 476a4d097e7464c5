#include "sim/each.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/value.h"

/* The figures of all runs of one expectation. */
struct figures {
	const struct hw_sim_expect *expect;
	double *values; /* of each run, in the order of seeds; then sorted */
	uint64_t met;
	double worst;
	uint64_t worst_seed;
};

/* How far a value is beyond its bound; below 0: within. */
static double badness(const struct hw_sim_expect *expect, double value)
{
	double above = expect->has_max ? value - expect->max : -HUGE_VAL;
	double below = expect->has_min ? expect->min - value : -HUGE_VAL;

	if (expect->has_near)
		return fabs(value - expect->near);
	return fmax(above, below);
}

static void take(struct figures *figures, const struct hw_sim_each *each,
		 const struct hw_sim_result *result, uint64_t run)
{
	char text[200];
	double value = hw_sim_expect_value(each->scenario, figures->expect, result);

	figures->values[run] = value;
	figures->met += hw_sim_expect_met(each->scenario, figures->expect, result, text, sizeof(text));
	if (run == 0 || badness(figures->expect, value) > badness(figures->expect, figures->worst)) {
		figures->worst = value;
		figures->worst_seed = each->seed + run;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const struct figures *figures, uint64_t runs, double q)
{
	uint64_t i = (uint64_t)(q * (double)runs);

	return figures->values[i < runs ? i : runs - 1];
}

/* The 90th percentile on the side where the bound is. */
static double near_worst(const struct figures *figures, uint64_t runs)
{
	return quantile(figures, runs, figures->expect->has_max ? 0.9 : 0.1);
}

static void print_bound(const struct hw_sim_expect *expect, FILE *out)
{
	if (expect->has_near)
		fprintf(out, "to be near %.10g", expect->near);
	else if (expect->has_min && expect->has_max && expect->min == expect->max)
		fprintf(out, "to be %.10g", expect->min);
	else if (expect->has_min && expect->has_max)
		fprintf(out, "to be from %.10g to %.10g", expect->min, expect->max);
	else
		fprintf(out, "to be at %s %.10g", expect->has_min ? "least" : "most",
			expect->has_min ? expect->min : expect->max);
}

static void print_text(const struct figures *figures, uint64_t runs, bool quiet, FILE *out)
{
	const struct hw_sim_expect *expect = figures->expect;

	if (quiet && figures->met == runs)
		return;
	fprintf(out, "%s.%s%s: met in %" PRIu64 " of %" PRIu64 "; median %.6g, 90 %% %.6g, worst %.6g (seed %" PRIu64 "), ",
		expect->of, expect->value, expect->back ? " (back)" : "", figures->met, runs,
		quantile(figures, runs, 0.5), near_worst(figures, runs), figures->worst,
		figures->worst_seed);
	print_bound(expect, out);
	fputc('\n', out);
}

static json_t *figures_json(const struct figures *figures, uint64_t runs)
{
	const struct hw_sim_expect *expect = figures->expect;
	char name[140];

	snprintf(name, sizeof(name), "%s.%s%s", expect->of, expect->value,
		 expect->back ? " (back)" : "");
	return json_pack("{s:s,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:I}", "value", name, "met",
			 (json_int_t)figures->met, "runs", (json_int_t)runs, "lowest",
			 figures->values[0], "median", quantile(figures, runs, 0.5), "p90",
			 near_worst(figures, runs), "highest", figures->values[runs - 1], "worst",
			 figures->worst, "worst_seed", (json_int_t)figures->worst_seed);
}

static int print_json(const struct hw_sim_each *each, const struct figures *figures,
		      const struct hw_sim_result *result, FILE *out)
{
	json_t *root = json_object(), *list = json_array();
	int r;

	for (uint32_t i = 0; i < each->scenario->expect_count && !result->failed; i++)
		json_array_append_new(list, figures_json(&figures[i], each->runs));
	json_object_set_new(root, "scenario", json_string(each->scenario->name));
	json_object_set_new(root, "file", json_string(each->scenario->file));
	json_object_set_new(root, "seed", json_integer((json_int_t)each->seed));
	json_object_set_new(root, "runs", json_integer((json_int_t)each->runs));
	json_object_set_new(root, "violation",
			    result->failed ? json_string(result->failure) : json_null());
	json_object_set_new(root, "expect", list);
	r = json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
	json_decref(root);
	return r == 0 ? 0 : HW_E_NOMEM;
}

static int run_all(const struct hw_sim_each *each, struct figures *figures,
		   struct hw_sim_result *result)
{
	int r = 0;

	for (uint64_t run = 0; run < each->runs && r == 0 && !result->failed; run++) {
		hw_sim_result_fini(result);
		*result = (struct hw_sim_result){ 0 };
		r = hw_sim_run(each->scenario, each->suite, each->seed + run, result);
		for (uint32_t i = 0; i < each->scenario->expect_count && r == 0; i++)
			take(&figures[i], each, result, run);
	}
	return r;
}

int hw_sim_each_run(const struct hw_sim_each *each, bool json, bool quiet, FILE *out,
		    struct hw_sim_result *result, bool *ret_met)
{
	uint32_t count = each->scenario->expect_count;
	struct figures figures[HW_SIM_MAX_EXPECTS] = { 0 };
	double *values = calloc((size_t)count * each->runs + 1, sizeof(*values));
	bool met = true;
	int r = HW_E_NOMEM;

	if (values == NULL)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		figures[i].expect = &each->scenario->expects[i];
		figures[i].values = values + (size_t)i * each->runs;
	}
	r = run_all(each, figures, result);
	if (r < 0)
		goto out;
	for (uint32_t i = 0; i < count && !result->failed; i++) {
		qsort(figures[i].values, each->runs, sizeof(double), compare);
		met = met && figures[i].met == each->runs;
		if (!json)
			print_text(&figures[i], each->runs, quiet, out);
	}
	if (json)
		r = print_json(each, figures, result, out);
	*ret_met = met;
out:
	free(values);
	return r;
}
