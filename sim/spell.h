/*
 * Bad spells that links share: masts, tunnels and bridges that several carriers suffer from at once.
 *
 * Each link of a group is bad for a given share of the time, in spells of exponentially distributed
 * length. Two links are bad together `lift` times as often as if they were independent: part of the
 * spells are the group's own, the rest each link's. With b the share and c and i those of the common
 * and of a link's own process, b = 1 - (1 - c)(1 - i), and both links are bad for a share of
 * c + (1 - c) i^2 = lift b^2 of the time, which gives 1 - c = (1 - b)^2 / (lift b^2 - 1 + 2 (1 - b)).
 */
#ifndef HW_SIM_SPELL_H
#define HW_SIM_SPELL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "sim/net.h"

#define HW_SIM_SPELL_SLOT HW_MS(100) /* in which the truth is counted */

struct hw_sim_joint_config {
	uint32_t links; /* a bit for each */
	double bad;     /* share of the time, above 0 and below 1 */
	double lift;    /* 1: independent; at most 1 / bad */
	hw_time mean;   /* length of a spell */
	double loss;    /* in a spell */
	hw_time delay;  /* more, in a spell */
	bool ways[2];   /* up, down */
};

/* HW_E_INVAL: shares that cannot be, or fewer than one link. */
HW_MUST_USE int hw_sim_joint_check(const struct hw_sim_joint_config *joint);

struct hw_sim_spells;

/* HW_E_NOMEM. config and net must outlive it. */
HW_MUST_USE int hw_sim_spells_new(const struct hw_sim_joint_config *config, struct hw_sim_net *net,
				  uint64_t seed, struct hw_sim_spells **ret_spells);
void hw_sim_spells_free(struct hw_sim_spells *spells);

/*
 * What was so, of the group's first two links, in slots of HW_SIM_SPELL_SLOT so far: how many there
 * were, in how many each was bad at any time, and both.
 */
struct hw_sim_spell_truth {
	uint64_t slots, bad[2], both;
};

struct hw_sim_spell_truth hw_sim_spells_truth(struct hw_sim_spells *spells);

#endif
