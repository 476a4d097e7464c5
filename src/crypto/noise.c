#include "crypto/noise.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* MixHash: h = HASH(h || data). */
static int mix_hash(struct hw_noise *noise, const void *data, size_t len)
{
	return hw_hash(noise->crypto, noise->hash, sizeof(noise->hash), data, len, noise->hash);
}

/* MixKey: ck, k = HKDF(ck, input). */
static int mix_key(struct hw_noise *noise, const void *input, size_t len)
{
	noise->n = 0;
	return hw_hkdf(noise->crypto, noise->chaining_key, input, len, noise->chaining_key,
		       noise->key, NULL);
}

/* MixKeyAndHash: ck, temp, k = HKDF(ck, psk), temp into h. */
static int mix_key_and_hash(struct hw_noise *noise, const uint8_t psk[32])
{
	uint8_t temp[HW_HASH_BYTES];
	int err = hw_hkdf(noise->crypto, noise->chaining_key, psk, 32, noise->chaining_key, temp,
			  noise->key);

	if (err == 0)
		err = mix_hash(noise, temp, sizeof(temp));
	noise->n = 0;
	hw_bytes_wipe(temp, sizeof(temp));
	return err;
}

/* A token e: in a psk handshake the public key enters both the hash and the key. */
static int mix_ephemeral(struct hw_noise *noise, const uint8_t public_key[HW_DH_BYTES])
{
	int err = mix_hash(noise, public_key, HW_DH_BYTES);

	return err ? err : mix_key(noise, public_key, HW_DH_BYTES);
}

/* A token of two letters: the shared secret enters the key. */
static int mix_dh(struct hw_noise *noise, struct hw_dh_key *key,
		  const uint8_t public_key[HW_DH_BYTES])
{
	uint8_t shared[HW_DH_BYTES];
	int err = hw_dh(key, public_key, shared);

	if (err == 0)
		err = mix_key(noise, shared, sizeof(shared));
	hw_bytes_wipe(shared, sizeof(shared));
	return err;
}

/* EncryptAndHash: writes len + 16 bytes. */
static int encrypt_and_hash(struct hw_noise *noise, const void *text, size_t len, uint8_t *ret_out)
{
	uint8_t nonce[HW_AEAD_NONCE_BYTES];
	struct hw_aead_key *key = NULL;
	int err = noise->suite->key_new(noise->key, true, &key);

	if (err)
		return err;
	if (len > 0)
		memmove(ret_out, text, len);
	noise->suite->noise_nonce(noise->n++, nonce);
	err = noise->suite->seal(key, nonce, noise->hash, sizeof(noise->hash), ret_out, len);
	if (err == 0)
		err = mix_hash(noise, ret_out, len + HW_AEAD_TAG_BYTES);
	noise->suite->key_free(key);
	return err;
}

/* DecryptAndHash of len bytes, tag included; gives len - 16 bytes, which are in `work` too. */
static int decrypt_and_hash(struct hw_noise *noise, const uint8_t *sealed, size_t len,
			    uint8_t *work)
{
	uint8_t nonce[HW_AEAD_NONCE_BYTES];
	struct hw_aead_key *key = NULL;
	int err = noise->suite->key_new(noise->key, false, &key);

	if (err)
		return err;
	memcpy(work, sealed, len);
	noise->suite->noise_nonce(noise->n++, nonce);
	err = noise->suite->open(key, nonce, noise->hash, sizeof(noise->hash), work, len);
	if (err == 0)
		err = mix_hash(noise, sealed, len);
	noise->suite->key_free(key);
	return err;
}

/* Before any message: h = ck = HASH(protocol name), then the prologue and the responder's key. */
static int start(struct hw_noise *noise, const void *prologue, size_t prologue_len,
		 const uint8_t responder_static[HW_DH_BYTES])
{
	const char *name = noise->suite->noise_name;
	int err;

	assert(strlen(name) > HW_HASH_BYTES); /* a shorter name would be padded, not hashed */
	err = hw_hash(noise->crypto, name, strlen(name), NULL, 0, noise->hash);
	if (err)
		return err;
	memcpy(noise->chaining_key, noise->hash, sizeof(noise->chaining_key));
	err = mix_hash(noise, prologue, prologue_len);
	if (err == 0)
		err = mix_hash(noise, responder_static, HW_DH_BYTES);
	return err;
}

int hw_noise_init_initiator(struct hw_noise *noise, struct hw_crypto *crypto,
			    const struct hw_suite *suite, const void *prologue, size_t prologue_len,
			    const uint8_t remote_static[HW_DH_BYTES])
{
	*noise = (struct hw_noise){ .crypto = crypto,
				    .suite = suite,
				    .step = HW_NOISE_INITIATOR_START,
				    .initiator = true };
	memcpy(noise->remote_static, remote_static, HW_DH_BYTES);
	return start(noise, prologue, prologue_len, remote_static);
}

