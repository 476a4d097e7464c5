/* Days of the local calendar, in zones that are hard. POSIX rules, so no zone files are needed. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"
#include "daemon/calendar.h"

#define HOUR_S INT64_C(3600)

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
}

static hw_quota_day day_at(int64_t s)
{
	return hw_calendar_day((uint64_t)s * HW_NS_PER_S);
}

static void a_day_is_the_local_one(void **state)
{
	const int64_t midnight_utc = INT64_C(20779) * 24 * HOUR_S; /* 2026-11-22 */

	(void)state;
	zone("UTC0");
	assert_int_equal(day_at(midnight_utc - 1), 20778);
	assert_int_equal(day_at(midnight_utc), 20779);
	zone("XXX-14"); /* 14 hours ahead */
	assert_int_equal(day_at(midnight_utc - 14 * HOUR_S - 1), 20778);
	assert_int_equal(day_at(midnight_utc - 14 * HOUR_S), 20779);
	zone("XXX12");
	assert_int_equal(day_at(midnight_utc + 12 * HOUR_S - 1), 20778);
	assert_int_equal(day_at(midnight_utc + 12 * HOUR_S), 20779);
	/* Clocks that say what no calendar has. */
	assert_int_equal(hw_calendar_day(UINT64_MAX), 213503);
	assert_int_equal(hw_calendar_day(0), -1);
}

/* Every day of some years begins at a moment that is in it, and the moment before is not. */
static void days_begin_when_they_begin(void **state)
{
	static const char *const zones[] = {
		"UTC0",
		"CET-1CEST,M3.5.0,M10.5.0/3",
		/* Summer time that begins at midnight, which then is not there: Sao Paulo of 2017, */
		"<-03>3<-02>,M10.3.0/0,M2.3.0/0",
		/* Beirut, */
		"EET-2EEST,M3.5.0/0,M10.5.0/0",
		/* and half an hour of it, on Lord Howe. */
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"<-12>12",
		"<+14>-14",
	};

	(void)state;
	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		zone(zones[z]);
		for (hw_quota_day day = 20000; day < 21500; day++) {
			uint64_t begin = hw_calendar_begin_ns(day);

			if (hw_calendar_day(begin) != day ||
			    hw_calendar_day(begin - HW_NS_PER_S) != day - 1)
				fail_msg("%s: day %d begins at %llu", zones[z], day,
					 (unsigned long long)(begin / HW_NS_PER_S));
		}
	}
}

static void times_are_written_for_people(void **state)
{
	char text[HW_CALENDAR_TEXT_BYTES];

	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(hw_calendar_time_text(hw_calendar_begin_ns(20788), text),
			    "2026-12-01 00:00");
	assert_string_equal(hw_calendar_day_text(20788, text), "2026-12-01");
	assert_int_equal(strlen(hw_calendar_time_text(UINT64_MAX, text)), strlen("2026-12-01 00:00"));
	assert_string_equal(hw_calendar_day_text(HW_QUOTA_DAY_MIN, text), "0001-01-01");
}

static void another_zone_is_noticed(void **state)
{
	(void)state;
	zone("UTC0");
	assert_int_equal(day_at(INT64_C(20779) * 24 * HOUR_S - 1), 20778);
	zone("XXX-1");
	assert_int_equal(day_at(INT64_C(20779) * 24 * HOUR_S - 1), 20779);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_the_local_one),
		cmocka_unit_test(days_begin_when_they_begin),
		cmocka_unit_test(times_are_written_for_people),
		cmocka_unit_test(another_zone_is_noticed),
	};

	return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
