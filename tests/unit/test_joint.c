/* The matrix of paths that are bad together, and what makes a slot bad. */
#include "test.h"

#include <math.h>

#include "base/rng.h"
#include "path/joint.h"
#include "path/slotter.h"

static struct hw_joint joint;

/* Bad spells: geometric with that mean length, bad for that share of all slots. */
struct spells {
	double enter, leave;
	bool bad;
};

static struct spells spells_of(double share, double mean)
{
	return (struct spells){ .enter = share / (mean * (1 - share)), .leave = 1 / mean };
}

static bool spells_step(struct spells *s, struct hw_rng *rng)
{
	s->bad = s->bad ? hw_rng_unit(rng) >= s->leave : hw_rng_unit(rng) < s->enter;
	return s->bad;
}

/*
 * Two paths, each bad for `share` of the slots, with `lift`: what coincides comes from a third series
 * that makes both bad. P(both) = c + (share - c)^2 / (1 - c) solves for c, the share of the third.
 */
static void run_pair(uint64_t seed, double share, double mean, double lift, unsigned slots)
{
	struct hw_rng rng;
	double both = lift * share * share;
	double c = (both - share * share) / (1 - 2 * share + both);
	struct spells own[2], common = spells_of(c > 0 ? c : 1e-12, mean);

	for (int i = 0; i < 2; i++)
		own[i] = spells_of((share - c) / (1 - c), mean);
	hw_rng_init(&rng, seed);
	hw_joint_init(&joint);
	for (unsigned i = 0; i < slots; i++) {
		bool shared = spells_step(&common, &rng);
		bool a = spells_step(&own[0], &rng), b = spells_step(&own[1], &rng);

		hw_joint_mark(&joint, 3, i, i, a || shared);
		hw_joint_mark(&joint, 7, i, i, b || shared);
	}
}

/* Verdicts of `seeds` runs of five minutes. */
static void verdicts(double share, double mean, double lift, unsigned seeds, unsigned ret[3])
{
	struct hw_joint_figures f;

	ret[0] = ret[1] = ret[2] = 0;
	for (unsigned seed = 1; seed <= seeds; seed++) {
		run_pair(seed, share, mean, lift, 3000);
		hw_joint_figures(&joint, 3, 7, &f);
		ret[f.verdict]++;
	}
}

