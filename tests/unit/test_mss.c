/* The MSS clamp: what it lowers, and everything that it leaves alone. */
#include "test.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "frame/mss.h"

#define ROOM 256u

struct packet {
	uint8_t bytes[ROOM];
	uint32_t len;
	uint32_t ip;  /* offsets */
	uint32_t tcp;
	uint32_t mss; /* of the option's value */
};

static void append(struct packet *p, const void *bytes, uint32_t len)
{
	assert_true(p->len + len <= ROOM);
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static uint32_t sum(const uint8_t *bytes, uint32_t len, uint32_t start)
{
	for (uint32_t i = 0; i < len; i++)
		start += i % 2 != 0 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return start;
}

static uint16_t fold(uint32_t s)
{
	while (s > 0xffff)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static bool is_ipv4(const struct packet *p)
{
	return p->bytes[p->ip] >> 4 == 4;
}

/* The whole TCP checksum, summed afresh with the pseudo header: 0 when the one in the packet is right. */
static uint16_t tcp_checksum(const struct packet *p)
{
	const uint8_t *ip = p->bytes + p->ip;
	uint32_t len = p->len - p->tcp;
	uint32_t s = 6 + len;

	s = is_ipv4(p) ? sum(ip + 12, 8, s) : sum(ip + 8, 32, s);
	return fold(sum(p->bytes + p->tcp, len, s));
}

/* Lengths and checksum, once all is appended. */
static void finish(struct packet *p)
{
	uint8_t *ip = p->bytes + p->ip;

	if (is_ipv4(p))
		hw_store16(ip + 2, (uint16_t)(p->len - p->ip));
	else
		hw_store16(ip + 4, (uint16_t)(p->len - p->ip - 40));
	hw_store16(p->bytes + p->tcp + 16, 0);
	hw_store16(p->bytes + p->tcp + 16, tcp_checksum(p));
}

static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
static const uint8_t ipv4[20] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0,
				  192, 0, 2, 1, 192, 0, 2, 2 };
static const uint8_t ipv6[40] = { 0x60, 0, 0, 0, 0, 0, 6, 64, 0x20, 1, 0x0d, 0xb8, [23] = 1,
				  [24] = 0x20, 1, 0x0d, 0xb8, [39] = 2 };

/* tags: bytes of Ethernet header beyond the addresses, or NULL for bare IP. */
static struct packet make(const char *tags, uint32_t tag_bytes, bool v4, const void *ext,
			  uint32_t ext_bytes, const void *options, uint32_t option_bytes,
			  uint32_t mss_in_options)
{
	uint8_t tcp[20] = { 0x80, 0, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0x02, 0xff, 0xff };
	struct packet p = { 0 };

	if (tags != NULL) {
		append(&p, macs, sizeof(macs));
		append(&p, tags, tag_bytes);
	}
	p.ip = p.len;
	append(&p, v4 ? ipv4 : ipv6, v4 ? sizeof(ipv4) : sizeof(ipv6));
	append(&p, ext, ext_bytes);
	p.tcp = p.len;
	p.mss = p.tcp + 20 + mss_in_options;
	tcp[12] = (uint8_t)((20 + option_bytes) / 4 << 4);
	append(&p, tcp, sizeof(tcp));
	append(&p, options, option_bytes);
	append(&p, "data!", 5); /* TCP Fast Open; and an odd length for the checksum */
	finish(&p);
	return p;
}

static const uint8_t mss_1460[4] = { 2, 4, 0x05, 0xb4 };

static struct packet plain(bool v4)
{
	return make(NULL, 0, v4, "", 0, mss_1460, 4, 2);
}

static uint16_t mss_of(const struct packet *p)
{
	return hw_load16(p->bytes + p->mss);
}

/* Clamps to `whole`; the value becomes `want`, the checksum stays right and nothing else changes. */
static void expect(struct packet p, bool layer2, uint32_t whole, uint16_t want)
{
	struct packet before = p;
	bool changed = hw_mss_clamp(p.bytes, p.len, layer2, whole);

	assert_int_equal(mss_of(&p), want);
	assert_int_equal(changed, want != mss_of(&before));
	assert_int_equal(tcp_checksum(&p), 0);
	memcpy(p.bytes + p.mss, before.bytes + p.mss, 2);
	memcpy(p.bytes + p.tcp + 16, before.bytes + p.tcp + 16, 2);
	assert_memory_equal(p.bytes, before.bytes, ROOM);
}

static void expect_untouched(struct packet p, bool layer2)
{
	struct packet before = p;

	assert_false(hw_mss_clamp(p.bytes, p.len, layer2, 1360));
	assert_memory_equal(p.bytes, before.bytes, ROOM);
}

static void syn_is_lowered_to_what_passes_whole(void **state)
{
	(void)state;
	expect(plain(true), false, 1360, 1320);
	expect(plain(false), false, 1360, 1300);
}

static void syn_ack_is_lowered_too(void **state)
{
	struct packet p = plain(true);

	(void)state;
	p.bytes[p.tcp + 13] = 0x12;
	finish(&p);
	expect(p, false, 1360, 1320);
}

/* As nearly all are: nothing behind the header. */
static void syn_without_data(void **state)
{
	(void)state;
	for (int v4 = 0; v4 <= 1; v4++) {
		struct packet p = plain(v4 != 0);

		memset(p.bytes + p.len - 5, 0, 5);
		p.len -= 5;
		finish(&p);
		expect(p, false, 1360, v4 ? 1320 : 1300);
	}
}

/* What looks like an option behind the header is the application's. */
static void data_is_no_option(void **state)
{
	static const uint8_t like_option[5] = { 1, 2, 4, 0x05, 0xb4 };
	static const uint8_t nops[4] = { 1, 1, 1, 1 };
	struct packet p = make(NULL, 0, true, "", 0, nops, 4, 2);

	(void)state;
	memcpy(p.bytes + p.len - 5, like_option, 5);
	finish(&p);
	expect_untouched(p, false);
}

/* An IP header in which a TCP header could be seen: what follows is UDP. */
static void an_ip_header_is_no_tcp_header(void **state)
{
	static const uint8_t extension[8] = { 2, 4, 0x05, 0xb4, 0, 0, 0, 0 };
	struct packet p = make(NULL, 0, true, extension, 8, mss_1460, 4, 2);

	(void)state;
	p.bytes[9] = 17;
	p.bytes[13] = 2;
	expect_untouched(p, false);
}

static void ethernet_and_tags_cost_their_bytes(void **state)
{
	static const struct {
		const char *tags;
		uint32_t bytes;
		bool v4;
	} cases[] = {
		{ "\x08\x00", 2, true },
		{ "\x86\xdd", 2, false },
		{ "\x81\x00\x00\x07\x08\x00", 6, true },
		{ "\x88\xa8\x00\x07\x81\x00\x00\x09\x08\x00", 10, true },
		{ "\x88\xa8\x00\x07\x81\x00\x00\x09\x86\xdd", 10, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = make(cases[i].tags, cases[i].bytes, cases[i].v4, "", 0, mss_1460, 4, 2);

		expect(p, true, 1360,
		       (uint16_t)(1360 - 12 - cases[i].bytes - (cases[i].v4 ? 40 : 60)));
	}
}

static void three_tags_or_a_false_type_are_left_alone(void **state)
{
	(void)state;
	expect_untouched(make("\x81\x00\x00\x07\x81\x00\x00\x07\x81\x00\x00\x07\x08\x00", 14, true, "", 0,
			      mss_1460, 4, 2),
			 true);
	expect_untouched(make("\x86\xdd", 2, true, "", 0, mss_1460, 4, 2), true);
	expect_untouched(make("\x08\x06", 2, true, "", 0, mss_1460, 4, 2), true);
}

static void never_raised(void **state)
{
	(void)state;
	expect(plain(true), false, 1500, 1460);
	expect(plain(true), false, 1501, 1460);
	expect(plain(true), false, 9000, 1460);
	expect(plain(true), false, 1499, 1459);
	expect(plain(true), false, UINT32_MAX, 1460);
}

static void never_absurdly_small(void **state)
{
	(void)state;
	expect(plain(true), false, 40 + HW_MSS_MIN_BYTES, HW_MSS_MIN_BYTES);
	expect(plain(true), false, 40 + HW_MSS_MIN_BYTES - 1, 1460);
	expect(plain(false), false, 60 + HW_MSS_MIN_BYTES, HW_MSS_MIN_BYTES);
	expect(plain(false), false, 0, 1460);
}

static void every_place_of_the_option(void **state)
{
	(void)state;
	for (uint32_t nops = 0; nops <= 36; nops++) {
		uint8_t options[40];
		uint32_t bytes = (nops + 4 + 3) / 4 * 4;

		memset(options, 1, sizeof(options));
		memcpy(options + nops, mss_1460, 4);
		expect(make(NULL, 0, true, "", 0, options, bytes, nops + 2), false, 1360, 1320);
		expect(make(NULL, 0, false, "", 0, options, bytes, nops + 2), false, 1360, 1300);
	}

	static const uint8_t linux_syn[20] = { 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7,
					       2, 4, 0x05, 0xb4 };

	expect(make(NULL, 0, true, "", 0, linux_syn, 20, 18), false, 1360, 1320);
}

static void broken_options_are_left_alone(void **state)
{
	static const uint8_t cases[][8] = {
		{ 0, 2, 4, 0x05, 0xb4, 0, 0, 0 },             /* behind the end */
		{ 8, 0, 2, 4, 0x05, 0xb4, 1, 1 },             /* length 0 */
		{ 8, 1, 2, 4, 0x05, 0xb4, 1, 1 },             /* length 1 */
		{ 8, 9, 2, 4, 0x05, 0xb4, 1, 1 },             /* beyond the header */
		{ 2, 3, 0x05, 0xb4, 1, 1, 1, 1 },             /* an MSS option of another length */
		{ 2, 5, 0x05, 0xb4, 0xff, 1, 1, 1 },
		{ 1, 1, 1, 1, 1, 1, 2, 4 },                   /* its value beyond the header */
		{ 1, 1, 1, 1, 1, 1, 1, 2 },
		{ 3, 3, 7, 4, 2, 1, 1, 1 },                   /* none at all: none is added */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = make(NULL, 0, true, "", 0, cases[i], 8, 2);

		expect_untouched(p, false);
		/* Without data, and with nothing behind, so that a sanitizer sees any look beyond. */
		p.len -= 5;
		finish(&p);

		uint8_t *exact = malloc(p.len);

		assert_non_null(exact);
		memcpy(exact, p.bytes, p.len);
		assert_false(hw_mss_clamp(exact, p.len, false, 1360));
		free(exact);
	}
	expect_untouched(make(NULL, 0, true, "", 0, "", 0, 0), false);
}

static void only_syn(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		struct packet p = plain(true);

		p.bytes[p.tcp + 13] = (uint8_t)flags;
		finish(&p);
		if ((flags & 2) != 0)
			expect(p, false, 1360, 1320);
		else
			expect_untouched(p, false);
	}
}

static void ipv4_fragments_and_others(void **state)
{
	struct packet p = plain(true);

	(void)state;
	hw_store16(p.bytes + 6, 0x2000); /* the first of several: has the header */
	expect(p, false, 1360, 1320);
	hw_store16(p.bytes + 6, 0x2001);
	expect_untouched(p, false);
	hw_store16(p.bytes + 6, 0x1fff);
	expect_untouched(p, false);
	p = plain(true);
	p.bytes[9] = 17;
	expect_untouched(p, false);
	p = plain(true);
	p.bytes[0] = 0x55;
	expect_untouched(p, false);
	p = plain(true);
	p.bytes[0] = 0x44;
	expect_untouched(p, false);
}

static void ipv4_options_are_stepped_over(void **state)
{
	struct packet p = make(NULL, 0, true, "\x94\x04\x00\x00", 4, mss_1460, 4, 2);

	(void)state;
	p.bytes[0] = 0x46;
	expect(p, false, 1360, 1320);
}

static void ipv6_extension_headers(void **state)
{
	static const struct {
		uint8_t first;
		uint8_t bytes[24];
		uint8_t len;
		bool clamped;
	} cases[] = {
		{ 0, { 6, 0, 1, 4 }, 8, true },                        /* hop by hop */
		{ 43, { 6, 1 }, 16, true },                            /* routing */
		{ 60, { 6, 0, 1, 4 }, 8, true },                       /* destination */
		{ 44, { 6, 0, 0, 0, 1, 2, 3, 4 }, 8, true },           /* an atomic fragment */
		{ 44, { 6, 0, 0, 1, 1, 2, 3, 4 }, 8, true },           /* the first of several */
		{ 0, { 60, 0, 1, 4, 0, 0, 0, 0, 6, 1 }, 24, true },
		{ 44, { 6, 0, 0, 8, 1, 2, 3, 4 }, 8, false },          /* the second */
		{ 44, { 6, 0, 0xff, 0xf8, 1, 2, 3, 4 }, 8, false },
		{ 51, { 6, 1 }, 12, false },                           /* authenticated */
		{ 50, { 6, 0 }, 8, false },                            /* encrypted */
		{ 59, { 6, 0 }, 8, false },                            /* nothing follows */
		{ 253, { 6, 0 }, 8, false },                           /* unknown */
		{ 0, { 17, 0, 1, 4 }, 8, false },                      /* UDP follows */
		{ 0, { 6, 200 }, 8, false },                           /* longer than the packet */
		{ 0, { 6, 10 }, 8, false },                            /* 88 bytes of the 37 left */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = make(NULL, 0, false, cases[i].bytes, cases[i].len, mss_1460, 4, 2);

		p.bytes[6] = cases[i].first;
		memcpy(p.bytes + 128, p.bytes + p.tcp, 24); /* bait, beyond the packet */
		if (cases[i].clamped)
			expect(p, false, 1360, 1300);
		else
			expect_untouched(p, false);
	}

	/* Eight in a row are followed, nine are not. */
	for (uint32_t n = 8; n <= 9; n++) {
		uint8_t ext[72] = { 0 };

		for (uint32_t i = 0; i < n; i++)
			ext[8 * i] = i + 1 < n ? 60 : 6;

		struct packet p = make(NULL, 0, false, ext, 8 * n, mss_1460, 4, 2);

		p.bytes[6] = 60;
		if (n == 8)
			expect(p, false, 1360, 1300);
		else
			expect_untouched(p, false);
	}
}

static void cut_off_packets_are_left_alone(void **state)
{
	(void)state;
	for (int v4 = 0; v4 <= 1; v4++) {
		struct packet whole = v4 ? plain(true)
					 : make(NULL, 0, false, "\x3c\0\1\4\0\0\0\0\6\0\1\4\0\0\0\0",
						16, mss_1460, 4, 2);

		if (!v4)
			whole.bytes[6] = 0;
		expect(whole, false, 1360, v4 ? 1320 : 1300);
		for (uint32_t len = 0; len < whole.len; len++) {
			struct packet p = whole;

			/* As the device gave it: shorter than the IP header says. */
			assert_false(hw_mss_clamp(p.bytes, len, false, 1360));
			assert_memory_equal(p.bytes, whole.bytes, ROOM);
			/* As a sender might make it: the IP header agrees, the TCP header does not. */
			if (len < p.mss + 2 && len >= (v4 ? 20u : 40u)) {
				hw_store16(p.bytes + (v4 ? 2 : 4), (uint16_t)(v4 ? len : len - 40));

				struct packet before = p;

				assert_false(hw_mss_clamp(p.bytes, p.len, false, 1360));
				assert_memory_equal(p.bytes, before.bytes, ROOM);

				/* And with nothing behind it, so that a sanitizer sees any look beyond. */
				uint8_t *exact = malloc(len);

				assert_non_null(exact);
				memcpy(exact, p.bytes, len);
				assert_false(hw_mss_clamp(exact, len, false, 1360));
				free(exact);
			}
		}
	}
}

/* Seed 5: any value, any address, any clamp: the checksum is what a fresh sum gives. */
static void checksum_is_right_for_any_values(void **state)
{
	struct hw_rng rng;

	(void)state;
	hw_rng_init(&rng, 5);
	for (int i = 0; i < 100000; i++) {
		uint32_t nops = (uint32_t)hw_rng_below(&rng, 5);
		uint8_t options[8];
		bool v4 = hw_rng_below(&rng, 2) != 0;

		memset(options, 1, sizeof(options));
		memcpy(options + nops, mss_1460, 4);

		struct packet p = make(NULL, 0, v4, "", 0, options, 8, nops + 2);

		hw_rng_fill(&rng, p.bytes + p.ip + (v4 ? 12 : 8), 8);
		hw_rng_fill(&rng, p.bytes + p.tcp, 12);
		hw_rng_fill(&rng, p.bytes + p.mss, 2);
		finish(&p);

		uint32_t whole = 316 + (uint32_t)hw_rng_below(&rng, 65219);
		uint32_t limit = whole - (v4 ? 40 : 60);
		uint16_t offered = mss_of(&p);

		expect(p, false, whole, offered < limit ? offered : (uint16_t)limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_is_lowered_to_what_passes_whole),
		cmocka_unit_test(syn_ack_is_lowered_too),
		cmocka_unit_test(syn_without_data),
		cmocka_unit_test(data_is_no_option),
		cmocka_unit_test(an_ip_header_is_no_tcp_header),
		cmocka_unit_test(ethernet_and_tags_cost_their_bytes),
		cmocka_unit_test(three_tags_or_a_false_type_are_left_alone),
		cmocka_unit_test(never_raised),
		cmocka_unit_test(never_absurdly_small),
		cmocka_unit_test(every_place_of_the_option),
		cmocka_unit_test(broken_options_are_left_alone),
		cmocka_unit_test(only_syn),
		cmocka_unit_test(ipv4_fragments_and_others),
		cmocka_unit_test(ipv4_options_are_stepped_over),
		cmocka_unit_test(ipv6_extension_headers),
		cmocka_unit_test(cut_off_packets_are_left_alone),
		cmocka_unit_test(checksum_is_right_for_any_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
