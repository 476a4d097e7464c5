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
	return link < HW_CORE_MAX_LINKS && daemon->links[link].used ? daemon->links[link].name : "?";
}

struct hw_daemon_link *hw_daemon_link_find(struct hw_daemon *daemon, const char *name)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used && strcmp(daemon->links[i].name, name) == 0)
			return &daemon->links[i];
	}
	return NULL;
}

enum hw_link_use hw_daemon_link_use(const struct hw_daemon_link *link)
{
	if (link->quota_spent)
		return HW_USE_NEVER;
	return link->use_overridden ? link->use_override : link->rule->use;
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
	link->interface_index = 0;
	link->broken = false;
}

static void link_lost(struct hw_daemon_link *link, hw_time now, const char *why)
{
	if (!hw_udp_is_open(&link->udp))
		return;
	close_sockets(link);
	hw_core_link_down(link->daemon->core, link->index, now);
	hw_log(&link->daemon->log, HW_LOG_WARNING, "link %s: down: %s", link->name, why);
}

static uint32_t mtu_of(const struct hw_daemon_link *link, uint32_t interface_mtu)
{
	return link->rule->mtu > 0 ? link->rule->mtu : interface_mtu;
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
			       link->name, reason_of(err));
		close_sockets(link);
		retry_later(link, now);
		return;
	}
	link->retry_at = HW_TIME_NEVER;
	link->backoff = BACKOFF_FIRST;
	link->interface_index = interface ? interface->index : 0;
	link->mtu_bytes = mtu_of(link, interface ? interface->mtu_bytes : UNBOUND_MTU_BYTES);
	hw_core_link_up(daemon->core, link->index, link->mtu_bytes, now);
	hw_log(&daemon->log, HW_LOG_INFO, "link %s: ready on %s, MTU %u, ports %u (IPv4) and %u (IPv6)",
	       link->name, interface ? interface->name : "any interface", link->mtu_bytes,
	       hw_udp_port(&link->udp, HW_UDP_V4), hw_udp_port(&link->udp, HW_UDP_V6));
}

/* The interface of a link is as this says. */
static void link_see(struct hw_daemon_link *link, const struct hw_interface *interface, hw_time now)
{
	uint32_t mtu_bytes = mtu_of(link, interface->mtu_bytes);

	if (hw_udp_is_open(&link->udp) && link->interface_index != interface->index)
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
		hw_log(&link->daemon->log, HW_LOG_INFO, "link %s: MTU %u", link->name,
		       mtu_bytes);
	}
}

/* Look at the link's interface, and open or close it accordingly. */
static void link_check(struct hw_daemon_link *link, hw_time now)
{
	struct hw_interface interface;
	int err;

	if (!link->interface[0]) {
		if (!hw_udp_is_open(&link->udp))
			link_open(link, NULL, now);
		return;
	}
	err = hw_netlink_interface(link->daemon->netlink, link->interface, &interface);
	if (err == 0) {
		link_see(link, &interface, now);
	} else if (err == HW_E_NOT_FOUND) {
		link_lost(link, now, "its interface is gone");
		link->retry_at = HW_TIME_NEVER; /* news will come */
	} else {
		retry_later(link, now);
	}
}

/* Whether sockets are wanted at all. A spent quota keeps them: the peer must still be told things. */
static bool is_wanted(const struct hw_daemon_link *link)
{
	if (!link->used || link->admin_down)
		return false;
	return (link->use_overridden ? link->use_override : link->rule->use) != HW_USE_NEVER;
}

void hw_daemon_link_apply_use(struct hw_daemon_link *link, hw_time now)
{
	struct hw_link_config config = {
		.use = hw_daemon_link_use(link),
		.price = link->rule->price,
		.metered = hw_config_link_metered(link->rule),
	};

	memcpy(config.name, link->name, sizeof(config.name));
	if (hw_core_link_set(link->daemon->core, link->index, &config, now) < 0)
		hw_log(&link->daemon->log, HW_LOG_ERROR, "link %s: the core does not take it",
		       link->name);
}

