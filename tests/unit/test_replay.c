#include "test.h"

#include <stdlib.h>

#include "base/rng.h"
#include "session/replay.h"

#define NEW HW_REPLAY_NEW
#define DUP HW_REPLAY_DUPLICATE
#define OLD HW_REPLAY_OLD
#define LATE HW_REPLAY_LATE

static const struct hw_replay_params fixed64 = { 64, 64, HW_TIME_NEVER };

static void parameters_have_ranges(void **state)
{
	static const struct {
		struct hw_replay_params params;
		bool valid;
	} cases[] = {
		{ { 65536, 524288, HW_S(10) }, true }, { { 64, 64, 1 }, true },
		{ { 524288, 524288, HW_TIME_NEVER }, true },
		{ { 32, 64, 1 }, false }, { { 0, 64, 1 }, false }, { { 96, 128, 1 }, false },
		{ { 64, 96, 1 }, false }, { { 128, 64, 1 }, false }, { { 64, 64, 0 }, false },
		{ { 64, 1048576, 1 }, false }, { { 1048576, 1048576, 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hw_replay_params_valid(&cases[i].params), cases[i].valid);
}

/* Each line is one accept, numbered by its place; the window holds 64 and knows no time. */
static void vectors(void **state)
{
	static const struct {
		uint64_t counter;
		enum hw_replay_verdict verdict;
	} steps[] = {
		/*  0 */ { 0, NEW },
		/*  1 */ { 0, DUP },
		/*  2 */ { 1, NEW },
		/*  3 */ { 1, DUP },
		/*  4 */ { 9, NEW },
		/*  5 */ { 8, NEW },
		/*  6 */ { 7, NEW },
		/*  7 */ { 7, DUP },
		/*  8 */ { 63, NEW },
		/*  9 */ { 0, DUP }, /* the oldest place of 64 */
		/* 10 */ { 64, NEW },
		/* 11 */ { 0, OLD },
		/* 12 */ { 1, DUP },
		/* 13 */ { 2, NEW },
		/* 14 */ { 65, NEW },
		/* 15 */ { 1, OLD },
		/* 16 */ { 2, DUP },
		/* 17 */ { 128, NEW }, /* 63 ahead: 65 stays */
		/* 18 */ { 65, DUP },
		/* 19 */ { 64, OLD },
		/* 20 */ { 127, NEW },
		/* 21 */ { 66, NEW },
		/* 22 */ { 192, NEW }, /* exactly 64 ahead: nothing stays */
		/* 23 */ { 128, OLD },
		/* 24 */ { 129, NEW },
		/* 25 */ { 191, NEW },
		/* 26 */ { 192, DUP },
		/* 27 */ { 1000000, NEW }, /* far ahead */
		/* 28 */ { 192, OLD },
		/* 29 */ { 999937, NEW },
		/* 30 */ { 999936, OLD },
		/* 31 */ { 999937, DUP },
		/* 32 */ { UINT64_C(0xffffffff), NEW },
		/* 33 */ { UINT64_C(0x100000000), NEW },
		/* 34 */ { UINT64_C(0xffffffff), DUP },
		/* 35 */ { UINT64_C(0xffffffc1), NEW },
		/* 36 */ { UINT64_C(0xffffffc0), OLD },
		/* 37 */ { 1000000, OLD },
		/* 38 */ { UINT64_MAX - 1, NEW },
		/* 39 */ { UINT64_MAX, NEW },
		/* 40 */ { UINT64_MAX, DUP },
		/* 41 */ { UINT64_MAX - 63, NEW },
		/* 42 */ { UINT64_MAX - 64, OLD },
		/* 43 */ { 0, OLD },
	};
	struct hw_replay replay;
	uint64_t accepted = 0;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &fixed64), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (hw_replay_check(&replay, steps[i].counter, 0) != steps[i].verdict)
			fail_msg("vector %zu: check", i);
		if (hw_replay_accept(&replay, steps[i].counter, 0) != steps[i].verdict)
			fail_msg("vector %zu: accept", i);
		accepted += steps[i].verdict == NEW;
		assert_int_equal(replay.accepted, accepted);
	}
	hw_replay_fini(&replay);
}

