#include "sim/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/identity.h"
#include "sim/attack.h"
#include "sim/oracle.h"
#include "sim/suite.h"
#include "sim/traffic.h"

#define POOL_BUFFERS 8192u
#define WALL_START_NS (UINT64_C(1767225600) * HW_NS_PER_S) /* 2026-01-01 */

struct world;

struct action {
	struct hw_sim_event event; /* first */
	struct world *world;
	const struct hw_sim_action_config *config;
};

struct world {
	const struct hw_sim_scenario *scenario;
	struct hw_sim_engine engine;
	struct hw_sim_net net;
	struct hw_sim_seals *seals;
	struct hw_sim_node nodes[2];
	bool node_made[2];
	struct hw_sim_traffic_host host;
	struct hw_sim_traffic_config traffic_config[HW_SIM_MAX_TRAFFIC];
	struct hw_sim_traffic traffic[HW_SIM_MAX_TRAFFIC];
	uint32_t traffic_count;
	struct action actions[HW_SIM_MAX_EVENTS];
	struct hw_sim_attack *attacks[HW_SIM_MAX_ATTACKS];
	uint32_t attack_count;
};

/* ---- what arrives ---- */

static void inner_arrived(void *ctx, enum hw_sim_side side, const uint8_t *data, uint32_t len)
{
	struct world *world = ctx;
	struct hw_sim_engine *engine = &world->engine;
	const char *name = side == HW_SIM_CLIENT ? "client" : "hub";
	struct hw_sim_flow_header header;

	if (hw_sim_flow_parse(data, len, world->scenario->layer2, &header) < 0) {
		hw_sim_fail(engine, "%s: delivers %u bytes that nobody sent", name, len);
		return;
	}

	uint32_t index = header.flow / 2u;
	bool back = header.flow % 2 == 1;

	if (index >= world->traffic_count) {
		hw_sim_fail(engine, "%s: delivers a packet of a flow that does not exist", name);
		return;
	}

	struct hw_sim_traffic *traffic = &world->traffic[index];
	struct hw_sim_flow *flow = &traffic->flow[back];
	int r = flow->bare || flow->from == side ? HW_E_NOT_FOUND
						 : hw_sim_flow_arrived(flow, &header, engine->now);

	if (r == 0)
		hw_sim_traffic_arrived(traffic, back, &header, engine->now);
	else
		hw_sim_fail(engine, "%s: delivers packet %" PRIu64 " of %s%s: %s", name,
			    header.number, traffic->config->name, back ? " (back)" : "",
			    r == HW_E_REPLAY  ? "it has come before"
			    : r == HW_E_NOMEM ? "out of memory"
					      : "it was not sent there");
}

/* A packet beside the tunnel: nothing protects it, so that damage and copies are counted, no more.
 */
static void bare_arrived(void *ctx, enum hw_sim_side side, const uint8_t *data, uint32_t len)
{
	struct world *world = ctx;
	struct hw_sim_flow_header header;

	(void)side;
	if (hw_sim_flow_parse(data, len, false, &header) < 0)
		return; /* the links count what they damage */

	struct hw_sim_traffic *traffic = &world->traffic[header.flow / 2u];
	struct hw_sim_flow *flow = &traffic->flow[header.flow % 2];
	int r = hw_sim_flow_arrived(flow, &header, world->engine.now);

	if (r == HW_E_REPLAY)
		flow->stats.duplicates++;
	else if (r < 0)
		hw_sim_fail(&world->engine, "a packet beside the tunnel that was not sent");
	else
		hw_sim_traffic_arrived(traffic, header.flow % 2 == 1, &header, world->engine.now);
}

static void datagram_arrived(void *ctx, enum hw_sim_side to, const struct hw_tuple *tuple,
			     const uint8_t *data, uint32_t len, uint8_t tos)
{
	struct world *world = ctx;

	if (!hw_sim_node_datagram(&world->nodes[to], tuple, data, len, tos))
		return;
	/* Overheard once it has been received: a replay is then a replay. */
	for (uint32_t i = 0; i < world->attack_count; i++) {
		if (world->attacks[i]->config->target == to)
			hw_sim_attack_overhear(world->attacks[i], data, len);
	}
}

