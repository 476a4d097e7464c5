#include "io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

struct queue {
	struct hw_worker_job *first, **end;
};

struct hw_worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue waiting; /* these three under the lock */
	struct queue finished;
	bool ending;
	int fd;
};

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_put(struct queue *queue, struct hw_worker_job *job)
{
	job->next = NULL;
	*queue->end = job;
	queue->end = &job->next;
}

static struct hw_worker_job *queue_take(struct queue *queue)
{
	struct hw_worker_job *job = queue->first;

	if (job) {
		queue->first = job->next;
		if (!queue->first)
			queue->end = &queue->first;
	}
	return job;
}

static void *work(void *arg)
{
	struct hw_worker *worker = arg;
	const uint64_t one = 1;

	pthread_mutex_lock(&worker->lock);
	for (;;) {
		struct hw_worker_job *job = queue_take(&worker->waiting);

		if (!job) {
			if (worker->ending)
				break;
			pthread_cond_wait(&worker->wake, &worker->lock);
			continue;
		}
		pthread_mutex_unlock(&worker->lock);
		job->run(job);
		pthread_mutex_lock(&worker->lock);
		queue_put(&worker->finished, job);
		/* Cannot block before 2^64 - 1 jobs are waiting to be collected. */
		if (write(worker->fd, &one, sizeof(one)) < 0)
			break;
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

int hw_worker_new(struct hw_worker **ret_worker)
{
	struct hw_worker *worker = calloc(1, sizeof(*worker));
	sigset_t all, before;
	int err;

	if (!worker)
		return HW_E_NOMEM;
	queue_init(&worker->waiting);
	queue_init(&worker->finished);
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	worker->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->fd < 0)
		goto fail;

	/* Signals are the loop's business: the thread inherits a mask that blocks them all. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0) {
		close(worker->fd);
		errno = err;
		goto fail;
	}
	*ret_worker = worker;
	return 0;
fail:
	free(worker);
	return HW_E_SYSTEM;
}

void hw_worker_free(struct hw_worker *worker, unsigned patience_ms)
{
	struct timespec until;
	struct hw_worker_job *job;
	uint64_t ns;

	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->ending = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = (uint64_t)until.tv_nsec + HW_MS(patience_ms);
	until.tv_sec += (time_t)(ns / HW_NS_PER_S);
	until.tv_nsec = (long)(ns % HW_NS_PER_S);
	if (pthread_clockjoin_np(worker->thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
		/* Hangs in a job; it may still touch the worker, which therefore stays. */
		pthread_detach(worker->thread);
		return;
	}
	while ((job = queue_take(&worker->finished)) || (job = queue_take(&worker->waiting)))
		job->drop(job);
	close(worker->fd);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void hw_worker_post(struct hw_worker *worker, struct hw_worker_job *job)
{
	pthread_mutex_lock(&worker->lock);
	queue_put(&worker->waiting, job);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

int hw_worker_fd(const struct hw_worker *worker)
{
	return worker->fd;
}

void hw_worker_collect(struct hw_worker *worker)
{
	uint64_t count;

	if (read(worker->fd, &count, sizeof(count)) < 0)
		return;
	for (;;) {
		struct hw_worker_job *job;

		pthread_mutex_lock(&worker->lock);
		job = queue_take(&worker->finished);
		pthread_mutex_unlock(&worker->lock);
		if (!job)
			return;
		job->done(job);
	}
}
