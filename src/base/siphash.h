/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a fast keyed hash for short inputs, used for path
 * stamps and for hash tables whose keys a stranger may choose.
 */
#ifndef HW_BASE_SIPHASH_H
#define HW_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define HW_SIPHASH_KEY_BYTES 16u

struct hw_siphash_key {
	uint64_t k0, k1;
};

void hw_siphash_key_init(struct hw_siphash_key *key, const uint8_t bytes[HW_SIPHASH_KEY_BYTES]);

uint64_t hw_siphash(const struct hw_siphash_key *key, const void *data, size_t len);

#endif
