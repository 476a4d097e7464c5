#include "survey/shared.h"

/* A queue below this is lost in the noise of a busy host. */
#define QUEUE_LEAST_NS 20e6
/* Of the loaded link's queue, what shows in the other's delay. */
#define RISE_YES 0.4
#define RISE_NO 0.15
/* Of the sum of both alone, what both carry at once. */
#define SUM_YES 0.7
#define SUM_NO 0.85

void hw_shared_evidence_init(struct hw_shared_evidence *e)
{
	*e = (struct hw_shared_evidence){
		.queue_ns = { -1, -1 },
		.rise_ns = { -1, -1 },
		.alone_bps = { -1, -1 },
		.together_bps = { -1, -1 },
	};
}

int hw_shared_by_delay(const struct hw_shared_evidence *e)
{
	int yes = 0, no = 0;

	for (int i = 0; i < 2; i++) {
		if (e->queue_ns[i] < QUEUE_LEAST_NS || e->rise_ns[i] < -0.5)
			continue;
		yes += e->rise_ns[i] >= RISE_YES * e->queue_ns[i];
		no += e->rise_ns[i] <= RISE_NO * e->queue_ns[i];
	}
	/* Each of the two can stand in the other's queue without the other standing in its own. */
	return yes > 0 ? 1 : no > 0 ? -1 : 0;
}

int hw_shared_by_rate(const struct hw_shared_evidence *e)
{
	double alone = e->alone_bps[0] + e->alone_bps[1];
	double together = e->together_bps[0] + e->together_bps[1];

	for (int i = 0; i < 2; i++)
		if (e->alone_bps[i] <= 0 || e->together_bps[i] < 0)
			return 0;
	/* Where one is far smaller than the other, the sum says little. */
	if (e->alone_bps[0] > 4 * e->alone_bps[1] || e->alone_bps[1] > 4 * e->alone_bps[0])
		return 0;
	if (together <= SUM_YES * alone)
		return 1;
	return together >= SUM_NO * alone ? -1 : 0;
}

static int either(int up, int down)
{
	if (up > 0 || down > 0)
		return 1;
	return up < 0 || down < 0 ? -1 : 0;
}

enum hw_shared hw_shared_judge(const struct hw_shared_evidence *up,
			       const struct hw_shared_evidence *down)
{
	int delay = either(hw_shared_by_delay(up), hw_shared_by_delay(down));
	int rate = either(hw_shared_by_rate(up), hw_shared_by_rate(down));

	if (rate == 0)
		return delay > 0 ? HW_SHARED_PROBABLY
				 : delay < 0 ? HW_SHARED_PROBABLY_NOT : HW_SHARED_UNKNOWN;
	if (rate > 0) /* without a common queue: its bottleneck keeps flows apart */
		return delay > 0 ? HW_SHARED_YES : HW_SHARED_PROBABLY;
	if (delay > 0)
		return HW_SHARED_UNCLEAR;
	return delay < 0 ? HW_SHARED_NO : HW_SHARED_PROBABLY_NOT;
}
