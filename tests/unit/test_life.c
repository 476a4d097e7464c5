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
	world_start_both(&w);
	world_run(&w, w.now + HW_S(10));
	assert_true(initiations >= WORLD_LINKS);
	assert_true(initiations <= 12 * WORLD_LINKS); /* one a second on each path */
}

struct goodbyes {
	struct world_flight kept[WORLD_LINKS];
	uint32_t count;
	bool armed;
};

static bool hold_back(void *ctx, int from, const struct world_flight *flight)
{
	struct goodbyes *g = ctx;

	if (!g->armed || from != 0 || g->count == WORLD_LINKS)
		return true;
	g->kept[g->count++] = *flight;
	return false;
}

static void restart_client_quietly(struct goodbyes *g)
{
	w.tap = hold_back;
	w.tap_ctx = g;
	g->armed = true;
	hw_core_close(w.node[0].core, w.now);
	world_flush(&w, 0);
	g->armed = false;
	assert_int_equal(g->count, WORLD_LINKS);
	world_stop(&w, 0);
}

/* The goodbye of a client that has come back already, late by a slow path, or held back by somebody. */
static void a_goodbye_of_the_past_ends_nothing(void **state)
{
	static struct goodbyes g;

	(void)state;
	g = (struct goodbyes){ 0 };
	world_start_both(&w);
	restart_client_quietly(&g);
	world_run(&w, w.now + HW_MS(100));
	world_start(&w, 0);
	flow(0, HW_MS(10), HW_S(1));

	uint64_t delivered = w.node[1].delivered;

	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		world_inject(&w, 1, &g.kept[i].tuple, g.kept[i].bytes, g.kept[i].len);
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_CLOSED], 0);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
	assert_int_equal(flow(0, HW_MS(10), HW_S(1)), 100);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[1].delivered - delivered, 100);
}

/* As above, but it overtakes the first packet of the new session: that one is not lost either. */
static void a_goodbye_leaves_the_session_that_begins(void **state)
{
	static struct goodbyes g;

	(void)state;
	g = (struct goodbyes){ 0 };
	world_start_both(&w);
	restart_client_quietly(&g);
	world_run(&w, w.now + HW_MS(100));
	world_start(&w, 0);
	world_run(&w, w.now + HW_MS(15)); /* the initiation has arrived, nothing more */
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		world_inject(&w, 1, &g.kept[i].tuple, g.kept[i].bytes, g.kept[i].len);
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_CLOSED], 1);
	world_run(&w, w.now + HW_MS(200));
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
	assert_int_equal(w.node[0].events[HW_EVENT_HANDSHAKE_STALL], 0);
	assert_true(handshake_age(0) >= HW_MS(190)); /* the first one was good */
}

/* Nobody hears the goodbye; the other side goes on for itself, and the client is let in again. */
static void a_goodbye_may_be_lost(void **state)
{
	static struct goodbyes g;

	(void)state;
	g = (struct goodbyes){ 0 };
	world_start_both(&w);
	restart_client_quietly(&g);
	flow(1, HW_MS(100), HW_S(5));
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_DOWN], 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);

	uint64_t delivered = w.node[0].delivered; /* what waited at the hub */

	assert_int_equal(flow(1, HW_MS(10), HW_S(1)), 100);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[0].delivered - delivered, 100);
}

static void links(bool up)
{
	for (uint32_t i = 0; i < WORLD_LINKS; i++) {
		if (up)
			hw_core_link_up(w.node[0].core, i, 1500, w.now);
		else
			hw_core_link_down(w.node[0].core, i, w.now);
		world_flush(&w, 0);
	}
}

static void an_hour_without_links_is_over_at_once(void **state)
{
	uint64_t ticks;

	(void)state;
	world_start_both(&w);
	links(false);
	world_run(&w, w.now + HW_S(400));
	ticks = w.ticks[0];
	world_run(&w, w.now + HW_S(3200));
	assert_true(w.ticks[0] - ticks <= 1); /* nothing to do, nothing to wake for */
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 1);
	links(true);
	world_run(&w, w.now + HW_MS(200));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 2);
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
}

/* Nobody answered for long, so the next try is seconds away: a new way out is tried at once. */
static void a_link_that_comes_up_is_tried_at_once(void **state)
{
	uint32_t initiations = 0;

	(void)state;
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(32));
	w.tap = count_initiations;
	w.tap_ctx = &initiations;
	for (uint32_t i = 0; i < 10; i++) {
		hw_core_link_down(w.node[0].core, 0, w.now);
		hw_core_link_up(w.node[0].core, 0, 1500, w.now);
		world_run(&w, w.now + HW_MS(10));
	}
	assert_true(initiations >= 1 && initiations <= WORLD_LINKS); /* a flapping one makes no storm */
	world_start(&w, 1);
	initiations = 0;
	world_run(&w, w.now + HW_S(1));
	hw_core_link_down(w.node[0].core, 0, w.now);
	hw_core_link_up(w.node[0].core, 0, 1500, w.now);
	world_run(&w, w.now + HW_MS(300));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 1);
}

