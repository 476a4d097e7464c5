#include "test.h"

#include "base/addr.h"
#include "base/rng.h"
#include "crypto/cookie.h"
#include "crypto/suite.h"

#define MACS_BYTES (2 * HW_WIRE_MAC_BYTES)

struct fixture {
	struct hw_crypto *crypto;
	struct hw_rng rng;
	uint8_t public_key[32];
	struct hw_cookie_checker checker;
	struct hw_cookie_maker maker;
	struct hw_cookie_slot slot;
	struct hw_addr from;
	uint8_t message[HW_WIRE_INITIATION_BYTES];
	uint8_t answer[HW_WIRE_COOKIE_BYTES];
};

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	hw_rng_init(&f->rng, 4);
	hw_rng_fill(&f->rng, f->public_key, sizeof(f->public_key));
	hw_rng_fill(&f->rng, f->message, sizeof(f->message) - MACS_BYTES);
	f->from =
		(struct hw_addr){ .ip = { 192, 0, 2, 1 }, .port = 8420, .family = HW_FAMILY_IPV4 };
	if (hw_crypto_new(&f->crypto) != 0 ||
	    hw_cookie_checker_init(&f->checker, f->crypto, f->public_key) != 0 ||
	    hw_cookie_maker_init(&f->maker, f->crypto, f->public_key) != 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hw_cookie_checker_fini(&f->checker);
	hw_cookie_maker_fini(&f->maker);
	hw_crypto_free(f->crypto);
	return 0;
}

/* The message with its MACs, as it leaves on the slot's path. */
static void send(struct fixture *f, struct hw_cookie_slot *slot, hw_time now)
{
	assert_int_equal(hw_cookie_add_macs(&f->maker, slot, f->message, sizeof(f->message), now),
			 0);
}

static void answer(struct fixture *f, const struct hw_addr *from, hw_time now)
{
	uint8_t random[HW_COOKIE_RANDOM_BYTES];

	hw_rng_fill(&f->rng, random, sizeof(random));
	assert_int_equal(hw_cookie_answer(&f->checker, f->message, sizeof(f->message), from, now,
					  random, f->answer),
			 0);
}

static int consume(struct fixture *f, struct hw_cookie_slot *slot, hw_time now)
{
	return hw_cookie_consume(&f->maker, slot, f->answer, sizeof(f->answer), now);
}

static bool mac1_ok(const struct fixture *f)
{
	return hw_cookie_check_mac1(&f->checker, f->message, sizeof(f->message));
}

static bool mac2_ok(const struct fixture *f, const struct hw_addr *from, hw_time now)
{
	return hw_cookie_check_mac2(&f->checker, f->message, sizeof(f->message), from, now);
}

/* Send, be asked for a cookie, take it, send again: mac2 is right at now. */
static void obtain(struct fixture *f, struct hw_cookie_slot *slot, hw_time now)
{
	send(f, slot, now);
	answer(f, &f->from, now);
	assert_int_equal(consume(f, slot, now), 0);
	send(f, slot, now);
	assert_true(mac2_ok(f, &f->from, now));
}

static void mac1_is_that_of_the_receiver(void **state)
{
	static const uint8_t zero[HW_WIRE_MAC_BYTES];
	struct fixture *f = *state;
	struct hw_cookie_checker other;
	uint8_t key[HW_HASH_BYTES], mac[HW_MAC_BYTES];

	assert_false(mac1_ok(f));
	send(f, &f->slot, HW_S(1));
	assert_true(mac1_ok(f));
	/* By the words of docs/wire.md. */
	assert_int_equal(hw_hash(f->crypto, "mac1----", 8, f->public_key, 32, key), 0);
	assert_int_equal(
		hw_mac(f->crypto, key, 32, f->message, sizeof(f->message) - MACS_BYTES, mac), 0);
	assert_memory_equal(f->message + sizeof(f->message) - MACS_BYTES, mac, sizeof(mac));
	assert_memory_equal(f->message + sizeof(f->message) - HW_WIRE_MAC_BYTES, zero,
			    sizeof(zero));

	f->public_key[0] ^= 1;
	assert_int_equal(hw_cookie_checker_init(&other, f->crypto, f->public_key), 0);
	assert_false(hw_cookie_check_mac1(&other, f->message, sizeof(f->message)));
	hw_cookie_checker_fini(&other);
}

