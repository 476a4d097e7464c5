/* Compression: adaptive on the way out, bounded on the way in. */
#include "test.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/rng.h"
#include "frame/compress.h"

#define PAYLOAD 2048u
#define POOL 8u

static struct hw_pool *pool;
static struct hw_rng rng;

static int setup(void **state)
{
	(void)state;
	hw_rng_init(&rng, 3);
	return hw_pool_new(POOL, PAYLOAD, &pool);
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(hw_pool_available(pool), POOL);
	hw_pool_free(pool);
	return 0;
}

static struct hw_buf *random_packet(uint32_t len)
{
	struct hw_buf *buf = hw_buf_get(pool);

	assert_non_null(buf);
	hw_rng_fill(&rng, hw_buf_put(buf, len), len);
	return buf;
}

static struct hw_buf *text_packet(uint32_t len)
{
	struct hw_buf *buf = hw_buf_get(pool);

	assert_non_null(buf);

	uint8_t *p = hw_buf_put(buf, len);

	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)("the sea, the sea, the open sea! "[i % 32] + i / 512);
	buf->at = 77;
	return buf;
}

static struct hw_buf *try_once(struct hw_compression *c, uint8_t stream, struct hw_buf *packet)
{
	struct hw_buf *out = hw_compression_try(c, pool, stream, packet);

	hw_buf_unref(packet);
	return out;
}

static void the_first_compressor_is_off(void **state)
{
	struct hw_compression c;

	(void)state;
	assert_string_equal(hw_compressor_at(0)->name, "off");
	assert_ptr_equal(hw_compressor_find("off"), hw_compressor_at(0));
	assert_string_equal(hw_compressor_find("lz4")->name, "lz4");
	assert_null(hw_compressor_find("lzo"));
	assert_null(hw_compressor_find(""));
	assert_null(hw_compressor_at(2));
	hw_compression_init(&c, hw_compressor_at(0));
	for (int i = 0; i < 100; i++)
		assert_null(try_once(&c, 1, text_packet(1400)));
	assert_true(c.tried == 0);
}

static void what_shrinks_comes_back_whole(void **state)
{
	struct hw_compression c;
	uint64_t saved = 0;

	(void)state;
	hw_compression_init(&c, hw_compressor_find("lz4"));
	for (uint32_t len = HW_COMPRESS_MIN_BYTES; len <= PAYLOAD; len++) {
		struct hw_buf *packet = text_packet(len);
		struct hw_buf *small = hw_compression_try(&c, pool, 1, packet);
		struct hw_buf *back;

		assert_non_null(small);
		assert_true(small->len + 3 + HW_COMPRESS_MIN_SAVED_BYTES <= len);
		assert_true(small->at == 77);
		saved += len - small->len - 3;
		assert_int_equal(hw_decompress(pool, small, (uint16_t)len, &back), 0);
		assert_int_equal(back->len, len);
		assert_memory_equal(back->data, packet->data, len);
		assert_true(back->at == 77);
		hw_buf_unref(back);
		hw_buf_unref(small);
		hw_buf_unref(packet);
	}
	assert_true(c.saved_bytes == saved);
	assert_true(c.shrunk == c.tried && c.tried == PAYLOAD - HW_COMPRESS_MIN_BYTES + 1);
}

static void small_packets_are_not_tried(void **state)
{
	struct hw_compression c;

	(void)state;
	hw_compression_init(&c, hw_compressor_find("lz4"));
	for (uint32_t len = 1; len < HW_COMPRESS_MIN_BYTES; len++)
		assert_null(try_once(&c, 1, text_packet(len)));
	assert_true(c.tried == 0);
}

/* The original length has 16 bits on the wire. */
static void larger_than_the_length_field_is_not_tried(void **state)
{
	struct hw_compression c;
	struct hw_pool *large;

	(void)state;
	assert_int_equal(hw_pool_new(2, 65536, &large), 0);
	hw_compression_init(&c, hw_compressor_find("lz4"));
	for (uint32_t len = 65535; len <= 65536; len++) {
		struct hw_buf *packet = hw_buf_get(large);

		memset(hw_buf_put(packet, len), 'x', len);

		struct hw_buf *small = hw_compression_try(&c, large, 1, packet);

		assert_int_equal(small != NULL, len == 65535);
		hw_buf_unref(small);
		hw_buf_unref(packet);
	}
	assert_true(c.tried == 1);
	hw_pool_free(large);
}

/* Enough random bytes in front that less than the least saving is left to gain. */
static void a_small_gain_is_not_taken(void **state)
{
	struct hw_compression c;
	bool taken = false, left = false;

	(void)state;
	for (uint32_t zeros = 0; zeros <= 60; zeros++) {
		struct hw_buf *packet = random_packet(500 - zeros);

		memset(hw_buf_put(packet, zeros), 0, zeros);
		hw_compression_init(&c, hw_compressor_find("lz4"));

		struct hw_buf *out = try_once(&c, 1, packet);

		assert_true(c.tried == 1);
		if (out != NULL) {
			assert_true(out->len <= 500 - 3 - HW_COMPRESS_MIN_SAVED_BYTES);
			assert_true(c.saved_bytes >= HW_COMPRESS_MIN_SAVED_BYTES);
			taken = true;
		} else {
			assert_true(zeros < 60);
			left |= zeros > HW_COMPRESS_MIN_SAVED_BYTES;
		}
		hw_buf_unref(out);
	}
	assert_true(taken && left);
}

