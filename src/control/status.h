/*
 * The daemon's state as JSON: what `hawser status --json` prints. Its keys are an interface.
 *
 *     version, device, mode, uptime_s,
 *     peers: [{name, public_key, state, handshake_age_s,
 *              paths: [{link, interface, local, remote, state, rtt_ms, owd_ms, jitter_ms,
 *                       loss_tx, loss_rx, rate_tx_bps, rate_rx_bps, tx_packets, tx_bytes,
 *                       rx_packets, rx_bytes, duplicates}],
 *              streams: [{class, sent, delivered, duplicates, lost}]}],
 *     drops: {reason: count}, totals: {...}
 *
 * Unknown figures are null; losses are fractions of 1; rates are bits/s; every drop reason is
 * there.
 */
#ifndef HW_CONTROL_STATUS_H
#define HW_CONTROL_STATUS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "core/core.h"

/* A link as people know it. */
struct hw_status_link {
	const char *name;
	const char *interface; /* NULL: not bound to one */
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
	const struct hw_status_link *links; /* in the order of the core's links */
	size_t link_count;
	const struct hw_status_drop *drops; /* beside the core's */
	size_t drop_count;
	const struct hw_peer_snapshot *peers;
	size_t peer_count;
	const struct hw_core_totals *totals;
};

/* Gives a new object, or NULL when out of memory. */
json_t *hw_status_render(const struct hw_status_input *input);

#endif
