/* The events of a scenario: what befalls links and nodes while the run goes on. */
#include "sim/world.h"

static void change_wire(struct hw_sim_world *world, const struct hw_sim_action_config *config)
{
	for (uint8_t way = 0; way < 2; way++) {
		struct hw_link_params params = hw_sim_way_params(&config->way[way]);

		if (hw_sim_net_change(&world->net, config->link, way, &params) < 0)
			hw_sim_fail(&world->engine,
				    "an event gives a link parameters that make no sense");
	}
}

/* From here on every traffic waits for its first delivery, and the link, where it is there again, for
 * the first data across it. */
static void mark(struct hw_sim_world *world, uint32_t link, bool there, hw_time now)
{
	for (uint32_t i = 0; i < world->traffic_count; i++) {
		hw_sim_flow_mark(&world->traffic[i].flow[0], now);
		hw_sim_flow_mark(&world->traffic[i].flow[1], now);
	}
	if (link < world->net.wire_count)
		hw_sim_net_mark(&world->net, link, there);
}

static void set_link(struct hw_sim_world *world, const struct hw_sim_action_config *config,
		     enum hw_sim_flap_how how, bool there)
{
	struct hw_sim_node *client = &world->nodes[HW_SIM_CLIENT];

	switch (how) {
	case HW_SIM_FLAP_SILENT:
		hw_sim_net_cut(&world->net, config->link, !there);
		break;
	case HW_SIM_FLAP_INTERFACE:
		hw_sim_node_link(client, config->link, there);
		break;
	case HW_SIM_FLAP_PLUG:
		hw_sim_node_plug(client, config->link, there);
		break;
	}
}

/* Down at the event's time, up again after its share of a period, and so on until its end: then up.
 */
static void flap(struct hw_sim_act *act, hw_time now)
{
	const struct hw_sim_action_config *config = act->config;
	bool there = act->turn % 2 == 1;
	hw_time period = config->period, round = act->turn / 2;
	hw_time down = (hw_time)((1 - config->up) * (double)period);
	hw_time until = hw_time_min(config->until, act->world->scenario->duration);

	set_link(act->world, config, config->how, there);
	mark(act->world, config->link, there, now);
	act->turn++;
	if (!there)
		hw_sim_at(&act->world->engine, &act->event, act->start + round * period + down);
	else if (act->start + (round + 1) * period + down <= until)
		hw_sim_at(&act->world->engine, &act->event, act->start + (round + 1) * period);
}

static void change_link(struct hw_sim_act *act, hw_time now)
{
	const struct hw_sim_action_config *config = act->config;
	struct hw_sim_world *world = act->world;
	struct hw_sim_node *client = &world->nodes[HW_SIM_CLIENT];
	bool there = true;

	switch (config->action) {
	case HW_SIM_DO_CUT:
	case HW_SIM_DO_RESTORE:
	case HW_SIM_DO_CHANGE:
		change_wire(world, config);
		there = config->action != HW_SIM_DO_CUT;
		break;
	case HW_SIM_DO_INTERFACE_DOWN:
	case HW_SIM_DO_INTERFACE_UP:
		there = config->action == HW_SIM_DO_INTERFACE_UP;
		set_link(world, config, HW_SIM_FLAP_INTERFACE, there);
		break;
	case HW_SIM_DO_UNPLUG:
	case HW_SIM_DO_PLUG:
		there = config->action == HW_SIM_DO_PLUG;
		set_link(world, config, HW_SIM_FLAP_PLUG, there);
		break;
	case HW_SIM_DO_REBIND:
		hw_sim_net_rebind(&world->net, config->link);
		break;
	case HW_SIM_DO_ROAM:
		hw_sim_net_roam(&world->net, config->link);
		break;
	case HW_SIM_DO_READDRESS:
		hw_sim_net_readdress(&world->net, config->link);
		hw_sim_node_readdressed(client, config->link);
		break;
	case HW_SIM_DO_USE:
		hw_sim_node_use(client, config->link, config->use);
		break;
	case HW_SIM_DO_MTU:
		world->net.wires[config->link].mtu_bytes[HW_SIM_CLIENT] = config->mtu_bytes;
		hw_sim_node_mtu(client, config->link, config->mtu_bytes);
		break;
	default:
		break;
	}
	mark(world, config->link, there, now);
}

static void change_node(const struct hw_sim_action_config *config, struct hw_sim_node *node)
{
	switch (config->action) {
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
	default:
		break;
	}
}

static void act_fire(struct hw_sim_event *event, hw_time now)
{
	struct hw_sim_act *act = (struct hw_sim_act *)event;
	const struct hw_sim_action_config *config = act->config;

	if (config->action == HW_SIM_DO_FLAP) {
		flap(act, now);
	} else if (config->action < HW_SIM_DO_STOP) {
		change_link(act, now);
	} else {
		change_node(config, &act->world->nodes[config->node]);
		mark(act->world, HW_SIM_NO_WIRE, false, now);
	}
}

void hw_sim_world_acts(struct hw_sim_world *world, uint64_t seed)
{
	const struct hw_sim_scenario *scenario = world->scenario;

	for (uint32_t i = 0; i < scenario->event_count; i++) {
		const struct hw_sim_action_config *config = &scenario->events[i];
		struct hw_sim_act *act = &world->acts[i];
		struct hw_rng rng;

		*act = (struct hw_sim_act){ .world = world, .config = config, .start = config->at };
		if (config->spread > 0) {
			hw_rng_init(&rng, hw_sim_seed(seed, "event", i));
			act->start += hw_rng_below(&rng, config->spread);
		}
		hw_sim_event_init(&act->event, act_fire);
		hw_sim_at(&world->engine, &act->event, act->start);
	}
}
