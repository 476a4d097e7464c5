/*
 * The daemon's log: lines on standard error. Under systemd (JOURNAL_STREAM) each line begins with
 * its priority, <3> and so on, as sd-daemon(3) has it; elsewhere with the local time.
 *
 * Every byte of a line that is not printable ASCII is written as \xHH, whatever it came from, so
 * that nothing foreign can forge a line or reach a terminal. Secrets are never given to this
 * module.
 */
#ifndef HW_DAEMON_LOG_H
#define HW_DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

#define HW_LOG_LINE_BYTES 1024u /* longer lines are cut */

enum hw_log_level { HW_LOG_ERROR = 0, HW_LOG_WARNING = 1, HW_LOG_INFO = 2, HW_LOG_DEBUG = 3 };

struct hw_log {
	int fd;
	enum hw_log_level level;
	bool journal;
};

/* Limits one kind of line to one a second, and counts what it kept back. Zero is a fresh one. */
struct hw_log_limit {
	hw_time next;
	uint64_t held;
};

/* fd is kept by the caller. */
void hw_log_init(struct hw_log *log, int fd, enum hw_log_level level);

void hw_log(const struct hw_log *log, enum hw_log_level level, const char *format, ...)
	HW_PRINTF(3, 4);

/* The same, at most once a second for one `limit`; says how many lines it kept back. */
void hw_log_limited(const struct hw_log *log, struct hw_log_limit *limit, hw_time now,
		    enum hw_log_level level, const char *format, ...) HW_PRINTF(5, 6);

#endif
