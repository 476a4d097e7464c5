#include "path/candidate.h"

#include <string.h>

#include "base/bytes.h"
#include "path/table.h"

/*
 * When a candidate is asked, from its creation; then when it is forgotten: late enough for the
 * answer on a path that takes seconds.
 */
static const hw_time ask_at[] = { 0,           HW_MS(200),  HW_MS(400),  HW_MS(800),
				  HW_MS(1600), HW_MS(3200), HW_MS(6400), HW_S(15) };

#define ASK_TIMES (sizeof(ask_at) / sizeof(ask_at[0]) - 1)
#define REFUSED_FOR HW_MS(1600) /* from its creation */

#define PATH_ASK_GAP HW_MS(30)
#define PATH_ASK_TIMES 3u
#define PATH_WAIT_MIN HW_MS(100)
#define PATH_WAIT_UNKNOWN HW_MS(250) /* for an rtt that is not known */

#define SEED_OF_CANDIDATE 0xffu

/* Nobody who sees one challenge can tell another. */
static void make_challenge(const struct hw_siphash_key *seed, uint8_t label,
			   uint8_t ret_challenge[HW_PATH_CHALLENGE_BYTES])
{
	hw_store64(ret_challenge, hw_siphash(seed, &label, sizeof(label)));
}

/*
 * How long a path that was asked may take to answer: its round trip and what that varies by, but no more
 * than 100 ms beyond, since what goes to it may be lost. (A young path's variation is only a guess, and
 * four times that would be three round trips.)
 */
static hw_time answer_wait(const struct hw_path *path)
{
	hw_time wait = (PATH_ASK_TIMES - 1) * PATH_ASK_GAP +
		       hw_rtt_timeout(&path->rtt, PATH_WAIT_UNKNOWN);

	if (hw_rtt_known(&path->rtt))
		wait = hw_time_min(wait, (hw_time)path->rtt.smoothed_ns + PATH_WAIT_MIN);
	return hw_time_max(PATH_WAIT_MIN, wait);
}

static void ask_path(struct hw_path *path, const struct hw_siphash_key *seed, hw_time now)
{
	if (path->challenge_open && now < path->challenge_first + answer_wait(path))
		return;
	make_challenge(seed, (uint8_t)path->id, path->challenge);
	path->challenge_open = true;
	path->challenge_tries = 1;
	path->challenge_first = now;
	path->todo |= HW_PATH_TODO_CHALLENGE;
}

static bool may_answer(const struct hw_path *path)
{
	return path->state == HW_PATH_UP || path->state == HW_PATH_SUSPECT;
}

/* A free slot, or the one of the oldest candidate that was given its chance. */
static struct hw_candidate *take_slot(struct hw_path_table *table, hw_time now)
{
	struct hw_candidate *oldest = NULL;

	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++) {
		struct hw_candidate *c = &table->candidates[i];

		if (!c->used)
			return c;
		if (!c->answered && now >= c->created + ask_at[1] &&
		    (oldest == NULL || c->created < oldest->created))
			oldest = c;
	}
	return oldest;
}

struct hw_candidate *hw_path_table_candidate(struct hw_path_table *table,
					     const struct hw_tuple *tuple)
{
	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++)
		if (table->candidates[i].used && hw_tuple_equal(&table->candidates[i].tuple, tuple))
			return &table->candidates[i];
	return NULL;
}

void hw_path_table_forget_candidates(struct hw_path_table *table, uint32_t link)
{
	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++)
		if (table->candidates[i].used && table->candidates[i].tuple.link == link)
			table->candidates[i] = (struct hw_candidate){ 0 };
}

int hw_path_table_heard_unknown(struct hw_path_table *table, const struct hw_tuple *tuple,
				const struct hw_path_link *link, uint32_t bytes,
				const uint8_t seed[HW_PATH_SEED_BYTES], hw_time now,
				struct hw_candidate **ret_candidate)
{
	struct hw_candidate *c = hw_path_table_candidate(table, tuple);

