#include "core/limiter.h"

#include <stdlib.h>

int hw_limiter_init(struct hw_limiter *limiter, const uint8_t seed[HW_SIPHASH_KEY_BYTES])
{
	*limiter = (struct hw_limiter){ 0 };
	limiter->sources = calloc(HW_LIMITER_SLOTS, sizeof(*limiter->sources));
	if (limiter->sources == NULL)
		return HW_E_NOMEM;
	hw_siphash_key_init(&limiter->key, seed);
	return 0;
}

void hw_limiter_fini(struct hw_limiter *limiter)
{
	free(limiter->sources);
	*limiter = (struct hw_limiter){ 0 };
}

static bool has_token(const struct hw_bucket *bucket, uint32_t rate, hw_time now)
{
	return bucket->empty_at + HW_NS_PER_S / rate <= now || bucket->empty_at == 0;
}

static void take_token(struct hw_bucket *bucket, uint32_t rate, hw_time now)
{
	/* Credit of more than a second is forgotten: that is the burst. */
	hw_time oldest = now > HW_NS_PER_S ? now - HW_NS_PER_S : 0;

	bucket->empty_at = hw_time_max(bucket->empty_at, oldest) + HW_NS_PER_S / rate;
}

enum hw_limiter_verdict hw_limiter_admit(struct hw_limiter *limiter, const struct hw_addr *from,
					 bool proven, hw_time now)
{
	struct hw_bucket *bucket = &limiter->free;
	uint32_t rate = HW_LIMITER_FREE;

	if (proven) {
		size_t significant = from->family == HW_FAMILY_IPV6 ? 8 : 4;
		uint64_t hash = hw_siphash(&limiter->key, from->ip, significant);

		bucket = &limiter->sources[hash % HW_LIMITER_SLOTS];
		rate = HW_LIMITER_SOURCE;
	}
	if (!has_token(bucket, rate, now))
		return proven ? HW_LIMITER_REFUSE : HW_LIMITER_COOKIE;
	if (!has_token(&limiter->total, HW_LIMITER_TOTAL, now))
		return HW_LIMITER_REFUSE;
	take_token(bucket, rate, now);
	take_token(&limiter->total, HW_LIMITER_TOTAL, now);
	return HW_LIMITER_ADMIT;
}
