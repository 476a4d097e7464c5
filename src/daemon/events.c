/* What the core tells, as log lines: what happened, to which path or peer, and what to do. */
#include <stdarg.h>
#include <stdio.h>

#include "daemon/runtime.h"
#include "path/state.h"

#define EVENTS_AT_ONCE 32u

static const char *peer_name(const struct hw_daemon *daemon, uint32_t peer)
{
	return peer < daemon->config->peer_count ? daemon->config->peers[peer].name : "?";
}

/* Whether the peer could be heard at all: without a link, it is not the peer that is silent. */
static bool listens(const struct hw_daemon *daemon)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		const struct hw_daemon_link *link = &daemon->links[i];

		if (link->used && link->up && hw_daemon_link_use(link) != HW_USE_NEVER)
			return true;
	}
	return false;
}

static void log_session(struct hw_daemon *daemon, const struct hw_event *event, hw_time now)
{
	const char *peer = peer_name(daemon, event->peer);
	char subject[HW_CORE_NAME_BYTES + 8];

	(void)snprintf(subject, sizeof(subject), "peer %s", peer);
	switch (event->type) {
	case HW_EVENT_SESSION_UP:
		hw_log_change(&daemon->log, &daemon->session_flap, now, HW_LOG_INFO, subject,
			      "session up");
		break;
	case HW_EVENT_SESSION_DOWN:
		hw_log_change(&daemon->log, &daemon->session_flap, now, HW_LOG_WARNING, subject,
			      listens(daemon)
				      ? "silent on every path, session down; it is tried again until it answers"
				      : "no link is in use, session down; it goes on with the first that is");
		break;
	case HW_EVENT_SESSION_CLOSED:
		hw_log_change(&daemon->log, &daemon->session_flap, now, HW_LOG_INFO, subject,
			      "said goodbye");
		break;
	default:
		hw_log_limited(&daemon->log, &daemon->stall_limit, now, HW_LOG_WARNING,
			       "peer %s: no answer for %llu s; is it running, with the matching key, "
			       "and reachable over UDP?", peer, (unsigned long long)event->value);
		break;
	}
	hw_daemon_flap_due(daemon, &daemon->session_flap);
}

static void describe_mtu(const struct hw_event *event, char *ret_text, size_t size)
{
	uint32_t now = (uint32_t)event->value, before = (uint32_t)(event->value >> 32);

	if (before == 0)
		(void)snprintf(ret_text, size, "takes packets of %u bytes", now);
	else
		(void)snprintf(ret_text, size, "takes packets of %u bytes now (was %u)", now, before);
}

static void log_path(struct hw_daemon *daemon, const struct hw_event *event, hw_time now)
{
	static const struct {
		enum hw_event_type type;
		enum hw_log_level level;
		const char *text;
	} kinds[] = {
		{HW_EVENT_PATH_UP, HW_LOG_INFO, "up"},
		{HW_EVENT_PATH_SUSPECT, HW_LOG_INFO, "suspect, others carry copies"},
		{HW_EVENT_PATH_DOWN, HW_LOG_WARNING, "down, it comes back by itself"},
		{HW_EVENT_PATH_NEW, HW_LOG_DEBUG, "new"},
		{HW_EVENT_PATH_MOVED, HW_LOG_INFO, "the peer's address has changed, it moved here"},
		{HW_EVENT_PATH_REMOVED, HW_LOG_INFO, "removed"},
	};
	uint32_t path = event->path < HW_CORE_MAX_PATHS ? event->path : HW_CORE_MAX_PATHS;
	enum hw_log_level level = HW_LOG_INFO;
	const char *why = "";
	char remote[HW_ADDR_TEXT_BYTES], text[HW_LOG_FLAP_TEXT_BYTES] = "changed";
	char subject[HW_LOG_FLAP_SUBJECT_BYTES];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type != event->type)
			continue;
		level = kinds[i].level;
		(void)snprintf(text, sizeof(text), "%s", kinds[i].text);
	}
	if (event->type == HW_EVENT_PATH_MTU)
		describe_mtu(event, text, sizeof(text));
	if (event->type == HW_EVENT_PATH_SUSPECT || event->type == HW_EVENT_PATH_DOWN)
		why = hw_path_event_text((enum hw_path_event)event->value);
	if (level > daemon->log.level)
		return;
	hw_addr_format(&event->tuple.remote, remote);
	(void)snprintf(subject, sizeof(subject), "path %s to %s",
		       hw_daemon_link_name(daemon, event->tuple.link),
		       peer_name(daemon, event->peer));
	hw_log_change(&daemon->log, &daemon->path_flaps[path], now, level, subject, "%s%s%s [%s]", text,
		      why[0] != '\0' ? ": " : "", why, remote);
	hw_daemon_flap_due(daemon, &daemon->path_flaps[path]);
}

