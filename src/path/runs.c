#include "path/runs.h"

/* What is left of both halves at `now`. */
static struct hw_runs_half recent(const struct hw_runs *runs, hw_time now)
{
	hw_time age = hw_time_since(now, runs->turned_at);
	struct hw_runs_half sum = { 0 };

	if (age < 2 * HW_RUNS_SPAN)
		sum = runs->current;
	if (age < HW_RUNS_SPAN) {
		sum.runs += runs->previous.runs;
		sum.lost += runs->previous.lost;
		if (runs->previous.longest > sum.longest)
			sum.longest = runs->previous.longest;
	}
	return sum;
}

static void turn(struct hw_runs *runs, hw_time now)
{
	hw_time age = hw_time_since(now, runs->turned_at);

	if (age < HW_RUNS_SPAN)
		return;
	runs->previous = age < 2 * HW_RUNS_SPAN ? runs->current : (struct hw_runs_half){ 0 };
	runs->current = (struct hw_runs_half){ 0 };
	runs->turned_at = now;
}

static void end_run(struct hw_runs *runs)
{
	unsigned bucket = 0;

	while (bucket + 1 < HW_RUNS_BUCKETS && runs->open >> (bucket + 1) != 0)
		bucket++;
	runs->histogram[bucket]++;
	runs->current.runs++;
	runs->current.lost += runs->open;
	if (runs->open > runs->current.longest)
		runs->current.longest = runs->open;
	runs->open = 0;
}

void hw_runs_word(struct hw_runs *runs, uint64_t came, hw_time now)
{
	turn(runs, now);
	if (came == UINT64_MAX && runs->open == 0)
		return;
	for (unsigned i = 0; i < 64; i++) {
		if ((came >> i & 1) == 0)
			runs->open++;
		else if (runs->open > 0)
			end_run(runs);
	}
}

double hw_runs_mean(const struct hw_runs *runs, hw_time now)
{
	const struct hw_runs_half sum = recent(runs, now);

	return sum.runs == 0 ? 0 : (double)sum.lost / sum.runs;
}

uint32_t hw_runs_longest(const struct hw_runs *runs, hw_time now)
{
	return recent(runs, now).longest;
}