static void mac1_covers_every_bit_before_it(void **state)
{
	struct fixture *f = *state;
	size_t end = sizeof(f->message) - HW_WIRE_MAC_BYTES;

	send(f, &f->slot, HW_S(1));
	for (size_t bit = 0; bit < 8 * end; bit++) {
		f->message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(mac1_ok(f));
		f->message[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(mac1_ok(f));
	for (size_t len = 0; len < sizeof(f->message); len++)
		assert_false(hw_cookie_check_mac1(&f->checker, f->message, len));
}

static void no_cookie_no_mac2(void **state)
{
	struct fixture *f = *state;

	/* Before there is any secret, and before this path has a cookie. */
	send(f, &f->slot, HW_S(1));
	assert_false(mac2_ok(f, &f->from, HW_S(1)));
	answer(f, &f->from, HW_S(1));
	assert_false(mac2_ok(f, &f->from, HW_S(1)));
	send(f, &f->slot, HW_S(1));
	assert_false(mac2_ok(f, &f->from, HW_S(1)));
}

/* A node that has made no secret yet has none, and not one of zeros that anyone could use. */
static void no_secret_is_not_a_known_secret(void **state)
{
	static const uint8_t zero[32];
	struct fixture *f = *state;
	uint8_t text[23], cookie[HW_MAC_BYTES];
	size_t end = sizeof(f->message) - HW_WIRE_MAC_BYTES;

	/* Family, address, scope and port, as the cookie covers them. */
	memset(text, 0, sizeof(text));
	text[0] = f->from.family;
	memcpy(text + 1, f->from.ip, sizeof(f->from.ip));
	text[21] = (uint8_t)(f->from.port >> 8);
	text[22] = (uint8_t)f->from.port;
	assert_int_equal(hw_mac(f->crypto, zero, sizeof(zero), text, sizeof(text), cookie), 0);
	send(f, &f->slot, 0);
	assert_int_equal(
		hw_mac(f->crypto, cookie, sizeof(cookie), f->message, end, f->message + end), 0);
	assert_false(mac2_ok(f, &f->from, 0));
	/* That is indeed how a cookie is made: were the secret zeros, this would pass. */
	f->checker.secrets[0].set = true;
	assert_true(mac2_ok(f, &f->from, 0));
}

static void cookie_makes_mac2_right(void **state)
{
	struct fixture *f = *state;
	size_t end = sizeof(f->message);

	obtain(f, &f->slot, HW_S(1));
	assert_true(mac1_ok(f));
	for (size_t bit = 0; bit < 8 * end; bit++) {
		f->message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(mac2_ok(f, &f->from, HW_S(1)));
		f->message[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(mac2_ok(f, &f->from, HW_S(1)));
	for (size_t len = 0; len < end; len++)
		assert_false(hw_cookie_check_mac2(&f->checker, f->message, len, &f->from, HW_S(1)));
}

static void answer_is_laid_out_as_documented(void **state)
{
	struct fixture *f = *state;

	send(f, &f->slot, HW_S(1));
	answer(f, &f->from, HW_S(1));
	assert_int_equal(f->answer[0], 0x30);
	assert_memory_equal(f->answer + 1, f->message + 1, 3);
	assert_true(sizeof(f->answer) < HW_WIRE_RESPONSE_BYTES); /* no more than it answers */
}

static void cookie_is_good_for_one_address(void **state)
{
	struct fixture *f = *state;
	struct hw_addr other = f->from;

	obtain(f, &f->slot, HW_S(1));
	for (unsigned i = 0; i < sizeof(other.ip); i++) {
		other.ip[i] ^= 1;
		assert_false(mac2_ok(f, &other, HW_S(1)));
		other.ip[i] ^= 1;
	}
	other.port ^= 1;
	assert_false(mac2_ok(f, &other, HW_S(1)));
	other.port ^= 1 ^ 0x100;
	assert_false(mac2_ok(f, &other, HW_S(1)));
	other.port ^= 0x100;
	other.family = HW_FAMILY_IPV6;
	assert_false(mac2_ok(f, &other, HW_S(1)));
	other.family = HW_FAMILY_IPV4;
	other.scope = 1;
	assert_false(mac2_ok(f, &other, HW_S(1)));
	other.scope = 0;
	assert_true(mac2_ok(f, &other, HW_S(1)));
}

static void a_path_has_its_own_cookie(void **state)
{
	struct fixture *f = *state;
	struct hw_cookie_slot other = { 0 };

	obtain(f, &f->slot, HW_S(1));
	send(f, &other, HW_S(1));
	assert_false(mac2_ok(f, &f->from, HW_S(1)));
	send(f, &f->slot, HW_S(1));
	assert_true(mac2_ok(f, &f->from, HW_S(1)));
}

/* A cookie is used for 120 s to the nanosecond, not beyond. */
static void cookie_expires(void **state)
{
	struct fixture *f = *state;

	obtain(f, &f->slot, HW_S(1));
	send(f, &f->slot, HW_S(121) - 1);
	assert_true(mac2_ok(f, &f->from, HW_S(121) - 1));
	send(f, &f->slot, HW_S(121));
	assert_false(mac2_ok(f, &f->from, HW_S(121)));
	assert_true(mac1_ok(f));
}

/* A secret makes cookies for 120 s; those it made last are accepted while they may be in use. */
static void secret_rotates_and_lingers(void **state)
{
	struct fixture *f = *state;
	struct hw_cookie_slot late = { 0 }, newer = { 0 };
	hw_time born = HW_S(10), last = born + HW_COOKIE_AGE - 1;
	hw_time end = born + 2 * HW_COOKIE_AGE + HW_COOKIE_LATENCY;
	uint8_t first[32];

	obtain(f, &f->slot, born);
	memcpy(first, f->checker.secrets[0].bytes, sizeof(first));
	obtain(f, &late, last);
	assert_memory_equal(f->checker.secrets[0].bytes, first, sizeof(first));

	obtain(f, &newer, last + 1);
	assert_memory_not_equal(f->checker.secrets[0].bytes, first, sizeof(first));
	assert_memory_equal(f->checker.secrets[1].bytes, first, sizeof(first));

	/* The cookie made under the old secret, to the end of its use. */
	send(f, &late, last + HW_COOKIE_AGE - 1);
	assert_true(mac2_ok(f, &f->from, last + HW_COOKIE_AGE - 1));
	assert_true(mac2_ok(f, &f->from, end - 1));
	assert_false(mac2_ok(f, &f->from, end));
}

static void secret_before_the_previous_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct hw_cookie_slot other = { 0 };
	uint8_t old[HW_WIRE_INITIATION_BYTES];

	obtain(f, &f->slot, HW_S(10));
	memcpy(old, f->message, sizeof(old));
	obtain(f, &other, HW_S(130));
	assert_true(hw_cookie_check_mac2(&f->checker, old, sizeof(old), &f->from, HW_S(130)));
	obtain(f, &other, HW_S(250));
	assert_false(hw_cookie_check_mac2(&f->checker, old, sizeof(old), &f->from, HW_S(250)));
}

/* Refused, slot unchanged: what nobody asked for, a second answer, any flipped bit but the index.
 */
static void forged_cookies_change_nothing(void **state)
{
	struct fixture *f = *state;
	struct hw_cookie_slot before = f->slot;

	memset(f->answer, 0, sizeof(f->answer));
	assert_int_equal(consume(f, &f->slot, HW_S(1)), HW_E_MALFORMED);
	f->answer[0] = 0x30;
	assert_int_equal(consume(f, &f->slot, HW_S(1)), HW_E_STATE);
	assert_memory_equal(&f->slot, &before, sizeof(before));

	send(f, &f->slot, HW_S(1));
	answer(f, &f->from, HW_S(1));
	before = f->slot;
	for (size_t bit = 0; bit < 8 * sizeof(f->answer); bit++) {
		size_t byte = bit / 8;

		if (byte >= 1 && byte <= 3)
			continue; /* the index, which finds the peer */
		f->answer[byte] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(consume(f, &f->slot, HW_S(1)),
				 byte == 0 ? HW_E_MALFORMED : HW_E_AUTH);
		assert_memory_equal(&f->slot, &before, sizeof(before));
		f->answer[byte] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < sizeof(f->answer); len++)
		assert_int_equal(hw_cookie_consume(&f->maker, &f->slot, f->answer, len, HW_S(1)),
				 HW_E_MALFORMED);
	assert_memory_equal(&f->slot, &before, sizeof(before));

	assert_int_equal(consume(f, &f->slot, HW_S(1)), 0);
	before = f->slot;
	assert_int_equal(consume(f, &f->slot, HW_S(2)), HW_E_STATE);
	assert_memory_equal(&f->slot, &before, sizeof(before));
}

/* An answer to what was sent before the last message is stale. */
static void cookie_answers_the_last_message_only(void **state)
{
	struct fixture *f = *state;
	struct hw_cookie_maker stranger;

	send(f, &f->slot, HW_S(1));
	answer(f, &f->from, HW_S(1));
	f->message[4] ^= 1;
	send(f, &f->slot, HW_S(2));
	assert_int_equal(consume(f, &f->slot, HW_S(2)), HW_E_AUTH);
	answer(f, &f->from, HW_S(2));

	/* The cookie of another node, for the same mac1. */
	f->public_key[0] ^= 1;
	assert_int_equal(hw_cookie_maker_init(&stranger, f->crypto, f->public_key), 0);
	assert_int_equal(
		hw_cookie_consume(&stranger, &f->slot, f->answer, sizeof(f->answer), HW_S(2)),
		HW_E_AUTH);
	hw_cookie_maker_fini(&stranger);
	assert_int_equal(consume(f, &f->slot, HW_S(2)), 0);

	/* What was sent with a cookie may be answered with another one, once. */
	f->message[4] ^= 1;
	send(f, &f->slot, HW_S(3));
	assert_true(mac2_ok(f, &f->from, HW_S(3)));
	answer(f, &f->from, HW_S(3));
	assert_int_equal(consume(f, &f->slot, HW_S(3)), 0);
	assert_int_equal(consume(f, &f->slot, HW_S(3)), HW_E_STATE);
}

/* The seal, opened by hand with the words of docs/wire.md: the cookie is a MAC of the address. */
static void seal_is_as_documented(void **state)
{
	static const uint8_t zero_nonce[HW_AEAD_NONCE_BYTES];
	struct fixture *f = *state;
	const struct hw_suite *suite = hw_suite_find("chacha20-poly1305");
	struct hw_aead_key *key = NULL;
	uint8_t base[HW_HASH_BYTES], bytes[HW_HASH_BYTES], sealed[32], mac2[HW_MAC_BYTES];

	send(f, &f->slot, HW_S(1));
	answer(f, &f->from, HW_S(1));
	assert_int_equal(hw_hash(f->crypto, "cookie--", 8, f->public_key, 32, base), 0);
	assert_int_equal(hw_keyed_hash(f->crypto, base, 32, f->answer + 4, 24, bytes), 0);
	assert_int_equal(suite->key_new(bytes, false, &key), 0);
	memcpy(sealed, f->answer + 28, sizeof(sealed));
	assert_int_equal(suite->open(key, zero_nonce, f->message + sizeof(f->message) - MACS_BYTES,
				     HW_WIRE_MAC_BYTES, sealed, sizeof(sealed)),
			 0);
	suite->key_free(key);

	assert_int_equal(consume(f, &f->slot, HW_S(1)), 0);
	assert_memory_equal(f->slot.cookie, sealed, HW_WIRE_MAC_BYTES);
	send(f, &f->slot, HW_S(1));
	assert_int_equal(hw_mac(f->crypto, sealed, HW_WIRE_MAC_BYTES, f->message,
				sizeof(f->message) - HW_WIRE_MAC_BYTES, mac2),
			 0);
	assert_memory_equal(f->message + sizeof(f->message) - HW_WIRE_MAC_BYTES, mac2,
			    sizeof(mac2));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mac1_is_that_of_the_receiver),
		TEST(mac1_covers_every_bit_before_it),
		TEST(no_cookie_no_mac2),
		TEST(no_secret_is_not_a_known_secret),
		TEST(cookie_makes_mac2_right),
		TEST(answer_is_laid_out_as_documented),
		TEST(cookie_is_good_for_one_address),
		TEST(a_path_has_its_own_cookie),
		TEST(cookie_expires),
		TEST(secret_rotates_and_lingers),
		TEST(secret_before_the_previous_is_forgotten),
		TEST(forged_cookies_change_nothing),
		TEST(cookie_answers_the_last_message_only),
		TEST(seal_is_as_documented),
	};

	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
