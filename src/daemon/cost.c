/*
 * What the links carry and what of their quotas that uses: counted at the end of each wakeup, by
 * what the sockets have counted since the last; the link whose quota is spent is used no more.
 */
#include <stdio.h>
#include <string.h>

#include "config/value.h"
#include "control/status.h"
#include "daemon/calendar.h"
#include "daemon/runtime.h"
#include "io/clock.h"

/*
 * How much a crash may lose: so long; with a quota, also no more than a hundredth of it or what a
 * second brings, whichever is more.
 */
#define SAVE_QUOTA HW_S(60)
#define SAVE_OTHERS HW_S(600)
#define SAVE_SHARE 100u
#define SAVE_PAUSE HW_S(1)

/* When a period should have ended and has not: the clock is being meddled with. */
#define LOOK_AGAIN HW_S(60)

static struct hw_state_link *account_of(const struct hw_daemon_link *link)
{
	return &link->daemon->state.links[link->meter.account];
}

static struct hw_quota_rule rule_of(const struct hw_daemon_link *link)
{
	const struct hw_config_quota *quota = &link->rule->quota;

	return (struct hw_quota_rule){
		.bytes = quota->bytes,
		.per = quota->per == HW_PERIOD_DAY ? HW_QUOTA_PER_DAY : HW_QUOTA_PER_MONTH,
		.first_day = quota->first_day,
		.warn_percent = quota->warn_percent,
	};
}

/* Another link that could carry the tunnel while this one does not. */
static bool another_is_left(const struct hw_daemon_link *link)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		const struct hw_daemon_link *other = &link->daemon->links[i];

		if (other != link && other->used && !other->admin_down &&
		    hw_daemon_link_use(other) != HW_USE_NEVER && other->up)
			return true;
	}
	return false;
}

static void say(struct hw_daemon_link *link, hw_time now, enum hw_log_level level, const char *what)
{
	char subject[HW_CORE_NAME_BYTES + 16];

	(void)snprintf(subject, sizeof(subject), "link %s: quota", link->name);
	hw_log_change(&link->daemon->log, &link->meter.flap, now, level, subject, "%s", what);
	hw_daemon_flap_due(link->daemon, &link->meter.flap);
}

static void say_spent(struct hw_daemon_link *link, const struct hw_quota_rule *rule, bool starting,
		      hw_time now)
{
	bool alone = !starting && !another_is_left(link);
	char text[HW_LOG_FLAP_TEXT_BYTES], amount[HW_VALUE_BYTES_TEXT];
	char until[HW_CALENDAR_TEXT_BYTES];

	(void)snprintf(text, sizeof(text), "all %s of this %s are used up: not used until %s, or until "
		       "a larger quota is loaded%s",
		       hw_value_bytes_text(rule->bytes, amount),
		       rule->per == HW_QUOTA_PER_DAY ? "day" : "month",
		       hw_calendar_time_text(
			       hw_calendar_begin_ns(account_of(link)->quota.last_next), until),
		       alone ? "; no other link is left: the tunnel is cut off" : "");
	say(link, now, HW_LOG_WARNING, text);
}

static void say_warning(struct hw_daemon_link *link, const struct hw_quota_rule *rule,
			const struct hw_quota_use *use, hw_time now)
{
	char text[HW_LOG_FLAP_TEXT_BYTES], used[HW_VALUE_BYTES_TEXT], amount[HW_VALUE_BYTES_TEXT];
	char until[HW_CALENDAR_TEXT_BYTES];

	(void)snprintf(text, sizeof(text), "%s of %s of this %s are used (%.0f %%); when all are, it "
		       "is not used until %s", hw_value_bytes_text(use->used, used),
		       hw_value_bytes_text(rule->bytes, amount),
		       rule->per == HW_QUOTA_PER_DAY ? "day" : "month",
		       100 * (double)use->used / (double)rule->bytes,
		       hw_calendar_time_text(
			       hw_calendar_begin_ns(account_of(link)->quota.last_next), until));
	say(link, now, HW_LOG_WARNING, text);
}

