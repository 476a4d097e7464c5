#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/read.h"
#include "sim/units.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool hw_sim_is_map(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		   const char *what)
{
	if (node->type != HW_YAML_MAP)
		hw_schema_error(reading->r, node, "expected %s", what);
	return node->type == HW_YAML_MAP;
}

bool hw_sim_is_list(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		    const char *what)
{
	if (node->type != HW_YAML_LIST)
		hw_schema_error(reading->r, node, "expected %s", what);
	return node->type == HW_YAML_LIST;
}

uint32_t hw_sim_find_link(struct hw_sim_reading *reading, const struct hw_yaml_node *at,
			  const char *name)
{
	for (uint32_t i = 0; i < reading->scenario->link_count; i++) {
		if (strcmp(reading->scenario->links[i].name, name) == 0)
			return i;
	}
	hw_schema_error(reading->r, at, "there is no link '%.32s'", name);
	return UINT32_MAX;
}

static const char *const sides[] = { "client", "hub", NULL };

/* ---- traffic ---- */

struct raw_traffic {
	struct hw_sim_traffic_config config;
	char name[HW_CORE_NAME_BYTES], over[HW_CORE_NAME_BYTES];
	hw_time duration, rate_interval;
	uint64_t rate_bps, fps, dscp;
	uint64_t bytes;
};

static const char *const traffic_kinds[] = { "constant", "voice", "video", "ping", "tcp", NULL };

#define AT(field) offsetof(struct raw_traffic, field)
static const struct hw_schema_key traffic_keys[] = {
	{ "name", hw_sim_read_label, AT(name), "a name such as call", .required = true },
	{ "kind", hw_schema_word, AT(config.kind), "constant, voice, video, ping or tcp",
	  .words = traffic_kinds, .required = true },
	{ "from", hw_schema_word, AT(config.from), "client or hub", .words = sides },
	{ "over", hw_sim_read_label, AT(over), "tunnel, or the name of a link" },
	{ "start", hw_sim_read_time, AT(config.start), "a time such as 1s" },
	{ "stop", hw_sim_read_time, AT(config.stop), "a time such as 60s" },
	{ "count", hw_schema_u64, AT(config.count), "a number of packets",
	  .max = UINT64_C(1) << 40 },
	{ "interval", hw_sim_read_time, AT(config.interval), "a time of at least 1us, such as 20ms",
	  .min = HW_NS_PER_US },
	{ "random", hw_schema_bool, AT(config.random), "on or off" },
	{ "on", hw_sim_read_time, AT(config.on), "a time such as 5s", .min = HW_NS_PER_MS },
	{ "off", hw_sim_read_time, AT(config.off), "a time such as 30s" },
	{ "size", hw_sim_read_bytes, AT(bytes), "bytes of an IP packet, 60 to 1900" },
	{ "rate", hw_sim_read_rate, AT(rate_bps), "a rate such as 4Mbit/s" },
	{ "fps", hw_schema_u64, AT(fps), "frames a second, 1 to 240", .min = 1, .max = 240 },
	{ "key-ratio", hw_sim_read_number, AT(config.key_ratio), "a number such as 6" },
	{ "key-every", hw_schema_u32, AT(config.key_every), "a number of frames such as 60",
	  .min = 1, .max = 100000 },
	{ "deadline", hw_sim_read_time, AT(config.deadline), "a time such as 150ms" },
	{ "dscp", hw_schema_u64, AT(dscp), "a number from 0 to 63", .max = 63 },
};
#undef AT
static const struct hw_schema traffic_schema = { traffic_keys, COUNT(traffic_keys) };

/* The defaults depend on the kind, which may come anywhere in the mapping: look ahead. */
static void default_traffic(const struct hw_yaml_node *item, struct hw_sim_traffic_config *config)
{
	hw_sim_traffic_config_init(config, HW_SIM_CONSTANT);
	for (const struct hw_yaml_node *value = item->first; value != NULL; value = value->next) {
		for (int i = 0; value->type == HW_YAML_SCALAR && traffic_kinds[i] != NULL; i++) {
			if (strcmp(value->key->text, "kind") == 0 &&
			    strcmp(value->text, traffic_kinds[i]) == 0)
				hw_sim_traffic_config_init(config, (enum hw_sim_traffic_kind)i);
		}
	}
}

