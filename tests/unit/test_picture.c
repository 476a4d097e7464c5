/* What the network looks like, as news makes it. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "config/value.h"
#include "daemon/picture.h"

static struct hw_addr addr(const char *text)
{
	struct hw_addr result = {0};

	assert_int_equal(hw_value_addr(text, &result), 0);
	return result;
}

static bool interface(struct hw_picture *picture, enum hw_netlink_what what, uint32_t index,
		      const char *name, bool up)
{
	struct hw_netlink_news news = {.what = what};

	news.interface = (struct hw_interface){.index = index, .mtu_bytes = 1500, .up = up,
					       .running = up};
	(void)snprintf(news.interface.name, sizeof(news.interface.name), "%s", name);
	return hw_picture_take(picture, &news);
}

static bool address(struct hw_picture *picture, enum hw_netlink_what what, uint32_t index,
		    const char *text, bool usable)
{
	const struct hw_netlink_news news = {
		.what = what,
		.address = {.index = index, .addr = addr(text), .bits = 24, .usable = usable},
	};

	return hw_picture_take(picture, &news);
}

static bool route(struct hw_picture *picture, enum hw_netlink_what what, uint32_t index,
		  const char *text, uint8_t bits, const char *via)
{
	struct hw_netlink_news news = {
		.what = what,
		.route = {.index = index, .to = addr(text), .bits = bits},
	};

	if (via)
		news.route.via = addr(via);
	return hw_picture_take(picture, &news);
}

#define IF_NEW HW_NETLINK_INTERFACE
#define IF_GONE HW_NETLINK_INTERFACE_GONE
#define AD_NEW HW_NETLINK_ADDRESS
#define AD_GONE HW_NETLINK_ADDRESS_GONE
#define RT_NEW HW_NETLINK_ROUTE
#define RT_GONE HW_NETLINK_ROUTE_GONE

static void interfaces_come_change_and_go(void **state)
{
	struct hw_picture p = {0};

	(void)state;
	assert_true(interface(&p, IF_NEW, 7, "wwan0", false));
	assert_true(interface(&p, IF_NEW, 2, "eth0", true));
	assert_true(interface(&p, IF_NEW, 5, "eth1", true));
	assert_int_equal(p.interface_count, 3);
	for (size_t i = 1; i < 3; i++)
		assert_true(p.interfaces[i - 1].index < p.interfaces[i].index);
	/* The same again is no change; up, or another name, is. */
	assert_false(interface(&p, IF_NEW, 7, "wwan0", false));
	assert_true(interface(&p, IF_NEW, 7, "wwan0", true));
	assert_true(interface(&p, IF_NEW, 7, "modem", true));
	assert_null(hw_picture_named(&p, "wwan0"));
	assert_int_equal(hw_picture_named(&p, "modem")->index, 7);
	assert_null(hw_picture_interface(&p, 6));
	assert_string_equal(hw_picture_interface(&p, 5)->name, "eth1");
	assert_true(interface(&p, IF_GONE, 5, "eth1", false));
	assert_false(interface(&p, IF_GONE, 5, "eth1", false));
	assert_null(hw_picture_interface(&p, 5));
	assert_string_equal(hw_picture_interface(&p, 7)->name, "modem");
	hw_picture_free(&p);
}

static void addresses_go_with_their_interface(void **state)
{
	struct hw_addr here = addr("10.0.0.5");
	struct hw_picture p = {0};

	(void)state;
	interface(&p, IF_NEW, 2, "eth0", true);
	interface(&p, IF_NEW, 3, "eth1", true);
	assert_true(address(&p, AD_NEW, 2, "10.0.0.5", true));
	assert_false(address(&p, AD_NEW, 2, "10.0.0.5", true));
	assert_true(address(&p, AD_NEW, 3, "10.0.0.5", true)); /* the same on another */
	assert_true(hw_picture_has_address(&p, 2, &here));
	assert_true(interface(&p, IF_GONE, 2, "eth0", false));
	assert_false(hw_picture_has_address(&p, 2, &here));
	assert_true(hw_picture_has_address(&p, 3, &here));
	/* One that another host may have is not ours yet. */
	assert_true(address(&p, AD_NEW, 3, "10.0.0.5", false));
	assert_false(hw_picture_has_address(&p, 3, &here));
	assert_false(hw_picture_has_any(&p, 3));
	assert_true(address(&p, AD_GONE, 3, "10.0.0.5", false));
	assert_false(address(&p, AD_GONE, 3, "10.0.0.5", false));
	assert_int_equal(p.address_count, 0);
	hw_picture_free(&p);
}

