/*
 * One way of a path, as the search for its MTU sees it: a limit, loss, a round trip, and traffic with
 * reports, in virtual time. For tests.
 */
#ifndef HW_TESTS_UNIT_MTU_WAY_H
#define HW_TESTS_UNIT_MTU_WAY_H

#include "base/rng.h"
#include "path/mtu.h"

#define WAY_FLIGHT 512u
#define WAY_HEADERS 28u

struct way_answer {
	hw_time at;
	uint64_t token; /* 0: a report */
	uint32_t size;
	uint32_t first, last, received;
};

struct way {
	struct hw_path_mtu mtu;
	struct hw_path_mtu_context context;
	struct hw_rng rng;
	hw_time now;
	hw_time rtt;
	uint32_t limit; /* IP; larger packets vanish */
	double loss;    /* each way, independent */
	hw_time burst;  /* mean length of spells in which all is lost, that make up the loss; 0: none */
	bool dead;      /* nothing passes */
	bool bad[2];    /* in such a spell, each way */
	hw_time until[2];

	/* Traffic: 0 is none. */
	hw_time every;
	uint32_t sizes[4]; /* by turns, IP; the current size where 0 */
	uint32_t size_count;
	hw_time next_data, next_report;
	uint32_t sequence, reported, received, told, told_received;

	uint64_t probes_of[65536 / 16];
	uint32_t news, shrank;   /* how often the owner was told */
	hw_time shrank_at;
	uint32_t data_sent, data_lost_by_size;
	struct way_answer flight[WAY_FLIGHT];
	uint32_t flights;
};

void way_init(struct way *w, uint64_t seed, uint32_t ceiling_ip, uint32_t limit_ip);
void way_run(struct way *w, hw_time until);

/* As IP. */
static inline uint32_t way_size(const struct way *w)
{
	return w->mtu.size + WAY_HEADERS;
}

#endif
