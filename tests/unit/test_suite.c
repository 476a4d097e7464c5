#include "test.h"
#include "hex.h"

#include "base/rng.h"
#include "crypto/suite.h"

#define MAX_BYTES 256

/* Published test vectors of each suite's AEAD. */
static const struct vector {
	const char *suite, *key, *nonce, *ad, *plain, *sealed;
} vectors[] = {
	{ /* RFC 8439, section 2.8.2 */
	  "chacha20-poly1305", "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	  "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20"
	  "4966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f722074686520"
	  "6675747572652c2073756e73637265656e20776f756c642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca967128"
	  "2fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab"
	  "324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116"
	  "1ae10b594f09e26a7e902ecbd0600691" },
	{ /* McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", test case 16 */
	  "aes-256-gcm", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	  "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e"
	  "2449a6b525b16aedf5aa0de657ba637b39",
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b"
	  "1056828838c5f61e6393ba7a0abcc9f662"
	  "76fc6ece0f4e1768cddf8853bb2d551b" },
};

#define VECTOR_COUNT (sizeof(vectors) / sizeof(vectors[0]))

struct loaded {
	const struct hw_suite *suite;
	uint8_t key[HW_AEAD_KEY_BYTES], nonce[HW_AEAD_NONCE_BYTES], ad[MAX_BYTES];
	uint8_t plain[MAX_BYTES], sealed[MAX_BYTES];
	size_t ad_len, len;
};

static void load(const struct vector *v, struct loaded *l)
{
	l->suite = hw_suite_find(v->suite);
	assert_non_null(l->suite);
	assert_int_equal(from_hex(v->key, l->key, sizeof(l->key)), sizeof(l->key));
	assert_int_equal(from_hex(v->nonce, l->nonce, sizeof(l->nonce)), sizeof(l->nonce));
	l->ad_len = from_hex(v->ad, l->ad, sizeof(l->ad));
	l->len = from_hex(v->plain, l->plain, sizeof(l->plain));
	assert_int_equal(from_hex(v->sealed, l->sealed, sizeof(l->sealed)),
			 l->len + HW_AEAD_TAG_BYTES);
}

static struct hw_aead_key *new_key(const struct hw_suite *suite, const uint8_t *bytes, bool seal)
{
	struct hw_aead_key *key = NULL;

	assert_int_equal(suite->key_new(bytes, seal, &key), 0);
	assert_non_null(key);
	return key;
}

static void suites_are_found_by_name(void **state)
{
	(void)state;
	assert_string_equal(hw_suite_at(0)->name, "chacha20-poly1305");
	assert_string_equal(hw_suite_at(1)->name, "aes-256-gcm");
	assert_null(hw_suite_at(2));
	for (size_t i = 0; hw_suite_at(i); i++)
		assert_ptr_equal(hw_suite_find(hw_suite_at(i)->name), hw_suite_at(i));
	assert_null(hw_suite_find("aes-128-gcm"));
	assert_null(hw_suite_find("ChaCha20-Poly1305"));
	assert_null(hw_suite_find(""));
	assert_string_equal(hw_suite_at(0)->noise_name, "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s");
	assert_string_equal(hw_suite_at(1)->noise_name, "Noise_IKpsk2_25519_AESGCM_BLAKE2s");
	for (size_t i = 0; hw_suite_at(i); i++)
		assert_true(hw_suite_at(i)->packet_limit >= UINT64_C(1) << 20);
}

static void published_vectors_seal_and_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTOR_COUNT; i++) {
		struct loaded l;
		struct hw_aead_key *sealer, *opener;
		uint8_t work[MAX_BYTES];

		load(&vectors[i], &l);
		sealer = new_key(l.suite, l.key, true);
		opener = new_key(l.suite, l.key, false);
		/* Twice: one key serves many packets. */
		for (int round = 0; round < 2; round++) {
			memcpy(work, l.plain, l.len);
			assert_int_equal(
				l.suite->seal(sealer, l.nonce, l.ad, l.ad_len, work, l.len), 0);
			assert_memory_equal(work, l.sealed, l.len + HW_AEAD_TAG_BYTES);
			assert_int_equal(l.suite->open(opener, l.nonce, l.ad, l.ad_len, work,
						       l.len + HW_AEAD_TAG_BYTES),
					 0);
			assert_memory_equal(work, l.plain, l.len);
		}
		l.suite->key_free(sealer);
		l.suite->key_free(opener);
	}
}

