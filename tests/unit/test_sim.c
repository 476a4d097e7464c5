/* The simulator's own parts: an oracle that cannot fail would prove nothing. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "sim/engine.h"
#include "sim/flow.h"
#include "sim/oracle.h"
#include "sim/run.h"
#include "sim/scenario.h"
#include "sim/stats.h"
#include "sim/suite.h"
#include "wire/wire.h"

#define SEED 4711u

/* ---- engine ---- */

struct probe {
	struct hw_sim_event event;
	struct hw_sim_engine *engine;
	char name;
	char *log;
};

static void log_event(struct hw_sim_event *event, hw_time now)
{
	struct probe *probe = (struct probe *)event;
	size_t at = strlen(probe->log);

	assert_int_equal(now, probe->engine->now);
	probe->log[at] = probe->name;
	if (probe->name == 'x') {
		hw_sim_fail(probe->engine, "x at %d", 1);
		hw_sim_fail(probe->engine, "later");
	}
}

static void events_fire_in_order_until_a_violation(void **state)
{
	struct hw_sim_engine engine;
	char log[16] = "";
	struct probe probes[5];
	const char names[] = "bcaxz";
	const hw_time at[] = { 20, 20, 10, 30, 40 };

	(void)state;
	hw_sim_engine_init(&engine);
	for (size_t i = 0; i < 5; i++) {
		probes[i] = (struct probe){ .engine = &engine, .name = names[i], .log = log };
		hw_sim_event_init(&probes[i].event, log_event);
		hw_sim_at(&engine, &probes[i].event, at[i]);
	}
	hw_sim_run_until(&engine, 25);
	assert_string_equal(log, "abc");
	assert_int_equal(engine.now, 25);
	hw_sim_run_until(&engine, 100);
	assert_string_equal(log, "abcx");
	assert_true(engine.failed);
	assert_string_equal(engine.failure, "x at 1"); /* the first, not the last */
	assert_int_equal(engine.now, 30);
	hw_sim_engine_fini(&engine);
}

static void seeds_differ_by_part_and_index(void **state)
{
	(void)state;
	assert_true(hw_sim_seed(1, "up", 0) == hw_sim_seed(1, "up", 0));
	assert_true(hw_sim_seed(1, "up", 0) != hw_sim_seed(1, "up", 1));
	assert_true(hw_sim_seed(1, "up", 0) != hw_sim_seed(1, "down", 0));
	assert_true(hw_sim_seed(1, "up", 0) != hw_sim_seed(2, "up", 0));
}

/* ---- flows: what tells a right packet from a wrong one ---- */

static void a_packet_arrives_once_and_whole(void **state)
{
	struct hw_sim_flow flow;
	struct hw_sim_flow_header header;
	uint8_t packet[1600];

	(void)state;
	for (int layer2 = 0; layer2 < 2; layer2++) {
		hw_sim_flow_init(&flow, 6, HW_SIM_CLIENT);
		flow.deadline = HW_MS(5);

		uint32_t len = hw_sim_flow_build(&flow, layer2, HW_S(1), 77, 1003, packet);

		assert_int_equal(len, layer2 ? 1017 : 1003);
		assert_int_equal(hw_sim_flow_parse(packet, len, layer2, &header), 0);
		assert_int_equal(header.aux, 77);
		assert_int_equal(header.flow, 6);
		assert_int_equal(hw_sim_flow_arrived(&flow, &header, HW_S(1) + HW_MS(6)), 0);
		assert_int_equal(flow.stats.late, 1);
		assert_int_equal(hw_sim_flow_arrived(&flow, &header, HW_S(1) + HW_MS(7)),
				 HW_E_REPLAY);
		assert_int_equal(flow.stats.delivered, 1);
		hw_sim_flow_fini(&flow);
	}
}

