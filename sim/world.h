/* Everything of one run: for the parts that build it, change it and judge it. */
#ifndef HW_SIM_WORLD_H
#define HW_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/attack.h"
#include "sim/run.h"
#include "sim/scenario.h"
#include "sim/spell.h"
#include "sim/traffic.h"

struct hw_sim_seals;
struct hw_sim_world;

/* An event of the scenario, and where it stands: a flapping link's fires many times. */
struct hw_sim_act {
	struct hw_sim_event event; /* first */
	struct hw_sim_world *world;
	const struct hw_sim_action_config *config;
	hw_time start; /* drawn from the event's spread */
	uint64_t turn; /* how often it has fired */
};

struct hw_sim_world {
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
	struct hw_sim_act acts[HW_SIM_MAX_EVENTS];
	struct hw_sim_attack *attacks[HW_SIM_MAX_ATTACKS];
	uint32_t attack_count;
	struct hw_sim_spells *spells[HW_SIM_MAX_JOINTS];
	uint32_t spells_count;
};

/* act.c: set the scenario's events; what they do is theirs alone. */
void hw_sim_world_acts(struct hw_sim_world *world, uint64_t seed);

/* collect.c: add what came of the run to the result. HW_E_NOMEM. */
HW_MUST_USE int hw_sim_world_collect(struct hw_sim_world *world, struct hw_sim_result *result);

#endif
