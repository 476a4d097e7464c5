/*
 * Whether packets of some size still pass a path, as its reports show (path/mtu.h, "TROUBLE").
 *
 * Each packet that counts in the path's sequence has a level, by its size; a report says how many of
 * a range arrived, not which. If that is more than the packets below a level, one of that level or
 * above did: the level is proven. A late packet of an earlier range can feign that; the next report
 * does not repeat the mistake.
 */
#ifndef HW_PATH_MTU_PROOF_H
#define HW_PATH_MTU_PROOF_H

#include <stdint.h>

#include "base/time.h"

struct hw_path_mtu_proof;

/* Forgets everything: levels mean something else from now on. */
void hw_path_mtu_proof_reset(struct hw_path_mtu_proof *proof);

/* Forgets what lacks proof, but not what was sent. */
void hw_path_mtu_proof_forget(struct hw_path_mtu_proof *proof);

void hw_path_mtu_proof_sent(struct hw_path_mtu_proof *proof, uint32_t generation,
			    uint32_t sequence, unsigned level, hw_time now);

/* Returns the highest level that is proven by this, 0 when none is. */
unsigned hw_path_mtu_proof_reported(struct hw_path_mtu_proof *proof, uint32_t generation,
				    uint32_t first, uint32_t last, uint32_t received, hw_time now);

/* When what lacks proof calls for a confirmation, `timeout` being the path's. */
hw_time hw_path_mtu_proof_due(const struct hw_path_mtu_proof *proof, hw_time timeout);

#endif
