#include "sim/stats.h"

#include <math.h>
#include <stdlib.h>

#define SUB_BITS 10u
#define SUB (1u << SUB_BITS)
#define BUCKETS ((64u - SUB_BITS) * SUB)

static size_t bucket_of(hw_time delay)
{
	if (delay < SUB)
		return (size_t)delay;

	unsigned shift = 63u - (unsigned)__builtin_clzll(delay) - SUB_BITS;

	return (size_t)(shift + 1) * SUB + (size_t)(delay >> shift) - SUB;
}

static double bucket_middle(size_t bucket)
{
	if (bucket < SUB)
		return (double)bucket;

	unsigned shift = (unsigned)(bucket / SUB) - 1;

	return ldexp((double)(bucket % SUB + SUB) + 0.5, (int)shift);
}

static int make_counts(struct hw_histogram *histogram)
{
	if (histogram->counts == NULL)
		histogram->counts = calloc(BUCKETS, sizeof(*histogram->counts));
	return histogram->counts == NULL ? HW_E_NOMEM : 0;
}

int hw_histogram_add(struct hw_histogram *histogram, hw_time delay)
{
	int r = make_counts(histogram);

	if (r < 0)
		return r;
	histogram->counts[bucket_of(delay)]++;
	if (histogram->count == 0 || delay < histogram->min)
		histogram->min = delay;
	if (histogram->count == 0 || delay > histogram->max)
		histogram->max = delay;
	histogram->count++;
	histogram->sum += (double)delay;
	return 0;
}

int hw_histogram_merge(struct hw_histogram *into, const struct hw_histogram *from)
{
	if (from->count == 0)
		return 0;

	int r = make_counts(into);

	if (r < 0)
		return r;
	for (size_t i = 0; i < BUCKETS; i++)
		into->counts[i] += from->counts[i];
	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	if (into->count == 0 || from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
	return 0;
}

void hw_histogram_fini(struct hw_histogram *histogram)
{
	free(histogram->counts);
	*histogram = (struct hw_histogram){ 0 };
}

double hw_histogram_quantile_ns(const struct hw_histogram *histogram, double q)
{
	if (histogram->count == 0)
		return -1;

	uint64_t rank = (uint64_t)ceil(q * (double)histogram->count);
	uint64_t seen = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= rank && seen > 0)
			return fmax((double)histogram->min,
				    fmin((double)histogram->max, bucket_middle(i)));
	}
	return (double)histogram->max;
}

/* P(X <= hits) for X binomial, summed from the largest term so that nothing is lost to rounding. */
static double binomial_cdf(uint64_t hits, uint64_t trials, double p)
{
	double n = (double)trials, k = (double)hits;

	if (p <= 0 || hits >= trials)
		return 1;
	if (p >= 1)
		return 0;

	double log_term = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) +
			  (n - k) * log1p(-p);
	double mean = n * p;
	double term = exp(log_term), sum = 0;

	if (k > mean) {
		/* The upper tail is the short one: 1 - P(X > hits). */
		for (double i = k + 1; i <= n; i++) {
			term *= (n - i + 1) / i * p / (1 - p);
			sum += term;
			if (term < sum * 1e-17)
				break;
		}
		return 1 - sum;
	}
	for (double i = k; i >= 0; i--) {
		sum += term;
		if (term < sum * 1e-17)
			break;
		term *= i / (n - i + 1) * (1 - p) / p;
	}
	return sum;
}

/* The p at which P(X <= hits) falls to `tail`. */
static double solve(uint64_t hits, uint64_t trials, double tail)
{
	double low = 0, high = 1;

	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (binomial_cdf(hits, trials, middle) > tail)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

void hw_interval_999(uint64_t hits, uint64_t trials, double *ret_low, double *ret_high)
{
	const double tail = 0.0005;

	*ret_low = hits == 0 || trials == 0 ? 0 : solve(hits - 1, trials, 1 - tail);
	*ret_high = hits >= trials ? 1 : solve(hits, trials, tail);
}
