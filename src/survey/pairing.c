/* Two links at once, compared with each alone. */
#include "survey/internal.h"

#define FACTOR 1.2 /* of what each carries alone */
#define LONGEST_MS 700.0
#define SHORTEST_MS 120.0

void hw_survey_pairs_begin(struct hw_survey *survey)
{
	struct hw_survey_result *r = &survey->result;

	if (r->pair_count > 0)
		return;
	for (uint32_t a = 0; a < HW_SURVEY_LINKS; a++) {
		for (uint32_t b = a + 1; b < HW_SURVEY_LINKS; b++) {
			struct hw_survey_pair *pair = &r->pairs[r->pair_count];

			if (hw_survey_best(survey, a) == NULL || hw_survey_best(survey, b) == NULL)
				continue;
			*pair = (struct hw_survey_pair){ .a = a, .b = b };
			for (int way = 0; way < HW_SURVEY_WAYS; way++)
				hw_shared_evidence_init(&pair->way[way]);
			r->pair_count++;
		}
	}
}

struct hw_survey_pair *hw_survey_pair_of(struct hw_survey *survey, uint32_t a, uint32_t b)
{
	struct hw_survey_result *r = &survey->result;

	for (uint32_t i = 0; i < r->pair_count; i++)
		if ((r->pairs[i].a == a && r->pairs[i].b == b) ||
		    (r->pairs[i].a == b && r->pairs[i].b == a))
			return &r->pairs[i];
	return NULL;
}

static uint32_t link_of(const struct hw_survey_pair *pair, int which)
{
	return which == 0 ? pair->a : pair->b;
}

static struct hw_survey_flow *flow_of(struct hw_survey *survey, const struct hw_survey_pair *pair,
				      int which)
{
	return &survey->result.links[link_of(pair, which)].way[survey->pairing.way];
}

/* How long both can be loaded, in ms; 0: not at all. */
static double time_for(struct hw_survey *survey, const struct hw_survey_pair *pair)
{
	double ms = LONGEST_MS;

	for (int i = 0; i < 2; i++) {
		uint32_t link = link_of(pair, i);
		const struct hw_survey_flow *flow = flow_of(survey, pair, i);
		double left = (double)hw_survey_left(survey, link);

		if (!survey->config.links[link].load || flow->capacity_bps <= 0)
			return 0;
		/* Half of what is left, for the other way needs some too. */
		if (left / 2 * 8000 / (FACTOR * flow->capacity_bps) < ms)
			ms = left / 2 * 8000 / (FACTOR * flow->capacity_bps);
	}
	return ms >= SHORTEST_MS ? ms : 0;
}

/* Whether both paths are up and idle. */
static bool both_ready(struct hw_survey *survey, const struct hw_survey_pair *pair)
{
	return hw_survey_ready(survey, hw_survey_best(survey, pair->a)) &&
	       hw_survey_ready(survey, hw_survey_best(survey, pair->b));
}

static bool start_both(struct hw_survey *survey, const struct hw_survey_pair *pair, double ms,
		       hw_time now)
{
	bool started = true;

	for (int i = 0; i < 2; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, link_of(pair, i));
		double bps = FACTOR * flow_of(survey, pair, i)->capacity_bps;
		double bytes = bps * ms / 8000;
		struct hw_load_params params = {
			.down = survey->pairing.way == HW_SURVEY_DOWN,
			.rate_kbps = (uint32_t)(bps / 1000 < HW_LOAD_RATE_MAX_KBPS
							? bps / 1000 + 1
							: HW_LOAD_RATE_MAX_KBPS),
			.duration_ms = (uint32_t)ms,
			.bytes = bytes < HW_LOAD_BYTES_MAX ? (uint32_t)bytes : HW_LOAD_BYTES_MAX,
		};

		survey->pairing.reserved[i] = (uint64_t)bytes;
		started = hw_core_load_start(survey->core, 0, path->path, &params, now) == 0 &&
			  started;
	}
	return started;
}

static void next_pair(struct hw_survey *survey)
{
	struct hw_survey_pairing *pairing = &survey->pairing;

	pairing->running = false;
	pairing->ready_by = 0;
	if (pairing->way == HW_SURVEY_UP) {
		pairing->way = HW_SURVEY_DOWN;
		return;
	}
	pairing->way = HW_SURVEY_UP;
	pairing->pair++;
}

static void take(struct hw_survey *survey, struct hw_survey_pair *pair,
		 const struct hw_load_outcome o[2])
{
	struct hw_shared_evidence *evidence = &pair->way[survey->pairing.way];

	for (int i = 0; i < 2; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, link_of(pair, i));
		double bps = hw_survey_rate(path, &o[i]);

		survey->result.links[link_of(pair, i)].spent +=
			hw_survey_cost_of(path, &o[i], survey->pairing.reserved[i]);
		if (o[0].state != HW_LOAD_OVER || o[1].state != HW_LOAD_OVER || bps < 0)
			continue;
		evidence->alone_bps[i] = flow_of(survey, pair, i)->capacity_bps;
		evidence->together_bps[i] = bps;
	}
}

static bool follow(struct hw_survey *survey, struct hw_survey_pair *pair, hw_time now)
{
	bool down = survey->pairing.way == HW_SURVEY_DOWN;
	struct hw_load_outcome o[2];

	for (int i = 0; i < 2; i++) {
		const struct hw_survey_path *path = hw_survey_best(survey, link_of(pair, i));

		hw_core_load_outcome(survey->core, 0, path->path, down, &o[i]);
		if (o[i].state == HW_LOAD_RUNNING)
			return true;
	}
	take(survey, pair, o);
	survey->pairing.rest_until = now + HW_SURVEY_REST;
	next_pair(survey);
	return true;
}

bool hw_survey_pairing(struct hw_survey *survey, hw_time now)
{
	struct hw_survey_pairing *pairing = &survey->pairing;
	struct hw_survey_pair *pair;
	double ms;

	if (pairing->pair >= survey->result.pair_count || pairing->pair >= HW_SURVEY_PAIRS)
		return false;
	pair = &survey->result.pairs[pairing->pair];
	if (pairing->running)
		return follow(survey, pair, now);
	if (now < pairing->rest_until)
		return true;
	ms = time_for(survey, pair);
	if (ms <= 0) {
		next_pair(survey);
		return true;
	}
	if (pairing->ready_by == 0)
		pairing->ready_by = now + HW_SURVEY_READY_PATIENCE;
	if (!both_ready(survey, pair) && now < pairing->ready_by)
		return true;
	hw_survey_tell(survey, HW_SURVEY_PAIRING, pair->a, pair->b, pairing->way);
	pairing->running = start_both(survey, pair, ms, now);
	if (!pairing->running)
		next_pair(survey);
	return true;
}

void hw_survey_pairs_judge(struct hw_survey *survey)
{
	for (uint32_t i = 0; i < survey->result.pair_count; i++) {
		struct hw_survey_pair *pair = &survey->result.pairs[i];

		pair->verdict = hw_shared_judge(&pair->way[HW_SURVEY_UP],
						&pair->way[HW_SURVEY_DOWN]);
	}
}
