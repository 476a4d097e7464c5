#include "frame/reassembly.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "frame/inner.h"

/* One incomplete packet. Fragment i lies at i * slot_bytes of the buffer until all are there. */
struct partial {
	uint64_t session;
	uint64_t base; /* counter of fragment 0 */
	hw_time since; /* arrival of the first fragment */
	struct hw_buf *buf;
	struct partial *older, *newer; /* by arrival; `older` also threads the free list */
	uint32_t slot_bytes;
	uint32_t len[HW_FRAME_MAX_FRAGMENTS]; /* 0: missing */
	uint16_t original_len;
	uint8_t stream;
	uint8_t count;
	uint8_t held;
	uint8_t tos;
};

struct hw_reassembly {
	struct hw_pool *pool;
	struct partial *oldest, *newest, *free_list;
	uint32_t limit;
	uint32_t packets;
	uint32_t held;
	struct partial partials[HW_REASSEMBLY_PACKETS];
};

static void free_list_push(struct hw_reassembly *r, struct partial *p)
{
	p->buf = NULL;
	p->newer = NULL;
	p->older = r->free_list;
	r->free_list = p;
}

int hw_reassembly_new(struct hw_pool *pool, struct hw_reassembly **ret_reassembly)
{
	struct hw_reassembly *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return HW_E_NOMEM;
	r->pool = pool;
	r->limit = HW_REASSEMBLY_BYTES / hw_pool_payload_bytes(pool);
	if (r->limit > HW_REASSEMBLY_PACKETS)
		r->limit = HW_REASSEMBLY_PACKETS;
	for (uint32_t i = r->limit; i-- > 0;)
		free_list_push(r, &r->partials[i]);
	*ret_reassembly = r;
	return 0;
}

void hw_reassembly_free(struct hw_reassembly *r)
{
	if (r == NULL)
		return;
	hw_reassembly_clear(r);
	free(r);
}

/* Take the packet out of the table. Returns how many fragments it held; its buffer is the caller's. */
static uint32_t partial_remove(struct hw_reassembly *r, struct partial *p)
{
	uint32_t held = p->held;

	if (p->older != NULL)
		p->older->newer = p->newer;
	else
		r->oldest = p->newer;
	if (p->newer != NULL)
		p->newer->older = p->older;
	else
		r->newest = p->older;
	r->packets--;
	r->held -= held;
	free_list_push(r, p);
	return held;
}

static uint32_t partial_drop(struct hw_reassembly *r, struct partial *p)
{
	hw_buf_unref(p->buf);
	return partial_remove(r, p);
}

static struct partial *partial_find(struct hw_reassembly *r, uint64_t session, uint8_t stream,
				    uint64_t base)
{
	struct partial *p = r->newest; /* the packet being received is nearly always a recent one */

	while (p != NULL && (p->base != base || p->session != session || p->stream != stream))
		p = p->older;
	return p;
}

/* A new entry at the newest end. The caller has made room. */
static struct partial *partial_add(struct hw_reassembly *r, struct hw_buf *buf, hw_time now)
{
	struct partial *p = r->free_list;

	r->free_list = p->older;
	*p = (struct partial){ .buf = buf, .since = now, .older = r->newest };
	if (r->newest != NULL)
		r->newest->newer = p;
	else
		r->oldest = p;
	r->newest = p;
	r->packets++;
	return p;
}

static uint8_t combine_tos(uint8_t first, uint8_t other)
{
	return (other & HW_ECN_MASK) == HW_ECN_CE ? (uint8_t)(first | HW_ECN_CE) : first;
}

/* Move the fragments together and hand the buffer over. */
static void complete(struct hw_reassembly *r, struct partial *p, hw_time at,
		     struct hw_reassembly_result *result)
{
	struct hw_buf *buf = p->buf;

