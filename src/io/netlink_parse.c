#include "io/netlink_parse.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void copy_text(const struct nlattr *attribute, char *to, size_t size)
{
	if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) != 0)
		return;
	strncpy(to, mnl_attr_get_str(attribute), size - 1);
	to[size - 1] = '\0';
}

static uint32_t number(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_U32) == 0 ? mnl_attr_get_u32(attribute) : 0;
}

static int on_info(const struct nlattr *attribute, void *ctx)
{
	struct hw_interface *interface = ctx;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		copy_text(attribute, interface->kind, sizeof(interface->kind));
	return MNL_CB_OK;
}

static int on_interface(const struct nlattr *attribute, void *ctx)
{
	struct hw_interface *interface = ctx;
	char alias[sizeof(HW_INTERFACE_TUNNEL_ALIAS) + 1] = "";

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		copy_text(attribute, interface->name, sizeof(interface->name));
		break;
	case IFLA_MTU:
		interface->mtu_bytes = number(attribute);
		break;
	case IFLA_MASTER:
		interface->master = number(attribute);
		break;
	case IFLA_IFALIAS:
		copy_text(attribute, alias, sizeof(alias));
		interface->tunnel = strcmp(alias, HW_INTERFACE_TUNNEL_ALIAS) == 0;
		break;
	case IFLA_LINKINFO:
		(void)mnl_attr_parse_nested(attribute, on_info, interface);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void parse_interface(const struct nlmsghdr *message, struct hw_netlink_news *news,
			    hw_netlink_tell *tell, void *ctx)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	/* Bridges tell of their ports with a family of their own: no news about the port. */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifi_family != AF_UNSPEC)
		return;
	news->what = message->nlmsg_type == RTM_NEWLINK ? HW_NETLINK_INTERFACE
							: HW_NETLINK_INTERFACE_GONE;
	news->interface.index = (uint32_t)info->ifi_index;
	news->interface.up = info->ifi_flags & IFF_UP;
	news->interface.running = info->ifi_flags & IFF_RUNNING;
	news->interface.loopback = info->ifi_flags & IFF_LOOPBACK;
	(void)mnl_attr_parse(message, sizeof(*info), on_interface, &news->interface);
	tell(ctx, news);
}

/* The bytes of an address, where the attribute has as many as its family. */
static void copy_addr(const struct nlattr *attribute, struct hw_addr *addr)
{
	size_t len = addr->family == HW_FAMILY_IPV4 ? 4 : 16;

	if (mnl_attr_get_payload_len(attribute) == len)
		memcpy(addr->ip, mnl_attr_get_payload(attribute), len);
}

static uint8_t family_of(uint8_t family)
{
	return family == AF_INET ? HW_FAMILY_IPV4 : family == AF_INET6 ? HW_FAMILY_IPV6
								       : HW_FAMILY_NONE;
}

struct address_attributes {
	struct hw_addr local, address; /* of a point-to-point interface, `address` is the far end */
	bool has_local;
	uint32_t flags;
};

static int on_address(const struct nlattr *attribute, void *ctx)
{
	struct address_attributes *found = ctx;

	switch (mnl_attr_get_type(attribute)) {
	case IFA_LOCAL:
		found->has_local = true;
		copy_addr(attribute, &found->local);
		break;
	case IFA_ADDRESS:
		copy_addr(attribute, &found->address);
		break;
	case IFA_FLAGS:
		found->flags = number(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void parse_address(const struct nlmsghdr *message, struct hw_netlink_news *news,
			  hw_netlink_tell *tell, void *ctx)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct hw_interface_address *address = &news->address;
	struct address_attributes found = {0};

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) ||
	    family_of(info->ifa_family) == HW_FAMILY_NONE)
		return;
	found.flags = info->ifa_flags;
	found.local.family = found.address.family = family_of(info->ifa_family);
	(void)mnl_attr_parse(message, sizeof(*info), on_address, &found);
	news->what = message->nlmsg_type == RTM_NEWADDR ? HW_NETLINK_ADDRESS
							: HW_NETLINK_ADDRESS_GONE;
	address->index = info->ifa_index;
	address->addr = found.has_local ? found.local : found.address;
	address->bits = info->ifa_prefixlen;
	address->usable = !(found.flags & IFA_F_DADFAILED) &&
			  (!(found.flags & IFA_F_TENTATIVE) || (found.flags & IFA_F_OPTIMISTIC));
	if (address->addr.family == HW_FAMILY_IPV6 && address->addr.ip[0] == 0xfe &&
	    (address->addr.ip[1] & 0xc0) == 0x80)
		address->addr.scope = address->index;
	tell(ctx, news);
}

struct route_attributes {
	struct hw_addr to, via;
	uint32_t table, index;
	const struct nlattr *several;
};

static int on_route(const struct nlattr *attribute, void *ctx)
{
	struct route_attributes *found = ctx;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		copy_addr(attribute, &found->to);
		break;
	case RTA_GATEWAY:
		found->via.family = found->to.family;
		copy_addr(attribute, &found->via);
		break;
	case RTA_TABLE:
		found->table = number(attribute);
		break;
	case RTA_OIF:
		found->index = number(attribute);
		break;
	case RTA_MULTIPATH:
		found->several = attribute;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void tell_several(const struct nlattr *several, struct hw_netlink_news *news,
			 hw_netlink_tell *tell, void *ctx)
{
	const uint8_t *at = mnl_attr_get_payload(several);
	size_t left = mnl_attr_get_payload_len(several);
	struct rtnexthop hop;

	while (left >= sizeof(hop)) {
		memcpy(&hop, at, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		news->route.index = (uint32_t)hop.rtnh_ifindex;
		tell(ctx, news);
		if ((size_t)RTNH_ALIGN(hop.rtnh_len) >= left)
			return;
		left -= (size_t)RTNH_ALIGN(hop.rtnh_len);
		at += RTNH_ALIGN(hop.rtnh_len);
	}
}

static void parse_route(const struct nlmsghdr *message, struct hw_netlink_news *news,
			hw_netlink_tell *tell, void *ctx)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct route_attributes found = {0};

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->rtm_type != RTN_UNICAST ||
	    (info->rtm_flags & RTM_F_CLONED) || family_of(info->rtm_family) == HW_FAMILY_NONE)
		return;
	found.table = info->rtm_table;
	found.to.family = family_of(info->rtm_family);
	(void)mnl_attr_parse(message, sizeof(*info), on_route, &found);
	if (found.table == RT_TABLE_LOCAL)
		return;
	news->what = message->nlmsg_type == RTM_NEWROUTE ? HW_NETLINK_ROUTE : HW_NETLINK_ROUTE_GONE;
	news->route.to = found.to;
	news->route.via = found.via;
	news->route.bits = info->rtm_dst_len;
	news->route.index = found.index;
	if (found.several)
		tell_several(found.several, news, tell, ctx);
	else if (found.index > 0)
		tell(ctx, news);
}

void hw_netlink_parse(const struct nlmsghdr *message, hw_netlink_tell *tell, void *ctx)
{
	struct hw_netlink_news news = {0};

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		parse_interface(message, &news, tell, ctx);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		parse_address(message, &news, tell, ctx);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		parse_route(message, &news, tell, ctx);
		break;
	default:
		break;
	}
}
