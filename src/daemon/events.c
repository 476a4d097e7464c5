#include "daemon/runtime.h"

#define EVENTS_AT_ONCE 32u

static const char *peer_name(const struct hw_daemon *daemon, uint32_t peer)
{
	return peer < daemon->config->peer_count ? daemon->config->peers[peer].name : "?";
}

static void log_session(struct hw_daemon *daemon, struct hw_log_limit *limit,
			const struct hw_event *event, hw_time now)
{
	const char *peer = peer_name(daemon, event->peer);

	switch (event->type) {
	case HW_EVENT_SESSION_UP:
		hw_log_limited(&daemon->log, limit, now, HW_LOG_INFO, "peer %s: session up", peer);
		break;
	case HW_EVENT_SESSION_DOWN:
		hw_log_limited(&daemon->log, limit, now, HW_LOG_WARNING,
			       "peer %s: silent on every path, session down", peer);
		break;
	case HW_EVENT_SESSION_CLOSED:
		hw_log_limited(&daemon->log, limit, now, HW_LOG_INFO, "peer %s: said goodbye", peer);
		break;
	case HW_EVENT_HANDSHAKE_STALL:
		hw_log_limited(&daemon->log, limit, now, HW_LOG_WARNING,
			       "peer %s: no answer for %llu s; is it running, with the matching key, "
			       "and reachable over UDP?", peer, (unsigned long long)event->value);
		break;
	default:
		break;
	}
}

static void log_path(struct hw_daemon *daemon, struct hw_log_limit *limit,
		     const struct hw_event *event, hw_time now)
{
	static const struct {
		enum hw_event_type type;
		enum hw_log_level level;
		const char *text;
	} kinds[] = {
		{HW_EVENT_PATH_UP, HW_LOG_INFO, "up"},
		{HW_EVENT_PATH_SUSPECT, HW_LOG_INFO, "suspect, nothing heard for longer than expected"},
		{HW_EVENT_PATH_DOWN, HW_LOG_WARNING, "down"},
		{HW_EVENT_PATH_NEW, HW_LOG_INFO, "new"},
		{HW_EVENT_PATH_MOVED, HW_LOG_INFO, "the peer moved here"},
		{HW_EVENT_PATH_REMOVED, HW_LOG_INFO, "removed"},
	};
	char remote[HW_ADDR_TEXT_BYTES];

	hw_addr_format(&event->tuple.remote, remote);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type != event->type)
			continue;
		hw_log_limited(&daemon->log, limit, now, kinds[i].level, "path %s to %s at %s: %s",
			       hw_daemon_link_name(daemon, event->tuple.link),
			       peer_name(daemon, event->peer), remote, kinds[i].text);
	}
}

static void on_event(struct hw_daemon *daemon, const struct hw_event *event, hw_time now)
{
	uint32_t path = event->path < HW_CORE_MAX_PATHS ? event->path : HW_CORE_MAX_PATHS;
	struct hw_log_limit *limit = &daemon->event_limits[event->type][path];

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
			log_session(daemon, limit, event, now);
		daemon->session_up = event->type == HW_EVENT_SESSION_UP;
		break;
	default:
		log_path(daemon, limit, event, now);
		break;
	}
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
}