static void finish_traffic(struct hw_sim_reading *reading, const struct hw_yaml_node *item,
			   struct raw_traffic *raw)
{
	struct hw_sim_traffic_config *config = &raw->config;

	memcpy(config->name, raw->name, sizeof(config->name));
	if (strlen(raw->name) >= sizeof(config->name))
		hw_schema_error(reading->r, item, "a name of traffic has at most 31 characters");
	config->name[sizeof(config->name) - 1] = '\0';
	if (raw->bytes < HW_SIM_FLOW_MIN_BYTES || raw->bytes > 1900)
		hw_schema_error(reading->r, item, "size must be from 60 to 1900");
	else
		config->bytes = (uint32_t)raw->bytes;
	if ((config->on > 0) != (config->off > 0))
		hw_schema_error(reading->r, item, "on and off belong together");
	if (raw->fps > 0)
		config->interval = HW_NS_PER_S / raw->fps;
	if (raw->rate_bps > 0 && config->kind == HW_SIM_VIDEO)
		config->bitrate_bps = raw->rate_bps;
	else if (raw->rate_bps > 0)
		config->interval = hw_time_max(HW_NS_PER_US, (uint64_t)config->bytes * 8 *
								     HW_NS_PER_S / raw->rate_bps);
	if (config->key_ratio < 1 && config->kind == HW_SIM_VIDEO)
		hw_schema_error(reading->r, item, "key-ratio must be at least 1");
	if (config->kind == HW_SIM_VIDEO && config->deadline == HW_TIME_NEVER)
		config->deadline = HW_MS(200);
	config->tos = (uint8_t)(raw->dscp << 2);
	if (raw->over[0] != '\0' && strcmp(raw->over, "tunnel") != 0)
		config->wire = hw_sim_find_link(reading, item, raw->over);
}

void hw_sim_read_traffic(struct hw_sim_reading *reading, const struct hw_yaml_node *list)
{
	struct hw_sim_scenario *scenario = reading->scenario;

	if (!hw_sim_is_list(reading, list, "a list of traffic"))
		return;
	for (const struct hw_yaml_node *item = list->first; item != NULL; item = item->next) {
		size_t mark = hw_schema_enter(reading->r, "traffic[%u]", scenario->traffic_count);

		if (scenario->traffic_count == HW_SIM_MAX_TRAFFIC) {
			hw_schema_error(reading->r, item, "more than %u traffics",
					HW_SIM_MAX_TRAFFIC);
		} else if (hw_sim_is_map(reading, item, "a mapping with name and kind")) {
			struct raw_traffic raw = { .name = "" };

			default_traffic(item, &raw.config);
			raw.bytes = raw.config.bytes;
			hw_schema_read_map(reading->r, &traffic_schema, item, &raw);
			finish_traffic(reading, item, &raw);
			scenario->traffic[scenario->traffic_count++] = raw.config;
		}
		hw_schema_leave(reading->r, mark);
	}
}

/* ---- events ---- */

struct raw_event {
	struct hw_sim_action_config config;
	char link[HW_CORE_NAME_BYTES];
	unsigned node; /* 0: none; else 1 + side */
	double hz;
	const struct hw_yaml_node *both, *up, *down;
};

static const char *const actions[] = {
	"cut",  "restore", "change",    "interface-down", "interface-up", "unplug",  "plug",
	"rebind", "roam",  "readdress", "use",            "mtu",          "flap",    "stop",
	"start",  "restart", "goodbye", "clock",          NULL
};
static const char *const event_uses[] = { "always", "backup", "never", NULL };
static const char *const flap_hows[] = { "silent", "interface", "plug", NULL };
static const char *const event_nodes[] = { "", "client", "hub", NULL };

