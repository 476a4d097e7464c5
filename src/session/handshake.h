/*
 * The handshake with one peer: builds and takes apart the initiation and response of docs/wire.md,
 * after WireGuard's paper, section 5.4. No timers, no addresses, no sending: the core decides when.
 *
 * mac1 and mac2 are not handled here: the caller checks mac1 (crypto/cookie.h) before it calls
 * anything that reads a message, and adds both to what this writes.
 *
 * Unlike WireGuard's, the sender indices are covered by the handshake itself: whoever can change
 * packets on one path could otherwise win the race with a changed index, and the true copies from the
 * other paths would come too late.
 *
 * As initiator:  create_initiation ... consume_response -> keys
 * As responder:  is_copy? else open_initiation, look the peer up, consume_initiation,
 *                create_response -> keys
 *
 * Both may be under way with one peer at the same time and do not disturb each other. A function
 * that fails changes nothing.
 */
#ifndef HW_SESSION_HANDSHAKE_H
#define HW_SESSION_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/noise.h"
#include "wire/wire.h"

/* The part of an initiation that Noise covers, header included: what makes two of them copies. */
#define HW_HANDSHAKE_INITIATION_CORE_BYTES (HW_WIRE_INITIATION_BYTES - 2u * HW_WIRE_MAC_BYTES)
#define HW_HANDSHAKE_RESPONSE_CORE_BYTES (HW_WIRE_RESPONSE_BYTES - 2u * HW_WIRE_MAC_BYTES)

/* hw_handshake_consume_initiation: the very initiation that was answered last. */
#define HW_HANDSHAKE_COPY 1

/* This node. */
struct hw_handshake_identity {
	struct hw_crypto *crypto; /* borrowed */
	const struct hw_suite *suite;
	struct hw_dh_key *static_key; /* owned */
	uint8_t public_key[HW_DH_BYTES];
	const char *prologue; /* HW_WIRE_PROLOGUE */
};

/* One peer. */
struct hw_handshake {
	uint8_t remote_static[HW_DH_BYTES];
	uint8_t psk[32];
	uint8_t static_static[HW_DH_BYTES];

	/* As initiator: what the next response must answer. */
	struct hw_noise pending;
	uint32_t pending_index;
	bool is_pending;

	/* As responder. */
	uint8_t last_timestamp[HW_WIRE_TIMESTAMP_BYTES]; /* zero: none accepted yet */
	uint8_t before_timestamp[HW_WIRE_TIMESTAMP_BYTES]; /* the one before that */
	uint8_t answered[HW_HANDSHAKE_INITIATION_CORE_BYTES];
	uint8_t response[HW_WIRE_RESPONSE_BYTES]; /* to it, without MACs; for copies */
	bool has_response;
};

/* An initiation that is being answered; it lives on the caller's stack and is wiped by it. */
struct hw_initiation {
	struct hw_noise noise;
	uint32_t sender_index;
	uint8_t remote_static[HW_DH_BYTES]; /* claimed, until consume_initiation has accepted it */
	uint8_t core[HW_HANDSHAKE_INITIATION_CORE_BYTES];
};

/* The keys of a new session, from this side's point of view. The caller wipes them. */
struct hw_session_keys {
	uint8_t send[HW_AEAD_KEY_BYTES];
	uint8_t receive[HW_AEAD_KEY_BYTES];
	uint8_t stamp_send[16];
	uint8_t stamp_receive[16];
	uint32_t local_index;  /* the receiver index of what comes in */
	uint32_t remote_index; /* the receiver index of what goes out */
	bool initiator;
};

/* HW_E_NOMEM, HW_E_CRYPTO. */
HW_MUST_USE int hw_handshake_identity_init(struct hw_handshake_identity *identity,
					   struct hw_crypto *crypto, const struct hw_suite *suite,
					   const uint8_t private_key[HW_DH_BYTES]);
void hw_handshake_identity_fini(struct hw_handshake_identity *identity);

/*
 * psk is 32 zero bytes where there is none. HW_E_INVAL: the peer's key is of low order, or our own;
 * HW_E_CRYPTO.
 */
