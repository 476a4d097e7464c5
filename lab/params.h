/*
 * The words that describe a link, on the shaper's control socket and in its file:
 *
 *     up | down               carry packets, or swallow them all in silence
 *     rate 100M               bit/s, with k, M or G; 0: no limit
 *     queue 64k               bytes that may wait; 0: no limit
 *     delay 10ms, jitter 2ms  us, ms or s; jitter is uniform around the delay
 *     reorder on|off          may jitter reorder packets
 *     loss 5%                 independent; 0.05 means the same
 *     bursts 5%,8             lost in bursts of 8 packets in the mean, 5 % in all; 0 ends it
 *     duplicate 1%  corrupt 0.1%
 *     mtu 1400                larger IP packets vanish silently; 0: none do
 *     capacity FILE[,10s]     a recording of the rate, in place of `rate`, from that place on; off
 *     trace FILE,COLUMN[,10s] a recording of pings: loses its lost slots, adds its delay; off
 *     flap 5[,80%]            5 times a second up for that share of the time (half of it), then down
 *                             as by `down`; 0 ends it
 *
 * Recordings are those of the simulator (docs/simulator.md), and begin when the words are given.
 */
#ifndef HW_LAB_PARAMS_H
#define HW_LAB_PARAMS_H

#include <stdbool.h>

#include "base/error.h"
#include "sim/link.h"
#include "sim/store.h"

/* What the words fill: a link's parameters, and what these point to. */
struct hw_lab_params {
	struct hw_link_params link; /* its outages are `flap`, wherever the struct is copied to */
	struct hw_link_outage flap;
	struct hw_trace_store *recordings; /* where files are found; NULL: nowhere */
	hw_time age;                       /* of the link, now: where its recordings begin */
};

/* How many words `word` takes with its value: 1 or 2, or 0 when it is none of the above. */
unsigned hw_lab_params_words(const char *word);

/*
 * Set what `word` names; `value` is ignored where hw_lab_params_words gives 1.
 * HW_E_INVAL: the value cannot be meant, or its file cannot be read; nothing has changed.
 */
HW_MUST_USE int hw_lab_params_set(struct hw_lab_params *params, const char *word, const char *value);

/* The link's parameters, with pointers into `params`, which must stay where it is. */
struct hw_link_params hw_lab_params_link(const struct hw_lab_params *params);

#endif
