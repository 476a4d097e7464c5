/*
 * hw-traffic: numbered UDP datagrams, and what became of them.
 *
 *     hw-traffic send ADDRESS PORT [--rate N] [--size N] [--seconds N]
 *     hw-traffic recv PORT [--idle N]
 *     hw-traffic ticks REALTIME [--rate N] [--seconds N]
 *
 * The sender sends `rate` datagrams a second (0: as many as it can) of `size` bytes of payload and
 * prints how many left. The receiver prints, after `idle` seconds without any, or on SIGTERM, what
 * came: how many different ones, how many more than once, how many behind a later one, how many
 * whose bytes had changed, the longest time between two, and their one-way delays. Both must run on one machine: the delay is
 * taken from the sender's clock to the kernel's stamp of arrival. `ticks` sends nothing: it says how
 * late the machine's own timers wake a program, one of real-time priority if REALTIME is 1, so that the
 * delays of everything else can be seen beside that. Output is one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

#define HEAD_BYTES 24u /* magic, number, time: 8 bytes each */
#define MAX_BYTES 9000u
#define MAX_NUMBERS (1u << 26)
#define MAX_DELAYS (1u << 22)
#define BATCH 32u
#define NS_PER_S UINT64_C(1000000000)

static const uint8_t magic[8] = {'h', 'w', 't', 'r', 'a', 'f', 'f', '1'};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint8_t filler(uint64_t number, size_t at)
{
	return (uint8_t)(number * 31 + at * 7 + (at >> 8));
}

static void fill(uint8_t *data, size_t bytes, uint64_t number)
{
	memcpy(data, magic, sizeof(magic));
	hw_store64(data + 8, number);
	for (size_t i = HEAD_BYTES; i < bytes; i++)
		data[i] = filler(number, i);
	hw_store64(data + 16, clock_ns(CLOCK_REALTIME));
}

static bool whole(const uint8_t *data, size_t bytes, uint64_t number)
{
	for (size_t i = HEAD_BYTES; i < bytes; i++) {
		if (data[i] != filler(number, i))
			return false;
	}
	return true;
}

struct sender {
	int fd;
	size_t size;
	uint64_t number, refused;
	uint8_t data[BATCH][MAX_BYTES];
};

static void send_batch(struct sender *s, unsigned count)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec iov[BATCH];
	unsigned done = 0;

	for (unsigned i = 0; i < count; i++) {
		fill(s->data[i], s->size, s->number++);
		iov[i] = (struct iovec){s->data[i], s->size};
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < count && !stop) {
		int n = sendmmsg(s->fd, messages + done, count - done, 0);

		if (n > 0) {
			done += (unsigned)n;
		} else if (errno != EINTR) {
			s->refused++; /* ENOBUFS, ECONNREFUSED: that one is lost, the next may pass */
			done++;
		}
	}
}

static int send_main(const char *host, const char *port, double rate, size_t size, double seconds)
{
	static struct sender s;
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *addr;
	uint64_t start, end, now;
	int buffer = 4 << 20;

	if (size < HEAD_BYTES || size > MAX_BYTES || getaddrinfo(host, port, &hints, &addr) != 0) {
		fprintf(stderr, "hw-traffic: bad address, port or size\n");
		return 2;
	}
	s.size = size;
	s.fd = socket(addr->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (s.fd < 0 || connect(s.fd, addr->ai_addr, addr->ai_addrlen) < 0) {
		perror("hw-traffic");
		return 1;
	}
	start = clock_ns(CLOCK_MONOTONIC);
	end = start + (uint64_t)(seconds * (double)NS_PER_S);
	while (!stop && (now = clock_ns(CLOCK_MONOTONIC)) < end) {
		uint64_t due = (uint64_t)((double)(now - start) * rate / (double)NS_PER_S) + 1;
		uint64_t next;
		struct timespec until;

		if (rate <= 0) {
			send_batch(&s, BATCH);
			continue;
		}
		while (s.number < due && !stop)
			send_batch(&s, due - s.number < BATCH ? (unsigned)(due - s.number) : BATCH);
		next = start + (uint64_t)((double)s.number * (double)NS_PER_S / rate) + 1;
		until = (struct timespec){(time_t)(next / NS_PER_S), (long)(next % NS_PER_S)};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	now = clock_ns(CLOCK_MONOTONIC);
	printf("{\"sent\":%llu,\"refused\":%llu,\"seconds\":%.6f}\n", (unsigned long long)s.number,
	       (unsigned long long)s.refused, (double)(now - start) / 1e9);
	freeaddrinfo(addr);
	close(s.fd);
	return 0;
}

struct receiver {
	uint8_t *seen; /* a bit for each number */
	uint64_t received, unique, duplicates, reordered, changed, foreign, highest;
	uint64_t first_ns, last_ns, bytes;
	uint64_t unique_ns, gap_ns, gap_after; /* the last new one; the longest time between two; its first */
	float *delays_ms;
	size_t delay_count;
};

static void count(struct receiver *r, const uint8_t *data, size_t bytes, uint64_t at)
{
	uint64_t number;

	if (bytes < HEAD_BYTES || memcmp(data, magic, sizeof(magic)) != 0) {
		r->foreign++;
		return;
	}
	number = hw_load64(data + 8);
	if (number >= MAX_NUMBERS || !whole(data, bytes, number)) {
		r->changed++;
		return;
	}
	if (r->received++ == 0)
		r->first_ns = at;
	r->last_ns = at;
	r->bytes += bytes;
	if (r->seen[number / 8] & 1u << number % 8) {
		r->duplicates++;
		return;
	}
	r->seen[number / 8] |= (uint8_t)(1u << number % 8);
	if (r->unique > 0 && at > r->unique_ns && at - r->unique_ns > r->gap_ns) {
		r->gap_ns = at - r->unique_ns;
		r->gap_after = r->highest;
	}
	r->unique_ns = at;
	if (r->unique++ > 0 && number < r->highest)
		r->reordered++;
	else
		r->highest = number;
	if (r->delay_count < MAX_DELAYS)
		r->delays_ms[r->delay_count++] =
			(float)((double)(int64_t)(at - hw_load64(data + 16)) / 1e6);
}

static uint64_t stamp_of(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
		}
	}
	return clock_ns(CLOCK_REALTIME);
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static double quantile(const struct receiver *r, double share)
{
	if (r->delay_count == 0)
		return -1;
	return (double)r->delays_ms[(size_t)(share * (double)(r->delay_count - 1))];
}

static void print_received(struct receiver *r)
{
	double seconds = (double)(r->last_ns - r->first_ns) / 1e9;

	qsort(r->delays_ms, r->delay_count, sizeof(*r->delays_ms), by_value);
	printf("{\"received\":%llu,\"unique\":%llu,\"duplicates\":%llu,\"reordered\":%llu,"
	       "\"changed\":%llu,\"foreign\":%llu,\"highest\":%llu,\"bytes\":%llu,\"seconds\":%.6f,"
	       "\"gap_ms\":%.4f,\"gap_after\":%llu,"
	       "\"delay_ms\":{\"min\":%.4f,\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f}}\n",
	       (unsigned long long)r->received, (unsigned long long)r->unique,
	       (unsigned long long)r->duplicates, (unsigned long long)r->reordered,
	       (unsigned long long)r->changed, (unsigned long long)r->foreign,
	       (unsigned long long)r->highest, (unsigned long long)r->bytes, seconds,
	       (double)r->gap_ns / 1e6, (unsigned long long)r->gap_after,
	       quantile(r, 0), quantile(r, 0.5), quantile(r, 0.99), quantile(r, 0.999),
	       quantile(r, 1));
}

static void receive_batch(struct receiver *r, int fd)
{
	static uint8_t data[BATCH][MAX_BYTES];
	char control[BATCH][64];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec iov[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){data[i], MAX_BYTES};
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_control = control[i];
		messages[i].msg_hdr.msg_controllen = sizeof(control[i]);
	}
	n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		count(r, data[i], messages[i].msg_len, stamp_of(&messages[i].msg_hdr));
}

