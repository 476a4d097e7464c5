#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/runtime.h"
#include "io/worker.h"

#define EVENTS_AT_ONCE 32u

struct save {
	struct hw_worker_job job;
	struct hw_daemon *daemon;
	struct hw_state state;
	int err, error_number;
	char path[HW_DAEMON_PATH_BYTES];
};

static void start_save(struct hw_daemon *daemon);

/* In the disk's thread: touches nothing but the job. */
static void run(struct hw_worker_job *job)
{
	struct save *save = (struct save *)job;

	save->err = hw_state_save(save->path, &save->state);
	save->error_number = errno;
}

static void drop(struct hw_worker_job *job)
{
	free(job);
}

static void done(struct hw_worker_job *job)
{
	struct save *save = (struct save *)job;
	struct hw_daemon *daemon = save->daemon;

	if (save->err < 0)
		hw_log_limited(&daemon->log, &daemon->general_limit, hw_loop_now(daemon->loop),
			       HW_LOG_WARNING,
			       "cannot write %s: %s; if the clock is set back, the next start may "
			       "have to wait for it", save->path,
			       save->err == HW_E_SYSTEM ? strerror(save->error_number)
							: hw_strerror(save->err));
	free(save);
	daemon->saving = false;
	if (daemon->save_again)
		start_save(daemon);
}

static void start_save(struct hw_daemon *daemon)
{
	struct save *save;

	/* One at a time, the newest value last. */
	daemon->save_again = daemon->saving;
	if (daemon->saving)
		return;
	save = calloc(1, sizeof(*save));
	if (!save)
		return; /* the next event tries again */
	save->job = (struct hw_worker_job){.run = run, .done = done, .drop = drop};
	save->daemon = daemon;
	save->state = daemon->state;
	memcpy(save->path, daemon->state_path, sizeof(save->path));
	daemon->saving = true;
	hw_worker_post(daemon->disk, &save->job);
}

void hw_daemon_state_start(struct hw_daemon *daemon)
{
	int err = hw_state_load(daemon->state_path, &daemon->state);

	if (err == HW_E_MALFORMED)
		hw_log(&daemon->log, HW_LOG_WARNING,
		       "%s is damaged and will be written anew; the peer may refuse this node until "
		       "the clock has passed what the file said", daemon->state_path);
	else if (err < 0 && err != HW_E_NOT_FOUND)
		hw_log(&daemon->log, HW_LOG_WARNING, "cannot read %s: %s", daemon->state_path,
		       strerror(errno));
}

void hw_daemon_state_stop(struct hw_daemon *daemon)
{
	/* The save on its way is older than this; both end in order. */
	daemon->saving = false;
	if (daemon->save_again)
		start_save(daemon);
}

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
		start_save(daemon);
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
