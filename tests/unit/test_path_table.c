#include "paths.h"

#include "wire/control.h"

static const uint8_t seed[HW_PATH_SEED_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void drain(struct hw_path_table *table, hw_time now)
{
	struct hw_path_action action;

	while (hw_path_table_next(table, CHALLENGE_BYTES, now, &action))
		;
}

/* The path takes what its link says. */
static void answer_mtu(struct hw_path_table *table, struct hw_path *path, hw_time now)
{
	struct hw_path_action action;

	hw_path_table_tick(table, now);
	while (hw_path_table_next(table, CHALLENGE_BYTES, now, &action))
		if (action.type == HW_PATH_ACTION_MTU_PROBE && action.size == path->link.mtu_bytes)
			hw_path_mtu_replied(path, action.token, action.size, now);
	drain(table, now); /* its event */
}

/* An UP path with an rtt of 20 ms, known to the peer as peer_id. */
static struct hw_path *up_path(struct hw_path_table *table, uint32_t link, uint32_t n,
			       uint8_t peer_id)
{
	struct hw_tuple tuple = tuple_of(link, n);
	struct hw_path *path;

	assert_int_equal(
		hw_path_table_add(table, &tuple, &link_settings, true, start - HW_S(1), &path), 0);
	for (int i = 0; i < 40; i++)
		hw_path_answered(path, HW_MS(20), start - HW_MS(10));
	hw_path_table_learn_peer_id(table, path, peer_id, true);
	drain(table, start - HW_MS(10));
	answer_mtu(table, path, start - HW_MS(10));
	return path;
}

static struct hw_candidate *hear(struct hw_path_table *table, uint32_t link, uint32_t n,
				 uint32_t bytes, hw_time now)
{
	struct hw_tuple tuple = tuple_of(link, n);
	struct hw_candidate *candidate = NULL;

	if (hw_path_table_heard_unknown(table, &tuple, &link_settings, bytes, seed, now,
					&candidate) != 0)
		return NULL;
	return candidate;
}

/* Take all actions; remember the challenges by whom they are for. */
struct asked {
	unsigned candidates, paths, events[HW_PATH_ACTION_EVENT_MOVED + 1];
	uint8_t candidate_challenge[HW_PATH_CHALLENGE_BYTES];
	uint8_t path_challenge[HW_PATH_CHALLENGE_BYTES];
};

static void take(struct hw_path_table *table, hw_time now, struct asked *asked)
{
	struct hw_path_action action;

	while (hw_path_table_next(table, CHALLENGE_BYTES, now, &action)) {
		asked->events[action.type]++;
		if (action.type != HW_PATH_ACTION_CHALLENGE)
			continue;
		if (action.candidate != NULL) {
			hw_candidate_sent(action.candidate, CHALLENGE_BYTES);
			memcpy(asked->candidate_challenge, action.challenge, 8);
			asked->candidates++;
		} else {
			memcpy(asked->path_challenge, action.challenge, 8);
			asked->paths++;
		}
	}
}

/* Run the table's timers up to `until`, taking what is to be done. */
static void run(struct hw_path_table *table, hw_time now, hw_time until, struct asked *asked)
{
	for (;;) {
		take(table, now, asked);
		now = hw_time_max(now, hw_path_table_deadline(table, now));
		if (now > until)
			break;
		hw_path_table_tick(table, now);
	}
}

static int answer(struct hw_path_table *table, uint32_t link, uint32_t n, const uint8_t *challenge,
		  uint8_t peer_id, hw_time now)
{
	struct hw_tuple tuple = tuple_of(link, n);

	return hw_path_table_challenge_replied(table, &tuple, challenge, peer_id, now);
}

static void paths_are_found_by_tuple_and_by_both_numbers(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *paths[5], *path;
	struct hw_tuple tuple;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		paths[i] = up_path(table, i, 1, (uint8_t)(15 - i));
		assert_int_equal(paths[i]->id, i);
	}
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5; i++) {
			tuple = tuple_of(i, 1);
			assert_ptr_equal(hw_path_table_find(table, &tuple), paths[i]);
			assert_ptr_equal(hw_path_table_find(table, &tuple), paths[i]);
			assert_ptr_equal(hw_path_table_at(table, i), paths[i]);
			assert_ptr_equal(hw_path_table_by_peer_id(table, (uint8_t)(15 - i)),
					 paths[i]);
		}
	}
	assert_null(hw_path_table_at(table, 5));
	assert_null(hw_path_table_at(table, UINT32_MAX));
	assert_null(hw_path_table_by_peer_id(table, 3));
	assert_null(hw_path_table_by_peer_id(table, HW_PATH_PEER_ID_NONE));
	tuple = tuple_of(0, 1);
	assert_int_equal(hw_path_table_add(table, &tuple, &link_settings, false, start, &path),
			 HW_E_STATE);
	for (int field = 0; field < 4; field++) { /* any difference makes another tuple */
		tuple = tuple_of(0, 1);
		tuple.link += field == 0 ? 99 : 0;
		tuple.remote.port += field == 1;
		tuple.remote.ip[3] ^= field == 2;
		tuple.local.ip[3] ^= field == 3;
		assert_null(hw_path_table_find(table, &tuple));
	}
	hw_path_table_remove(table, paths[4]);
	hw_path_table_remove(table, paths[1]);
	tuple = tuple_of(1, 1);
	assert_null(hw_path_table_find(table, &tuple));
	assert_null(hw_path_table_at(table, 1));
	assert_int_equal(table->count, 3);
	assert_int_equal(table->end, 4);
	assert_int_equal(up_path(table, 7, 7, 7)->id, 1); /* the lowest free number */
	test_free(table);
}

