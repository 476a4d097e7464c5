#include "test.h"
#include "hex.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/rng.h"
#include "base/siphash.h"
#include "crypto/kdf.h"

static int setup(void **state)
{
	struct hw_crypto *crypto = NULL;

	if (hw_crypto_new(&crypto) != 0)
		return -1;
	*state = crypto;
	return 0;
}

static int teardown(void **state)
{
	hw_crypto_free(*state);
	hw_crypto_free(NULL);
	return 0;
}

/* RFC 7693, appendix B, and the hash of nothing. */
static void hash_matches_its_vectors(void **state)
{
	uint8_t expected[HW_HASH_BYTES], hash[HW_HASH_BYTES];

	from_hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982", expected,
		 sizeof(expected));
	assert_int_equal(hw_hash(*state, "abc", 3, NULL, 0, hash), 0);
	assert_memory_equal(hash, expected, sizeof(hash));
	memset(hash, 0, sizeof(hash));
	assert_int_equal(hw_hash(*state, "a", 1, "bc", 2, hash), 0);
	assert_memory_equal(hash, expected, sizeof(hash));
	assert_int_equal(hw_hash(*state, "abd", 3, NULL, 0, hash), 0);
	assert_memory_not_equal(hash, expected, sizeof(hash));

	from_hex("69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9", expected,
		 sizeof(expected));
	assert_int_equal(hw_hash(*state, NULL, 0, NULL, 0, hash), 0);
	assert_memory_equal(hash, expected, sizeof(hash));
}

/*
 * BLAKE2's own known answers (BLAKE2/BLAKE2, testvectors/blake2s-kat.txt): key 00..1f, the first
 * len of the bytes 00, 01, 02, ...
 */
static void keyed_hash_matches_its_vectors(void **state)
{
	static const struct {
		size_t len;
		const char *hash;
	} vectors[] = {
		{ 0, "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49" },
		{ 1, "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1" },
		{ 2, "6bb71300644cd3991b26ccd4d274acd1adeab8b1d7914546c1198bbe9fc9d803" },
		{ 78, "172ffc67153d12e0ca76a8b6cd5d4731885b39ce0cac93a8972a18006c8b8baf" },
		{ 255, "3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd" },
	};
	uint8_t bytes[256], expected[HW_HASH_BYTES], hash[HW_HASH_BYTES];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		from_hex(vectors[i].hash, expected, sizeof(expected));
		assert_int_equal(hw_keyed_hash(*state, bytes, 32, bytes, vectors[i].len, hash), 0);
		assert_memory_equal(hash, expected, sizeof(hash));
	}
	/* Another key, another hash. */
	assert_int_equal(hw_keyed_hash(*state, bytes + 1, 32, bytes, 255, hash), 0);
	assert_memory_not_equal(hash, expected, sizeof(hash));
}

/*
 * OpenSSL, test/recipes/30-test_evp_data/evpmac_blake.txt, the BLAKE2SMAC case of size 16 with
 * neither salt nor custom string.
 */
static void mac_matches_its_vector(void **state)
{
	static const char text[] = "Sample input for outlen<digest_length";
	uint8_t key[16], expected[HW_MAC_BYTES], mac[HW_MAC_BYTES], full[HW_HASH_BYTES];

	from_hex("000102030405060708090a0b0c0d0e0f", key, sizeof(key));
	from_hex("a09fb3d513efc3ed58dd1264de3c59f5", expected, sizeof(expected));
	assert_int_equal(hw_mac(*state, key, sizeof(key), text, sizeof(text) - 1, mac), 0);
	assert_memory_equal(mac, expected, sizeof(mac));
	/* The length of the output is part of the function: no prefix of the longer one. */
	assert_int_equal(hw_keyed_hash(*state, key, sizeof(key), text, sizeof(text) - 1, full), 0);
	assert_memory_not_equal(full, expected, sizeof(expected));
	/* Interleaved keys do not remember each other. */
	assert_int_equal(hw_mac(*state, full, sizeof(full), text, sizeof(text) - 1, mac), 0);
	assert_memory_not_equal(mac, expected, sizeof(mac));
	assert_int_equal(hw_mac(*state, key, sizeof(key), text, sizeof(text) - 1, mac), 0);
	assert_memory_equal(mac, expected, sizeof(mac));
}

static void key_lengths_have_limits(void **state)
{
	static const uint8_t key[33];
	uint8_t mac[HW_MAC_BYTES], hash[HW_HASH_BYTES], before[HW_HASH_BYTES];

	memset(mac, 0xa5, sizeof(mac));
	memset(hash, 0xa5, sizeof(hash));
	memset(before, 0xa5, sizeof(before));
	assert_int_equal(hw_mac(*state, key, 0, "x", 1, mac), HW_E_INVAL);
	assert_int_equal(hw_mac(*state, key, 33, "x", 1, mac), HW_E_INVAL);
	assert_int_equal(hw_keyed_hash(*state, key, 0, "x", 1, hash), HW_E_INVAL);
	assert_int_equal(hw_keyed_hash(*state, key, 33, "x", 1, hash), HW_E_INVAL);
	assert_memory_equal(mac, before, sizeof(mac));
	assert_memory_equal(hash, before, sizeof(hash));
	assert_int_equal(hw_mac(*state, key, 1, "x", 1, mac), 0);
	assert_int_equal(hw_mac(*state, key, 32, "x", 1, mac), 0);
}

/* The vectors of WireGuard/wireguard-go, device/kdf_test.go; HMAC pads a key with zeros, so do we.
 */
