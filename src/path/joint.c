#include "path/joint.h"

#include <string.h>

#define KEEP (1 - 1.0 / 6000) /* of a count, for each slot that is counted: 10 minutes */
#define LEAST_SLOTS 300
#define Z 1.645 /* two-sided 90 % of the normal distribution */
#define TOGETHER_LOW 1.2
#define INDEPENDENT_HIGH 3.0
#define LEAST_BAD 0.1 /* what is left of one bad slot after 23 minutes: it tells nothing any more */
#define MOST_ALIKE 0.95 /* of a slot and the next: beyond that, nothing is known yet */

void hw_joint_init(struct hw_joint *joint)
{
	memset(joint, 0, sizeof(*joint));
}

/* Of a < b. */
static unsigned pair_index(unsigned a, unsigned b)
{
	return b * (b - 1) / 2 + a;
}

static void count(struct hw_joint_pair *pair, bool a, bool b, bool sequel, bool a_before,
		  bool b_before)
{
	pair->slots = pair->slots * KEEP + 1;
	pair->a = pair->a * KEEP + a;
	pair->b = pair->b * KEEP + b;
	pair->both = pair->both * KEEP + (a && b);
	pair->sequel = pair->sequel * KEEP + sequel;
	pair->a_again = pair->a_again * KEEP + (sequel && a && a_before);
	pair->b_again = pair->b_again * KEEP + (sequel && b && b_before);
}

/* The slot with that place in the ring gets no more marks: count it. */
static void close_slot(struct hw_joint *joint, unsigned place)
{
	uint16_t active = joint->active[place], bad = joint->bad[place];

	for (unsigned b = 1; b < HW_JOINT_PATHS && active >> b != 0; b++) {
		if ((active >> b & 1) == 0)
			continue;
		for (unsigned a = 0; a < b; a++) {
			unsigned both = 1u << a | 1u << b;

			if ((active >> a & 1) == 0)
				continue;
			count(&joint->pairs[pair_index(a, b)], bad >> a & 1, bad >> b & 1,
			      (joint->last_active & both) == both, joint->last_bad >> a & 1,
			      joint->last_bad >> b & 1);
		}
	}
	joint->last_active = active;
	joint->last_bad = bad;
	joint->active[place] = joint->bad[place] = 0;
}

static unsigned place_of(int64_t slot)
{
	return (unsigned)((uint64_t)slot % HW_JOINT_OPEN);
}

/* Make `slot` the newest one. */
static void advance(struct hw_joint *joint, int64_t slot)
{
	int64_t steps = slot - joint->newest;

	if (steps > (int64_t)HW_JOINT_OPEN)
		steps = HW_JOINT_OPEN;
	for (int64_t i = 1; i <= steps; i++)
		close_slot(joint, place_of(joint->newest + i));
	joint->newest = slot;
}

void hw_joint_mark(struct hw_joint *joint, uint32_t path, int64_t from, int64_t to, bool bad)
{
	int64_t oldest;

	if (!joint->started) {
		joint->started = true;
		joint->newest = to;
	} else if (to > joint->newest) {
		advance(joint, to);
	} else if (to <= joint->newest - (int64_t)HW_JOINT_OPEN) {
		/* Far in the past: the peer's clock was set back, or began anew. */
		for (unsigned i = 1; i <= HW_JOINT_OPEN; i++)
			close_slot(joint, place_of(joint->newest + i));
		joint->newest = to;
	}
	oldest = joint->newest - (int64_t)HW_JOINT_OPEN + 1;
	for (int64_t slot = from > oldest ? from : oldest; slot <= to; slot++) {
		joint->active[place_of(slot)] |= (uint16_t)(1u << path);
		if (bad)
			joint->bad[place_of(slot)] |= (uint16_t)(1u << path);
	}
}

void hw_joint_forget(struct hw_joint *joint, uint32_t path)
{
	uint16_t others = (uint16_t) ~(1u << path);

	for (unsigned i = 0; i < HW_JOINT_OPEN; i++) {
		joint->active[i] &= others;
		joint->bad[i] &= others;
	}
	joint->last_active &= others;
	joint->last_bad &= others;
	for (unsigned other = 0; other < HW_JOINT_PATHS; other++)
		if (other != path)
			joint->pairs[other < path ? pair_index(other, path)
						  : pair_index(path, other)] =
				(struct hw_joint_pair){ 0 };
}

/* By Newton's method; v >= 0. */
static double root(double v)
{
	double x = v > 1 ? v : 1;

	for (int i = 0; i < 64; i++)
		x = (x + v / x) / 2;
	return x;
}

/* Correlation of a slot's badness with the next one's: 0..MOST_ALIKE. */
static double alike(const struct hw_joint_pair *pair, double bad, double again)
{
	double p = bad / pair->slots;
	double left = pair->sequel > 0 ? again / pair->sequel - p * p : 0;
	double of = p - p * p;

	if (left <= 0 || of <= 0)
		return 0;
	return left / of < MOST_ALIKE ? left / of : MOST_ALIKE;
}

/* Byar's limits of a Poisson mean of which k were seen (Breslow and Day, 1987, section 2.3). */
static double poisson_low(double k)
{
	double f = k > 0 ? 1 - 1 / (9 * k) - Z / (3 * root(k)) : 0;

	return f <= 0 ? 0 : k * f * f * f;
}

static double poisson_high(double k)
{
	double f = 1 - 1 / (9 * (k + 1)) + Z / (3 * root(k + 1));

	return (k + 1) * f * f * f;
}

void hw_joint_figures(const struct hw_joint *joint, uint32_t a, uint32_t b,
		      struct hw_joint_figures *ret)
{
	const struct hw_joint_pair *pair = &joint->pairs[a < b ? pair_index(a, b) : pair_index(b, a)];
	bool swapped = a > b;

	*ret = (struct hw_joint_figures){ .slots = pair->slots, .lift = -1, .low = -1, .high = -1 };
	if (pair->slots <= 0)
		return;
	ret->bad_a = (swapped ? pair->b : pair->a) / pair->slots;
	ret->bad_b = (swapped ? pair->a : pair->b) / pair->slots;
	ret->bad_both = pair->both / pair->slots;

	double expected = pair->a * pair->b / pair->slots;

	if (pair->a < LEAST_BAD || pair->b < LEAST_BAD)
		return;
	ret->lift = pair->both / expected;

	double la = alike(pair, pair->a, pair->a_again), lb = alike(pair, pair->b, pair->b_again);
	double spread = (1 + la * lb) / (1 - la * lb);

	ret->low = poisson_low(pair->both / spread) / (expected / spread);
	ret->high = poisson_high(pair->both / spread) / (expected / spread);
	if (pair->slots < LEAST_SLOTS)
		return;
	if (ret->low > TOGETHER_LOW)
		ret->verdict = HW_JOINT_TOGETHER;
	else if (ret->high < INDEPENDENT_HIGH)
		ret->verdict = HW_JOINT_INDEPENDENT;
}
