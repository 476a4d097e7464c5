#include "sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/report.h"
#include "sim/read.h"
#include "sim/units.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void hw_sim_scenario_init(struct hw_sim_scenario *scenario)
{
	struct hw_core_config core;

	hw_core_config_init(&core);
	memset(scenario, 0, sizeof(*scenario));
	scenario->duration = HW_S(60);
	scenario->drain = HW_S(5);
	scenario->seed = 1;
	scenario->tunnel_mtu = 1500;
	scenario->mss_clamp = core.mss_clamp;
	scenario->replay_packets = core.replay_packets;
	scenario->replay_time = core.replay_time;
	scenario->rekey_after = core.rekey_after;
	scenario->reject_after = core.reject_after;
	scenario->rekey_packets = core.rekey_packets;
}

void hw_sim_scenario_free(struct hw_sim_scenario *scenario)
{
	if (scenario == NULL)
		return;
	hw_trace_store_fini(&scenario->recordings);
	free(scenario);
}

/* ---- traces: read once, from the folder of the scenario ---- */

static bool trace_path(struct hw_sim_reading *reading, const struct hw_yaml_node *at,
		       const char *file, char ret_path[HW_SIM_PATH_BYTES])
{
	const char *slash = strrchr(reading->scenario->file, '/');
	int folder =
		slash != NULL && file[0] != '/' ? (int)(slash - reading->scenario->file) + 1 : 0;
	int n = snprintf(ret_path, HW_SIM_PATH_BYTES, "%.*s%s", folder, reading->scenario->file,
			 file);

	if (n < (int)HW_SIM_PATH_BYTES)
		return true;
	hw_schema_error(reading->r, at, "the name of the file is too long");
	return false;
}

static void say_trace(struct hw_sim_reading *reading, const struct hw_yaml_node *at,
		      const char *path, int error, size_t line, const char *what)
{
	if (error == HW_E_MALFORMED)
		hw_schema_error(reading->r, at, "%s, line %zu: not a %s", path, line, what);
	else if (error == HW_E_LIMIT)
		hw_schema_error(reading->r, at, "%s: too large, or more than %u files of this kind",
				path, HW_TRACE_STORE_MAX);
	else
		hw_schema_error(reading->r, at, "cannot read %s", path);
}

const struct hw_capacity_trace *hw_sim_find_capacity(struct hw_sim_reading *reading,
						     const struct hw_yaml_node *at,
						     const char *file)
{
	struct hw_trace_store *store = &reading->scenario->recordings;
	const struct hw_capacity_trace *trace = NULL;
	char path[HW_SIM_PATH_BYTES];
	size_t line = 0;

	if (!trace_path(reading, at, file, path))
		return NULL;

	int r = hw_trace_store_capacity(store, path, &trace, &line);

	if (r < 0)
		say_trace(reading, at, path, r, line, "capacity trace");
	return trace;
}

const struct hw_loss_trace *hw_sim_find_trace(struct hw_sim_reading *reading,
					      const struct hw_yaml_node *at, const char *file)
{
	struct hw_trace_store *store = &reading->scenario->recordings;
	const struct hw_loss_trace *trace = NULL;
	char path[HW_SIM_PATH_BYTES];
	size_t line = 0;

	if (!trace_path(reading, at, file, path))
		return NULL;

	int r = hw_trace_store_loss(store, path, &trace, &line);

	if (r < 0)
		say_trace(reading, at, path, r, line, "trace of pings");
	return trace;
}

/* ---- the file as a whole ---- */

struct raw_scenario {
	struct hw_sim_scenario *scenario;
	const struct hw_yaml_node *tunnel, *session, *mode, *links, *traffic, *events, *attacks,
		*joints, *expects;
	const struct hw_yaml_node *client, *hub;
	hw_time duration, drain;
	uint64_t seed;
	char name[HW_CORE_NAME_BYTES];
};

