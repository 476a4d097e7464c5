/*
 * Two cores and the wires between them, in virtual time: just enough network for unit tests of the
 * core. Every link i joins A's link i to B's link i with a fixed delay; a test may drop, hold or
 * change what passes. What is measured over many packets belongs into the simulator's scenarios.
 */
#ifndef HW_TESTS_UNIT_WORLD_H
#define HW_TESTS_UNIT_WORLD_H

#include "base/rng.h"
#include "core/core.h"

#define WORLD_LINKS 3u /* at the start */
#define WORLD_SLOTS HW_CORE_MAX_LINKS
#define WORLD_FLIGHT 8192u

struct world_flight {
	hw_time at;
	uint64_t order;
	int to; /* node */
	struct hw_tuple tuple;
	uint8_t tos;
	uint32_t len;
	uint8_t bytes[2048];
};

struct world_node {
	struct hw_core *core;
	struct hw_pool *pool;
	struct hw_core_config config;
	struct hw_peer_config peer;
	uint64_t delivered;
	uint32_t last_len;
	uint8_t last[2048];
	uint32_t events[16]; /* by type */
	struct hw_addr addr[WORLD_SLOTS];
	/* Where its packets seem to come from; it is reached there too. Family NONE: addr. */
	struct hw_addr seen_as[WORLD_SLOTS];
};

struct world {
	hw_time now;
	uint64_t wall_ns;
	struct hw_rng rng;
	struct world_node node[2]; /* 0: client, 1: hub */
	hw_time delay[WORLD_SLOTS];
	bool cut[WORLD_SLOTS];
	bool cut_from[2][WORLD_SLOTS]; /* only what this node sends */
	double loss;
	uint32_t mtu[WORLD_SLOTS]; /* IP packets larger than this are lost; 0: none are */
	uint32_t mtu_from[2][WORLD_SLOTS]; /* the same for what this node sends */
	uint64_t too_big;          /* so many were */
	uint64_t last_mtu[2]; /* value of the last HW_EVENT_PATH_MTU */
	uint64_t tunnel_mtu[2]; /* of the last HW_EVENT_TUNNEL_MTU */
	int64_t at_offset; /* how far the arrival times that cores are told are off */
	/* Sees each datagram as it is sent; false drops it. May be NULL. */
	bool (*tap)(void *ctx, int from, const struct world_flight *flight);
	void *tap_ctx;
	/* Sees each inner packet that a node gives to its tunnel device. May be NULL. */
	void (*receive[2])(void *ctx, const uint8_t *packet, uint32_t len);
	struct world_flight *flight;
	uint32_t flights;
	uint64_t order;
	uint64_t sent[2]; /* datagrams */
	uint64_t nowhere[2]; /* of them, to addresses that nobody has */
	uint64_t ticks[2];
};

/* Both nodes configured (shared psk, generated keys), not yet started; a test may change config. */
void world_init(struct world *w, uint64_t seed);

/* Make the core of a node (again): as after the start of its daemon. */
void world_start(struct world *w, int node);
void world_stop(struct world *w, int node);

/* Both, the hub first, and a second for session and paths to come up. */
void world_start_both(struct world *w);
void world_fini(struct world *w);

/* Let time pass: deliver, tick, collect, until `until`. Checks conservation all along. */
void world_run(struct world *w, hw_time until);

/* An IPv4 packet of len bytes goes into the node's tunnel device; its bytes follow from `number`. */
void world_send(struct world *w, int node, uint32_t len, uint32_t number);

/* Collect what the node's core has to say, after a call into it. */
void world_flush(struct world *w, int node);

/* What hw_core_apply says of this configuration, on a core made for the question. */
int world_apply(struct world *w, const struct hw_core_config *config);

/* A datagram from anywhere, at once. */
void world_inject(struct world *w, int to, const struct hw_tuple *tuple, const uint8_t *bytes,
		  uint32_t len);

/* What the node's core counts and shows. */
uint64_t world_drops(const struct world *w, int node, enum hw_drop reason);
void world_snapshot(const struct world *w, int node, struct hw_peer_snapshot *ret_snapshot);
uint32_t world_paths_up(const struct world *w, int node);

/* received = delivered + dropped by reason, both ways (asserted). */
void world_check(const struct world *w);

#endif
