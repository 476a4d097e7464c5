/*
 * Forged and replayed datagrams change nothing but counters: hw_core_state_hash is the same before
 * and after. A million in the suite; with HW_SOAK_SECONDS in the environment, as many as that takes.
 */
#include "test.h"

#include <stdlib.h>
#include <time.h>

#include "world.h"

#include "base/bytes.h"
#include "crypto/cookie.h"
#include "wire/wire.h"

#define FORGERIES 1000000u
#define KEPT 256u

static struct world w;

/* Datagrams of both nodes, as they went by. */
struct capture {
	struct world_flight kept[KEPT];
	uint32_t count;
	bool hold; /* do not deliver */
};

static struct capture captured[2]; /* by sender */
static struct hw_crypto *crypto;

static bool capture(void *ctx, int from, const struct world_flight *flight)
{
	struct capture *c = (struct capture *)ctx + from;

	c->kept[c->count++ % KEPT] = *flight;
	return !c->hold;
}

/* A session with packets both ways behind it, and nothing under way. */
static int setup(void **state)
{
	(void)state;
	memset(captured, 0, sizeof(captured));
	world_init(&w, 11);
	w.tap = capture;
	w.tap_ctx = captured;
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(1));
	for (uint32_t i = 0; i < 50; i++) {
		world_send(&w, (int)(i & 1), 40 + 20 * i, i);
		world_run(&w, w.now + HW_MS(10));
	}
	do /* until nothing is under way that would still be new */
		world_run(&w, w.now + HW_MS(11));
	while (w.flights > 0);
	assert_true(captured[0].count > 75 && captured[1].count > 75);
	assert_int_equal(hw_crypto_new(&crypto), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hw_crypto_free(crypto);
	world_fini(&w);
	return 0;
}

static uint32_t random_below(uint32_t n)
{
	return (uint32_t)hw_rng_below(&w.rng, n);
}

static const struct world_flight *random_kept(int from)
{
	const struct capture *c = &captured[from];

	return &c->kept[random_below(c->count < KEPT ? c->count : KEPT)];
}

static struct hw_tuple stranger(void)
{
	struct hw_tuple t = { .link = random_below(WORLD_LINKS),
			      .remote = { .family = HW_FAMILY_IPV4, .ip = { 203, 0, 113 } } };

	t.remote.ip[3] = (uint8_t)random_below(256);
	t.remote.port = (uint16_t)random_below(65536);
	return t;
}

/* Puts right MACs for the target's key on a handshake message: all that a stranger can do. */
static void put_macs(int to, uint8_t *message, uint32_t len)
{
	struct hw_cookie_maker maker;
	struct hw_cookie_slot slot = { 0 };

	assert_int_equal(hw_cookie_maker_init(&maker, crypto, w.node[1 - to].peer.public_key), 0);
	assert_int_equal(hw_cookie_add_macs(&maker, &slot, message, len, w.now), 0);
	hw_cookie_maker_fini(&maker);
}

enum kind {
	RANDOM,       /* bytes, with one of the types in front */
	HEADER,       /* a real index and stream, the rest random */
	FLIPPED,      /* a real datagram with some bits changed */
	CUT,          /* a real datagram, shorter or longer */
	REPLAYED,     /* a real datagram again, from where it came or from elsewhere */
	HANDSHAKE,    /* a random handshake message with a right mac1 */
	KINDS
};

static uint32_t handshake_bytes(enum hw_wire_type type)
{
	return type == HW_WIRE_INITIATION ? HW_WIRE_INITIATION_BYTES
	     : type == HW_WIRE_RESPONSE   ? HW_WIRE_RESPONSE_BYTES
					  : HW_WIRE_COOKIE_BYTES;
}

static uint32_t make_handshake(int to, const struct world_flight *real, uint8_t *bytes)
{
	enum hw_wire_type type = (enum hw_wire_type)(HW_WIRE_INITIATION + random_below(3));
	uint32_t len = handshake_bytes(type);

	hw_rng_fill(&w.rng, bytes, len);
	bytes[0] = (uint8_t)(type << 4);
	/* An index that exists, where the type has the receiver's. */
	memcpy(bytes + (type == HW_WIRE_RESPONSE ? 5 : 1), real->bytes + 1, 3);
	if (type == HW_WIRE_RESPONSE)
		bytes[4] = 0;
	if (type != HW_WIRE_COOKIE)
		put_macs(to, bytes, len);
	return len;
}