static void a_path_without_local_address_is_found_by_any(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_tuple tuple = tuple_of(2, 1), other = tuple_of(2, 1);
	struct hw_path *any, *exact;

	(void)state;
	tuple.local = (struct hw_addr){ .family = HW_FAMILY_NONE };
	assert_int_equal(hw_path_table_add(table, &tuple, &link_settings, false, start, &any), 0);
	assert_ptr_equal(hw_path_table_find(table, &other), any);
	other.link = 3;
	assert_null(hw_path_table_find(table, &other));
	other.link = 2;
	assert_int_equal(hw_path_table_add(table, &other, &link_settings, false, start, &exact), 0);
	assert_ptr_equal(hw_path_table_find(table, &other), exact);
	assert_ptr_equal(hw_path_table_find(table, &tuple), any);
	test_free(table);
}

/* What is remembered of earlier searches: links that share a place, paths that move or go. */
static void a_path_is_found_again_only_where_it_is(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *paths[2 * HW_PATH_TABLE_HITS];

	(void)state;
	for (uint32_t i = 0; i < 2 * HW_PATH_TABLE_HITS; i++)
		paths[i] = up_path(table, i, i, i == 12 ? HW_PATH_PEER_ID_NONE : (uint8_t)i);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 2 * HW_PATH_TABLE_HITS; i++) {
			struct hw_tuple tuple = tuple_of(i, i);

			assert_ptr_equal(hw_path_table_find(table, &tuple), paths[i]);
			assert_ptr_equal(hw_path_table_find(table, &tuple), paths[i]);
		}
	}

	struct hw_tuple before = tuple_of(5, 5), after = tuple_of(5, 500);

	assert_ptr_equal(hw_path_table_find(table, &before), paths[5]);
	paths[5]->tuple = after; /* as when it moves */
	assert_null(hw_path_table_find(table, &before));
	assert_ptr_equal(hw_path_table_find(table, &after), paths[5]);
	hw_path_table_remove(table, paths[5]);
	assert_null(hw_path_table_find(table, &after));
	test_free(table);
}

static void the_table_takes_sixteen_paths(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path;

	(void)state;
	for (uint32_t i = 0; i < 17; i++) {
		struct hw_tuple tuple = tuple_of(1, i);
		int error = hw_path_table_add(table, &tuple, &link_settings, i % 2, start, &path);

		assert_int_equal(error, i == 16 ? HW_E_LIMIT : 0);
	}
	assert_int_equal(table->count, 16);
	test_free(table);
}

