/* What is kept of sealed packets: found by number, bounded in every way, and always given back. */
#include "test.h"

#include <stdlib.h>

#include "base/rng.h"
#include "core/retain.h"

static struct hw_retain retain;
static struct hw_pool *pool;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(hw_pool_new(8192, 2048, &pool), 0);
	assert_int_equal(hw_retain_init(&retain), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hw_retain_fini(&retain);
	assert_int_equal(hw_pool_available(pool), hw_pool_count(pool));
	hw_pool_free(pool);
	return 0;
}

/* Keeps packet `counter` of that stream, `len` bytes that say which it is; false: it was not kept. */
static bool add(uint8_t stream, uint64_t counter, uint32_t len, hw_time now)
{
	struct hw_retained packet = { .generation = 3, .stream = stream, .counter = counter, .at = now };
	uint32_t held = retain.held;

	packet.body = hw_buf_get(pool);
	assert_non_null(packet.body);
	memset(hw_buf_put(packet.body, len), (int)(counter & 0xff), len);
	hw_retain_add(&retain, &packet);
	hw_buf_unref(packet.body);
	return retain.held > held || hw_retain_find(&retain, 3, stream, counter) != NULL;
}

static void packets_are_found_by_number(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(add(1, i, 100, 0));
		assert_true(add(2, i + HW_RETAIN_PACKETS, 100, 0));
	}
	for (uint64_t i = 0; i < 100; i++) {
		struct hw_retained *packet = hw_retain_find(&retain, 3, 1, i);

		assert_non_null(packet);
		assert_int_equal(packet->counter, i);
		assert_int_equal(packet->body->data[0], i);
		assert_null(hw_retain_find(&retain, 3, 2, i));
		assert_null(hw_retain_find(&retain, 2, 1, i)); /* of another session */
		assert_non_null(hw_retain_find(&retain, 3, 2, i + HW_RETAIN_PACKETS));
	}
	hw_retain_release(&retain, hw_retain_find(&retain, 3, 1, 50));
	assert_null(hw_retain_find(&retain, 3, 1, 50));
	assert_non_null(hw_retain_find(&retain, 3, 1, 51));
	assert_int_equal(retain.held, 199);
	assert_int_equal(retain.bytes, 19900);
	assert_int_equal(hw_pool_count(pool) - hw_pool_available(pool), 199);
}

static void the_number_of_packets_is_bounded(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3 * HW_RETAIN_PACKETS; i++) {
		assert_true(add(1, i, 60, 0));
		assert_true(retain.count <= HW_RETAIN_PACKETS);
	}
	assert_int_equal(retain.held, HW_RETAIN_PACKETS);
	assert_null(hw_retain_find(&retain, 3, 1, 2 * HW_RETAIN_PACKETS - 1));
	assert_non_null(hw_retain_find(&retain, 3, 1, 2 * HW_RETAIN_PACKETS));
}

static void the_bytes_are_bounded(void **state)
{
	const uint32_t fit = HW_RETAIN_BYTES / 2000;

	(void)state;
	for (uint64_t i = 0; i < 2 * fit; i++) {
		assert_true(add(1, i, 2000, 0));
		assert_true(retain.bytes <= HW_RETAIN_BYTES);
	}
	assert_int_equal(retain.held, fit);
	assert_non_null(hw_retain_find(&retain, 3, 1, fit));
	assert_null(hw_retain_find(&retain, 3, 1, fit - 1));
}

static void the_age_is_bounded(void **state)
{
	(void)state;
	assert_true(hw_retain_deadline(&retain) == HW_TIME_NEVER);
	for (uint64_t i = 0; i < 10; i++)
		add(1, i, 100, HW_S(i));
	assert_true(hw_retain_deadline(&retain) == HW_RETAIN_AGE);
	hw_retain_expire(&retain, HW_RETAIN_AGE - 1);
	assert_int_equal(retain.held, 10);
	hw_retain_expire(&retain, HW_RETAIN_AGE);
	assert_int_equal(retain.held, 9);
	hw_retain_release(&retain, hw_retain_find(&retain, 3, 1, 1));
	hw_retain_release(&retain, hw_retain_find(&retain, 3, 1, 2));
	hw_retain_expire(&retain, HW_RETAIN_AGE); /* what holds nothing any more goes too */
	assert_int_equal(retain.count, 7);
	assert_true(hw_retain_deadline(&retain) == HW_S(3) + HW_RETAIN_AGE);
	hw_retain_expire(&retain, HW_S(9) + HW_RETAIN_AGE);
	assert_int_equal(retain.count, 0);
}

