#include "core/retain.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
/* The pool is for what comes and goes: below this share of it nothing is kept for long. */
#define POOL_SHARE 4u

int hw_retain_init(struct hw_retain *retain)
{
	memset(retain, 0, sizeof(*retain));
	retain->entries = calloc(HW_RETAIN_PACKETS, sizeof(*retain->entries));
	retain->chains = malloc(HW_RETAIN_PACKETS * sizeof(*retain->chains));
	if (retain->entries == NULL || retain->chains == NULL) {
		hw_retain_fini(retain);
		return HW_E_NOMEM;
	}
	for (uint32_t i = 0; i < HW_RETAIN_PACKETS; i++)
		retain->chains[i] = NONE;
	return 0;
}

void hw_retain_fini(struct hw_retain *retain)
{
	if (retain->entries != NULL && retain->chains != NULL)
		hw_retain_clear(retain);
	free(retain->entries);
	free(retain->chains);
	memset(retain, 0, sizeof(*retain));
}

/* Counters of a stream are consecutive, so they spread by themselves. */
static uint32_t *chain_of(struct hw_retain *retain, uint32_t generation, uint8_t stream,
			  uint64_t counter)
{
	uint64_t mixed = counter + (uint64_t)stream * 257 + (uint64_t)generation * 4099;

	return &retain->chains[mixed % HW_RETAIN_PACKETS];
}

struct hw_retained *hw_retain_at(struct hw_retain *retain, uint32_t i)
{
	return &retain->entries[(retain->first + i) % HW_RETAIN_PACKETS];
}

struct hw_retained *hw_retain_find(struct hw_retain *retain, uint32_t generation, uint8_t stream,
				   uint64_t counter)
{
	uint32_t i = *chain_of(retain, generation, stream, counter);

	while (i != NONE) {
		struct hw_retained *packet = &retain->entries[i];

		if (packet->counter == counter && packet->stream == stream &&
		    packet->generation == generation)
			return packet;
		i = packet->chain;
	}
	return NULL;
}

void hw_retain_release(struct hw_retain *retain, struct hw_retained *packet)
{
	uint32_t place = (uint32_t)(packet - retain->entries);
	uint32_t *link = chain_of(retain, packet->generation, packet->stream, packet->counter);

	if (packet->body == NULL)
		return;
	while (*link != place)
		link = &retain->entries[*link].chain;
	*link = packet->chain;
	retain->held--;
	retain->bytes -= packet->body->len;
	hw_buf_unref(packet->body);
	packet->body = NULL;
}

static void drop_oldest(struct hw_retain *retain)
{
	hw_retain_release(retain, hw_retain_at(retain, 0));
	retain->first = (retain->first + 1) % HW_RETAIN_PACKETS;
	retain->count--;
}

static bool pool_is_low(const struct hw_pool *pool)
{
	return hw_pool_available(pool) < hw_pool_count(pool) / POOL_SHARE;
}

void hw_retain_add(struct hw_retain *retain, const struct hw_retained *packet)
{
	const struct hw_pool *pool = packet->body->pool;

	while (retain->count > 0 && (retain->count == HW_RETAIN_PACKETS ||
				     retain->bytes + packet->body->len > HW_RETAIN_BYTES ||
				     pool_is_low(pool)))
		drop_oldest(retain);
	if (pool_is_low(pool))
		return;

	struct hw_retained *entry = hw_retain_at(retain, retain->count);
	uint32_t *link = chain_of(retain, packet->generation, packet->stream, packet->counter);

	*entry = *packet;
	entry->chain = *link;
	*link = (uint32_t)(entry - retain->entries);
	hw_buf_ref(entry->body);
	retain->count++;
	retain->held++;
	retain->bytes += entry->body->len;
}

void hw_retain_expire(struct hw_retain *retain, hw_time now)
{
	while (retain->count > 0) {
		const struct hw_retained *oldest = hw_retain_at(retain, 0);

		if (oldest->body != NULL && hw_time_since(now, oldest->at) < HW_RETAIN_AGE)
			break;
		drop_oldest(retain);
	}
}

void hw_retain_clear(struct hw_retain *retain)
{
	while (retain->count > 0)
		drop_oldest(retain);
}

hw_time hw_retain_deadline(const struct hw_retain *retain)
{
	return retain->count > 0 ? retain->entries[retain->first].at + HW_RETAIN_AGE : HW_TIME_NEVER;
}
