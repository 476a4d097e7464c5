#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/clock.h"

#define EVENTS_PER_WAKEUP 64

struct queue {
	struct hw_loop_source *first, **end;
};

struct hw_loop {
	struct hw_loop_hooks hooks;
	int epoll_fd;
	struct hw_loop_source timer;
	struct hw_loop_source signals;
	struct queue pending[HW_LOOP_PRIORITIES];
	hw_time now;
	hw_time armed;    /* what the timer is set to */
	hw_time deadline; /* what the owner asked for last */
	bool stopping;
};

static void on_timer(void *ctx, uint32_t events, hw_time now)
{
	struct hw_loop *loop = ctx;

	(void)events;
	(void)now;
	/* Watched by edge, so there is nothing to read: setting it again clears it. */
	loop->armed = HW_TIME_NEVER;
}

static void on_signal(void *ctx, uint32_t events, hw_time now)
{
	struct hw_loop *loop = ctx;
	struct signalfd_siginfo info;

	(void)events;
	while (read(loop->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (loop->hooks.signal)
			loop->hooks.signal(loop->hooks.ctx, (int)info.ssi_signo, now);
	}
}

int hw_loop_new(const struct hw_loop_hooks *hooks, struct hw_loop **ret_loop)
{
	struct hw_loop *loop = calloc(1, sizeof(*loop));
	int err = HW_E_SYSTEM;

	if (!loop)
		return HW_E_NOMEM;
	loop->hooks = *hooks;
	loop->armed = HW_TIME_NEVER;
	loop->deadline = 0; /* the first wakeup comes at once: there may be work from the start */
	loop->signals.fd = -1;
	loop->timer = (struct hw_loop_source){
		.fd = -1, .priority = HW_LOOP_OTHER, .ready = on_timer, .ctx = loop};
	for (int i = 0; i < HW_LOOP_PRIORITIES; i++)
		loop->pending[i].end = &loop->pending[i].first;

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		goto fail;
	loop->timer.fd = timerfd_create(HW_CLOCK_ID, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer.fd < 0)
		goto fail;
	err = hw_loop_add(loop, &loop->timer, EPOLLIN | EPOLLET);
	if (err < 0)
		goto fail;
	loop->now = hw_clock_now();
	*ret_loop = loop;
	return 0;
fail:
	hw_loop_free(loop);
	return err;
}

void hw_loop_free(struct hw_loop *loop)
{
	int saved = errno;

	if (!loop)
		return;
	if (loop->signals.fd >= 0)
		close(loop->signals.fd);
	if (loop->timer.fd >= 0)
		close(loop->timer.fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	free(loop);
	errno = saved;
}

static int control(struct hw_loop *loop, int op, struct hw_loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(loop->epoll_fd, op, source->fd, &event) < 0 ? HW_E_SYSTEM : 0;
}

int hw_loop_add(struct hw_loop *loop, struct hw_loop_source *source, uint32_t events)
{
	source->pending = false;
	source->next = NULL;
	return control(loop, EPOLL_CTL_ADD, source, events);
}

int hw_loop_change(struct hw_loop *loop, struct hw_loop_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

void hw_loop_remove(struct hw_loop *loop, struct hw_loop_source *source)
{
	struct queue *queue = &loop->pending[source->priority];

	if (source->fd < 0)
		return;
	(void)control(loop, EPOLL_CTL_DEL, source, 0);
	if (!source->pending)
		return;
	/* It was ready in this very wakeup, and its turn has not come: it must not. */
	for (struct hw_loop_source **p = &queue->first; *p; p = &(*p)->next) {
		if (*p != source)
			continue;
		*p = source->next;
		if (!*p)
			queue->end = p;
		break;
	}
	source->pending = false;
}

int hw_loop_signals(struct hw_loop *loop, const int *signals, uint32_t count)
{
	sigset_t set;

	sigemptyset(&set);
	for (uint32_t i = 0; i < count; i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return HW_E_SYSTEM;
	loop->signals = (struct hw_loop_source){
		.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
		.priority = HW_LOOP_OTHER,
		.ready = on_signal,
		.ctx = loop,
	};
	if (loop->signals.fd < 0)
		return HW_E_SYSTEM;
	return hw_loop_add(loop, &loop->signals, EPOLLIN);
}

hw_time hw_loop_now(const struct hw_loop *loop)
{
	return loop->now;
}

/* Have the timer fire no later than the deadline. */
static int arm(struct hw_loop *loop)
{
	hw_time at = loop->deadline;
	struct itimerspec spec = {0};

	if (at >= loop->armed)
		return 0;
	spec.it_value.tv_sec = (time_t)(at / HW_NS_PER_S);
	spec.it_value.tv_nsec = (long)(at % HW_NS_PER_S);
	if (timerfd_settime(loop->timer.fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0)
		return HW_E_SYSTEM;
	loop->armed = at;
	return 0;
}

static void enqueue(struct hw_loop *loop, struct hw_loop_source *source, uint32_t events)
{
	struct queue *queue = &loop->pending[source->priority];

	source->events = events;
	source->pending = true;
	source->next = NULL;
	*queue->end = source;
	queue->end = &source->next;
}

static void dispatch(struct hw_loop *loop)
{
	for (int i = 0; i < HW_LOOP_PRIORITIES; i++) {
		struct queue *queue = &loop->pending[i];

		while (queue->first) {
			struct hw_loop_source *source = queue->first;

			queue->first = source->next;
			if (!queue->first)
				queue->end = &queue->first;
			source->pending = false;
			source->ready(source->ctx, source->events, loop->now);
		}
	}
}

int hw_loop_once(struct hw_loop *loop)
{
	struct epoll_event events[EVENTS_PER_WAKEUP];
	int timeout = -1;
	int n, err;

	if (loop->deadline <= loop->now) {
		timeout = 0;
	} else {
		err = arm(loop);
		if (err < 0)
			return err;
	}
	n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAKEUP, timeout);
	if (n < 0 && errno != EINTR)
		return HW_E_SYSTEM;
	loop->now = hw_time_max(hw_clock_now(), loop->now);
	for (int i = 0; i < n; i++)
		enqueue(loop, events[i].data.ptr, events[i].events);
	dispatch(loop);
	if (loop->hooks.wakeup)
		loop->deadline = loop->hooks.wakeup(loop->hooks.ctx, loop->now);
	return 0;
}

int hw_loop_run(struct hw_loop *loop)
{
	int err = 0;

	loop->stopping = false;
	while (err == 0 && !loop->stopping)
		err = hw_loop_once(loop);
	return err;
}

void hw_loop_stop(struct hw_loop *loop)
{
	loop->stopping = true;
}