static void change_tunnel_mtu(struct hw_daemon *daemon, uint32_t bytes)
{
	char problem[HW_TUNTAP_ERROR_BYTES];

	/* A fixed one has been set by who changed it (reload.c). */
	if (!daemon->config->tunnel.mtu_auto)
		return;
	if (hw_tuntap_set_mtu(&daemon->tunnel, daemon->netlink, bytes, problem) < 0)
		hw_log(&daemon->log, HW_LOG_WARNING, "%s; larger packets are cut", problem);
	else
		hw_log(&daemon->log, HW_LOG_INFO, "device %s: MTU %u now, by what the links take whole",
		       daemon->tunnel.name, bytes);
}

static void on_event(struct hw_daemon *daemon, const struct hw_event *event, hw_time now)
{
	switch (event->type) {
	case HW_EVENT_TIMESTAMP:
		daemon->state.timestamp_floor_ns = event->value;
		hw_daemon_state_save(daemon, now);
		break;
	case HW_EVENT_SESSION_UP:
	case HW_EVENT_SESSION_DOWN:
	case HW_EVENT_SESSION_CLOSED:
	case HW_EVENT_HANDSHAKE_STALL:
		/* After a goodbye, or before the first hello, silence is no news. */
		if (event->type != HW_EVENT_SESSION_DOWN || daemon->session_up)
			log_session(daemon, event, now);
		daemon->session_up = event->type == HW_EVENT_SESSION_UP;
		break;
	case HW_EVENT_TUNNEL_MTU:
		change_tunnel_mtu(daemon, (uint32_t)event->value);
		break;
	default:
		hw_daemon_endpoints_event(daemon, event, now);
		log_path(daemon, event, now);
		break;
	}
}

static void sum_up_one(struct hw_daemon *daemon, struct hw_log_flap *flap, hw_time now)
{
	hw_log_flap_tick(&daemon->log, flap, now);
	hw_daemon_flap_due(daemon, flap);
}

/* What flapped, at the end of its minute. */
static void sum_up(struct hw_daemon *daemon, hw_time now)
{
	daemon->flap_at = HW_TIME_NEVER;
	sum_up_one(daemon, &daemon->session_flap, now);
	for (uint32_t i = 0; i <= HW_CORE_MAX_PATHS; i++)
		sum_up_one(daemon, &daemon->path_flaps[i], now);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		sum_up_one(daemon, &daemon->link_flaps[i], now);
		sum_up_one(daemon, &daemon->links[i].meter.flap, now);
	}
}

void hw_daemon_flap_due(struct hw_daemon *daemon, const struct hw_log_flap *flap)
{
	daemon->flap_at = hw_time_min(daemon->flap_at, hw_log_flap_deadline(flap));
}

void hw_daemon_link_say(struct hw_daemon_link *link, hw_time now, enum hw_log_level level,
			const char *format, ...)
{
	struct hw_log_flap *flap = &link->daemon->link_flaps[link->index];
	char subject[HW_CORE_NAME_BYTES + 8], text[HW_LOG_FLAP_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)snprintf(subject, sizeof(subject), "link %s", link->name);
	hw_log_change(&link->daemon->log, flap, now, level, subject, "%s", text);
	hw_daemon_flap_due(link->daemon, flap);
}

void hw_daemon_events(struct hw_daemon *daemon, hw_time now)
{
	struct hw_event events[EVENTS_AT_ONCE];
	size_t n;

	do {
		n = hw_core_events_out(daemon->core, events, EVENTS_AT_ONCE);
		for (size_t i = 0; i < n; i++)
			on_event(daemon, &events[i], now);
	} while (n == EVENTS_AT_ONCE);
	if (daemon->flap_at <= now)
		sum_up(daemon, now);
}

void hw_daemon_events_stop(struct hw_daemon *daemon)
{
	hw_log_flap_end(&daemon->log, &daemon->session_flap);
	for (uint32_t i = 0; i <= HW_CORE_MAX_PATHS; i++)
		hw_log_flap_end(&daemon->log, &daemon->path_flaps[i]);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++)
		hw_log_flap_end(&daemon->log, &daemon->link_flaps[i]);
}