/* The client's host sleeps: its time jumps by an hour, and nothing of what was due was done. */
static void an_hour_asleep_is_over_at_once(void **state)
{
	(void)state;
	world_start_both(&w);
	flow(0, HW_MS(10), HW_S(1));
	w.now += HW_S(3600);
	w.flights = 0;
	flow(0, HW_MS(10), HW_S(1));
	world_run(&w, w.now + HW_S(2));
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
	assert_true(w.node[1].delivered >= 195);
	assert_true(w.ticks[0] + w.ticks[1] < 2000);
}

/* 30 % each way on every link: seven renewals, and no moment without a session. */
static void keys_are_renewed_over_bad_links(void **state)
{
	uint32_t count;

	(void)state;
	world_start_both(&w);
	w.loss = 0.3;
	for (uint32_t i = 0; i < 9; i++) {
		count = flow((int)(i & 1), HW_MS(100), HW_S(100));
		assert_int_equal(count, 1000);
		for (int n = 0; n < 2; n++)
			assert_true(handshake_age(n) < HW_S(150));
	}
	for (int n = 0; n < 2; n++) {
		assert_int_equal(w.node[n].events[HW_EVENT_SESSION_DOWN], 0);
		assert_int_equal(world_drops(&w, n, HW_DROP_tx_no_session), 0);
		assert_int_equal(world_drops(&w, n, HW_DROP_rx_expired), 0);
		assert_int_equal(world_drops(&w, n, HW_DROP_rx_unknown_index), 0);
	}
	/* All three copies are lost with 0.027: 4500 +- 45 * 4 each way. */
	assert_in_range(w.node[0].delivered, 4000 * 0.973 - 60, 4000 * 0.973 + 60);
	assert_in_range(w.node[1].delivered, 5000 * 0.973 - 60, 5000 * 0.973 + 60);
}

struct silencer {
	bool armed;
	uint32_t dropped;
};

/* After the next response nothing of the client's arrives. */
static bool silence_client(void *ctx, int from, const struct world_flight *flight)
{
	struct silencer *s = ctx;

	if (from == 1 && flight->bytes[0] >> 4 == HW_WIRE_RESPONSE)
		s->armed = true;
	if (from == 0 && s->armed && s->dropped < 8) {
		s->dropped++;
		return false;
	}
	return true;
}

/* The responder goes on with the old keys while it does not know that the new ones have arrived. */
static void an_unconfirmed_session_holds_nothing_up(void **state)
{
	struct silencer s = { 0 };

	(void)state;
	world_start_both(&w);
	w.tap = silence_client;
	w.tap_ctx = &s;
	assert_int_equal(flow(1, HW_MS(20), HW_S(125)), 6250);
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(s.dropped, 8);
	assert_int_equal(w.node[0].delivered, 6250);
	assert_true(handshake_age(1) < HW_S(10));
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_DOWN], 0);
}

/* Arrival times of the kernel may be a little ahead of the owner's clock, or well behind. */
static void arrival_times_may_be_odd(void **state)
{
	struct hw_peer_snapshot s;

	(void)state;
	world_start_both(&w);
	w.at_offset = (int64_t)HW_MS(50);
	flow(0, HW_MS(10), HW_S(3));
	w.at_offset = (int64_t)HW_S(1000000);
	flow(0, HW_MS(10), HW_S(3));
	w.at_offset = -(int64_t)HW_S(900);
	flow(0, HW_MS(10), HW_S(3));
	w.at_offset = 0;
	flow(0, HW_MS(10), HW_S(30));
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[1].delivered, 3900);
	world_snapshot(&w, 1, &s);
	for (uint32_t i = 0; i < s.path_count; i++) {
		assert_true(s.paths[i].loss_rx >= 0 && s.paths[i].loss_rx < 0.01);
		assert_true(s.paths[i].rate_rx_Bps > 12000 && s.paths[i].rate_rx_Bps < 15000);
		assert_in_range(s.paths[i].owd_ns, 0, HW_MS(1));
		assert_in_range(s.paths[i].rtt_ns, HW_MS(19), HW_MS(21));
	}
}

/* After the goodbye nothing goes out any more, whatever happens. */
static void after_a_goodbye_there_is_silence(void **state)
{
	const struct hw_tuple tuple = { .link = 0, .remote = w.node[1].addr[0] };
	uint64_t sent;

	(void)state;
	world_start_both(&w);
	hw_core_close(w.node[0].core, w.now);
	world_flush(&w, 0);
	sent = w.sent[0];
	links(false);
	links(true);
	assert_int_equal(hw_core_endpoints(w.node[0].core, 0, 0, &w.node[1].addr[1], 1, w.now), 0);
	hw_core_send_failed(w.node[0].core, &tuple, true, w.now);
	world_send(&w, 0, 100, 1);
	world_run(&w, w.now + HW_S(300));
	assert_int_equal(w.sent[0], sent);
	assert_int_equal(world_drops(&w, 0, HW_DROP_tx_no_peer), 1);
}

