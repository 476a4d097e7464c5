/* The tunnel device and rtnetlink, in a network namespace of their own. */
#include "test.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include "io/netlink.h"
#include "io/tuntap.h"

struct fixture {
	struct hw_netlink *netlink;
	struct hw_tuntap tuntap;
	struct hw_pool *pool;
	char error[HW_TUNTAP_ERROR_BYTES];
	int links, gone, addresses, addresses_gone, routes, routes_gone, lost;
	struct hw_interface_address last_address;
	struct hw_interface_route last_route;
	struct hw_interface last;
};

static bool permitted;

static int enter_namespace(void **state)
{
	(void)state;
	permitted = unshare(CLONE_NEWNET) == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->tuntap.fd = -1;
	*state = f;
	if (!permitted)
		return 0;
	assert_int_equal(hw_netlink_new(&f->netlink), 0);
	assert_int_equal(hw_pool_new(80, 2048, &f->pool), 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hw_tuntap_close(&f->tuntap);
	hw_netlink_free(f->netlink);
	hw_pool_free(f->pool);
	free(f);
	return 0;
}

static struct fixture *need(void **state)
{
	if (!permitted) {
		print_message("needs a network namespace and /dev/net/tun\n");
		skip();
	}
	return *state;
}

static const struct hw_tuntap_address addresses[] = {
	{{.ip = {10, 88, 0, 1}, .family = HW_FAMILY_IPV4}, 24},
	{{.ip = {0xfd, 0x88, [15] = 1}, .family = HW_FAMILY_IPV6}, 64},
};

static const uint8_t hardware[] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

static const struct hw_tuntap_config tap_config = {
	.name = "shell0", .tap = true, .hardware = hardware, .mtu_bytes = 1400, .addresses = addresses,
	.address_count = 2};
static const struct hw_tuntap_config tun_config = {
	.name = "shell1", .tap = false, .mtu_bytes = 1300, .addresses = addresses,
	.address_count = 1};

static int run(const char *command)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%s >/dev/null 2>&1", command);
	return system(line);
}

static void opens_set_up_and_vanishes(void **state)
{
	struct fixture *f = need(state);
	struct hw_interface interface;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tap_config, f->error), 0);
	assert_int_equal(hw_netlink_interface(f->netlink, "shell0", &interface), 0);
	assert_string_equal(interface.name, "shell0");
	assert_int_equal(interface.index, f->tuntap.index);
	assert_int_equal(interface.mtu_bytes, 1400);
	assert_true(interface.up);
	assert_true(interface.running);
	assert_int_equal(run("ip -4 addr show dev shell0 | grep 'inet 10.88.0.1/24 brd 10.88.0.255'"),
			 0);
	assert_int_equal(run("ip -6 addr show dev shell0 | grep 'inet6 fd88::1/64'"), 0);
	assert_int_equal(run("ip link show dev shell0 | grep 'qlen 1000'"), 0);
	assert_int_equal(run("ip link show dev shell0 | grep 'link/ether 02:11:22:33:44:55'"), 0);
	hw_tuntap_close(&f->tuntap);
	assert_int_equal(hw_netlink_interface(f->netlink, "shell0", &interface), HW_E_NOT_FOUND);
}

#define V4(a, b, c, d, bits) {{.ip = {a, b, c, d}, .family = HW_FAMILY_IPV4}, bits}

