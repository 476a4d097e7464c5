#include "test.h"

#include "base/buf.h"
#include "base/rng.h"
#include "session/handshake.h"
#include "session/session.h"
#include "session/stamp.h"
#include "tests/toy_suite.h"

#define NOW HW_S(100)

struct pair {
	struct hw_pool *pool;
	struct hw_session *a; /* initiator */
	struct hw_session *b;
};

static void make_keys(struct hw_session_keys *a, struct hw_session_keys *b)
{
	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	for (unsigned i = 0; i < 32; i++) {
		a->send[i] = b->receive[i] = (uint8_t)(i + 1);
		b->send[i] = a->receive[i] = (uint8_t)(i + 101);
	}
	for (unsigned i = 0; i < 16; i++) {
		a->stamp_send[i] = b->stamp_receive[i] = (uint8_t)(i + 51);
		b->stamp_send[i] = a->stamp_receive[i] = (uint8_t)(i + 71);
	}
	a->local_index = b->remote_index = 0xaaaaaa;
	b->local_index = a->remote_index = 0xbbbbbb;
	a->initiator = true;
}

static void pair_open(struct pair *p, const struct hw_suite *suite,
		      const struct hw_replay_params *replay)
{
	struct hw_session_keys a, b;

	make_keys(&a, &b);
	assert_int_equal(hw_pool_new(16, 1600, &p->pool), 0);
	assert_int_equal(hw_session_new(&a, suite, replay, NOW, &p->a), 0);
	assert_int_equal(hw_session_new(&b, suite, replay, NOW, &p->b), 0);
}

static const struct hw_replay_params small = { 64, 256, HW_S(10) };

static int setup(void **state)
{
	static struct pair p;

	memset(&toy, 0, sizeof(toy));
	pair_open(&p, &toy_suite, &small);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	hw_session_free(p->a);
	hw_session_free(p->b);
	assert_int_equal(toy.keys_alive, 0);
	hw_pool_free(p->pool); /* asserts that every buffer came back */
	return 0;
}

static struct hw_buf *plain(struct pair *p, const char *text)
{
	struct hw_buf *buf = hw_buf_get(p->pool);

	assert_non_null(buf);
	memcpy(hw_buf_put(buf, (uint32_t)strlen(text)), text, strlen(text));
	return buf;
}

static struct hw_buf *sealed(struct pair *p, struct hw_session *s, unsigned stream, const char *text)
{
	struct hw_buf *buf = plain(p, text);

	assert_int_equal(hw_session_seal(s, HW_WIRE_DATA, stream, buf, NOW), 0);
	return buf;
}

static struct hw_buf *copy_of(struct pair *p, const struct hw_buf *buf)
{
	struct hw_buf *copy = hw_buf_get(p->pool);

	assert_non_null(copy);
	memcpy(hw_buf_put(copy, buf->len), buf->data, buf->len);
	return copy;
}

/* A digest of everything that a refused packet must not change. */
static uint64_t digest(const struct hw_session *s)
{
	static const struct hw_siphash_key key = { 1, 2 };
	struct hw_session plain_state = *s;
	uint64_t sum;

	memset(plain_state.rx_duplicates, 0, sizeof(plain_state.rx_duplicates));
	sum = hw_siphash(&key, &plain_state, sizeof(plain_state));
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		if (s->rx[i] == NULL)
			continue;
		sum = sum * 31 + hw_siphash(&key, s->rx[i], sizeof(*s->rx[i]));
		sum = sum * 31 + hw_siphash(&key, s->rx[i]->bits, s->rx[i]->packets / 8);
	}
	return sum;
}

static void what_is_sealed_opens(void **state)
{
	struct pair *p = *state;

	for (unsigned stream = 0; stream < HW_WIRE_STREAMS; stream++) {
		struct hw_open_info info;

		if (!hw_wire_stream_legal(HW_WIRE_DATA, stream))
			continue;
		for (uint64_t n = 0; n < 3; n++) {
			struct hw_buf *buf = sealed(p, p->a, stream, "an inner packet");

			assert_int_equal(buf->len, 15 + 32);
			assert_int_equal(buf->data[0], 0x40 | stream);
			assert_memory_equal(buf->data + 1, "\xbb\xbb\xbb", 3);
			assert_memory_not_equal(buf->data + 16, "an inner packet", 15);
			assert_int_equal(p->a->tx_counter[stream], n + 1);
			assert_int_equal(hw_session_open(p->b, buf, NOW + 1, &info), HW_OPEN_OK);
			assert_int_equal(info.counter, n);
			assert_int_equal(info.header.stream, stream);
			assert_int_equal(info.header.index, 0xbbbbbb);
			assert_int_equal(buf->len, 15);
			assert_memory_equal(buf->data, "an inner packet", 15);
			assert_int_equal(p->b->rx[stream]->accepted, n + 1);
			assert_int_equal(p->b->opened_at, NOW + 1);
			hw_buf_unref(buf);
		}
	}
	assert_null(p->b->rx[8]);
}

