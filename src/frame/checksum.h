/*
 * The Internet checksum, updated for one changed 16-bit word without looking at the rest
 * (RFC 1624, equation 3: HC' = ~(~HC + ~m + m')).
 */
#ifndef HW_FRAME_CHECKSUM_H
#define HW_FRAME_CHECKSUM_H

#include <stdint.h>

#include "base/bytes.h"

/* `field` is the checksum in the packet; the word `from` has become `to`. */
static inline void hw_checksum_update(uint8_t *field, uint16_t from, uint16_t to)
{
	uint32_t sum = (uint16_t)~hw_load16(field);

	sum += (uint16_t)~from;
	sum += to;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	hw_store16(field, (uint16_t)~sum);
}

#endif