static uint32_t make(enum kind kind, int to, const struct world_flight *real, uint8_t bytes[2048])
{
	uint32_t len = real->len;

	memcpy(bytes, real->bytes, len);
	switch (kind) {
	case RANDOM:
		len = random_below(1500);
		hw_rng_fill(&w.rng, bytes, len);
		if (len > 0)
			bytes[0] = (uint8_t)(random_below(7) << 4 | random_below(16));
		break;
	case HEADER:
		hw_rng_fill(&w.rng, bytes + 4, len - 4);
		bytes[0] = (uint8_t)((HW_WIRE_DATA + random_below(2)) << 4 | random_below(16));
		break;
	case FLIPPED:
		for (uint32_t n = 1 + random_below(3); n > 0; n--)
			bytes[random_below(len)] ^= (uint8_t)(1u << random_below(8));
		break;
	case CUT:
		len = random_below(len + 32);
		break;
	case HANDSHAKE:
		len = make_handshake(to, real, bytes);
		break;
	case REPLAYED:
	case KINDS:
		break;
	}
	return len;
}

/* Returns how many datagrams it took. */
static uint64_t forge(uint64_t count)
{
	uint8_t bytes[2048];
	uint64_t done = 0;

	for (; done < count; done++) {
		int to = (int)random_below(2);
		const struct world_flight *real = random_kept(1 - to);
		/* Handshakes cost much to make and to refuse: few are enough. */
		enum kind kind = (enum kind)random_below(random_below(20) == 0 ? KINDS : HANDSHAKE);
		struct hw_tuple tuple = random_below(2) != 0 ? stranger() : real->tuple;
		uint32_t len = make(kind, to, real, bytes);

		world_inject(&w, to, &tuple, bytes, len);
	}
	return done;
}

static void forged_and_replayed_by_the_million(void **state)
{
	const char *soak = getenv("HW_SOAK_SECONDS");
	time_t end = time(NULL) + (soak != NULL ? atoi(soak) : 0);
	uint64_t hash[2], delivered[2], total = 0;

	(void)state;
	for (int n = 0; n < 2; n++) {
		hash[n] = hw_core_state_hash(w.node[n].core);
		delivered[n] = w.node[n].delivered;
	}
	w.tap = NULL;
	do {
		for (uint32_t i = 0; i < FORGERIES / 1000; i++) {
			total += forge(1000);
			for (int n = 0; n < 2; n++)
				assert_true(hw_core_state_hash(w.node[n].core) == hash[n]);
			w.flights = 0; /* answers to initiations that were replayed */
		}
		world_check(&w);
	} while (time(NULL) < end);
	for (int n = 0; n < 2; n++)
		assert_int_equal(w.node[n].delivered, delivered[n]);
	print_message("# %llu datagrams\n", (unsigned long long)total);

	/* And the session is none the worse for it. */
	world_send(&w, 0, 100, 1);
	world_send(&w, 1, 100, 1);
	world_run(&w, w.now + HW_MS(500));
	for (int n = 0; n < 2; n++)
		assert_int_equal(w.node[n].delivered, delivered[n] + 1);
}

/*
 * Packets that are still to come, each with each single bit changed, from the right address: whatever
 * the bit, the tag is wrong, or the packet names no session. The stamp (bytes 8 to 15) is no part of
 * that: see the next case.
 */
static void each_bit_of_a_fresh_packet_counts(void **state)
{
	static struct world_flight fresh[6];
	uint64_t hash, delivered = w.node[1].delivered;
	uint32_t count;

	(void)state;
	captured[0].count = 0;
	captured[0].hold = true;
	world_send(&w, 0, 60, 1);   /* a small packet */
	world_send(&w, 0, 1500, 2); /* fragments */
	count = captured[0].count;
	assert_in_range(count, 6, KEPT);
	memcpy(fresh, captured[0].kept, sizeof(fresh));
	hash = hw_core_state_hash(w.node[1].core);
	for (uint32_t i = 0; i < 6; i += 3) {
		for (uint32_t bit = 0; bit < 8 * fresh[i].len; bit++) {
			struct world_flight f = fresh[i];

			if (bit / 8 >= HW_WIRE_STAMP_OFFSET && bit / 8 < HW_WIRE_HEADER_BYTES)
				continue;
			f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			world_inject(&w, 1, &f.tuple, f.bytes, f.len);
			if (bit % 64 == 0)
				assert_true(hw_core_state_hash(w.node[1].core) == hash);
		}
		for (uint32_t len = 0; len < fresh[i].len; len++)
			world_inject(&w, 1, &fresh[i].tuple, fresh[i].bytes, len);
		assert_true(hw_core_state_hash(w.node[1].core) == hash);
	}
	assert_int_equal(w.node[1].delivered, delivered);
	world_inject(&w, 1, &fresh[0].tuple, fresh[0].bytes, fresh[0].len);
	assert_int_equal(w.node[1].delivered, delivered + 1);
	assert_false(hw_core_state_hash(w.node[1].core) == hash);
}

