#include "test.h"

#include "survey/nat.h"

#define V4(a, b, c, d, p) { .family = HW_FAMILY_IPV4, .ip = { a, b, c, d }, .port = p }
#define LOCAL V4(192, 168, 1, 5, 8420)
#define HUB1 V4(198, 51, 100, 1, 8420)
#define HUB2 V4(198, 51, 100, 2, 8420)

/* What the peer sees at one address, at a second (port 0: not asked), and what that means. */
static void the_table(void **state)
{
	static const struct {
		struct hw_addr local, seen[2];
		enum hw_nat nat;
		enum hw_nat_mapping mapping;
		bool carrier;
	} table[] = {
		{ LOCAL, { { .family = 0 } }, HW_NAT_UNKNOWN, HW_NAT_MAPPING_UNKNOWN, false },
		{ LOCAL, { LOCAL }, HW_NAT_NONE, HW_NAT_MAPPING_UNKNOWN, false },
		{ LOCAL, { LOCAL, LOCAL }, HW_NAT_NONE, HW_NAT_MAPPING_UNKNOWN, false },
		{ LOCAL, { V4(203, 0, 113, 9, 8420) }, HW_NAT_PORT_KEPT, HW_NAT_MAPPING_UNKNOWN,
		  false },
		{ LOCAL, { V4(203, 0, 113, 9, 8420), V4(203, 0, 113, 9, 8420) }, HW_NAT_PORT_KEPT,
		  HW_NAT_MAPPING_INDEPENDENT, false },
		{ LOCAL, { V4(203, 0, 113, 9, 61000) }, HW_NAT_PORT_CHANGED, HW_NAT_MAPPING_UNKNOWN,
		  false },
		{ LOCAL, { V4(203, 0, 113, 9, 61000), V4(203, 0, 113, 9, 61000) },
		  HW_NAT_PORT_CHANGED, HW_NAT_MAPPING_INDEPENDENT, false },
		{ LOCAL, { V4(203, 0, 113, 9, 61000), V4(203, 0, 113, 9, 61001) },
		  HW_NAT_PORT_CHANGED, HW_NAT_MAPPING_DEPENDENT, false },
		/* Another address for each of the peer's: a pool of them. */
		{ LOCAL, { V4(203, 0, 113, 9, 8420), V4(203, 0, 113, 10, 8420) }, HW_NAT_PORT_KEPT,
		  HW_NAT_MAPPING_DEPENDENT, false },
		/* The first port is kept, the second is not. */
		{ LOCAL, { V4(203, 0, 113, 9, 8420), V4(203, 0, 113, 9, 8421) },
		  HW_NAT_PORT_CHANGED, HW_NAT_MAPPING_DEPENDENT, false },
		{ V4(100, 64, 0, 1, 9), { V4(203, 0, 113, 9, 9) }, HW_NAT_PORT_KEPT,
		  HW_NAT_MAPPING_UNKNOWN, true },
		{ V4(100, 127, 255, 254, 9), { V4(203, 0, 113, 9, 9) }, HW_NAT_PORT_KEPT,
		  HW_NAT_MAPPING_UNKNOWN, true },
		{ V4(100, 128, 0, 1, 9), { V4(203, 0, 113, 9, 9) }, HW_NAT_PORT_KEPT,
		  HW_NAT_MAPPING_UNKNOWN, false },
		{ V4(100, 63, 0, 1, 9), { V4(203, 0, 113, 9, 9) }, HW_NAT_PORT_KEPT,
		  HW_NAT_MAPPING_UNKNOWN, false },
		/* The local address is not known. */
		{ { .family = 0 }, { V4(203, 0, 113, 9, 9) }, HW_NAT_UNKNOWN,
		  HW_NAT_MAPPING_UNKNOWN, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct hw_nat_sight sights[2] = {
			{ table[i].local, table[i].seen[0], HUB1 },
			{ table[i].local, table[i].seen[1], HUB2 },
		};
		struct hw_nat_findings f;

		hw_nat_judge(sights, table[i].seen[1].port != 0 ? 2 : 1, &f);
		if (f.nat != table[i].nat || f.mapping != table[i].mapping ||
		    f.carrier != table[i].carrier)
			fail_msg("line %zu: %d, %d, %d", i, f.nat, f.mapping, f.carrier);
	}
}

/* The same address of the peer twice is one witness, and another family none. */
static void only_other_addresses_are_witnesses(void **state)
{
	static const struct hw_nat_sight sights[] = {
		{ LOCAL, V4(203, 0, 113, 9, 61000), HUB1 },
		{ LOCAL, V4(203, 0, 113, 9, 61001), HUB1 },
		{ { .family = HW_FAMILY_IPV6, .port = 1 }, { .family = HW_FAMILY_IPV6, .port = 1 },
		  { .family = HW_FAMILY_IPV6, .port = 8420 } },
	};
	struct hw_nat_findings f;

	(void)state;
	hw_nat_judge(sights, 3, &f);
	assert_int_equal(f.nat, HW_NAT_PORT_CHANGED);
	assert_int_equal(f.mapping, HW_NAT_MAPPING_UNKNOWN);
	assert_int_equal(f.outside.port, 61000);
	hw_nat_judge(NULL, 0, &f);
	assert_int_equal(f.nat, HW_NAT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(only_other_addresses_are_witnesses),
	};

	return cmocka_run_group_tests_name("nat", tests, NULL, NULL);
}
