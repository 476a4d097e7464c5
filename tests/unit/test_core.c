#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "crypto/identity.h"
#include "crypto/suite.h"
#include "wire/wire.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static void session_and_all_paths_come_up(void **state)
{
	(void)state;
	world_start_both(&w);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 1);
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_UP], 1);
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
}

static void packets_cross_once_each_way(void **state)
{
	(void)state;
	world_start_both(&w);
	for (uint32_t i = 0; i < 500; i++) {
		world_send(&w, 0, 100 + i, i);
		world_send(&w, 1, 1000 + i, i);
		world_run(&w, w.now + HW_MS(5));
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[1].delivered, 500);
	assert_int_equal(w.node[0].delivered, 500);
	/* Three copies of each, of which two were dropped; control packets have two more at most. */
	assert_true(world_drops(&w, 1, HW_DROP_rx_duplicate) >= 1000);
	assert_int_equal(w.node[1].last_len, 599);
	assert_int_equal(hw_load32(w.node[1].last + 20), 499);
}

static void packets_before_the_session_wait_for_it(void **state)
{
	(void)state;
	world_start(&w, 1);
	world_start(&w, 0);
	for (uint32_t i = 0; i < 10; i++)
		world_send(&w, 0, 100, i);
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[1].delivered, 10);
}

static void waiting_packets_are_bounded_in_number_and_time(void **state)
{
	struct hw_core_totals totals;

	(void)state;
	world_start(&w, 0);
	for (uint32_t i = 0; i < 200; i++)
		world_send(&w, 0, 100, i);
	hw_core_totals(w.node[0].core, &totals);
	assert_int_equal(totals.tx_waiting, 128);
	assert_int_equal(world_drops(&w, 0, HW_DROP_tx_no_session), 72);
	world_run(&w, w.now + HW_S(3));
	hw_core_totals(w.node[0].core, &totals);
	assert_int_equal(totals.tx_waiting, 0);
	assert_int_equal(world_drops(&w, 0, HW_DROP_tx_no_session), 200);
}

static double rate_tx_Bps(int node, uint32_t path)
{
	struct hw_peer_snapshot s;

	hw_core_peer_snapshot(w.node[node].core, 0, w.now, &s);
	return s.paths[path].rate_tx_Bps;
}

static void a_cut_link_costs_nothing(void **state)
{
	(void)state;
	world_start_both(&w);
	for (uint32_t i = 0; i < 1000; i++) {
		if (i == 200) {
			assert_true(rate_tx_Bps(0, 1) > 20000);
			w.cut[1] = true;
		}
		if (i == 500) {
			assert_true(rate_tx_Bps(0, 1) == 0); /* nothing arrives, so no rate is shown */
			w.cut[1] = false;
		}
		world_send(&w, 0, 200, i);
		world_run(&w, w.now + HW_MS(10));
	}
	world_run(&w, w.now + HW_S(20));
	assert_int_equal(w.node[1].delivered, 1000);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_DOWN], 1);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_UP], WORLD_LINKS + 1);
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
}

static void large_packets_are_cut_and_joined(void **state)
{
	(void)state;
	world_start_both(&w);
	for (uint32_t i = 0; i < 50; i++) {
		world_send(&w, 0, 1500, i);
		world_run(&w, w.now + HW_MS(10));
	}
	world_run(&w, w.now + HW_S(2));
	assert_int_equal(w.node[1].delivered, 50);
	assert_int_equal(w.node[1].last_len, 1500);
	for (uint32_t i = 24; i < 1500; i++)
		assert_int_equal(w.node[1].last[i], 49);
}

static void too_large_packets_are_counted(void **state)
{
	(void)state;
	world_start_both(&w);
	world_send(&w, 0, 1501, 0);
	assert_int_equal(world_drops(&w, 0, HW_DROP_tx_too_big), 1);
}

static void keys_are_renewed_without_loss(void **state)
{
	struct hw_peer_snapshot s;

	(void)state;
	world_start_both(&w);
	for (uint32_t i = 0; i < 4000; i++) { /* 400 s: three renewals */
		world_send(&w, 0, 100, i);
		world_send(&w, 1, 100, i);
		world_run(&w, w.now + HW_MS(100));
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[0].delivered, 4000);
	assert_int_equal(w.node[1].delivered, 4000);
	hw_core_peer_snapshot(w.node[0].core, 0, w.now, &s);
	assert_true(s.handshake_age_ns < (int64_t)HW_S(122));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);
}

