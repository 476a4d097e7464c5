#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/runtime.h"
#include "io/netlink.h"

/* What a link that is bound to no interface is taken to carry until it is measured. */
#define UNBOUND_MTU_BYTES 1500u

#define BACKOFF_FIRST HW_MS(500)
#define BACKOFF_LAST HW_S(30)

const char *hw_daemon_link_name(const struct hw_daemon *daemon, uint32_t link)
{
	return link < daemon->link_count ? daemon->links[link].config->name : "?";
}

static void retry_later(struct hw_daemon_link *link, hw_time now)
{
	link->retry_at = hw_time_add(now, link->backoff);
	link->backoff = hw_time_min(2 * link->backoff, BACKOFF_LAST);
}

static const char *reason_of(int err)
{
	switch (err) {
	case HW_E_NOT_FOUND:
		return "its interface or its address is not there";
	case HW_E_STATE:
		return "the port is in use by another program";
	case HW_E_AUTH:
		return "not permitted: run as root, or with CAP_NET_RAW";
	default:
		return strerror(errno);
	}
}

static int watch(struct hw_daemon_link *link)
{
	for (int i = 0; i < HW_UDP_SOCKETS; i++) {
		struct hw_daemon_socket *socket = &link->sockets[i];
		int err;

		socket->link = link;
		socket->family = (enum hw_udp_socket_family)i;
		socket->source = (struct hw_loop_source){
			.fd = link->udp.fd[i],
			.priority = HW_LOOP_NETWORK,
			.ready = hw_daemon_udp_ready,
			.ctx = socket,
		};
		if (link->udp.fd[i] < 0)
			continue;
		err = hw_loop_add(link->daemon->loop, &socket->source, EPOLLIN);
		if (err < 0)
			return err;
	}
	return 0;
}

static void close_sockets(struct hw_daemon_link *link)
{
	for (int i = 0; i < HW_UDP_SOCKETS; i++) {
		hw_loop_remove(link->daemon->loop, &link->sockets[i].source);
		link->sockets[i].source.fd = -1;
	}
	hw_udp_close(&link->udp);
	link->interface = 0;
	link->broken = false;
}

static void link_lost(struct hw_daemon_link *link, hw_time now, const char *why)
{
	if (!hw_udp_is_open(&link->udp))
		return;
	close_sockets(link);
	hw_core_link_down(link->daemon->core, link->index, now);
	hw_log(&link->daemon->log, HW_LOG_WARNING, "link %s: down: %s", link->config->name, why);
}

static uint32_t mtu_of(const struct hw_daemon_link *link, uint32_t interface_mtu)
{
	return link->config->mtu > 0 ? link->config->mtu : interface_mtu;
}

/* The interface (NULL: none is needed) is ready: open the sockets and tell the core. */
static void link_open(struct hw_daemon_link *link, const struct hw_interface *interface, hw_time now)
{
	struct hw_daemon *daemon = link->daemon;
	int err = hw_udp_open(&link->udp);

	if (err == 0)
		err = watch(link);
	if (err < 0) {
		hw_log_limited(&daemon->log, &link->limit, now, HW_LOG_WARNING,
			       "link %s: cannot open its sockets, trying again: %s",
			       link->config->name, reason_of(err));
		close_sockets(link);
		retry_later(link, now);
		return;
	}
	link->retry_at = HW_TIME_NEVER;
	link->backoff = BACKOFF_FIRST;
	link->interface = interface ? interface->index : 0;
	link->mtu_bytes = mtu_of(link, interface ? interface->mtu_bytes : UNBOUND_MTU_BYTES);
	hw_core_link_up(daemon->core, link->index, link->mtu_bytes, now);
	hw_log(&daemon->log, HW_LOG_INFO, "link %s: ready on %s, MTU %u, ports %u (IPv4) and %u (IPv6)",
	       link->config->name, interface ? interface->name : "any interface", link->mtu_bytes,
	       hw_udp_port(&link->udp, HW_UDP_V4), hw_udp_port(&link->udp, HW_UDP_V6));
}

/* The interface of a link is as this says. */
static void link_see(struct hw_daemon_link *link, const struct hw_interface *interface, hw_time now)
{
	uint32_t mtu_bytes = mtu_of(link, interface->mtu_bytes);

	if (hw_udp_is_open(&link->udp) && link->interface != interface->index)
		link_lost(link, now, "its interface was replaced by another of the same name");
	if (!interface->up || !interface->running) {
		link_lost(link, now, interface->up ? "its interface has no carrier"
						   : "its interface was taken down");
		link->retry_at = HW_TIME_NEVER; /* news will come */
		return;
	}
	if (!hw_udp_is_open(&link->udp)) {
		link_open(link, interface, now);
	} else if (link->mtu_bytes != mtu_bytes) {
		link->mtu_bytes = mtu_bytes;
		hw_core_link_up(link->daemon->core, link->index, mtu_bytes, now);
		hw_log(&link->daemon->log, HW_LOG_INFO, "link %s: MTU %u", link->config->name,
		       mtu_bytes);
	}
}

