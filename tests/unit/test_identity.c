#include "test.h"
#include "hex.h"

#include <stdbool.h>

#include "base/rng.h"
#include "crypto/dh.h"
#include "crypto/identity.h"

static void key(const char *hex, uint8_t out[HW_KEY_BYTES])
{
	assert_int_equal(from_hex(hex, out, HW_KEY_BYTES), HW_KEY_BYTES);
}

/* RFC 7748, section 6.1. */
static void public_keys_and_secrets_match_the_rfc(void **state)
{
	static const char *const private_hex[2] = {
		"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	};
	static const char *const public_hex[2] = {
		"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		"de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	};
	uint8_t private_key[2][HW_KEY_BYTES], public_key[2][HW_KEY_BYTES], got[HW_KEY_BYTES];
	uint8_t shared[HW_KEY_BYTES];

	(void)state;
	key("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", shared);
	for (unsigned i = 0; i < 2; i++) {
		key(private_hex[i], private_key[i]);
		key(public_hex[i], public_key[i]);
		assert_int_equal(hw_identity_public(private_key[i], got), 0);
		assert_memory_equal(got, public_key[i], sizeof(got));
		/* A clamped key is the same key. */
		hw_identity_generate(private_key[i], private_key[i]);
		assert_int_equal(hw_identity_public(private_key[i], got), 0);
		assert_memory_equal(got, public_key[i], sizeof(got));
	}
	for (unsigned i = 0; i < 2; i++) {
		struct hw_dh_key *dh = NULL;

		assert_int_equal(hw_dh_key_new(private_key[i], &dh), 0);
		assert_memory_equal(hw_dh_key_public(dh), public_key[i], HW_KEY_BYTES);
		for (int round = 0; round < 2; round++) {
			assert_int_equal(hw_dh(dh, public_key[1 - i], got), 0);
			assert_memory_equal(got, shared, sizeof(got));
		}
		assert_int_equal(hw_dh(dh, public_key[i], got), 0);
		assert_memory_not_equal(got, shared, sizeof(got));
		hw_dh_key_free(dh);
	}
	hw_dh_key_free(NULL);
}

/* The points of low order, as Bernstein lists them (cr.yp.to/ecdh.html), and with the top bit set.
 */
static void points_of_low_order_are_refused(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t bytes[HW_KEY_BYTES] = { 9 }, point[HW_KEY_BYTES], shared[HW_KEY_BYTES];
	struct hw_dh_key *dh = NULL;

	(void)state;
	assert_int_equal(hw_dh_key_new(bytes, &dh), 0);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		key(points[i], point);
		assert_int_equal(hw_dh(dh, point, shared), HW_E_AUTH);
		point[31] |= 0x80;
		assert_int_equal(hw_dh(dh, point, shared), HW_E_AUTH);
		/* A refusal leaves the key usable. */
		assert_int_equal(hw_dh(dh, bytes, shared), 0);
	}
	hw_dh_key_free(dh);
}

static void generated_keys_are_clamped(void **state)
{
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, 5);
	for (int i = 0; i < 1000; i++) {
		uint8_t random[HW_KEY_BYTES], private_key[HW_KEY_BYTES];

		hw_rng_fill(&rng, random, sizeof(random));
		hw_identity_generate(random, private_key);
		assert_int_equal(private_key[0], random[0] & 0xf8);
		assert_int_equal(private_key[31], (random[31] & 0x3f) | 0x40);
		assert_memory_equal(private_key + 1, random + 1, HW_KEY_BYTES - 2);
	}
}

