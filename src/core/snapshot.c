#include <string.h>

#include "base/siphash.h"
#include "core/internal.h"

void hw_stream_add(struct hw_stream_totals *totals, const struct hw_session *session,
		   unsigned stream)
{
	const struct hw_replay *replay = session->rx[stream];

	totals->sent += session->tx_counter[stream];
	totals->duplicates += session->rx_duplicates[stream];
	if (replay != NULL) {
		totals->delivered += replay->accepted;
		totals->lost += hw_replay_lost(replay);
	}
}

uint32_t hw_core_peer_count(const struct hw_core *core)
{
	return core->peer_count;
}

void hw_core_totals(const struct hw_core *core, struct hw_core_totals *ret_totals)
{
	*ret_totals = core->totals;
}

static void snapshot_path(const struct hw_path_table *table, const struct hw_path *path,
			  hw_time now, struct hw_path_snapshot *ret)
{
	*ret = (struct hw_path_snapshot){
		.path = path->id,
		.tuple = path->tuple,
		.state = path->state,
		.rtt_ns = path->rtt.smoothed_ns,
		.owd_ns = hw_path_table_rx_excess(table, path, now),
		.jitter_ns = path->rx.owd.known ? path->rx.owd.jitter_ns : -1,
		.loss_tx = path->tx.loss,
		.loss_rx = hw_path_rx_loss(&path->rx, now),
		.rate_tx_Bps = path->tx.rate_Bps,
		.rate_rx_Bps = hw_meter_rate_Bps(&path->rx.meter, now),
		.tx_packets = path->tx.packets,
		.tx_bytes = path->tx.bytes,
		.rx_packets = path->rx.packets,
		.rx_bytes = path->rx.bytes,
		.duplicates = path->rx.duplicates,
	};
}

static void sum_streams(const struct hw_peer *peer, struct hw_stream_totals totals[HW_WIRE_STREAMS])
{
	const struct hw_slots *slots = &peer->slots;

	memcpy(totals, peer->streams, sizeof(peer->streams));
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		if (slots->current != NULL)
			hw_stream_add(&totals[i], slots->current, i);
		if (slots->next != NULL)
			hw_stream_add(&totals[i], slots->next, i);
		for (uint32_t j = 0; j < slots->previous_count; j++)
			hw_stream_add(&totals[i], slots->previous[j].session, i);
	}
}

static enum hw_peer_state peer_state(const struct hw_peer *peer)
{
	if (peer->up)
		return HW_PEER_UP;
	if (peer->pending)
		return HW_PEER_HANDSHAKE;
	return peer->established_at != 0 ? HW_PEER_DOWN : HW_PEER_IDLE;
}

void hw_core_peer_snapshot(const struct hw_core *core, uint32_t number, hw_time now,
			   struct hw_peer_snapshot *ret)
{
	const struct hw_peer *peer = &core->peers[number];
	struct hw_stream_totals totals[HW_WIRE_STREAMS];

	*ret = (struct hw_peer_snapshot){
		.state = peer_state(peer),
		.handshake_age_ns = peer->established_at == 0
					    ? -1
					    : (int64_t)hw_time_since(now, peer->established_at),
	};
	memcpy(ret->name, peer->config.name, sizeof(ret->name));
	memcpy(ret->public_key, peer->config.public_key, sizeof(ret->public_key));
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		if (peer->paths.paths[i].used)
			snapshot_path(&peer->paths, &peer->paths.paths[i], now,
				      &ret->paths[ret->path_count++]);
	}
	sum_streams(peer, totals);
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		if (totals[i].sent == 0 && totals[i].delivered == 0)
			continue;
		ret->streams[ret->stream_count++] = (struct hw_stream_snapshot){
			.stream = (uint8_t)i,
			.sent = totals[i].sent,
			.delivered = totals[i].delivered,
			.duplicates = totals[i].duplicates,
			.lost = totals[i].lost,
		};
	}
}

/* A running hash of values, in order. */
struct hash {
	struct hw_siphash_key key;
	uint64_t value;
};

static void mix(struct hash *h, const void *data, size_t len)
{
	h->value ^= hw_siphash(&h->key, data, len);
	h->value = hw_siphash(&h->key, &h->value, sizeof(h->value));
}

static void mix64(struct hash *h, uint64_t value)
{
	mix(h, &value, sizeof(value));
}

static void mix_session(struct hash *h, const struct hw_session *session)
{
	if (session == NULL) {
		mix64(h, 0);
		return;
	}
	mix64(h, session->local_index);
	mix64(h, session->remote_index);
	mix64(h, session->confirmed);
	mix64(h, session->sealed);
	mix(h, session->tx_counter, sizeof(session->tx_counter));
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		const struct hw_replay *replay = session->rx[i];

		if (replay == NULL)
			continue;
		mix64(h, i);
		mix64(h, replay->highest);
		mix64(h, replay->accepted);
		mix64(h, replay->packets);
		mix(h, replay->bits, replay->packets / 8);
	}
}

static void mix_paths(struct hash *h, const struct hw_path_table *table)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = &table->paths[i];

		if (!path->used)
			continue;
		mix64(h, i);
		mix(h, &path->tuple, sizeof(path->tuple));
		mix64(h, path->state);
		mix64(h, path->peer_id);
		mix64(h, path->tx.packets);
		mix64(h, path->last_heard);
		mix64(h, path->last_sent);
		mix64(h, (uint64_t)path->rtt.smoothed_ns);
		mix64(h, path->rx.packets);
		mix64(h, path->rx.current.highest);
		mix64(h, (uint64_t)path->rx.owd.smoothed_ns);
	}
	for (uint32_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++) {
		const struct hw_candidate *candidate = &table->candidates[i];

		if (!candidate->used)
			continue;
		mix64(h, 0x100 + i);
		mix(h, &candidate->tuple, sizeof(candidate->tuple));
		mix64(h, candidate->rx_bytes);
		mix64(h, candidate->tx_bytes);
	}
}

static void mix_peer(struct hash *h, const struct hw_peer *peer)
{
	mix(h, peer->handshake.last_timestamp, sizeof(peer->handshake.last_timestamp));
	mix(h, peer->handshake.answered, sizeof(peer->handshake.answered));
	mix64(h, peer->pending ? peer->pending_index : UINT64_MAX);
	mix(h, peer->cookie_slots, sizeof(peer->cookie_slots));
	mix_session(h, peer->slots.current);
	mix_session(h, peer->slots.next);
	for (uint32_t i = 0; i < peer->slots.previous_count; i++)
		mix_session(h, peer->slots.previous[i].session);
	mix_paths(h, &peer->paths);
	mix64(h, hw_reassembly_held(peer->reassembly));
	mix64(h, peer->waiting_count);
	mix64(h, peer->report_pending);
	mix64(h, peer->up);
}

uint64_t hw_core_state_hash(const struct hw_core *core)
{
	struct hash h = { .value = 0 };

	mix64(&h, core->indices.count);
	mix64(&h, core->timestamp_last);
	mix64(&h, hw_pool_available(core->pool));
	for (uint32_t i = 0; i < core->peer_count; i++)
		mix_peer(&h, &core->peers[i]);
	return h.value;
}