/* Every byte of the sealed packet, the additional data, the nonce and the key counts. */
static void every_flipped_byte_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTOR_COUNT; i++) {
		struct loaded l;
		struct hw_aead_key *opener;
		uint8_t work[MAX_BYTES], ad[MAX_BYTES], nonce[HW_AEAD_NONCE_BYTES];
		size_t sealed_len;

		load(&vectors[i], &l);
		sealed_len = l.len + HW_AEAD_TAG_BYTES;
		opener = new_key(l.suite, l.key, false);
		for (size_t b = 0; b < sealed_len + l.ad_len + sizeof(nonce); b++) {
			uint8_t flip = (uint8_t)(1u << b % 8);

			memcpy(work, l.sealed, sealed_len);
			memcpy(ad, l.ad, l.ad_len);
			memcpy(nonce, l.nonce, sizeof(nonce));
			if (b < sealed_len)
				work[b] ^= flip;
			else if (b < sealed_len + l.ad_len)
				ad[b - sealed_len] ^= flip;
			else
				nonce[b - sealed_len - l.ad_len] ^= flip;
			assert_int_equal(
				l.suite->open(opener, nonce, ad, l.ad_len, work, sealed_len),
				HW_E_AUTH);
		}
		/* Shorter, longer, other additional data. */
		memcpy(work, l.sealed, sealed_len);
		assert_int_equal(
			l.suite->open(opener, l.nonce, l.ad, l.ad_len, work, sealed_len - 1),
			HW_E_AUTH);
		memcpy(work, l.sealed, sealed_len);
		assert_int_equal(
			l.suite->open(opener, l.nonce, l.ad, l.ad_len - 1, work, sealed_len),
			HW_E_AUTH);
		for (size_t len = 0; len < HW_AEAD_TAG_BYTES; len++)
			assert_int_equal(l.suite->open(opener, l.nonce, l.ad, l.ad_len, work, len),
					 HW_E_TRUNCATED);
		/* A failure leaves the key usable. */
		memcpy(work, l.sealed, sealed_len);
		assert_int_equal(l.suite->open(opener, l.nonce, l.ad, l.ad_len, work, sealed_len),
				 0);
		l.suite->key_free(opener);

		for (size_t b = 0; b < sizeof(l.key); b++) {
			l.key[b] ^= 0x80;
			opener = new_key(l.suite, l.key, false);
			memcpy(work, l.sealed, sealed_len);
			assert_int_equal(
				l.suite->open(opener, l.nonce, l.ad, l.ad_len, work, sealed_len),
				HW_E_AUTH);
			l.suite->key_free(opener);
			l.key[b] ^= 0x80;
		}
	}
}

/* Every length from nothing up, with and without additional data; no byte behind the tag changes.
 */
static void every_length_comes_back(void **state)
{
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, 1);
	for (size_t s = 0; hw_suite_at(s); s++) {
		const struct hw_suite *suite = hw_suite_at(s);
		uint8_t key[HW_AEAD_KEY_BYTES], plain[600], work[600 + HW_AEAD_TAG_BYTES + 1];
		struct hw_aead_key *sealer, *opener;

		hw_rng_fill(&rng, key, sizeof(key));
		sealer = new_key(suite, key, true);
		opener = new_key(suite, key, false);
		for (size_t len = 0; len <= sizeof(plain); len++) {
			uint8_t nonce[HW_AEAD_NONCE_BYTES], ad[16];
			size_t ad_len = len % (sizeof(ad) + 1);

			hw_rng_fill(&rng, plain, len);
			hw_rng_fill(&rng, nonce, sizeof(nonce));
			hw_rng_fill(&rng, ad, sizeof(ad));
			memcpy(work, plain, len);
			work[len + HW_AEAD_TAG_BYTES] = 0xa5;
			assert_int_equal(suite->seal(sealer, nonce, ad, ad_len, work, len), 0);
			assert_int_equal(work[len + HW_AEAD_TAG_BYTES], 0xa5);
			if (len >= 16)
				assert_memory_not_equal(work, plain, len);
			assert_int_equal(suite->open(opener, nonce, ad, ad_len, work,
						     len + HW_AEAD_TAG_BYTES),
					 0);
			assert_memory_equal(work, plain, len);
		}
		suite->key_free(sealer);
		suite->key_free(opener);
	}
}

static void one_suite_does_not_open_the_other(void **state)
{
	const uint8_t key[HW_AEAD_KEY_BYTES] = { 1 }, nonce[HW_AEAD_NONCE_BYTES] = { 2 };
	uint8_t work[32 + HW_AEAD_TAG_BYTES];

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		const struct hw_suite *one = hw_suite_at(s), *other = hw_suite_at(1 - s);
		struct hw_aead_key *sealer = new_key(one, key, true);
		struct hw_aead_key *opener = new_key(other, key, false);

		memset(work, 0, sizeof(work));
		assert_int_equal(one->seal(sealer, nonce, NULL, 0, work, 32), 0);
		assert_int_equal(other->open(opener, nonce, NULL, 0, work, sizeof(work)),
				 HW_E_AUTH);
		one->key_free(sealer);
		other->key_free(opener);
		one->key_free(NULL);
	}
}

/* Noise specification, section 12.3 and 12.4. */
static void noise_nonces_have_their_byte_order(void **state)
{
	static const uint8_t little[] = { 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t big[] = { 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t nonce[HW_AEAD_NONCE_BYTES];

	(void)state;
	hw_suite_find("chacha20-poly1305")->noise_nonce(UINT64_C(0x0102030405060708), nonce);
	assert_memory_equal(nonce, little, sizeof(nonce));
	hw_suite_find("aes-256-gcm")->noise_nonce(UINT64_C(0x0102030405060708), nonce);
	assert_memory_equal(nonce, big, sizeof(nonce));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites_are_found_by_name),
		cmocka_unit_test(published_vectors_seal_and_open),
		cmocka_unit_test(every_flipped_byte_fails),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(one_suite_does_not_open_the_other),
		cmocka_unit_test(noise_nonces_have_their_byte_order),
	};

	return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
