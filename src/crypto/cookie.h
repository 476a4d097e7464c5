/*
 * The two MACs at the end of a handshake message, and the cookies behind the second (docs/wire.md;
 * the WireGuard paper, section 5.4.7).
 *
 * mac1 shows that the sender knows whom it calls; it is checked before anything else. mac2 shows
 * that the sender receives at the address it sends from; it is asked for under load. The checker is
 * the side that receives handshake messages, one for each node. The maker is the side that sends
 * them, one for each peer, with one slot for each path, because a cookie is good for one address.
 */
#ifndef HW_CRYPTO_COOKIE_H
#define HW_CRYPTO_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "crypto/kdf.h"
#include "wire/wire.h"

struct hw_addr;

#define HW_COOKIE_AGE HW_S(120)   /* a secret makes cookies, and a cookie is used, for so long */
#define HW_COOKIE_LATENCY HW_S(5) /* what the answer and the message may spend under way */
#define HW_COOKIE_NONCE_BYTES 24u
#define HW_COOKIE_RANDOM_BYTES 56u /* a nonce and, if one is due, a new secret */

struct hw_cookie_secret {
	uint8_t bytes[32];
	hw_time born;
	bool set;
};

struct hw_cookie_checker {
	struct hw_crypto *crypto;
	uint8_t mac1_key[HW_HASH_BYTES];
	uint8_t cookie_key[HW_HASH_BYTES];
	struct hw_cookie_secret secrets[2]; /* [0] makes cookies; both are accepted */
};

struct hw_cookie_maker {
	struct hw_crypto *crypto;
	uint8_t mac1_key[HW_HASH_BYTES];
	uint8_t cookie_key[HW_HASH_BYTES];
};

/* One path's; all zero at the start. */
struct hw_cookie_slot {
	uint8_t mac1[HW_WIRE_MAC_BYTES]; /* of the last message sent on this path */
	bool mac1_sent;                  /* a cookie may answer it, once */
	uint8_t cookie[HW_WIRE_MAC_BYTES];
	hw_time received;
	bool held;
};

/* For the node with this public key. crypto is borrowed until the fini. HW_E_CRYPTO. */
HW_MUST_USE int hw_cookie_checker_init(struct hw_cookie_checker *checker, struct hw_crypto *crypto,
				       const uint8_t public_key[32]);

/* Wipes. */
void hw_cookie_checker_fini(struct hw_cookie_checker *checker);

/*
 * True when mac1 of a handshake message (initiation or response; len is the whole message, both
 * MACs included) is right. Changes nothing. False also for a message too short to hold both MACs.
 */
bool hw_cookie_check_mac1(const struct hw_cookie_checker *checker, const uint8_t *message,
			  size_t len);

/*
 * True when mac2 is right for the sender's address. Changes nothing. A secret is accepted for
 * 2 HW_COOKIE_AGE + HW_COOKIE_LATENCY after its birth: as long as a cookie made with it may be in
 * use.
 */
bool hw_cookie_check_mac2(const struct hw_cookie_checker *checker, const uint8_t *message,
			  size_t len, const struct hw_addr *from, hw_time now);

/*
 * The cookie message that answers a handshake message whose mac1 is right (asserted: it is long
 * enough). Takes a new secret when the present one is too old. HW_E_NOMEM, HW_E_CRYPTO.
 */
HW_MUST_USE int hw_cookie_answer(struct hw_cookie_checker *checker, const uint8_t *message,
				 size_t len, const struct hw_addr *from, hw_time now,
				 const uint8_t random[HW_COOKIE_RANDOM_BYTES],
				 uint8_t ret_answer[HW_WIRE_COOKIE_BYTES]);

/* For messages to the node with this public key. crypto is borrowed until the fini. HW_E_CRYPTO. */
HW_MUST_USE int hw_cookie_maker_init(struct hw_cookie_maker *maker, struct hw_crypto *crypto,
				     const uint8_t remote_public_key[32]);

/* Wipes. */
void hw_cookie_maker_fini(struct hw_cookie_maker *maker);

/*
 * Write mac1, and mac2 (zero when the slot holds no fresh cookie), into the last 32 bytes of a
 * message about to be sent on the slot's path. HW_E_CRYPTO: the slot is unchanged.
 */
HW_MUST_USE int hw_cookie_add_macs(const struct hw_cookie_maker *maker, struct hw_cookie_slot *slot,
				   uint8_t *message, size_t len, hw_time now);

/*
 * Take the cookie out of a cookie message that arrived on the slot's path. HW_E_MALFORMED: not a
 * cookie message; HW_E_STATE: nothing sent on this path awaits one; HW_E_AUTH: it does not answer
 * what was sent last; HW_E_NOMEM, HW_E_CRYPTO. On failure the slot is unchanged. The receiver index
 * is the caller's to check.
 */
HW_MUST_USE int hw_cookie_consume(const struct hw_cookie_maker *maker, struct hw_cookie_slot *slot,
				  const uint8_t *message, size_t len, hw_time now);

#endif
