/*
 * No key ever seals under the same nonce twice, whatever fails: the suite remembers every (key, nonce)
 * over restarts, renewals, refused sends, full outputs, an empty pool and seals that fail.
 */
#include "test.h"

#include <stdlib.h>

#include "world.h"

#include "tests/toy_suite.h"
#include "core/internal.h"

#define SEEDS 25u
#define STEPS 400u
#define ROOM (1u << 20)

static struct world w;
static struct hw_suite suite; /* toy_suite with a name in the handshake */
static uint64_t *seen; /* hashes of (key, nonce); 64 bits do not collide by accident */
static uint64_t seals;
static uint32_t twice;

static void remember(const struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES])
{
	uint64_t hash = hw_siphash(&key->tag1, nonce, HW_AEAD_NONCE_BYTES) ^
			hw_siphash(&key->stream, nonce, HW_AEAD_NONCE_BYTES);
	size_t at = hash % ROOM;

	for (; seen[at] != 0; at = (at + 1) % ROOM) {
		if (seen[at] == hash)
			twice++;
	}
	seen[at] = hash;
	seals++;
	assert_true(seals < ROOM / 2);
}

/* Takes all buffers but `leave`; gives them back in a list. */
static struct hw_buf *exhaust(struct hw_pool *pool, uint32_t leave)
{
	struct hw_buf *list = NULL;

	while (hw_pool_available(pool) > leave) {
		struct hw_buf *buf = hw_buf_get(pool);

		buf->next = list;
		list = buf;
	}
	return list;
}

static void give_back(struct hw_buf *list)
{
	while (list != NULL) {
		struct hw_buf *buf = list;

		list = buf->next;
		hw_buf_unref(buf);
	}
}

/* Packets into the node without taking anything away: its output fills. */
static void stuff(int n, uint32_t count, uint32_t len)
{
	for (uint32_t i = 0; i < count; i++) {
		struct hw_buf *buf = hw_buf_get(w.node[n].pool);

		if (buf == NULL)
			return;
		memset(hw_buf_put(buf, len), 0, len);
		buf->data[0] = 0x45;
		hw_core_packets_in(w.node[n].core, &buf, 1, w.now);
	}
}

static void fail_sends(int n)
{
	struct hw_datagram_out out;

	while (hw_core_datagrams_out(w.node[n].core, &out, 1) > 0) {
		hw_buf_unref(out.body);
		hw_core_send_failed(w.node[n].core, &out.tuple, hw_rng_below(&w.rng, 20) == 0, w.now);
	}
}

static void renew(int n)
{
	struct hw_peer *peer = &w.node[n].core->peers[0];

	if (peer->slots.current != NULL && peer->slots.current->initiator)
		peer->slots.params.rekey_after = 0;
	peer->initiate_at = 0;
	hw_core_tick(w.node[n].core, w.now);
	peer->slots.params.rekey_after = HW_S(20);
	world_flush(&w, n);
}

static void step(uint32_t number)
{
	int n = (int)hw_rng_below(&w.rng, 2);
	struct hw_buf *list;

	switch (hw_rng_below(&w.rng, 12)) {
	case 0:
		if (hw_rng_below(&w.rng, 4) != 0)
			break;
		world_stop(&w, n);
		world_run(&w, w.now + HW_MS(hw_rng_below(&w.rng, 500)));
		world_start(&w, n);
		break;
	case 1:
		renew(n);
		break;
	case 2:
		toy.fail_seals = (unsigned)hw_rng_below(&w.rng, 5);
		break;
	case 3:
		stuff(n, 20, 100);
		fail_sends(n);
		break;
	case 4:
		stuff(n, 1500, 60);
		world_flush(&w, n);
		break;
	case 5:
		list = exhaust(w.node[n].pool, (uint32_t)hw_rng_below(&w.rng, 6));
		stuff(n, 3, 1900);
		hw_core_tick(w.node[n].core, w.now);
		world_flush(&w, n);
		give_back(list);
		break;
	case 6:
		w.cut[hw_rng_below(&w.rng, WORLD_LINKS)] ^= true;
		break;
	default:
		world_send(&w, n, 100 + (uint32_t)hw_rng_below(&w.rng, 1300), number);
		break;
	}
	world_run(&w, w.now + HW_MS(hw_rng_below(&w.rng, 60)));
}

static void no_nonce_serves_twice(void **state)
{
	uint64_t sessions = 0, failures = 0, total = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		memset(seen, 0, ROOM * sizeof(*seen));
		seals = 0;
		toy = (struct toy_control){ .sealed = remember };
		world_init(&w, seed);
		for (int n = 0; n < 2; n++) {
			w.node[n].config.suite = &suite;
			w.node[n].config.rekey_after = HW_S(2);
			w.node[n].config.reject_after = HW_S(30);
			w.node[n].config.tunnel_mtu = 1900;
		}
		w.loss = 0.1;
		world_start(&w, 1);
		world_start(&w, 0);
		for (uint32_t i = 0; i < STEPS; i++) {
			struct hw_core_totals t;

			step(i);
			hw_core_totals(w.node[0].core, &t);
			failures += t.drops[HW_DROP_tx_seal] + t.drops[HW_DROP_tx_no_buffer];
		}
		sessions += w.node[0].core->peers[0].next_generation;
		total += seals;
		world_fini(&w);
		assert_int_equal(twice, 0);
	}
	/* All that was meant to happen did. */
	assert_true(sessions > SEEDS && failures > SEEDS && total > 10000 * SEEDS);
	print_message("# %llu seals\n", (unsigned long long)total);
}

/* That the memory itself would notice. */
static void a_repeated_nonce_is_noticed(void **state)
{
	const uint8_t bytes[HW_AEAD_KEY_BYTES] = { 1 }, nonce[HW_AEAD_NONCE_BYTES] = { 2 };
	struct hw_aead_key *key;
	uint8_t data[32] = { 0 };

	(void)state;
	memset(seen, 0, ROOM * sizeof(*seen));
	toy = (struct toy_control){ .sealed = remember };
	assert_int_equal(toy_suite.key_new(bytes, true, &key), 0);
	assert_int_equal(toy_suite.seal(key, nonce, NULL, 0, data, 0), 0);
	assert_int_equal(twice, 0);
	assert_int_equal(toy_suite.seal(key, nonce, NULL, 0, data, 0), 0);
	assert_int_equal(twice, 1);
	toy_suite.key_free(key);
	twice = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeated_nonce_is_noticed),
		cmocka_unit_test(no_nonce_serves_twice),
	};
	int failures;

	suite = toy_suite;
	suite.noise_name = hw_suite_at(0)->noise_name;
	suite.noise_nonce = hw_suite_at(0)->noise_nonce;
	seen = malloc(ROOM * sizeof(*seen));
	if (seen == NULL)
		return 1;
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	free(seen);
	return failures;
}