/* A stamp with a wrong MAC is not measured, but the packet, whose tag is right, is delivered. */
static void a_changed_stamp_is_not_measured(void **state)
{
	struct hw_peer_snapshot before, after;
	uint64_t delivered = w.node[1].delivered;
	struct world_flight f;

	(void)state;
	captured[0].hold = true;
	for (uint32_t bit = 0; bit < 64; bit++) {
		captured[0].count = 0;
		world_send(&w, 0, 60, bit);
		f = captured[0].kept[0];
		f.bytes[HW_WIRE_STAMP_OFFSET + bit / 8] ^= (uint8_t)(1u << bit % 8);
		hw_core_peer_snapshot(w.node[1].core, 0, w.now, &before);
		world_inject(&w, 1, &f.tuple, f.bytes, f.len);
		hw_core_peer_snapshot(w.node[1].core, 0, w.now, &after);
		assert_int_equal(w.node[1].delivered, ++delivered);
		for (uint32_t i = 0; i < after.path_count; i++)
			assert_int_equal(after.paths[i].rx_packets, before.paths[i].rx_packets);
	}
}

/* Who sees one path and can send from another path's address: the stamp names its path. */
static void a_copy_on_another_path_changes_nothing(void **state)
{
	uint64_t delivered = w.node[1].delivered, sent = w.sent[1];
	uint64_t hash = hw_core_state_hash(w.node[1].core);

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		const struct world_flight *real = random_kept(0);
		struct hw_tuple tuple = real->tuple;

		if (real->bytes[0] >> 4 < HW_WIRE_DATA)
			continue; /* handshakes may be answered, with no more bytes than came */
		tuple.link = random_below(WORLD_LINKS);
		tuple.remote = w.node[0].addr[tuple.link];
		world_inject(&w, 1, &tuple, real->bytes, real->len);
	}
	assert_true(hw_core_state_hash(w.node[1].core) == hash);
	assert_int_equal(w.node[1].delivered, delivered);
	assert_int_equal(w.sent[1], sent);
}

/*
 * Responses and cookies to a node that awaits them: right mac1, the pending index, from the right
 * address, and yet nobody's.
 */
static void forged_answers_do_not_end_a_handshake(void **state)
{
	uint8_t bytes[HW_WIRE_INITIATION_BYTES];
	uint64_t hash;

	(void)state;
	world_stop(&w, 1); /* nobody answers */
	world_stop(&w, 0);
	world_start(&w, 0);
	captured[0].count = 0;
	world_run(&w, w.now + HW_S(2));
	assert_true(captured[0].count > 0);

	const struct world_flight *initiation =
		&captured[0].kept[(captured[0].count - 1) % KEPT];

	assert_int_equal(initiation->len, HW_WIRE_INITIATION_BYTES);
	hash = hw_core_state_hash(w.node[0].core);
	for (uint32_t i = 0; i < 3000; i++) {
		static const enum hw_wire_type types[] = { HW_WIRE_RESPONSE, HW_WIRE_COOKIE,
							   HW_WIRE_DATA };
		enum hw_wire_type type = types[i / 3 % 3];
		struct hw_tuple from = { .link = i % 3, .remote = w.node[1].addr[i % 3] };

		hw_rng_fill(&w.rng, bytes, sizeof(bytes));
		bytes[0] = (uint8_t)(type << 4);
		bytes[4] = type == HW_WIRE_RESPONSE ? 0 : bytes[4];
		memcpy(bytes + (type == HW_WIRE_RESPONSE ? 5 : 1), initiation->bytes + 1, 3);
		if (type == HW_WIRE_RESPONSE)
			put_macs(0, bytes, HW_WIRE_RESPONSE_BYTES);
		if (type == HW_WIRE_DATA)
			bytes[0] |= HW_WIRE_STREAM_FIRST_CLASS;
		world_inject(&w, 0, &from, bytes, handshake_bytes(type));
		assert_true(hw_core_state_hash(w.node[0].core) == hash);
	}
	world_start(&w, 1);
	world_run(&w, w.now + HW_S(5));
	assert_true(w.node[0].events[HW_EVENT_SESSION_UP] == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(forged_and_replayed_by_the_million),
		TEST(each_bit_of_a_fresh_packet_counts),
		TEST(a_changed_stamp_is_not_measured),
		TEST(a_copy_on_another_path_changes_nothing),
		TEST(forged_answers_do_not_end_a_handshake),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
