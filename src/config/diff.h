/*
 * What a changed configuration file would change, against the one that a daemon runs on: which of it
 * can be taken over while the tunnel works, and which cannot, each with its place in the new file and
 * in words. Pure: what is to be done about it is the daemon's business (daemon/reload.c).
 *
 * Links are the same link when they have the same name, wherever they stand in the file.
 */
#ifndef HW_CONFIG_DIFF_H
#define HW_CONFIG_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

#define HW_CONFIG_MAX_CHANGES 64u /* kept; the rest are counted */
#define HW_CONFIG_CHANGE_BYTES 256u

/* What the daemon has to look after, when something of it has changed. */
enum hw_config_part {
	HW_PART_CORE = 1,      /* mode, frames, session: hw_core_reapply */
	HW_PART_LINKS = 2,     /* links, their settings, all endpoints */
	HW_PART_ADDRESSES = 4, /* of the tunnel device */
	HW_PART_TUNNEL_MTU = 8,
	HW_PART_LOG = 16
};

struct hw_config_change {
	bool live;                  /* can be taken over while running */
	struct hw_config_mark mark; /* in the new file; line 0: what stood there is gone */
	char text[HW_CONFIG_CHANGE_BYTES]; /* "links.lte.price: 1 becomes 3", one line */
};

struct hw_config_diff {
	struct hw_config_change changes[HW_CONFIG_MAX_CHANGES];
	uint32_t count;   /* of those kept, in a fixed order */
	uint32_t live;    /* of all */
	uint32_t refused; /* of all: with any of them nothing is to be taken over */
	unsigned parts;   /* enum hw_config_part, of what can be taken over */
};

/*
 * Both are loaded (their keys read). `packet_bytes`: the largest tunnel.mtu that the running daemon's
 * buffers take.
 */
void hw_config_compare(const struct hw_config *running, const struct hw_config *next,
		       uint32_t packet_bytes, struct hw_config_diff *ret_diff);

#endif
