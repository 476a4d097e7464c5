#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void hw_log_init(struct hw_log *log, int fd, enum hw_log_level level)
{
	log->fd = fd;
	log->level = level;
	/* Set by systemd for what it reads from a service's standard error (systemd.exec(5)). */
	log->journal = getenv("JOURNAL_STREAM") != NULL;
}

/* Copy with everything but printable ASCII as \xHH; gives the length, without a terminator. */
static size_t escape(char *out, size_t room, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte < 0x7f) {
			if (len + 1 > room)
				break;
			out[len++] = *text;
			continue;
		}
		if (len + 4 > room)
			break;
		out[len++] = '\\';
		out[len++] = 'x';
		out[len++] = digits[byte >> 4];
		out[len++] = digits[byte & 15];
	}
	return len;
}

static size_t prefix(const struct hw_log *log, enum hw_log_level level, char *out, size_t room)
{
	static const struct {
		const char *name;
		int priority; /* syslog(3) */
	} levels[] = {{"error: ", 3}, {"warning: ", 4}, {"", 6}, {"debug: ", 7}};
	struct timespec now = {0};
	struct tm tm = {0};
	size_t len;

	if (log->journal)
		return (size_t)snprintf(out, room, "<%d>", levels[level].priority);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)localtime_r(&now.tv_sec, &tm);
	len = strftime(out, room, "%Y-%m-%d %H:%M:%S", &tm);
	return len + (size_t)snprintf(out + len, room - len, ".%03ld %s", now.tv_nsec / 1000000,
				      levels[level].name);
}

HW_PRINTF(3, 0) static void write_line(const struct hw_log *log, enum hw_log_level level,
				       const char *format, va_list args)
{
	char text[HW_LOG_LINE_BYTES];
	char line[HW_LOG_LINE_BYTES];
	size_t len;

	(void)vsnprintf(text, sizeof(text), format, args);
	len = prefix(log, level, line, sizeof(line));
	len += escape(line + len, sizeof(line) - len - 1, text);
	line[len++] = '\n';
	/* One call for a line, so that lines of several programs do not mix. A log that cannot be
	 * written is no reason to stop. */
	if (write(log->fd, line, len) < 0)
		return;
}

void hw_log(const struct hw_log *log, enum hw_log_level level, const char *format, ...)
{
	va_list args;

	if (level > log->level)
		return;
	va_start(args, format);
	write_line(log, level, format, args);
	va_end(args);
}

void hw_log_limited(const struct hw_log *log, struct hw_log_limit *limit, hw_time now,
		    enum hw_log_level level, const char *format, ...)
{
	va_list args;

	if (level > log->level)
		return;
	if (now < limit->next) {
		limit->held++;
		return;
	}
	limit->next = hw_time_add(now, HW_S(1));
	va_start(args, format);
	write_line(log, level, format, args);
	va_end(args);
	if (limit->held > 0)
		hw_log(log, level, "(%llu lines like the last were kept back)",
		       (unsigned long long)limit->held);
	limit->held = 0;
}
