/*
 * Network interfaces over rtnetlink (RFC 3549, rtnetlink(7)), by libmnl: their state, changes to
 * them, and news of them.
 *
 * Requests use a socket of their own and wait for the kernel's answer, which is immediate. News
 * arrives on another, which the event loop watches.
 */
#ifndef HW_IO_NETLINK_H
#define HW_IO_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

struct hw_netlink;

struct hw_interface {
	char name[IFNAMSIZ];
	uint32_t index;
	uint32_t mtu_bytes;
	bool up;      /* administratively up */
	bool running; /* and has a carrier */
};

/* HW_E_NOMEM, HW_E_SYSTEM (errno). */
HW_MUST_USE int hw_netlink_new(struct hw_netlink **ret_netlink);
void hw_netlink_free(struct hw_netlink *netlink);

/* HW_E_NOT_FOUND: no such interface; HW_E_SYSTEM. */
HW_MUST_USE int hw_netlink_interface(struct hw_netlink *netlink, const char *name,
				     struct hw_interface *ret_interface);

struct hw_interface_change {
	uint32_t mtu_bytes;    /* 0: leave */
	uint32_t queue_packets; /* 0: leave */
	bool up;               /* bring up */
};

/* HW_E_INVAL: the kernel refuses a value; HW_E_AUTH: not permitted; HW_E_NOT_FOUND; HW_E_SYSTEM. */
HW_MUST_USE int hw_netlink_change(struct hw_netlink *netlink, uint32_t index,
				  const struct hw_interface_change *change);

/* Add an address; one that is there already is fine. Errors as hw_netlink_change. */
HW_MUST_USE int hw_netlink_address(struct hw_netlink *netlink, uint32_t index,
				   const struct hw_addr *addr, uint8_t prefix_bits);

enum hw_netlink_news {
	HW_NETLINK_LINK,    /* `interface` appeared or changed */
	HW_NETLINK_GONE,    /* `interface` is no more */
	HW_NETLINK_ADDRESS, /* an address of interface->index came or went; only the index is set */
	HW_NETLINK_LOST     /* news was lost: look at everything again; interface is NULL */
};

/* The descriptor to watch for news; owned by netlink. */
int hw_netlink_fd(const struct hw_netlink *netlink);

/* Read what is there. HW_E_SYSTEM. */
HW_MUST_USE int hw_netlink_read(struct hw_netlink *netlink,
				void (*news)(void *ctx, enum hw_netlink_news what,
					     const struct hw_interface *interface),
				void *ctx);

#endif
