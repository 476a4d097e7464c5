/*
 * The frame header of framed data (docs/wire.md, "Inner packets"), and cutting an inner packet into
 * near-equal fragments so that each sealed one fits a given UDP payload. Near-equal, since then no
 * fragment is larger than it has to be and every one costs about the same to carry or to copy.
 *
 *     hw_frame_plan  how many pieces, and with what header
 *     hw_frame_cut   one piece, in a buffer of its own
 *     hw_frame_wrap  the header alone, in front of a packet that needs no cutting
 *     hw_frame_parse the receiver's side
 */
#ifndef HW_FRAME_FRAGMENT_H
#define HW_FRAME_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct hw_buf;
struct hw_pool;

#define HW_FRAME_FLAG_COMPRESSED 0x01u
#define HW_FRAME_FLAG_FRAGMENT 0x02u
#define HW_FRAME_MAX_FRAGMENTS 16u
#define HW_FRAME_MAX_HEADER_BYTES 4u

/* What a frame header says. */
struct hw_frame {
	bool fragment;
	bool compressed;
	uint8_t index;         /* of this fragment; 0 where it is none */
	uint8_t count;         /* of the packet's fragments, 2..16; 1 where it is none */
	uint16_t original_len; /* bytes before compression; 0 where not compressed */
	uint8_t header_bytes;  /* what stands in front of the payload */
};

/*
 * Parse the header at the start of a framed packet's plaintext. HW_E_MALFORMED: too short, an
 * unknown flag, neither a fragment nor compressed (such a packet travels without a header), an index
 * that is not below the count, a count of 1, an original length of 0, or nothing behind the header.
 */
HW_MUST_USE int hw_frame_parse(const uint8_t *data, size_t len, struct hw_frame *ret_frame);

/* How one inner packet will travel. */
struct hw_frame_plan {
	uint32_t len;          /* of the packet as it is cut: after compression */
	uint16_t original_len; /* before compression; 0 where not compressed */
	uint8_t count;         /* sealed packets, 1..16 */
	uint8_t header_bytes;  /* in front of each; 0: whole and bare, sent as HW_WIRE_DATA */
};

/*
 * Plan a packet of len bytes (original_len: its length before compression, 0 where it is not
 * compressed) such that each sealed packet has at most max_payload_bytes of UDP payload, with the
 * fewest pieces. HW_E_INVAL: len is 0; HW_E_LIMIT: more than 16 pieces would be needed.
 */
HW_MUST_USE int hw_frame_plan(uint32_t len, uint16_t original_len, uint32_t max_payload_bytes,
			      struct hw_frame_plan *ret_plan);

/* The largest uncompressed packet that hw_frame_plan leaves whole / can cut at all. */
uint32_t hw_frame_max_whole(uint32_t max_payload_bytes);
uint32_t hw_frame_max_cut(uint32_t max_payload_bytes);

/*
 * Gives piece `i` (below plan->count) of `packet`, header included, in a new buffer with headroom
 * and tailroom for sealing; its `at` is the packet's. NULL when the pool is empty. The packet stays
 * the caller's and is only read. Only for plans with header_bytes > 0.
 */
struct hw_buf *hw_frame_cut(struct hw_pool *pool, const struct hw_frame_plan *plan,
			    const struct hw_buf *packet, uint32_t i);

/*
 * Put the header in front of a packet that is whole (plan->count 1, header_bytes > 0), in place. The
 * caller holds the only reference.
 */
void hw_frame_wrap(const struct hw_frame_plan *plan, struct hw_buf *packet);

#endif
