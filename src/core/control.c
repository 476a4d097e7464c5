#include <string.h>

#include "base/bytes.h"
#include "core/internal.h"
#include "path/arrival.h"

/* Where frames came from, and where answers go. */
struct source {
	struct hw_peer *peer;
	const struct hw_session *session;
	const struct hw_datagram *datagram;
	struct hw_path *path; /* NULL: not a path (yet) */
	hw_time now;
};

/* Answers to one packet's questions travel together. */
struct answers {
	struct hw_buf *buf;
	struct hw_control_writer writer;
	bool observed; /* one of them says where the questions came from */
};

static uint8_t own_id(const struct source *s)
{
	return s->path != NULL ? (uint8_t)s->path->id : HW_PATH_PEER_ID_NONE;
}

/* Where this packet came from, as this end sees it: once in an answer is enough. */
static void tell_observed(const struct source *s, struct answers *answers)
{
	struct hw_control_observed observed = { .addr = s->datagram->tuple.remote };

	if (answers->buf == NULL || answers->observed)
		return;
	/* No room for it: the reply itself matters more. */
	answers->observed = hw_control_put_observed(&answers->writer, &observed) == 0;
}

static void told(const struct source *s, uint8_t path, uint8_t link,
		 const struct hw_control_terms *terms)
{
	const struct hw_path_theirs theirs = {
		.link = link,
		.use = (enum hw_link_use)terms->use,
		.price = terms->price,
		.metered = terms->metered,
	};

	hw_path_table_told(&s->peer->paths, path, &theirs);
}

static void probe_in(const struct source *s, const struct hw_control_probe *probe,
		     struct answers *answers)
{
	hw_time held_us = hw_time_since(s->now, s->datagram->at) / HW_NS_PER_US;
	struct hw_control_probe_reply reply = {
		.path = probe->path,
		.own_path = own_id(s),
		.hold_us = (uint32_t)hw_time_min(held_us, UINT32_MAX),
	};

	told(s, probe->path, probe->link, &probe->terms);
	if (s->path != NULL)
		hw_path_table_learn_peer_id(&s->peer->paths, s->path, probe->path, false);
	memcpy(reply.token, probe->token, sizeof(reply.token));
	if (answers->buf != NULL && hw_control_put_probe_reply(&answers->writer, &reply) < 0)
		return; /* no room: more questions than one packet answers */
	if (probe->flags & HW_CONTROL_PROBE_OBSERVE)
		tell_observed(s, answers);
}

static void observed_in(const struct source *s, const struct hw_control_observed *observed)
{
	if (s->path == NULL)
		return;
	s->path->observed = observed->addr;
	s->path->observed_at = s->now;
}

static void probe_reply_in(const struct source *s, const struct hw_control_probe_reply *reply)
{
	hw_time hold = reply->hold_us * HW_NS_PER_US + hw_time_since(s->now, s->datagram->at);
	uint64_t token = hw_load64(reply->token);
	struct hw_path *path = s->path;
	bool known;

	if (path == NULL) {
		path = hw_path_table_at(&s->peer->paths, reply->path);
		if (path == NULL ||
		    !hw_path_table_answered_elsewhere(&s->peer->paths, path, &s->datagram->tuple,
						      token))
			return;
	}
	if (reply->path != path->id)
		return;
	hw_load_pong(s->peer, path, reply, hold, s->now);
	hw_path_probe_replied(path, token, hold, s->now, &known);
	if (known)
		hw_path_table_learn_peer_id(&s->peer->paths, path, reply->own_path, true);
}

static void mtu_probe_in(const struct hw_control_mtu *probe, struct answers *answers)
{
	if (answers->buf != NULL && hw_control_put_mtu_reply(&answers->writer, probe) < 0)
		return;
}

static void challenge_in(const struct source *s, const struct hw_control_challenge *challenge,
			 struct answers *answers)
{
	struct hw_control_challenge_reply reply = { .path = own_id(s) };

	memcpy(reply.token, challenge->token, sizeof(reply.token));
	if (answers->buf != NULL && hw_control_put_challenge_reply(&answers->writer, &reply) < 0)
		return;
}