#define AT(field) offsetof(struct raw_scenario, field)
static const struct hw_schema_key top_keys[] = {
	{ "name", hw_sim_read_label, AT(name), "a name" },
	{ "duration", hw_sim_read_time, AT(duration), "a time such as 60s", .min = HW_NS_PER_MS },
	{ "drain", hw_sim_read_time, AT(drain), "a time such as 5s" },
	{ "seed", hw_schema_u64, AT(seed), "a whole number", .max = UINT64_MAX },
	{ "tunnel", hw_sim_read_node, AT(tunnel), "" },
	{ "session", hw_sim_read_node, AT(session), "" },
	{ "mode", hw_sim_read_node, AT(mode), "" },
	{ "links", hw_sim_read_node, AT(links), "a list of links", .required = true },
	{ "traffic", hw_sim_read_node, AT(traffic), "" },
	{ "events", hw_sim_read_node, AT(events), "" },
	{ "attacks", hw_sim_read_node, AT(attacks), "" },
	{ "joint", hw_sim_read_node, AT(joints), "" },
	{ "client", hw_sim_read_node, AT(client), "" },
	{ "hub", hw_sim_read_node, AT(hub), "" },
	{ "expect", hw_sim_read_node, AT(expects), "" },
};
#undef AT
static const struct hw_schema top_schema = { top_keys, COUNT(top_keys) };

static const char *const tunnel_types[] = { "tun", "tap", NULL };
static const char *const compressions[] = { "off", "lz4", NULL };
static const char *const hub_addrs[] = { "one", "each", NULL };

#define AT(field) offsetof(struct hw_sim_scenario, field)
static const struct hw_schema_key tunnel_keys[] = {
	{ "type", hw_schema_flag, AT(layer2), "tun or tap", .words = tunnel_types },
	{ "mtu", hw_schema_u32, AT(tunnel_mtu), "a whole number from 576 to 1900", .min = 576,
	  .max = 1900 },
	{ "compression", hw_schema_flag, AT(compression), "off or lz4", .words = compressions },
	{ "mss-clamp", hw_schema_bool, AT(mss_clamp), "on or off" },
	{ "hub-address", hw_schema_flag, AT(own_hub_addrs), "one, or one for each link: each",
	  .words = hub_addrs },
};
static const struct hw_schema tunnel_schema = { tunnel_keys, COUNT(tunnel_keys) };

static const struct hw_schema_key session_keys[] = {
	{ "replay-packets", hw_schema_u32, AT(replay_packets), "a number of packets", .min = 64,
	  .max = 524288 },
	{ "replay-time", hw_sim_read_time, AT(replay_time), "a time such as 10s" },
	{ "rekey", hw_sim_read_time, AT(rekey_after), "a time such as 120s", .min = HW_NS_PER_MS },
	{ "reject", hw_sim_read_time, AT(reject_after), "a time such as 180s",
	  .min = HW_NS_PER_MS },
	{ "rekey-packets", hw_schema_u64, AT(rekey_packets), "a number of packets", .min = 1,
	  .max = UINT64_MAX },
};
#undef AT
static const struct hw_schema session_schema = { session_keys, COUNT(session_keys) };

static const struct hw_schema_key node_keys[] = {
	{ "send-failure", hw_sim_read_probability,
	  offsetof(struct hw_sim_node_faults, send_failure), "a share such as 1%" },
	{ "clock", hw_sim_read_span, offsetof(struct hw_sim_node_faults, wall_offset_ns),
	  "how wrong the clock is, such as -10y" },
};
static const struct hw_schema node_schema = { node_keys, COUNT(node_keys) };

static void read_section(struct hw_sim_reading *reading, const struct hw_schema *schema,
			 const struct hw_yaml_node *node, void *base)
{
	if (node == NULL)
		return;

	size_t mark = hw_schema_enter(reading->r, "%s", node->key->text);

	if (hw_sim_is_map(reading, node, "a mapping"))
		hw_schema_read_map(reading->r, schema, node, base);
	hw_schema_leave(reading->r, mark);
}

static void read_mode(struct hw_sim_reading *reading, const struct hw_yaml_node *node)
{
	const char *text = node->type == HW_YAML_SCALAR ? node->text : "";

	for (uint32_t i = 0; hw_strategy_at(i) != NULL; i++) {
		if (strcmp(hw_strategy_at(i)->name, text) == 0) {
			reading->scenario->strategy = i;
			return;
		}
	}
	char list[120] = "";

	for (uint32_t i = 0; hw_strategy_at(i) != NULL; i++) {
		size_t at = strlen(list);

		snprintf(list + at, sizeof(list) - at, "%s%s", at > 0 ? ", " : "",
			 hw_strategy_at(i)->name);
	}
	hw_schema_error(reading->r, node, "mode: '%.32s' is not right: expected one of %s", text,
			list);
}

