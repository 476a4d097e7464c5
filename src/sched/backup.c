/*
 * backup: every packet on the one best path, at no overhead.
 *
 * Best is: use ALWAYS before BACKUP, then the cheapest, then the shortest round trip. The present
 * path is kept until it is no longer usable, or until another has been better without a break for
 * SETTLE_TIME: UP while the present one is SUSPECT, or better by use, by price, or by a round trip
 * that is shorter by a quarter and by 5 ms. So a link that comes and goes does not drag the traffic
 * along. Where the present path itself has become less wanted (a quota is spent, the peer tells that
 * its link is a backup), the choice is made anew at once.
 *
 * While the present path is SUSPECT each packet goes out on the next best one too, on another group
 * if one there works: by the time that silence is certain the packets have long arrived another way.
 */
#include "sched/strategies.h"

#define SETTLE_TIME HW_S(5)
#define NONE UINT32_MAX

struct backup {
	uint32_t present;
	enum hw_link_use use; /* of the present path, when it was last chosen; so is the price */
	uint32_t price;
	uint32_t rival;      /* a better path that is waiting to have been so for SETTLE_TIME */
	hw_time rival_since;
};

static void init(void *state)
{
	struct backup *b = state;

	b->present = NONE;
	b->rival = NONE;
}

/* By what the user states: use, then price. Negative: a is to be preferred. */
static int compare_worth(const struct hw_sched_path *a, const struct hw_sched_path *b)
{
	if (a->use != b->use)
		return a->use < b->use ? -1 : 1;
	return (a->price > b->price) - (a->price < b->price);
}

static bool before(const struct hw_sched_path *a, const struct hw_sched_path *b)
{
	if (a->state != b->state)
		return a->state < b->state;

	int worth = compare_worth(a, b);

	return worth != 0 ? worth < 0 : hw_sched_before(a, b);
}

/* Better by so much that it is worth moving for. */
static bool clearly_better(const struct hw_sched_path *a, const struct hw_sched_path *present)
{
	int worth = compare_worth(a, present);

	if (a->state != HW_PATH_UP)
		return false;
	if (present->state != HW_PATH_UP)
		return true;
	if (worth != 0)
		return worth < 0;
	return hw_sched_clearly_faster(a, present);
}

static const struct hw_sched_path *find(const struct hw_sched_path *paths, size_t path_count,
					uint32_t wanted)
{
	for (size_t i = 0; i < path_count; i++)
		if (paths[i].path == wanted && hw_sched_usable(&paths[i]))
			return &paths[i];
	return NULL;
}

static const struct hw_sched_path *best_but(const struct hw_sched_path *paths, size_t path_count,
					    const struct hw_sched_path *skip)
{
	const struct hw_sched_path *best = NULL;

	for (size_t i = 0; i < path_count; i++)
		if (&paths[i] != skip && hw_sched_usable(&paths[i]) &&
		    (best == NULL || before(&paths[i], best)))
			best = &paths[i];
	return best;
}

/* Where a second copy is best placed: of those that are UP, or else of all, in another group. */
static const struct hw_sched_path *second_best(const struct hw_sched_path *paths, size_t path_count,
					       const struct hw_sched_path *present)
{
	const struct hw_sched_path *best = NULL;

	for (size_t i = 0; i < path_count; i++) {
		const struct hw_sched_path *path = &paths[i];

		if (path == present || !hw_sched_usable(path))
			continue;
		if (best == NULL || path->state < best->state) {
			best = path;
			continue;
		}

		bool apart = path->group != present->group;
		bool best_apart = best->group != present->group;

		if (path->state == best->state &&
		    (apart != best_apart ? apart : before(path, best)))
			best = path;
	}
	return best;
}

/* Returns the path to move to, which is mostly the present one. */
static const struct hw_sched_path *settle(struct backup *b, const struct hw_sched_path *present,
					  const struct hw_sched_path *paths, size_t path_count,
					  hw_time now)
{
	const struct hw_sched_path *rival = find(paths, path_count, b->rival);

	if (rival == NULL || !clearly_better(rival, present)) {
		rival = best_but(paths, path_count, present);
		if (rival == NULL || !clearly_better(rival, present)) {
			b->rival = NONE;
			return present;
		}
		b->rival = rival->path;
		b->rival_since = now;
	}
	if (hw_time_since(now, b->rival_since) < SETTLE_TIME)
		return present;
	b->rival = NONE;
	return rival;
}

static bool has_worsened(const struct backup *b, const struct hw_sched_path *present)
{
	return present->use > b->use || (present->use == b->use && present->price > b->price);
}

static void choose(void *state, const struct hw_sched_packet *packet,
		   const struct hw_sched_path *paths, size_t path_count,
		   struct hw_sched_choice *ret_choice)
{
	struct backup *b = state;
	const struct hw_sched_path *present = find(paths, path_count, b->present);

	if (present != NULL && !has_worsened(b, present)) {
		present = settle(b, present, paths, path_count, packet->now);
	} else {
		present = best_but(paths, path_count, NULL);
		b->rival = NONE;
	}
	b->present = present != NULL ? present->path : NONE;
	ret_choice->count = 0;
	if (present == NULL)
		return;
	b->use = present->use;
	b->price = present->price;
	ret_choice->path[ret_choice->count++] = present->path;
	if (present->state == HW_PATH_UP)
		return;

	const struct hw_sched_path *second = second_best(paths, path_count, present);

	if (second == NULL)
		return;
	/* The one that works is the better of the two. */
	if (second->state == HW_PATH_UP) {
		ret_choice->path[0] = second->path;
		ret_choice->path[1] = present->path;
	} else {
		ret_choice->path[1] = second->path;
	}
	ret_choice->count = 2;
}

const struct hw_strategy hw_strategy_backup = {
	.name = "backup",
	.state_bytes = sizeof(struct backup),
	.init = init,
	.choose = choose,
};
