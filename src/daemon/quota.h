/*
 * Quotas: how much a link may carry in a day or month of the local calendar. Pure arithmetic: no
 * clock, no time zone, no I/O; the day is an argument (daemon/calendar.h makes it of a clock).
 *
 * What is used of a period is what the link has carried since the clock first came to that period.
 * So each period is remembered as a mark: its first day, and what the link had carried in all when
 * it began. Wall clocks are wrong at times, by hours or by decades: they start at 1970 without a
 * battery, at the time of the last shutdown, or far in the future, and are put right minutes later.
 * The rules:
 *
 *   1. Forward, to a period later than every mark: a new period, and the quota is whole.
 *   2. Back, to a period with a mark: that period goes on. What was carried under the later date
 *      counts in it; the later mark stays, and if the clock returns there, what was carried
 *      meanwhile counts there too. So nothing is ever forgotten by going to and fro.
 *   3. Back, to a period between two marks: it counts from the later mark's beginning, which is
 *      more than it can have used.
 *   4. Back, to before every mark, or to before this program was written: the newest period goes
 *      on, as if the clock had not moved.
 *   5. A clock that has been behind some mark for HW_QUOTA_BELIEF of running time, and then comes
 *      to the end of a period the ordinary way, is right, and the later marks were wrong: they are
 *      forgotten, and the new period is whole. So a date that was once far in the future does not
 *      spoil the quota for years.
 *
 * Where they err, they err towards less use, and for one period at most.
 */
#ifndef HW_DAEMON_QUOTA_H
#define HW_DAEMON_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define HW_QUOTA_MARKS 4u
#define HW_QUOTA_DAY_WRITTEN 20454 /* 1 January 2026: a clock that says less is not set */
#define HW_QUOTA_BELIEF_S (24u * 3600u)

enum hw_quota_per { HW_QUOTA_PER_DAY, HW_QUOTA_PER_MONTH };

/* A day of the Gregorian calendar, counted from 1 January 1970 (day 0), negative before. */
typedef int32_t hw_quota_day;

#define HW_QUOTA_DAY_MIN (-719162) /* 1 January of the year 1 */
#define HW_QUOTA_DAY_MAX 2932896   /* 31 December 9999 */

struct hw_quota_rule {
	uint64_t bytes; /* 0: no quota */
	enum hw_quota_per per;
	uint32_t first_day;    /* of a month's period, 1 to 31; a shorter month's last day */
	uint32_t warn_percent; /* 1 to 99 */
};

struct hw_quota_period {
	hw_quota_day first; /* its first day */
	hw_quota_day next;  /* the first day of the one that follows */
};

struct hw_quota_mark {
	hw_quota_day first;
	uint64_t total; /* what the link had carried in all when this period began */
};

/* What is remembered of one link. Zero is one that has never been used. */
struct hw_quota {
	struct hw_quota_mark marks[HW_QUOTA_MARKS]; /* ascending days, at least one day apart */
	uint32_t mark_count;
	uint32_t active;    /* index of the mark that counts now */
	hw_quota_day last;  /* first day of the period that the clock was in when last seen */
	hw_quota_day last_next;
	uint64_t behind_s;  /* running time that the clock has been behind the newest mark */
	enum hw_quota_per per; /* of the rule that the marks were made for */
	uint32_t first_day;
};

struct hw_quota_use {
	uint64_t used;   /* in this period */
	uint64_t left;   /* 0 when spent */
	bool warn;       /* at or past warn_percent */
	bool spent;      /* nothing is left */
};

hw_quota_day hw_quota_day_of(int32_t year, uint32_t month, uint32_t day);
void hw_quota_date_of(hw_quota_day day, int32_t *ret_year, uint32_t *ret_month, uint32_t *ret_day);

/* The period of the rule that `today` lies in. */
struct hw_quota_period hw_quota_period_of(const struct hw_quota_rule *rule, hw_quota_day today);

/*
 * It is `today`, the link has carried `total` bytes since ever, and `running_s` have passed since
 * the last call (0 for the first of a process). Gives whether another period counts from now on.
 *
 * Where the rule's period has changed since the marks were made, the new period begins with all
 * that the old one had used, but for one that has become a day: that one is whole.
 */
bool hw_quota_advance(struct hw_quota *quota, const struct hw_quota_rule *rule, hw_quota_day today,
		      uint64_t total, uint64_t running_s);

/* After hw_quota_advance. Without a quota nothing is ever spent. */
struct hw_quota_use hw_quota_use_of(const struct hw_quota *quota, const struct hw_quota_rule *rule,
				    uint64_t total);

/* Whether a quota that was read from a file can be one: marks ascending, days within the calendar,
 * none beyond `total`. */
bool hw_quota_is_sound(const struct hw_quota *quota, uint64_t total);

#endif
