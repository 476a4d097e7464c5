#include <string.h>

#include "base/bytes.h"
#include "core/internal.h"

/* Reports, answers and states are far shorter: paths that take 576 bytes, or 256, carry them whole. */
#define CONTROL_PACKET_BYTES (1280u - HW_WIRE_IPV6_UDP_BYTES - HW_WIRE_OVERHEAD_BYTES)

/* Where a copy goes, and as what: what its stamp says. */
struct copy {
	const struct hw_tuple *tuple;
	uint8_t path_id;
	uint16_t path_seq;
	uint8_t tos;
	bool alone; /* control: what is too large for the path must not take it along */
};

/* One copy: a header of its own in front of the shared rest. Takes a reference on success only. */
static bool send_copy(struct hw_core *core, const struct hw_session *session,
		      const uint8_t head[8], struct hw_buf *rest, const struct copy *copy,
		      hw_time now)
{
	struct hw_datagram_out out = {
		.tuple = *copy->tuple,
		.body = rest,
		.head_bytes = HW_WIRE_HEADER_BYTES,
		.tos = copy->tos,
		.alone = copy->alone,
	};

	memcpy(out.head, head, 8);
	hw_session_stamp(session, out.head, rest->data + rest->len - HW_WIRE_AEAD_TAG_BYTES,
			 copy->path_id, copy->path_seq, now);
	if (!hw_output_datagram(&core->out, &out))
		return false;
	hw_buf_ref(rest);
	return true;
}

/* Parts the sealed packet into its header's first 8 bytes and the rest, which copies share. */
static void part(struct hw_buf *sealed, uint8_t ret_head[8])
{
	memcpy(ret_head, sealed->data, 8);
	hw_buf_pull(sealed, HW_WIRE_HEADER_BYTES);
}

/*
 * Packets that only one path in good order carries are kept. A copy on a path in doubt does not count,
 * nor does it keep the packet from going there once more when that path has come back.
 */
static void keep(struct hw_peer *peer, const struct hw_session *session, struct hw_buf *sealed,
		 const uint8_t head[8], const struct hw_sched_choice *choice, uint8_t tos, hw_time now)
{
	struct hw_retained packet = {
		.body = sealed,
		.generation = session->generation,
		.stream = head[0] & 0x0f,
		.tos = tos,
		.carrier = (uint8_t)choice->path[0],
		.counter = session->tx_counter[head[0] & 0x0f] - 1,
		.at = now,
	};

	for (uint32_t i = 0; i < choice->count; i++) {
		if (hw_path_table_at(&peer->paths, choice->path[i])->state != HW_PATH_UP)
			continue;
		if (packet.tried != 0)
			return;
		packet.carrier = (uint8_t)choice->path[i];
		packet.tried = (uint16_t)(1u << choice->path[i]);
	}
	packet.sequence = hw_path_last_sequence(&peer->paths.paths[packet.carrier],
						packet.generation);
	memcpy(packet.head, head, sizeof(packet.head));
	hw_resend_keep(peer, &packet);
}

bool hw_send_again(struct hw_peer *peer, const struct hw_session *session,
		   const struct hw_retained *packet, struct hw_path *path, hw_time now)
{
	uint32_t bytes = packet->body->len + HW_WIRE_HEADER_BYTES;
	const struct copy copy = {
		.tuple = &path->tuple,
		.path_id = (uint8_t)path->id,
		.path_seq = hw_path_sent(path, packet->generation, bytes, true, now),
		.tos = packet->tos,
	};

	return send_copy(peer->core, session, packet->head, packet->body, &copy, now);
}

uint32_t hw_send_copies(struct hw_peer *peer, const struct hw_session *session,
			struct hw_buf *sealed, const struct hw_sched_choice *choice, bool data,
			uint8_t tos, hw_time now)
{
	uint32_t bytes = sealed->len;
	uint32_t sent = 0;
	uint8_t head[8];

	part(sealed, head);
	for (uint32_t i = 0; i < choice->count; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, choice->path[i]);

		/* What stood by is probed more often from now on. */
		if (data && hw_path_stands_by(path, now))
			peer->core->unsettled = true;

		const struct copy copy = {
			.tuple = &path->tuple,
			.path_id = (uint8_t)path->id,
			.path_seq = hw_path_sent(path, session->generation, bytes, data, now),
			.tos = tos,
			.alone = !data,
		};

		if (send_copy(peer->core, session, head, sealed, &copy, now))
			sent++;
	}
	if (data && sent > 0)
		keep(peer, session, sealed, head, choice, tos, now);
	hw_buf_unref(sealed);
	return sent;
}

bool hw_send_plain(struct hw_core *core, const struct hw_tuple *tuple, struct hw_buf *buf)
{
	struct hw_datagram_out out = { .tuple = *tuple, .body = buf };

	if (hw_output_datagram(&core->out, &out))
		return true;
	hw_buf_unref(buf);
	return false;
}

