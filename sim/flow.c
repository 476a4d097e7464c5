#include "sim/flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define IP_BYTES 20u
#define UDP_BYTES 8u
#define HEADER_BYTES 32u
#define FIRST_PORT 5000u

void hw_sim_flow_init(struct hw_sim_flow *flow, uint16_t id, enum hw_sim_side from)
{
	*flow = (struct hw_sim_flow){ .id = id, .from = from, .deadline = HW_TIME_NEVER };
}

void hw_sim_flow_fini(struct hw_sim_flow *flow)
{
	free(flow->seen);
	hw_histogram_fini(&flow->stats.delay);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static uint64_t check_word(const struct hw_sim_flow_header *h)
{
	return mix(mix(mix((uint64_t)h->flow << 32 | h->aux) ^ h->number) ^ h->sent) ^
	       mix(h->ip_bytes);
}

/* The i-th word of the pattern behind a header. */
static uint64_t pattern(uint64_t check, uint64_t i)
{
	return (check + i) * UINT64_C(0x9e3779b97f4a7c15);
}

static void fill(uint8_t *out, uint32_t len, uint64_t check)
{
	uint64_t i = 0, word;

	for (; len >= 8; len -= 8, out += 8) {
		word = pattern(check, i++);
		memcpy(out, &word, 8);
	}
	word = pattern(check, i);
	memcpy(out, &word, len);
}

static bool is_filled(const uint8_t *data, uint32_t len, uint64_t check)
{
	uint64_t i = 0, word, difference = 0;

	for (; len >= 8; len -= 8, data += 8) {
		memcpy(&word, data, 8);
		difference |= word ^ pattern(check, i++);
	}
	word = pattern(check, i);
	return difference == 0 && memcmp(data, &word, len) == 0;
}

static uint16_t ip_checksum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < IP_BYTES; i += 2)
		sum += hw_load16(header + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void build_ip(uint8_t *out, const struct hw_sim_flow *flow, uint32_t ip_bytes)
{
	uint8_t from = flow->from == HW_SIM_CLIENT ? 2 : 1;
	const uint8_t fixed[IP_BYTES] = { 0x45, flow->tos, 0,  0,  0,
					  0,    0x40,      0,  64, 17,
					  0,    0,         10, 88, 0,
					  from, 10,        88, 0,  (uint8_t)(3 - from) };

	memcpy(out, fixed, sizeof(fixed));
	hw_store16(out + 2, (uint16_t)ip_bytes);
	hw_store16(out + 10, ip_checksum(out));
	hw_store16(out + 20, (uint16_t)(FIRST_PORT + flow->id));
	hw_store16(out + 22, (uint16_t)(FIRST_PORT + flow->id));
	hw_store16(out + 24, (uint16_t)(ip_bytes - IP_BYTES));
	hw_store16(out + 26, 0); /* no UDP checksum: the check below covers more */
}

static void build_ethernet(uint8_t *out, const struct hw_sim_flow *flow)
{
	uint8_t from = flow->from == HW_SIM_CLIENT ? 2 : 1;
	const uint8_t header[HW_SIM_ETHERNET_BYTES] = { 2, 0, 0, 0, 0, (uint8_t)(3 - from),
							2, 0, 0, 0, 0, from,
							8, 0 };

	memcpy(out, header, sizeof(header));
}

uint32_t hw_sim_flow_build(struct hw_sim_flow *flow, bool layer2, hw_time now, uint32_t aux,
			   uint32_t ip_bytes, uint8_t *out)
{
	uint32_t front = layer2 ? HW_SIM_ETHERNET_BYTES : 0;
	uint8_t *data = out + front;

	if (ip_bytes < HW_SIM_FLOW_MIN_BYTES)
		ip_bytes = HW_SIM_FLOW_MIN_BYTES;

	struct hw_sim_flow_header h = { .flow = flow->id,
					.aux = aux,
					.number = flow->stats.sent,
					.sent = now,
					.ip_bytes = ip_bytes };
	uint64_t check = check_word(&h);

	if (layer2)
		build_ethernet(out, flow);
	build_ip(data, flow, ip_bytes);
	data += IP_BYTES + UDP_BYTES;
	hw_store16(data, h.flow);
	hw_store16(data + 2, 0);
	hw_store32(data + 4, h.aux);
	hw_store64(data + 8, h.number);
	hw_store64(data + 16, h.sent);
	hw_store64(data + 24, check);
	fill(data + HEADER_BYTES, ip_bytes - HW_SIM_FLOW_MIN_BYTES, check);
	flow->stats.sent++;
	flow->sent_since = true;
	flow->stats.sent_bytes += ip_bytes;
	return front + ip_bytes;
}

void hw_sim_flow_mark(struct hw_sim_flow *flow, hw_time now)
{
	if (flow->marked)
		return;
	flow->marked = true;
	flow->marked_at = now;
	flow->sent_since = false;
}

void hw_sim_flow_end(struct hw_sim_flow *flow, hw_time now)
{
	if (flow->marked && flow->sent_since)
		flow->stats.resume_max =
			hw_time_max(flow->stats.resume_max, now - flow->marked_at);
	flow->marked = false;
}

int hw_sim_flow_parse(const uint8_t *data, uint32_t len, bool layer2,
		      struct hw_sim_flow_header *ret_header)
{
	uint32_t front = layer2 ? HW_SIM_ETHERNET_BYTES : 0;

	if (len < front + HW_SIM_FLOW_MIN_BYTES)
		return HW_E_MALFORMED;

	const uint8_t *ip = data + front, *h = ip + IP_BYTES + UDP_BYTES;
	struct hw_sim_flow_header header = {
		.flow = hw_load16(h),
		.aux = hw_load32(h + 4),
		.number = hw_load64(h + 8),
		.sent = hw_load64(h + 16),
		.ip_bytes = len - front,
	};
	uint64_t check = check_word(&header);

	if (hw_load16(ip + 2) != header.ip_bytes || ip_checksum(ip) != 0 || hw_load16(h + 2) != 0 ||
	    hw_load16(ip + 20) != (uint16_t)(FIRST_PORT + header.flow) ||
	    hw_load64(h + 24) != check ||
	    !is_filled(h + HEADER_BYTES, header.ip_bytes - HW_SIM_FLOW_MIN_BYTES, check))
		return HW_E_MALFORMED;
	*ret_header = header;
	return 0;
}

static int reserve_seen(struct hw_sim_flow *flow, uint64_t number)
{
	size_t words = (size_t)(number / 64) + 1;

	if (words <= flow->seen_words)
		return 0;
	words *= 2;

	uint64_t *grown = realloc(flow->seen, words * sizeof(*grown));

	if (grown == NULL)
		return HW_E_NOMEM;
	memset(grown + flow->seen_words, 0, (words - flow->seen_words) * sizeof(*grown));
	flow->seen = grown;
	flow->seen_words = words;
	return 0;
}

int hw_sim_flow_arrived(struct hw_sim_flow *flow, const struct hw_sim_flow_header *header,
			hw_time now)
{
	struct hw_sim_flow_stats *stats = &flow->stats;
	uint64_t bit = UINT64_C(1) << header->number % 64;

	if (header->flow != flow->id || header->number >= stats->sent || header->sent > now)
		return HW_E_NOT_FOUND;

	int r = reserve_seen(flow, header->number);

	if (r < 0)
		return r;
	if (flow->seen[header->number / 64] & bit)
		return HW_E_REPLAY;
	r = hw_histogram_add(&stats->delay, now - header->sent);
	if (r < 0)
		return r;
	flow->seen[header->number / 64] |= bit;
	if (stats->delivered > 0)
		stats->gap_max = hw_time_max(stats->gap_max, now - flow->last_delivery);
	flow->last_delivery = now;
	if (flow->marked && header->sent >= flow->marked_at) {
		flow->marked = false;
		stats->resume_max = hw_time_max(stats->resume_max, now - flow->marked_at);
	}
	stats->delivered++;
	stats->late += now - header->sent > flow->deadline;
	if (header->number + 1 < flow->highest)
		stats->reordered++;
	else
		flow->highest = header->number + 1;
	return 0;
}
