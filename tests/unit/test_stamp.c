#include "test.h"

#include "base/bytes.h"
#include "base/rng.h"
#include "session/stamp.h"

static void stamp_is_siphash_over_header_tag_and_path(void **state)
{
	uint8_t key_bytes[16], head[16] = { 0x41, 0, 0, 7, 0, 0, 0, 9 }, tag[16], input[30];
	struct hw_siphash_key key;

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		key_bytes[i] = (uint8_t)i;
		tag[i] = (uint8_t)(0xa0 + i);
	}
	hw_siphash_key_init(&key, key_bytes);
	hw_stamp_make(&key, head, tag, 11, 0x1234, 0xabcdef);
	assert_int_equal(head[0], 0x41);
	assert_int_equal(hw_load32(head + 4), 9);
	assert_int_equal(hw_load16(head + 8), 0x1234);
	assert_int_equal(hw_load24(head + 10), 0xabcdef);
	memcpy(input, head, 13);
	memcpy(input + 13, tag, 16);
	input[29] = 11;
	assert_int_equal(hw_load24(head + 13), hw_siphash(&key, input, 30) & 0xffffff);
}

static void every_bit_of_header_and_tag_counts_and_the_path(void **state)
{
	struct hw_siphash_key key = { 1, 2 }, other = { 1, 3 };
	uint8_t head[16] = { 0x42, 1, 2, 3, 4, 5, 6, 7 }, tag[16] = { 9, 8, 7 };

	(void)state;
	hw_stamp_make(&key, head, tag, 5, 77, 1000);
	assert_true(hw_stamp_check(&key, head, tag, 5));
	assert_false(hw_stamp_check(&other, head, tag, 5));
	for (unsigned bit = 0; bit < 128; bit++) {
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(hw_stamp_check(&key, head, tag, 5));
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(hw_stamp_check(&key, head, tag, 5));
		tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(hw_stamp_check(&key, head, tag, 5));
	for (unsigned path = 0; path < 256; path++)
		assert_int_equal(hw_stamp_check(&key, head, tag, (uint8_t)path), path == 5);
}

/* 24 bits: of 2^22 guesses a quarter of one is right on average; more than 6 has chance 2e-8. */
static void guessing_is_hopeless(void **state)
{
	struct hw_siphash_key key = { 5, 6 };
	uint8_t head[16] = { 0 }, tag[16];
	unsigned hits = 0;
	struct hw_rng rng;

	(void)state;
	print_message("# seed 9\n");
	hw_rng_init(&rng, 9);
	for (uint32_t i = 0; i < 1u << 22; i++) {
		if (i % 64 == 0)
			hw_rng_fill(&rng, tag, sizeof(tag));
		hw_store32(head + 12, (uint32_t)hw_rng_u64(&rng));
		hits += hw_stamp_check(&key, head, tag, 5);
	}
	assert_true(hits <= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamp_is_siphash_over_header_tag_and_path),
		cmocka_unit_test(every_bit_of_header_and_tag_counts_and_the_path),
		cmocka_unit_test(guessing_is_hopeless),
	};

	return cmocka_run_group_tests_name("stamp", tests, NULL, NULL);
}