static void report_in(const struct source *s, const struct hw_control_report *report)
{
	for (uint32_t i = 0; i < report->path_count; i++) {
		struct hw_path *path =
			hw_path_table_at(&s->peer->paths, report->paths[i].path);

		if (path == NULL)
			continue;
		hw_path_reported(path, s->session->generation, &report->paths[i], s->now);
		hw_path_arrival_reported(&s->peer->paths, path, s->now);
	}
	hw_resend_vouched(s->peer);
}

static void path_state_in(const struct source *s, const struct hw_control_path_state *state)
{
	struct hw_path *path = hw_path_table_by_peer_id(&s->peer->paths, state->path);

	if (state->state == HW_CONTROL_STATE_REMOVED) {
		hw_path_table_peer_removed(&s->peer->paths, state->path);
		if (path == NULL)
			return;
		hw_path_send_failed(path, true, s->now);
		/* Not the one that this very word came by; it has failed, and that is enough. */
		if (path->learnt && path != s->path)
			hw_peer_remove_path(s->peer, path, s->now);
		return;
	}
	told(s, state->path, HW_PATH_LINK_UNKNOWN, &state->terms);
	/* Of states only the bad news needs telling: good news is a packet that arrives. */
	if (path != NULL && state->state == HW_PATH_DOWN)
		hw_path_send_failed(path, true, s->now);
}

/* Returns false when nothing of the packet matters any more. */
static bool frame_in(const struct source *s, const struct hw_control_frame *frame,
		     struct answers *answers)
{
	struct hw_control_writer *writer = answers->buf != NULL ? &answers->writer : NULL;

	switch (frame->type) {
	case HW_CONTROL_PROBE:
		probe_in(s, &frame->probe, answers);
		break;
	case HW_CONTROL_PROBE_REPLY:
		probe_reply_in(s, &frame->probe_reply);
		break;
	case HW_CONTROL_REPORT:
		report_in(s, &frame->report);
		break;
	case HW_CONTROL_CHALLENGE:
		challenge_in(s, &frame->challenge, answers);
		break;
	case HW_CONTROL_CHALLENGE_REPLY:
		/* A wrong or unasked answer changes nothing, and the right one may still come. */
		(void)!hw_path_table_challenge_replied(
			&s->peer->paths, &s->datagram->tuple, frame->challenge_reply.token,
			frame->challenge_reply.path, s->now);
		break;
	case HW_CONTROL_PATH_STATE:
		path_state_in(s, &frame->path_state);
		break;
	case HW_CONTROL_CLOSE:
		if (!hw_slots_close(&s->peer->slots, s->session))
			break;
		hw_peer_event(s->peer, HW_EVENT_SESSION_CLOSED, NULL, frame->close.reason, s->now);
		hw_peer_reset(s->peer, s->now);
		return false;
	case HW_CONTROL_OBSERVED:
		observed_in(s, &frame->observed);
		break;
	case HW_CONTROL_LOAD:
		hw_load_asked(s->peer, s->path, &frame->load, writer, s->now);
		break;
	case HW_CONTROL_LOAD_DONE:
		hw_load_done_in(s->peer, s->path, &frame->load_done, writer);
		break;
	case HW_CONTROL_LOAD_DATA:
		hw_load_data_in(s->peer, s->path, &frame->load_data,
				s->datagram->buf->len + HW_WIRE_OVERHEAD_BYTES, s->datagram->at,
				s->now);
		break;
	case HW_CONTROL_LOAD_RESULT:
		hw_load_result_in(s->peer, s->path, &frame->load_result);
		break;
	case HW_CONTROL_MTU_PROBE:
		mtu_probe_in(&frame->mtu, answers);
		break;
	case HW_CONTROL_MTU_REPLY:
		if (s->path != NULL && frame->mtu.path == s->path->id)
			hw_path_mtu_replied(s->path, hw_load64(frame->mtu.token), frame->mtu.size,
					    s->now);
		break;
	case HW_CONTROL_PADDING:
		break;
	}
	return true;
}

