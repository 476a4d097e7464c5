/* Promises about whole nodes that no test of a module can hold (docs/security.md). */
#include "test.h"

#include "world.h"

#include "core/internal.h"

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

static struct hw_core_totals totals(int node)
{
	struct hw_core_totals t;

	hw_core_totals(w.node[node].core, &t);
	return t;
}

/* The last datagrams of both nodes, as they went by. */
struct capture {
	struct world_flight kept[2][128];
	uint32_t count[2];
	bool hold; /* deliver nothing */
};

static bool capture(void *ctx, int from, const struct world_flight *flight)
{
	struct capture *c = ctx;

	c->kept[from][c->count[from]++ % 128] = *flight;
	return !c->hold;
}

/* Bytes that strangers have sent and got, by the last byte of their address. */
struct account {
	uint64_t in, out;
	bool fresh; /* authentic packets, not seen before, came from there */
};

/* Gives the bytes to the hub and books what comes back for strangers. */
static void book(struct account account[256], const struct hw_tuple *from, const uint8_t *bytes,
		 uint32_t len)
{
	struct hw_datagram in = { .tuple = *from, .at = w.now, .buf = hw_buf_get(w.node[1].pool) };
	struct hw_datagram_out out;

	assert_non_null(in.buf);
	memcpy(hw_buf_put(in.buf, len), bytes, len);
	account[from->remote.ip[3]].in += len;
	hw_core_datagrams_in(w.node[1].core, &in, 1, w.now);
	while (hw_core_datagrams_out(w.node[1].core, &out, 1) > 0) {
		if (out.tuple.remote.ip[0] == 203)
			account[out.tuple.remote.ip[3]].out += out.head_bytes + out.body->len;
		hw_buf_unref(out.body);
	}
	world_flush(&w, 1);
}

/*
 * A man in the middle who sends whatever has passed by, in any order, whole or changed, from addresses
 * of his choice: handshakes bring back no more than they were, and what is new no more than three times.
 */
static void nobody_is_sent_more_than_he_has_paid_for(void **state)
{
	static struct capture c;
	uint64_t in = 0, out = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct account account[256] = { 0 };

		world_fini(&w);
		world_init(&w, seed);
		memset(&c, 0, sizeof(c));
		w.tap = capture;
		w.tap_ctx = &c;
		world_start(&w, 1);
		world_start(&w, 0);
		c.hold = seed % 3 == 0; /* he has even the first initiation for himself */
		world_run(&w, w.now + HW_S(1));
		for (uint32_t i = 0; i < 3000; i++) {
			const struct world_flight *real =
				&c.kept[0][hw_rng_below(&w.rng, c.count[0] < 128 ? c.count[0] : 128)];
			struct world_flight f = *real;
			struct hw_tuple from = { .link = (uint32_t)hw_rng_below(&w.rng, WORLD_LINKS) };

			from.remote = (struct hw_addr){ .family = HW_FAMILY_IPV4,
							.ip = { 203, 0, 113 },
							.port = 7 };
			from.remote.ip[3] = (uint8_t)hw_rng_below(&w.rng, 256);
			if (hw_rng_below(&w.rng, 4) == 0)
				f.bytes[hw_rng_below(&w.rng, f.len)] ^= 1;
			if (i % 4 == 0) {
				c.hold = true; /* this one is new to the hub, and comes from elsewhere */
				world_send(&w, 0, 40 + (uint32_t)hw_rng_below(&w.rng, 1000), i);
				c.hold = seed % 3 == 0;
				f = c.kept[0][(c.count[0] - 1) % 128];
			}
			if (f.bytes[0] >> 4 >= HW_WIRE_DATA)
				account[from.remote.ip[3]].fresh = true;
			book(account, &from, f.bytes, f.len);
			for (uint32_t a = 0; a < 256; a++)
				assert_true(account[a].out <= account[a].in *
					    (account[a].fresh ? HW_PATH_AMPLIFICATION : 1));
			if (i % 8 == 0) {
				w.now += HW_MS(5);
				hw_core_tick(w.node[1].core, w.now);
				hw_core_tick(w.node[0].core, w.now);
				world_flush(&w, 0);
			}
		}
		for (uint32_t a = 0; a < 256; a++) {
			in += account[a].in;
			out += account[a].out;
		}
	}
	assert_true(out > 0); /* or nothing was tested */
	print_message("# %llu bytes in, %llu out\n", (unsigned long long)in, (unsigned long long)out);
}

/* Of each packet only the copy on the slow path arrives, for a third of them. */
static bool lose_on_the_fast_path(void *ctx, int from, const struct world_flight *flight)
{
	struct hw_rng *rng = ctx;

	(void)from;
	return flight->tuple.link != 0 || flight->bytes[0] >> 4 < HW_WIRE_DATA ||
	       hw_rng_below(rng, 3) != 0;
}

