#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/runtime.h"

/* Inner packets handed to the device in one go. */
#define PACKETS_OUT 64u

/* Without a tunnel device, what the peer sends into the tunnel goes nowhere. */
static void drop_packets(struct hw_daemon *daemon)
{
	struct hw_buf *packet;

	while (hw_core_packets_out(daemon->core, &packet, 1) > 0)
		hw_buf_unref(packet);
}

/* Returns whether there was anything. */
static bool write_packets(struct hw_daemon *daemon)
{
	struct hw_buf *packets[PACKETS_OUT];
	bool any = false;
	size_t n;

	if (daemon->bare) {
		drop_packets(daemon);
		return false;
	}

	while ((n = hw_core_packets_out(daemon->core, packets, PACKETS_OUT)) > 0) {
		hw_tuntap_write(&daemon->tunnel, packets, n);
		any = true;
	}
	return any;
}

struct failure {
	struct hw_daemon *daemon;
	struct hw_daemon_link *link;
	hw_time now;
};

static void on_send_failed(void *ctx, const struct hw_tuple *tuple, bool gone)
{
	struct failure *failure = ctx;

	hw_core_send_failed(failure->daemon->core, tuple, gone, failure->now);
	/* The path may have been used from an address that was taken from us: EINVAL, ENETUNREACH ... */
	if (!gone && tuple->local.family != HW_FAMILY_NONE &&
	    !hw_picture_has_address(&failure->daemon->picture, 0, &tuple->local))
		hw_core_source_gone(failure->daemon->core, tuple, failure->now);
	/* Not closed here: the batch that is being sent still uses it. */
	if (gone && hw_udp_is_open(&failure->link->udp))
		failure->link->broken = true;
}

static void on_too_big(void *ctx, const struct hw_tuple *tuple, uint32_t bytes)
{
	struct failure *failure = ctx;

	hw_core_too_big(failure->daemon->core, tuple, bytes, failure->now);
}

static void send_datagrams(struct hw_daemon *daemon, hw_time now)
{
	size_t n;

	do {
		n = hw_core_datagrams_out(daemon->core, daemon->out, HW_DAEMON_OUT_BATCH);
		for (uint32_t i = 0; n > 0 && i < HW_CORE_MAX_LINKS; i++) {
			struct failure failure = {daemon, &daemon->links[i], now};

			if (!daemon->links[i].used)
				continue;
			daemon->links[i].udp.too_big = on_too_big;
			hw_udp_send(&daemon->links[i].udp, daemon->batch, daemon->out, n,
				    on_send_failed, &failure);
		}
		for (size_t i = 0; i < n; i++)
			hw_buf_unref(daemon->out[i].body);
	} while (n == HW_DAEMON_OUT_BATCH);
}

void hw_daemon_flush(struct hw_daemon *daemon, hw_time now)
{
	/* What has come all the way goes first; what leaves has its way yet before it. */
	(void)write_packets(daemon);
	send_datagrams(daemon, now);
}

/* Read up to max packets and see them off; gives how many. */
static uint32_t pump_tunnel(struct hw_daemon *daemon, size_t max, hw_time now)
{
	struct hw_buf *packets[HW_TUNTAP_BATCH];
	int n = 0;

	if (!daemon->failed)
		n = hw_tuntap_read(&daemon->tunnel, daemon->pool, now, packets, max);
	if (n < 0) {
		hw_log(&daemon->log, HW_LOG_ERROR, "tunnel device %s failed: %s",
		       daemon->tunnel.name,
		       errno == EBADFD ? "it was deleted" : strerror(errno));
		daemon->failed = true;
		hw_loop_stop(daemon->loop);
		return 0;
	}
	if (n == 0)
		return 0;
	hw_core_packets_in(daemon->core, packets, (size_t)n, now);
	hw_daemon_flush(daemon, now);
	return (uint32_t)n;
}

static void serve_tunnel(struct hw_daemon *daemon, hw_time now)
{
	uint32_t first = 0;

	/*
	 * Packets come alone or in bursts. After one that came alone the next is sent before it is
	 * asked whether another waits; within a burst, whole batches are worth more.
	 */
	if (!daemon->tunnel_busy) {
		first = pump_tunnel(daemon, 1, now);
		if (first == 0)
			return;
	}
	daemon->tunnel_busy = pump_tunnel(daemon, HW_TUNTAP_BATCH - first, now) > 1;
}

static void on_tunnel(void *ctx, uint32_t events, hw_time now)
{
	(void)events;
	serve_tunnel(ctx, now);
}

void hw_daemon_udp_ready(void *ctx, uint32_t events, hw_time now)
{
	struct hw_daemon_socket *socket = ctx;
	struct hw_daemon_link *link = socket->link;
	struct hw_daemon *daemon = link->daemon;
	struct hw_datagram in[HW_UDP_BATCH];
	int n = hw_udp_receive(&link->udp, socket->family, daemon->batch, now, in);

	(void)events;
	if (n < 0) {
		link->broken = true;
		return;
	}
	if (n == 0)
		return;
	hw_core_datagrams_in(daemon->core, in, (size_t)n, now);
	/* Before the next batch: the core's outputs are bounded. */
	if (write_packets(daemon))
		/* What a host hears it often answers at once, an echo or a TCP segment: it waits. */
		serve_tunnel(daemon, now);
	send_datagrams(daemon, now);
}

int hw_daemon_pump_start(struct hw_daemon *daemon)
{
	int err = hw_udp_batch_new(daemon->pool, &daemon->batch);

	if (err < 0)
		return err;
	if (daemon->bare)
		return 0;
	daemon->tunnel_source = (struct hw_loop_source){
		.fd = daemon->tunnel.fd,
		.priority = HW_LOOP_TUNNEL,
		.ready = on_tunnel,
		.ctx = daemon,
	};
	return hw_loop_add(daemon->loop, &daemon->tunnel_source, EPOLLIN);
}

void hw_daemon_pump_stop(struct hw_daemon *daemon)
{
	hw_udp_batch_free(daemon->batch);
	daemon->batch = NULL;
}
