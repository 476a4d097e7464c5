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

#include "io/netlink_parse.h"

/* One message about an interface takes a few KiB; the kernel packs no more than this into one. */
#define BUFFER_BYTES 32768u

struct hw_netlink {
	struct mnl_socket *requests;
	struct mnl_socket *news;
	unsigned port;
	unsigned sequence;
	alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];
};

/* What the kernel may hold back for us: thousands of changes, as when a router learns its routes. */
#define NEWS_BUFFER_BYTES (1024 * 1024)
#define READS_AT_ONCE 256u

static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
			     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};

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
	/* The forced form needs CAP_NET_ADMIN; without, lost news means to look again more often. */
	(void)setsockopt(mnl_socket_get_fd(netlink->news), SOL_SOCKET, SO_RCVBUFFORCE,
			 &(int){NEWS_BUFFER_BYTES}, sizeof(int));
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

static void keep_interface(void *ctx, const struct hw_netlink_news *news)
{
	if (news->what == HW_NETLINK_INTERFACE)
		*(struct hw_interface *)ctx = news->interface;
}

static int on_interface(const struct nlmsghdr *message, void *ctx)
{
	hw_netlink_parse(message, keep_interface, ctx);
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
	if (change->alias)
		mnl_attr_put_strz(message, IFLA_IFALIAS, change->alias);
	if (change->queue_packets > 0)
		mnl_attr_put_u32(message, IFLA_TXQLEN, change->queue_packets);
	return talk(netlink, message, NULL, NULL);
}

/* The part that adding and removing have in common. */
static void put_address(struct nlmsghdr *message, uint32_t index, const struct hw_addr *addr,
			uint8_t prefix_bits)
{
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
}

int hw_netlink_address(struct hw_netlink *netlink, uint32_t index, const struct hw_addr *addr,
		       uint8_t prefix_bits)
{
	struct nlmsghdr *message = begin(netlink, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE |
								       NLM_F_REPLACE);

	put_address(message, index, addr, prefix_bits);
	if (addr->family == HW_FAMILY_IPV4 && prefix_bits < 31) {
		uint32_t host_bits = 0xffffffffu >> prefix_bits;
		uint8_t broadcast[4];

		for (int i = 0; i < 4; i++)
			broadcast[i] = (uint8_t)(addr->ip[i] | host_bits >> (24 - 8 * i));
		mnl_attr_put(message, IFA_BROADCAST, sizeof(broadcast), broadcast);
	}
	return talk(netlink, message, NULL, NULL);
}

int hw_netlink_address_remove(struct hw_netlink *netlink, uint32_t index,
			      const struct hw_addr *addr, uint8_t prefix_bits)
{
	struct nlmsghdr *message = begin(netlink, RTM_DELADDR, NLM_F_ACK);
	int err;

	put_address(message, index, addr, prefix_bits);
	err = talk(netlink, message, NULL, NULL);
	return err == HW_E_INVAL && errno == EADDRNOTAVAIL ? 0 : err;
}

struct told {
	hw_netlink_tell *tell;
	void *ctx;
	unsigned sequence; /* of the request; 0: any */
	bool done, interrupted;
	int error;
};

/* One message of an answer, or of news. */
static void take(const struct nlmsghdr *message, struct told *told)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (told->sequence && message->nlmsg_seq != told->sequence)
		return;
	told->interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	switch (message->nlmsg_type) {
	case NLMSG_DONE:
		told->done = true;
		break;
	case NLMSG_ERROR:
		told->done = true;
		if (mnl_nlmsg_get_payload_len(message) >= sizeof(*error))
			told->error = -error->error;
		break;
	default:
		hw_netlink_parse(message, told->tell, told->ctx);
		break;
	}
}

static void take_all(const uint8_t *buffer, size_t bytes, struct told *told)
{
	const struct nlmsghdr *message = (const void *)buffer;
	int left = (int)bytes;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		take(message, told);
}

static struct nlmsghdr *begin_dump(struct hw_netlink *netlink, enum hw_netlink_part part,
				   uint8_t family)
{
	static const uint16_t types[] = {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE};
	struct nlmsghdr *message = begin(netlink, types[part], NLM_F_DUMP);

	if (part == HW_NETLINK_INTERFACES) {
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
		mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	} else if (part == HW_NETLINK_ADDRESSES) {
		mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
	} else {
		((struct rtmsg *)mnl_nlmsg_put_extra_header(message, sizeof(struct rtmsg)))
			->rtm_family = family;
	}
	return message;
}

static int dump(struct hw_netlink *netlink, enum hw_netlink_part part, uint8_t family,
		hw_netlink_tell *tell, void *ctx)
{
	struct nlmsghdr *message = begin_dump(netlink, part, family);
	struct told told = {.tell = tell, .ctx = ctx, .sequence = netlink->sequence};

	if (mnl_socket_sendto(netlink->requests, message, message->nlmsg_len) < 0)
		return HW_E_SYSTEM;
	while (!told.done) {
		ssize_t n = mnl_socket_recvfrom(netlink->requests, netlink->buffer, BUFFER_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return HW_E_SYSTEM;
		take_all(netlink->buffer, (size_t)n, &told);
	}
	errno = told.error;
	if (told.error != 0)
		return HW_E_SYSTEM;
	return told.interrupted ? HW_E_STATE : 0;
}

int hw_netlink_dump(struct hw_netlink *netlink, enum hw_netlink_part part, hw_netlink_tell *tell,
		    void *ctx)
{
	int err = dump(netlink, part, AF_INET, tell, ctx);

	/* Routes are kept apart by family, and a kernel without IPv6 has none of those. */
	if (err == 0 && part == HW_NETLINK_ROUTES) {
		err = dump(netlink, part, AF_INET6, tell, ctx);
		if (err == HW_E_SYSTEM && (errno == EOPNOTSUPP || errno == EAFNOSUPPORT))
			err = 0;
	}
	return err;
}

int hw_netlink_fd(const struct hw_netlink *netlink)
{
	return mnl_socket_get_fd(netlink->news);
}

int hw_netlink_read(struct hw_netlink *netlink, hw_netlink_tell *tell, void *ctx)
{
	static const struct hw_netlink_news lost = {.what = HW_NETLINK_LOST};
	struct told told = {.tell = tell, .ctx = ctx};
	/* Whoever is told may ask about interfaces, which uses the shared buffer. */
	alignas(struct nlmsghdr) uint8_t buffer[BUFFER_BYTES];

	/* The packets wait meanwhile: what is left is there at the next wakeup. */
	for (unsigned i = 0; i < READS_AT_ONCE; i++) {
		ssize_t n = mnl_socket_recvfrom(netlink->news, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == ENOBUFS) {
			tell(ctx, &lost);
			continue;
		}
		if (n < 0)
			return HW_E_SYSTEM;
		take_all(buffer, (size_t)n, &told);
	}
	return 0;
}