/* Sixteen learnt paths, one of which the peer has not numbered yet: a new one has to wait, unless one of them is dead. */
static void a_dead_learnt_path_makes_room(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *paths[HW_PATH_TABLE_LEARNT];
	struct hw_tuple tuple = tuple_of(20, 1);

	(void)state;
	for (uint32_t i = 0; i < HW_PATH_TABLE_LEARNT; i++)
		paths[i] = up_path(table, i, i, i == 12 ? HW_PATH_PEER_ID_NONE : (uint8_t)i);
	for (int alive = 1; alive >= 0; alive--) {
		hw_time now = start + (alive ? 0 : HW_S(3));
		struct asked asked = { 0 };

		if (!alive) {
			hw_path_send_failed(paths[6], true, now - 2);
			hw_path_send_failed(paths[3], true, now - 1);
		}
		assert_non_null(hear(table, 20, 1, 100, now));
		take(table, now, &asked);
		assert_int_equal(asked.candidates, 1);
		assert_int_equal(hw_path_table_challenge_replied(
					 table, &tuple, asked.candidate_challenge, 12, now),
				 alive ? HW_E_LIMIT : 0);
		assert_ptr_equal(hw_path_table_find(table, &tuple), alive ? NULL : paths[6]);
	}
	assert_int_equal(paths[6]->peer_id, 12);
	assert_int_equal(paths[6]->state, HW_PATH_UP);
	assert_int_equal(table->count, HW_PATH_TABLE_LEARNT);
	test_free(table);
}

static void peer_ids_move_only_on_proof(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *a = up_path(table, 0, 1, 5),
		       *b = up_path(table, 1, 1, HW_PATH_PEER_ID_NONE);

	(void)state;
	assert_int_equal(b->peer_id, HW_PATH_PEER_ID_NONE);
	hw_path_table_learn_peer_id(table, b, 16, true);
	assert_int_equal(b->peer_id, HW_PATH_PEER_ID_NONE);
	hw_path_table_learn_peer_id(table, b, 5, false); /* held by another */
	assert_int_equal(b->peer_id, HW_PATH_PEER_ID_NONE);
	hw_path_table_learn_peer_id(table, b, 6, false); /* fills a gap */
	assert_int_equal(b->peer_id, 6);
	hw_path_table_learn_peer_id(table, b, 7, false);
	assert_int_equal(b->peer_id, 6);
	hw_path_table_learn_peer_id(table, b, 5, true);
	assert_int_equal(b->peer_id, 5);
	assert_int_equal(a->peer_id, HW_PATH_PEER_ID_NONE);
	test_free(table);
}

/* What the peer has removed leaves nothing to the next path that gets its number there. */
static void a_number_that_the_peer_gave_up_is_nobodys(void **state)
{
	const struct hw_path_theirs theirs = { .link = 3, .use = HW_USE_NEVER, .price = 9 };
	struct hw_path_table *table = new_table();
	struct hw_path *a = up_path(table, 0, 1, 5),
		       *b = up_path(table, 1, 1, HW_PATH_PEER_ID_NONE);

	(void)state;
	hw_path_table_told(table, 5, &theirs);
	assert_int_equal(a->theirs.price, 9);
	hw_path_table_peer_removed(table, 6);
	hw_path_table_peer_removed(table, 16);
	hw_path_table_peer_removed(table, HW_PATH_PEER_ID_NONE);
	assert_int_equal(a->peer_id, 5);
	hw_path_table_peer_removed(table, 5);
	assert_int_equal(a->peer_id, HW_PATH_PEER_ID_NONE);
	assert_int_equal(a->theirs.link, HW_PATH_LINK_UNKNOWN);
	assert_int_equal(a->theirs.use, HW_USE_ALWAYS);
	hw_path_table_learn_peer_id(table, b, 5, false);
	assert_int_equal(b->peer_id, 5);
	assert_int_equal(b->theirs.link, HW_PATH_LINK_UNKNOWN);
	assert_int_equal(b->theirs.price, 0);
	test_free(table);
}

