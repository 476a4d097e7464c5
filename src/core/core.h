/*
 * The pure core: the only interface that the daemon, the simulator and the fuzzers use.
 *
 * The core does no I/O, reads no clock and draws no randomness of its own. Its owner gives it time,
 * entropy, datagrams and tunnel packets, and takes away datagrams, tunnel packets and events:
 *
 *     hw_core_datagrams_in / hw_core_packets_in / hw_core_tick
 *     hw_core_datagrams_out / hw_core_packets_out / hw_core_events_out, until each gives 0
 *     sleep until hw_core_next_deadline, or until something arrives
 *
 * `now` never goes backwards between calls. One core is used by one thread. The outputs are bounded
 * queues: an owner that does not empty them loses packets to named drops, never memory.
 */
#ifndef HW_CORE_CORE_H
#define HW_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/time.h"
#include "core/drop.h"
#include "path/joint.h"
#include "path/runs.h"
#include "sched/sched.h"

#define HW_CORE_MAX_LINKS 16u
#define HW_CORE_MAX_PATHS 16u     /* of one peer */
#define HW_CORE_MAX_ENDPOINTS 8u  /* of one peer on one link */
#define HW_CORE_NAME_BYTES 64u    /* names of links and peers, with the final zero */
#define HW_LINK_ALL UINT32_MAX    /* an endpoint that every link may use */

struct hw_core;
struct hw_suite;

struct hw_core_env {
	/* Fills out with len unpredictable bytes. Must not fail. */
	void (*random)(void *ctx, void *out, size_t len);
	void *ctx;
};

struct hw_link_config {
	char name[HW_CORE_NAME_BYTES];
	enum hw_link_use use;
	uint32_t price;
	bool metered; /* has a quota, or a price above 1: what is sent while idle is kept small */
};

struct hw_peer_config {
	char name[HW_CORE_NAME_BYTES];
	uint8_t public_key[32];
	uint8_t psk[32]; /* zero when there is none, as Noise's psk2 then says */
};

/* Plain data, checked by whoever made it; the core copies it and wipes its copy at the end. */
struct hw_core_config {
	const struct hw_suite *suite;
	const struct hw_strategy *strategy;
	uint8_t private_key[32];
	bool layer2;             /* inner packets are Ethernet frames, else IP packets */
	uint32_t tunnel_mtu;     /* bytes of IP that the tunnel device takes */
	bool tunnel_mtu_auto;    /* as much as every path takes whole, at most tunnel_mtu */
	uint32_t tunnel_mtu_least; /* and no less than this */
	bool mss_clamp;
	bool copy_dscp;          /* show the inner DSCP and ECN outside */
	bool compression;        /* LZ4, adaptive */
	uint32_t replay_packets; /* initial window of each stream; grows to 524,288 */
	hw_time replay_time;     /* how late a packet may be */
	hw_time rekey_after;     /* 120 s */
	hw_time reject_after;    /* 180 s */
	uint64_t rekey_packets;  /* in one stream */
	struct hw_link_config links[HW_CORE_MAX_LINKS]; /* those known at the start, as slots 0.. */
	uint32_t link_count; /* may be 0: links come by hw_core_link_set */
	const struct hw_peer_config *peers; /* one for now */
	uint32_t peer_count;
};

/* Defaults of everything that has one; suite, strategy, keys, links and peers stay empty. */
void hw_core_config_init(struct hw_core_config *config);

/* A received datagram. */
struct hw_datagram {
	struct hw_buf *buf;
	struct hw_tuple tuple;
	hw_time at;  /* arrival, as exactly as the owner knows it; later than `now` counts as `now` */
	uint8_t tos; /* outer DSCP and ECN byte */
};

/*
 * A datagram to send: `head`, then the bytes of `body` (body may be shared between several
 * datagrams and is read-only). The receiver of the struct owns one reference to body.
 */
struct hw_datagram_out {
	struct hw_tuple tuple;
	struct hw_buf *body;
	uint8_t head[16];
	uint8_t head_bytes; /* 0 or 16 */
	uint8_t tos;
	bool alone; /* not to be joined with others into one message that is cut later: they might fare alike */
};

