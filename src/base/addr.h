/*
 * Internet addresses as plain data, so that the core can name remote ends without socket headers.
 * IPv4 uses the first four bytes of `ip`; the rest are zero, so memcmp compares addresses.
 */
#ifndef HW_BASE_ADDR_H
#define HW_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>

enum hw_family { HW_FAMILY_NONE = 0, HW_FAMILY_IPV4 = 4, HW_FAMILY_IPV6 = 6 };

struct hw_addr {
	uint8_t ip[16];
	uint32_t scope; /* IPv6 zone (interface index), or 0 */
	uint16_t port;  /* host order; 0 where only the address matters */
	uint8_t family; /* enum hw_family */
	uint8_t pad;    /* zero */
};

/*
 * What one datagram goes out by and comes in by: a link of this node, the address of ours that was
 * used (family NONE: whichever the kernel picks) and the address at the other end.
 */
struct hw_tuple {
	struct hw_addr local;
	struct hw_addr remote;
	uint32_t link;
};

bool hw_addr_equal(const struct hw_addr *a, const struct hw_addr *b);
bool hw_tuple_equal(const struct hw_tuple *a, const struct hw_tuple *b);

#define HW_ADDR_TEXT_BYTES 64u

/* "192.0.2.1:8420", "[2001:db8::1]:8420", without the port where it is 0; "-" for NONE. RFC 5952. */
void hw_addr_format(const struct hw_addr *addr, char out[HW_ADDR_TEXT_BYTES]);

#endif