struct hw_buf *hw_control_begin(struct hw_core *core, struct hw_control_writer *writer)
{
	struct hw_buf *buf = hw_buf_get(core->pool);
	size_t room;

	if (buf == NULL)
		return NULL;
	room = hw_buf_tailroom(buf) - HW_WIRE_AEAD_TAG_BYTES;
	if (room > CONTROL_PACKET_BYTES)
		room = CONTROL_PACKET_BYTES;
	hw_control_writer_init(writer, buf->data, room);
	return buf;
}

/* Room for a probe of that size. */
static struct hw_buf *begin_mtu_probe(struct hw_core *core, uint32_t size,
				      struct hw_control_writer *writer)
{
	struct hw_buf *buf = hw_buf_get(core->pool);

	if (buf == NULL)
		return NULL;
	if (size > HW_WIRE_HEADER_BYTES + hw_buf_tailroom(buf)) {
		hw_buf_unref(buf);
		return NULL;
	}
	hw_control_writer_init(writer, buf->data, size - HW_WIRE_OVERHEAD_BYTES);
	return buf;
}

/* Seals the control packet in place; on failure the buffer is gone and NULL is returned. */
static struct hw_session *seal_control(struct hw_peer *peer, struct hw_buf *buf,
				       const struct hw_control_writer *writer, hw_time now)
{
	struct hw_session *session = hw_slots_sealing(&peer->slots, now);

	hw_buf_put(buf, (uint32_t)writer->len);
	if (session == NULL || writer->len == 0 ||
	    hw_session_seal(session, HW_WIRE_DATA, HW_WIRE_STREAM_CONTROL, buf, now) < 0) {
		hw_buf_unref(buf);
		return NULL;
	}
	return session;
}

void hw_control_send_to(struct hw_peer *peer, struct hw_buf *buf,
			const struct hw_control_writer *writer, const struct hw_tuple *tuple,
			hw_time now)
{
	struct hw_session *session = seal_control(peer, buf, writer, now);
	struct hw_path *path = hw_path_table_find(&peer->paths, tuple);
	struct hw_candidate *candidate =
		path == NULL ? hw_path_table_candidate(&peer->paths, tuple) : NULL;
	struct copy copy = { .tuple = tuple, .path_id = HW_STAMP_NO_PATH, .alone = true };
	uint8_t head[8];

	if (session == NULL)
		return;
	if (path != NULL) {
		/* What came from elsewhere is answered where the path leads. */
		if (!hw_addr_equal(&tuple->remote, &path->tuple.remote))
			copy.tuple = &path->tuple;
		copy.path_id = (uint8_t)path->id;
		copy.path_seq = hw_path_sent(path, session->generation, buf->len, false, now);
	} else if (candidate != NULL && hw_candidate_may_send(candidate, buf->len)) {
		hw_candidate_sent(candidate, buf->len);
	} else {
		hw_buf_unref(buf);
		return;
	}
	part(buf, head);
	/* A full output loses the packet as a full queue on the path would. */
	(void)send_copy(peer->core, session, head, buf, &copy, now);
	hw_buf_unref(buf);
}

/* The best path, and the best one beside it. */
static void choose_two(const struct hw_sched_path *views, size_t count,
		       struct hw_sched_choice *ret_choice)
{
	uint32_t skip = UINT32_MAX;

	while (ret_choice->count < 2 &&
	       hw_sched_best(views, count, skip, &ret_choice->path[ret_choice->count]))
		skip = ret_choice->path[ret_choice->count++];
}

void hw_control_send_best(struct hw_peer *peer, struct hw_buf *buf,
			  const struct hw_control_writer *writer, hw_time now)
{
	struct hw_session *session = seal_control(peer, buf, writer, now);
	struct hw_sched_choice choice = { 0 };
	size_t count;

	if (session == NULL)
		return;

	const struct hw_sched_path *views = hw_path_table_views(&peer->paths, now, &count);

	choose_two(views, count, &choice);
	hw_send_copies(peer, session, buf, &choice, false, 0, now);
}

void hw_control_send_along(struct hw_peer *peer, struct hw_buf *buf,
			   const struct hw_control_writer *writer, hw_time now)
{
	struct hw_session *session = seal_control(peer, buf, writer, now);
	struct hw_sched_path busy[HW_SCHED_MAX_PATHS];
	struct hw_sched_choice choice = { 0 };
	size_t count, busy_count = 0;
	bool sound = false;

	if (session == NULL)
		return;

	const struct hw_sched_path *views = hw_path_table_views(&peer->paths, now, &count);

	for (size_t i = 0; i < count; i++) {
		if (hw_path_stands_by(&peer->paths.paths[views[i].path], now))
			continue;
		sound |= views[i].state == HW_PATH_UP && views[i].use != HW_USE_NEVER;
		busy[busy_count++] = views[i];
	}
	if (sound)
		choose_two(busy, busy_count, &choice);
	else
		choose_two(views, count, &choice);
	hw_send_copies(peer, session, buf, &choice, false, 0, now);
}

