/*
 * Packet buffers: a fixed pool, headroom and tailroom, reference counts.
 *
 * A buffer holds its bytes at data[0..len); headers are pushed into the headroom in front and tags
 * put into the tailroom behind without moving them. A buffer with more than one reference is
 * read-only. Functions that take ownership say "takes"; functions that hand it over say "gives".
 * Nothing here allocates after hw_pool_new; an empty pool gives NULL, which the caller counts as a drop.
 */
#ifndef HW_BASE_BUF_H
#define HW_BASE_BUF_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

#define HW_BUF_HEADROOM_BYTES 128u /* what a new buffer keeps free in front */

struct hw_pool;

struct hw_buf {
	uint8_t *data;
	uint32_t len;
	uint32_t capacity; /* bytes of store */
	uint32_t refs;
	hw_time at; /* when it entered this node */
	struct hw_pool *pool;
	struct hw_buf *next; /* free list, or the owner's own list */
	uint8_t store[];
};

/*
 * A pool of `count` buffers, each with room for `payload_bytes` beyond the standard headroom.
 * HW_E_INVAL for a count or size of 0; HW_E_NOMEM.
 */
HW_MUST_USE int hw_pool_new(uint32_t count, uint32_t payload_bytes, struct hw_pool **ret_pool);

/* Frees the pool. Every buffer must have come back (asserted). NULL is allowed. */
void hw_pool_free(struct hw_pool *pool);

uint32_t hw_pool_available(const struct hw_pool *pool);
uint32_t hw_pool_count(const struct hw_pool *pool);
uint32_t hw_pool_payload_bytes(const struct hw_pool *pool);

/* Gives an empty buffer with the standard headroom, or NULL when the pool is empty. */
struct hw_buf *hw_buf_get(struct hw_pool *pool);

/* One more reference; gives the same buffer. */
struct hw_buf *hw_buf_ref(struct hw_buf *buf);

/* Takes one reference; the last returns the buffer to its pool. NULL is allowed. */
void hw_buf_unref(struct hw_buf *buf);

static inline uint32_t hw_buf_headroom(const struct hw_buf *buf)
{
	return (uint32_t)(buf->data - buf->store);
}

static inline uint32_t hw_buf_tailroom(const struct hw_buf *buf)
{
	return buf->capacity - hw_buf_headroom(buf) - buf->len;
}

/* Grow at the front; the new bytes are undefined. The caller has checked the headroom. */
static inline uint8_t *hw_buf_push(struct hw_buf *buf, uint32_t n)
{
	assert(n <= hw_buf_headroom(buf));
	buf->data -= n;
	buf->len += n;
	return buf->data;
}

/* Drop n bytes at the front. */
static inline void hw_buf_pull(struct hw_buf *buf, uint32_t n)
{
	assert(n <= buf->len);
	buf->data += n;
	buf->len -= n;
}

/* Grow at the end; gives the first new byte. The caller has checked the tailroom. */
static inline uint8_t *hw_buf_put(struct hw_buf *buf, uint32_t n)
{
	uint8_t *end = buf->data + buf->len;

	assert(n <= hw_buf_tailroom(buf));
	buf->len += n;
	return end;
}

/* Drop n bytes at the end. */
static inline void hw_buf_trim(struct hw_buf *buf, uint32_t n)
{
	assert(n <= buf->len);
	buf->len -= n;
}

#endif
