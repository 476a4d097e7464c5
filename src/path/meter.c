#include "path/meter.h"

#include <string.h>

#define RATE_SLOTS 10u

void hw_meter_init(struct hw_meter *meter)
{
	memset(meter, 0, sizeof(*meter));
	meter->started = HW_TIME_NEVER;
}

#define SLOTS_A_SECOND (HW_S(1) / HW_METER_SLOT)

static void advance(struct hw_meter *meter, uint64_t slot)
{
	uint64_t steps = slot - meter->current;

	if (steps > HW_METER_SLOTS)
		steps = HW_METER_SLOTS;
	for (; steps > 0; steps--)
		meter->slots[(slot - steps + 1) % HW_METER_SLOTS] = (struct hw_meter_slot){ 0 };

	uint64_t second = meter->current / SLOTS_A_SECOND, newest = slot / SLOTS_A_SECOND;

	if (newest - second > HW_METER_SECONDS)
		second = newest - HW_METER_SECONDS;
	while (second < newest)
		meter->seconds[++second % HW_METER_SECONDS] = (struct hw_meter_second){ 0 };
	meter->current = slot;
}

void hw_meter_add(struct hw_meter *meter, uint32_t expected, uint32_t received, uint32_t bytes,
		  hw_time now)
{
	uint64_t slot = now / HW_METER_SLOT;

	if (meter->started == HW_TIME_NEVER) {
		meter->started = now;
		meter->current = slot;
	}
	if (slot > meter->current)
		advance(meter, slot);

	struct hw_meter_slot *s = &meter->slots[meter->current % HW_METER_SLOTS];

	s->expected += expected;
	s->received += received;
	s->bytes += bytes;

	struct hw_meter_second *second =
		&meter->seconds[meter->current / SLOTS_A_SECOND % HW_METER_SECONDS];

	second->expected += expected;
	second->received += received;
}

/* Sum of the slots in (newest - count, newest]. */
static void sum(const struct hw_meter *meter, uint64_t newest, unsigned count,
		uint64_t *ret_expected, uint64_t *ret_received, uint64_t *ret_bytes)
{
	uint64_t expected = 0, received = 0, bytes = 0;

	for (unsigned back = 0; back < HW_METER_SLOTS && back <= meter->current; back++) {
		uint64_t slot = meter->current - back;

		if (slot + count <= newest)
			break;
		expected += meter->slots[slot % HW_METER_SLOTS].expected;
		received += meter->slots[slot % HW_METER_SLOTS].received;
		bytes += meter->slots[slot % HW_METER_SLOTS].bytes;
	}
	*ret_expected = expected;
	*ret_received = received;
	*ret_bytes = bytes;
}

static double loss_of(uint64_t expected, uint64_t received, uint32_t min_expected)
{
	if (expected == 0 || expected < min_expected)
		return -1;
	/* Late packets may make up for losses that an older slot counted. */
	return received >= expected ? 0 : 1 - (double)received / (double)expected;
}

double hw_meter_loss(const struct hw_meter *meter, unsigned slots, uint32_t min_expected,
		     hw_time now)
{
	uint64_t expected, received, bytes;

	sum(meter, now / HW_METER_SLOT, slots, &expected, &received, &bytes);
	return loss_of(expected, received, min_expected);
}

double hw_meter_loss_minute(const struct hw_meter *meter, uint32_t min_expected, hw_time now)
{
	uint64_t expected = 0, received = 0;
	uint64_t second = meter->current / SLOTS_A_SECOND, newest = now / HW_S(1);

	for (unsigned back = 0; back < HW_METER_SECONDS && back <= second; back++) {
		if (second - back + HW_METER_SECONDS <= newest)
			break;
		expected += meter->seconds[(second - back) % HW_METER_SECONDS].expected;
		received += meter->seconds[(second - back) % HW_METER_SECONDS].received;
	}
	return loss_of(expected, received, min_expected);
}

double hw_meter_rate_Bps(const struct hw_meter *meter, hw_time now)
{
	uint64_t expected, received, bytes, newest = now / HW_METER_SLOT;

	if (meter->started == HW_TIME_NEVER)
		return 0;
	sum(meter, newest, RATE_SLOTS + 1, &expected, &received, &bytes);

	hw_time from = newest > RATE_SLOTS ? (newest - RATE_SLOTS) * HW_METER_SLOT : 0;
	hw_time span = hw_time_since(now, hw_time_max(from, meter->started));

	return (double)bytes * 1e9 / (double)hw_time_max(span, HW_METER_SLOT);
}
