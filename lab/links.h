/*
 * The links of the shaper: pairs of TAP devices with a link model between them for each direction.
 *
 * Sizes and the fates of packets are those of the IP packet in the frame: rate, queue, MTU, loss,
 * duplication and corruption apply to it as if no Ethernet were there. ARP and IPv6 neighbour
 * discovery take no share of the rate and are never lost, only delayed (and swallowed while the link
 * is down), so that address resolution never blurs an experiment.
 */
#ifndef HW_LAB_LINKS_H
#define HW_LAB_LINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/time.h"
#include "lab/params.h"
#include "sim/link.h"
#include "sim/store.h"

#define HW_LAB_MAX_LINKS 32u
#define HW_LAB_NAME_BYTES 16u
#define HW_LAB_FRAME_BYTES 2048u /* the largest frame that is carried */
#define HW_LAB_LATE_US 4096u     /* the histogram of lateness ends here */

struct hw_lab_frame {
	struct hw_lab_frame *next; /* while it is free */
	uint32_t bytes;
	uint8_t data[HW_LAB_FRAME_BYTES];
};

struct hw_lab_frames {
	struct hw_lab_frame *free;
};

struct hw_lab_end {
	char netns[256];
	char device[HW_LAB_NAME_BYTES];
	int fd; /* -1 while its device is gone */
	uint64_t read_frames, written_frames, write_errors;
};

/* From ends[i] to ends[1 - i] of its link. */
struct hw_lab_direction {
	struct hw_lab_params params; /* in force; the models point into it */
	struct hw_linkmodel *packets;    /* what is modelled */
	struct hw_linkmodel *neighbours; /* ARP and neighbour discovery: delay alone */
};

struct hw_lab_link {
	char name[HW_LAB_NAME_BYTES];
	struct hw_lab_end ends[2];
	struct hw_lab_direction directions[2]; /* [0]: from a to b, [1]: from b to a */
};

struct hw_lab {
	struct hw_lab_link links[HW_LAB_MAX_LINKS];
	unsigned link_count;
	struct hw_lab_frames frames;
	struct hw_trace_store recordings;
	hw_time start; /* when the first link was made: where the time of all links begins */
	uint64_t seed;
	uint64_t late_us[HW_LAB_LATE_US + 1]; /* frames by how late they were written; the last: or more */
	int epoll;
};

void hw_lab_init(struct hw_lab *lab, int epoll, uint64_t seed);
void hw_lab_fini(struct hw_lab *lab);

struct hw_lab_link *hw_lab_find(struct hw_lab *lab, const char *name);

/*
 * Add a link without any fault between two devices that are made now. HW_E_LIMIT: too many links;
 * HW_E_INVAL: a name is taken or too long; HW_E_SYSTEM: no device could be made, see errno; HW_E_NOMEM.
 */
HW_MUST_USE int hw_lab_add(struct hw_lab *lab, const char *name, const char *const netns[2],
			   const char *const devices[2], hw_time now);

/* Take away the link that was added last. There is one. */
void hw_lab_remove_last(struct hw_lab *lab);

/* Make the device of one end again after it was deleted. HW_E_STATE: it is there; HW_E_SYSTEM. */
HW_MUST_USE int hw_lab_attach(struct hw_lab *lab, struct hw_lab_link *link, unsigned end);

/* Give one direction new parameters, which are copied. HW_E_INVAL. */
HW_MUST_USE int hw_lab_change(struct hw_lab_link *link, unsigned direction, hw_time now,
			      const struct hw_lab_params *params);

/* An event of epoll, with the data.u32 that the lab gave: read what the end has, up to a batch. */
void hw_lab_readable(struct hw_lab *lab, uint32_t token);

/* Write every frame that is due. Returns when the next one will be. */
hw_time hw_lab_deliver(struct hw_lab *lab);

/* One JSON object, without a newline. */
void hw_lab_print_stats(const struct hw_lab *lab, FILE *out);
void hw_lab_reset_lateness(struct hw_lab *lab);

hw_time hw_lab_now(void);

#endif
