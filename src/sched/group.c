#include "sched/strategies.h"

#define MARGIN_NS ((int64_t)HW_MS(5))

bool hw_sched_clearly_faster(const struct hw_sched_path *a, const struct hw_sched_path *b)
{
	if (a->rtt_ns < 0 || b->rtt_ns < 0)
		return false;
	return a->rtt_ns <= b->rtt_ns - MARGIN_NS && a->rtt_ns <= b->rtt_ns - b->rtt_ns / 4;
}

/* The best usable path of the group, `but` left out; NULL when there is none. */
static const struct hw_sched_path *best_of(const struct hw_sched_path *paths, size_t path_count,
					   uint8_t group, const struct hw_sched_path *but)
{
	const struct hw_sched_path *best = NULL;

	for (size_t i = 0; i < path_count; i++)
		if (paths[i].group == group && &paths[i] != but && hw_sched_usable(&paths[i]) &&
		    (best == NULL || hw_sched_before(&paths[i], best)))
			best = &paths[i];
	return best;
}

static const struct hw_sched_path *present_of(const struct hw_sched_groups *groups,
					      const struct hw_sched_path *paths, size_t path_count,
					      uint8_t group)
{
	for (size_t i = 0; i < path_count; i++)
		if (paths[i].group == group && paths[i].path + 1 == groups->present[group] &&
		    hw_sched_usable(&paths[i]))
			return &paths[i];
	return NULL;
}

/* The path of the group that carries, and in *ret_next the one that carries too, or NULL. */
static const struct hw_sched_path *lead(struct hw_sched_groups *groups,
					const struct hw_sched_path *paths, size_t path_count,
					uint8_t group, const struct hw_sched_path **ret_next)
{
	const struct hw_sched_path *present = present_of(groups, paths, path_count, group);
	const struct hw_sched_path *other = best_of(paths, path_count, group, present);

	if (present == NULL) {
		present = other;
		other = present != NULL ? best_of(paths, path_count, group, present) : NULL;
	} else if (other != NULL && present->state == HW_PATH_UP && other->state == HW_PATH_UP &&
		   (other->use < present->use ||
		    (other->use == present->use && hw_sched_clearly_faster(other, present)))) {
		present = other;
	}
	groups->present[group] = present != NULL ? (uint8_t)(present->path + 1) : 0;
	*ret_next = present != NULL && present->state == HW_PATH_SUSPECT ? other : NULL;
	return present;
}

size_t hw_sched_groups_pick(struct hw_sched_groups *groups, const struct hw_sched_path *paths,
			    size_t path_count,
			    const struct hw_sched_path *ret_picked[HW_SCHED_MAX_PATHS])
{
	const struct hw_sched_path *first[HW_SCHED_MAX_PATHS], *next[HW_SCHED_MAX_PATHS];
	bool known[HW_SCHED_MAX_PATHS] = { false };
	size_t count = 0;

	for (size_t i = 0; i < path_count && count < HW_SCHED_MAX_PATHS; i++) {
		uint8_t group = paths[i].group;

		if (!known[group]) {
			first[group] = lead(groups, paths, path_count, group, &next[group]);
			known[group] = true;
		}
		if (&paths[i] == first[group] || &paths[i] == next[group])
			ret_picked[count++] = &paths[i];
	}
	return count;
}