/* Addresses come and go, also those that share a network with one that goes. */
static void addresses_and_mtu_change(void **state)
{
	static const struct hw_tuntap_address next[] = {
		V4(10, 88, 0, 7, 24), V4(10, 99, 0, 1, 16),
		{{.ip = {0xfd, 0x88, [15] = 1}, .family = HW_FAMILY_IPV6}, 64},
	};
	static const struct hw_tuntap_address bad[] = {
		V4(10, 77, 0, 1, 24), V4(10, 78, 0, 1, 77),
	};
	struct fixture *f = need(state);
	struct hw_interface interface;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tap_config, f->error), 0);
	assert_int_equal(hw_tuntap_set_addresses(&f->tuntap, f->netlink, addresses, 2, next, 3,
						 f->error), 0);
	assert_int_equal(run("ip addr show dev shell0 | grep 'inet 10.88.0.7/24'"), 0);
	assert_int_equal(run("ip addr show dev shell0 | grep 'inet 10.99.0.1/16'"), 0);
	assert_int_equal(run("ip addr show dev shell0 | grep 'inet6 fd88::1/64'"), 0);
	assert_int_not_equal(run("ip addr show dev shell0 | grep '10.88.0.1/'"), 0);
	/* What the kernel refuses leaves all as it was. */
	assert_int_equal(hw_tuntap_set_addresses(&f->tuntap, f->netlink, next, 3, bad, 2, f->error),
			 HW_E_INVAL);
	assert_non_null(strstr(f->error, "shell0"));
	assert_int_equal(run("ip addr show dev shell0 | grep 'inet 10.88.0.7/24'"), 0);
	assert_int_equal(run("ip addr show dev shell0 | grep 'inet 10.99.0.1/16'"), 0);
	assert_int_not_equal(run("ip addr show dev shell0 | grep '10.77.'"), 0);
	/* One that somebody has taken away already; then none are left. */
	assert_int_equal(run("ip addr del 10.99.0.1/16 dev shell0"), 0);
	assert_int_equal(hw_tuntap_set_addresses(&f->tuntap, f->netlink, next, 3, NULL, 0, f->error),
			 0);
	assert_int_not_equal(run("ip addr show dev shell0 | grep 'inet .*10\\.'"), 0);
	assert_int_not_equal(run("ip addr show dev shell0 | grep 'fd88::'"), 0);

	assert_int_equal(hw_tuntap_set_mtu(&f->tuntap, f->netlink, 1350, f->error), 0);
	assert_int_equal(hw_netlink_interface(f->netlink, "shell0", &interface), 0);
	assert_int_equal(interface.mtu_bytes, 1350);
	assert_int_equal(hw_tuntap_set_mtu(&f->tuntap, f->netlink, 20, f->error), HW_E_INVAL);
}

/* A UDP datagram of 4 bytes into the tunnel's network; gives whether the system took it. */
static bool send_inside(const char *text)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(0x0a580002)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = sendto(fd, text, 4, 0, (struct sockaddr *)&to, sizeof(to));

	close(fd);
	return n == 4;
}

static struct hw_buf *read_one_of(struct fixture *f, const char *text)
{
	struct pollfd poll_fd = {.fd = f->tuntap.fd, .events = POLLIN};
	struct hw_buf *found = NULL;

	/* The kernel says other things too: neighbour and router solicitations. */
	while (!found && poll(&poll_fd, 1, 500) > 0) {
		struct hw_buf *bufs[HW_TUNTAP_BATCH];
		int n = hw_tuntap_read(&f->tuntap, f->pool, HW_S(7), bufs, HW_TUNTAP_BATCH);

		assert_true(n >= 0);
		for (int i = 0; i < n; i++) {
			assert_true(bufs[i]->at == HW_S(7));
			assert_int_equal(hw_buf_headroom(bufs[i]), HW_BUF_HEADROOM_BYTES);
			if (!found && bufs[i]->len >= 4 &&
			    memcmp(bufs[i]->data + bufs[i]->len - 4, text, 4) == 0)
				found = bufs[i];
			else
				hw_buf_unref(bufs[i]);
		}
	}
	return found;
}

static void carries_packets_both_ways(void **state)
{
	struct fixture *f = need(state);
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct hw_buf *buf;
	struct pollfd poll_fd;
	char text[16];
	int fd;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	assert_int_equal(run("ip addr add 10.88.0.1/24 dev shell1"), 512); /* it is there already */
	assert_true(send_inside("ping"));
	buf = read_one_of(f, "ping");
	assert_non_null(buf);
	assert_int_equal(buf->len, 32);
	assert_int_equal(buf->data[0], 0x45);

	/* Turned round: source and destination exchanged, which no checksum notices. */
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	memcpy(text, buf->data + 12, 4);
	memcpy(buf->data + 12, buf->data + 16, 4);
	memcpy(buf->data + 16, text, 4);
	hw_tuntap_write(&f->tuntap, &buf, 1);
	poll_fd = (struct pollfd){.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&poll_fd, 1, 500), 1);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 4);
	assert_memory_equal(text, "ping", 4);
	close(fd);
	assert_int_equal(f->tuntap.counters.write_refused, 0);
}

