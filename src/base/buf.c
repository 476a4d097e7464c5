#include "base/buf.h"

#include <stdlib.h>

#define HW_BUF_ALIGN 64u

struct hw_pool {
	uint8_t *memory;
	struct hw_buf *free_list;
	uint32_t count;
	uint32_t available;
	uint32_t payload_bytes;
};

int hw_pool_new(uint32_t count, uint32_t payload_bytes, struct hw_pool **ret_pool)
{
	if (count == 0 || payload_bytes == 0 || payload_bytes > 1u << 20)
		return HW_E_INVAL;

	uint32_t capacity = HW_BUF_HEADROOM_BYTES + payload_bytes;
	size_t stride = sizeof(struct hw_buf) + capacity;

	stride = (stride + HW_BUF_ALIGN - 1) / HW_BUF_ALIGN * HW_BUF_ALIGN;

	struct hw_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return HW_E_NOMEM;
	pool->memory = aligned_alloc(HW_BUF_ALIGN, stride * count);
	if (pool->memory == NULL) {
		free(pool);
		return HW_E_NOMEM;
	}
	pool->count = count;
	pool->available = count;
	pool->payload_bytes = payload_bytes;
	/* Threaded from the last to the first, so that the low addresses are handed out first. */
	for (uint32_t i = count; i-- > 0;) {
		struct hw_buf *buf = (struct hw_buf *)(void *)(pool->memory + stride * i);

		buf->capacity = capacity;
		buf->refs = 0;
		buf->pool = pool;
		buf->next = pool->free_list;
		pool->free_list = buf;
	}
	*ret_pool = pool;
	return 0;
}

void hw_pool_free(struct hw_pool *pool)
{
	if (pool == NULL)
		return;
	assert(pool->available == pool->count);
	free(pool->memory);
	free(pool);
}

uint32_t hw_pool_available(const struct hw_pool *pool)
{
	return pool->available;
}

uint32_t hw_pool_count(const struct hw_pool *pool)
{
	return pool->count;
}

uint32_t hw_pool_payload_bytes(const struct hw_pool *pool)
{
	return pool->payload_bytes;
}

struct hw_buf *hw_buf_get(struct hw_pool *pool)
{
	struct hw_buf *buf = pool->free_list;

	if (buf == NULL)
		return NULL;
	pool->free_list = buf->next;
	pool->available--;
	buf->next = NULL;
	buf->refs = 1;
	buf->data = buf->store + HW_BUF_HEADROOM_BYTES;
	buf->len = 0;
	buf->at = 0;
	return buf;
}

struct hw_buf *hw_buf_ref(struct hw_buf *buf)
{
	assert(buf->refs > 0);
	buf->refs++;
	return buf;
}

void hw_buf_unref(struct hw_buf *buf)
{
	if (buf == NULL)
		return;
	assert(buf->refs > 0);
	if (--buf->refs > 0)
		return;
	buf->next = buf->pool->free_list;
	buf->pool->free_list = buf;
	buf->pool->available++;
}
