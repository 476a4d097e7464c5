/* What strangers, relays and floods can do to a core: every limit reached, every refusal counted. */
#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "core/limiter.h"
#include "core/output.h"
#include "crypto/cookie.h"
#include "crypto/identity.h"
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

static struct hw_tuple stranger(uint32_t number, uint32_t link)
{
	return (struct hw_tuple){
		.link = link,
		.remote = { .family = HW_FAMILY_IPV4,
			    .ip = { 203, 0, (uint8_t)(number >> 8), (uint8_t)number },
			    .port = (uint16_t)(1024 + number % 60000) },
	};
}

/* What the client sends; kept back instead of delivered, when told to. */
struct watch {
	bool keep;
	struct world_flight last; /* from the client */
	uint32_t fresh;
	struct world_flight held[64];
};

static bool watch_client(void *ctx, int from, const struct world_flight *flight)
{
	struct watch *watch = ctx;

	if (from == 0) {
		watch->last = *flight;
		if (watch->keep && watch->fresh < 64) {
			watch->held[watch->fresh++] = *flight;
			return false;
		}
	}
	return true;
}

/* An initiation with the right mac1 for the hub and rubbish inside. */
static void false_initiation(uint8_t message[HW_WIRE_INITIATION_BYTES])
{
	static struct hw_crypto *crypto;
	struct hw_cookie_maker maker;
	struct hw_cookie_slot slot = { 0 };

	if (crypto == NULL)
		assert_int_equal(hw_crypto_new(&crypto), 0);
	hw_rng_fill(&w.rng, message, HW_WIRE_INITIATION_BYTES);
	message[0] = HW_WIRE_INITIATION << 4;
	assert_int_equal(hw_cookie_maker_init(&maker, crypto, w.node[0].peer.public_key), 0);
	assert_int_equal(
		hw_cookie_add_macs(&maker, &slot, message, HW_WIRE_INITIATION_BYTES, w.now), 0);
	hw_cookie_maker_fini(&maker);
}

static void limiter_rations_by_source_and_in_total(void **state)
{
	const uint8_t seed[16] = { 1 };
	struct hw_limiter limiter;
	uint32_t admitted = 0, cookies = 0;
	hw_time now = HW_S(100);

	(void)state;
	assert_int_equal(hw_limiter_init(&limiter, seed), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		const struct hw_tuple t = stranger(i, 0);

		switch (hw_limiter_admit(&limiter, &t.remote, false, now)) {
		case HW_LIMITER_ADMIT:
			admitted++;
			break;
		case HW_LIMITER_COOKIE:
			cookies++;
			break;
		case HW_LIMITER_REFUSE:
			fail();
		}
	}
	assert_int_equal(admitted, HW_LIMITER_FREE);
	assert_int_equal(cookies, 1000 - HW_LIMITER_FREE);

	const struct hw_tuple one = stranger(7, 0);
	struct hw_limiter new;

	/* A machine that has just started, its clock at nothing: the first is let in. */
	assert_int_equal(hw_limiter_init(&new, seed), 0);
	assert_int_equal(hw_limiter_admit(&new, &one.remote, false, 0), HW_LIMITER_ADMIT);
	hw_limiter_fini(&new);

	admitted = 0;
	for (uint32_t i = 0; i < 1000; i++)
		admitted += hw_limiter_admit(&limiter, &one.remote, true, now) == HW_LIMITER_ADMIT;
	assert_int_equal(admitted, HW_LIMITER_SOURCE);
	now += HW_MS(500);
	admitted = 0;
	for (uint32_t i = 0; i < 1000; i++)
		admitted += hw_limiter_admit(&limiter, &one.remote, true, now) == HW_LIMITER_ADMIT;
	assert_int_equal(admitted, HW_LIMITER_SOURCE / 2);

	now += HW_S(10);
	admitted = 0;
	for (uint32_t i = 0; i < 50000; i++) {
		const struct hw_tuple t = stranger(i, 0);

		admitted += hw_limiter_admit(&limiter, &t.remote, true, now) == HW_LIMITER_ADMIT;
	}
	assert_int_equal(admitted, HW_LIMITER_TOTAL);
	hw_limiter_fini(&limiter);
}

