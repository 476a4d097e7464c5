#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "wire/wire.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 5);
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

static struct hw_core_totals totals(int node)
{
	struct hw_core_totals t;

	hw_core_totals(w.node[node].core, &t);
	return t;
}

static hw_time handshake_age(int node)
{
	struct hw_peer_snapshot s;

	world_snapshot(&w, node, &s);
	assert_true(s.handshake_age_ns >= 0);
	return (hw_time)s.handshake_age_ns;
}

/* Send a packet each `gap` from `from` for `span`. Returns how many. */
static uint32_t flow(int from, hw_time gap, hw_time span)
{
	uint32_t count = 0;

	for (hw_time end = w.now + span; w.now < end; count++) {
		world_send(&w, from, 100, count);
		world_run(&w, w.now + gap);
	}
	return count;
}

static void know_each_other(void)
{
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		assert_int_equal(hw_core_endpoints(w.node[1].core, 0, i, &w.node[0].addr[i], 1,
						   w.now),
				 0);
}

/*
 * Both sides have endpoints and begin at the same moment, so that the initiations cross. They must end
 * up with one session, not one each: reports speak of the session they are sealed in.
 */
static void sessions_that_cross_become_one(void **state)
{
	struct hw_peer_snapshot s;
	uint32_t count;

	(void)state;
	world_start(&w, 1);
	world_start(&w, 0);
	know_each_other();
	world_run(&w, w.now + HW_S(1));
	for (int from = 0; from < 2; from++) {
		uint64_t delivered = w.node[1 - from].delivered;

		count = flow(from, HW_MS(10), HW_S(20));
		world_run(&w, w.now + HW_S(1));
		assert_int_equal(w.node[1 - from].delivered - delivered, count);
		world_snapshot(&w, from, &s);
		assert_int_equal(s.path_count, WORLD_LINKS);
		for (uint32_t i = 0; i < s.path_count; i++)
			assert_true(s.paths[i].loss_tx == 0);
	}
	for (int n = 0; n < 2; n++) {
		assert_int_equal(w.node[n].events[HW_EVENT_PATH_SUSPECT], 0);
		assert_int_equal(w.node[n].events[HW_EVENT_SESSION_UP], 1);
		assert_int_equal(w.node[n].events[HW_EVENT_SESSION_DOWN], 0);
	}
	/* Renewed by one side, and as quietly as ever. */
	uint64_t handshakes = totals(0).rx_handshake + totals(1).rx_handshake;

	count = flow(0, HW_MS(100), HW_S(400));
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_SUSPECT], 0);
	assert_true(totals(0).rx_handshake + totals(1).rx_handshake - handshakes <=
		    4 * (WORLD_LINKS + 1));
	for (int n = 0; n < 2; n++)
		assert_true(handshake_age(n) < HW_S(125));
}

static bool first_response_only(void *ctx, int from, const struct world_flight *flight)
{
	uint32_t *seen = ctx;

	(void)from;
	return flight->bytes[0] >> 4 != HW_WIRE_RESPONSE || (*seen)++ == 0;
}

/* The copies of the response on the other paths are lost: those are probed all the same. */
static void one_response_brings_all_paths_up(void **state)
{
	uint32_t seen = 0;

	(void)state;
	w.tap = first_response_only;
	w.tap_ctx = &seen;
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_MS(200));
	assert_int_equal(seen, WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
}

static bool count_initiations(void *ctx, int from, const struct world_flight *flight)
{
	(void)from;
	*(uint32_t *)ctx += flight->bytes[0] >> 4 == HW_WIRE_INITIATION;
	return true;
}

/* A hub with several addresses answers from another one than was called. */
static void an_answer_from_elsewhere_makes_no_storm(void **state)
{
	uint32_t initiations = 0;

	(void)state;
	w.tap = count_initiations;
	w.tap_ctx = &initiations;
	for (uint32_t i = 0; i < WORLD_LINKS; i++) {
		w.node[1].seen_as[i] = w.node[1].addr[i];
		w.node[1].seen_as[i].ip[3] = 77;
	}
	start_both();
	world_run(&w, w.now + HW_S(10));
	assert_true(initiations >= WORLD_LINKS);
	assert_true(initiations <= 12 * WORLD_LINKS); /* one a second on each path */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(sessions_that_cross_become_one),
		TEST(one_response_brings_all_paths_up),
		TEST(an_answer_from_elsewhere_makes_no_storm),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
