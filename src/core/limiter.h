/*
 * How many handshakes this node works on. Checking mac1 is cheap; opening an initiation costs
 * public-key work, so that is rationed. Fixed size, whatever strangers send.
 *
 * Initiations without a valid mac2 are let in up to HW_LIMITER_FREE a second; above that the node is
 * under load, and asks for a cookie. Those with a valid mac2 come from an address that answers, and
 * are let in up to HW_LIMITER_SOURCE a second for each source (IPv4 address or IPv6 /64; sources whose
 * hashes collide share). All together never exceed HW_LIMITER_TOTAL a second.
 */
#ifndef HW_CORE_LIMITER_H
#define HW_CORE_LIMITER_H

#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/siphash.h"
#include "base/time.h"

#define HW_LIMITER_FREE 100u
#define HW_LIMITER_SOURCE 20u
#define HW_LIMITER_TOTAL 2000u
#define HW_LIMITER_SLOTS 4096u

/* Fills at `rate` a second up to `rate`. Counts in nanoseconds of credit, so it never rounds. */
struct hw_bucket {
	hw_time empty_at; /* when the bucket, left alone, was last empty */
};

struct hw_limiter {
	struct hw_siphash_key key;
	struct hw_bucket free;
	struct hw_bucket total;
	struct hw_bucket *sources; /* HW_LIMITER_SLOTS */
};

enum hw_limiter_verdict {
	HW_LIMITER_ADMIT,
	HW_LIMITER_COOKIE, /* only with a valid mac2 */
	HW_LIMITER_REFUSE
};

/* HW_E_NOMEM. */
HW_MUST_USE int hw_limiter_init(struct hw_limiter *limiter,
				const uint8_t seed[HW_SIPHASH_KEY_BYTES]);
void hw_limiter_fini(struct hw_limiter *limiter);

/* One more initiation, whose mac1 is right; proven: its mac2 is too. Counts it when admitted. */
enum hw_limiter_verdict hw_limiter_admit(struct hw_limiter *limiter, const struct hw_addr *from,
					 bool proven, hw_time now);

#endif