static void hkdf_matches_its_vectors(void **state)
{
	static const struct {
		const char *key, *input, *out[3];
	} vectors[] = {
		{ "746573742d6b6579",
		  "746573742d696e707574",
		  { "6f0e5ad38daba1bea8a0d213688736f19763239305e0f58aba697f9ffc41c633",
		    "df1194df20802a4fe594cde27e92991c8cae66c366e8106aaa937a55fa371e8a",
		    "fac6e2745a325f5dc5d11a5b165aad08b0ada28e7b4e666b7c077934a4d76c24" } },
		{ "776972656775617264",
		  "776972656775617264",
		  { "491d43bbfdaa8750aaf535e334ecbfe5129967cd64635101c566d4caefda96e8",
		    "1e71a379baefd8a79aa4662212fcafe19a23e2b609a3db7d6bcba8f560e3d25f",
		    "31e1ae48bddfbe5de38f295e5452b1909a1b4e38e183926af3780b0c1e1f0160" } },
		{ "",
		  "",
		  { "8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0",
		    "58a0e5f6faefccf4807bff1f05fa8a9217945762040bcec2f4b4a62bdfe0e86e",
		    "0ce6ea98ec548f8e281e93e32db65621c45eb18dc6f0a7ad94178610a2f7338e" } },
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t salt[HW_HASH_BYTES] = { 0 }, input[HW_HASH_BYTES], out[3][HW_HASH_BYTES];
		uint8_t expected[HW_HASH_BYTES];
		size_t len = from_hex(vectors[i].input, input, sizeof(input));

		from_hex(vectors[i].key, salt, sizeof(salt));
		assert_int_equal(hw_hkdf(*state, salt, input, len, out[0], out[1], out[2]), 0);
		for (size_t o = 0; o < 3; o++) {
			from_hex(vectors[i].out[o], expected, sizeof(expected));
			assert_memory_equal(out[o], expected, sizeof(expected));
		}
		/* Two outputs are the first two of three, and may replace the salt. */
		memset(out, 0, sizeof(out));
		assert_int_equal(hw_hkdf(*state, salt, input, len, salt, out[1], NULL), 0);
		from_hex(vectors[i].out[0], expected, sizeof(expected));
		assert_memory_equal(salt, expected, sizeof(expected));
		from_hex(vectors[i].out[1], expected, sizeof(expected));
		assert_memory_equal(out[1], expected, sizeof(expected));
	}
}

/* HMAC by its definition (RFC 2104) out of the hash: keys below, at and above the block of 64
 * bytes. */
static void hmac_is_what_its_definition_says(void **state)
{
	struct hw_rng rng;

	hw_rng_init(&rng, 2);
	for (size_t key_len = 0; key_len <= 100; key_len++) {
		uint8_t key[100], data[150], block[64] = { 0 }, inner[64 + 150], outer[64 + 32];
		uint8_t expected[HW_HASH_BYTES], mac[HW_HASH_BYTES];
		size_t len = hw_rng_below(&rng, sizeof(data) + 1),
		       cut = hw_rng_below(&rng, len + 1);

		hw_rng_fill(&rng, key, sizeof(key));
		hw_rng_fill(&rng, data, sizeof(data));
		if (key_len > sizeof(block))
			assert_int_equal(hw_hash(*state, key, key_len, NULL, 0, block), 0);
		else
			memcpy(block, key, key_len);
		for (size_t i = 0; i < sizeof(block); i++) {
			inner[i] = block[i] ^ 0x36;
			outer[i] = block[i] ^ 0x5c;
		}
		memcpy(inner + 64, data, len);
		assert_int_equal(hw_hash(*state, inner, 64 + len, NULL, 0, outer + 64), 0);
		assert_int_equal(hw_hash(*state, outer, sizeof(outer), NULL, 0, expected), 0);
		assert_int_equal(
			hw_hmac(*state, key, key_len, data, cut, data + cut, len - cut, mac), 0);
		assert_memory_equal(mac, expected, sizeof(mac));
	}
}

/* Our SipHash-2-4 and libcrypto's, which share no code, on inputs of every length up to 64. */
static void siphash_agrees_with_libcrypto(void **state)
{
	size_t out_bytes = 8;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_bytes),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	struct hw_rng rng;

	(void)state;
	assert_non_null(ctx);
	hw_rng_init(&rng, 3);
	for (size_t i = 0; i < 65 * 20; i++) {
		uint8_t bytes[HW_SIPHASH_KEY_BYTES], data[64], theirs[8], ours[8];
		struct hw_siphash_key key;
		size_t len = i % 65;
		uint64_t hash;

		hw_rng_fill(&rng, bytes, sizeof(bytes));
		hw_rng_fill(&rng, data, sizeof(data));
		assert_int_equal(EVP_MAC_init(ctx, bytes, sizeof(bytes), params), 1);
		assert_int_equal(EVP_MAC_update(ctx, data, len), 1);
		assert_int_equal(EVP_MAC_final(ctx, theirs, NULL, sizeof(theirs)), 1);
		hw_siphash_key_init(&key, bytes);
		hash = hw_siphash(&key, data, len);
		for (size_t b = 0; b < sizeof(ours); b++)
			ours[b] = (uint8_t)(hash >> (8 * b));
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_matches_its_vectors),
		cmocka_unit_test(keyed_hash_matches_its_vectors),
		cmocka_unit_test(mac_matches_its_vector),
		cmocka_unit_test(key_lengths_have_limits),
		cmocka_unit_test(hkdf_matches_its_vectors),
		cmocka_unit_test(hmac_is_what_its_definition_says),
		cmocka_unit_test(siphash_agrees_with_libcrypto),
	};

	return cmocka_run_group_tests_name("kdf", tests, setup, teardown);
}