static void empty_and_framed_packets_open(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = sealed(p, p->a, 0, "");
	struct hw_open_info info;

	assert_int_equal(buf->len, 32);
	hw_session_stamp(p->a, buf->data, buf->data + 16, 0, 0, NOW);
	assert_true(hw_session_stamp_valid(p->b, buf->data, buf->len, 0)); /* the least there is */
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	assert_int_equal(buf->len, 0);
	hw_buf_unref(buf);

	buf = plain(p, "\x02\x13half");
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_FRAMED, 7, buf, NOW), 0);
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	assert_int_equal(info.header.type, HW_WIRE_FRAMED);
	assert_memory_equal(buf->data, "\x02\x13half", 6);
	hw_buf_unref(buf);
}

static void exactly_enough_room_is_enough(void **state)
{
	struct pair *p = *state;

	for (uint32_t front = 15; front <= 16; front++) {
		for (uint32_t back = 15; back <= 16; back++) {
			struct hw_buf *buf = hw_buf_get(p->pool);

			assert_non_null(buf);
			hw_buf_put(buf, hw_buf_tailroom(buf) - back);
			memset(buf->data, 0, buf->len);
			memset(hw_buf_push(buf, hw_buf_headroom(buf) - front), 0, 1);
			assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 1, buf, NOW),
					 front == 16 && back == 16 ? 0 : HW_E_SPACE);
			hw_buf_unref(buf);
		}
	}
}

/* Type, stream, index, counter, ciphertext and tag are covered; the stamp is not. */
static void every_sealed_bit_counts(void **state)
{
	struct pair *p = *state;
	struct hw_buf *good = sealed(p, p->a, 1, "twenty-byte packet..");
	struct hw_open_info info = { .counter = 99 };
	uint64_t before;

	hw_buf_unref(sealed(p, p->a, 1, "lost"));

	struct hw_buf *first = sealed(p, p->a, 1, "sets a window");

	assert_int_equal(hw_session_open(p->b, first, NOW, &info), HW_OPEN_OK);
	hw_buf_unref(first);
	info.counter = 99;
	before = digest(p->b);
	for (unsigned bit = 0; bit < 8 * good->len; bit++) {
		struct hw_buf *bad = copy_of(p, good);
		enum hw_open result;

		bad->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (bit / 8 >= 8 && bit / 8 < 16) {
			hw_buf_unref(bad);
			continue;
		}
		result = hw_session_open(p->b, bad, NOW, &info);
		if (bit < 8) /* another type or stream may not exist at all */
			assert_true(result == HW_OPEN_AUTH || result == HW_OPEN_MALFORMED);
		else if (bit / 8 == 7 && bit % 8 == 1) /* 0 became 2, which was seen */
			assert_int_equal(result, HW_OPEN_DUPLICATE);
		else
			assert_int_equal(result, HW_OPEN_AUTH);
		assert_true(digest(p->b) == before);
		hw_buf_unref(bad);
	}
	assert_int_equal(info.counter, 99);
	assert_int_equal(p->b->rx_duplicates[1], 1);
	good->data[9] ^= 0xff;
	assert_int_equal(hw_session_open(p->b, good, NOW, &info), HW_OPEN_OK);
	hw_buf_unref(good);
}

