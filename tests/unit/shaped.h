/*
 * Two cores and links of known rate, queue, delay and loss between them, in virtual time: what tells
 * the truth to compare measurements with. Every link has a link model (sim/link.h) each way; links
 * may share one, as two interfaces behind one line do.
 */
#ifndef HW_TESTS_UNIT_SHAPED_H
#define HW_TESTS_UNIT_SHAPED_H

#include "base/heap.h"
#include "base/rng.h"
#include "core/core.h"
#include "core/load.h"
#include "sim/link.h"

#define SHAPED_LINKS 3u

enum { SHAPED_CLIENT, SHAPED_HUB };
enum { SHAPED_UP, SHAPED_DOWN };

struct shaped;

struct shaped_node {
	struct hw_core *core;
	struct hw_pool *pool;
	struct hw_core_config config;
	struct hw_peer_config peer;
};

struct shaped_way {
	struct hw_linkmodel *model;
	uint64_t bytes[SHAPED_LINKS]; /* of IP packets, given to it from each link */
};

struct shaped {
	hw_time now;
	struct hw_rng rng;
	struct shaped_node node[2];
	struct shaped_way way[SHAPED_LINKS][2]; /* [SHAPED_UP]: from the client */
	uint32_t through[SHAPED_LINKS];         /* which way[] the link's packets take */
	struct hw_addr seen_as[SHAPED_LINKS];   /* the client, from outside */
	uint32_t links;
	/* The test's own work; gives when it is next needed. */
	hw_time (*hook)(void *ctx, hw_time now);
	void *hook_ctx;
	hw_time hook_at;
	uint64_t packets;
};

/*
 * The nodes are configured but not started; the test sets links up with shaped_link, then starts.
 * At most SHAPED_LINKS links.
 */
void shaped_init(struct shaped *s, uint64_t seed, uint32_t links);
void shaped_link(struct shaped *s, uint32_t link, int way, const struct hw_link_params *params);
void shaped_change(struct shaped *s, uint32_t link, int way, const struct hw_link_params *params);

/* Both nodes, and a second for session and paths. */
void shaped_start(struct shaped *s);
void shaped_run(struct shaped *s, hw_time until);

/* What a node's core has to say, after a call into it. */
void shaped_flush(struct shaped *s, int node);
void shaped_fini(struct shaped *s);

/* The number of the node's path on that link, which must be there. */
uint32_t shaped_path(const struct shaped *s, int node, uint32_t link);

#endif