#define AT(field) offsetof(struct raw_event, field)
static const struct hw_schema_key event_keys[] = {
	{ "at", hw_sim_read_time, AT(config.at), "a time such as 10s", .required = true },
	{ "spread", hw_sim_read_time, AT(config.spread), "a time such as 1s" },
	{ "do", hw_schema_word, AT(config.action),
	  "cut, restore, change, interface-down, interface-up, unplug, plug, rebind, roam, "
	  "readdress, use, mtu or flap (with link); stop, start, restart, goodbye or clock (with node)",
	  .words = actions, .required = true },
	{ "link", hw_sim_read_label, AT(link), "the name of a link" },
	{ "node", hw_schema_word, AT(node), "client or hub", .words = event_nodes },
	{ "by", hw_sim_read_span, AT(config.by_ns), "a time such as -10y or 1h" },
	{ "told", hw_schema_bool, AT(config.told), "on or off" },
	{ "hz", hw_sim_read_number, AT(hz), "a number such as 5" },
	{ "until", hw_sim_read_time, AT(config.until), "a time such as 60s" },
	{ "share", hw_sim_read_probability, AT(config.up),
	  "the share of the time that it is up, such as 50%" },
	{ "use", hw_schema_word, AT(config.use), "always, backup or never", .words = event_uses },
	{ "mtu", hw_schema_u32, AT(config.mtu_bytes), "a whole number from 576 to 1900",
	  .min = 576, .max = 1900 },
	{ "how", hw_schema_word, AT(config.how), "silent, interface or plug", .words = flap_hows },
	{ "both", hw_sim_read_node, AT(both), "" },
	{ "up", hw_sim_read_node, AT(up), "" },
	{ "down", hw_sim_read_node, AT(down), "" },
};
#undef AT
static const struct hw_schema event_schema = { event_keys, COUNT(event_keys) };

/* The link's parameters as they are after this event. */
static void change_link(struct hw_sim_reading *reading, struct raw_event *raw)
{
	struct hw_sim_way_config *now = reading->now[raw->config.link];

	for (int way = 0; way < 2; way++) {
		const struct hw_yaml_node *own = way == HW_SIM_UP ? raw->up : raw->down;

		if (raw->both != NULL)
			hw_sim_read_way(reading, raw->both, &now[way]);
		if (own != NULL)
			hw_sim_read_way(reading, own, &now[way]);
		now[way].params.down = raw->config.action == HW_SIM_DO_CUT;
		raw->config.way[way] = now[way];
	}
}

static void finish_event(struct hw_sim_reading *reading, const struct hw_yaml_node *item,
			 struct raw_event *raw)
{
	struct hw_sim_scenario *scenario = reading->scenario;
	bool of_link = raw->config.action < HW_SIM_DO_STOP;

	if (of_link != (raw->link[0] != '\0') || of_link == (raw->node != 0)) {
		hw_schema_error(reading->r, item, "'%s' needs %s", actions[raw->config.action],
				of_link ? "link, and no node" : "node, and no link");
		return;
	}
	if (scenario->event_count > 0 &&
	    raw->config.at < scenario->events[scenario->event_count - 1].at) {
		hw_schema_error(reading->r, item, "events must stand in the order of their times");
		return;
	}
	if (of_link) {
		raw->config.link = hw_sim_find_link(reading, item, raw->link);
		if (raw->config.link == UINT32_MAX)
			return;
		if (raw->config.action <= HW_SIM_DO_CHANGE)
			change_link(reading, raw);
		if (raw->config.action == HW_SIM_DO_FLAP && !(raw->hz > 0 && raw->hz <= 1000)) {
			hw_schema_error(reading->r, item,
					"'flap' needs hz, above 0 and up to 1000");
			return;
		}
		if (raw->config.action == HW_SIM_DO_MTU && raw->config.mtu_bytes == 0) {
			hw_schema_error(reading->r, item, "'mtu' needs mtu");
			return;
		}
		if (raw->config.action == HW_SIM_DO_FLAP)
			raw->config.period = (hw_time)(1e9 / raw->hz);
	} else {
		raw->config.node = raw->node == 1 ? HW_SIM_CLIENT : HW_SIM_HUB;
	}
	scenario->events[scenario->event_count++] = raw->config;
}

