#include "base/rng.h"

#include <string.h>

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

void hw_rng_init(struct hw_rng *rng, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++)
		rng->s[i] = splitmix64(&seed);
}

uint64_t hw_rng_u64(struct hw_rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t hw_rng_below(struct hw_rng *rng, uint64_t bound)
{
	/* Draws below 2^64 mod bound would favour the small results. */
	uint64_t threshold = -bound % bound;
	uint64_t x;

	do {
		x = hw_rng_u64(rng);
	} while (x < threshold);
	return x % bound;
}

double hw_rng_unit(struct hw_rng *rng)
{
	return (double)(hw_rng_u64(rng) >> 11) * 0x1.0p-53;
}

void hw_rng_fill(struct hw_rng *rng, void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		uint64_t x = hw_rng_u64(rng);
		size_t n = len < sizeof(x) ? len : sizeof(x);

		memcpy(p, &x, n);
		p += n;
		len -= n;
	}
}