static void an_answering_candidate_becomes_a_path(void **state)
{
	struct hw_path_table *table = new_table();
	struct asked asked = { 0 };
	uint8_t wrong[HW_PATH_CHALLENGE_BYTES];
	struct hw_path *path;

	(void)state;
	assert_non_null(hear(table, 0, 1, 100, start));
	assert_int_equal(answer(table, 0, 1, asked.candidate_challenge, 4, start), HW_E_AUTH);
	take(table, start, &asked);
	assert_int_equal(asked.candidates, 1);
	memcpy(wrong, asked.candidate_challenge, sizeof(wrong));
	wrong[7] ^= 1;
	assert_int_equal(answer(table, 0, 1, wrong, 4, start + HW_MS(30)), HW_E_AUTH);
	assert_int_equal(answer(table, 0, 2, asked.candidate_challenge, 4, start + HW_MS(30)),
			 HW_E_AUTH); /* right bytes from an address that was not asked */
	assert_int_equal(table->count, 0);
	/* The peer has no number for it yet: not enough to decide by. */
	assert_int_equal(answer(table, 0, 1, asked.candidate_challenge, HW_PATH_PEER_ID_NONE,
				start + HW_MS(30)),
			 0);
	assert_int_equal(table->count, 0);
	assert_int_equal(answer(table, 0, 1, asked.candidate_challenge, 4, start + HW_MS(30)), 0);
	path = hw_path_table_by_peer_id(table, 4);
	assert_non_null(path);
	assert_int_equal(path->state, HW_PATH_UP);
	assert_true(path->learnt);
	assert_int_equal(path->rtt.smoothed_ns, HW_MS(30));
	assert_false(table->candidates[0].used);
	take(table, start + HW_MS(30), &asked);
	assert_int_equal(asked.events[HW_PATH_ACTION_EVENT_NEW], 1);
	assert_int_equal(asked.events[HW_PATH_ACTION_EVENT_UP], 1);
	assert_int_equal(asked.events[HW_PATH_ACTION_PROBE], 1);
	test_free(table);
}

static void a_silent_candidate_is_asked_seven_times_and_forgotten(void **state)
{
	struct hw_path_table *table = new_table();
	struct asked asked = { 0 };

	(void)state;
	assert_non_null(hear(table, 0, 1, 1000, start));
	run(table, start, start + HW_MS(14999), &asked);
	assert_int_equal(asked.candidates, 7);
	assert_true(table->candidates[0].used);
	run(table, start + HW_S(15), start + HW_S(20), &asked);
	assert_false(table->candidates[0].used);
	assert_int_equal(asked.candidates, 7);
	assert_true(hw_path_table_deadline(table, start + HW_S(20)) == HW_TIME_NEVER);
	test_free(table);
}

/* Three seconds there and three back. */
static void a_slow_path_is_still_validated(void **state)
{
	struct hw_path_table *table = new_table();
	struct asked asked = { 0 };

	(void)state;
	assert_non_null(hear(table, 0, 1, 1000, start));
	run(table, start, start + HW_S(6), &asked);
	assert_int_equal(answer(table, 0, 1, asked.candidate_challenge, 4, start + HW_S(6)), 0);
	assert_non_null(hw_path_table_by_peer_id(table, 4));
	assert_false(table->candidates[0].used);
	test_free(table);
}

/* Which challenge the answer belongs to is not known, so it gives no round trip (Karn). */
static void a_repeated_challenge_gives_no_rtt(void **state)
{
	struct hw_path_table *table = new_table();
	struct asked asked = { 0 };

	(void)state;
	assert_non_null(hear(table, 0, 1, 1000, start));
	run(table, start, start + HW_MS(210), &asked);
	assert_int_equal(asked.candidates, 2);
	assert_int_equal(answer(table, 0, 1, asked.candidate_challenge, 4, start + HW_MS(215)), 0);
	assert_int_equal(hw_path_table_by_peer_id(table, 4)->rtt.smoothed_ns, -1);
	test_free(table);
}

static void three_times_the_bytes_received_and_no_more(void **state)
{
	struct hw_path_table *table = new_table();
	struct asked asked = { 0 };
	struct hw_candidate *candidate = hear(table, 0, 1, 32, start);

	(void)state;
	run(table, start, start + HW_S(1), &asked);
	/* 96 bytes are allowed: two challenges of 43, not the third and the fourth. */
	assert_int_equal(asked.candidates, 2);
	assert_int_equal(candidate->tx_bytes, 86);
	assert_true(hw_candidate_may_send(candidate, 10));
	assert_false(hw_candidate_may_send(candidate, 11));
	assert_ptr_equal(hear(table, 0, 1, 11, start + HW_S(1)), candidate);
	assert_true(hw_candidate_may_send(candidate, 43));
	assert_false(hw_candidate_may_send(candidate, 44));
	take(table, start + HW_S(1), &asked);
	assert_int_equal(asked.candidates, 3);
	test_free(table);
}