	if (c == NULL) {
		c = take_slot(table, now);
		if (c == NULL)
			return HW_E_LIMIT;
		*c = (struct hw_candidate){
			.used = true,
			.tuple = *tuple,
			.link = *link,
			.challenge_due = true,
			.tries = 1,
			.created = now,
			.asked_at = HW_TIME_NEVER,
			.next_at = now + ask_at[1],
			.peer_id = HW_PATH_PEER_ID_NONE,
			.rtt_ns = -1,
		};
		hw_siphash_key_init(&c->seed, seed);
		make_challenge(&c->seed, SEED_OF_CANDIDATE, c->challenge);
		for (uint32_t id = 0; id < table->end; id++) {
			struct hw_path *path = &table->paths[id];

			if (path->used && path->tuple.link == tuple->link && may_answer(path))
				ask_path(path, &c->seed, now);
		}
	}
	c->rx_bytes += bytes;
	*ret_candidate = c;
	return 0;
}

bool hw_candidate_may_send(const struct hw_candidate *candidate, uint32_t bytes)
{
	return candidate->tx_bytes + bytes <= HW_PATH_AMPLIFICATION * candidate->rx_bytes;
}

void hw_candidate_sent(struct hw_candidate *candidate, uint32_t bytes)
{
	candidate->tx_bytes += bytes;
}

static void forget(struct hw_candidate *candidate)
{
	*candidate = (struct hw_candidate){ 0 };
}

/*
 * The path that it claimed to be has answered. It stays remembered for a while, so that the next
 * packet from there does not begin all this again.
 */
static void refuse(struct hw_candidate *candidate)
{
	candidate->answered = false;
	candidate->refused = true;
	candidate->challenge_due = false;
	candidate->next_at = candidate->created + REFUSED_FOR;
}

static int become_path(struct hw_path_table *table, struct hw_candidate *c, hw_time now)
{
	struct hw_candidate was = *c;
	struct hw_path *path;

	forget(c);

	int error = hw_path_table_add(table, &was.tuple, &was.link, true, now, &path);

	if (error != 0)
		return error;
	hw_path_table_learn_peer_id(table, path, was.peer_id, true);
	path->last_heard = now;
	hw_path_answered(path, was.rtt_ns, now);
	path->todo |= HW_PATH_TODO_PROBE; /* tells the peer our number for it */
	return 0;
}

static void move_path(struct hw_path *path, struct hw_candidate *c, hw_time now)
{
	hw_path_rerouted(path, &c->tuple, &c->link);
	path->link_down = false;
	path->learnt = true; /* the peer showed it: it is no configured endpoint's any more */
	path->answers_from = (struct hw_addr){ .family = HW_FAMILY_NONE };
	path->challenge_open = false;
	path->todo &= ~(unsigned)HW_PATH_TODO_CHALLENGE;
	memset(path->probes, 0, sizeof(path->probes));
	hw_rtt_init(&path->rtt);
	hw_rtt_restart(&path->rtt);
	hw_rtt_init(&path->wait);
	path->last_heard = now;
	hw_flight_clear(&path->flight);
	hw_path_answered(path, c->rtt_ns, now);
	path->todo |= HW_PATH_TODO_MOVED | HW_PATH_TODO_PROBE;
	path->view_stale = true;
	forget(c);
}

/*
 * When there is no room: the learnt one that has been DOWN the longest, or NULL. The peer
 * has gone from there, and what is new must not wait until it is forgotten.
 */
static struct hw_path *dead_path(struct hw_path_table *table)
{
	struct hw_path *dead = NULL;
	uint32_t learnt = 0;

	for (uint32_t id = 0; id < table->end; id++) {
		struct hw_path *path = &table->paths[id];

		if (!path->used || !path->learnt)
			continue;
		learnt++;
		if (path->state == HW_PATH_DOWN &&
		    (dead == NULL || path->state_since < dead->state_since))
			dead = path;
	}
	return learnt >= HW_PATH_TABLE_LEARNT || table->count >= HW_PATH_TABLE_PATHS ? dead : NULL;
}

