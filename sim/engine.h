/*
 * Virtual time: a heap of events, each an intrusive node that its owner embeds.
 *
 * Events of the same time fire in the order they were set, so a run repeats bit for bit. A
 * violation of an invariant (hw_sim_fail) ends the run at once; the first one is kept.
 */
#ifndef HW_SIM_ENGINE_H
#define HW_SIM_ENGINE_H

#include <stdbool.h>

#include "base/heap.h"
#include "base/time.h"

struct hw_sim_event {
	struct hw_heap_node node; /* first, so that a node is its event */
	void (*fire)(struct hw_sim_event *event, hw_time now);
};

struct hw_sim_engine {
	struct hw_heap heap;
	hw_time now;
	uint64_t fired;
	bool failed;
	char failure[400];
};

void hw_sim_engine_init(struct hw_sim_engine *engine);
void hw_sim_engine_fini(struct hw_sim_engine *engine);

void hw_sim_event_init(struct hw_sim_event *event,
		       void (*fire)(struct hw_sim_event *event, hw_time now));

/* Fire at `at` (never before now), instead of when it was due before. */
void hw_sim_at(struct hw_sim_engine *engine, struct hw_sim_event *event, hw_time at);
void hw_sim_cancel(struct hw_sim_engine *engine, struct hw_sim_event *event);

/* Fire everything due up to and including `until`; then it is `until`, unless the run has failed.
 */
void hw_sim_run_until(struct hw_sim_engine *engine, hw_time until);

/* An invariant is broken. Only the first is kept. */
HW_PRINTF(2, 3)
void hw_sim_fail(struct hw_sim_engine *engine, const char *format, ...);

/* A seed of its own for one part of the simulation, so that adding a part leaves the others alone.
 */
uint64_t hw_sim_seed(uint64_t seed, const char *part, uint32_t index);

#endif
