/* The state file's way to the disk, which may take its time. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/runtime.h"
#include "io/loop.h"
#include "io/worker.h"

/* Hangs in the disk's thread until there is a byte to read, as a disk would. */
struct hang {
	struct hw_worker_job job;
	int fds[2];
	bool over;
};

static void hang(struct hw_worker_job *job)
{
	char byte;

	assert_int_equal(read(((struct hang *)job)->fds[0], &byte, 1), 1);
}

static void go_on(struct hw_worker_job *job)
{
	((struct hang *)job)->over = true;
}

static void forget(struct hw_worker_job *job)
{
	(void)job;
}

static hw_time no_deadline(void *ctx, hw_time now)
{
	(void)ctx;
	(void)now;
	return HW_TIME_NEVER;
}

/* What is to be saved while the disk hangs must wait for it, and not keep the loop awake. */
static void a_slow_disk_keeps_nobody_awake(void **state)
{
	const struct hw_loop_hooks hooks = {.wakeup = no_deadline};
	struct hw_daemon *daemon = calloc(1, sizeof(*daemon));
	struct hang slow = {.job = {.run = hang, .done = go_on, .drop = forget}};
	char folder[] = "/tmp/hawser-persist-XXXXXX", path[HW_DAEMON_PATH_BYTES];
	struct hw_state found;
	bool old;

	(void)state;
	assert_non_null(daemon);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(daemon->state_path, sizeof(daemon->state_path), "%s/hw0.state", folder);
	assert_int_equal(pipe(slow.fds), 0);
	assert_int_equal(hw_loop_new(&hooks, &daemon->loop), 0);
	assert_int_equal(hw_worker_new(&daemon->disk), 0);
	daemon->save_at = HW_TIME_NEVER;
	daemon->state.timestamp_floor_ns = 1;
	hw_worker_post(daemon->disk, &slow.job);
	hw_daemon_state_save(daemon, HW_S(1));
	assert_true(daemon->saving);

	daemon->state.timestamp_floor_ns = 2;
	hw_daemon_state_save_by(daemon, HW_S(2));
	hw_daemon_state_save(daemon, HW_S(2)); /* due: what each wakeup does */
	assert_true(daemon->save_again);
	assert_int_equal(daemon->save_at, HW_TIME_NEVER);

	assert_int_equal(write(slow.fds[1], "", 1), 1);
	while (!slow.over || daemon->saving) {
		usleep(1000);
		hw_worker_collect(daemon->disk);
	}
	assert_int_equal(hw_state_load(daemon->state_path, &found, &old), 0);
	assert_int_equal(found.timestamp_floor_ns, 2); /* the newest, and it was not forgotten */

	hw_worker_free(daemon->disk, 1000);
	hw_loop_free(daemon->loop);
	(void)snprintf(path, sizeof(path), "%s/hw0.state", folder);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/hw0.state.old", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	close(slow.fds[0]);
	close(slow.fds[1]);
	free(daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_disk_keeps_nobody_awake),
	};

	return cmocka_run_group_tests_name("persist", tests, NULL, NULL);
}
