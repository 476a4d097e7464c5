#include "path/arrival.h"

#include "path/table.h"

#define LEAST_DEVIATION ((int64_t)HW_MS(1))
#define LEAST_MISSED 3u

static int64_t deviation_of(const struct hw_path *path)
{
	int64_t deviation = path->rx.gap.deviation_ns;

	if (path->rx.owd.jitter_ns > deviation)
		deviation = path->rx.owd.jitter_ns;
	return deviation > LEAST_DEVIATION ? deviation : LEAST_DEVIATION;
}

int64_t hw_path_patience_ns(const struct hw_path *path, hw_time now)
{
	int64_t patience = 2 * path->rx.gap.mean_ns + 4 * deviation_of(path);
	int64_t stall = hw_path_rx_stall_ns(&path->rx, now);

	return patience > stall ? patience : stall;
}

static bool sent_later(uint32_t tick, uint32_t than)
{
	return ((than - tick) & 0x800000u) != 0;
}

/* A packet came by another path, with that delay; returns whether `path` has just fallen silent. */
static bool missed(struct hw_path *path, const struct hw_path_stamp *stamp, int64_t delay_ns)
{
	struct hw_path_rx *rx = &path->rx;

	if (!hw_gap_flows(&rx->gap, stamp->at) || !sent_later(stamp->send_tick, rx->newest_tick))
		return false;
	/* Each packet once, by however many paths it comes. */
	if (rx->missed > 0 && !sent_later(stamp->send_tick, rx->missed_tick))
		return false;
	rx->missed_tick = stamp->send_tick;
	if (++rx->missed == LEAST_MISSED) {
		int64_t later = rx->owd.smoothed_ns - delay_ns;

		rx->missed_due = later >= 0 ? stamp->at + (hw_time)later
					    : hw_time_since(stamp->at, (hw_time)-later);
	}
	if (rx->missed < LEAST_MISSED || rx->trouble == HW_PATH_TROUBLE_SILENT)
		return false;

	hw_time patience = (hw_time)hw_path_patience_ns(path, stamp->at);

	if (stamp->at < rx->gap.last_at + patience ||
	    stamp->at < rx->missed_due + 4 * (hw_time)deviation_of(path))
		return false;
	rx->trouble = HW_PATH_TROUBLE_SILENT;
	return true;
}

bool hw_path_arrival(struct hw_path_table *table, struct hw_path *path,
		     const struct hw_path_stamp *stamp, bool *ret_trouble)
{
	struct hw_path_rx *rx = &path->rx;
	bool was_lost = rx->trouble == HW_PATH_TROUBLE_LOST;

	*ret_trouble = false;
	if (!hw_path_rx_stamp(rx, &table->clock, stamp))
		return false;

	int64_t delay_ns = rx->owd.latest_ns;

	/* By the sender's clock, as if nothing had waited: the same packet's copies share a slot. */
	hw_slotter_add(&rx->slotter, &table->joint_rx, path->id,
		       (int64_t)stamp->at - rx->queue.baseline_ns, rx->expected, 1,
		       hw_queue_beyond(&rx->queue, delay_ns));
	*ret_trouble = !was_lost && rx->trouble == HW_PATH_TROUBLE_LOST;
	for (uint32_t id = 0; stamp->data && id < table->end; id++) {
		struct hw_path *other = &table->paths[id];

		if (other != path && other->used && missed(other, stamp, delay_ns))
			*ret_trouble = true;
	}
	return true;
}

/* The path's own delay towards the peer beyond the least of all paths', without queues. */
static int64_t own_excess_ns(const struct hw_path_table *table, const struct hw_path *path, hw_time now)
{
	uint32_t own = hw_path_tx_base_us(&path->tx);
	int32_t most = 0;

	for (uint32_t id = 0; id < table->end; id++) {
		const struct hw_path *other = &table->paths[id];

		if (!other->used || !hw_path_tx_owd_fresh(&other->tx, now))
			continue;

		int32_t beyond = (int32_t)(own - hw_path_tx_base_us(&other->tx));

		if (beyond > most)
			most = beyond;
	}
	return (int64_t)most * (int64_t)HW_NS_PER_US;
}

void hw_path_arrival_reported(struct hw_path_table *table, struct hw_path *path, hw_time now)
{
	const struct hw_path_tx *tx = &path->tx;

	if (tx->step_expected == 0 && tx->step_received == 0)
		return;
	hw_slotter_add(&path->tx.slotter, &table->joint_tx, path->id,
		       (int64_t)now - own_excess_ns(table, path, now), tx->step_expected,
		       tx->step_received, tx->queue_ns > 0 ? tx->queue_ns : 0);
}