/* 1000 packets a second each way, 5 ms and 3 s apart, keys renewed every 2 s. */
static void paths_three_seconds_apart_cost_no_packet(void **state)
{
	struct hw_rng rng;
	uint32_t sent = 0;

	(void)state;
	hw_rng_init(&rng, 1);
	for (int n = 0; n < 2; n++) {
		w.node[n].config.rekey_after = HW_S(2);
		w.node[n].config.reject_after = HW_S(10);
		w.node[n].config.replay_packets = 1024; /* so that it must grow */
	}
	w.delay[0] = HW_MS(5);
	w.delay[1] = HW_S(3);
	w.cut[2] = true;
	world_start(&w, 1);
	world_start(&w, 0);
	for (uint32_t i = 0; i < 200; i++) { /* until both paths are in use */
		world_send(&w, 0, 60, i);
		world_send(&w, 1, 60, i);
		world_run(&w, w.now + HW_MS(100));
	}
	world_run(&w, w.now + HW_S(5));

	uint64_t delivered[2] = { w.node[0].delivered, w.node[1].delivered };
	uint32_t generation = w.node[0].core->peers[0].next_generation;

	w.tap = lose_on_the_fast_path;
	w.tap_ctx = &rng;
	for (; sent < 6000; sent++) {
		world_send(&w, 0, 60, sent);
		world_send(&w, 1, 60, sent);
		world_run(&w, w.now + HW_MS(2));
	}
	w.tap = NULL;
	world_run(&w, w.now + HW_S(7));
	assert_true(w.node[0].core->peers[0].next_generation >= generation + 4);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(w.node[n].delivered, delivered[n] + sent);
		assert_int_equal(totals(n).drops[HW_DROP_rx_replay_old], 0);
		assert_int_equal(totals(n).drops[HW_DROP_rx_replay_late], 0);
		assert_int_equal(totals(n).drops[HW_DROP_rx_unknown_index], 0);
	}
}

/* The client starts anew with a clock that is wrong by years, and the floor that it was told. */
static void a_clock_ten_years_off_costs_five_seconds_at_most(void **state)
{
	const uint64_t years = UINT64_C(10) * 365 * 86400 * HW_NS_PER_S;
	uint64_t wall = w.wall_ns, floor = 0;

	(void)state;
	world_start(&w, 1);
	for (int i = 0; i < 6; i++) {
		uint32_t up = w.node[0].events[HW_EVENT_SESSION_UP];

		/* Right, far ahead, right, far behind, far ahead, far behind. */
		w.wall_ns = i == 1 || i == 4 ? wall + years : i == 3 || i == 5 ? wall - years : wall;
		world_start(&w, 0);
		hw_core_wall_clock(w.node[0].core, w.wall_ns + w.now, floor, w.now);
		world_run(&w, w.now + HW_S(5));
		assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], up + 1);
		floor = w.node[0].core->timestamp_reserved; /* as HW_EVENT_TIMESTAMP told */
		world_stop(&w, 0);
		world_run(&w, w.now + HW_S(1));
	}
}

/* The clock jumps while the node runs: by years, there and back. Sessions renew all the same. */
static void a_clock_that_jumps_does_not_stop_renewal(void **state)
{
	const uint64_t years = UINT64_C(10) * 365 * 86400 * HW_NS_PER_S;
	uint32_t sent = 0;

	(void)state;
	for (int n = 0; n < 2; n++) {
		w.node[n].config.rekey_after = HW_S(1);
		w.node[n].config.reject_after = HW_S(3);
	}
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(1));
	for (uint32_t i = 0; i < 200; i++) {
		if (i % 20 == 0)
			hw_core_wall_clock(w.node[0].core,
					   w.wall_ns + w.now + (i % 40 == 0 ? years : 0), 0, w.now);
		if (i % 20 == 10)
			hw_core_wall_clock(w.node[0].core, w.wall_ns + w.now - years, 0, w.now);
		world_send(&w, 0, 100, i);
		sent++;
		world_run(&w, w.now + HW_MS(50));
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[1].delivered, sent);
	assert_true(w.node[0].core->peers[0].next_generation >= 8);
	assert_int_equal(totals(1).drops[HW_DROP_rx_handshake_replay], 0);
}

/* An empty pool loses packets, by name; a pool that fills again has forgotten nothing. */
static void an_empty_pool_is_survived(void **state)
{
	static struct hw_buf *taken[8192];
	uint32_t count = 0;
	uint64_t delivered;

	(void)state;
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(1));
	while (hw_pool_available(w.node[0].pool) > 1)
		taken[count++] = hw_buf_get(w.node[0].pool);
	/* One is left, for a packet that needs to be cut in two. */
	for (uint32_t i = 0; i < 20; i++) {
		world_send(&w, 0, 1500, i);
		world_run(&w, w.now + HW_MS(100));
	}
	assert_int_equal(totals(0).drops[HW_DROP_tx_no_buffer], 20);
	while (count > 0)
		hw_buf_unref(taken[--count]);
	delivered = w.node[1].delivered;
	for (uint32_t i = 0; i < 50; i++) {
		world_send(&w, 0, 1500, i);
		world_run(&w, w.now + HW_MS(20));
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[1].delivered, delivered + 50);
	assert_int_equal(hw_pool_available(w.node[0].pool), hw_pool_count(w.node[0].pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(nobody_is_sent_more_than_he_has_paid_for),
		TEST(paths_three_seconds_apart_cost_no_packet),
		TEST(a_clock_ten_years_off_costs_five_seconds_at_most),
		TEST(a_clock_that_jumps_does_not_stop_renewal),
		TEST(an_empty_pool_is_survived),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
