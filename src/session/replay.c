#include "session/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

static bool power_of_two(uint32_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

bool hw_replay_params_valid(const struct hw_replay_params *params)
{
	return power_of_two(params->packets) && power_of_two(params->packets_max) &&
	       params->packets >= HW_REPLAY_PACKETS_MIN && params->packets_max >= params->packets &&
	       params->packets_max <= HW_REPLAY_PACKETS_MAX && params->late_after > 0;
}

/* A bitmap of so many zero bits, on the budget; NULL when there is no memory or none is left. */
static uint64_t *bits_new(const struct hw_replay_params *params, uint32_t packets)
{
	if (params->budget != NULL && params->budget->left_bytes < packets / 8)
		return NULL;

	uint64_t *bits = calloc(packets / WORD_BITS, sizeof(*bits));

	if (bits != NULL && params->budget != NULL)
		params->budget->left_bytes -= packets / 8;
	return bits;
}

static void bits_free(const struct hw_replay *replay)
{
	if (replay->params.budget != NULL)
		replay->params.budget->left_bytes += replay->packets / 8;
	free(replay->bits);
}

int hw_replay_init(struct hw_replay *replay, const struct hw_replay_params *params)
{
	assert(hw_replay_params_valid(params));

	uint64_t *bits = bits_new(params, params->packets);

	if (bits == NULL)
		return HW_E_NOMEM;
	memset(replay, 0, sizeof(*replay));
	replay->params = *params;
	replay->packets = params->packets;
	replay->bits = bits;
	return 0;
}

void hw_replay_fini(struct hw_replay *replay)
{
	bits_free(replay);
	replay->bits = NULL;
}

static bool bit_get(const struct hw_replay *replay, uint64_t counter)
{
	uint32_t at = (uint32_t)counter & (replay->packets - 1);

	return replay->bits[at / WORD_BITS] >> at % WORD_BITS & 1;
}

static void bit_set(struct hw_replay *replay, uint64_t counter)
{
	uint32_t at = (uint32_t)counter & (replay->packets - 1);

	replay->bits[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

/* Forget the bits of counters from `first` on; they come into the window with nothing accepted. */
static void bits_clear(struct hw_replay *replay, uint64_t first, uint64_t count)
{
	if (count >= replay->packets) {
		memset(replay->bits, 0, replay->packets / 8);
		return;
	}

	uint32_t left = (uint32_t)count;
	uint32_t at = (uint32_t)first & (replay->packets - 1);

	while (left > 0) {
		uint32_t offset = at % WORD_BITS;
		uint32_t n = left < WORD_BITS - offset ? left : WORD_BITS - offset;

		replay->bits[at / WORD_BITS] &= ~(UINT64_MAX >> (WORD_BITS - n) << offset);
		at = (at + n) & (replay->packets - 1);
		left -= n;
	}
}

static const struct hw_replay_mark *mark_at(const struct hw_replay *replay, uint32_t i)
{
	return &replay->marks[(replay->mark_first + i) % HW_REPLAY_MARKS];
}

/* How many of the marks have expired: what they overtook is late. */
static uint32_t marks_expired(const struct hw_replay *replay, hw_time now)
{
	uint32_t n = 0;

	while (n < replay->mark_count &&
	       hw_time_since(now, mark_at(replay, n)->at) > replay->params.late_after)
		n++;
	return n;
}

static uint64_t late_below(const struct hw_replay *replay, hw_time now)
{
	uint32_t expired = marks_expired(replay, now);

	return expired > 0 ? mark_at(replay, expired - 1)->highest : replay->late_below;
}

static void marks_expire(struct hw_replay *replay, hw_time now)
{
	uint32_t expired = marks_expired(replay, now);

	if (expired == 0)
		return;
	replay->late_below = mark_at(replay, expired - 1)->highest;
	replay->mark_first = (replay->mark_first + expired) % HW_REPLAY_MARKS;
	replay->mark_count -= expired;
}

/*
 * The newest mark moves along with the highest counter until it has covered 1/31 of late_after;
 * then the next begins. So marks begin at least that far apart, and those that have not expired
 * began in the last 32/31 of late_after: at most 32 of them.
 */
static void marks_note(struct hw_replay *replay, hw_time now)
{
	const hw_time step = replay->params.late_after / (HW_REPLAY_MARKS - 1) + 1;

	if (replay->mark_count == 0 || now >= replay->mark_until) {
		assert(replay->mark_count < HW_REPLAY_MARKS);
		replay->mark_count++;
		replay->mark_until = hw_time_add(now, step);
	}

	uint32_t last = (replay->mark_first + replay->mark_count - 1) % HW_REPLAY_MARKS;

	replay->marks[last].at = now;
	replay->marks[last].highest = replay->highest;
}

/*
 * Move the bits of the window's counters into a larger ring. Word by word; the oldest and the
 * newest word of the window can share one place in the old ring, so each takes only its own bits.
 */
static void bits_copy(const struct hw_replay *replay, uint64_t *to, uint32_t to_packets)
{
	uint64_t high = replay->highest;
	uint64_t low = high >= replay->packets ? high - replay->packets + 1 : 0;
	uint32_t from_mask = replay->packets / WORD_BITS - 1;
	uint32_t to_mask = to_packets / WORD_BITS - 1;

	for (uint64_t w = low / WORD_BITS; w <= high / WORD_BITS; w++) {
		uint64_t bits = replay->bits[w & from_mask];

		if (w == low / WORD_BITS)
			bits &= UINT64_MAX << low % WORD_BITS;
		if (w == high / WORD_BITS)
			bits &= UINT64_MAX >> (WORD_BITS - 1 - high % WORD_BITS);
		to[w & to_mask] = bits;
	}
}

/* Make the window reach from `counter` down to what is not late yet, as far as it may and can. */
static void grow_for(struct hw_replay *replay, uint64_t counter)
{
	uint32_t packets = replay->packets;

	while (packets < replay->params.packets_max && counter - replay->late_below >= packets)
		packets *= 2;
	if (packets == replay->packets)
		return;

	uint64_t *bits = bits_new(&replay->params, packets);

	if (bits == NULL)
		return;
	if (replay->any) {
		bits_copy(replay, bits, packets);
		/*
		 * What the old ring no longer knew must not seem new in the larger one. It is late by
		 * now, unless memory was lacking when the window should have grown before.
		 */
		if (replay->highest >= replay->packets &&
		    replay->late_below <= replay->highest - replay->packets)
			replay->late_below = replay->highest - replay->packets + 1;
	}
	bits_free(replay);
	replay->bits = bits;
	replay->packets = packets;
}

enum hw_replay_verdict hw_replay_check(const struct hw_replay *replay, uint64_t counter,
				       hw_time now)
{
	if (!replay->any || counter > replay->highest)
		return HW_REPLAY_NEW;

	bool in_window = replay->highest - counter < replay->packets;

	if (in_window && bit_get(replay, counter))
		return HW_REPLAY_DUPLICATE;
	if (counter < late_below(replay, now))
		return HW_REPLAY_LATE;
	return in_window ? HW_REPLAY_NEW : HW_REPLAY_OLD;
}

enum hw_replay_verdict hw_replay_accept(struct hw_replay *replay, uint64_t counter, hw_time now)
{
	enum hw_replay_verdict verdict = hw_replay_check(replay, counter, now);

	if (verdict != HW_REPLAY_NEW)
		return verdict;
	if (!replay->any || counter > replay->highest) {
		marks_expire(replay, now);
		grow_for(replay, counter);
		if (replay->any)
			bits_clear(replay, replay->highest + 1, counter - replay->highest);
		replay->any = true;
		replay->highest = counter;
		marks_note(replay, now);
	}
	bit_set(replay, counter);
	replay->accepted++;
	return HW_REPLAY_NEW;
}
