#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "wire/wire.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static void start_both(void)
{
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(1));
}

/* What the hub knows of its path to the client's address on that link. */
static struct hw_path_snapshot hub_path(uint32_t link)
{
	struct hw_peer_snapshot s;

	world_snapshot(&w, 1, &s);
	for (uint32_t i = 0; i < s.path_count; i++) {
		if (hw_addr_equal(&s.paths[i].tuple.remote, &w.node[0].addr[link]))
			return s.paths[i];
	}
	fail();
	return s.paths[0];
}

struct relay {
	struct world_flight last;
	uint32_t count;
};

static bool keep_link_0(void *ctx, int from, const struct world_flight *flight)
{
	struct relay *r = ctx;

	if (from != 0 || flight->tuple.link != 0)
		return true;
	r->last = *flight;
	r->count++;
	return true;
}

/*
 * Path 1 loses everything; somebody on path 0 sends copies of what passes there, at once, with the
 * source address of path 1. Numbers and times of both fit, so only the MAC can tell.
 */
static void copies_carried_to_another_path_are_not_measured_there(void **state)
{
	static struct relay relay;
	struct hw_path_snapshot before, after;

	(void)state;
	start_both();
	w.tap = keep_link_0;
	w.tap_ctx = &relay;
	for (uint32_t i = 0; i < 100; i++) {
		const struct hw_tuple tuple = { .link = 1, .remote = w.node[0].addr[1] };

		if (i == 50) {
			before = hub_path(1);
			assert_true(before.rx_packets >= 50);
			w.cut_from[0][1] = true;
		}
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(20));
		if (i >= 50)
			world_inject(&w, 1, &tuple, relay.last.bytes, relay.last.len);
	}
	assert_true(relay.count >= 100);
	after = hub_path(1);
	assert_int_equal(after.rx_packets, before.rx_packets);
	assert_int_equal(after.duplicates, before.duplicates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(copies_carried_to_another_path_are_not_measured_there),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
