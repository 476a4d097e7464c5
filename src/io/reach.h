/*
 * Why nothing comes back from an address: one datagram of one byte to it, and what the kernel and
 * the network's ICMP say to that. For a check by hand, never for a decision of the tunnel: ICMP can
 * be forged.
 */
#ifndef HW_IO_REACH_H
#define HW_IO_REACH_H

#include "base/addr.h"
#include "io/udp.h"

enum hw_reach {
	HW_REACH_SILENT,       /* sent, and no word */
	HW_REACH_REFUSED,      /* the host is there, nothing listens on the port */
	HW_REACH_NO_ROUTE,     /* this host or a router knows no way there */
	HW_REACH_NO_ADDRESS,   /* the link has no address of that family */
	HW_REACH_NO_NEIGHBOUR, /* the next hop, or the host itself, does not answer */
	HW_REACH_PROHIBITED,   /* a firewall says no, here or on the way */
	HW_REACH_FAILED        /* no socket, or something else: errno of the moment is lost */
};

/* Asks over a socket of its own that is bound as the link's are; blocks for timeout_ms at most. */
enum hw_reach hw_reach_ask(const struct hw_udp_config *link, const struct hw_addr *remote,
			   unsigned timeout_ms);

#endif
