/*
 * Recorded links: capacity over time (Mahimahi's format) and joint loss of several carriers.
 *
 * Both are read from text in memory, so that no part of this needs a file. A trace is read-only
 * once parsed and may be shared by any number of links; it must outlive them.
 */
#ifndef HW_SIM_TRACE_H
#define HW_SIM_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

#define HW_TRACE_OPPORTUNITY_BYTES 1500u /* what one line of a capacity trace can carry */
#define HW_TRACE_MAX_COLUMNS 8u

/*
 * Delivery opportunities, as Mahimahi (Netravali et al., USENIX ATC 2015) writes them: each line is
 * a time in milliseconds, never falling, at which 1500 bytes can cross; a repeated time means
 * several. The trace repeats after its last time.
 */
struct hw_capacity_trace {
	uint32_t *at_ms;
	size_t count;
};

/*
 * Slots of equal length, in each of which every carrier either answered a ping after a known time
 * or did not: CSV with a header line, then `segment,slot,rtt_ms...`; -1 is a lost ping. Segments
 * are joined end to end, and the whole repeats.
 */
struct hw_loss_trace {
	float *rtt_ms; /* slot by slot, `columns` each; negative: lost, the last answer's before it
			*/
	size_t slots;
	uint32_t columns;
	hw_time slot_ns;
	char names[HW_TRACE_MAX_COLUMNS][32]; /* from the header, without "rtt_ms_" */
};

/*
 * Parse text[0..len). ret_line is the line at fault (from 1) on HW_E_MALFORMED: not a number, a
 * time that falls, no line at all, or a trace whose last time is 0. HW_E_NOMEM.
 */
HW_MUST_USE int hw_capacity_trace_parse(const char *text, size_t len,
					struct hw_capacity_trace *ret_trace, size_t *ret_line);
void hw_capacity_trace_fini(struct hw_capacity_trace *trace);

/* Mean rate over one turn, in bit/s. */
double hw_capacity_trace_rate_bps(const struct hw_capacity_trace *trace);

/* The same for joint loss; slot_ns is the length of a slot (200 ms in the file that we carry). */
HW_MUST_USE int hw_loss_trace_parse(const char *text, size_t len, hw_time slot_ns,
				    struct hw_loss_trace *ret_trace, size_t *ret_line);
void hw_loss_trace_fini(struct hw_loss_trace *trace);

/* The column of that name. HW_E_NOT_FOUND. */
HW_MUST_USE int hw_loss_trace_column(const struct hw_loss_trace *trace, const char *name,
				     uint32_t *ret_column);

#endif
