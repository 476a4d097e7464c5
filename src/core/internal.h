/*
 * What the core's own files share: its state, and what each file does for the others. Nothing here is
 * for the core's owner (core/core.h).
 *
 *   core.c       life, configuration
 *   links.c      links and endpoints: which paths there are to be
 *   handshake.c  initiations, responses, cookies; when to renew keys
 *   send.c       sealed packets onto paths: stamps, copies, control packets
 *   retain.c     sealed packets that may have to be sent again; resend.c: when and where
 *   tx.c         inner packets: from the tunnel device to send.c
 *   rx.c         datagrams: from the network to the tunnel device
 *   control.c    control frames and reports
 *   fit.c        the tunnel's MTU, where it follows the paths
 *   load.c, load_in.c   load tests: sent and asked for; what comes in of them
 *   tick.c       timers
 *   snapshot.c   what status shows
 *   state_hash.c what refused input must not change, as one number
 */
#ifndef HW_CORE_INTERNAL_H
#define HW_CORE_INTERNAL_H

#include "core/core.h"
#include "core/limiter.h"
#include "core/load.h"
#include "core/output.h"
#include "core/retain.h"
#include "crypto/cookie.h"
#include "crypto/suite.h"
#include "frame/compress.h"
#include "frame/reassembly.h"
#include "path/table.h"
#include "session/handshake.h"
#include "session/index.h"
#include "session/session.h"
#include "session/slots.h"
#include "session/stamp.h"
#include "wire/control.h"
#include "wire/wire.h"

#define HW_CORE_ETHERNET_BYTES 22u           /* header and two VLAN tags */
#define HW_PEER_TUNNEL_RAISE HW_S(5)         /* a larger tunnel MTU must have held for so long */
#define HW_PEER_WAITING 128u                 /* inner packets that wait for a session or a path */
#define HW_PEER_WAITING_TIME HW_S(2)         /* and how long */
#define HW_PEER_REPORT_MIN HW_MS(10)         /* between reports, when packets come fast */
#define HW_PEER_REPORT_MAX HW_MS(20)         /* from a packet to its report */
#define HW_PEER_REPORT_PACKETS 16u           /* so many make a report due early */
#define HW_PEER_REPORT_URGENT HW_MS(5)       /* between reports, when a path is in trouble */
#define HW_PEER_REPORT_DETAIL HW_MS(100)     /* between those with the detail of one path */
#define HW_PEER_SILENCE HW_S(1)              /* without any working path: begin a new handshake */
#define HW_PEER_LEARNT_LIFETIME HW_S(60)     /* a learnt path that is down is forgotten */
/* An endpoint that was given up is not learnt anew: longer than the peer keeps what does not answer. */
#define HW_PEER_GIVEN_UP_FOR (HW_PEER_LEARNT_LIFETIME + HW_S(10))
#define HW_PEER_GIVEN_UP 8u
#define HW_PEER_RETRY_FIRST HW_MS(500)       /* handshake: first repetition, then doubling */
#define HW_PEER_RETRY_LAST HW_S(4)
#define HW_PEER_RETRY_JITTER HW_MS(250)
#define HW_PEER_INITIATION_LIFETIME HW_S(15) /* so long it is repeated as it is, then made anew */
#define HW_PEER_REPLAY_BYTES (4u << 20)      /* all replay windows of all sessions */
#define HW_PEER_STALL_EVENT HW_S(10)         /* say that nobody answers, so often */

struct hw_endpoints {
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	uint32_t count;
	bool own; /* of a link: given, even if empty, so that HW_LINK_ALL's do not apply */
};

/* An address that was an endpoint and is no more: packets of the past must not make it a path again. */
struct hw_given_up {
	uint32_t link;
	struct hw_addr remote;
	hw_time until; /* 0: none */
};

struct hw_stream_totals {
	uint64_t sent, delivered, duplicates, lost; /* of sessions that are gone */
};

struct hw_peer {
	struct hw_core *core;
	uint32_t number;
	struct hw_peer_config config;

	struct hw_handshake handshake;
	struct hw_cookie_maker cookies;
	struct hw_cookie_slot cookie_slots[HW_CORE_MAX_PATHS];
	uint32_t pending_index;       /* of the initiation that awaits its response */
	bool pending;
	hw_time pending_at;           /* when it was first sent */
	hw_time pending_sent_at;      /* and last */
	uint8_t initiation[HW_WIRE_INITIATION_BYTES]; /* itself, without MACs */
	hw_time initiate_at;          /* not before */
	hw_time handshake_since;      /* first of the attempts that go unanswered */
	hw_time stall_told_at;
	uint32_t attempts;
	hw_time established_at;       /* of the current session; 0: never */

