/*
 * Counts over recent time: a ring of 100 slots of 100 ms, each with packets expected, packets
 * received and bytes, and one of 60 seconds without the bytes. Reads give loss over about 1 s, 10 s
 * or a minute and the rate over about 1 s.
 */
#ifndef HW_PATH_METER_H
#define HW_PATH_METER_H

#include <stdint.h>

#include "base/time.h"

#define HW_METER_SLOTS 100u
#define HW_METER_SLOT HW_MS(100)
#define HW_METER_SECONDS 60u

struct hw_meter_slot {
	uint32_t expected, received, bytes;
};

struct hw_meter_second {
	uint32_t expected, received;
};

struct hw_meter {
	hw_time started;  /* first use; HW_TIME_NEVER before it */
	uint64_t current; /* number of the newest slot: time / 100 ms */
	struct hw_meter_slot slots[HW_METER_SLOTS];
	struct hw_meter_second seconds[HW_METER_SECONDS];
};

void hw_meter_init(struct hw_meter *meter);

/* `now` may be earlier than before: the counts then go to the newest slot. */
void hw_meter_add(struct hw_meter *meter, uint32_t expected, uint32_t received, uint32_t bytes,
		  hw_time now);

/*
 * 1 - received / expected over the last `slots` slots (10: about 1 s, 100: 10 s), the running one
 * included; never below 0. -1 when fewer than min_expected packets were expected.
 */
double hw_meter_loss(const struct hw_meter *meter, unsigned slots, uint32_t min_expected,
		     hw_time now);

/* The same over the last minute, by whole seconds and the running one. */
double hw_meter_loss_minute(const struct hw_meter *meter, uint32_t min_expected, hw_time now);

/* Bytes/s over the last second or so; 0 when idle. */
double hw_meter_rate_Bps(const struct hw_meter *meter, hw_time now);

#endif
