/*
 * Data and framed packets (docs/wire.md): the 16-byte header, the AEAD nonce and additional data
 * made from it, and the 64-bit counter behind the 32 bits that travel. Also the first look at any
 * datagram.
 */
#ifndef HW_WIRE_DATA_H
#define HW_WIRE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "wire/wire.h"

#define HW_WIRE_NONCE_BYTES 12u
#define HW_WIRE_AD_BYTES 16u
#define HW_WIRE_TICKS_MASK 0xffffffu

struct hw_wire_data {
	uint8_t type;         /* HW_WIRE_DATA or HW_WIRE_FRAMED */
	uint8_t stream;       /* 0..15 */
	uint32_t index;       /* 24 bits */
	uint32_t counter_low; /* low 32 bits of the counter */
	uint16_t path_seq;    /* stamp: transmissions of this session on this path, modulo 2^16 */
	uint32_t sent_ticks;  /* stamp: send time in units of HW_WIRE_STAMP_TICK_NS, modulo 2^24 */
	uint32_t mac;         /* stamp: 24 bits */
};

/*
 * The type of a datagram of any kind. Handshake messages have exactly their size and a zero stream;
 * data and framed packets have at least theirs. HW_E_TRUNCATED: shorter than its type requires (or
 * empty); HW_E_MALFORMED: no known type, or a handshake message with a stream or bytes behind it.
 */
HW_MUST_USE int hw_wire_type(const uint8_t *bytes, size_t len, enum hw_wire_type *ret_type);

/*
 * Header of a data or framed packet; len is the whole datagram. HW_E_TRUNCATED; HW_E_MALFORMED:
 * another type, or a stream that is not legal for it.
 */
HW_MUST_USE int hw_wire_data_parse(const uint8_t *bytes, size_t len,
				   struct hw_wire_data *ret_header);

/* Write the header. Its fields are in range (asserted). */
void hw_wire_data_build(const struct hw_wire_data *header, uint8_t ret_bytes[HW_WIRE_HEADER_BYTES]);

/*
 * Whether packets of this type exist on that stream: data on 0 (control), 1..7 (classes) and 9..15
 * (their repairs); framed on 1..7 alone; 8 is not used.
 */
bool hw_wire_stream_legal(unsigned type, unsigned stream);

/* AEAD nonce: stream as 32 bits, counter as 64 bits. */
void hw_wire_nonce(unsigned stream, uint64_t counter, uint8_t ret_nonce[HW_WIRE_NONCE_BYTES]);

/* AEAD additional data: bytes 0 to 3 of the datagram, stream as 32 bits, counter as 64 bits. */
void hw_wire_ad(const uint8_t head[4], unsigned stream, uint64_t counter,
		uint8_t ret_ad[HW_WIRE_AD_BYTES]);

/*
 * The 64-bit counter with these low 32 bits that is closest to `highest`, the highest accepted so
 * far (0 when none was). Of two that are equally close (2^31 away) the later one. Never wraps: near
 * 0 it is never "below 0", near 2^64 never beyond.
 */
uint64_t hw_wire_counter(uint32_t low, uint64_t highest);

/* The stamp's send time. */
static inline uint32_t hw_wire_ticks(hw_time now)
{
	return (uint32_t)(now / HW_WIRE_STAMP_TICK_NS) & HW_WIRE_TICKS_MASK;
}

#endif
