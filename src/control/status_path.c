/* Of each path, and of each pair of paths, all that is measured. */
#include "control/status.h"

/* What takes its parts over, or gives up on all of them together. */
#define FIGURE(n) json_integer((json_int_t)(n))

static json_t *known_ms(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e6);
}

static json_t *known(double value, double scale)
{
	return value < 0 ? json_null() : json_real(value * scale);
}

static json_t *address(const struct hw_addr *addr)
{
	char text[HW_ADDR_TEXT_BYTES];

	if (addr->family == HW_FAMILY_NONE)
		return json_null();
	hw_addr_format(addr, text);
	return json_string(text);
}

static const char *path_state(enum hw_path_state state)
{
	switch (state) {
	case HW_PATH_PROBING:
		return "probing";
	case HW_PATH_UP:
		return "up";
	case HW_PATH_SUSPECT:
		return "suspect";
	case HW_PATH_DOWN:
		return "down";
	}
	return "unknown";
}

static const char *mtu_search(enum hw_mtu_search search)
{
	switch (search) {
	case HW_MTU_BASE:
		return "base";
	case HW_MTU_SEARCHING:
		return "searching";
	case HW_MTU_COMPLETE:
		return "complete";
	case HW_MTU_ERROR:
		return "error";
	}
	return "unknown";
}

static json_t *render_way(const struct hw_path_way *way)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "loss_1s", known(way->loss_1s, 1),
			 "loss_10s", known(way->loss_10s, 1),
			 "loss_60s", known(way->loss_60s, 1),
			 "queue_ms", known_ms(way->queue_ns),
			 "jitter_ms", known_ms(way->jitter_ns),
			 "excess_ms", known_ms(way->excess_ns),
			 "rate_max_bps", known(way->rate_max_Bps, 8),
			 "burst_mean", known(way->burst_mean, 1),
			 "burst_max", FIGURE(way->burst_max),
			 "reorder_share", known(way->reorder_share, 1),
			 "reorder_extent", FIGURE(way->reorder_extent));
}

static json_t *render_bursts(const struct hw_path_snapshot *path)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < HW_RUNS_BUCKETS; i++) {
		if (json_array_append_new(list, FIGURE(path->bursts[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *hw_status_render_path(const struct hw_path_snapshot *path,
			      const struct hw_status_link *links, size_t link_count)
{
	static const char *const uses[] = {"always", "backup", "never"};
	uint32_t link = path->tuple.link;
	const struct hw_status_link *names = link < link_count ? &links[link] : NULL;
	json_t *object = json_pack(
		"{s:s?, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"link", names ? names->name : NULL,
		"interface", hw_status_plain(names ? names->interface : NULL),
		"local", address(&path->tuple.local),
		"remote", address(&path->tuple.remote),
		"state", path_state(path->state),
		"rtt_ms", known_ms(path->rtt_ns),
		"owd_ms", known_ms(path->owd_ns),
		"jitter_ms", known_ms(path->jitter_ns),
		"loss_tx", known(path->loss_tx, 1),
		"loss_rx", known(path->loss_rx, 1),
		"rate_tx_bps", known(path->rate_tx_Bps, 8),
		"rate_rx_bps", known(path->rate_rx_Bps, 8),
		"tx_packets", FIGURE(path->tx_packets),
		"tx_bytes", FIGURE(path->tx_bytes),
		"rx_packets", FIGURE(path->rx_packets),
		"rx_bytes", FIGURE(path->rx_bytes),
		"duplicates", FIGURE(path->duplicates));
	json_t *more = json_pack(
		"{s:s?, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"why", path->why != NULL && path->why[0] != '\0' ? path->why : NULL,
		"state_age_s", known(path->state_age_ns < 0 ? -1 : (double)path->state_age_ns, 1e-9),
		"state_changes", FIGURE(path->state_changes),
		"use", uses[path->use],
		"price", FIGURE(path->price),
		"metered", path->metered,
		"id", FIGURE(path->path),
		"observed", address(&path->observed),
		"mtu", path->mtu_bytes > 0 ? FIGURE(path->mtu_bytes) : json_null(),
		"mtu_search", mtu_search(path->mtu_search),
		"mtu_probe_bytes", FIGURE(path->mtu_probe_bytes),
		"rtt_min_ms", known_ms(path->rtt_min_ns),
		"rtt_variation_ms", known_ms(path->rtt_variation_ns),
		"gap_ms", known_ms(path->gap_ns),
		"bursts", render_bursts(path),
		"tx", render_way(&path->tx),
		"rx", render_way(&path->rx));

	/* Both or nothing. */
	if (object == NULL || more == NULL || json_object_update(object, more) < 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

static json_t *render_joint(const struct hw_joint_figures *figures)
{
	static const char *const verdicts[] = {"unknown", "independent", "together"};

	return json_pack("{s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:s}",
			 "slots", figures->slots,
			 "bad_a", figures->bad_a,
			 "bad_b", figures->bad_b,
			 "bad_both", figures->bad_both,
			 "lift", known(figures->lift, 1),
			 "low", known(figures->low, 1),
			 "high", known(figures->high, 1),
			 "verdict", verdicts[figures->verdict]);
}

json_t *hw_status_render_pair(const struct hw_pair_snapshot *pair)
{
	return json_pack("{s:o, s:o, s:o, s:o}",
			 "a", FIGURE(pair->a),
			 "b", FIGURE(pair->b),
			 "tx", render_joint(&pair->tx),
			 "rx", render_joint(&pair->rx));
}
