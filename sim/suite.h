/*
 * Cipher suites for the simulator: each watched, and one that costs nothing.
 *
 * Every suite that the simulator uses is wrapped so that each (key, nonce) ever sealed with is
 * checked: within one key and one stream the counter must rise, so none can come twice, also when
 * the same key is set up again. The null suite seals by a fast hash alone, without secrecy: it
 * lives in the simulator and nowhere else, and results name the suite that they were made with.
 */
#ifndef HW_SIM_SUITE_H
#define HW_SIM_SUITE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/suite.h"

struct hw_sim_seals;

/* Names that hw_sim_suite_find takes. */
#define HW_SIM_SUITE_NAMES "null, chacha20-poly1305 or aes-256-gcm"

/* The watched suite of that name, or NULL. Static. */
const struct hw_suite *hw_sim_suite_find(const char *name);

/* A record of everything sealed from now on. HW_E_NOMEM. */
HW_MUST_USE int hw_sim_seals_new(struct hw_sim_seals **ret_seals);
void hw_sim_seals_free(struct hw_sim_seals *seals);

/*
 * Make `seals` the record of this thread (NULL: none). A suite's functions have no context to find
 * one by, which is why this is the thread's.
 */
void hw_sim_seals_use(struct hw_sim_seals *seals);

struct hw_sim_seals_state {
	uint64_t keys;   /* distinct sealing keys */
	uint64_t sealed; /* packets */
	bool reused;     /* a (key, nonce) came again, or a counter fell */
	uint32_t stream; /* of the first such */
	uint64_t counter;
};

struct hw_sim_seals_state hw_sim_seals_state(const struct hw_sim_seals *seals);

#endif
