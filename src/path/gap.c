#include "path/gap.h"

void hw_gap_arrival(struct hw_gap *gap, hw_time at)
{
	int64_t gap_ns = (int64_t)hw_time_since(at, gap->last_at);
	bool pause = gap->last_at == 0 || gap_ns >= (int64_t)HW_GAP_PAUSE;

	gap->last_at = hw_time_max(gap->last_at, at);
	if (pause) {
		gap->count = 0;
		return;
	}
	if (gap->count == 0) {
		gap->mean_ns = gap_ns;
		gap->deviation_ns = gap_ns / 2;
	} else {
		int64_t error = gap_ns - gap->mean_ns;

		gap->mean_ns += error / 16;
		gap->deviation_ns += ((error < 0 ? -error : error) - gap->deviation_ns) / 16;
	}
	if (gap->count < HW_GAP_LEAST)
		gap->count++;
}
