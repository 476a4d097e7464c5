#include "test.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "crypto/cookie.h"
#include "crypto/identity.h"
#include "session/handshake.h"

#define WALL UINT64_C(1700000000123456789) /* ns since 1970 */
#define ALICE_INDEX 0xa11ce0u
#define BOB_INDEX 0x0b0b0bu

struct node {
	struct hw_handshake_identity identity;
	struct hw_handshake peer; /* the other node */
	struct hw_cookie_checker checker;
	struct hw_cookie_maker maker;
};

/* Alice begins, Bob answers. */
struct pair {
	struct hw_crypto *crypto;
	struct hw_rng rng;
	struct node alice, bob;
	uint8_t psk[32];
	uint8_t initiation[HW_WIRE_INITIATION_BYTES];
	uint8_t response[HW_WIRE_RESPONSE_BYTES];
	struct hw_session_keys alice_keys, bob_keys;
};

static void node_init(struct pair *p, struct node *node, const struct hw_suite *suite,
		      const uint8_t private_key[32])
{
	assert_int_equal(hw_handshake_identity_init(&node->identity, p->crypto, suite, private_key),
			 0);
	assert_int_equal(
		hw_cookie_checker_init(&node->checker, p->crypto, node->identity.public_key), 0);
}

static void node_meet(struct pair *p, struct node *node, const struct node *other)
{
	const uint8_t *key = other->identity.public_key;

	assert_int_equal(hw_handshake_init(&node->peer, &node->identity, key, p->psk), 0);
	assert_int_equal(hw_cookie_maker_init(&node->maker, p->crypto, key), 0);
}

static void node_fini(struct node *node)
{
	hw_handshake_fini(&node->peer);
	hw_handshake_identity_fini(&node->identity);
	hw_cookie_checker_fini(&node->checker);
	hw_cookie_maker_fini(&node->maker);
}

static void pair_init(struct pair *p, const struct hw_suite *alice_suite,
		      const struct hw_suite *bob_suite)
{
	uint8_t private_key[32];

	memset(p, 0, sizeof(*p));
	hw_rng_init(&p->rng, 7);
	assert_int_equal(hw_crypto_new(&p->crypto), 0);
	hw_rng_fill(&p->rng, p->psk, sizeof(p->psk));
	hw_rng_fill(&p->rng, private_key, sizeof(private_key));
	node_init(p, &p->alice, alice_suite, private_key);
	hw_rng_fill(&p->rng, private_key, sizeof(private_key));
	node_init(p, &p->bob, bob_suite, private_key);
	node_meet(p, &p->alice, &p->bob);
	node_meet(p, &p->bob, &p->alice);
}

static void pair_fini(struct pair *p)
{
	node_fini(&p->alice);
	node_fini(&p->bob);
	hw_crypto_free(p->crypto);
}

static int setup(void **state)
{
	static struct pair pair;

	pair_init(&pair, hw_suite_at(0), hw_suite_at(0));
	*state = &pair;
	return 0;
}

static int teardown(void **state)
{
	pair_fini(*state);
	return 0;
}

/* From begins, at this wall time, with mac1 as it goes out. */
static void initiate(struct pair *p, struct node *from, uint64_t wall_ns, uint32_t index,
		     uint8_t *message)
{
	struct hw_cookie_slot slot = { 0 };
	uint8_t random[32];

	hw_rng_fill(&p->rng, random, sizeof(random));
	assert_int_equal(hw_handshake_create_initiation(&from->peer, &from->identity, random,
							wall_ns, index, message),
			 0);
	assert_int_equal(
		hw_cookie_add_macs(&from->maker, &slot, message, HW_WIRE_INITIATION_BYTES, HW_S(1)),
		0);
}

/* What a node does with an initiation up to accepting it, behind mac1. */
static int accept_initiation(struct node *to, const uint8_t *message, size_t len,
			     struct hw_initiation *initiation)
{
	int err;