/* Look at the link's interface, and open or close it accordingly. */
static void link_check(struct hw_daemon_link *link, hw_time now)
{
	struct hw_interface interface;
	int err;

	if (!link->config->interface[0]) {
		if (!hw_udp_is_open(&link->udp))
			link_open(link, NULL, now);
		return;
	}
	err = hw_netlink_interface(link->daemon->netlink, link->config->interface, &interface);
	if (err == 0) {
		link_see(link, &interface, now);
	} else if (err == HW_E_NOT_FOUND) {
		link_lost(link, now, "its interface is gone");
		link->retry_at = HW_TIME_NEVER; /* news will come */
	} else {
		retry_later(link, now);
	}
}

static void on_news(void *ctx, enum hw_netlink_news what, const struct hw_interface *interface)
{
	struct hw_daemon *daemon = ctx;
	hw_time now = hw_loop_now(daemon->loop);

	for (uint32_t i = 0; i < daemon->link_count; i++) {
		struct hw_daemon_link *link = &daemon->links[i];
		bool ours = interface && link->interface == interface->index && link->interface > 0;
		bool named = interface && strcmp(link->config->interface, interface->name) == 0;

		if (link->config->use == HW_USE_NEVER)
			continue;
		switch (what) {
		case HW_NETLINK_LINK:
			if (named && link->config->interface[0])
				link_see(link, interface, now);
			else if (ours)
				link_lost(link, now, "its interface was renamed");
			break;
		case HW_NETLINK_GONE:
			if (ours)
				link_lost(link, now, "its interface is gone");
			break;
		case HW_NETLINK_ADDRESS:
			/* What a link could not be opened for may just have arrived. */
			if (link->retry_at != HW_TIME_NEVER)
				link_check(link, now);
			break;
		case HW_NETLINK_LOST:
			link_check(link, now);
			break;
		}
	}
}

void hw_daemon_netlink_ready(void *ctx, uint32_t events, hw_time now)
{
	struct hw_daemon *daemon = ctx;

	(void)events;
	if (hw_netlink_read(daemon->netlink, on_news, daemon) < 0)
		hw_log_limited(&daemon->log, &daemon->general_limit, now, HW_LOG_WARNING,
			       "cannot read news of interfaces: %s", strerror(errno));
}

static void udp_config(const struct hw_config *config, const struct hw_config_link *link,
		       uint32_t index, struct hw_udp_config *ret_config)
{
	*ret_config = (struct hw_udp_config){
		.link = index,
		.local = link->address.family != HW_FAMILY_NONE ? link->address : config->listen.addr,
		.port = config->listen.given ? config->listen.addr.port : 0,
		.tos = config->tunnel.copy_dscp,
	};
	strncpy(ret_config->interface, link->interface, sizeof(ret_config->interface) - 1);
}

void hw_daemon_links_start(struct hw_daemon *daemon, hw_time now)
{
	const struct hw_config *config = daemon->config;

	daemon->link_count = config->link_count;
	for (uint32_t i = 0; i < config->link_count; i++) {
		struct hw_daemon_link *link = &daemon->links[i];
		struct hw_udp_config udp;

		link->daemon = daemon;
		link->config = &config->links[i];
		link->index = i;
		link->retry_at = HW_TIME_NEVER;
		link->backoff = BACKOFF_FIRST;
		link->sockets[HW_UDP_V4].source.fd = link->sockets[HW_UDP_V6].source.fd = -1;
		udp_config(config, link->config, i, &udp);
		hw_udp_init(&link->udp, &udp);
		if (link->config->use == HW_USE_NEVER)
			continue;
		link_check(link, now);
		if (!hw_udp_is_open(&link->udp) && link->retry_at == HW_TIME_NEVER)
			hw_log(&daemon->log, HW_LOG_WARNING,
			       "link %s: waiting for interface %s to come up", link->config->name,
			       link->config->interface);
	}
}

void hw_daemon_links_stop(struct hw_daemon *daemon)
{
	for (uint32_t i = 0; i < daemon->link_count; i++)
		close_sockets(&daemon->links[i]);
}

void hw_daemon_links_tick(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < daemon->link_count; i++) {
		struct hw_daemon_link *link = &daemon->links[i];

		if (link->broken) {
			link_lost(link, now, "the system took its sockets away");
			retry_later(link, now);
		}
		if (link->retry_at <= now)
			link_check(link, now);
	}
}

hw_time hw_daemon_links_deadline(const struct hw_daemon *daemon)
{
	hw_time next = HW_TIME_NEVER;

	for (uint32_t i = 0; i < daemon->link_count; i++)
		next = hw_time_min(next, daemon->links[i].retry_at);
	return next;
}
