#include <string.h>

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
		.rate_tx_Bps = hw_path_tx_rate_Bps(&path->tx, now),
		.rate_rx_Bps = hw_meter_rate_Bps(&path->rx.meter, now),
		.tx_packets = path->tx.packets,
		.tx_bytes = path->tx.bytes,
		.rx_packets = path->rx.packets,
		.rx_bytes = path->rx.bytes,
		.duplicates = path->rx.duplicates,
		.mtu_bytes = path->mtu.size + path->mtu.headers,
		.mtu_search = (enum hw_mtu_search)path->mtu.state,
		.mtu_probe_bytes = path->mtu.probe_bytes,
		.observed = path->observed,
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
