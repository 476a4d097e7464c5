/*
 * A changed configuration while sessions live: what changes does so without losing a packet or
 * renewing a key, what cannot change is refused whole.
 */
#include <stdlib.h>

#include "test.h"

#include "memory.h"
#include "world.h"

#include "base/bytes.h"
#include "core/internal.h"
#include "crypto/suite.h"
#include "wire/data.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 21);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static void reapply(int node)
{
	assert_int_equal(hw_core_reapply(w.node[node].core, &w.node[node].config, w.now), 0);
	world_flush(&w, node);
}

static uint32_t flow(hw_time span)
{
	uint32_t count = 0;

	for (hw_time end = w.now + span; w.now < end; count++) {
		world_send(&w, 0, 200, count);
		world_send(&w, 1, 200, count);
		world_run(&w, w.now + HW_MS(5));
	}
	return count;
}

static hw_time established_at(int node)
{
	return w.node[node].core->peers[0].established_at;
}

static uint64_t copies(int node)
{
	struct hw_core_totals totals;

	hw_core_totals(w.node[node].core, &totals);
	return totals.tx_copies;
}

/* Every 100 ms the other mode: each holds for what is sent from then on. */
static void the_mode_changes_without_a_loss(void **state)
{
	static const char *const modes[] = { "backup", "redundant" };
	hw_time established;
	uint32_t count = 0;

	(void)state;
	world_start_both(&w);
	established = established_at(0);
	for (uint32_t i = 0; i < 40; i++) {
		uint64_t before = copies(0);

		for (int n = 0; n < 2; n++) {
			w.node[n].config.strategy = hw_strategy_find(modes[i % 2]);
			reapply(n);
		}
		count += flow(HW_MS(100));
		assert_int_equal(copies(0) - before, i % 2 == 0 ? 20 : 20 * WORLD_LINKS);
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(count, 800);
	assert_int_equal(w.node[0].delivered, count);
	assert_int_equal(w.node[1].delivered, count);
	assert_true(established_at(0) == established);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 1);
}

static uint32_t last_len, last_tos;

static bool note(void *ctx, int from, const struct world_flight *flight)
{
	struct hw_wire_data header;

	(void)ctx;
	if (from == 0 && hw_wire_data_parse(flight->bytes, flight->len, &header) == 0 &&
	    header.stream != HW_WIRE_STREAM_CONTROL) {
		last_len = flight->len;
		last_tos = flight->tos;
	}
	return true;
}

/* A packet of `len` zeros but for its header, with DSCP EF. */
static void send_marked(uint32_t len)
{
	struct hw_buf *buf = hw_buf_get(w.node[0].pool);

	assert_non_null(buf);
	memset(hw_buf_put(buf, len), 0, len);
	buf->data[0] = 0x45;
	buf->data[1] = 46 << 2;
	hw_store16(buf->data + 2, (uint16_t)len);
	buf->data[9] = 253;
	hw_core_packets_in(w.node[0].core, &buf, 1, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_MS(50));
}

static void frames_change_while_it_runs(void **state)
{
	(void)state;
	w.tap = note;
	world_start_both(&w);
	send_marked(1000);
	assert_int_equal(last_len, 1000 + HW_WIRE_OVERHEAD_BYTES);
	assert_int_equal(last_tos, 0);
	w.node[0].config.compression = true;
	w.node[0].config.copy_dscp = true;
	w.node[0].config.tunnel_mtu = 1000;
	reapply(0);
	send_marked(1000);
	assert_true(last_len < 200);
	assert_int_equal(last_tos, 46 << 2);
	assert_int_equal(w.node[1].delivered, 2);
	send_marked(1001);
	assert_int_equal(w.node[1].delivered, 2);
	assert_int_equal(world_drops(&w, 0, HW_DROP_tx_too_big), 1);
	w.node[0].config.compression = false;
	w.node[0].config.copy_dscp = false;
	w.node[0].config.tunnel_mtu = 1400;
	reapply(0);
	world_run(&w, w.now + HW_MS(50)); /* whether the paths take that is asked first */
	send_marked(1001);
	assert_int_equal(last_len, 1001 + HW_WIRE_OVERHEAD_BYTES);
	assert_int_equal(last_tos, 0);
	assert_int_equal(w.node[1].delivered, 3);
}

static void the_peers_name_changes(void **state)
{
	struct hw_peer_snapshot snapshot;

	(void)state;
	world_start_both(&w);
	memcpy(w.node[0].peer.name, "other", 6);
	reapply(0);
	world_snapshot(&w, 0, &snapshot);
	assert_string_equal(snapshot.name, "other");
	assert_int_equal(snapshot.state, HW_PEER_UP);
}

