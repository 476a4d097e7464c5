#include "daemon/flap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void sum_up(const struct hw_log *log, struct hw_log_flap *flap)
{
	if (flap->held == 0)
		return;
	hw_log(log, flap->level, "%s: changed %llu times within %llu s; the last change: %s",
	       flap->subject, (unsigned long long)flap->changes,
	       (unsigned long long)(HW_LOG_FLAP_WINDOW / HW_NS_PER_S), flap->last);
}

static void hold(const struct hw_log *log, struct hw_log_flap *flap, enum hw_log_level level)
{
	if (flap->held == 0 && !flap->flapping)
		hw_log(log, level,
		       "%s: changes often; from here on one line every %llu s sums it up",
		       flap->subject, (unsigned long long)(HW_LOG_FLAP_WINDOW / HW_NS_PER_S));
	if (flap->held == 0 || level < flap->level)
		flap->level = level;
	flap->held++;
}

void hw_log_change(const struct hw_log *log, struct hw_log_flap *flap, hw_time now,
		   enum hw_log_level level, const char *subject, const char *format, ...)
{
	va_list args;

	hw_log_flap_tick(log, flap, now);
	if (strncmp(flap->subject, subject, sizeof(flap->subject) - 1) != 0) {
		hw_log_flap_end(log, flap);
		(void)snprintf(flap->subject, sizeof(flap->subject), "%s", subject);
	}
	va_start(args, format);
	(void)vsnprintf(flap->last, sizeof(flap->last), format, args);
	va_end(args);
	if (flap->until == 0)
		flap->until = hw_time_add(now, HW_LOG_FLAP_WINDOW);
	flap->changes++;
	if (flap->flapping || flap->changes > HW_LOG_FLAP_LINES) {
		hold(log, flap, level);
		return;
	}
	hw_log(log, level, "%s: %s", flap->subject, flap->last);
}

void hw_log_flap_tick(const struct hw_log *log, struct hw_log_flap *flap, hw_time now)
{
	if (flap->until == 0 || now < flap->until)
		return;
	sum_up(log, flap);
	/* Still so when this window had more changes than lines it may have; then the next is open. */
	flap->flapping = flap->changes > HW_LOG_FLAP_LINES;
	flap->until = flap->flapping ? hw_time_add(now, HW_LOG_FLAP_WINDOW) : 0;
	flap->changes = flap->held = 0;
}

hw_time hw_log_flap_deadline(const struct hw_log_flap *flap)
{
	return flap->until > 0 ? flap->until : HW_TIME_NEVER;
}

void hw_log_flap_end(const struct hw_log *log, struct hw_log_flap *flap)
{
	sum_up(log, flap);
	*flap = (struct hw_log_flap){0};
}
