/*
 * Path stamps (docs/wire.md, "Stamp"): bytes 8 to 15 of each copy of a sealed packet. They say when
 * and as which transmission the copy left on its path, under a 24-bit MAC: the low 24 bits of
 * SipHash-2-4 over bytes 0 to 12 of the datagram, its tag, and the sender's number of the path,
 * which does not travel. So a copy that somebody carries over to another path is not measured
 * there. A stamp decides nothing but what is measured: a forged one has a chance of 2^-24 to spoil
 * one measurement.
 */
#ifndef HW_SESSION_STAMP_H
#define HW_SESSION_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "wire/wire.h"

/* The number in the stamp of a packet to an address that is no path (yet); never measured. */
#define HW_STAMP_NO_PATH 0xffu

/*
 * Write path_seq, sent_ticks (24 bits; see hw_wire_ticks) and the MAC into bytes 8 to 15 of head,
 * whose first 8 bytes are there already. path_id: the sender's number of the path, 0 to 15, or
 * HW_STAMP_NO_PATH.
 */
void hw_stamp_make(const struct hw_siphash_key *key, uint8_t head[HW_WIRE_HEADER_BYTES],
		   const uint8_t tag[HW_WIRE_AEAD_TAG_BYTES], uint8_t path_id, uint16_t path_seq,
		   uint32_t sent_ticks);

/* Whether the MAC in head is right for that path of the sender's. Takes the same time whatever head holds. */
bool hw_stamp_check(const struct hw_siphash_key *key, const uint8_t head[HW_WIRE_HEADER_BYTES],
		    const uint8_t tag[HW_WIRE_AEAD_TAG_BYTES], uint8_t path_id);

#endif