/* Before the deadline there is nothing to do: a tick then sends nothing and tells nothing. */
static void a_deadline_is_never_late(void **state)
{
	uint32_t asked = 0;
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, 11);
	w.node[0].config.rekey_after = w.node[1].config.rekey_after = HW_S(7);
	w.delay[1] = HW_MS(70);
	w.delay[2] = HW_MS(400);
	world_start_both(&w);
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t dice = (uint32_t)hw_rng_below(&rng, 10000);
		int n = (int)(i & 1);

		if (dice < 300 && i / 20000 % 2 == 0)
			world_send(&w, n, 30 + (uint32_t)hw_rng_below(&rng, 1470), i);
		else if (dice < 304)
			w.cut[dice % WORLD_LINKS] = !w.cut[dice % WORLD_LINKS];
		else if (dice < 306)
			w.loss = w.loss == 0 ? 0.2 : 0;
		else if (dice == 306)
			w.node[0].addr[1].port++;
		else if (dice == 307)
			hw_core_link_down(w.node[0].core, 0, w.now);
		else if (dice < 310)
			hw_core_link_up(w.node[0].core, 0, 1500 - 100 * (dice & 1), w.now);
		world_flush(&w, n);
		world_run(&w, w.now + hw_rng_below(&rng, HW_MS(4)));
		if (hw_core_next_deadline(w.node[n].core) > w.now) {
			uint64_t sent = w.sent[n];
			uint32_t events[16];

			memcpy(events, w.node[n].events, sizeof(events));
			hw_core_tick(w.node[n].core, w.now);
			world_flush(&w, n);
			assert_int_equal(w.sent[n], sent);
			assert_memory_equal(w.node[n].events, events, sizeof(events));
			asked++;
		}
	}
	assert_true(asked > 100000);
	assert_true(w.node[1].delivered > 1000);
}

/* Wakeups of an idle hour: each path has a probe each 12 s, each with its answer. */
static void an_idle_hour_costs_few_wakeups(void **state)
{
	uint64_t before[2];

	(void)state;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(30));
	before[0] = w.ticks[0];
	before[1] = w.ticks[1];
	world_run(&w, w.now + HW_S(3600));
	print_message("# ticks: %u client, %u hub\n", (unsigned)(w.ticks[0] - before[0]),
		      (unsigned)(w.ticks[1] - before[1]));
	assert_true(w.ticks[0] - before[0] <= 300 * WORLD_LINKS + 200);
	assert_true(w.ticks[1] - before[1] <= 300);
}

/* Of two endpoints on each link one does not exist. It costs a probe each 30 s, and its handshakes. */
static void an_endpoint_that_is_not_there_costs_little(void **state)
{
	uint64_t nowhere, ticks;

	(void)state;
	world_start(&w, 1);
	world_start(&w, 0);
	for (uint32_t i = 0; i < WORLD_LINKS; i++) {
		struct hw_addr addrs[2] = { w.node[1].addr[i], w.node[1].addr[i] };

		addrs[1].ip[3] = 99;
		assert_int_equal(hw_core_endpoints(w.node[0].core, 0, i, addrs, 2, w.now), 0);
	}
	world_run(&w, w.now + HW_S(120));
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	nowhere = w.nowhere[0];
	ticks = w.ticks[0];
	world_run(&w, w.now + HW_S(3600));
	print_message("# %u datagrams to nowhere, %u ticks\n", (unsigned)(w.nowhere[0] - nowhere),
		      (unsigned)(w.ticks[0] - ticks));
	assert_true(w.nowhere[0] - nowhere <= (120 + 31) * WORLD_LINKS);
	assert_true(w.ticks[0] - ticks <= (300 + 120) * WORLD_LINKS + 300);

	/* Busy or idle makes no difference to it. */
	nowhere = w.nowhere[0];
	flow(0, HW_MS(10), HW_S(60));
	assert_true(w.nowhere[0] - nowhere <= 4 * WORLD_LINKS);
	assert_int_equal(w.node[1].delivered, 6000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(sessions_that_cross_become_one),
		TEST(one_response_brings_all_paths_up),
		TEST(an_answer_from_elsewhere_makes_no_storm),
		TEST(a_goodbye_of_the_past_ends_nothing),
		TEST(a_goodbye_leaves_the_session_that_begins),
		TEST(a_goodbye_may_be_lost),
		TEST(an_hour_without_links_is_over_at_once),
		TEST(a_link_that_comes_up_is_tried_at_once),
		TEST(an_hour_asleep_is_over_at_once),
		TEST(keys_are_renewed_over_bad_links),
		TEST(an_unconfirmed_session_holds_nothing_up),
		TEST(arrival_times_may_be_odd),
		TEST(after_a_goodbye_there_is_silence),
		TEST(a_deadline_is_never_late),
		TEST(an_idle_hour_costs_few_wakeups),
		TEST(an_endpoint_that_is_not_there_costs_little),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