static void check_changes_nothing(void **state)
{
	struct hw_replay replay, before;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &fixed64), 0);
	assert_int_equal(hw_replay_accept(&replay, 100, 5), NEW);
	before = replay;

	uint64_t word = replay.bits[0];

	assert_int_equal(hw_replay_check(&replay, 100, 5), DUP);
	assert_int_equal(hw_replay_check(&replay, 99, 5), NEW);
	assert_int_equal(hw_replay_check(&replay, 500, 5), NEW);
	assert_int_equal(hw_replay_check(&replay, 1, 5), OLD);
	assert_int_equal(hw_replay_accept(&replay, 100, 6), DUP);
	assert_int_equal(hw_replay_accept(&replay, 1, 6), OLD);
	assert_memory_equal(&replay, &before, sizeof(replay));
	assert_int_equal(replay.bits[0], word);
	hw_replay_fini(&replay);
}

static void first_counter_may_be_any(void **state)
{
	static const uint64_t firsts[] = { 0, 1, 63, 64, 70000, UINT64_C(0xffffffff), UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		struct hw_replay replay;

		assert_int_equal(hw_replay_init(&replay, &fixed64), 0);
		assert_int_equal(hw_replay_lost(&replay), 0);
		assert_int_equal(hw_replay_accept(&replay, firsts[i], 0), NEW);
		assert_int_equal(hw_replay_accept(&replay, firsts[i], 0), DUP);
		assert_int_equal(hw_replay_lost(&replay), firsts[i]);
		if (firsts[i] >= 63)
			assert_int_equal(hw_replay_accept(&replay, firsts[i] - 63, 0), NEW);
		if (firsts[i] >= 64)
			assert_int_equal(hw_replay_accept(&replay, firsts[i] - 64, 0), OLD);
		hw_replay_fini(&replay);
	}
}

/*
 * The naive model: remembers the last 2^20 counters exactly, when each was accepted and when it was
 * overtaken, and states the rules as the header does. Only between late_after and the slack of the
 * marks may the window say either NEW or LATE.
 */
#define MODEL_ROOM (1u << 20)

struct model {
	uint64_t base; /* counters are offsets from here, so that runs can start anywhere */
	uint8_t *accepted;
	hw_time *overtaken_at; /* for accepted or not: when a higher counter was first accepted */
	uint64_t next;         /* highest accepted + 1, as an offset */
	uint64_t count;
	uint64_t verdicts[4];
};

static void model_raise(struct model *m, uint64_t offset, hw_time now)
{
	if (offset < m->next)
		return;
	for (uint64_t c = m->next > 0 ? m->next - 1 : 0; c < offset; c++)
		m->overtaken_at[c] = now;
	m->next = offset + 1;
}

static void model_step(struct model *m, struct hw_replay *replay, uint64_t offset, hw_time now,
		       uint32_t packets_min)
{
	const hw_time late_after = replay->params.late_after;
	const hw_time slack = late_after / 31 + 1;
	enum hw_replay_verdict checked = hw_replay_check(replay, m->base + offset, now);
	enum hw_replay_verdict verdict = hw_replay_accept(replay, m->base + offset, now);
	bool below = offset + 1 < m->next;
	uint64_t depth = m->next > 0 && below ? m->next - 1 - offset : 0;
	hw_time age = below ? now - m->overtaken_at[offset] : 0;

	m->verdicts[verdict]++;
	assert_int_equal(checked, verdict);
	switch (verdict) {
	case NEW:
		assert_false(m->accepted[offset]); /* never twice: the promise itself */
		assert_true(age <= late_after + slack);
		m->accepted[offset] = 1;
		m->count++;
		model_raise(m, offset, now);
		break;
	case DUP:
		assert_true(m->accepted[offset]);
		break;
	case LATE:
		assert_true(age > late_after);
		break;
	case OLD:
		/* Only where even the largest window had to let go of it, or it was late already. */
		assert_true(depth >= packets_min);
		if (age <= late_after)
			assert_true(depth >= replay->params.packets_max);
		break;
	}
	assert_int_equal(replay->highest, m->base + m->next - 1);
	assert_int_equal(replay->accepted, m->count);
	assert_int_equal(hw_replay_lost(replay), m->base + m->next - m->count);
}