	if (!hw_cookie_check_mac1(&to->checker, message, len))
		return HW_E_AUTH;
	err = hw_handshake_open_initiation(&to->identity, message, len, initiation);
	if (err)
		return err;
	if (memcmp(initiation->remote_static, to->peer.remote_static, HW_DH_BYTES) != 0)
		return HW_E_NOT_FOUND;
	return hw_handshake_consume_initiation(&to->peer, initiation);
}

static int respond(struct pair *p, struct node *to, struct hw_initiation *initiation,
		   uint32_t index, uint8_t *response, struct hw_session_keys *keys)
{
	struct hw_cookie_slot slot = { 0 };
	uint8_t random[32];
	int err;

	hw_rng_fill(&p->rng, random, sizeof(random));
	err = hw_handshake_create_response(&to->peer, initiation, random, index, response, keys);
	hw_initiation_wipe(initiation);
	if (err)
		return err;
	return hw_cookie_add_macs(&to->maker, &slot, response, HW_WIRE_RESPONSE_BYTES, HW_S(1));
}

static int accept_response(struct node *to, const uint8_t *message, size_t len,
			   struct hw_session_keys *keys)
{
	if (!hw_cookie_check_mac1(&to->checker, message, len))
		return HW_E_AUTH;
	return hw_handshake_consume_response(&to->peer, &to->identity, message, len, keys);
}

static int receive_initiation(struct pair *p)
{
	struct hw_initiation initiation;

	return accept_initiation(&p->bob, p->initiation, sizeof(p->initiation), &initiation);
}

static int receive_response(struct pair *p)
{
	return accept_response(&p->alice, p->response, sizeof(p->response), &p->alice_keys);
}

/* Initiation and response, up to Alice's consuming it. */
static void to_response(struct pair *p, uint64_t wall_ns)
{
	struct hw_initiation initiation;

	initiate(p, &p->alice, wall_ns, ALICE_INDEX, p->initiation);
	assert_int_equal(
		accept_initiation(&p->bob, p->initiation, sizeof(p->initiation), &initiation), 0);
	assert_int_equal(respond(p, &p->bob, &initiation, BOB_INDEX, p->response, &p->bob_keys), 0);
}

static void assert_keys_meet(const struct hw_session_keys *a, const struct hw_session_keys *b)
{
	static const uint8_t zero[32];

	assert_memory_equal(a->send, b->receive, 32);
	assert_memory_equal(a->receive, b->send, 32);
	assert_memory_not_equal(a->send, a->receive, 32);
	assert_memory_not_equal(a->send, zero, 32);
	assert_memory_equal(a->stamp_send, b->stamp_receive, 16);
	assert_memory_equal(a->stamp_receive, b->stamp_send, 16);
	assert_memory_not_equal(a->stamp_send, a->stamp_receive, 16);
	assert_memory_not_equal(a->stamp_send, zero, 16);
	assert_int_equal(a->local_index, b->remote_index);
	assert_int_equal(a->remote_index, b->local_index);
	assert_int_not_equal(a->initiator, b->initiator);
}

static void timestamps_are_tai64n(void **state)
{
	static const uint8_t expected[] = { 0x40, 0, 0, 0, 0, 0, 0, 0x0b, 0x1d, 0xcd, 0x65, 0x00 };
	uint8_t a[12], b[12];

	(void)state;
	hw_handshake_timestamp(UINT64_C(1500000000), a);
	assert_memory_equal(a, expected, sizeof(a));
	hw_handshake_timestamp(WALL, a);
	hw_handshake_timestamp(WALL + 1, b);
	assert_true(memcmp(a, b, sizeof(a)) < 0);
	hw_handshake_timestamp(HW_S(1700000001), b);
	assert_true(memcmp(a, b, sizeof(a)) < 0);
}

