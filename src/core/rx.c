#include "core/internal.h"
#include "frame/fragment.h"
#include "frame/inner.h"
#include "frame/mss.h"
#include "path/arrival.h"

#define ETHERNET_BYTES 14u
#define IPV4_MIN_BYTES 20u

/* One datagram that has been opened, on its way to the tunnel device. */
struct receiving {
	struct hw_core *core;
	struct hw_peer *peer;
	const struct hw_session *session;
	const struct hw_datagram *datagram;
	struct hw_open_info info;
	hw_time now;
};

/* Whether a device of this type would take the packet at all. */
static bool plausible(const struct hw_core *core, const struct hw_buf *packet)
{
	if (core->config.layer2)
		return packet->len >= ETHERNET_BYTES;
	if (packet->len < IPV4_MIN_BYTES)
		return false;

	uint8_t version = packet->data[0] >> 4;

	return version == 4 || version == 6;
}

/* What comes in is clamped too: this node's way back may take less than the peer's way here. */
static void clamp_mss(const struct receiving *r, struct hw_buf *packet)
{
	uint32_t payload = r->core->config.mss_clamp ? hw_path_table_clamp(&r->peer->paths, r->now) : 0;

	if (payload > 0)
		hw_mss_clamp(packet->data, packet->len, r->core->config.layer2,
			     hw_frame_max_whole(payload));
}

/* Takes the inner packet that came in `datagrams` datagrams, and counts them. */
static void deliver(const struct receiving *r, struct hw_buf *packet, uint8_t tos,
		    uint32_t datagrams)
{
	struct hw_core *core = r->core;
	enum hw_drop reason;

	if (!plausible(core, packet)) {
		reason = HW_DROP_rx_frame_malformed;
		goto drop;
	}
	if (core->config.copy_dscp &&
	    !hw_inner_combine_ecn(packet->data, packet->len, core->config.layer2, tos)) {
		reason = HW_DROP_rx_congestion;
		goto drop;
	}
	clamp_mss(r, packet);
	if (!hw_output_packet(&core->out, packet)) {
		reason = HW_DROP_rx_tunnel_queue;
		goto drop;
	}
	core->totals.rx_delivered += datagrams;
	core->totals.rx_packets++;
	return;

drop:
	hw_core_drop(core, reason, datagrams);
	hw_buf_unref(packet);
}

/* Takes the packet, which is whole but may be compressed. */
static void deliver_framed(const struct receiving *r, const struct hw_frame *frame,
			   struct hw_buf *packet, uint8_t tos, uint32_t datagrams)
{
	struct hw_buf *original;

	if (!frame->compressed) {
		deliver(r, packet, tos, datagrams);
		return;
	}

	int rc = hw_decompress(r->core->pool, packet, frame->original_len, &original);

	hw_buf_unref(packet);
	if (rc < 0)
		hw_core_drop(r->core,
			     rc == HW_E_NOMEM ? HW_DROP_rx_no_buffer : HW_DROP_rx_compression,
			     datagrams);
	else
		deliver(r, original, tos, datagrams);
}

/* Counts held fragments that will never be delivered. */
static void drop_held(struct hw_core *core, enum hw_drop reason, uint32_t count)
{
	core->totals.rx_held -= count;
	hw_core_drop(core, reason, count);
}

/* Takes the fragment, its frame header pulled off. */
static void fragment_in(const struct receiving *r, const struct hw_frame *frame,
			struct hw_buf *fragment)
{
	struct hw_core *core = r->core;
	struct hw_reassembly_result result;

	hw_reassembly_add(r->peer->reassembly, r->session->generation, r->info.header.stream,
			  r->info.counter, frame, fragment, r->datagram->tos, r->now, &result);
	drop_held(core, HW_DROP_rx_fragment_expired, result.expired);
	drop_held(core, HW_DROP_rx_fragment_limit, result.evicted);

	switch (result.verdict) {
	case HW_REASSEMBLY_HELD:
		core->totals.rx_held++;
		core->due = hw_time_min(core->due, hw_reassembly_deadline(r->peer->reassembly));
		break;
	case HW_REASSEMBLY_COMPLETE:
		core->totals.rx_held -= result.completed;
		deliver_framed(r, frame, result.packet, result.tos, result.completed + 1);
		break;
	case HW_REASSEMBLY_DUPLICATE:
	case HW_REASSEMBLY_MALFORMED:
		hw_core_drop(core, HW_DROP_rx_frame_malformed, 1);
		break;
	case HW_REASSEMBLY_LIMIT:
		hw_core_drop(core, HW_DROP_rx_fragment_limit, 1);
		break;
	case HW_REASSEMBLY_NO_BUFFER:
		hw_core_drop(core, HW_DROP_rx_no_buffer, 1);
		break;
	}
}

