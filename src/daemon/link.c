/* One link: its sockets, its use, and what the core is told of it. links.c says which there are. */
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

static enum hw_link_use chosen_use(const struct hw_daemon_link *link)
{
	return link->use_overridden ? link->use_override : link->rule->use;
}

enum hw_link_use hw_daemon_link_use(const struct hw_daemon_link *link)
{
	return link->quota_spent ? HW_USE_NEVER : chosen_use(link);
}

/*
 * Why no sockets are wanted at all; NULL: they are. A spent quota keeps them: the peer must still be
 * told things.
 */
static const char *unwanted(const struct hw_daemon_link *link)
{
	if (link->admin_down)
		return "taken down by the operator";
	if (chosen_use(link) == HW_USE_NEVER)
		return "never to be used";
	return NULL;
}

const char *hw_daemon_link_state(const struct hw_daemon_link *link)
{
	const char *why = unwanted(link);

	if (why || link->up)
		return why ? why : "up";
	if (link->found.reason == HW_DISCOVER_USABLE)
		return "its sockets cannot be opened";
	return hw_discover_reason_text(link->found.reason);
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

void hw_daemon_link_close(struct hw_daemon_link *link)
{
	for (int i = 0; i < HW_UDP_SOCKETS; i++) {
		hw_loop_remove(link->daemon->loop, &link->sockets[i].source);
		link->sockets[i].source.fd = -1;
	}
	hw_udp_close(&link->udp);
	link->interface_index = 0;
	link->broken = false;
}

/* The core may use it no more; its sockets stay as they are. */
static void go_down(struct hw_daemon_link *link, const char *why, hw_time now)
{
	if (!link->up)
		return;
	link->up = false;
	hw_core_link_down(link->daemon->core, link->index, now);
	hw_daemon_link_say(link, now, HW_LOG_WARNING, "down: %s", why);
}

static uint32_t mtu_of(const struct hw_daemon_link *link)
{
	if (link->rule->mtu > 0)
		return link->rule->mtu;
	return link->found.mtu_bytes > 0 ? link->found.mtu_bytes : UNBOUND_MTU_BYTES;
}

static void go_up(struct hw_daemon_link *link, hw_time now)
{
	struct hw_daemon *daemon = link->daemon;

	link->retry_at = HW_TIME_NEVER;
	link->backoff = BACKOFF_FIRST;
	link->mtu_bytes = mtu_of(link);
	link->fingerprint = hw_picture_fingerprint(&daemon->picture, link->found.index);
	link->up = true;
	hw_daemon_endpoints_tell(link, now);
	hw_core_link_up(daemon->core, link->index, link->mtu_bytes, now);
	hw_daemon_endpoints_hurry(daemon, now);
	hw_daemon_link_say(link, now, HW_LOG_INFO,
			   "ready on %s, MTU %u, ports %u (IPv4) and %u (IPv6)",
			   link->interface[0] ? link->interface : "any interface", link->mtu_bytes,
			   hw_udp_port(&link->udp, HW_UDP_V4), hw_udp_port(&link->udp, HW_UDP_V6));
}

/* It is up and goes on; what it stands on may be another. */
static void stay_up(struct hw_daemon_link *link, hw_time now)
{
	struct hw_daemon *daemon = link->daemon;
	uint64_t fingerprint = hw_picture_fingerprint(&daemon->picture, link->found.index);
	uint32_t mtu_bytes = mtu_of(link);

	hw_daemon_endpoints_tell(link, now);
	if (link->mtu_bytes != mtu_bytes) {
		link->mtu_bytes = mtu_bytes;
		hw_core_link_up(daemon->core, link->index, mtu_bytes, now);
		hw_daemon_link_say(link, now, HW_LOG_INFO, "MTU %u", mtu_bytes);
	}
	if (link->fingerprint != fingerprint) {
		link->fingerprint = fingerprint;
		hw_core_link_readdressed(daemon->core, link->index, now);
		hw_daemon_link_say(link, now, HW_LOG_INFO, "its addresses or routes have changed");
	}
}

static void open_sockets(struct hw_daemon_link *link, hw_time now)
{
	int err = hw_udp_open(&link->udp);

	if (err == 0)
		err = watch(link);
	if (err == 0) {
		link->interface_index = link->found.index;
		return;
	}
	hw_log_limited(&link->daemon->log, &link->limit, now, HW_LOG_WARNING,
		       "link %s: cannot open its sockets, trying again: %s", link->name,
		       reason_of(err));
	hw_daemon_link_close(link);
	retry_later(link, now);
}

static void udp_config(const struct hw_daemon_link *link, struct hw_udp_config *ret_config)
{
	const struct hw_config *config = link->daemon->config;

	*ret_config = (struct hw_udp_config){
		.link = link->index,
		.local = link->rule->address.family != HW_FAMILY_NONE ? link->rule->address
								      : config->listen.addr,
		.port = config->listen.given ? config->listen.addr.port : 0,
		.tos = config->tunnel.copy_dscp,
	};
	memcpy(ret_config->interface, link->interface, sizeof(ret_config->interface));
}

/* Whether the sockets that are open would be opened otherwise now. */
static bool is_other_binding(const struct hw_daemon_link *link, const struct hw_udp_config *wanted)
{
	const struct hw_udp_config *is = &link->udp.config;

	/* An interface that is renamed is still the one that they are bound to. */
	return link->interface_index != link->found.index || is->port != wanted->port ||
	       is->tos != wanted->tos || !hw_addr_equal(&is->local, &wanted->local) ||
	       (is->interface[0] == '\0') != (wanted->interface[0] == '\0');
}

/* While its interface is there, the sockets stay: with them the port, which the peer knows. */
static bool keeps_sockets(const struct hw_daemon_link *link)
{
	switch (link->found.reason) {
	case HW_DISCOVER_DOWN:
	case HW_DISCOVER_NO_CARRIER:
	case HW_DISCOVER_NO_ADDRESS:
	case HW_DISCOVER_NO_ROUTE:
	case HW_DISCOVER_LOST_ADDRESS:
		return link->found.index != 0;
	default:
		return false;
	}
}

/* Make it what discovery, the operator and the configuration say together. */
static void settle(struct hw_daemon_link *link, hw_time now)
{
	const char *why = unwanted(link);
	struct hw_udp_config wanted;

	if (!why && link->found.reason != HW_DISCOVER_USABLE)
		why = hw_discover_reason_text(link->found.reason);
	udp_config(link, &wanted);
	if (hw_udp_is_open(&link->udp) && is_other_binding(link, &wanted)) {
		go_down(link, why ? why : "its sockets are opened anew", now);
		hw_daemon_link_close(link);
	}
	link->udp.config = wanted;
	if (why) {
		go_down(link, why, now);
		if (unwanted(link) || !keeps_sockets(link))
			hw_daemon_link_close(link);
		link->retry_at = HW_TIME_NEVER; /* news will come */
		return;
	}
	if (!hw_udp_is_open(&link->udp) && (link->retry_at == HW_TIME_NEVER || link->retry_at <= now))
		open_sockets(link, now);
	if (!hw_udp_is_open(&link->udp))
		return;
	if (link->up)
		stay_up(link, now);
	else
		go_up(link, now);
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

void hw_daemon_link_follow(struct hw_daemon_link *link, const struct hw_config_link *rule,
			   const struct hw_discover_link *found, hw_time now)
{
	bool renamed = strcmp(link->name, found->name) != 0;
	bool changed = link->rule != rule || renamed;

	if (link->rule && renamed) {
		hw_log(&link->daemon->log, HW_LOG_INFO, "link %s: now called %s", link->name,
		       found->name);
		hw_daemon_cost_link_gone(link, now); /* accounts are kept by name */
	} else if (link->up && strcmp(link->interface, found->interface) != 0) {
		hw_log(&link->daemon->log, HW_LOG_INFO, "link %s: its interface is called %s now",
		       link->name, found->interface);
	}
	/* What could not be opened may have failed for what is otherwise now. */
	if (found->reason != link->found.reason || found->index != link->found.index)
		link->retry_at = HW_TIME_NEVER;
	link->rule = rule;
	link->found = *found;
	if (renamed) {
		char before[HW_CORE_NAME_BYTES];

		memcpy(before, link->name, sizeof(before));
		memcpy(link->name, found->name, sizeof(link->name));
		hw_daemon_operator_named(link, before);
	}
	memcpy(link->interface, found->interface, sizeof(link->interface));
	if (changed) {
		hw_daemon_cost_link(link, now);
		hw_daemon_link_apply_use(link, now);
	}
	settle(link, now);
}

void hw_daemon_link_begin(struct hw_daemon *daemon, uint32_t index,
			  const struct hw_config_link *rule, const struct hw_discover_link *found,
			  hw_time now)
{
	struct hw_daemon_link *link = &daemon->links[index];
	const struct hw_udp_config closed = {.link = index};

	*link = (struct hw_daemon_link){
		.daemon = daemon,
		.used = true,
		.index = index,
		.retry_at = HW_TIME_NEVER,
		.backoff = BACKOFF_FIRST,
	};
	link->sockets[HW_UDP_V4].source.fd = link->sockets[HW_UDP_V6].source.fd = -1;
	hw_udp_init(&link->udp, &closed);
	hw_daemon_link_follow(link, rule, found, now);
	if (!link->up && !unwanted(link) && found->reason != HW_DISCOVER_USABLE)
		hw_daemon_link_say(link, now, HW_LOG_WARNING, "waiting%s%s: %s",
				   link->interface[0] ? " for interface " : "", link->interface,
				   hw_discover_reason_text(found->reason));
}

void hw_daemon_link_end(struct hw_daemon_link *link, hw_time now)
{
	struct hw_daemon *daemon = link->daemon;
	struct hw_udp_counters *sum = &daemon->retired;

	hw_daemon_link_close(link);
	hw_core_link_remove(daemon->core, link->index, now);
	/* While it still has its name. */
	hw_daemon_events(daemon, now);
	hw_daemon_link_say(link, now, HW_LOG_INFO, "removed");
	hw_daemon_cost_link_gone(link, now);
	sum->rx_packets += link->udp.counters.rx_packets;
	sum->rx_bytes += link->udp.counters.rx_bytes;
	sum->tx_packets += link->udp.counters.tx_packets;
	sum->tx_bytes += link->udp.counters.tx_bytes;
	sum->rx_no_buffer += link->udp.counters.rx_no_buffer;
	sum->rx_truncated += link->udp.counters.rx_truncated;
	sum->rx_overrun += link->udp.counters.rx_overrun;
	sum->tx_full += link->udp.counters.tx_full;
	sum->tx_refused += link->udp.counters.tx_refused;
	link->used = false;
}

void hw_daemon_link_tick(struct hw_daemon_link *link, hw_time now)
{
	if (link->broken) {
		go_down(link, "the system took its sockets away", now);
		hw_daemon_link_close(link);
		retry_later(link, now);
	}
	if (link->retry_at <= now) {
		settle(link, now);
	}
}

void hw_daemon_link_set_admin_down(struct hw_daemon_link *link, bool down, hw_time now)
{
	link->admin_down = down;
	settle(link, now);
}

void hw_daemon_link_override_use(struct hw_daemon_link *link, enum hw_link_use use, hw_time now)
{
	link->use_overridden = true;
	link->use_override = use;
	hw_daemon_link_apply_use(link, now);
	settle(link, now);
}

void hw_daemon_link_forget_override(struct hw_daemon_link *link, hw_time now)
{
	link->use_overridden = false;
	hw_daemon_link_apply_use(link, now);
	settle(link, now);
}

void hw_daemon_link_set_quota_spent(struct hw_daemon_link *link, bool spent, hw_time now)
{
	link->quota_spent = spent;
	hw_daemon_link_apply_use(link, now);
}
