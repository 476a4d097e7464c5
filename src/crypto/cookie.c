#include "crypto/cookie.h"

#include <assert.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "crypto/suite.h"

#define SECRET_LIFE (2 * HW_COOKIE_AGE + HW_COOKIE_LATENCY)
#define MACS_BYTES (2 * HW_WIRE_MAC_BYTES)

/* Fields of the cookie message. */
#define INDEX_OFFSET 1u
#define NONCE_OFFSET 4u
#define SEALED_OFFSET (NONCE_OFFSET + HW_COOKIE_NONCE_BYTES)
#define SEALED_BYTES (HW_WIRE_MAC_BYTES + HW_AEAD_TAG_BYTES)

/* HASH(label || public key), label being 8 bytes. */
static int label_key(struct hw_crypto *crypto, const char *label, const uint8_t public_key[32],
		     uint8_t ret_key[HW_HASH_BYTES])
{
	return hw_hash(crypto, label, 8, public_key, 32, ret_key);
}

/* The two keys that everyone who knows a public key can work out. */
static int label_keys(struct hw_crypto *crypto, const uint8_t public_key[32],
		      uint8_t ret_mac1_key[HW_HASH_BYTES], uint8_t ret_cookie_key[HW_HASH_BYTES])
{
	int err = label_key(crypto, "mac1----", public_key, ret_mac1_key);

	return err ? err : label_key(crypto, "cookie--", public_key, ret_cookie_key);
}

int hw_cookie_checker_init(struct hw_cookie_checker *checker, struct hw_crypto *crypto,
			   const uint8_t public_key[32])
{
	*checker = (struct hw_cookie_checker){ .crypto = crypto };
	return label_keys(crypto, public_key, checker->mac1_key, checker->cookie_key);
}

void hw_cookie_checker_fini(struct hw_cookie_checker *checker)
{
	hw_bytes_wipe(checker, sizeof(*checker));
}

bool hw_cookie_check_mac1(const struct hw_cookie_checker *checker, const uint8_t *message,
			  size_t len)
{
	uint8_t mac[HW_MAC_BYTES];
	size_t covered;

	if (len < MACS_BYTES)
		return false;
	covered = len - MACS_BYTES;
	if (hw_mac(checker->crypto, checker->mac1_key, HW_HASH_BYTES, message, covered, mac) != 0)
		return false;
	return hw_bytes_equal_ct(mac, message + covered, HW_WIRE_MAC_BYTES);
}

/* MAC(secret, the address and port as we see them). */
static int make_cookie(const struct hw_cookie_checker *checker,
		       const struct hw_cookie_secret *secret, const struct hw_addr *from,
		       uint8_t ret_cookie[HW_WIRE_MAC_BYTES])
{
	uint8_t text[1 + sizeof(from->ip) + 4 + 2];

	text[0] = from->family;
	memcpy(text + 1, from->ip, sizeof(from->ip));
	hw_store32(text + 1 + sizeof(from->ip), from->scope);
	hw_store16(text + 5 + sizeof(from->ip), from->port);
	return hw_mac(checker->crypto, secret->bytes, sizeof(secret->bytes), text, sizeof(text),
		      ret_cookie);
}

bool hw_cookie_check_mac2(const struct hw_cookie_checker *checker, const uint8_t *message,
			  size_t len, const struct hw_addr *from, hw_time now)
{
	uint8_t cookie[HW_WIRE_MAC_BYTES], mac[HW_MAC_BYTES];
	bool ok = false;

	if (len < MACS_BYTES)
		return false;
	for (size_t i = 0; i < 2 && !ok; i++) {
		const struct hw_cookie_secret *secret = &checker->secrets[i];
		size_t covered = len - HW_WIRE_MAC_BYTES;

		if (!secret->set || hw_time_since(now, secret->born) >= SECRET_LIFE)
			continue;
		ok = make_cookie(checker, secret, from, cookie) == 0 &&
		     hw_mac(checker->crypto, cookie, sizeof(cookie), message, covered, mac) == 0 &&
		     hw_bytes_equal_ct(mac, message + covered, HW_WIRE_MAC_BYTES);
	}
	hw_bytes_wipe(cookie, sizeof(cookie));
	return ok;
}

/* The secret that makes cookies, a new one if it is due; the one before stays to be accepted. */
static const struct hw_cookie_secret *fresh_secret(struct hw_cookie_checker *checker, hw_time now,
						   const uint8_t random[32])
{
	struct hw_cookie_secret *current = &checker->secrets[0];

	if (!current->set || hw_time_since(now, current->born) >= HW_COOKIE_AGE) {
		checker->secrets[1] = *current;
		memcpy(current->bytes, random, sizeof(current->bytes));
		current->born = now;
		current->set = true;
	}
	return current;
}