static void wrong_keys_and_directions_fail(void **state)
{
	struct pair *p = *state;
	struct hw_session_keys a, b;
	struct hw_session *stranger;
	struct hw_buf *buf = sealed(p, p->a, 1, "to b");
	struct hw_buf *mirrored = copy_of(p, buf);
	struct hw_open_info info;

	/* Sent back to who sealed it. */
	assert_int_equal(hw_session_open(p->a, mirrored, NOW, &info), HW_OPEN_AUTH);
	make_keys(&a, &b);
	b.receive[13] ^= 1;
	assert_int_equal(hw_session_new(&b, &toy_suite, &small, NOW, &stranger), 0);
	assert_int_equal(hw_session_open(stranger, buf, NOW, &info), HW_OPEN_AUTH);
	assert_null(stranger->rx[1]); /* no memory before the tag */
	assert_false(stranger->confirmed);
	hw_session_free(stranger);
	hw_buf_unref(mirrored);
	hw_buf_unref(buf);
}

static void duplicates_are_found_before_decryption(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = sealed(p, p->a, 1, "copied");
	struct hw_buf *copy = copy_of(p, buf);
	struct hw_open_info info;

	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	assert_int_equal(toy.opens, 1);

	uint64_t before = digest(p->b);
	struct hw_buf *pristine = copy_of(p, copy);

	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(hw_session_open(p->b, copy, NOW + i, &info), HW_OPEN_DUPLICATE);
		assert_int_equal(p->b->rx_duplicates[1], i);
	}
	assert_int_equal(toy.opens, 1);
	assert_int_equal(copy->len, pristine->len);
	assert_memory_equal(copy->data, pristine->data, copy->len);
	assert_true(digest(p->b) == before);
	hw_buf_unref(pristine);
	hw_buf_unref(copy);
	hw_buf_unref(buf);
}

static void old_and_late_packets_have_their_reasons(void **state)
{
	struct pair *p = *state;
	struct hw_buf *first = sealed(p, p->a, 1, "old");
	struct hw_buf *late = NULL, *buf = NULL;
	struct hw_open_info info;

	/* More than 256, all at once: beyond what the window may grow to. */
	for (unsigned i = 1; i <= 256; i++) {
		buf = sealed(p, p->a, 1, "x");
		if (i == 200)
			late = buf;
		else
			assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
		if (i != 200)
			hw_buf_unref(buf);
	}
	toy.opens = 0;

	uint64_t before = digest(p->b);

	assert_int_equal(hw_session_open(p->b, first, NOW, &info), HW_OPEN_OLD);
	assert_int_equal(hw_session_open(p->b, late, NOW + HW_S(10) + 1, &info), HW_OPEN_LATE);
	assert_int_equal(toy.opens, 0);
	assert_true(digest(p->b) == before);
	assert_int_equal(hw_session_open(p->b, late, NOW + HW_S(10), &info), HW_OPEN_OK);
	hw_buf_unref(late);
	hw_buf_unref(first);
}

static void what_is_no_data_packet_is_malformed(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = hw_buf_get(p->pool);
	struct hw_open_info info;

	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_MALFORMED);
	memset(hw_buf_put(buf, 31), 0x41, 31);
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_MALFORMED);
	memset(hw_buf_put(buf, 1), 0x41, 1);
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_AUTH);
	buf->data[0] = 0x48;
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_MALFORMED);
	buf->data[0] = 0x50;
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_MALFORMED);
	hw_buf_unref(buf);
}

static void sealing_refuses_without_using_a_counter(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = plain(p, "text");

	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 8, buf, NOW), HW_E_INVAL);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_FRAMED, 0, buf, NOW), HW_E_INVAL);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_INITIATION, 0, buf, NOW), HW_E_INVAL);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 16, buf, NOW), HW_E_INVAL);
	/* A responder seals nothing before the initiator has shown that it has the keys. */
	assert_int_equal(hw_session_seal(p->b, HW_WIRE_DATA, 1, buf, NOW), HW_E_STATE);
	hw_buf_put(buf, hw_buf_tailroom(buf) - 15);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 1, buf, NOW), HW_E_SPACE);
	hw_buf_trim(buf, 100);
	hw_buf_push(buf, hw_buf_headroom(buf) - 15);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 1, buf, NOW), HW_E_SPACE);
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++)
		assert_int_equal(p->a->tx_counter[i] + p->b->tx_counter[i], 0);
	assert_int_equal(p->a->sealed, 0);
	assert_int_equal(toy.seals, 0);
	hw_buf_pull(buf, 1);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 1, buf, NOW), 0);
	hw_buf_unref(buf);
}

