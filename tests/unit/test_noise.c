#include "test.h"
#include "hex.h"

#include "crypto/noise.h"

/*
 * Published vectors: haskell-cryptography/cacophony, vectors/cacophony.txt, as carried by
 * mcginty/snow, tests/vectors/cacophony.txt. Keys and payloads are the same in both entries. Their
 * handshake_hash is not compared: it is the hash as it stood before the psk token, while the second
 * message, which matches, is sealed under the hash after it.
 */
static const char prologue_hex[] = "4a6f686e2047616c74";
static const char psk_hex[] = "54686973206973206d7920417573747269616e20706572737065637469766521";
static const char init_static_hex[] =
	"e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
static const char init_ephemeral_hex[] =
	"893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
static const char resp_static_hex[] =
	"4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
static const char resp_public_hex[] =
	"31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62";
static const char resp_ephemeral_hex[] =
	"bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
static const char *const payloads[6] = {
	"4c756477696720766f6e204d69736573",
	"4d757272617920526f746862617264",
	"462e20412e20486179656b",
	"4361726c204d656e676572",
	"4a65616e2d426170746973746520536179",
	"457567656e2042f6686d20766f6e2042617765726b",
};

static const struct vector {
	const char *suite, *messages[6];
} vectors[] = {
	{ "chacha20-poly1305", /* Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s */
	  { "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944001e21de9f98ddd8e2ad"
	    "57527207feb56253c9c94a9e496782ecfcb2a75fbcaf1b52948cc48daefe660c62119ab5000980c84831"
	    "215f2441eba616548e832985464cf17e51ee93109008399a21f7e13f",
	    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843cb765f2caef0751b8f00"
	    "7572dab0322217755c0632f365717edbf34d33e87a",
	    "8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7",
	    "07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef",
	    "6ab1467c0448cc78394494abaaf23afce0e234315d6e2624dcbfa8a21c1c4d073d",
	    "dfc346c0d2296ae6cf1acf6f12b8456a1dba228cf8d8b774aacf1c47fc53aa80ebc7a4c292" } },
	{ "aes-256-gcm", /* Noise_IKpsk2_25519_AESGCM_BLAKE2s */
	  { "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944f70d65fedfd7ad294f4c"
	    "8f5c1324c7c90e54cd8af05652112a27b261e11ce99d9d517c4a1e0753038edb26066b4087b4c230aafa"
	    "22b0552550b723eb69374a674d306a84e1852e30af2e2dbefeb4fd2f",
	    "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088434190dae84b6887641a5f"
	    "81e03d83f7be91fa1134c18dde966e18fc404b97a8",
	    "061b631b380a639a0801920ddf205e2dbf6606c3328683c6af50fc",
	    "c4b5ecd181f80279f2cc41217d490ed56459e3e3fb5e758e522d0d",
	    "43897c593df3b427776e11c3632bb935fd7e31e50a4069c8b559188a04af961e12",
	    "b7f9229e7ba4b89161baca67cef00381ce7b613bdcb8dcf233573476f6164dde9a8b1b9200" } },
};

#define VECTOR_COUNT (sizeof(vectors) / sizeof(vectors[0]))
#define MESSAGE_ROOM 200

/* Both ends of a handshake, with the keys of the vectors. */
struct ends {
	struct hw_crypto *crypto;
	struct hw_dh_key *init_static, *resp_static;
	uint8_t prologue[16], psk[32], init_ephemeral[32], resp_ephemeral[32], ss[32];
	size_t prologue_len;
	struct hw_noise init, resp;
};

struct split {
	uint8_t send[32], receive[32], stamp_send[16], stamp_receive[16];
};

static struct hw_dh_key *dh_key(const char *hex)
{
	struct hw_dh_key *key = NULL;
	uint8_t bytes[32];

	from_hex(hex, bytes, sizeof(bytes));
	assert_int_equal(hw_dh_key_new(bytes, &key), 0);
	return key;
}

