#include "io/reach.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/sockaddr.h"

static enum hw_reach reason_of(int error_number)
{
	switch (error_number) {
	case ECONNREFUSED:
		return HW_REACH_REFUSED;
	case ENETUNREACH:
		return HW_REACH_NO_ROUTE;
	case EHOSTUNREACH:
		return HW_REACH_NO_NEIGHBOUR;
	case EADDRNOTAVAIL:
		return HW_REACH_NO_ADDRESS;
	case EACCES:
	case EPERM:
		return HW_REACH_PROHIBITED;
	default:
		return HW_REACH_FAILED;
	}
}

static int prepare(int fd, const struct hw_udp_config *link, const struct hw_addr *remote)
{
	static const int on = 1;
	union hw_sockaddr address;
	socklen_t len;

	if (link->interface[0] &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->interface,
		       (socklen_t)strlen(link->interface)) < 0)
		return -1;
	/* Without it, most of what ICMP says is kept from the program. */
	if (remote->family == HW_FAMILY_IPV6
		    ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) < 0
		    : setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) < 0)
		return -1;
	if (link->local.family == remote->family) {
		struct hw_addr local = link->local;

		local.port = 0;
		len = hw_sockaddr_from(&address, &local);
		if (bind(fd, &address.sa, len) < 0)
			return -1;
	}
	len = hw_sockaddr_from(&address, remote);
	return connect(fd, &address.sa, len);
}

/* The error that comes back, or SILENT. An answer is silence too: it is not the peer's protocol. */
static enum hw_reach wait_for(int fd, unsigned timeout_ms)
{
	hw_time until = hw_clock_now() + HW_MS(timeout_ms);
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char byte;

	for (;;) {
		hw_time left = hw_time_since(until, hw_clock_now());

		if (left == 0 || poll(&poll_fd, 1, (int)(left / HW_NS_PER_MS) + 1) <= 0)
			return HW_REACH_SILENT;
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
			continue;
		if (errno != EAGAIN && errno != EINTR)
			return reason_of(errno);
		/* Only the error queue has something: its errno came as SO_ERROR before, or comes. */
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_ERRQUEUE) < 0)
			return HW_REACH_SILENT;
	}
}

enum hw_reach hw_reach_ask(const struct hw_udp_config *link, const struct hw_addr *remote,
			   unsigned timeout_ms)
{
	enum hw_reach reach;
	int fd = socket(remote->family == HW_FAMILY_IPV6 ? AF_INET6 : AF_INET,
			SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? HW_REACH_NO_ADDRESS : HW_REACH_FAILED;
	if (prepare(fd, link, remote) < 0 || send(fd, "", 1, 0) < 0)
		reach = reason_of(errno);
	else
		reach = wait_for(fd, timeout_ms);
	close(fd);
	return reach;
}
