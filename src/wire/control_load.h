/*
 * The control frames of tests under load, and of addresses as the other side sees them
 * (docs/wire.md, "Load tests"): plain data and the checks that the reader makes. The writers stand
 * with the others in wire/control.h.
 *
 * A load is a paced train of control packets on one path, each with a LOAD_DATA frame and padding.
 * Whoever receives it measures; the sender ends it with LOAD_DONE, and gets LOAD_RESULT. LOAD asks
 * the other side to send one.
 */
#ifndef HW_WIRE_CONTROL_LOAD_H
#define HW_WIRE_CONTROL_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Whole frames, header included. */
#define HW_CONTROL_OBSERVED_BYTES(family) (6u + ((family) == HW_FAMILY_IPV6 ? 16u : 4u))
#define HW_CONTROL_LOAD_BYTES 19u
#define HW_CONTROL_LOAD_DONE_BYTES 22u
#define HW_CONTROL_LOAD_DATA_BYTES 16u
#define HW_CONTROL_LOAD_RESULT_BYTES 37u

/* Why a load ended, or never began. */
enum hw_load_reason {
	HW_LOAD_SENT = 0,    /* all of it was sent */
	HW_LOAD_BUSY = 1,    /* other loads run */
	HW_LOAD_SPENT = 2,   /* as many bytes as an hour allows have gone already */
	HW_LOAD_PATH = 3,    /* the path is not checked yet, or went away */
	HW_LOAD_INVALID = 4, /* a rate, time or size of nothing */
	HW_LOAD_REFUSED = 5, /* the configuration forbids it */
	HW_LOAD_REASONS
};

/* The sender of this frame sees the receiver at that address. */
struct hw_control_observed {
	struct hw_addr addr; /* with its port; scope and pad zero */
};

struct hw_control_load {
	uint32_t test; /* the asker's number for it, unpredictable */
	uint32_t rate_kbps;
	uint16_t duration_ms;
	uint32_t bytes; /* at most, of UDP payload */
	uint16_t size;  /* of each packet's UDP payload; 0: what every path takes */
};

struct hw_control_load_done {
	uint32_t test;
	uint8_t reason;   /* enum hw_load_reason */
	uint32_t packets; /* sent */
	uint32_t bytes;   /* of their UDP payload */
	uint32_t span_us; /* from the first to the last packet that counts for the rate */
	uint16_t mtu;     /* largest UDP payload known to pass from here; 0: not known */
};

#define HW_CONTROL_LOAD_LEAD 0x01u /* flag: sent ahead, for the delay of an idle path alone */

struct hw_control_load_data {
	uint32_t test;
	uint8_t flags; /* HW_CONTROL_LOAD_*; unknown bits are kept and mean nothing */
	uint32_t index;
	uint32_t sent_us; /* by the sender's clock, modulo 2^32 */
};

struct hw_control_load_result {
	uint32_t test;
	uint32_t packets;      /* received */
	uint32_t rate_packets; /* of them after the first that counts for the rate */
	uint32_t rate_bytes;   /* UDP payload of these */
	uint32_t span_us;      /* from that first to the last */
	/* One-way delay beyond the least that the load saw: quantiles and the most, in us. */
	uint32_t queue_median_us;
	uint32_t queue_p95_us;
	uint32_t queue_max_us;
	uint16_t mtu; /* as in LOAD_DONE, from the sender of this frame */
};

/* The body of a frame of that type: whether it is one. */
bool hw_control_parse_observed(const uint8_t *body, size_t len, struct hw_control_observed *ret);
bool hw_control_parse_load(const uint8_t *body, size_t len, struct hw_control_load *ret);
bool hw_control_parse_load_done(const uint8_t *body, size_t len, struct hw_control_load_done *ret);
bool hw_control_parse_load_data(const uint8_t *body, size_t len, struct hw_control_load_data *ret);
bool hw_control_parse_load_result(const uint8_t *body, size_t len,
				  struct hw_control_load_result *ret);

#endif
