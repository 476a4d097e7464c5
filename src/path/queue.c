#include "path/queue.h"

#define MOST_RISE ((int64_t)HW_S(100))

void hw_queue_init(struct hw_queue *queue)
{
	*queue = (struct hw_queue){ .last_ns = -1 };
}

/* The running slot is over. */
static void fold(struct hw_queue *queue)
{
	int64_t above = queue->slot_min_ns - queue->baseline_ns;
	hw_time passed = hw_time_since(queue->slot_start, queue->folded_at);

	if (above < 0)
		queue->baseline_ns += above - above / 10;
	else if (passed >= HW_QUEUE_RISE)
		queue->baseline_ns = queue->slot_min_ns;
	else /* no product of the two is too much for 64 bits */
		queue->baseline_ns += (above < MOST_RISE ? above : MOST_RISE) *
				      (int64_t)(passed / HW_NS_PER_US) /
				      (int64_t)(HW_QUEUE_RISE / HW_NS_PER_US);
	queue->folded_at = queue->slot_start;
	queue->last_ns = hw_queue_beyond(queue, queue->slot_min_ns);
}

void hw_queue_sample(struct hw_queue *queue, int64_t delay_ns, hw_time at)
{
	if (!queue->known) {
		queue->known = true;
		queue->baseline_ns = queue->slot_min_ns = delay_ns;
		queue->slot_start = queue->folded_at = at;
		return;
	}
	if (at >= queue->slot_start + HW_QUEUE_SLOT) {
		fold(queue);
		queue->slot_start = at;
		queue->slot_min_ns = delay_ns;
	} else if (delay_ns < queue->slot_min_ns) {
		queue->slot_min_ns = delay_ns;
	}
}

int64_t hw_queue_delay_ns(const struct hw_queue *queue, hw_time now)
{
	int64_t running;

	if (!queue->known || hw_time_since(now, queue->slot_start) > HW_QUEUE_FRESH)
		return -1;
	running = hw_queue_beyond(queue, queue->slot_min_ns);
	/* A slot that has only just begun may hold nothing but a straggler. */
	return queue->last_ns >= 0 && queue->last_ns < running ? queue->last_ns : running;
}