int hw_noise_init_responder(struct hw_noise *noise, struct hw_crypto *crypto,
			    const struct hw_suite *suite, const void *prologue, size_t prologue_len,
			    const struct hw_dh_key *local_static)
{
	*noise = (struct hw_noise){ .crypto = crypto,
				    .suite = suite,
				    .step = HW_NOISE_RESPONDER_START };
	return start(noise, prologue, prologue_len, hw_dh_key_public(local_static));
}

void hw_noise_wipe(struct hw_noise *noise)
{
	hw_bytes_wipe(noise, sizeof(*noise));
	noise->step = HW_NOISE_DEAD;
}

int hw_noise_write_initiation(struct hw_noise *noise, const struct hw_dh_key *local_static,
			      const uint8_t ss[HW_DH_BYTES], const uint8_t ephemeral[HW_DH_BYTES],
			      const void *payload, size_t len, uint8_t *ret_message)
{
	uint8_t message[HW_NOISE_INITIATION_BYTES + HW_NOISE_PAYLOAD_MAX_BYTES];
	uint8_t *sealed_static = message + HW_DH_BYTES;
	uint8_t *sealed_payload = sealed_static + HW_NOISE_STATIC_BYTES;
	struct hw_dh_key *e = NULL;
	int err;

	assert(noise->step == HW_NOISE_INITIATOR_START);
	noise->step = HW_NOISE_DEAD;
	if (len > HW_NOISE_PAYLOAD_MAX_BYTES)
		return HW_E_LIMIT;
	err = hw_dh_key_new(ephemeral, &e);
	if (err)
		return err;

	/* e */
	memcpy(noise->ephemeral, ephemeral, HW_DH_BYTES);
	memcpy(message, hw_dh_key_public(e), HW_DH_BYTES);
	err = mix_ephemeral(noise, message);
	if (err)
		goto out;
	/* es */
	err = mix_dh(noise, e, noise->remote_static);
	if (err)
		goto out;
	/* s */
	err = encrypt_and_hash(noise, hw_dh_key_public(local_static), HW_DH_BYTES, sealed_static);
	if (err)
		goto out;
	/* ss */
	err = mix_key(noise, ss, HW_DH_BYTES);
	if (err)
		goto out;
	/* payload */
	err = encrypt_and_hash(noise, payload, len, sealed_payload);
	if (err)
		goto out;
	memcpy(ret_message, message, HW_NOISE_INITIATION_BYTES + len);
	noise->step = HW_NOISE_INITIATOR_SENT;
out:
	hw_dh_key_free(e);
	return err;
}

int hw_noise_read_static(struct hw_noise *noise, struct hw_dh_key *local_static,
			 const uint8_t *message, size_t len)
{
	uint8_t remote_static[HW_NOISE_STATIC_BYTES];
	int err;

	assert(noise->step == HW_NOISE_RESPONDER_START);
	noise->step = HW_NOISE_DEAD;
	if (len < HW_NOISE_INITIATION_BYTES)
		return HW_E_TRUNCATED;

	/* e */
	memcpy(noise->remote_ephemeral, message, HW_DH_BYTES);
	err = mix_ephemeral(noise, noise->remote_ephemeral);
	if (err)
		goto out;
	/* es */
	err = mix_dh(noise, local_static, noise->remote_ephemeral);
	if (err)
		goto out;
	/* s */
	err = decrypt_and_hash(noise, message + HW_DH_BYTES, HW_NOISE_STATIC_BYTES, remote_static);
	if (err)
		goto out;
	memcpy(noise->remote_static, remote_static, HW_DH_BYTES);
	noise->step = HW_NOISE_RESPONDER_STATIC;
out:
	hw_bytes_wipe(remote_static, sizeof(remote_static));
	return err;
}

/* The payload at the end of a message: writes what of it is not tag. */
static int read_payload(struct hw_noise *noise, const uint8_t *sealed, size_t len,
			uint8_t *ret_payload)
{
	uint8_t work[HW_NOISE_PAYLOAD_MAX_BYTES + HW_AEAD_TAG_BYTES];
	int err;

	if (len > sizeof(work))
		return HW_E_LIMIT;
	err = decrypt_and_hash(noise, sealed, len, work);
	if (err == 0 && len > HW_AEAD_TAG_BYTES)
		memcpy(ret_payload, work, len - HW_AEAD_TAG_BYTES);
	hw_bytes_wipe(work, sizeof(work));
	return err;
}

