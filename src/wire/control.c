#include "wire/control.h"

#include <string.h>

#include "base/bytes.h"

#define ENTRY_HEADER_BYTES 2u /* of a report's entries: what it is about, length of the rest */

uint8_t *hw_control_frame(struct hw_control_writer *w, enum hw_control_type type, size_t frame_bytes)
{
	uint8_t *at = w->data + w->len;

	if (frame_bytes > w->room - w->len)
		return NULL;
	at[0] = (uint8_t)type;
	hw_store16(at + 1, (uint16_t)(frame_bytes - HW_CONTROL_HEADER_BYTES));
	w->len += frame_bytes;
	return at + HW_CONTROL_HEADER_BYTES;
}

static void put_terms(uint8_t *at, const struct hw_control_terms *terms)
{
	at[0] = (uint8_t)(terms->use | (terms->metered ? HW_CONTROL_USE_METERED : 0));
	hw_store32(at + 1, terms->price);
}

static bool parse_terms(const uint8_t *at, struct hw_control_terms *terms)
{
	uint8_t use = at[0] & (uint8_t)~HW_CONTROL_USE_METERED;

	if (use >= HW_CONTROL_USES)
		return false;
	*terms = (struct hw_control_terms){
		.use = use,
		.metered = (at[0] & HW_CONTROL_USE_METERED) != 0,
		.price = hw_load32(at + 1),
	};
	return true;
}

int hw_control_put_probe(struct hw_control_writer *w, const struct hw_control_probe *f)
{
	if (f->path >= HW_CONTROL_PATHS || f->link >= HW_CONTROL_LINKS ||
	    f->terms.use >= HW_CONTROL_USES)
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_PROBE, HW_CONTROL_PROBE_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	body[0] = f->path;
	body[1] = f->flags;
	memcpy(body + 2, f->token, HW_CONTROL_TOKEN_BYTES);
	body[10] = f->link;
	put_terms(body + 11, &f->terms);
	return 0;
}

static bool own_path_valid(uint8_t own_path)
{
	return own_path < HW_CONTROL_PATHS || own_path == HW_CONTROL_NO_PATH;
}

int hw_control_put_probe_reply(struct hw_control_writer *w, const struct hw_control_probe_reply *f)
{
	if (f->path >= HW_CONTROL_PATHS || !own_path_valid(f->own_path))
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_PROBE_REPLY, HW_CONTROL_PROBE_REPLY_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	body[0] = f->path;
	body[1] = f->own_path;
	memcpy(body + 2, f->token, HW_CONTROL_TOKEN_BYTES);
	hw_store32(body + 10, f->hold_us);
	return 0;
}

static bool report_valid(const struct hw_control_report *f)
{
	if (f->path_count > HW_CONTROL_PATHS || f->stream_count > HW_CONTROL_STREAMS)
		return false;
	for (uint32_t i = 0; i < f->path_count; i++)
		if (f->paths[i].path >= HW_CONTROL_PATHS || f->paths[i].state >= HW_CONTROL_STATES)
			return false;
	for (uint32_t i = 0; i < f->stream_count; i++)
		if (f->streams[i].stream >= HW_CONTROL_STREAMS)
			return false;
	return true;
}

static size_t path_entry_bytes(const struct hw_control_report_path *p)
{
	return HW_CONTROL_REPORT_PATH_BYTES + (p->detailed ? HW_CONTROL_REPORT_DETAIL_BYTES : 0);
}

static void store_path_entry(uint8_t *at, const struct hw_control_report_path *p)
{
	at[0] = (uint8_t)(p->state << 4 | p->path);
	at[1] = (uint8_t)(path_entry_bytes(p) - ENTRY_HEADER_BYTES);
	hw_store32(at + 2, p->highest_seq);
	hw_store32(at + 6, p->received);
	hw_store32(at + 10, p->owd_us);
	hw_store16(at + 14, p->queue);
	if (!p->detailed)
		return;
	at += HW_CONTROL_REPORT_PATH_BYTES;
	hw_store32(at, p->detail.duplicates);
	hw_store32(at + 4, p->detail.jitter_us);
	hw_store32(at + 8, p->detail.rate_kbps);
	hw_store32(at + 12, p->detail.rate_max_kbps);
	hw_store16(at + 16, p->detail.burst_mean);
	hw_store16(at + 18, p->detail.burst_max);
	hw_store16(at + 20, p->detail.reorder_share);
	hw_store16(at + 22, p->detail.reorder_extent);
}

