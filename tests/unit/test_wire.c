#include "test.h"

#include "base/rng.h"
#include "wire/data.h"

static void types_have_their_sizes(void **state)
{
	static const struct {
		uint8_t first;
		size_t len;
		int result;
	} cases[] = {
		{ 0x10, 144, 0 }, { 0x10, 143, HW_E_TRUNCATED }, { 0x10, 145, HW_E_MALFORMED },
		{ 0x11, 144, HW_E_MALFORMED },
		{ 0x20, 92, 0 }, { 0x20, 91, HW_E_TRUNCATED }, { 0x20, 93, HW_E_MALFORMED },
		{ 0x2f, 92, HW_E_MALFORMED },
		{ 0x30, 60, 0 }, { 0x30, 59, HW_E_TRUNCATED }, { 0x30, 61, HW_E_MALFORMED },
		{ 0x40, 32, 0 }, { 0x40, 31, HW_E_TRUNCATED }, { 0x40, 1500, 0 },
		{ 0x51, 33, 0 }, { 0x51, 32, HW_E_TRUNCATED }, { 0x51, 1500, 0 },
		{ 0x00, 144, HW_E_MALFORMED }, { 0x60, 144, HW_E_MALFORMED },
		{ 0xf0, 144, HW_E_MALFORMED }, { 0x10, 0, HW_E_TRUNCATED },
	};
	uint8_t bytes[1500] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum hw_wire_type type = 0;

		bytes[0] = cases[i].first;
		assert_int_equal(hw_wire_type(bytes, cases[i].len, &type), cases[i].result);
		assert_int_equal(type, cases[i].result == 0 ? cases[i].first >> 4 : 0);
	}
}

static void streams_are_legal_by_type(void **state)
{
	/* One character a stream, 0 to 15. */
	static const char *data = "yyyyyyyy.yyyyyyy";
	static const char *framed = ".yyyyyyy........";

	(void)state;
	for (unsigned s = 0; s < 16; s++) {
		uint8_t bytes[40] = { 0 };
		enum hw_wire_type type;

		assert_int_equal(hw_wire_stream_legal(HW_WIRE_DATA, s), data[s] == 'y');
		assert_int_equal(hw_wire_stream_legal(HW_WIRE_FRAMED, s), framed[s] == 'y');
		assert_false(hw_wire_stream_legal(HW_WIRE_INITIATION, s));
		bytes[0] = (uint8_t)(0x40 | s);
		assert_int_equal(hw_wire_type(bytes, sizeof(bytes), &type),
				 data[s] == 'y' ? 0 : HW_E_MALFORMED);
		bytes[0] = (uint8_t)(0x50 | s);
		assert_int_equal(hw_wire_type(bytes, sizeof(bytes), &type),
				 framed[s] == 'y' ? 0 : HW_E_MALFORMED);
	}
	assert_false(hw_wire_stream_legal(HW_WIRE_DATA, 16));
}

static void header_has_the_documented_layout(void **state)
{
	static const uint8_t expected[16] = { 0x53, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
					      0x89, 0xab, 0xcd, 0xef, 0x10, 0x32, 0x54, 0x76 };
	const struct hw_wire_data header = {
		.type = HW_WIRE_FRAMED, .stream = 3, .index = 0xabcdef, .counter_low = 0x01234567,
		.path_seq = 0x89ab, .sent_ticks = 0xcdef10, .mac = 0x325476,
	};
	struct hw_wire_data parsed;
	uint8_t datagram[64] = { 0 };

	(void)state;
	hw_wire_data_build(&header, datagram);
	assert_memory_equal(datagram, expected, sizeof(expected));
	assert_int_equal(hw_wire_data_parse(datagram, sizeof(datagram), &parsed), 0);
	assert_int_equal(parsed.type, header.type);
	assert_int_equal(parsed.stream, header.stream);
	assert_int_equal(parsed.index, header.index);
	assert_int_equal(parsed.counter_low, header.counter_low);
	assert_int_equal(parsed.path_seq, header.path_seq);
	assert_int_equal(parsed.sent_ticks, header.sent_ticks);
	assert_int_equal(parsed.mac, header.mac);
}

static void header_refuses_other_datagrams(void **state)
{
	uint8_t bytes[144] = { 0x10 };
	struct hw_wire_data parsed = { .type = 77 };

	(void)state;
	assert_int_equal(hw_wire_data_parse(bytes, 144, &parsed), HW_E_MALFORMED);
	bytes[0] = 0x48;
	assert_int_equal(hw_wire_data_parse(bytes, 144, &parsed), HW_E_MALFORMED);
	bytes[0] = 0x41;
	assert_int_equal(hw_wire_data_parse(bytes, 31, &parsed), HW_E_TRUNCATED);
	assert_int_equal(parsed.type, 77);
}