static void run_model(uint64_t seed, uint64_t base, const struct hw_replay_params *params,
		      hw_time step_ns, uint32_t skew_max, uint32_t steps, bool all_verdicts)
{
	struct model m = { .base = base };
	struct hw_replay replay;
	struct hw_rng rng;
	uint64_t front = 0;
	hw_time now = HW_S(1000);

	m.accepted = calloc(MODEL_ROOM, sizeof(*m.accepted));
	m.overtaken_at = calloc(MODEL_ROOM, sizeof(*m.overtaken_at));
	assert_non_null(m.accepted);
	assert_non_null(m.overtaken_at);
	assert_int_equal(hw_replay_init(&replay, params), 0);
	hw_rng_init(&rng, seed);
	for (uint32_t i = 0; i < steps; i++) {
		uint64_t dice = hw_rng_below(&rng, 100);
		uint64_t skew = hw_rng_below(&rng, hw_rng_below(&rng, 4) ? 8 : skew_max) + 1;

		now += hw_rng_below(&rng, 2 * step_ns);
		if (dice == 0)
			now += hw_rng_below(&rng, 200 * step_ns);
		if (dice < 60 && front + 1 < MODEL_ROOM)
			model_step(&m, &replay, front++, now, params->packets);
		else if (dice < 62 && front + 2 * params->packets < MODEL_ROOM / 2)
			front += hw_rng_below(&rng, params->packets + 9); /* lost on every path */
		else
			model_step(&m, &replay, skew < front ? front - skew : front / 2, now,
				   params->packets);
	}
	print_message("# seed %llu: %llu new, %llu duplicate, %llu old, %llu late, window %u\n",
		      (unsigned long long)seed, (unsigned long long)m.verdicts[NEW],
		      (unsigned long long)m.verdicts[DUP], (unsigned long long)m.verdicts[OLD],
		      (unsigned long long)m.verdicts[LATE], replay.packets);
	assert_true(m.verdicts[NEW] > steps / 4);
	if (all_verdicts)
		for (int v = 0; v < 4; v++)
			assert_true(m.verdicts[v] > 0);
	hw_replay_fini(&replay);
	free(m.accepted);
	free(m.overtaken_at);
}

static void agrees_with_a_naive_set(void **state)
{
	static const struct hw_replay_params small = { 64, 512, HW_MS(100) };
	static const struct hw_replay_params middle = { 1024, 8192, HW_S(1) };
	static const struct hw_replay_params standard = { 65536, 524288, HW_S(10) };

	(void)state;
	run_model(1, 0, &small, HW_MS(1) / 4, 3000, 1000000, true);
	run_model(2, UINT64_C(0xffffffff) - 3000, &small, HW_MS(1), 600, 200000, false);
	run_model(3, (UINT64_C(7) << 32) - 50000, &middle, HW_MS(1) / 20, 20000, 1000000, true);
	run_model(4, UINT64_MAX - MODEL_ROOM, &middle, HW_MS(1) / 20, 9000, 200000, false);
	run_model(5, 0, &standard, 8000, 200000, 1000000, false);
}