enum hw_event_type {
	HW_EVENT_SESSION_UP,      /* first handshake of a peer done, or done again after a loss */
	HW_EVENT_SESSION_DOWN,    /* nothing heard from the peer on any path for too long */
	HW_EVENT_SESSION_CLOSED,  /* the peer said goodbye */
	HW_EVENT_HANDSHAKE_STALL, /* still no answer; value: seconds so far */
	HW_EVENT_PATH_UP,
	HW_EVENT_PATH_SUSPECT, /* value: why, an enum hw_path_event */
	HW_EVENT_PATH_DOWN,    /* likewise */
	HW_EVENT_PATH_NEW,     /* value: path */
	HW_EVENT_PATH_MOVED,   /* the peer's address on this path changed; tuple is the new one */
	HW_EVENT_PATH_REMOVED,
	HW_EVENT_PATH_MTU,     /* value: bytes of IP that it takes; upper 32 bits: before, 0 at first */
	HW_EVENT_TUNNEL_MTU,   /* value: bytes of IP that the tunnel device is to take from now on */
	HW_EVENT_TIMESTAMP     /* value: wall-clock floor in ns that must survive a restart */
};

struct hw_event {
	enum hw_event_type type;
	uint32_t peer;  /* index into the configuration's peers */
	uint32_t path;  /* UINT32_MAX where none */
	struct hw_tuple tuple;
	uint64_t value;
	hw_time at;
};

enum hw_peer_state { HW_PEER_IDLE, HW_PEER_HANDSHAKE, HW_PEER_UP, HW_PEER_DOWN };

/* The search for the size that a path takes: the states of RFC 8899, section 5.2. */
enum hw_mtu_search { HW_MTU_BASE, HW_MTU_SEARCHING, HW_MTU_COMPLETE, HW_MTU_ERROR };

/* Measured on one direction of a path. Not known: -1, or 0 where said. docs/measurement.md. */
struct hw_path_way {
	double loss_1s, loss_10s, loss_60s; /* 0..1; of fewer than 20 packets: -1 */
	int64_t queue_ns;                   /* delay beyond the path's own */
	int64_t jitter_ns;
	int64_t excess_ns;       /* one-way delay beyond the fastest path's */
	double rate_max_Bps;     /* while it was full, in the last 10 to 20 s; 0: it was not */
	double burst_mean;       /* packets lost in a row, in the last minute; 0: none */
	uint32_t burst_max;
	double reorder_share;    /* of packets that came after a later one */
	uint32_t reorder_extent; /* by how many packets at most */
};

struct hw_path_snapshot {
	uint32_t path;
	struct hw_tuple tuple;
	enum hw_path_state state;
	int64_t rtt_ns;   /* -1: not known; the same below */
	int64_t owd_ns;   /* one-way delay towards this node beyond the fastest path's */
	int64_t jitter_ns;
	double loss_tx;   /* 0..1, -1 */
	double loss_rx;
	double rate_tx_Bps;
	double rate_rx_Bps;
	uint64_t tx_packets, tx_bytes;  /* UDP payload bytes */
	uint64_t rx_packets, rx_bytes;  /* authentic, copies included */
	uint64_t duplicates;            /* received copies that another had preceded */
	struct hw_addr observed; /* this end as the peer sees it; family NONE: not told yet */
	uint32_t mtu_bytes;      /* IP packets that the path takes towards the peer, as far as is known */
	enum hw_mtu_search mtu_search;
	uint64_t mtu_probe_bytes; /* spent on finding out, in IP packets */
	int64_t rtt_min_ns;       /* least of the last 10 to 20 s */
	int64_t rtt_variation_ns; /* mean deviation */
	struct hw_path_way rx, tx; /* towards this node; towards the peer, by its reports */
	int64_t gap_ns;           /* mean time between data packets that came; -1: none flows */
	const char *why;          /* what brought it into its state, for people; "": no news */
	int64_t state_age_ns;
	uint32_t state_changes;   /* since the path began */
	enum hw_link_use use;     /* what both ends allow */
	uint32_t price;           /* of both ends together */
	bool metered;             /* at either end */
	uint64_t bursts[HW_RUNS_BUCKETS]; /* runs of lost packets towards this node, of 2^i.. packets */
};

/* Which of two paths' bad moments coincide. */
struct hw_pair_snapshot {
	uint32_t a, b; /* hw_path_snapshot.path; a < b */
	struct hw_joint_figures rx, tx;
};