static int recv_main(const char *port, double idle)
{
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
	struct receiver r = {.seen = calloc(1, MAX_NUMBERS / 8),
			     .delays_ms = calloc(MAX_DELAYS, sizeof(float))};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1, off = 0, buffer = 8 << 20;
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (!r.seen || !r.delays_ms || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		perror("hw-traffic");
		return 1;
	}
	fprintf(stderr, "ready\n");
	while (!stop) {
		int n = poll(&pfd, 1, idle > 0 && r.received ? (int)(idle * 1000) : -1);

		if (n == 0)
			break;
		if (n > 0)
			receive_batch(&r, fd);
	}
	print_received(&r);
	free(r.seen);
	free(r.delays_ms);
	close(fd);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: hw-traffic send ADDRESS PORT [--rate N] [--size N] [--seconds N]\n"
			"       hw-traffic recv PORT [--idle N]\n"
			"       hw-traffic ticks REALTIME [--rate N] [--seconds N]\n");
	return 2;
}

static int ticks_main(bool realtime, double rate, double seconds)
{
	const struct sched_param param = {.sched_priority = 10};
	struct receiver r = {.delays_ms = calloc(MAX_DELAYS, sizeof(float))};
	uint64_t at = clock_ns(CLOCK_MONOTONIC);
	size_t count = (size_t)(rate * seconds);

	if (!r.delays_ms || rate <= 0 || count > MAX_DELAYS)
		return usage();
	if (realtime && sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		perror("hw-traffic: no real-time priority");
	while (r.delay_count < count && !stop) {
		struct timespec until;

		at += (uint64_t)((double)NS_PER_S / rate);
		until = (struct timespec){(time_t)(at / NS_PER_S), (long)(at % NS_PER_S)};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		r.delays_ms[r.delay_count++] =
			(float)((double)(clock_ns(CLOCK_MONOTONIC) - at) / 1e6);
	}
	qsort(r.delays_ms, r.delay_count, sizeof(*r.delays_ms), by_value);
	printf("{\"ticks\":%zu,\"late_ms\":{\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f}}\n",
	       r.delay_count, quantile(&r, 0.5), quantile(&r, 0.99), quantile(&r, 0.999),
	       quantile(&r, 1));
	free(r.delays_ms);
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	double rate = 100, size = 64, seconds = 10, idle = 0;
	int first;

	if (argc < 3)
		return usage();
	first = strcmp(argv[1], "send") == 0 ? 4 : 3;
	if (first > argc)
		return usage();
	for (int i = first; i < argc; i += 2) {
		double *option = strcmp(argv[i], "--rate") == 0      ? &rate
				 : strcmp(argv[i], "--size") == 0    ? &size
				 : strcmp(argv[i], "--seconds") == 0 ? &seconds
				 : strcmp(argv[i], "--idle") == 0    ? &idle
								     : NULL;

		if (!option || i + 1 == argc)
			return usage();
		*option = atof(argv[i + 1]);
	}
	prctl(PR_SET_TIMERSLACK, 1UL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (strcmp(argv[1], "send") == 0)
		return send_main(argv[2], argv[3], rate, (size_t)size, seconds);
	if (strcmp(argv[1], "recv") == 0)
		return recv_main(argv[2], idle);
	if (strcmp(argv[1], "ticks") == 0)
		return ticks_main(strcmp(argv[2], "1") == 0, rate, seconds);
	return usage();
}
