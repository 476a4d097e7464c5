/*
 * Sealed packets that may have to be sent again: the last ones sent, each for as long as nobody vouches
 * for it, by stream and counter. What is kept are references to the very buffers that went out, so what
 * is sent again is the same sealed packet, byte for byte, under a new stamp: nothing is sealed twice.
 *
 * Bounded three ways, and by what the pool has left: beyond any of the limits the oldest goes. Pure
 * memory: no timers, no sending (src/core/resend.c).
 */
#ifndef HW_CORE_RETAIN_H
#define HW_CORE_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"

#define HW_RETAIN_PACKETS 4096u
#define HW_RETAIN_BYTES (4u << 20)
#define HW_RETAIN_AGE HW_S(3)
#define HW_RETAIN_HEAD_BYTES 8u /* type, stream, index and counter: what all copies share */

struct hw_retained {
	struct hw_buf *body; /* all behind the header; NULL: given back */
	uint32_t generation; /* of the session that sealed it */
	uint8_t stream;
	uint8_t tos;
	uint8_t carrier;     /* the path that carries it, by our number */
	uint16_t tried;      /* bit i: path i has carried it */
	uint32_t sequence;   /* of that transmission on that path */
	uint64_t counter;
	hw_time at;          /* when it was first sent */
	uint8_t head[HW_RETAIN_HEAD_BYTES];
	uint32_t chain;      /* for src/core/retain.c */
};

struct hw_retain {
	struct hw_retained *entries; /* a ring, oldest first */
	uint32_t *chains;
	uint32_t first, count;       /* places of the ring in use */
	uint32_t held;               /* of them, packets that were not given back */
	uint64_t bytes;              /* of those */
};

/* HW_E_NOMEM. */
HW_MUST_USE int hw_retain_init(struct hw_retain *retain);
void hw_retain_fini(struct hw_retain *retain);

/*
 * Keep the packet: takes a reference of its own. All fields of `packet` but chain are the caller's. No
 * packet of that generation, stream and counter may be there yet.
 */
void hw_retain_add(struct hw_retain *retain, const struct hw_retained *packet);

/* The packet, or NULL. Valid until the next call that changes anything. */
struct hw_retained *hw_retain_find(struct hw_retain *retain, uint32_t generation, uint8_t stream,
				   uint64_t counter);

/* The i-th oldest place, up to count: its body may be NULL. */
struct hw_retained *hw_retain_at(struct hw_retain *retain, uint32_t i);

/* Give one back. */
void hw_retain_release(struct hw_retain *retain, struct hw_retained *packet);

/* Give back what is too old, and places at the old end that hold nothing any more. */
void hw_retain_expire(struct hw_retain *retain, hw_time now);

/* Give back everything. */
void hw_retain_clear(struct hw_retain *retain);

/* When hw_retain_expire is next needed, or HW_TIME_NEVER. */
hw_time hw_retain_deadline(const struct hw_retain *retain);

#endif
