#include <math.h>
#include <string.h>

#include "sim/read.h"
#include "sim/units.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What the keys of one way fill, before it is checked as a whole and laid over the link's. */
struct raw_way {
	struct hw_link_params params;
	uint64_t queue_bytes, mtu_bytes;
	const struct hw_yaml_node *bursts, *outages, *capacity, *trace;
};

static const char *const jitter_kinds[] = { "uniform", "normal", NULL };

#define AT(field) offsetof(struct raw_way, field)
static const struct hw_schema_key way_keys[] = {
	{ "rate", hw_sim_read_rate, AT(params.rate_bps), "a rate such as 100Mbit/s, or unlimited" },
	{ "queue", hw_sim_read_bytes, AT(queue_bytes), "bytes, such as 64kB" },
	{ "delay", hw_sim_read_time, AT(params.delay_ns), "a time such as 10ms" },
	{ "jitter", hw_sim_read_time, AT(params.jitter_ns), "a time such as 2ms" },
	{ "jitter-kind", hw_schema_word, AT(params.jitter), "uniform or normal",
	  .words = jitter_kinds },
	{ "reorder", hw_schema_bool, AT(params.reorder), "on or off" },
	{ "loss", hw_sim_read_probability, AT(params.loss), "a share such as 5%" },
	{ "bursts", hw_sim_read_node, AT(bursts), "a mapping such as {loss: 2%, mean: 20}" },
	{ "duplicate", hw_sim_read_probability, AT(params.duplicate), "a share such as 1%" },
	{ "corrupt", hw_sim_read_probability, AT(params.corrupt), "a share such as 0.1%" },
	{ "mtu-hole", hw_sim_read_bytes, AT(mtu_bytes),
	  "bytes of the largest IP packet that passes" },
	{ "outages", hw_sim_read_node, AT(outages), "a list such as [{from: 2s, to: 2.5s}]" },
	{ "outage-period", hw_sim_read_time, AT(params.outage_period_ns), "a time such as 15s" },
	{ "capacity", hw_sim_read_node, AT(capacity),
	  "a mapping such as {file: lte.up, offset: 10s}" },
	{ "trace", hw_sim_read_node, AT(trace),
	  "a mapping such as {file: pings.csv, column: verizon}" },
};
#undef AT
static const struct hw_schema way_schema = { way_keys, COUNT(way_keys) };

struct raw_bursts {
	double loss, mean;
	struct hw_link_bursts bursts;
};

#define AT(field) offsetof(struct raw_bursts, field)
static const struct hw_schema_key burst_keys[] = {
	{ "loss", hw_sim_read_probability, AT(loss), "the share lost in all, such as 2%" },
	{ "mean", hw_sim_read_number, AT(mean), "the mean length of a burst, such as 20" },
	{ "step", hw_sim_read_time, AT(bursts.step_ns),
	  "a time such as 1ms; left out: each packet" },
	{ "p", hw_sim_read_probability, AT(bursts.p), "a probability, good to bad" },
	{ "r", hw_sim_read_probability, AT(bursts.r), "a probability, bad to good" },
	{ "loss-good", hw_sim_read_probability, AT(bursts.loss_good), "a share such as 0%" },
	{ "loss-bad", hw_sim_read_probability, AT(bursts.loss_bad), "a share such as 100%" },
};
#undef AT
static const struct hw_schema burst_schema = { burst_keys, COUNT(burst_keys) };

static void read_bursts(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
			struct hw_sim_way_config *way)
{
	struct raw_bursts raw = { .loss = -1,
				  .mean = -1,
				  .bursts = { .p = -1, .r = -1, .loss_bad = 1 } };

	if (!hw_sim_is_map(reading, node, "a mapping such as {loss: 2%, mean: 20}"))
		return;
	hw_schema_read_map(reading->r, &burst_schema, node, &raw);

	bool by_mean = raw.loss >= 0 && raw.mean >= 0,
	     by_chain = raw.bursts.p >= 0 && raw.bursts.r >= 0;