/* A quarter of the pool stays free whatever is kept, and what is taken elsewhere is made room for. */
static void the_pool_is_never_starved(void **state)
{
	struct hw_buf *taken[8192];
	uint32_t count = 0;

	(void)state;
	for (uint64_t i = 0; i < HW_RETAIN_PACKETS; i++)
		assert_true(add(1, i, 100, 0));
	while (hw_pool_available(pool) > hw_pool_count(pool) / 8)
		taken[count++] = hw_buf_get(pool);
	assert_int_equal(count, 8192 - HW_RETAIN_PACKETS - 1024);
	/* The next packet makes the oldest go until the quarter is free, and is kept. */
	assert_true(add(1, HW_RETAIN_PACKETS, 100, 0));
	assert_true(hw_pool_available(pool) >= hw_pool_count(pool) / 4 - 1);
	assert_in_range(retain.held, HW_RETAIN_PACKETS - 1100, HW_RETAIN_PACKETS - 1000);
	/* The rest of the pool is needed: nothing is kept at all. */
	while (hw_pool_available(pool) > 100)
		taken[count++] = hw_buf_get(pool);
	for (uint64_t i = HW_RETAIN_PACKETS + 1; retain.count > 0; i++) {
		add(1, i, 100, 0);
		while (hw_pool_available(pool) > 100)
			taken[count++] = hw_buf_get(pool);
	}
	assert_false(add(1, 1u << 20, 100, 0));
	assert_int_equal(retain.count, 0);
	while (count > 0)
		hw_buf_unref(taken[--count]);
}

/* Seed 5: 200,000 random steps against a plain list; sums and chains agree all along. */
static void random_use_agrees_with_a_list(void **state)
{
	static bool there[8][4096];
	uint64_t next[8] = { 0 };
	struct hw_rng rng;
	hw_time now = 0;

	(void)state;
	hw_rng_init(&rng, 5);
	for (uint32_t step = 0; step < 200000; step++) {
		uint8_t stream = (uint8_t)hw_rng_below(&rng, 8);
		uint64_t counter = hw_rng_below(&rng, next[stream] + 1);

		now += hw_rng_below(&rng, HW_MS(3));
		if (hw_rng_below(&rng, 3) > 0) {
			struct hw_retained *packet =
				hw_retain_find(&retain, 3, stream, counter);

			if (packet != NULL) {
				assert_true(there[stream][counter % 4096]);
				assert_true(hw_time_since(now, packet->at) <=
					    HW_RETAIN_AGE + HW_MS(3));
				hw_retain_release(&retain, packet);
				there[stream][counter % 4096] = false;
			}
		} else {
			assert_true(add(stream, next[stream], 10 + stream, now));
			there[stream][next[stream]++ % 4096] = true;
		}
		hw_retain_expire(&retain, now);

		uint64_t bytes = 0;
		uint32_t held = 0;

		if (step % 1000 != 0)
			continue;
		for (uint32_t i = 0; i < retain.count; i++) {
			struct hw_retained *packet = hw_retain_at(&retain, i);

			if (packet->body == NULL)
				continue;
			held++;
			bytes += packet->body->len;
			assert_ptr_equal(hw_retain_find(&retain, 3, packet->stream, packet->counter),
					 packet);
		}
		assert_int_equal(held, retain.held);
		assert_int_equal(bytes, retain.bytes);
		assert_int_equal(hw_pool_count(pool) - hw_pool_available(pool), held);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(packets_are_found_by_number),
		TEST(the_number_of_packets_is_bounded),
		TEST(the_bytes_are_bounded),
		TEST(the_age_is_bounded),
		TEST(the_pool_is_never_starved),
		TEST(random_use_agrees_with_a_list),
	};

	return cmocka_run_group_tests_name("retain", tests, NULL, NULL);
}