static void a_copy_has_lists_of_its_own(void **state)
{
	struct hw_addr here = addr("10.0.0.5"), peer = addr("192.0.2.9");
	struct hw_picture p = {0}, empty, copy;

	(void)state;
	assert_true(hw_picture_copy(&p, &empty));
	assert_int_equal(hw_picture_fingerprint(&empty, 2), 0);
	hw_picture_set_endpoints(&p, &peer, 1);
	interface(&p, IF_NEW, 2, "eth0", true);
	address(&p, AD_NEW, 2, "10.0.0.5", true);
	route(&p, RT_NEW, 2, "0.0.0.0", 0, "10.0.0.1");
	assert_true(hw_picture_copy(&p, &copy));
	hw_picture_forget_interfaces(&p);
	hw_picture_forget_routes(&p);
	interface(&p, IF_NEW, 3, "eth1", true);
	assert_string_equal(hw_picture_interface(&copy, 2)->name, "eth0");
	assert_null(hw_picture_interface(&copy, 3));
	assert_true(hw_picture_has_address(&copy, 2, &here));
	assert_true(hw_picture_has_route(&copy, 2, &peer));
	assert_true(copy.routes_stale);
	/* And it grows. */
	for (uint32_t i = 3; i < 100; i++)
		assert_true(interface(&copy, IF_NEW, i, "x", true));
	assert_int_equal(p.interface_count, 1);
	hw_picture_free(&p);
	hw_picture_free(&empty);
	hw_picture_free(&copy);
}

static void only_routes_that_matter_are_kept(void **state)
{
	struct hw_addr peer = addr("192.0.2.9");
	struct hw_picture p = {0};

	(void)state;
	hw_picture_set_endpoints(&p, &peer, 1);
	assert_true(p.routes_stale);
	for (unsigned i = 0; i < 5000; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "10.%u.%u.0", i / 256, i % 256);
		assert_false(route(&p, RT_NEW, 2, text, 24, NULL));
	}
	assert_int_equal(p.route_count, 0);
	assert_true(route(&p, RT_NEW, 2, "0.0.0.0", 0, "10.0.0.1"));
	assert_true(route(&p, RT_NEW, 3, "192.0.2.0", 25, NULL));
	assert_false(route(&p, RT_NEW, 3, "192.0.2.128", 25, NULL));
	assert_true(route(&p, RT_NEW, 3, "192.0.2.9", 32, NULL));
	assert_true(route(&p, RT_NEW, 3, "::", 0, NULL));
	assert_int_equal(p.route_count, 4);
	assert_true(hw_picture_has_route(&p, 2, &peer));
	assert_true(hw_picture_has_default(&p, 2, HW_FAMILY_IPV4));
	assert_false(hw_picture_has_default(&p, 3, HW_FAMILY_IPV4));
	assert_true(hw_picture_has_default(&p, 3, HW_FAMILY_IPV6));
	/* The gateway need not be told when one goes. */
	assert_true(route(&p, RT_GONE, 2, "0.0.0.0", 0, NULL));
	assert_false(route(&p, RT_GONE, 2, "0.0.0.0", 0, NULL));
	assert_false(hw_picture_has_route(&p, 2, &peer));
	hw_picture_free(&p);
}

static void it_is_known_when_routes_are_not_known(void **state)
{
	struct hw_addr peer = addr("192.0.2.9"), other = addr("192.0.2.10");
	struct hw_picture p = {0};

	(void)state;
	interface(&p, IF_NEW, 2, "eth0", true);
	address(&p, AD_NEW, 2, "10.0.0.5", true);
	address(&p, AD_NEW, 2, "2001:db8::5", true);
	assert_false(p.routes_stale);
	/* A new one may stand in the place of another. */
	assert_true(route(&p, RT_NEW, 2, "0.0.0.0", 0, NULL));
	assert_true(p.routes_stale);
	p.routes_stale = false;
	assert_false(route(&p, RT_NEW, 2, "10.7.0.0", 16, NULL));
	assert_false(p.routes_stale);
	/* An IPv4 address takes routes with it in silence, an IPv6 one does not. */
	address(&p, AD_GONE, 2, "2001:db8::5", true);
	assert_false(p.routes_stale);
	address(&p, AD_GONE, 2, "10.0.0.5", true);
	assert_true(p.routes_stale);
	p.routes_stale = false;
	/* So does an interface that goes down: its routes are gone at once. */
	interface(&p, IF_NEW, 2, "eth0", false);
	assert_true(p.routes_stale);
	assert_int_equal(p.route_count, 0);
	p.routes_stale = false;
	/* Other endpoints, other routes that matter; the same ones, none. */
	hw_picture_set_endpoints(&p, &peer, 1);
	assert_true(p.routes_stale);
	p.routes_stale = false;
	hw_picture_set_endpoints(&p, &peer, 1);
	assert_false(p.routes_stale);
	hw_picture_set_endpoints(&p, &other, 1);
	assert_true(p.routes_stale);
	hw_picture_free(&p);
}

