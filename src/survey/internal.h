/*
 * What the survey's files share: survey.c (life, connecting, pings), loading.c (one link under load),
 * pairing.c (two at once).
 */
#ifndef HW_SURVEY_INTERNAL_H
#define HW_SURVEY_INTERNAL_H

#include "survey/survey.h"

#define HW_SURVEY_STEP HW_MS(10) /* outcomes are looked at so often */
#define HW_SURVEY_REST HW_MS(200) /* between loads: what is left in queues goes */
#define HW_SURVEY_PING_SIZE 96u   /* UDP payload */

enum hw_survey_phase {
	HW_PHASE_CONNECT,
	HW_PHASE_WARM,
	HW_PHASE_PING,
	HW_PHASE_LOAD,
	HW_PHASE_PAIR,
	HW_PHASE_END
};

enum hw_survey_load_step { HW_STEP_BEGIN, HW_STEP_TRAIN, HW_STEP_MAIN, HW_STEP_AGAIN };

/* The load that is under way, or the next. */
struct hw_survey_load {
	uint32_t link;
	enum hw_survey_way way;
	enum hw_survey_load_step step;
	uint32_t attempt;
	uint32_t rate_kbps;
	uint64_t reserved; /* bytes of IP packets that it may cost */
	hw_time rest_until;
	hw_time ready_by; /* for its path to be up, and others' pings to be over */
};

struct hw_survey_pairing {
	uint32_t pair; /* place in result.pairs */
	uint32_t done; /* pairs loaded */
	enum hw_survey_way way;
	bool running;
	uint64_t reserved[2];
	hw_time rest_until;
	hw_time ready_by;
};

#define HW_SURVEY_READY_PATIENCE HW_S(4) /* for a path that is in doubt, or busy, after a load */

struct hw_survey {
	struct hw_core *core;
	struct hw_survey_config config;
	void (*told)(void *ctx, const struct hw_survey_news *news);
	void *ctx;
	hw_time started;
	enum hw_survey_phase phase;
	hw_time next_at; /* nothing is due before */
	hw_time phase_since;
	hw_time first_up; /* 0: nothing was up yet */
	struct hw_peer_snapshot snapshot; /* of this tick */
	struct hw_survey_load load;
	uint64_t plan[HW_SURVEY_LINKS]; /* bytes for loads, at their beginning */
	bool pinged[HW_SURVEY_LINKS];   /* while another is loaded */
	struct hw_survey_pairing pairing;
	struct hw_survey_result result;
};

/* survey.c */
void hw_survey_tell(struct hw_survey *survey, enum hw_survey_stage stage, uint32_t link,
		    uint32_t other, enum hw_survey_way way);
struct hw_survey_path *hw_survey_best(struct hw_survey *survey, uint32_t link); /* or NULL */
bool hw_survey_ready(const struct hw_survey *survey, const struct hw_survey_path *path); /* up, idle */
uint64_t hw_survey_left(const struct hw_survey *survey, uint32_t link);
uint32_t hw_survey_ip_bytes(const struct hw_survey_path *path); /* headers before the UDP payload */

/* Start pings each gap for so long. */
int hw_survey_ping(struct hw_survey *survey, const struct hw_survey_path *path, hw_time gap,
		   uint32_t duration_ms, hw_time now);

/* The q-th of 100 parts of the round trips, in ns; -1: there are none. Sorts a copy. */
double hw_survey_quantile(const struct hw_load_outcome *outcome, unsigned q);

/* IP packets' rate that the receiver of a load saw, bit/s; -1: too few packets. */
double hw_survey_rate(const struct hw_survey_path *path, const struct hw_load_outcome *outcome);

/* Bytes of IP packets of a load that has ended, `reserved` where that is not known. */
uint64_t hw_survey_cost_of(const struct hw_survey_path *path, const struct hw_load_outcome *outcome,
			   uint64_t reserved);

/* loading.c: false when all links have been loaded */
bool hw_survey_loading(struct hw_survey *survey, hw_time now);

/* pairing.c */
void hw_survey_pairs_begin(struct hw_survey *survey); /* fills result.pairs */
bool hw_survey_pairing(struct hw_survey *survey, hw_time now);
void hw_survey_pairs_judge(struct hw_survey *survey);
struct hw_survey_pair *hw_survey_pair_of(struct hw_survey *survey, uint32_t a, uint32_t b);

#endif
