#include "survey/survey.h"

#include <stdlib.h>
#include <string.h>

#include "survey/internal.h"

#define CONNECT_PATIENCE HW_S(8) /* for the first path to answer */
#define OTHERS_PATIENCE HW_S(3)  /* from then on, for the others */
#define WARM_GAP HW_MS(40)
#define WARM_MS 400u
#define PING_GAP HW_MS(30)
#define PING_MS 3000u
#define PONG_IP_BYTES 110u /* an answer to a ping: what it costs, about */

void hw_survey_tell(struct hw_survey *survey, enum hw_survey_stage stage, uint32_t link,
		    uint32_t other, enum hw_survey_way way)
{
	const struct hw_survey_news news = {
		.stage = stage, .link = link, .other = other, .way = way
	};

	if (survey->told != NULL)
		survey->told(survey->ctx, &news);
}

static void link_init(struct hw_survey_link *link)
{
	link->used = true;
	link->best = -1;
	for (int way = 0; way < HW_SURVEY_WAYS; way++)
		link->way[way] = (struct hw_survey_flow){
			.loss = -1, .capacity_bps = -1, .queue_ns = -1
		};
}

int hw_survey_new(struct hw_core *core, const struct hw_survey_config *config,
		  void (*told)(void *ctx, const struct hw_survey_news *news), void *ctx, hw_time now,
		  struct hw_survey **ret_survey)
{
	struct hw_survey *survey = calloc(1, sizeof(*survey));

	if (survey == NULL)
		return HW_E_NOMEM;
	survey->core = core;
	survey->config = *config;
	survey->told = told;
	survey->ctx = ctx;
	survey->started = survey->phase_since = now;
	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++)
		if (config->links[i].used)
			link_init(&survey->result.links[i]);
	*ret_survey = survey;
	hw_survey_tell(survey, HW_SURVEY_CONNECTING, 0, 0, HW_SURVEY_UP);
	return 0;
}

void hw_survey_free(struct hw_survey *survey)
{
	free(survey);
}

const struct hw_survey_result *hw_survey_result(const struct hw_survey *survey)
{
	return &survey->result;
}

uint64_t hw_survey_cost(const struct hw_survey_link_config *link)
{
	uint64_t pings = 2 * HW_SURVEY_PING_BYTES;

	if (!link->used)
		return 0;
	return link->load && link->limit > pings ? link->limit : pings;
}

uint64_t hw_survey_left(const struct hw_survey *survey, uint32_t link)
{
	uint64_t limit = survey->config.links[link].limit, spent = survey->result.links[link].spent;

	return limit > spent ? limit - spent : 0;
}

uint32_t hw_survey_ip_bytes(const struct hw_survey_path *path)
{
	return path->tuple.remote.family == HW_FAMILY_IPV6 ? 48 : 28;
}

/* ---- figures of loads ---- */

/* By insertion: there are some hundred at most, nearly in order often enough. */
static void sort(uint32_t *values, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint32_t value = values[i], at = i;

		for (; at > 0 && values[at - 1] > value; at--)
			values[at] = values[at - 1];
		values[at] = value;
	}
}

double hw_survey_quantile(const struct hw_load_outcome *outcome, unsigned q)
{
	uint32_t sorted[HW_LOAD_PONGS];

	if (outcome->pongs == 0)
		return -1;
	memcpy(sorted, outcome->pong_us, outcome->pongs * sizeof(sorted[0]));
	sort(sorted, outcome->pongs);
	return (double)sorted[(outcome->pongs - 1) * q / 100] * (double)HW_NS_PER_US;
}

double hw_survey_rate(const struct hw_survey_path *path, const struct hw_load_outcome *o)
{
	double bytes = (double)o->rate_bytes + (double)o->rate_packets * hw_survey_ip_bytes(path);

	if (o->rate_packets < 5 || o->span_us == 0)
		return -1;
	return bytes * 8e6 / o->span_us;
}

