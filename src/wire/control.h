/*
 * Control frames (docs/wire.md, "Control frames"): what stream 0 carries inside the seal. A writer
 * appends frames to a region of bytes; a reader walks over them.
 *
 * The frames come from an authenticated peer, but the reader trusts nothing about them: lengths,
 * counts, path ids, streams and states are checked here, so that whoever uses a frame can index
 * arrays with what is in it.
 */
#ifndef HW_WIRE_CONTROL_H
#define HW_WIRE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/control_load.h"
#include "wire/control_mtu.h"

enum hw_control_type {
	HW_CONTROL_PADDING = 0,
	HW_CONTROL_PROBE = 1,
	HW_CONTROL_PROBE_REPLY = 2,
	HW_CONTROL_REPORT = 3,
	HW_CONTROL_CHALLENGE = 4,
	HW_CONTROL_CHALLENGE_REPLY = 5,
	HW_CONTROL_PATH_STATE = 6,
	HW_CONTROL_MTU_PROBE = 7,
	HW_CONTROL_CLOSE = 8,
	HW_CONTROL_MTU_REPLY = 9,
	HW_CONTROL_OBSERVED = 10,
	HW_CONTROL_LOAD = 11,
	HW_CONTROL_LOAD_DONE = 12,
	HW_CONTROL_LOAD_DATA = 13,
	HW_CONTROL_LOAD_RESULT = 14
};

#define HW_CONTROL_HEADER_BYTES 3u
#define HW_CONTROL_TOKEN_BYTES 8u
#define HW_CONTROL_PATHS 16u   /* path ids are 0..15, and so many entries a report may have */
#define HW_CONTROL_NO_PATH 0xffu /* in PROBE_REPLY: the answerer has no number for the path yet */
#define HW_CONTROL_STREAMS 16u
#define HW_CONTROL_STATES 4u   /* 0 probing, 1 up, 2 suspect, 3 down */
#define HW_CONTROL_PROBE_IDLE 0x01u /* flag: the path carries nothing but probes */
#define HW_CONTROL_PROBE_OBSERVE 0x02u /* flag: say beside the reply where it came from */
#define HW_CONTROL_LINKS 16u   /* links are 0..15 */
#define HW_CONTROL_USES 3u     /* 0 always, 1 backup, 2 never */
#define HW_CONTROL_USE_METERED 0x10u /* in the byte of the use: bytes on the link are counted */

/* Whole frames, header included. */
#define HW_CONTROL_PROBE_BYTES 19u
#define HW_CONTROL_PROBE_REPLY_BYTES 17u
#define HW_CONTROL_CHALLENGE_BYTES 11u
#define HW_CONTROL_CHALLENGE_REPLY_BYTES 12u
#define HW_CONTROL_PATH_STATE_BYTES 10u
#define HW_CONTROL_CLOSE_BYTES 4u
#define HW_CONTROL_REPORT_PATH_BYTES 16u   /* an entry of a report without its detail */
#define HW_CONTROL_REPORT_DETAIL_BYTES 24u /* what the detail adds to it */
#define HW_CONTROL_REPORT_STREAM_BYTES 10u
/* A report whose path entries all have, or do not have, their detail. */
#define HW_CONTROL_REPORT_BYTES(paths, streams, detail)                              \
	(5u +                                                                        \
	 (paths) * (HW_CONTROL_REPORT_PATH_BYTES +                                   \
		    ((detail) ? HW_CONTROL_REPORT_DETAIL_BYTES : 0u)) +              \
	 (streams) * HW_CONTROL_REPORT_STREAM_BYTES)
#define HW_CONTROL_QUEUE_UNKNOWN 0xffffu
#define HW_CONTROL_QUEUE_NS 100000u /* unit of a report's queueing delay */
#define HW_CONTROL_SHARE_ONE 10000u /* shares of a report are in 1/10,000 */

/* What the sender's user says of the link that a path leaves it by. */
struct hw_control_terms {
	uint8_t use; /* below HW_CONTROL_USES */
	bool metered;
	uint32_t price;
};

struct hw_control_probe {
	uint8_t path;  /* sender's number for the path */
	uint8_t flags; /* HW_CONTROL_PROBE_*; unknown bits are kept and mean nothing */
	uint8_t token[HW_CONTROL_TOKEN_BYTES];
	uint8_t link;  /* sender's number for the link of the path */
	struct hw_control_terms terms;
};

struct hw_control_probe_reply {
	uint8_t path;     /* as in the probe */
	uint8_t own_path; /* the answerer's number for the path, or HW_CONTROL_NO_PATH */
	uint8_t token[HW_CONTROL_TOKEN_BYTES];
	uint32_t hold_us; /* from the probe's arrival to this reply */
};

/* What changes slowly: only some reports carry it. */
struct hw_control_report_detail {
	uint32_t duplicates;     /* of what was received, copies of what had arrived already */
	uint32_t jitter_us;
	uint32_t rate_kbps;      /* received over the last second; units of 125 bytes/s */
	uint32_t rate_max_kbps;  /* what the path has been seen to carry when it was full; 0: not known */
	uint16_t burst_mean;     /* mean length of the runs of lost packets, in 1/16; 0: none lost */
	uint16_t burst_max;      /* longest run, in packets */
	uint16_t reorder_share;  /* of packets that came after a later one; 1/HW_CONTROL_SHARE_ONE */
	uint16_t reorder_extent; /* how many sequences they came too late, at most */
};

