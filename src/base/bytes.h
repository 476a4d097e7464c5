/*
 * Bytes on the wire: big-endian loads and stores of any alignment, constant-time comparison, and
 * wiping that the compiler keeps.
 */
#ifndef HW_BASE_BYTES_H
#define HW_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t hw_load16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t hw_load24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t hw_load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t hw_load64(const uint8_t *p)
{
	return (uint64_t)hw_load32(p) << 32 | hw_load32(p + 4);
}

static inline void hw_store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void hw_store24(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

static inline void hw_store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void hw_store64(uint8_t *p, uint64_t v)
{
	hw_store32(p, (uint32_t)(v >> 32));
	hw_store32(p + 4, (uint32_t)v);
}

/* True when both hold the same len bytes; takes the same time whatever they hold. */
bool hw_bytes_equal_ct(const void *a, const void *b, size_t len);

/* Overwrite secrets; never optimised away. */
void hw_bytes_wipe(void *p, size_t len);

#endif
