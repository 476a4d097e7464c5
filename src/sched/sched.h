/*
 * Strategies: which paths carry a packet, and as what.
 *
 * A strategy is a const table of functions with a name. For each packet it sees the packet's class,
 * size and deadline and what is known of every path, and names the paths that get a copy, in order
 * of preference. It does no I/O, allocates nothing and reads no clock; its state is a block of
 * state_bytes that the core owns, one for each peer.
 *
 * Paths of one group share both ends' links (two addresses, or both families): what harms the one
 * harms the other, so a second copy there buys little.
 */
#ifndef HW_SCHED_SCHED_H
#define HW_SCHED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define HW_SCHED_MAX_PATHS 16u

enum hw_link_use { HW_USE_ALWAYS = 0, HW_USE_BACKUP = 1, HW_USE_NEVER = 2 };

enum hw_path_state {
	HW_PATH_PROBING = 0, /* not yet shown to work: no traffic but probes and challenges */
	HW_PATH_UP = 1,
	HW_PATH_SUSPECT = 2, /* silent or failing for longer than expected; still carries copies */
	HW_PATH_DOWN = 3     /* probed with backoff, carries nothing else */
};

/* What a strategy may know of one path. Unknown figures are negative. */
struct hw_sched_path {
	uint32_t path;             /* the path's place in the peer's table: what a choice names */
	enum hw_path_state state;
	enum hw_link_use use;      /* the stricter of both ends' */
	uint32_t price;            /* per byte, relative: the sum of both ends' */
	bool metered;              /* at either end bytes are counted, or cost more than others' */
	uint8_t group;             /* below HW_SCHED_MAX_PATHS: paths over the same two links share it */
	uint32_t mtu_bytes;        /* largest UDP payload */
	int64_t rtt_ns;            /* smoothed round-trip time */
	int64_t delay_excess_ns;   /* one-way delay towards the peer beyond the fastest path's */
	int64_t jitter_ns;
	double loss;               /* of this node's transmissions on this path, 0..1 */
	double rate_Bps;           /* delivery rate towards the peer */
	int64_t queue_ns;          /* what packets wait on the way beyond the path's own delay */
	double rate_max_Bps;       /* what it has carried when it was full; 0: not seen full */
	double burst_mean;         /* packets lost in a row; 0: none was */
	hw_time last_heard;        /* when an authentic packet last came in on it */
};

struct hw_sched_packet {
	uint8_t stream;    /* HW_WIRE_STREAM_* */
	uint32_t bytes;    /* as a UDP payload */
	hw_time now;
	hw_time deadline;  /* HW_TIME_NEVER when the class has none */
};

struct hw_sched_choice {
	uint32_t count;
	uint32_t path[HW_SCHED_MAX_PATHS]; /* hw_sched_path.path of each copy, best first */
};

struct hw_strategy {
	const char *name;
	size_t state_bytes;

	/* state is zeroed memory of state_bytes. */
	void (*init)(void *state);

	/*
	 * Choose. Sets count to 0 when no path may carry the packet, which is a counted drop. Never
	 * names a path twice, one that is PROBING or DOWN, or one with use NEVER.
	 */
	void (*choose)(void *state, const struct hw_sched_packet *packet,
		       const struct hw_sched_path *paths, size_t path_count,
		       struct hw_sched_choice *ret_choice);
};

/* The strategy of that name, or NULL. */
const struct hw_strategy *hw_strategy_find(const char *name);

/* The i-th strategy, or NULL past the last: for help texts and conformance tests. */
const struct hw_strategy *hw_strategy_at(size_t i);

/*
 * The one best usable path for control traffic: UP before SUSPECT, ALWAYS before BACKUP, then the
 * shortest round trip. Paths that are metered or BACKUP are left out while any other is UP. Returns
 * false when there is none. `skip` names the path of the first copy (UINT32_MAX: none), so that a
 * second, independent one can be placed: in another group, or in the same while the first is SUSPECT.
 */
bool hw_sched_best(const struct hw_sched_path *paths, size_t path_count, uint32_t skip,
		   uint32_t *ret_path);

#endif
