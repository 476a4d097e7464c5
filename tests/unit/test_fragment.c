/* Framing: header, plan, cut, and putting together again within the bounds. */
#include "test.h"

#include "base/buf.h"
#include "base/rng.h"
#include "frame/fragment.h"
#include "frame/inner.h"
#include "frame/reassembly.h"
#include "wire/wire.h"

#define PAYLOAD 2048u
#define POOL 256u

static struct hw_pool *pool;
static struct hw_reassembly *table;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(hw_pool_new(POOL, PAYLOAD, &pool), 0);
	assert_int_equal(hw_reassembly_new(pool, &table), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hw_reassembly_free(table);
	assert_int_equal(hw_pool_available(pool), POOL);
	hw_pool_free(pool);
	return 0;
}

static struct hw_buf *packet_of(uint32_t len, uint64_t seed)
{
	struct hw_buf *buf = hw_buf_get(pool);
	struct hw_rng rng;

	assert_non_null(buf);
	hw_rng_init(&rng, seed);
	hw_rng_fill(&rng, hw_buf_put(buf, len), len);
	return buf;
}

/* A fragment of `len` bytes, ready for hw_reassembly_add. */
static struct hw_reassembly_result give(uint64_t session, uint8_t stream, uint64_t counter,
					uint8_t index, uint8_t count, uint32_t len, hw_time now)
{
	struct hw_frame frame = { .fragment = true, .index = index, .count = count,
				  .header_bytes = 2 };
	struct hw_buf *buf = packet_of(len, counter);
	struct hw_reassembly_result result;

	hw_reassembly_add(table, session, stream, counter, &frame, buf, 0, now, &result);
	return result;
}

static void parse_accepts_every_header_that_plans_make(void **state)
{
	static const struct {
		uint8_t bytes[5];
		uint8_t len;
		struct hw_frame frame;
	} cases[] = {
		{ { 0x02, 0x01, 9 }, 3, { .fragment = true, .index = 0, .count = 2, .header_bytes = 2 } },
		{ { 0x02, 0xff, 9 }, 3, { .fragment = true, .index = 15, .count = 16, .header_bytes = 2 } },
		{ { 0x01, 0x05, 0xdc, 9 }, 4,
		  { .compressed = true, .count = 1, .original_len = 1500, .header_bytes = 3 } },
		{ { 0x03, 0x12, 0xff, 0xff, 9 }, 5,
		  { .fragment = true, .compressed = true, .index = 1, .count = 3,
		    .original_len = 65535, .header_bytes = 4 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hw_frame frame;

		assert_int_equal(hw_frame_parse(cases[i].bytes, cases[i].len, &frame), 0);
		assert_int_equal(frame.fragment, cases[i].frame.fragment);
		assert_int_equal(frame.compressed, cases[i].frame.compressed);
		assert_int_equal(frame.index, cases[i].frame.index);
		assert_int_equal(frame.count, cases[i].frame.count);
		assert_int_equal(frame.original_len, cases[i].frame.original_len);
		assert_int_equal(frame.header_bytes, cases[i].frame.header_bytes);
	}
}

static void parse_refuses_everything_else(void **state)
{
	static const struct {
		uint8_t bytes[5];
		uint8_t len;
	} cases[] = {
		{ { 0 }, 0 },
		{ { 0x00, 1, 2 }, 3 },             /* neither flag */
		{ { 0x06, 0x01, 9 }, 3 },          /* unknown flags, each */
		{ { 0x0a, 0x01, 9 }, 3 },
		{ { 0x12, 0x01, 9 }, 3 },
		{ { 0x22, 0x01, 9 }, 3 },
		{ { 0x42, 0x01, 9 }, 3 },
		{ { 0x82, 0x01, 9 }, 3 },
		{ { 0x02 }, 1 },                   /* cut off */
		{ { 0x02, 0x01 }, 2 },             /* nothing behind */
		{ { 0x02, 0x00, 9 }, 3 },          /* one of one */
		{ { 0x02, 0x21, 9 }, 3 },          /* third of two */
		{ { 0x02, 0xfe, 9 }, 3 },          /* sixteenth of fifteen */
		{ { 0x01, 0x05 }, 2 },             /* cut off */
		{ { 0x01, 0x05, 0xdc }, 3 },       /* nothing behind */
		{ { 0x01, 0x00, 0x00, 9 }, 4 },    /* original length 0 */
		{ { 0x03, 0x12, 0x05, 0xdc }, 4 }, /* nothing behind */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hw_frame frame = { .count = 77 };

		assert_int_equal(hw_frame_parse(cases[i].bytes, cases[i].len, &frame),
				 HW_E_MALFORMED);
		assert_int_equal(frame.count, 77);
	}
}

static void plan_wastes_no_byte(void **state)
{
	struct hw_frame_plan plan;

	(void)state;
	/* 1360 bytes of IP over IPv4 at MTU 1420: whole; one more is not. */
	assert_int_equal(hw_frame_plan(1360, 0, 1420 - HW_WIRE_IPV4_UDP_BYTES, &plan), 0);
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.header_bytes, 0);
	assert_int_equal(hw_frame_plan(1361, 0, 1420 - HW_WIRE_IPV4_UDP_BYTES, &plan), 0);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.header_bytes, 2);
	assert_int_equal(hw_frame_max_whole(1392), 1360);

	/* Compressed and whole: 3 bytes of header. */
	assert_int_equal(hw_frame_plan(1357, 1500, 1392, &plan), 0);
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.header_bytes, 3);
	assert_int_equal(hw_frame_plan(1358, 1500, 1392, &plan), 0);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.header_bytes, 4);
}

