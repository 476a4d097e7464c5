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

static void snapshot_rx(const struct hw_path_table *table, const struct hw_path *path, hw_time now,
			struct hw_path_way *ret)
{
	const struct hw_path_rx *rx = &path->rx;

	*ret = (struct hw_path_way){
		.loss_1s = hw_path_rx_loss_over(rx, 1, now),
		.loss_10s = hw_path_rx_loss_over(rx, 10, now),
		.loss_60s = hw_path_rx_loss_over(rx, 60, now),
		.queue_ns = hw_queue_delay_ns(&rx->queue, now),
		.jitter_ns = rx->owd.known ? rx->owd.jitter_ns : -1,
		.excess_ns = hw_path_table_rx_excess(table, path, now),
		.rate_max_Bps = hw_rate_max_Bps(&rx->rate, now),
		.burst_mean = hw_runs_mean(&rx->runs, now),
		.burst_max = hw_runs_longest(&rx->runs, now),
		.reorder_share = hw_order_share(&rx->order, now),
		.reorder_extent = hw_order_extent(&rx->order, now),
	};
}

static void snapshot_tx(const struct hw_path_table *table, const struct hw_path *path, hw_time now,
			struct hw_path_way *ret)
{
	const struct hw_path_tx *tx = &path->tx;

	*ret = (struct hw_path_way){
		.loss_1s = hw_path_tx_loss(tx, 1, now),
		.loss_10s = hw_path_tx_loss(tx, 10, now),
		.loss_60s = hw_path_tx_loss(tx, 60, now),
		.queue_ns = hw_path_tx_queue_ns(tx, now),
		.jitter_ns = tx->detailed ? (int64_t)tx->detail.jitter_us * (int64_t)HW_NS_PER_US : -1,
		.excess_ns = hw_path_table_tx_excess(table, path, now),
		.rate_max_Bps = hw_path_tx_rate_max_Bps(tx, now),
		.burst_mean = tx->detail.burst_mean / 16.0,
		.burst_max = tx->detail.burst_max,
		.reorder_share = (double)tx->detail.reorder_share / HW_CONTROL_SHARE_ONE,
		.reorder_extent = tx->detail.reorder_extent,
	};
}

static void snapshot_pairs(const struct hw_path_table *table, struct hw_peer_snapshot *ret)
{
	for (uint32_t b = 1; b < HW_PATH_TABLE_PATHS; b++) {
		for (uint32_t a = 0; a < b && table->paths[b].used; a++) {
			struct hw_pair_snapshot *pair = &ret->pairs[ret->pair_count];

			if (!table->paths[a].used)
				continue;
			pair->a = a;
			pair->b = b;
			hw_joint_figures(&table->joint_rx, a, b, &pair->rx);
			hw_joint_figures(&table->joint_tx, a, b, &pair->tx);
			if (pair->rx.slots > 0 || pair->tx.slots > 0)
				ret->pair_count++;
		}
	}
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
		/* Nothing leads back to probing by an answer: such a path is new. */
		.why = path->state == HW_PATH_PROBING && path->why == HW_PATH_EVENT_PROVEN
		       ? "it has not answered yet" : hw_path_event_text(path->why),
		.state_age_ns = (int64_t)hw_time_since(now, path->state_since),
		.state_changes = path->changes,
		.use = hw_path_use(path),
		.price = hw_path_price(path),
		.metered = hw_path_metered(path),
		.rtt_min_ns = hw_rtt_min(&path->rtt, now),
		.rtt_variation_ns = path->rtt.variation_ns,
		.gap_ns = hw_gap_flows(&path->rx.gap, now) ? path->rx.gap.mean_ns : -1,
	};
	snapshot_rx(table, path, now, &ret->rx);
	snapshot_tx(table, path, now, &ret->tx);
	memcpy(ret->bursts, path->rx.runs.histogram, sizeof(ret->bursts));
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
	snapshot_pairs(&peer->paths, ret);
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
