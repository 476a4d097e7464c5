#include "test.h"

#include "base/addr.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/heap.h"
#include "base/rng.h"
#include "base/siphash.h"

static void error_codes_have_texts(void **state)
{
	(void)state;
	for (int e = HW_E_UNSUPPORTED; e <= 0; e++)
		assert_string_not_equal(hw_strerror(e), "unknown error");
	assert_string_equal(hw_strerror(HW_E_UNSUPPORTED - 1), "unknown error");
}

static void loads_undo_stores(void **state)
{
	uint8_t b[8];

	(void)state;
	hw_store16(b, 0x1234);
	assert_int_equal(b[0], 0x12);
	assert_int_equal(hw_load16(b), 0x1234);
	hw_store24(b, 0x123456);
	assert_int_equal(b[2], 0x56);
	assert_int_equal(hw_load24(b), 0x123456);
	hw_store32(b, 0xfedcba98u);
	assert_int_equal(hw_load32(b), 0xfedcba98u);
	hw_store64(b, UINT64_C(0xfedcba9876543210));
	assert_int_equal(b[7], 0x10);
	assert_true(hw_load64(b) == UINT64_C(0xfedcba9876543210));
}

static void constant_time_compare_sees_every_bit(void **state)
{
	uint8_t a[16] = { 0 }, b[16] = { 0 };

	(void)state;
	assert_true(hw_bytes_equal_ct(a, b, sizeof(a)));
	for (unsigned bit = 0; bit < 8 * sizeof(a); bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(hw_bytes_equal_ct(a, b, sizeof(a)));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memset(a, 0xa5, sizeof(a));
	hw_bytes_wipe(a, sizeof(a));
	assert_memory_equal(a, b, sizeof(a));
}

/* Reference vectors from the SipHash paper's implementation: key 00..0f, input 00, 01, 02, ... */
static void siphash_matches_its_vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },  { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },  { 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};
	uint8_t bytes[64];
	struct hw_siphash_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	hw_siphash_key_init(&key, bytes);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_true(hw_siphash(&key, bytes, vectors[i].len) == vectors[i].hash);
}

static void pool_hands_out_and_takes_back(void **state)
{
	struct hw_pool *pool;
	struct hw_buf *bufs[3];

	(void)state;
	assert_int_equal(hw_pool_new(0, 100, &pool), HW_E_INVAL);
	assert_int_equal(hw_pool_new(3, 0, &pool), HW_E_INVAL);
	assert_int_equal(hw_pool_new(3, 1000, &pool), 0);
	for (int i = 0; i < 3; i++) {
		bufs[i] = hw_buf_get(pool);
		assert_non_null(bufs[i]);
		assert_int_equal(hw_buf_headroom(bufs[i]), HW_BUF_HEADROOM_BYTES);
		assert_int_equal(hw_buf_tailroom(bufs[i]), 1000);
	}
	assert_null(hw_buf_get(pool));
	hw_buf_ref(bufs[0]);
	hw_buf_unref(bufs[0]);
	assert_int_equal(hw_pool_available(pool), 0);
	for (int i = 0; i < 3; i++)
		hw_buf_unref(bufs[i]);
	assert_int_equal(hw_pool_available(pool), 3);
	hw_pool_free(pool);
}

static void buffer_grows_and_shrinks_at_both_ends(void **state)
{
	struct hw_pool *pool;

	(void)state;
	assert_int_equal(hw_pool_new(1, 64, &pool), 0);

	struct hw_buf *buf = hw_buf_get(pool);

	memcpy(hw_buf_put(buf, 4), "body", 4);
	memcpy(hw_buf_push(buf, 4), "head", 4);
	assert_int_equal(buf->len, 8);
	assert_memory_equal(buf->data, "headbody", 8);
	hw_buf_pull(buf, 4);
	hw_buf_trim(buf, 2);
	assert_int_equal(buf->len, 2);
	assert_memory_equal(buf->data, "bo", 2);
	hw_buf_unref(buf);
	hw_pool_free(pool);
}

