/* Opening and closing; udp_batch.c receives and sends. */
#include "io/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sockaddr.h"

/* A burst of 4 MiB is a third of a second at 100 Mbit/s: longer than this process ever pauses. */
#define RECEIVE_BUFFER_BYTES (4 * 1024 * 1024)
/* What waits here is late already, so no more than a few full batches. */
#define SEND_BUFFER_BYTES (512 * 1024)

/* Since Linux 4.18; not in every libc's header. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

void hw_udp_init(struct hw_udp *udp, const struct hw_udp_config *config)
{
	memset(udp, 0, sizeof(*udp));
	udp->config = *config;
	for (int i = 0; i < HW_UDP_SOCKETS; i++)
		udp->fd[i] = -1;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? HW_E_SYSTEM : 0;
}

static void set_buffers(int fd)
{
	/* The forced form passes the system's limit and needs CAP_NET_ADMIN; less is no failure. */
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES) < 0)
		(void)set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES) < 0)
		(void)set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES);
}

/*
 * Path MTU discovery by the kernel is off ("probe"): it would believe ICMP messages that anybody can
 * forge, and shrink the path. The kernel then goes by the interface's MTU alone, whatever it has heard
 * of the way, sets the don't-fragment bit and refuses what is larger (EMSGSIZE): so a probe of the
 * path's MTU (path/mtu.h) arrives whole or not at all.
 */
static int set_options_v4(int fd, const struct hw_udp_config *config)
{
	if (set(fd, IPPROTO_IP, IP_PKTINFO, 1) < 0 ||
	    set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) < 0)
		return HW_E_SYSTEM;
	return config->tos ? set(fd, IPPROTO_IP, IP_RECVTOS, 1) : 0;
}

static int set_options_v6(int fd, const struct hw_udp_config *config)
{
	if (set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0 ||
	    set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0 ||
	    set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) < 0)
		return HW_E_SYSTEM;
	return config->tos ? set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) : 0;
}

static int bind_local(int fd, const struct hw_udp_config *config, enum hw_udp_socket_family family)
{
	struct hw_addr local = config->local;
	union hw_sockaddr sockaddr;
	socklen_t len;

	if (local.family == HW_FAMILY_NONE)
		local.family = family == HW_UDP_V4 ? HW_FAMILY_IPV4 : HW_FAMILY_IPV6;
	local.port = config->port;
	len = hw_sockaddr_from(&sockaddr, &local);
	/*
	 * No SO_REUSEADDR: sockets that are bound to different devices or addresses do not collide,
	 * and with it any program of this machine could take our datagrams.
	 */
	return bind(fd, &sockaddr.sa, len) < 0 ? HW_E_SYSTEM : 0;
}

static int error_of_errno(void)
{
	switch (errno) {
	case ENODEV:
	case ENXIO:
	case EADDRNOTAVAIL:
		return HW_E_NOT_FOUND;
	case EADDRINUSE:
		return HW_E_STATE;
	case EPERM:
	case EACCES:
		return HW_E_AUTH;
	default:
		return HW_E_SYSTEM;
	}
}

static int bind_device(int fd, const struct hw_udp_config *config)
{
	if (!config->interface[0])
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->interface,
			  (socklen_t)strlen(config->interface)) < 0 ? HW_E_SYSTEM : 0;
}

static int open_socket(struct hw_udp *udp, enum hw_udp_socket_family family)
{
	const struct hw_udp_config *config = &udp->config;
	bool v4 = family == HW_UDP_V4;
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return HW_E_SYSTEM;
	/* The device first: it decides whether the port below collides with another link's. */
	if (bind_device(fd, config) < 0)
		goto fail;
	set_buffers(fd);
	/* Arrival as the kernel saw it, not as late as we were: jitter is measured by it. */
	if (set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) < 0)
		goto fail;
	if ((v4 ? set_options_v4(fd, config) : set_options_v6(fd, config)) < 0)
		goto fail;
	if (bind_local(fd, config, family) < 0)
		goto fail;
	udp->gso[family] = set(fd, SOL_UDP, UDP_SEGMENT, 0) == 0;
	udp->fd[family] = fd;
	return 0;
