#include "frame/compress.h"

#include <assert.h>
#include <string.h>

#include <lz4.h>

#include "base/buf.h"

#define HEADER_BYTES 3u /* a compressed packet needs a frame header, a plain one does not */

static uint32_t lz4_compress(const uint8_t *in, uint32_t len, uint8_t *out, uint32_t room)
{
	int n = LZ4_compress_default((const char *)in, (char *)out, (int)len, (int)room);

	return n > 0 ? (uint32_t)n : 0;
}

static const struct hw_compressor compressors[] = {
	{ .name = "off", .compress = NULL },
	{ .name = "lz4", .compress = lz4_compress },
};

const struct hw_compressor *hw_compressor_at(size_t i)
{
	return i < sizeof(compressors) / sizeof(compressors[0]) ? &compressors[i] : NULL;
}

const struct hw_compressor *hw_compressor_find(const char *name)
{
	const struct hw_compressor *compressor;

	for (size_t i = 0; (compressor = hw_compressor_at(i)) != NULL; i++)
		if (strcmp(compressor->name, name) == 0)
			break;
	return compressor;
}

void hw_compression_init(struct hw_compression *c, const struct hw_compressor *compressor)
{
	*c = (struct hw_compression){ .compressor = compressor };
	for (uint32_t i = 0; i < HW_WIRE_STREAMS; i++)
		c->classes[i].wait = 1;
}

struct hw_buf *hw_compression_try(struct hw_compression *c, struct hw_pool *pool, uint8_t stream,
				  const struct hw_buf *packet)
{
	assert(stream < HW_WIRE_STREAMS);
	if (c->compressor->compress == NULL)
		return NULL;
	if (packet->len < HW_COMPRESS_MIN_BYTES || packet->len > UINT16_MAX)
		return NULL;
	if (c->classes[stream].until > 0) {
		c->classes[stream].until--;
		return NULL;
	}

	struct hw_buf *out = hw_buf_get(pool);

	if (out == NULL)
		return NULL;

	uint32_t room = packet->len - HEADER_BYTES - HW_COMPRESS_MIN_SAVED_BYTES;

	if (room > hw_buf_tailroom(out))
		room = hw_buf_tailroom(out);

	uint32_t n = c->compressor->compress(packet->data, packet->len, out->data, room);

	c->tried++;
	if (n == 0) {
		uint32_t wait = c->classes[stream].wait;

		c->classes[stream].until = wait;
		c->classes[stream].wait = wait < HW_COMPRESS_MAX_WAIT ? 2 * wait : wait;
		hw_buf_unref(out);
		return NULL;
	}
	c->classes[stream].wait = 1;
	c->shrunk++;
	c->saved_bytes += packet->len - n - HEADER_BYTES;
	hw_buf_put(out, n);
	out->at = packet->at;
	return out;
}

int hw_decompress(struct hw_pool *pool, const struct hw_buf *packet, uint16_t original_len,
		  struct hw_buf **ret_packet)
{
	if (original_len > hw_pool_payload_bytes(pool))
		return HW_E_LIMIT;

	struct hw_buf *out = hw_buf_get(pool);

	if (out == NULL)
		return HW_E_NOMEM;

	int n = LZ4_decompress_safe((const char *)packet->data, (char *)out->data, (int)packet->len,
				    (int)original_len);

	if (n != (int)original_len || n == 0) {
		hw_buf_unref(out);
		return HW_E_MALFORMED;
	}
	hw_buf_put(out, original_len);
	out->at = packet->at;
	*ret_packet = out;
	return 0;
}
