/*
 * Log lines about something that has a state: a path, a link, a peer.
 *
 * Each change is one line while changes are few. What changes more than HW_LOG_FLAP_LINES times
 * within HW_LOG_FLAP_WINDOW is flapping: from then on one line at the end of each window says how
 * often it changed and what it is now, until a window passes with few changes. So one subject costs
 * at most HW_LOG_FLAP_LINES + 2 lines in the first window and one in each that follows, and what it
 * came to in the end is always told.
 */
#ifndef HW_DAEMON_FLAP_H
#define HW_DAEMON_FLAP_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/log.h"

#define HW_LOG_FLAP_LINES 6u
#define HW_LOG_FLAP_WINDOW HW_S(60)
#define HW_LOG_FLAP_SUBJECT_BYTES 192u
#define HW_LOG_FLAP_TEXT_BYTES 256u

/* One subject. Zero is one that has been calm. */
struct hw_log_flap {
	hw_time until;          /* end of the window; 0: none is open */
	uint64_t changes;       /* in this window */
	uint64_t held;          /* of them, without a line of their own */
	bool flapping;
	enum hw_log_level level; /* the gravest of those held */
	char subject[HW_LOG_FLAP_SUBJECT_BYTES];
	char last[HW_LOG_FLAP_TEXT_BYTES];
};

/*
 * The subject has changed: "SUBJECT: TEXT", now or summed up later. A slot that is used for another
 * subject first tells what it has held of the former.
 */
void hw_log_change(const struct hw_log *log, struct hw_log_flap *flap, hw_time now,
		   enum hw_log_level level, const char *subject, const char *format, ...)
	HW_PRINTF(6, 7);

/* Sums up when the window is over. Call it at hw_log_flap_deadline, or at any other time. */
void hw_log_flap_tick(const struct hw_log *log, struct hw_log_flap *flap, hw_time now);
hw_time hw_log_flap_deadline(const struct hw_log_flap *flap);

/* The subject goes away, or the daemon ends: tells what is held, and is as zero again. */
void hw_log_flap_end(const struct hw_log *log, struct hw_log_flap *flap);

#endif
