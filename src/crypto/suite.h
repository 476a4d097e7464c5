/*
 * Cipher suites: an AEAD with its Noise protocol name. A suite is named in the configuration of both
 * ends and enters the handshake by its Noise name, so a mismatch fails and nothing is negotiated.
 */
#ifndef HW_CRYPTO_SUITE_H
#define HW_CRYPTO_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HW_AEAD_KEY_BYTES 32u
#define HW_AEAD_NONCE_BYTES 12u
#define HW_AEAD_TAG_BYTES 16u

struct hw_aead_key;

struct hw_suite {
	const char *name;       /* in configuration files: "chacha20-poly1305" */
	const char *noise_name; /* "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s" */
	uint64_t packet_limit;  /* packets that one key may seal, all streams together */

	/* A key for one direction; seal says which. HW_E_NOMEM, HW_E_CRYPTO. */
	int (*key_new)(const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal, struct hw_aead_key **ret_key);

	/* Wipes and frees. NULL is allowed. */
	void (*key_free)(struct hw_aead_key *key);

	/* Encrypt data[0..len) in place and write the tag behind it, at data[len..len+16). HW_E_CRYPTO. */
	int (*seal)(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES], const uint8_t *ad,
		    size_t ad_len, uint8_t *data, size_t len);

	/*
	 * Check the tag in the last 16 of `len` bytes and decrypt the rest in place. HW_E_AUTH (data is
	 * then garbage and must be dropped), HW_E_TRUNCATED under 16 bytes, HW_E_CRYPTO.
	 */
	int (*open)(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES], const uint8_t *ad,
		    size_t ad_len, uint8_t *data, size_t len);

	/* The nonce of Noise's n-th handshake message under this cipher (Noise specification, section 12). */
	void (*noise_nonce)(uint64_t n, uint8_t ret_nonce[HW_AEAD_NONCE_BYTES]);
};

/* The suite of that configuration name, or NULL. */
const struct hw_suite *hw_suite_find(const char *name);

/* The i-th suite, or NULL past the last. The first is the default. */
const struct hw_suite *hw_suite_at(size_t i);

#endif