/* What the use so far means; says so once. Gives whether nothing is left. */
static bool evaluate(struct hw_daemon_link *link, bool starting, hw_time now)
{
	const struct hw_quota_rule rule = rule_of(link);
	const struct hw_state_link *account = account_of(link);
	const struct hw_quota_use use =
		hw_quota_use_of(&account->quota, &rule, hw_state_link_bytes(account));

	if (use.spent && !link->quota_spent)
		say_spent(link, &rule, starting, now);
	else if (!use.spent && link->quota_spent)
		say(link, now, HW_LOG_INFO, rule.bytes > 0 ? "it is not used up any more: the link is "
							     "used again"
							   : "it has none any more: used again");
	else if (use.warn && !use.spent && !link->meter.warned)
		say_warning(link, &rule, &use, now);
	link->meter.warned = use.warn;
	return use.spent;
}

static void judge(struct hw_daemon_link *link, hw_time now)
{
	bool spent = evaluate(link, false, now);

	if (spent != link->quota_spent)
		hw_daemon_link_set_quota_spent(link, spent, now);
}

/* By what the wall clock says. */
static void advance(struct hw_daemon_link *link, uint64_t wall_ns, hw_time now)
{
	const struct hw_quota_rule rule = rule_of(link);
	struct hw_state_link *account = account_of(link);
	uint64_t running_s = hw_time_since(now, link->meter.advanced_at) / HW_NS_PER_S;

	link->meter.advanced_at = hw_time_add(link->meter.advanced_at, HW_S(running_s));
	account->seen_s = wall_ns / HW_NS_PER_S;
	if (rule.bytes > 0 && hw_quota_advance(&account->quota, &rule, hw_calendar_day(wall_ns),
					       hw_state_link_bytes(account), running_s)) {
		hw_daemon_state_save_by(link->daemon, now);
		link->daemon->cost_at = now; /* look what that means, and when it ends */
	}
}

static uint64_t attached_accounts(const struct hw_daemon *daemon)
{
	uint64_t accounts = 0;

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++)
		if (daemon->links[i].used && daemon->links[i].meter.attached)
			accounts |= UINT64_C(1) << daemon->links[i].meter.account;
	return accounts;
}

static void attach(struct hw_daemon_link *link, hw_time now)
{
	struct hw_daemon *daemon = link->daemon;
	uint64_t wall_ns = hw_clock_wall_ns();

	link->meter = (struct hw_daemon_meter){
		.attached = true,
		.account = hw_state_link(&daemon->state, link->name, attached_accounts(daemon),
					 wall_ns / HW_NS_PER_S),
		.seen = link->udp.counters,
		.advanced_at = now,
	};
	advance(link, wall_ns, now);
	daemon->cost_at = now; /* find out when its period ends */
}

static void count(struct hw_daemon_link *link, hw_time now)
{
	const struct hw_udp_counters *counters = &link->udp.counters;
	struct hw_udp_counters *seen = &link->meter.seen;
	struct hw_state_link *account = account_of(link);
	uint64_t before = hw_state_link_bytes(account);
	uint64_t quota = link->rule->quota.bytes;

	account->tx_bytes += counters->tx_bytes - seen->tx_bytes;
	account->tx_packets += counters->tx_packets - seen->tx_packets;
	account->rx_bytes += counters->rx_bytes - seen->rx_bytes;
	account->rx_packets += counters->rx_packets - seen->rx_packets;
	*seen = *counters;
	if (hw_state_link_bytes(account) == before)
		return;
	link->meter.unsaved_bytes += hw_state_link_bytes(account) - before;
	hw_daemon_state_save_by(link->daemon,
				hw_time_add(now, quota > 0 ? SAVE_QUOTA : SAVE_OTHERS));
	if (quota > 0 && link->meter.unsaved_bytes >= quota / SAVE_SHARE)
		hw_daemon_state_save_by(
			link->daemon,
			hw_time_max(now, hw_time_add(link->daemon->saved_at, SAVE_PAUSE)));
}

