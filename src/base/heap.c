#include "base/heap.h"

#include <stdlib.h>

void hw_heap_init(struct hw_heap *heap)
{
	*heap = (struct hw_heap){ 0 };
}

void hw_heap_fini(struct hw_heap *heap)
{
	free(heap->nodes);
	*heap = (struct hw_heap){ 0 };
}

static bool before(const struct hw_heap_node *a, const struct hw_heap_node *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void place(struct hw_heap *heap, struct hw_heap_node *node, size_t index)
{
	heap->nodes[index - 1] = node;
	node->index = index;
}

static void sift_up(struct hw_heap *heap, struct hw_heap_node *node)
{
	size_t i = node->index;

	for (; i > 1 && before(node, heap->nodes[i / 2 - 1]); i /= 2)
		place(heap, heap->nodes[i / 2 - 1], i);
	place(heap, node, i);
}

static void sift_down(struct hw_heap *heap, struct hw_heap_node *node)
{
	size_t i = node->index;

	for (;;) {
		size_t child = 2 * i;

		if (child > heap->count)
			break;
		if (child < heap->count && before(heap->nodes[child], heap->nodes[child - 1]))
			child++;
		if (!before(heap->nodes[child - 1], node))
			break;
		place(heap, heap->nodes[child - 1], i);
		i = child;
	}
	place(heap, node, i);
}

int hw_heap_set(struct hw_heap *heap, struct hw_heap_node *node, hw_time at)
{
	if (node->index == 0) {
		if (heap->count == heap->room) {
			size_t room = heap->room == 0 ? 16 : 2 * heap->room;
			struct hw_heap_node **grown = realloc(heap->nodes, room * sizeof(struct hw_heap_node *));

			if (grown == NULL)
				return HW_E_NOMEM;
			heap->nodes = grown;
			heap->room = room;
		}
		place(heap, node, ++heap->count);
	}
	node->at = at;
	node->order = heap->next_order++;
	sift_up(heap, node);
	sift_down(heap, node);
	return 0;
}

void hw_heap_remove(struct hw_heap *heap, struct hw_heap_node *node)
{
	if (node->index == 0)
		return;

	size_t index = node->index;
	struct hw_heap_node *last = heap->nodes[--heap->count];

	node->index = 0;
	if (last == node)
		return;
	place(heap, last, index);
	sift_up(heap, last);
	sift_down(heap, last);
}

struct hw_heap_node *hw_heap_first(const struct hw_heap *heap)
{
	return heap->count == 0 ? NULL : heap->nodes[0];
}
