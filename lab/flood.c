/*
 * Sends datagrams as fast as the machine can: to test a daemon under it. What they are is the caller's
 * business: they come on standard input, one after the other, and are sent round and round.
 *
 *     hw-flood ADDRESS PORT SECONDS BYTES <datagrams of BYTES each
 *
 * Prints one line of JSON: datagrams sent, and how many a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/time.h"

#define DATAGRAMS_MAX 4096u
#define BYTES_MAX 1500u
#define BATCH 64u

static uint8_t datagrams[DATAGRAMS_MAX * BYTES_MAX];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * HW_NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t flood(int fd, size_t count, size_t bytes, uint64_t end)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	uint64_t sent = 0;

	while (now_ns() < end) {
		for (uint32_t i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){datagrams + (sent + i) % count * bytes, bytes};
			messages[i].msg_hdr.msg_iov = &parts[i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		int n = sendmmsg(fd, messages, BATCH, 0);

		if (n > 0)
			sent += (uint64_t)n;
		else if (errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR)
			break;
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	size_t bytes, count;
	uint64_t seconds, sent;
	int fd;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: hw-flood ADDRESS PORT SECONDS BYTES <datagrams\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	seconds = strtoull(argv[3], NULL, 10);
	bytes = strtoul(argv[4], NULL, 10);
	if (bytes == 0 || bytes > BYTES_MAX || seconds == 0)
		return 2;
	count = fread(datagrams, bytes, DATAGRAMS_MAX, stdin);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (count == 0 || fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		fprintf(stderr, "hw-flood: nothing to send, or no socket\n");
		return 2;
	}
	sent = flood(fd, count, bytes, now_ns() + seconds * HW_NS_PER_S);
	printf("{\"sent\": %llu, \"per_second\": %llu}\n", (unsigned long long)sent,
	       (unsigned long long)(sent / seconds));
	return 0;
}
