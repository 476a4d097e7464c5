/*
 * Load tests: the part of the core's interface by which its owner finds out what a path carries
 * (docs/wire.md, "Load tests"). The daemon never asks for one; `hawser probe` does.
 *
 * An upward load is sent from here; a downward one is asked for, and sent by the peer on the same
 * path back. Whoever receives it measures (path/train.h), so the figures of both are known here in
 * the end. A load goes out as control packets, so it takes nothing from the streams of inner
 * packets, but it does compete with them for the path.
 *
 * WHAT A PEER MAY ASK FOR. Only on a path that is up, by frames of the live session: at most 3 s,
 * 32 MiB and 1 Gbit/s each, one on a path and two at once, and 128 MiB an hour together (the hour
 * runs as a bucket that fills again steadily); on links that are metered here, 1 MiB an hour. What
 * is beyond is cut or refused with a reason. A repeated question begins nothing anew. The figures
 * kept are bounded: one train for each path.
 */
#ifndef HW_CORE_LOAD_H
#define HW_CORE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "wire/control_load.h"

struct hw_core;

#define HW_LOAD_DURATION_MAX_MS 3000u
#define HW_LOAD_BYTES_MAX (32u << 20)
#define HW_LOAD_RATE_MAX_KBPS 1000000u
#define HW_LOAD_AT_ONCE 2u
#define HW_LOAD_HOUR_BYTES (128u << 20)
#define HW_LOAD_HOUR_BYTES_METERED (1u << 20)
#define HW_LOAD_PAYLOAD_MAX 1232u /* what every path takes */
#define HW_LOAD_PAYLOAD_MIN 96u
#define HW_LOAD_LEAD 4u /* packets sent ahead, at ease */
#define HW_LOAD_PONGS 512u /* answers kept */

struct hw_load_params {
	bool down;            /* the peer sends; else this node */
	uint32_t rate_kbps;   /* of IP packets; at most HW_LOAD_RATE_MAX_KBPS */
	uint32_t duration_ms; /* at most HW_LOAD_DURATION_MAX_MS, or any when `pings` */
	uint32_t bytes;       /* of UDP payload; at most HW_LOAD_BYTES_MAX */
	uint32_t size;        /* UDP payload of each packet; 0: the most that every path takes */
	bool pings; /* each packet asks for an answer and nothing is sent ahead; upward only */
};

enum hw_load_state {
	HW_LOAD_NONE,    /* none was started here */
	HW_LOAD_RUNNING,
	HW_LOAD_OVER,    /* the figures are there */
	HW_LOAD_FAILED,  /* refused, or the path went away: reason says which */
	HW_LOAD_SILENT   /* no word from the peer about it: what is known here is there */
};

struct hw_load_outcome {
	enum hw_load_state state;
	enum hw_load_reason reason;
	uint32_t size; /* UDP payload of each packet; 0: not known */
	uint32_t sent_packets, sent_bytes, sent_span_us; /* by its sender's word */
	uint32_t packets, rate_packets, rate_bytes, span_us; /* received; wire/control_load.h */
	uint32_t queue_median_us, queue_p95_us, queue_max_us;
	uint32_t peer_mtu; /* largest UDP payload that the peer knows to pass to here; 0: not known */
	const uint32_t *pong_us; /* round trips of pings, in order of arrival; the core's */
	uint32_t pongs;
};

/*
 * Start a load on a path of ours, by its number. Its outcome replaces the one before of that path
 * and way. HW_E_INVAL: a value out of range; HW_E_STATE: no such path, it is not up, or a load in
 * that direction runs on it; HW_E_NOMEM.
 */
HW_MUST_USE int hw_core_load_start(struct hw_core *core, uint32_t peer, uint32_t path,
				   const struct hw_load_params *params, hw_time now);

/* End an upward load now: what was sent counts. No effect where none runs. */
void hw_core_load_stop(struct hw_core *core, uint32_t peer, uint32_t path, hw_time now);

/* What became of the last load started on that path in that direction. */
void hw_core_load_outcome(const struct hw_core *core, uint32_t peer, uint32_t path, bool down,
			  struct hw_load_outcome *ret_outcome);

#endif