/* The AEAD that hides a cookie: ChaCha20-Poly1305 under a key made for this nonce alone. */
static int cookie_aead(struct hw_crypto *crypto, const uint8_t cookie_key[HW_HASH_BYTES],
		       const uint8_t nonce[HW_COOKIE_NONCE_BYTES], bool seal,
		       const uint8_t mac1[HW_WIRE_MAC_BYTES], uint8_t data[SEALED_BYTES])
{
	static const uint8_t zero_nonce[HW_AEAD_NONCE_BYTES];
	const struct hw_suite *suite = hw_suite_find("chacha20-poly1305");
	struct hw_aead_key *key = NULL;
	uint8_t bytes[HW_AEAD_KEY_BYTES];
	int err = hw_keyed_hash(crypto, cookie_key, HW_HASH_BYTES, nonce, HW_COOKIE_NONCE_BYTES,
				bytes);

	if (err == 0)
		err = suite->key_new(bytes, seal, &key);
	if (err == 0 && seal)
		err = suite->seal(key, zero_nonce, mac1, HW_WIRE_MAC_BYTES, data,
				  HW_WIRE_MAC_BYTES);
	else if (err == 0)
		err = suite->open(key, zero_nonce, mac1, HW_WIRE_MAC_BYTES, data, SEALED_BYTES);
	suite->key_free(key);
	hw_bytes_wipe(bytes, sizeof(bytes));
	return err;
}

int hw_cookie_answer(struct hw_cookie_checker *checker, const uint8_t *message, size_t len,
		     const struct hw_addr *from, hw_time now,
		     const uint8_t random[HW_COOKIE_RANDOM_BYTES],
		     uint8_t ret_answer[HW_WIRE_COOKIE_BYTES])
{
	uint8_t answer[HW_WIRE_COOKIE_BYTES] = { HW_WIRE_COOKIE << 4 };
	const struct hw_cookie_secret *secret;
	int err;

	assert(len >= INDEX_OFFSET + 3 + MACS_BYTES);
	secret = fresh_secret(checker, now, random + HW_COOKIE_NONCE_BYTES);
	memcpy(answer + INDEX_OFFSET, message + INDEX_OFFSET, 3); /* its sender's index */
	memcpy(answer + NONCE_OFFSET, random, HW_COOKIE_NONCE_BYTES);
	err = make_cookie(checker, secret, from, answer + SEALED_OFFSET);
	if (err == 0)
		err = cookie_aead(checker->crypto, checker->cookie_key, random, true,
				  message + len - MACS_BYTES, answer + SEALED_OFFSET);
	if (err == 0)
		memcpy(ret_answer, answer, sizeof(answer));
	hw_bytes_wipe(answer, sizeof(answer));
	return err;
}

int hw_cookie_maker_init(struct hw_cookie_maker *maker, struct hw_crypto *crypto,
			 const uint8_t remote_public_key[32])
{
	*maker = (struct hw_cookie_maker){ .crypto = crypto };
	return label_keys(crypto, remote_public_key, maker->mac1_key, maker->cookie_key);
}

void hw_cookie_maker_fini(struct hw_cookie_maker *maker)
{
	hw_bytes_wipe(maker, sizeof(*maker));
}

int hw_cookie_add_macs(const struct hw_cookie_maker *maker, struct hw_cookie_slot *slot,
		       uint8_t *message, size_t len, hw_time now)
{
	uint8_t *mac1 = message + len - MACS_BYTES;
	uint8_t *mac2 = mac1 + HW_WIRE_MAC_BYTES;
	int err;

	assert(len >= MACS_BYTES);
	err = hw_mac(maker->crypto, maker->mac1_key, HW_HASH_BYTES, message, len - MACS_BYTES,
		     mac1);
	if (err)
		return err;
	memset(mac2, 0, HW_WIRE_MAC_BYTES);
	if (slot->held && hw_time_since(now, slot->received) < HW_COOKIE_AGE) {
		err = hw_mac(maker->crypto, slot->cookie, HW_WIRE_MAC_BYTES, message,
			     len - HW_WIRE_MAC_BYTES, mac2);
		if (err)
			return err;
	}
	memcpy(slot->mac1, mac1, HW_WIRE_MAC_BYTES);
	slot->mac1_sent = true;
	return 0;
}

int hw_cookie_consume(const struct hw_cookie_maker *maker, struct hw_cookie_slot *slot,
		      const uint8_t *message, size_t len, hw_time now)
{
	uint8_t cookie[SEALED_BYTES];
	int err;

	if (len != HW_WIRE_COOKIE_BYTES || message[0] != HW_WIRE_COOKIE << 4)
		return HW_E_MALFORMED;
	if (!slot->mac1_sent)
		return HW_E_STATE;
	memcpy(cookie, message + SEALED_OFFSET, sizeof(cookie));
	err = cookie_aead(maker->crypto, maker->cookie_key, message + NONCE_OFFSET, false,
			  slot->mac1, cookie);
	if (err == 0) {
		memcpy(slot->cookie, cookie, HW_WIRE_MAC_BYTES);
		slot->received = now;
		slot->held = true;
		slot->mac1_sent = false;
	}
	hw_bytes_wipe(cookie, sizeof(cookie));
	return err;
}
