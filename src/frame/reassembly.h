/*
 * Puts fragments together again: one table for each peer, bounded whatever the peer does.
 *
 * A packet is named by (session, stream, counter - index), since fragments of one packet have
 * consecutive counters; the session is part of it because counters begin at 0 with each. Each
 * incomplete packet owns one buffer of the pool, in which the fragments have fixed places, so a
 * hostile peer holds at most HW_REASSEMBLY_PACKETS buffers or HW_REASSEMBLY_BYTES, whichever is
 * less, for HW_REASSEMBLY_LIFETIME at the longest. When the table is full the oldest packet goes.
 *
 * Accounting is exact: each fragment given in ends as exactly one of its own verdict, or, if that was
 * HELD, later as one of the `completed`, `expired` or `evicted` counts, or of what hw_reassembly_clear
 * returns.
 */
#ifndef HW_FRAME_REASSEMBLY_H
#define HW_FRAME_REASSEMBLY_H

#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "frame/fragment.h"

#define HW_REASSEMBLY_PACKETS 64u
#define HW_REASSEMBLY_BYTES (4u << 20)
#define HW_REASSEMBLY_LIFETIME HW_S(1) /* from a packet's first fragment to arrive */

struct hw_buf;
struct hw_pool;
struct hw_reassembly;

enum hw_reassembly_verdict {
	HW_REASSEMBLY_HELD,      /* waits for the rest */
	HW_REASSEMBLY_COMPLETE,  /* was the last one missing: the packet is whole */
	HW_REASSEMBLY_DUPLICATE, /* this place is filled already: dropped */
	HW_REASSEMBLY_MALFORMED, /* contradicts itself or the packet's other fragments: dropped */
	HW_REASSEMBLY_LIMIT,     /* the packet would be larger than a buffer: dropped */
	HW_REASSEMBLY_NO_BUFFER  /* first of its packet, and the pool is empty: dropped */
};

struct hw_reassembly_result {
	enum hw_reassembly_verdict verdict;
	struct hw_buf *packet;     /* COMPLETE: given; its `at` is the last fragment's. Else NULL */
	uint8_t tos;               /* COMPLETE: the outer byte of the first to arrive; CE if any had CE */
	uint32_t completed;        /* fragments held until now that this one completed */
	uint32_t expired;          /* fragments held until now that were given up: too old */
	uint32_t evicted;          /* fragments held until now that were given up: table full */
};

/*
 * A table for packets of at most what one buffer of the pool holds (a packet in n fragments must
 * leave n - 1 bytes of that free). The pool is the owner's and outlives the table. HW_E_NOMEM.
 */
HW_MUST_USE int hw_reassembly_new(struct hw_pool *pool, struct hw_reassembly **ret_reassembly);

/* Gives all buffers back. NULL is allowed. */
void hw_reassembly_free(struct hw_reassembly *r);

/*
 * Takes one fragment: its buffer, with the frame header pulled off already, and what the header said
 * (frame->fragment is true). `session` is any number that tells sessions of this peer apart for a
 * second; `tos` is the outer header's (RFC 6040 reads ECN from it: RFC 3168, section 5.3, wants a
 * packet of which any fragment was marked to be marked). Fills the result in every case.
 */
void hw_reassembly_add(struct hw_reassembly *r, uint64_t session, uint8_t stream, uint64_t counter,
		       const struct hw_frame *frame, struct hw_buf *fragment, uint8_t tos, hw_time now,
		       struct hw_reassembly_result *ret_result);

/* Give up what is too old. Returns how many held fragments that dropped. */
uint32_t hw_reassembly_expire(struct hw_reassembly *r, hw_time now);

/* Give up everything. Returns how many held fragments that dropped. */
uint32_t hw_reassembly_clear(struct hw_reassembly *r);

/* When hw_reassembly_expire is next needed; HW_TIME_NEVER when nothing is held. */
hw_time hw_reassembly_deadline(const struct hw_reassembly *r);

/* Fragments held now; packets they belong to; packets that may wait at most. */
uint32_t hw_reassembly_held(const struct hw_reassembly *r);
uint32_t hw_reassembly_packets(const struct hw_reassembly *r);
uint32_t hw_reassembly_limit(const struct hw_reassembly *r);

#endif
