#include "crypto/dh.h"

#include <stdlib.h>

#include <openssl/evp.h>

struct hw_dh_key {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *derive;
	uint8_t public_key[HW_DH_BYTES];
};

int hw_dh_key_new(const uint8_t private_key[HW_DH_BYTES], struct hw_dh_key **ret_key)
{
	struct hw_dh_key *key = calloc(1, sizeof(*key));
	size_t len = sizeof(key->public_key);

	if (!key)
		return HW_E_NOMEM;
	key->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, HW_DH_BYTES);
	key->derive = key->pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL) : NULL;
	if (!key->derive || EVP_PKEY_derive_init(key->derive) != 1 ||
	    EVP_PKEY_get_raw_public_key(key->pkey, key->public_key, &len) != 1) {
		hw_dh_key_free(key);
		return HW_E_CRYPTO;
	}
	*ret_key = key;
	return 0;
}

void hw_dh_key_free(struct hw_dh_key *key)
{
	if (!key)
		return;
	EVP_PKEY_CTX_free(key->derive);
	EVP_PKEY_free(key->pkey); /* clears the private key */
	free(key);
}

const uint8_t *hw_dh_key_public(const struct hw_dh_key *key)
{
	return key->public_key;
}

int hw_dh(struct hw_dh_key *key, const uint8_t public_key[HW_DH_BYTES],
	  uint8_t ret_shared[HW_DH_BYTES])
{
	size_t len = HW_DH_BYTES;
	EVP_PKEY *peer =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, HW_DH_BYTES);
	int err = 0;

	/* Any 32 bytes are a point, so there is nothing to validate before the result is known. */
	if (!peer || EVP_PKEY_derive_set_peer_ex(key->derive, peer, 0) != 1)
		err = HW_E_CRYPTO;
	else if (EVP_PKEY_derive(key->derive, ret_shared, &len) != 1)
		err = HW_E_AUTH; /* libcrypto refuses a result of zero (RFC 7748, section 6.1) */
	EVP_PKEY_free(peer);
	return err;
}
