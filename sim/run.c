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
#include "sim/world.h"

#define POOL_BUFFERS 8192u
#define WALL_START_NS (UINT64_C(1767225600) * HW_NS_PER_S) /* 2026-01-01 */

/* ---- what arrives ---- */

static void inner_arrived(void *ctx, enum hw_sim_side side, const uint8_t *data, uint32_t len)
{
	struct hw_sim_world *world = ctx;
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
	struct hw_sim_world *world = ctx;
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
	struct hw_sim_world *world = ctx;

	if (!hw_sim_node_datagram(&world->nodes[to], tuple, data, len, tos))
		return;
	/* Overheard once it has been received: a replay is then a replay. */
	for (uint32_t i = 0; i < world->attack_count; i++) {
		if (world->attacks[i]->config->target == to)
			hw_sim_attack_overhear(world->attacks[i], data, len);
	}
}

static void datagram_sent(void *ctx, enum hw_sim_side from, uint32_t wire, const uint8_t *data,
			  uint32_t len)
{
	struct hw_sim_world *world = ctx;

	for (uint32_t i = 0; i < world->attack_count; i++) {
		if (world->attacks[i]->config->target != from)
			hw_sim_attack_passing(world->attacks[i], wire, data, len);
	}
}

static void went_astray(void *ctx, enum hw_sim_side from, const struct hw_addr *to,
			const uint8_t *data, uint32_t len)
{
	struct hw_sim_world *world = ctx;

	if (!hw_sim_attack_owns(to))
		return; /* an address that the client has left */
	for (uint32_t i = 0; i < world->attack_count; i++) {
		if (hw_sim_attack_answered(world->attacks[i], from, to, data, len))
			return;
	}
	hw_sim_fail(&world->engine, "%u bytes went to an attacker who had not just sent something",
		    len);
}

static void send_inner(void *ctx, const struct hw_sim_flow *flow, const uint8_t *data, uint32_t len)
{
	struct hw_sim_world *world = ctx;

	if (flow->bare)
		(void)hw_sim_net_send_bare(&world->net, flow->from, flow->wire, data, len);
	else
		hw_sim_node_packet(&world->nodes[flow->from], data, len);
}

/* ---- building the world ---- */

static int make_wires(struct hw_sim_world *world, uint64_t seed)
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

static void configure_client_links(const struct hw_sim_world *world, struct hw_sim_node_config *config)
{
	const struct hw_sim_scenario *scenario = world->scenario;

	config->core.link_count = scenario->link_count;
	for (uint32_t i = 0; i < scenario->link_count; i++) {
		const struct hw_sim_link_config *link = &scenario->links[i];

		config->core.links[i].use = link->use;
		config->core.links[i].price = link->price;
		config->core.links[i].metered = link->price > 1;
		memcpy(config->core.links[i].name, link->name, sizeof(link->name));
		config->link_mtu_bytes[i] = link->mtu_bytes;
		config->link_down[i] = link->absent;
		config->endpoints[i] = world->net.wires[i].hub_addr;
	}
}

/* The hub's one link takes what all of the client's take; its links of its own, what theirs do. */
static void configure_hub_links(const struct hw_sim_world *world, struct hw_sim_node_config *config)
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
		config->core.links[at].metered = scenario->own_hub_addrs && link->price > 1;
		snprintf(config->core.links[at].name, sizeof(config->core.links[at].name), "%s",
			 scenario->own_hub_addrs ? link->name : "wan");
	}
}

static int make_nodes(struct hw_sim_world *world, const struct hw_suite *suite, uint64_t seed)
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

static int make_traffic(struct hw_sim_world *world, uint64_t seed)
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

static int make_world(struct hw_sim_world *world, const struct hw_suite *suite, uint64_t seed)
{
	const struct hw_sim_scenario *scenario = world->scenario;
	int r = make_wires(world, seed);

	if (r == 0)
		r = make_nodes(world, suite, seed);
	if (r == 0)
		r = make_traffic(world, seed);
	if (r < 0)
		return r;
	hw_sim_world_acts(world, seed);
	for (uint32_t i = 0; i < scenario->attack_count; i++) {
		r = hw_sim_attack_new(&scenario->attacks[i], world->nodes, &world->net,
				      hw_sim_seed(seed, "attack", i), &world->attacks[i]);
		if (r < 0)
			return r;
		world->attack_count++;
	}
	for (uint32_t i = 0; i < scenario->joint_count; i++) {
		r = hw_sim_spells_new(&scenario->joints[i], &world->net,
				      hw_sim_seed(seed, "joint", i), &world->spells[i]);
		if (r < 0)
			return r;
		world->spells_count++;
	}
	return 0;
}

static void free_world(struct hw_sim_world *world)
{
	for (uint32_t i = 0; i < world->spells_count; i++)
		hw_sim_spells_free(world->spells[i]);
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
	struct hw_sim_world *world = calloc(1, sizeof(*world));
	struct hw_sim_net_owner owner = { .ctx = world,
					  .datagram = datagram_arrived,
					  .bare = bare_arrived,
					  .sent = datagram_sent,
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
		r = hw_sim_world_collect(world, result);
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