	struct hw_slots slots;
	struct hw_replay_budget replay_budget;
	uint32_t next_generation;
	struct hw_stream_totals streams[HW_WIRE_STREAMS];

	struct hw_path_table paths;
	struct hw_endpoints endpoints[HW_CORE_MAX_LINKS];
	struct hw_endpoints endpoints_all;
	struct hw_given_up given_up[HW_PEER_GIVEN_UP];
	bool up;                      /* there is a session, and a path to use it on */
	hw_time pathless_since;       /* 0: there is an UP path */

	void *strategy_state;
	uint32_t tunnel_fits;         /* the tunnel's MTU, as the owner was told; 0: nothing yet */
	uint32_t tunnel_raise_to;
	hw_time tunnel_raise_at;      /* HW_TIME_NEVER: it is not to be raised */

	struct hw_compression compression;
	struct hw_reassembly *reassembly;

	struct hw_buf *waiting[HW_PEER_WAITING];
	uint32_t waiting_first, waiting_count;

	struct hw_retain retain;      /* what a path alone carries */
	uint32_t resend_of;           /* paths whose packets are to go out again: bit i, path i */
	hw_time resend_at;            /* not before */

	uint32_t report_pending;      /* class packets received since the last report, with copies */
	hw_time report_first_at;      /* the first of them */
	bool report_urgent;           /* a path has got into trouble since */
	hw_time reported_at;

	struct hw_load *load;         /* NULL until there is a load test */
};

struct hw_core_link {
	bool used;
	bool up;
	uint32_t mtu_bytes; /* of the interface; 0: not known yet */
	struct hw_link_config config;
};

struct hw_core {
	struct hw_core_env env;
	struct hw_pool *pool;
	bool configured;
	bool closed;
	hw_time now; /* of the last call */
	/*
	 * When the next tick is due, or earlier: packets of a class only ever bring it forward, by what
	 * they may need at the soonest. Whatever else changes makes the core unsettled, which the call
	 * that it happens in mends at its end (hw_core_settle).
	 */
	hw_time due;
	bool unsettled;
	struct hw_core_config config;
	struct hw_crypto *crypto;
	struct hw_handshake_identity identity;
	struct hw_cookie_checker checker;
	struct hw_limiter limiter;
	struct hw_index_map indices;
	struct hw_core_link links[HW_CORE_MAX_LINKS];
	struct hw_peer *peers;
	uint32_t peer_count;
	struct hw_output out;
	struct hw_core_totals totals;

	uint64_t wall_ns; /* at wall_at */
	hw_time wall_at;
	uint64_t timestamp_last;     /* highest used or given as floor */
	uint64_t timestamp_reserved; /* told to the owner */
};

static inline void hw_core_drop(struct hw_core *core, enum hw_drop reason, uint64_t count)
{
	core->totals.drops[reason] += count;
}

/* links.c */

/* The link settings of a path with that tuple, for the path table. */
void hw_peer_path_link(const struct hw_core *core, const struct hw_tuple *tuple,
		       struct hw_path_link *ret_link);

/* Whether a link of that slot's could be as described. */
bool hw_link_config_valid(const struct hw_link_config *config);

/* Fill an empty slot, or change what is in it; nothing follows from it yet. */
void hw_link_slot_set(struct hw_core_link *slot, const struct hw_link_config *config);

static inline bool hw_link_slot_used(const struct hw_core *core, uint32_t link)
{
	return link < HW_CORE_MAX_LINKS && core->links[link].used;
}

/* Whether there is a link in the slot on which packets may be sent. */
bool hw_link_slot_usable(const struct hw_core *core, uint32_t link);

/* Whether a path to that address may be learnt from the peer's packets now. */
bool hw_peer_may_learn(const struct hw_peer *peer, const struct hw_tuple *tuple, hw_time now);

/* Make the configured paths what links and endpoints say. */
void hw_peer_sync_paths(struct hw_peer *peer, hw_time now);

/* The path is no more: nothing of it may pass to the next one that has its number. */
void hw_peer_forget_path(struct hw_peer *peer, struct hw_path *path);

/* The same, with its event; the peer is not told. */
void hw_peer_remove_path(struct hw_peer *peer, struct hw_path *path, hw_time now);

/* core.c */

