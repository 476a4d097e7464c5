/*
 * TCP MSS clamp: lowers the maximum segment size that the two ends of an inner TCP connection offer
 * each other, in SYN and SYN-ACK, to what passes through the tunnel whole, so that TCP seldom needs
 * fragments.
 *
 * Never raises a value, never adds the option: an end that offers none is sent segments of at most
 * 536 bytes (IPv4) or 1220 (IPv6) by RFC 9293, section 3.7.1, which most tunnels carry whole; where
 * one does not, fragments do. Leaves alone what is not certainly a whole TCP header in plain sight:
 * fragments (all but the first; the first too where the header goes beyond it), truncated or
 * contradictory packets, unknown IPv6 extension headers, and whatever IPsec authenticates or encrypts.
 *
 * The TCP checksum of the packet must be complete, not left for hardware to finish.
 */
#ifndef HW_FRAME_MSS_H
#define HW_FRAME_MSS_H

#include <stdbool.h>
#include <stdint.h>

/* Smaller values than this are never written: then fragments serve better than tiny segments. */
#define HW_MSS_MIN_BYTES 256u

/*
 * Clamp in place; the caller holds the only reference. whole_bytes is the size of the largest inner
 * packet (an Ethernet frame where layer2) that travels unfragmented (hw_frame_max_whole). The value
 * is what remains of that behind the Ethernet header and its tags, the fixed IP header and the fixed
 * TCP header (RFC 6691: options are the sender's to subtract). Returns whether it changed anything;
 * the TCP checksum is updated by RFC 1624.
 */
bool hw_mss_clamp(uint8_t *packet, uint32_t len, bool layer2, uint32_t whole_bytes);

#endif
