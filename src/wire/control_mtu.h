/*
 * The control frames of path MTU discovery (docs/wire.md, "MTU probes"): plain data and the checks
 * that the reader makes. The writers stand with the others in wire/control.h.
 *
 * An MTU_PROBE is alone in its packet and pads it to the size that it asks about, so whoever reads
 * one that parses has received a datagram of that size.
 */
#ifndef HW_WIRE_CONTROL_MTU_H
#define HW_WIRE_CONTROL_MTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whole frames, header included; of a probe, the smallest. */
#define HW_CONTROL_MTU_PROBE_BYTES 14u
#define HW_CONTROL_MTU_REPLY_BYTES 14u

struct hw_control_mtu {
	uint8_t path;  /* the prober's number for the path */
	uint16_t size; /* UDP payload of the probe's datagram, all of it */
	uint8_t token[8];
};

/* The body of a frame of that type: whether it is one. */
bool hw_control_parse_mtu_probe(const uint8_t *body, size_t len, struct hw_control_mtu *ret);
bool hw_control_parse_mtu_reply(const uint8_t *body, size_t len, struct hw_control_mtu *ret);

#endif
