/*
 * Static keys: making them, deriving them from a shared secret, and writing them down.
 */
#ifndef HW_CRYPTO_IDENTITY_H
#define HW_CRYPTO_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/kdf.h"

#define HW_KEY_BYTES 32u
#define HW_KEY_TEXT_CHARS 44u                      /* base64 with its padding (RFC 4648) */
#define HW_KEY_TEXT_BYTES (HW_KEY_TEXT_CHARS + 1u) /* and the final zero */

/* What both hosts make of one shared secret. */
struct hw_shared_identity {
	uint8_t client_private[HW_KEY_BYTES];
	uint8_t hub_private[HW_KEY_BYTES];
	uint8_t psk[HW_KEY_BYTES];
};

/* A private key from 32 unpredictable bytes: clamped as RFC 7748, section 5, so that it is
 * canonical. */
void hw_identity_generate(const uint8_t random[HW_KEY_BYTES], uint8_t ret_private[HW_KEY_BYTES]);

/* The X25519 public key. HW_E_NOMEM, HW_E_CRYPTO. */
HW_MUST_USE int hw_identity_public(const uint8_t private_key[HW_KEY_BYTES],
				   uint8_t ret_public[HW_KEY_BYTES]);

/*
 * Both static keys (clamped) and the psk from one secret (docs/wire.md, "Shared secret"). The
 * caller wipes the result. HW_E_CRYPTO.
 */
HW_MUST_USE int hw_identity_from_secret(struct hw_crypto *crypto,
					const uint8_t secret[HW_KEY_BYTES],
					struct hw_shared_identity *ret_identity);

void hw_key_to_text(const uint8_t key[HW_KEY_BYTES], char ret_text[HW_KEY_TEXT_BYTES]);

/*
 * Exactly 44 characters: the one canonical text of a key. HW_E_MALFORMED for anything else: another
 * length, a character outside the alphabet, missing padding, bits set that belong to no byte.
 */
HW_MUST_USE int hw_key_from_text(const char *text, size_t len, uint8_t ret_key[HW_KEY_BYTES]);

#endif