struct hw_stream_snapshot {
	uint8_t stream;
	uint64_t sent;       /* sealed packets */
	uint64_t delivered;  /* sealed packets accepted, once each */
	uint64_t duplicates; /* copies dropped */
	uint64_t lost;       /* counters below the highest that never came */
};

struct hw_peer_snapshot {
	char name[HW_CORE_NAME_BYTES];
	uint8_t public_key[32];
	enum hw_peer_state state;
	int64_t handshake_age_ns; /* -1: never */
	struct hw_path_snapshot paths[HW_CORE_MAX_PATHS];
	uint32_t path_count;
	struct hw_stream_snapshot streams[16]; /* those that were ever used */
	uint32_t stream_count;
	struct hw_pair_snapshot pairs[HW_JOINT_PAIRS]; /* those that carried something at the same time */
	uint32_t pair_count;
};

/*
 * Conservation, exact after every call:
 *   rx_datagrams = rx_handshake + rx_control + rx_delivered + rx_held + sum of the rx_* drops
 *   tx_packets   = tx_sent + tx_waiting + sum of the tx_* drops
 */
struct hw_core_totals {
	uint64_t rx_datagrams;
	uint64_t rx_handshake;
	uint64_t rx_control;
	uint64_t rx_delivered; /* datagrams whose content reached the tunnel device */
	uint64_t rx_held;      /* fragments waiting for the rest, now */
	uint64_t rx_packets;   /* inner packets given to the tunnel device */
	uint64_t tx_packets;   /* inner packets taken from the tunnel device */
	uint64_t tx_sent;      /* of them, sealed and given to at least one path */
	uint64_t tx_waiting;   /* of them, held until the session is up, now */
	uint64_t tx_copies;    /* transmissions of source packets, first ones included */
	uint64_t tx_resent;    /* of them, copies sent again because a path fell into doubt */
	uint64_t tx_source_packets; /* sealed source packets: fragments count one each */
	uint64_t drops[HW_DROP_COUNT];
};

/*
 * A core without configuration. The pool is the owner's and must outlive the core; every buffer
 * given to the core comes from it. HW_E_NOMEM.
 */
HW_MUST_USE int hw_core_new(const struct hw_core_env *env, struct hw_pool *pool, hw_time now,
			    struct hw_core **ret_core);

/* Says nothing to the peer (see hw_core_close), wipes all keys. NULL is allowed. */
void hw_core_free(struct hw_core *core);

/*
 * Take the configuration. HW_E_INVAL: a field makes no sense; HW_E_LIMIT: too many links or peers;
 * HW_E_CRYPTO; HW_E_STATE: the core is configured already.
 */
HW_MUST_USE int hw_core_apply(struct hw_core *core, const struct hw_core_config *config, hw_time now);

/*
 * A changed configuration, without dropping anything. What may differ: the strategy, tunnel_mtu,
 * mss_clamp, copy_dscp, compression, replay and rekey figures (a session keeps its replay windows,
 * and at least the life that it began with), the peers' names. Links are not looked at: they have
 * functions of their own. HW_E_STATE: something else differs (suite, keys, layer2, peers), or the core
 * is not configured, or closed. Also as hw_core_apply; HW_E_NOMEM. On failure nothing has changed.
 */
HW_MUST_USE int hw_core_reapply(struct hw_core *core, const struct hw_core_config *config,
				hw_time now);

/*
 * The wall clock, for handshake timestamps: now is wall_ns since 1970. Called at start and when the
 * owner notices a jump. `floor_ns` is the highest value that HW_EVENT_TIMESTAMP ever reported (0 if
 * none is known): timestamps never fall below it, whatever the clock says.
 */
void hw_core_wall_clock(struct hw_core *core, uint64_t wall_ns, uint64_t floor_ns, hw_time now);

/*
 * LINKS are slots 0..HW_CORE_MAX_LINKS-1, which the owner fills and empties at any time; the functions
 * below do nothing for a slot that is not in use. Datagrams of such a slot are dropped (rx_no_link).
 * All links in use that may carry packets have an equal share of the peer's paths; where one comes
 * late, others give back what they have beyond that.
 */

