/*
 * The daemon's state as JSON: what `hawser status --json` prints. Its keys are an interface.
 *
 *     version, device, mode, uptime_s,
 *     peers: [{name, public_key, state, handshake_age_s,
 *              paths: [{link, interface, local, remote, state, rtt_ms, owd_ms, jitter_ms,
 *                       loss_tx, loss_rx, rate_tx_bps, rate_rx_bps, tx_packets, tx_bytes,
 *                       rx_packets, rx_bytes, duplicates,
 *                       why, state_age_s, state_changes, use, price, metered, id, observed, mtu,
 *                       mtu_search, mtu_probe_bytes, rtt_min_ms, rtt_variation_ms, gap_ms,
 *                       bursts: [...],
 *                       tx: {loss_1s, loss_10s, loss_60s, queue_ms, jitter_ms, excess_ms,
 *                            rate_max_bps, burst_mean, burst_max, reorder_share,
 *                            reorder_extent},
 *                       rx: {...}}],
 *              pairs: [{a, b, tx: {slots, bad_a, bad_b, bad_both, lift, low, high, verdict},
 *                       rx: {...}}],
 *              streams: [{class, sent, delivered, duplicates, lost}]}],
 *     drops: {reason: count}, totals: {...}
 *
 *     links: [{name, interface, state, reason, use, use_by, price, metered, mtu, tx_bytes,
 *              tx_packets, rx_bytes, rx_packets, counted_since_s,
 *              quota: {bytes, per, used_bytes, left_bytes, warn_percent, warned, spent, begun_s,
 *                      ends_s}}]
 *
 * A link's state is "ready", "waiting" (for its interface, an address or a port), "unused" (its
 * use is never) or "down" (the operator's word), and reason says why in words; use_by says whose
 * word its use is: "configuration", "operator" or "quota". What
 * links have carried is counted as carriers do, in IP packets, over restarts, since
 * counted_since_s; a link without a quota has null there. Times are seconds since 1970.
 *
 * Unknown figures are null; losses are fractions of 1; rates are bits/s; every drop reason is
 * there.
 */
#ifndef HW_CONTROL_STATUS_H
#define HW_CONTROL_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "core/core.h"

struct hw_status_quota {
	uint64_t bytes; /* 0: none */
	const char *per; /* "day", "month" */
	uint64_t used_bytes, left_bytes;
	uint32_t warn_percent;
	bool warned, spent;
	uint64_t begun_s, ends_s; /* of the period */
};

/* A link as people know it. */
struct hw_status_link {
	const char *name; /* NULL: this slot is empty */
	const char *interface; /* NULL: not bound to one */
	const char *state, *reason; /* reason: why it is not ready; NULL */
	const char *use, *use_by;
	uint32_t price;
	bool metered;
	uint32_t mtu_bytes; /* 0: not known */
	uint64_t tx_bytes, tx_packets;
	uint64_t rx_bytes, rx_packets;
	uint64_t since_s;
	struct hw_status_quota quota;
};

/* A drop that happened outside the core. */
struct hw_status_drop {
	const char *name;
	uint64_t count;
};

struct hw_status_input {
	const char *version;
	const char *device;
	const char *mode;
	hw_time uptime;
	const struct hw_status_link *links; /* by the core's slots */
	size_t link_count;
	const struct hw_status_drop *drops; /* beside the core's */
	size_t drop_count;
	const struct hw_peer_snapshot *peers;
	size_t peer_count;
	const struct hw_core_totals *totals;
};

/* The parts: each gives a new value, or NULL when out of memory. */
json_t *hw_status_render_path(const struct hw_path_snapshot *path,
			      const struct hw_status_link *links, size_t link_count);
json_t *hw_status_render_pair(const struct hw_pair_snapshot *pair);
json_t *hw_status_render_links(const struct hw_status_link *links, size_t count);

#define HW_STATUS_PLAIN_BYTES 64u /* with the terminator; longer text is cut */

/*
 * Text that need not be UTF-8, like an interface's name: what is not visible ASCII becomes '?'. NULL
 * gives null.
 */
json_t *hw_status_plain(const char *text);

/* Gives a new object, or NULL when out of memory. */
json_t *hw_status_render(const struct hw_status_input *input);

#endif
