/*
 * What cryptography costs on this machine: a table for people, no test. Each line runs for about a
 * fifth of a second after a warm-up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/addr.h"
#include "base/rng.h"
#include "base/siphash.h"
#include "base/time.h"
#include "crypto/cookie.h"
#include "crypto/suite.h"
#include "session/handshake.h"

#define RUN_NS (HW_NS_PER_S / 5)

static void must(int err)
{
	if (err < 0) {
		fprintf(stderr, "bench_crypto: %s\n", hw_strerror(err));
		exit(1);
	}
}

static hw_time now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return HW_S(ts.tv_sec) + (hw_time)ts.tv_nsec;
}

/* Nanoseconds of one call of work(ctx). */
static double measure(void (*work)(void *ctx), void *ctx)
{
	uint64_t calls = 1;

	work(ctx);
	for (;;) {
		hw_time begin = now_ns(), spent;

		for (uint64_t i = 0; i < calls; i++)
			work(ctx);
		spent = now_ns() - begin;
		if (spent >= RUN_NS)
			return (double)spent / (double)calls;
		calls = spent < RUN_NS / 100 ? calls * 10 : calls * RUN_NS / spent + 1;
	}
}

static void print_line(const char *what, double ns)
{
	printf("%-44s %10.0f ns %12.0f /s\n", what, ns, 1e9 / ns);
}

struct aead {
	const struct hw_suite *suite;
	struct hw_aead_key *sealer, *opener;
	uint64_t counter;
	size_t len;
	uint8_t data[1400 + HW_AEAD_TAG_BYTES];
	uint8_t sealed[1400 + HW_AEAD_TAG_BYTES];
};

static void seal_once(void *ctx)
{
	struct aead *a = ctx;
	uint8_t nonce[HW_AEAD_NONCE_BYTES], ad[16] = { 0 };

	a->suite->noise_nonce(a->counter++, nonce);
	must(a->suite->seal(a->sealer, nonce, ad, sizeof(ad), a->data, a->len));
}

static void open_once(void *ctx)
{
	struct aead *a = ctx;
	uint8_t nonce[HW_AEAD_NONCE_BYTES], ad[16] = { 0 };

	a->suite->noise_nonce(0, nonce);
	memcpy(a->data, a->sealed, a->len + HW_AEAD_TAG_BYTES);
	must(a->suite->open(a->opener, nonce, ad, sizeof(ad), a->data, a->len + HW_AEAD_TAG_BYTES));
}

static void refuse_once(void *ctx)
{
	struct aead *a = ctx;
	uint8_t nonce[HW_AEAD_NONCE_BYTES], ad[16] = { 1 };

	a->suite->noise_nonce(0, nonce);
	memcpy(a->data, a->sealed, a->len + HW_AEAD_TAG_BYTES);
	if (a->suite->open(a->opener, nonce, ad, sizeof(ad), a->data, a->len + HW_AEAD_TAG_BYTES) !=
	    HW_E_AUTH)
		must(HW_E_AUTH);
}

static void bench_suite(const struct hw_suite *suite)
{
	static const size_t lens[] = { 64, 1400 };
	static const uint8_t bytes[HW_AEAD_KEY_BYTES] = { 1 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct aead a = { .suite = suite, .len = lens[i] };
		char what[64];

		must(suite->key_new(bytes, true, &a.sealer));
		must(suite->key_new(bytes, false, &a.opener));
		seal_once(&a);
		memcpy(a.sealed, a.data, sizeof(a.sealed));
		snprintf(what, sizeof(what), "%s seal %zu bytes", suite->name, a.len);
		print_line(what, measure(seal_once, &a));
		snprintf(what, sizeof(what), "%s open %zu bytes", suite->name, a.len);
		print_line(what, measure(open_once, &a));
		snprintf(what, sizeof(what), "%s refuse %zu bytes", suite->name, a.len);
		print_line(what, measure(refuse_once, &a));
		suite->key_free(a.sealer);
		suite->key_free(a.opener);
	}
}

struct shake {
	struct hw_crypto *crypto;
	struct hw_handshake_identity alice_id, bob_id;
	struct hw_handshake alice, bob;
	struct hw_cookie_checker checker;
	struct hw_cookie_maker maker;
	struct hw_rng rng;
	struct hw_addr from;
	uint64_t wall_ns;
	uint8_t initiation[HW_WIRE_INITIATION_BYTES];
	uint8_t response[HW_WIRE_RESPONSE_BYTES];
};

static void initiate_once(void *ctx)
{
	struct shake *s = ctx;
	struct hw_cookie_slot slot = { 0 };
	uint8_t random[32];

	hw_rng_fill(&s->rng, random, sizeof(random));
	must(hw_handshake_create_initiation(&s->alice, &s->alice_id, random, ++s->wall_ns, 1,
					    s->initiation));
	must(hw_cookie_add_macs(&s->maker, &slot, s->initiation, sizeof(s->initiation), HW_S(1)));
}

static void shake_once(void *ctx)
{
	struct shake *s = ctx;
	struct hw_initiation initiation;
	struct hw_session_keys alice, bob;
	uint8_t random[32];

	initiate_once(s);
	if (!hw_cookie_check_mac1(&s->checker, s->initiation, sizeof(s->initiation)))
		must(HW_E_AUTH);
	must(hw_handshake_open_initiation(&s->bob_id, s->initiation, sizeof(s->initiation),
					  &initiation));
	must(hw_handshake_consume_initiation(&s->bob, &initiation));
	hw_rng_fill(&s->rng, random, sizeof(random));
	must(hw_handshake_create_response(&s->bob, &initiation, random, 2, s->response, &bob));
	must(hw_handshake_consume_response(&s->alice, &s->alice_id, s->response,
					   sizeof(s->response), &alice));
}

