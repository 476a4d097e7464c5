/*
 * Handshake messages from a stranger who has seen the real ones. Alice has called Bob, Bob has
 * answered and asked for a cookie. The first byte of the input:
 *
 * bits 0 and 1: 0 initiation, 1 response, 2 cookie: the rest are pairs (offset, value to xor)
 * applied to the real message; 3: the rest is a datagram of its own bit 2:        mac1 is made
 * anew, as anyone can who knows the receiver's public key bit 3:        the message loses its last
 * byte
 *
 * The result goes to all three readers. Each takes exactly the message that the other side made
 * (but for what only mac1 covers) and is otherwise left as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "crypto/cookie.h"
#include "session/handshake.h"

#define MACS_BYTES (2 * HW_WIRE_MAC_BYTES)
#define DATAGRAM_MAX 256u
#define NOW HW_S(1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hw_crypto *crypto;
static struct hw_handshake_identity alice_id, bob_id;
static struct hw_cookie_checker alice_checker, bob_checker;
static struct hw_cookie_maker alice_maker, bob_maker; /* for what Alice sends, and Bob */
static struct hw_handshake alice, bob;                /* as they wait for the messages below */
static struct hw_cookie_slot slot;                    /* Alice's */
static uint8_t initiation[HW_WIRE_INITIATION_BYTES];
static uint8_t response[HW_WIRE_RESPONSE_BYTES];
static uint8_t cookie[HW_WIRE_COOKIE_BYTES];

static void must(int condition)
{
	if (!condition)
		abort();
}

static void prepare(void)
{
	const struct hw_suite *suite = hw_suite_at(0);
	const struct hw_addr from = { .ip = { 192, 0, 2, 1 }, .port = 1, .family = HW_FAMILY_IPV4 };
	struct hw_cookie_slot bob_slot = { 0 };
	struct hw_initiation opened;
	struct hw_session_keys keys;
	struct hw_handshake answering;
	uint8_t random[HW_COOKIE_RANDOM_BYTES], psk[32];
	struct hw_rng rng;

	hw_rng_init(&rng, 1);
	hw_rng_fill(&rng, psk, sizeof(psk));
	must(hw_crypto_new(&crypto) == 0);
	hw_rng_fill(&rng, random, sizeof(random));
	must(hw_handshake_identity_init(&alice_id, crypto, suite, random) == 0);
	hw_rng_fill(&rng, random, sizeof(random));
	must(hw_handshake_identity_init(&bob_id, crypto, suite, random) == 0);
	must(hw_handshake_init(&alice, &alice_id, bob_id.public_key, psk) == 0);
	must(hw_handshake_init(&bob, &bob_id, alice_id.public_key, psk) == 0);
	must(hw_cookie_checker_init(&alice_checker, crypto, alice_id.public_key) == 0);
	must(hw_cookie_checker_init(&bob_checker, crypto, bob_id.public_key) == 0);
	must(hw_cookie_maker_init(&alice_maker, crypto, bob_id.public_key) == 0);
	must(hw_cookie_maker_init(&bob_maker, crypto, alice_id.public_key) == 0);

	hw_rng_fill(&rng, random, sizeof(random));
	must(hw_handshake_create_initiation(&alice, &alice_id, random, HW_S(1000), 0x010203,
					    initiation) == 0);
	must(hw_cookie_add_macs(&alice_maker, &slot, initiation, sizeof(initiation), NOW) == 0);
	hw_rng_fill(&rng, random, sizeof(random));
	must(hw_cookie_answer(&bob_checker, initiation, sizeof(initiation), &from, NOW, random,
			      cookie) == 0);

	answering = bob; /* Bob himself stays as he was before */
	must(hw_handshake_open_initiation(&bob_id, initiation, sizeof(initiation), &opened) == 0);
	must(hw_handshake_consume_initiation(&answering, &opened) == 0);
	hw_rng_fill(&rng, random, sizeof(random));
	must(hw_handshake_create_response(&answering, &opened, random, 0x040506, response, &keys) ==
	     0);
	must(hw_cookie_add_macs(&bob_maker, &bob_slot, response, sizeof(response), NOW) == 0);
}

/* Equal up to `end`: but for the MACs. */
static bool is_real(const uint8_t *m, size_t len, const uint8_t *real, size_t real_len, size_t end)
{
	return len == real_len && memcmp(m, real, end) == 0;
}