static void an_idle_tunnel_is_nearly_silent(void **state)
{
	(void)state;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(30));

	uint64_t sent[2] = { w.sent[0], w.sent[1] };

	world_run(&w, w.now + HW_S(3600));
	for (int n = 0; n < 2; n++)
		assert_true(w.sent[n] - sent[n] <= 360 * WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
}

static void a_restarted_hub_is_found_again(void **state)
{
	(void)state;
	world_start_both(&w);
	world_stop(&w, 1);
	world_run(&w, w.now + HW_S(5));
	world_start(&w, 1);
	for (uint32_t i = 0; i < 50; i++) {
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(100));
	}
	assert_true(w.node[1].delivered >= 10);
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
}

static void a_restarted_client_is_accepted_again(void **state)
{
	(void)state;
	world_start_both(&w);
	world_stop(&w, 0);
	world_run(&w, w.now + HW_S(2));
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.node[0].addr[i].port = (uint16_t)(50000 + i);
	world_start(&w, 0);
	for (uint32_t i = 0; i < 20; i++) {
		world_send(&w, 0, 100, i);
		world_send(&w, 1, 100, i);
		world_run(&w, w.now + HW_MS(100));
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[1].delivered, 20);
	/* Those sent before the hub knows of the restart, and has checked the addresses, are lost. */
	assert_true(w.node[0].delivered >= 17);
}

static void goodbye_ends_the_session_at_once(void **state)
{
	struct hw_peer_snapshot s;

	(void)state;
	world_start_both(&w);
	hw_core_close(w.node[0].core, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_CLOSED], 1);
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_DOWN], 0);
	hw_core_peer_snapshot(w.node[1].core, 0, w.now, &s);
	assert_int_equal(s.path_count, 0);
	assert_int_not_equal(s.state, HW_PEER_UP);
}

static void a_wrong_psk_gets_no_session(void **state)
{
	(void)state;
	w.node[0].peer.psk[0] ^= 1;
	world_start_both(&w);
	world_send(&w, 0, 100, 1);
	world_run(&w, w.now + HW_S(12));
	assert_int_equal(w.node[1].delivered, 0);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 0);
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_UP], 0);
	assert_true(world_drops(&w, 0, HW_DROP_rx_handshake_auth) > 0);
	assert_true(w.node[0].events[HW_EVENT_HANDSHAKE_STALL] > 0);
}

static void a_stranger_gets_no_answer(void **state)
{
	struct world_node *client = &w.node[0];

	(void)state;
	client->config.private_key[5] ^= 1; /* a key that the hub does not know */
	world_start_both(&w);
	world_run(&w, w.now + HW_S(5));
	assert_true(world_drops(&w, 1, HW_DROP_rx_handshake_peer) > 0);
	assert_int_equal(w.sent[1], 0);
}

static void suites_that_differ_do_not_meet(void **state)
{
	(void)state;
	w.node[0].config.suite = hw_suite_find("aes-256-gcm");
	world_start_both(&w);
	world_run(&w, w.now + HW_S(5));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 0);
	assert_true(world_drops(&w, 1, HW_DROP_rx_handshake_auth) > 0);
}

static void forged_datagrams_change_nothing_but_counters(void **state)
{
	struct hw_tuple tuple = { .link = 0 };
	uint8_t bytes[200];
	struct hw_rng rng;

	(void)state;
	world_start_both(&w);
	world_send(&w, 0, 100, 1);
	world_run(&w, w.now + HW_MS(500));

	uint64_t sent = w.sent[1];
	uint64_t hash = hw_core_state_hash(w.node[1].core);

	hw_rng_init(&rng, 2);
	tuple.remote = w.node[0].addr[0];
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t len = (uint32_t)hw_rng_below(&rng, sizeof(bytes));

		hw_rng_fill(&rng, bytes, sizeof(bytes));
		bytes[0] = (uint8_t)(hw_rng_below(&rng, 6) << 4 | hw_rng_below(&rng, 2));
		tuple.remote.port = (uint16_t)(i & 1 ? i : w.node[0].addr[0].port);
		world_inject(&w, 1, &tuple, bytes, len);
	}
	world_check(&w);
	assert_true(hw_core_state_hash(w.node[1].core) == hash);
	assert_int_equal(w.sent[1], sent);
}

