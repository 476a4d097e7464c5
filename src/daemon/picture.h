/*
 * What this host's network looks like: interfaces, addresses, and the routes that matter. Made of
 * the news that netlink tells (io/netlink.h), so tests make it without a kernel.
 *
 * Routes that matter are default routes, halves of one (0.0.0.0/1 and the like), and those that
 * cover one of the peers' addresses; a router's other half a million is passed over.
 */
#ifndef HW_DAEMON_PICTURE_H
#define HW_DAEMON_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "io/netlink.h"

/* More than this of each is not looked at. */
#define HW_PICTURE_INTERFACES_MAX 4096u
#define HW_PICTURE_ADDRESSES_MAX 8192u
#define HW_PICTURE_ROUTES_MAX 1024u
#define HW_PICTURE_ENDPOINTS_MAX 160u

struct hw_picture {
	struct hw_interface *interfaces; /* by index, rising */
	size_t interface_count, interface_room;
	struct hw_interface_address *addresses;
	size_t address_count, address_room;
	struct hw_interface_route *routes;
	size_t route_count, route_room;
	/* The peers' addresses, whose routes matter. */
	struct hw_addr endpoints[HW_PICTURE_ENDPOINTS_MAX];
	size_t endpoint_count;
	/*
	 * Routes may have gone of which the kernel tells nothing, been replaced, or matter of which it
	 * told before. Whoever has told all of them anew clears it.
	 */
	bool routes_stale;
};

/* All zero is an empty picture. */
void hw_picture_free(struct hw_picture *picture);

/* The same once more, in lists of its own. False: no memory, and `ret_copy` is empty. */
bool hw_picture_copy(const struct hw_picture *picture, struct hw_picture *ret_copy);

/* Forget all interfaces and addresses; or all routes. */
void hw_picture_forget_interfaces(struct hw_picture *picture);
void hw_picture_forget_routes(struct hw_picture *picture);

/*
 * Take what is told. Gives whether the picture is another one now. What has no room, or no memory,
 * is left out.
 */
bool hw_picture_take(struct hw_picture *picture, const struct hw_netlink_news *news);

/* Which addresses are to be reached; `routes_stale` is set when there are others than before. */
void hw_picture_set_endpoints(struct hw_picture *picture, const struct hw_addr *addrs, size_t count);

/* NULL: there is none. Valid until the picture changes. */
const struct hw_interface *hw_picture_interface(const struct hw_picture *picture, uint32_t index);
const struct hw_interface *hw_picture_named(const struct hw_picture *picture, const char *name);

/* Whether the interface has that address, and may use it. Index 0: whether any has. */
bool hw_picture_has_address(const struct hw_picture *picture, uint32_t index,
			    const struct hw_addr *addr);

/*
 * Whether the interface has an address to send to `remote` from: one of its family, which reaches
 * beyond the interface unless `remote` is on it.
 */
bool hw_picture_has_source(const struct hw_picture *picture, uint32_t index,
			   const struct hw_addr *remote);

/* Whether a route by the interface covers `remote`. A link-local one needs none but its interface. */
bool hw_picture_has_route(const struct hw_picture *picture, uint32_t index,
			  const struct hw_addr *remote);

/* Whether the interface has any usable address; or one of that family which reaches beyond it. */
bool hw_picture_has_any(const struct hw_picture *picture, uint32_t index);
bool hw_picture_has_global(const struct hw_picture *picture, uint32_t index, uint8_t family);

/* Whether the interface has a default route of that family, or half of one. */
bool hw_picture_has_default(const struct hw_picture *picture, uint32_t index, uint8_t family);

/*
 * A number that is another one when the interface's addresses or routes are others, in whatever
 * order they came. Index 0: of all interfaces but the loopback and Hawser's tunnels.
 */
uint64_t hw_picture_fingerprint(const struct hw_picture *picture, uint32_t index);

#endif
