/*
 * Hashes and key derivation: BLAKE2s (RFC 7693), HMAC (RFC 2104) over it, and the HKDF of the Noise
 * specification (revision 34, section 4.3), which is RFC 5869 with an empty info.
 *
 * The algorithms are looked up once, in hw_crypto_new; the functions here only run them, so that a
 * flood of bad handshakes costs no look-ups. A hw_crypto is used by one thread at a time. Every
 * function returns 0 or HW_E_CRYPTO (libcrypto failed, in practice for want of memory), and leaves
 * its results untouched on failure.
 */
#ifndef HW_CRYPTO_KDF_H
#define HW_CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HW_HASH_BYTES 32u
#define HW_MAC_BYTES 16u

struct hw_crypto;

/* HW_E_NOMEM; HW_E_CRYPTO: this libcrypto lacks an algorithm. The caller frees it. */
HW_MUST_USE int hw_crypto_new(struct hw_crypto **ret_crypto);

/* Wipes and frees. NULL is allowed. */
void hw_crypto_free(struct hw_crypto *crypto);

/* BLAKE2s-256 of a, then b. Either may be empty (NULL and 0). */
HW_MUST_USE int hw_hash(struct hw_crypto *crypto, const void *a, size_t a_len, const void *b,
			size_t b_len, uint8_t ret_hash[HW_HASH_BYTES]);

/* BLAKE2s keyed with 1 to 32 bytes (HW_E_INVAL otherwise), 16 bytes of output. */
HW_MUST_USE int hw_mac(struct hw_crypto *crypto, const void *key, size_t key_len, const void *data,
		       size_t len, uint8_t ret_mac[HW_MAC_BYTES]);

/* BLAKE2s keyed with 1 to 32 bytes (HW_E_INVAL otherwise), 32 bytes of output. */
HW_MUST_USE int hw_keyed_hash(struct hw_crypto *crypto, const void *key, size_t key_len,
			      const void *data, size_t len, uint8_t ret_hash[HW_HASH_BYTES]);

/* HMAC-BLAKE2s of a, then b, under a key of any length. */
HW_MUST_USE int hw_hmac(struct hw_crypto *crypto, const void *key, size_t key_len, const void *a,
			size_t a_len, const void *b, size_t b_len, uint8_t ret_mac[HW_HASH_BYTES]);

/*
 * HKDF with `salt` (Noise's chaining key) over the input. ret_3 is NULL where two outputs are
 * wanted. An output may be the same memory as salt or input.
 */
HW_MUST_USE int hw_hkdf(struct hw_crypto *crypto, const uint8_t salt[HW_HASH_BYTES],
			const void *input, size_t input_len, uint8_t ret_1[HW_HASH_BYTES],
			uint8_t ret_2[HW_HASH_BYTES], uint8_t *ret_3);

#endif
