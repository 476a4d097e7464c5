/* One link after the other, up and down, under load. */
#include "survey/internal.h"

#define TRAIN_PACKETS 24u
#define TRAIN_MS 200u
#define MAIN_ATTEMPTS 4u
#define TRAIN_ATTEMPTS 3u
#define OTHERS_GAP HW_MS(40)  /* pings of the other links */
#define OTHERS_MS 20000u      /* longer than any load with its queue: they are stopped */
#define OTHERS_BYTES 60000u   /* what they may cost */

/* A first try as fast as it goes; where too little of that arrives, slower ones. */
static const uint32_t train_kbps[TRAIN_ATTEMPTS] = { HW_LOAD_RATE_MAX_KBPS, 5000, 500 };

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static struct hw_survey_flow *flow_of(struct hw_survey *survey)
{
	return &survey->result.links[survey->load.link].way[survey->load.way];
}

static void outcome_of(const struct hw_survey *survey, const struct hw_survey_path *path,
		       struct hw_load_outcome *ret)
{
	hw_core_load_outcome(survey->core, 0, path->path, survey->load.way == HW_SURVEY_DOWN, ret);
}

/* ---- the other links meanwhile ---- */

static void ping_others(struct hw_survey *survey, hw_time now)
{
	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, i);

		if (path == NULL || i == survey->load.link || survey->pinged[i] ||
		    hw_survey_left(survey, i) < OTHERS_BYTES)
			continue;
		survey->pinged[i] = hw_survey_ping(survey, path, OTHERS_GAP, OTHERS_MS, now) == 0;
	}
}

static void take_others(struct hw_survey *survey, double queue_ns, hw_time now)
{
	uint32_t loaded = survey->load.link;

	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, i);
		struct hw_survey_pair *pair;
		struct hw_shared_evidence *evidence;
		struct hw_load_outcome o;
		double rise_ns;

		if (!survey->pinged[i] || path == NULL)
			continue;
		survey->pinged[i] = false;
		hw_core_load_stop(survey->core, 0, path->path, now);
		hw_core_load_outcome(survey->core, 0, path->path, false, &o);
		survey->result.links[i].spent += (uint64_t)o.pongs * 2 * 124;
		pair = hw_survey_pair_of(survey, loaded, i);
		if (pair == NULL || o.pongs < 5 || path->rtt_p75_ns < 0 || queue_ns < 0)
			continue;
		rise_ns = hw_survey_quantile(&o, 75) - path->rtt_p75_ns;
		evidence = &pair->way[survey->load.way];
		evidence->queue_ns[pair->a == loaded ? 0 : 1] = queue_ns;
		evidence->rise_ns[pair->a == loaded ? 0 : 1] = rise_ns > 0 ? rise_ns : 0;
	}
}

/* ---- one load ---- */

static int start(struct hw_survey *survey, const struct hw_survey_path *path, uint32_t rate_kbps,
		 uint32_t duration_ms, uint64_t ip_bytes, hw_time now)
{
	uint32_t packet = HW_LOAD_PAYLOAD_MAX + hw_survey_ip_bytes(path);
	const struct hw_load_params params = {
		.down = survey->load.way == HW_SURVEY_DOWN,
		.rate_kbps = rate_kbps,
		.duration_ms = duration_ms,
		.bytes = (uint32_t)at_most(ip_bytes / packet * HW_LOAD_PAYLOAD_MAX,
					   HW_LOAD_BYTES_MAX),
	};

	survey->load.reserved = ip_bytes;
	survey->load.rate_kbps = rate_kbps;
	return hw_core_load_start(survey->core, 0, path->path, &params, now);
}

static void next_flow(struct hw_survey *survey)
{
	struct hw_survey_load *load = &survey->load;
	uint32_t link = load->way == HW_SURVEY_DOWN ? load->link + 1 : load->link;
	enum hw_survey_way way = load->way == HW_SURVEY_DOWN ? HW_SURVEY_UP : HW_SURVEY_DOWN;

	*load = (struct hw_survey_load){ .link = link, .way = way, .rest_until = load->rest_until };
}