struct recorder {
	struct world_flight kept[2000];
	uint32_t count;
};

static bool record(void *ctx, int from, const struct world_flight *flight)
{
	struct recorder *r = ctx;

	if (from == 0 && r->count < 2000)
		r->kept[r->count++] = *flight;
	return true;
}

static void replayed_datagrams_change_nothing_but_counters(void **state)
{
	static struct recorder r;
	struct hw_tuple stranger = { .link = 1 };

	(void)state;
	r.count = 0;
	w.tap = record;
	w.tap_ctx = &r;
	world_start_both(&w);
	for (uint32_t i = 0; i < 200; i++) {
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(10));
	}
	world_run(&w, w.now + HW_MS(500));
	w.tap = NULL;

	uint64_t delivered = w.node[1].delivered;
	uint64_t hash = hw_core_state_hash(w.node[1].core);

	stranger.remote = (struct hw_addr){ .family = HW_FAMILY_IPV4, .ip = { 203, 0, 113, 9 }, .port = 9 };
	for (uint32_t i = 0; i < r.count; i++) {
		/* The initiation itself may be answered as a copy: that is no state either. */
		world_inject(&w, 1, i & 1 ? &stranger : &r.kept[i].tuple, r.kept[i].bytes,
			     r.kept[i].len);
	}
	assert_true(r.count > 600);
	assert_int_equal(w.node[1].delivered, delivered);
	assert_true(hw_core_state_hash(w.node[1].core) == hash);
}

static void the_configuration_is_checked(void **state)
{
	struct hw_core_config config = w.node[0].config;
	struct hw_peer_config peers[2] = { w.node[0].peer, w.node[0].peer };
	struct hw_core *core = NULL;

	(void)state;
	world_start(&w, 0);
	core = w.node[0].core;
	assert_int_equal(hw_core_apply(core, &config, w.now), HW_E_STATE);
	world_stop(&w, 0);

	config.link_count = HW_CORE_MAX_LINKS + 1;
	assert_int_equal(world_apply(&w, &config), HW_E_LIMIT);
	config = w.node[0].config;
	config.peers = peers;
	config.peer_count = 2;
	assert_int_equal(world_apply(&w, &config), HW_E_LIMIT);
	config = w.node[0].config;
	config.suite = NULL;
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config = w.node[0].config;
	config.strategy = NULL;
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config = w.node[0].config;
	config.tunnel_mtu = 575;
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config = w.node[0].config;
	config.rekey_after = config.reject_after;
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config = w.node[0].config;
	config.replay_packets = 1000; /* no power of two */
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config = w.node[0].config;
	memset(config.private_key, 7, 32);
	assert_int_equal(hw_identity_public(config.private_key, peers[0].public_key), 0);
	config.peers = peers; /* the peer's key is our own */
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	assert_int_equal(world_apply(&w, &w.node[0].config), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(session_and_all_paths_come_up),
		TEST(packets_cross_once_each_way),
		TEST(packets_before_the_session_wait_for_it),
		TEST(waiting_packets_are_bounded_in_number_and_time),
		TEST(a_cut_link_costs_nothing),
		TEST(large_packets_are_cut_and_joined),
		TEST(too_large_packets_are_counted),
		TEST(keys_are_renewed_without_loss),
		TEST(an_idle_tunnel_is_nearly_silent),
		TEST(a_restarted_hub_is_found_again),
		TEST(a_restarted_client_is_accepted_again),
		TEST(goodbye_ends_the_session_at_once),
		TEST(a_wrong_psk_gets_no_session),
		TEST(a_stranger_gets_no_answer),
		TEST(suites_that_differ_do_not_meet),
		TEST(forged_datagrams_change_nothing_but_counters),
		TEST(replayed_datagrams_change_nothing_but_counters),
		TEST(the_configuration_is_checked),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