uint64_t hw_survey_cost_of(const struct hw_survey_path *path, const struct hw_load_outcome *o,
			   uint64_t reserved)
{
	if (o->sent_packets == 0)
		return o->state == HW_LOAD_FAILED ? 0 : reserved;
	return o->sent_bytes + (uint64_t)o->sent_packets * hw_survey_ip_bytes(path);
}

/* ---- paths ---- */

static struct hw_survey_path *place_of(struct hw_survey_link *link, const struct hw_tuple *tuple)
{
	for (uint32_t i = 0; i < link->path_count; i++)
		if (hw_addr_equal(&link->paths[i].tuple.remote, &tuple->remote))
			return &link->paths[i];
	if (link->path_count == HW_CORE_MAX_ENDPOINTS)
		return NULL;

	struct hw_survey_path *path = &link->paths[link->path_count++];

	*path = (struct hw_survey_path){
		.rtt_least_ns = -1, .rtt_median_ns = -1, .rtt_p75_ns = -1, .rtt_p95_ns = -1,
		.loss = { -1, -1 },
	};
	return path;
}

/* What the peer has said, with any load's end, of the packets that pass to here. */
static void look_at_packets(struct hw_survey_path *path, const struct hw_core *core)
{
	for (int down = 0; down < 2; down++) {
		struct hw_load_outcome o;

		hw_core_load_outcome(core, 0, path->path, down == 1, &o);
		if (o.peer_mtu != 0)
			path->packet_bytes[HW_SURVEY_DOWN] =
				o.peer_mtu + hw_survey_ip_bytes(path);
	}
}

/* Take in what the core knows now. */
static void look(struct hw_survey *survey, hw_time now)
{
	struct hw_peer_snapshot *snapshot = &survey->snapshot;

	hw_core_peer_snapshot(survey->core, 0, now, snapshot);
	survey->result.session |= snapshot->state == HW_PEER_UP;
	for (uint32_t i = 0; i < snapshot->path_count; i++) {
		const struct hw_path_snapshot *p = &snapshot->paths[i];
		struct hw_survey_link *link = &survey->result.links[p->tuple.link];
		struct hw_survey_path *path = link->used ? place_of(link, &p->tuple) : NULL;

		if (path == NULL)
			continue;
		path->tuple = p->tuple;
		path->path = p->path;
		path->state = p->state;
		path->answered |= p->state == HW_PATH_UP;
		if (p->observed.family != HW_FAMILY_NONE)
			path->observed = p->observed;
		if (p->mtu_search == HW_MTU_SEARCHING || p->mtu_search == HW_MTU_COMPLETE)
			path->packet_bytes[HW_SURVEY_UP] = p->mtu_bytes;
		if (path->answered && survey->first_up == 0)
			survey->first_up = now;
		look_at_packets(path, survey->core);
	}
}

bool hw_survey_ready(const struct hw_survey *survey, const struct hw_survey_path *path)
{
	for (int down = 0; down < 2; down++) {
		struct hw_load_outcome o;

		hw_core_load_outcome(survey->core, 0, path->path, down == 1, &o);
		if (o.state == HW_LOAD_RUNNING)
			return false;
	}
	return path->state == HW_PATH_UP;
}

struct hw_survey_path *hw_survey_best(struct hw_survey *survey, uint32_t number)
{
	struct hw_survey_link *link = &survey->result.links[number];

	return link->used && link->best >= 0 ? &link->paths[link->best] : NULL;
}

static void for_each_path(struct hw_survey *survey,
			  void (*act)(struct hw_survey *survey, uint32_t link,
				      struct hw_survey_path *path, hw_time now),
			  hw_time now)
{
	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		struct hw_survey_link *link = &survey->result.links[i];

		for (uint32_t j = 0; link->used && j < link->path_count; j++)
			act(survey, i, &link->paths[j], now);
	}
}

/* ---- connecting and pings ---- */