static void both_agree_with_every_suite(void **state)
{
	(void)state;
	for (size_t s = 0; hw_suite_at(s); s++) {
		struct pair p;

		pair_init(&p, hw_suite_at(s), hw_suite_at(s));
		to_response(&p, WALL);
		assert_int_equal(p.initiation[0], 0x10);
		assert_int_equal(hw_load24(p.initiation + 1), ALICE_INDEX);
		assert_int_equal(p.response[0], 0x20);
		assert_int_equal(hw_load24(p.response + 1), BOB_INDEX);
		assert_int_equal(p.response[4], 0);
		assert_int_equal(hw_load24(p.response + 5), ALICE_INDEX);
		assert_int_equal(receive_response(&p), 0);
		assert_keys_meet(&p.alice_keys, &p.bob_keys);
		assert_true(p.alice_keys.initiator);
		assert_int_equal(p.alice_keys.local_index, ALICE_INDEX);
		assert_int_equal(p.alice_keys.remote_index, BOB_INDEX);
		pair_fini(&p);
	}
}

static void every_handshake_has_new_keys(void **state)
{
	struct pair *p = *state;
	struct hw_session_keys first;

	to_response(p, WALL);
	assert_int_equal(receive_response(p), 0);
	first = p->alice_keys;
	to_response(p, WALL + 1);
	assert_int_equal(receive_response(p), 0);
	assert_keys_meet(&p->alice_keys, &p->bob_keys);
	assert_memory_not_equal(first.send, p->alice_keys.send, 32);
	assert_memory_not_equal(first.receive, p->alice_keys.receive, 32);
	assert_memory_not_equal(first.stamp_send, p->alice_keys.stamp_send, 16);
}

/* Both begin at once: two sessions, neither in the other's way. */
static void crossing_initiations_both_succeed(void **state)
{
	struct pair *p = *state;
	uint8_t from_bob[HW_WIRE_INITIATION_BYTES], to_bob[HW_WIRE_RESPONSE_BYTES];
	struct hw_session_keys alice_second, bob_second;
	struct hw_initiation initiation;

	initiate(p, &p->bob, WALL, 3, from_bob);
	to_response(p, WALL);
	assert_int_equal(accept_initiation(&p->alice, from_bob, sizeof(from_bob), &initiation), 0);
	assert_int_equal(respond(p, &p->alice, &initiation, 4, to_bob, &alice_second), 0);
	assert_int_equal(receive_response(p), 0);
	assert_int_equal(accept_response(&p->bob, to_bob, sizeof(to_bob), &bob_second), 0);
	assert_keys_meet(&p->alice_keys, &p->bob_keys);
	assert_keys_meet(&alice_second, &bob_second);
}

/* One secret on both hosts: the same state machine. */
static void shared_secret_works_the_same(void **state)
{
	uint8_t secret[32];
	struct hw_shared_identity keys;
	struct pair p;

	(void)state;
	memset(&p, 0, sizeof(p));
	hw_rng_init(&p.rng, 8);
	hw_rng_fill(&p.rng, secret, sizeof(secret));
	assert_int_equal(hw_crypto_new(&p.crypto), 0);
	assert_int_equal(hw_identity_from_secret(p.crypto, secret, &keys), 0);
	memcpy(p.psk, keys.psk, sizeof(p.psk));
	node_init(&p, &p.alice, hw_suite_at(0), keys.client_private);
	node_init(&p, &p.bob, hw_suite_at(0), keys.hub_private);
	node_meet(&p, &p.alice, &p.bob);
	node_meet(&p, &p.bob, &p.alice);
	to_response(&p, WALL);
	assert_int_equal(receive_response(&p), 0);
	assert_keys_meet(&p.alice_keys, &p.bob_keys);

	/* A host with another secret is a stranger. */
	secret[0] ^= 1;
	assert_int_equal(hw_identity_from_secret(p.crypto, secret, &keys), 0);
	node_fini(&p.bob);
	memcpy(p.psk, keys.psk, sizeof(p.psk));
	node_init(&p, &p.bob, hw_suite_at(0), keys.hub_private);
	node_meet(&p, &p.bob, &p.alice);
	initiate(&p, &p.alice, WALL + 1, ALICE_INDEX, p.initiation);
	assert_int_equal(receive_initiation(&p), HW_E_AUTH);
	pair_fini(&p);
}