/* An answered candidate: becomes a path, moves one, is dropped, or waits. */
static int settle(struct hw_path_table *table, struct hw_candidate *c, hw_time now)
{
	struct hw_path *path = hw_path_table_by_peer_id(table, c->peer_id);

	if (path == NULL)
		path = dead_path(table);
	if (path == NULL)
		return become_path(table, c, now);
	hw_path_table_learn_peer_id(table, path, c->peer_id, true);
	if (!may_answer(path)) {
		move_path(path, c, now);
		return 0;
	}
	if (!path->challenge_open) {
		if (path->challenge_answered != 0 && path->challenge_answered >= c->created) {
			refuse(c);
			return 0;
		}
		ask_path(path, &c->seed, now);
	}
	c->next_at = path->challenge_first + answer_wait(path);
	if (now >= c->next_at)
		move_path(path, c, now);
	return 0;
}

static int candidate_replied(struct hw_path_table *table, struct hw_candidate *c,
			     const uint8_t answer[HW_PATH_CHALLENGE_BYTES], uint8_t peer_id,
			     hw_time now)
{
	if (!hw_bytes_equal_ct(c->challenge, answer, HW_PATH_CHALLENGE_BYTES) ||
	    c->asked_at == HW_TIME_NEVER)
		return HW_E_AUTH;
	/* Until the peer has a number for it, there is nothing to decide by: it is asked again. */
	if (c->answered || c->refused || peer_id >= HW_PATH_TABLE_PATHS)
		return 0;
	c->answered = true;
	c->challenge_due = false;
	c->peer_id = peer_id;
	if (c->tries == 1)
		c->rtt_ns = (int64_t)hw_time_since(now, c->asked_at);
	return settle(table, c, now);
}

int hw_path_table_challenge_replied(struct hw_path_table *table, const struct hw_tuple *tuple,
				    const uint8_t answer[HW_PATH_CHALLENGE_BYTES], uint8_t peer_id,
				    hw_time now)
{
	struct hw_path *path = hw_path_table_find(table, tuple);

	if (path == NULL) {
		struct hw_candidate *c = hw_path_table_candidate(table, tuple);

		return c == NULL ? HW_E_AUTH : candidate_replied(table, c, answer, peer_id, now);
	}
	if (!path->challenge_open ||
	    !hw_bytes_equal_ct(path->challenge, answer, HW_PATH_CHALLENGE_BYTES))
		return HW_E_AUTH;
	path->challenge_open = false;
	path->challenge_answered = now;
	path->todo &= ~(unsigned)HW_PATH_TODO_CHALLENGE;
	hw_path_table_learn_peer_id(table, path, peer_id, true);
	hw_path_answered(path, -1, now);
	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++)
		if (table->candidates[i].answered && table->candidates[i].peer_id == path->peer_id)
			refuse(&table->candidates[i]);
	return 0;
}

/* When the path's challenge is to be repeated. */
static hw_time path_ask_at(const struct hw_path *path)
{
	if (!path->used || !path->challenge_open || path->challenge_tries >= PATH_ASK_TIMES)
		return HW_TIME_NEVER;
	return path->challenge_first + path->challenge_tries * PATH_ASK_GAP;
}

void hw_candidates_tick(struct hw_path_table *table, hw_time now)
{
	for (uint32_t id = 0; id < table->end; id++) {
		struct hw_path *path = &table->paths[id];

		while (now >= path_ask_at(path)) {
			path->challenge_tries++;
			path->todo |= HW_PATH_TODO_CHALLENGE;
		}
	}
	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++) {
		struct hw_candidate *c = &table->candidates[i];

		if (!c->used || now < c->next_at)
			continue;
		if (c->answered) {
			(void)settle(table, c, now);
		} else if (c->refused || c->tries == ASK_TIMES) {
			forget(c);
		} else {
			c->challenge_due = true;
			c->tries++;
			c->next_at = c->created + ask_at[c->tries];
		}
	}
}

hw_time hw_candidates_deadline(const struct hw_path_table *table)
{
	hw_time at = HW_TIME_NEVER;

	for (uint32_t id = 0; id < table->end; id++)
		at = hw_time_min(at, path_ask_at(&table->paths[id]));
	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++)
		if (table->candidates[i].used)
			at = hw_time_min(at, table->candidates[i].next_at);
	return at;
}