static void to_bob(const uint8_t *m, size_t len)
{
	bool real =
		is_real(m, len, initiation, sizeof(initiation), HW_HANDSHAKE_INITIATION_CORE_BYTES);
	bool mac1 = hw_cookie_check_mac1(&bob_checker, m, len);
	struct hw_handshake state = bob;
	struct hw_initiation opened;
	int err;

	if (real && memcmp(m, initiation, len - HW_WIRE_MAC_BYTES) == 0)
		must(mac1);
	must(!hw_handshake_is_copy(&state, m, len));
	err = hw_handshake_open_initiation(&bob_id, m, len, &opened);
	if (err == 0) {
		/* From Alice: whoever else knows Bob's key can name any caller, but cannot go on.
		 */
		must(memcmp(opened.remote_static, alice_id.public_key, HW_DH_BYTES) == 0);
		must(opened.sender_index == hw_load24(m + 1));
		err = hw_handshake_consume_initiation(&state, &opened);
	}
	must((err == 0) == real);
	if (err != 0) {
		must(memcmp(&state, &bob, sizeof(state)) == 0);
		return;
	}
	must(hw_handshake_open_initiation(&bob_id, m, len, &opened) == 0);
	must(hw_handshake_consume_initiation(&state, &opened) == HW_E_REPLAY);
}

static void to_alice(const uint8_t *m, size_t len)
{
	bool real = is_real(m, len, response, sizeof(response), HW_HANDSHAKE_RESPONSE_CORE_BYTES);
	bool mac1 = hw_cookie_check_mac1(&alice_checker, m, len);
	struct hw_handshake state = alice;
	struct hw_session_keys keys;
	int err = hw_handshake_consume_response(&state, &alice_id, m, len, &keys);

	if (real && memcmp(m, response, len - HW_WIRE_MAC_BYTES) == 0)
		must(mac1);
	must((err == 0) == real);
	if (err != 0)
		must(memcmp(&state, &alice, sizeof(state)) == 0);
	else
		must(hw_handshake_consume_response(&state, &alice_id, m, len, &keys) == HW_E_STATE);
}

static void to_slot(const uint8_t *m, size_t len)
{
	/* The receiver index, bytes 1 to 3, is the caller's to check. */
	bool real = len == sizeof(cookie) && m[0] == cookie[0] &&
		    memcmp(m + 4, cookie + 4, sizeof(cookie) - 4) == 0;
	struct hw_cookie_slot state = slot;
	int err = hw_cookie_consume(&alice_maker, &state, m, len, NOW);

	must((err == 0) == real);
	if (err != 0)
		must(memcmp(&state, &slot, sizeof(state)) == 0);
	else
		must(hw_cookie_consume(&alice_maker, &state, m, len, NOW) == HW_E_STATE);
}

/* The message that the input describes; gives its length. */
static size_t compose(const uint8_t *data, size_t size, uint8_t *out)
{
	static const uint8_t *const real[] = { initiation, response, cookie };
	static const size_t real_len[] = { sizeof(initiation), sizeof(response), sizeof(cookie) };
	unsigned kind = data[0] & 3;
	size_t len;

	if (kind == 3) {
		len = size - 1 < DATAGRAM_MAX ? size - 1 : DATAGRAM_MAX;
		memcpy(out, data + 1, len);
	} else {
		len = real_len[kind];
		memcpy(out, real[kind], len);
		for (size_t i = 1; i + 1 < size; i += 2)
			out[data[i] % len] ^= data[i + 1];
	}
	if (data[0] & 8 && len > 0)
		len--;
	if (data[0] & 4 && len >= MACS_BYTES) {
		struct hw_cookie_slot any = { 0 };
		bool for_alice = out[0] == HW_WIRE_RESPONSE << 4;

		must(hw_cookie_add_macs(for_alice ? &bob_maker : &alice_maker, &any, out, len,
					NOW) == 0);
		must(hw_cookie_check_mac1(for_alice ? &alice_checker : &bob_checker, out, len));
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t composed[DATAGRAM_MAX], *m;
	size_t len;

	if (!crypto)
		prepare();
	if (size == 0)
		return 0;
	len = compose(data, size, composed);
	m = malloc(len > 0 ? len : 1); /* exact, so that a sanitizer sees a read beyond it */
	must(m != NULL);
	memcpy(m, composed, len);
	to_bob(m, len);
	to_alice(m, len);
	to_slot(m, len);
	free(m);
	return 0;
}
