/*
 * The local calendar, which quotas go by: the time zone is that of the system (TZ, /etc/localtime),
 * looked up anew each time, so that one who travels need not restart anything.
 */
#ifndef HW_DAEMON_CALENDAR_H
#define HW_DAEMON_CALENDAR_H

#include <stdint.h>

#include "daemon/quota.h"

#define HW_CALENDAR_TEXT_BYTES 32u

/* The local day at that time (ns since 1970). */
hw_quota_day hw_calendar_day(uint64_t wall_ns);

/* When that local day begins, ns since 1970; 0 where that is before 1970. */
uint64_t hw_calendar_begin_ns(hw_quota_day day);

/* "2026-12-01 00:00" and "2026-12-01", local. Each gives ret_text. */
const char *hw_calendar_time_text(uint64_t wall_ns, char ret_text[HW_CALENDAR_TEXT_BYTES]);
const char *hw_calendar_day_text(hw_quota_day day, char ret_text[HW_CALENDAR_TEXT_BYTES]);

#endif