static void nonce_and_ad_have_the_documented_layout(void **state)
{
	static const uint8_t head[4] = { 0x47, 1, 2, 3 };
	static const uint8_t nonce_expected[12] = { 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t ad_expected[16] = { 0x47, 1, 2, 3, 0, 0, 0, 7,
						 1,    2, 3, 4, 5, 6, 7, 8 };
	uint8_t nonce[12];
	uint8_t ad[16];

	(void)state;
	hw_wire_nonce(7, UINT64_C(0x0102030405060708), nonce);
	assert_memory_equal(nonce, nonce_expected, sizeof(nonce));
	hw_wire_ad(head, 7, UINT64_C(0x0102030405060708), ad);
	assert_memory_equal(ad, ad_expected, sizeof(ad));
}

static void counter_is_rebuilt_at_the_edges(void **state)
{
	static const struct {
		uint32_t low;
		uint64_t highest, expected;
	} cases[] = {
		{ 0, 0, 0 },
		{ 1, 0, 1 },
		{ 0, 1, 0 },
		{ 0x7fffffff, 0, 0x7fffffff },
		{ 0x80000000, 0, 0x80000000 }, /* equally far: the later */
		{ 0xffffffff, 0, 0xffffffff }, /* nothing lies below 0 */
		{ 0xffffffff, 5, 0xffffffff },
		{ 0, 0xffffffff, UINT64_C(0x100000000) },
		{ 5, 0xfffffff0, UINT64_C(0x100000005) },
		{ 0xfffffff0, UINT64_C(0x100000005), 0xfffffff0 },
		{ 0xffffffff, UINT64_C(0x100000000), 0xffffffff },
		{ 0, UINT64_C(0x180000000), UINT64_C(0x200000000) }, /* equally far */
		{ 0, UINT64_C(0x17fffffff), UINT64_C(0x100000000) },
		{ 0x12345678, UINT64_C(0xab12345679), UINT64_C(0xab12345678) },
		{ 0xffffffff, UINT64_MAX, UINT64_MAX },
		{ 0xfffffffe, UINT64_MAX, UINT64_MAX - 1 },
		{ 0, UINT64_MAX, UINT64_C(0xffffffff00000000) }, /* nothing lies beyond */
		{ 0x7fffffff, UINT64_MAX, UINT64_C(0xffffffff7fffffff) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hw_wire_counter(cases[i].low, cases[i].highest),
				 cases[i].expected);
}

/* Against the definition, with 128-bit arithmetic instead of wrapping. */
static void counter_is_the_closest(void **state)
{
	const uint64_t seed = 31;
	struct hw_rng rng;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	hw_rng_init(&rng, seed);
	for (int i = 0; i < 200000; i++) {
		uint64_t highest = hw_rng_u64(&rng) >> hw_rng_below(&rng, 64);
		uint32_t low = (uint32_t)hw_rng_u64(&rng);
		double best = 1e30;
		uint64_t expected = 0;

		if (i % 3 == 0)
			highest = UINT64_MAX - highest;
		for (int k = -1; k <= 1; k++) {
			uint64_t page = (highest >> 32) + (uint64_t)(int64_t)k;
			uint64_t c = page << 32 | low;

			if ((k < 0 && highest >> 32 == 0) || page >> 32 != 0)
				continue;

			double d = (double)(c > highest ? c - highest : highest - c);

			if (d <= best) { /* pages ascend: of two equals the later stays */
				best = d;
				expected = c;
			}
		}
		assert_int_equal(hw_wire_counter(low, highest), expected);
	}
}

static void ticks_wrap_at_24_bits(void **state)
{
	(void)state;
	assert_int_equal(hw_wire_ticks(0), 0);
	assert_int_equal(hw_wire_ticks(7999), 0);
	assert_int_equal(hw_wire_ticks(8000), 1);
	assert_int_equal(hw_wire_ticks(UINT64_C(8000) << 24), 0);
	assert_int_equal(hw_wire_ticks((UINT64_C(8000) << 24) - 1), 0xffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_their_sizes),
		cmocka_unit_test(streams_are_legal_by_type),
		cmocka_unit_test(header_has_the_documented_layout),
		cmocka_unit_test(header_refuses_other_datagrams),
		cmocka_unit_test(nonce_and_ad_have_the_documented_layout),
		cmocka_unit_test(counter_is_rebuilt_at_the_edges),
		cmocka_unit_test(counter_is_the_closest),
		cmocka_unit_test(ticks_wrap_at_24_bits),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
