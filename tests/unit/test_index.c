#include "test.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/rng.h"
#include "session/index.h"

static int peer_a, peer_b;

static void taken_indices_are_found(void **state)
{
	struct hw_session *session = (struct hw_session *)(void *)&peer_b;
	struct hw_index_map map;
	uint32_t index, other;

	(void)state;
	hw_index_map_init(&map);
	assert_null(hw_index_find(&map, 5));
	hw_index_drop(&map, 5);
	assert_int_equal(hw_index_take(&map, 0xff000005, &peer_a, &index), 0);
	assert_int_equal(index, 5);
	assert_ptr_equal(hw_index_find(&map, 5)->peer, &peer_a);
	assert_null(hw_index_find(&map, 5)->session);
	assert_null(hw_index_find(&map, 6));
	hw_index_bind(&map, 5, session);
	assert_ptr_equal(hw_index_find(&map, 5)->session, session);
	/* The same random number again: the next free index. */
	assert_int_equal(hw_index_take(&map, 5, &peer_b, &other), 0);
	assert_int_equal(other, 6);
	hw_index_drop(&map, 5);
	assert_null(hw_index_find(&map, 5));
	assert_ptr_equal(hw_index_find(&map, 6)->peer, &peer_b);
	hw_index_drop(&map, 5);
	assert_int_equal(map.count, 1);
	/* Past the last comes the first. */
	assert_int_equal(hw_index_take(&map, 0xffffff, &peer_a, &index), 0);
	assert_int_equal(index, 0xffffff);
	assert_int_equal(hw_index_take(&map, 0xffffff, &peer_a, &index), 0);
	assert_int_equal(index, 0);
	hw_index_map_fini(&map);
}

/* Against an array that holds every possible index; a few values only, so that probing runs long. */
static void agrees_with_an_array(void **state)
{
	const uint64_t seed = 12;
	static int peers[3000];
	uint32_t taken[3000];
	void **truth = calloc(1u << 24, sizeof(*truth));
	struct hw_index_map map;
	struct hw_rng rng;
	uint32_t count = 0;

	(void)state;
	assert_non_null(truth);
	print_message("# seed %llu\n", (unsigned long long)seed);
	hw_rng_init(&rng, seed);
	hw_index_map_init(&map);
	for (int i = 0; i < 200000; i++) {
		bool fill = (i / 20000) % 2 == 0;

		if (count < 3000 && hw_rng_below(&rng, 10) < (fill ? 7 : 3)) {
			/* Multiples of 4096 share their low bits: one long cluster. */
			uint32_t random = (uint32_t)hw_rng_below(&rng, 4096) << 12 |
					  (uint32_t)hw_rng_below(&rng, 4);
			uint32_t index;

			assert_int_equal(hw_index_take(&map, random, &peers[count], &index), 0);
			assert_null(truth[index]);
			truth[index] = &peers[count];
			taken[count++] = index;
		} else if (count > 0) {
			uint32_t k = (uint32_t)hw_rng_below(&rng, count);

			assert_ptr_equal(hw_index_find(&map, taken[k])->peer, truth[taken[k]]);
			assert_int_equal(hw_index_find(&map, taken[k])->index, taken[k]);
			hw_index_drop(&map, taken[k]);
			assert_null(hw_index_find(&map, taken[k]));
			truth[taken[k]] = NULL;
			taken[k] = taken[--count];
		}
		assert_int_equal(map.count, count);
		if (i % 5000 != 0)
			continue;
		for (uint32_t k = 0; k < count; k++)
			assert_ptr_equal(hw_index_find(&map, taken[k])->peer, truth[taken[k]]);
	}
	hw_index_map_fini(&map);
	free(truth);
}

static void limit_is_reached(void **state)
{
	struct hw_index_map map;
	uint32_t index = 0;

	(void)state;
	hw_index_map_init(&map);
	for (uint32_t i = 0; i < HW_INDEX_LIMIT; i++)
		assert_int_equal(hw_index_take(&map, i * 16, &peer_a, &index), 0);
	assert_int_equal(hw_index_take(&map, 3, &peer_a, &index), HW_E_LIMIT);
	hw_index_drop(&map, index);
	assert_int_equal(hw_index_take(&map, 3, &peer_a, &index), 0);
	assert_int_equal(index, 3);
	hw_index_map_fini(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_indices_are_found),
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(limit_is_reached),
	};

	return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