static void a_flood_of_initiations_meets_cookies_not_work(void **state)
{
	uint8_t message[HW_WIRE_INITIATION_BYTES];
	uint64_t sent;

	(void)state;
	world_start_both(&w);
	sent = w.sent[1];
	for (uint32_t i = 0; i < 5000; i++) {
		const struct hw_tuple t = stranger(i, i % WORLD_LINKS);

		false_initiation(message);
		world_inject(&w, 1, &t, message, sizeof(message));
	}
	assert_true(world_drops(&w, 1, HW_DROP_rx_handshake_auth) <= HW_LIMITER_FREE);
	assert_true(world_drops(&w, 1, HW_DROP_rx_handshake_auth) >= HW_LIMITER_FREE - 10);
	assert_int_equal(world_drops(&w, 1, HW_DROP_rx_handshake_auth) + world_drops(&w, 1, HW_DROP_rx_handshake_cookie),
			 5000);
	/* One cookie for each at most, and a cookie is smaller than what it answers. */
	assert_int_equal(w.sent[1] - sent, world_drops(&w, 1, HW_DROP_rx_handshake_cookie));
	assert_true(HW_WIRE_COOKIE_BYTES <= HW_WIRE_INITIATION_BYTES);
	world_check(&w);
}

static void a_true_peer_gets_in_during_a_flood(void **state)
{
	uint8_t message[HW_WIRE_INITIATION_BYTES];

	(void)state;
	world_start(&w, 1);
	for (uint32_t i = 0; i < 200; i++) { /* under load when the client comes */
		const struct hw_tuple t = stranger(i, 0);

		false_initiation(message);
		world_inject(&w, 1, &t, message, sizeof(message));
	}
	world_start(&w, 0);
	for (uint32_t ms = 0; ms < 3000; ms++) { /* 1000 a second more */
		const struct hw_tuple t = stranger(ms, 0);

		world_run(&w, w.now + HW_MS(1));
		false_initiation(message);
		world_inject(&w, 1, &t, message, sizeof(message));
	}
	assert_true(world_drops(&w, 1, HW_DROP_rx_handshake_cookie) > 2000);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 1);
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_UP], 1);
}

static void spoofed_copies_take_no_slots(void **state)
{
	static struct watch watch;
	struct hw_peer_snapshot s;

	(void)state;
	world_start_both(&w);
	w.tap = watch_client;
	w.tap_ctx = &watch;
	world_send(&w, 0, 100, 1);
	world_run(&w, w.now + HW_MS(500));

	uint64_t sent = w.sent[1];
	uint64_t hash = hw_core_state_hash(w.node[1].core);

	for (uint32_t i = 0; i < 10000; i++) {
		const struct hw_tuple t = stranger(i, i % WORLD_LINKS);

		world_inject(&w, 1, &t, watch.last.bytes, watch.last.len);
	}
	assert_true(hw_core_state_hash(w.node[1].core) == hash);
	assert_int_equal(w.sent[1], sent);

	/* A true new address still joins: the client moves. */
	w.node[0].addr[2].port = 50000;
	for (uint32_t i = 0; i < 50; i++) {
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(20));
	}
	hw_core_peer_snapshot(w.node[1].core, 0, w.now, &s);

	bool found = false;

	for (uint32_t i = 0; i < s.path_count; i++)
		found |= s.paths[i].state == HW_PATH_UP &&
			 hw_addr_equal(&s.paths[i].tuple.remote, &w.node[0].addr[2]);
	assert_true(found);
}