/* Takes the opened buffer of a class stream. */
static void class_in(const struct receiving *r, struct hw_buf *buf)
{
	struct hw_frame frame;

	hw_report_pending(r->peer, r->now);
	hw_core_class_packet(r->peer, r->session, r->info.counter, HW_TIME_NEVER, r->now);

	if (r->info.header.type == HW_WIRE_DATA) {
		deliver(r, buf, r->datagram->tos, 1);
		return;
	}
	if (hw_frame_parse(buf->data, buf->len, &frame) < 0) {
		hw_core_drop(r->core, HW_DROP_rx_frame_malformed, 1);
		hw_buf_unref(buf);
		return;
	}
	hw_buf_pull(buf, frame.header_bytes);
	if (frame.fragment)
		fragment_in(r, &frame, buf);
	else
		deliver_framed(r, &frame, buf, r->datagram->tos, 1);
}

/* Takes the opened buffer. */
static void opened_in(const struct receiving *r)
{
	struct hw_core *core = r->core;
	struct hw_buf *buf = r->datagram->buf;
	unsigned stream = r->info.header.stream;

	if (stream == HW_WIRE_STREAM_CONTROL) {
		core->unsettled = true;
		if (hw_control_in(r->peer, r->session, r->datagram, r->now) < 0)
			hw_core_drop(core, HW_DROP_rx_control_malformed, 1);
		else
			core->totals.rx_control++;
		hw_buf_unref(buf);
	} else if (stream <= HW_WIRE_STREAM_LAST_CLASS) {
		class_in(r, buf);
	} else {
		hw_core_drop(core, HW_DROP_rx_stream_unsupported, 1);
		hw_buf_unref(buf);
	}
}

/* Measures the stamp, if it was valid, on the path that the datagram came by; returns whether it was. */
static bool measure(const struct receiving *r, struct hw_path *path, uint32_t bytes, bool duplicate)
{
	bool trouble;
	const struct hw_path_stamp stamp = {
		.generation = r->session->generation,
		.sequence = r->info.header.path_seq,
		.send_tick = r->info.header.sent_ticks,
		.duplicate = duplicate,
		.data = r->info.header.stream != HW_WIRE_STREAM_CONTROL,
		.bytes = bytes,
		.at = r->datagram->at,
	};

	if (!hw_path_arrival(&r->peer->paths, path, &stamp, &trouble))
		return false;
	if (trouble)
		hw_report_urgent(r->peer);
	return true;
}

/* Another copy of what has arrived: a path that is always the slower one carries data as well. */
static void copy_in(const struct receiving *r, struct hw_path *path, uint32_t bytes)
{
	if (!measure(r, path, bytes, true) || r->info.header.stream == HW_WIRE_STREAM_CONTROL)
		return;
	hw_path_heard_data(path, r->now);
	hw_report_pending(r->peer, r->now); /* the sender waits for a sign of this path too */
}

/* An authentic packet came from a tuple that is no path yet. */
static void heard_unknown(const struct receiving *r, uint32_t bytes)
{
	uint8_t seed[HW_PATH_SEED_BYTES];
	struct hw_path_link link;
	struct hw_candidate *candidate;

	/* Where nothing may be sent nobody is asked who he is. */
	if (!hw_peer_may_learn(r->peer, &r->datagram->tuple, r->now))
		return;
	r->core->env.random(r->core->env.ctx, seed, sizeof(seed));
	hw_peer_path_link(r->core, &r->datagram->tuple, &link);
	/* At the limit the packet still counts: only its address is not remembered. */
	(void)!hw_path_table_heard_unknown(&r->peer->paths, &r->datagram->tuple, &link, bytes, seed,
					   r->now, &candidate);
}

static enum hw_drop open_drop(enum hw_open verdict)
{
	switch (verdict) {
	case HW_OPEN_DUPLICATE:
		return HW_DROP_rx_duplicate;
	case HW_OPEN_OLD:
		return HW_DROP_rx_replay_old;
	case HW_OPEN_LATE:
		return HW_DROP_rx_replay_late;
	case HW_OPEN_AUTH:
		return HW_DROP_rx_auth;
	case HW_OPEN_NOMEM:
		return HW_DROP_rx_no_buffer;
	case HW_OPEN_OK:
	case HW_OPEN_MALFORMED:
		break;
	}
	return HW_DROP_rx_malformed;
}