void hw_sim_read_events(struct hw_sim_reading *reading, const struct hw_yaml_node *list)
{
	unsigned index = 0;

	if (!hw_sim_is_list(reading, list, "a list of events"))
		return;
	for (const struct hw_yaml_node *item = list->first; item != NULL; item = item->next) {
		size_t mark = hw_schema_enter(reading->r, "events[%u]", index++);

		if (index > HW_SIM_MAX_EVENTS) {
			hw_schema_error(reading->r, item, "more than %u events", HW_SIM_MAX_EVENTS);
		} else if (hw_sim_is_map(reading, item, "a mapping with at and do")) {
			struct raw_event raw = { .config = { .told = true,
							     .until = HW_TIME_NEVER,
							     .up = 0.5,
							     .action = HW_SIM_ACTIONS } };

			hw_schema_read_map(reading->r, &event_schema, item, &raw);
			if (raw.config.action != HW_SIM_ACTIONS)
				finish_event(reading, item, &raw);
		}
		hw_schema_leave(reading->r, mark);
	}
}

/* ---- attacks ---- */

static const char *const attack_kinds[] = {
	"random", "header", "replay", "flip", "cut", "mix", "relay", NULL
};

#define AT(field) offsetof(struct hw_sim_attack_config, field)
static const struct hw_schema_key attack_keys[] = {
	{ "kind", hw_schema_word, AT(kind), "random, header, replay, flip, cut, mix or relay",
	  .words = attack_kinds, .required = true },
	{ "target", hw_schema_word, AT(target), "client or hub", .words = sides },
	{ "start", hw_sim_read_time, AT(start), "a time such as 1s" },
	{ "stop", hw_sim_read_time, AT(stop), "a time such as 60s" },
	{ "interval", hw_sim_read_time, AT(interval), "a time of at least 1us, such as 100us",
	  .min = HW_NS_PER_US },
	{ "count", hw_schema_u64, AT(count), "a number of datagrams", .max = UINT64_C(1) << 40 },
	{ "sources", hw_schema_u32, AT(sources), "a number of addresses, 1 to 1000000", .min = 1,
	  .max = 1000000 },
	{ "spoof", hw_schema_bool, AT(spoof), "on or off" },
	{ "delay", hw_sim_read_time, AT(delay), "a time such as 5ms" },
	{ "share", hw_sim_read_probability, AT(share), "a share such as 10%" },
	{ "two-way", hw_schema_bool, AT(two_way), "on or off" },
};
#undef AT
static const struct hw_schema attack_schema = { attack_keys, COUNT(attack_keys) };

void hw_sim_read_attacks(struct hw_sim_reading *reading, const struct hw_yaml_node *list)
{
	struct hw_sim_scenario *scenario = reading->scenario;

	if (!hw_sim_is_list(reading, list, "a list of attacks"))
		return;
	for (const struct hw_yaml_node *item = list->first; item != NULL; item = item->next) {
		size_t mark = hw_schema_enter(reading->r, "attacks[%u]", scenario->attack_count);

		if (scenario->attack_count == HW_SIM_MAX_ATTACKS) {
			hw_schema_error(reading->r, item, "more than %u attacks",
					HW_SIM_MAX_ATTACKS);
		} else if (hw_sim_is_map(reading, item, "a mapping with kind")) {
			struct hw_sim_attack_config *attack =
				&scenario->attacks[scenario->attack_count++];

			*attack = (struct hw_sim_attack_config){ .target = HW_SIM_HUB,
								 .start = HW_S(2),
								 .stop = HW_TIME_NEVER,
								 .interval = HW_MS(1),
								 .share = 1,
								 .sources = 1 };
			hw_schema_read_map(reading->r, &attack_schema, item, attack);
		}
		hw_schema_leave(reading->r, mark);
	}
}

