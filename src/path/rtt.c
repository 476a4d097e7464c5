#include "path/rtt.h"

void hw_window_min_init(struct hw_window_min *min)
{
	*min = (struct hw_window_min){ .current = INT64_MAX, .previous = INT64_MAX };
}

/* How many slots have ended since the current one began. */
static uint64_t slots_past(const struct hw_window_min *min, hw_time now)
{
	return hw_time_since(now, min->slot_start) / HW_WINDOW_MIN_SLOT;
}

void hw_window_min_add(struct hw_window_min *min, int64_t value, hw_time now)
{
	uint64_t past = slots_past(min, now);

	if (past > 0) {
		min->previous = past == 1 ? min->current : INT64_MAX;
		min->current = INT64_MAX;
		min->slot_start += past * HW_WINDOW_MIN_SLOT;
	}
	if (value < min->current)
		min->current = value;
}

int64_t hw_window_min_get(const struct hw_window_min *min, hw_time now)
{
	uint64_t past = slots_past(min, now);

	if (past == 0)
		return min->current < min->previous ? min->current : min->previous;
	return past == 1 ? min->current : INT64_MAX;
}

void hw_rtt_restart(struct hw_rtt *rtt)
{
	rtt->young = HW_RTT_YOUNG;
}

void hw_rtt_init(struct hw_rtt *rtt)
{
	*rtt = (struct hw_rtt){ .smoothed_ns = -1, .variation_ns = -1, .latest_ns = -1 };
	hw_window_min_init(&rtt->min);
}

void hw_rtt_sample(struct hw_rtt *rtt, int64_t sample_ns, hw_time now)
{
	bool young = rtt->young > 0;

	if (sample_ns < 0)
		sample_ns = 0;
	if (!hw_rtt_known(rtt) || rtt->young == HW_RTT_YOUNG || (young && sample_ns < rtt->smoothed_ns)) {
		rtt->smoothed_ns = sample_ns;
		rtt->variation_ns = sample_ns / 2;
	} else {
		int64_t error = sample_ns - rtt->smoothed_ns;

		rtt->variation_ns += ((error < 0 ? -error : error) - rtt->variation_ns) / 4;
		if (!young)
			rtt->smoothed_ns += error / 8;
	}
	if (young)
		rtt->young--;
	rtt->latest_ns = sample_ns;
	hw_window_min_add(&rtt->min, sample_ns, now);
}

hw_time hw_rtt_timeout(const struct hw_rtt *rtt, hw_time unknown)
{
	if (!hw_rtt_known(rtt))
		return unknown;
	return (hw_time)(rtt->smoothed_ns + 4 * rtt->variation_ns);
}

int64_t hw_rtt_min(const struct hw_rtt *rtt, hw_time now)
{
	int64_t min = hw_window_min_get(&rtt->min, now);

	return min == INT64_MAX ? -1 : min;
}