static void ends_init(struct ends *e, const struct hw_suite *suite)
{
	uint8_t resp_public[32];

	assert_int_equal(hw_crypto_new(&e->crypto), 0);
	e->init_static = dh_key(init_static_hex);
	e->resp_static = dh_key(resp_static_hex);
	from_hex(resp_public_hex, resp_public, sizeof(resp_public));
	assert_memory_equal(hw_dh_key_public(e->resp_static), resp_public, sizeof(resp_public));
	from_hex(psk_hex, e->psk, sizeof(e->psk));
	from_hex(init_ephemeral_hex, e->init_ephemeral, sizeof(e->init_ephemeral));
	from_hex(resp_ephemeral_hex, e->resp_ephemeral, sizeof(e->resp_ephemeral));
	e->prologue_len = from_hex(prologue_hex, e->prologue, sizeof(e->prologue));
	assert_int_equal(hw_dh(e->init_static, resp_public, e->ss), 0);
	assert_int_equal(hw_noise_init_initiator(&e->init, e->crypto, suite, e->prologue,
						 e->prologue_len, resp_public),
			 0);
	assert_int_equal(hw_noise_init_responder(&e->resp, e->crypto, suite, e->prologue,
						 e->prologue_len, e->resp_static),
			 0);
}

static void ends_fini(struct ends *e)
{
	hw_noise_wipe(&e->init);
	hw_noise_wipe(&e->resp);
	hw_dh_key_free(e->init_static);
	hw_dh_key_free(e->resp_static);
	hw_crypto_free(e->crypto);
}

static int read_initiation(struct ends *e, const uint8_t *message, size_t len, uint8_t *payload)
{
	uint8_t ss[32];
	int err = hw_noise_read_static(&e->resp, e->resp_static, message, len);

	if (err)
		return err;
	err = hw_dh(e->resp_static, e->resp.remote_static, ss);
	return err ? err : hw_noise_read_payload(&e->resp, ss, message, len, payload);
}

/* Messages 3 to 6 of a vector: from the initiator first, each direction counting from 0. */
static void check_transport(const struct vector *v, const struct hw_suite *suite,
			    const struct split *init, const struct split *resp)
{
	for (unsigned m = 2; m < 6; m++) {
		const struct split *from = m % 2 == 0 ? init : resp;
		const struct split *to = m % 2 == 0 ? resp : init;
		uint8_t payload[64], expected[MESSAGE_ROOM], work[MESSAGE_ROOM];
		uint8_t nonce[HW_AEAD_NONCE_BYTES];
		size_t len = from_hex(payloads[m], payload, sizeof(payload));
		struct hw_aead_key *key;

		suite->noise_nonce((m - 2) / 2, nonce);
		assert_int_equal(from_hex(v->messages[m], expected, sizeof(expected)),
				 len + HW_AEAD_TAG_BYTES);
		assert_int_equal(suite->key_new(from->send, true, &key), 0);
		memcpy(work, payload, len);
		assert_int_equal(suite->seal(key, nonce, NULL, 0, work, len), 0);
		suite->key_free(key);
		assert_memory_equal(work, expected, len + HW_AEAD_TAG_BYTES);
		assert_int_equal(suite->key_new(to->receive, false, &key), 0);
		assert_int_equal(suite->open(key, nonce, NULL, 0, work, len + HW_AEAD_TAG_BYTES),
				 0);
		suite->key_free(key);
		assert_memory_equal(work, payload, len);
	}
}

static void published_vectors_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTOR_COUNT; i++) {
		const struct vector *v = &vectors[i];
		const struct hw_suite *suite = hw_suite_find(v->suite);
		uint8_t payload[64], got[64], expected[MESSAGE_ROOM], message[MESSAGE_ROOM];
		struct split init, resp;
		struct ends e;
		size_t len, message_len;

		ends_init(&e, suite);
		len = from_hex(payloads[0], payload, sizeof(payload));
		message_len = from_hex(v->messages[0], expected, sizeof(expected));
		assert_int_equal(message_len, HW_NOISE_INITIATION_BYTES + len);
		assert_int_equal(hw_noise_write_initiation(&e.init, e.init_static, e.ss,
							   e.init_ephemeral, payload, len, message),
				 0);
		assert_memory_equal(message, expected, message_len);
		assert_int_equal(read_initiation(&e, message, message_len, got), 0);
		assert_memory_equal(got, payload, len);
		assert_memory_equal(e.resp.remote_static, hw_dh_key_public(e.init_static), 32);

		len = from_hex(payloads[1], payload, sizeof(payload));
		message_len = from_hex(v->messages[1], expected, sizeof(expected));
		assert_int_equal(message_len, HW_NOISE_RESPONSE_BYTES + len);
		assert_int_equal(hw_noise_write_response(&e.resp, e.psk, e.resp_ephemeral, payload,
							 len, message),
				 0);
		assert_memory_equal(message, expected, message_len);
		assert_int_equal(hw_noise_read_response(&e.init, e.init_static, e.psk, message,
							message_len, got),
				 0);
		assert_memory_equal(got, payload, len);

		assert_memory_equal(e.init.hash, e.resp.hash, sizeof(e.init.hash));
		assert_int_equal(hw_noise_split(&e.init, init.send, init.receive, init.stamp_send,
						init.stamp_receive),
				 0);
		assert_int_equal(hw_noise_split(&e.resp, resp.send, resp.receive, resp.stamp_send,
						resp.stamp_receive),
				 0);
		check_transport(v, suite, &init, &resp);

		assert_memory_equal(init.stamp_send, resp.stamp_receive, 16);
		assert_memory_equal(init.stamp_receive, resp.stamp_send, 16);
		assert_memory_not_equal(init.stamp_send, init.stamp_receive, 16);
		ends_fini(&e);
	}
}

