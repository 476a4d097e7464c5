/*
 * A suite for tests: deterministic, fast and not secure. It encrypts with a SipHash key stream and
 * makes a 128-bit tag of two SipHashes over nonce, additional data and ciphertext, so a damaged
 * packet fails as it would under a real cipher. It can be told to remember every nonce and to fail.
 */
#ifndef HW_TESTS_TOY_SUITE_H
#define HW_TESTS_TOY_SUITE_H

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/siphash.h"
#include "crypto/suite.h"

struct hw_aead_key {
	struct hw_siphash_key stream, tag0, tag1;
};

/* What the suite was asked to do; tests read and write it. */
struct toy_control {
	unsigned keys_alive;
	unsigned seals;
	unsigned opens;
	unsigned fail_seals; /* so many of the next seals fail */
	unsigned fail_keys;  /* so many of the next keys fail */
	/* Called with each nonce that seals, if set. */
	void (*sealed)(const struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES]);
};

static struct toy_control toy;

static int toy_key_new(const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal, struct hw_aead_key **ret_key)
{
	struct hw_aead_key *key;

	(void)seal;
	if (toy.fail_keys > 0) {
		toy.fail_keys--;
		return HW_E_CRYPTO;
	}
	key = malloc(sizeof(*key));
	if (key == NULL)
		return HW_E_NOMEM;
	hw_siphash_key_init(&key->stream, bytes);
	hw_siphash_key_init(&key->tag0, bytes + 8);
	hw_siphash_key_init(&key->tag1, bytes + 16);
	toy.keys_alive++;
	*ret_key = key;
	return 0;
}

static void toy_key_free(struct hw_aead_key *key)
{
	if (key == NULL)
		return;
	toy.keys_alive--;
	hw_bytes_wipe(key, sizeof(*key));
	free(key);
}

static void toy_crypt(const struct hw_aead_key *key, const uint8_t *nonce, uint8_t *data, size_t len)
{
	uint64_t block = hw_siphash(&key->stream, nonce, HW_AEAD_NONCE_BYTES);

	for (size_t i = 0; i < len; i++)
		data[i] ^= (uint8_t)(block >> 8 * (i % 8));
}

static void toy_tag(const struct hw_aead_key *key, const uint8_t *nonce, const uint8_t *ad,
		    size_t ad_len, const uint8_t *data, size_t len, uint8_t tag[HW_AEAD_TAG_BYTES])
{
	uint64_t parts[3];

	parts[0] = hw_siphash(&key->tag0, data, len);
	parts[1] = hw_siphash(&key->tag0, ad, ad_len);
	parts[2] = hw_siphash(&key->tag0, nonce, HW_AEAD_NONCE_BYTES);
	hw_store64(tag, hw_siphash(&key->tag0, parts, sizeof(parts)));
	hw_store64(tag + 8, hw_siphash(&key->tag1, parts, sizeof(parts)));
}

static int toy_seal(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES], const uint8_t *ad,
		    size_t ad_len, uint8_t *data, size_t len)
{
	toy.seals++;
	if (toy.sealed != NULL)
		toy.sealed(key, nonce);
	if (toy.fail_seals > 0) {
		toy.fail_seals--;
		return HW_E_CRYPTO;
	}
	toy_crypt(key, nonce, data, len);
	toy_tag(key, nonce, ad, ad_len, data, len, data + len);
	return 0;
}

static int toy_open(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES], const uint8_t *ad,
		    size_t ad_len, uint8_t *data, size_t len)
{
	uint8_t tag[HW_AEAD_TAG_BYTES];

	toy.opens++;
	if (len < HW_AEAD_TAG_BYTES)
		return HW_E_TRUNCATED;
	len -= HW_AEAD_TAG_BYTES;
	toy_tag(key, nonce, ad, ad_len, data, len, tag);
	toy_crypt(key, nonce, data, len);
	return hw_bytes_equal_ct(tag, data + len, sizeof(tag)) ? 0 : HW_E_AUTH;
}

static const struct hw_suite toy_suite = {
	.name = "toy",
	.packet_limit = UINT64_C(1) << 40,
	.key_new = toy_key_new,
	.key_free = toy_key_free,
	.seal = toy_seal,
	.open = toy_open,
};

#endif
