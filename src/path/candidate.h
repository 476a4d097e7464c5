/* Candidates' timers, for path/table.c alone; everything else about them is in path/table.h. */
#ifndef HW_PATH_CANDIDATE_H
#define HW_PATH_CANDIDATE_H

#include "base/time.h"

struct hw_path_table;

void hw_candidates_tick(struct hw_path_table *table, hw_time now);
hw_time hw_candidates_deadline(const struct hw_path_table *table);

#endif