static void packets_are_late_by_time(void **state)
{
	static const struct hw_replay_params params = { 1024, 1024, HW_S(10) };
	struct hw_replay replay;
	const hw_time t = HW_S(50);

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	assert_int_equal(hw_replay_accept(&replay, 10, t), NEW);
	assert_int_equal(hw_replay_accept(&replay, 20, t), NEW);
	/* Nothing newer comes: 20 is never late, what it overtook is, after 10 s to the nanosecond. */
	assert_int_equal(hw_replay_check(&replay, 19, t + HW_S(10)), NEW);
	assert_int_equal(hw_replay_check(&replay, 19, t + HW_S(10) + 1), LATE);
	assert_int_equal(hw_replay_accept(&replay, 19, t + HW_S(10) + 1), LATE);
	assert_int_equal(hw_replay_check(&replay, 20, t + HW_S(1000)), DUP);
	assert_int_equal(hw_replay_check(&replay, 10, t + HW_S(1000)), DUP);
	assert_int_equal(hw_replay_check(&replay, 21, t + HW_S(1000)), NEW);
	assert_int_equal(replay.accepted, 2);
	/* A silent stream goes on: what the newest overtakes now is not late yet. */
	assert_int_equal(hw_replay_accept(&replay, 30, t + HW_S(1000)), NEW);
	assert_int_equal(hw_replay_check(&replay, 25, t + HW_S(1010)), NEW);
	assert_int_equal(hw_replay_check(&replay, 15, t + HW_S(1010)), LATE);
	hw_replay_fini(&replay);
}

/* A steady stream: a packet may be as late as the limit, not 1/31 later. */
static void lateness_is_exact_to_a_mark(void **state)
{
	static const struct hw_replay_params params = { 65536, 65536, HW_S(10) };
	struct hw_replay replay;
	hw_time now = HW_S(1);

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	/* One packet each ms, the odd ones lost. Counter c is overtaken at 1 s + (c + 1) ms. */
	for (uint64_t c = 0; c < 40000; c += 2) {
		now = HW_S(1) + HW_MS(c);
		assert_int_equal(hw_replay_accept(&replay, c, now), NEW);
		if (c < 10400)
			continue;
		assert_int_equal(hw_replay_check(&replay, c - 9999, now), NEW);
		assert_int_equal(hw_replay_check(&replay, c - 10001 - 324, now), LATE);
		assert_true(replay.mark_count <= HW_REPLAY_MARKS);
	}
	hw_replay_fini(&replay);
}

static void no_time_limit_knows_no_late(void **state)
{
	struct hw_replay replay;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &fixed64), 0);
	assert_int_equal(hw_replay_accept(&replay, 5, 1), NEW);
	assert_int_equal(hw_replay_accept(&replay, 4, HW_TIME_NEVER - 1), NEW);
	hw_replay_fini(&replay);
}

/* 30,000 packets/s on a path of 5 ms, each copy again on one of 3 s: 90,000 behind. */
static void grows_so_that_skew_costs_nothing(void **state)
{
	static const struct hw_replay_params params = { 65536, 524288, HW_S(10) };
	const uint32_t rate = 30000;
	struct hw_replay replay;
	uint64_t old = 0, late = 0, rescued = 0;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t i = 0; i < 12 * rate; i++) {
		hw_time now = HW_S(1) + i * HW_NS_PER_S / rate;

		/* The fast path loses every tenth; the slow one brings it. */
		if (i % 10 != 0)
			assert_int_equal(hw_replay_accept(&replay, i, now), NEW);
		if (i < 3 * rate)
			continue;

		enum hw_replay_verdict v = hw_replay_accept(&replay, i - 3 * rate, now);

		old += v == OLD;
		late += v == LATE;
		rescued += v == NEW;
		assert_int_equal(v, (i - 3 * rate) % 10 == 0 ? NEW : DUP);
	}
	assert_int_equal(old + late, 0);
	assert_int_equal(rescued, 9 * rate / 10);
	assert_int_equal(replay.packets, 524288);
	/* Lost so far: every tenth of the last three seconds, still on the way; the last sent is not. */
	assert_int_equal(hw_replay_lost(&replay), 3 * rate / 10);
	hw_replay_fini(&replay);
}

