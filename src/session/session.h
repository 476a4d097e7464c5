/*
 * A session: one handshake's worth of keys and the streams under them.
 *
 * A packet to send is sealed once, under (stream, counter); then each copy of it gets a header of
 * its own with the stamp of its path, while all copies share the sealed bytes behind the header. A
 * packet received goes through exactly: replay window, tag, replay window again (now set). Nothing
 * but the duplicate counts changes before the tag has been checked, and windows are allocated after
 * it.
 */
#ifndef HW_SESSION_SESSION_H
#define HW_SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/siphash.h"
#include "base/time.h"
#include "crypto/suite.h"
#include "session/replay.h"
#include "wire/data.h"
#include "wire/wire.h"

struct hw_buf;
struct hw_session_keys; /* session/handshake.h */

/* Counters stay below this, so that none ever wraps, in the sender or in a receiver's window. */
#define HW_SESSION_COUNTER_LIMIT (UINT64_MAX - HW_REPLAY_PACKETS_MAX)

/* Read what you like; only the functions below write. */
struct hw_session {
	const struct hw_suite *suite;
	struct hw_aead_key *seal_key;
	struct hw_aead_key *open_key;
	struct hw_siphash_key stamp_send;
	struct hw_siphash_key stamp_receive;
	uint32_t local_index;
	uint32_t remote_index;
	uint32_t generation; /* the owner's number for it; 0 until it sets one */
	bool initiator; /* this node began it */
	bool confirmed; /* the other side has the keys too: this node may seal */
	hw_time began_at; /* initiation sent, for the owner to set; else created_at */
	hw_time created_at;
	hw_time reject_after; /* its life from created_at; set by hw_slots_install */
	hw_time sealed_at; /* last use; created_at while none */
	hw_time opened_at;
	uint64_t sealed;   /* packets, all streams together */
	uint64_t tx_counter[HW_WIRE_STREAMS];    /* next to use: packets sealed there */
	uint64_t rx_duplicates[HW_WIRE_STREAMS]; /* copies refused, on their word */
	struct hw_replay *rx[HW_WIRE_STREAMS];   /* NULL until the first authentic packet */
	struct hw_replay_params replay_params;
};

/* Why a packet was opened or was not; every value but OK is a drop. */
enum hw_open {
	HW_OPEN_OK,
	HW_OPEN_MALFORMED, /* too short, no data packet, or a stream that does not exist */
	HW_OPEN_DUPLICATE, /* seen before; the buffer is untouched */
	HW_OPEN_OLD,       /* before the window; the buffer is untouched */
	HW_OPEN_LATE,      /* overtaken too long ago; the buffer is untouched */
	HW_OPEN_AUTH,      /* forged or damaged; the buffer holds garbage */
	HW_OPEN_NOMEM      /* authentic, but no memory for the stream's window */
};

struct hw_open_info {
	struct hw_wire_data header;
	uint64_t counter;
};

/*
 * A session from the handshake's keys, which the caller still owns (and wipes). An initiator's
 * session is confirmed from the start; a responder's when the first packet under it has been
 * opened. HW_E_INVAL: replay parameters out of range, an index beyond 24 bits; HW_E_NOMEM,
 * HW_E_CRYPTO.
 */
HW_MUST_USE int hw_session_new(const struct hw_session_keys *keys, const struct hw_suite *suite,
			       const struct hw_replay_params *replay, hw_time now,
			       struct hw_session **ret_session);

/* Wipes and frees. NULL is allowed. */
void hw_session_free(struct hw_session *session);

/*
 * Seal the plaintext in buf, which nobody else holds: its headroom gives the header (stamp zero),
 * its tailroom the tag. The counter used is tx_counter[stream] - 1 afterwards; it is taken before
 * sealing and never given back. HW_E_INVAL: type and stream do not go together; HW_E_SPACE: no
 * room; HW_E_STATE: not confirmed; HW_E_LIMIT: the suite's packet limit or the counter limit is
 * reached. In these cases buf is untouched and no counter is used. HW_E_CRYPTO: the plaintext is
 * gone, and so is the counter.
 */
HW_MUST_USE int hw_session_seal(struct hw_session *session, enum hw_wire_type type, unsigned stream,
				struct hw_buf *buf, hw_time now);

/*
 * Complete one copy's header: head holds the first 8 bytes of the sealed packet, tag points to its
 * last 16; bytes 8 to 15 of head are written. path_id: this node's number of the path, or
 * HW_STAMP_NO_PATH (session/stamp.h).
 */
void hw_session_stamp(const struct hw_session *session, uint8_t head[HW_WIRE_HEADER_BYTES],
		      const uint8_t tag[HW_WIRE_AEAD_TAG_BYTES], uint8_t path_id, uint16_t path_seq,
		      hw_time now);

/*
 * Whether the stamp of this whole datagram is right for a packet that the other side sent on its
 * path of that number; false for what is too short. Call it before hw_session_open, which takes the tag away. A right stamp may be measured when the packet opened
 * or is a duplicate, and not otherwise.
 */
bool hw_session_stamp_valid(const struct hw_session *session, const uint8_t *datagram, size_t len,
			    uint8_t path_id);

/*
 * Open the whole datagram in buf, which nobody else holds. HW_OPEN_OK: buf holds the plaintext and
 * *ret_info is set. Otherwise the session's state is what it was, duplicate counts apart. The
 * receiver index is not looked at: it chose the session.
 */
HW_MUST_USE enum hw_open hw_session_open(struct hw_session *session, struct hw_buf *buf,
					 hw_time now, struct hw_open_info *ret_info);

/* The same, for a datagram that hw_wire_data_parse has taken apart already, with that result. */
HW_MUST_USE enum hw_open hw_session_open_parsed(struct hw_session *session,
						const struct hw_wire_data *header,
						struct hw_buf *buf, hw_time now,
						uint64_t *ret_counter);

#endif