void hw_daemon_cost_link(struct hw_daemon_link *link, hw_time now)
{
	bool starting = !link->meter.attached;

	if (starting)
		attach(link, now);
	else
		advance(link, hw_clock_wall_ns(), now);
	link->daemon->cost_at = now;
	link->quota_spent = evaluate(link, starting, now);
}

void hw_daemon_cost_link_gone(struct hw_daemon_link *link, hw_time now)
{
	if (!link->meter.attached)
		return;
	count(link, now);
	hw_log_flap_end(&link->daemon->log, &link->meter.flap);
	link->meter.attached = false;
}

/* All periods, by the wall clock; finds out when the first of them ends. */
static void look_at_periods(struct hw_daemon *daemon, hw_time now)
{
	uint64_t wall_ns = hw_clock_wall_ns();
	hw_time next = HW_TIME_NEVER;

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];
		uint64_t end_ns;

		if (!link->used || !link->meter.attached || link->rule->quota.bytes == 0)
			continue;
		advance(link, wall_ns, now);
		judge(link, now);
		end_ns = hw_calendar_begin_ns(account_of(link)->quota.last_next);
		next = hw_time_min(next, hw_time_add(now, end_ns > wall_ns ? end_ns - wall_ns
									   : LOOK_AGAIN));
	}
	daemon->cost_at = next;
}

void hw_daemon_cost_start(struct hw_daemon *daemon)
{
	daemon->cost_at = HW_TIME_NEVER;
}

void hw_daemon_cost_clock_set(struct hw_daemon *daemon, hw_time now)
{
	look_at_periods(daemon, now);
}

void hw_daemon_cost_settle(struct hw_daemon *daemon, hw_time now)
{
	uint64_t wall_ns = hw_clock_wall_ns();

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];

		if (!link->used || !link->meter.attached)
			continue;
		count(link, now);
		advance(link, wall_ns, now);
		link->meter.unsaved_bytes = 0;
	}
}

void hw_daemon_cost_tick(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];

		if (!link->used || !link->meter.attached)
			continue;
		if (link->udp.counters.tx_packets == link->meter.seen.tx_packets &&
		    link->udp.counters.rx_packets == link->meter.seen.rx_packets)
			continue;
		count(link, now);
		if (link->rule->quota.bytes > 0)
			judge(link, now);
	}
	if (daemon->cost_at <= now)
		look_at_periods(daemon, now);
}

void hw_daemon_cost_status(const struct hw_daemon_link *link, struct hw_status_link *ret_status)
{
	const struct hw_state_link *account = account_of(link);
	const struct hw_quota *quota = &account->quota;
	const struct hw_quota_rule rule = rule_of(link);
	const struct hw_quota_use use =
		hw_quota_use_of(quota, &rule, hw_state_link_bytes(account));

	ret_status->tx_bytes = account->tx_bytes;
	ret_status->tx_packets = account->tx_packets;
	ret_status->rx_bytes = account->rx_bytes;
	ret_status->rx_packets = account->rx_packets;
	ret_status->since_s = account->since_s;
	if (rule.bytes == 0 || quota->mark_count == 0)
		return;
	ret_status->quota = (struct hw_status_quota){
		.bytes = rule.bytes,
		.per = rule.per == HW_QUOTA_PER_DAY ? "day" : "month",
		.used_bytes = use.used,
		.left_bytes = use.left,
		.warn_percent = rule.warn_percent,
		.warned = use.warn,
		.spent = use.spent,
		.begun_s = hw_calendar_begin_ns(quota->marks[quota->active].first) / HW_NS_PER_S,
		.ends_s = hw_calendar_begin_ns(quota->last_next) / HW_NS_PER_S,
	};
}
