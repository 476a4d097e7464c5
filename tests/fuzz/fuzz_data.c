/*
 * Data packets, from a stranger and from a hostile peer. The first byte says which:
 *
 * even: the rest is a datagram. No stranger's datagram may open, and none may change the session.
 * odd: the rest is a script, four bytes a step, of what is sealed, damaged, repeated and delivered
 * in what order. Each sealed packet opens at most once, damaged ones never.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "session/handshake.h"
#include "session/session.h"
#include "tests/toy_suite.h"

#define SLOTS 64u
#define PAYLOAD_MAX 2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hw_pool *pool;

static void must(int condition)
{
	if (!condition)
		abort();
}

static struct hw_session *make_session(bool initiator)
{
	static const struct hw_replay_params params = { 64, 256, HW_S(10) };
	struct hw_session_keys keys;
	struct hw_session *session;

	memset(&keys, 0, sizeof(keys));
	memset(initiator ? keys.send : keys.receive, 0x11, sizeof(keys.send));
	memset(initiator ? keys.receive : keys.send, 0x22, sizeof(keys.send));
	memset(initiator ? keys.stamp_send : keys.stamp_receive, 0x33, sizeof(keys.stamp_send));
	memset(initiator ? keys.stamp_receive : keys.stamp_send, 0x44, sizeof(keys.stamp_send));
	keys.local_index = 7;
	keys.remote_index = 7;
	keys.initiator = initiator;
	must(hw_session_new(&keys, &toy_suite, &params, 0, &session) == 0);
	return session;
}

static uint64_t digest(const struct hw_session *session)
{
	static const struct hw_siphash_key key = { 1, 2 };
	uint64_t sum = hw_siphash(&key, session, sizeof(*session));

	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		const struct hw_replay *rx = session->rx[i];

		if (rx == NULL)
			continue;
		sum = sum * 31 + hw_siphash(&key, rx, sizeof(*rx));
		sum = sum * 31 + hw_siphash(&key, rx->bits, rx->packets / 8);
	}
	return sum;
}

static struct hw_buf *buffer(const uint8_t *data, size_t size)
{
	struct hw_buf *buf = hw_buf_get(pool);

	must(buf != NULL);
	memcpy(hw_buf_put(buf, (uint32_t)size), data, size);
	return buf;
}

static void stranger(const uint8_t *data, size_t size)
{
	struct hw_session *session = make_session(false);
	struct hw_session *peer = make_session(true);
	struct hw_buf *buf = hw_buf_get(pool);
	struct hw_open_info info;
	struct hw_wire_data header;
	uint64_t before;

	/* One good packet first, so that a window exists. */
	must(buf != NULL);
	must(hw_session_seal(peer, HW_WIRE_DATA, 1, buf, 1) == 0);
	must(hw_session_open(session, buf, 1, &info) == HW_OPEN_OK);
	hw_buf_unref(buf);
	before = digest(session);

	if (size > PAYLOAD_MAX)
		size = PAYLOAD_MAX;
	buf = buffer(data, size);
	if (hw_wire_data_parse(data, size, &header) == 0) {
		uint8_t bytes[HW_WIRE_HEADER_BYTES];

		hw_wire_data_build(&header, bytes);
		must(memcmp(bytes, data, sizeof(bytes)) == 0);
		(void)hw_session_stamp_valid(session, data, size, (uint8_t)(size % 16));
	}

	enum hw_open result = hw_session_open(session, buf, 2, &info);

	must(result != HW_OPEN_OK);
	if (result == HW_OPEN_DUPLICATE) {
		must(session->rx_duplicates[header.stream] == 1);
		session->rx_duplicates[header.stream] = 0;
		must(memcmp(buf->data, data, size) == 0);
	}
	must(digest(session) == before);
	hw_buf_unref(buf);
	hw_session_free(session);
	hw_session_free(peer);
}

struct sent {
	uint8_t bytes[64];
	size_t len;
	unsigned stream;
	uint64_t counter;
	bool opened;
};

/* Whether 32 bits are surely enough for the receiver to know the counter. */
static bool in_reach(const struct hw_session *session, const struct sent *sent)
{
	const struct hw_replay *rx = session->rx[sent->stream];
	uint64_t highest = rx != NULL ? rx->highest : 0;

	return (sent->counter > highest ? sent->counter - highest : highest - sent->counter) < 1u << 31;
}

static void deliver(struct hw_session *session, struct sent *sent, unsigned damage, hw_time now)
{
	struct hw_buf *buf = buffer(sent->bytes, sent->len);
	bool reach = in_reach(session, sent);
	struct hw_open_info info;

	/* Bytes 8 to 15 are the stamp, which is not sealed; the index chose the session already. */
	if (damage != 0)
		buf->data[16 + damage % (sent->len - 16)] ^= (uint8_t)(1u << damage % 8);

	enum hw_open result = hw_session_open(session, buf, now, &info);

	if (result == HW_OPEN_OK) {
		must(damage == 0 && !sent->opened);
		must(info.counter == sent->counter && info.header.stream == sent->stream);
		must(buf->len == sent->len - HW_WIRE_OVERHEAD_BYTES);
		sent->opened = true;
	}
	if (result == HW_OPEN_AUTH)
		must(damage != 0 || !reach);
	hw_buf_unref(buf);
}

static void peer_script(const uint8_t *data, size_t size)
{
	struct sent *sent = calloc(SLOTS, sizeof(*sent));
	struct hw_session *from = make_session(true);
	struct hw_session *to = make_session(false);
	hw_time now = 1;

	must(sent != NULL);
	for (; size >= 4; data += 4, size -= 4) {
		struct sent *slot = &sent[data[1] % SLOTS];

		now += (hw_time)data[3] * HW_MS(20);
		if (data[0] < 128) { /* seal on a stream, jumping ahead by up to 2^39 */
			unsigned stream = data[0] % HW_WIRE_STREAMS;
			uint64_t jump = (uint64_t)data[2] << data[0] % 32;
			struct hw_buf *buf = buffer((const uint8_t *)"inner packet", data[3] % 13);

			from->tx_counter[stream] += jump;
			if (hw_session_seal(from, data[0] & 64 ? HW_WIRE_FRAMED : HW_WIRE_DATA, stream,
					    buf, now) == 0) {
				memcpy(slot->bytes, buf->data, buf->len);
				slot->len = buf->len;
				slot->stream = stream;
				slot->counter = from->tx_counter[stream] - 1;
				slot->opened = false;
			}
			hw_buf_unref(buf);
		} else if (slot->len > 0) {
			deliver(to, slot, data[0] & 64 ? data[2] : 0, now);
		}
	}
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++)
		if (to->rx[i] != NULL)
			must(to->rx[i]->accepted > 0 && to->rx[i]->highest < from->tx_counter[i]);
	hw_session_free(from);
	hw_session_free(to);
	free(sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (pool == NULL)
		must(hw_pool_new(8, PAYLOAD_MAX + HW_WIRE_OVERHEAD_BYTES, &pool) == 0);
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		stranger(data + 1, size - 1);
	else
		peer_script(data + 1, size - 1);
	must(hw_pool_available(pool) == 8);
	must(toy.keys_alive == 0);
	return 0;
}
