/* The state file, written by the disk's thread: the loop never waits for a disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/runtime.h"
#include "io/worker.h"

/* After a write that failed. */
#define RETRY HW_S(60)

struct save {
	struct hw_worker_job job;
	struct hw_daemon *daemon;
	struct hw_state state;
	int err, error_number;
	char path[HW_DAEMON_PATH_BYTES];
};

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
	hw_time now = hw_loop_now(daemon->loop);

	if (save->err < 0) {
		hw_log_limited(&daemon->log, &daemon->general_limit, now, HW_LOG_WARNING,
			       "cannot write %s: %s; a restart forgets what the links have carried "
			       "since, and if the clock is set back, it may have to wait for it",
			       save->path, save->err == HW_E_SYSTEM ? strerror(save->error_number)
								    : hw_strerror(save->err));
		hw_daemon_state_save_by(daemon, hw_time_add(now, RETRY));
	}
	free(save);
	daemon->saving = false;
	if (daemon->save_again)
		hw_daemon_state_save(daemon, now);
}

void hw_daemon_state_save(struct hw_daemon *daemon, hw_time now)
{
	struct save *save;

	/* One at a time, the newest value last. */
	daemon->save_again = daemon->saving;
	if (daemon->saving) {
		/* The disk is waited for now, not a time: one that has passed would wake the loop at once. */
		daemon->save_at = HW_TIME_NEVER;
		return;
	}
	hw_daemon_cost_settle(daemon, now);
	daemon->save_at = HW_TIME_NEVER;
	daemon->saved_at = now;
	save = calloc(1, sizeof(*save));
	if (!save) {
		hw_daemon_state_save_by(daemon, hw_time_add(now, RETRY));
		return;
	}
	save->job = (struct hw_worker_job){.run = run, .done = done, .drop = drop};
	save->daemon = daemon;
	save->state = daemon->state;
	memcpy(save->path, daemon->state_path, sizeof(save->path));
	daemon->saving = true;
	hw_worker_post(daemon->disk, &save->job);
}

void hw_daemon_state_save_by(struct hw_daemon *daemon, hw_time at)
{
	daemon->save_at = hw_time_min(daemon->save_at, at);
}

void hw_daemon_state_start(struct hw_daemon *daemon)
{
	bool old = false;
	int err = hw_state_load(daemon->state_path, &daemon->state, &old);
	const char *instead = old ? "the one before it is used, which knows all but the last minutes"
				  : "what the links have carried is counted from 0 again, quotas too, "
				    "and the peer may refuse this node until the clock has passed what "
				    "the file said";

	daemon->save_at = HW_TIME_NEVER;
	if (err == HW_E_MALFORMED)
		hw_log(&daemon->log, HW_LOG_WARNING, "%s is damaged and will be written anew; %s",
		       daemon->state_path, instead);
	else if (err == HW_E_SYSTEM)
		hw_log(&daemon->log, HW_LOG_WARNING, "cannot read %s: %s; %s", daemon->state_path,
		       strerror(errno), instead);
	else if (err == HW_E_NOT_FOUND && old)
		hw_log(&daemon->log, HW_LOG_WARNING, "%s is missing; %s", daemon->state_path, instead);
}

void hw_daemon_state_stop(struct hw_daemon *daemon, hw_time now)
{
	bool wanted = daemon->save_again || daemon->save_at != HW_TIME_NEVER;

	/* The save on its way is older than this; both end in order. */
	daemon->saving = false;
	if (wanted)
		hw_daemon_state_save(daemon, now);
}