int hw_noise_read_payload(struct hw_noise *noise, const uint8_t ss[HW_DH_BYTES],
			  const uint8_t *message, size_t len, uint8_t *ret_payload)
{
	const size_t offset = HW_DH_BYTES + HW_NOISE_STATIC_BYTES;
	int err;

	assert(noise->step == HW_NOISE_RESPONDER_STATIC);
	noise->step = HW_NOISE_DEAD;
	if (len < HW_NOISE_INITIATION_BYTES)
		return HW_E_TRUNCATED;

	/* ss */
	err = mix_key(noise, ss, HW_DH_BYTES);
	if (err)
		return err;
	/* payload */
	err = read_payload(noise, message + offset, len - offset, ret_payload);
	if (err)
		return err;
	noise->step = HW_NOISE_RESPONDER_READ;
	return 0;
}

int hw_noise_write_response(struct hw_noise *noise, const uint8_t psk[32],
			    const uint8_t ephemeral[HW_DH_BYTES], const void *payload, size_t len,
			    uint8_t *ret_message)
{
	uint8_t message[HW_NOISE_RESPONSE_BYTES + HW_NOISE_PAYLOAD_MAX_BYTES];
	struct hw_dh_key *e = NULL;
	int err;

	assert(noise->step == HW_NOISE_RESPONDER_READ);
	noise->step = HW_NOISE_DEAD;
	if (len > HW_NOISE_PAYLOAD_MAX_BYTES)
		return HW_E_LIMIT;
	err = hw_dh_key_new(ephemeral, &e);
	if (err)
		return err;

	/* e */
	memcpy(message, hw_dh_key_public(e), HW_DH_BYTES);
	err = mix_ephemeral(noise, message);
	if (err)
		goto out;
	/* ee */
	err = mix_dh(noise, e, noise->remote_ephemeral);
	if (err)
		goto out;
	/* se */
	err = mix_dh(noise, e, noise->remote_static);
	if (err)
		goto out;
	/* psk */
	err = mix_key_and_hash(noise, psk);
	if (err)
		goto out;
	/* payload */
	err = encrypt_and_hash(noise, payload, len, message + HW_DH_BYTES);
	if (err)
		goto out;
	memcpy(ret_message, message, HW_NOISE_RESPONSE_BYTES + len);
	noise->step = HW_NOISE_COMPLETE;
out:
	hw_dh_key_free(e);
	return err;
}

int hw_noise_read_response(struct hw_noise *noise, struct hw_dh_key *local_static,
			   const uint8_t psk[32], const uint8_t *message, size_t len,
			   uint8_t *ret_payload)
{
	struct hw_dh_key *e = NULL;
	int err;

	assert(noise->step == HW_NOISE_INITIATOR_SENT);
	noise->step = HW_NOISE_DEAD;
	if (len < HW_NOISE_RESPONSE_BYTES)
		return HW_E_TRUNCATED;
	err = hw_dh_key_new(noise->ephemeral, &e);
	if (err)
		return err;

	/* e */
	memcpy(noise->remote_ephemeral, message, HW_DH_BYTES);
	err = mix_ephemeral(noise, noise->remote_ephemeral);
	if (err)
		goto out;
	/* ee */
	err = mix_dh(noise, e, noise->remote_ephemeral);
	if (err)
		goto out;
	/* se */
	err = mix_dh(noise, local_static, noise->remote_ephemeral);
	if (err)
		goto out;
	/* psk */
	err = mix_key_and_hash(noise, psk);
	if (err)
		goto out;
	/* payload */
	err = read_payload(noise, message + HW_DH_BYTES, len - HW_DH_BYTES, ret_payload);
	if (err)
		goto out;
	noise->step = HW_NOISE_COMPLETE;
out:
	hw_dh_key_free(e);
	return err;
}

int hw_noise_split(struct hw_noise *noise, uint8_t ret_send[HW_AEAD_KEY_BYTES],
		   uint8_t ret_receive[HW_AEAD_KEY_BYTES], uint8_t ret_stamp_send[16],
		   uint8_t ret_stamp_receive[16])
{
	static const char stamp_label[] = "Hawser stamp";
	/* [0]: from initiator to responder; [1]: back. */
	uint8_t keys[2][HW_HASH_BYTES], stamps[2][HW_HASH_BYTES];
	unsigned out = noise->initiator ? 0 : 1, in = 1 - out;
	int err;

	assert(noise->step == HW_NOISE_COMPLETE);
	err = hw_hkdf(noise->crypto, noise->chaining_key, NULL, 0, keys[0], keys[1], NULL);
	if (err == 0)
		err = hw_hkdf(noise->crypto, noise->chaining_key, stamp_label,
			      sizeof(stamp_label) - 1, stamps[0], stamps[1], NULL);
	if (err == 0) {
		memcpy(ret_send, keys[out], HW_AEAD_KEY_BYTES);
		memcpy(ret_receive, keys[in], HW_AEAD_KEY_BYTES);
		memcpy(ret_stamp_send, stamps[out], 16);
		memcpy(ret_stamp_receive, stamps[in], 16);
	}
	hw_bytes_wipe(keys, sizeof(keys));
	hw_bytes_wipe(stamps, sizeof(stamps));
	hw_noise_wipe(noise);
	return err;
}
