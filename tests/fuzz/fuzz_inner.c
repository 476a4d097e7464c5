/*
 * Inner packets, which any host behind the tunnel may send: the MSS clamp and ECN. The input is flags
 * (1 byte: bit 0 layer 2, bits 1 and 2 the outer ECN), the size that passes whole (2 bytes), then the
 * packet. Nothing may be read or written beyond it; what is changed keeps the checksums right.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "frame/inner.h"
#include "frame/mss.h"

#define HEADER_BYTES 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* The ones' complement sum of all bytes, which a right update of a checksum inside leaves as it was. */
static uint32_t sum(const uint8_t *bytes, size_t len)
{
	uint64_t total = 0;

	for (size_t i = 0; i < len; i++)
		total += i % 2 != 0 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return (uint32_t)(total % 0xffff);
}

static void check_mss(uint8_t *packet, const uint8_t *before, uint32_t len, bool layer2,
		      uint32_t whole_bytes)
{
	struct hw_inner inner;
	bool found = hw_inner_find(before, len, layer2, &inner);
	bool changed = hw_mss_clamp(packet, len, layer2, whole_bytes);

	must(changed == (memcmp(packet, before, len) != 0));
	if (!changed)
		return;
	must(found && sum(packet, len) == sum(before, len));
	/* The IP header and all behind the IP packet are as they were. */
	must(memcmp(packet, before, inner.ip_offset + inner.header_bytes) == 0);
	must(memcmp(packet + inner.ip_offset + inner.ip_bytes, before + inner.ip_offset + inner.ip_bytes,
		    len - inner.ip_offset - inner.ip_bytes) == 0);
	/* Once is enough, and a larger tunnel has nothing more to lower. */
	must(!hw_mss_clamp(packet, len, layer2, whole_bytes));
	must(!hw_mss_clamp(packet, len, layer2, whole_bytes + 1));
}

static void check_ecn(uint8_t *packet, const uint8_t *before, uint32_t len, bool layer2, uint8_t ecn)
{
	struct hw_inner inner, after;
	bool found = hw_inner_find(before, len, layer2, &inner);
	bool pass = hw_inner_combine_ecn(packet, len, layer2, ecn);

	must(hw_inner_find(packet, len, layer2, &after) == found);
	must(hw_inner_outer_tos(packet, len, layer2) == (found ? after.tos : 0));
	if (!found) {
		must(pass && memcmp(packet, before, len) == 0);
		return;
	}
	must(inner.ip_offset + inner.ip_bytes <= len && inner.header_bytes <= inner.ip_bytes);
	must((inner.tos & ~HW_ECN_MASK) == (after.tos & ~HW_ECN_MASK));
	must(pass || ((inner.tos & HW_ECN_MASK) == HW_ECN_NOT_ECT && ecn == HW_ECN_CE));
	if (inner.tos == after.tos)
		must(memcmp(packet, before, len) == 0);
	else if (inner.family == 4)
		must(sum(packet, len) == sum(before, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEADER_BYTES)
		return 0;

	bool layer2 = (data[0] & 1) != 0;
	uint8_t ecn = data[0] >> 1 & HW_ECN_MASK;
	uint32_t whole_bytes = hw_load16(data + 1);
	uint32_t len = (uint32_t)(size - HEADER_BYTES);
	uint8_t *packet = malloc(len > 0 ? len : 1);
	uint8_t *before = malloc(len > 0 ? len : 1);

	must(packet != NULL && before != NULL);
	memcpy(packet, data + HEADER_BYTES, len);
	memcpy(before, packet, len);
	check_mss(packet, before, len, layer2, whole_bytes);
	memcpy(before, packet, len);
	check_ecn(packet, before, len, layer2, ecn);
	free(packet);
	free(before);
	return 0;
}
