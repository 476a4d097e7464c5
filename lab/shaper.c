/*
 * hw-shaper: the simulator's link model in real time, between pairs of TAP devices in any network
 * namespaces, steered over a Unix socket while it runs.
 *
 *     hw-shaper [--seed N] [--polite] SOCKET [FILE]
 *
 * SOCKET is where it takes commands (SOCK_SEQPACKET: a message is a line, each gets one answer); FILE
 * holds commands to begin with, "-" for standard input. The commands are in control.h. It ends on
 * SIGTERM or SIGINT, and its devices go with it. It asks for real-time scheduling, which it gets as
 * root, so that frames leave when they are due on a busy machine; --polite does without.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lab/control.h"

enum token {
	TOKEN_SIGNAL = HW_LAB_MAX_LINKS * 2, /* below: the ends of the links */
	TOKEN_LISTEN,
	TOKEN_CLIENT /* this and above: TOKEN_CLIENT + fd */
};

#define EVENTS 64

static bool watch(int epoll, int fd, uint32_t token)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = token};

	return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(077);
	int rc = -1;

	if (strlen(path) < sizeof(addr.sun_path)) {
		strcpy(addr.sun_path, path);
		unlink(path);
		rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	} else {
		errno = ENAMETOOLONG;
	}
	umask(mask);
	if (rc < 0 || listen(fd, 8) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void serve(struct hw_lab *lab, int fd)
{
	char line[HW_LAB_LINE_BYTES + 1];
	ssize_t n = recv(fd, line, sizeof(line) - 1, MSG_DONTWAIT);
	char *answer = NULL;
	size_t len = 0;
	FILE *out;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close(fd);
		return;
	}
	line[n] = 0;
	out = open_memstream(&answer, &len);
	if (!out)
		return;
	hw_lab_command(lab, line, out);
	fclose(out);
	if (send(fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		close(fd);
	free(answer);
}

/*
 * Wake-ups follow each other no faster than this. A single packet never waits for it; where packets come
 * at a hundred thousand a second, several are moved at a time, or waking would be most of the work.
 */
#define WAKE_UP_INTERVAL (50 * HW_NS_PER_US)

static void sleep_until(hw_time at)
{
	const struct timespec until = {(time_t)(at / HW_NS_PER_S), (long)(at % HW_NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Delivers what is due, then waits for events or for the next frame to be due. */
static int wait_for_events(struct hw_lab *lab, hw_time *last, struct epoll_event events[EVENTS])
{
	hw_time next = hw_lab_deliver(lab);
	hw_time now = hw_lab_now();
	hw_time left;
	struct timespec timeout;
	int n;

	if (now < *last + WAKE_UP_INTERVAL) {
		sleep_until(*last + WAKE_UP_INTERVAL);
		now = hw_lab_now();
	}
	left = next == HW_TIME_NEVER ? 0 : hw_time_since(next, now);
	timeout = (struct timespec){(time_t)(left / HW_NS_PER_S), (long)(left % HW_NS_PER_S)};
	n = epoll_pwait2(lab->epoll, events, EVENTS, next == HW_TIME_NEVER ? NULL : &timeout, NULL);
	*last = hw_lab_now();
	return n;
}

static int run(struct hw_lab *lab, int listener)
{
	struct epoll_event events[EVENTS];
	hw_time last = 0;

	for (;;) {
		int n = wait_for_events(lab, &last, events);

		if (n < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < n; i++) {
			uint32_t token = events[i].data.u32;
			int fd;

			if (token < TOKEN_SIGNAL) {
				hw_lab_readable(lab, token);
			} else if (token == TOKEN_SIGNAL) {
				return 0;
			} else if (token == TOKEN_LISTEN) {
				fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
				if (fd >= 0 && !watch(lab->epoll, fd, TOKEN_CLIENT + (uint32_t)fd))
					close(fd);
			} else {
				serve(lab, (int)(token - TOKEN_CLIENT));
			}
		}
	}
}

static bool run_file(struct hw_lab *lab, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char line[HW_LAB_LINE_BYTES];
	unsigned number = 0;
	bool good = true;

	if (!file) {
		fprintf(stderr, "hw-shaper: %s: %s\n", path, strerror(errno));
		return false;
	}
	while (good && fgets(line, sizeof(line), file)) {
		char *answer = NULL;
		size_t len;
		FILE *out = open_memstream(&answer, &len);

		number++;
		good = out && hw_lab_command(lab, line, out);
		if (out)
			fclose(out);
		if (!good)
			fprintf(stderr, "hw-shaper: %s:%u: %s", path, number, answer ? answer : "\n");
		free(answer);
	}
	if (file != stdin)
		fclose(file);
	return good;
}

static void be_punctual(void)
{
	const struct sched_param param = {.sched_priority = 10};

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0 &&
	    setpriority(PRIO_PROCESS, 0, -20) < 0)
		fprintf(stderr, "hw-shaper: no real-time scheduling: %s\n", strerror(errno));
}

static int usage(void)
{
	fprintf(stderr, "usage: hw-shaper [--seed N] [--polite] SOCKET [FILE]\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct hw_lab lab;
	uint64_t seed = 1;
	bool polite = false;
	int epoll, listener, signal_fd, rc, i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--polite") == 0)
			polite = true;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 0);
		else
			return usage();
	}
	if (i == argc || i + 2 < argc)
		return usage();
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (!polite)
		be_punctual();
	signal_fd = signals();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	hw_lab_init(&lab, epoll, seed);
	/* The socket comes last: once it answers, the links are there. */
	if (i + 1 < argc && !run_file(&lab, argv[i + 1])) {
		hw_lab_fini(&lab);
		return 1;
	}
	listener = listen_at(argv[i]);
	if (!watch(epoll, listener, TOKEN_LISTEN) || !watch(epoll, signal_fd, TOKEN_SIGNAL)) {
		fprintf(stderr, "hw-shaper: %s: %s\n", argv[i], strerror(errno));
		return 1;
	}
	rc = run(&lab, listener);
	hw_lab_fini(&lab);
	unlink(argv[i]);
	return rc;
}
