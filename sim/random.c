/* Scenarios drawn from a seed: every feature of links, traffic and events, in any mixture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario.h"

static uint64_t pick(struct hw_rng *rng, uint64_t from, uint64_t to)
{
	return from + hw_rng_below(rng, to - from + 1);
}

static bool one_in(struct hw_rng *rng, uint64_t n)
{
	return hw_rng_below(rng, n) == 0;
}

static double share(struct hw_rng *rng, double max)
{
	return hw_rng_unit(rng) * max;
}

static void draw_way(struct hw_rng *rng, hw_time duration, struct hw_sim_way_config *way)
{
	struct hw_link_params *params = &way->params;

	*way = (struct hw_sim_way_config){ 0 };
	params->delay_ns = HW_MS(one_in(rng, 12) ? 3000 : pick(rng, 0, 150));
	if (one_in(rng, 2))
		params->jitter_ns = HW_MS(pick(rng, 0, 50));
	params->jitter = one_in(rng, 2) ? HW_JITTER_NORMAL : HW_JITTER_UNIFORM;
	params->reorder = one_in(rng, 2);
	if (one_in(rng, 2)) {
		params->rate_bps = pick(rng, 200, 50000) * 1000;
		params->queue_bytes = pick(rng, 3000, 300000);
	}
	if (one_in(rng, 2))
		params->loss = share(rng, 0.3);
	if (one_in(rng, 3)) {
		params->bursts = hw_link_bursts_of(share(rng, 0.1), 1 + share(rng, 100));
		if (one_in(rng, 2))
			params->bursts.step_ns = HW_MS(pick(rng, 1, 20));
	}
	if (one_in(rng, 3))
		params->duplicate = share(rng, 0.3);
	if (one_in(rng, 3))
		params->corrupt = share(rng, 0.1);
	if (one_in(rng, 8))
		params->mtu_bytes = (uint32_t)pick(rng, 576, 1500);
	if (one_in(rng, 4)) {
		params->outage_count = 1;
		way->outages[0].from = hw_rng_below(rng, duration);
		way->outages[0].to = way->outages[0].from + hw_rng_below(rng, HW_S(2));
	}
}

static void draw_links(struct hw_rng *rng, struct hw_sim_scenario *scenario)
{
	scenario->link_count = (uint32_t)pick(rng, 1, 4);
	for (uint32_t i = 0; i < scenario->link_count; i++) {
		struct hw_sim_link_config *link = &scenario->links[i];

		snprintf(link->name, sizeof(link->name), "link%u", i + 1);
		link->use = i > 0 && one_in(rng, 4) ? HW_USE_BACKUP : HW_USE_ALWAYS;
		link->price = (uint32_t)pick(rng, 1, 5);
		link->mtu_bytes = one_in(rng, 2) ? 1500 : (uint32_t)pick(rng, 1280, 1500);
		link->ipv6 = one_in(rng, 4);
		link->absent = i > 0 && one_in(rng, 8);
		draw_way(rng, scenario->duration, &link->way[HW_SIM_UP]);
		draw_way(rng, scenario->duration, &link->way[HW_SIM_DOWN]);
	}
}

static void draw_traffic(struct hw_rng *rng, struct hw_sim_scenario *scenario)
{
	scenario->traffic_count = (uint32_t)pick(rng, 1, 4);
	for (uint32_t i = 0; i < scenario->traffic_count; i++) {
		struct hw_sim_traffic_config *traffic = &scenario->traffic[i];

		hw_sim_traffic_config_init(
			traffic, (enum hw_sim_traffic_kind)pick(rng, HW_SIM_CONSTANT, HW_SIM_TCP));
		snprintf(traffic->name, sizeof(traffic->name), "traffic%u", i + 1);
		traffic->from = one_in(rng, 2) ? HW_SIM_CLIENT : HW_SIM_HUB;
		traffic->start = hw_rng_below(rng, HW_S(2));
		if (traffic->kind == HW_SIM_CONSTANT || traffic->kind == HW_SIM_PING) {
			traffic->interval = HW_MS(pick(rng, 1, 50));
			traffic->random = one_in(rng, 2);
			traffic->bytes = (uint32_t)pick(rng, 60, scenario->tunnel_mtu);
		}
		if (one_in(rng, 4)) {
			traffic->on = HW_MS(pick(rng, 1, 2000));
			traffic->off = HW_MS(pick(rng, 1, 4000));
		}
		if (one_in(rng, 6))
			traffic->wire = (uint32_t)hw_rng_below(rng, scenario->link_count);
	}
}

static int compare_times(const void *a, const void *b)
{
	hw_time x = *(const hw_time *)a, y = *(const hw_time *)b;

	return (x > y) - (x < y);
}

static void draw_flap(struct hw_rng *rng, struct hw_sim_scenario *scenario,
		      struct hw_sim_action_config *event)
{
	event->period = HW_MS(pick(rng, 20, 2000));
	event->up = share(rng, 1);
	event->until = event->at + hw_rng_below(rng, scenario->duration);
	event->how = (enum hw_sim_flap_how)hw_rng_below(rng, HW_SIM_FLAP_PLUG + 1);
}

static void draw_event(struct hw_rng *rng, struct hw_sim_scenario *scenario, hw_time at)
{
	struct hw_sim_action_config *event = &scenario->events[scenario->event_count++];

	*event = (struct hw_sim_action_config){
		.at = at,
		.action = (enum hw_sim_action)hw_rng_below(rng, HW_SIM_ACTIONS),
		.link = (uint32_t)hw_rng_below(rng, scenario->link_count),
		.node = one_in(rng, 2) ? HW_SIM_CLIENT : HW_SIM_HUB,
		.told = one_in(rng, 2),
	};
	/* A year either way: enough to be wrong, few enough to stay representable. */
	event->by_ns = (int64_t)pick(rng, 0, UINT64_C(63115200) * HW_NS_PER_S) -
		       (int64_t)(UINT64_C(31557600) * HW_NS_PER_S);
	for (int way = 0; way < 2; way++) {
		if (event->action == HW_SIM_DO_CHANGE)
			draw_way(rng, scenario->duration, &event->way[way]);
		else
			event->way[way] = scenario->links[event->link].way[way];
		event->way[way].params.down = event->action == HW_SIM_DO_CUT;
	}
	if (event->action == HW_SIM_DO_FLAP)
		draw_flap(rng, scenario, event);
	event->use = (enum hw_link_use)hw_rng_below(rng, HW_USE_NEVER + 1);
	event->mtu_bytes = (uint32_t)pick(rng, 1280, 1500);
}

