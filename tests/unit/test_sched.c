/* Strategies: what every one of them owes, then what each is for. */
#include "test.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/rng.h"
#include "sched/sched.h"

static struct hw_sched_path up(uint32_t path, int64_t rtt_ms)
{
	return (struct hw_sched_path){
		.path = path,
		.group = (uint8_t)path,
		.state = HW_PATH_UP,
		.use = HW_USE_ALWAYS,
		.price = 1,
		.mtu_bytes = 1400,
		.rtt_ns = rtt_ms < 0 ? -1 : rtt_ms * (int64_t)HW_NS_PER_MS,
		.delay_excess_ns = -1,
		.jitter_ns = -1,
		.loss = -1,
		.rate_Bps = -1,
	};
}

static struct hw_sched_path random_path(struct hw_rng *rng, uint32_t path)
{
	struct hw_sched_path p = up(path, (int64_t)hw_rng_below(rng, 6) * 20 - 20);

	p.state = (enum hw_path_state)hw_rng_below(rng, 4);
	p.use = (enum hw_link_use)hw_rng_below(rng, 3);
	p.price = (uint32_t)hw_rng_below(rng, 3);
	p.metered = hw_rng_below(rng, 2) == 0;
	p.group = (uint8_t)hw_rng_below(rng, HW_SCHED_MAX_PATHS);
	p.delay_excess_ns = (int64_t)hw_rng_below(rng, 4) * (int64_t)HW_NS_PER_MS - 1;
	p.loss = hw_rng_unit(rng);
	return p;
}

static void choose(const struct hw_strategy *s, void *state, hw_time now,
		   const struct hw_sched_path *paths, size_t count, struct hw_sched_choice *ret_choice)
{
	struct hw_sched_packet packet = { .stream = 1, .bytes = 1400, .now = now,
					  .deadline = HW_TIME_NEVER };

	memset(ret_choice, 0xff, sizeof(*ret_choice));
	s->choose(state, &packet, paths, count, ret_choice);
}

static void *new_state(const struct hw_strategy *s)
{
	void *state = calloc(1, s->state_bytes + 1);

	assert_non_null(state);
	s->init(state);
	return state;
}

/* What a choice must hold for any strategy. */
static void check_choice(const struct hw_sched_path *paths, size_t count,
			 const struct hw_sched_choice *choice)
{
	bool usable = false;

	assert_true(choice->count <= count);
	for (size_t i = 0; i < count; i++)
		usable |= (paths[i].state == HW_PATH_UP || paths[i].state == HW_PATH_SUSPECT) &&
			  paths[i].use != HW_USE_NEVER;
	assert_int_equal(choice->count > 0, usable);
	for (uint32_t c = 0; c < choice->count; c++) {
		const struct hw_sched_path *path = NULL;

		for (size_t i = 0; i < count; i++)
			if (paths[i].path == choice->path[c])
				path = &paths[i];
		assert_non_null(path);
		assert_true(path->state == HW_PATH_UP || path->state == HW_PATH_SUSPECT);
		assert_true(path->use != HW_USE_NEVER);
		for (uint32_t d = 0; d < c; d++)
			assert_true(choice->path[d] != choice->path[c]);
	}
}

/* Seed 17: 10^5 packets over 0..16 paths that change at random, for each strategy. */
static void every_strategy_keeps_the_contract(void **state)
{
	const struct hw_strategy *s;
	size_t n = 0;

	(void)state;
	for (; (s = hw_strategy_at(n)) != NULL; n++) {
		void *one = new_state(s), *two = new_state(s);
		struct hw_sched_path paths[HW_SCHED_MAX_PATHS];
		struct hw_rng rng;
		size_t count = 0;
		hw_time now = 0;

		assert_ptr_equal(hw_strategy_find(s->name), s);
		hw_rng_init(&rng, 17);
		for (int i = 0; i < 100000; i++) {
			struct hw_sched_choice choice, again;

			if (i % 50 == 0) {
				count = hw_rng_below(&rng, HW_SCHED_MAX_PATHS + 1);
				/* Places in a peer's table need not be 0, 1, 2, ... */
				uint32_t shift = (uint32_t)hw_rng_below(&rng, HW_SCHED_MAX_PATHS);

				for (uint32_t p = 0; p < count; p++)
					paths[p] = random_path(&rng, (p + shift) % HW_SCHED_MAX_PATHS);
			} else if (count > 0) {
				uint64_t p = hw_rng_below(&rng, count);

				paths[p] = random_path(&rng, paths[p].path);
			}
			now += hw_rng_below(&rng, HW_S(1));
			choose(s, one, now, paths, count, &choice);
			choose(s, two, now, paths, count, &again);
			check_choice(paths, count, &choice);
			assert_int_equal(choice.count, again.count);
			assert_memory_equal(choice.path, again.path, choice.count * sizeof(uint32_t));
		}
		free(one);
		free(two);
	}
	assert_true(n >= 2);
}

