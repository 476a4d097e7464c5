/*
 * The event loop: epoll over descriptors with callbacks, and one timerfd for the next deadline.
 *
 * The first wakeup comes at once, for work that is there from the start. `now` is read once after
 * each wakeup, here and nowhere else, and everything in that wakeup uses it. In a wakeup the ready
 * sources run in the order of their priority, then the wakeup function runs, which finishes the
 * work and gives the next deadline. The timer is only set when that deadline is earlier than what
 * it is set to: a later one lets it fire once for nothing, which is cheaper than a system call for
 * each packet.
 */
#ifndef HW_IO_LOOP_H
#define HW_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

/* Lower runs first: what has waited longest in the network goes before what we would add to it. */
enum hw_loop_priority { HW_LOOP_NETWORK, HW_LOOP_TUNNEL, HW_LOOP_OTHER, HW_LOOP_PRIORITIES };

struct hw_loop;

/* One descriptor in the loop. Embedded in its owner, and in place until it is removed. */
struct hw_loop_source {
	int fd;
	enum hw_loop_priority priority;
	/* events: EPOLL*. May remove itself and other sources. */
	void (*ready)(void *ctx, uint32_t events, hw_time now);
	void *ctx;
	struct hw_loop_source *next; /* the loop's */
	uint32_t events;             /* the loop's */
	bool pending;                /* the loop's */
};

struct hw_loop_hooks {
	/* Runs once at the end of each wakeup; gives the next deadline, HW_TIME_NEVER for none. */
	hw_time (*wakeup)(void *ctx, hw_time now);
	/* A signal among those asked for arrived. */
	void (*signal)(void *ctx, int signo, hw_time now);
	void *ctx;
};

/* HW_E_NOMEM, HW_E_SYSTEM. */
HW_MUST_USE int hw_loop_new(const struct hw_loop_hooks *hooks, struct hw_loop **ret_loop);

/* The sources must have been removed. NULL is allowed. */
void hw_loop_free(struct hw_loop *loop);

/* Watch source->fd for `events` (EPOLLIN and so on, level-triggered). HW_E_SYSTEM. */
HW_MUST_USE int hw_loop_add(struct hw_loop *loop, struct hw_loop_source *source, uint32_t events);
HW_MUST_USE int hw_loop_change(struct hw_loop *loop, struct hw_loop_source *source,
			       uint32_t events);

/* Stop watching; call before the descriptor is closed. No effect when fd is -1. */
void hw_loop_remove(struct hw_loop *loop, struct hw_loop_source *source);

/*
 * Take these signals through the loop from now on (blocked for the process, signalfd). Call before
 * any thread is started. HW_E_SYSTEM.
 */
HW_MUST_USE int hw_loop_signals(struct hw_loop *loop, const int *signals, uint32_t count);

/* The time of the current wakeup. */
hw_time hw_loop_now(const struct hw_loop *loop);

/* Wait for the next wakeup and serve it. HW_E_SYSTEM. */
HW_MUST_USE int hw_loop_once(struct hw_loop *loop);

/* Serve until hw_loop_stop. HW_E_SYSTEM. */
HW_MUST_USE int hw_loop_run(struct hw_loop *loop);
void hw_loop_stop(struct hw_loop *loop);

#endif
