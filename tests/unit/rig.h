/*
 * Two real cores joined by the simulator's link models, in virtual time, with the truth kept beside:
 * what every link carried by when. For tests of what the core measures. Traffic is a plain flow from
 * each node; the clocks of the nodes are an offset and a drift apart.
 */
#ifndef HW_TESTS_UNIT_RIG_H
#define HW_TESTS_UNIT_RIG_H

#include "base/rng.h"
#include "core/core.h"
#include "sim/link.h"

#define RIG_LINKS 4u
#define RIG_HISTORY 400000u /* ms */

struct rig;

struct rig_way {
	struct rig *rig;
	struct hw_linkmodel *model;
	uint32_t link;
	int to; /* node */
	/* By the millisecond since the start: */
	uint64_t *passed;  /* bytes of IP packets that crossed the medium */
	uint64_t *packets; /* and packets */
	uint64_t *offered, *arrived; /* packets that the path numbers */
	uint64_t offered_now, arrived_now;
};

struct rig_flow {
	uint32_t bytes; /* of each inner packet; 0: none */
	double gap_s;
	double next_s;
};

struct rig {
	hw_time now; /* since the start */
	uint64_t history;
	uint32_t links;
	struct rig_way way[2][RIG_LINKS]; /* [0]: from node 0 to 1 */
	struct hw_core *core[2];
	struct hw_pool *pool[2];
	struct hw_core_config config[2];
	struct hw_peer_config peer[2];
	hw_time offset[2];
	double drift_ppm; /* of node 1's clock */
	struct rig_flow flow[2];
	uint64_t delivered[2];
	struct hw_rng rng;
};

/* Both nodes up, the links with these parameters there and back; strategy `redundant`. */
void rig_init(struct rig *rig, uint64_t seed, uint32_t links,
	      struct hw_link_params params[][2]);
void rig_fini(struct rig *rig);

/* From now on: inner packets of `bytes`, so many bits a second of them. */
void rig_send(struct rig *rig, int from, uint32_t bytes, double bps);
void rig_run(struct rig *rig, hw_time until);

void rig_snapshot(struct rig *rig, int node, struct hw_peer_snapshot *ret_snapshot);

/* The path over that link, of a snapshot. */
const struct hw_path_snapshot *rig_path(const struct hw_peer_snapshot *snapshot, uint32_t link);

/* The node's clock, now. */
hw_time rig_clock(const struct rig *rig, int node);

#endif