static void draw_events(struct hw_rng *rng, struct hw_sim_scenario *scenario)
{
	hw_time at[8];
	size_t count = hw_rng_below(rng, 9);

	for (size_t i = 0; i < count; i++)
		at[i] = hw_rng_below(rng, scenario->duration);
	qsort(at, count, sizeof(at[0]), compare_times);
	for (size_t i = 0; i < count; i++)
		draw_event(rng, scenario, at[i]);
}

static void draw_joint(struct hw_rng *rng, struct hw_sim_scenario *scenario)
{
	struct hw_sim_joint_config joint = {
		.links = (uint32_t)pick(rng, 1, (UINT64_C(1) << scenario->link_count) - 1),
		.bad = 0.01 + share(rng, 0.3),
		.mean = HW_MS(pick(rng, 20, 2000)),
		.loss = share(rng, 1),
		.delay = one_in(rng, 2) ? HW_MS(pick(rng, 0, 300)) : 0,
		.ways = { one_in(rng, 2), true },
	};

	joint.lift = 1 + share(rng, 1 / joint.bad - 1);
	if (hw_sim_joint_check(&joint) == 0)
		scenario->joints[scenario->joint_count++] = joint;
}

static void draw_relay(struct hw_rng *rng, struct hw_sim_scenario *scenario)
{
	scenario->attacks[scenario->attack_count++] = (struct hw_sim_attack_config){
		.kind = HW_SIM_ATTACK_RELAY,
		.target = one_in(rng, 2) ? HW_SIM_CLIENT : HW_SIM_HUB,
		.start = hw_rng_below(rng, HW_S(3)),
		.stop = scenario->duration,
		.sources = (uint32_t)pick(rng, 1, 20),
		.delay = HW_MS(pick(rng, 0, 200)),
		.share = share(rng, 1),
		.two_way = one_in(rng, 4),
	};
}

static void draw_attack(struct hw_rng *rng, struct hw_sim_scenario *scenario)
{
	scenario->attacks[scenario->attack_count++] = (struct hw_sim_attack_config){
		.kind = HW_SIM_ATTACK_MIX,
		.target = one_in(rng, 2) ? HW_SIM_CLIENT : HW_SIM_HUB,
		.start = hw_rng_below(rng, HW_S(3)),
		.stop = scenario->duration,
		.interval = HW_MS(pick(rng, 5, 50)),
		.sources = (uint32_t)pick(rng, 1, 1000),
	};
}

int hw_sim_scenario_random(uint64_t seed, struct hw_sim_scenario **ret_scenario)
{
	struct hw_sim_scenario *scenario = malloc(sizeof(*scenario));
	struct hw_rng rng;
	uint32_t strategies = 0;

	if (scenario == NULL)
		return HW_E_NOMEM;
	hw_sim_scenario_init(scenario);
	hw_rng_init(&rng, hw_sim_seed(seed, "scenario", 0));
	while (hw_strategy_at(strategies) != NULL)
		strategies++;
	snprintf(scenario->name, sizeof(scenario->name), "random %llu", (unsigned long long)seed);
	snprintf(scenario->file, sizeof(scenario->file), "random");
	scenario->seed = seed;
	scenario->duration = HW_S(pick(&rng, 3, 15));
	scenario->drain = HW_S(4);
	scenario->strategy = (uint32_t)hw_rng_below(&rng, strategies);
	scenario->layer2 = one_in(&rng, 2);
	scenario->tunnel_mtu = one_in(&rng, 2) ? 1500 : (uint32_t)pick(&rng, 1280, 1500);
	scenario->compression = one_in(&rng, 3);
	scenario->own_hub_addrs = one_in(&rng, 2);
	if (one_in(&rng, 2)) {
		scenario->rekey_after = HW_MS(pick(&rng, 500, 5000));
		scenario->reject_after = 2 * scenario->rekey_after + HW_S(1);
	}
	if (one_in(&rng, 4))
		scenario->rekey_packets = pick(&rng, 100, 2000);
	if (one_in(&rng, 3))
		scenario->nodes[pick(&rng, 0, 1)].send_failure = share(&rng, 0.2);
	draw_links(&rng, scenario);
	draw_traffic(&rng, scenario);
	draw_events(&rng, scenario);
	if (one_in(&rng, 3))
		draw_attack(&rng, scenario);
	if (one_in(&rng, 4))
		draw_relay(&rng, scenario);
	if (one_in(&rng, 4))
		draw_joint(&rng, scenario);
	*ret_scenario = scenario;
	return 0;
}
