/*
 * A seeded generator for simulation, jitter and hash seeds: never for keys.
 * xoshiro256** by Blackman and Vigna (2018), seeded through splitmix64.
 */
#ifndef HW_BASE_RNG_H
#define HW_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct hw_rng {
	uint64_t s[4];
};

void hw_rng_init(struct hw_rng *rng, uint64_t seed);

uint64_t hw_rng_u64(struct hw_rng *rng);

/* Uniform in [0, bound); bound > 0. No modulo bias. */
uint64_t hw_rng_below(struct hw_rng *rng, uint64_t bound);

/* Uniform in [0, 1). */
double hw_rng_unit(struct hw_rng *rng);

void hw_rng_fill(struct hw_rng *rng, void *out, size_t len);

#endif
