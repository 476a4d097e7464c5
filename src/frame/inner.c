#include "frame/inner.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "frame/checksum.h"

#define ETHERNET_BYTES 14u
#define TAG_BYTES 4u
#define MAX_TAGS 2u
#define IPV4_MIN_BYTES 20u
#define IPV4_CHECKSUM_OFFSET 10u
#define IPV6_BYTES 40u

enum ethertype {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_8021AD = 0x88a8
};

/* Steps over the Ethernet header and its tags. False when no IP follows. */
static bool skip_ethernet(const uint8_t *packet, uint32_t len, uint32_t *ret_offset,
			  uint8_t *ret_family)
{
	uint32_t offset = ETHERNET_BYTES;

	for (uint32_t tags = 0; tags <= MAX_TAGS; tags++, offset += TAG_BYTES) {
		if (len < offset)
			return false;

		uint16_t type = hw_load16(packet + offset - 2);

		if (type == ETHERTYPE_8021Q || type == ETHERTYPE_8021AD)
			continue;
		if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
			return false;
		*ret_family = type == ETHERTYPE_IPV4 ? HW_FAMILY_IPV4 : HW_FAMILY_IPV6;
		*ret_offset = offset;
		return true;
	}
	return false;
}

bool hw_inner_find(const uint8_t *packet, uint32_t len, bool layer2, struct hw_inner *ret_inner)
{
	struct hw_inner inner = { 0 };
	uint8_t family = HW_FAMILY_NONE; /* as the Ethernet type says */

	if (layer2 && !skip_ethernet(packet, len, &inner.ip_offset, &family))
		return false;

	const uint8_t *ip = packet + inner.ip_offset;
	uint32_t room = len - inner.ip_offset;

	if (room < IPV4_MIN_BYTES)
		return false;
	inner.family = ip[0] >> 4;
	if (layer2 && inner.family != family)
		return false;
	if (inner.family == HW_FAMILY_IPV4) {
		inner.tos = ip[1];
		inner.header_bytes = (ip[0] & 0x0fu) * 4;
		inner.ip_bytes = hw_load16(ip + 2);
		if (inner.header_bytes < IPV4_MIN_BYTES)
			return false;
	} else if (inner.family == HW_FAMILY_IPV6 && room >= IPV6_BYTES) {
		inner.tos = (uint8_t)(hw_load16(ip) >> 4);
		inner.header_bytes = IPV6_BYTES;
		inner.ip_bytes = IPV6_BYTES + hw_load16(ip + 4);
	} else {
		return false;
	}
	if (inner.header_bytes > inner.ip_bytes || inner.ip_bytes > room)
		return false;
	*ret_inner = inner;
	return true;
}

uint8_t hw_inner_outer_tos(const uint8_t *packet, uint32_t len, bool layer2)
{
	struct hw_inner inner;

	return hw_inner_find(packet, len, layer2, &inner) ? inner.tos : 0;
}

static void set_ecn(uint8_t *ip, uint8_t family, uint8_t ecn)
{
	uint16_t from = hw_load16(ip);
	uint16_t to;

	if (family == HW_FAMILY_IPV4) {
		to = (uint16_t)((from & ~HW_ECN_MASK) | ecn);
		hw_checksum_update(ip + IPV4_CHECKSUM_OFFSET, from, to);
	} else {
		to = (uint16_t)((from & ~(HW_ECN_MASK << 4)) | (unsigned)ecn << 4);
	}
	hw_store16(ip, to);
}

bool hw_inner_combine_ecn(uint8_t *packet, uint32_t len, bool layer2, uint8_t outer_tos)
{
	uint8_t outer = outer_tos & HW_ECN_MASK;
	struct hw_inner inner;

	/* Nothing outside says nothing new: the left column of the figure is the inner field. */
	if (outer == HW_ECN_NOT_ECT || !hw_inner_find(packet, len, layer2, &inner))
		return true;

	uint8_t present = inner.tos & HW_ECN_MASK;

	if (present == HW_ECN_NOT_ECT)
		return outer != HW_ECN_CE;
	if (present == HW_ECN_CE)
		return true;
	if (outer == HW_ECN_CE || (outer == HW_ECN_ECT1 && present == HW_ECN_ECT0))
		set_ecn(packet + inner.ip_offset, inner.family, outer);
	return true;
}