/* The stamp keys by the words of docs/wire.md, from the chaining key before the split. */
static void stamp_keys_come_from_the_chaining_key(void **state)
{
	uint8_t message[MESSAGE_ROOM], ck[32], one[32], two[32];
	struct split init;
	struct ends e;

	(void)state;
	ends_init(&e, hw_suite_at(0));
	assert_int_equal(hw_noise_write_initiation(&e.init, e.init_static, e.ss, e.init_ephemeral,
						   NULL, 0, message),
			 0);
	assert_int_equal(read_initiation(&e, message, HW_NOISE_INITIATION_BYTES, one), 0);
	assert_int_equal(
		hw_noise_write_response(&e.resp, e.psk, e.resp_ephemeral, NULL, 0, message), 0);
	assert_int_equal(hw_noise_read_response(&e.init, e.init_static, e.psk, message,
						HW_NOISE_RESPONSE_BYTES, one),
			 0);
	memcpy(ck, e.init.chaining_key, sizeof(ck));
	assert_int_equal(hw_noise_split(&e.init, init.send, init.receive, init.stamp_send,
					init.stamp_receive),
			 0);
	assert_int_equal(hw_hkdf(e.crypto, ck, "Hawser stamp", 12, one, two, NULL), 0);
	assert_memory_equal(init.stamp_send, one, 16);
	assert_memory_equal(init.stamp_receive, two, 16);
	/* The split leaves nothing behind. */
	assert_int_equal(e.init.step, HW_NOISE_DEAD);
	memset(one, 0, sizeof(one));
	assert_memory_equal(e.init.chaining_key, one, sizeof(one));
	assert_memory_equal(e.init.key, one, sizeof(one));
	assert_memory_equal(e.init.ephemeral, one, sizeof(one));
	ends_fini(&e);
}

static bool all_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++) {
		if (b[i] != 0)
			return false;
	}
	return true;
}

static void nothing_stays_after_a_wipe(void **state)
{
	uint8_t message[MESSAGE_ROOM];
	struct ends e;

	(void)state;
	ends_init(&e, hw_suite_at(0));
	assert_int_equal(hw_noise_write_initiation(&e.init, e.init_static, e.ss, e.init_ephemeral,
						   "x", 1, message),
			 0);
	assert_memory_equal(e.init.ephemeral, e.init_ephemeral, 32);
	hw_noise_wipe(&e.init);
	assert_int_equal(e.init.step, HW_NOISE_DEAD);
	assert_true(all_zero(e.init.ephemeral, 32));
	assert_true(all_zero(e.init.chaining_key, 32));
	assert_true(all_zero(e.init.key, 32));
	ends_fini(&e);
}