static void what_does_not_shrink_is_hardly_tried(void **state)
{
	struct hw_compression c;

	(void)state;
	hw_compression_init(&c, hw_compressor_find("lz4"));
	for (int i = 0; i < 100000; i++)
		assert_null(try_once(&c, 2, random_packet(1200)));
	/* Waits 1, 2, 4, ... 512 (10 attempts), then 1024: (100000 - 1033) / 1025 and a bit. */
	assert_in_range(c.tried, 100, 110);
	assert_true(c.shrunk == 0);

	/* Another class is not held back by it. */
	struct hw_buf *out = try_once(&c, 3, text_packet(1200));

	assert_non_null(out);
	hw_buf_unref(out);

	/* And the class itself is noticed to have changed within one wait, then tried each time. */
	uint32_t passed = 0;

	while ((out = try_once(&c, 2, text_packet(1200))) == NULL)
		passed++;
	assert_true(passed <= HW_COMPRESS_MAX_WAIT);
	hw_buf_unref(out);
	for (int i = 0; i < 100; i++) {
		out = try_once(&c, 2, text_packet(1200));
		assert_non_null(out);
		hw_buf_unref(out);
	}
}

static void no_buffer_means_no_compression(void **state)
{
	struct hw_compression c;
	struct hw_buf *bufs[POOL], *back;

	(void)state;
	hw_compression_init(&c, hw_compressor_find("lz4"));
	bufs[0] = text_packet(1000);
	bufs[1] = hw_compression_try(&c, pool, 1, bufs[0]);
	for (uint32_t i = 2; i < POOL; i++)
		bufs[i] = hw_buf_get(pool);
	assert_null(hw_compression_try(&c, pool, 1, bufs[0]));
	assert_true(c.tried == 1);
	assert_int_equal(hw_decompress(pool, bufs[1], 1000, &back), HW_E_NOMEM);
	for (uint32_t i = 0; i < POOL; i++)
		hw_buf_unref(bufs[i]);
}

static void a_wrong_length_is_refused(void **state)
{
	struct hw_compression c;
	struct hw_buf *packet = text_packet(1000);
	struct hw_buf *back = NULL;

	(void)state;
	hw_compression_init(&c, hw_compressor_find("lz4"));

	struct hw_buf *small = try_once(&c, 1, packet);

	assert_non_null(small);
	assert_int_equal(hw_decompress(pool, small, 999, &back), HW_E_MALFORMED);
	assert_int_equal(hw_decompress(pool, small, 1001, &back), HW_E_MALFORMED);
	assert_int_equal(hw_decompress(pool, small, PAYLOAD, &back), HW_E_MALFORMED);
	assert_int_equal(hw_decompress(pool, small, PAYLOAD + 1, &back), HW_E_LIMIT);
	assert_int_equal(hw_decompress(pool, small, UINT16_MAX, &back), HW_E_LIMIT);
	assert_int_equal(hw_decompress(pool, small, 0, &back), HW_E_MALFORMED);
	hw_buf_trim(small, 1);
	assert_int_equal(hw_decompress(pool, small, 1000, &back), HW_E_MALFORMED);
	small->len = 0;
	assert_int_equal(hw_decompress(pool, small, 1000, &back), HW_E_MALFORMED);
	assert_null(back);
	hw_buf_unref(small);
}

/* Seed 3: random bytes claim random lengths. None crashes; a result is exactly as long as claimed. */
static void random_input_is_bounded(void **state)
{
	int refused = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct hw_buf *packet = random_packet((uint32_t)(1 + hw_rng_below(&rng, 60)));
		uint16_t len = (uint16_t)(1 + hw_rng_below(&rng, PAYLOAD));
		struct hw_buf *back;
		int error = hw_decompress(pool, packet, len, &back);

		if (error == 0) {
			assert_int_equal(back->len, len);
			hw_buf_unref(back);
		} else {
			assert_int_equal(error, HW_E_MALFORMED);
			refused++;
		}
		hw_buf_unref(packet);
	}
	assert_true(refused > 19000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_first_compressor_is_off),
		CASE(what_shrinks_comes_back_whole),
		CASE(small_packets_are_not_tried),
		CASE(larger_than_the_length_field_is_not_tried),
		CASE(a_small_gain_is_not_taken),
		CASE(what_does_not_shrink_is_hardly_tried),
		CASE(no_buffer_means_no_compression),
		CASE(a_wrong_length_is_refused),
		CASE(random_input_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
