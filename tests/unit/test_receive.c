/* What a core makes of packets that the peer has sealed: which reach the tunnel device, and how. */
#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "core/output.h"
#include "wire/wire.h"

static struct world w;
static struct world_flight held[4096];
static uint32_t held_count;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 31);
	held_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static uint64_t drops(enum hw_drop reason)
{
	struct hw_core_totals totals;

	hw_core_totals(w.node[1].core, &totals);
	return totals.drops[reason];
}

/* These bytes into the client's tunnel device. */
static void put(const uint8_t *bytes, uint32_t len)
{
	struct hw_buf *buf = hw_buf_get(w.node[0].pool);

	memcpy(hw_buf_put(buf, len), bytes, len);
	hw_core_packets_in(w.node[0].core, &buf, 1, w.now);
	world_flush(&w, 0);
}

/* Whether the hub gives them to its own. */
static bool arrives(const uint8_t *bytes, uint32_t len)
{
	uint64_t delivered = w.node[1].delivered, malformed = drops(HW_DROP_rx_frame_malformed);

	put(bytes, len);
	world_run(&w, w.now + HW_MS(100));
	world_check(&w);
	/* One or the other, once. */
	assert_int_equal(w.node[1].delivered - delivered +
				 drops(HW_DROP_rx_frame_malformed) - malformed,
			 1);
	if (w.node[1].delivered == delivered)
		return false;
	assert_int_equal(w.node[1].last_len, len);
	assert_memory_equal(w.node[1].last, bytes, len);
	return true;
}

static bool hold_data(void *ctx, int from, const struct world_flight *flight)
{
	(void)ctx;
	if (from != 0 || flight->bytes[0] != (HW_WIRE_DATA << 4 | HW_WIRE_STREAM_FIRST_CLASS))
		return true;
	if (flight->tuple.link == 0 && held_count < 4096)
		held[held_count++] = *flight;
	return false;
}

static void only_ip_reaches_a_tun_device(void **state)
{
	uint8_t packet[64] = { 0 };

	(void)state;
	world_start_both(&w);
	for (unsigned version = 0; version < 16; version++) {
		packet[0] = (uint8_t)(version << 4 | 5);
		assert_int_equal(arrives(packet, sizeof(packet)), version == 4 || version == 6);
		assert_false(arrives(packet, 19));
		assert_int_equal(arrives(packet, 20), version == 4 || version == 6);
	}
}

static void only_frames_reach_a_tap_device(void **state)
{
	uint8_t frame[64];

	(void)state;
	w.node[0].config.layer2 = w.node[1].config.layer2 = true;
	world_start_both(&w);
	hw_rng_fill(&w.rng, frame, sizeof(frame));
	for (uint32_t len = 1; len < sizeof(frame); len++)
		assert_int_equal(arrives(frame, len), len >= 14);
}

static void compressed_packets_arrive_as_they_were(void **state)
{
	uint8_t packet[1400] = { 0x45 };
	struct hw_core_totals t;

	(void)state;
	w.node[0].config.compression = true; /* each node decides for what it sends */
	world_start_both(&w);
	memset(packet + 20, 'x', sizeof(packet) - 20);
	w.tap = hold_data;
	assert_true(arrives(packet, sizeof(packet)));
	assert_int_equal(held_count, 0); /* it went as a framed packet */
	hw_core_totals(w.node[0].core, &t);
	assert_int_equal(t.tx_source_packets, 1);
}

/* A TCP SYN from the client, whose MSS is 1460. */
static uint32_t make_syn(uint8_t packet[44])
{
	memset(packet, 0, 44);
	packet[0] = 0x45;
	packet[3] = 44;
	packet[9] = 6;
	packet[32] = 6 << 4; /* header of 24 bytes */
	packet[33] = 2;      /* SYN */
	packet[40] = 2;      /* MSS */
	packet[41] = 4;
	hw_store16(packet + 42, 1460);
	return 44;
}

static void mss_is_clamped_on_arrival(void **state)
{
	uint8_t packet[44];

	(void)state;
	for (int on = 0; on < 2; on++) {
		world_fini(&w);
		world_init(&w, 31);
		w.node[0].config.mss_clamp = false; /* or it would be done on the way out */
		w.node[1].config.mss_clamp = on;
		world_start_both(&w);
		put(packet, make_syn(packet));
		world_run(&w, w.now + HW_MS(100));
		assert_int_equal(w.node[1].last_len, 44);
		if (on)
			assert_in_range(hw_load16(w.node[1].last + 42), 1000, 1459);
		else
			assert_int_equal(hw_load16(w.node[1].last + 42), 1460);
	}
}

static void give(const struct world_flight *f, uint8_t tos)
{
	struct hw_datagram in = { .tuple = f->tuple, .at = w.now, .tos = tos };

	in.buf = hw_buf_get(w.node[1].pool);
	assert_non_null(in.buf);
	memcpy(hw_buf_put(in.buf, f->len), f->bytes, f->len);
	hw_core_datagrams_in(w.node[1].core, &in, 1, w.now);
}