static void responder_may_seal_once_confirmed(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = sealed(p, p->a, 0, "first");
	struct hw_open_info info;

	assert_true(p->a->confirmed);
	assert_false(p->b->confirmed);
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	assert_true(p->b->confirmed);
	hw_buf_unref(buf);
	buf = sealed(p, p->b, 3, "answer");
	assert_int_equal(hw_session_open(p->a, buf, NOW, &info), HW_OPEN_OK);
	assert_memory_equal(buf->data, "answer", 6);
	hw_buf_unref(buf);
}

static void limits_stop_sealing(void **state)
{
	struct pair *p = *state;
	struct hw_suite suite = toy_suite;
	struct pair q;

	suite.packet_limit = 10;
	pair_open(&q, &suite, &small);
	for (unsigned i = 0; i < 10; i++)
		hw_buf_unref(sealed(&q, q.a, i % 8, "x"));

	struct hw_buf *buf = plain(&q, "one too many");

	assert_int_equal(hw_session_seal(q.a, HW_WIRE_DATA, 1, buf, NOW), HW_E_LIMIT);
	assert_int_equal(buf->len, 12);
	assert_int_equal(q.a->sealed, 10);
	hw_buf_unref(buf);
	hw_session_free(q.a);
	hw_session_free(q.b);
	hw_pool_free(q.pool);

	p->a->tx_counter[2] = HW_SESSION_COUNTER_LIMIT - 1;
	hw_buf_unref(sealed(p, p->a, 2, "last"));
	buf = plain(p, "beyond");
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 2, buf, NOW), HW_E_LIMIT);
	assert_int_equal(p->a->tx_counter[2], HW_SESSION_COUNTER_LIMIT);
	assert_int_equal(hw_session_seal(p->a, HW_WIRE_DATA, 3, buf, NOW), 0);
	hw_buf_unref(buf);
}

#define NONCES 4096u

static struct {
	const struct hw_aead_key *key;
	uint8_t nonce[HW_AEAD_NONCE_BYTES];
} nonces[NONCES];
static unsigned nonce_count;

static void remember_nonce(const struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES])
{
	for (unsigned i = 0; i < nonce_count; i++)
		if (nonces[i].key == key && memcmp(nonces[i].nonce, nonce, HW_AEAD_NONCE_BYTES) == 0)
			fail_msg("nonce used twice, first as number %u", i);
	assert_true(nonce_count < NONCES);
	nonces[nonce_count].key = key;
	memcpy(nonces[nonce_count++].nonce, nonce, HW_AEAD_NONCE_BYTES);
}

/* Over all streams, both sides, refusals and failing ciphers. */
static void no_nonce_is_used_twice(void **state)
{
	struct pair *p = *state;
	struct hw_open_info info;
	struct hw_rng rng;
	unsigned failed = 0;
	struct hw_buf *buf;

	print_message("# seed 4\n");
	hw_rng_init(&rng, 4);
	nonce_count = 0;
	toy.sealed = remember_nonce;
	buf = sealed(p, p->a, 0, "hello");
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	hw_buf_unref(buf);
	for (unsigned i = 0; i < 3000; i++) {
		struct hw_session *s = hw_rng_below(&rng, 2) ? p->a : p->b;
		unsigned stream = (unsigned)hw_rng_below(&rng, 16);
		int r;

		toy.fail_seals = hw_rng_below(&rng, 4) == 0;
		buf = plain(p, "payload");
		if (hw_rng_below(&rng, 8) == 0)
			hw_buf_put(buf, hw_buf_tailroom(buf));
		r = hw_session_seal(s, hw_rng_below(&rng, 2) ? HW_WIRE_DATA : HW_WIRE_FRAMED,
				    stream, buf, NOW);
		if (r == HW_E_CRYPTO) {
			failed++;
			assert_int_equal(buf->len, 7);
		}
		hw_buf_unref(buf);
	}
	toy.fail_seals = 0;
	assert_true(failed > 100);
	assert_int_equal(nonce_count, p->a->sealed + p->b->sealed);
	assert_true(nonce_count > 1500);
	print_message("# %u nonces, %u of them failed to seal\n", nonce_count, failed);
}

