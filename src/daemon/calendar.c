#include "daemon/calendar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

#define HOUR_S 3600

static struct tm local(int64_t wall_s)
{
	time_t t = (time_t)wall_s; /* ns in 64 bits end in 2554 */
	struct tm tm = {0};

	/* localtime_r need not look whether the zone has changed. */
	tzset();
	if (localtime_r(&t, &tm) == NULL)
		(void)gmtime_r(&t, &tm);
	return tm;
}

static hw_quota_day day_of(int64_t wall_s)
{
	struct tm tm = local(wall_s);

	return hw_quota_day_of(tm.tm_year + 1900, (uint32_t)tm.tm_mon + 1, (uint32_t)tm.tm_mday);
}

hw_quota_day hw_calendar_day(uint64_t wall_ns)
{
	return day_of((int64_t)(wall_ns / HW_NS_PER_S));
}

uint64_t hw_calendar_begin_ns(hw_quota_day day)
{
	int32_t year;
	uint32_t month, number;
	struct tm tm = {.tm_isdst = -1};
	int64_t at;

	hw_quota_date_of(day, &year, &month, &number);
	tm.tm_year = year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)number;
	tzset();
	at = (int64_t)mktime(&tm);
	/*
	 * Where summer time begins at midnight there is none, and mktime may give the hour before or
	 * the hour after.
	 */
	for (int i = 0; i < 3 && day_of(at) < day; i++)
		at += HOUR_S;
	for (int i = 0; i < 3 && day_of(at - HOUR_S) >= day; i++)
		at -= HOUR_S;
	return at > 0 ? (uint64_t)at * HW_NS_PER_S : 0;
}

const char *hw_calendar_time_text(uint64_t wall_ns, char ret_text[HW_CALENDAR_TEXT_BYTES])
{
	struct tm tm = local((int64_t)(wall_ns / HW_NS_PER_S));

	if (strftime(ret_text, HW_CALENDAR_TEXT_BYTES, "%Y-%m-%d %H:%M", &tm) == 0)
		ret_text[0] = '\0';
	return ret_text;
}

const char *hw_calendar_day_text(hw_quota_day day, char ret_text[HW_CALENDAR_TEXT_BYTES])
{
	int32_t year;
	uint32_t month, number;

	hw_quota_date_of(day, &year, &month, &number);
	(void)snprintf(ret_text, HW_CALENDAR_TEXT_BYTES, "%04d-%02u-%02u", year, month, number);
	return ret_text;
}
