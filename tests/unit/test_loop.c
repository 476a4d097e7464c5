/* The event loop, the helper thread and the clocks. */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/loop.h"
#include "io/worker.h"

struct fixture {
	struct hw_loop *loop;
	hw_time deadline;
	int wakeups;
	int signal;
	char order[16];
};

struct source {
	struct hw_loop_source source;
	struct fixture *f;
	struct source *victim; /* removed when this one runs */
	char name;
};

static hw_time on_wakeup(void *ctx, hw_time now)
{
	struct fixture *f = ctx;

	(void)now;
	f->wakeups++;
	return f->deadline;
}

static void on_signal(void *ctx, int signo, hw_time now)
{
	struct fixture *f = ctx;

	(void)now;
	f->signal = signo;
}

static void on_source(void *ctx, uint32_t events, hw_time now)
{
	struct source *s = ctx;
	uint64_t count;

	assert_true(events & EPOLLIN);
	assert_true(now == hw_loop_now(s->f->loop));
	assert_int_equal(read(s->source.fd, &count, sizeof(count)), sizeof(count));
	s->f->order[strlen(s->f->order)] = s->name;
	if (s->victim)
		hw_loop_remove(s->f->loop, &s->victim->source);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct hw_loop_hooks hooks = {on_wakeup, on_signal, f};

	f->deadline = HW_TIME_NEVER;
	assert_int_equal(hw_loop_new(&hooks, &f->loop), 0);
	/* The first wakeup does not wait. */
	assert_int_equal(hw_loop_once(f->loop), 0);
	assert_int_equal(f->wakeups, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hw_loop_free(f->loop);
	free(f);
	return 0;
}

static void open_source(struct fixture *f, struct source *s, char name,
			enum hw_loop_priority priority)
{
	*s = (struct source){.f = f, .name = name};
	s->source = (struct hw_loop_source){.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK),
					    .priority = priority, .ready = on_source, .ctx = s};
	assert_int_equal(hw_loop_add(f->loop, &s->source, EPOLLIN), 0);
}

static void close_source(struct source *s)
{
	hw_loop_remove(s->f->loop, &s->source);
	close(s->source.fd);
}

static void serves_by_priority(void **state)
{
	struct fixture *f = *state;
	struct source other, tunnel, network;

	open_source(f, &other, 'o', HW_LOOP_OTHER);
	open_source(f, &tunnel, 't', HW_LOOP_TUNNEL);
	open_source(f, &network, 'n', HW_LOOP_NETWORK);
	assert_int_equal(hw_loop_once(f->loop), 0);
	assert_string_equal(f->order, "nto");
	assert_int_equal(f->wakeups, 2);
	close_source(&other);
	close_source(&tunnel);
	close_source(&network);
}

static void a_removed_source_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct source first, second, third;

	open_source(f, &first, '1', HW_LOOP_NETWORK);
	open_source(f, &second, '2', HW_LOOP_TUNNEL);
	open_source(f, &third, '3', HW_LOOP_TUNNEL);
	first.victim = &third;
	assert_int_equal(hw_loop_once(f->loop), 0);
	assert_string_equal(f->order, "12");
	close_source(&first);
	close_source(&second);
	close(third.source.fd);
}

static void wakes_at_the_deadline(void **state)
{
	struct fixture *f = *state;
	hw_time at = hw_clock_now() + HW_MS(30);

	struct source s;

	open_source(f, &s, 's', HW_LOOP_OTHER);
	f->deadline = at;
	assert_int_equal(hw_loop_once(f->loop), 0); /* the source; now the deadline is known */
	assert_true(hw_loop_now(f->loop) < at);
	assert_int_equal(hw_loop_once(f->loop), 0);
	assert_true(hw_loop_now(f->loop) >= at);
	/* Past deadlines do not wait. */
	assert_int_equal(hw_loop_once(f->loop), 0);
	close_source(&s);
}

static void a_later_deadline_is_kept_too(void **state)
{
	struct fixture *f = *state;
	hw_time start = hw_clock_now();
	struct source s;

	open_source(f, &s, 's', HW_LOOP_OTHER);
	f->deadline = start + HW_MS(10);
	assert_int_equal(hw_loop_once(f->loop), 0);
	f->deadline = start + HW_MS(40);
	/* The timer fires for the earlier one, which is no more: at most one idle wakeup. */
	assert_int_equal(hw_loop_once(f->loop), 0);
	assert_true(hw_loop_now(f->loop) >= start + HW_MS(10));
	if (hw_loop_now(f->loop) < start + HW_MS(40))
		assert_int_equal(hw_loop_once(f->loop), 0);
	assert_true(hw_loop_now(f->loop) >= start + HW_MS(40));
	close_source(&s);
}