static void give_up(struct hw_survey *survey, enum hw_load_state state, enum hw_load_reason reason)
{
	flow_of(survey)->state = state;
	flow_of(survey)->reason = reason;
	next_flow(survey);
}

static void start_train(struct hw_survey *survey, const struct hw_survey_path *path, hw_time now)
{
	struct hw_survey_load *load = &survey->load;
	uint32_t packet = HW_LOAD_PAYLOAD_MAX + hw_survey_ip_bytes(path);
	uint64_t bytes = (uint64_t)(TRAIN_PACKETS + HW_LOAD_LEAD) * packet;

	if (hw_survey_left(survey, load->link) < 2 * bytes) {
		survey->result.links[load->link].over_limit = true;
		next_flow(survey);
		return;
	}
	flow_of(survey)->loaded = true;
	load->step = HW_STEP_TRAIN;
	if (start(survey, path, train_kbps[load->attempt],
		  load->attempt == 0 ? TRAIN_MS : 1000u, bytes, now) < 0)
		give_up(survey, HW_LOAD_FAILED, HW_LOAD_PATH);
}

/* A load of this rate, as long and as large as makes sense and as the plan allows. */
static void start_main(struct hw_survey *survey, const struct hw_survey_path *path,
		       uint32_t rate_kbps, hw_time now)
{
	struct hw_survey_load *load = &survey->load;
	struct hw_survey_link *link = &survey->result.links[load->link];
	uint32_t duration_ms = rate_kbps <= 40000 ? 1500 : 1000;
	uint64_t wanted, allowed;

	rate_kbps = (uint32_t)at_most(rate_kbps, HW_LOAD_RATE_MAX_KBPS);
	wanted = (uint64_t)rate_kbps * duration_ms / 8;
	allowed = survey->plan[load->link] / (load->attempt == 0 ? 4 : 6);
	allowed = at_most(allowed, hw_survey_left(survey, load->link));
	link->over_limit |= wanted > allowed;
	load->step = HW_STEP_MAIN;
	load->ready_by = 0;
	if (allowed < 20000) {
		next_flow(survey);
		return;
	}
	if (start(survey, path, rate_kbps, duration_ms, at_most(wanted, allowed), now) < 0) {
		give_up(survey, HW_LOAD_FAILED, HW_LOAD_PATH);
		return;
	}
	ping_others(survey, now);
}

static void after_train(struct hw_survey *survey, const struct hw_survey_path *path,
			const struct hw_load_outcome *o, hw_time now)
{
	struct hw_survey_load *load = &survey->load;
	double bps = hw_survey_rate(path, o);
	double factor;

	if (bps < 0) {
		if (++load->attempt < TRAIN_ATTEMPTS)
			start_train(survey, path, now);
		else
			give_up(survey, o->state, o->reason);
		return;
	}
	load->attempt = 0;
	flow_of(survey)->capacity_bps = bps;
	/* A slow link's queue may be long: fill it fast. A fast one's load is dear. */
	factor = bps <= 3e6 ? 3 : bps <= 150e6 ? 2 : 1.5;
	start_main(survey, path, (uint32_t)(at_most((uint64_t)(bps * factor), 1000000000) / 1000),
		   now);
}

/* Whether the path was too slow for the load: it arrived stretched, or much of it did not. */
static bool is_saturated(const struct hw_survey_flow *flow, const struct hw_load_outcome *o,
			 double lost)
{
	double base = flow->loss > 0 ? flow->loss : 0;

	return (double)o->span_us > 1.08 * o->sent_span_us || lost - base > 0.1;
}

