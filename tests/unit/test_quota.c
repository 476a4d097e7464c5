/* Quotas: the calendar, and clocks that are right, wrong, and put right. */
#include "test.h"

#include <stdio.h>

#include "base/rng.h"
#include "daemon/quota.h"

#define DAY_S (24u * 3600u)
#define GB UINT64_C(1000000000)

static const struct hw_quota_rule monthly = {50 * GB, HW_QUOTA_PER_MONTH, 1, 80};
static const struct hw_quota_rule daily = {GB, HW_QUOTA_PER_DAY, 1, 80};

static hw_quota_day date(int32_t year, uint32_t month, uint32_t day)
{
	return hw_quota_day_of(year, month, day);
}

static void days_are_those_of_the_calendar(void **state)
{
	static const struct {
		int32_t year;
		uint32_t month, day;
		hw_quota_day number;
	} known[] = {
		{1970, 1, 1, 0}, {1969, 12, 31, -1}, {2000, 2, 29, 11016}, {2026, 11, 22, 20779},
		{1, 1, 1, HW_QUOTA_DAY_MIN}, {9999, 12, 31, HW_QUOTA_DAY_MAX},
	};
	static const uint32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	hw_quota_day expected = HW_QUOTA_DAY_MIN;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(date(known[i].year, known[i].month, known[i].day),
				 known[i].number);
	/* Every day of 9,999 years, both ways, counted one by one. */
	for (int32_t year = 1; year <= 9999; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (uint32_t month = 1; month <= 12; month++) {
			uint32_t length = lengths[month - 1] + (leap && month == 2);

			for (uint32_t day = 1; day <= length; day++, expected++) {
				int32_t y;
				uint32_t m, d;

				hw_quota_date_of(expected, &y, &m, &d);
				if (date(year, month, day) != expected || y != year || m != month ||
				    d != day)
					fail_msg("%d-%u-%u", year, month, day);
			}
		}
	}
	assert_int_equal(expected, HW_QUOTA_DAY_MAX + 1);
}

