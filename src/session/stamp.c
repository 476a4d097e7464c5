#include "session/stamp.h"

#include <string.h>

#include "base/bytes.h"

#define COVERED_HEAD_BYTES 13u /* everything in front of the MAC */
#define MAC_OFFSET 13u
#define MAC_BYTES 3u

static void make_mac(const struct hw_siphash_key *key, const uint8_t *head, const uint8_t *tag,
		     uint8_t path_id, uint8_t ret_mac[MAC_BYTES])
{
	uint8_t input[COVERED_HEAD_BYTES + HW_WIRE_AEAD_TAG_BYTES + 1];

	memcpy(input, head, COVERED_HEAD_BYTES);
	memcpy(input + COVERED_HEAD_BYTES, tag, HW_WIRE_AEAD_TAG_BYTES);
	input[COVERED_HEAD_BYTES + HW_WIRE_AEAD_TAG_BYTES] = path_id;
	hw_store24(ret_mac, (uint32_t)(hw_siphash(key, input, sizeof(input)) & 0xffffffu));
}

void hw_stamp_make(const struct hw_siphash_key *key, uint8_t head[HW_WIRE_HEADER_BYTES],
		   const uint8_t tag[HW_WIRE_AEAD_TAG_BYTES], uint8_t path_id, uint16_t path_seq,
		   uint32_t sent_ticks)
{
	hw_store16(head + HW_WIRE_STAMP_OFFSET, path_seq);
	hw_store24(head + HW_WIRE_STAMP_OFFSET + 2, sent_ticks);
	make_mac(key, head, tag, path_id, head + MAC_OFFSET);
}

bool hw_stamp_check(const struct hw_siphash_key *key, const uint8_t head[HW_WIRE_HEADER_BYTES],
		    const uint8_t tag[HW_WIRE_AEAD_TAG_BYTES], uint8_t path_id)
{
	uint8_t mac[MAC_BYTES];

	make_mac(key, head, tag, path_id, mac);
	return hw_bytes_equal_ct(mac, head + MAC_OFFSET, MAC_BYTES);
}
