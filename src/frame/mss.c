#include "frame/mss.h"

#include "base/addr.h"
#include "base/bytes.h"
#include "frame/checksum.h"
#include "frame/inner.h"

#define PROTO_HOP_BY_HOP 0u
#define PROTO_TCP 6u
#define PROTO_ROUTING 43u
#define PROTO_FRAGMENT 44u
#define PROTO_DESTINATION 60u
#define MAX_EXTENSIONS 8u

#define IPV4_FIXED_BYTES 20u
#define IPV6_FIXED_BYTES 40u
#define TCP_FIXED_BYTES 20u
#define TCP_FLAG_SYN 0x02u
#define TCP_CHECKSUM_OFFSET 16u
#define TCP_OPTION_END 0u
#define TCP_OPTION_NOP 1u
#define TCP_OPTION_MSS 2u
#define TCP_OPTION_MSS_BYTES 4u

/*
 * Where the TCP header of an IPv6 packet begins; 0 where there is none in plain sight. An
 * authentication header stops the walk: what it covers must not be changed.
 */
static uint32_t ipv6_tcp_offset(const uint8_t *ip, uint32_t ip_bytes)
{
	uint32_t offset = IPV6_FIXED_BYTES;
	uint8_t next = ip[6];

	for (uint32_t i = 0; i < MAX_EXTENSIONS && next != PROTO_TCP; i++) {
		if (ip_bytes - offset < 8)
			return 0;

		const uint8_t *header = ip + offset;
		uint32_t bytes = 8;

		if (next == PROTO_FRAGMENT) {
			if ((hw_load16(header + 2) & 0xfff8) != 0)
				return 0;
		} else if (next == PROTO_HOP_BY_HOP || next == PROTO_ROUTING ||
			   next == PROTO_DESTINATION) {
			bytes += header[1] * 8u;
		} else {
			return 0;
		}
		if (bytes > ip_bytes - offset)
			return 0;
		next = header[0];
		offset += bytes;
	}
	return next == PROTO_TCP ? offset : 0;
}

static uint32_t ipv4_tcp_offset(const uint8_t *ip, uint32_t header_bytes)
{
	if (ip[9] != PROTO_TCP || (hw_load16(ip + 6) & 0x1fff) != 0)
		return 0;
	return header_bytes;
}

static uint16_t swap(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

/* Lower the MSS at tcp[offset..offset+2). */
static bool lower(uint8_t *tcp, uint32_t offset, uint16_t mss)
{
	uint16_t offered = hw_load16(tcp + offset);

	if (offered <= mss)
		return false;
	hw_store16(tcp + offset, mss);
	/* At an odd place the value lies across two words; their sum sees its bytes swapped. */
	if (offset % 2 != 0)
		hw_checksum_update(tcp + TCP_CHECKSUM_OFFSET, swap(offered), swap(mss));
	else
		hw_checksum_update(tcp + TCP_CHECKSUM_OFFSET, offered, mss);
	return true;
}

static bool clamp_options(uint8_t *tcp, uint32_t header_bytes, uint16_t mss)
{
	bool changed = false;

	for (uint32_t i = TCP_FIXED_BYTES; i < header_bytes && tcp[i] != TCP_OPTION_END;) {
		if (tcp[i] == TCP_OPTION_NOP) {
			i++;
			continue;
		}
		if (header_bytes - i < 2)
			break;

		uint32_t bytes = tcp[i + 1];

		if (bytes < 2 || bytes > header_bytes - i)
			break;
		if (tcp[i] == TCP_OPTION_MSS && bytes == TCP_OPTION_MSS_BYTES)
			changed |= lower(tcp, i + 2, mss);
		i += bytes;
	}
	return changed;
}

bool hw_mss_clamp(uint8_t *packet, uint32_t len, bool layer2, uint32_t whole_bytes)
{
	struct hw_inner inner;

	if (!hw_inner_find(packet, len, layer2, &inner))
		return false;

	uint8_t *ip = packet + inner.ip_offset;
	bool ipv4 = inner.family == HW_FAMILY_IPV4;
	uint32_t tcp_offset = ipv4 ? ipv4_tcp_offset(ip, inner.header_bytes)
				   : ipv6_tcp_offset(ip, inner.ip_bytes);

	if (tcp_offset == 0 || inner.ip_bytes - tcp_offset < TCP_FIXED_BYTES)
		return false;

	uint8_t *tcp = ip + tcp_offset;
	uint32_t header_bytes = (tcp[12] >> 4) * 4u;

	if ((tcp[13] & TCP_FLAG_SYN) == 0 || header_bytes < TCP_FIXED_BYTES ||
	    header_bytes > inner.ip_bytes - tcp_offset)
		return false;

	uint32_t fixed = (ipv4 ? IPV4_FIXED_BYTES : IPV6_FIXED_BYTES) + TCP_FIXED_BYTES;
	uint32_t used = inner.ip_offset + fixed;

	if (whole_bytes < used + HW_MSS_MIN_BYTES || whole_bytes - used > UINT16_MAX)
		return false;
	return clamp_options(tcp, header_bytes, (uint16_t)(whole_bytes - used));
}