struct hw_control_report_path {
	uint8_t path;         /* as the receiver of the report numbers it */
	uint8_t state;        /* as the reporter sees it: SUSPECT also when it misses packets */
	uint32_t highest_seq; /* extended to 32 bits */
	uint32_t received;    /* with a valid stamp, modulo 2^32 */
	uint32_t owd_us;      /* modulo 2^32, arbitrary offset, smoothed */
	uint16_t queue;       /* delay beyond the path's own, in HW_CONTROL_QUEUE_NS, or QUEUE_UNKNOWN */
	bool detailed;        /* the detail is there; without, it is zero */
	struct hw_control_report_detail detail;
};

struct hw_control_report_stream {
	uint8_t stream;
	uint32_t highest;  /* counter, low 32 bits */
	uint32_t accepted; /* packets, modulo 2^32 */
};

struct hw_control_report {
	uint32_t path_count;
	uint32_t stream_count;
	struct hw_control_report_path paths[HW_CONTROL_PATHS];
	struct hw_control_report_stream streams[HW_CONTROL_STREAMS];
};

struct hw_control_challenge {
	uint8_t token[HW_CONTROL_TOKEN_BYTES];
};

struct hw_control_challenge_reply {
	uint8_t token[HW_CONTROL_TOKEN_BYTES];
	uint8_t path; /* sender's number for the path */
};

/* In PATH_STATE only: the sender has no such path any more, and its number is free. */
#define HW_CONTROL_STATE_REMOVED 4u

struct hw_control_path_state {
	uint8_t path; /* sender's number */
	uint8_t state; /* enum hw_path_state, or HW_CONTROL_STATE_REMOVED */
	struct hw_control_terms terms;
};

struct hw_control_close {
	uint8_t reason;
};

struct hw_control_frame {
	enum hw_control_type type; /* never PADDING: the reader skips it */
	union {
		struct hw_control_probe probe;
		struct hw_control_probe_reply probe_reply;
		struct hw_control_report report;
		struct hw_control_challenge challenge;
		struct hw_control_challenge_reply challenge_reply;
		struct hw_control_path_state path_state;
		struct hw_control_close close;
		struct hw_control_observed observed;
		struct hw_control_mtu mtu; /* MTU_PROBE and MTU_REPLY */
		struct hw_control_load load;
		struct hw_control_load_done load_done;
		struct hw_control_load_data load_data;
		struct hw_control_load_result load_result;
	};
};

/* Appends to data[0..room); data[0..len) is what is written so far. */
struct hw_control_writer {
	uint8_t *data;
	size_t room;
	size_t len;
};

static inline void hw_control_writer_init(struct hw_control_writer *w, uint8_t *data, size_t room)
{
	w->data = data;
	w->room = room;
	w->len = 0;
}

/*
 * Append one frame. HW_E_SPACE: it does not fit, and nothing was written; HW_E_INVAL: a path id,
 * stream, state, link, use or count out of range, which the other side would refuse.
 */
HW_MUST_USE int hw_control_put_probe(struct hw_control_writer *w, const struct hw_control_probe *f);
HW_MUST_USE int hw_control_put_probe_reply(struct hw_control_writer *w,
					   const struct hw_control_probe_reply *f);
HW_MUST_USE int hw_control_put_report(struct hw_control_writer *w,
				      const struct hw_control_report *f);
HW_MUST_USE int hw_control_put_challenge(struct hw_control_writer *w,
					 const struct hw_control_challenge *f);
HW_MUST_USE int hw_control_put_challenge_reply(struct hw_control_writer *w,
					       const struct hw_control_challenge_reply *f);
HW_MUST_USE int hw_control_put_path_state(struct hw_control_writer *w,
					  const struct hw_control_path_state *f);
HW_MUST_USE int hw_control_put_close(struct hw_control_writer *w, const struct hw_control_close *f);
HW_MUST_USE int hw_control_put_observed(struct hw_control_writer *w,
					const struct hw_control_observed *f);
HW_MUST_USE int hw_control_put_load(struct hw_control_writer *w, const struct hw_control_load *f);
HW_MUST_USE int hw_control_put_load_done(struct hw_control_writer *w,
					 const struct hw_control_load_done *f);
HW_MUST_USE int hw_control_put_load_data(struct hw_control_writer *w,
					 const struct hw_control_load_data *f);
HW_MUST_USE int hw_control_put_load_result(struct hw_control_writer *w,
					   const struct hw_control_load_result *f);

/*
 * A probe pads its packet to f->size, so it must be the first frame, else HW_E_INVAL, and nothing may
 * follow it. HW_E_SPACE: the writer's room is less than that size takes.
 */
HW_MUST_USE int hw_control_put_mtu_probe(struct hw_control_writer *w, const struct hw_control_mtu *f);
HW_MUST_USE int hw_control_put_mtu_reply(struct hw_control_writer *w, const struct hw_control_mtu *f);

/*
 * For writers of frames: room for one of frame_bytes, its header written, or NULL. Gives the body,
 * which the caller fills.
 */
uint8_t *hw_control_frame(struct hw_control_writer *w, enum hw_control_type type, size_t frame_bytes);

/* A padding frame of `bytes` in all, at least HW_CONTROL_HEADER_BYTES, else HW_E_INVAL. */
HW_MUST_USE int hw_control_put_padding(struct hw_control_writer *w, size_t bytes);

/* Walks over the plaintext of one control packet, which must outlive it. */
struct hw_control_reader {
	const uint8_t *at;
	size_t left;
};

static inline void hw_control_reader_init(struct hw_control_reader *r, const uint8_t *data,
					  size_t len)
{
	r->at = data;
	r->left = len;
}

/*
 * The next frame that this version knows: 1 and *ret_frame, or 0 at the end. HW_E_MALFORMED: a
 * length that its type does not have, a frame beyond the end of the packet, or a path id, stream,
 * state, link or use out of range; the rest of the packet is then given up and the next call returns 0.
 */
HW_MUST_USE int hw_control_next(struct hw_control_reader *r, struct hw_control_frame *ret_frame);

#endif
