/* Which evidence makes which verdict of a common bottleneck. */
#include "test.h"

#include "survey/shared.h"

static struct hw_shared_evidence evidence(double queue, double rise, double alone, double together)
{
	struct hw_shared_evidence e;

	hw_shared_evidence_init(&e);
	e.queue_ns[0] = queue;
	e.rise_ns[0] = rise;
	e.alone_bps[0] = e.alone_bps[1] = alone;
	e.together_bps[0] = e.together_bps[1] = together;
	return e;
}

static void the_table(void **state)
{
	/* Queue of the loaded one, rise of the other's round trip (ms, -1: not measured), what each
	 * carries alone and together (Mbit/s). */
	static const struct {
		double queue, rise, alone, together;
		int delay, rate;
		enum hw_shared verdict;
	} table[] = {
		{ -1, -1, -1, -1, 0, 0, HW_SHARED_UNKNOWN },
		{ 500, 480, 4, 2, 1, 1, HW_SHARED_YES },
		{ 500, 5, 4, 4, -1, -1, HW_SHARED_NO },
		{ 500, 480, -1, -1, 1, 0, HW_SHARED_PROBABLY },
		{ 500, 5, -1, -1, -1, 0, HW_SHARED_PROBABLY_NOT },
		{ -1, -1, 4, 2, 0, 1, HW_SHARED_PROBABLY },
		{ -1, -1, 4, 4, 0, -1, HW_SHARED_PROBABLY_NOT },
		{ 500, 5, 4, 2, -1, 1, HW_SHARED_PROBABLY }, /* flows kept apart at the bottleneck */
		{ 500, 480, 4, 4, 1, -1, HW_SHARED_UNCLEAR },
		/* The bounds. */
		{ 500, 200, -1, -1, 1, 0, HW_SHARED_PROBABLY },
		{ 500, 199, -1, -1, 0, 0, HW_SHARED_UNKNOWN },
		{ 500, 76, -1, -1, 0, 0, HW_SHARED_UNKNOWN },
		{ 500, 75, -1, -1, -1, 0, HW_SHARED_PROBABLY_NOT },
		{ 19, 19, -1, -1, 0, 0, HW_SHARED_UNKNOWN },
		{ 20, 19, -1, -1, 1, 0, HW_SHARED_PROBABLY },
		{ -1, -1, 4, 2.79, 0, 1, HW_SHARED_PROBABLY },
		{ -1, -1, 4, 3, 0, 0, HW_SHARED_UNKNOWN },
		{ -1, -1, 4, 3.41, 0, -1, HW_SHARED_PROBABLY_NOT },
	};
	struct hw_shared_evidence nothing;

	(void)state;
	hw_shared_evidence_init(&nothing);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		double ms = table[i].queue < 0 ? 1 : 1e6, rise = table[i].rise < 0 ? 1 : 1e6;
		struct hw_shared_evidence e = evidence(table[i].queue * ms, table[i].rise * rise,
						       table[i].alone, table[i].together);

		if (hw_shared_by_delay(&e) != table[i].delay ||
		    hw_shared_by_rate(&e) != table[i].rate ||
		    hw_shared_judge(&e, &nothing) != table[i].verdict ||
		    hw_shared_judge(&nothing, &e) != table[i].verdict)
			fail_msg("line %zu: %d %d %d", i, hw_shared_by_delay(&e),
				 hw_shared_by_rate(&e), hw_shared_judge(&e, &nothing));
	}
}

/* What is shared one way is shared, whatever the other way says. */
static void one_way_is_enough(void **state)
{
	struct hw_shared_evidence yes = evidence(500e6, 480e6, 4, 2);
	struct hw_shared_evidence no = evidence(500e6, 5e6, 4, 4);

	(void)state;
	assert_int_equal(hw_shared_judge(&yes, &no), HW_SHARED_YES);
	assert_int_equal(hw_shared_judge(&no, &yes), HW_SHARED_YES);
}

/* The sum of a large link and a small one hardly shows what the small one loses. */
static void links_of_very_different_size_say_nothing_by_rate(void **state)
{
	struct hw_shared_evidence e = evidence(-1, -1, 4, 2);

	(void)state;
	e.alone_bps[1] = 0.9;
	e.together_bps[1] = 0.3;
	assert_int_equal(hw_shared_by_rate(&e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(one_way_is_enough),
		cmocka_unit_test(links_of_very_different_size_say_nothing_by_rate),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
