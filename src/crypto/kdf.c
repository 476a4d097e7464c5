#include "crypto/kdf.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/bytes.h"

#define KEY_MAX_BYTES 32u /* of keyed BLAKE2s */

struct hw_crypto {
	EVP_MD *blake2s;
	EVP_MD_CTX *hash;
	EVP_MAC_CTX *mac;        /* 16 bytes of output */
	EVP_MAC_CTX *keyed_hash; /* 32 */
	EVP_MAC_CTX *hmac;
};

/* A context of the named MAC with its parameters set; it keeps them from one key to the next. */
static EVP_MAC_CTX *mac_ctx_new(const char *name, const OSSL_PARAM *params)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac); /* ctx holds a reference of its own */
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

static EVP_MAC_CTX *blake2s_mac_new(size_t out_bytes)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_bytes),
		OSSL_PARAM_construct_end(),
	};

	return mac_ctx_new("BLAKE2SMAC", params);
}

static EVP_MAC_CTX *hmac_new(void)
{
	char digest[] = "BLAKE2S-256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return mac_ctx_new("HMAC", params);
}

int hw_crypto_new(struct hw_crypto **ret_crypto)
{
	struct hw_crypto *crypto = calloc(1, sizeof(*crypto));

	if (!crypto)
		return HW_E_NOMEM;
	crypto->blake2s = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
	crypto->hash = EVP_MD_CTX_new();
	crypto->mac = blake2s_mac_new(HW_MAC_BYTES);
	crypto->keyed_hash = blake2s_mac_new(HW_HASH_BYTES);
	crypto->hmac = hmac_new();
	if (!crypto->blake2s || !crypto->hash || !crypto->mac || !crypto->keyed_hash ||
	    !crypto->hmac) {
		hw_crypto_free(crypto);
		return HW_E_CRYPTO;
	}
	*ret_crypto = crypto;
	return 0;
}

void hw_crypto_free(struct hw_crypto *crypto)
{
	if (!crypto)
		return;
	/* The contexts hold keys; libcrypto clears them when it frees them. */
	EVP_MAC_CTX_free(crypto->hmac);
	EVP_MAC_CTX_free(crypto->keyed_hash);
	EVP_MAC_CTX_free(crypto->mac);
	EVP_MD_CTX_free(crypto->hash);
	EVP_MD_free(crypto->blake2s);
	free(crypto);
}

int hw_hash(struct hw_crypto *crypto, const void *a, size_t a_len, const void *b, size_t b_len,
	    uint8_t ret_hash[HW_HASH_BYTES])
{
	if (EVP_DigestInit_ex2(crypto->hash, crypto->blake2s, NULL) != 1 ||
	    (a_len > 0 && EVP_DigestUpdate(crypto->hash, a, a_len) != 1) ||
	    (b_len > 0 && EVP_DigestUpdate(crypto->hash, b, b_len) != 1) ||
	    EVP_DigestFinal_ex(crypto->hash, ret_hash, NULL) != 1)
		return HW_E_CRYPTO;
	return 0;
}

/* One MAC of a, then b, under a key; ctx was made for out_bytes of output. */
static int run_mac(EVP_MAC_CTX *ctx, const void *key, size_t key_len, const void *a, size_t a_len,
		   const void *b, size_t b_len, uint8_t *ret_mac, size_t out_bytes)
{
	if (EVP_MAC_init(ctx, key, key_len, NULL) != 1 ||
	    (a_len > 0 && EVP_MAC_update(ctx, a, a_len) != 1) ||
	    (b_len > 0 && EVP_MAC_update(ctx, b, b_len) != 1) ||
	    EVP_MAC_final(ctx, ret_mac, NULL, out_bytes) != 1)
		return HW_E_CRYPTO;
	return 0;
}

int hw_mac(struct hw_crypto *crypto, const void *key, size_t key_len, const void *data, size_t len,
	   uint8_t ret_mac[HW_MAC_BYTES])
{
	if (key_len == 0 || key_len > KEY_MAX_BYTES)
		return HW_E_INVAL;
	return run_mac(crypto->mac, key, key_len, data, len, NULL, 0, ret_mac, HW_MAC_BYTES);
}

int hw_keyed_hash(struct hw_crypto *crypto, const void *key, size_t key_len, const void *data,
		  size_t len, uint8_t ret_hash[HW_HASH_BYTES])
{
	if (key_len == 0 || key_len > KEY_MAX_BYTES)
		return HW_E_INVAL;
	return run_mac(crypto->keyed_hash, key, key_len, data, len, NULL, 0, ret_hash,
		       HW_HASH_BYTES);
}

int hw_hmac(struct hw_crypto *crypto, const void *key, size_t key_len, const void *a, size_t a_len,
	    const void *b, size_t b_len, uint8_t ret_mac[HW_HASH_BYTES])
{
	return run_mac(crypto->hmac, key, key_len, a, a_len, b, b_len, ret_mac, HW_HASH_BYTES);
}

int hw_hkdf(struct hw_crypto *crypto, const uint8_t salt[HW_HASH_BYTES], const void *input,
	    size_t input_len, uint8_t ret_1[HW_HASH_BYTES], uint8_t ret_2[HW_HASH_BYTES],
	    uint8_t *ret_3)
{
	uint8_t *ret[] = { ret_1, ret_2, ret_3 };
	size_t count = ret_3 ? 3 : 2;
	uint8_t temp[HW_HASH_BYTES];
	uint8_t out[3][HW_HASH_BYTES];
	int err = hw_hmac(crypto, salt, HW_HASH_BYTES, input, input_len, NULL, 0, temp);

	for (size_t i = 0; i < count && err == 0; i++) {
		uint8_t number = (uint8_t)(i + 1);

		err = hw_hmac(crypto, temp, sizeof(temp), i > 0 ? out[i - 1] : NULL,
			      i > 0 ? HW_HASH_BYTES : 0, &number, 1, out[i]);
	}
	for (size_t i = 0; i < count && err == 0; i++)
		memcpy(ret[i], out[i], HW_HASH_BYTES);
	hw_bytes_wipe(temp, sizeof(temp));
	hw_bytes_wipe(out, sizeof(out));
	return err;
}