	if (by_mean == by_chain || (by_mean && (raw.bursts.p >= 0 || raw.bursts.r >= 0))) {
		hw_schema_error(reading->r, node, "expected either loss and mean, or p and r");
		return;
	}
	if (by_mean) {
		hw_time step = raw.bursts.step_ns;

		if (raw.loss >= 1 || raw.mean < fmax(1, raw.loss / (1 - raw.loss))) {
			hw_schema_error(reading->r, node,
					"bursts of %g cannot lose %g %%: they must be longer",
					raw.mean, raw.loss * 100);
			return;
		}
		raw.bursts = hw_link_bursts_of(raw.loss, raw.mean);
		raw.bursts.step_ns = step;
	}
	way->params.bursts = raw.bursts;
}

static const struct hw_schema_key outage_keys[] = {
	{ "from", hw_sim_read_time, offsetof(struct hw_link_outage, from), "a time such as 2s",
	  .required = true },
	{ "to", hw_sim_read_time, offsetof(struct hw_link_outage, to), "a time such as 2.5s",
	  .required = true },
};
static const struct hw_schema outage_schema = { outage_keys, COUNT(outage_keys) };

static void read_outages(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
			 struct hw_sim_way_config *way)
{
	if (!hw_sim_is_list(reading, node, "a list such as [{from: 2s, to: 2.5s}]"))
		return;
	way->params.outage_count = 0;
	for (const struct hw_yaml_node *item = node->first; item != NULL; item = item->next) {
		struct hw_link_outage *outage = &way->outages[way->params.outage_count];

		if (way->params.outage_count == HW_SIM_MAX_OUTAGES) {
			hw_schema_error(reading->r, item, "more than %u outages",
					HW_SIM_MAX_OUTAGES);
			return;
		}
		if (!hw_sim_is_map(reading, item, "a mapping such as {from: 2s, to: 2.5s}"))
			return;
		*outage = (struct hw_link_outage){ 0 };
		hw_schema_read_map(reading->r, &outage_schema, item, outage);
		if (outage->to < outage->from)
			hw_schema_error(reading->r, item, "an outage that ends before it begins");
		way->params.outage_count++;
	}
}

struct raw_trace {
	char file[HW_SIM_PATH_BYTES];
	char column[HW_CORE_NAME_BYTES];
	hw_time offset_ns;
	double loss;
};

#define AT(field) offsetof(struct raw_trace, field)
static const struct hw_schema_key capacity_keys[] = {
	{ "file", hw_sim_read_text, AT(file), "a file name", .required = true },
	{ "offset", hw_sim_read_time, AT(offset_ns), "a time such as 10s" },
};
static const struct hw_schema capacity_schema = { capacity_keys, COUNT(capacity_keys) };

static const struct hw_schema_key trace_keys[] = {
	{ "file", hw_sim_read_text, AT(file), "a file name", .required = true },
	{ "column", hw_sim_read_label, AT(column), "the name of a column", .required = true },
	{ "offset", hw_sim_read_time, AT(offset_ns), "a time such as 10s" },
	{ "loss", hw_sim_read_probability, AT(loss),
	  "the share lost in a lost slot, such as 100%" },
};
#undef AT
static const struct hw_schema trace_schema = { trace_keys, COUNT(trace_keys) };

static void read_capacity(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
			  struct hw_sim_way_config *way)
{
	struct raw_trace raw = { .file = "" };

	if (!hw_sim_is_map(reading, node, "a mapping such as {file: lte.up, offset: 10s}"))
		return;
	hw_schema_read_map(reading->r, &capacity_schema, node, &raw);
	if (raw.file[0] == '\0')
		return;
	way->capacity = hw_sim_find_capacity(reading, node, raw.file);
	way->params.capacity_offset_ns = raw.offset_ns;
}

static void read_trace(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		       struct hw_sim_way_config *way)
{
	struct raw_trace raw = { .loss = 1 };

	if (!hw_sim_is_map(reading, node, "a mapping such as {file: pings.csv, column: verizon}"))
		return;
	hw_schema_read_map(reading->r, &trace_schema, node, &raw);
	if (raw.file[0] == '\0' || raw.column[0] == '\0')
		return;
	way->trace = hw_sim_find_trace(reading, node, raw.file);
	way->params.trace_offset_ns = raw.offset_ns;
	way->params.trace_loss = raw.loss;
	if (way->trace != NULL &&
	    hw_loss_trace_column(way->trace, raw.column, &way->params.trace_column) < 0)
		hw_schema_error(reading->r, node, "%s has no column '%.32s'", raw.file, raw.column);
}

