/*
 * X25519 (RFC 7748). A private key is kept ready for use, since preparing one costs a scalar
 * multiplication of its own.
 */
#ifndef HW_CRYPTO_DH_H
#define HW_CRYPTO_DH_H

#include <stdint.h>

#include "base/error.h"

#define HW_DH_BYTES 32u

struct hw_dh_key;

/*
 * A private key, from 32 bytes of any value (clamping is part of X25519). The caller frees it.
 * HW_E_NOMEM, HW_E_CRYPTO.
 */
HW_MUST_USE int hw_dh_key_new(const uint8_t private_key[HW_DH_BYTES], struct hw_dh_key **ret_key);

/* Wipes and frees. NULL is allowed. */
void hw_dh_key_free(struct hw_dh_key *key);

/* The public key of it. */
const uint8_t *hw_dh_key_public(const struct hw_dh_key *key);

/*
 * The shared secret with a public key. HW_E_AUTH: the public key is of low order, so that the
 * result would be zero whatever the private key; HW_E_CRYPTO.
 */
HW_MUST_USE int hw_dh(struct hw_dh_key *key, const uint8_t public_key[HW_DH_BYTES],
		      uint8_t ret_shared[HW_DH_BYTES]);

#endif
