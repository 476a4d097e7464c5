#include "test.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/rng.h"
#include "session/handshake.h"
#include "session/session.h"
#include "session/slots.h"
#include "tests/toy_suite.h"

#define T0 HW_S(1000)

static const struct hw_replay_params replay = { 64, 4096, HW_S(10) };

static struct hw_slots_params params(void)
{
	return (struct hw_slots_params){
		.rekey_after = HW_S(120),
		.reject_after = HW_S(180),
		.keep_after = HW_S(10),
		.rekey_packets = 1000,
	};
}

static struct hw_session *make(bool initiator, uint32_t index, hw_time now)
{
	struct hw_session_keys keys;
	struct hw_session *session;

	memset(&keys, 0, sizeof(keys));
	hw_store32(initiator ? keys.send : keys.receive, index);
	hw_store32((initiator ? keys.receive : keys.send) + 4, index);
	keys.local_index = index;
	keys.remote_index = index;
	keys.initiator = initiator;
	assert_int_equal(hw_session_new(&keys, &toy_suite, &replay, now, &session), 0);
	return session;
}

/* What hw_session_open does to a session when a packet has come in. */
static bool hear(struct hw_slots *slots, struct hw_session *session, hw_time now)
{
	session->confirmed = true;
	session->opened_at = now;
	return hw_slots_opened(slots, session, now);
}

static int setup(void **state)
{
	static struct hw_slots slots;
	struct hw_slots_params p = params();

	memset(&toy, 0, sizeof(toy));
	hw_slots_init(&slots, &p);
	*state = &slots;
	return 0;
}

static int teardown(void **state)
{
	hw_slots_fini(*state);
	assert_int_equal(toy.keys_alive, 0);
	return 0;
}

static void empty_slots_have_nothing(void **state)
{
	struct hw_slots *s = *state;

	assert_null(hw_slots_sealing(s, T0));
	assert_null(hw_slots_find(s, 1));
	assert_false(hw_slots_rekey_due(s, T0));
	assert_int_equal(hw_slots_next_deadline(s, T0), HW_TIME_NEVER);
	hw_slots_expire(s, T0);
}

static void initiators_session_is_current_at_once(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(true, 1, T0);
	struct hw_session *two = make(true, 2, T0 + HW_S(120));

	hw_slots_install(s, one, T0);
	assert_ptr_equal(hw_slots_sealing(s, T0), one);
	hw_slots_install(s, two, T0 + HW_S(120));
	assert_ptr_equal(hw_slots_sealing(s, T0 + HW_S(120)), two);
	assert_int_equal(s->previous_count, 1);
	assert_ptr_equal(hw_slots_find(s, 1), one);
	assert_ptr_equal(hw_slots_find(s, 2), two);
	assert_null(hw_slots_find(s, 3));
	/* Old packets change nothing about what is current. */
	assert_false(hear(s, one, T0 + HW_S(121)));
	assert_ptr_equal(s->current, two);
}

static void responders_session_waits_for_its_first_packet(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(false, 1, T0);
	struct hw_session *two = make(false, 2, T0 + HW_S(120));

	hw_slots_install(s, one, T0);
	assert_null(hw_slots_sealing(s, T0));
	assert_ptr_equal(hw_slots_find(s, 1), one);
	assert_true(hear(s, one, T0 + 1));
	assert_false(hear(s, one, T0 + 2));
	assert_ptr_equal(hw_slots_sealing(s, T0 + 2), one);

	hw_slots_install(s, two, T0 + HW_S(120));
	assert_ptr_equal(hw_slots_sealing(s, T0 + HW_S(121)), one);
	assert_false(hear(s, one, T0 + HW_S(121)));
	assert_true(hear(s, two, T0 + HW_S(122)));
	assert_ptr_equal(hw_slots_sealing(s, T0 + HW_S(122)), two);
	assert_ptr_equal(hw_slots_find(s, 1), one);
	assert_null(s->next);
}

static void displaced_next_still_opens_and_may_become_current(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(false, 1, T0);
	struct hw_session *two = make(false, 2, T0 + HW_S(1));

	hw_slots_install(s, one, T0);
	hw_slots_install(s, two, T0 + HW_S(1));
	assert_ptr_equal(hw_slots_find(s, 1), one);
	/* The initiator has `one`, so it can be sealed with until `two` is confirmed. */
	assert_true(hear(s, one, T0 + HW_S(2)));
	assert_ptr_equal(s->current, one);
	assert_int_equal(s->previous_count, 0);
	assert_true(hear(s, two, T0 + HW_S(3)));
	assert_ptr_equal(s->current, two);
	assert_false(hear(s, one, T0 + HW_S(4)));
	assert_ptr_equal(s->current, two);
}

