#include "path/train.h"

#define LINEAR 32u /* values below this have a bucket each */
#define LINEAR_BITS 5u
#define STEPS 16u /* buckets of an octave above */

void hw_train_init(struct hw_train *train)
{
	*train = (struct hw_train){ 0 };
}

static uint32_t bucket_of(uint32_t us)
{
	uint32_t octave = 0;

	if (us < LINEAR)
		return us;
	while (us >> octave >= 2 * LINEAR)
		octave++;

	/* us >> octave lies in LINEAR .. 2 * LINEAR - 1: two values share a bucket. */
	uint32_t bucket = LINEAR + octave * STEPS + ((us >> octave) - LINEAR) / 2;

	return bucket < HW_TRAIN_BUCKETS ? bucket : HW_TRAIN_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint32_t middle_of(uint32_t bucket)
{
	if (bucket < LINEAR)
		return bucket;

	uint32_t octave = (bucket - LINEAR) / STEPS;
	uint32_t step = (bucket - LINEAR) % STEPS;

	return (LINEAR + 2 * step + 1) << octave;
}

void hw_train_packet(struct hw_train *train, bool lead, uint32_t sent_us, uint32_t bytes,
		     hw_time at)
{
	uint32_t absolute_us = (uint32_t)(at / HW_NS_PER_US) - sent_us;

	if (!train->any) {
		train->any = true;
		train->base_us = absolute_us;
	}

	int32_t delay_us = (int32_t)(absolute_us - train->base_us);

	train->packets++;
	if (delay_us < train->least_us)
		train->least_us = delay_us;
	if (lead)
		return;
	if (!train->any_rate) {
		train->any_rate = true;
		train->first_at = train->last_at = at;
		train->floor_us = train->least_us;
		train->most_us = delay_us;
	} else {
		train->rate_packets++;
		train->rate_bytes += bytes;
		train->first_at = hw_time_min(train->first_at, at);
		train->last_at = hw_time_max(train->last_at, at);
	}
	if (delay_us > train->most_us)
		train->most_us = delay_us;
	train->counted++;
	train->buckets[delay_us > train->floor_us
			       ? bucket_of((uint32_t)delay_us - (uint32_t)train->floor_us)
			       : 0]++;
}

/* The delay that `share` per cent of the packets do not exceed, beyond the least one. */
static uint32_t quantile(const struct hw_train *train, uint32_t share)
{
	uint64_t wanted = ((uint64_t)train->counted * share + 99) / 100;
	uint64_t seen = 0;

	for (uint32_t i = 0; i < HW_TRAIN_BUCKETS; i++) {
		seen += train->buckets[i];
		if (seen >= wanted && wanted > 0)
			return middle_of(i) + (uint32_t)train->floor_us - (uint32_t)train->least_us;
	}
	return 0;
}

void hw_train_get(const struct hw_train *train, struct hw_train_figures *ret)
{
	uint32_t most = train->any_rate ? (uint32_t)train->most_us - (uint32_t)train->least_us : 0;

	*ret = (struct hw_train_figures){
		.packets = train->packets,
		.rate_packets = train->rate_packets,
		.rate_bytes = train->rate_bytes,
		.span_us = (uint32_t)((train->last_at - train->first_at) / HW_NS_PER_US),
		.median_us = quantile(train, 50),
		.p95_us = quantile(train, 95),
		.most_us = most,
	};
	/* The middle of the last bucket may lie beyond what was seen. */
	if (ret->median_us > most)
		ret->median_us = most;
	if (ret->p95_us > most)
		ret->p95_us = most;
}
