/*
 * The strategies of this build, and what they share. For the strategies themselves; everyone else
 * finds one by name through sched/sched.h.
 */
#ifndef HW_SCHED_STRATEGIES_H
#define HW_SCHED_STRATEGIES_H

#include <stdbool.h>

#include "sched/sched.h"

extern const struct hw_strategy hw_strategy_redundant;
extern const struct hw_strategy hw_strategy_backup;

/* May the path carry packets at all? UP or SUSPECT, and not of use NEVER. */
bool hw_sched_usable(const struct hw_sched_path *path);

/* a's round trip is shorter than b's by a quarter and by 5 ms: worth moving for. */
bool hw_sched_clearly_faster(const struct hw_sched_path *a, const struct hw_sched_path *b);

/*
 * Which paths of each group carry: its best one, kept until it is not usable any more or another that
 * is UP is clearly faster or less reserved; and while that one is SUSPECT the next best too. The state is the
 * strategy's: zeroed memory.
 */
struct hw_sched_groups {
	uint8_t present[HW_SCHED_MAX_PATHS]; /* of each group: the path, plus one; 0: none yet */
};

/* Gives the usable paths that carry, in order of `paths`; returns how many. */
size_t hw_sched_groups_pick(struct hw_sched_groups *groups, const struct hw_sched_path *paths,
			    size_t path_count,
			    const struct hw_sched_path *ret_picked[HW_SCHED_MAX_PATHS]);

/*
 * An order of unknown-last figures: -1, 0 or 1 as a is better than, as good as, or worse than b,
 * where less is better and negative means not known.
 */
int hw_sched_compare_known(int64_t a, int64_t b);

/* The order of hw_sched_best, with ties by place: is a to be preferred to b? */
bool hw_sched_before(const struct hw_sched_path *a, const struct hw_sched_path *b);

#endif