void hw_sim_read_way(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		     struct hw_sim_way_config *way)
{
	struct raw_way raw = {
		.params = way->params,
		.queue_bytes = way->params.queue_bytes,
		.mtu_bytes = way->params.mtu_bytes,
	};

	if (!hw_sim_is_map(reading, node,
			   "a mapping such as {rate: 10Mbit/s, delay: 20ms, loss: 1%}"))
		return;
	hw_schema_read_map(reading->r, &way_schema, node, &raw);
	way->params = raw.params;
	way->params.queue_bytes = raw.queue_bytes;
	way->params.mtu_bytes = raw.mtu_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)raw.mtu_bytes;
	if (raw.bursts != NULL)
		read_bursts(reading, raw.bursts, way);
	if (raw.outages != NULL)
		read_outages(reading, raw.outages, way);
	if (raw.capacity != NULL)
		read_capacity(reading, raw.capacity, way);
	if (raw.trace != NULL)
		read_trace(reading, raw.trace, way);
}

struct hw_link_params hw_sim_way_params(const struct hw_sim_way_config *config)
{
	struct hw_link_params params = config->params;

	params.outages = config->outages;
	params.capacity = config->capacity;
	params.trace = config->trace;
	return params;
}

/* ---- the list of links ---- */

struct raw_link {
	struct hw_sim_link_config link;
	const struct hw_yaml_node *both, *up, *down;
};

static const char *const uses[] = { "always", "backup", "never", NULL };

#define AT(field) offsetof(struct raw_link, field)
static const struct hw_schema_key link_keys[] = {
	{ "name", hw_sim_read_label, AT(link.name), "a name such as lte", .required = true },
	{ "use", hw_schema_word, AT(link.use), "always, backup or never", .words = uses },
	{ "price", hw_schema_u32, AT(link.price), "a whole number such as 2", .max = 1000000 },
	{ "mtu", hw_schema_u32, AT(link.mtu_bytes), "a whole number from 576 to 1900, such as 1420",
	  .min = 576, .max = 1900 },
	{ "ipv6", hw_schema_bool, AT(link.ipv6), "on or off" },
	{ "absent", hw_schema_bool, AT(link.absent), "on or off" },
	{ "both", hw_sim_read_node, AT(both), "" },
	{ "up", hw_sim_read_node, AT(up), "" },
	{ "down", hw_sim_read_node, AT(down), "" },
};
#undef AT
static const struct hw_schema link_schema = { link_keys, COUNT(link_keys) };

static void read_named_way(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
			   struct hw_sim_way_config *way)
{
	if (node == NULL)
		return;

	size_t mark = hw_schema_enter(reading->r, ".%s", node->key->text);

	hw_sim_read_way(reading, node, way);
	hw_schema_leave(reading->r, mark);
}

void hw_sim_read_links(struct hw_sim_reading *reading, const struct hw_yaml_node *list)
{
	struct hw_sim_scenario *scenario = reading->scenario;

	if (!hw_sim_is_list(reading, list, "a list of links"))
		return;
	for (const struct hw_yaml_node *item = list->first; item != NULL; item = item->next) {
		struct raw_link raw = { .link = { .mtu_bytes = 1500, .price = 1 } };
		size_t mark = hw_schema_enter(reading->r, "links[%u]", scenario->link_count);

		if (scenario->link_count == HW_SIM_MAX_WIRES) {
			hw_schema_error(reading->r, item, "more than %u links", HW_SIM_MAX_WIRES);
		} else if (hw_sim_is_map(reading, item, "a mapping with name, both, up, down")) {
			hw_schema_read_map(reading->r, &link_schema, item, &raw);
			read_named_way(reading, raw.both, &raw.link.way[HW_SIM_UP]);
			raw.link.way[HW_SIM_DOWN] = raw.link.way[HW_SIM_UP];
			read_named_way(reading, raw.up, &raw.link.way[HW_SIM_UP]);
			read_named_way(reading, raw.down, &raw.link.way[HW_SIM_DOWN]);
			memcpy(reading->now[scenario->link_count], raw.link.way,
			       sizeof(raw.link.way));
			scenario->links[scenario->link_count++] = raw.link;
		}
		hw_schema_leave(reading->r, mark);
	}
}
