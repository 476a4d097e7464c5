#include "frame/fragment.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "wire/wire.h"

#define FLAGS_BYTES 1u
#define FRAGMENT_BYTES 1u
#define ORIGINAL_BYTES 2u

static uint32_t header_bytes(bool fragment, bool compressed)
{
	return FLAGS_BYTES + (fragment ? FRAGMENT_BYTES : 0) + (compressed ? ORIGINAL_BYTES : 0);
}

int hw_frame_parse(const uint8_t *data, size_t len, struct hw_frame *ret_frame)
{
	struct hw_frame frame = { .count = 1 };

	if (len < FLAGS_BYTES)
		return HW_E_MALFORMED;
	frame.compressed = (data[0] & HW_FRAME_FLAG_COMPRESSED) != 0;
	frame.fragment = (data[0] & HW_FRAME_FLAG_FRAGMENT) != 0;
	if ((data[0] & ~(HW_FRAME_FLAG_COMPRESSED | HW_FRAME_FLAG_FRAGMENT)) != 0)
		return HW_E_MALFORMED;
	if (!frame.compressed && !frame.fragment)
		return HW_E_MALFORMED;
	frame.header_bytes = (uint8_t)header_bytes(frame.fragment, frame.compressed);
	if (len <= frame.header_bytes)
		return HW_E_MALFORMED;
	if (frame.fragment) {
		frame.index = data[1] >> 4;
		frame.count = (uint8_t)((data[1] & 0x0f) + 1);
		if (frame.count < 2 || frame.index >= frame.count)
			return HW_E_MALFORMED;
	}
	if (frame.compressed) {
		frame.original_len = hw_load16(data + frame.header_bytes - ORIGINAL_BYTES);
		if (frame.original_len == 0)
			return HW_E_MALFORMED;
	}
	*ret_frame = frame;
	return 0;
}

/* Plaintext that fits a datagram. */
static uint32_t plain_bytes(uint32_t max_payload_bytes)
{
	return max_payload_bytes > HW_WIRE_OVERHEAD_BYTES
		       ? max_payload_bytes - HW_WIRE_OVERHEAD_BYTES
		       : 0;
}

int hw_frame_plan(uint32_t len, uint16_t original_len, uint32_t max_payload_bytes,
		  struct hw_frame_plan *ret_plan)
{
	bool compressed = original_len != 0;
	uint32_t plain = plain_bytes(max_payload_bytes);
	uint32_t header = compressed ? header_bytes(false, true) : 0;
	uint32_t count = 1;

	if (len == 0)
		return HW_E_INVAL;
	if (header >= plain || len > plain - header) {
		header = header_bytes(true, compressed);
		if (header >= plain)
			return HW_E_LIMIT;

		uint32_t room = plain - header;

		count = (len - 1) / room + 1;
		if (count > HW_FRAME_MAX_FRAGMENTS)
			return HW_E_LIMIT;
	}
	*ret_plan = (struct hw_frame_plan){
		.len = len,
		.original_len = original_len,
		.count = (uint8_t)count,
		.header_bytes = (uint8_t)header,
	};
	return 0;
}

uint32_t hw_frame_max_whole(uint32_t max_payload_bytes)
{
	return plain_bytes(max_payload_bytes);
}

uint32_t hw_frame_max_cut(uint32_t max_payload_bytes)
{
	uint32_t plain = plain_bytes(max_payload_bytes);
	uint32_t header = header_bytes(true, false);

	return plain > header ? (plain - header) * HW_FRAME_MAX_FRAGMENTS : plain;
}

static void write_header(const struct hw_frame_plan *plan, uint32_t i, uint8_t *out)
{
	bool fragment = plan->count > 1;

	out[0] = (uint8_t)((plan->original_len != 0 ? HW_FRAME_FLAG_COMPRESSED : 0) |
			   (fragment ? HW_FRAME_FLAG_FRAGMENT : 0));
	if (fragment)
		out[1] = (uint8_t)(i << 4 | (plan->count - 1u));
	if (plan->original_len != 0)
		hw_store16(out + plan->header_bytes - ORIGINAL_BYTES, plan->original_len);
}

struct hw_buf *hw_frame_cut(struct hw_pool *pool, const struct hw_frame_plan *plan,
			    const struct hw_buf *packet, uint32_t i)
{
	assert(plan->header_bytes > 0 && i < plan->count && packet->len == plan->len);

	struct hw_buf *piece = hw_buf_get(pool);

	if (piece == NULL)
		return NULL;

	/* The first `larger` pieces have one byte more than the others. */
	uint32_t size = plan->len / plan->count;
	uint32_t larger = plan->len % plan->count;
	uint32_t offset = i * size + (i < larger ? i : larger);

	size += i < larger ? 1 : 0;
	memcpy(hw_buf_put(piece, size), packet->data + offset, size);
	write_header(plan, i, hw_buf_push(piece, plan->header_bytes));
	piece->at = packet->at;
	return piece;
}

void hw_frame_wrap(const struct hw_frame_plan *plan, struct hw_buf *packet)
{
	assert(plan->header_bytes > 0 && plan->count == 1 && packet->refs == 1);
	write_header(plan, 0, hw_buf_push(packet, plan->header_bytes));
}