static void four_candidates_and_old_silent_ones_give_way(void **state)
{
	struct hw_path_table *table = new_table();

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		assert_non_null(hear(table, 0, i, 100, start + HW_MS(i)));
	assert_null(hear(table, 0, 4, 100, start + HW_MS(199)));
	for (uint32_t i = 0; i < 4; i++) {
		struct hw_tuple tuple = tuple_of(0, i);

		assert_non_null(hw_path_table_candidate(table, &tuple));
	}
	assert_non_null(hear(table, 0, 4, 100, start + HW_MS(200)));

	struct hw_tuple first = tuple_of(0, 0), second = tuple_of(0, 1);

	assert_null(hw_path_table_candidate(table, &first));
	assert_non_null(hw_path_table_candidate(table, &second));
	/* 10,000 more in no time: the slots stay as they are. */
	for (uint32_t i = 10; i < 10010; i++)
		assert_null(hear(table, 0, i, 100, start + HW_MS(200)));
	assert_int_equal(table->count, 0);
	test_free(table);
}

static void a_seventeenth_path_is_refused_by_challenge_too(void **state)
{
	struct hw_path_table *table = new_table();
	struct asked asked = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		up_path(table, i, 1, i == 12 ? HW_PATH_PEER_ID_NONE : (uint8_t)i);
	assert_non_null(hear(table, 20, 1, 100, start));
	take(table, start, &asked);
	assert_int_equal(answer(table, 20, 1, asked.candidate_challenge, 12, start + HW_MS(1)),
			 HW_E_LIMIT);
	assert_int_equal(table->count, 16);
	assert_false(table->candidates[0].used);
	test_free(table);
}

/* NAT rebinding: the old tuple is dead. The peer is 20 ms away. */
static void a_path_moves_to_where_the_peer_is(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path = up_path(table, 0, 1, 5);
	struct asked asked = { 0 };
	struct hw_tuple old = tuple_of(0, 1), new = tuple_of(0, 2);
	uint64_t packets;

	(void)state;
	hw_path_sent(path, 1, 500, true, start - HW_MS(1));
	packets = path->tx.packets;
	assert_non_null(hear(table, 0, 2, 1000, start));
	take(table, start, &asked);
	assert_int_equal(asked.candidates, 1);
	assert_int_equal(asked.paths, 1);
	assert_memory_not_equal(asked.candidate_challenge, asked.path_challenge, 8);
	assert_int_equal(answer(table, 0, 2, asked.candidate_challenge, 5, start + HW_MS(20)), 0);
	assert_ptr_equal(hw_path_table_find(table, &old), path);
	run(table, start + HW_MS(20), start + HW_MS(99), &asked);
	assert_int_equal(asked.paths, 3); /* at 0, 30 and 60 ms */
	assert_int_equal(asked.events[HW_PATH_ACTION_EVENT_MOVED], 0);
	run(table, start + HW_MS(99), start + HW_MS(100), &asked);
	assert_int_equal(asked.events[HW_PATH_ACTION_EVENT_MOVED], 1); /* < 1 RTT + 100 ms */
	assert_ptr_equal(hw_path_table_find(table, &new), path);
	assert_null(hw_path_table_find(table, &old));
	assert_int_equal(table->count, 1);
	assert_int_equal(path->peer_id, 5);
	assert_int_equal(path->tx.packets, packets);
	assert_int_equal(path->rtt.smoothed_ns, HW_MS(20));
	assert_int_equal(path->state, HW_PATH_UP);
	test_free(table);
}

/* A long path: moving waits for one RTT of the old tuple, and for no more than 100 ms beyond. */
static void moving_takes_one_rtt_and_100_ms(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path = up_path(table, 0, 1, 5);
	struct asked asked = { 0 };
	struct hw_tuple new = tuple_of(0, 2);

	(void)state;
	for (int i = 0; i < 100; i++)
		hw_path_answered(path, HW_MS(600), start - HW_MS(5));
	assert_non_null(hear(table, 0, 2, 1000, start));
	take(table, start, &asked);
	run(table, start, start + HW_MS(600), &asked);
	assert_int_equal(answer(table, 0, 2, asked.candidate_challenge, 5, start + HW_MS(600)), 0);
	run(table, start + HW_MS(600), start + HW_MS(650), &asked);
	assert_null(hw_path_table_find(table, &new));
	run(table, start + HW_MS(650), start + HW_MS(700), &asked);
	assert_ptr_equal(hw_path_table_find(table, &new), path);
	test_free(table);
}

