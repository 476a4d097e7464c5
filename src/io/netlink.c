#include "io/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One message about an interface takes a few KiB; the kernel packs no more than this into one. */
#define BUFFER_BYTES 32768u

struct hw_netlink {
	struct mnl_socket *requests;
	struct mnl_socket *news;
	unsigned port;
	unsigned sequence;
	alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
};

static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};

int hw_netlink_new(struct hw_netlink **ret_netlink)
{
	struct hw_netlink *netlink = calloc(1, sizeof(*netlink));

	if (!netlink)
		return HW_E_NOMEM;
	netlink->requests = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	netlink->news = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!netlink->requests || !netlink->news)
		goto fail;
	if (mnl_socket_bind(netlink->requests, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_bind(netlink->news, 0, MNL_SOCKET_AUTOPID) < 0)
		goto fail;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(netlink->news, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			goto fail;
	}
	netlink->port = mnl_socket_get_portid(netlink->requests);
	*ret_netlink = netlink;
	return 0;
fail:
	hw_netlink_free(netlink);
	return HW_E_SYSTEM;
}

void hw_netlink_free(struct hw_netlink *netlink)
{
	int saved = errno;

	if (!netlink)
		return;
	if (netlink->requests)
		mnl_socket_close(netlink->requests);
	if (netlink->news)
		mnl_socket_close(netlink->news);
	free(netlink);
	errno = saved;
}

static int error_of_errno(void)
{
	switch (errno) {
	case ENODEV:
	case ENXIO:
		return HW_E_NOT_FOUND;
	case EPERM:
	case EACCES:
		return HW_E_AUTH;
	case EINVAL:
	case ERANGE:
	case EADDRNOTAVAIL:
		return HW_E_INVAL;
	default:
		return HW_E_SYSTEM;
	}
}