static void plan_knows_its_limits(void **state)
{
	struct hw_frame_plan plan = { .count = 77 };

	(void)state;
	assert_int_equal(hw_frame_plan(0, 0, 1392, &plan), HW_E_INVAL);
	assert_int_equal(hw_frame_max_cut(1392), 16 * 1358);
	assert_int_equal(hw_frame_plan(16 * 1358 + 1, 0, 1392, &plan), HW_E_LIMIT);
	assert_int_equal(hw_frame_plan(16 * 1356 + 1, 65535, 1392, &plan), HW_E_LIMIT);
	for (uint32_t payload = 0; payload <= HW_WIRE_OVERHEAD_BYTES; payload++)
		assert_int_equal(hw_frame_plan(1, 0, payload, &plan), HW_E_LIMIT);
	assert_int_equal(hw_frame_plan(UINT32_MAX, 0, 1392, &plan), HW_E_LIMIT);
	assert_int_equal(plan.count, 77);
	assert_int_equal(hw_frame_plan(16 * 1358, 0, 1392, &plan), 0);
	assert_int_equal(plan.count, 16);
	assert_int_equal(hw_frame_plan(1, 0, HW_WIRE_OVERHEAD_BYTES + 1, &plan), 0);
	assert_int_equal(plan.count, 1);
}

/* For every small path: what max_cut says is just what plan takes. */
static void plan_and_its_limits_agree(void **state)
{
	(void)state;
	for (uint32_t payload = HW_WIRE_OVERHEAD_BYTES + 1; payload < 400; payload++) {
		uint32_t most = hw_frame_max_cut(payload);
		struct hw_frame_plan plan;

		assert_int_equal(hw_frame_plan(most, 0, payload, &plan), 0);
		assert_int_equal(hw_frame_plan(most + 1, 0, payload, &plan), HW_E_LIMIT);
		assert_int_equal(hw_frame_plan(hw_frame_max_whole(payload), 0, payload, &plan), 0);
		assert_int_equal(plan.count, 1);
		/* Compressed: 4 bytes of header in each piece, 3 on a whole packet. */
		assert_int_equal(hw_frame_plan(20, 30, payload, &plan),
				 payload < HW_WIRE_OVERHEAD_BYTES + 6 ? HW_E_LIMIT : 0);
	}
}

