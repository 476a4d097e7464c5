/*
 * A binary min-heap of deadlines, intrusive and allocation-free once it has room: the owner embeds
 * a hw_heap_node in whatever has a deadline. Equal deadlines come out in the order they were set,
 * so runs repeat exactly.
 */
#ifndef HW_BASE_HEAP_H
#define HW_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

struct hw_heap_node {
	hw_time at;
	uint64_t order; /* ties: lower first; set by the heap */
	size_t index;   /* 1-based place in the heap; 0 when not in it */
};

struct hw_heap {
	struct hw_heap_node **nodes;
	size_t count;
	size_t room;
	uint64_t next_order;
};

void hw_heap_init(struct hw_heap *heap);
void hw_heap_fini(struct hw_heap *heap);

/* Put the node in, or move it, to fire at `at`. HW_E_NOMEM when the heap cannot grow. */
HW_MUST_USE int hw_heap_set(struct hw_heap *heap, struct hw_heap_node *node, hw_time at);

/* Take the node out; no effect when it is not in. */
void hw_heap_remove(struct hw_heap *heap, struct hw_heap_node *node);

/* The earliest node, or NULL. It stays in the heap. */
struct hw_heap_node *hw_heap_first(const struct hw_heap *heap);

static inline void hw_heap_node_init(struct hw_heap_node *node)
{
	node->at = HW_TIME_NEVER;
	node->order = 0;
	node->index = 0;
}

#endif