/* Lists come after what they name, wherever they stand in the file. */
static void read_lists(struct hw_sim_reading *reading, const struct raw_scenario *raw)
{
	if (raw->links != NULL)
		hw_sim_read_links(reading, raw->links);
	if (raw->traffic != NULL)
		hw_sim_read_traffic(reading, raw->traffic);
	if (raw->events != NULL)
		hw_sim_read_events(reading, raw->events);
	if (raw->attacks != NULL)
		hw_sim_read_attacks(reading, raw->attacks);
	if (raw->joints != NULL)
		hw_sim_read_joints(reading, raw->joints);
	if (raw->expects != NULL)
		hw_sim_read_expects(reading, raw->expects);
}

static void check_names(struct hw_sim_reading *reading, const struct hw_yaml_node *root)
{
	const struct hw_sim_scenario *scenario = reading->scenario;
	const char *names[HW_SIM_MAX_WIRES + HW_SIM_MAX_TRAFFIC + 4] = { "client", "hub", "run",
									 "tunnel" };
	size_t count = 4;

	for (uint32_t i = 0; i < scenario->link_count; i++)
		names[count++] = scenario->links[i].name;
	for (uint32_t i = 0; i < scenario->traffic_count; i++)
		names[count++] = scenario->traffic[i].name;
	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(names[i], names[j]) == 0)
				hw_schema_error(reading->r, root, "the name '%.32s' is used twice",
						names[i]);
		}
	}
	if (scenario->link_count == 0)
		hw_schema_error(reading->r, root, "links: there must be at least one");
}

static void read_scenario(struct hw_sim_reading *reading, const struct hw_yaml_node *root)
{
	struct hw_sim_scenario *scenario = reading->scenario;
	struct raw_scenario raw = { .duration = scenario->duration,
				    .drain = scenario->drain,
				    .seed = scenario->seed };

	if (!hw_sim_is_map(reading, root, "a mapping with links and traffic"))
		return;
	hw_schema_read_map(reading->r, &top_schema, root, &raw);
	memcpy(scenario->name, raw.name, sizeof(scenario->name));
	scenario->duration = raw.duration;
	scenario->drain = raw.drain;
	scenario->seed = raw.seed;
	read_section(reading, &tunnel_schema, raw.tunnel, scenario);
	read_section(reading, &session_schema, raw.session, scenario);
	read_section(reading, &node_schema, raw.client, &scenario->nodes[HW_SIM_CLIENT]);
	read_section(reading, &node_schema, raw.hub, &scenario->nodes[HW_SIM_HUB]);
	if (raw.mode != NULL)
		read_mode(reading, raw.mode);
	read_lists(reading, &raw);
	check_names(reading, root);
}

int hw_sim_scenario_parse(const char *text, size_t len, const char *name,
			  struct hw_config_report *report, struct hw_sim_scenario **ret_scenario)
{
	struct hw_schema_reader reader = { .report = report };
	struct hw_sim_scenario *scenario = malloc(sizeof(*scenario));
	struct hw_sim_reading *reading = calloc(1, sizeof(*reading));
	struct hw_yaml_node *root = NULL;
	int r = HW_E_NOMEM;

	hw_config_report_init(report, name);
	if (scenario != NULL)
		hw_sim_scenario_init(scenario);
	if (scenario == NULL || reading == NULL)
		goto out;
	hw_config_copy(scenario->file, sizeof(scenario->file), name);
	reading->r = &reader;
	reading->scenario = scenario;
	r = hw_yaml_parse(text, len, report, &root);
	if (r < 0)
		goto out;
	read_scenario(reading, root);
	if (report->error_count > 0)
		r = HW_E_MALFORMED;
out:
	hw_yaml_free(root);
	free(reading);
	if (r < 0) {
		hw_sim_scenario_free(scenario);
		return r;
	}
	*ret_scenario = scenario;
	return 0;
}

int hw_sim_scenario_load(const char *path, struct hw_config_report *report,
			 struct hw_sim_scenario **ret_scenario)
{
	char *text;
	size_t len;
	int r = hw_trace_read_file(path, &text, &len);

	if (r < 0) {
		hw_config_report_init(report, path);
		hw_config_error(report, 0, 0, "cannot read the file: %s", hw_strerror(r));
		return r;
	}
	r = hw_sim_scenario_parse(text, len, path, report, ret_scenario);
	free(text);
	return r;
}