/* Every length and many sizes of path: fits, near-equal, fewest pieces, and the bytes come back. */
static void pieces_fit_are_near_equal_and_make_the_packet(void **state)
{
	static const uint32_t payloads[] = { 164, 200, 548, 1232, 1392, 1400 };
	uint64_t counter = 1000;

	(void)state;
	for (size_t s = 0; s < sizeof(payloads) / sizeof(payloads[0]); s++) {
		for (uint32_t len = 1; len <= PAYLOAD - 15; len++, counter += 16) {
			uint16_t original = len % 3 == 0 ? (uint16_t)(len + 100) : 0;
			struct hw_frame_plan plan;
			struct hw_buf *packet = packet_of(len, len);
			uint32_t smallest = UINT32_MAX, largest = 0;
			struct hw_reassembly_result result = { 0 };

			assert_int_equal(hw_frame_plan(len, original, payloads[s], &plan), 0);
			if (plan.count == 1) {
				hw_buf_unref(packet);
				continue;
			}
			for (uint32_t i = plan.count; i-- > 0;) { /* last first: order must not matter */
				struct hw_buf *piece = hw_frame_cut(pool, &plan, packet, i);
				struct hw_frame frame;

				assert_non_null(piece);
				assert_true(piece->len + HW_WIRE_OVERHEAD_BYTES <= payloads[s]);
				assert_int_equal(hw_frame_parse(piece->data, piece->len, &frame), 0);
				assert_int_equal(frame.index, i);
				assert_int_equal(frame.count, plan.count);
				assert_int_equal(frame.original_len, original);
				hw_buf_pull(piece, frame.header_bytes);
				smallest = piece->len < smallest ? piece->len : smallest;
				largest = piece->len > largest ? piece->len : largest;
				hw_reassembly_add(table, 1, 1, counter + i, &frame, piece, 0, 0, &result);
				assert_int_equal(result.verdict, i > 0 ? HW_REASSEMBLY_HELD
								       : HW_REASSEMBLY_COMPLETE);
			}
			assert_true(largest - smallest <= 1);
			/* One piece fewer would not do. */
			assert_true((plan.count - 1) * (payloads[s] - HW_WIRE_OVERHEAD_BYTES -
							plan.header_bytes) < len);
			assert_int_equal(result.completed, plan.count - 1);
			assert_int_equal(result.packet->len, len);
			assert_memory_equal(result.packet->data, packet->data, len);
			hw_buf_unref(result.packet);
			hw_buf_unref(packet);
		}
	}
	assert_int_equal(hw_reassembly_held(table), 0);
	assert_int_equal(hw_pool_available(pool), POOL);
}

static void wrap_and_cut_agree(void **state)
{
	struct hw_frame_plan plan;
	struct hw_buf *packet = packet_of(300, 5);

	(void)state;
	packet->at = 42;
	assert_int_equal(hw_frame_plan(300, 900, 1392, &plan), 0);

	struct hw_buf *cut = hw_frame_cut(pool, &plan, packet, 0);

	assert_non_null(cut);
	hw_frame_wrap(&plan, packet);

	struct hw_frame frame;

	assert_int_equal(hw_frame_parse(packet->data, packet->len, &frame), 0);
	assert_false(frame.fragment);
	assert_int_equal(frame.original_len, 900);
	assert_int_equal(cut->len, 303);
	assert_int_equal(packet->len, 303);
	assert_memory_equal(cut->data, packet->data, 303);
	assert_true(cut->at == 42);
	hw_buf_unref(cut);
	hw_buf_unref(packet);
}

static void cut_of_an_empty_pool_gives_nothing(void **state)
{
	struct hw_buf *bufs[POOL];
	struct hw_frame_plan plan;

	(void)state;
	for (uint32_t i = 0; i < POOL; i++)
		bufs[i] = hw_buf_get(pool);
	hw_buf_put(bufs[0], 1500);
	assert_int_equal(hw_frame_plan(1500, 0, 1392, &plan), 0);
	assert_null(hw_frame_cut(pool, &plan, bufs[0], 0));

	/* The same for a first fragment, which needs a buffer to wait in. */
	struct hw_frame frame = { .fragment = true, .count = 2 };
	struct hw_reassembly_result result;

	hw_reassembly_add(table, 1, 1, 0, &frame, hw_buf_ref(bufs[0]), 0, 0, &result);
	assert_int_equal(result.verdict, HW_REASSEMBLY_LIMIT); /* 1500 is more than half a buffer */
	hw_buf_trim(bufs[0], 1000);
	hw_reassembly_add(table, 1, 1, 0, &frame, hw_buf_ref(bufs[0]), 0, 0, &result);
	assert_int_equal(result.verdict, HW_REASSEMBLY_NO_BUFFER);
	assert_int_equal(hw_reassembly_held(table), 0);
	for (uint32_t i = 0; i < POOL; i++)
		hw_buf_unref(bufs[i]);
}