int hw_control_put_report(struct hw_control_writer *w, const struct hw_control_report *f)
{
	if (!report_valid(f))
		return HW_E_INVAL;

	size_t bytes = HW_CONTROL_REPORT_BYTES(0, f->stream_count, false);

	for (uint32_t i = 0; i < f->path_count; i++)
		bytes += path_entry_bytes(&f->paths[i]);

	uint8_t *at = hw_control_frame(w, HW_CONTROL_REPORT, bytes);

	if (at == NULL)
		return HW_E_SPACE;
	*at++ = (uint8_t)f->path_count;
	*at++ = (uint8_t)f->stream_count;
	for (uint32_t i = 0; i < f->path_count; i++) {
		store_path_entry(at, &f->paths[i]);
		at += path_entry_bytes(&f->paths[i]);
	}
	for (uint32_t i = 0; i < f->stream_count; i++, at += HW_CONTROL_REPORT_STREAM_BYTES) {
		at[0] = f->streams[i].stream;
		at[1] = HW_CONTROL_REPORT_STREAM_BYTES - ENTRY_HEADER_BYTES;
		hw_store32(at + 2, f->streams[i].highest);
		hw_store32(at + 6, f->streams[i].accepted);
	}
	return 0;
}

int hw_control_put_challenge(struct hw_control_writer *w, const struct hw_control_challenge *f)
{
	uint8_t *body = hw_control_frame(w, HW_CONTROL_CHALLENGE, HW_CONTROL_CHALLENGE_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	memcpy(body, f->token, HW_CONTROL_TOKEN_BYTES);
	return 0;
}

int hw_control_put_challenge_reply(struct hw_control_writer *w,
				   const struct hw_control_challenge_reply *f)
{
	if (f->path >= HW_CONTROL_PATHS)
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_CHALLENGE_REPLY, HW_CONTROL_CHALLENGE_REPLY_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	memcpy(body, f->token, HW_CONTROL_TOKEN_BYTES);
	body[8] = f->path;
	return 0;
}

int hw_control_put_path_state(struct hw_control_writer *w, const struct hw_control_path_state *f)
{
	if (f->path >= HW_CONTROL_PATHS || f->state > HW_CONTROL_STATE_REMOVED ||
	    f->terms.use >= HW_CONTROL_USES)
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_PATH_STATE, HW_CONTROL_PATH_STATE_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	body[0] = f->path;
	body[1] = f->state;
	put_terms(body + 2, &f->terms);
	return 0;
}

int hw_control_put_close(struct hw_control_writer *w, const struct hw_control_close *f)
{
	uint8_t *body = hw_control_frame(w, HW_CONTROL_CLOSE, HW_CONTROL_CLOSE_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	body[0] = f->reason;
	return 0;
}

int hw_control_put_padding(struct hw_control_writer *w, size_t bytes)
{
	if (bytes < HW_CONTROL_HEADER_BYTES || bytes - HW_CONTROL_HEADER_BYTES > UINT16_MAX)
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_PADDING, bytes);

	if (body == NULL)
		return HW_E_SPACE;
	memset(body, 0, bytes - HW_CONTROL_HEADER_BYTES);
	return 0;
}

/* Each parser gets a body of any length and says whether it is one. */

static bool parse_probe(const uint8_t *body, size_t len, struct hw_control_probe *f)
{
	if (len != HW_CONTROL_PROBE_BYTES - HW_CONTROL_HEADER_BYTES ||
	    body[0] >= HW_CONTROL_PATHS || body[10] >= HW_CONTROL_LINKS)
		return false;
	f->path = body[0];
	f->flags = body[1];
	memcpy(f->token, body + 2, HW_CONTROL_TOKEN_BYTES);
	f->link = body[10];
	return parse_terms(body + 11, &f->terms);
}

static bool parse_probe_reply(const uint8_t *body, size_t len, struct hw_control_probe_reply *f)
{
	if (len != HW_CONTROL_PROBE_REPLY_BYTES - HW_CONTROL_HEADER_BYTES)
		return false;
	if (body[0] >= HW_CONTROL_PATHS || !own_path_valid(body[1]))
		return false;
	f->path = body[0];
	f->own_path = body[1];
	memcpy(f->token, body + 2, HW_CONTROL_TOKEN_BYTES);
	f->hold_us = hw_load32(body + 10);
	return true;
}

static void load_path_entry(const uint8_t *at, size_t len, struct hw_control_report_path *p)
{
	*p = (struct hw_control_report_path){
		.path = at[0] & 0x0f,
		.state = at[0] >> 4,
		.highest_seq = hw_load32(at + 2),
		.received = hw_load32(at + 6),
		.owd_us = hw_load32(at + 10),
		.queue = hw_load16(at + 14),
		.detailed = len >= HW_CONTROL_REPORT_PATH_BYTES + HW_CONTROL_REPORT_DETAIL_BYTES,
	};
	if (!p->detailed)
		return;
	at += HW_CONTROL_REPORT_PATH_BYTES;
	p->detail = (struct hw_control_report_detail){
		.duplicates = hw_load32(at),
		.jitter_us = hw_load32(at + 4),
		.rate_kbps = hw_load32(at + 8),
		.rate_max_kbps = hw_load32(at + 12),
		.burst_mean = hw_load16(at + 16),
		.burst_max = hw_load16(at + 18),
		.reorder_share = hw_load16(at + 20),
		.reorder_extent = hw_load16(at + 22),
	};
}

/* The length of the entry at `at`, which has `left` bytes before the frame's end; 0: it is none. */
static size_t entry_bytes(const uint8_t *at, size_t left, size_t least)
{
	if (left < ENTRY_HEADER_BYTES)
		return 0;

	size_t bytes = ENTRY_HEADER_BYTES + (size_t)at[1];

	return bytes >= least && bytes <= left ? bytes : 0;
}

static bool parse_report(const uint8_t *body, size_t len, struct hw_control_report *f)
{
	if (len < 2 || body[0] > HW_CONTROL_PATHS || body[1] > HW_CONTROL_STREAMS)
		return false;
	f->path_count = body[0];
	f->stream_count = body[1];

	const uint8_t *at = body + 2;
	size_t left = len - 2, bytes;

	for (uint32_t i = 0; i < f->path_count; i++, at += bytes, left -= bytes) {
		bytes = entry_bytes(at, left, HW_CONTROL_REPORT_PATH_BYTES);
		if (bytes == 0)
			return false;
		load_path_entry(at, bytes, &f->paths[i]);
	}
	for (uint32_t i = 0; i < f->stream_count; i++, at += bytes, left -= bytes) {
		bytes = entry_bytes(at, left, HW_CONTROL_REPORT_STREAM_BYTES);
		if (bytes == 0)
			return false;
		f->streams[i] = (struct hw_control_report_stream){
			.stream = at[0],
			.highest = hw_load32(at + 2),
			.accepted = hw_load32(at + 6),
		};
	}
	return left == 0 && report_valid(f);
}

static bool parse_challenge(const uint8_t *body, size_t len, struct hw_control_challenge *f)
{
	if (len != HW_CONTROL_CHALLENGE_BYTES - HW_CONTROL_HEADER_BYTES)
		return false;
	memcpy(f->token, body, HW_CONTROL_TOKEN_BYTES);
	return true;
}

static bool parse_challenge_reply(const uint8_t *body, size_t len,
				  struct hw_control_challenge_reply *f)
{
	if (len != HW_CONTROL_CHALLENGE_REPLY_BYTES - HW_CONTROL_HEADER_BYTES ||
	    body[8] >= HW_CONTROL_PATHS)
		return false;
	memcpy(f->token, body, HW_CONTROL_TOKEN_BYTES);
	f->path = body[8];
	return true;
}

static bool parse_path_state(const uint8_t *body, size_t len, struct hw_control_path_state *f)
{
	if (len != HW_CONTROL_PATH_STATE_BYTES - HW_CONTROL_HEADER_BYTES ||
	    body[0] >= HW_CONTROL_PATHS || body[1] > HW_CONTROL_STATE_REMOVED)
		return false;
	f->path = body[0];
	f->state = body[1];
	return parse_terms(body + 2, &f->terms);
}

static bool parse_close(const uint8_t *body, size_t len, struct hw_control_close *f)
{
	if (len != HW_CONTROL_CLOSE_BYTES - HW_CONTROL_HEADER_BYTES)
		return false;
	f->reason = body[0];
	return true;
}

/* 1: a frame, 0: one to skip, or HW_E_MALFORMED. */
static int parse(unsigned type, const uint8_t *body, size_t len, struct hw_control_frame *f)
{
	bool good;

	switch (type) {
	case HW_CONTROL_PROBE:
		good = parse_probe(body, len, &f->probe);
		break;
	case HW_CONTROL_PROBE_REPLY:
		good = parse_probe_reply(body, len, &f->probe_reply);
		break;
	case HW_CONTROL_REPORT:
		good = parse_report(body, len, &f->report);
		break;
	case HW_CONTROL_CHALLENGE:
		good = parse_challenge(body, len, &f->challenge);
		break;
	case HW_CONTROL_CHALLENGE_REPLY:
		good = parse_challenge_reply(body, len, &f->challenge_reply);
		break;
	case HW_CONTROL_PATH_STATE:
		good = parse_path_state(body, len, &f->path_state);
		break;
	case HW_CONTROL_CLOSE:
		good = parse_close(body, len, &f->close);
		break;
	case HW_CONTROL_MTU_PROBE:
		good = hw_control_parse_mtu_probe(body, len, &f->mtu);
		break;
	case HW_CONTROL_MTU_REPLY:
		good = hw_control_parse_mtu_reply(body, len, &f->mtu);
		break;
	case HW_CONTROL_OBSERVED:
		good = hw_control_parse_observed(body, len, &f->observed);
		break;
	case HW_CONTROL_LOAD:
		good = hw_control_parse_load(body, len, &f->load);
		break;
	case HW_CONTROL_LOAD_DONE:
		good = hw_control_parse_load_done(body, len, &f->load_done);
		break;
	case HW_CONTROL_LOAD_DATA:
		good = hw_control_parse_load_data(body, len, &f->load_data);
		break;
	case HW_CONTROL_LOAD_RESULT:
		good = hw_control_parse_load_result(body, len, &f->load_result);
		break;
	default: /* padding, and what later versions may add */
		return 0;
	}
	if (!good)
		return HW_E_MALFORMED;
	f->type = (enum hw_control_type)type;
	return 1;
}

int hw_control_next(struct hw_control_reader *r, struct hw_control_frame *ret_frame)
{
	while (r->left > 0) {
		struct hw_control_frame frame;
		int result = HW_E_MALFORMED;

		if (r->left >= HW_CONTROL_HEADER_BYTES) {
			size_t len = hw_load16(r->at + 1);

			if (len <= r->left - HW_CONTROL_HEADER_BYTES) {
				result = parse(r->at[0], r->at + HW_CONTROL_HEADER_BYTES, len,
					       &frame);
				r->at += HW_CONTROL_HEADER_BYTES + len;
				r->left -= HW_CONTROL_HEADER_BYTES + len;
			}
		}
		if (result < 0)
			r->left = 0;
		if (result > 0)
			*ret_frame = frame;
		if (result != 0)
			return result;
	}
	return 0;
}
