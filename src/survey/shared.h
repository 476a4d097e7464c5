/*
 * Whether two links share a bottleneck, from two kinds of evidence.
 *
 * DELAY: while one is loaded until its queue is long, the other one's pings wait too if they stand in
 * the same queue (after Rubenstein, Kurose and Towsley, "Detecting shared congestion of flows via
 * end-to-end measurement", 2002, with a load of one's own in the place of others'). A bottleneck
 * that keeps flows in queues of their own hides itself from this.
 *
 * RATE: what both carry when they are loaded at once, against the sum of what each carries alone.
 */
#ifndef HW_SURVEY_SHARED_H
#define HW_SURVEY_SHARED_H

#include <stdbool.h>

enum hw_shared {
	HW_SHARED_UNKNOWN, /* nothing that could tell was measured */
	HW_SHARED_NO,      /* both kinds of evidence say so */
	HW_SHARED_PROBABLY_NOT,
	HW_SHARED_UNCLEAR, /* the evidence contradicts itself, or lies in between */
	HW_SHARED_PROBABLY,
	HW_SHARED_YES
};

/* One way of a pair. All -1 where not measured. */
struct hw_shared_evidence {
	double queue_ns[2]; /* of the first, of the second, when it was loaded */
	double rise_ns[2];  /* of the other one's round trip meanwhile */
	double alone_bps[2];
	double together_bps[2];
};

/* Nothing measured. */
void hw_shared_evidence_init(struct hw_shared_evidence *evidence);

/* -1: no; 1: yes; 0: it does not tell. */
int hw_shared_by_delay(const struct hw_shared_evidence *evidence);
int hw_shared_by_rate(const struct hw_shared_evidence *evidence);

/* Of both ways together: what is shared one way is shared. */
enum hw_shared hw_shared_judge(const struct hw_shared_evidence *up,
			       const struct hw_shared_evidence *down);

#endif
