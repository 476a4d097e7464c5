/* Looking into inner packets: where IP is, its DSCP and ECN, and RFC 6040 at both ends. */
#include "test.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "frame/inner.h"

#define IP_BYTES 60u

static uint16_t ipv4_checksum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 20; i += 2)
		sum += hw_load16(ip + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_ipv4(uint8_t ip[IP_BYTES], uint8_t tos, uint16_t id)
{
	static const uint8_t header[20] = { 0x45, 0, 0, IP_BYTES, 0, 0, 0x40, 0, 64, 17, 0, 0,
					    192, 0, 2, 1, 192, 0, 2, 2 };

	memset(ip, 0xee, IP_BYTES);
	memcpy(ip, header, sizeof(header));
	ip[1] = tos;
	hw_store16(ip + 4, id);
	hw_store16(ip + 10, ipv4_checksum(ip));
}

static void make_ipv6(uint8_t ip[IP_BYTES], uint8_t tos)
{
	memset(ip, 0xee, IP_BYTES);
	hw_store32(ip, 0x600abcdeu | (uint32_t)tos << 20);
	hw_store16(ip + 4, IP_BYTES - 40);
}

static void find_knows_bare_ip(void **state)
{
	uint8_t ip[IP_BYTES];
	struct hw_inner inner;

	(void)state;
	make_ipv4(ip, 0xb9, 1);
	assert_true(hw_inner_find(ip, IP_BYTES, false, &inner));
	assert_int_equal(inner.family, 4);
	assert_int_equal(inner.tos, 0xb9);
	assert_int_equal(inner.ip_offset, 0);
	assert_int_equal(inner.header_bytes, 20);
	assert_int_equal(inner.ip_bytes, IP_BYTES);
	make_ipv6(ip, 0xb9);
	assert_true(hw_inner_find(ip, IP_BYTES, false, &inner));
	assert_int_equal(inner.family, 6);
	assert_int_equal(inner.tos, 0xb9);
	assert_int_equal(inner.header_bytes, 40);
	assert_int_equal(inner.ip_bytes, IP_BYTES);
	/* The same bytes are no Ethernet frame. */
	assert_false(hw_inner_find(ip, IP_BYTES, true, &inner));
}

static void find_steps_over_ethernet_and_its_tags(void **state)
{
	static const struct {
		uint8_t type[14];
		uint32_t len;
		uint8_t family; /* 0: no IP to be found */
	} cases[] = {
		{ { 0x08, 0x00 }, 2, 4 },
		{ { 0x86, 0xdd }, 2, 6 },
		{ { 0x81, 0x00, 0, 1, 0x08, 0x00 }, 6, 4 },
		{ { 0x88, 0xa8, 0, 1, 0x86, 0xdd }, 6, 6 },
		{ { 0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x08, 0x00 }, 10, 4 },
		{ { 0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x08, 0x00 }, 14, 0 },
		{ { 0x08, 0x06 }, 2, 0 },             /* ARP */
		{ { 0x00, 0x2e }, 2, 0 },             /* 802.3 length */
		{ { 0x81, 0x00, 0, 1, 0x08, 0x06 }, 6, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t frame[12 + 14 + IP_BYTES + 6] = { 0 };
		uint8_t *ip = frame + 12 + cases[i].len;
		struct hw_inner inner = { .ip_bytes = 77 };
		uint32_t len = 12 + cases[i].len + IP_BYTES;

		memcpy(frame + 12, cases[i].type, cases[i].len);
		if (cases[i].family == 6)
			make_ipv6(ip, 0x2e);
		else
			make_ipv4(ip, 0x2e, 7);
		if (cases[i].family == 0) {
			assert_false(hw_inner_find(frame, len, true, &inner));
			assert_int_equal(inner.ip_bytes, 77);
			assert_int_equal(hw_inner_outer_tos(frame, len, true), 0);
			assert_true(hw_inner_combine_ecn(frame, len, true, HW_ECN_CE));
			continue;
		}
		/* With and without padding behind. */
		for (uint32_t pad = 0; pad <= 6; pad += 6) {
			assert_true(hw_inner_find(frame, len + pad, true, &inner));
			assert_int_equal(inner.family, cases[i].family);
			assert_int_equal(inner.ip_offset, 12 + cases[i].len);
			assert_int_equal(inner.ip_bytes, IP_BYTES);
			assert_int_equal(hw_inner_outer_tos(frame, len + pad, true), 0x2e);
		}
		for (uint32_t cut = 0; cut < len; cut++)
			assert_false(hw_inner_find(frame, cut, true, &inner));
		/* A type that contradicts the version inside. */
		ip[0] ^= 0x20;
		assert_false(hw_inner_find(frame, len, true, &inner));
	}
}

static void find_refuses_what_contradicts_itself(void **state)
{
	uint8_t ip[IP_BYTES];
	struct hw_inner inner;

	(void)state;
	for (uint32_t len = 0; len < IP_BYTES; len++) {
		make_ipv4(ip, 0, 1);
		assert_false(hw_inner_find(ip, len, false, &inner));
		make_ipv6(ip, 0);
		assert_false(hw_inner_find(ip, len, false, &inner));
	}
	for (uint8_t version = 0; version < 16; version++) {
		make_ipv4(ip, 0, 1);
		ip[0] = (uint8_t)(version << 4 | 5);
		assert_int_equal(hw_inner_find(ip, IP_BYTES, false, &inner),
				 version == 4 || (version == 6 && hw_load16(ip + 4) <= 20));
	}
	for (uint8_t words = 0; words < 16; words++) {
		make_ipv4(ip, 0, 1);
		ip[0] = (uint8_t)(0x40 | words);
		assert_int_equal(hw_inner_find(ip, IP_BYTES, false, &inner), words >= 5);
	}
	make_ipv4(ip, 0, 1);
	hw_store16(ip + 2, 19);
	assert_false(hw_inner_find(ip, IP_BYTES, false, &inner));
	hw_store16(ip + 2, 20);
	assert_true(hw_inner_find(ip, IP_BYTES, false, &inner));
	assert_true(hw_inner_find(ip, 20, false, &inner));
	hw_store16(ip + 2, IP_BYTES + 1);
	assert_false(hw_inner_find(ip, IP_BYTES, false, &inner));
	make_ipv6(ip, 0);
	hw_store16(ip + 4, 0);
	assert_true(hw_inner_find(ip, 40, false, &inner));
	assert_int_equal(inner.ip_bytes, 40);
	hw_store16(ip + 4, IP_BYTES - 40 + 1);
	assert_false(hw_inner_find(ip, IP_BYTES, false, &inner));
}

static void the_outer_byte_is_the_inner_one(void **state)
{
	uint8_t ip[IP_BYTES];

	(void)state;
	for (unsigned tos = 0; tos < 256; tos++) {
		make_ipv4(ip, (uint8_t)tos, 1);
		assert_int_equal(hw_inner_outer_tos(ip, IP_BYTES, false), tos);
		make_ipv6(ip, (uint8_t)tos);
		assert_int_equal(hw_inner_outer_tos(ip, IP_BYTES, false), tos);
	}
}

/* RFC 6040, figure 4. DROP: the one combination that must not be forwarded. */
static void arrival_follows_the_table_of_rfc_6040(void **state)
{
	enum { N = HW_ECN_NOT_ECT, E0 = HW_ECN_ECT0, E1 = HW_ECN_ECT1, CE = HW_ECN_CE, DROP = 99 };
	static const uint8_t inner[4] = { N, E0, E1, CE };
	static const uint8_t outer[4] = { N, E0, E1, CE };
	static const uint8_t table[4][4] = {
		{ N, N, N, DROP },
		{ E0, E0, E1, CE },
		{ E1, E1, E1, CE },
		{ CE, CE, CE, CE },
	};
	uint8_t ip[IP_BYTES], before[IP_BYTES];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned o = 0; o < 4; o++) {
			bool pass = table[i][o] != DROP;
			uint8_t want = pass ? table[i][o] : inner[i];

			/* The outer DSCP never comes in; the inner one never changes. */
			for (unsigned dscp = 0; dscp < 64; dscp++) {
				uint8_t outer_tos = (uint8_t)((63 - dscp) << 2 | outer[o]);

				make_ipv4(ip, (uint8_t)(dscp << 2 | inner[i]), (uint16_t)(dscp * 999));
				memcpy(before, ip, IP_BYTES);
				assert_int_equal(hw_inner_combine_ecn(ip, IP_BYTES, false, outer_tos), pass);
				assert_int_equal(ip[1], dscp << 2 | want);
				assert_int_equal(ipv4_checksum(ip), 0);
				memcpy(ip + 10, before + 10, 2);
				ip[1] = before[1];
				assert_memory_equal(ip, before, IP_BYTES);

				make_ipv6(ip, (uint8_t)(dscp << 2 | inner[i]));
				memcpy(before, ip, IP_BYTES);
				assert_int_equal(hw_inner_combine_ecn(ip, IP_BYTES, false, outer_tos), pass);
				assert_int_equal(hw_load32(ip), 0x600abcdeu | (dscp << 2 | want) << 20);
				assert_memory_equal(ip + 4, before + 4, IP_BYTES - 4);
			}
		}
	}
}