/* Any one bit of either message, at every byte: refused, by the half that reads it. */
static void every_flipped_byte_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTOR_COUNT; i++) {
		const struct hw_suite *suite = hw_suite_find(vectors[i].suite);
		uint8_t first[MESSAGE_ROOM], second[MESSAGE_ROOM], payload[64];
		struct hw_noise init, resp;
		size_t len = 5;
		struct ends e;

		ends_init(&e, suite);
		resp = e.resp;
		assert_int_equal(hw_noise_write_initiation(&e.init, e.init_static, e.ss,
							   e.init_ephemeral, "hello", len, first),
				 0);
		for (size_t b = 0; b < HW_NOISE_INITIATION_BYTES + len; b++) {
			bool in_static = b < HW_DH_BYTES + HW_NOISE_STATIC_BYTES;

			/* X25519 ignores the top bit of a public key, but the hash does not. */
			first[b] ^= 0x80;
			e.resp = resp;
			memset(payload, 0xa5, sizeof(payload));
			assert_int_equal(hw_noise_read_static(&e.resp, e.resp_static, first,
							      HW_NOISE_INITIATION_BYTES + len),
					 in_static ? HW_E_AUTH : 0);
			if (!in_static)
				assert_int_equal(hw_noise_read_payload(
							 &e.resp, e.ss, first,
							 HW_NOISE_INITIATION_BYTES + len, payload),
						 HW_E_AUTH);
			assert_int_equal(payload[0], 0xa5);
			first[b] ^= 0x80;
		}
		e.resp = resp;
		assert_int_equal(
			read_initiation(&e, first, HW_NOISE_INITIATION_BYTES + len, payload), 0);
		assert_int_equal(hw_noise_write_response(&e.resp, e.psk, e.resp_ephemeral, "hello",
							 len, second),
				 0);
		init = e.init;
		for (size_t b = 0; b < HW_NOISE_RESPONSE_BYTES + len; b++) {
			second[b] ^= 0x80;
			e.init = init;
			assert_int_equal(
				hw_noise_read_response(&e.init, e.init_static, e.psk, second,
						       HW_NOISE_RESPONSE_BYTES + len, payload),
				HW_E_AUTH);
			second[b] ^= 0x80;
		}
		/* Another psk; then the right one. */
		e.init = init;
		e.psk[31] ^= 1;
		assert_int_equal(hw_noise_read_response(&e.init, e.init_static, e.psk, second,
							HW_NOISE_RESPONSE_BYTES + len, payload),
				 HW_E_AUTH);
		e.psk[31] ^= 1;
		e.init = init;
		assert_int_equal(hw_noise_read_response(&e.init, e.init_static, e.psk, second,
							HW_NOISE_RESPONSE_BYTES + len, payload),
				 0);
		hw_noise_wipe(&init);
		hw_noise_wipe(&resp);
		ends_fini(&e);
	}
}

static void lengths_have_limits(void **state)
{
	static const uint8_t big[HW_NOISE_PAYLOAD_MAX_BYTES + 1];
	uint8_t message[HW_NOISE_INITIATION_BYTES + sizeof(big) + HW_AEAD_TAG_BYTES] = { 0 };
	uint8_t payload[sizeof(big)];
	struct hw_noise init, resp;
	struct ends e;

	(void)state;
	ends_init(&e, hw_suite_at(0));
	init = e.init;
	resp = e.resp;
	assert_int_equal(hw_noise_write_initiation(&e.init, e.init_static, e.ss, e.init_ephemeral,
						   big, sizeof(big), message),
			 HW_E_LIMIT);
	e.init = init;
	assert_int_equal(hw_noise_write_initiation(&e.init, e.init_static, e.ss, e.init_ephemeral,
						   big, sizeof(big) - 1, message),
			 0);
	assert_int_equal(read_initiation(&e, message, HW_NOISE_INITIATION_BYTES - 1, payload),
			 HW_E_TRUNCATED);
	e.resp = resp;
	assert_int_equal(
		read_initiation(&e, message, HW_NOISE_INITIATION_BYTES + sizeof(big), payload),
		HW_E_LIMIT);
	e.resp = resp;
	assert_int_equal(
		read_initiation(&e, message, HW_NOISE_INITIATION_BYTES + sizeof(big) - 1, payload),
		0);
	assert_memory_equal(payload, big, sizeof(big) - 1);
	assert_int_equal(hw_noise_write_response(&e.resp, e.psk, e.resp_ephemeral, big, sizeof(big),
						 message),
			 HW_E_LIMIT);
	assert_int_equal(hw_noise_read_response(&e.init, e.init_static, e.psk, message,
						HW_NOISE_RESPONSE_BYTES - 1, payload),
			 HW_E_TRUNCATED);
	ends_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_match),
		cmocka_unit_test(stamp_keys_come_from_the_chaining_key),
		cmocka_unit_test(nothing_stays_after_a_wipe),
		cmocka_unit_test(every_flipped_byte_is_refused),
		cmocka_unit_test(lengths_have_limits),
	};

	return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