void hw_peer_event(struct hw_peer *peer, enum hw_event_type type, const struct hw_path *path,
		   uint64_t value, hw_time now);

/* Note whether the peer can be reached, tell of changes, let waiting packets go. */
void hw_peer_update(struct hw_peer *peer, hw_time now);

/* After whatever may have changed paths or sessions: note it, then do what the paths ask for. */
void hw_peer_settle(struct hw_peer *peer, hw_time now);

/* tick.c */

/* The end of every call that may have changed something: settle all peers, find the next deadline. */
void hw_core_settle(struct hw_core *core, hw_time now);

/*
 * A packet of a class was sent to the peer or came from it, under that counter: note what it may need
 * soon. `soonest`: when paths or fragments may need a tick on its account.
 */
void hw_core_class_packet(struct hw_peer *peer, const struct hw_session *session, uint64_t counter,
			  hw_time soonest, hw_time now);

/* core.c */

/* The peer said goodbye, and its sessions are dropped: no learnt paths, and fresh configured ones. */
void hw_peer_reset(struct hw_peer *peer, hw_time now);

/* handshake.c */

/* Each takes nothing: the buffer stays the caller's. */
void hw_handshake_in(struct hw_core *core, enum hw_wire_type type,
		     const struct hw_datagram *datagram, hw_time now);
void hw_handshake_tick(struct hw_peer *peer, hw_time now);

/* There is a new way to the peer: what waits for its next repetition need not. */
void hw_handshake_hurry(struct hw_peer *peer, hw_time now);
hw_time hw_handshake_deadline(const struct hw_peer *peer, hw_time now);

/* send.c */

/*
 * Takes a sealed packet and sends a copy on each path of the choice. Returns how many copies went
 * out.
 */
uint32_t hw_send_copies(struct hw_peer *peer, const struct hw_session *session,
			struct hw_buf *sealed, const struct hw_sched_choice *choice, bool data,
			uint8_t tos, hw_time now);

/* One more copy of a packet that was sent before, on that path. False: the output is full. */
bool hw_send_again(struct hw_peer *peer, const struct hw_session *session,
		   const struct hw_retained *packet, struct hw_path *path, hw_time now);

/* Begin a control packet: gives a buffer and a writer into it, or NULL when there is no buffer. */
struct hw_buf *hw_control_begin(struct hw_core *core, struct hw_control_writer *writer);

/*
 * Takes the control packet, seals it and sends it: to one tuple (a path's or a candidate's), or on the
 * best path and a copy on the second best. What cannot be sent is forgotten: all control frames are
 * repeated in time.
 */
void hw_control_send_to(struct hw_peer *peer, struct hw_buf *buf,
			const struct hw_control_writer *writer, const struct hw_tuple *tuple,
			hw_time now);
void hw_control_send_best(struct hw_peer *peer, struct hw_buf *buf,
			  const struct hw_control_writer *writer, hw_time now);

/*
 * The same for what is sent many times a second while data flows: it keeps to the paths that carry
 * data, so that one that only stands by stays idle, unless there is doubt of those.
 */
void hw_control_send_along(struct hw_peer *peer, struct hw_buf *buf,
			   const struct hw_control_writer *writer, hw_time now);

/* Send a datagram of its own, not sealed (handshake). Takes the buffer. */
bool hw_send_plain(struct hw_core *core, const struct hw_tuple *tuple, struct hw_buf *buf);

/* Do what the path table asks for. */
void hw_peer_run_paths(struct hw_peer *peer, hw_time now);

/* resend.c */

/* Keep a reference to what was just sent, for as long as nobody vouches for it. */
void hw_resend_keep(struct hw_peer *peer, const struct hw_retained *packet);

/* Let go of what reports have vouched for. */
void hw_resend_vouched(struct hw_peer *peer);

/* What this path alone has carried and nobody vouches for is to go out again on others. */
void hw_resend_ask(struct hw_peer *peer, const struct hw_path *path);

/* A path has come up: what could not go anywhere now can. */
void hw_resend_ask_all(struct hw_peer *peer);

/* The path is about to be removed. */
void hw_resend_orphan(struct hw_peer *peer, const struct hw_path *path);

/* Send what was asked for, as far as the output takes it. */
void hw_resend_run(struct hw_peer *peer, hw_time now);
hw_time hw_resend_deadline(const struct hw_peer *peer);

/* tx.c */

/* Let the packets that wait go out, as far as there is a path now. */
void hw_tx_flush_waiting(struct hw_peer *peer, hw_time now);

