#include "daemon/quota.h"

#include <string.h>

/* Days from civil date and back, by Howard Hinnant's "chrono-compatible low-level date algorithms":
 * years that begin in March, in eras of 400 years. */
#define ERA_DAYS 146097
#define EPOCH_SHIFT 719468 /* 1 March 0000 to 1 January 1970 */

hw_quota_day hw_quota_day_of(int32_t year, uint32_t month, uint32_t day)
{
	int32_t y = month <= 2 ? year - 1 : year;
	int32_t era = (y >= 0 ? y : y - 399) / 400;
	int32_t year_of_era = y - era * 400;
	int32_t shifted = (int32_t)(month > 2 ? month - 3 : month + 9);
	int32_t day_of_year = (153 * shifted + 2) / 5 + (int32_t)day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - EPOCH_SHIFT;
}

void hw_quota_date_of(hw_quota_day day, int32_t *ret_year, uint32_t *ret_month, uint32_t *ret_day)
{
	int32_t z = day + EPOCH_SHIFT;
	int32_t era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int32_t doe = z - era * ERA_DAYS;
	int32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int32_t shifted = (5 * doy + 2) / 153;

	*ret_day = (uint32_t)(doy - (153 * shifted + 2) / 5 + 1);
	*ret_month = (uint32_t)(shifted < 10 ? shifted + 3 : shifted - 9);
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

/* The day in that month (1 to 12, or 0 and 13 for the neighbours) on which a period begins. */
static hw_quota_day begins_on(int32_t year, uint32_t month, uint32_t first_day)
{
	hw_quota_day first, length;

	if (month == 0) {
		month = 12;
		year--;
	} else if (month == 13) {
		month = 1;
		year++;
	}
	first = hw_quota_day_of(year, month, 1);
	length = (month == 12 ? hw_quota_day_of(year + 1, 1, 1)
			      : hw_quota_day_of(year, month + 1, 1)) - first;
	return first + ((int32_t)first_day < length ? (int32_t)first_day : length) - 1;
}

struct hw_quota_period hw_quota_period_of(const struct hw_quota_rule *rule, hw_quota_day today)
{
	int32_t year;
	uint32_t month, day;
	hw_quota_day begin;

	if (rule->per == HW_QUOTA_PER_DAY)
		return (struct hw_quota_period){today, today + 1};
	hw_quota_date_of(today, &year, &month, &day);
	begin = begins_on(year, month, rule->first_day);
	if (today < begin)
		return (struct hw_quota_period){begins_on(year, month - 1, rule->first_day), begin};
	return (struct hw_quota_period){begin, begins_on(year, month + 1, rule->first_day)};
}

/* How many marks are at or before that day. */
static uint32_t marks_until(const struct hw_quota *quota, hw_quota_day day)
{
	uint32_t count = 0;

	while (count < quota->mark_count && quota->marks[count].first <= day)
		count++;
	return count;
}

/* A mark at its place, which counts from now on; the oldest makes room. */
static void add_mark(struct hw_quota *quota, hw_quota_day first, uint64_t total)
{
	uint32_t at = marks_until(quota, first);

	if (quota->mark_count == HW_QUOTA_MARKS) {
		/* A new one before all others is never added (rule 4): at is not 0. */
		memmove(&quota->marks[0], &quota->marks[1],
			(HW_QUOTA_MARKS - 1) * sizeof(quota->marks[0]));
		quota->mark_count--;
		at--;
	}
	memmove(&quota->marks[at + 1], &quota->marks[at],
		(quota->mark_count - at) * sizeof(quota->marks[0]));
	quota->marks[at] = (struct hw_quota_mark){first, total};
	quota->mark_count++;
	quota->active = at;
}

/* The rule speaks of other periods than those that are marked. */
static void change_rule(struct hw_quota *quota, const struct hw_quota_rule *rule,
			hw_quota_day first, uint64_t total)
{
	uint32_t before = marks_until(quota, first);

	if (rule->per == HW_QUOTA_PER_MONTH)
		total = quota->marks[before > 0 ? before - 1 : 0].total;
	quota->mark_count = 0;
	add_mark(quota, first, total);
}

static bool is_behind(const struct hw_quota *quota, hw_quota_day first)
{
	return quota->mark_count > 0 && quota->marks[quota->mark_count - 1].first > first;
}

/* Rule 5: the clock has been believed, and has come to another period like a right one does. */
static bool proves_itself(const struct hw_quota *quota, hw_quota_day first)
{
	if (!is_behind(quota, quota->last) || quota->behind_s < HW_QUOTA_BELIEF_S)
		return false;
	/* The next one; or, after days off, one that still lies before the marks in doubt. */
	return first == quota->last_next || (first > quota->last && is_behind(quota, first));
}

static void find_mark(struct hw_quota *quota, hw_quota_day first, uint64_t total)
{
	uint32_t until = marks_until(quota, first);
	bool unset = first < HW_QUOTA_DAY_WRITTEN;

	if (proves_itself(quota, first)) {
		quota->mark_count = marks_until(quota, quota->last);
		add_mark(quota, first, total);
	} else if (unset && is_behind(quota, first)) {
		quota->active = quota->mark_count - 1;
	} else if (until > 0 && quota->marks[until - 1].first == first) {
		quota->active = until - 1;
	} else if (until == quota->mark_count) {
		add_mark(quota, first, total);
	} else if (until > 0) {
		add_mark(quota, first, quota->marks[until].total);
	} else {
		quota->active = quota->mark_count - 1;
	}
}

bool hw_quota_advance(struct hw_quota *quota, const struct hw_quota_rule *rule, hw_quota_day today,
		      uint64_t total, uint64_t running_s)
{
	const struct hw_quota_period period = hw_quota_period_of(rule, today);
	bool fresh = quota->mark_count == 0;
	bool changed = !fresh && (quota->per != rule->per || quota->first_day != rule->first_day);
	hw_quota_day before = fresh ? 0 : quota->marks[quota->active].first;

	if (!fresh && is_behind(quota, quota->last))
		quota->behind_s = running_s > UINT64_MAX - quota->behind_s
					  ? UINT64_MAX
					  : quota->behind_s + running_s;
	if (changed)
		change_rule(quota, rule, period.first, total);
	else if (fresh || period.first != quota->last)
		find_mark(quota, period.first, total);
	if (!is_behind(quota, period.first))
		quota->behind_s = 0;
	quota->last = period.first;
	quota->last_next = period.next;
	quota->per = rule->per;
	quota->first_day = rule->first_day;
	return fresh || changed || quota->marks[quota->active].first != before;
}

struct hw_quota_use hw_quota_use_of(const struct hw_quota *quota, const struct hw_quota_rule *rule,
				    uint64_t total)
{
	struct hw_quota_use use = {0};
	uint64_t warn_at;

	if (quota->mark_count > 0)
		use.used = total - quota->marks[quota->active].total;
	if (rule->bytes == 0)
		return use;
	warn_at = rule->bytes / 100 * rule->warn_percent +
		  (rule->bytes % 100 * rule->warn_percent + 99) / 100;
	use.left = use.used < rule->bytes ? rule->bytes - use.used : 0;
	use.warn = use.used >= warn_at;
	use.spent = use.left == 0;
	return use;
}

bool hw_quota_is_sound(const struct hw_quota *quota, uint64_t total)
{
	if (quota->mark_count > HW_QUOTA_MARKS ||
	    (quota->mark_count > 0 && quota->active >= quota->mark_count) ||
	    (quota->per == HW_QUOTA_PER_MONTH && (quota->first_day < 1 || quota->first_day > 31)))
		return false;
	for (uint32_t i = 0; i < quota->mark_count; i++) {
		const struct hw_quota_mark *mark = &quota->marks[i];

		if (mark->first < HW_QUOTA_DAY_MIN || mark->first > HW_QUOTA_DAY_MAX ||
		    mark->total > total || (i > 0 && mark->first <= quota->marks[i - 1].first))
			return false;
	}
	return quota->last >= HW_QUOTA_DAY_MIN && quota->last <= quota->last_next &&
	       quota->last_next <= HW_QUOTA_DAY_MAX + 31;
}
