/*
 * What to do about what a probe has found, in sentences for people. Each begins with the name of its
 * link or pair of links.
 */
#ifndef HW_DAEMON_ADVICE_H
#define HW_DAEMON_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/probe.h"

#define HW_ADVICE_MAX 96u
#define HW_ADVICE_BYTES 320u

enum hw_advice_weight {
	HW_ADVICE_NOTE,  /* good to know; nothing to do */
	HW_ADVICE_HINT,  /* it works, and could be better */
	HW_ADVICE_FAULT  /* it does not work */
};

struct hw_advice {
	enum hw_advice_weight weight;
	char text[HW_ADVICE_BYTES];
};

struct hw_advice_list {
	struct hw_advice lines[HW_ADVICE_MAX];
	uint32_t count; /* what is beyond the limit is left out */
	bool faults;    /* one of them is a FAULT */
};

void hw_advice_make(const struct hw_probe_report *report, struct hw_advice_list *ret_list);

/* A queue's length in a word: "none", "short", "noticeable", "long", "very long". */
const char *hw_advice_queue(double queue_ns);

/* "0.50 Mbit/s", "12 ms", "1.8 s", in a buffer of the caller's. */
#define HW_ADVICE_VALUE_BYTES 32u
const char *hw_advice_rate(double bps, char ret_text[HW_ADVICE_VALUE_BYTES]);
const char *hw_advice_time(double ns, char ret_text[HW_ADVICE_VALUE_BYTES]);

#endif