/* Both ends begin at once: each keeps sealing with its own, each opens the other's. */
static void crossed_handshakes_serve_both(void **state)
{
	struct hw_slots *x = *state;
	struct hw_slots y_slots, *y = &y_slots;
	struct hw_slots_params p = params();

	hw_slots_init(y, &p);
	hw_slots_install(x, make(false, 2, T0 + 1), T0 + 1); /* answers the other's initiation */
	hw_slots_install(y, make(false, 1, T0 + 1), T0 + 1);
	hw_slots_install(x, make(true, 1, T0 + 2), T0 + 2); /* gets the answer to its own */
	hw_slots_install(y, make(true, 2, T0 + 2), T0 + 2);
	for (hw_time t = T0 + 3; t < T0 + HW_S(120); t += HW_S(5)) {
		struct hw_session *to_y = hw_slots_find(y, hw_slots_sealing(x, t)->remote_index);
		struct hw_session *to_x = hw_slots_find(x, hw_slots_sealing(y, t)->remote_index);

		assert_non_null(to_y);
		assert_non_null(to_x);
		assert_false(hear(y, to_y, t));
		assert_false(hear(x, to_x, t));
		hw_slots_expire(x, t);
		hw_slots_expire(y, t);
	}
	/* Somebody will renew them. */
	assert_true(hw_slots_rekey_due(x, T0 + HW_S(121)));
	hw_slots_fini(y);
}

/* Both ends begin at once, and one of them yields: one session serves both. */
static void of_crossed_sessions_one_yields(void **state)
{
	struct hw_slots *x = *state;
	struct hw_slots y_slots, *y = &y_slots;
	struct hw_slots_params p = params();
	struct hw_session *own = make(true, 2, T0 + 2);

	p.yields = true;
	own->began_at = T0;
	hw_slots_init(y, &p);
	hw_slots_install(x, make(false, 2, T0 + 1), T0 + 1);
	hw_slots_install(y, make(false, 1, T0 + 1), T0 + 1);
	hw_slots_install(x, make(true, 1, T0 + 2), T0 + 2);
	hw_slots_install(y, own, T0 + 2);
	assert_false(hear(x, hw_slots_find(x, 2), T0 + 3));
	assert_int_equal(hw_slots_sealing(x, T0 + 3)->local_index, 1);
	assert_true(hear(y, hw_slots_find(y, 1), T0 + 3));
	assert_int_equal(hw_slots_sealing(y, T0 + 3)->local_index, 1);
	/* Their packets under the other one, still under way, change nothing. */
	assert_false(hear(y, own, T0 + 4));
	assert_int_equal(hw_slots_sealing(y, T0 + 4)->local_index, 1);
	assert_true(hw_slots_rekey_due(x, T0 + HW_S(121)));
	assert_false(hw_slots_rekey_due(y, T0 + HW_S(121)));
	hw_slots_fini(y);
}

/* A late first packet under what was begun before this side began is no reason to go back. */
static void nobody_yields_to_an_older_session(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *own = make(true, 2, T0 + HW_S(2));
	struct hw_session *older = make(false, 1, T0);

	s->params.yields = true;
	own->began_at = T0 + HW_S(1);
	hw_slots_install(s, older, T0);
	hw_slots_install(s, own, T0 + HW_S(2));
	assert_false(hear(s, older, T0 + HW_S(3)));
	assert_ptr_equal(hw_slots_sealing(s, T0 + HW_S(3)), own);
}

static void a_goodbye_ends_what_is_not_newer(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *old = make(true, 1, T0), *present = make(true, 2, T0 + 10);
	struct hw_session *coming = make(false, 3, T0 + 20);

	hw_slots_install(s, old, T0);
	hw_slots_install(s, present, T0 + 10);
	hw_slots_install(s, coming, T0 + 20);
	assert_true(hw_slots_close(s, present));
	assert_null(hw_slots_find(s, 1));
	assert_null(hw_slots_find(s, 2));
	assert_ptr_equal(hw_slots_find(s, 3), coming);
	assert_int_equal(toy.keys_alive, 2);
	assert_true(hw_slots_close(s, coming));
	assert_int_equal(toy.keys_alive, 0);
}