static void periods_begin_on_their_day(void **state)
{
	static const struct {
		enum hw_quota_per per;
		uint32_t first_day;
		int32_t today[3], first[3], next[3];
	} cases[] = {
		{HW_QUOTA_PER_DAY, 1, {2026, 11, 22}, {2026, 11, 22}, {2026, 11, 23}},
		{HW_QUOTA_PER_DAY, 1, {2026, 12, 31}, {2026, 12, 31}, {2027, 1, 1}},
		{HW_QUOTA_PER_MONTH, 1, {2026, 11, 1}, {2026, 11, 1}, {2026, 12, 1}},
		{HW_QUOTA_PER_MONTH, 1, {2026, 11, 30}, {2026, 11, 1}, {2026, 12, 1}},
		{HW_QUOTA_PER_MONTH, 1, {2026, 12, 31}, {2026, 12, 1}, {2027, 1, 1}},
		{HW_QUOTA_PER_MONTH, 15, {2026, 11, 14}, {2026, 10, 15}, {2026, 11, 15}},
		{HW_QUOTA_PER_MONTH, 15, {2026, 11, 15}, {2026, 11, 15}, {2026, 12, 15}},
		{HW_QUOTA_PER_MONTH, 15, {2027, 1, 3}, {2026, 12, 15}, {2027, 1, 15}},
		/* Months that lack the day begin on their last. */
		{HW_QUOTA_PER_MONTH, 31, {2026, 2, 27}, {2026, 1, 31}, {2026, 2, 28}},
		{HW_QUOTA_PER_MONTH, 31, {2026, 2, 28}, {2026, 2, 28}, {2026, 3, 31}},
		{HW_QUOTA_PER_MONTH, 31, {2028, 2, 28}, {2028, 1, 31}, {2028, 2, 29}},
		{HW_QUOTA_PER_MONTH, 31, {2026, 4, 29}, {2026, 3, 31}, {2026, 4, 30}},
		{HW_QUOTA_PER_MONTH, 31, {2026, 4, 30}, {2026, 4, 30}, {2026, 5, 31}},
		{HW_QUOTA_PER_MONTH, 30, {2026, 3, 1}, {2026, 2, 28}, {2026, 3, 30}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hw_quota_rule rule = {1, cases[i].per, cases[i].first_day, 80};
		const int32_t *t = cases[i].today, *f = cases[i].first, *n = cases[i].next;
		const struct hw_quota_period period =
			hw_quota_period_of(&rule, date(t[0], (uint32_t)t[1], (uint32_t)t[2]));

		assert_int_equal(period.first, date(f[0], (uint32_t)f[1], (uint32_t)f[2]));
		assert_int_equal(period.next, date(n[0], (uint32_t)n[1], (uint32_t)n[2]));
	}
	/* Whatever the day: periods follow each other without a gap, and hold the day asked for. */
	for (uint32_t first_day = 1; first_day <= 31; first_day++) {
		const struct hw_quota_rule rule = {1, HW_QUOTA_PER_MONTH, first_day, 80};
		hw_quota_day next = hw_quota_period_of(&rule, date(2024, 1, 1)).next;

		for (hw_quota_day day = date(2024, 1, 1); day < date(2033, 1, 1); day++) {
			const struct hw_quota_period period = hw_quota_period_of(&rule, day);

			assert_true(period.first <= day && day < period.next);
			assert_in_range(period.next - period.first, 28, 31);
			if (day == next) {
				assert_int_equal(period.first, day);
				next = period.next;
			}
			assert_int_equal(period.next, next);
		}
	}
}

static void warned_and_spent_at_the_very_byte(void **state)
{
	static const struct {
		uint64_t bytes;
		uint32_t percent;
		uint64_t warn_at;
	} cases[] = {
		{1000, 80, 800}, {1, 80, 1}, {3, 50, 2}, {101, 99, 100},
		{UINT64_C(1000000000000000000), 99, UINT64_C(990000000000000000)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hw_quota_rule rule = {cases[i].bytes, HW_QUOTA_PER_DAY, 1,
						   cases[i].percent};
		struct hw_quota quota = {0};
		const uint64_t base = 12345;

		assert_true(hw_quota_advance(&quota, &rule, 20000, base, 0));
		assert_false(hw_quota_use_of(&quota, &rule, base + cases[i].warn_at - 1).warn);
		assert_true(hw_quota_use_of(&quota, &rule, base + cases[i].warn_at).warn);
		assert_false(hw_quota_use_of(&quota, &rule, base + cases[i].bytes - 1).spent);
		assert_int_equal(hw_quota_use_of(&quota, &rule, base + cases[i].bytes - 1).left, 1);
		assert_true(hw_quota_use_of(&quota, &rule, base + cases[i].bytes).spent);
		assert_true(hw_quota_use_of(&quota, &rule, base + 2 * cases[i].bytes).left == 0);
	}
}

static void no_quota_is_never_spent(void **state)
{
	const struct hw_quota_rule none = {0};
	const struct hw_quota quota = {0};

	(void)state;
	assert_false(hw_quota_use_of(&quota, &none, UINT64_MAX).spent);
	assert_false(hw_quota_use_of(&quota, &none, UINT64_MAX).warn);
}

/* One step of a story: the clock says this day, that much is carried, and this is used then. */
struct step {
	int32_t today[3];
	uint32_t running_hours; /* since the step before */
	uint64_t carried;       /* after the clock was looked at */
	uint64_t used;          /* after that */
};

static void tell(const char *name, const struct hw_quota_rule *rule, const struct step *steps,
		 size_t count)
{
	struct hw_quota quota = {0};
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		const int32_t *t = steps[i].today;
		hw_quota_day today = date(t[0], (uint32_t)t[1], (uint32_t)t[2]);
		uint64_t used;

		(void)hw_quota_advance(&quota, rule, today, total,
				       (uint64_t)steps[i].running_hours * 3600);
		assert_true(hw_quota_is_sound(&quota, total));
		/* Asking again changes nothing. */
		assert_false(hw_quota_advance(&quota, rule, today, total, 0));
		total += steps[i].carried;
		used = hw_quota_use_of(&quota, rule, total).used;
		if (used != steps[i].used)
			fail_msg("%s, step %zu: %llu used instead of %llu", name, i,
				 (unsigned long long)used, (unsigned long long)steps[i].used);
	}
}

#define TELL(rule, steps) tell(#steps, rule, steps, sizeof(steps) / sizeof((steps)[0]))

static void a_right_clock_begins_anew_each_period(void **state)
{
	static const struct step months[] = {
		{{2026, 11, 3}, 0, 10, 10}, {{2026, 11, 30}, 648, 5, 15},
		{{2026, 12, 1}, 24, 7, 7}, {{2027, 1, 1}, 744, 1, 1},
		/* Off for months. */
		{{2027, 6, 9}, 0, 4, 4},
	};
	static const struct step days[] = {
		{{2026, 11, 3}, 0, 10, 10}, {{2026, 11, 4}, 24, 5, 5}, {{2026, 11, 5}, 24, 6, 6},
		{{2026, 11, 6}, 24, 7, 7}, {{2026, 11, 7}, 24, 8, 8}, {{2026, 11, 8}, 24, 9, 9},
	};

	(void)state;
	TELL(&monthly, months);
	TELL(&daily, days);
}

static void a_clock_set_back_resets_nothing(void **state)
{
	/* To yesterday and to and fro: each day has at least what was carried while it was said. */
	static const struct step days[] = {
		{{2026, 11, 3}, 0, 10, 10}, {{2026, 11, 4}, 24, 5, 5}, {{2026, 11, 3}, 1, 2, 17},
		{{2026, 11, 4}, 1, 1, 8}, {{2026, 11, 3}, 1, 0, 18}, {{2026, 11, 4}, 1, 0, 8},
	};
	/* By years: no battery, so each start is in 1970 until the time is fetched. */
	static const struct step no_battery[] = {
		{{1970, 1, 1}, 0, 1, 1}, {{2026, 11, 3}, 0, 40, 40}, {{1970, 1, 1}, 0, 1, 41},
		{{2026, 11, 3}, 0, 2, 43}, {{1970, 1, 1}, 0, 1, 44}, {{1970, 1, 2}, 24, 1, 45},
		{{2026, 11, 5}, 24, 0, 45},
		/* Offline over the turn of a month that only the wrong clock sees. */
		{{1970, 1, 5}, 0, 1, 46}, {{1970, 2, 1}, 648, 3, 3},
	};
	/* To last month's shutdown, over the turn of the month; nothing is whole twice. */
	static const struct step saved_time[] = {
		{{2026, 11, 30}, 0, 30, 30}, {{2026, 12, 1}, 5, 20, 20}, {{2026, 11, 30}, 0, 3, 53},
		{{2026, 12, 1}, 5, 1, 24}, {{2026, 12, 2}, 24, 0, 24},
	};

	(void)state;
	TELL(&daily, days);
	TELL(&monthly, no_battery);
	TELL(&monthly, saved_time);
}

static void a_clock_set_forward_is_no_way_to_more(void **state)
{
	/* Ten years ahead for an hour: the month that is true goes on, with that hour in it, */
	static const struct step glitch[] = {
		{{2026, 11, 3}, 0, 40, 40}, {{2036, 11, 3}, 1, 7, 7}, {{2026, 11, 3}, 1, 1, 48},
		{{2026, 11, 20}, 408, 1, 49},
		/* and the next begins whole, as do all others until 2036. */
		{{2026, 12, 1}, 264, 5, 5}, {{2027, 1, 1}, 744, 6, 6}, {{2036, 11, 3}, 9999, 8, 8},
	};
	/* One month ahead: that month is not spoilt for when it comes. */
	static const struct step next_month[] = {
		{{2026, 11, 3}, 0, 40, 40}, {{2026, 12, 3}, 1, 7, 7}, {{2026, 11, 3}, 1, 1, 48},
		{{2026, 12, 1}, 672, 5, 5},
	};
	/* Put right an hour before the month ends: what was carried since then counts in both. */
	static const struct step late[] = {
		{{2026, 11, 30}, 0, 40, 40}, {{2036, 1, 1}, 1, 7, 7}, {{2026, 11, 30}, 1, 1, 48},
		{{2026, 12, 1}, 1, 5, 13}, {{2027, 1, 1}, 744, 2, 2},
	};
	/* Far ahead at the very first start, for a device that runs eight hours a day. */
	static const struct step first_start[] = {
		{{2036, 1, 1}, 0, 1, 1}, {{2026, 11, 3}, 0, 10, 11}, {{2026, 11, 10}, 8, 10, 21},
		{{2026, 11, 20}, 8, 10, 31}, {{2026, 11, 30}, 8, 1, 32}, {{2026, 12, 1}, 8, 2, 2},
	};

	(void)state;
	TELL(&monthly, glitch);
	TELL(&monthly, next_month);
	TELL(&monthly, late);
	TELL(&monthly, first_start);
}

/*
 * Whatever a clock does: what counts as used never falls but where a period begins, and a period
 * that is whole begins only on a day later than every one before, or after a day of belief.
 */
static void no_clock_gains_more_than_time_gives(void **state)
{
	struct hw_rng rng;
	const uint64_t seed = 20261122;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	hw_rng_init(&rng, seed);
	for (int round = 0; round < 2000; round++) {
		struct hw_quota quota = {0};
		hw_quota_day today = 20500 + (hw_quota_day)hw_rng_below(&rng, 1000), newest = -1;
		uint64_t total = 0, behind_s = 0;
		uint32_t wholes = 0, allowed = 0;

		for (int i = 0; i < 60; i++) {
			/* Little time passes, so no date in doubt is ever believed. */
			uint64_t running_s = hw_rng_below(&rng, 1200);

			if (hw_rng_below(&rng, 3) == 0)
				today += (hw_quota_day)hw_rng_below(&rng, 9) - 4;
			if (hw_rng_below(&rng, 30) == 0)
				today = (hw_quota_day)hw_rng_below(&rng, 30000);
			allowed += today > newest;
			newest = today > newest ? today : newest;
			behind_s += running_s;
			(void)hw_quota_advance(&quota, &daily, today, total, running_s);
			assert_true(hw_quota_is_sound(&quota, total));
			wholes += hw_quota_use_of(&quota, &daily, total).used == 0;
			/* Something is always carried, so nothing used means a whole quota. */
			total += 1 + hw_rng_below(&rng, GB);
		}
		assert_true(behind_s < HW_QUOTA_BELIEF_S);
		assert_int_equal(wholes, allowed);
	}
}

static void a_changed_rule_forgets_little(void **state)
{
	static const struct hw_quota_rule from_15 = {50 * GB, HW_QUOTA_PER_MONTH, 15, 80};
	struct hw_quota quota = {0};

	(void)state;
	(void)hw_quota_advance(&quota, &monthly, date(2026, 11, 2), 0, 0);
	(void)hw_quota_advance(&quota, &monthly, date(2026, 11, 20), 30, 0);
	/* The bill begins on the 15th after all: what was used since the 1st counts. */
	assert_true(hw_quota_advance(&quota, &from_15, date(2026, 11, 20), 40, 0));
	assert_int_equal(hw_quota_use_of(&quota, &from_15, 40).used, 40);
	assert_true(hw_quota_advance(&quota, &from_15, date(2026, 12, 15), 50, 0));
	assert_int_equal(hw_quota_use_of(&quota, &from_15, 50).used, 0);
	/* By the day: that day is whole. */
	assert_true(hw_quota_advance(&quota, &daily, date(2026, 12, 16), 60, 0));
	assert_int_equal(hw_quota_use_of(&quota, &daily, 60).used, 0);
	assert_true(hw_quota_advance(&quota, &daily, date(2026, 12, 17), 70, 0));
	/* And back by the month: as far as is known. */
	assert_true(hw_quota_advance(&quota, &monthly, date(2026, 12, 17), 75, 0));
	assert_int_equal(hw_quota_use_of(&quota, &monthly, 75).used, 15);
	/* Another amount is no other period. */
	assert_false(hw_quota_advance(&quota, &(struct hw_quota_rule){1, HW_QUOTA_PER_MONTH, 1, 50},
				      date(2026, 12, 17), 75, 0));
}

static void what_cannot_be_is_not_sound(void **state)
{
	static const struct hw_quota good = {
		.marks = {{100, 5}, {101, 5}, {103, 9}}, .mark_count = 3, .active = 2, .last = 103,
		.last_next = 104, .first_day = 1};
	struct hw_quota bad;

	(void)state;
	assert_true(hw_quota_is_sound(&good, 9));
	assert_true(hw_quota_is_sound(&(struct hw_quota){0}, 0));
	assert_false(hw_quota_is_sound(&good, 8));
	bad = good, bad.mark_count = HW_QUOTA_MARKS + 1;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.active = 3;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.marks[1].first = 100;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.marks[2].first = HW_QUOTA_DAY_MAX + 1;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.marks[0].first = HW_QUOTA_DAY_MIN - 1;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.last = 105;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.last = HW_QUOTA_DAY_MIN - 1;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.last_next = HW_QUOTA_DAY_MAX + 32;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad = good, bad.per = HW_QUOTA_PER_MONTH, bad.first_day = 0;
	assert_false(hw_quota_is_sound(&bad, 9));
	bad.first_day = 32;
	assert_false(hw_quota_is_sound(&bad, 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_those_of_the_calendar),
		cmocka_unit_test(periods_begin_on_their_day),
		cmocka_unit_test(warned_and_spent_at_the_very_byte),
		cmocka_unit_test(no_quota_is_never_spent),
		cmocka_unit_test(a_right_clock_begins_anew_each_period),
		cmocka_unit_test(a_clock_set_back_resets_nothing),
		cmocka_unit_test(a_clock_set_forward_is_no_way_to_more),
		cmocka_unit_test(no_clock_gains_more_than_time_gives),
		cmocka_unit_test(a_changed_rule_forgets_little),
		cmocka_unit_test(what_cannot_be_is_not_sound),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