int hw_control_in(struct hw_peer *peer, const struct hw_session *session,
		  const struct hw_datagram *datagram, hw_time now)
{
	const struct source s = {
		.peer = peer,
		.session = session,
		.datagram = datagram,
		.path = hw_path_table_find(&peer->paths, &datagram->tuple),
		.now = now,
	};
	struct answers answers = { .observed = false };
	struct hw_control_reader reader;
	struct hw_control_frame frame;
	int rc;

	answers.buf = hw_control_begin(peer->core, &answers.writer);
	hw_control_reader_init(&reader, datagram->buf->data, datagram->buf->len);
	while ((rc = hw_control_next(&reader, &frame)) > 0) {
		if (!frame_in(&s, &frame, &answers)) {
			hw_buf_unref(answers.buf);
			return 0;
		}
	}
	if (answers.buf != NULL)
		hw_control_send_to(peer, answers.buf, &answers.writer, &datagram->tuple, now);
	return rc;
}

void hw_report_pending(struct hw_peer *peer, hw_time now)
{
	if (peer->report_pending++ == 0)
		peer->report_first_at = now;
	peer->core->due = hw_time_min(peer->core->due, hw_report_deadline(peer));
}

void hw_report_urgent(struct hw_peer *peer)
{
	peer->report_urgent = true;
	peer->core->due = hw_time_min(peer->core->due, hw_report_deadline(peer));
}

hw_time hw_report_deadline(const struct hw_peer *peer)
{
	hw_time wait = peer->report_pending >= HW_PEER_REPORT_PACKETS ? HW_PEER_REPORT_MIN
								      : HW_PEER_REPORT_MAX;

	if (peer->report_urgent)
		return peer->reported_at + HW_PEER_REPORT_URGENT;
	if (peer->report_pending == 0)
		return HW_TIME_NEVER;
	/* The first packet after a pause is answered soon: the sender waits for a sign of life. */
	return hw_time_max(peer->reported_at + wait, peer->report_first_at + HW_PEER_REPORT_MIN);
}

static bool may_report(const struct hw_path *path)
{
	return path != NULL && path->peer_id != HW_PATH_PEER_ID_NONE;
}

/* As path/arrival.h has it. Once the flow has paused, silence says nothing more. */
static bool in_trouble(const struct hw_path *path, hw_time now)
{
	return path->rx.trouble == HW_PATH_TROUBLE_LOST ||
	       (path->rx.trouble == HW_PATH_TROUBLE_SILENT && hw_gap_flows(&path->rx.gap, now));
}

/* The path whose detail was told the longest ago, or NULL when all are fresh. */
static const struct hw_path *detail_due(struct hw_peer *peer, const struct hw_session *session,
					hw_time now)
{
	struct hw_control_report_path entry;
	const struct hw_path *due = NULL;

	for (uint32_t i = 0; i < peer->paths.end; i++) {
		const struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (may_report(path) &&
		    hw_time_since(now, path->rx.detailed_at) >= HW_PEER_REPORT_DETAIL &&
		    (due == NULL || path->rx.detailed_at < due->rx.detailed_at) &&
		    hw_path_rx_report(&path->rx, session->generation, false, now, &entry))
			due = path;
	}
	return due;
}

/*
 * Entries of the paths with news; and of one in turn with its detail, news or not, since that nothing
 * more came in on a path is news to its sender too. One, so that reports stay small.
 */
static void report_paths(struct hw_peer *peer, const struct hw_session *session,
			 struct hw_control_report *report, hw_time now)
{
	const struct hw_path *detailed = detail_due(peer, session, now);

	for (uint32_t i = 0; i < peer->paths.end; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);
		struct hw_control_report_path *entry = &report->paths[report->path_count];

		if (!may_report(path) ||
		    (path != detailed && !hw_path_rx_news(&path->rx) && !in_trouble(path, now)) ||
		    !hw_path_rx_report(&path->rx, session->generation, path == detailed, now,
				       entry))
			continue;
		entry->path = path->peer_id;
		entry->state = (uint8_t)path->state;
		/* What this node doubts of its own sending says nothing about the peer's. */
		if (path->state == HW_PATH_UP || path->state == HW_PATH_SUSPECT)
			entry->state = in_trouble(path, now) ? HW_PATH_SUSPECT : HW_PATH_UP;
		hw_path_rx_told(&path->rx, path == detailed, now);
		report->path_count++;
	}
}