/* Whether there is nothing left to wait for. */
static bool connected(const struct hw_survey *survey, hw_time now)
{
	bool all = survey->first_up != 0, any = false;

	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		const struct hw_survey_link *link = &survey->result.links[i];

		any = any || link->used;
		for (uint32_t j = 0; link->used && j < link->path_count; j++)
			all = all && link->paths[j].answered;
		all = all && (!link->used || link->path_count > 0);
	}
	if (all || !any)
		return true;
	if (survey->first_up == 0)
		return hw_time_since(now, survey->started) >= CONNECT_PATIENCE;
	return hw_time_since(now, survey->first_up) >= OTHERS_PATIENCE;
}

int hw_survey_ping(struct hw_survey *survey, const struct hw_survey_path *path, hw_time gap,
		   uint32_t duration_ms, hw_time now)
{
	uint32_t bits = (HW_SURVEY_PING_SIZE + hw_survey_ip_bytes(path)) * 8;
	const struct hw_load_params params = {
		.rate_kbps = (uint32_t)(bits / (gap / HW_NS_PER_MS)),
		.duration_ms = duration_ms,
		.bytes = HW_LOAD_BYTES_MAX,
		.size = HW_SURVEY_PING_SIZE,
		.pings = true,
	};

	return hw_core_load_start(survey->core, 0, path->path, &params, now);
}

static void start_warming(struct hw_survey *survey, uint32_t link, struct hw_survey_path *path,
			  hw_time now)
{
	(void)link;
	if (path->state == HW_PATH_UP)
		(void)!hw_survey_ping(survey, path, WARM_GAP, WARM_MS, now);
}

static void start_pings(struct hw_survey *survey, uint32_t link, struct hw_survey_path *path,
			hw_time now)
{
	uint64_t before = (uint64_t)(path - survey->result.links[link].paths) * HW_SURVEY_PING_BYTES;

	/* The first path is always pinged, the others as far as the limit goes. */
	if (before > 0 && before + HW_SURVEY_PING_BYTES > hw_survey_left(survey, link))
		return;
	/* One that cannot be started shows as one without figures. */
	if (path->answered)
		(void)!hw_survey_ping(survey, path, PING_GAP, PING_MS, now);
}

/* Whether any upward load runs on any path. */
static bool pings_run(const struct hw_survey *survey)
{
	for (uint32_t i = 0; i < survey->snapshot.path_count; i++) {
		struct hw_load_outcome o;

		hw_core_load_outcome(survey->core, 0, survey->snapshot.paths[i].path, false, &o);
		if (o.state == HW_LOAD_RUNNING)
			return true;
	}
	return false;
}

static void charge_pings(struct hw_survey *survey, uint32_t link, struct hw_survey_path *path,
			 hw_time now)
{
	struct hw_load_outcome o;

	(void)now;
	hw_core_load_outcome(survey->core, 0, path->path, false, &o);
	survey->result.links[link].spent += hw_survey_cost_of(path, &o, 0) +
					    (uint64_t)o.pongs * PONG_IP_BYTES;
}

static void take_pings(struct hw_survey *survey, uint32_t number, struct hw_survey_path *path,
		       hw_time now)
{
	struct hw_load_outcome o;

	charge_pings(survey, number, path, now);
	hw_core_load_outcome(survey->core, 0, path->path, false, &o);
	if (o.state == HW_LOAD_NONE || o.sent_packets == 0)
		return;
	path->sent = o.sent_packets;
	path->arrived = o.packets;
	path->answers = o.pongs;
	path->rtt_least_ns = hw_survey_quantile(&o, 0);
	path->rtt_median_ns = hw_survey_quantile(&o, 50);
	path->rtt_p75_ns = hw_survey_quantile(&o, 75);
	path->rtt_p95_ns = hw_survey_quantile(&o, 95);
	if (o.state != HW_LOAD_OVER)
		return;
	path->loss[HW_SURVEY_UP] = 1 - (double)o.packets / o.sent_packets;
	if (o.packets > 0)
		path->loss[HW_SURVEY_DOWN] = o.pongs < o.packets ? 1 - (double)o.pongs / o.packets
								 : 0;
}

