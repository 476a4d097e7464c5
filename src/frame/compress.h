/*
 * Compression of inner packets: off unless asked for (compression beside secrets leaks them through
 * lengths: the VORACLE attack), and adaptive. What does not shrink is soon no longer tried: after
 * each failure a class waits twice as many packets as before, to a bound, so a stream of video costs
 * one attempt in a thousand packets, and a class that becomes compressible is noticed.
 *
 * Each node decides for what it sends; both understand a compressed packet (an LZ4 block).
 */
#ifndef HW_FRAME_COMPRESS_H
#define HW_FRAME_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/wire.h"

struct hw_buf;
struct hw_pool;

#define HW_COMPRESS_MIN_BYTES 96u       /* smaller packets are not tried */
#define HW_COMPRESS_MIN_SAVED_BYTES 16u /* beyond the frame header; else the packet stays as it is */
#define HW_COMPRESS_MAX_WAIT 1024u      /* packets of a class between attempts, at most */

struct hw_compressor {
	const char *name; /* in configuration files */

	/* Bytes written to out, at most `room`; 0 when the result would not fit. */
	uint32_t (*compress)(const uint8_t *in, uint32_t len, uint8_t *out, uint32_t room);
};

/* "off" or "lz4", or NULL. The i-th, or NULL past the last; the first is the default. */
const struct hw_compressor *hw_compressor_find(const char *name);
const struct hw_compressor *hw_compressor_at(size_t i);

/* One peer's sending side. Plain data. */
struct hw_compression {
	const struct hw_compressor *compressor;
	struct {
		uint32_t wait;  /* packets to let pass after the next failure */
		uint32_t until; /* packets still to let pass before the next attempt */
	} classes[HW_WIRE_STREAMS];
	uint64_t tried;   /* packets */
	uint64_t shrunk;  /* of them, sent compressed */
	uint64_t saved_bytes;
};

void hw_compression_init(struct hw_compression *c, const struct hw_compressor *compressor);

/*
 * Gives the packet compressed in a new buffer (its original length is packet->len, for
 * hw_frame_plan; its `at` is the packet's), or NULL: send it as it is. The packet stays the caller's.
 */
struct hw_buf *hw_compression_try(struct hw_compression *c, struct hw_pool *pool, uint8_t stream,
				  const struct hw_buf *packet);

/*
 * Decompress a packet into a new buffer of the pool, its `at` kept. HW_E_LIMIT: original_len is more
 * than a buffer holds; HW_E_NOMEM: the pool is empty; HW_E_MALFORMED: no LZ4 block, or not of exactly
 * that length. The packet stays the caller's.
 */
HW_MUST_USE int hw_decompress(struct hw_pool *pool, const struct hw_buf *packet,
			      uint16_t original_len, struct hw_buf **ret_packet);

#endif
