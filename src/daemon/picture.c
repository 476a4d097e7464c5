#include "daemon/picture.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16u

void hw_picture_free(struct hw_picture *picture)
{
	free(picture->interfaces);
	free(picture->addresses);
	free(picture->routes);
	memset(picture, 0, sizeof(*picture));
}

/* `count` things of `bytes` each; NULL where there is nothing, or no memory. */
static void *copy_list(const void *list, size_t count, size_t bytes)
{
	void *copy = count > 0 ? malloc(count * bytes) : NULL;

	if (copy)
		memcpy(copy, list, count * bytes);
	return copy;
}

bool hw_picture_copy(const struct hw_picture *picture, struct hw_picture *ret_copy)
{
	struct hw_picture *copy = ret_copy;

	*copy = *picture;
	copy->interface_room = copy->interface_count;
	copy->address_room = copy->address_count;
	copy->route_room = copy->route_count;
	copy->interfaces = copy_list(picture->interfaces, picture->interface_count,
				     sizeof(picture->interfaces[0]));
	copy->addresses = copy_list(picture->addresses, picture->address_count,
				    sizeof(picture->addresses[0]));
	copy->routes = copy_list(picture->routes, picture->route_count, sizeof(picture->routes[0]));
	if ((copy->interface_count == 0 || copy->interfaces) &&
	    (copy->address_count == 0 || copy->addresses) && (copy->route_count == 0 || copy->routes))
		return true;
	hw_picture_free(copy);
	return false;
}

void hw_picture_forget_interfaces(struct hw_picture *picture)
{
	picture->interface_count = picture->address_count = 0;
}

void hw_picture_forget_routes(struct hw_picture *picture)
{
	picture->route_count = 0;
}

/* Room for one more of `bytes` each in `list`; false: there is none. */
static bool grow(void **list, size_t *room, size_t count, size_t max, size_t bytes)
{
	size_t wanted = *room ? 2 * *room : ROOM_FIRST;
	void *larger;

	if (count < *room)
		return true;
	if (count >= max)
		return false;
	if (wanted > max)
		wanted = max;
	larger = realloc(*list, wanted * bytes);
	if (!larger)
		return false;
	*list = larger;
	*room = wanted;
	return true;
}