static void reject_mac1_once(void *ctx)
{
	struct shake *s = ctx;

	s->initiation[sizeof(s->initiation) - 2 * HW_WIRE_MAC_BYTES]++;
	if (hw_cookie_check_mac1(&s->checker, s->initiation, sizeof(s->initiation)) &&
	    s->initiation[0] == 0)
		must(HW_E_AUTH);
}

static void reject_mac2_once(void *ctx)
{
	struct shake *s = ctx;

	if (hw_cookie_check_mac2(&s->checker, s->initiation, sizeof(s->initiation), &s->from,
				 HW_S(1)))
		must(HW_E_AUTH);
}

static void answer_cookie_once(void *ctx)
{
	struct shake *s = ctx;
	uint8_t random[HW_COOKIE_RANDOM_BYTES], answer[HW_WIRE_COOKIE_BYTES];

	hw_rng_fill(&s->rng, random, sizeof(random));
	must(hw_cookie_answer(&s->checker, s->initiation, sizeof(s->initiation), &s->from, HW_S(1),
			      random, answer));
}

/* An initiation with a right mac1 from someone who knows no more than our public key. */
static void reject_static_once(void *ctx)
{
	struct shake *s = ctx;
	struct hw_initiation initiation;

	s->initiation[40] ^= 1;
	if (hw_handshake_open_initiation(&s->bob_id, s->initiation, sizeof(s->initiation),
					 &initiation) != HW_E_AUTH)
		must(HW_E_AUTH);
	s->initiation[40] ^= 1;
}

static void bench_handshake(const struct hw_suite *suite)
{
	static const uint8_t alice_private[32] = { 8 }, bob_private[32] = { 16 }, psk[32] = { 3 };
	struct shake s = { .wall_ns = 1, .from = { .ip = { 127, 0, 0, 1 }, .family = 4 } };

	hw_rng_init(&s.rng, 1);
	must(hw_crypto_new(&s.crypto));
	must(hw_handshake_identity_init(&s.alice_id, s.crypto, suite, alice_private));
	must(hw_handshake_identity_init(&s.bob_id, s.crypto, suite, bob_private));
	must(hw_handshake_init(&s.alice, &s.alice_id, s.bob_id.public_key, psk));
	must(hw_handshake_init(&s.bob, &s.bob_id, s.alice_id.public_key, psk));
	must(hw_cookie_checker_init(&s.checker, s.crypto, s.bob_id.public_key));
	must(hw_cookie_maker_init(&s.maker, s.crypto, s.bob_id.public_key));

	print_line("handshake, both sides", measure(shake_once, &s));
	print_line("handshake, create an initiation", measure(initiate_once, &s));
	print_line("refuse an initiation: mac1", measure(reject_mac1_once, &s));
	answer_cookie_once(&s);
	print_line("refuse an initiation: mac2", measure(reject_mac2_once, &s));
	print_line("refuse an initiation: static key", measure(reject_static_once, &s));
	print_line("answer with a cookie", measure(answer_cookie_once, &s));

	hw_handshake_fini(&s.alice);
	hw_handshake_fini(&s.bob);
	hw_handshake_identity_fini(&s.alice_id);
	hw_handshake_identity_fini(&s.bob_id);
	hw_cookie_checker_fini(&s.checker);
	hw_cookie_maker_fini(&s.maker);
	hw_crypto_free(s.crypto);
}

#define STAMP_TEXT_BYTES 29 /* what a path stamp's MAC covers */

struct sip {
	struct hw_siphash_key key;
	EVP_MAC_CTX *ctx;
	uint8_t data[STAMP_TEXT_BYTES];
	uint64_t sum; /* keeps the results alive */
};

static void siphash_once(void *ctx)
{
	struct sip *s = ctx;

	s->data[0]++;
	s->sum += hw_siphash(&s->key, s->data, sizeof(s->data));
}

static void evp_siphash_once(void *ctx)
{
	struct sip *s = ctx;
	uint8_t out[8];

	s->data[0]++;
	if (EVP_MAC_init(s->ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(s->ctx, s->data, sizeof(s->data)) != 1 ||
	    EVP_MAC_final(s->ctx, out, NULL, sizeof(out)) != 1)
		must(HW_E_CRYPTO);
	s->sum += out[0];
}

static void bench_siphash(void)
{
	static const uint8_t bytes[HW_SIPHASH_KEY_BYTES] = { 1 };
	size_t out_bytes = 8;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_bytes),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	struct sip s = { .ctx = mac ? EVP_MAC_CTX_new(mac) : NULL };

	if (!s.ctx || EVP_MAC_init(s.ctx, bytes, sizeof(bytes), params) != 1)
		must(HW_E_CRYPTO);
	hw_siphash_key_init(&s.key, bytes);
	print_line("siphash 29 bytes, own", measure(siphash_once, &s));
	print_line("siphash 29 bytes, libcrypto's EVP_MAC", measure(evp_siphash_once, &s));
	EVP_MAC_CTX_free(s.ctx);
	EVP_MAC_free(mac);
}

int main(void)
{
	for (size_t i = 0; hw_suite_at(i); i++)
		bench_suite(hw_suite_at(i));
	bench_handshake(hw_suite_at(0));
	bench_siphash();
	return 0;
}