/* Shorter lives than the session has had already: it is renewed at once, not given up. */
static void shorter_lives_lose_nothing(void **state)
{
	hw_time established;
	uint32_t count;

	(void)state;
	world_start_both(&w);
	count = flow(HW_S(60));
	established = established_at(0);
	for (int n = 0; n < 2; n++) {
		w.node[n].config.rekey_after = HW_S(10);
		w.node[n].config.reject_after = HW_S(15);
		w.node[n].config.replay_time = HW_S(2);
		w.node[n].config.replay_packets = 1024;
		reapply(n);
	}
	count += flow(HW_S(30));
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[0].delivered, count);
	assert_int_equal(w.node[1].delivered, count);
	assert_true(established_at(0) >= established + HW_S(70));
	assert_int_equal(w.node[0].core->peers[0].slots.current->replay_params.packets, 1024);
}

static void longer_lives_hold_at_once(void **state)
{
	hw_time established;
	uint32_t count = 0;

	(void)state;
	world_start_both(&w);
	established = established_at(0);
	for (int n = 0; n < 2; n++) {
		w.node[n].config.rekey_after = HW_S(400);
		w.node[n].config.reject_after = HW_S(500);
		reapply(n);
	}
	world_run(&w, w.now + HW_S(390));
	count = flow(HW_S(1));
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[0].delivered, count);
	assert_true(established_at(0) == established);
	world_run(&w, w.now + HW_S(20));
	assert_true(established_at(0) > established);
}

static void refused(const struct hw_core_config *config, int error)
{
	struct hw_core *core = w.node[0].core;
	uint64_t hash = hw_core_state_hash(core);

	assert_int_equal(hw_core_reapply(core, config, w.now), error);
	assert_true(hw_core_state_hash(core) == hash);
}

static void what_cannot_change_is_refused_whole(void **state)
{
	struct hw_core_config config;
	struct hw_peer_config peer;

	(void)state;
	world_start_both(&w);
	/* Each together with something that could change. */
#define FRESH()                                                                                    \
	do {                                                                                       \
		config = w.node[0].config;                                                         \
		peer = w.node[0].peer;                                                             \
		config.peers = &peer;                                                              \
		config.tunnel_mtu = 1300;                                                          \
		config.strategy = hw_strategy_find("backup");                                      \
	} while (0)
	FRESH();
	config.suite = hw_suite_at(1);
	refused(&config, HW_E_STATE);
	FRESH();
	config.layer2 = true;
	refused(&config, HW_E_STATE);
	FRESH();
	config.private_key[31] ^= 1;
	refused(&config, HW_E_STATE);
	FRESH();
	peer.public_key[0] ^= 1;
	refused(&config, HW_E_STATE);
	FRESH();
	peer.psk[31] ^= 1;
	refused(&config, HW_E_STATE);
	FRESH();
	config.peer_count = 0;
	refused(&config, HW_E_INVAL);
	FRESH();
	config.peer_count = 2;
	refused(&config, HW_E_LIMIT);
	FRESH();
	config.strategy = NULL;
	refused(&config, HW_E_INVAL);
	FRESH();
	config.tunnel_mtu = 575;
	refused(&config, HW_E_INVAL);
	FRESH();
	config.rekey_after = config.reject_after;
	refused(&config, HW_E_INVAL);
	FRESH();
	config.replay_packets = 1000;
	refused(&config, HW_E_INVAL);
	FRESH();
	assert_int_equal(hw_core_reapply(w.node[0].core, &config, w.now), 0);
#undef FRESH
	assert_int_equal(flow(HW_MS(500)), 100);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[1].delivered, 100);
	hw_core_close(w.node[0].core, w.now);
	assert_int_equal(hw_core_reapply(w.node[0].core, &w.node[0].config, w.now), HW_E_STATE);
}

static void the_same_again_changes_nothing(void **state)
{
	uint64_t hash;

	(void)state;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(10));
	hash = hw_core_state_hash(w.node[0].core);
	reapply(0);
	assert_true(hw_core_state_hash(w.node[0].core) == hash);
}

static void without_memory_nothing_changes(void **state)
{
	struct hw_core *core;
	uint64_t hash;
	uint32_t failures = 0;
	int rc = HW_E_NOMEM;

	(void)state;
	world_start_both(&w);
	core = w.node[0].core;
	w.node[0].config.strategy = hw_strategy_find("backup");
	w.node[0].config.tunnel_mtu = 1300;
	hash = hw_core_state_hash(core);
	for (uint64_t n = 1; rc < 0; n++) {
		memory_fail(n, false);
		rc = hw_core_reapply(core, &w.node[0].config, w.now);
		if (!memory_failed())
			break;
		memory_fail(0, false);
		assert_int_equal(rc, HW_E_NOMEM);
		assert_true(hw_core_state_hash(core) == hash);
		failures++;
	}
	memory_fail(0, false);
	assert_int_equal(rc, 0);
	assert_true(failures >= 2);
	assert_int_equal(flow(HW_MS(500)), 100);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[1].delivered, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_mode_changes_without_a_loss),
		TEST(frames_change_while_it_runs),
		TEST(the_peers_name_changes),
		TEST(shorter_lives_lose_nothing),
		TEST(longer_lives_hold_at_once),
		TEST(what_cannot_change_is_refused_whole),
		TEST(the_same_again_changes_nothing),
		TEST(without_memory_nothing_changes),
#undef TEST
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