/* Drop those that have waited too long; all of them when `all`. */
void hw_tx_expire_waiting(struct hw_peer *peer, bool all, hw_time now);

/* control.c */

/* Returns 0, or HW_E_MALFORMED. */
HW_MUST_USE int hw_control_in(struct hw_peer *peer, const struct hw_session *session,
			      const struct hw_datagram *datagram, hw_time now);

/* A packet of a class came in, or another copy of one that was measured: a report will be due. */
void hw_report_pending(struct hw_peer *peer, hw_time now);

/* A path has got into trouble: the peer is to hear it without waiting. */
void hw_report_urgent(struct hw_peer *peer);
hw_time hw_report_deadline(const struct hw_peer *peer);
void hw_report_tick(struct hw_peer *peer, hw_time now);

/* Tell the peer that these paths (bit i: number i) are gone, on those that are left. */
void hw_control_paths_down(struct hw_peer *peer, uint32_t paths, hw_time now);

/* What this node says of the path's link: its own part, not what both ends' parts come to. */
struct hw_control_terms hw_control_terms(const struct hw_path *path);

/*
 * Tell the peer at once of this link's use and price, after they have changed, on the best paths;
 * probes repeat it.
 */
void hw_control_path_state(struct hw_peer *peer, uint32_t link, hw_time now);

/* Let the responder know that this node has the new session's keys. */
void hw_control_confirm(struct hw_peer *peer, hw_time now);

/* Say goodbye on every path. */
void hw_control_goodbye(struct hw_peer *peer, hw_time now);

/* load.c, load_in.c: see core/load.h. Frames without a path say nothing; `answer` may be NULL. */
struct hw_load;
struct hw_load_path;
struct hw_load_stream;

struct hw_load *hw_load_of(struct hw_peer *peer); /* made at need; NULL: no memory */
void hw_load_free(struct hw_peer *peer);
struct hw_load_path *hw_load_path_of(struct hw_peer *peer, const struct hw_path *path);
void hw_load_tick(struct hw_peer *peer, hw_time now);
hw_time hw_load_deadline(const struct hw_peer *peer);

/* Whether what is sent on the path for the peer's sake is to be spared. */
bool hw_load_metered(const struct hw_core *core, const struct hw_path *path);

/* Begin what stream->test, asked, pings, metered, size and bytes_max say. */
void hw_load_begin(struct hw_load_stream *stream, const struct hw_path *path, uint32_t rate_kbps,
		   uint32_t duration_ms, hw_time now);
void hw_load_done_frame(const struct hw_load_stream *stream, const struct hw_path *path,
			struct hw_control_load_done *ret);
uint16_t hw_load_known_mtu(const struct hw_path *path);

/* The peer has answered LOAD_DONE; something of the load asked for has come; the path is gone. */
void hw_load_finished(struct hw_peer *peer, struct hw_load_path *lp);
void hw_load_heard(struct hw_load_path *lp, hw_time now);
void hw_load_abandon(struct hw_load *load, struct hw_load_path *lp);
void hw_load_close_question(struct hw_load_path *lp, enum hw_load_state state,
			    enum hw_load_reason reason);

void hw_load_asked(struct hw_peer *peer, struct hw_path *path, const struct hw_control_load *frame,
		   struct hw_control_writer *answer, hw_time now);
void hw_load_data_in(struct hw_peer *peer, struct hw_path *path,
		     const struct hw_control_load_data *frame, uint32_t bytes, hw_time at,
		     hw_time now);
void hw_load_done_in(struct hw_peer *peer, struct hw_path *path,
		     const struct hw_control_load_done *frame, struct hw_control_writer *answer);
void hw_load_result_in(struct hw_peer *peer, struct hw_path *path,
		       const struct hw_control_load_result *frame);
void hw_load_pong(struct hw_peer *peer, const struct hw_path *path,
		  const struct hw_control_probe_reply *reply, hw_time hold, hw_time now);

/* links.c */

/* The link's settings, or what bounds its packets, have changed: into each of its paths. */
void hw_peer_refresh_link(struct hw_peer *peer, uint32_t link);

/* fit.c */

/* Tell the owner when the tunnel's MTU is to be another one. */
void hw_peer_fit_tunnel(struct hw_peer *peer, hw_time now);

/* snapshot.c */

/* Add what one session has carried on one stream. */
void hw_stream_add(struct hw_stream_totals *totals, const struct hw_session *session,
		   unsigned stream);

#endif
