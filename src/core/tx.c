#include "base/bytes.h"
#include "core/internal.h"
#include "frame/fragment.h"
#include "frame/inner.h"
#include "frame/mss.h"

/* One class for now: what classifies comes with the modes that need it. */
#define STREAM_DEFAULT HW_WIRE_STREAM_FIRST_CLASS

/* How one inner packet is sent, from choosing the session to the last fragment's copies. */
struct sending {
	struct hw_peer *peer;
	struct hw_session *session;
	uint32_t payload_bytes; /* UDP payload that every path in use takes; 0: none is in use */
	uint8_t tos;
	hw_time now;
};

/* Takes one plaintext; seals it and sends its copies. Returns 0 or the drop's reason + 1. */
static int seal_and_send(const struct sending *s, enum hw_wire_type type, struct hw_buf *buf)
{
	struct hw_core *core = s->peer->core;
	struct hw_sched_choice choice = { 0 };
	size_t count;

	if (hw_session_seal(s->session, type, STREAM_DEFAULT, buf, s->now) < 0) {
		hw_buf_unref(buf);
		return HW_DROP_tx_seal + 1;
	}

	const struct hw_sched_path *views = hw_path_table_views(&s->peer->paths, s->now, &count);
	const struct hw_sched_packet packet = {
		.stream = STREAM_DEFAULT,
		.bytes = buf->len,
		.now = s->now,
		.deadline = HW_TIME_NEVER,
	};

	core->config.strategy->choose(s->peer->strategy_state, &packet, views, count, &choice);
	core->totals.tx_source_packets++;
	if (choice.count == 0) {
		hw_buf_unref(buf);
		return HW_DROP_tx_no_path + 1;
	}

	uint32_t copies = hw_send_copies(s->peer, s->session, buf, &choice, true, s->tos, s->now);

	core->totals.tx_copies += copies;
	return copies > 0 ? 0 : HW_DROP_tx_no_buffer + 1;
}

static int send_fragments(const struct sending *s, const struct hw_frame_plan *plan,
			  const struct hw_buf *packet)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		struct hw_buf *piece = hw_frame_cut(s->peer->core->pool, plan, packet, i);

		if (piece == NULL)
			return HW_DROP_tx_no_buffer + 1;

		int drop = seal_and_send(s, HW_WIRE_FRAMED, piece);

		if (drop != 0)
			return drop;
	}
	return 0;
}

/* Takes the inner packet. Returns 0 or the drop's reason + 1. */
static int send_inner(const struct sending *s, struct hw_buf *packet)
{
	struct hw_core *core = s->peer->core;
	uint32_t payload = s->payload_bytes;
	uint16_t original_len = 0;
	struct hw_frame_plan plan;

	if (core->config.mss_clamp)
		hw_mss_clamp(packet->data, packet->len, core->config.layer2,
			     hw_frame_max_whole(hw_path_table_clamp(&s->peer->paths, s->now)));

	struct hw_buf *shrunk =
		hw_compression_try(&s->peer->compression, core->pool, STREAM_DEFAULT, packet);

	if (shrunk != NULL) {
		original_len = (uint16_t)packet->len;
		hw_buf_unref(packet);
		packet = shrunk;
	}
	if (hw_frame_plan(packet->len, original_len, payload, &plan) < 0) {
		hw_buf_unref(packet);
		return HW_DROP_tx_too_big + 1;
	}
	if (plan.count == 1) {
		if (plan.header_bytes > 0)
			hw_frame_wrap(&plan, packet);
		return seal_and_send(s, plan.header_bytes > 0 ? HW_WIRE_FRAMED : HW_WIRE_DATA, packet);
	}

	int drop = send_fragments(s, &plan, packet);

	hw_buf_unref(packet);
	return drop;
}

/* Takes the packet if it can be sent, or dropped, now. */
static bool try_send(struct hw_peer *peer, struct hw_buf *packet, hw_time now)
{
	struct hw_core *core = peer->core;
	struct sending s = {
		.peer = peer,
		.session = hw_slots_sealing(&peer->slots, now),
		.payload_bytes = hw_path_table_payload(&peer->paths, now),
		.now = now,
	};

	if (s.session == NULL || s.payload_bytes == 0)
		return false;
	if (core->config.copy_dscp)
		s.tos = hw_inner_outer_tos(packet->data, packet->len, core->config.layer2);

	int drop = send_inner(&s, packet);

	if (drop == 0)
		core->totals.tx_sent++;
	else
		hw_core_drop(core, (enum hw_drop)(drop - 1), 1);
	hw_core_class_packet(peer, s.session, s.session->tx_counter[STREAM_DEFAULT] - 1,
			     now + HW_PATH_SOONEST, now);
	return true;
}

static enum hw_drop waiting_drop(const struct hw_peer *peer, hw_time now)
{
	return hw_slots_sealing(&peer->slots, now) == NULL ? HW_DROP_tx_no_session
							   : HW_DROP_tx_no_path;
}

/* Takes the packet. */
static void wait_for_session(struct hw_peer *peer, struct hw_buf *packet, hw_time now)
{
	struct hw_core *core = peer->core;

	if (peer->waiting_count == HW_PEER_WAITING) {
		hw_core_drop(core, waiting_drop(peer, now), 1);
		hw_buf_unref(packet);
		return;
	}
	core->unsettled = true;
	packet->at = now;
	peer->waiting[(peer->waiting_first + peer->waiting_count) % HW_PEER_WAITING] = packet;
	peer->waiting_count++;
	core->totals.tx_waiting++;
}

static struct hw_buf *take_waiting(struct hw_peer *peer)
{
	struct hw_buf *packet = peer->waiting[peer->waiting_first];

	peer->waiting_first = (peer->waiting_first + 1) % HW_PEER_WAITING;
	peer->waiting_count--;
	peer->core->totals.tx_waiting--;
	return packet;
}

void hw_tx_flush_waiting(struct hw_peer *peer, hw_time now)
{
	while (peer->waiting_count > 0 &&
	       try_send(peer, peer->waiting[peer->waiting_first], now))
		take_waiting(peer);
}

void hw_tx_expire_waiting(struct hw_peer *peer, bool all, hw_time now)
{
	while (peer->waiting_count > 0) {
		hw_time since = peer->waiting[peer->waiting_first]->at;

		if (!all && hw_time_since(now, since) < HW_PEER_WAITING_TIME)
			break;
		hw_buf_unref(take_waiting(peer));
		hw_core_drop(peer->core, waiting_drop(peer, now), 1);
	}
}

void hw_core_packets_in(struct hw_core *core, struct hw_buf *const *in, size_t count, hw_time now)
{
	/* One peer for now: the routing that chooses between several comes with them. */
	struct hw_peer *peer = core->peer_count > 0 && !core->closed ? &core->peers[0] : NULL;
	uint32_t limit = core->config.tunnel_mtu +
			 (core->config.layer2 ? HW_CORE_ETHERNET_BYTES : 0);

	core->now = now;
	core->totals.tx_packets += count;
	for (size_t i = 0; i < count; i++) {
		if (peer == NULL || in[i]->len == 0 || in[i]->len > limit) {
			hw_core_drop(core, peer == NULL ? HW_DROP_tx_no_peer : HW_DROP_tx_too_big, 1);
			hw_buf_unref(in[i]);
			continue;
		}
		if (peer->waiting_count > 0)
			hw_tx_flush_waiting(peer, now);
		if (peer->waiting_count > 0 || !try_send(peer, in[i], now))
			wait_for_session(peer, in[i], now);
	}
	if (core->unsettled)
		hw_core_settle(core, now);
}
