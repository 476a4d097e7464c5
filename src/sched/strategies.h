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

/*
 * An order of unknown-last figures: -1, 0 or 1 as a is better than, as good as, or worse than b,
 * where less is better and negative means not known.
 */
int hw_sched_compare_known(int64_t a, int64_t b);

/* The order of hw_sched_best, with ties by place: is a to be preferred to b? */
bool hw_sched_before(const struct hw_sched_path *a, const struct hw_sched_path *b);

#endif
