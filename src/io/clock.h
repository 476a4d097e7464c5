/*
 * The clocks.
 *
 * hw_clock_now is CLOCK_BOOTTIME: monotonic like CLOCK_MONOTONIC, but it goes on while the machine
 * sleeps, so a node that wakes after an hour knows that its keys are an hour old and renews them at
 * once.
 */
#ifndef HW_IO_CLOCK_H
#define HW_IO_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/time.h"

#define HW_CLOCK_ID CLOCK_BOOTTIME

hw_time hw_clock_now(void);

/* ns since 1970, as the wall clock has it now. */
uint64_t hw_clock_wall_ns(void);

/*
 * A descriptor that becomes readable when the wall clock is set (timerfd, TFD_TIMER_CANCEL_ON_SET).
 * Adjustments by slewing are no jumps. The caller owns it. HW_E_SYSTEM.
 */
HW_MUST_USE int hw_clock_watch_open(int *ret_fd);

/* Take note of a jump: the descriptor is unreadable again until the next. HW_E_SYSTEM. */
HW_MUST_USE int hw_clock_watch_rearm(int fd);

#endif