static struct nlmsghdr *begin(struct hw_netlink *netlink, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(netlink->buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = ++netlink->sequence;
	return message;
}

/* Send the message in the buffer and give what comes back to `answer`. */
static int talk(struct hw_netlink *netlink, struct nlmsghdr *message, mnl_cb_t answer, void *ctx)
{
	ssize_t n;
	int more;

	if (mnl_socket_sendto(netlink->requests, message, message->nlmsg_len) < 0)
		return HW_E_SYSTEM;
	do {
		n = mnl_socket_recvfrom(netlink->requests, netlink->buffer, BUFFER_BYTES);
		if (n < 0)
			return HW_E_SYSTEM;
		more = mnl_cb_run(netlink->buffer, (size_t)n, netlink->sequence, netlink->port,
				  answer, ctx);
		if (more < 0)
			return error_of_errno();
	} while (more > 0);
	return 0;
}

static int on_link_attribute(const struct nlattr *attribute, void *ctx)
{
	struct hw_interface *interface = ctx;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
			strncpy(interface->name, mnl_attr_get_str(attribute),
				sizeof(interface->name) - 1);
		break;
	case IFLA_MTU:
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
			interface->mtu_bytes = mnl_attr_get_u32(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void read_link(const struct nlmsghdr *message, struct hw_interface *ret_interface)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	*ret_interface = (struct hw_interface){
		.index = (uint32_t)info->ifi_index,
		.up = info->ifi_flags & IFF_UP,
		.running = info->ifi_flags & IFF_RUNNING,
	};
	(void)mnl_attr_parse(message, sizeof(*info), on_link_attribute, ret_interface);
}

static int on_interface(const struct nlmsghdr *message, void *ctx)
{
	if (message->nlmsg_type == RTM_NEWLINK)
		read_link(message, ctx);
	/* A single answer has no end marker. */
	return MNL_CB_STOP;
}

int hw_netlink_interface(struct hw_netlink *netlink, const char *name,
			 struct hw_interface *ret_interface)
{
	struct nlmsghdr *message = begin(netlink, RTM_GETLINK, 0);
	struct hw_interface interface = {0};
	int err;

	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	err = talk(netlink, message, on_interface, &interface);
	if (err < 0)
		return err;
	*ret_interface = interface;
	return 0;
}

int hw_netlink_change(struct hw_netlink *netlink, uint32_t index,
		      const struct hw_interface_change *change)
{
	struct nlmsghdr *message = begin(netlink, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	info->ifi_index = (int)index;
	if (change->up)
		info->ifi_flags = info->ifi_change = IFF_UP;
	if (change->mtu_bytes > 0)
		mnl_attr_put_u32(message, IFLA_MTU, change->mtu_bytes);
	if (change->queue_packets > 0)
		mnl_attr_put_u32(message, IFLA_TXQLEN, change->queue_packets);
	return talk(netlink, message, NULL, NULL);
}

int hw_netlink_address(struct hw_netlink *netlink, uint32_t index, const struct hw_addr *addr,
		       uint8_t prefix_bits)
{
	struct nlmsghdr *message = begin(netlink, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE |
								       NLM_F_REPLACE);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	bool v4 = addr->family == HW_FAMILY_IPV4;
	size_t len = v4 ? 4 : 16;

	info->ifa_family = v4 ? AF_INET : AF_INET6;
	info->ifa_prefixlen = prefix_bits;
	info->ifa_index = index;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	if (!v4) {
		/* The tunnel has no other owner of the address to find, so it is usable at once. */
		info->ifa_flags = IFA_F_NODAD;
	}
	mnl_attr_put(message, IFA_LOCAL, len, addr->ip);
	mnl_attr_put(message, IFA_ADDRESS, len, addr->ip);
	if (v4 && prefix_bits < 31) {
		uint32_t host_bits = 0xffffffffu >> prefix_bits;
		uint8_t broadcast[4];

		for (int i = 0; i < 4; i++)
			broadcast[i] = (uint8_t)(addr->ip[i] | host_bits >> (24 - 8 * i));
		mnl_attr_put(message, IFA_BROADCAST, sizeof(broadcast), broadcast);
	}
	return talk(netlink, message, NULL, NULL);
}

int hw_netlink_fd(const struct hw_netlink *netlink)
{
	return mnl_socket_get_fd(netlink->news);
}

struct reader {
	void (*news)(void *ctx, enum hw_netlink_news what, const struct hw_interface *interface);
	void *ctx;
};

static int on_news(const struct nlmsghdr *message, void *ctx)
{
	const struct reader *reader = ctx;
	struct hw_interface interface = {0};

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (mnl_nlmsg_get_payload_len(message) < sizeof(struct ifinfomsg))
			break;
		/* Bridges tell of their ports with a family of their own: no news about the port. */
		if (((const struct ifinfomsg *)mnl_nlmsg_get_payload(message))->ifi_family !=
		    AF_UNSPEC)
			break;
		read_link(message, &interface);
		reader->news(reader->ctx,
			     message->nlmsg_type == RTM_NEWLINK ? HW_NETLINK_LINK : HW_NETLINK_GONE,
			     &interface);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (mnl_nlmsg_get_payload_len(message) < sizeof(struct ifaddrmsg))
			break;
		interface.index =
			((const struct ifaddrmsg *)mnl_nlmsg_get_payload(message))->ifa_index;
		reader->news(reader->ctx, HW_NETLINK_ADDRESS, &interface);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

int hw_netlink_read(struct hw_netlink *netlink,
		    void (*news)(void *ctx, enum hw_netlink_news what,
				 const struct hw_interface *interface),
		    void *ctx)
{
	struct reader reader = {news, ctx};
	/* The callback may ask about interfaces, which uses the shared buffer. */
	alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(netlink->news, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == ENOBUFS) {
			news(ctx, HW_NETLINK_LOST, NULL);
			continue;
		}
		if (n < 0)
			return HW_E_SYSTEM;
		(void)mnl_cb_run(buffer, (size_t)n, 0, 0, on_news, &reader);
	}
}