static void signals_come_through_the_loop(void **state)
{
	static const int signals[] = {SIGUSR1};
	struct fixture *f = *state;

	assert_int_equal(hw_loop_signals(f->loop, signals, 1), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(hw_loop_once(f->loop), 0);
	assert_int_equal(f->signal, SIGUSR1);
}

struct job {
	struct hw_worker_job job;
	pthread_t thread;
	int done;
	int dropped;
	unsigned sleep_us;
};

static void job_run(struct hw_worker_job *job)
{
	struct job *j = (struct job *)job;

	if (j->sleep_us > 0)
		usleep(j->sleep_us);
	j->thread = pthread_self();
}

static void job_done(struct hw_worker_job *job)
{
	((struct job *)job)->done++;
}

static void job_drop(struct hw_worker_job *job)
{
	((struct job *)job)->dropped++;
}

static struct job job_make(unsigned sleep_us)
{
	return (struct job){.job = {.run = job_run, .done = job_done, .drop = job_drop},
			    .sleep_us = sleep_us};
}

static void on_worker(void *ctx, uint32_t events, hw_time now)
{
	(void)events;
	(void)now;
	hw_worker_collect(ctx);
}

static void jobs_run_elsewhere_and_end_here(void **state)
{
	struct fixture *f = *state;
	struct hw_worker *worker;
	struct hw_loop_source source;
	struct job jobs[3] = {job_make(20000), job_make(0), job_make(0)};

	assert_int_equal(hw_worker_new(&worker), 0);
	source = (struct hw_loop_source){.fd = hw_worker_fd(worker), .priority = HW_LOOP_OTHER,
					 .ready = on_worker, .ctx = worker};
	assert_int_equal(hw_loop_add(f->loop, &source, EPOLLIN), 0);
	for (int i = 0; i < 3; i++)
		hw_worker_post(worker, &jobs[i].job);
	assert_int_equal(jobs[0].done, 0);
	while (!jobs[2].done)
		assert_int_equal(hw_loop_once(f->loop), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(jobs[i].done, 1);
		assert_int_equal(jobs[i].dropped, 0);
		assert_false(pthread_equal(jobs[i].thread, pthread_self()));
	}
	hw_loop_remove(f->loop, &source);
	hw_worker_free(worker, 1000);
}

static void jobs_at_the_end_are_run_and_dropped(void **state)
{
	struct hw_worker *worker;
	struct job jobs[2] = {job_make(20000), job_make(0)};

	(void)state;
	assert_int_equal(hw_worker_new(&worker), 0);
	hw_worker_post(worker, &jobs[0].job);
	hw_worker_post(worker, &jobs[1].job);
	hw_worker_free(worker, 5000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(jobs[i].done, 0);
		assert_int_equal(jobs[i].dropped, 1);
		assert_false(pthread_equal(jobs[i].thread, pthread_self()));
	}
}

static void clocks_go_forward(void **state)
{
	hw_time a = hw_clock_now(), b = hw_clock_now();
	int fd = -1;
	uint64_t count;

	(void)state;
	assert_true(b >= a);
	assert_true(hw_clock_wall_ns() > UINT64_C(1500000000) * HW_NS_PER_S);
	/* Without a jump there is no news. */
	assert_int_equal(hw_clock_watch_open(&fd), 0);
	assert_int_equal(read(fd, &count, sizeof(count)), -1);
	assert_int_equal(hw_clock_watch_rearm(fd), 0);
	close(fd);
}

static void entropy_fills_all(void **state)
{
	uint8_t a[300] = {0}, b[300] = {0};

	(void)state;
	hw_entropy_fill(NULL, a, sizeof(a));
	hw_entropy_fill(NULL, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	/* Eight zero bytes at an end: once in 2^64. */
	assert_memory_not_equal(a, "\0\0\0\0\0\0\0\0", 8);
	assert_memory_not_equal(a + 292, "\0\0\0\0\0\0\0\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(serves_by_priority, setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_source_is_not_served, setup, teardown),
		cmocka_unit_test_setup_teardown(wakes_at_the_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(a_later_deadline_is_kept_too, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_come_through_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(jobs_run_elsewhere_and_end_here, setup, teardown),
		cmocka_unit_test(jobs_at_the_end_are_run_and_dropped),
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(entropy_fills_all),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
