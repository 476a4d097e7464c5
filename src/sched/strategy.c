#include "sched/strategies.h"

#include <string.h>

static const struct hw_strategy *const strategies[] = {
	&hw_strategy_redundant,
	&hw_strategy_backup,
};

const struct hw_strategy *hw_strategy_at(size_t i)
{
	return i < sizeof(strategies) / sizeof(strategies[0]) ? strategies[i] : NULL;
}

const struct hw_strategy *hw_strategy_find(const char *name)
{
	const struct hw_strategy *strategy;

	for (size_t i = 0; (strategy = hw_strategy_at(i)) != NULL; i++)
		if (strcmp(strategy->name, name) == 0)
			break;
	return strategy;
}

bool hw_sched_usable(const struct hw_sched_path *path)
{
	return (path->state == HW_PATH_UP || path->state == HW_PATH_SUSPECT) &&
	       path->use != HW_USE_NEVER;
}

int hw_sched_compare_known(int64_t a, int64_t b)
{
	uint64_t x = a < 0 ? UINT64_MAX : (uint64_t)a;
	uint64_t y = b < 0 ? UINT64_MAX : (uint64_t)b;

	return (x > y) - (x < y);
}

bool hw_sched_before(const struct hw_sched_path *a, const struct hw_sched_path *b)
{
	if (a->state != b->state)
		return a->state < b->state;
	if (a->use != b->use)
		return a->use < b->use;

	int rtt = hw_sched_compare_known(a->rtt_ns, b->rtt_ns);

	return rtt != 0 ? rtt < 0 : a->path < b->path;
}

/* Only where nothing else works. */
static bool is_spare(const struct hw_sched_path *path)
{
	return path->metered || path->use == HW_USE_BACKUP;
}

bool hw_sched_best(const struct hw_sched_path *paths, size_t path_count, uint32_t skip,
		   uint32_t *ret_path)
{
	const struct hw_sched_path *best = NULL, *first = NULL;
	bool plain_up = false;

	for (size_t i = 0; i < path_count; i++) {
		if (hw_sched_usable(&paths[i]) && paths[i].state == HW_PATH_UP && !is_spare(&paths[i]))
			plain_up = true;
		if (paths[i].path == skip)
			first = &paths[i];
	}
	for (size_t i = 0; i < path_count; i++) {
		const struct hw_sched_path *path = &paths[i];

		if (!hw_sched_usable(path) || path == first || (plain_up && is_spare(path)))
			continue;
		if (first != NULL && first->state == HW_PATH_UP && path->group == first->group)
			continue;
		if (best == NULL || hw_sched_before(path, best))
			best = path;
	}
	if (best == NULL)
		return false;
	*ret_path = best->path;
	return true;
}