/* A path whose round trip is known by one sample: what it varies by is a guess, and does not count. */
static void moving_a_young_path_takes_no_longer(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path = up_path(table, 0, 1, 5);
	struct asked asked = { 0 };
	struct hw_tuple new = tuple_of(0, 2);

	(void)state;
	hw_rtt_init(&path->rtt);
	hw_rtt_sample(&path->rtt, HW_MS(400), start - HW_MS(5));
	assert_true(hw_rtt_timeout(&path->rtt, 0) > HW_MS(1000));
	assert_non_null(hear(table, 0, 2, 1000, start));
	take(table, start, &asked);
	run(table, start, start + HW_MS(400), &asked);
	assert_int_equal(answer(table, 0, 2, asked.candidate_challenge, 5, start + HW_MS(400)), 0);
	run(table, start + HW_MS(400), start + HW_MS(499), &asked);
	assert_null(hw_path_table_find(table, &new));
	run(table, start + HW_MS(499), start + HW_MS(500), &asked);
	assert_ptr_equal(hw_path_table_find(table, &new), path);
	test_free(table);
}

/* A stranger passes on copies, in both directions, and faster than the old way. */
static void a_relay_moves_nothing_while_the_old_address_answers(void **state)
{
	static const struct {
		hw_time old_answers, relay_answers;
	} cases[] = {
		{ HW_MS(20), HW_MS(5) },  { HW_MS(5), HW_MS(20) },   { HW_MS(99), HW_MS(5) },
		{ HW_MS(99), HW_MS(98) }, { HW_MS(20), HW_MS(300) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hw_path_table *table = new_table();
		struct hw_path *path = up_path(table, 0, 1, 5);
		struct asked asked = { 0 };
		hw_time old_at = start + cases[i].old_answers;
		hw_time relay_at = start + cases[i].relay_answers;
		struct hw_tuple stranger = tuple_of(0, 2);

		assert_non_null(hear(table, 0, 2, 1000, start));
		take(table, start, &asked);

		/* The answer to the path's own challenge does not count from the stranger's tuple.
		 */
		assert_int_equal(answer(table, 0, 2, asked.path_challenge, 5, start), HW_E_AUTH);
		assert_int_equal(answer(table, 0, 1, asked.candidate_challenge, 5, start),
				 HW_E_AUTH);
		run(table, start, hw_time_min(old_at, relay_at), &asked);
		if (relay_at < old_at)
			assert_int_equal(
				answer(table, 0, 2, asked.candidate_challenge, 5, relay_at), 0);
		run(table, hw_time_min(old_at, relay_at), old_at, &asked);
		assert_int_equal(answer(table, 0, 1, asked.path_challenge, 5, old_at), 0);
		assert_int_equal(answer(table, 0, 1, asked.path_challenge, 5, old_at), HW_E_AUTH);
		run(table, old_at, hw_time_max(old_at, relay_at), &asked);
		if (relay_at > old_at)
			assert_int_equal(
				answer(table, 0, 2, asked.candidate_challenge, 5, relay_at), 0);
		run(table, hw_time_max(old_at, relay_at), start + HW_MS(1500), &asked);
		assert_null(hw_path_table_find(table, &stranger));
		assert_int_equal(asked.events[HW_PATH_ACTION_EVENT_MOVED], 0);
		assert_int_equal(table->count, 1);
		assert_int_equal(path->peer_id, 5);
		/* More copies do not begin it again before the refused candidate is forgotten. */
		unsigned before = asked.events[HW_PATH_ACTION_CHALLENGE];

		assert_non_null(hear(table, 0, 2, 1000, start + HW_MS(1500)));
		run(table, start + HW_MS(1500), start + HW_MS(1599), &asked);
		assert_int_equal(asked.events[HW_PATH_ACTION_CHALLENGE], before);
		assert_in_range(asked.paths, 1, 3);
		test_free(table);
	}
}

static void a_path_that_is_down_moves_at_once(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path = up_path(table, 0, 1, 5);
	struct asked asked = { 0 };
	struct hw_tuple new = tuple_of(3, 2);

	(void)state;
	hw_path_link_down(path, start - HW_MS(1));
	assert_non_null(hear(table, 3, 2, 1000, start));
	take(table, start, &asked);
	assert_int_equal(asked.paths, 0);
	assert_int_equal(answer(table, 3, 2, asked.candidate_challenge, 5, start + HW_MS(20)), 0);
	assert_ptr_equal(hw_path_table_find(table, &new), path);
	assert_int_equal(path->state, HW_PATH_UP);
	take(table, start + HW_MS(20), &asked);
	assert_int_equal(asked.events[HW_PATH_ACTION_EVENT_MOVED], 1);
	test_free(table);
}

/* The path is on another link, so it was not asked with the candidate; it is asked now. */
static void a_path_of_another_link_is_asked_before_it_moves(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path = up_path(table, 0, 1, 5);
	struct asked asked = { 0 };
	struct hw_tuple new = tuple_of(3, 2);

	(void)state;
	assert_non_null(hear(table, 3, 2, 1000, start));
	take(table, start, &asked);
	assert_int_equal(asked.paths, 0);
	assert_int_equal(answer(table, 3, 2, asked.candidate_challenge, 5, start + HW_MS(20)), 0);
	run(table, start + HW_MS(20), start + HW_MS(119), &asked);
	assert_int_equal(asked.paths, 3);
	assert_null(hw_path_table_find(table, &new));
	run(table, start + HW_MS(119), start + HW_MS(120), &asked);
	assert_ptr_equal(hw_path_table_find(table, &new), path);
	test_free(table);
}

static void without_a_session_nothing_is_sent(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_tuple tuple = tuple_of(0, 1);
	struct hw_path_action action;
	struct hw_path *path;

	(void)state;
	table->context.session = false;
	assert_int_equal(hw_path_table_add(table, &tuple, &link_settings, false, start, &path), 0);
	assert_true(hw_path_table_next(table, CHALLENGE_BYTES, start, &action));
	assert_int_equal(action.type, HW_PATH_ACTION_EVENT_NEW);
	assert_false(hw_path_table_next(table, CHALLENGE_BYTES, start, &action));
	table->context.session = true;
	assert_true(hw_path_table_next(table, CHALLENGE_BYTES, start, &action));
	assert_int_equal(action.type, HW_PATH_ACTION_PROBE);
	assert_true(action.idle);
	assert_true(hw_tuple_equal(&action.tuple, &tuple));
	assert_false(hw_path_table_next(table, CHALLENGE_BYTES, start, &action));
	test_free(table);
}

static void report_delay(struct hw_path *path, uint32_t owd_us, hw_time now)
{
	struct hw_control_report_path report = { .received = 1, .owd_us = owd_us,
					      .detailed = true, .detail = { .jitter_us = 7 } };

	hw_path_sent(path, 1, 100, false, now);
	hw_path_reported(path, 1, &report, now);
}

static void views_show_delays_beyond_the_fastest(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *a = up_path(table, 0, 1, 0), *b = up_path(table, 1, 1, 1);
	struct hw_path *c = up_path(table, 2, 1, 2);
	const struct hw_sched_path *views;
	size_t count;

	(void)state;
	views = hw_path_table_views(table, start, &count);
	assert_int_equal(count, 3);
	assert_int_equal(views[0].delay_excess_ns, -1);
	assert_int_equal(views[0].use, HW_USE_BACKUP);
	assert_int_equal(views[0].mtu_bytes, 1472);
	assert_true(views[0].loss < 0);
	/* Across the wrap of 32 bits: b is 5 ms beyond a; c has no report. */
	report_delay(a, (uint32_t)-3000, start);
	report_delay(b, 2000, start);
	views = hw_path_table_views(table, start, &count);
	assert_int_equal(views[0].delay_excess_ns, 0);
	assert_int_equal(views[1].delay_excess_ns, HW_MS(5));
	assert_int_equal(views[1].jitter_ns, 7000);
	assert_int_equal(views[2].delay_excess_ns, -1);
	assert_int_equal(views[2].rtt_ns, c->rtt.smoothed_ns);
	/* State shows at once; a path that is down is no measure for the others. */
	hw_path_send_failed(a, true, start);
	views = hw_path_table_views(table, start, &count);
	assert_int_equal(views[0].state, HW_PATH_DOWN);
	assert_int_equal(views[1].delay_excess_ns, 0);
	/* What is heard shows after 10 ms. */
	hw_path_heard(b, start + HW_MS(9));
	assert_true(hw_path_table_views(table, start + HW_MS(9), &count)[1].last_heard < start);
	assert_true(hw_path_table_views(table, start + HW_MS(10), &count)[1].last_heard > start);
	views = hw_path_table_views(table, start + HW_S(31), &count);
	assert_int_equal(views[1].delay_excess_ns, -1);
	test_free(table);
}

static void delays_towards_us_compare_too(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *a = up_path(table, 0, 1, 0), *b = up_path(table, 1, 1, 1);
	struct hw_path_stamp stamp = { .generation = 1, .send_tick = hw_owd_tick(start) };

	(void)state;
	assert_int_equal(hw_path_table_rx_excess(table, a, start), -1);
	stamp.at = start + HW_MS(12);
	assert_true(hw_path_rx_stamp(&a->rx, &table->clock, &stamp));
	stamp.at = start + HW_MS(47);
	assert_true(hw_path_rx_stamp(&b->rx, &table->clock, &stamp));
	assert_int_equal(hw_path_table_rx_excess(table, a, start), 0);
	assert_int_equal(hw_path_table_rx_excess(table, b, start), HW_MS(35));
	test_free(table);
}

/* Our address is gone: the path is found by any other, and keeps what is known of it. */
static void a_path_whose_own_address_is_gone_takes_any(void **state)
{
	struct hw_path_table *table = new_table();
	struct hw_path *path = up_path(table, 1, 5, 3);
	struct hw_tuple was = path->tuple, other = path->tuple;
	struct hw_path *second;

	(void)state;
	other.local.ip[3] = 77;
	assert_null(hw_path_table_find(table, &other));
	assert_ptr_equal(hw_path_table_find(table, &was), path); /* which is remembered */
	assert_true(hw_path_table_forget_local(table, path));
	assert_int_equal(path->tuple.local.family, HW_FAMILY_NONE);
	assert_ptr_equal(hw_path_table_find(table, &other), path);
	assert_int_equal(path->state, HW_PATH_UP);
	assert_int_equal(path->peer_id, 3);
	assert_false(hw_path_table_forget_local(table, path));
	/* One that would be the same path then stays what it is. */
	assert_int_equal(hw_path_table_add(table, &was, &link_settings, false, start, &second), 0);
	assert_false(hw_path_table_forget_local(table, second));
	assert_true(hw_tuple_equal(&second->tuple, &was));
	test_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_found_by_tuple_and_by_both_numbers),
		cmocka_unit_test(a_path_without_local_address_is_found_by_any),
		cmocka_unit_test(a_path_is_found_again_only_where_it_is),
		cmocka_unit_test(the_table_takes_sixteen_paths),
		cmocka_unit_test(a_dead_learnt_path_makes_room),
		cmocka_unit_test(peer_ids_move_only_on_proof),
		cmocka_unit_test(a_number_that_the_peer_gave_up_is_nobodys),
		cmocka_unit_test(an_answering_candidate_becomes_a_path),
		cmocka_unit_test(a_silent_candidate_is_asked_seven_times_and_forgotten),
		cmocka_unit_test(a_slow_path_is_still_validated),
		cmocka_unit_test(a_repeated_challenge_gives_no_rtt),
		cmocka_unit_test(three_times_the_bytes_received_and_no_more),
		cmocka_unit_test(four_candidates_and_old_silent_ones_give_way),
		cmocka_unit_test(a_seventeenth_path_is_refused_by_challenge_too),
		cmocka_unit_test(a_path_moves_to_where_the_peer_is),
		cmocka_unit_test(moving_takes_one_rtt_and_100_ms),
		cmocka_unit_test(moving_a_young_path_takes_no_longer),
		cmocka_unit_test(a_relay_moves_nothing_while_the_old_address_answers),
		cmocka_unit_test(a_path_that_is_down_moves_at_once),
		cmocka_unit_test(a_path_of_another_link_is_asked_before_it_moves),
		cmocka_unit_test(without_a_session_nothing_is_sent),
		cmocka_unit_test(views_show_delays_beyond_the_fastest),
		cmocka_unit_test(delays_towards_us_compare_too),
		cmocka_unit_test(a_path_whose_own_address_is_gone_takes_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