/* Where the interface of that index is, or would be. */
static size_t place_of(const struct hw_picture *picture, uint32_t index)
{
	size_t low = 0, high = picture->interface_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (picture->interfaces[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct hw_interface *hw_picture_interface(const struct hw_picture *picture, uint32_t index)
{
	size_t at = place_of(picture, index);

	return at < picture->interface_count && picture->interfaces[at].index == index
		       ? &picture->interfaces[at] : NULL;
}

const struct hw_interface *hw_picture_named(const struct hw_picture *picture, const char *name)
{
	for (size_t i = 0; i < picture->interface_count; i++) {
		if (strcmp(picture->interfaces[i].name, name) == 0)
			return &picture->interfaces[i];
	}
	return NULL;
}

static bool drop_routes(struct hw_picture *picture, uint32_t index)
{
	size_t kept = 0, before = picture->route_count;

	for (size_t i = 0; i < before; i++) {
		if (picture->routes[i].index != index)
			picture->routes[kept++] = picture->routes[i];
	}
	picture->route_count = kept;
	return kept < before;
}

static void drop_addresses(struct hw_picture *picture, uint32_t index)
{
	size_t kept = 0;

	for (size_t i = 0; i < picture->address_count; i++) {
		if (picture->addresses[i].index != index)
			picture->addresses[kept++] = picture->addresses[i];
	}
	picture->address_count = kept;
}

static bool take_interface(struct hw_picture *picture, const struct hw_interface *interface)
{
	size_t at = place_of(picture, interface->index);
	struct hw_interface *known = picture->interfaces + at;
	void *list = picture->interfaces;

	if (at < picture->interface_count && known->index == interface->index) {
		if (memcmp(known, interface, sizeof(*known)) == 0)
			return false;
		/* What goes down loses its routes, and the kernel does not say which. */
		if (known->up && !interface->up) {
			(void)drop_routes(picture, interface->index);
			picture->routes_stale = true;
		}
		*known = *interface;
		return true;
	}
	if (!grow(&list, &picture->interface_room, picture->interface_count,
		  HW_PICTURE_INTERFACES_MAX, sizeof(*interface)))
		return false;
	picture->interfaces = list;
	known = picture->interfaces + at;
	memmove(known + 1, known, (picture->interface_count - at) * sizeof(*known));
	*known = *interface;
	picture->interface_count++;
	return true;
}

static bool take_interface_gone(struct hw_picture *picture, uint32_t index)
{
	size_t at = place_of(picture, index);

	drop_addresses(picture, index);
	if (drop_routes(picture, index))
		picture->routes_stale = true;
	if (at >= picture->interface_count || picture->interfaces[at].index != index)
		return false;
	picture->interface_count--;
	memmove(picture->interfaces + at, picture->interfaces + at + 1,
		(picture->interface_count - at) * sizeof(picture->interfaces[0]));
	return true;
}

static struct hw_interface_address *find_address(const struct hw_picture *picture, uint32_t index,
						 const struct hw_addr *addr)
{
	for (size_t i = 0; i < picture->address_count; i++) {
		if (picture->addresses[i].index == index &&
		    hw_addr_equal(&picture->addresses[i].addr, addr))
			return &picture->addresses[i];
	}
	return NULL;
}

static bool take_address(struct hw_picture *picture, const struct hw_interface_address *address)
{
	struct hw_interface_address *known = find_address(picture, address->index, &address->addr);
	void *list = picture->addresses;

	if (known) {
		bool changed = known->usable != address->usable || known->bits != address->bits;

		*known = *address;
		return changed;
	}
	if (!grow(&list, &picture->address_room, picture->address_count, HW_PICTURE_ADDRESSES_MAX,
		  sizeof(*address)))
		return false;
	picture->addresses = list;
	picture->addresses[picture->address_count++] = *address;
	return true;
}

static bool take_address_gone(struct hw_picture *picture, const struct hw_interface_address *address)
{
	struct hw_interface_address *known = find_address(picture, address->index, &address->addr);

	if (!known)
		return false;
	*known = picture->addresses[--picture->address_count];
	/* Its routes went with it, without a word. */
	if (address->addr.family == HW_FAMILY_IPV4)
		picture->routes_stale = true;
	return true;
}

/* Whether the first bits of both are the same. */
static bool covers(const struct hw_addr *network, uint8_t bits, const struct hw_addr *addr)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (network->family != addr->family || bits > (network->family == HW_FAMILY_IPV4 ? 32 : 128) ||
	    memcmp(network->ip, addr->ip, whole) != 0)
		return false;
	return rest == 0 || (network->ip[whole] ^ addr->ip[whole]) >> (8 - rest) == 0;
}

static bool is_default(const struct hw_interface_route *route)
{
	return route->bits <= 1;
}

static bool matters(const struct hw_picture *picture, const struct hw_interface_route *route)
{
	for (size_t i = 0; i < picture->endpoint_count; i++) {
		if (covers(&route->to, route->bits, &picture->endpoints[i]))
			return true;
	}
	return is_default(route);
}

static bool take_route(struct hw_picture *picture, const struct hw_interface_route *route)
{
	void *list = picture->routes;

	if (!matters(picture, route))
		return false;
	/* It may have replaced another, which is not told. */
	picture->routes_stale = true;
	/* One that stands in two tables, or with two metrics, stands here twice. */
	if (!grow(&list, &picture->route_room, picture->route_count, HW_PICTURE_ROUTES_MAX,
		  sizeof(*route)))
		return false;
	picture->routes = list;
	picture->routes[picture->route_count++] = *route;
	return true;
}

static bool take_route_gone(struct hw_picture *picture, const struct hw_interface_route *route)
{
	for (size_t i = 0; i < picture->route_count; i++) {
		const struct hw_interface_route *known = &picture->routes[i];

		if (known->index != route->index || known->bits != route->bits ||
		    !hw_addr_equal(&known->to, &route->to))
			continue;
		picture->routes[i] = picture->routes[--picture->route_count];
		return true;
	}
	return false;
}

bool hw_picture_take(struct hw_picture *picture, const struct hw_netlink_news *news)
{
	switch (news->what) {
	case HW_NETLINK_INTERFACE:
		return take_interface(picture, &news->interface);
	case HW_NETLINK_INTERFACE_GONE:
		return take_interface_gone(picture, news->interface.index);
	case HW_NETLINK_ADDRESS:
		return take_address(picture, &news->address);
	case HW_NETLINK_ADDRESS_GONE:
		return take_address_gone(picture, &news->address);
	case HW_NETLINK_ROUTE:
		return take_route(picture, &news->route);
	case HW_NETLINK_ROUTE_GONE:
		return take_route_gone(picture, &news->route);
	case HW_NETLINK_LOST:
		break;
	}
	return false;
}

void hw_picture_set_endpoints(struct hw_picture *picture, const struct hw_addr *addrs, size_t count)
{
	if (count > HW_PICTURE_ENDPOINTS_MAX)
		count = HW_PICTURE_ENDPOINTS_MAX;
	if (count == picture->endpoint_count &&
	    (count == 0 || memcmp(picture->endpoints, addrs, count * sizeof(*addrs)) == 0))
		return;
	if (count > 0)
		memcpy(picture->endpoints, addrs, count * sizeof(*addrs));
	picture->endpoint_count = count;
	picture->routes_stale = true;
}

/* IPv4 link-local (RFC 3927) or IPv6 link-local (RFC 4291): good on its own link alone. */
static bool is_link_local(const struct hw_addr *addr)
{
	if (addr->family == HW_FAMILY_IPV4)
		return addr->ip[0] == 169 && addr->ip[1] == 254;
	return addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

bool hw_picture_has_address(const struct hw_picture *picture, uint32_t index,
			    const struct hw_addr *addr)
{
	for (size_t i = 0; i < picture->address_count; i++) {
		const struct hw_interface_address *known = &picture->addresses[i];

		/* A configured one has neither port nor scope. */
		if ((index == 0 || known->index == index) && known->usable &&
		    known->addr.family == addr->family &&
		    memcmp(known->addr.ip, addr->ip, sizeof(addr->ip)) == 0)
			return true;
	}
	return false;
}

bool hw_picture_has_source(const struct hw_picture *picture, uint32_t index,
			   const struct hw_addr *remote)
{
	bool near = is_link_local(remote);

	if (near && remote->scope != 0 && remote->scope != index)
		return false;
	for (size_t i = 0; i < picture->address_count; i++) {
		const struct hw_interface_address *known = &picture->addresses[i];

		if (known->index == index && known->usable && known->addr.family == remote->family &&
		    (near || !is_link_local(&known->addr)))
			return true;
	}
	return false;
}

bool hw_picture_has_route(const struct hw_picture *picture, uint32_t index,
			  const struct hw_addr *remote)
{
	if (is_link_local(remote) && remote->scope == index)
		return true;
	for (size_t i = 0; i < picture->route_count; i++) {
		const struct hw_interface_route *route = &picture->routes[i];

		if (route->index == index && covers(&route->to, route->bits, remote))
			return true;
	}
	return false;
}

bool hw_picture_has_any(const struct hw_picture *picture, uint32_t index)
{
	for (size_t i = 0; i < picture->address_count; i++) {
		if (picture->addresses[i].index == index && picture->addresses[i].usable)
			return true;
	}
	return false;
}

bool hw_picture_has_global(const struct hw_picture *picture, uint32_t index, uint8_t family)
{
	const struct hw_addr far = {.family = family}; /* not link-local, and no more is asked */

	return hw_picture_has_source(picture, index, &far);
}

bool hw_picture_has_default(const struct hw_picture *picture, uint32_t index, uint8_t family)
{
	for (size_t i = 0; i < picture->route_count; i++) {
		const struct hw_interface_route *route = &picture->routes[i];

		if (route->index == index && route->to.family == family && is_default(route))
			return true;
	}
	return false;
}

/* FNV-1a; sums of it do not depend on the order. */
static uint64_t hash(uint64_t h, const void *bytes, size_t count)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < count; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static bool counts_for(const struct hw_picture *picture, uint32_t wanted, uint32_t index)
{
	const struct hw_interface *interface;

	if (wanted != 0)
		return wanted == index;
	interface = hw_picture_interface(picture, index);
	return interface && interface->up && !interface->loopback && !interface->tunnel;
}

uint64_t hw_picture_fingerprint(const struct hw_picture *picture, uint32_t index)
{
	const uint64_t basis = UINT64_C(0xcbf29ce484222325);
	uint64_t sum = 0;

	for (size_t i = 0; i < picture->address_count; i++) {
		const struct hw_interface_address *a = &picture->addresses[i];

		if (a->usable && counts_for(picture, index, a->index))
			sum += hash(hash(basis, &a->addr, sizeof(a->addr)), &a->bits,
				    sizeof(a->bits));
	}
	for (size_t i = 0; i < picture->route_count; i++) {
		const struct hw_interface_route *r = &picture->routes[i];

		if (counts_for(picture, index, r->index))
			sum += hash(hash(hash(basis + 1, &r->to, sizeof(r->to)), &r->via,
					 sizeof(r->via)), &r->bits, sizeof(r->bits));
	}
	return sum;
}
