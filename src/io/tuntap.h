/*
 * The tunnel device: TAP (Ethernet frames) or TUN (IP packets), without the packet-information
 * header. It is not persistent: it vanishes with its descriptor.
 */
#ifndef HW_IO_TUNTAP_H
#define HW_IO_TUNTAP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/error.h"

#define HW_TUNTAP_ERROR_BYTES 256u
#define HW_TUNTAP_BATCH 64u

struct hw_netlink;

struct hw_tuntap_address {
	struct hw_addr addr; /* port 0 */
	uint8_t prefix_bits;
};

struct hw_tuntap_config {
	const char *name;
	bool tap;
	const uint8_t *hardware; /* TAP: its Ethernet address, 6 bytes; NULL: the kernel draws one */
	uint32_t mtu_bytes;
	const struct hw_tuntap_address *addresses;
	size_t address_count;
};

struct hw_tuntap_counters {
	uint64_t read_no_buffer; /* read and dropped: the pool was empty */
	uint64_t read_truncated; /* larger than a buffer */
	uint64_t write_refused;  /* the kernel did not take it: device down, not IP (TUN) */
};

struct hw_tuntap {
	int fd; /* -1 when closed */
	char name[IFNAMSIZ];
	uint32_t index;
	bool tap;
	struct hw_tuntap_counters counters;
};

/*
 * Create the device, set its MTU and addresses and bring it up. On failure `error` has a sentence
 * for people, with what to do. HW_E_INVAL: a name, MTU or address that the kernel refuses;
 * HW_E_AUTH: not permitted; HW_E_STATE: the name is taken; HW_E_UNSUPPORTED: the system has no
 * /dev/net/tun; HW_E_SYSTEM (errno).
 */
HW_MUST_USE int hw_tuntap_open(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
			       const struct hw_tuntap_config *config,
			       char error[HW_TUNTAP_ERROR_BYTES]);
void hw_tuntap_close(struct hw_tuntap *tuntap);

/*
 * Change the MTU, or the addresses from one list to another, of the open device. What both lists have
 * stays usable all along, but for the moment in which the kernel takes away what shares a network
 * with one that goes. `error` as above; on failure the old addresses are as they were.
 */
HW_MUST_USE int hw_tuntap_set_mtu(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
				  uint32_t mtu_bytes, char error[HW_TUNTAP_ERROR_BYTES]);
HW_MUST_USE int hw_tuntap_set_addresses(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
					const struct hw_tuntap_address *was, size_t was_count,
					const struct hw_tuntap_address *next, size_t next_count,
					char error[HW_TUNTAP_ERROR_BYTES]);

/*
 * Read up to max packets into buffers of the pool, which the caller owns then. `now` is stamped on
 * each. Gives how many; 0 when none waits. HW_E_SYSTEM (errno) when the device failed.
 */
HW_MUST_USE int hw_tuntap_read(struct hw_tuntap *tuntap, struct hw_pool *pool, hw_time now,
			       struct hw_buf **ret_bufs, size_t max);

/* Write packets; takes the buffers. What the kernel refuses is counted. */
void hw_tuntap_write(struct hw_tuntap *tuntap, struct hw_buf *const *bufs, size_t count);

#endif