	for (uint32_t i = 0; i < p->count; i++) {
		const uint8_t *from = buf->store + HW_BUF_HEADROOM_BYTES + i * p->slot_bytes;

		memmove(hw_buf_put(buf, p->len[i]), from, p->len[i]);
	}
	buf->at = at;
	result->verdict = HW_REASSEMBLY_COMPLETE;
	result->packet = buf;
	result->tos = p->tos;
	result->completed = partial_remove(r, p) - 1; /* the last one was never left waiting */
}

static void add(struct hw_reassembly *r, uint64_t session, uint8_t stream, uint64_t counter,
		const struct hw_frame *frame, const struct hw_buf *fragment, uint8_t tos, hw_time now,
		struct hw_reassembly_result *result)
{
	uint32_t slot_bytes = hw_pool_payload_bytes(r->pool) / frame->count;
	uint32_t i = frame->index;

	if (counter < i || fragment->len == 0) {
		result->verdict = HW_REASSEMBLY_MALFORMED;
		return;
	}

	struct partial *p = partial_find(r, session, stream, counter - i);

	if (p != NULL && (p->count != frame->count || p->original_len != frame->original_len)) {
		result->verdict = HW_REASSEMBLY_MALFORMED;
		return;
	}
	if (fragment->len > slot_bytes) {
		result->verdict = HW_REASSEMBLY_LIMIT;
		return;
	}
	if (p != NULL && p->len[i] != 0) {
		result->verdict = HW_REASSEMBLY_DUPLICATE;
		return;
	}
	if (p == NULL) {
		if (r->packets == r->limit)
			result->evicted = partial_drop(r, r->oldest);

		struct hw_buf *buf = hw_buf_get(r->pool);

		if (buf == NULL) {
			result->verdict = HW_REASSEMBLY_NO_BUFFER;
			return;
		}
		p = partial_add(r, buf, now);
		p->session = session;
		p->stream = stream;
		p->base = counter - i;
		p->count = frame->count;
		p->original_len = frame->original_len;
		p->slot_bytes = slot_bytes;
		p->tos = tos;
	}
	memcpy(p->buf->data + i * slot_bytes, fragment->data, fragment->len);
	p->len[i] = fragment->len;
	p->tos = combine_tos(p->tos, tos);
	p->held++;
	r->held++;
	if (p->held == p->count)
		complete(r, p, fragment->at, result);
}

void hw_reassembly_add(struct hw_reassembly *r, uint64_t session, uint8_t stream, uint64_t counter,
		       const struct hw_frame *frame, struct hw_buf *fragment, uint8_t tos, hw_time now,
		       struct hw_reassembly_result *ret_result)
{
	assert(frame->fragment && frame->count >= 2 && frame->count <= HW_FRAME_MAX_FRAGMENTS &&
	       frame->index < frame->count);
	*ret_result = (struct hw_reassembly_result){ .verdict = HW_REASSEMBLY_HELD };
	ret_result->expired = hw_reassembly_expire(r, now);
	add(r, session, stream, counter, frame, fragment, tos, now, ret_result);
	hw_buf_unref(fragment);
}

uint32_t hw_reassembly_expire(struct hw_reassembly *r, hw_time now)
{
	uint32_t dropped = 0;

	while (hw_reassembly_deadline(r) <= now)
		dropped += partial_drop(r, r->oldest);
	return dropped;
}

uint32_t hw_reassembly_clear(struct hw_reassembly *r)
{
	uint32_t dropped = 0;

	while (r->oldest != NULL)
		dropped += partial_drop(r, r->oldest);
	return dropped;
}

hw_time hw_reassembly_deadline(const struct hw_reassembly *r)
{
	return r->oldest != NULL ? hw_time_add(r->oldest->since, HW_REASSEMBLY_LIFETIME)
				 : HW_TIME_NEVER;
}

uint32_t hw_reassembly_held(const struct hw_reassembly *r)
{
	return r->held;
}

uint32_t hw_reassembly_packets(const struct hw_reassembly *r)
{
	return r->packets;
}

uint32_t hw_reassembly_limit(const struct hw_reassembly *r)
{
	return r->limit;
}