static void arrival_marks_inside_ethernet(void **state)
{
	static const uint8_t header[18] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 7, 0x08, 0 };
	uint8_t frame[18 + IP_BYTES];

	(void)state;
	memcpy(frame, header, sizeof(header));
	make_ipv4(frame + 18, 0xb8 | HW_ECN_ECT0, 5);
	assert_true(hw_inner_combine_ecn(frame, sizeof(frame), true, HW_ECN_CE));
	assert_int_equal(frame[19], 0xb8 | HW_ECN_CE);
	assert_int_equal(ipv4_checksum(frame + 18), 0);
	assert_memory_equal(frame, header, sizeof(header));
	make_ipv4(frame + 18, 0xb8, 5);
	assert_false(hw_inner_combine_ecn(frame, sizeof(frame), true, HW_ECN_CE));
}

/* Every identification: the updated checksum is what a fresh sum gives, whatever it was before. */
static void checksum_is_right_for_every_header(void **state)
{
	uint8_t ip[IP_BYTES];

	(void)state;
	for (uint32_t id = 0; id <= 0xffff; id++) {
		make_ipv4(ip, HW_ECN_ECT0, (uint16_t)id);
		assert_true(hw_inner_combine_ecn(ip, IP_BYTES, false, HW_ECN_CE));
		assert_int_equal(ipv4_checksum(ip), 0);
		assert_int_equal(ip[1], HW_ECN_CE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_knows_bare_ip),
		cmocka_unit_test(find_steps_over_ethernet_and_its_tags),
		cmocka_unit_test(find_refuses_what_contradicts_itself),
		cmocka_unit_test(the_outer_byte_is_the_inner_one),
		cmocka_unit_test(arrival_follows_the_table_of_rfc_6040),
		cmocka_unit_test(arrival_marks_inside_ethernet),
		cmocka_unit_test(checksum_is_right_for_every_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