static void names_are_found_and_others_not(void **state)
{
	(void)state;
	assert_string_equal(hw_strategy_find("redundant")->name, "redundant");
	assert_string_equal(hw_strategy_find("backup")->name, "backup");
	assert_null(hw_strategy_find("Redundant"));
	assert_null(hw_strategy_find("redundan"));
	assert_null(hw_strategy_find(""));
}

static void best_prefers_state_then_use_then_rtt(void **state)
{
	struct hw_sched_path p[4] = { up(3, 10), up(5, 20), up(7, 20), up(9, -1) };
	uint32_t path = 77;

	(void)state;
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 3);
	assert_true(hw_sched_best(p, 4, 3, &path));
	assert_int_equal(path, 5);
	assert_true(hw_sched_best(p, 4, 99, &path));
	assert_int_equal(path, 3);
	p[1].rtt_ns = 0; /* known, and short */
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 5);
	p[1].rtt_ns = p[2].rtt_ns;
	p[0].use = HW_USE_BACKUP;
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 5);
	p[1].state = HW_PATH_SUSPECT;
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 7);
	p[2].state = HW_PATH_DOWN;
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 9); /* an unknown round trip is the longest */
	p[3].state = HW_PATH_PROBING;
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 3); /* UP and BACKUP before SUSPECT and ALWAYS */
	p[0].use = HW_USE_NEVER;
	assert_true(hw_sched_best(p, 4, UINT32_MAX, &path));
	assert_int_equal(path, 5);
	path = 77;
	assert_false(hw_sched_best(p, 4, 5, &path));
	assert_false(hw_sched_best(p, 0, UINT32_MAX, &path));
	assert_int_equal(path, 77);
}

static void expect(const struct hw_sched_choice *choice, uint32_t count, const uint32_t *paths)
{
	assert_int_equal(choice->count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(choice->path[i], paths[i]);
}

#define EXPECT(choice, ...) \
	expect(&(choice), sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), \
	       (uint32_t[]){ __VA_ARGS__ })

static void redundant_copies_on_all(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("redundant");
	struct hw_sched_path p[4] = { up(0, 30), up(1, 10), up(2, 20), up(3, 5) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	p[3].use = HW_USE_BACKUP;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 1, 2, 0);
	/* One-way delay, where known, says more than the round trip. */
	p[0].delay_excess_ns = 0;
	p[2].delay_excess_ns = 5;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 0, 2, 1);
	/* SUSPECT still gets its copy, last. */
	p[0].state = HW_PATH_SUSPECT;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 2, 1, 0);
	p[1].state = HW_PATH_DOWN;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 2, 0);
	/* No ALWAYS path is UP any more: the backup joins, the suspects stay. */
	p[2].state = HW_PATH_SUSPECT;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 3, 0, 2);
	p[0].state = p[2].state = HW_PATH_PROBING;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 3);
	p[1].state = HW_PATH_UP;
	choose(s, own, 0, p, 4, &choice);
	EXPECT(choice, 1);
	p[1].use = p[3].use = HW_USE_NEVER;
	choose(s, own, 0, p, 4, &choice);
	assert_int_equal(choice.count, 0);
	free(own);
}