HW_MUST_USE int hw_handshake_init(struct hw_handshake *handshake,
				  const struct hw_handshake_identity *identity,
				  const uint8_t remote_static[HW_DH_BYTES], const uint8_t psk[32]);

/* Wipes. */
void hw_handshake_fini(struct hw_handshake *handshake);

/* TAI64N, of a wall clock in ns since 1970: 2^62 + 10 + seconds, then nanoseconds. */
void hw_handshake_timestamp(uint64_t wall_ns, uint8_t ret_timestamp[HW_WIRE_TIMESTAMP_BYTES]);

/*
 * Begin: an initiation with zeros where the MACs go. Replaces one that is pending. `random` becomes
 * the ephemeral private key: 32 unpredictable bytes, used for nothing else. wall_ns must be higher
 * than in any initiation to this peer before. HW_E_AUTH never; HW_E_NOMEM, HW_E_CRYPTO.
 */
HW_MUST_USE int hw_handshake_create_initiation(struct hw_handshake *handshake,
					       const struct hw_handshake_identity *identity,
					       const uint8_t random[32], uint64_t wall_ns,
					       uint32_t local_index,
					       uint8_t ret_message[HW_WIRE_INITIATION_BYTES]);

/*
 * True when the message is, but for its MACs, the initiation that this peer's stored response
 * answers. The copy is as authentic as the original, so it may be answered with
 * handshake->response on the path it came from, without any public-key work.
 */
bool hw_handshake_is_copy(const struct hw_handshake *handshake, const uint8_t *message, size_t len);

/*
 * First half of an initiation, without any peer: who claims to call? Costs one X25519.
 * HW_E_MALFORMED: not an initiation; HW_E_AUTH: not for this node, suite or version, or damaged;
 * HW_E_NOMEM, HW_E_CRYPTO. On success the caller wipes the result in the end.
 */
HW_MUST_USE int hw_handshake_open_initiation(const struct hw_handshake_identity *identity,
					     const uint8_t *message, size_t len,
					     struct hw_initiation *ret_initiation);

/*
 * Second half, with the peer whose remote_static it named (asserted). 0: accepted, its timestamp is
 * remembered; HW_HANDSHAKE_COPY: see hw_handshake_is_copy; HW_E_AUTH; HW_E_REPLAY: not later than
 * what was accepted before; HW_E_NOMEM, HW_E_CRYPTO.
 */
HW_MUST_USE int hw_handshake_consume_initiation(struct hw_handshake *handshake,
						struct hw_initiation *initiation);

/*
 * Answer an initiation that was accepted: the response, with zeros where the MACs go, also kept in
 * the handshake for copies; and the session's keys. The session must not be used to send before the
 * first packet under it has arrived. HW_E_AUTH: the initiator's ephemeral key is of low order (only
 * the peer itself can bring that about); HW_E_NOMEM, HW_E_CRYPTO.
 */
HW_MUST_USE int hw_handshake_create_response(struct hw_handshake *handshake,
					     struct hw_initiation *initiation,
					     const uint8_t random[32], uint32_t local_index,
					     uint8_t ret_message[HW_WIRE_RESPONSE_BYTES],
					     struct hw_session_keys *ret_keys);

/*
 * No session came of the initiation that was just consumed, with or without a response: copies of it
 * must not be answered, or the initiator would seal what nobody here can open. When it is repeated, as
 * it will be, it counts as not seen before.
 */
void hw_handshake_forget_response(struct hw_handshake *handshake);

void hw_initiation_wipe(struct hw_initiation *initiation);

/*
 * The response to the pending initiation: the session's keys; nothing is pending afterwards.
 * HW_E_MALFORMED: not a response; HW_E_STATE: nothing is pending; HW_E_NOT_FOUND: it answers
 * another index; HW_E_AUTH; HW_E_NOMEM, HW_E_CRYPTO.
 */
HW_MUST_USE int hw_handshake_consume_response(struct hw_handshake *handshake,
					      const struct hw_handshake_identity *identity,
					      const uint8_t *message, size_t len,
					      struct hw_session_keys *ret_keys);

/* Give up the pending initiation, if there is one. */
void hw_handshake_cancel(struct hw_handshake *handshake);

#endif