static void growth_keeps_every_bit(void **state)
{
	static const struct hw_replay_params params = { 64, 1024, HW_S(10) };

	(void)state;
	/* From each alignment of the window in its words. */
	for (uint64_t start = 0; start < 130; start++) {
		struct hw_replay replay;
		hw_time now = HW_S(100);

		/* Fill a window of 64 slowly, so that it does not grow, then run ahead at once. */
		assert_int_equal(hw_replay_init(&replay, &params), 0);
		for (uint64_t c = 0; c < start + 64; c++, now += HW_MS(500))
			if (c % 3 != 1)
				assert_int_equal(hw_replay_accept(&replay, c, now), NEW);

		uint64_t highest = replay.highest;

		assert_int_equal(replay.packets, 64);
		assert_int_equal(hw_replay_accept(&replay, highest + 500, now), NEW);
		assert_int_equal(replay.packets, 1024);
		/* 9 s back at 2 packets a second. */
		for (uint64_t c = highest - 17; c <= highest; c++)
			assert_int_equal(hw_replay_check(&replay, c, now), c % 3 != 1 ? DUP : NEW);
		for (uint64_t c = highest + 1; c < highest + 500; c++)
			assert_int_equal(hw_replay_check(&replay, c, now), NEW);
		/* All 64 that the small window knew are still known. */
		for (uint64_t c = highest - 63; c <= highest; c++)
			if (c % 3 != 1)
				assert_int_equal(hw_replay_check(&replay, c, now), DUP);
		hw_replay_fini(&replay);
	}
}

static void grows_no_further_than_allowed(void **state)
{
	static const struct hw_replay_params params = { 64, 256, HW_S(10) };
	struct hw_replay replay;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t c = 1; c < 1000; c++) {
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
		assert_int_equal(replay.packets, c < 64 ? 64 : c < 128 ? 128 : 256);
	}
	assert_int_equal(hw_replay_check(&replay, 999 - 255, HW_S(1)), DUP);
	assert_int_equal(hw_replay_check(&replay, 999 - 256, HW_S(1)), OLD);
	assert_int_equal(hw_replay_check(&replay, 0, HW_S(1)), OLD);
	hw_replay_fini(&replay);
}

/* A window that could not grow in time and can later: what it forgot stays refused. */
static void growing_late_forgets_nothing(void **state)
{
	static const struct hw_replay_params params = { 64, 64, HW_S(10) };
	struct hw_replay replay;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t c = 0; c < 200; c++)
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
	replay.params.packets_max = 1024; /* as if memory had been short until now */
	assert_int_equal(hw_replay_accept(&replay, 200, HW_S(1)), NEW);
	assert_true(replay.packets > 200);
	for (uint64_t c = 0; c <= 200; c++)
		assert_int_equal(hw_replay_check(&replay, c, HW_S(1)), c < 136 ? LATE : DUP);
	hw_replay_fini(&replay);
}

/* Slow streams stay small however long they run. */
static void does_not_grow_without_need(void **state)
{
	static const struct hw_replay_params params = { 64, 1024, HW_S(10) };
	struct hw_replay replay;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t c = 0; c < 5000; c++) /* 6 packets a second: 62 in 10 s and a mark */
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1) + c * HW_MS(167)), NEW);
	assert_int_equal(replay.packets, 64);
	hw_replay_fini(&replay);
}

/* Windows that share a budget: what exceeds it is memory that is not there, and comes back. */
static void windows_share_a_budget(void **state)
{
	struct hw_replay_budget budget = { .left_bytes = 40 };
	const struct hw_replay_params params = { 64, 1024, HW_S(10), &budget };
	struct hw_replay a, b;

	(void)state;
	assert_int_equal(hw_replay_init(&a, &params), 0);
	assert_int_equal(budget.left_bytes, 32);
	assert_int_equal(hw_replay_accept(&a, 200, HW_S(1)), HW_REPLAY_NEW);
	assert_int_equal(a.packets, 256); /* the new ring, exactly what was left, before the old goes */
	assert_int_equal(budget.left_bytes, 8);
	assert_int_equal(hw_replay_init(&b, &params), 0);
	assert_int_equal(budget.left_bytes, 0);
	assert_int_equal(hw_replay_accept(&a, 600, HW_S(1)), HW_REPLAY_NEW);
	assert_int_equal(a.packets, 256); /* would have grown */
	assert_int_equal(hw_replay_accept(&a, 600, HW_S(1)), HW_REPLAY_DUPLICATE);
	hw_replay_fini(&b);
	budget.left_bytes = 7;
	assert_int_equal(hw_replay_init(&b, &params), HW_E_NOMEM);
	assert_int_equal(budget.left_bytes, 7);
	hw_replay_fini(&a);
	assert_int_equal(budget.left_bytes, 39);
}

