/*
 * hw-forward: the least that any tunnel in user space does. Frames of a TAP device to a UDP address and
 * back, as they are: no encryption, no header, no second link. The benchmark shows it beside real
 * tunnels, as what this machine asks for its system calls and wake-ups alone.
 *
 *     hw-forward DEVICE PORT ADDRESS     both ends use the same PORT
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/tap.h"

/* Moves what waits; a datagram or frame that is refused is lost, as on a wire. */
static void move(int from, int to)
{
	uint8_t data[4096];
	ssize_t n;

	while ((n = read(from, data, sizeof(data))) > 0) {
		if (write(to, data, (size_t)n) < 0)
			continue;
	}
}

static int udp(const char *port, const char *address)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    inet_pton(AF_INET, address, &addr.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};

	if (argc != 4) {
		fprintf(stderr, "usage: hw-forward DEVICE PORT ADDRESS\n");
		return 2;
	}
	if (hw_lab_tap_open("-", argv[1], &fds[0].fd) != 0 ||
	    (fds[1].fd = udp(argv[2], argv[3])) < 0) {
		perror("hw-forward");
		return 1;
	}
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			return 1;
		move(fds[0].fd, fds[1].fd);
		move(fds[1].fd, fds[0].fd);
	}
}