/* The state of both sides, but for what only tests look at. */
static void assert_unchanged(const struct pair *p, const struct hw_handshake *alice,
			     const struct hw_handshake *bob)
{
	assert_memory_equal(&p->alice.peer, alice, sizeof(*alice));
	assert_memory_equal(&p->bob.peer, bob, sizeof(*bob));
}

/* Every bit of an initiation but mac2 (not asked for here) is covered by mac1; and behind it... */
static void initiation_with_any_bit_flipped_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_handshake alice, bob;

	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	alice = p->alice.peer;
	bob = p->bob.peer;
	for (size_t bit = 0; bit < 8 * (HW_WIRE_INITIATION_BYTES - HW_WIRE_MAC_BYTES); bit++) {
		p->initiation[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(receive_initiation(p), HW_E_AUTH);
		p->initiation[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_unchanged(p, &alice, &bob);
	assert_int_equal(receive_initiation(p), 0);
}

/* ... Noise refuses by itself all that it covers, mac1 or not: whoever knows our key can make mac1.
 */
static void initiation_is_refused_behind_mac1_too(void **state)
{
	struct pair *p = *state;
	struct hw_handshake alice, bob;
	struct hw_cookie_slot slot = { 0 };

	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	alice = p->alice.peer;
	bob = p->bob.peer;
	for (size_t b = 0; b < HW_HANDSHAKE_INITIATION_CORE_BYTES; b++) {
		p->initiation[b] ^= 0x80;
		assert_int_equal(hw_cookie_add_macs(&p->alice.maker, &slot, p->initiation,
						    sizeof(p->initiation), HW_S(1)),
				 0);
		assert_int_equal(receive_initiation(p), b == 0 ? HW_E_MALFORMED : HW_E_AUTH);
		p->initiation[b] ^= 0x80;
	}
	assert_unchanged(p, &alice, &bob);
}

static void response_with_any_bit_flipped_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_handshake alice, bob;
	struct hw_session_keys none, before;

	memset(&before, 0xa5, sizeof(before));
	none = before;
	to_response(p, WALL);
	alice = p->alice.peer;
	bob = p->bob.peer;
	for (size_t bit = 0; bit < 8 * (HW_WIRE_RESPONSE_BYTES - HW_WIRE_MAC_BYTES); bit++) {
		p->response[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
			accept_response(&p->alice, p->response, sizeof(p->response), &none),
			HW_E_AUTH);
		p->response[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_memory_equal(&none, &before, sizeof(none));
	assert_unchanged(p, &alice, &bob);
	assert_int_equal(receive_response(p), 0);
	assert_keys_meet(&p->alice_keys, &p->bob_keys);
}

static void response_is_refused_behind_mac1_too(void **state)
{
	struct pair *p = *state;
	struct hw_handshake alice, bob;
	struct hw_cookie_slot slot = { 0 };

	to_response(p, WALL);
	alice = p->alice.peer;
	bob = p->bob.peer;
	for (size_t b = 0; b < HW_HANDSHAKE_RESPONSE_CORE_BYTES; b++) {
		int expected = HW_E_AUTH;

		if (b == 0 || b == 4)
			expected = HW_E_MALFORMED;
		else if (b >= 5 && b <= 7)
			expected = HW_E_NOT_FOUND;
		p->response[b] ^= 0x80;
		assert_int_equal(hw_cookie_add_macs(&p->bob.maker, &slot, p->response,
						    sizeof(p->response), HW_S(1)),
				 0);
		assert_int_equal(receive_response(p), expected);
		p->response[b] ^= 0x80;
	}
	assert_unchanged(p, &alice, &bob);
}

/* Each length that is not the message's own, and each other type. */
static void other_lengths_and_types_are_refused(void **state)
{
	struct pair *p = *state;
	struct hw_initiation initiation;
	struct hw_handshake alice, bob;
	uint8_t bytes[HW_WIRE_INITIATION_BYTES + 16] = { 0 };

	to_response(p, WALL);
	alice = p->alice.peer;
	bob = p->bob.peer;
	memcpy(bytes, p->initiation, sizeof(p->initiation));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		if (len != HW_WIRE_INITIATION_BYTES)
			assert_int_equal(hw_handshake_open_initiation(&p->bob.identity, bytes, len,
								      &initiation),
					 HW_E_MALFORMED);
	}
	for (unsigned type = 0; type < 256; type++) {
		bytes[0] = (uint8_t)type;
		if (type != 0x10)
			assert_int_equal(hw_handshake_open_initiation(&p->bob.identity, bytes,
								      HW_WIRE_INITIATION_BYTES,
								      &initiation),
					 HW_E_MALFORMED);
	}
	memcpy(bytes, p->response, sizeof(p->response));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		if (len != HW_WIRE_RESPONSE_BYTES)
			assert_int_equal(hw_handshake_consume_response(&p->alice.peer,
								       &p->alice.identity, bytes,
								       len, &p->alice_keys),
					 HW_E_MALFORMED);
	}
	for (unsigned type = 0; type < 256; type++) {
		bytes[0] = (uint8_t)type;
		if (type != 0x20)
			assert_int_equal(hw_handshake_consume_response(
						 &p->alice.peer, &p->alice.identity, bytes,
						 HW_WIRE_RESPONSE_BYTES, &p->alice_keys),
					 HW_E_MALFORMED);
	}
	assert_unchanged(p, &alice, &bob);
}

/* The psk enters with the response, so it is the initiator who finds out. */
static void wrong_psk_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_handshake alice, bob;

	p->psk[0] ^= 1;
	hw_handshake_fini(&p->bob.peer);
	assert_int_equal(hw_handshake_init(&p->bob.peer, &p->bob.identity,
					   p->alice.identity.public_key, p->psk),
			 0);
	to_response(p, WALL);
	alice = p->alice.peer;
	bob = p->bob.peer;
	assert_int_equal(receive_response(p), HW_E_AUTH);
	assert_unchanged(p, &alice, &bob);
}

