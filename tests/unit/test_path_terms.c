/* What the peer tells of its own links: use, price, and which paths share both ends' links. */
#include "paths.h"

/* An UP path, known to the peer as peer_id. */
static struct hw_path *up_path(struct hw_path_table *table, uint32_t link, uint32_t n,
			       uint8_t peer_id)
{
	struct hw_tuple tuple = tuple_of(link, n);
	struct hw_path *path;

	assert_int_equal(hw_path_table_add(table, &tuple, &link_settings, true, start, &path), 0);
	hw_path_answered(path, HW_MS(20), start);
	hw_path_table_learn_peer_id(table, path, peer_id, true);
	return path;
}

/* What the peer tells of a path by its number holds for whichever path has that number. */
static void the_peers_terms_follow_its_number(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *a = up_path(table, 0, 1, 3), *b = up_path(table, 0, 2, 5);
	struct hw_path *c = up_path(table, 1, 1, 6);
	const struct hw_sched_path *views;
	struct hw_path_theirs told = { .link = 2, .use = HW_USE_ALWAYS, .price = 4 };
	size_t count;

	(void)state;
	views = hw_path_table_views(table, start, &count);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(views[i].group, i); /* nothing is known: each alone */
	hw_path_table_told(table, 3, &told);
	hw_path_table_told(table, 6, &told);
	hw_path_table_told(table, 9, &told); /* nobody has that number yet */
	hw_path_table_told(table, 16, &told); /* and nobody can have this one */
	hw_path_table_told(table, HW_PATH_PEER_ID_NONE, &told);
	views = hw_path_table_views(table, start, &count);
	assert_int_equal(views[0].price, 6);
	assert_int_equal(views[0].use, HW_USE_BACKUP); /* the stricter of the two */
	assert_false(views[0].metered);
	assert_int_equal(views[1].price, 2);
	assert_int_equal(views[1].group, 1);
	assert_int_equal(views[2].group, 2); /* the peer's link is the same, ours is not */

	/* Both links the same: one group. A PATH_STATE changes the terms and leaves the link. */
	hw_path_table_told(table, 5, &told);
	told = (struct hw_path_theirs){ HW_PATH_LINK_UNKNOWN, HW_USE_NEVER, UINT32_MAX, true };
	hw_path_table_told(table, 5, &told);
	views = hw_path_table_views(table, start, &count);
	assert_int_equal(views[1].group, 0);
	assert_int_equal(views[1].use, HW_USE_NEVER);
	assert_int_equal(views[1].price, UINT32_MAX); /* and not beyond */
	assert_true(views[1].metered);

	/* The number moves: so do the terms, and the path that lost it is as if untold. */
	hw_path_table_learn_peer_id(table, c, 5, true);
	assert_int_equal(hw_path_use(b), HW_USE_BACKUP);
	assert_int_equal(b->theirs.link, HW_PATH_LINK_UNKNOWN);
	assert_int_equal(hw_path_use(c), HW_USE_NEVER);
	hw_path_table_learn_peer_id(table, b, 9, true);
	assert_int_equal(hw_path_price(b), 6);
	views = hw_path_table_views(table, start, &count);
	assert_int_equal(views[1].group, 0);
	assert_int_equal(hw_path_use(a), HW_USE_BACKUP);
	test_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_peers_terms_follow_its_number),
	};

	return cmocka_run_group_tests_name("path_terms", tests, NULL, NULL);
}
