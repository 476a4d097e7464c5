#include <stdlib.h>

#include "control/server.h"
#include "control/status.h"
#include "daemon/runtime.h"

#define IO_DROPS 8u

/* What the system side dropped, over all links. */
static void sum_drops(const struct hw_daemon *daemon, struct hw_status_drop drops[IO_DROPS])
{
	struct hw_udp_counters sum = daemon->retired;

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		const struct hw_udp_counters *one = &daemon->links[i].udp.counters;

		if (!daemon->links[i].used)
			continue;
		sum.rx_no_buffer += one->rx_no_buffer;
		sum.rx_truncated += one->rx_truncated;
		sum.rx_overrun += hw_udp_overruns(&daemon->links[i].udp);
		sum.tx_full += one->tx_full;
		sum.tx_refused += one->tx_refused;
	}
	drops[0] = (struct hw_status_drop){"io_rx_no_buffer", sum.rx_no_buffer};
	drops[1] = (struct hw_status_drop){"io_rx_truncated", sum.rx_truncated};
	drops[2] = (struct hw_status_drop){"io_tx_full", sum.tx_full};
	drops[3] = (struct hw_status_drop){"io_tx_refused", sum.tx_refused};
	drops[4] = (struct hw_status_drop){"io_tunnel_no_buffer",
					   daemon->tunnel.counters.read_no_buffer};
	drops[5] = (struct hw_status_drop){"io_tunnel_truncated",
					   daemon->tunnel.counters.read_truncated};
	drops[6] = (struct hw_status_drop){"io_tunnel_refused",
					   daemon->tunnel.counters.write_refused};
	drops[7] = (struct hw_status_drop){"io_rx_overrun", sum.rx_overrun};
}

/*
 * The core leaves the choice of our address on a path to the kernel until the peer has written to
 * one. A person wants to see which it is.
 */
static void name_sources(const struct hw_daemon *daemon, struct hw_peer_snapshot *peer)
{
	for (uint32_t i = 0; i < peer->path_count; i++) {
		struct hw_tuple *tuple = &peer->paths[i].tuple;
		const struct hw_udp *udp;

		if (tuple->local.family != HW_FAMILY_NONE || tuple->link >= HW_CORE_MAX_LINKS ||
		    !daemon->links[tuple->link].used)
			continue;
		udp = &daemon->links[tuple->link].udp;
		if (hw_udp_is_open(udp) && udp->config.local.family != HW_FAMILY_NONE)
			tuple->local = udp->config.local;
		else if (hw_udp_is_open(udp))
			(void)!hw_udp_source(udp, &tuple->remote, &tuple->local);
	}
}

static void describe_link(const struct hw_daemon_link *link, struct hw_status_link *ret_status)
{
	static const char *const uses[] = {"always", "backup", "never"};
	enum hw_link_use use = hw_daemon_link_use(link);
	bool open = link->up;

	*ret_status = (struct hw_status_link){
		.name = link->name,
		.interface = link->interface[0] ? link->interface : NULL,
		/* A spent quota leaves the sockets open: the peer must be told things. */
		.state = link->admin_down ? "down" : use == HW_USE_NEVER ? "unused"
			 : open ? "ready" : "waiting",
		.reason = link->quota_spent && !link->admin_down ? "its quota is used up"
			  : open ? NULL : hw_daemon_link_state(link),
		.use = uses[use],
		.use_by = link->quota_spent ? "quota"
			  : link->use_overridden ? "operator" : "configuration",
		.price = link->rule->price,
		.metered = hw_config_link_metered(link->rule),
		.mtu_bytes = open ? link->mtu_bytes : 0,
	};
	hw_daemon_cost_status(link, ret_status);
}

static json_t *status(void *ctx)
{
	struct hw_daemon *daemon = ctx;
	hw_time now = hw_loop_now(daemon->loop);
	uint32_t peer_count = hw_core_peer_count(daemon->core);
	struct hw_peer_snapshot *peers = calloc(peer_count + 1u, sizeof(*peers));
	struct hw_status_link links[HW_CORE_MAX_LINKS];
	struct hw_status_drop drops[IO_DROPS];
	struct hw_core_totals totals;
	json_t *result;

	if (!peers)
		return NULL;
	for (uint32_t i = 0; i < peer_count; i++) {
		hw_core_peer_snapshot(daemon->core, i, now, &peers[i]);
		name_sources(daemon, &peers[i]);
	}
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		links[i].name = NULL;
		if (daemon->links[i].used)
			describe_link(&daemon->links[i], &links[i]);
	}
	sum_drops(daemon, drops);
	hw_core_totals(daemon->core, &totals);
	result = hw_status_render(&(struct hw_status_input){
		.version = HW_VERSION,
		.device = daemon->tunnel.name,
		.mode = daemon->config->mode,
		.uptime = hw_time_since(now, daemon->started),
		.links = links,
		.link_count = HW_CORE_MAX_LINKS,
		.drops = drops,
		.drop_count = IO_DROPS,
		.peers = peers,
		.peer_count = peer_count,
		.totals = &totals,
	});
	free(peers);
	return result;
}

void hw_daemon_report_handler(struct hw_daemon *daemon, struct hw_control_handler *ret_handler)
{
	*ret_handler = (struct hw_control_handler){.status = status,
						     .act = hw_daemon_act,
						     .ctx = daemon};
}