static void wrong_suite_is_refused(void **state)
{
	struct pair p;
	struct hw_handshake alice, bob;

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		pair_init(&p, hw_suite_at(s), hw_suite_at(1 - s));
		initiate(&p, &p.alice, WALL, ALICE_INDEX, p.initiation);
		alice = p.alice.peer;
		bob = p.bob.peer;
		assert_int_equal(receive_initiation(&p), HW_E_AUTH);
		assert_unchanged(&p, &alice, &bob);
		pair_fini(&p);
	}
}

static void wrong_prologue_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_handshake bob = p->bob.peer;

	p->alice.identity.prologue = "Hawser v2";
	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	assert_int_equal(receive_initiation(p), HW_E_AUTH);
	assert_memory_equal(&p->bob.peer, &bob, sizeof(bob));
	p->alice.identity.prologue = HW_WIRE_PROLOGUE;
	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	assert_int_equal(receive_initiation(p), 0);
}

/* Alice calls another node; Bob hears of it, even with a mac1 made for Bob. */
static void initiation_for_another_node_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_cookie_slot slot = { 0 };
	struct hw_handshake bob = p->bob.peer;
	uint8_t carol_private[32], carol[32];

	hw_rng_fill(&p->rng, carol_private, sizeof(carol_private));
	assert_int_equal(hw_identity_public(carol_private, carol), 0);
	hw_handshake_fini(&p->alice.peer);
	assert_int_equal(hw_handshake_init(&p->alice.peer, &p->alice.identity, carol, p->psk), 0);
	assert_int_equal(hw_cookie_maker_init(&p->alice.maker, p->crypto, carol), 0);
	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	assert_int_equal(receive_initiation(p), HW_E_AUTH);
	assert_int_equal(
		hw_cookie_maker_init(&p->alice.maker, p->crypto, p->bob.identity.public_key), 0);
	assert_int_equal(hw_cookie_add_macs(&p->alice.maker, &slot, p->initiation,
					    sizeof(p->initiation), HW_S(1)),
			 0);
	assert_int_equal(receive_initiation(p), HW_E_AUTH);
	assert_memory_equal(&p->bob.peer, &bob, sizeof(bob));
}

