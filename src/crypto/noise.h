/*
 * The Noise handshake IKpsk2 with 25519 and BLAKE2s (Noise specification, revision 34):
 *
 *     <- s
 *     ...
 *     -> e, es, s, ss
 *     <- e, ee, se, psk
 *
 * Plain data: no ownership, so a caller that must not change state on a refused message works on a
 * copy. The caller wipes it (hw_noise_wipe), gives the ephemeral private keys (32 unpredictable
 * bytes, used once) and checks the order of calls (asserted): the initiator calls write_initiation,
 * read_response, split; the responder read_static, read_payload, write_response, split.
 *
 * Every function returns 0 or HW_E_AUTH (the message is not authentic, or a public key in it is of
 * low order), HW_E_TRUNCATED (shorter than its keys and tags), HW_E_LIMIT (a payload of more than
 * HW_NOISE_PAYLOAD_MAX_BYTES), HW_E_NOMEM, HW_E_CRYPTO. After a failure the state is fit only to be
 * wiped.
 */
#ifndef HW_CRYPTO_NOISE_H
#define HW_CRYPTO_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/dh.h"
#include "crypto/kdf.h"
#include "crypto/suite.h"

#define HW_NOISE_STATIC_BYTES (HW_DH_BYTES + HW_AEAD_TAG_BYTES) /* a sealed static key */
#define HW_NOISE_INITIATION_BYTES (HW_DH_BYTES + HW_NOISE_STATIC_BYTES + HW_AEAD_TAG_BYTES)
#define HW_NOISE_RESPONSE_BYTES (HW_DH_BYTES + HW_AEAD_TAG_BYTES) /* both beyond their payload */
#define HW_NOISE_PAYLOAD_MAX_BYTES 64u

/* Where a handshake stands; a call in another order is our own mistake. */
enum hw_noise_step {
	HW_NOISE_INITIATOR_START,
	HW_NOISE_INITIATOR_SENT,
	HW_NOISE_RESPONDER_START,
	HW_NOISE_RESPONDER_STATIC, /* knows who claims to be calling */
	HW_NOISE_RESPONDER_READ,
	HW_NOISE_COMPLETE,
	HW_NOISE_DEAD /* split, failed or wiped */
};

struct hw_noise {
	struct hw_crypto *crypto;
	const struct hw_suite *suite;
	enum hw_noise_step step;
	bool initiator;
	uint8_t chaining_key[HW_HASH_BYTES];
	uint8_t hash[HW_HASH_BYTES];
	uint8_t key[HW_AEAD_KEY_BYTES];
	uint64_t n;
	uint8_t ephemeral[HW_DH_BYTES]; /* ours, private: the initiator's, between its two calls */
	uint8_t remote_static[HW_DH_BYTES]; /* initiator: from the start; responder: from
					       read_static */
	uint8_t remote_ephemeral[HW_DH_BYTES];
};

/* crypto and suite are borrowed until the wipe. */
HW_MUST_USE int hw_noise_init_initiator(struct hw_noise *noise, struct hw_crypto *crypto,
					const struct hw_suite *suite, const void *prologue,
					size_t prologue_len,
					const uint8_t remote_static[HW_DH_BYTES]);

HW_MUST_USE int hw_noise_init_responder(struct hw_noise *noise, struct hw_crypto *crypto,
					const struct hw_suite *suite, const void *prologue,
					size_t prologue_len, const struct hw_dh_key *local_static);

void hw_noise_wipe(struct hw_noise *noise);

/*
 * Initiator: e, es, s, ss, payload. `ss` is the shared secret of both static keys, which the caller
 * has worked out once. Writes HW_NOISE_INITIATION_BYTES + len bytes.
 */
HW_MUST_USE int hw_noise_write_initiation(struct hw_noise *noise,
					  const struct hw_dh_key *local_static,
					  const uint8_t ss[HW_DH_BYTES],
					  const uint8_t ephemeral[HW_DH_BYTES], const void *payload,
					  size_t len, uint8_t *ret_message);

/*
 * Responder: e, es, s of a message of len bytes. Afterwards remote_static says who claims to call:
 * nothing proves it before read_payload.
 */
HW_MUST_USE int hw_noise_read_static(struct hw_noise *noise, struct hw_dh_key *local_static,
				     const uint8_t *message, size_t len);

/* Responder: ss, payload. Writes len - HW_NOISE_INITIATION_BYTES bytes. */
HW_MUST_USE int hw_noise_read_payload(struct hw_noise *noise, const uint8_t ss[HW_DH_BYTES],
				      const uint8_t *message, size_t len, uint8_t *ret_payload);

/* Responder: e, ee, se, psk, payload. Writes HW_NOISE_RESPONSE_BYTES + len bytes. */
HW_MUST_USE int hw_noise_write_response(struct hw_noise *noise, const uint8_t psk[32],
					const uint8_t ephemeral[HW_DH_BYTES], const void *payload,
					size_t len, uint8_t *ret_message);

/* Initiator: e, ee, se, psk, payload. Writes len - HW_NOISE_RESPONSE_BYTES bytes. */
HW_MUST_USE int hw_noise_read_response(struct hw_noise *noise, struct hw_dh_key *local_static,
				       const uint8_t psk[32], const uint8_t *message, size_t len,
				       uint8_t *ret_payload);

/*
 * Both: the keys of this side's two directions, and the stamp keys of docs/wire.md. Wipes the
 * state.
 */
HW_MUST_USE int hw_noise_split(struct hw_noise *noise, uint8_t ret_send[HW_AEAD_KEY_BYTES],
			       uint8_t ret_receive[HW_AEAD_KEY_BYTES], uint8_t ret_stamp_send[16],
			       uint8_t ret_stamp_receive[16]);

#endif