static void went_astray(void *ctx, enum hw_sim_side from, const struct hw_addr *to,
			const uint8_t *data, uint32_t len)
{
	struct world *world = ctx;

	(void)data;
	if (!hw_sim_attack_owns(to))
		return; /* an address that the client has left */
	for (uint32_t i = 0; i < world->attack_count; i++) {
		if (world->attacks[i]->config->target == from && world->attacks[i]->asking) {
			hw_sim_attack_answered(world->attacks[i], len);
			return;
		}
	}
	hw_sim_fail(&world->engine, "%u bytes went to an attacker who had not just sent something",
		    len);
}

static void send_inner(void *ctx, const struct hw_sim_flow *flow, const uint8_t *data, uint32_t len)
{
	struct world *world = ctx;

	if (flow->bare)
		(void)hw_sim_net_send_bare(&world->net, flow->from, flow->wire, data, len);
	else
		hw_sim_node_packet(&world->nodes[flow->from], data, len);
}

/* ---- events of the scenario ---- */

static void change_wire(struct world *world, const struct hw_sim_action_config *config)
{
	for (uint8_t way = 0; way < 2; way++) {
		struct hw_link_params params = hw_sim_way_params(&config->way[way]);

		if (hw_sim_net_change(&world->net, config->link, way, &params) < 0)
			hw_sim_fail(&world->engine,
				    "an event gives a link parameters that make no sense");
	}
}

static void action_fire(struct hw_sim_event *event, hw_time now)
{
	const struct action *action = (const struct action *)event;
	const struct hw_sim_action_config *config = action->config;
	struct world *world = action->world;
	struct hw_sim_node *node = &world->nodes[config->node];

	(void)now;
	switch (config->action) {
	case HW_SIM_DO_CUT:
	case HW_SIM_DO_RESTORE:
	case HW_SIM_DO_CHANGE:
		change_wire(world, config);
		break;
	case HW_SIM_DO_INTERFACE_DOWN:
	case HW_SIM_DO_INTERFACE_UP:
		hw_sim_node_link(&world->nodes[HW_SIM_CLIENT], config->link,
				 config->action == HW_SIM_DO_INTERFACE_UP);
		break;
	case HW_SIM_DO_REBIND:
		hw_sim_net_rebind(&world->net, config->link);
		break;
	case HW_SIM_DO_ROAM:
		hw_sim_net_roam(&world->net, config->link);
		break;
	case HW_SIM_DO_STOP:
	case HW_SIM_DO_GOODBYE:
		hw_sim_node_stop(node, config->action == HW_SIM_DO_GOODBYE);
		break;
	case HW_SIM_DO_START:
		hw_sim_node_start(node);
		break;
	case HW_SIM_DO_RESTART:
		hw_sim_node_stop(node, false);
		hw_sim_node_start(node);
		break;
	case HW_SIM_DO_CLOCK:
		hw_sim_node_clock(node, config->by_ns, config->told);
		break;
	case HW_SIM_ACTIONS:
		break;
	}
}

/* ---- building the world ---- */

static int make_wires(struct world *world, uint64_t seed)
{
	const struct hw_sim_scenario *scenario = world->scenario;

	for (uint32_t i = 0; i < scenario->link_count; i++) {
		const struct hw_sim_link_config *link = &scenario->links[i];
		struct hw_link_params up = hw_sim_way_params(&link->way[HW_SIM_UP]);
		struct hw_link_params down = hw_sim_way_params(&link->way[HW_SIM_DOWN]);
		struct hw_sim_wire_config config = {
			.name = link->name,
			.params = { &up, &down },
			.mtu_bytes = link->mtu_bytes,
			.ipv6 = link->ipv6,
			.own_hub_addr = scenario->own_hub_addrs,
		};
		int r = hw_sim_net_add(&world->net, &config, seed);

		if (r < 0)
			return r;
	}
	return 0;
}

static void configure_core(const struct hw_sim_scenario *scenario, const struct hw_suite *suite,
			   struct hw_core_config *config)
{
	hw_core_config_init(config);
	config->suite = suite;
	config->strategy = hw_strategy_at(scenario->strategy);
	config->layer2 = scenario->layer2;
	config->tunnel_mtu = scenario->tunnel_mtu;
	config->mss_clamp = scenario->mss_clamp;
	config->compression = scenario->compression;
	config->replay_packets = scenario->replay_packets;
	config->replay_time = scenario->replay_time;
	config->rekey_after = scenario->rekey_after;
	config->reject_after = scenario->reject_after;
	config->rekey_packets = scenario->rekey_packets;
}

