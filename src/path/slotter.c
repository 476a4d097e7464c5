#include "path/slotter.h"

#define SLOT_NS ((int64_t)HW_JOINT_SLOT)
#define SPARSE 0.4 /* packets in a slot: of fewer, silence says nothing */

static bool is_bad(const struct hw_slotter *s)
{
	uint32_t lost = s->expected > s->received ? s->expected - s->received : 0;

	if (lost > 0 && lost * 5ull >= s->expected)
		return true;
	if (s->received == 0)
		return false;
	if (s->queue_min_ns >= HW_SLOTTER_LATE_NS)
		return true;
	return s->received < s->usual / 4 && s->queue_max_ns >= HW_SLOTTER_LATE_NS / 2;
}

static void begin(struct hw_slotter *s, int64_t slot)
{
	s->slot = slot;
	s->expected = s->received = 0;
	s->queue_min_ns = INT64_MAX;
	s->queue_max_ns = 0;
}

/* The running slot is over; the next packets are in `next`, and lost is what misses before them. */
static void close_slot(struct hw_slotter *s, struct hw_joint *joint, uint32_t path, int64_t next,
		       uint32_t lost)
{
	bool sparse = s->usual < SPARSE;

	if (s->expected > 0 || s->received > 0)
		hw_joint_mark(joint, path, s->slot, s->slot, is_bad(s));
	if (next > s->slot + 1 && lost > 0 && !sparse)
		hw_joint_mark(joint, path, s->slot + 1, next - 1, true);

	/* What is usual: over some 2 s, silent slots too. */
	s->usual += (s->received - s->usual) / 16;
	for (int64_t i = s->slot + 1; i < next && i <= s->slot + 64; i++)
		s->usual -= s->usual / 16;
}

void hw_slotter_add(struct hw_slotter *s, struct hw_joint *joint, uint32_t path, int64_t time_ns,
		    uint32_t expected, uint32_t received, int64_t queue_ns)
{
	/* Rounds towards minus infinity: the clock's zero is anywhere. */
	int64_t slot = time_ns / SLOT_NS - (time_ns % SLOT_NS < 0);
	uint32_t lost = expected > received ? expected - received : 0;

	if (!s->started) {
		s->started = true;
		begin(s, slot);
	} else if (slot > s->slot || slot < s->slot - (int64_t)HW_JOINT_OPEN) {
		bool silent = slot > s->slot + 1 && lost > 0;

		close_slot(s, joint, path, slot, lost);
		begin(s, slot);
		if (silent) /* what is missing belongs to the silence */
			expected = received;
	}
	s->expected += expected;
	s->received += received;
	if (queue_ns < s->queue_min_ns)
		s->queue_min_ns = queue_ns;
	if (queue_ns > s->queue_max_ns)
		s->queue_max_ns = queue_ns;
}
