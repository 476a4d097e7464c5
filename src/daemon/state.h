/*
 * What must survive a restart: the floor of the handshake's timestamps, so that a clock that was
 * set back cannot lock this node out of its peer (docs/wire.md, "Timestamp").
 *
 * The file is text, two lines: "hawser-state 1" and "timestamp-floor-ns N". It is written to a
 * temporary file beside it, synced and renamed, so a crash leaves the old one or the new one.
 */
#ifndef HW_DAEMON_STATE_H
#define HW_DAEMON_STATE_H

#include <stdint.h>

#include "base/error.h"

#define HW_STATE_DIR "/var/lib/hawser"

struct hw_state {
	uint64_t timestamp_floor_ns;
};

/* HW_E_NOT_FOUND: there is none yet; HW_E_MALFORMED: not such a file; HW_E_SYSTEM (errno). */
HW_MUST_USE int hw_state_load(const char *path, struct hw_state *ret_state);

/* HW_E_INVAL: path too long; HW_E_SYSTEM (errno). May take as long as the disk takes. */
HW_MUST_USE int hw_state_save(const char *path, const struct hw_state *state);

#endif