static void configure_client_links(const struct world *world, struct hw_sim_node_config *config)
{
	const struct hw_sim_scenario *scenario = world->scenario;

	config->core.link_count = scenario->link_count;
	for (uint32_t i = 0; i < scenario->link_count; i++) {
		const struct hw_sim_link_config *link = &scenario->links[i];

		config->core.links[i].use = link->use;
		config->core.links[i].price = link->price;
		memcpy(config->core.links[i].name, link->name, sizeof(link->name));
		config->link_mtu_bytes[i] = link->mtu_bytes;
		config->link_down[i] = link->absent;
		config->endpoints[i] = world->net.wires[i].hub_addr;
	}
}

/* The hub's one link takes what all of the client's take; its links of its own, what theirs do. */
static void configure_hub_links(const struct world *world, struct hw_sim_node_config *config)
{
	const struct hw_sim_scenario *scenario = world->scenario;

	config->core.link_count = scenario->own_hub_addrs ? scenario->link_count : 1;
	for (uint32_t i = 0; i < scenario->link_count; i++) {
		const struct hw_sim_link_config *link = &scenario->links[i];
		uint32_t at = scenario->own_hub_addrs ? i : 0;

		if (config->link_mtu_bytes[at] == 0 || link->mtu_bytes < config->link_mtu_bytes[at])
			config->link_mtu_bytes[at] = link->mtu_bytes;
		config->core.links[at].use = scenario->own_hub_addrs ? link->use : HW_USE_ALWAYS;
		config->core.links[at].price = scenario->own_hub_addrs ? link->price : 1;
		snprintf(config->core.links[at].name, sizeof(config->core.links[at].name), "%s",
			 scenario->own_hub_addrs ? link->name : "wan");
	}
}

static int make_nodes(struct world *world, const struct hw_suite *suite, uint64_t seed)
{
	const struct hw_sim_scenario *scenario = world->scenario;
	struct hw_sim_node_owner owner = { .ctx = world, .inner = inner_arrived };
	struct hw_sim_node_config configs[2];
	struct hw_rng rng;
	int r;

	hw_rng_init(&rng, hw_sim_seed(seed, "keys", 0));
	for (int side = 0; side < 2; side++) {
		struct hw_sim_node_config *config = &configs[side];

		memset(config, 0, sizeof(*config));
		config->side = (enum hw_sim_side)side;
		config->seed = seed;
		config->pool_buffers = POOL_BUFFERS;
		config->epoch = side == HW_SIM_CLIENT ? HW_S(3600) : HW_S(432000);
		config->wall_ns = WALL_START_NS + (uint64_t)scenario->nodes[side].wall_offset_ns;
		config->send_failure = scenario->nodes[side].send_failure;
		configure_core(scenario, suite, &config->core);
		hw_rng_fill(&rng, config->core.private_key, sizeof(config->core.private_key));
	}
	hw_rng_fill(&rng, configs[0].peer.psk, sizeof(configs[0].peer.psk));
	memcpy(configs[1].peer.psk, configs[0].peer.psk, sizeof(configs[0].peer.psk));
	snprintf(configs[HW_SIM_CLIENT].peer.name, sizeof(configs[0].peer.name), "hub");
	snprintf(configs[HW_SIM_HUB].peer.name, sizeof(configs[0].peer.name), "client");
	configure_client_links(world, &configs[HW_SIM_CLIENT]);
	configure_hub_links(world, &configs[HW_SIM_HUB]);
	for (int side = 0; side < 2; side++) {
		r = hw_identity_public(configs[1 - side].core.private_key,
				       configs[side].peer.public_key);
		if (r < 0)
			return r;
	}
	for (int side = 0; side < 2; side++) {
		r = hw_sim_node_init(&world->nodes[side], &configs[side], &world->engine,
				     &world->net, world->seals, &owner);
		if (r < 0)
			return r;
		world->node_made[side] = true;
	}
	return 0;
}