static void choose_best(struct hw_survey *survey)
{
	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		struct hw_survey_link *link = &survey->result.links[i];
		const struct hw_survey_path *best = NULL;

		for (uint32_t j = 0; link->used && j < link->path_count; j++) {
			const struct hw_survey_path *path = &link->paths[j];

			if (path->rtt_median_ns < 0 ||
			    (best != NULL && best->rtt_median_ns <= path->rtt_median_ns))
				continue;
			best = path;
			link->best = (int32_t)j;
		}
		for (int way = 0; best != NULL && way < HW_SURVEY_WAYS; way++)
			link->way[way].loss = best->loss[way];
		survey->plan[i] = hw_survey_left(survey, i);
	}
}

/* What the search for larger packets has found by now. */
static void take_packets(struct hw_survey *survey)
{
	for (uint32_t i = 0; i < HW_SURVEY_LINKS; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, i);

		for (int way = 0; path != NULL && way < HW_SURVEY_WAYS; way++)
			survey->result.links[i].way[way].packet_bytes = path->packet_bytes[way];
	}
}

/* ---- the whole ---- */

static void enter(struct hw_survey *survey, enum hw_survey_phase phase, hw_time now)
{
	survey->phase = phase;
	survey->phase_since = now;
	switch (phase) {
	case HW_PHASE_WARM:
		/* The peer checks a path when something comes on it: let that be over first. */
		for_each_path(survey, start_warming, now);
		break;
	case HW_PHASE_PING:
		hw_survey_tell(survey, HW_SURVEY_PINGING, 0, 0, HW_SURVEY_UP);
		for_each_path(survey, start_pings, now);
		break;
	case HW_PHASE_PAIR:
		hw_survey_pairs_begin(survey);
		break;
	case HW_PHASE_END:
		take_packets(survey);
		hw_survey_pairs_judge(survey);
		hw_survey_tell(survey, HW_SURVEY_OVER, 0, 0, HW_SURVEY_UP);
		break;
	case HW_PHASE_CONNECT:
	case HW_PHASE_LOAD:
		break;
	}
}

static void run_phase(struct hw_survey *survey, hw_time now)
{
	switch (survey->phase) {
	case HW_PHASE_CONNECT:
		if (connected(survey, now))
			enter(survey, survey->first_up != 0 ? HW_PHASE_WARM : HW_PHASE_END, now);
		break;
	case HW_PHASE_WARM:
		if (pings_run(survey))
			break;
		for_each_path(survey, charge_pings, now);
		enter(survey, HW_PHASE_PING, now);
		break;
	case HW_PHASE_PING:
		if (pings_run(survey))
			break;
		for_each_path(survey, take_pings, now);
		choose_best(survey);
		hw_survey_pairs_begin(survey);
		enter(survey, HW_PHASE_LOAD, now);
		break;
	case HW_PHASE_LOAD:
		if (!hw_survey_loading(survey, now))
			enter(survey, HW_PHASE_PAIR, now);
		break;
	case HW_PHASE_PAIR:
		if (!hw_survey_pairing(survey, now))
			enter(survey, HW_PHASE_END, now);
		break;
	case HW_PHASE_END:
		break;
	}
}

hw_time hw_survey_tick(struct hw_survey *survey, hw_time now)
{
	if (survey->phase == HW_PHASE_END)
		return HW_TIME_NEVER;
	if (now < survey->next_at)
		return survey->next_at;
	survey->next_at = now + HW_SURVEY_STEP;
	look(survey, now);
	run_phase(survey, now);
	if (survey->phase != HW_PHASE_END &&
	    hw_time_since(now, survey->started) >= survey->config.patience)
		hw_survey_stop(survey, now);
	return survey->phase == HW_PHASE_END ? HW_TIME_NEVER : survey->next_at;
}

void hw_survey_stop(struct hw_survey *survey, hw_time now)
{
	if (survey->phase == HW_PHASE_END)
		return;
	survey->result.interrupted = true;
	/* Pings that are under way tell something already. */
	if (survey->phase == HW_PHASE_PING) {
		for_each_path(survey, take_pings, now);
		choose_best(survey);
		hw_survey_pairs_begin(survey);
	}
	enter(survey, HW_PHASE_END, now);
}