static void send_probe(struct hw_peer *peer, const struct hw_path_action *action, hw_time now)
{
	struct hw_control_writer writer;
	struct hw_control_probe probe = {
		.path = (uint8_t)action->path->id,
		.flags = action->idle ? HW_CONTROL_PROBE_IDLE : 0,
		.link = (uint8_t)action->path->tuple.link,
		.terms = hw_control_terms(action->path),
	};

	if (hw_path_observe_due(action->path, now))
		probe.flags |= HW_CONTROL_PROBE_OBSERVE;

	struct hw_buf *buf = hw_control_begin(peer->core, &writer);

	if (buf == NULL)
		return;
	hw_store64(probe.token, action->token);
	if (hw_control_put_probe(&writer, &probe) < 0)
		writer.len = 0;
	hw_control_send_to(peer, buf, &writer, &action->tuple, now);
}

/* Outside the path's numbering: one that is too large must not count as a loss. */
static void send_mtu_probe(struct hw_peer *peer, const struct hw_path_action *action, hw_time now)
{
	struct copy copy = {
		.tuple = &action->tuple,
		.path_id = HW_STAMP_NO_PATH,
		.alone = true,
	};
	struct hw_control_mtu probe = {
		.path = (uint8_t)action->path->id,
		.size = (uint16_t)action->size,
	};
	struct hw_control_writer writer;
	struct hw_buf *buf = begin_mtu_probe(peer->core, action->size, &writer);
	uint8_t head[8];

	if (buf == NULL)
		return;
	hw_store64(probe.token, action->token);
	if (hw_control_put_mtu_probe(&writer, &probe) < 0)
		writer.len = 0;

	const struct hw_session *session = seal_control(peer, buf, &writer, now);

	if (session == NULL)
		return;
	part(buf, head);
	(void)send_copy(peer->core, session, head, buf, &copy, now);
	hw_buf_unref(buf);
}

static void send_challenge(struct hw_peer *peer, const struct hw_path_action *action, hw_time now)
{
	struct hw_control_writer writer;
	struct hw_control_challenge challenge;
	struct hw_buf *buf = hw_control_begin(peer->core, &writer);

	if (buf == NULL)
		return;
	memcpy(challenge.token, action->challenge, sizeof(challenge.token));
	if (hw_control_put_challenge(&writer, &challenge) < 0)
		writer.len = 0;
	hw_control_send_to(peer, buf, &writer, &action->tuple, now);
}

void hw_peer_run_paths(struct hw_peer *peer, hw_time now)
{
	const uint32_t challenge_bytes = HW_WIRE_OVERHEAD_BYTES + HW_CONTROL_CHALLENGE_BYTES;
	struct hw_path_action action;

	while (hw_path_table_next(&peer->paths, challenge_bytes, now, &action)) {
		switch (action.type) {
		case HW_PATH_ACTION_RESEND:
			hw_resend_ask(peer, action.path);
			break;
		case HW_PATH_ACTION_PROBE:
			send_probe(peer, &action, now);
			break;
		case HW_PATH_ACTION_CHALLENGE:
			send_challenge(peer, &action, now);
			break;
		case HW_PATH_ACTION_MTU_PROBE:
			send_mtu_probe(peer, &action, now);
			break;
		case HW_PATH_ACTION_EVENT_MTU:
			hw_peer_event(peer, HW_EVENT_PATH_MTU, action.path,
				      (uint64_t)action.was << 32 | action.size, now);
			break;
		case HW_PATH_ACTION_EVENT_NEW:
			hw_peer_event(peer, HW_EVENT_PATH_NEW, action.path, 0, now);
			break;
		case HW_PATH_ACTION_EVENT_UP:
			hw_resend_ask_all(peer);
			hw_peer_event(peer, HW_EVENT_PATH_UP, action.path, 0, now);
			break;
		case HW_PATH_ACTION_EVENT_SUSPECT:
			hw_peer_event(peer, HW_EVENT_PATH_SUSPECT, action.path,
				      action.path->why, now);
			break;
		case HW_PATH_ACTION_EVENT_DOWN:
			hw_peer_event(peer, HW_EVENT_PATH_DOWN, action.path,
				      action.path->why, now);
			break;
		case HW_PATH_ACTION_EVENT_MOVED:
			hw_peer_event(peer, HW_EVENT_PATH_MOVED, action.path, 0, now);
			break;
		}
	}
	hw_resend_run(peer, now);
}