static void superseded_sessions_go_when_unused(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(true, 1, T0);
	hw_time t = T0 + HW_S(50);

	hw_slots_install(s, one, T0);
	hw_slots_install(s, make(true, 2, t), t);
	assert_int_equal(hw_slots_next_deadline(s, t), t + HW_S(10));
	assert_false(hear(s, one, t + HW_S(3)));
	assert_int_equal(hw_slots_next_deadline(s, t), t + HW_S(13));
	hw_slots_expire(s, t + HW_S(13) - 1);
	assert_ptr_equal(hw_slots_find(s, 1), one);
	hw_slots_expire(s, t + HW_S(13));
	assert_null(hw_slots_find(s, 1));
	assert_int_equal(toy.keys_alive, 2);
	assert_int_equal(hw_slots_next_deadline(s, t + HW_S(13)), t + HW_S(120));
}

static void nothing_outlives_the_reject_time(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(true, 1, T0);
	hw_time end = T0 + HW_S(180);

	hw_slots_install(s, one, T0);
	assert_ptr_equal(hw_slots_sealing(s, end - 1), one);
	assert_true(hw_slots_may_open(s, one, end - 1));
	assert_null(hw_slots_sealing(s, end));
	assert_false(hw_slots_may_open(s, one, end));
	assert_false(hw_slots_rekey_due(s, end));
	assert_int_equal(hw_slots_next_deadline(s, T0 + HW_S(120)), end);
	hw_slots_expire(s, end - 1);
	assert_ptr_equal(s->current, one);
	hw_slots_expire(s, end);
	assert_null(s->current);

	/* One that waits for its first packet, and one that is superseded but still heard. */
	hw_slots_install(s, make(false, 2, end), end);
	assert_int_equal(hw_slots_next_deadline(s, end), end + HW_S(180));
	hw_slots_expire(s, end + HW_S(180) - 1);
	assert_non_null(s->next);
	hw_slots_expire(s, end + HW_S(180));
	assert_null(s->next);

	struct hw_session *three = make(true, 3, T0);

	hw_slots_install(s, three, T0);
	hw_slots_install(s, make(true, 4, T0 + HW_S(175)), T0 + HW_S(175));
	assert_false(hear(s, three, end - 1));
	assert_int_equal(hw_slots_next_deadline(s, end - 1), end);
	hw_slots_expire(s, end);
	assert_null(hw_slots_find(s, 3));
}

static void rekeying_is_due_by_time_for_the_initiator(void **state)
{
	struct hw_slots *s = *state;

	hw_slots_install(s, make(true, 1, T0), T0);
	assert_int_equal(hw_slots_next_deadline(s, T0), T0 + HW_S(120));
	assert_false(hw_slots_rekey_due(s, T0 + HW_S(120) - 1));
	assert_true(hw_slots_rekey_due(s, T0 + HW_S(120)));
	assert_true(hw_slots_rekey_due(s, T0 + HW_S(180) - 1));
	hw_slots_clear(s);
	hw_slots_install(s, make(false, 2, T0), T0);
	assert_true(hear(s, s->next, T0));
	assert_false(hw_slots_rekey_due(s, T0 + HW_S(180) - 1));
	assert_int_equal(hw_slots_next_deadline(s, T0), T0 + HW_S(180));
}

static void rekeying_is_due_by_packets_either_way(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(true, 1, T0);

	hw_slots_install(s, one, T0);
	one->tx_counter[3] = 999;
	assert_false(hw_slots_rekey_due(s, T0));
	one->tx_counter[3] = 1000;
	assert_true(hw_slots_rekey_due(s, T0));
	one->tx_counter[3] = 0;
	one->rx[5] = malloc(sizeof(*one->rx[5]));
	assert_non_null(one->rx[5]);
	assert_int_equal(hw_replay_init(one->rx[5], &replay), 0);
	assert_false(hw_slots_rekey_due(s, T0));
	assert_int_equal(hw_replay_accept(one->rx[5], 998, T0), HW_REPLAY_NEW);
	assert_false(hw_slots_rekey_due(s, T0));
	assert_int_equal(hw_replay_accept(one->rx[5], 999, T0), HW_REPLAY_NEW);
	assert_true(hw_slots_rekey_due(s, T0));
}

