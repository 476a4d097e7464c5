/*
 * Recordings by file name: each file is read once, and shared by all links that name it.
 *
 * For the simulator's scenarios and for the lab's shaper, so that both play the same file alike.
 */
#ifndef HW_SIM_STORE_H
#define HW_SIM_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/trace.h"

#define HW_TRACE_STORE_MAX 16u /* of each kind */
#define HW_TRACE_PATH_BYTES 512u
#define HW_TRACE_SLOT_NS HW_MS(200) /* of the recordings of pings */

struct hw_trace_store {
	struct hw_capacity_trace capacities[HW_TRACE_STORE_MAX];
	char capacity_files[HW_TRACE_STORE_MAX][HW_TRACE_PATH_BYTES];
	uint32_t capacity_count;
	struct hw_loss_trace losses[HW_TRACE_STORE_MAX];
	char loss_files[HW_TRACE_STORE_MAX][HW_TRACE_PATH_BYTES];
	uint32_t loss_count;
};

/*
 * The capacity trace (recording of pings) in that file; the store keeps it until its end, so a link
 * may point to it. HW_E_SYSTEM: the file cannot be read, see errno; HW_E_MALFORMED: ret_line is at
 * fault; HW_E_LIMIT: the store is full, the name too long or the file larger than 64 MiB;
 * HW_E_NOMEM.
 */
HW_MUST_USE int hw_trace_store_capacity(struct hw_trace_store *store, const char *path,
					const struct hw_capacity_trace **ret_trace,
					size_t *ret_line);
HW_MUST_USE int hw_trace_store_loss(struct hw_trace_store *store, const char *path,
				    const struct hw_loss_trace **ret_trace, size_t *ret_line);

/* A zeroed store is an empty one. */
void hw_trace_store_fini(struct hw_trace_store *store);

/* A whole file, to be freed; HW_E_SYSTEM, HW_E_LIMIT past 64 MiB, HW_E_NOMEM. */
HW_MUST_USE int hw_trace_read_file(const char *path, char **ret_text, size_t *ret_len);

#endif