/*
 * Fill the slot, with a link that is down; or change name, use, price and metered of the one that is
 * in it. A link that is to be used never has no paths: where it had some, they are removed and the
 * peer is told. HW_E_INVAL: no such slot, or a field makes no sense. HW_E_STATE: the core is not
 * configured, or closed.
 */
HW_MUST_USE int hw_core_link_set(struct hw_core *core, uint32_t link,
				 const struct hw_link_config *config, hw_time now);

/*
 * Empty the slot: the link's paths are removed (an event each) and the peer is told, its endpoints
 * are forgotten, and what waits in the output for this link is dropped. Whatever comes into the slot
 * next begins anew. Take the events away before you give the slot another name.
 */
void hw_core_link_remove(struct hw_core *core, uint32_t link, hw_time now);

/*
 * A link can be used from now on: its sockets are open. mtu_bytes is the interface's (IP packets).
 * Again for a link that is up: its MTU changed.
 */
void hw_core_link_up(struct hw_core *core, uint32_t link, uint32_t mtu_bytes, hw_time now);
void hw_core_link_down(struct hw_core *core, uint32_t link, hw_time now);

/*
 * The link is up still, but its addresses or routes have changed: each path of it is probed at once,
 * so that the peer sees where we are now.
 */
void hw_core_link_readdressed(struct hw_core *core, uint32_t link, hw_time now);

/*
 * The peer's addresses on one link, or on HW_LINK_ALL: replaces what was given before. Links with
 * endpoints of their own do not use those of HW_LINK_ALL. A core without endpoints never initiates.
 * HW_E_INVAL: no such peer, or no link in that slot; HW_E_LIMIT: too many.
 */
HW_MUST_USE int hw_core_endpoints(struct hw_core *core, uint32_t peer, uint32_t link,
				  const struct hw_addr *addrs, size_t count, hw_time now);

/* Takes the buffers: datagrams from the network. `now` is the time of the call. */
void hw_core_datagrams_in(struct hw_core *core, const struct hw_datagram *in, size_t count,
			  hw_time now);

/* Takes the buffers: inner packets from the tunnel device. */
void hw_core_packets_in(struct hw_core *core, struct hw_buf *const *in, size_t count, hw_time now);

/*
 * The system refused a datagram of so many bytes of UDP payload: more than the interface takes. The
 * paths of this tuple's link go by that; none is any worse for it.
 */
void hw_core_too_big(struct hw_core *core, const struct hw_tuple *tuple, uint32_t bytes, hw_time now);

/*
 * The local address of this tuple is not ours any more: what has to go to the remote one leaves from
 * whichever the system picks, and the path is probed, so that the peer sees it.
 */
void hw_core_source_gone(struct hw_core *core, const struct hw_tuple *tuple, hw_time now);

/* The system refused to send to this tuple; `gone` when the link itself is no more. */
void hw_core_send_failed(struct hw_core *core, const struct hw_tuple *tuple, bool gone, hw_time now);

/* Run whatever is due. */
void hw_core_tick(struct hw_core *core, hw_time now);

/* When hw_core_tick is next needed; HW_TIME_NEVER when nothing is pending. */
hw_time hw_core_next_deadline(const struct hw_core *core);

/* Gives up to max datagrams, in order; returns how many. */
size_t hw_core_datagrams_out(struct hw_core *core, struct hw_datagram_out *ret_out, size_t max);

/* Gives up to max inner packets for the tunnel device, in order. */
size_t hw_core_packets_out(struct hw_core *core, struct hw_buf **ret_out, size_t max);

size_t hw_core_events_out(struct hw_core *core, struct hw_event *ret_out, size_t max);

/* Tell every peer goodbye: CLOSE datagrams wait in the output. The core stays usable only for that. */
void hw_core_close(struct hw_core *core, hw_time now);

uint32_t hw_core_peer_count(const struct hw_core *core);
void hw_core_peer_snapshot(const struct hw_core *core, uint32_t peer, hw_time now,
			   struct hw_peer_snapshot *ret_snapshot);
void hw_core_totals(const struct hw_core *core, struct hw_core_totals *ret_totals);

/*
 * A hash of all state that a forged datagram must not change: everything but the counters, the
 * limiter and the cookie secret (which exist for strangers), and caches. For tests: equal before and
 * after input that was refused.
 */
uint64_t hw_core_state_hash(const struct hw_core *core);

#endif
