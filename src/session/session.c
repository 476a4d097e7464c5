#include "session/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "session/handshake.h"
#include "session/stamp.h"

int hw_session_new(const struct hw_session_keys *keys, const struct hw_suite *suite,
		   const struct hw_replay_params *replay, hw_time now,
		   struct hw_session **ret_session)
{
	if (!hw_replay_params_valid(replay) || keys->local_index > HW_WIRE_INDEX_MAX ||
	    keys->remote_index > HW_WIRE_INDEX_MAX)
		return HW_E_INVAL;

	struct hw_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return HW_E_NOMEM;
	session->suite = suite;

	int r = suite->key_new(keys->send, true, &session->seal_key);

	if (r == 0)
		r = suite->key_new(keys->receive, false, &session->open_key);
	if (r != 0) {
		hw_session_free(session);
		return r;
	}
	hw_siphash_key_init(&session->stamp_send, keys->stamp_send);
	hw_siphash_key_init(&session->stamp_receive, keys->stamp_receive);
	session->local_index = keys->local_index;
	session->remote_index = keys->remote_index;
	session->initiator = keys->initiator;
	session->confirmed = keys->initiator;
	session->began_at = now;
	session->created_at = now;
	session->sealed_at = now;
	session->opened_at = now;
	session->replay_params = *replay;
	*ret_session = session;
	return 0;
}

void hw_session_free(struct hw_session *session)
{
	if (session == NULL)
		return;
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		if (session->rx[i] == NULL)
			continue;
		hw_replay_fini(session->rx[i]);
		free(session->rx[i]);
	}
	session->suite->key_free(session->seal_key);
	session->suite->key_free(session->open_key);
	hw_bytes_wipe(session, sizeof(*session));
	free(session);
}

int hw_session_seal(struct hw_session *session, enum hw_wire_type type, unsigned stream,
		    struct hw_buf *buf, hw_time now)
{
	assert(buf->refs == 1);
	if (!hw_wire_stream_legal(type, stream))
		return HW_E_INVAL;
	if (!session->confirmed)
		return HW_E_STATE;
	if (session->sealed >= session->suite->packet_limit ||
	    session->tx_counter[stream] >= HW_SESSION_COUNTER_LIMIT)
		return HW_E_LIMIT;
	if (hw_buf_headroom(buf) < HW_WIRE_HEADER_BYTES ||
	    hw_buf_tailroom(buf) < HW_WIRE_AEAD_TAG_BYTES)
		return HW_E_SPACE;

	/* Taken for good, whatever happens below: a nonce must never serve twice. */
	uint64_t counter = session->tx_counter[stream]++;
	uint32_t plain_bytes = buf->len;
	uint8_t nonce[HW_WIRE_NONCE_BYTES];
	uint8_t ad[HW_WIRE_AD_BYTES];
	const struct hw_wire_data header = {
		.type = (uint8_t)type,
		.stream = (uint8_t)stream,
		.index = session->remote_index,
		.counter_low = (uint32_t)counter,
	};

	session->sealed++;
	session->sealed_at = now;
	hw_wire_data_build(&header, hw_buf_push(buf, HW_WIRE_HEADER_BYTES));
	hw_buf_put(buf, HW_WIRE_AEAD_TAG_BYTES);
	hw_wire_nonce(stream, counter, nonce);
	hw_wire_ad(buf->data, stream, counter, ad);

	int r = session->suite->seal(session->seal_key, nonce, ad, sizeof(ad),
				     buf->data + HW_WIRE_HEADER_BYTES, plain_bytes);

	if (r != 0) {
		hw_buf_pull(buf, HW_WIRE_HEADER_BYTES);
		hw_buf_trim(buf, HW_WIRE_AEAD_TAG_BYTES);
	}
	return r;
}

void hw_session_stamp(const struct hw_session *session, uint8_t head[HW_WIRE_HEADER_BYTES],
		      const uint8_t tag[HW_WIRE_AEAD_TAG_BYTES], uint8_t path_id, uint16_t path_seq,
		      hw_time now)
{
	hw_stamp_make(&session->stamp_send, head, tag, path_id, path_seq, hw_wire_ticks(now));
}

bool hw_session_stamp_valid(const struct hw_session *session, const uint8_t *datagram, size_t len,
			    uint8_t path_id)
{
	return len >= HW_WIRE_OVERHEAD_BYTES &&
	       hw_stamp_check(&session->stamp_receive, datagram,
			      datagram + len - HW_WIRE_AEAD_TAG_BYTES, path_id);
}

static enum hw_open refusal(struct hw_session *session, unsigned stream,
			    enum hw_replay_verdict verdict)
{
	switch (verdict) {
	case HW_REPLAY_DUPLICATE:
		session->rx_duplicates[stream]++;
		return HW_OPEN_DUPLICATE;
	case HW_REPLAY_OLD:
		return HW_OPEN_OLD;
	case HW_REPLAY_LATE:
		return HW_OPEN_LATE;
	default:
		return HW_OPEN_OK;
	}
}

/* The stream's window, made on first need. NULL when there is no memory. */
static struct hw_replay *window(struct hw_session *session, unsigned stream)
{
	struct hw_replay *replay = session->rx[stream];

	if (replay != NULL)
		return replay;
	replay = malloc(sizeof(*replay));
	if (replay == NULL)
		return NULL;
	if (hw_replay_init(replay, &session->replay_params) != 0) {
		free(replay);
		return NULL;
	}
	session->rx[stream] = replay;
	return replay;
}

enum hw_open hw_session_open_parsed(struct hw_session *session, const struct hw_wire_data *header,
				    struct hw_buf *buf, hw_time now, uint64_t *ret_counter)
{
	assert(buf->refs == 1);

	const struct hw_replay *seen = session->rx[header->stream];
	uint64_t counter = hw_wire_counter(header->counter_low, seen != NULL ? seen->highest : 0);
	enum hw_open result = HW_OPEN_OK;

	if (seen != NULL)
		result = refusal(session, header->stream, hw_replay_check(seen, counter, now));
	if (result != HW_OPEN_OK)
		return result;

	uint8_t nonce[HW_WIRE_NONCE_BYTES];
	uint8_t ad[HW_WIRE_AD_BYTES];

	hw_wire_nonce(header->stream, counter, nonce);
	hw_wire_ad(buf->data, header->stream, counter, ad);
	if (session->suite->open(session->open_key, nonce, ad, sizeof(ad),
				 buf->data + HW_WIRE_HEADER_BYTES,
				 buf->len - HW_WIRE_HEADER_BYTES) != 0)
		return HW_OPEN_AUTH;

	struct hw_replay *replay = window(session, header->stream);

	if (replay == NULL)
		return HW_OPEN_NOMEM;
	result = refusal(session, header->stream, hw_replay_accept(replay, counter, now));
	if (result != HW_OPEN_OK)
		return result;
	session->confirmed = true;
	session->opened_at = now;
	hw_buf_pull(buf, HW_WIRE_HEADER_BYTES);
	hw_buf_trim(buf, HW_WIRE_AEAD_TAG_BYTES);
	*ret_counter = counter;
	return HW_OPEN_OK;
}

enum hw_open hw_session_open(struct hw_session *session, struct hw_buf *buf, hw_time now,
			     struct hw_open_info *ret_info)
{
	struct hw_open_info info;

	if (hw_wire_data_parse(buf->data, buf->len, &info.header) != 0)
		return HW_OPEN_MALFORMED;

	enum hw_open result = hw_session_open_parsed(session, &info.header, buf, now, &info.counter);

	if (result == HW_OPEN_OK)
		*ret_info = info;
	return result;
}