static void each_copy_has_its_own_stamp(void **state)
{
	struct pair *p = *state;
	struct hw_buf *body = sealed(p, p->a, 5, "one packet, three copies");
	const uint8_t *tag = body->data + body->len - 16;
	struct hw_open_info info;

	assert_int_equal(hw_load32(body->data + 8), 0);
	for (uint16_t path = 0; path < 3; path++) {
		uint8_t head[16];
		struct hw_buf *arrived = copy_of(p, body);
		hw_time sent_at = HW_S(20) + HW_MS(path);

		memcpy(head, body->data, 16);
		hw_session_stamp(p->a, head, tag, (uint8_t)path, (uint16_t)(65534 + path),
				 sent_at);
		assert_memory_equal(head, body->data, 8);
		memcpy(arrived->data, head, 16);
		assert_true(hw_session_stamp_valid(p->b, arrived->data, arrived->len,
						   (uint8_t)path));
		assert_false(hw_session_stamp_valid(p->a, arrived->data, arrived->len,
						   (uint8_t)path));
		assert_false(hw_session_stamp_valid(p->b, arrived->data, arrived->len - 1,
						    (uint8_t)path));
		/* Carried over to another path of the sender's, it says nothing. */
		assert_false(hw_session_stamp_valid(p->b, arrived->data, arrived->len,
						    (uint8_t)(path + 1)));
		assert_false(hw_session_stamp_valid(p->b, arrived->data, arrived->len,
						    HW_STAMP_NO_PATH));
		assert_false(hw_session_stamp_valid(p->b, arrived->data, 31, (uint8_t)path));
		if (path == 0) {
			assert_int_equal(hw_session_open(p->b, arrived, NOW, &info), HW_OPEN_OK);
			assert_int_equal(info.header.path_seq, 65534);
			assert_int_equal(info.header.sent_ticks, hw_wire_ticks(sent_at));
		} else {
			assert_int_equal(hw_session_open(p->b, arrived, NOW, &info),
					 HW_OPEN_DUPLICATE);
			assert_true(hw_session_stamp_valid(p->b, arrived->data, arrived->len,
						   (uint8_t)path));
		}
		hw_buf_unref(arrived);
	}
	hw_buf_unref(body);
}

/* A forged or damaged stamp says nothing, and the packet is as good as before. */
static void a_bad_stamp_has_no_say(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = sealed(p, p->a, 5, "packet");
	struct hw_open_info info;

	hw_session_stamp(p->a, buf->data, buf->data + buf->len - 16, 2, 7, NOW);
	buf->data[9] ^= 1;
	assert_false(hw_session_stamp_valid(p->b, buf->data, buf->len, 2));
	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	hw_buf_unref(buf);
}

static void counters_go_on_past_32_bits(void **state)
{
	struct pair *p = *state;
	struct hw_open_info info;

	p->a->tx_counter[1] = UINT64_C(0x7fffff00);
	for (uint64_t c = p->a->tx_counter[1]; c < UINT64_C(0x300000000); c += UINT64_C(0x7fffffff)) {
		p->a->tx_counter[1] = c;

		struct hw_buf *buf = sealed(p, p->a, 1, "x");
		struct hw_buf *again = copy_of(p, buf);

		assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
		assert_int_equal(info.counter, c);
		assert_int_equal(hw_session_open(p->b, again, NOW, &info), HW_OPEN_DUPLICATE);
		hw_buf_unref(again);
		hw_buf_unref(buf);
	}
}

/* 100,000 forged packets: the state is what it was, and good ones still pass. */
static void forged_packets_change_nothing(void **state)
{
	struct pair *p = *state;
	struct hw_buf *buf = sealed(p, p->a, 1, "good");
	struct hw_open_info info;
	uint64_t results[8] = { 0 };
	struct hw_rng rng;
	uint64_t before;

	assert_int_equal(hw_session_open(p->b, buf, NOW, &info), HW_OPEN_OK);
	hw_buf_unref(buf);
	before = digest(p->b);
	print_message("# seed 6\n");
	hw_rng_init(&rng, 6);
	for (unsigned i = 0; i < 100000; i++) {
		buf = hw_buf_get(p->pool);
		hw_rng_fill(&rng, hw_buf_put(buf, 60), 60);
		buf->data[0] = (uint8_t)(0x40 | hw_rng_below(&rng, 3));
		if (i % 2 == 0)
			hw_store32(buf->data + 4, (uint32_t)hw_rng_below(&rng, 4));
		results[hw_session_open(p->b, buf, NOW + i, &info)]++;
		hw_buf_unref(buf);
	}
	assert_int_equal(results[HW_OPEN_OK], 0);
	assert_int_equal(results[HW_OPEN_AUTH] + results[HW_OPEN_DUPLICATE], 100000);
	assert_int_equal(results[HW_OPEN_DUPLICATE], p->b->rx_duplicates[1]);
	assert_true(results[HW_OPEN_DUPLICATE] > 1000);
	assert_true(digest(p->b) == before);
	assert_null(p->b->rx[0]);
	assert_null(p->b->rx[2]);
}

