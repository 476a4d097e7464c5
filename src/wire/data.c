#include "wire/data.h"

#include <assert.h>

#include "base/bytes.h"

#define FRAME_HEADER_BYTES_MIN 1u /* a framed packet's plaintext begins with its flags */

static int check_handshake(const uint8_t *bytes, size_t len, size_t exact)
{
	if (len < exact)
		return HW_E_TRUNCATED;
	/* No MAC covers what would stand behind a handshake message, so nothing may. */
	if (len > exact || (bytes[0] & 0x0f) != 0)
		return HW_E_MALFORMED;
	return 0;
}

static int check_data(const uint8_t *bytes, size_t len, size_t least)
{
	if (len < least)
		return HW_E_TRUNCATED;
	return hw_wire_stream_legal(bytes[0] >> 4, bytes[0] & 0x0f) ? 0 : HW_E_MALFORMED;
}

int hw_wire_type(const uint8_t *bytes, size_t len, enum hw_wire_type *ret_type)
{
	int r;

	if (len == 0)
		return HW_E_TRUNCATED;
	switch (bytes[0] >> 4) {
	case HW_WIRE_INITIATION:
		r = check_handshake(bytes, len, HW_WIRE_INITIATION_BYTES);
		break;
	case HW_WIRE_RESPONSE:
		r = check_handshake(bytes, len, HW_WIRE_RESPONSE_BYTES);
		break;
	case HW_WIRE_COOKIE:
		r = check_handshake(bytes, len, HW_WIRE_COOKIE_BYTES);
		break;
	case HW_WIRE_DATA:
		r = check_data(bytes, len, HW_WIRE_OVERHEAD_BYTES);
		break;
	case HW_WIRE_FRAMED:
		r = check_data(bytes, len, HW_WIRE_OVERHEAD_BYTES + FRAME_HEADER_BYTES_MIN);
		break;
	default:
		return HW_E_MALFORMED;
	}
	if (r == 0)
		*ret_type = (enum hw_wire_type)(bytes[0] >> 4);
	return r;
}

int hw_wire_data_parse(const uint8_t *bytes, size_t len, struct hw_wire_data *ret_header)
{
	if (len == 0)
		return HW_E_TRUNCATED;

	unsigned type = bytes[0] >> 4;
	int r;

	if (type == HW_WIRE_DATA)
		r = check_data(bytes, len, HW_WIRE_OVERHEAD_BYTES);
	else if (type == HW_WIRE_FRAMED)
		r = check_data(bytes, len, HW_WIRE_OVERHEAD_BYTES + FRAME_HEADER_BYTES_MIN);
	else
		r = HW_E_MALFORMED;
	if (r != 0)
		return r;
	*ret_header = (struct hw_wire_data){
		.type = (uint8_t)type,
		.stream = bytes[0] & 0x0f,
		.index = hw_load24(bytes + 1),
		.counter_low = hw_load32(bytes + 4),
		.path_seq = hw_load16(bytes + 8),
		.sent_ticks = hw_load24(bytes + 10),
		.mac = hw_load24(bytes + 13),
	};
	return 0;
}

void hw_wire_data_build(const struct hw_wire_data *header, uint8_t ret_bytes[HW_WIRE_HEADER_BYTES])
{
	assert(hw_wire_stream_legal(header->type, header->stream));
	assert(header->index <= HW_WIRE_INDEX_MAX);
	assert(header->sent_ticks <= HW_WIRE_TICKS_MASK && header->mac <= 0xffffffu);
	ret_bytes[0] = (uint8_t)(header->type << 4 | header->stream);
	hw_store24(ret_bytes + 1, header->index);
	hw_store32(ret_bytes + 4, header->counter_low);
	hw_store16(ret_bytes + 8, header->path_seq);
	hw_store24(ret_bytes + 10, header->sent_ticks);
	hw_store24(ret_bytes + 13, header->mac);
}

bool hw_wire_stream_legal(unsigned type, unsigned stream)
{
	/* A bit for each stream: control, classes, repairs. */
	const uint32_t classes = 0x00fe, data = 0x0001 | classes | 0xfe00;
	uint32_t legal = type == HW_WIRE_DATA ? data : type == HW_WIRE_FRAMED ? classes : 0;

	return stream < HW_WIRE_STREAMS && (legal >> stream & 1) != 0;
}

void hw_wire_nonce(unsigned stream, uint64_t counter, uint8_t ret_nonce[HW_WIRE_NONCE_BYTES])
{
	hw_store32(ret_nonce, stream);
	hw_store64(ret_nonce + 4, counter);
}

void hw_wire_ad(const uint8_t head[4], unsigned stream, uint64_t counter,
		uint8_t ret_ad[HW_WIRE_AD_BYTES])
{
	for (size_t i = 0; i < 4; i++)
		ret_ad[i] = head[i];
	hw_store32(ret_ad + 4, stream);
	hw_store64(ret_ad + 8, counter);
}

uint64_t hw_wire_counter(uint32_t low, uint64_t highest)
{
	const uint64_t span = UINT64_C(1) << 32;
	/* How far `low` lies ahead of `highest`, modulo 2^32. */
	uint32_t ahead = low - (uint32_t)highest;
	uint64_t behind = span - ahead;

	if (ahead <= span / 2)
		/* Where going ahead would wrap, the only value with these bits lies behind. */
		return highest <= UINT64_MAX - ahead ? highest + ahead : highest - behind;
	return highest >= behind ? highest - behind : highest + ahead;
}