static void refused_packets_are_counted(void **state)
{
	struct fixture *f = need(state);
	struct hw_buf *buf;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	buf = hw_buf_get(f->pool);
	memset(hw_buf_put(buf, 40), 0, 40); /* no IP version at all */
	hw_tuntap_write(&f->tuntap, &buf, 1);
	assert_int_equal(f->tuntap.counters.write_refused, 1);
	assert_int_equal(run("ip link set shell1 down"), 0);
	buf = hw_buf_get(f->pool);
	memset(hw_buf_put(buf, 40), 0x45, 40);
	hw_tuntap_write(&f->tuntap, &buf, 1);
	assert_int_equal(f->tuntap.counters.write_refused, 2);
}

static void reads_in_bounded_batches(void **state)
{
	struct fixture *f = need(state);
	struct hw_buf *bufs[80];
	int n;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	for (int i = 0; i < 200; i++)
		assert_true(send_inside("many"));
	assert_int_equal(hw_tuntap_read(&f->tuntap, f->pool, 0, bufs, 10), 10);
	n = 10 + hw_tuntap_read(&f->tuntap, f->pool, 0, bufs + 10, 70);
	assert_int_equal(n, 80);
	/* With the pool empty they are dropped and counted, not left to spin on. */
	assert_int_equal(hw_pool_available(f->pool), 0);
	assert_int_equal(hw_tuntap_read(&f->tuntap, f->pool, 0, NULL, HW_TUNTAP_BATCH), 0);
	assert_int_equal(f->tuntap.counters.read_no_buffer, HW_TUNTAP_BATCH);
	for (int i = 0; i < n; i++)
		hw_buf_unref(bufs[i]);
}

static void says_what_to_do(void **state)
{
	struct fixture *f = need(state);
	struct hw_tuntap_config config = tap_config;
	struct hw_tuntap second;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tap_config, f->error), 0);
	assert_int_equal(hw_tuntap_open(&second, f->netlink, &tap_config, f->error), HW_E_STATE);
	assert_non_null(strstr(f->error, "shell0 is in use"));
	config.name = "lo";
	assert_int_equal(hw_tuntap_open(&second, f->netlink, &config, f->error), HW_E_STATE);
	assert_non_null(strstr(f->error, "another name"));
	config.name = "a/b";
	assert_int_equal(hw_tuntap_open(&second, f->netlink, &config, f->error), HW_E_INVAL);
	config.name = "a-name-of-17-long";
	assert_int_equal(hw_tuntap_open(&second, f->netlink, &config, f->error), HW_E_INVAL);
	config.name = "";
	assert_int_equal(hw_tuntap_open(&second, f->netlink, &config, f->error), HW_E_INVAL);
	config.name = "shell2";
	config.mtu_bytes = 10;
	assert_int_equal(hw_tuntap_open(&second, f->netlink, &config, f->error), HW_E_INVAL);
	assert_non_null(strstr(f->error, "MTU"));
	assert_int_equal(second.fd, -1);
}

static void a_deleted_device_is_noticed(void **state)
{
	struct fixture *f = need(state);
	struct hw_buf *bufs[4];

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	assert_int_equal(run("ip link del shell1"), 0);
	assert_int_equal(hw_tuntap_read(&f->tuntap, f->pool, 0, bufs, 4), HW_E_SYSTEM);
	assert_int_equal(errno, EBADFD);
}

static void on_news(void *ctx, const struct hw_netlink_news *news)
{
	struct fixture *f = ctx;

	/* The kernel makes itself a link-local address, when it likes. */
	if (news->address.addr.ip[0] == 0xfe || news->route.to.ip[0] == 0xfe)
		return;
	f->links += news->what == HW_NETLINK_INTERFACE;
	f->gone += news->what == HW_NETLINK_INTERFACE_GONE;
	f->addresses += news->what == HW_NETLINK_ADDRESS;
	f->addresses_gone += news->what == HW_NETLINK_ADDRESS_GONE;
	f->lost += news->what == HW_NETLINK_LOST;
	if (news->what == HW_NETLINK_INTERFACE || news->what == HW_NETLINK_INTERFACE_GONE)
		f->last = news->interface;
	if (news->what == HW_NETLINK_ADDRESS || news->what == HW_NETLINK_ADDRESS_GONE)
		f->last_address = news->address;
	if (news->what == HW_NETLINK_ROUTE || news->what == HW_NETLINK_ROUTE_GONE) {
		f->routes += news->what == HW_NETLINK_ROUTE;
		f->routes_gone += news->what == HW_NETLINK_ROUTE_GONE;
		f->last_route = news->route;
	}
}