/* ---- spells that links share ---- */

struct raw_joint {
	struct hw_sim_joint_config config;
	const struct hw_yaml_node *links;
	unsigned ways; /* both, up, down */
};

static const char *const joint_ways[] = { "both", "up", "down", NULL };

#define AT(field) offsetof(struct raw_joint, field)
static const struct hw_schema_key joint_keys[] = {
	{ "links", hw_sim_read_node, AT(links), "a list of names", .required = true },
	{ "bad", hw_sim_read_probability, AT(config.bad),
	  "the share of the time that each is bad, such as 10%", .required = true },
	{ "lift", hw_sim_read_number, AT(config.lift),
	  "how many times as often two are bad together as by chance, such as 3.6" },
	{ "mean", hw_sim_read_time, AT(config.mean), "the mean length of a spell, such as 400ms" },
	{ "loss", hw_sim_read_probability, AT(config.loss), "the share lost in a spell" },
	{ "delay", hw_sim_read_time, AT(config.delay), "a time such as 100ms, in a spell" },
	{ "way", hw_schema_word, AT(ways), "both, up or down", .words = joint_ways },
};
#undef AT
static const struct hw_schema joint_schema = { joint_keys, COUNT(joint_keys) };

static void finish_joint(struct hw_sim_reading *reading, const struct hw_yaml_node *item,
			 struct raw_joint *raw)
{
	struct hw_sim_scenario *scenario = reading->scenario;

	if (raw->links == NULL ||
	    !hw_sim_is_list(reading, raw->links, "a list such as [one, two]"))
		return;
	for (const struct hw_yaml_node *name = raw->links->first; name != NULL; name = name->next) {
		uint32_t link = name->type == HW_YAML_SCALAR
					? hw_sim_find_link(reading, name, name->text)
					: UINT32_MAX;

		if (link != UINT32_MAX)
			raw->config.links |= UINT32_C(1) << link;
	}
	raw->config.ways[HW_SIM_UP] = raw->ways != 2;
	raw->config.ways[HW_SIM_DOWN] = raw->ways != 1;
	if (hw_sim_joint_check(&raw->config) < 0) {
		hw_schema_error(reading->r, item,
				"such spells cannot be: lift is from 1 to 1 / bad, bad below 100%%");
		return;
	}
	scenario->joints[scenario->joint_count++] = raw->config;
}

void hw_sim_read_joints(struct hw_sim_reading *reading, const struct hw_yaml_node *list)
{
	unsigned index = 0;

	if (!hw_sim_is_list(reading, list, "a list of spells that links share"))
		return;
	for (const struct hw_yaml_node *item = list->first; item != NULL; item = item->next) {
		size_t mark = hw_schema_enter(reading->r, "joint[%u]", index++);

		if (index > HW_SIM_MAX_JOINTS) {
			hw_schema_error(reading->r, item, "more than %u groups", HW_SIM_MAX_JOINTS);
		} else if (hw_sim_is_map(reading, item, "a mapping with links and bad")) {
			struct raw_joint raw = {
				.config = { .lift = 1, .mean = HW_MS(400), .loss = 1 }
			};

			hw_schema_read_map(reading->r, &joint_schema, item, &raw);
			finish_joint(reading, item, &raw);
		}
		hw_schema_leave(reading->r, mark);
	}
}

/* ---- expectations ---- */

struct raw_expect {
	struct hw_sim_expect expect;
	double exactly;
};

static const char *const ways[] = { "there", "back", NULL };