static int make_traffic(struct world *world, uint64_t seed)
{
	const struct hw_sim_scenario *scenario = world->scenario;

	world->host = (struct hw_sim_traffic_host){ .ctx = world,
						    .engine = &world->engine,
						    .layer2 = scenario->layer2,
						    .send = send_inner };
	for (uint32_t i = 0; i < scenario->traffic_count; i++) {
		struct hw_sim_traffic_config *config = &world->traffic_config[i];
		int r;

		*config = scenario->traffic[i];
		config->stop = hw_time_min(config->stop, scenario->duration);
		r = hw_sim_traffic_init(&world->traffic[i], config, &world->host, (uint16_t)(2 * i),
					hw_sim_seed(seed, "traffic", i));
		world->traffic_count++;
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_world(struct world *world, const struct hw_suite *suite, uint64_t seed)
{
	const struct hw_sim_scenario *scenario = world->scenario;
	int r = make_wires(world, seed);

	if (r == 0)
		r = make_nodes(world, suite, seed);
	if (r == 0)
		r = make_traffic(world, seed);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < scenario->event_count; i++) {
		world->actions[i] =
			(struct action){ .world = world, .config = &scenario->events[i] };
		hw_sim_event_init(&world->actions[i].event, action_fire);
		hw_sim_at(&world->engine, &world->actions[i].event, scenario->events[i].at);
	}
	for (uint32_t i = 0; i < scenario->attack_count; i++) {
		r = hw_sim_attack_new(&scenario->attacks[i],
				      &world->nodes[scenario->attacks[i].target], &world->net,
				      hw_sim_seed(seed, "attack", i), &world->attacks[i]);
		if (r < 0)
			return r;
		world->attack_count++;
	}
	return 0;
}

/* ---- results ---- */

static int add_flow(struct hw_sim_flow_stats *into, const struct hw_sim_flow_stats *from)
{
	into->sent += from->sent;
	into->sent_bytes += from->sent_bytes;
	into->delivered += from->delivered;
	into->late += from->late;
	into->reordered += from->reordered;
	into->damaged += from->damaged;
	into->duplicates += from->duplicates;
	into->gap_max = hw_time_max(into->gap_max, from->gap_max);
	return hw_histogram_merge(&into->delay, &from->delay);
}

static int collect_traffic(const struct world *world, struct hw_sim_result *result)
{
	int r = 0;

	for (uint32_t i = 0; i < world->traffic_count && r == 0; i++) {
		const struct hw_sim_traffic *traffic = &world->traffic[i];
		struct hw_sim_traffic_result *into = &result->traffic[i];

		r = add_flow(&into->flow[0], &traffic->flow[0].stats);
		if (r == 0)
			r = add_flow(&into->flow[1], &traffic->flow[1].stats);
		if (r == 0)
			r = hw_histogram_merge(&into->rtt, &traffic->rtt);
		if (traffic->config->kind == HW_SIM_VIDEO) {
			into->frames += traffic->made;
			into->frames_whole += traffic->frames_whole;
		}
		into->goodput_bytes += traffic->goodput_bytes;
		if (traffic->tcp != NULL)
			into->retransmissions += hw_sim_tcp_retransmissions(traffic->tcp);
		into->active += hw_time_since(traffic->config->stop, traffic->config->start);
	}
	return r;
}

static void add_link(struct hw_link_stats *into, const struct hw_link_stats *from)
{
	into->offered_packets += from->offered_packets;
	into->offered_bytes += from->offered_bytes;
	for (int i = 0; i < HW_LINK_FATES; i++)
		into->fates[i] += from->fates[i];
	into->passed_bytes += from->passed_bytes;
	into->queued += from->queued;
	into->in_flight += from->in_flight;
	into->delivered_packets += from->delivered_packets;
	into->delivered_bytes += from->delivered_bytes;
	into->duplicated += from->duplicated;
	into->corrupted += from->corrupted;
	if (from->max_queue_bytes > into->max_queue_bytes)
		into->max_queue_bytes = from->max_queue_bytes;
}

static void collect_wires(const struct world *world, struct hw_sim_result *result)
{
	for (uint32_t i = 0; i < world->net.wire_count; i++) {
		for (int w = 0; w < 2; w++) {
			const struct hw_sim_way *way = &world->net.wires[i].way[w];
			struct hw_sim_way_result *into = &result->way[i][w];

			add_link(&into->link, hw_linkmodel_stats(way->model));
			for (int kind = 0; kind < HW_SIM_KINDS; kind++) {
				into->sent.packets[kind] += way->sent.packets[kind];
				into->sent.bytes[kind] += way->sent.bytes[kind];
			}
		}
	}
}

static void collect_node(const struct hw_sim_node *node, struct hw_sim_node_result *into)
{
	struct hw_core_totals totals;
	uint64_t used = node->config.pool_buffers - node->pool_low;

	hw_sim_node_totals(node, &totals);
	hw_sim_totals_add(&into->totals, &totals);
	for (int i = 0; i < HW_SIM_EVENT_TYPES; i++)
		into->events[i] += node->events[i];
	into->send_failures += node->send_failures;
	into->unheard += node->unheard;
	into->pool_used = into->pool_used > used ? into->pool_used : used;
	into->paths = into->paths_up = 0;
	if (node->core == NULL)
		return;

	struct hw_peer_snapshot snapshot;

	hw_core_peer_snapshot(node->core, 0, node->engine->now + node->config.epoch, &snapshot);
	into->paths = snapshot.path_count;
	for (uint32_t i = 0; i < snapshot.path_count; i++)
		into->paths_up += snapshot.paths[i].state == HW_PATH_UP;
}

static int collect(const struct world *world, struct hw_sim_result *result)
{
	result->traffic_count = world->traffic_count;
	result->wire_count = world->net.wire_count;
	result->attack_count = world->attack_count;
	collect_wires(world, result);
	for (int side = 0; side < 2; side++) {
		collect_node(&world->nodes[side], &result->node[side]);
		result->source_packets += world->nodes[side].past.tx_source_packets;
		if (world->nodes[side].core != NULL)
			result->source_packets += world->nodes[side].seen.tx_source_packets;
	}
	for (uint32_t i = 0; i < world->attack_count; i++) {
		const struct hw_sim_attack_stats *from = &world->attacks[i]->stats;
		struct hw_sim_attack_stats *into = &result->attack[i];

		into->sent += from->sent;
		into->sent_bytes += from->sent_bytes;
		into->answers += from->answers;
		into->answer_bytes += from->answer_bytes;
		into->changed += from->changed;
	}
	result->transmissions += world->net.transmissions;
	result->events += world->engine.fired;
	result->keys += hw_sim_seals_state(world->seals).keys;
	result->sealed += hw_sim_seals_state(world->seals).sealed;
	result->simulated += world->engine.now;
	return collect_traffic(world, result);
}

static void free_world(struct world *world)
{
	for (uint32_t i = 0; i < world->attack_count; i++)
		hw_sim_attack_free(world->attacks[i]);
	for (uint32_t i = 0; i < world->traffic_count; i++)
		hw_sim_traffic_fini(&world->traffic[i]);
	for (int side = 0; side < 2; side++) {
		if (world->node_made[side])
			hw_sim_node_fini(&world->nodes[side]);
	}
	hw_sim_net_fini(&world->net);
}

int hw_sim_run(const struct hw_sim_scenario *scenario, const struct hw_suite *suite, uint64_t seed,
	       struct hw_sim_result *result)
{
	struct world *world = calloc(1, sizeof(*world));
	struct hw_sim_net_owner owner = { .ctx = world,
					  .datagram = datagram_arrived,
					  .bare = bare_arrived,
					  .astray = went_astray };
	int r = HW_E_NOMEM;

	if (world == NULL)
		return r;
	world->scenario = scenario;
	hw_sim_engine_init(&world->engine);
	hw_sim_net_init(&world->net, &world->engine, &owner);
	if (hw_sim_seals_new(&world->seals) < 0)
		goto out;
	hw_sim_seals_use(world->seals);
	r = make_world(world, suite, seed);
	if (r == 0) {
		hw_sim_node_start(&world->nodes[HW_SIM_HUB]);
		hw_sim_node_start(&world->nodes[HW_SIM_CLIENT]);
		hw_sim_run_until(&world->engine, scenario->duration + scenario->drain);
		r = collect(world, result);
	}
	if (result->runs++ == 0)
		result->seed = seed;
	free_world(world); /* which may still find a buffer that never came back */
	if (world->engine.failed && !result->failed) {
		result->failed = true;
		result->failed_seed = seed;
		result->failed_at = world->engine.now;
		memcpy(result->failure, world->engine.failure, sizeof(result->failure));
	}
out:
	hw_sim_seals_free(world->seals);
	hw_sim_engine_fini(&world->engine);
	free(world);
	return r;
}

void hw_sim_result_fini(struct hw_sim_result *result)
{
	for (uint32_t i = 0; i < HW_SIM_MAX_TRAFFIC; i++) {
		hw_histogram_fini(&result->traffic[i].flow[0].delay);
		hw_histogram_fini(&result->traffic[i].flow[1].delay);
		hw_histogram_fini(&result->traffic[i].rtt);
	}
}