static void report_streams(const struct hw_session *session, struct hw_control_report *report)
{
	for (unsigned stream = HW_WIRE_STREAM_FIRST_CLASS; stream <= HW_WIRE_STREAM_LAST_CLASS;
	     stream++) {
		const struct hw_replay *replay = session->rx[stream];

		if (replay == NULL)
			continue;
		report->streams[report->stream_count++] = (struct hw_control_report_stream){
			.stream = (uint8_t)stream,
			.highest = (uint32_t)replay->highest,
			.accepted = (uint32_t)replay->accepted,
		};
	}
}

void hw_report_tick(struct hw_peer *peer, hw_time now)
{
	const struct hw_session *session = hw_slots_sealing(&peer->slots, now);
	struct hw_control_report report;
	struct hw_control_writer writer;

	if (now < hw_report_deadline(peer))
		return;
	peer->report_pending = 0;
	peer->report_urgent = false;
	peer->reported_at = now;
	if (session == NULL)
		return;

	struct hw_buf *buf = hw_control_begin(peer->core, &writer);

	if (buf == NULL)
		return;
	report.path_count = report.stream_count = 0;
	report_paths(peer, session, &report, now);
	report_streams(session, &report);
	if (hw_control_put_report(&writer, &report) < 0)
		writer.len = 0;
	hw_control_send_along(peer, buf, &writer, now);
}

struct hw_control_terms hw_control_terms(const struct hw_path *path)
{
	return (struct hw_control_terms){
		.use = (uint8_t)path->link.use,
		.metered = path->link.metered,
		.price = path->link.price,
	};
}

/* In one packet, on the best paths. The bit of a path's number says whether it is told of. */
static void send_path_states(struct hw_peer *peer, uint32_t paths, bool down, hw_time now)
{
	struct hw_control_writer writer;
	struct hw_buf *buf = paths != 0 ? hw_control_begin(peer->core, &writer) : NULL;

	if (buf == NULL)
		return;
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = hw_path_table_at(&peer->paths, i);
		struct hw_control_path_state state = {
			.path = (uint8_t)i,
			.state = HW_CONTROL_STATE_REMOVED,
			.terms.use = HW_USE_NEVER,
		};

		if ((paths & 1u << i) == 0)
			continue;
		if (path != NULL) {
			state.terms = hw_control_terms(path);
			state.state = (uint8_t)(down ? HW_PATH_DOWN : path->state);
		}
		if (hw_control_put_path_state(&writer, &state) < 0)
			break;
	}
	hw_control_send_best(peer, buf, &writer, now);
}

void hw_control_paths_down(struct hw_peer *peer, uint32_t paths, hw_time now)
{
	send_path_states(peer, paths, true, now);
}

void hw_control_path_state(struct hw_peer *peer, uint32_t link, hw_time now)
{
	uint32_t paths = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = hw_path_table_at(&peer->paths, i);

		paths |= (path != NULL && path->tuple.link == link) ? 1u << i : 0;
	}
	send_path_states(peer, paths, false, now);
}

void hw_control_confirm(struct hw_peer *peer, hw_time now)
{
	struct hw_control_writer writer;
	struct hw_buf *buf = hw_control_begin(peer->core, &writer);

	if (buf == NULL)
		return;
	if (hw_control_put_padding(&writer, HW_CONTROL_HEADER_BYTES) < 0)
		writer.len = 0;
	hw_control_send_best(peer, buf, &writer, now);
}

void hw_control_goodbye(struct hw_peer *peer, hw_time now)
{
	const struct hw_control_close close = { .reason = 0 };

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = hw_path_table_at(&peer->paths, i);
		struct hw_control_writer writer;
		struct hw_buf *buf;

		if (path == NULL || path->link_down)
			continue;
		buf = hw_control_begin(peer->core, &writer);
		if (buf == NULL)
			return;
		if (hw_control_put_close(&writer, &close) < 0)
			writer.len = 0;
		hw_control_send_to(peer, buf, &writer, &path->tuple, now);
	}
}
