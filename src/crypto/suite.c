#include "crypto/suite.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

/* libcrypto's context with the key schedule in it: each packet sets only the nonce. */
struct hw_aead_key {
	EVP_CIPHER_CTX *ctx;
};

static void key_free(struct hw_aead_key *key)
{
	if (!key)
		return;
	EVP_CIPHER_CTX_free(key->ctx); /* clears the key schedule */
	free(key);
}

static int key_new(const char *cipher_name, const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal,
		   struct hw_aead_key **ret_key)
{
	struct hw_aead_key *key = calloc(1, sizeof(*key));
	EVP_CIPHER *cipher;
	int ok;

	if (!key)
		return HW_E_NOMEM;
	cipher = EVP_CIPHER_fetch(NULL, cipher_name, NULL);
	key->ctx = EVP_CIPHER_CTX_new();
	ok = cipher && key->ctx &&
	     EVP_CipherInit_ex2(key->ctx, cipher, bytes, NULL, seal, NULL) == 1;
	EVP_CIPHER_free(cipher); /* ctx holds a reference of its own */
	if (!ok) {
		key_free(key);
		return HW_E_CRYPTO;
	}
	*ret_key = key;
	return 0;
}

static int chacha20_poly1305_key_new(const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal,
				     struct hw_aead_key **ret_key)
{
	return key_new("ChaCha20-Poly1305", bytes, seal, ret_key);
}

static int aes_256_gcm_key_new(const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal,
			       struct hw_aead_key **ret_key)
{
	return key_new("AES-256-GCM", bytes, seal, ret_key);
}

static int seal(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES],
		const uint8_t *ad, size_t ad_len, uint8_t *data, size_t len)
{
	uint8_t none[1];
	int n;

	if (ad_len > INT_MAX || len > INT_MAX)
		return HW_E_CRYPTO;
	if (EVP_EncryptInit_ex2(key->ctx, NULL, NULL, nonce, NULL) != 1 ||
	    (ad_len > 0 && EVP_EncryptUpdate(key->ctx, NULL, &n, ad, (int)ad_len) != 1) ||
	    (len > 0 && EVP_EncryptUpdate(key->ctx, data, &n, data, (int)len) != 1) ||
	    EVP_EncryptFinal_ex(key->ctx, none, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(key->ctx, EVP_CTRL_AEAD_GET_TAG, HW_AEAD_TAG_BYTES, data + len) !=
		    1)
		return HW_E_CRYPTO;
	return 0;
}

static int open(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES],
		const uint8_t *ad, size_t ad_len, uint8_t *data, size_t len)
{
	size_t text_len = len - HW_AEAD_TAG_BYTES;
	uint8_t none[1];
	int n;

	if (len < HW_AEAD_TAG_BYTES)
		return HW_E_TRUNCATED;
	if (ad_len > INT_MAX || len > INT_MAX)
		return HW_E_CRYPTO;
	if (EVP_DecryptInit_ex2(key->ctx, NULL, NULL, nonce, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(key->ctx, EVP_CTRL_AEAD_SET_TAG, HW_AEAD_TAG_BYTES,
				data + text_len) != 1 ||
	    (ad_len > 0 && EVP_DecryptUpdate(key->ctx, NULL, &n, ad, (int)ad_len) != 1) ||
	    (text_len > 0 && EVP_DecryptUpdate(key->ctx, data, &n, data, (int)text_len) != 1))
		return HW_E_CRYPTO;
	return EVP_DecryptFinal_ex(key->ctx, none, &n) == 1 ? 0 : HW_E_AUTH;
}

/* Four zero bytes, then n: little-endian for ChaChaPoly, big-endian for AESGCM. */
static void chacha20_poly1305_noise_nonce(uint64_t n, uint8_t ret_nonce[HW_AEAD_NONCE_BYTES])
{
	memset(ret_nonce, 0, 4);
	for (unsigned i = 0; i < 8; i++)
		ret_nonce[4 + i] = (uint8_t)(n >> (8 * i));
}

static void aes_256_gcm_noise_nonce(uint64_t n, uint8_t ret_nonce[HW_AEAD_NONCE_BYTES])
{
	memset(ret_nonce, 0, 4);
	for (unsigned i = 0; i < 8; i++)
		ret_nonce[4 + i] = (uint8_t)(n >> (8 * (7 - i)));
}

static const struct hw_suite suites[] = {
	{
		.name = "chacha20-poly1305",
		.noise_name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
		/* As WireGuard; the cipher itself sets no limit that traffic could reach. */
		.packet_limit = UINT64_C(1) << 60,
		.key_new = chacha20_poly1305_key_new,
		.key_free = key_free,
		.seal = seal,
		.open = open,
		.noise_nonce = chacha20_poly1305_noise_nonce,
	},
	{
		.name = "aes-256-gcm",
		.noise_name = "Noise_IKpsk2_25519_AESGCM_BLAKE2s",
		/* RFC 9001, appendix B.1: 2^35 blocks under one key, here in packets of 2^14 bytes.
		 */
		.packet_limit = UINT64_C(1) << 25,
		.key_new = aes_256_gcm_key_new,
		.key_free = key_free,
		.seal = seal,
		.open = open,
		.noise_nonce = aes_256_gcm_noise_nonce,
	},
};

#define SUITE_COUNT (sizeof(suites) / sizeof(suites[0]))

const struct hw_suite *hw_suite_find(const char *name)
{
	for (size_t i = 0; i < SUITE_COUNT; i++) {
		if (strcmp(suites[i].name, name) == 0)
			return &suites[i];
	}
	return NULL;
}

const struct hw_suite *hw_suite_at(size_t i)
{
	return i < SUITE_COUNT ? &suites[i] : NULL;
}
