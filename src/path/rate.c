#include "path/rate.h"

#define LEAST_PACKETS 16u
#define LEAST_SPAN HW_MS(100)
#define MOST_SPAN HW_S(2) /* a sample that takes longer says nothing */
#define JITTERS 20u

/* Highest of both slots, as far as they are not too old. */
double hw_rate_max_Bps(const struct hw_rate *rate, hw_time now)
{
	hw_time age = hw_time_since(now, rate->slot_start);
	double max = age < 2 * HW_RATE_SLOT ? rate->current_Bps : 0;

	if (age < HW_RATE_SLOT && rate->previous_Bps > max)
		max = rate->previous_Bps;
	return max;
}

static void take(struct hw_rate *rate, double Bps, hw_time at)
{
	hw_time age = hw_time_since(at, rate->slot_start);
	double max = hw_rate_max_Bps(rate, at);

	rate->latest_Bps = Bps;
	if (!rate->full && (max <= 0 || Bps <= max))
		return;
	if (age >= HW_RATE_SLOT) {
		rate->previous_Bps = age < 2 * HW_RATE_SLOT ? rate->current_Bps : 0;
		rate->current_Bps = 0;
		rate->slot_start = at;
	}
	if (Bps > rate->current_Bps)
		rate->current_Bps = Bps;
}

void hw_rate_packet(struct hw_rate *rate, uint32_t bytes, int64_t queue_ns, int64_t jitter_ns,
		    hw_time at)
{
	hw_time span = hw_time_since(at, rate->from);

	rate->bytes += bytes;
	rate->packets++;
	if (queue_ns < HW_RATE_QUEUE_NS)
		rate->full = false;
	if (span < LEAST_SPAN || (rate->packets < LEAST_PACKETS && span < MOST_SPAN))
		return;
	if (span < MOST_SPAN) {
		if (span < hw_time_min(JITTERS * (hw_time)jitter_ns, MOST_SPAN / 2))
			return;
		take(rate, (double)rate->bytes * 1e9 / (double)span, at);
	}
	rate->from = at;
	rate->bytes = 0;
	rate->packets = 0;
	rate->full = queue_ns >= HW_RATE_QUEUE_NS;
}