#define AT(field) offsetof(struct raw_expect, field)
static const struct hw_schema_key expect_keys[] = {
	{ "of", hw_sim_read_label, AT(expect.of),
	  "the name of a traffic or link, or client, hub or run", .required = true },
	{ "value", hw_sim_read_label, AT(expect.value), "the name of a value", .required = true },
	{ "way", hw_schema_flag, AT(expect.back), "there or back", .words = ways },
	{ "min", hw_sim_read_number, AT(expect.min), "a number" },
	{ "max", hw_sim_read_number, AT(expect.max), "a number" },
	{ "is", hw_sim_read_number, AT(exactly), "a number" },
	{ "near", hw_sim_read_probability, AT(expect.near), "a probability such as 9.75%" },
};
#undef AT
static const struct hw_schema expect_schema = { expect_keys, COUNT(expect_keys) };

static bool is_listed(const char *const *words, const char *word)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, word) == 0)
			return true;
	}
	return false;
}

static bool is_drop(const char *word)
{
	for (int i = 0; i < HW_DROP_COUNT; i++) {
		if (strcmp(hw_drop_name((enum hw_drop)i), word) == 0)
			return true;
	}
	return false;
}

/* Is the value one that such a thing has? */
static void check_expect(struct hw_sim_reading *reading, const struct hw_yaml_node *item,
			 const struct hw_sim_expect *expect)
{
	const struct hw_sim_scenario *scenario = reading->scenario;
	const char *const *values = NULL;

	for (uint32_t i = 0; i < scenario->traffic_count; i++) {
		if (strcmp(scenario->traffic[i].name, expect->of) == 0)
			values = hw_sim_traffic_values;
	}
	for (uint32_t i = 0; i < scenario->link_count; i++) {
		if (strcmp(scenario->links[i].name, expect->of) == 0)
			values = hw_sim_link_values;
	}
	if (is_listed(sides, expect->of))
		values = hw_sim_node_values;
	if (strcmp(expect->of, "run") == 0)
		values = hw_sim_run_values;
	if (values == NULL) {
		hw_schema_error(reading->r, item, "there is no traffic or link '%.32s'",
				expect->of);
	} else if (!is_listed(values, expect->value) &&
		   !(values == hw_sim_node_values && is_drop(expect->value))) {
		char list[220] = "";

		for (; *values != NULL; values++) {
			size_t at = strlen(list);

			snprintf(list + at, sizeof(list) - at, "%s%s", at > 0 ? ", " : "", *values);
		}
		hw_schema_error(reading->r, item, "'%.32s' has no value '%.32s': it has %s",
				expect->of, expect->value, list);
	}
}

void hw_sim_read_expects(struct hw_sim_reading *reading, const struct hw_yaml_node *list)
{
	struct hw_sim_scenario *scenario = reading->scenario;

	if (!hw_sim_is_list(reading, list, "a list of expectations"))
		return;
	for (const struct hw_yaml_node *item = list->first; item != NULL; item = item->next) {
		struct raw_expect raw = {
			.expect = { .min = (double)NAN, .max = (double)NAN, .near = (double)NAN },
			.exactly = (double)NAN
		};
		size_t mark = hw_schema_enter(reading->r, "expect[%u]", scenario->expect_count);

		if (scenario->expect_count == HW_SIM_MAX_EXPECTS) {
			hw_schema_error(reading->r, item, "more than %u expectations",
					HW_SIM_MAX_EXPECTS);
		} else if (hw_sim_is_map(reading, item, "a mapping with of, value and a bound")) {
			struct hw_sim_expect *expect = &raw.expect;

			hw_schema_read_map(reading->r, &expect_schema, item, &raw);
			if (!isnan(raw.exactly))
				expect->min = expect->max = raw.exactly;
			expect->has_min = !isnan(expect->min);
			expect->has_max = !isnan(expect->max);
			expect->has_near = !isnan(expect->near);
			expect->line = item->line;
			expect->column = item->column;
			if (!expect->has_min && !expect->has_max && !expect->has_near)
				hw_schema_error(reading->r, item, "expected min, max, is or near");
			check_expect(reading, item, expect);
			scenario->expects[scenario->expect_count++] = *expect;
		}
		hw_schema_leave(reading->r, mark);
	}
}
