#include "mtu_way.h"

#include <math.h>

#include "test.h"

#define REPORT_EVERY HW_MS(20)

void way_init(struct way *w, uint64_t seed, uint32_t ceiling_ip, uint32_t limit_ip)
{
	memset(w, 0, sizeof(*w));
	hw_rng_init(&w->rng, seed);
	w->now = HW_S(1000);
	w->rtt = HW_MS(50);
	w->limit = limit_ip;
	w->context.timeout = HW_MS(60);
	w->next_data = w->next_report = HW_TIME_NEVER;
	hw_path_mtu_init(&w->mtu, false, ceiling_ip - WAY_HEADERS);
}

/* An exponentially distributed time. */
static hw_time spell(struct way *w, double mean)
{
	return 1 + (hw_time)(-mean * log(1 - hw_rng_unit(&w->rng)));
}

/* Whether a packet survives one way of the path. */
static bool survives(struct way *w, int way)
{
	if (w->dead)
		return false;
	if (w->burst == 0)
		return hw_rng_unit(&w->rng) >= w->loss;
	while (w->now >= w->until[way]) {
		double mean = (double)w->burst;

		if (w->until[way] == 0)
			w->until[way] = w->now;
		w->bad[way] = !w->bad[way];
		w->until[way] += spell(w, w->bad[way] ? mean : mean * (1 - w->loss) / w->loss);
	}
	return !w->bad[way];
}

static void fly(struct way *w, const struct way_answer *answer)
{
	assert_true(w->flights < WAY_FLIGHT);
	w->flight[w->flights++] = *answer;
}

static void send_probes(struct way *w)
{
	uint64_t token;
	uint32_t size;

	while (hw_path_mtu_next(&w->mtu, 3, &token, &size)) {
		const struct way_answer answer = { .at = w->now + w->rtt, .token = token,
						   .size = size };

		assert_true(size <= w->mtu.ceiling || size == HW_PATH_MTU_REFERENCE);
		w->probes_of[size / 16]++;
		if (survives(w, 0) && size + WAY_HEADERS <= w->limit && survives(w, 1))
			fly(w, &answer);
	}
}

static void send_data(struct way *w)
{
	uint32_t ip = w->sizes[w->sequence % w->size_count];
	uint32_t bytes = ip == 0 || ip > way_size(w) ? w->mtu.size : ip - WAY_HEADERS;

	hw_path_mtu_sent(&w->mtu, 1, w->sequence++, bytes, true, w->now);
	w->data_sent++;
	if (bytes + WAY_HEADERS > w->limit)
		w->data_lost_by_size++;
	else if (survives(w, 0)) {
		/* The report that goes out next knows of it. */
		w->received++;
		w->reported = w->sequence;
	}
	w->next_data = w->now + w->every;
}

static void send_report(struct way *w)
{
	struct way_answer report = { .at = w->now + w->rtt };

	w->next_report = w->now + REPORT_EVERY;
	/* A report that is lost is made up for by the next. */
	if (w->reported <= w->told || !survives(w, 1))
		return;
	report.first = w->told;
	report.last = w->reported - 1;
	report.received = w->received - w->told_received;
	w->told = w->reported;
	w->told_received = w->received;
	fly(w, &report);
}

static void arrive(struct way *w, uint32_t i)
{
	struct way_answer a = w->flight[i];

	w->flight[i] = w->flight[--w->flights];
	if (a.token != 0)
		assert_true(hw_path_mtu_answered(&w->mtu, a.token, a.size, w->now) ||
			    w->mtu.rounds >= HW_PATH_MTU_ROUNDS || w->mtu.valid_from > 1);
	else
		hw_path_mtu_reported(&w->mtu, 1, a.first, a.last, a.received, w->now);
}

static void hear(struct way *w)
{
	uint32_t ip, was;

	if (!hw_path_mtu_news(&w->mtu, &ip, &was))
		return;
	w->news++;
	assert_int_equal(ip, way_size(w));
	if (was != 0 && ip < was) {
		w->shrank++;
		w->shrank_at = w->now;
	}
}

static uint32_t first_arrival(const struct way *w)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < w->flights; i++)
		if (w->flight[i].at < w->flight[best].at)
			best = i;
	return best;
}

void way_run(struct way *w, hw_time until)
{
	uint64_t steps = 0;

	if (w->every != 0 && w->next_data == HW_TIME_NEVER) {
		w->next_data = w->now;
		w->next_report = w->now + REPORT_EVERY;
	}
	w->context.active = w->every != 0;
	for (;;) {
		uint32_t first = first_arrival(w);
		hw_time arrival = w->flights > 0 ? w->flight[first].at : HW_TIME_NEVER;
		hw_time tick = hw_path_mtu_deadline(&w->mtu, &w->context);
		hw_time next = hw_time_min(hw_time_min(arrival, tick),
					   hw_time_min(w->next_data, w->next_report));

		assert_true(++steps < 50000000);
		if (next > until)
			break;
		w->now = hw_time_max(w->now, next);
		if (next == arrival)
			arrive(w, first);
		else if (next == tick)
			hw_path_mtu_tick(&w->mtu, &w->context, w->now);
		else if (next == w->next_data)
			send_data(w);
		else
			send_report(w);
		send_probes(w);
		hear(w);
	}
	w->now = until;
}