/* Carol has a key of her own, of which Bob knows nothing. */
static void unknown_caller_is_told_apart(void **state)
{
	struct pair *p = *state;
	struct hw_handshake bob = p->bob.peer;
	uint8_t carol_private[32];
	struct node carol;

	hw_rng_fill(&p->rng, carol_private, sizeof(carol_private));
	node_init(p, &carol, hw_suite_at(0), carol_private);
	node_meet(p, &carol, &p->bob);
	initiate(p, &carol, WALL, 1, p->initiation);
	assert_int_equal(receive_initiation(p), HW_E_NOT_FOUND);
	assert_memory_equal(&p->bob.peer, &bob, sizeof(bob));
	node_fini(&carol);
}

/* Carol claims to be Alice: she can seal Alice's key, not the timestamp behind the static secret.
 */
static void impostor_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_handshake bob = p->bob.peer;
	struct hw_handshake_identity real = p->alice.identity;
	uint8_t carol_private[32], random[32] = { 1 };
	struct hw_dh_key *carol = NULL;
	uint8_t ss[32], timestamp[12];
	struct hw_cookie_slot slot = { 0 };
	struct hw_noise noise;

	hw_rng_fill(&p->rng, carol_private, sizeof(carol_private));
	assert_int_equal(hw_dh_key_new(carol_private, &carol), 0);
	assert_int_equal(hw_dh(carol, p->bob.identity.public_key, ss), 0);
	hw_handshake_timestamp(WALL, timestamp);
	memset(p->initiation, 0, sizeof(p->initiation));
	p->initiation[0] = 0x10;
	assert_int_equal(hw_noise_init_initiator(&noise, p->crypto, hw_suite_at(0),
						 HW_WIRE_PROLOGUE, strlen(HW_WIRE_PROLOGUE),
						 p->bob.identity.public_key),
			 0);
	assert_int_equal(hw_noise_write_initiation(&noise, real.static_key, ss, random, timestamp,
						   sizeof(timestamp), p->initiation + 4),
			 0);
	assert_int_equal(hw_cookie_add_macs(&p->alice.maker, &slot, p->initiation,
					    sizeof(p->initiation), HW_S(1)),
			 0);
	assert_int_equal(receive_initiation(p), HW_E_AUTH);
	assert_memory_equal(&p->bob.peer, &bob, sizeof(bob));
	hw_dh_key_free(carol);
}

/* Only a later timestamp passes; a copy of what was answered is recognised as one, by either way.
 */
static void timestamps_only_go_forward(void **state)
{
	struct pair *p = *state;
	uint8_t first[HW_WIRE_INITIATION_BYTES], stored[HW_WIRE_RESPONSE_BYTES];
	struct hw_handshake bob;

	to_response(p, WALL);
	memcpy(first, p->initiation, sizeof(first));
	bob = p->bob.peer;
	assert_true(hw_handshake_is_copy(&p->bob.peer, first, sizeof(first)));
	assert_int_equal(receive_initiation(p), HW_HANDSHAKE_COPY);
	memcpy(stored, p->bob.peer.response, sizeof(stored));
	assert_memory_equal(stored, p->response, HW_HANDSHAKE_RESPONSE_CORE_BYTES);

	/* The same instant with another ephemeral key; an earlier one. */
	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	assert_false(hw_handshake_is_copy(&p->bob.peer, p->initiation, sizeof(p->initiation)));
	assert_int_equal(receive_initiation(p), HW_E_REPLAY);
	initiate(p, &p->alice, WALL - 1, ALICE_INDEX, p->initiation);
	assert_int_equal(receive_initiation(p), HW_E_REPLAY);
	assert_memory_equal(&p->bob.peer, &bob, sizeof(bob));

	/* A later one passes; what it replaces is no copy any more, but a replay. */
	to_response(p, WALL + 1);
	memcpy(p->initiation, first, sizeof(first));
	bob = p->bob.peer;
	assert_false(hw_handshake_is_copy(&p->bob.peer, first, sizeof(first)));
	assert_int_equal(receive_initiation(p), HW_E_REPLAY);
	assert_memory_equal(&p->bob.peer, &bob, sizeof(bob));
}

