#include "sim/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/siphash.h"

void hw_sim_engine_init(struct hw_sim_engine *engine)
{
	*engine = (struct hw_sim_engine){ 0 };
	hw_heap_init(&engine->heap);
}

void hw_sim_engine_fini(struct hw_sim_engine *engine)
{
	hw_heap_fini(&engine->heap);
}

void hw_sim_event_init(struct hw_sim_event *event,
		       void (*fire)(struct hw_sim_event *event, hw_time now))
{
	hw_heap_node_init(&event->node);
	event->fire = fire;
}

void hw_sim_at(struct hw_sim_engine *engine, struct hw_sim_event *event, hw_time at)
{
	if (at == HW_TIME_NEVER) {
		hw_sim_cancel(engine, event);
		return;
	}
	at = hw_time_max(at, engine->now);
	if (event->node.index != 0 && event->node.at == at)
		return;
	if (hw_heap_set(&engine->heap, &event->node, at) < 0)
		hw_sim_fail(engine, "out of memory for events");
}

void hw_sim_cancel(struct hw_sim_engine *engine, struct hw_sim_event *event)
{
	hw_heap_remove(&engine->heap, &event->node);
}

void hw_sim_run_until(struct hw_sim_engine *engine, hw_time until)
{
	struct hw_heap_node *node;

	while (!engine->failed && (node = hw_heap_first(&engine->heap)) != NULL &&
	       node->at <= until) {
		struct hw_sim_event *event = (struct hw_sim_event *)node;

		engine->now = node->at;
		engine->fired++;
		hw_heap_remove(&engine->heap, node);
		event->fire(event, engine->now);
	}
	if (!engine->failed)
		engine->now = until;
}

void hw_sim_fail(struct hw_sim_engine *engine, const char *format, ...)
{
	va_list args;

	if (engine->failed)
		return;
	engine->failed = true;
	va_start(args, format);
	vsnprintf(engine->failure, sizeof(engine->failure), format, args);
	va_end(args);
}

uint64_t hw_sim_seed(uint64_t seed, const char *part, uint32_t index)
{
	struct hw_siphash_key key = { .k0 = seed, .k1 = index };

	return hw_siphash(&key, part, strlen(part));
}
