#include <jansson.h>
#include <string.h>

#include "sim/report.h"
#include "sim/value.h"

/* Value names have hyphens in scenario files and underscores in JSON. */
static void put(json_t *object, const char *name, json_t *value)
{
	char key[64];
	size_t i = 0;

	for (; name[i] != '\0' && i < sizeof(key) - 1; i++)
		key[i] = name[i] == '-' ? '_' : name[i];
	key[i] = '\0';
	json_object_set_new(object, key, value);
}

/* Counts stay whole numbers. */
static json_t *number(double value)
{
	if (value == (double)(json_int_t)value)
		return json_integer((json_int_t)value);
	return json_real(value);
}

static json_t *flow_json(const struct hw_sim_traffic_result *traffic, bool back)
{
	json_t *object = json_object();

	for (size_t i = 0; hw_sim_traffic_values[i] != NULL; i++) {
		struct hw_sim_share share;
		double value = hw_sim_traffic_value(traffic, back, i, &share), low, high;
		char name[64];

		put(object, hw_sim_traffic_values[i], number(value));
		if (share.trials == 0)
			continue;
		hw_interval_999(share.hits, share.trials, &low, &high);
		snprintf(name, sizeof(name), "%s-999", hw_sim_traffic_values[i]);
		put(object, name, json_pack("[f,f]", low, high));
	}
	return object;
}

static json_t *traffic_json(const struct hw_sim_report *report)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < report->result->traffic_count; i++) {
		const struct hw_sim_traffic_result *traffic = &report->result->traffic[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", json_string(report->scenario->traffic[i].name));
		json_object_set_new(object, "there", flow_json(traffic, false));
		if (traffic->flow[1].sent > 0)
			json_object_set_new(object, "back", flow_json(traffic, true));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *way_json(const struct hw_sim_report *report, const struct hw_sim_way_result *way)
{
	json_t *object = json_object(), *drops = json_object();

	for (size_t i = 0; hw_sim_link_values[i] != NULL; i++)
		put(object, hw_sim_link_values[i],
		    number(hw_sim_link_value(way, report->result->simulated, i)));
	for (int i = HW_LINK_PASSED + 1; i < HW_LINK_FATES; i++)
		put(drops, hw_link_fate_name((enum hw_link_fate)i),
		    json_integer((json_int_t)way->link.fates[i]));
	json_object_set_new(object, "drops", drops);
	return object;
}

static json_t *links_json(const struct hw_sim_report *report)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < report->result->wire_count; i++) {
		json_t *object = json_object();

		json_object_set_new(object, "name", json_string(report->scenario->links[i].name));
		json_object_set_new(object, "up",
				    way_json(report, &report->result->way[i][HW_SIM_UP]));
		json_object_set_new(object, "down",
				    way_json(report, &report->result->way[i][HW_SIM_DOWN]));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *node_json(const struct hw_sim_node_result *node)
{
	json_t *object = json_object(), *drops = json_object();

	for (size_t i = 0; hw_sim_node_values[i] != NULL; i++)
		put(object, hw_sim_node_values[i], number(hw_sim_node_value(node, i)));
	for (int i = 0; i < HW_DROP_COUNT; i++) {
		if (node->totals.drops[i] > 0)
			json_object_set_new(drops, hw_drop_name((enum hw_drop)i),
					    json_integer((json_int_t)node->totals.drops[i]));
	}
	json_object_set_new(object, "drops", drops);
	return object;
}

static json_t *expects_json(const struct hw_sim_report *report)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < report->scenario->expect_count; i++) {
		const struct hw_sim_expect *expect = &report->scenario->expects[i];
		char text[200];
		bool met = hw_sim_expect_met(report->scenario, expect, report->result, text,
					     sizeof(text));

		json_array_append_new(list, json_pack("{s:s,s:b}", "text", text, "met", met));
	}
	return list;
}

int hw_sim_report_json(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;
	json_t *root = json_object();
	int r = HW_E_NOMEM;

	json_object_set_new(root, "scenario", json_string(report->scenario->name));
	json_object_set_new(root, "file", json_string(report->scenario->file));
	json_object_set_new(root, "mode",
			    json_string(hw_strategy_at(report->scenario->strategy)->name));
	json_object_set_new(root, "suite", json_string(report->suite));
	json_object_set_new(root, "seed", json_integer((json_int_t)result->seed));
	json_object_set_new(root, "runs", json_integer((json_int_t)result->runs));
	json_object_set_new(root, "simulated_s", json_real((double)result->simulated / 1e9));
	json_object_set_new(root, "seconds", json_real(report->seconds));
	json_object_set_new(root, "violation",
			    result->failed ? json_string(result->failure) : json_null());
	for (size_t i = 0; hw_sim_run_values[i] != NULL; i++)
		put(root, hw_sim_run_values[i], number(hw_sim_run_value(result, i)));
	json_object_set_new(root, "traffic", traffic_json(report));
	json_object_set_new(root, "links", links_json(report));
	json_object_set_new(root, "client", node_json(&result->node[HW_SIM_CLIENT]));
	json_object_set_new(root, "hub", node_json(&result->node[HW_SIM_HUB]));
	json_object_set_new(root, "expect", expects_json(report));
	if (root != NULL && json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0)
		r = 0;
	fputc('\n', out);
	json_decref(root);
	return r;
}