/* All of it: one call takes a bounded part. */
static void read_news(struct fixture *f)
{
	for (int i = 0; i < 32; i++)
		assert_int_equal(hw_netlink_read(f->netlink, on_news, f), 0);
}

static void forget_news(struct fixture *f)
{
	f->links = f->gone = f->addresses = f->addresses_gone = f->routes = f->routes_gone = 0;
}

static void tells_of_interfaces(void **state)
{
	struct fixture *f = need(state);

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	assert_int_equal(hw_netlink_read(f->netlink, on_news, f), 0);
	assert_true(f->links > 0);
	assert_true(f->addresses > 0);
	assert_string_equal(f->last.name, "shell1");
	assert_true(f->last.up && f->last.running);
	assert_int_equal(f->last.mtu_bytes, 1300);

	assert_int_equal(run("ip link set shell1 down"), 0);
	assert_int_equal(hw_netlink_read(f->netlink, on_news, f), 0);
	assert_false(f->last.up);
	assert_int_equal(f->gone, 0);
	assert_int_equal(run("ip link set shell1 mtu 1280 up"), 0);
	assert_int_equal(hw_netlink_read(f->netlink, on_news, f), 0);
	assert_true(f->last.up);
	assert_int_equal(f->last.mtu_bytes, 1280);
	hw_tuntap_close(&f->tuntap);
	assert_int_equal(hw_netlink_read(f->netlink, on_news, f), 0);
	assert_int_equal(f->gone, 1);
	assert_string_equal(f->last.name, "shell1");
	/* Nothing new. */
	f->links = f->addresses = 0;
	assert_int_equal(hw_netlink_read(f->netlink, on_news, f), 0);
	assert_int_equal(f->links + f->addresses + f->lost, 0);
}

static void is_route(const struct fixture *f, const char *to, uint8_t bits, uint32_t index)
{
	char text[HW_ADDR_TEXT_BYTES];

	hw_addr_format(&f->last_route.to, text);
	assert_string_equal(text, to);
	assert_int_equal(f->last_route.bits, bits);
	assert_int_equal(f->last_route.index, index);
}

static void tells_of_addresses_and_routes(void **state)
{
	struct fixture *f = need(state);
	char text[HW_ADDR_TEXT_BYTES];

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	read_news(f);
	forget_news(f);
	assert_int_equal(run("ip addr add 192.0.2.7/24 dev shell1"), 0);
	read_news(f);
	hw_addr_format(&f->last_address.addr, text);
	assert_string_equal(text, "192.0.2.7");
	assert_int_equal(f->last_address.bits, 24);
	assert_int_equal(f->last_address.index, f->tuntap.index);
	assert_true(f->last_address.usable);
	assert_int_equal(f->addresses, 1);
	/* Its network; the routes to the address itself and for broadcasts are none of ours. */
	assert_int_equal(f->routes, 1);
	is_route(f, "192.0.2.0", 24, f->tuntap.index);
	assert_int_equal(run("ip route add default via 192.0.2.1 dev shell1 table 77"), 0);
	read_news(f);
	is_route(f, "0.0.0.0", 0, f->tuntap.index);
	hw_addr_format(&f->last_route.via, text);
	assert_string_equal(text, "192.0.2.1");
	assert_int_equal(run("ip -6 route add 2001:db8::/32 dev shell1"), 0);
	read_news(f);
	is_route(f, "2001:db8::", 32, f->tuntap.index);
	/* Over two interfaces: one piece of news for each. */
	forget_news(f);
	assert_int_equal(run("ip link set lo up"), 0);
	assert_int_equal(run("ip route add 198.51.100.0/24 nexthop dev shell1 nexthop dev lo"), 0);
	read_news(f);
	assert_int_equal(f->routes, 2);
	is_route(f, "198.51.100.0", 24, 1);
	assert_int_equal(run("ip route del default table 77"), 0);
	read_news(f);
	assert_int_equal(f->routes_gone, 1);
	is_route(f, "0.0.0.0", 0, f->tuntap.index);
	assert_int_equal(run("ip addr del 192.0.2.7/24 dev shell1"), 0);
	read_news(f);
	assert_int_equal(f->addresses_gone, 1);
	/* Blackholes lead nowhere. */
	forget_news(f);
	assert_int_equal(run("ip route add blackhole 203.0.113.0/24"), 0);
	read_news(f);
	assert_int_equal(f->routes, 0);
}

