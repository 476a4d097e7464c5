/*
 * The UDP sockets of one link: one for IPv4, one for IPv6.
 *
 * A link that names an interface binds to it (SO_BINDTODEVICE), so its datagrams leave there
 * whatever the routing table prefers, and another link may use the same port. A link without one is
 * not bound. Both learn by IP_PKTINFO which address of ours a datagram came to and answer from it
 * (hw_tuple.local).
 *
 * No error of one datagram closes a socket. One that the kernel takes away with its interface is
 * reported, and opened again by the owner.
 */
#ifndef HW_IO_UDP_H
#define HW_IO_UDP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "core/core.h"

#define HW_UDP_BATCH 64u

struct hw_udp_config {
	uint32_t link;                /* index, for tuples */
	char interface[IFNAMSIZ];     /* empty: not bound */
	struct hw_addr local;         /* family NONE: every address; port not used */
	uint16_t port;                /* 0: the kernel picks one */
	bool tos;                     /* carry the DSCP and ECN byte */
};

/*
 * What crossed the link, as a carrier counts it: whole IP packets, so the payload with its UDP and
 * IP headers, whether or not anything could be made of it. They only grow, over closing and opening
 * too. What the kernel dropped before we could read it (rx_overrun) is in none of the bytes.
 */
#define HW_UDP_V4_OVERHEAD_BYTES 28u /* 20 IPv4 (RFC 791), 8 UDP (RFC 768) */
#define HW_UDP_V6_OVERHEAD_BYTES 48u /* 40 IPv6 (RFC 8200), 8 UDP */

struct hw_udp_counters {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes; /* taken by the kernel */
	uint64_t rx_no_buffer;  /* read and dropped: the pool was empty */
	uint64_t rx_truncated;  /* larger than a buffer */
	uint64_t rx_overrun;    /* by the kernel, its queue for us full; of sockets closed since */
	uint64_t tx_full;       /* dropped: the socket's or the device's queue was full */
	uint64_t tx_refused;    /* dropped: no route, link down, filtered, too large */
};

enum hw_udp_socket_family { HW_UDP_V4, HW_UDP_V6, HW_UDP_SOCKETS };

struct hw_udp {
	struct hw_udp_config config;
	int fd[HW_UDP_SOCKETS]; /* -1: not open */
	bool gso[HW_UDP_SOCKETS]; /* the kernel still takes UDP_SEGMENT here */
	/*
	 * May be NULL; ctx is hw_udp_send's. The interface does not take a datagram of so many bytes of
	 * UDP payload. That is all that the system can tell of sizes: nothing is cut on the way (DF is
	 * set), and what ICMP says of the way is ignored, as anybody can say it.
	 */
	void (*too_big)(void *ctx, const struct hw_tuple *tuple, uint32_t bytes);
	struct hw_udp_counters counters;
};

/* Closed, with counters of 0. */
void hw_udp_init(struct hw_udp *udp, const struct hw_udp_config *config);

/*
 * Open both sockets, or those that the system and the local address allow; at least one.
 * HW_E_NOT_FOUND: no such interface, or no such local address, now; HW_E_STATE: the port is taken;
 * HW_E_AUTH: not permitted; HW_E_SYSTEM (errno).
 */
HW_MUST_USE int hw_udp_open(struct hw_udp *udp);
void hw_udp_close(struct hw_udp *udp);
/* Whether the DSCP and ECN byte is carried, from now on and when it is opened again. HW_E_SYSTEM. */
HW_MUST_USE int hw_udp_set_tos(struct hw_udp *udp, bool tos);

bool hw_udp_is_open(const struct hw_udp *udp);

/* The port that a socket is bound to, 0 when it is closed. */
uint16_t hw_udp_port(const struct hw_udp *udp, enum hw_udp_socket_family family);

/* What the kernel has dropped because we did not read in time, closed sockets included. */
uint64_t hw_udp_overruns(const struct hw_udp *udp);

/*
 * The address that the kernel would send from to `remote` on this link now; its port is 0.
 * HW_E_NOT_FOUND: there is no way there.
 */
HW_MUST_USE int hw_udp_source(const struct hw_udp *udp, const struct hw_addr *remote,
			      struct hw_addr *ret_local);

/* Room for the system calls of batches, shared by all links of one thread. */
struct hw_udp_batch;

/* HW_E_NOMEM. The pool outlives the batch. */
HW_MUST_USE int hw_udp_batch_new(struct hw_pool *pool, struct hw_udp_batch **ret_batch);
void hw_udp_batch_free(struct hw_udp_batch *batch);

/*
 * Receive up to HW_UDP_BATCH datagrams of one socket; the caller owns their buffers. `at` of each
 * is the kernel's receive timestamp on our clock. Gives how many, 0 when none waits.
 * HW_E_NOT_FOUND: the interface is no more; HW_E_SYSTEM (errno): the socket is broken.
 */
HW_MUST_USE int hw_udp_receive(struct hw_udp *udp, enum hw_udp_socket_family family,
			       struct hw_udp_batch *batch, hw_time now,
			       struct hw_datagram ret_in[HW_UDP_BATCH]);

/*
 * Send those of the datagrams whose tuple.link is this link's; keeps no reference (the caller still
 * owns the bodies). Each tuple that the system refuses is reported to `failed`; gone: the interface
 * is no more.
 */
void hw_udp_send(struct hw_udp *udp, struct hw_udp_batch *batch, const struct hw_datagram_out *out,
		 size_t count,
		 void (*failed)(void *ctx, const struct hw_tuple *tuple, bool gone), void *ctx);

#endif
