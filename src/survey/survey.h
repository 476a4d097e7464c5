/*
 * A survey of all links to a peer: what `hawser probe` does, over the core's interface.
 *
 * Pure as the core is: the owner gives time and sends what the core has to say. Stages:
 *
 *   connect   wait until a path of every link answers, or for some seconds
 *   pings     100 on every path at once: round trip, loss each way
 *   load      one link after the other, up and down: a short train finds the rate roughly; a load
 *             of two to three times that rate fills the queue and shows rate and queue. It is
 *             repeated faster when the path took all of it. The other links are pinged meanwhile.
 *   pairs     two links at once, compared with each alone
 *
 * Bytes are counted as IP packets, both ways together; none is sent beyond a link's limit. A link
 * with several paths to the peer is loaded over the one with the shortest round trip.
 */
#ifndef HW_SURVEY_SURVEY_H
#define HW_SURVEY_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/time.h"
#include "core/core.h"
#include "core/load.h"
#include "survey/shared.h"

#define HW_SURVEY_LINKS HW_CORE_MAX_LINKS
#define HW_SURVEY_PAIRS 6u /* at most so many are loaded together */
#define HW_SURVEY_PING_BYTES 30000u /* what the pings of one path cost at most, both ways */

struct hw_survey_link_config {
	bool used;      /* the core's link of that number is to be looked at */
	bool load;      /* and may be loaded */
	uint64_t limit; /* bytes, pings included */
};

struct hw_survey_config {
	struct hw_survey_link_config links[HW_SURVEY_LINKS];
	hw_time patience; /* for the whole; HW_TIME_NEVER: as long as it takes */
};

enum hw_survey_way { HW_SURVEY_UP, HW_SURVEY_DOWN, HW_SURVEY_WAYS };

/* One way of a link. */
struct hw_survey_flow {
	double loss;         /* 0..1; -1: not known; so the others */
	double capacity_bps; /* of IP packets */
	bool capacity_more;  /* the path took all that was sent: it carries more */
	double queue_ns;     /* waiting under load, 95 % */
	bool queue_more;     /* the queue was not full when the load ended: it holds more */
	bool loaded;         /* a load was tried */
	enum hw_load_state state;
	enum hw_load_reason reason; /* when state is HW_LOAD_FAILED */
	uint32_t packet_bytes; /* IP packets known to pass; 0: not known */
};

struct hw_survey_path {
	struct hw_tuple tuple;
	uint32_t path; /* the core's number */
	enum hw_path_state state;
	bool answered; /* it was up at some time */
	struct hw_addr observed;
	uint32_t sent, arrived, answers; /* pings */
	double rtt_least_ns, rtt_median_ns, rtt_p75_ns, rtt_p95_ns; /* -1: not known */
	double loss[HW_SURVEY_WAYS]; /* -1: not known */
	uint32_t packet_bytes[HW_SURVEY_WAYS]; /* IP packets known to pass; 0: not known */
};

struct hw_survey_link {
	bool used;
	struct hw_survey_path paths[HW_CORE_MAX_ENDPOINTS];
	uint32_t path_count;
	int32_t best; /* place in paths of the one that was loaded; -1: none answered */
	struct hw_survey_flow way[HW_SURVEY_WAYS];
	uint64_t spent; /* bytes of IP packets, both ways */
	bool over_limit; /* something was left out, or cut short, because of the limit */
};

struct hw_survey_pair {
	uint32_t a, b;
	struct hw_shared_evidence way[HW_SURVEY_WAYS];
	enum hw_shared verdict;
};

struct hw_survey_result {
	bool session;     /* the handshake succeeded */
	bool interrupted; /* by its owner, or by patience */
	struct hw_survey_link links[HW_SURVEY_LINKS];
	struct hw_survey_pair pairs[HW_SURVEY_LINKS * (HW_SURVEY_LINKS - 1) / 2];
	uint32_t pair_count; /* of links that both answered */
};

enum hw_survey_stage {
	HW_SURVEY_CONNECTING,
	HW_SURVEY_PINGING,
	HW_SURVEY_LOADING, /* link, way */
	HW_SURVEY_PAIRING, /* link and other, way */
	HW_SURVEY_OVER
};

struct hw_survey_news {
	enum hw_survey_stage stage;
	uint32_t link, other;
	enum hw_survey_way way;
};

struct hw_survey;

/*
 * A survey of the core's first peer. `told` hears of each stage as it begins; it may be NULL.
 * HW_E_NOMEM.
 */
HW_MUST_USE int hw_survey_new(struct hw_core *core, const struct hw_survey_config *config,
			      void (*told)(void *ctx, const struct hw_survey_news *news), void *ctx,
			      hw_time now, struct hw_survey **ret_survey);
void hw_survey_free(struct hw_survey *survey);

/*
 * Do what is due; afterwards the core may have something to send. Gives when it is next needed:
 * HW_TIME_NEVER once it is over.
 */
hw_time hw_survey_tick(struct hw_survey *survey, hw_time now);

/* End it with what is known. */
void hw_survey_stop(struct hw_survey *survey, hw_time now);

const struct hw_survey_result *hw_survey_result(const struct hw_survey *survey);

/* What a survey of such a link costs at most, in bytes. */
uint64_t hw_survey_cost(const struct hw_survey_link_config *link);

#endif