/* Takes the datagram's buffer. */
static void data_in(struct hw_core *core, const struct hw_datagram *datagram, hw_time now)
{
	struct receiving r = { .core = core, .datagram = datagram, .now = now };
	struct hw_buf *buf = datagram->buf;
	uint32_t bytes = buf->len;
	enum hw_drop reason;

	if (hw_wire_data_parse(buf->data, buf->len, &r.info.header) < 0) {
		reason = HW_DROP_rx_malformed;
		goto drop;
	}

	const struct hw_index_entry *entry =
		hw_index_find(&core->indices, r.info.header.index);

	if (entry == NULL || entry->session == NULL) {
		reason = HW_DROP_rx_unknown_index;
		goto drop;
	}

	struct hw_session *session = entry->session;

	r.peer = entry->peer;
	r.session = session;
	if (!hw_slots_may_open(&r.peer->slots, session, now)) {
		reason = HW_DROP_rx_expired;
		goto drop;
	}

	struct hw_path *path = hw_path_table_find(&r.peer->paths, &datagram->tuple);
	bool stamped = path != NULL && path->peer_id != HW_PATH_PEER_ID_NONE &&
		       hw_session_stamp_valid(session, buf->data, buf->len, path->peer_id);
	enum hw_open verdict = hw_session_open_parsed(session, &r.info.header, buf, now,
						       &r.info.counter);

	if (stamped && verdict == HW_OPEN_OK)
		measure(&r, path, bytes, false);
	else if (stamped && verdict == HW_OPEN_DUPLICATE)
		copy_in(&r, path, bytes);
	if (verdict != HW_OPEN_OK) {
		reason = open_drop(verdict);
		goto drop;
	}

	bool confirmed = hw_slots_opened(&r.peer->slots, session, now);

	if (path == NULL)
		heard_unknown(&r, bytes);
	if (path != NULL && r.info.header.stream != HW_WIRE_STREAM_CONTROL) {
		if (hw_path_stands_by(path, now))
			core->unsettled = true;
		hw_path_heard_data(path, now);
	}
	if (path == NULL || hw_path_heard(path, now) != 0)
		core->unsettled = true;
	if (confirmed) {
		/* Paths number packets by generation, and those only grow: a newer one may be in use. */
		if (session->generation != r.peer->next_generation)
			session->generation = ++r.peer->next_generation;
		core->unsettled = true;
		r.peer->established_at = now;
		hw_path_table_new_session(&r.peer->paths, false, now);
		hw_peer_update(r.peer, now);
	}
	opened_in(&r);
	return;

drop:
	hw_core_drop(core, reason, 1);
	hw_buf_unref(buf);
}

/* Takes the datagram's buffer. */
static void datagram_in(struct hw_core *core, const struct hw_datagram *datagram, hw_time now)
{
	struct hw_buf *buf = datagram->buf;
	bool listening = core->configured && !core->closed;
	enum hw_wire_type type;

	if (listening && !hw_link_slot_used(core, datagram->tuple.link)) {
		hw_core_drop(core, HW_DROP_rx_no_link, 1);
		hw_buf_unref(buf);
		return;
	}
	if (listening && buf->len > 0 &&
	    (buf->data[0] >> 4 == HW_WIRE_DATA || buf->data[0] >> 4 == HW_WIRE_FRAMED)) {
		data_in(core, datagram, now);
		return;
	}
	if (listening && hw_wire_type(buf->data, buf->len, &type) == 0)
		hw_handshake_in(core, type, datagram, now);
	else
		hw_core_drop(core, HW_DROP_rx_malformed, 1);
	hw_buf_unref(buf);
}

void hw_core_datagrams_in(struct hw_core *core, const struct hw_datagram *in, size_t count,
			  hw_time now)
{
	core->now = now;
	core->totals.rx_datagrams += count;
	for (size_t i = 0; i < count; i++) {
		const struct hw_datagram *datagram = &in[i];
		struct hw_datagram early;

		/* Estimators keep the latest time they see: one from the future would stop them. */
		if (datagram->at > now) {
			early = *datagram;
			early.at = now;
			datagram = &early;
		}
		datagram_in(core, datagram, now);
	}
	if (core->unsettled)
		hw_core_settle(core, now);
}