static void suite_limit_stops_sealing_and_asks_for_keys(void **state)
{
	struct hw_slots *s = *state;
	struct hw_session *one = make(true, 1, T0);

	s->params.rekey_packets = UINT64_MAX;
	hw_slots_install(s, one, T0);
	one->sealed = toy_suite.packet_limit / 2 - 1;
	assert_false(hw_slots_rekey_due(s, T0));
	one->sealed++;
	assert_true(hw_slots_rekey_due(s, T0));
	assert_ptr_equal(hw_slots_sealing(s, T0), one);
	one->sealed = toy_suite.packet_limit - 1;
	assert_ptr_equal(hw_slots_sealing(s, T0), one);
	one->sealed++;
	assert_null(hw_slots_sealing(s, T0));
	assert_true(hw_slots_rekey_due(s, T0));
	one->sealed = 0;
	one->rx[0] = malloc(sizeof(*one->rx[0]));
	assert_non_null(one->rx[0]);
	assert_int_equal(hw_replay_init(one->rx[0], &replay), 0);
	assert_int_equal(hw_replay_accept(one->rx[0], toy_suite.packet_limit / 2 - 2, T0), HW_REPLAY_NEW);
	assert_false(hw_slots_rekey_due(s, T0));
	assert_int_equal(hw_replay_accept(one->rx[0], toy_suite.packet_limit / 2 - 1, T0), HW_REPLAY_NEW);
	assert_true(hw_slots_rekey_due(s, T0));
}

static uint32_t dropped[64];
static uint32_t dropped_count;

static void note_drop(void *ctx, struct hw_session *session)
{
	assert_ptr_equal(ctx, &dropped_count);
	dropped[dropped_count++] = session->local_index;
	hw_session_free(session);
}

static void memory_is_bounded(void **state)
{
	struct hw_slots *s = *state;

	s->params.drop = note_drop;
	s->params.ctx = &dropped_count;
	dropped_count = 0;
	for (uint32_t i = 0; i < 40; i++)
		hw_slots_install(s, make(true, i, T0 + i), T0 + i);
	hw_slots_install(s, make(false, 40, T0 + 40), T0 + 40);
	assert_int_equal(s->previous_count, HW_SLOTS_PREVIOUS);
	assert_int_equal(toy.keys_alive, 2 * HW_SLOTS_SESSIONS);
	assert_int_equal(dropped_count, 41 - HW_SLOTS_SESSIONS);
	for (uint32_t i = 0; i < dropped_count; i++)
		assert_int_equal(dropped[i], i); /* superseded first, dropped first */
	hw_slots_clear(s);
	assert_int_equal(dropped_count, 41);
	assert_int_equal(toy.keys_alive, 0);
}

/*
 * Two nodes, one path of 5 ms that loses a fifth, one of 3 s that loses nothing, every packet on
 * both, keys renewed every second. Every packet must be delivered, and once.
 */
#define FLIGHT_ROOM 2048u
#define REKEYS 10000u

struct flight {
	hw_time at;
	uint8_t len;
	uint8_t bytes[40];
};

struct lane {
	struct flight flights[FLIGHT_ROOM];
	uint32_t first, count;
};

struct node {
	struct hw_slots slots;
	struct lane in[2];
	uint64_t sent, delivered, duplicates, refused;
	uint8_t *seen; /* by serial number */
	uint32_t previous_max;
};

static void send_packet(struct node *from, struct node *to, struct hw_pool *pool, struct hw_rng *rng,
			hw_time now)
{
	struct hw_session *session = hw_slots_sealing(&from->slots, now);
	struct hw_buf *buf = hw_buf_get(pool);

	assert_non_null(session);
	hw_store32(hw_buf_put(buf, 4), (uint32_t)from->sent++);
	assert_int_equal(hw_session_seal(session, HW_WIRE_DATA, 1, buf, now), 0);
	for (unsigned path = 0; path < 2; path++) {
		struct lane *lane = &to->in[path];
		struct flight *f = &lane->flights[(lane->first + lane->count) % FLIGHT_ROOM];

		if (path == 0 && hw_rng_below(rng, 5) == 0)
			continue;
		assert_true(lane->count < FLIGHT_ROOM);
		lane->count++;
		f->at = now + (path == 0 ? HW_MS(5) : HW_S(3));
		f->len = (uint8_t)buf->len;
		memcpy(f->bytes, buf->data, buf->len);
	}
	hw_buf_unref(buf);
}

static void receive_packets(struct node *node, struct hw_pool *pool, hw_time now)
{
	for (unsigned path = 0; path < 2; path++)
		while (node->in[path].count > 0) {
			struct lane *lane = &node->in[path];
			struct flight *f = &lane->flights[lane->first];
			struct hw_open_info info;
			struct hw_session *session;
			struct hw_buf *buf;

			if (f->at > now)
				break;
			lane->first = (lane->first + 1) % FLIGHT_ROOM;
			lane->count--;
			session = hw_slots_find(&node->slots, hw_load24(f->bytes + 1));
			if (session == NULL || !hw_slots_may_open(&node->slots, session, now)) {
				node->refused++;
				continue;
			}
			buf = hw_buf_get(pool);
			memcpy(hw_buf_put(buf, f->len), f->bytes, f->len);
			switch (hw_session_open(session, buf, now, &info)) {
			case HW_OPEN_OK:
				(void)hw_slots_opened(&node->slots, session, now);
				assert_false(node->seen[hw_load32(buf->data)]);
				node->seen[hw_load32(buf->data)] = 1;
				node->delivered++;
				break;
			case HW_OPEN_DUPLICATE:
				node->duplicates++;
				break;
			default:
				node->refused++;
			}
			hw_buf_unref(buf);
		}
}