static void a_relay_gets_at_most_three_times_what_it_brings(void **state)
{
	static struct watch watch;
	const struct hw_tuple relay = stranger(1, 0);
	uint64_t in = 0, out = 0;
	struct hw_datagram_out datagram;
	struct hw_peer_snapshot s;

	(void)state;
	world_start_both(&w);
	watch = (struct watch){ .keep = true };
	w.tap = watch_client;
	w.tap_ctx = &watch;
	world_send(&w, 0, 40, 1);
	w.tap = NULL;
	assert_true(watch.fresh >= 1);

	/* Fresh, and never seen before: accepted, but the address has to answer. */
	struct hw_datagram d = { .tuple = relay, .at = w.now, .buf = hw_buf_get(w.node[1].pool) };

	in = watch.held[0].len;
	memcpy(hw_buf_put(d.buf, watch.held[0].len), watch.held[0].bytes, watch.held[0].len);
	hw_core_datagrams_in(w.node[1].core, &d, 1, w.now);
	for (uint32_t ms = 0; ms < 3000; ms += 10) {
		struct hw_buf *packet;

		while (hw_core_datagrams_out(w.node[1].core, &datagram, 1) > 0) {
			if (hw_addr_equal(&datagram.tuple.remote, &relay.remote))
				out += datagram.head_bytes + datagram.body->len;
			hw_buf_unref(datagram.body);
		}
		while (hw_core_packets_out(w.node[1].core, &packet, 1) > 0)
			hw_buf_unref(packet);
		w.now += HW_MS(10);
		hw_core_tick(w.node[1].core, w.now);
	}
	assert_true(out > 0);
	assert_true(out <= 3 * in);
	hw_core_peer_snapshot(w.node[1].core, 0, w.now, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		assert_false(hw_addr_equal(&s.paths[i].tuple.remote, &relay.remote));
}

static void a_moved_client_is_followed(void **state)
{
	uint64_t before;

	(void)state;
	world_start_both(&w);
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.cut[i] = i > 0; /* one path alone */
	for (uint32_t i = 0; i < 300; i++) {
		world_send(&w, 0, 100, i);
		world_send(&w, 1, 100, i);
		world_run(&w, w.now + HW_MS(10));
	}
	w.node[0].addr[0].port = 60000; /* the NAT forgot */
	before = w.node[0].delivered;
	for (uint32_t i = 0; i < 200; i++) {
		world_send(&w, 0, 100, i);
		world_send(&w, 1, 100, i);
		world_run(&w, w.now + HW_MS(10));
	}
	/* 2 s at 100/s; back within 1 RTT + 100 ms, so at most 13 of 200 were lost. */
	assert_true(w.node[0].delivered - before >= 185);
	assert_int_equal(w.node[1].events[HW_EVENT_PATH_MOVED], 1);
}

static void full_outputs_are_counted(void **state)
{
	struct hw_core_totals t;
	struct hw_buf *buf;

	(void)state;
	world_start_both(&w);
	/* Nobody takes the hub's datagrams: 3 copies each, then a full ring. */
	for (uint32_t i = 0; i < HW_OUTPUT_DATAGRAMS / 3 + 10; i++) {
		buf = hw_buf_get(w.node[1].pool);
		assert_non_null(buf);
		memset(hw_buf_put(buf, 60), 0, 60);
		buf->data[0] = 0x45;
		hw_core_packets_in(w.node[1].core, &buf, 1, w.now);
	}
	assert_true(world_drops(&w, 1, HW_DROP_tx_no_buffer) >= 8);
	world_check(&w);
	world_flush(&w, 1);
	hw_core_totals(w.node[1].core, &t);
	assert_true(t.tx_copies <= HW_OUTPUT_DATAGRAMS);
}

static void a_clock_set_back_needs_the_floor(void **state)
{
	const uint64_t years = UINT64_C(10) * 365 * 86400 * HW_NS_PER_S;
	uint64_t floor;

	(void)state;
	world_start_both(&w);
	floor = w.wall_ns + w.now + 60 * HW_NS_PER_S;
	world_stop(&w, 0);
	world_run(&w, w.now + HW_S(1));

	w.wall_ns -= years;
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(5));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 1);
	assert_true(world_drops(&w, 1, HW_DROP_rx_handshake_replay) > 0);
	world_stop(&w, 0);

	world_start(&w, 0);
	hw_core_wall_clock(w.node[0].core, w.wall_ns + w.now, floor, w.now);
	world_run(&w, w.now + HW_S(5));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 2);
}

static void the_timestamp_to_remember_is_told(void **state)
{
	(void)state;
	world_start_both(&w);
	assert_int_equal(w.node[0].events[HW_EVENT_TIMESTAMP], 1);
	assert_int_equal(w.node[1].events[HW_EVENT_TIMESTAMP], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		cmocka_unit_test(limiter_rations_by_source_and_in_total),
		TEST(a_flood_of_initiations_meets_cookies_not_work),
		TEST(a_true_peer_gets_in_during_a_flood),
		TEST(spoofed_copies_take_no_slots),
		TEST(a_relay_gets_at_most_three_times_what_it_brings),
		TEST(a_moved_client_is_followed),
		TEST(full_outputs_are_counted),
		TEST(a_clock_set_back_needs_the_floor),
		TEST(the_timestamp_to_remember_is_told),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