/* A step of exactly 2^32 leaves nothing behind. */
static void a_step_of_four_thousand_million_forgets_all(void **state)
{
	const uint64_t far = UINT64_C(100) + (UINT64_C(1) << 32);
	struct hw_replay replay;

	(void)state;
	assert_int_equal(hw_replay_init(&replay, &fixed64), 0);
	for (uint64_t c = 0; c <= 100; c++)
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
	assert_int_equal(hw_replay_accept(&replay, far, HW_S(1)), NEW);
	for (uint64_t c = far - 63; c < far; c++)
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
	hw_replay_fini(&replay);
}

/* Growing never makes late again what was late, nor new what the smaller ring no longer knew. */
static void growing_moves_no_limit_down(void **state)
{
	struct hw_replay_budget budget = { .left_bytes = 8 };
	const struct hw_replay_params params = { 64, 1024, HW_S(10), &budget };
	struct hw_replay replay;

	(void)state;
	budget.left_bytes = 1024;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t c = 0; c <= 63; c++) {
		if (c != 40)
			assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
	}
	assert_int_equal(hw_replay_accept(&replay, 64, HW_S(20)), NEW); /* below 63: late now */
	assert_int_equal(replay.packets, 64);
	assert_int_equal(hw_replay_accept(&replay, 200, HW_S(20)), NEW);
	assert_int_equal(replay.packets, 256);
	assert_int_equal(hw_replay_check(&replay, 40, HW_S(20)), LATE);
	hw_replay_fini(&replay);

	/* Without the memory to grow when it was time: highest == packets. */
	budget.left_bytes = 8;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t c = 0; c <= 64; c++)
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
	assert_int_equal(replay.packets, 64);
	budget.left_bytes = 1024;
	assert_int_equal(hw_replay_accept(&replay, 65, HW_S(1)), NEW);
	assert_true(replay.packets > 64);
	assert_int_equal(hw_replay_check(&replay, 0, HW_S(1)), LATE);
	hw_replay_fini(&replay);

	/* And with the limit of time just where the ring's memory ends. */
	budget.left_bytes = 8;
	assert_int_equal(hw_replay_init(&replay, &params), 0);
	for (uint64_t c = 0; c <= 36; c++)
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(1)), NEW);
	for (uint64_t c = 37; c <= 100; c++)
		assert_int_equal(hw_replay_accept(&replay, c, HW_S(20)), NEW);
	assert_int_equal(replay.late_below, 36);
	assert_int_equal(replay.packets, 64);
	budget.left_bytes = 1024;
	assert_int_equal(hw_replay_accept(&replay, 101, HW_S(20)), NEW);
	assert_true(replay.packets > 64);
	assert_int_equal(hw_replay_check(&replay, 36, HW_S(20)), LATE);
	hw_replay_fini(&replay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_have_ranges),
		cmocka_unit_test(vectors),
		cmocka_unit_test(check_changes_nothing),
		cmocka_unit_test(first_counter_may_be_any),
		cmocka_unit_test(agrees_with_a_naive_set),
		cmocka_unit_test(packets_are_late_by_time),
		cmocka_unit_test(lateness_is_exact_to_a_mark),
		cmocka_unit_test(no_time_limit_knows_no_late),
		cmocka_unit_test(grows_so_that_skew_costs_nothing),
		cmocka_unit_test(growth_keeps_every_bit),
		cmocka_unit_test(grows_no_further_than_allowed),
		cmocka_unit_test(growing_late_forgets_nothing),
		cmocka_unit_test(does_not_grow_without_need),
		cmocka_unit_test(windows_share_a_budget),
		cmocka_unit_test(a_step_of_four_thousand_million_forgets_all),
		cmocka_unit_test(growing_moves_no_limit_down),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