static void rekeying_every_second_loses_nothing(void **state)
{
	const hw_time tick = HW_MS(25);
	struct hw_slots_params p = params();
	struct node *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct hw_pool *pool;
	struct hw_rng rng;
	uint32_t index = 1;
	hw_time now = T0, answer_at = 0, end = HW_TIME_NEVER;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	print_message("# seed 8\n");
	hw_rng_init(&rng, 8);
	p.rekey_after = HW_S(1);
	p.rekey_packets = UINT64_MAX;
	hw_slots_init(&a->slots, &p);
	hw_slots_init(&b->slots, &p);
	a->seen = calloc(1u << 20, 1);
	b->seen = calloc(1u << 20, 1);
	assert_non_null(a->seen);
	assert_non_null(b->seen);
	assert_int_equal(hw_pool_new(4, 256, &pool), 0);
	hw_slots_install(&b->slots, make(false, index, now), now);
	hw_slots_install(&a->slots, make(true, index, now), now);
	for (; now < end + HW_S(4) || end == HW_TIME_NEVER; now += tick) {
		receive_packets(a, pool, now);
		receive_packets(b, pool, now);
		if (answer_at == 0 && hw_slots_rekey_due(&a->slots, now) && end == HW_TIME_NEVER) {
			/* The initiation arrives; its answer takes as long, mostly the fast way. */
			index++;
			hw_slots_install(&b->slots, make(false, index, now), now);
			answer_at = now + (hw_rng_below(&rng, 20) == 0 ? HW_S(3) : HW_MS(5));
		}
		if (answer_at != 0 && now >= answer_at) {
			hw_slots_install(&a->slots, make(true, index, now), now);
			answer_at = 0;
			if (index == REKEYS + 1)
				end = now;
		}
		hw_slots_expire(&a->slots, now);
		hw_slots_expire(&b->slots, now);
		if (a->slots.previous_count > a->previous_max)
			a->previous_max = a->slots.previous_count;
		if (b->slots.previous_count > b->previous_max)
			b->previous_max = b->slots.previous_count;
		if (end != HW_TIME_NEVER)
			continue;
		send_packet(a, b, pool, &rng, now);
		if (hw_slots_sealing(&b->slots, now) != NULL)
			send_packet(b, a, pool, &rng, now);
	}
	print_message("# %u rekeys, %llu + %llu packets, %llu duplicates, at most %u and %u kept\n",
		      index - 1, (unsigned long long)a->sent, (unsigned long long)b->sent,
		      (unsigned long long)(a->duplicates + b->duplicates), a->previous_max,
		      b->previous_max);
	assert_int_equal(index - 1, REKEYS);
	assert_int_equal(a->refused + b->refused, 0);
	assert_int_equal(a->delivered, b->sent);
	assert_int_equal(b->delivered, a->sent);
	assert_true(a->previous_max <= 15 && b->previous_max <= 15);
	assert_true(a->previous_max > 5);
	hw_slots_fini(&a->slots);
	hw_slots_fini(&b->slots);
	hw_pool_free(pool);
	free(a->seen);
	free(b->seen);
	free(a);
	free(b);
}

#define WITH_SLOTS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SLOTS(empty_slots_have_nothing),
		WITH_SLOTS(initiators_session_is_current_at_once),
		WITH_SLOTS(responders_session_waits_for_its_first_packet),
		WITH_SLOTS(displaced_next_still_opens_and_may_become_current),
		WITH_SLOTS(crossed_handshakes_serve_both),
		WITH_SLOTS(of_crossed_sessions_one_yields),
		WITH_SLOTS(a_goodbye_ends_what_is_not_newer),
		WITH_SLOTS(nobody_yields_to_an_older_session),
		WITH_SLOTS(superseded_sessions_go_when_unused),
		WITH_SLOTS(nothing_outlives_the_reject_time),
		WITH_SLOTS(rekeying_is_due_by_time_for_the_initiator),
		WITH_SLOTS(rekeying_is_due_by_packets_either_way),
		WITH_SLOTS(suite_limit_stops_sealing_and_asks_for_keys),
		WITH_SLOTS(memory_is_bounded),
		cmocka_unit_test(rekeying_every_second_loses_nothing),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
