/*
 * The wire format: every header and every constant that two nodes must agree on. docs/wire.md says
 * the same in prose. All integers are big-endian. Parsing never reads past the length it is given.
 */
#ifndef HW_WIRE_WIRE_H
#define HW_WIRE_WIRE_H

#include <stdint.h>

/* Byte 0: type in the high four bits, stream in the low four. */
enum hw_wire_type {
	HW_WIRE_INITIATION = 1,
	HW_WIRE_RESPONSE = 2,
	HW_WIRE_COOKIE = 3,
	HW_WIRE_DATA = 4,  /* stream 0: control frames; 1..7: one whole inner packet; 9..15: a repair */
	HW_WIRE_FRAMED = 5 /* streams 1..7: a frame header, then a fragment or a compressed packet */
};

#define HW_WIRE_HEADER_BYTES 16u   /* type, index, counter, path stamp */
#define HW_WIRE_AEAD_TAG_BYTES 16u /* behind the ciphertext */
#define HW_WIRE_OVERHEAD_BYTES (HW_WIRE_HEADER_BYTES + HW_WIRE_AEAD_TAG_BYTES)

#define HW_WIRE_STREAM_CONTROL 0u
#define HW_WIRE_STREAM_FIRST_CLASS 1u
#define HW_WIRE_STREAM_LAST_CLASS 7u
#define HW_WIRE_STREAMS 16u

#define HW_WIRE_INDEX_MAX 0xffffffu /* receiver and sender indices are 24 bits */

/* Header of data and framed packets. */
#define HW_WIRE_STAMP_OFFSET 8u
#define HW_WIRE_STAMP_BYTES 8u
#define HW_WIRE_STAMP_TICK_NS 8000u /* the send time counts 8 us; 24 bits wrap after 134 s */

/* Handshake messages (as WireGuard lays them out, with 24-bit indices). */
#define HW_WIRE_INITIATION_BYTES 144u
#define HW_WIRE_RESPONSE_BYTES 92u
#define HW_WIRE_COOKIE_BYTES 60u
#define HW_WIRE_TIMESTAMP_BYTES 12u /* TAI64N */
#define HW_WIRE_MAC_BYTES 16u

/* The Noise prologue, before the initiation's header: another protocol, or another version of this one, fails in the handshake. */
#define HW_WIRE_PROLOGUE "Hawser v1"

#define HW_WIRE_IPV4_UDP_BYTES 28u
#define HW_WIRE_IPV6_UDP_BYTES 48u

#endif