static void after_main(struct hw_survey *survey, const struct hw_survey_path *path,
		       const struct hw_load_outcome *o, hw_time now)
{
	struct hw_survey_load *load = &survey->load;
	struct hw_survey_flow *flow = flow_of(survey);
	double bps = hw_survey_rate(path, o);
	double base = flow->loss > 0 ? flow->loss : 0;
	double lost = o->sent_packets > 0 ? 1 - (double)o->packets / o->sent_packets : 0;
	double queue_ns = (double)o->queue_p95_us * (double)HW_NS_PER_US;
	bool saturated = is_saturated(flow, o, lost);

	take_others(survey, saturated ? queue_ns : -1, now);
	flow->state = o->state;
	flow->reason = o->reason;
	if (bps < 0 || o->state != HW_LOAD_OVER) {
		give_up(survey, o->state, o->reason);
		return;
	}
	/* The train's figure was only a guess, and a faster load's is better than a slower one's. */
	flow->capacity_bps = bps;
	flow->capacity_more = !saturated;
	flow->queue_ns = queue_ns;
	flow->queue_more = !saturated || lost - base < 0.02;
	if (saturated || ++load->attempt == MAIN_ATTEMPTS ||
	    load->rate_kbps >= HW_LOAD_RATE_MAX_KBPS) {
		next_flow(survey);
		return;
	}
	load->rate_kbps = (uint32_t)at_most(load->rate_kbps * UINT64_C(3), HW_LOAD_RATE_MAX_KBPS);
	load->step = HW_STEP_AGAIN;
}

/* Whether nothing is under way on any link any more, or that took too long. */
static bool all_quiet(struct hw_survey *survey, hw_time now)
{
	if (now < survey->load.rest_until)
		return false;
	if (survey->load.ready_by == 0)
		survey->load.ready_by = now + HW_SURVEY_READY_PATIENCE;
	if (now >= survey->load.ready_by)
		return true;
	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, i);

		if (path != NULL && !hw_survey_ready(survey, path))
			return false;
	}
	return true;
}

static void again(struct hw_survey *survey, hw_time now)
{
	if (all_quiet(survey, now))
		start_main(survey, hw_survey_best(survey, survey->load.link),
			   survey->load.rate_kbps, now);
}

/* The load under way; what comes after it. */
static void follow(struct hw_survey *survey, hw_time now)
{
	struct hw_survey_load *load = &survey->load;
	struct hw_survey_path *path = hw_survey_best(survey, load->link);
	struct hw_load_outcome o;

	outcome_of(survey, path, &o);
	if (o.state == HW_LOAD_RUNNING)
		return;
	survey->result.links[load->link].spent += hw_survey_cost_of(path, &o, load->reserved);
	load->rest_until = now + HW_SURVEY_REST;
	if (o.state == HW_LOAD_FAILED || o.state == HW_LOAD_NONE) {
		take_others(survey, -1, now);
		give_up(survey, HW_LOAD_FAILED, o.state == HW_LOAD_NONE ? HW_LOAD_PATH : o.reason);
	} else if (load->step == HW_STEP_TRAIN) {
		after_train(survey, path, &o, now);
	} else {
		after_main(survey, path, &o, now);
	}
}

/* Skips what is not to be loaded; begins the next one when its path is ready. */
static bool begin(struct hw_survey *survey, hw_time now)
{
	struct hw_survey_load *load = &survey->load;
	while (load->link < HW_SURVEY_LINKS &&
	       (hw_survey_best(survey, load->link) == NULL ||
		!survey->config.links[load->link].load))
		*load = (struct hw_survey_load){ .link = load->link + 1,
						 .rest_until = load->rest_until };
	if (load->link == HW_SURVEY_LINKS)
		return false;
	if (!all_quiet(survey, now))
		return true;
	hw_survey_tell(survey, HW_SURVEY_LOADING, load->link, 0, load->way);
	start_train(survey, hw_survey_best(survey, load->link), now);
	return true;
}

bool hw_survey_loading(struct hw_survey *survey, hw_time now)
{
	switch (survey->load.step) {
	case HW_STEP_BEGIN:
		return begin(survey, now);
	case HW_STEP_AGAIN:
		again(survey, now);
		break;
	case HW_STEP_TRAIN:
	case HW_STEP_MAIN:
		follow(survey, now);
		break;
	}
	return true;
}