static void names_keep_packets_apart(void **state)
{
	(void)state;
	assert_int_equal(give(1, 1, 100, 0, 2, 10, 0).verdict, HW_REASSEMBLY_HELD);
	/* Another stream, another session, another packet of the same stream. */
	assert_int_equal(give(1, 2, 101, 1, 2, 10, 0).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(2, 1, 101, 1, 2, 10, 0).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(1, 1, 102, 1, 2, 10, 0).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(hw_reassembly_packets(table), 4);
	assert_int_equal(hw_reassembly_held(table), 4);

	struct hw_reassembly_result result = give(1, 1, 101, 1, 2, 10, 0);

	assert_int_equal(result.verdict, HW_REASSEMBLY_COMPLETE);
	assert_int_equal(result.completed, 1);
	assert_int_equal(result.packet->len, 20);
	hw_buf_unref(result.packet);
	assert_int_equal(hw_reassembly_held(table), 3);
	assert_int_equal(hw_reassembly_clear(table), 3);
	assert_int_equal(hw_pool_available(pool), POOL);
}

static void contradictions_are_refused_and_harm_nothing(void **state)
{
	struct hw_frame compressed = { .fragment = true, .compressed = true, .index = 1, .count = 3,
				       .original_len = 999, .header_bytes = 4 };
	struct hw_reassembly_result result;

	(void)state;
	assert_int_equal(give(1, 1, 0, 1, 2, 10, 0).verdict, HW_REASSEMBLY_MALFORMED);
	assert_int_equal(give(1, 1, 14, 15, 16, 10, 0).verdict, HW_REASSEMBLY_MALFORMED);
	assert_int_equal(give(1, 1, 50, 0, 3, 10, 0).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(1, 1, 51, 1, 2, 10, 0).verdict, HW_REASSEMBLY_MALFORMED);
	assert_int_equal(give(1, 1, 51, 1, 4, 10, 0).verdict, HW_REASSEMBLY_MALFORMED);
	hw_reassembly_add(table, 1, 1, 51, &compressed, packet_of(10, 1), 0, 0, &result);
	assert_int_equal(result.verdict, HW_REASSEMBLY_MALFORMED);
	assert_int_equal(give(1, 1, 50, 0, 3, 11, 0).verdict, HW_REASSEMBLY_DUPLICATE);
	assert_int_equal(give(1, 1, 51, 1, 3, 0, 0).verdict, HW_REASSEMBLY_MALFORMED);
	assert_int_equal(hw_reassembly_held(table), 1);
	assert_int_equal(give(1, 1, 51, 1, 3, 10, 0).verdict, HW_REASSEMBLY_HELD);
	result = give(1, 1, 52, 2, 3, 10, 0);
	assert_int_equal(result.verdict, HW_REASSEMBLY_COMPLETE);
	assert_int_equal(result.completed, 2);
	assert_int_equal(result.packet->len, 30);
	hw_buf_unref(result.packet);
}

static void a_packet_larger_than_a_buffer_is_refused(void **state)
{
	(void)state;
	assert_int_equal(give(1, 1, 0, 0, 2, PAYLOAD / 2, 0).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(1, 1, 10, 0, 2, PAYLOAD / 2 + 1, 0).verdict, HW_REASSEMBLY_LIMIT);
	assert_int_equal(give(1, 1, 115, 15, 16, PAYLOAD / 16 + 1, 0).verdict, HW_REASSEMBLY_LIMIT);
	assert_int_equal(hw_reassembly_held(table), 1);

	struct hw_reassembly_result result = give(1, 1, 1, 1, 2, PAYLOAD / 2, 0);

	assert_int_equal(result.verdict, HW_REASSEMBLY_COMPLETE);
	assert_int_equal(result.packet->len, PAYLOAD);
	hw_buf_unref(result.packet);
}

static void what_never_completes_expires(void **state)
{
	(void)state;
	assert_true(hw_reassembly_deadline(table) == HW_TIME_NEVER);
	assert_int_equal(give(1, 1, 0, 0, 3, 10, HW_MS(100)).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(1, 1, 1, 1, 3, 10, HW_MS(900)).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(1, 1, 10, 0, 3, 10, HW_MS(500)).verdict, HW_REASSEMBLY_HELD);
	assert_true(hw_reassembly_deadline(table) == HW_MS(1100));
	assert_int_equal(hw_reassembly_expire(table, HW_MS(1100) - 1), 0);
	assert_int_equal(hw_reassembly_expire(table, HW_MS(1100)), 2);
	assert_true(hw_reassembly_deadline(table) == HW_MS(1500));

	/* Its last fragment, too late, waits anew and alone; adding expires the other one by itself. */
	struct hw_reassembly_result result = give(1, 1, 2, 2, 3, 10, HW_MS(1500));

	assert_int_equal(result.verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(result.expired, 1);
	assert_int_equal(hw_reassembly_held(table), 1);
	assert_int_equal(hw_reassembly_expire(table, HW_TIME_NEVER - 1), 1);
	assert_int_equal(hw_pool_available(pool), POOL);
}

static void the_oldest_makes_room(void **state)
{
	struct hw_reassembly_result result;

	(void)state;
	assert_int_equal(hw_reassembly_limit(table), HW_REASSEMBLY_PACKETS);
	assert_int_equal(give(1, 1, 0, 0, 3, 10, 0).verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(give(1, 1, 1, 1, 3, 10, 0).verdict, HW_REASSEMBLY_HELD);
	for (uint32_t i = 1; i < HW_REASSEMBLY_PACKETS; i++) {
		result = give(1, 1, 100 * i, 0, 2, 10, i);
		assert_int_equal(result.verdict, HW_REASSEMBLY_HELD);
		assert_int_equal(result.evicted, 0);
	}
	assert_int_equal(hw_reassembly_packets(table), HW_REASSEMBLY_PACKETS);
	assert_int_equal(hw_pool_available(pool), POOL - HW_REASSEMBLY_PACKETS);
	result = give(1, 1, 9999, 0, 2, 10, 100);
	assert_int_equal(result.verdict, HW_REASSEMBLY_HELD);
	assert_int_equal(result.evicted, 2);
	assert_int_equal(hw_reassembly_packets(table), HW_REASSEMBLY_PACKETS);
	/* The second oldest is still there and can complete. */
	result = give(1, 1, 101, 1, 2, 10, 100);
	assert_int_equal(result.verdict, HW_REASSEMBLY_COMPLETE);
	hw_buf_unref(result.packet);
	assert_int_equal(hw_reassembly_clear(table), HW_REASSEMBLY_PACKETS - 1);
}

static void large_buffers_lower_the_limit(void **state)
{
	struct hw_pool *large;
	struct hw_reassembly *r;

	(void)state;
	assert_int_equal(hw_pool_new(8, 1u << 20, &large), 0);
	assert_int_equal(hw_reassembly_new(large, &r), 0);
	assert_int_equal(hw_reassembly_limit(r), 4);
	for (uint32_t i = 0; i < 6; i++) {
		struct hw_frame frame = { .fragment = true, .count = 2 };
		struct hw_buf *buf = hw_buf_get(large);
		struct hw_reassembly_result result;

		hw_buf_put(buf, 1)[0] = 0;
		hw_reassembly_add(r, 1, 1, 10 * i, &frame, buf, 0, 0, &result);
		assert_int_equal(result.evicted, i >= 4 ? 1 : 0);
	}
	assert_int_equal(hw_pool_available(large), 4);
	hw_reassembly_free(r);
	assert_int_equal(hw_pool_available(large), 8);
	hw_pool_free(large);
}

static void any_marked_fragment_marks_the_packet(void **state)
{
	static const struct {
		uint8_t tos[3], want;
	} cases[] = {
		{ { 0xb8, 0xb8, 0xb8 }, 0xb8 },
		{ { 0xba, 0xba, 0xba }, 0xba },
		{ { 0xba, 0xbb, 0xba }, 0xbb },
		{ { 0xbb, 0xba, 0xba }, 0xbb },
		{ { 0xba, 0xba, 0x03 }, 0xbb },
		{ { 0xba, 0xb9, 0xb8 }, 0xba },
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct hw_reassembly_result result = { 0 };

		for (uint8_t i = 0; i < 3; i++) {
			struct hw_frame frame = { .fragment = true, .index = i, .count = 3 };

			hw_reassembly_add(table, 1, 1, 10 * c + i, &frame, packet_of(5, i),
					  cases[c].tos[i], 0, &result);
		}
		assert_int_equal(result.verdict, HW_REASSEMBLY_COMPLETE);
		assert_int_equal(result.tos, cases[c].want);
		hw_buf_unref(result.packet);
	}
}

/* Seed 11: 10^5 fragments of any kind; every one is accounted for, exactly, at every step. */
static void accounting_is_exact(void **state)
{
	uint64_t given = 0, refused = 0, delivered = 0, dropped = 0, wholes = 0, evicted = 0, expired = 0;
	struct hw_rng rng;
	hw_time now = 0;

	(void)state;
	hw_rng_init(&rng, 11);
	for (int i = 0; i < 100000; i++, given++) {
		uint8_t count = (uint8_t)(2 + hw_rng_below(&rng, 4));
		uint8_t index = (uint8_t)hw_rng_below(&rng, count);
		uint64_t base = hw_rng_below(&rng, 100);
		struct hw_reassembly_result result;

		now += hw_rng_below(&rng, HW_MS(8));
		if (hw_rng_below(&rng, 300) == 0) {
			uint32_t late;

			now += HW_S(2);
			late = hw_reassembly_expire(table, now);
			expired += late;
			dropped += late;
		}
		result = give(hw_rng_below(&rng, 2), 1, base + index, index, count,
			      (uint32_t)hw_rng_below(&rng, 600), now);
		dropped += result.expired + result.evicted;
		evicted += result.evicted;
		if (result.verdict == HW_REASSEMBLY_COMPLETE) {
			delivered += 1 + result.completed;
			wholes++;
			hw_buf_unref(result.packet);
		} else if (result.verdict != HW_REASSEMBLY_HELD) {
			refused++;
		}
		assert_true(given + 1 ==
			    refused + delivered + dropped + hw_reassembly_held(table));
		assert_int_equal(hw_pool_available(pool), POOL - hw_reassembly_packets(table));
		assert_true(hw_reassembly_packets(table) <= HW_REASSEMBLY_PACKETS);
	}
	/* The run has seen every way that a fragment can end. */
	assert_true(wholes > 500 && refused > 1000 && expired > 1000 && evicted > 1000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(parse_accepts_every_header_that_plans_make),
		CASE(parse_refuses_everything_else),
		CASE(plan_wastes_no_byte),
		CASE(plan_knows_its_limits),
		CASE(plan_and_its_limits_agree),
		CASE(pieces_fit_are_near_equal_and_make_the_packet),
		CASE(wrap_and_cut_agree),
		CASE(cut_of_an_empty_pool_gives_nothing),
		CASE(names_keep_packets_apart),
		CASE(contradictions_are_refused_and_harm_nothing),
		CASE(a_packet_larger_than_a_buffer_is_refused),
		CASE(what_never_completes_expires),
		CASE(the_oldest_makes_room),
		CASE(large_buffers_lower_the_limit),
		CASE(any_marked_fragment_marks_the_packet),
		CASE(accounting_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
