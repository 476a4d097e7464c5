/*
 * redundant: a copy of every packet on every path, the way of the 2011 recipe. The packet is lost
 * only if every copy is, and a link that dies costs nothing. Of several paths over the same two links
 * (one group) one carries: more copies there would cost the link more than they save.
 *
 * SUSPECT paths get their copy too: one that is only slow to answer may still deliver, and a copy
 * into a dead one costs little, for the short time until it is DOWN. Links of use BACKUP carry
 * copies only while no ALWAYS path is UP.
 */
#include "sched/strategies.h"

static void init(void *state)
{
	(void)state; /* zeroed: no group has a path yet */
}

/* Fastest way to the peer first: that copy is sent first. */
static bool before(const struct hw_sched_path *a, const struct hw_sched_path *b)
{
	if (a->state == b->state && a->use == b->use) {
		int delay = hw_sched_compare_known(a->delay_excess_ns, b->delay_excess_ns);

		if (delay != 0)
			return delay < 0;
	}
	return hw_sched_before(a, b);
}

static bool any_always_up(const struct hw_sched_path *paths, size_t path_count)
{
	for (size_t i = 0; i < path_count; i++)
		if (paths[i].use == HW_USE_ALWAYS && paths[i].state == HW_PATH_UP)
			return true;
	return false;
}

static void choose(void *state, const struct hw_sched_packet *packet,
		   const struct hw_sched_path *paths, size_t path_count,
		   struct hw_sched_choice *ret_choice)
{
	const struct hw_sched_path *picked[HW_SCHED_MAX_PATHS], *chosen[HW_SCHED_MAX_PATHS];
	bool with_backup = !any_always_up(paths, path_count);
	size_t picked_count = hw_sched_groups_pick(state, paths, path_count, picked);
	uint32_t count = 0;

	(void)packet;
	for (size_t i = 0; i < picked_count; i++) {
		const struct hw_sched_path *path = picked[i];
		uint32_t at = count;

		if (path->use == HW_USE_BACKUP && !with_backup)
			continue;
		for (; at > 0 && before(path, chosen[at - 1]); at--)
			chosen[at] = chosen[at - 1];
		chosen[at] = path;
		count++;
	}
	ret_choice->count = count;
	for (uint32_t i = 0; i < count; i++)
		ret_choice->path[i] = chosen[i]->path;
}

const struct hw_strategy hw_strategy_redundant = {
	.name = "redundant",
	.state_bytes = sizeof(struct hw_sched_groups),
	.init = init,
	.choose = choose,
};
