/*
 * Network interfaces, their addresses and routes over rtnetlink (RFC 3549, rtnetlink(7)), by libmnl:
 * what there is, changes to it, and news of it.
 *
 * Requests use a socket of their own and wait for the kernel's answer, which is immediate. News
 * arrives on another, which the event loop watches. What there is (hw_netlink_dump) is told in the
 * same form as news, so that one function takes both.
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

#define HW_INTERFACE_KIND_BYTES 16u

/* What the devices that Hawser makes are marked with (their alias), so that every daemon knows them. */
#define HW_INTERFACE_TUNNEL_ALIAS "hawser tunnel"

struct hw_interface {
	char name[IFNAMSIZ];
	char kind[HW_INTERFACE_KIND_BYTES]; /* "veth", "bridge" ...; "" for hardware */
	uint32_t index;
	uint32_t mtu_bytes;
	uint32_t master; /* index of the bridge or bond that it is a port of, 0: of none */
	bool up;         /* administratively up */
	bool running;    /* and has a carrier */
	bool loopback;
	bool tunnel; /* made by Hawser: nothing of Hawser's may leave by it */
};

struct hw_interface_address {
	uint32_t index; /* of the interface */
	struct hw_addr addr; /* port 0; the scope is set for link-local IPv6 */
	uint8_t bits;
	bool usable; /* not, or not yet, while another host may have it (RFC 4862) */
};

/* A unicast route of any table but the kernel's own for local addresses. */
struct hw_interface_route {
	uint32_t index;    /* of the interface that it leaves by */
	struct hw_addr to; /* address of the network; 0.0.0.0 or :: with 0 bits is the default route */
	struct hw_addr via; /* the gateway; family NONE: none, or several */
	uint8_t bits;
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
	const char *alias;     /* NULL: leave */
	bool up;               /* bring up */
};

/* HW_E_INVAL: the kernel refuses a value; HW_E_AUTH: not permitted; HW_E_NOT_FOUND; HW_E_SYSTEM. */
HW_MUST_USE int hw_netlink_change(struct hw_netlink *netlink, uint32_t index,
				  const struct hw_interface_change *change);

/* Add an address; one that is there already is fine. Errors as hw_netlink_change. */
HW_MUST_USE int hw_netlink_address(struct hw_netlink *netlink, uint32_t index,
				   const struct hw_addr *addr, uint8_t prefix_bits);

/* Take an address away; one that is not there is fine. */
HW_MUST_USE int hw_netlink_address_remove(struct hw_netlink *netlink, uint32_t index,
					  const struct hw_addr *addr, uint8_t prefix_bits);

enum hw_netlink_what {
	HW_NETLINK_INTERFACE, /* appeared or changed */
	HW_NETLINK_INTERFACE_GONE,
	HW_NETLINK_ADDRESS, /* appeared or changed */
	HW_NETLINK_ADDRESS_GONE,
	HW_NETLINK_ROUTE,
	HW_NETLINK_ROUTE_GONE,
	HW_NETLINK_LOST /* news was lost: look at everything again */
};

struct hw_netlink_news {
	enum hw_netlink_what what; /* says which of these is set */
	struct hw_interface interface;
	struct hw_interface_address address;
	struct hw_interface_route route;
};

typedef void hw_netlink_tell(void *ctx, const struct hw_netlink_news *news);

enum hw_netlink_part { HW_NETLINK_INTERFACES, HW_NETLINK_ADDRESSES, HW_NETLINK_ROUTES };

/*
 * Tell all that there is of one part. HW_E_STATE: it changed meanwhile, so some of it may have been
 * told twice or not at all: do it again. HW_E_SYSTEM (errno): the same, but worse.
 */
HW_MUST_USE int hw_netlink_dump(struct hw_netlink *netlink, enum hw_netlink_part part,
				hw_netlink_tell *tell, void *ctx);

/* The descriptor to watch for news; owned by netlink. */
int hw_netlink_fd(const struct hw_netlink *netlink);

/*
 * Tell the news that is there. The kernel does not say which IPv4 routes go with an interface that
 * goes down or an address that is removed. HW_E_SYSTEM.
 */
HW_MUST_USE int hw_netlink_read(struct hw_netlink *netlink, hw_netlink_tell *tell, void *ctx);

#endif
