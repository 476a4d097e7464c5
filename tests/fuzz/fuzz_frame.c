/*
 * Framed plaintext from a hostile peer: header, reassembly, decompression. The input is a sequence
 * of records: length of the plaintext (1 byte), session and stream (1), low byte of the counter
 * (1), time passed (1, in 8 ms), then the plaintext. Every fragment must be accounted for at every
 * step, and memory stay within the bounds.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "frame/compress.h"
#include "frame/fragment.h"
#include "frame/reassembly.h"

#define POOL 96u
#define PAYLOAD 2048u
#define RECORD_BYTES 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hw_pool *pool;
static uint64_t given, ended;

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* The header says what it means: the same plan writes the same bytes. */
static void check_header(const struct hw_frame *frame, const uint8_t *data, uint32_t len)
{
	struct hw_frame_plan plan = {
		.len = frame->count, /* one byte a piece will do */
		.original_len = frame->original_len,
		.count = frame->count,
		.header_bytes = frame->header_bytes,
	};
	struct hw_buf *packet = hw_buf_get(pool);

	must(packet != NULL && len > frame->header_bytes);
	memset(hw_buf_put(packet, plan.len), 0, plan.len);

	struct hw_buf *piece = hw_frame_cut(pool, &plan, packet, frame->index);

	must(piece != NULL && piece->len == frame->header_bytes + 1u);
	must(memcmp(piece->data, data, frame->header_bytes) == 0);
	hw_buf_unref(piece);
	hw_buf_unref(packet);
}

static void check_decompress(const struct hw_buf *packet, uint16_t original_len)
{
	struct hw_buf *out = NULL;

	if (hw_decompress(pool, packet, original_len, &out) == 0) {
		must(out->len == original_len && out->len <= PAYLOAD);
		hw_buf_unref(out);
	} else {
		must(out == NULL);
	}
}

static void one(struct hw_reassembly *r, uint64_t session, uint8_t stream, uint64_t counter,
		const uint8_t *data, uint32_t len, hw_time now)
{
	struct hw_frame frame;
	struct hw_reassembly_result result;
	struct hw_buf *buf;

	if (hw_frame_parse(data, len, &frame) != 0)
		return;
	check_header(&frame, data, len);
	buf = hw_buf_get(pool);
	must(buf != NULL);
	memcpy(hw_buf_put(buf, len), data, len);
	hw_buf_pull(buf, frame.header_bytes);
	if (!frame.fragment) {
		check_decompress(buf, frame.original_len);
		hw_buf_unref(buf);
		return;
	}
	given++;
	hw_reassembly_add(r, session, stream, counter, &frame, buf, data[len - 1], now, &result);
	ended += result.expired + result.evicted + result.completed;
	ended += result.verdict != HW_REASSEMBLY_HELD;
	must((result.packet != NULL) == (result.verdict == HW_REASSEMBLY_COMPLETE));
	if (result.packet != NULL) {
		must(result.completed == frame.count - 1u);
		must(result.packet->len >= frame.count && result.packet->len <= PAYLOAD);
		if (frame.compressed)
			check_decompress(result.packet, frame.original_len);
		hw_buf_unref(result.packet);
	}
	must(given == ended + hw_reassembly_held(r));
	must(hw_reassembly_packets(r) <= HW_REASSEMBLY_PACKETS);
	must(hw_pool_available(pool) == POOL - hw_reassembly_packets(r));
	must(hw_reassembly_held(r) == 0 || hw_reassembly_deadline(r) > now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hw_reassembly *r;
	hw_time now = 0;

	if (pool == NULL)
		must(hw_pool_new(POOL, PAYLOAD, &pool) == 0);
	must(hw_reassembly_new(pool, &r) == 0);
	given = ended = 0;
	while (size >= RECORD_BYTES) {
		uint32_t len = data[0];
		uint64_t session = data[1] >> 4;
		uint8_t stream = data[1] & 0x0f;
		uint64_t counter = data[2];

		now += data[3] * HW_MS(8);
		data += RECORD_BYTES;
		size -= RECORD_BYTES;
		if (len > size)
			len = (uint32_t)size;
		one(r, session, stream, counter, data, len, now);
		data += len;
		size -= len;
	}
	hw_reassembly_free(r);
	must(hw_pool_available(pool) == POOL);
	return 0;
}