/* RFC 6040, section 4.2: CE outside, and inside no ECN, is a loss; with ECN it goes inside. */
static void congestion_outside_is_told_inside(void **state)
{
	uint8_t packet[40] = { 0x45 };

	(void)state;
	for (int copy = 0; copy < 2; copy++) {
		for (uint8_t ecn = 0; ecn < 4; ecn++) {
			uint64_t delivered;

			world_fini(&w);
			world_init(&w, 31);
			held_count = 0;
			w.node[0].config.copy_dscp = w.node[1].config.copy_dscp = copy;
			world_start_both(&w);
			w.tap = hold_data;
			packet[1] = ecn;
			hw_store16(packet + 2, sizeof(packet));
			put(packet, sizeof(packet));
			assert_int_equal(held_count, 1);
			delivered = w.node[1].delivered;
			give(&held[0], 3);
			world_flush(&w, 1);
			assert_int_equal(drops(HW_DROP_rx_congestion), copy && ecn == 0);
			assert_int_equal(w.node[1].delivered, delivered + !(copy && ecn == 0));
			if (!(copy && ecn == 0))
				assert_int_equal(w.node[1].last[1] & 3, copy ? 3 : ecn);
			world_check(&w);
		}
	}
}

/* Nobody empties the device's queue. */
static void a_full_tunnel_queue_is_counted(void **state)
{
	uint8_t packet[40] = { 0x45 };

	(void)state;
	world_start_both(&w);
	w.tap = hold_data;
	for (uint32_t i = 0; i < HW_OUTPUT_PACKETS + 100; i++)
		put(packet, sizeof(packet));
	assert_int_equal(held_count, HW_OUTPUT_PACKETS + 100);
	for (uint32_t i = 0; i < held_count; i++)
		give(&held[i], 0);
	world_check(&w);
	assert_int_equal(drops(HW_DROP_rx_tunnel_queue), 100);
	world_flush(&w, 1);
	assert_int_equal(w.node[1].delivered, HW_OUTPUT_PACKETS);
}

/* A core that is not configured yet, or was closed, takes nothing in. */
static void a_closed_core_is_deaf(void **state)
{
	uint8_t packet[40] = { 0x45 };
	uint64_t malformed, delivered;

	(void)state;
	world_start_both(&w);
	w.tap = hold_data;
	put(packet, sizeof(packet));
	hw_core_close(w.node[1].core, w.now);
	world_flush(&w, 1);
	malformed = drops(HW_DROP_rx_malformed);
	delivered = w.node[1].delivered;
	give(&held[0], 0);
	world_flush(&w, 1);
	assert_int_equal(drops(HW_DROP_rx_malformed), malformed + 1);
	assert_int_equal(w.node[1].delivered, delivered);
	world_check(&w);
}

/* Keys that are too old open nothing, also when no timer has thrown them away yet. */
static void keys_too_old_open_nothing(void **state)
{
	uint8_t packet[40] = { 0x45 };
	uint64_t delivered;

	(void)state;
	world_start_both(&w);
	w.tap = hold_data;
	put(packet, sizeof(packet));
	put(packet, sizeof(packet));
	delivered = w.node[1].delivered;
	give(&held[0], 0);
	world_flush(&w, 1);
	assert_int_equal(w.node[1].delivered, delivered + 1);
	w.now += w.node[1].config.reject_after;
	give(&held[1], 0);
	assert_int_equal(drops(HW_DROP_rx_expired), 1);
	world_flush(&w, 1);
	assert_int_equal(w.node[1].delivered, delivered + 1);
	world_check(&w);
}

static void random_bytes(void *ctx, void *out, size_t len)
{
	hw_rng_fill(ctx, out, len);
}

/* Before the configuration nothing is understood, not even what is well made. */
static void a_core_without_configuration_is_deaf(void **state)
{
	const struct hw_core_env env = { .random = random_bytes, .ctx = &w.rng };
	uint8_t bytes[HW_WIRE_INITIATION_BYTES];
	struct hw_core_totals t;

	(void)state;
	assert_int_equal(hw_pool_new(16, 2048, &w.node[1].pool), 0);
	assert_int_equal(hw_core_new(&env, w.node[1].pool, w.now, &w.node[1].core), 0);
	for (unsigned type = 0; type < 16; type++) {
		struct hw_tuple from = { .link = 0, .remote = w.node[0].addr[0] };

		memset(bytes, 0, sizeof(bytes));
		bytes[0] = (uint8_t)(type << 4);
		world_inject(&w, 1, &from, bytes, sizeof(bytes));
	}
	hw_core_totals(w.node[1].core, &t);
	assert_int_equal(t.drops[HW_DROP_rx_malformed], 16);
	assert_int_equal(w.sent[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(only_ip_reaches_a_tun_device),
		TEST(only_frames_reach_a_tap_device),
		TEST(compressed_packets_arrive_as_they_were),
		TEST(mss_is_clamped_on_arrival),
		TEST(congestion_outside_is_told_inside),
		TEST(a_full_tunnel_queue_is_counted),
		TEST(a_closed_core_is_deaf),
		TEST(keys_too_old_open_nothing),
		TEST(a_core_without_configuration_is_deaf),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
