/*
 * Which paths of a peer are bad at the same time. Time is cut into slots of 100 ms; for each path that
 * carried anything in a slot, the slot is good or bad (path/slotter.h says when). For each pair of
 * paths the slots in which both carried something are counted: how many there were, in how many each
 * was bad, in how many both; all fade with a time constant of 10 minutes of traffic.
 *
 *     lift = P(both bad) / (P(a bad) * P(b bad))
 *
 * 1 when they fail independently, more when something is shared: a mast, a cable, a coverage hole.
 *
 * Bad spells last longer than a slot, so slots in a row are no independent trials. For two independent
 * series that each resemble themselves, the count of coincidences scatters (1 + la*lb) / (1 - la*lb)
 * times as much as for independent slots, la and lb being the correlation of a slot with the next one
 * (Bartlett, 1935: geometric decay). Counts are divided by that before the interval is taken, which is
 * Byar's approximation of the exact Poisson limits, at 90 %.
 *
 * Verdicts go by the interval alone: TOGETHER when all of it is above 1.2; INDEPENDENT when all of it
 * is below 3; UNKNOWN while it is too wide for either, or fewer than 300 slots (30 s) were seen.
 *
 * News may come late: silence shows as loss only when the next packet arrives. So the last 64 slots
 * stay open, and marks may go to any of them; a bad mark wins over a good one.
 */
#ifndef HW_PATH_JOINT_H
#define HW_PATH_JOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_JOINT_SLOT HW_MS(100)
#define HW_JOINT_PATHS 16u
#define HW_JOINT_OPEN 64u /* slots */
#define HW_JOINT_PAIRS (HW_JOINT_PATHS * (HW_JOINT_PATHS - 1) / 2)

/* Fading counts of slots. */
struct hw_joint_pair {
	double slots, a, b, both;
	double a_again, b_again; /* bad, and so was the slot before */
	double sequel;           /* slots whose slot before counted too */
};

struct hw_joint {
	bool started;
	int64_t newest;
	uint16_t active[HW_JOINT_OPEN], bad[HW_JOINT_OPEN]; /* a bit for each path */
	uint16_t last_active, last_bad;                     /* of the newest slot that is closed */
	struct hw_joint_pair pairs[HW_JOINT_PAIRS];
};

enum hw_joint_verdict { HW_JOINT_UNKNOWN = 0, HW_JOINT_INDEPENDENT = 1, HW_JOINT_TOGETHER = 2 };

struct hw_joint_figures {
	double slots;      /* effective: fading */
	double bad_a, bad_b, bad_both; /* shares of them */
	double lift;       /* -1: not known */
	double low, high;  /* 90 % interval; -1: not known */
	enum hw_joint_verdict verdict;
};

void hw_joint_init(struct hw_joint *joint);

/*
 * Slots from..to, both included, of a path below HW_JOINT_PATHS. Slots are numbers of a clock that all
 * paths share; those that are closed already are left alone, and a jump of more than 64 slots closes
 * all that are open.
 */
void hw_joint_mark(struct hw_joint *joint, uint32_t path, int64_t from, int64_t to, bool bad);

/* The path is no more: whoever gets its number begins anew. */
void hw_joint_forget(struct hw_joint *joint, uint32_t path);

/* Of two different paths; a and b in *ret_figures as in the arguments. */
void hw_joint_figures(const struct hw_joint *joint, uint32_t a, uint32_t b,
		      struct hw_joint_figures *ret_figures);

#endif