static void tells_what_there_is(void **state)
{
	struct fixture *f = need(state);
	struct hw_interface first;

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	forget_news(f);
	assert_int_equal(hw_netlink_dump(f->netlink, HW_NETLINK_INTERFACES, on_news, f), 0);
	assert_int_equal(f->links, 2); /* and the loopback */
	assert_string_equal(f->last.name, "shell1");
	assert_string_equal(f->last.kind, "tun");
	assert_true(f->last.tunnel && !f->last.loopback);
	/* The same as when it is asked for alone. */
	assert_int_equal(hw_netlink_interface(f->netlink, "shell1", &first), 0);
	assert_memory_equal(&first, &f->last, sizeof(first));
	assert_int_equal(hw_netlink_dump(f->netlink, HW_NETLINK_ADDRESSES, on_news, f), 0);
	assert_true(f->addresses >= 2);
	assert_int_equal(run("ip -6 route add 2001:db8::/32 dev shell1"), 0);
	assert_int_equal(hw_netlink_dump(f->netlink, HW_NETLINK_ROUTES, on_news, f), 0);
	assert_true(f->routes >= 2);
	assert_int_equal(f->lost + f->gone + f->addresses_gone + f->routes_gone, 0);
}

static void says_when_news_was_lost(void **state)
{
	struct fixture *f = need(state);
	struct hw_interface_change change = {0};

	assert_int_equal(hw_tuntap_open(&f->tuntap, f->netlink, &tun_config, f->error), 0);
	/* More changes than the socket holds, while nobody listens. */
	for (uint32_t i = 0; i < 20000; i++) {
		change.mtu_bytes = 1300 + i % 2;
		assert_int_equal(hw_netlink_change(f->netlink, f->tuntap.index, &change), 0);
	}
	read_news(f);
	assert_true(f->lost >= 1);
	/* And it goes on afterwards. */
	f->lost = f->links = 0;
	change.mtu_bytes = 1310;
	assert_int_equal(hw_netlink_change(f->netlink, f->tuntap.index, &change), 0);
	read_news(f);
	assert_int_equal(f->lost, 0);
	assert_int_equal(f->last.mtu_bytes, 1310);
}

static void refuses_what_the_kernel_refuses(void **state)
{
	struct fixture *f = need(state);
	const struct hw_interface_change change = {.mtu_bytes = 1400};
	struct hw_interface interface = {.index = 77};

	assert_int_equal(hw_netlink_interface(f->netlink, "nothing", &interface), HW_E_NOT_FOUND);
	assert_int_equal(interface.index, 77);
	assert_int_equal(hw_netlink_change(f->netlink, 4242, &change), HW_E_NOT_FOUND);
	assert_int_equal(hw_netlink_address(f->netlink, 4242, &addresses[0].addr, 24),
			 HW_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_set_up_and_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_and_mtu_change, setup, teardown),
		cmocka_unit_test_setup_teardown(carries_packets_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_packets_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_in_bounded_batches, setup, teardown),
		cmocka_unit_test_setup_teardown(says_what_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(a_deleted_device_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_of_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_of_addresses_and_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_what_there_is, setup, teardown),
		cmocka_unit_test_setup_teardown(says_when_news_was_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_the_kernel_refuses, setup, teardown),
	};

	return cmocka_run_group_tests_name("tuntap", tests, enter_namespace, NULL);
}