fail:
	err = errno;
	close(fd);
	errno = err;
	return error_of_errno();
}

int hw_udp_open(struct hw_udp *udp)
{
	int err = HW_E_NOT_FOUND;

	for (int i = 0; i < HW_UDP_SOCKETS; i++) {
		uint8_t family = i == HW_UDP_V4 ? HW_FAMILY_IPV4 : HW_FAMILY_IPV6;
		int one;

		if (udp->config.local.family != HW_FAMILY_NONE && udp->config.local.family != family)
			continue;
		one = open_socket(udp, (enum hw_udp_socket_family)i);
		/* A system without IPv6, or with it switched off, is no failure. */
		if (one == 0 || (i == HW_UDP_V6 && hw_udp_is_open(udp) &&
				 (errno == EAFNOSUPPORT || one == HW_E_NOT_FOUND))) {
			err = 0;
			continue;
		}
		one = one == HW_E_SYSTEM ? error_of_errno() : one;
		hw_udp_close(udp);
		return one;
	}
	return err;
}

int hw_udp_set_tos(struct hw_udp *udp, bool tos)
{
	udp->config.tos = tos;
	if (udp->fd[HW_UDP_V4] >= 0 && set(udp->fd[HW_UDP_V4], IPPROTO_IP, IP_RECVTOS, tos) < 0)
		return HW_E_SYSTEM;
	if (udp->fd[HW_UDP_V6] >= 0 && set(udp->fd[HW_UDP_V6], IPPROTO_IPV6, IPV6_RECVTCLASS, tos) < 0)
		return HW_E_SYSTEM;
	return 0;
}

static uint64_t socket_overruns(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

uint64_t hw_udp_overruns(const struct hw_udp *udp)
{
	return udp->counters.rx_overrun + socket_overruns(udp->fd[HW_UDP_V4]) +
	       socket_overruns(udp->fd[HW_UDP_V6]);
}

void hw_udp_close(struct hw_udp *udp)
{
	int saved = errno;

	udp->counters.rx_overrun = hw_udp_overruns(udp);
	for (int i = 0; i < HW_UDP_SOCKETS; i++) {
		if (udp->fd[i] >= 0)
			close(udp->fd[i]);
		udp->fd[i] = -1;
	}
	errno = saved;
}

bool hw_udp_is_open(const struct hw_udp *udp)
{
	return udp->fd[HW_UDP_V4] >= 0 || udp->fd[HW_UDP_V6] >= 0;
}

uint16_t hw_udp_port(const struct hw_udp *udp, enum hw_udp_socket_family family)
{
	union hw_sockaddr sockaddr;
	socklen_t len = sizeof(sockaddr);

	if (udp->fd[family] < 0 || getsockname(udp->fd[family], &sockaddr.sa, &len) < 0)
		return 0;
	return ntohs(family == HW_UDP_V4 ? sockaddr.in4.sin_port : sockaddr.in6.sin6_port);
}

int hw_udp_source(const struct hw_udp *udp, const struct hw_addr *remote, struct hw_addr *ret_local)
{
	union hw_sockaddr sockaddr;
	socklen_t len = hw_sockaddr_from(&sockaddr, remote);
	int err = HW_E_NOT_FOUND;
	int fd;

	if (len == 0)
		return HW_E_NOT_FOUND;
	fd = socket(sockaddr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return HW_E_NOT_FOUND;
	/* Connecting a UDP socket sends nothing: it only asks the routing table. */
	if (bind_device(fd, &udp->config) == 0 && connect(fd, &sockaddr.sa, len) == 0) {
		len = sizeof(sockaddr);
		if (getsockname(fd, &sockaddr.sa, &len) == 0) {
			hw_sockaddr_to(&sockaddr.sa, ret_local);
			ret_local->port = 0;
			err = 0;
		}
	}
	close(fd);
	return err;
}