static void heap_gives_deadlines_in_order(void **state)
{
	enum { N = 500 };
	static struct hw_heap_node nodes[N];
	struct hw_heap heap;
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, 7);
	hw_heap_init(&heap);
	for (int i = 0; i < N; i++) {
		hw_heap_node_init(&nodes[i]);
		assert_int_equal(hw_heap_set(&heap, &nodes[i], hw_rng_below(&rng, 100)), 0);
	}
	for (int i = 0; i < N; i += 3)
		assert_int_equal(hw_heap_set(&heap, &nodes[i], hw_rng_below(&rng, 100)), 0);
	for (int i = 0; i < N; i += 5)
		hw_heap_remove(&heap, &nodes[i]);

	struct hw_heap_node *last = NULL;
	int count = 0;

	for (struct hw_heap_node *n; (n = hw_heap_first(&heap)) != NULL; count++) {
		hw_heap_remove(&heap, n);
		if (last != NULL)
			assert_true(last->at < n->at || (last->at == n->at && last->order < n->order));
		last = n;
	}
	assert_int_equal(count, N - N / 5);
	hw_heap_remove(&heap, &nodes[0]);
	hw_heap_fini(&heap);
}

static void rng_repeats_and_is_even(void **state)
{
	struct hw_rng a, b;
	int counts[10] = { 0 };

	(void)state;
	hw_rng_init(&a, 42);
	hw_rng_init(&b, 42);
	for (int i = 0; i < 1000; i++)
		assert_true(hw_rng_u64(&a) == hw_rng_u64(&b));
	for (int i = 0; i < 100000; i++)
		counts[hw_rng_below(&a, 10)]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(counts[i], 9600, 10400); /* 4 sigma of 95 */
	for (int i = 0; i < 1000; i++) {
		double u = hw_rng_unit(&a);

		assert_true(u >= 0 && u < 1);
	}
}

static void addresses_print_as_people_write_them(void **state)
{
	static const struct {
		struct hw_addr addr;
		const char *text;
	} cases[] = {
		{ { .family = HW_FAMILY_NONE }, "-" },
		{ { .family = HW_FAMILY_IPV4, .ip = { 192, 0, 2, 1 } }, "192.0.2.1" },
		{ { .family = HW_FAMILY_IPV4, .ip = { 192, 0, 2, 1 }, .port = 8420 }, "192.0.2.1:8420" },
		{ { .family = HW_FAMILY_IPV6, .port = 1 }, "[::]:1" },
		{ { .family = HW_FAMILY_IPV6, .ip = { [15] = 1 } }, "::1" },
		{ { .family = HW_FAMILY_IPV6, .ip = { 0x20, 1, 0x0d, 0xb8, [15] = 1 }, .port = 80 },
		  "[2001:db8::1]:80" },
		{ { .family = HW_FAMILY_IPV6, .ip = { 0xfe, 0x80, [15] = 2 }, .scope = 3 }, "fe80::2%3" },
		{ { .family = HW_FAMILY_IPV6,
		    .ip = { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 } },
		  "1:2:3:4:5:6:7:8" },
		{ { .family = HW_FAMILY_IPV6, .ip = { 0, 1, [3] = 1 } }, "1:1::" },
	};
	char text[HW_ADDR_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hw_addr_format(&cases[i].addr, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_codes_have_texts),
		cmocka_unit_test(loads_undo_stores),
		cmocka_unit_test(constant_time_compare_sees_every_bit),
		cmocka_unit_test(siphash_matches_its_vectors),
		cmocka_unit_test(pool_hands_out_and_takes_back),
		cmocka_unit_test(buffer_grows_and_shrinks_at_both_ends),
		cmocka_unit_test(heap_gives_deadlines_in_order),
		cmocka_unit_test(rng_repeats_and_is_even),
		cmocka_unit_test(addresses_print_as_people_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