static void secret_gives_three_different_keys(void **state)
{
	static const uint8_t salt[HW_HASH_BYTES];
	struct hw_crypto *crypto = NULL;
	struct hw_shared_identity one, other;
	uint8_t secret[HW_KEY_BYTES], out[3][HW_HASH_BYTES];

	(void)state;
	assert_int_equal(hw_crypto_new(&crypto), 0);
	memset(secret, 7, sizeof(secret));
	assert_int_equal(hw_identity_from_secret(crypto, secret, &one), 0);
	/* The words of docs/wire.md: HKDF with an empty salt; HMAC pads it with zeros. */
	assert_int_equal(hw_hkdf(crypto, salt, secret, sizeof(secret), out[0], out[1], out[2]), 0);
	hw_identity_generate(out[0], out[0]);
	hw_identity_generate(out[1], out[1]);
	assert_memory_equal(one.client_private, out[0], HW_KEY_BYTES);
	assert_memory_equal(one.hub_private, out[1], HW_KEY_BYTES);
	assert_memory_equal(one.psk, out[2], HW_KEY_BYTES);
	assert_memory_not_equal(one.client_private, one.hub_private, HW_KEY_BYTES);

	assert_int_equal(hw_identity_from_secret(crypto, secret, &other), 0);
	assert_memory_equal(&one, &other, sizeof(one));
	for (unsigned bit = 0; bit < 8 * sizeof(secret); bit++) {
		secret[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(hw_identity_from_secret(crypto, secret, &other), 0);
		assert_memory_not_equal(one.client_private, other.client_private, HW_KEY_BYTES);
		assert_memory_not_equal(one.hub_private, other.hub_private, HW_KEY_BYTES);
		assert_memory_not_equal(one.psk, other.psk, HW_KEY_BYTES);
		secret[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	hw_crypto_free(crypto);
}

/* Zeros, ones, and every six-bit value in every place by way of random keys. */
static void text_comes_back(void **state)
{
	static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	static const char ones[] = "//////////////////////////////////////////8=";
	char text[HW_KEY_TEXT_BYTES];
	uint8_t bytes[HW_KEY_BYTES], got[HW_KEY_BYTES];
	bool seen[128] = { false };
	struct hw_rng rng;
	unsigned kinds = 0;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	hw_key_to_text(bytes, text);
	assert_string_equal(text, zeros);
	memset(bytes, 0xff, sizeof(bytes));
	hw_key_to_text(bytes, text);
	assert_string_equal(text, ones);
	/* RFC 4648, section 10: "foobar" is Zm9vYmFy. */
	memcpy(bytes, "foobar", 6);
	hw_key_to_text(bytes, text);
	assert_memory_equal(text, "Zm9vYmFy", 8);

	hw_rng_init(&rng, 6);
	for (int i = 0; i < 1000; i++) {
		hw_rng_fill(&rng, bytes, sizeof(bytes));
		hw_key_to_text(bytes, text);
		assert_int_equal(strlen(text), HW_KEY_TEXT_CHARS);
		for (const char *c = text; *c; c++)
			seen[(unsigned char)*c & 127] = true;
		memset(got, 0, sizeof(got));
		assert_int_equal(hw_key_from_text(text, HW_KEY_TEXT_CHARS, got), 0);
		assert_memory_equal(got, bytes, sizeof(got));
	}
	for (unsigned c = 0; c < sizeof(seen); c++)
		kinds += seen[c];
	assert_int_equal(kinds, 65); /* the alphabet and the padding */
}

static bool in_alphabet(unsigned c)
{
	return c != 0 && c < 128 &&
	       strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", (int)c);
}

/* Every byte in every place: accepted exactly when it is of the alphabet and leaves no stray bits.
 */
static void junk_is_refused(void **state)
{
	uint8_t bytes[HW_KEY_BYTES] = { 1, 2, 3 }, got[HW_KEY_BYTES], before[HW_KEY_BYTES];
	char text[HW_KEY_TEXT_BYTES + 4], again[HW_KEY_TEXT_BYTES];

	(void)state;
	memset(text, 'A', sizeof(text));
	hw_key_to_text(bytes, text);
	memset(before, 0xa5, sizeof(before));
	for (size_t len = 0; len <= sizeof(text); len++) {
		memcpy(got, before, sizeof(got));
		assert_int_equal(hw_key_from_text(text, len, got),
				 len == HW_KEY_TEXT_CHARS ? 0 : HW_E_MALFORMED);
		if (len != HW_KEY_TEXT_CHARS)
			assert_memory_equal(got, before, sizeof(got));
	}
	for (size_t place = 0; place < HW_KEY_TEXT_CHARS; place++) {
		char old = text[place];

		for (unsigned c = 0; c < 256; c++) {
			bool last = place == HW_KEY_TEXT_CHARS - 1;
			bool good = last ? c == '=' : in_alphabet(c);

			/* Of the last digit's six bits, two are no part of the key. */
			if (place == HW_KEY_TEXT_CHARS - 2 && good)
				good = strchr("AEIMQUYcgkosw048", (int)c) != NULL;
			text[place] = (char)c;
			memcpy(got, before, sizeof(got));
			assert_int_equal(hw_key_from_text(text, HW_KEY_TEXT_CHARS, got),
					 good ? 0 : HW_E_MALFORMED);
			if (good) {
				hw_key_to_text(got, again);
				assert_memory_equal(again, text, HW_KEY_TEXT_CHARS);
			} else {
				assert_memory_equal(got, before, sizeof(got));
			}
		}
		text[place] = old;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_keys_and_secrets_match_the_rfc),
		cmocka_unit_test(points_of_low_order_are_refused),
		cmocka_unit_test(generated_keys_are_clamped),
		cmocka_unit_test(secret_gives_three_different_keys),
		cmocka_unit_test(text_comes_back),
		cmocka_unit_test(junk_is_refused),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
