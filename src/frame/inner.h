/*
 * What the tunnel looks at inside a packet that it carries: where the IP header is, and its DSCP and
 * ECN. Carrying DSCP and ECN outside (copy_dscp) shows classes to the network, so it is off unless
 * asked for; then ECN follows RFC 6040 in normal mode. When it is off the outer byte is 0 (Not-ECT)
 * and nothing is done on arrival.
 */
#ifndef HW_FRAME_INNER_H
#define HW_FRAME_INNER_H

#include <stdbool.h>
#include <stdint.h>

/* The two low bits of IPv4's TOS byte and of IPv6's traffic class. */
enum hw_ecn { HW_ECN_NOT_ECT = 0, HW_ECN_ECT1 = 1, HW_ECN_ECT0 = 2, HW_ECN_CE = 3 };

#define HW_ECN_MASK 0x03u

struct hw_inner {
	uint8_t family;        /* enum hw_family: 4 or 6 */
	uint8_t tos;           /* DSCP and ECN byte */
	uint32_t ip_offset;    /* 0 on TUN; behind the Ethernet header and its tags on TAP */
	uint32_t header_bytes; /* IPv4 with options; IPv6 without extension headers (40) */
	uint32_t ip_bytes;     /* as the IP header says; ip_offset + ip_bytes never exceeds the packet */
};

/*
 * Find the IP header of an inner packet: an Ethernet frame (layer2; up to two 802.1Q or 802.1ad tags
 * are stepped over), else a bare IP packet. False when there is none (ARP and the like), or when its
 * lengths contradict the packet's; ret_inner is then untouched.
 */
bool hw_inner_find(const uint8_t *packet, uint32_t len, bool layer2, struct hw_inner *ret_inner);

/*
 * The outer DSCP and ECN byte for this packet, with copy_dscp on: the inner one (RFC 6040, section
 * 4.1, normal mode). 0 where there is no IP header.
 */
uint8_t hw_inner_outer_tos(const uint8_t *packet, uint32_t len, bool layer2);

/*
 * On arrival, with copy_dscp on: combine the outer ECN into the inner packet (RFC 6040, section 4.2,
 * figure 4), with the IPv4 checksum kept right (RFC 1624). Returns false when the packet must be
 * dropped: the network marked it CE though its ends do not speak ECN, so the drop is the signal. The
 * inner DSCP is never changed. Packets without an IP header pass.
 */
bool hw_inner_combine_ecn(uint8_t *packet, uint32_t len, bool layer2, uint8_t outer_tos);

#endif