/* Copies differ in mac2 alone; any other difference is no copy. */
static void copies_are_the_same_but_for_the_macs(void **state)
{
	struct pair *p = *state;

	/* Before anything was answered, nothing is a copy, not even of nothing. */
	assert_false(hw_handshake_is_copy(&p->bob.peer, p->initiation, sizeof(p->initiation)));
	initiate(p, &p->alice, WALL, ALICE_INDEX, p->initiation);
	assert_false(hw_handshake_is_copy(&p->bob.peer, p->initiation, sizeof(p->initiation)));
	assert_int_equal(receive_initiation(p), 0);
	/* Accepted, not yet answered: there is nothing to answer a copy with. */
	assert_false(hw_handshake_is_copy(&p->bob.peer, p->initiation, sizeof(p->initiation)));
	assert_int_equal(receive_initiation(p), HW_E_REPLAY);

	to_response(p, WALL + 1);
	for (size_t b = 0; b < sizeof(p->initiation); b++) {
		p->initiation[b] ^= 1;
		assert_int_equal(
			hw_handshake_is_copy(&p->bob.peer, p->initiation, sizeof(p->initiation)),
			b >= HW_HANDSHAKE_INITIATION_CORE_BYTES);
		p->initiation[b] ^= 1;
	}
	for (size_t len = 0; len < sizeof(p->initiation); len++)
		assert_false(hw_handshake_is_copy(&p->bob.peer, p->initiation, len));

	/* No session came of it: nothing answers it until it is accepted again, as if for the first time. */
	assert_int_equal(receive_initiation(p), HW_HANDSHAKE_COPY);
	hw_handshake_forget_response(&p->bob.peer);
	assert_false(hw_handshake_is_copy(&p->bob.peer, p->initiation, sizeof(p->initiation)));
	assert_int_equal(receive_initiation(p), 0);
	assert_int_equal(receive_initiation(p), HW_E_REPLAY);
}

/* A response serves once, and only while its initiation is pending. */
static void response_must_answer_what_is_pending(void **state)
{
	struct pair *p = *state;
	struct hw_handshake alice;

	/* To an index that is not pending. */
	to_response(p, WALL);
	initiate(p, &p->alice, WALL + 1, ALICE_INDEX + 1, p->initiation);
	alice = p->alice.peer;
	assert_int_equal(receive_response(p), HW_E_NOT_FOUND);
	/* To an earlier initiation with the same index. */
	initiate(p, &p->alice, WALL + 2, ALICE_INDEX, p->initiation);
	alice = p->alice.peer;
	assert_int_equal(receive_response(p), HW_E_AUTH);
	assert_memory_equal(&p->alice.peer, &alice, sizeof(alice));

	to_response(p, WALL + 3);
	assert_int_equal(receive_response(p), 0);
	assert_int_equal(receive_response(p), HW_E_STATE);
	to_response(p, WALL + 4);
	hw_handshake_cancel(&p->alice.peer);
	assert_int_equal(receive_response(p), HW_E_STATE);
}

static void bad_peer_keys_are_refused(void **state)
{
	struct pair *p = *state;
	struct hw_handshake handshake;
	uint8_t low_order[32] = { 1 };

	assert_int_equal(hw_handshake_init(&handshake, &p->alice.identity, low_order, p->psk),
			 HW_E_INVAL);
	assert_int_equal(hw_handshake_init(&handshake, &p->alice.identity,
					   p->alice.identity.public_key, p->psk),
			 HW_E_INVAL);
}