/* The operator's words have changed. */
static void settle(struct hw_daemon_link *link, const char *why, hw_time now)
{
	hw_daemon_link_apply_use(link, now);
	if (!is_wanted(link)) {
		link_lost(link, now, why);
		link->retry_at = HW_TIME_NEVER;
	} else if (!hw_udp_is_open(&link->udp)) {
		link_check(link, now);
	}
}

void hw_daemon_link_set_admin_down(struct hw_daemon_link *link, bool down, hw_time now)
{
	link->admin_down = down;
	settle(link, "taken down by the operator", now);
}

void hw_daemon_link_override_use(struct hw_daemon_link *link, enum hw_link_use use, hw_time now)
{
	link->use_overridden = true;
	link->use_override = use;
	settle(link, "use set to never by the operator", now);
}

void hw_daemon_link_forget_override(struct hw_daemon_link *link, hw_time now)
{
	link->use_overridden = false;
	settle(link, "the configuration says use: never", now);
}

void hw_daemon_link_set_quota_spent(struct hw_daemon_link *link, bool spent, hw_time now)
{
	link->quota_spent = spent;
	hw_daemon_link_apply_use(link, now);
}

static void on_news(void *ctx, const struct hw_netlink_news *news)
{
	struct hw_daemon *daemon = ctx;
	const struct hw_interface *interface = &news->interface;
	hw_time now = hw_loop_now(daemon->loop);

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];
		bool ours = link->interface_index == interface->index && link->interface_index > 0;

		if (!is_wanted(link))
			continue;
		switch (news->what) {
		case HW_NETLINK_INTERFACE:
			if (link->interface[0] && strcmp(link->interface, interface->name) == 0)
				link_see(link, interface, now);
			else if (ours)
				link_lost(link, now, "its interface was renamed");
			break;
		case HW_NETLINK_INTERFACE_GONE:
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
		default:
			break;
		}
	}
}

/* Of links that both know, what can change while they run. */
void hw_daemon_links_reload(struct hw_daemon *daemon, const struct hw_config *next, hw_time now)
{
	for (uint32_t i = 0; i < next->link_count; i++) {
		struct hw_daemon_link *link = hw_daemon_link_find(daemon, next->links[i].name);

		if (!link)
			continue;
		link->rule = &next->links[i];
		hw_daemon_cost_link(link, now);
		hw_daemon_link_apply_use(link, now);
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

static void slot_start(struct hw_daemon *daemon, uint32_t index, const struct hw_config_link *rule,
		       hw_time now)
{
	struct hw_daemon_link *link = &daemon->links[index];
	struct hw_udp_config udp;

	*link = (struct hw_daemon_link){
		.daemon = daemon,
		.used = true,
		.index = index,
		.rule = rule,
		.retry_at = HW_TIME_NEVER,
		.backoff = BACKOFF_FIRST,
	};
	memcpy(link->name, rule->name, sizeof(link->name));
	memcpy(link->interface, rule->interface, sizeof(link->interface));
	link->sockets[HW_UDP_V4].source.fd = link->sockets[HW_UDP_V6].source.fd = -1;
	udp_config(daemon->config, rule, index, &udp);
	hw_udp_init(&link->udp, &udp);
	hw_daemon_cost_link(link, now);
	if (link->quota_spent)
		hw_daemon_link_apply_use(link, now);
	if (!is_wanted(link))
		return;
	link_check(link, now);
	if (!hw_udp_is_open(&link->udp) && link->retry_at == HW_TIME_NEVER)
		hw_log(&daemon->log, HW_LOG_WARNING,
		       "link %s: waiting for interface %s to come up", link->name, link->interface);
}

void hw_daemon_links_start(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < daemon->config->link_count; i++)
		slot_start(daemon, i, &daemon->config->links[i], now);
}

void hw_daemon_links_stop(struct hw_daemon *daemon)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used)
			close_sockets(&daemon->links[i]);
	}
}

void hw_daemon_links_tick(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];

		if (!link->used)
			continue;
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

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used)
			next = hw_time_min(next, daemon->links[i].retry_at);
	}
	return next;
}
