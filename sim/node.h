/*
 * A node: one core, run as the daemon runs it, and watched.
 *
 * Everything that goes in or comes out is counted here too, and after every call the core's own
 * counters must agree, conserve and not fall (oracle.h). The node's monotonic clock starts at a
 * point of its own and its wall clock can be set, as on a real host; both cost nothing to get
 * wrong.
 */
#ifndef HW_SIM_NODE_H
#define HW_SIM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "core/core.h"
#include "sim/engine.h"
#include "sim/net.h"

#define HW_SIM_EVENT_TYPES (HW_EVENT_TIMESTAMP + 1)

struct hw_sim_seals;

struct hw_sim_node_config {
	enum hw_sim_side side;
	struct hw_core_config core; /* peers point to `peer` of the node, whatever is given */
	struct hw_peer_config peer;
	uint32_t link_mtu_bytes[HW_CORE_MAX_LINKS];
	bool link_down[HW_CORE_MAX_LINKS];           /* at the start */
	bool link_gone[HW_CORE_MAX_LINKS];           /* pulled out: the core does not know it */
	struct hw_addr endpoints[HW_CORE_MAX_LINKS]; /* of the peer, one a link; none on the hub */
	hw_time epoch;       /* the monotonic clock when the simulation begins */
	uint64_t wall_ns;    /* the wall clock then */
	double send_failure; /* probability that the system refuses to send a datagram */
	uint32_t pool_buffers;
	uint64_t seed;
};

struct hw_sim_node_owner {
	void *ctx;
	/* An inner packet came out of the tunnel. */
	void (*inner)(void *ctx, enum hw_sim_side side, const uint8_t *data, uint32_t len);
};

struct hw_sim_node {
	struct hw_sim_event event; /* first: the core's deadline */
	struct hw_sim_engine *engine;
	struct hw_sim_net *net;
	const struct hw_sim_seals *seals;
	struct hw_sim_node_owner owner;
	struct hw_sim_node_config config;
	struct hw_core *core; /* NULL while the node is stopped */
	struct hw_pool *pool;
	struct hw_rng rng;       /* entropy */
	struct hw_rng fault_rng; /* failures */
	int64_t wall_offset_ns;  /* how far the wall clock has been set off */
	uint64_t floor_ns;       /* kept across restarts, as the daemon keeps it on disk */
	bool pumping, again;
	/* this core's life */
	struct hw_core_totals seen; /* after the call before */
	uint64_t datagrams_given, packets_given, packets_taken;
	/* all lives */
	struct hw_core_totals past; /* of cores that are no more */
	uint64_t events[HW_SIM_EVENT_TYPES];
	uint64_t send_failures;
	uint64_t unheard;  /* datagrams that arrived while stopped */
	uint32_t pool_low; /* fewest free buffers seen */
	uint64_t lives;    /* cores started so far */
};

/* A stopped node. HW_E_NOMEM. */
HW_MUST_USE int hw_sim_node_init(struct hw_sim_node *node, const struct hw_sim_node_config *config,
				 struct hw_sim_engine *engine, struct hw_sim_net *net,
				 const struct hw_sim_seals *seals,
				 const struct hw_sim_node_owner *owner);

/* Stops it; fails the run where a buffer has not come back. */
void hw_sim_node_fini(struct hw_sim_node *node);

/* A new core, configured, its links up. No effect on one that runs. */
void hw_sim_node_start(struct hw_sim_node *node);

/* The core is no more: at once, or after saying goodbye. No effect on a stopped one. */
void hw_sim_node_stop(struct hw_sim_node *node, bool goodbye);

/* Let the core do whatever is due by now. */
void hw_sim_node_tick(struct hw_sim_node *node);

/* A datagram arrives; false: nobody is there to hear it. */
bool hw_sim_node_datagram(struct hw_sim_node *node, const struct hw_tuple *tuple,
			  const uint8_t *data, uint32_t len, uint8_t tos);

/* A packet enters the tunnel device. */
void hw_sim_node_packet(struct hw_sim_node *node, const uint8_t *data, uint32_t len);

/* The system tells that a link has come or gone. */
void hw_sim_node_link(struct hw_sim_node *node, uint32_t link, bool up);

/* The link is there from now on, or gone altogether, as when a modem is pulled out. */
void hw_sim_node_plug(struct hw_sim_node *node, uint32_t link, bool there);

/* The link has another use from now on. */
void hw_sim_node_use(struct hw_sim_node *node, uint32_t link, enum hw_link_use use);

/* The interface takes packets of another size from now on. */
void hw_sim_node_mtu(struct hw_sim_node *node, uint32_t link, uint32_t mtu_bytes);

/* The system tells that a link's addresses have changed. */
void hw_sim_node_readdressed(struct hw_sim_node *node, uint32_t link);

/* The wall clock is set by that much; told: the node notices, as the daemon does. */
void hw_sim_node_clock(struct hw_sim_node *node, int64_t by_ns, bool told);

/* Totals of all lives. */
void hw_sim_node_totals(const struct hw_sim_node *node, struct hw_core_totals *ret_totals);

#endif
