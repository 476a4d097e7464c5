/* One run of a scenario, and what came of it. */
#ifndef HW_SIM_RUN_H
#define HW_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/node.h"
#include "sim/scenario.h"

struct hw_suite;

struct hw_sim_traffic_result {
	struct hw_sim_flow_stats flow[2]; /* there, and back */
	struct hw_histogram rtt;
	uint64_t frames, frames_whole;
	uint64_t goodput_bytes, retransmissions;
	hw_time active; /* how long it sent */
};

struct hw_sim_way_result {
	struct hw_link_stats link;
	struct hw_sim_sent sent;
	hw_time carry_max; /* see hw_sim_net_mark */
};

struct hw_sim_node_result {
	struct hw_core_totals totals;
	uint64_t events[HW_SIM_EVENT_TYPES];
	uint64_t send_failures, unheard;
	uint64_t paths, paths_up; /* at the end; of the last run; the same below */
	uint64_t paths_suspect, paths_down;
	/* What the node thinks at the end of the two paths that it has compared most: which way. */
	struct hw_joint_figures joint_rx, joint_tx;
	uint64_t pool_used;       /* most buffers held at once */
};

/* Of one run, or summed over several. */
struct hw_sim_result {
	uint64_t runs;
	uint64_t seed; /* of the first */
	bool failed;   /* an invariant was broken, and the runs ended */
	uint64_t failed_seed;
	hw_time failed_at;
	char failure[400];
	uint32_t traffic_count, wire_count, attack_count;
	struct hw_sim_traffic_result traffic[HW_SIM_MAX_TRAFFIC];
	struct hw_sim_way_result way[HW_SIM_MAX_WIRES][2];
	struct hw_sim_node_result node[2];
	struct hw_sim_attack_stats attack[HW_SIM_MAX_ATTACKS];
	struct hw_sim_spell_truth spells; /* of the first group of links */
	uint64_t transmissions;           /* packets offered to links, those beside the tunnel included */
	uint64_t source_packets; /* sealed by both nodes */
	uint64_t events;         /* fired by the engine */
	uint64_t keys, sealed;
	hw_time simulated;
};

/*
 * Run the scenario once and add what came of it to `result`, which starts zeroed. A violation of an
 * invariant is in result->failed. HW_E_NOMEM; HW_E_INVAL: the scenario makes no sense.
 */
HW_MUST_USE int hw_sim_run(const struct hw_sim_scenario *scenario, const struct hw_suite *suite,
			   uint64_t seed, struct hw_sim_result *result);

void hw_sim_result_fini(struct hw_sim_result *result);

#endif