/* Paths 0 and 1, and 2 to 4, share both links: one copy on each group, two while its path is SUSPECT. */
static void redundant_copies_once_on_a_group(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("redundant");
	struct hw_sched_path p[5] = { up(0, 30), up(1, 31), up(2, 50), up(3, 45), up(4, 52) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	p[1].group = 0;
	p[3].group = p[4].group = 2;
	choose(s, own, 0, p, 5, &choice);
	EXPECT(choice, 0, 3);
	/* A little faster is not enough to move; a quarter and 5 ms is. */
	p[2].rtt_ns = (int64_t)HW_MS(35);
	choose(s, own, 1, p, 5, &choice);
	EXPECT(choice, 0, 3);
	p[2].rtt_ns = (int64_t)HW_MS(33);
	choose(s, own, 2, p, 5, &choice);
	EXPECT(choice, 0, 2);
	/* In doubt: the next best of the group carries too, for as long as that lasts. */
	p[2].state = HW_PATH_SUSPECT;
	choose(s, own, 3, p, 5, &choice);
	EXPECT(choice, 0, 3, 2);
	p[2].state = HW_PATH_UP;
	choose(s, own, 4, p, 5, &choice);
	EXPECT(choice, 0, 2);
	p[2].state = HW_PATH_DOWN;
	choose(s, own, 5, p, 5, &choice);
	EXPECT(choice, 0, 3);
	p[0].use = p[1].use = HW_USE_NEVER;
	choose(s, own, 6, p, 5, &choice);
	EXPECT(choice, 3);
	/* A whole group gone, the other all in doubt. */
	p[0].state = p[1].state = HW_PATH_DOWN;
	p[3].state = p[4].state = HW_PATH_SUSPECT;
	choose(s, own, 7, p, 5, &choice);
	EXPECT(choice, 3, 4);
	free(own);
}

/* A second copy goes to another group, unless only the own one has a path that is UP. */
static void backup_doubles_on_another_group(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[3] = { up(0, 10), up(1, 11), up(2, 80) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	p[1].group = 0;
	choose(s, own, 0, p, 3, &choice);
	EXPECT(choice, 0);
	p[0].state = HW_PATH_SUSPECT;
	choose(s, own, 1, p, 3, &choice);
	EXPECT(choice, 2, 0);
	p[2].state = HW_PATH_SUSPECT;
	choose(s, own, 2, p, 3, &choice);
	EXPECT(choice, 1, 0);
	p[1].state = HW_PATH_SUSPECT;
	choose(s, own, 3, p, 3, &choice);
	EXPECT(choice, 0, 2);
	p[2].state = HW_PATH_DOWN;
	choose(s, own, 4, p, 3, &choice);
	EXPECT(choice, 0, 1);
	free(own);
}

/* Where control packets go: never onto what is counted while anything else is UP. */
static void control_spares_metered_links(void **state)
{
	struct hw_sched_path p[3] = { up(0, 10), up(1, 20), up(2, 30) };
	uint32_t path = 77;

	(void)state;
	p[0].metered = true;
	p[1].use = HW_USE_BACKUP;
	assert_true(hw_sched_best(p, 3, UINT32_MAX, &path));
	assert_int_equal(path, 2);
	assert_false(hw_sched_best(p, 3, 2, &path));
	p[2].state = HW_PATH_SUSPECT; /* nothing plain is UP: they help out */
	assert_true(hw_sched_best(p, 3, UINT32_MAX, &path));
	assert_int_equal(path, 0);
	assert_true(hw_sched_best(p, 3, 0, &path));
	assert_int_equal(path, 1);
	/* The second copy is to be independent of the first. */
	p[0].metered = false;
	p[1].use = HW_USE_ALWAYS;
	p[1].group = 0;
	p[2].state = HW_PATH_UP;
	assert_true(hw_sched_best(p, 3, 0, &path));
	assert_int_equal(path, 2);
	p[2].state = HW_PATH_DOWN;
	assert_false(hw_sched_best(p, 3, 0, &path));
	p[0].state = HW_PATH_SUSPECT;
	assert_true(hw_sched_best(p, 3, 0, &path));
	assert_int_equal(path, 1);
}

static void redundant_uses_sixteen_paths(void **state)
{
	struct hw_sched_path p[HW_SCHED_MAX_PATHS];
	const struct hw_strategy *s = hw_strategy_find("redundant");
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	for (uint32_t i = 0; i < HW_SCHED_MAX_PATHS; i++)
		p[i] = up(i, 100 - i);
	choose(s, own, 0, p, HW_SCHED_MAX_PATHS, &choice);
	free(own);
	assert_int_equal(choice.count, HW_SCHED_MAX_PATHS);
	for (uint32_t i = 0; i < HW_SCHED_MAX_PATHS; i++)
		assert_int_equal(choice.path[i], HW_SCHED_MAX_PATHS - 1 - i);
}

static void backup_takes_use_then_price_then_rtt(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[4] = { up(0, 10), up(1, 20), up(2, 30), up(3, 40) };
	struct hw_sched_choice choice;

	(void)state;
	p[0].use = HW_USE_BACKUP;
	p[1].price = 2;
	for (int gone = 0; gone < 4; gone++) {
		static const uint32_t order[4] = { 2, 3, 1, 0 };
		void *fresh = new_state(s);

		choose(s, fresh, 0, p, 4, &choice);
		EXPECT(choice, order[gone]);
		p[order[gone]].state = HW_PATH_DOWN;
		free(fresh);
	}
}

static void backup_moves_at_once_when_the_path_goes(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	static const enum hw_path_state gone[] = { HW_PATH_DOWN, HW_PATH_PROBING };
	struct hw_sched_choice choice;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct hw_sched_path p[2] = { up(0, 10), up(1, 20) };
		void *own = new_state(s);

		choose(s, own, 0, p, 2, &choice);
		EXPECT(choice, 0);
		if (i < 2) {
			p[0].state = gone[i];
			choose(s, own, 1, p, 2, &choice);
		} else {
			choose(s, own, 1, p + 1, 1, &choice); /* not even in the table any more */
		}
		EXPECT(choice, 1);
		free(own);
	}
}

static void backup_doubles_while_suspect(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[3] = { up(0, 10), up(1, 20), up(2, 15) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	p[2].use = HW_USE_BACKUP;
	choose(s, own, 0, p, 3, &choice);
	EXPECT(choice, 0);
	p[0].state = HW_PATH_SUSPECT;
	choose(s, own, HW_MS(1), p, 3, &choice);
	EXPECT(choice, 1, 0);
	p[0].state = HW_PATH_UP; /* a false alarm: it was never left */
	choose(s, own, HW_MS(2), p, 3, &choice);
	EXPECT(choice, 0);
	/* Where ALWAYS has nothing that works, the backup link takes the second copy. */
	p[0].state = HW_PATH_SUSPECT;
	p[1].state = HW_PATH_DOWN;
	choose(s, own, HW_MS(3), p, 3, &choice);
	EXPECT(choice, 2, 0);
	/* All suspect: still two. */
	p[1].state = p[2].state = HW_PATH_SUSPECT;
	choose(s, own, HW_MS(4), p, 3, &choice);
	EXPECT(choice, 0, 1);
	p[0].state = HW_PATH_DOWN;
	choose(s, own, HW_MS(5), p, 3, &choice);
	EXPECT(choice, 1, 2);
	/* Alone. */
	choose(s, own, HW_MS(6), p + 1, 1, &choice);
	EXPECT(choice, 1);
	free(own);
}

static void backup_leaves_a_path_that_stays_suspect(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[2] = { up(0, 10), up(1, 20) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	choose(s, own, 0, p, 2, &choice);
	p[0].state = HW_PATH_SUSPECT;
	choose(s, own, HW_S(1), p, 2, &choice);
	EXPECT(choice, 1, 0);
	choose(s, own, HW_S(6) - 1, p, 2, &choice);
	EXPECT(choice, 1, 0);
	choose(s, own, HW_S(6), p, 2, &choice);
	EXPECT(choice, 1);
	free(own);
}

/* A quota is spent, or the peer says that its link is dear: no waiting for five seconds. */
static void backup_leaves_a_path_that_is_less_wanted_at_once(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[2] = { up(0, 10), up(1, 20) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	choose(s, own, 0, p, 2, &choice);
	EXPECT(choice, 0);
	p[0].use = HW_USE_BACKUP;
	choose(s, own, 1, p, 2, &choice);
	EXPECT(choice, 1);
	p[0].use = HW_USE_ALWAYS; /* better again: in its own time */
	p[1].price = 2;
	choose(s, own, 2, p, 2, &choice);
	EXPECT(choice, 0); /* the present one is dearer now */
	p[0].price = 3;
	choose(s, own, 3, p, 2, &choice);
	EXPECT(choice, 1);
	p[1].price = 3; /* dearer, and still the best after all: it stays */
	p[0].price = 4;
	choose(s, own, 4, p, 2, &choice);
	EXPECT(choice, 1);
	free(own);
}

/* The main link comes back: only after five seconds without a break does the traffic return. */
static void backup_returns_when_it_has_settled(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[2] = { up(0, 10), up(1, 10) };
	struct hw_sched_choice choice;
	void *own = new_state(s);

	(void)state;
	p[1].use = HW_USE_BACKUP;
	p[0].state = HW_PATH_DOWN;
	choose(s, own, 0, p, 2, &choice);
	EXPECT(choice, 1);
	p[0].state = HW_PATH_UP;
	choose(s, own, HW_S(10), p, 2, &choice);
	EXPECT(choice, 1);
	choose(s, own, HW_S(15) - 1, p, 2, &choice);
	EXPECT(choice, 1);
	p[0].state = HW_PATH_SUSPECT; /* a break: the time begins anew */
	choose(s, own, HW_S(15) - 1, p, 2, &choice);
	EXPECT(choice, 1);
	p[0].state = HW_PATH_UP;
	choose(s, own, HW_S(15), p, 2, &choice);
	EXPECT(choice, 1);
	choose(s, own, HW_S(20) - 1, p, 2, &choice);
	EXPECT(choice, 1);
	choose(s, own, HW_S(20), p, 2, &choice);
	EXPECT(choice, 0);
	free(own);
}

static void backup_moves_for_a_margin_only(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	static const struct {
		int64_t present_ms, other_ms;
		bool moves;
	} cases[] = {
		{ 100, 76, false }, { 100, 75, true },  /* a quarter */
		{ 16, 12, false },  { 16, 11, true },   /* 5 ms */
		{ 100, 200, false }, { 100, -1, false }, { -1, 10, false },
	};
	struct hw_sched_choice choice;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hw_sched_path p[2] = { up(0, cases[i].present_ms), up(1, cases[i].other_ms) };
		void *own = new_state(s);

		choose(s, own, 0, p, 1, &choice); /* the other is not there yet */
		EXPECT(choice, 0);
		for (hw_time now = HW_S(1); now <= HW_S(60); now += HW_MS(100))
			choose(s, own, now, p, 2, &choice);
		EXPECT(choice, cases[i].moves ? 1 : 0);
		free(own);
	}
}

/*
 * Seed 23: two like paths of 50 ms whose measured round trips wander by a third either way. Over
 * ten minutes at 100 packets a second, the traffic moves at most once.
 */
static void backup_does_not_flap(void **state)
{
	const struct hw_strategy *s = hw_strategy_find("backup");
	struct hw_sched_path p[2] = { up(0, 50), up(1, 50) };
	struct hw_sched_choice choice;
	void *own = new_state(s);
	uint32_t last = 0;
	int moves = 0;
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, 23);
	for (hw_time now = 0; now < HW_S(600); now += HW_MS(10)) {
		for (int i = 0; i < 2; i++)
			p[i].rtt_ns = (int64_t)HW_MS(33) + (int64_t)hw_rng_below(&rng, HW_MS(34));
		choose(s, own, now, p, 2, &choice);
		assert_int_equal(choice.count, 1);
		moves += now > 0 && choice.path[0] != last;
		last = choice.path[0];
	}
	assert_true(moves <= 1);
	free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_strategy_keeps_the_contract),
		cmocka_unit_test(names_are_found_and_others_not),
		cmocka_unit_test(best_prefers_state_then_use_then_rtt),
		cmocka_unit_test(redundant_copies_on_all),
		cmocka_unit_test(redundant_copies_once_on_a_group),
		cmocka_unit_test(backup_doubles_on_another_group),
		cmocka_unit_test(control_spares_metered_links),
		cmocka_unit_test(redundant_uses_sixteen_paths),
		cmocka_unit_test(backup_takes_use_then_price_then_rtt),
		cmocka_unit_test(backup_moves_at_once_when_the_path_goes),
		cmocka_unit_test(backup_doubles_while_suspect),
		cmocka_unit_test(backup_leaves_a_path_that_stays_suspect),
		cmocka_unit_test(backup_leaves_a_path_that_is_less_wanted_at_once),
		cmocka_unit_test(backup_returns_when_it_has_settled),
		cmocka_unit_test(backup_moves_for_a_margin_only),
		cmocka_unit_test(backup_does_not_flap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