static void new_refuses_and_cleans_up(void **state)
{
	static const struct hw_replay_params bad = { 65, 128, HW_S(10) };
	struct hw_session_keys a, b;
	struct hw_session *s = NULL;
	unsigned alive = toy.keys_alive;

	(void)state;
	make_keys(&a, &b);
	assert_int_equal(hw_session_new(&a, &toy_suite, &bad, NOW, &s), HW_E_INVAL);
	a.local_index = 0x1000000;
	assert_int_equal(hw_session_new(&a, &toy_suite, &small, NOW, &s), HW_E_INVAL);
	b.remote_index = 0x1000000;
	assert_int_equal(hw_session_new(&b, &toy_suite, &small, NOW, &s), HW_E_INVAL);
	make_keys(&a, &b);
	a.local_index = a.remote_index = 0xffffff; /* the last there is */
	assert_int_equal(hw_session_new(&a, &toy_suite, &small, NOW, &s), 0);
	hw_session_free(s);
	s = NULL;
	make_keys(&a, &b);
	toy.fail_keys = 1;
	assert_int_equal(hw_session_new(&a, &toy_suite, &small, NOW, &s), HW_E_CRYPTO);
	assert_null(s);
	assert_int_equal(toy.keys_alive, alive);
	hw_session_free(NULL);
}

static void real_suites_do_the_same(void **state)
{
	static const struct hw_replay_params standard = { 65536, 524288, HW_S(10) };
	const struct hw_suite *suite;

	(void)state;
	for (size_t i = 0; (suite = hw_suite_at(i)) != NULL; i++) {
		struct hw_open_info info;
		struct pair q;

		pair_open(&q, suite, &standard);
		for (uint64_t n = 0; n < 50; n++) {
			struct hw_buf *buf = sealed(&q, q.a, 1, "over a real cipher");
			struct hw_buf *bad = copy_of(&q, buf);
			struct hw_buf *copy = copy_of(&q, buf);

			bad->data[16 + n % 34] ^= 0x10;
			assert_int_equal(hw_session_open(q.b, bad, NOW, &info), HW_OPEN_AUTH);
			assert_int_equal(hw_session_open(q.b, buf, NOW, &info), HW_OPEN_OK);
			assert_int_equal(info.counter, n);
			assert_memory_equal(buf->data, "over a real cipher", 18);
			assert_int_equal(hw_session_open(q.b, copy, NOW, &info), HW_OPEN_DUPLICATE);
			hw_buf_unref(copy);
			hw_buf_unref(bad);
			hw_buf_unref(buf);
		}
		hw_session_free(q.a);
		hw_session_free(q.b);
		hw_pool_free(q.pool);
	}
	assert_non_null(hw_suite_at(0));
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(what_is_sealed_opens),
		WITH_PAIR(empty_and_framed_packets_open),
		WITH_PAIR(exactly_enough_room_is_enough),
		WITH_PAIR(every_sealed_bit_counts),
		WITH_PAIR(wrong_keys_and_directions_fail),
		WITH_PAIR(duplicates_are_found_before_decryption),
		WITH_PAIR(old_and_late_packets_have_their_reasons),
		WITH_PAIR(what_is_no_data_packet_is_malformed),
		WITH_PAIR(sealing_refuses_without_using_a_counter),
		WITH_PAIR(responder_may_seal_once_confirmed),
		WITH_PAIR(limits_stop_sealing),
		WITH_PAIR(no_nonce_is_used_twice),
		WITH_PAIR(each_copy_has_its_own_stamp),
		WITH_PAIR(a_bad_stamp_has_no_say),
		WITH_PAIR(counters_go_on_past_32_bits),
		WITH_PAIR(forged_packets_change_nothing),
		WITH_PAIR(new_refuses_and_cleans_up),
		cmocka_unit_test(real_suites_do_the_same),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