/* An ephemeral key of low order in a message whose mac1 is right. */
static void low_order_ephemeral_is_refused(void **state)
{
	struct pair *p = *state;
	struct hw_cookie_slot slot = { 0 };
	struct hw_handshake alice, bob;

	to_response(p, WALL);
	alice = p->alice.peer;
	bob = p->bob.peer;
	for (unsigned value = 0; value < 2; value++) {
		memset(p->initiation + 4, 0, 32);
		p->initiation[4] = (uint8_t)value;
		assert_int_equal(hw_cookie_add_macs(&p->alice.maker, &slot, p->initiation,
						    sizeof(p->initiation), HW_S(1)),
				 0);
		assert_int_equal(receive_initiation(p), HW_E_AUTH);
		memset(p->response + 8, 0, 32);
		p->response[8] = (uint8_t)value;
		assert_int_equal(hw_cookie_add_macs(&p->bob.maker, &slot, p->response,
						    sizeof(p->response), HW_S(1)),
				 0);
		assert_int_equal(receive_response(p), HW_E_AUTH);
	}
	assert_unchanged(p, &alice, &bob);
}

/* Under load: the initiation is asked for a cookie, and passes with it from its own address only.
 */
static void cookie_round_trip_on_a_path(void **state)
{
	struct pair *p = *state;
	struct hw_addr from = { .ip = { 10, 0, 0, 1 }, .port = 4000, .family = HW_FAMILY_IPV4 };
	struct hw_addr other = from;
	struct hw_cookie_slot slot = { 0 };
	uint8_t random[HW_COOKIE_RANDOM_BYTES], answer[HW_WIRE_COOKIE_BYTES];
	uint8_t *m = p->initiation;
	size_t len = sizeof(p->initiation);

	other.port++;
	initiate(p, &p->alice, WALL, ALICE_INDEX, m);
	assert_int_equal(hw_cookie_add_macs(&p->alice.maker, &slot, m, len, HW_S(1)), 0);
	assert_true(hw_cookie_check_mac1(&p->bob.checker, m, len));
	assert_false(hw_cookie_check_mac2(&p->bob.checker, m, len, &from, HW_S(1)));
	hw_rng_fill(&p->rng, random, sizeof(random));
	assert_int_equal(hw_cookie_answer(&p->bob.checker, m, len, &from, HW_S(1), random, answer),
			 0);
	assert_int_equal(hw_load24(answer + 1), ALICE_INDEX);
	assert_int_equal(hw_cookie_consume(&p->alice.maker, &slot, answer, sizeof(answer), HW_S(1)),
			 0);

	initiate(p, &p->alice, WALL + 1, ALICE_INDEX, m);
	assert_int_equal(hw_cookie_add_macs(&p->alice.maker, &slot, m, len, HW_S(2)), 0);
	assert_true(hw_cookie_check_mac2(&p->bob.checker, m, len, &from, HW_S(2)));
	assert_false(hw_cookie_check_mac2(&p->bob.checker, m, len, &other, HW_S(2)));
	assert_int_equal(receive_initiation(p), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timestamps_are_tai64n),
		TEST(both_agree_with_every_suite),
		TEST(every_handshake_has_new_keys),
		TEST(crossing_initiations_both_succeed),
		TEST(shared_secret_works_the_same),
		TEST(initiation_with_any_bit_flipped_is_refused),
		TEST(initiation_is_refused_behind_mac1_too),
		TEST(response_with_any_bit_flipped_is_refused),
		TEST(response_is_refused_behind_mac1_too),
		TEST(other_lengths_and_types_are_refused),
		TEST(wrong_psk_is_refused),
		TEST(wrong_suite_is_refused),
		TEST(wrong_prologue_is_refused),
		TEST(initiation_for_another_node_is_refused),
		TEST(unknown_caller_is_told_apart),
		TEST(impostor_is_refused),
		TEST(timestamps_only_go_forward),
		TEST(copies_are_the_same_but_for_the_macs),
		TEST(response_must_answer_what_is_pending),
		TEST(bad_peer_keys_are_refused),
		TEST(low_order_ephemeral_is_refused),
		TEST(cookie_round_trip_on_a_path),
	};

	return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
