/* A peer that answers from another address than it is called at: when that is taken for its path's. */
#include "paths.h"

static const uint8_t seed[HW_PATH_SEED_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };

/* A configured path that has sent a probe; its token. */
static uint64_t probed_path(struct hw_path_table *table, struct hw_path **ret_path)
{
	struct hw_tuple tuple = tuple_of(0, 1);

	assert_int_equal(hw_path_table_add(table, &tuple, &link_settings, false, start, ret_path), 0);
	return hw_path_probe_sent(*ret_path, start);
}

/* An answer from another address is taken for the path's only where each of its conditions holds. */
static void an_answer_from_elsewhere_counts_only_when_it_was_asked_for(void **state)
{
	struct hw_tuple elsewhere = tuple_of(0, 2);

	(void)state;
	for (int wrong = 0; wrong < 8; wrong++) {
		struct hw_path_table *table = new_table();
		struct hw_path *path;
		uint64_t token = probed_path(table, &path);
		struct hw_tuple tuple = elsewhere;

		token += wrong == 1;
		token = wrong == 2 ? 0 : token;
		path->learnt = wrong == 3;
		path->link_down = wrong == 4;
		tuple.link += wrong == 5;
		tuple.remote.family = wrong == 6 ? HW_FAMILY_IPV6 : HW_FAMILY_IPV4;
		if (wrong == 7) /* it works: only its own address counts */
			hw_path_answered(path, HW_MS(20), start);
		assert_int_equal(hw_path_table_answered_elsewhere(table, path, &tuple, token),
				 wrong == 0);
		if (wrong == 0)
			assert_ptr_equal(hw_path_table_find(table, &tuple), path);
		else
			assert_null(hw_path_table_find(table, &tuple));
		test_free(table);
	}
}

/* Where it was answered from says nothing of a path that has moved: others may be there now. */
static void a_path_that_moves_is_found_where_it_is_alone(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_tuple elsewhere = tuple_of(0, 2), there = tuple_of(0, 3);
	struct hw_path_action action;
	struct hw_candidate *candidate;
	unsigned moved = 0;
	struct hw_path *path;
	uint64_t token = probed_path(table, &path);
	bool known;

	(void)state;
	assert_true(hw_path_table_answered_elsewhere(table, path, &elsewhere, token));
	hw_path_probe_replied(path, token, 0, start + HW_MS(20), &known);
	assert_true(known);
	assert_int_equal(path->state, HW_PATH_UP);
	hw_path_table_learn_peer_id(table, path, 4, true);
	assert_ptr_equal(hw_path_table_find(table, &elsewhere), path);
	assert_int_equal(hw_path_table_heard_unknown(table, &there, &link_settings, 100, seed,
						     start + HW_MS(30), &candidate),
			 0);
	for (hw_time now = start + HW_MS(30); now < start + HW_S(1); now += HW_MS(10)) {
		hw_path_table_tick(table, now);
		while (hw_path_table_next(table, CHALLENGE_BYTES, now, &action)) {
			moved += action.type == HW_PATH_ACTION_EVENT_MOVED;
			if (action.candidate != NULL)
				assert_int_equal(hw_path_table_challenge_replied(
							 table, &there, action.challenge, 4, now),
						 0);
		}
	}
	assert_int_equal(moved, 1);
	assert_ptr_equal(hw_path_table_find(table, &there), path);
	assert_null(hw_path_table_find(table, &elsewhere));
	test_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_from_elsewhere_counts_only_when_it_was_asked_for),
		cmocka_unit_test(a_path_that_moves_is_found_where_it_is_alone),
	};

	return cmocka_run_group_tests_name("elsewhere", tests, NULL, NULL);
}
