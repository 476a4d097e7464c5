#include "path/owd.h"

/* Silence after which the smoothed delay says nothing of the next packet. */
#define RESTART_AFTER HW_S(10)

void hw_owd_clock_init(struct hw_owd_clock *clock)
{
	*clock = (struct hw_owd_clock){ 0 };
}

/* The low 24 bits as a number in [-2^23, 2^23). */
static int64_t signed24(int64_t v)
{
	int64_t low = v & 0xffffff;

	return low >= 0x800000 ? low - 0x1000000 : low;
}

int64_t hw_owd_clock_delay(struct hw_owd_clock *clock, uint32_t send_tick, hw_time at)
{
	int64_t ticks = (int64_t)(at / HW_OWD_TICK_NS) - (int64_t)send_tick;

	if (!clock->started) {
		clock->started = true;
		clock->last_ticks = signed24(ticks);
	} else {
		clock->last_ticks += signed24(ticks - clock->last_ticks);
	}
	return clock->last_ticks * (int64_t)HW_OWD_TICK_NS + (int64_t)(at % HW_OWD_TICK_NS);
}

void hw_owd_init(struct hw_owd *owd)
{
	*owd = (struct hw_owd){ 0 };
	hw_window_min_init(&owd->min);
}

void hw_owd_sample(struct hw_owd *owd, int64_t delay_ns, hw_time at)
{
	if (!owd->known || hw_time_since(at, owd->last_at) > RESTART_AFTER) {
		owd->known = true;
		owd->smoothed_ns = delay_ns;
	} else {
		int64_t step = delay_ns - owd->latest_ns;

		owd->jitter_ns += ((step < 0 ? -step : step) - owd->jitter_ns) / 16;
		owd->smoothed_ns += (delay_ns - owd->smoothed_ns) / 16;
	}
	owd->latest_ns = delay_ns;
	owd->last_at = hw_time_max(owd->last_at, at);
	hw_window_min_add(&owd->min, delay_ns, at);
}

bool hw_owd_fresh(const struct hw_owd *owd, hw_time now)
{
	return owd->known && hw_time_since(now, owd->last_at) <= HW_OWD_FRESH;
}