static void what_was_not_sent_is_noticed(void **state)
{
	struct hw_sim_flow flow;
	struct hw_sim_flow_header header;
	uint8_t packet[1600];

	(void)state;
	hw_sim_flow_init(&flow, 2, HW_SIM_HUB);

	uint32_t len = hw_sim_flow_build(&flow, false, HW_S(1), 0, 200, packet);

	assert_int_equal(hw_sim_flow_parse(packet, len, false, &header), 0);
	header.number = 1;
	assert_int_equal(hw_sim_flow_arrived(&flow, &header, HW_S(2)), HW_E_NOT_FOUND);
	header.number = 0;
	header.flow = 3;
	assert_int_equal(hw_sim_flow_arrived(&flow, &header, HW_S(2)), HW_E_NOT_FOUND);
	header.flow = 2;
	assert_int_equal(hw_sim_flow_arrived(&flow, &header, HW_MS(999)),
			 HW_E_NOT_FOUND); /* before it was sent */
	assert_int_equal(hw_sim_flow_arrived(&flow, &header, HW_S(2)), 0);
	hw_sim_flow_fini(&flow);
}

/* But for the addresses, the identification and the like, which nothing here sends by, any bit. */
static void every_changed_bit_is_noticed(void **state)
{
	struct hw_sim_flow flow;
	struct hw_sim_flow_header header;
	uint8_t packet[256];

	(void)state;
	hw_sim_flow_init(&flow, 2, HW_SIM_HUB);

	uint32_t len = hw_sim_flow_build(&flow, false, HW_S(1), 9, 133, packet);

	for (uint32_t bit = 0; bit < len * 8; bit++) {
		if (bit / 8 >= 22 && bit / 8 < 28)
			continue; /* UDP: destination port, length, no checksum */
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(hw_sim_flow_parse(packet, len, false, &header), HW_E_MALFORMED);
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (uint32_t cut = 0; cut < len; cut++)
		assert_int_equal(hw_sim_flow_parse(packet, cut, false, &header), HW_E_MALFORMED);
	assert_int_equal(hw_sim_flow_parse(packet, len, false, &header), 0);
	hw_sim_flow_fini(&flow);
}

static void overtaken_packets_are_counted(void **state)
{
	struct hw_sim_flow flow;
	struct hw_sim_flow_header headers[4];
	const size_t order[] = { 0, 3, 1, 2 };
	uint8_t packet[256];

	(void)state;
	hw_sim_flow_init(&flow, 0, HW_SIM_CLIENT);
	for (size_t i = 0; i < 4; i++) {
		uint32_t len = hw_sim_flow_build(&flow, false, i, 0, 100, packet);

		assert_int_equal(hw_sim_flow_parse(packet, len, false, &headers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(hw_sim_flow_arrived(&flow, &headers[order[i]], 100 + 10 * i * i),
				 0);
	assert_int_equal(flow.stats.reordered, 2);
	assert_int_equal(flow.stats.gap_max, 50);
	hw_sim_flow_fini(&flow);
}

/* ---- suites ---- */

static void null_suite_seals_and_notices_damage(void **state)
{
	const struct hw_suite *suite = hw_sim_suite_find("null");
	const uint8_t bytes[HW_AEAD_KEY_BYTES] = { 1, 2, 3 }, ad[16] = { 9 };
	uint8_t nonce[HW_AEAD_NONCE_BYTES] = { 0, 0, 0, 1 }, data[300];
	struct hw_aead_key *seal, *open;
	uint8_t sealed[300];

	(void)state;
	assert_int_equal(suite->key_new(bytes, true, &seal), 0);
	assert_int_equal(suite->key_new(bytes, false, &open), 0);
	for (size_t len = 0; len < 280; len += 13) {
		memset(data, 0x5a, sizeof(data));
		hw_store64(nonce + 4, len);
		assert_int_equal(suite->seal(seal, nonce, ad, sizeof(ad), data, len), 0);
		assert_int_equal(suite->open(open, nonce, ad, sizeof(ad), data, len + 16), 0);
		memcpy(sealed, data, sizeof(sealed));
		for (size_t bit = 0; bit < (len + 16) * 8; bit += 7) {
			sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(suite->open(open, nonce, ad, sizeof(ad), sealed, len + 16),
					 HW_E_AUTH);
			sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_int_equal(suite->open(open, nonce, ad, 15, data, len + 16), HW_E_AUTH);
		nonce[11] ^= 1;
		assert_int_equal(suite->open(open, nonce, ad, sizeof(ad), data, len + 16),
				 HW_E_AUTH);
		assert_int_equal(suite->open(open, nonce, ad, sizeof(ad), data, 15),
				 HW_E_TRUNCATED);
	}
	suite->key_free(seal);
	suite->key_free(open);
	assert_null(hw_sim_suite_find("rot13"));
	assert_null(hw_suite_find("null")); /* nobody else can have it */
}

/* What a link damages must not pass for whole: no two flipped bits cancel each other. */
static void null_suite_notices_any_two_flips(void **state)
{
	const struct hw_suite *suite = hw_sim_suite_find("null");
	const uint8_t nonce[HW_AEAD_NONCE_BYTES] = { 0 }, ad[16] = { 0 };
	const size_t len = 76, bits = (len + 16) * 8;
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, SEED);
	for (int k = 0; k < 4; k++) {
		uint8_t bytes[HW_AEAD_KEY_BYTES], data[100];
		struct hw_aead_key *key;

		hw_rng_fill(&rng, bytes, sizeof(bytes));
		hw_rng_fill(&rng, data, sizeof(data));
		assert_int_equal(suite->key_new(bytes, false, &key), 0);
		assert_int_equal(suite->seal(key, nonce, ad, sizeof(ad), data, len), 0);
		for (size_t a = 0; a < bits; a++) {
			data[a / 8] ^= (uint8_t)(1u << a % 8);
			for (size_t b = 0; b < a; b++) {
				data[b / 8] ^= (uint8_t)(1u << b % 8);
				if (suite->open(key, nonce, ad, sizeof(ad), data, len + 16) !=
				    HW_E_AUTH)
					fail_msg("bits %zu and %zu, seed %u", a, b, SEED);
				data[b / 8] ^= (uint8_t)(1u << b % 8);
			}
			data[a / 8] ^= (uint8_t)(1u << a % 8);
		}
		suite->key_free(key);
	}
}

static void seal_one(const char *name, uint8_t key_byte, uint32_t stream, uint64_t counter)
{
	const struct hw_suite *suite = hw_sim_suite_find(name);
	const uint8_t bytes[HW_AEAD_KEY_BYTES] = { key_byte };
	uint8_t nonce[HW_AEAD_NONCE_BYTES], data[32] = { 0 };
	struct hw_aead_key *key;

	hw_store32(nonce, stream);
	hw_store64(nonce + 4, counter);
	assert_int_equal(suite->key_new(bytes, true, &key), 0);
	assert_int_equal(suite->seal(key, nonce, NULL, 0, data, 16), 0);
	suite->key_free(key);
}

static void a_nonce_used_again_is_noticed(void **state)
{
	static const char *const names[] = { "null", "chacha20-poly1305", "aes-256-gcm" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct hw_sim_seals *seals;

		assert_int_equal(hw_sim_seals_new(&seals), 0);
		hw_sim_seals_use(seals);
		seal_one(names[i], 1, 1, 5);
		seal_one(names[i], 1, 2, 5); /* another stream */
		seal_one(names[i], 2, 1, 5); /* another key */
		seal_one(names[i], 1, 1, 9); /* a gap is no harm */
		assert_false(hw_sim_seals_state(seals).reused);
		assert_int_equal(hw_sim_seals_state(seals).keys, 2);
		assert_int_equal(hw_sim_seals_state(seals).sealed, 4);
		seal_one(names[i], 1, 1, 9); /* the same key, set up anew */
		assert_true(hw_sim_seals_state(seals).reused);
		assert_int_equal(hw_sim_seals_state(seals).stream, 1);
		assert_int_equal(hw_sim_seals_state(seals).counter, 9);
		hw_sim_seals_free(seals);
	}
}

/* ---- statistics ---- */

static void quantiles_are_right_to_a_thousandth(void **state)
{
	struct hw_histogram histogram = { 0 }, twice = { 0 };

	(void)state;
	assert_true(hw_histogram_quantile_ns(&histogram, 0.5) < 0);
	for (uint64_t i = 1; i <= 100000; i++)
		assert_int_equal(hw_histogram_add(&histogram, i * 1000), 0);
	for (double q = 0.01; q < 1; q += 0.01) {
		double seen = hw_histogram_quantile_ns(&histogram, q);

		assert_true(fabs(seen / (q * 1e8) - 1) < 0.001);
	}
	assert_int_equal(histogram.min, 1000);
	assert_int_equal(histogram.max, 100000000);
	assert_true(hw_histogram_quantile_ns(&histogram, 1) <= 1e8);
	assert_int_equal(hw_histogram_merge(&twice, &histogram), 0);
	assert_int_equal(hw_histogram_merge(&twice, &histogram), 0);
	assert_int_equal(twice.count, 200000);
	assert_true(hw_histogram_quantile_ns(&twice, 0.5) ==
		    hw_histogram_quantile_ns(&histogram, 0.5));
	hw_histogram_fini(&histogram);
	hw_histogram_fini(&twice);
}

static void constant_delays_stay_exact(void **state)
{
	struct hw_histogram histogram = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(hw_histogram_add(&histogram, 123456789), 0);
	assert_true(hw_histogram_quantile_ns(&histogram, 0.5) == 123456789.0);
	hw_histogram_fini(&histogram);
}

/* Against closed forms: no hits, all hits, and the rule that both ends solve their tail. */
static void intervals_hold_known_values(void **state)
{
	double low, high;

	(void)state;
	hw_interval_999(0, 1000, &low, &high);
	assert_true(low == 0 && fabs(high - (1 - pow(0.0005, 1.0 / 1000))) < 1e-9);
	hw_interval_999(1000, 1000, &low, &high);
	assert_true(high == 1 && fabs(low - pow(0.0005, 1.0 / 1000)) < 1e-9);
	hw_interval_999(1, 1, &low, &high);
	assert_true(fabs(low - 0.0005) < 1e-9);
	hw_interval_999(5, 10, &low, &high); /* symmetric */
	assert_true(fabs(low + high - 1) < 1e-9);

	/* The definition itself: at the lower end, five or more of ten have probability 0.0005. */
	const double choose[] = { 252, 210, 120, 45, 10, 1 };
	double tail = 0;

	for (int k = 5; k <= 10; k++)
		tail += choose[k - 5] * pow(low, k) * pow(1 - low, 10 - k);
	assert_true(fabs(tail - 0.0005) < 1e-9);
	hw_interval_999(0, 0, &low, &high);
	assert_true(low == 0 && high == 1);
	/* For many trials the interval is the normal one: 3.2905 sigmas. */
	hw_interval_999(50000, 1000000, &low, &high);
	assert_true(fabs((high - low) / 2 - 3.2905 * sqrt(0.05 * 0.95 / 1e6)) < 2e-6);
}

/* It must hold the truth in at least 99.9 % of experiments: drawn at 1 % of 2000. */
static void intervals_cover(void **state)
{
	struct hw_rng rng;
	unsigned missed = 0;

	(void)state;
	hw_rng_init(&rng, SEED);
	for (int experiment = 0; experiment < 2000; experiment++) {
		unsigned hits = 0;
		double low, high;

		for (int i = 0; i < 2000; i++)
			hits += hw_rng_unit(&rng) < 0.01;
		hw_interval_999(hits, 2000, &low, &high);
		missed += low > 0.01 || high < 0.01;
	}
	assert_in_range(missed, 0, 8); /* 2 expected at most; 9 has probability 2e-4 */
}

/* ---- the oracle ---- */

static void ignore_datagram(void *ctx, enum hw_sim_side to, const struct hw_tuple *tuple,
			    const uint8_t *data, uint32_t len, uint8_t tos)
{
	(void)ctx, (void)to, (void)tuple, (void)data, (void)len, (void)tos;
}

static void ignore_astray(void *ctx, enum hw_sim_side from, const struct hw_addr *to,
			  const uint8_t *data, uint32_t len)
{
	(void)ctx, (void)from, (void)to, (void)data, (void)len;
}

static void ignore_inner(void *ctx, enum hw_sim_side side, const uint8_t *data, uint32_t len)
{
	(void)ctx, (void)side, (void)data, (void)len;
}

struct stage {
	struct hw_sim_engine engine;
	struct hw_sim_net net;
	struct hw_sim_seals *seals;
	struct hw_sim_node node;
};

static void stage_init(struct stage *stage)
{
	struct hw_sim_net_owner owner = { .datagram = ignore_datagram, .astray = ignore_astray };
	struct hw_sim_node_owner node_owner = { .inner = ignore_inner };
	struct hw_link_params perfect = { 0 };
	struct hw_sim_wire_config wire = { .name = "wire",
					   .params = { &perfect, &perfect },
					   .mtu_bytes = 1500 };
	struct hw_sim_node_config config = { .side = HW_SIM_CLIENT,
					     .link_mtu_bytes = { 1500 },
					     .epoch = HW_S(9),
					     .pool_buffers = 512,
					     .wall_ns = UINT64_C(1767225600) * HW_NS_PER_S,
					     .seed = SEED };

	memset(stage, 0, sizeof(*stage));
	hw_sim_engine_init(&stage->engine);
	hw_sim_net_init(&stage->net, &stage->engine, &owner);
	assert_int_equal(hw_sim_net_add(&stage->net, &wire, SEED), 0);
	assert_int_equal(hw_sim_seals_new(&stage->seals), 0);
	hw_sim_seals_use(stage->seals);
	hw_core_config_init(&config.core);
	config.core.suite = hw_sim_suite_find("null");
	config.core.strategy = hw_strategy_at(0);
	config.core.layer2 = false;
	config.core.link_count = 1;
	config.core.private_key[0] = 1;
	config.peer.public_key[0] =
		9; /* the base point: as good a peer as any that never answers */
	config.endpoints[0] = stage->net.wires[0].hub_addr;
	assert_int_equal(hw_sim_node_init(&stage->node, &config, &stage->engine, &stage->net,
					  stage->seals, &node_owner),
			 0);
	hw_sim_node_start(&stage->node);
	hw_sim_run_until(&stage->engine, HW_S(1));
	assert_false(stage->engine.failed);
}

static void stage_fini(struct stage *stage)
{
	hw_sim_node_fini(&stage->node);
	hw_sim_net_fini(&stage->net);
	hw_sim_seals_free(stage->seals);
	hw_sim_engine_fini(&stage->engine);
}

static void expect_failure(struct stage *stage, const char *words)
{
	hw_sim_oracle_check(&stage->node);
	assert_true(stage->engine.failed);
	assert_non_null(strstr(stage->engine.failure, words));
	stage_fini(stage);
}

static void the_oracle_notices_wrong_counters(void **state)
{
	struct stage stage;
	const uint8_t packet[100] = { 0x45 };

	(void)state;
	stage_init(&stage);
	hw_sim_node_packet(&stage.node, packet, sizeof(packet));
	assert_false(stage.engine.failed);
	stage.node.packets_given++;
	expect_failure(&stage, "packets in, was given");

	stage_init(&stage);
	stage.node.datagrams_given++;
	expect_failure(&stage, "datagrams, was given");

	stage_init(&stage);
	stage.node.packets_taken++;
	expect_failure(&stage, "packets out, gave");

	stage_init(&stage);
	stage.node.seen.drops[HW_DROP_rx_auth]++;
	expect_failure(&stage, "a counter fell");
}

static void the_oracle_notices_a_reused_nonce(void **state)
{
	struct stage stage;

	(void)state;
	stage_init(&stage);
	seal_one("null", 7, 1, 0);
	hw_sim_oracle_check(&stage.node);
	assert_false(stage.engine.failed);
	seal_one("null", 7, 1, 0);
	expect_failure(&stage, "sealed stream 1, counter 0 again");
}

static void the_oracle_notices_a_kept_buffer(void **state)
{
	struct stage stage;

	(void)state;
	stage_init(&stage);

	struct hw_buf *kept = hw_buf_get(stage.node.pool);
	struct hw_pool *pool = stage.node.pool;

	hw_sim_node_stop(&stage.node, false);
	assert_true(stage.engine.failed);
	assert_non_null(strstr(stage.engine.failure, "1 buffers never came back"));
	hw_buf_unref(kept);
	assert_int_equal(hw_pool_available(pool), 512);
	stage_fini(&stage);
}

static void the_network_notices_a_datagram_too_large(void **state)
{
	struct stage stage;
	struct hw_tuple tuple = { 0 };
	uint8_t body[1473] = { HW_WIRE_DATA << 4 };

	(void)state;
	stage_init(&stage);
	tuple.remote = stage.net.wires[0].hub_addr;
	assert_int_equal(hw_sim_net_send(&stage.net, HW_SIM_CLIENT, &tuple, 0, NULL, 0, body, 1472),
			 0);
	assert_false(stage.engine.failed);
	(void)!hw_sim_net_send(&stage.net, HW_SIM_CLIENT, &tuple, 0, NULL, 0, body, 1473);
	assert_true(stage.engine.failed);
	assert_non_null(strstr(stage.engine.failure, "1501 bytes of IP by wire"));
	stage_fini(&stage);
}

/* A local address that the node does not have is what the system would refuse. */
static void the_network_refuses_a_foreign_address(void **state)
{
	struct stage stage;
	struct hw_tuple tuple = { 0 };
	const uint8_t body[60] = { HW_WIRE_COOKIE << 4 };

	(void)state;
	stage_init(&stage);
	tuple.remote = stage.net.wires[0].hub_addr;
	tuple.local = stage.net.wires[0].client_local;
	assert_int_equal(hw_sim_net_send(&stage.net, HW_SIM_CLIENT, &tuple, 0, NULL, 0, body, 60),
			 0);
	tuple.local.ip[3]++;
	assert_int_equal(hw_sim_net_send(&stage.net, HW_SIM_CLIENT, &tuple, 0, NULL, 0, body, 60),
			 HW_E_SYSTEM);
	assert_false(stage.engine.failed);
	stage_fini(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_fire_in_order_until_a_violation),
		cmocka_unit_test(seeds_differ_by_part_and_index),
		cmocka_unit_test(a_packet_arrives_once_and_whole),
		cmocka_unit_test(what_was_not_sent_is_noticed),
		cmocka_unit_test(every_changed_bit_is_noticed),
		cmocka_unit_test(overtaken_packets_are_counted),
		cmocka_unit_test(null_suite_seals_and_notices_damage),
		cmocka_unit_test(null_suite_notices_any_two_flips),
		cmocka_unit_test(a_nonce_used_again_is_noticed),
		cmocka_unit_test(quantiles_are_right_to_a_thousandth),
		cmocka_unit_test(constant_delays_stay_exact),
		cmocka_unit_test(intervals_hold_known_values),
		cmocka_unit_test(intervals_cover),
		cmocka_unit_test(the_oracle_notices_wrong_counters),
		cmocka_unit_test(the_oracle_notices_a_reused_nonce),
		cmocka_unit_test(the_oracle_notices_a_kept_buffer),
		cmocka_unit_test(the_network_notices_a_datagram_too_large),
		cmocka_unit_test(the_network_refuses_a_foreign_address),
	};

	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