static void a_fingerprint_tells_changes_and_no_more(void **state)
{
	struct hw_picture a = {0}, b = {0};
	uint64_t before, host;

	(void)state;
	for (struct hw_picture *p = &a; p; p = p == &a ? &b : NULL) {
		interface(p, IF_NEW, 2, "eth0", true);
		interface(p, IF_NEW, 3, "eth1", true);
	}
	address(&a, AD_NEW, 2, "10.0.0.5", true);
	address(&a, AD_NEW, 2, "10.0.0.6", true);
	route(&a, RT_NEW, 2, "0.0.0.0", 0, "10.0.0.1");
	/* The order does not matter. */
	route(&b, RT_NEW, 2, "0.0.0.0", 0, "10.0.0.1");
	address(&b, AD_NEW, 2, "10.0.0.6", true);
	address(&b, AD_NEW, 2, "10.0.0.5", true);
	assert_true(hw_picture_fingerprint(&a, 2) == hw_picture_fingerprint(&b, 2));
	before = hw_picture_fingerprint(&a, 2);
	host = hw_picture_fingerprint(&a, 0);
	/* What others have does not matter to it; it does to the host. */
	address(&a, AD_NEW, 3, "10.0.1.5", true);
	assert_true(hw_picture_fingerprint(&a, 2) == before);
	assert_true(hw_picture_fingerprint(&a, 0) != host);
	address(&a, AD_GONE, 3, "10.0.1.5", true);
	assert_true(hw_picture_fingerprint(&a, 0) == host);
	/* Another gateway, an address less, one that is not usable any more. */
	route(&b, RT_GONE, 2, "0.0.0.0", 0, NULL);
	route(&b, RT_NEW, 2, "0.0.0.0", 0, "10.0.0.2");
	assert_true(hw_picture_fingerprint(&b, 2) != before);
	address(&a, AD_NEW, 2, "10.0.0.6", false);
	assert_true(hw_picture_fingerprint(&a, 2) != before);
	address(&a, AD_NEW, 2, "10.0.0.6", true);
	assert_true(hw_picture_fingerprint(&a, 2) == before);
	hw_picture_free(&a);
	hw_picture_free(&b);
}

static void there_are_limits(void **state)
{
	struct hw_picture p = {0};

	(void)state;
	for (uint32_t i = 1; i <= HW_PICTURE_INTERFACES_MAX; i++)
		assert_true(interface(&p, IF_NEW, i, "x", true));
	assert_false(interface(&p, IF_NEW, HW_PICTURE_INTERFACES_MAX + 1, "y", true));
	assert_null(hw_picture_named(&p, "y"));
	assert_int_equal(p.interface_count, HW_PICTURE_INTERFACES_MAX);
	for (uint32_t i = 0; i < HW_PICTURE_ADDRESSES_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "10.%u.%u.1", i / 256, i % 256);
		assert_true(address(&p, AD_NEW, 1, text, true));
	}
	assert_false(address(&p, AD_NEW, 1, "10.255.0.1", true));
	for (uint32_t i = 0; i < HW_PICTURE_ROUTES_MAX; i++)
		assert_true(route(&p, RT_NEW, 1 + i, "0.0.0.0", 0, NULL));
	assert_false(route(&p, RT_NEW, 3000, "0.0.0.0", 0, NULL));
	assert_int_equal(p.route_count, HW_PICTURE_ROUTES_MAX);
	/* And there is room again. */
	assert_true(interface(&p, IF_GONE, 9, "x", false));
	assert_true(interface(&p, IF_NEW, HW_PICTURE_INTERFACES_MAX + 1, "y", true));
	assert_int_equal(hw_picture_named(&p, "y")->index, HW_PICTURE_INTERFACES_MAX + 1);
	hw_picture_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_come_change_and_go),
		cmocka_unit_test(addresses_go_with_their_interface),
		cmocka_unit_test(a_copy_has_lists_of_its_own),
		cmocka_unit_test(only_routes_that_matter_are_kept),
		cmocka_unit_test(it_is_known_when_routes_are_not_known),
		cmocka_unit_test(a_fingerprint_tells_changes_and_no_more),
		cmocka_unit_test(there_are_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
