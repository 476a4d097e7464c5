/*
 * A helper thread for calls that may block: names to resolve, files to sync. The event loop never
 * waits for it.
 *
 * A job belongs to the worker from hw_worker_post until its `done` has run in the loop's thread.
 */
#ifndef HW_IO_WORKER_H
#define HW_IO_WORKER_H

#include "base/error.h"

struct hw_worker;

struct hw_worker_job {
	void (*run)(struct hw_worker_job *job);  /* in the helper thread */
	void (*done)(struct hw_worker_job *job); /* in hw_worker_collect */
	/* Instead of done, when the worker ends first: frees the job. */
	void (*drop)(struct hw_worker_job *job);
	struct hw_worker_job *next;              /* the worker's */
};

/* All signals are blocked in the thread. HW_E_NOMEM, HW_E_SYSTEM. */
HW_MUST_USE int hw_worker_new(struct hw_worker **ret_worker);

/*
 * End the thread. It finishes what it has been given if that takes less than `patience_ms` in all;
 * after that it is left behind with the job it hangs in, to end with the process. NULL is allowed.
 */
void hw_worker_free(struct hw_worker *worker, unsigned patience_ms);

/* Takes the job. */
void hw_worker_post(struct hw_worker *worker, struct hw_worker_job *job);

/* Readable when hw_worker_collect has something to do; owned by the worker. */
int hw_worker_fd(const struct hw_worker *worker);

/* Run `done` of every finished job. */
void hw_worker_collect(struct hw_worker *worker);

#endif