/* The error rates that docs/measurement.md states; 400 seeds each way. */
static void independence_and_a_lift_of_3_6_are_told_apart_in_5_minutes(void **state)
{
	static const struct {
		double share, mean;
		unsigned right; /* of 400, at least, each way */
	} cases[] = {
		{ 0.20, 1, 396 }, { 0.20, 3, 396 }, { 0.10, 1, 396 }, { 0.10, 3, 396 }, { 0.10, 5, 380 },
		{ 0.05, 1, 380 }, { 0.05, 3, 200 }, { 0.05, 5, 60 },  { 0.02, 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned apart[3], together[3];

		verdicts(cases[i].share, cases[i].mean, 1.0, 400, apart);
		verdicts(cases[i].share, cases[i].mean, 3.6, 400, together);
		print_message("# bad %.0f %% in spells of %.0f slots: independent: said so %u, unknown %u, "
			      "wrong %u; lift 3.6: said so %u, unknown %u, wrong %u\n",
			      cases[i].share * 100, cases[i].mean, apart[HW_JOINT_INDEPENDENT],
			      apart[HW_JOINT_UNKNOWN], apart[HW_JOINT_TOGETHER],
			      together[HW_JOINT_TOGETHER], together[HW_JOINT_UNKNOWN],
			      together[HW_JOINT_INDEPENDENT]);
		assert_in_range(apart[HW_JOINT_TOGETHER], 0, 7);
		assert_in_range(together[HW_JOINT_INDEPENDENT], 0, 4);
		assert_in_range(apart[HW_JOINT_INDEPENDENT], cases[i].right, 400);
		assert_in_range(together[HW_JOINT_TOGETHER], cases[i].right, 400);
	}
}

/* The interval holds the true lift as often as it says: 90 %, or more, since it is conservative. */
static void the_interval_holds_the_truth(void **state)
{
	static const double lifts[] = { 1.0, 2.0, 3.6 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct hw_joint_figures f;
		unsigned held = 0;
		double mean = 0;

		for (unsigned seed = 1; seed <= 300; seed++) {
			run_pair(seed + 1000, 0.1, 3, lifts[i], 6000);
			hw_joint_figures(&joint, 3, 7, &f);
			held += f.low <= lifts[i] && f.high >= lifts[i];
			mean += f.lift / 300;
		}
		print_message("# lift %.1f: mean %.2f, held %u of 300\n", lifts[i], mean, held);
		assert_true(fabs(mean - lifts[i]) < 0.1 * lifts[i]);
		assert_in_range(held, 246, 300); /* 270 - 4 sigma of the binomial, rounded down */
	}
}

static void slots_are_counted_as_they_were_marked(void **state)
{
	struct hw_joint_figures f, g;

	(void)state;
	hw_joint_init(&joint);
	hw_joint_figures(&joint, 0, 1, &f);
	assert_true(f.slots == 0 && f.lift < 0 && f.verdict == HW_JOINT_UNKNOWN);
	/* Of 400: a bad in 100..149, b in 125..199, c carries nothing in every second slot. */
	for (int64_t i = 0; i < 400; i++) {
		hw_joint_mark(&joint, 0, i, i, i >= 100 && i < 150);
		hw_joint_mark(&joint, 5, i, i, i >= 125 && i < 200);
		if (i % 2 == 0)
			hw_joint_mark(&joint, 15, i, i, false);
	}
	hw_joint_mark(&joint, 1, 400 + 63, 400 + 63, false); /* closes all of them */
	hw_joint_figures(&joint, 0, 5, &f);
	assert_true(fabs(f.slots - 400) < 400 * 400 / 6000.0);
	assert_true(fabs(f.bad_a - 50 / 400.0) < 0.005);
	assert_true(fabs(f.bad_b - 75 / 400.0) < 0.005);
	assert_true(fabs(f.bad_both - 25 / 400.0) < 0.005);
	assert_true(fabs(f.lift - 25 * 400 / (50.0 * 75)) < 0.1);
	assert_true(f.low < f.lift && f.lift < f.high);
	hw_joint_figures(&joint, 5, 0, &g);
	assert_true(g.bad_a == f.bad_b && g.bad_b == f.bad_a && g.lift == f.lift);
	hw_joint_figures(&joint, 15, 0, &f);
	assert_true(fabs(f.slots - 200) < 10);
	assert_true(f.bad_a == 0 && f.lift < 0);
	hw_joint_figures(&joint, 0, 1, &f);
	assert_true(f.slots == 0);
	hw_joint_forget(&joint, 5);
	hw_joint_figures(&joint, 0, 5, &f);
	assert_true(f.slots == 0);
	hw_joint_figures(&joint, 0, 15, &f);
	assert_true(f.slots > 190);
}

/* News of a silence comes when it is over; what is older than 64 slots is settled. */
static void late_marks_count_while_a_slot_is_open(void **state)
{
	struct hw_joint_figures f;

	(void)state;
	hw_joint_init(&joint);
	for (int64_t i = 0; i < 200; i++)
		hw_joint_mark(&joint, 0, i, i, false);
	hw_joint_mark(&joint, 1, 120, 199, true); /* 136 is the oldest that is open */
	for (int64_t i = 200; i < 400; i++)
		hw_joint_mark(&joint, 0, i, i, false);
	hw_joint_figures(&joint, 0, 1, &f);
	assert_true(fabs(f.slots - 64) < 1);
	assert_true(fabs(f.bad_b - 1) < 1e-9);
	/* A bad mark stays, whatever is said later. */
	hw_joint_mark(&joint, 1, 399, 399, true);
	hw_joint_mark(&joint, 1, 399, 399, false);
	hw_joint_mark(&joint, 0, 500, 500, false);
	hw_joint_figures(&joint, 0, 1, &f);
	assert_true(fabs(f.slots - 65) < 2);
	assert_true(fabs(f.bad_b - 1) < 1e-9);
}

/* A clock that jumps closes what is open and goes on, in a bounded time. */
static void jumps_of_the_clock_are_survived(void **state)
{
	static const int64_t jumps[] = { 1000000000000, -1000000000000, 0, -70, 90000000000 };
	struct hw_joint_figures f;
	int64_t at = 0;

	(void)state;
	hw_joint_init(&joint);
	for (size_t j = 0; j < 5; j++) {
		at += jumps[j];
		for (int64_t i = 0; i < 100; i++) {
			hw_joint_mark(&joint, 0, at + i, at + i, false);
			hw_joint_mark(&joint, 1, at + i, at + i, true);
		}
		at += 100;
	}
	hw_joint_mark(&joint, 2, at + 1000, at + 1000, true);
	hw_joint_figures(&joint, 0, 1, &f);
	assert_true(fabs(f.slots - 500) < 70); /* -70 writes over what is still open */
}

/* ---- what makes a slot bad ---- */

enum { LOST = 1, LATE = 2, COLLAPSED = 4, PAUSED = 8, SILENT = 16, ONE_LOST = 32 };

/*
 * Path 0 as `kind` says for `slots` slots from slot 100 on, path 1 as good as can be; `rate` packets a
 * slot. Returns in how many slots path 0 was bad, and in *ret_active carried something.
 */
static double bad_slots(unsigned kind, unsigned rate, unsigned slots, double *ret_active)
{
	struct hw_slotter s[2] = { 0 };
	struct hw_joint_figures f;
	uint32_t missing = 0;

	hw_joint_init(&joint);
	for (unsigned i = 0; i < 300 * rate; i++) {
		unsigned slot = i / rate;
		bool now = slot >= 100 && slot < 100 + slots;
		int64_t at = (int64_t)i * (int64_t)HW_MS(100) / rate - (int64_t)HW_S(3);
		int64_t queue = 0;

		hw_slotter_add(&s[1], &joint, 1, at, 1, 1, 0);
		if (now && (((kind & LOST) != 0 && i % 2) || (kind & SILENT) != 0 ||
			    ((kind & ONE_LOST) != 0 && i % rate == 1))) {
			missing++;
			continue;
		}
		if (now && ((kind & PAUSED) != 0 || ((kind & COLLAPSED) != 0 && i % 8 != 0)))
			continue; /* not sent, or not come yet */
		if (now && (kind & LATE) != 0)
			queue = (int64_t)HW_MS(31);
		if (now && (kind & COLLAPSED) != 0)
			queue = (int64_t)HW_MS(20);
		hw_slotter_add(&s[0], &joint, 0, at, 1 + missing, 1, queue);
		missing = 0;
	}
	for (int i = 0; i < 2; i++)
		hw_slotter_add(&s[i], &joint, (uint32_t)i, (int64_t)HW_S(100), 1, 1, 0);
	hw_joint_mark(&joint, 2, 2000, 2000, false);
	hw_joint_figures(&joint, 0, 1, &f);
	*ret_active = f.slots;
	return f.bad_a * f.slots;
}

static void slots_are_judged_by_what_came(void **state)
{
	double active;

	(void)state;
	assert_true(bad_slots(0, 10, 20, &active) < 0.01);
	assert_true(fabs(active - 300) < 12);
	assert_true(fabs(bad_slots(LOST, 10, 20, &active) - 20) < 2);
	assert_true(fabs(bad_slots(LATE, 10, 20, &active) - 20) < 2);
	assert_true(fabs(bad_slots(COLLAPSED, 80, 10, &active) - 10) < 2);
	/* One of 100 lost is no spell, one of three is. */
	assert_true(bad_slots(ONE_LOST, 100, 20, &active) < 0.01);
	assert_true(fabs(bad_slots(ONE_LOST, 3, 20, &active) - 20) < 2);
	/* Silence in which something was sent is bad, all of it; a pause is nothing. */
	assert_true(fabs(bad_slots(SILENT, 10, 20, &active) - 20) < 2);
	assert_true(fabs(active - 300) < 12);
	assert_true(bad_slots(PAUSED, 10, 20, &active) < 0.01);
	assert_true(fabs(active - 280) < 12);
}

/* Probes alone, one a second, tell nothing about the silence between them. */
static void sparse_traffic_is_not_judged_by_silence(void **state)
{
	struct hw_slotter s = { 0 };
	struct hw_joint_figures f;

	(void)state;
	hw_joint_init(&joint);
	for (int64_t i = 0; i < 1000; i++)
		hw_joint_mark(&joint, 1, i, i, false);
	hw_joint_init(&joint);
	for (int64_t i = 0; i < 100; i++) {
		for (int64_t slot = i * 10; slot < i * 10 + 10; slot++)
			hw_joint_mark(&joint, 1, slot, slot, false);
		if (i % 2 == 0)
			hw_slotter_add(&s, &joint, 0, i * (int64_t)HW_S(1), i > 0 ? 2 : 1, 1, 0);
	}
	hw_joint_mark(&joint, 2, 5000, 5000, false);
	hw_joint_figures(&joint, 0, 1, &f);
	assert_true(f.slots < 60);
}

/* One bad moment that both had, then days without: it says less and less, and at last nothing. */
static void what_is_long_past_gives_no_figures(void **state)
{
	struct hw_joint_figures f;

	(void)state;
	hw_joint_init(&joint);
	for (int64_t slot = 0; slot < 3000000; slot++) {
		hw_joint_mark(&joint, 0, slot, slot, slot == 1000);
		hw_joint_mark(&joint, 1, slot, slot, slot == 1000);
		if (slot % 5000 != 0)
			continue;
		hw_joint_figures(&joint, 0, 1, &f);
		assert_true(isfinite(f.lift) && isfinite(f.low) && isfinite(f.high));
		assert_true(f.lift < 100000);
		if (slot == 5000)
			assert_true(f.lift > 1000);
		if (slot > 20000) {
			assert_true(f.lift < 0 && f.low < 0 && f.high < 0);
			assert_int_equal(f.verdict, HW_JOINT_UNKNOWN);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(independence_and_a_lift_of_3_6_are_told_apart_in_5_minutes),
		cmocka_unit_test(the_interval_holds_the_truth),
		cmocka_unit_test(slots_are_counted_as_they_were_marked),
		cmocka_unit_test(late_marks_count_while_a_slot_is_open),
		cmocka_unit_test(jumps_of_the_clock_are_survived),
		cmocka_unit_test(what_is_long_past_gives_no_figures),
		cmocka_unit_test(slots_are_judged_by_what_came),
		cmocka_unit_test(sparse_traffic_is_not_judged_by_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
