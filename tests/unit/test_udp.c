/* UDP sockets over the loopback interface of a network namespace of their own, where permitted. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/netlink.h"
#include "io/tuntap.h"
#include "io/udp.h"

#define BUFFERS 512u

struct fixture {
	struct hw_pool *pool;
	struct hw_udp_batch *batch;
	struct hw_udp a, b;
	struct hw_datagram in[HW_UDP_BATCH];
	int failures, gone;
	bool ipv6;
	bool alone; /* of all that is sent */
};

static bool own_namespace;

/* A namespace keeps the test from what else uses this machine's loopback; not all may have one. */
static int enter_namespace(void **state)
{
	struct hw_netlink *netlink;
	struct hw_interface lo;
	const struct hw_interface_change up = {.up = true};
	const struct hw_addr second = {.ip = {10, 9, 8, 7}, .family = HW_FAMILY_IPV4};

	(void)state;
	own_namespace = unshare(CLONE_NEWNET) == 0;
	if (!own_namespace)
		return 0;
	assert_int_equal(hw_netlink_new(&netlink), 0);
	assert_int_equal(hw_netlink_interface(netlink, "lo", &lo), 0);
	assert_int_equal(hw_netlink_change(netlink, lo.index, &up), 0);
	assert_int_equal(hw_netlink_address(netlink, lo.index, &second, 32), 0);
	hw_netlink_free(netlink);
	return 0;
}

static struct hw_addr v4(uint8_t last, uint16_t port)
{
	return (struct hw_addr){.ip = {127, 0, 0, last}, .port = port, .family = HW_FAMILY_IPV4};
}

static struct hw_addr v6(uint16_t port)
{
	return (struct hw_addr){.ip = {[15] = 1}, .port = port, .family = HW_FAMILY_IPV6};
}

static void open_one(struct hw_udp *udp, uint32_t link, bool tos)
{
	const struct hw_udp_config config = {.link = link, .tos = tos};

	hw_udp_init(udp, &config);
	assert_int_equal(hw_udp_open(udp), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(hw_pool_new(BUFFERS, 2048, &f->pool), 0);
	assert_int_equal(hw_udp_batch_new(f->pool, &f->batch), 0);
	open_one(&f->a, 3, false);
	open_one(&f->b, 4, false);
	f->ipv6 = f->a.fd[HW_UDP_V6] >= 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hw_udp_close(&f->a);
	hw_udp_close(&f->b);
	hw_udp_batch_free(f->batch);
	/* Asserts that every buffer came back. */
	hw_pool_free(f->pool);
	free(f);
	return 0;
}

static void on_failed(void *ctx, const struct hw_tuple *tuple, bool gone)
{
	struct fixture *f = ctx;

	(void)tuple;
	f->failures++;
	f->gone += gone;
}

/* `count` datagrams from f->a, numbered in their first two bytes; sizes say how large each is. */
static void send_all(struct fixture *f, struct hw_addr to, const uint32_t *sizes, uint32_t count,
		     uint8_t head_bytes, uint8_t tos)
{
	struct hw_datagram_out *out = calloc(count, sizeof(*out));

	for (uint32_t i = 0; i < count; i++) {
		out[i].tuple.link = 3;
		out[i].alone = f->alone;
		out[i].tuple.remote = to;
		out[i].head_bytes = head_bytes;
		out[i].tos = tos;
		memset(out[i].head, (int)(0x80 + i % 64), sizeof(out[i].head));
		out[i].body = hw_buf_get(f->pool);
		memset(hw_buf_put(out[i].body, sizes[i]), (int)(i % 251), sizes[i]);
		out[i].body->data[0] = (uint8_t)(i >> 8);
		out[i].body->data[1] = (uint8_t)i;
	}
	hw_udp_send(&f->a, f->batch, out, count, on_failed, f);
	for (uint32_t i = 0; i < count; i++) {
		/* No reference was kept. */
		assert_int_equal(out[i].body->refs, 1);
		hw_buf_unref(out[i].body);
	}
	free(out);
}

static int receive(struct fixture *f, struct hw_udp *udp, enum hw_udp_socket_family family)
{
	struct pollfd poll_fd = {.fd = udp->fd[family], .events = POLLIN};

	if (poll(&poll_fd, 1, 200) <= 0)
		return 0;
	return hw_udp_receive(udp, family, f->batch, hw_clock_now(), f->in);
}

/* All of them arrive in order, head before body, whatever the kernel did with the batch. */
static void expect_all(struct fixture *f, enum hw_udp_socket_family family, const uint32_t *sizes,
		       uint32_t count, uint8_t head_bytes)
{
	uint32_t seen = 0;

	while (seen < count) {
		int n = receive(f, &f->b, family);

		assert_in_range(n, 1, HW_UDP_BATCH);
		for (int i = 0; i < n; i++, seen++) {
			struct hw_buf *buf = f->in[i].buf;

			assert_int_equal(buf->len, head_bytes + sizes[seen]);
			for (uint8_t h = 0; h < head_bytes; h++)
				assert_int_equal(buf->data[h], 0x80 + seen % 64);
			assert_int_equal(buf->data[head_bytes] << 8 | buf->data[head_bytes + 1],
					 seen);
			if (sizes[seen] > 2)
				assert_int_equal(buf->data[buf->len - 1], seen % 251);
			assert_int_equal(hw_buf_headroom(buf), HW_BUF_HEADROOM_BYTES);
			assert_int_equal(f->in[i].tuple.link, 4);
			hw_buf_unref(buf);
		}
	}
	assert_int_equal(receive(f, &f->b, family), 0);
}

/* What a carrier would count: each datagram with its headers, on both ends alike. */
static void expect_counted(const struct fixture *f, uint32_t packets, uint64_t bytes)
{
	assert_int_equal(f->a.counters.tx_packets, packets);
	assert_int_equal(f->a.counters.tx_bytes, bytes);
	assert_int_equal(f->b.counters.rx_packets, packets);
	assert_int_equal(f->b.counters.rx_bytes, bytes);
	assert_int_equal(f->a.counters.rx_packets + f->b.counters.tx_packets, 0);
}

static void batches_both_ways(struct fixture *f, struct hw_addr to,
			      enum hw_udp_socket_family family)
{
	uint32_t sizes[300];
	uint64_t bytes = (300 + 150) * (family == HW_UDP_V4 ? 28 : 48) + 150 * 16;

	/* Runs of one size, shorter and longer ones in between: what is sent as one message. */
	for (uint32_t i = 0; i < 300; i++)
		sizes[i] = i % 17 == 0 ? 2 + i : i % 23 == 0 ? 1400 : 1000;
	send_all(f, to, sizes, 150, 16, 0);
	expect_all(f, family, sizes, 150, 16);
	/* Without a head, and more than one round of the sender's list. */
	send_all(f, to, sizes, 300, 0, 0);
	expect_all(f, family, sizes, 300, 0);
	assert_int_equal(f->failures, 0);
	assert_int_equal(f->a.counters.tx_full + f->a.counters.tx_refused, 0);
	for (uint32_t i = 0; i < 300; i++)
		bytes += sizes[i] * (i < 150 ? 2 : 1);
	expect_counted(f, 450, bytes);
}

static void batches_over_ipv4(void **state)
{
	struct fixture *f = *state;

	batches_both_ways(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), HW_UDP_V4);
}

static void batches_over_ipv6(void **state)
{
	struct fixture *f = *state;

	if (!f->ipv6) {
		print_message("no IPv6 here\n");
		skip();
	}
	batches_both_ways(f, v6(hw_udp_port(&f->b, HW_UDP_V6)), HW_UDP_V6);
}

static void batches_uncut(void **state)
{
	struct fixture *f = *state;

	/* As on a kernel or a device that cannot cut. */
	f->a.gso[HW_UDP_V4] = false;
	batches_both_ways(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), HW_UDP_V4);
}

static void batches_of_datagrams_that_stay_alone(void **state)
{
	struct fixture *f = *state;

	f->alone = true;
	batches_both_ways(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), HW_UDP_V4);
}

static void a_shared_body_goes_out_with_each_head(void **state)
{
	struct fixture *f = *state;
	struct hw_datagram_out out[3] = {0};
	struct hw_buf *body = hw_buf_get(f->pool);

	memcpy(hw_buf_put(body, 4), "body", 4);
	for (int i = 0; i < 3; i++) {
		out[i].tuple.link = 3;
		out[i].tuple.remote = v4(1, hw_udp_port(&f->b, HW_UDP_V4));
		out[i].body = body;
		out[i].head_bytes = 16;
		memset(out[i].head, '0' + i, 16);
	}
	out[1].tuple.link = 9; /* another link's: not sent here */
	hw_udp_send(&f->a, f->batch, out, 3, on_failed, f);
	hw_buf_unref(body);
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 2);
	assert_memory_equal(f->in[0].buf->data, "0000000000000000body", 20);
	assert_memory_equal(f->in[1].buf->data, "2222222222222222body", 20);
	hw_buf_unref(f->in[0].buf);
	hw_buf_unref(f->in[1].buf);
}

static void answers_leave_from_the_address_that_was_asked(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = 100;
	struct hw_datagram_out out = {0};

	/* To an address of the host that the kernel would not choose by itself. */
	send_all(f, v4(53, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0);
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 1);
	assert_int_equal(f->in[0].tuple.local.family, HW_FAMILY_IPV4);
	assert_int_equal(f->in[0].tuple.local.ip[3], 53);
	assert_int_equal(f->in[0].tuple.local.port, 0);
	assert_int_equal(f->in[0].tuple.remote.ip[3], 1);
	assert_int_equal(f->in[0].tuple.remote.port, hw_udp_port(&f->a, HW_UDP_V4));

	out.tuple = f->in[0].tuple;
	out.body = f->in[0].buf;
	hw_udp_send(&f->b, f->batch, &out, 1, on_failed, f);
	hw_buf_unref(out.body);
	assert_int_equal(f->failures, 0);
	assert_int_equal(receive(f, &f->a, HW_UDP_V4), 1);
	assert_int_equal(f->in[0].tuple.remote.ip[3], 53);
	hw_buf_unref(f->in[0].buf);
}

static void the_class_is_carried_if_asked_for(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = 100;

	hw_udp_close(&f->a);
	hw_udp_close(&f->b);
	open_one(&f->a, 3, true);
	open_one(&f->b, 4, true);
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0xb9);
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 1);
	assert_int_equal(f->in[0].tos, 0xb9);
	hw_buf_unref(f->in[0].buf);
	if (!f->ipv6)
		return;
	send_all(f, v6(hw_udp_port(&f->b, HW_UDP_V6)), &size, 1, 16, 0xb9);
	assert_int_equal(receive(f, &f->b, HW_UDP_V6), 1);
	assert_int_equal(f->in[0].tos, 0xb9);
	hw_buf_unref(f->in[0].buf);
}

static void the_class_stays_hidden_otherwise(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = 100;

	hw_udp_close(&f->b);
	open_one(&f->b, 4, true); /* a receiver that would see it */
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0xb9);
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 1);
	assert_int_equal(f->in[0].tos, 0);
	hw_buf_unref(f->in[0].buf);
}

static void the_class_can_be_asked_for_later(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = 100;

	for (int on = 1; on >= 0; on--) {
		assert_int_equal(hw_udp_set_tos(&f->a, on), 0);
		assert_int_equal(hw_udp_set_tos(&f->b, on), 0);
		send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0xb9);
		assert_int_equal(receive(f, &f->b, HW_UDP_V4), 1);
		assert_int_equal(f->in[0].tos, on ? 0xb9 : 0);
		hw_buf_unref(f->in[0].buf);
		if (!f->ipv6)
			continue;
		send_all(f, v6(hw_udp_port(&f->b, HW_UDP_V6)), &size, 1, 16, 0xb9);
		assert_int_equal(receive(f, &f->b, HW_UDP_V6), 1);
		assert_int_equal(f->in[0].tos, on ? 0xb9 : 0);
		hw_buf_unref(f->in[0].buf);
	}
}

static void arrival_is_when_the_kernel_saw_it(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = 100;
	hw_time sent, now;

	sent = hw_clock_now();
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0);
	usleep(50000); /* we come late */
	now = hw_clock_now();
	assert_int_equal(hw_udp_receive(&f->b, HW_UDP_V4, f->batch, now, f->in), 1);
	assert_true(f->in[0].at <= now - HW_MS(40));
	/* Half a millisecond for the difference of the clocks being read one after the other. */
	assert_true(f->in[0].at + HW_NS_PER_MS / 2 >= sent);
	hw_buf_unref(f->in[0].buf);
	/* Never later than the caller's own time, even if that was read before. */
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0);
	assert_int_equal(hw_udp_receive(&f->b, HW_UDP_V4, f->batch, now, f->in), 1);
	assert_true(f->in[0].at == now);
	hw_buf_unref(f->in[0].buf);
}

static void the_kernels_drops_are_told(void **state)
{
	struct fixture *f = *state;
	uint32_t sizes[300];
	int small = 4096, got = 0, n;

	for (int i = 0; i < 300; i++)
		sizes[i] = 1000;
	assert_int_equal(setsockopt(f->b.fd[HW_UDP_V4], SOL_SOCKET, SO_RCVBUF, &small,
				    sizeof(small)), 0);
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), sizes, 300, 16, 0);
	while ((n = receive(f, &f->b, HW_UDP_V4)) > 0) {
		got += n;
		for (int i = 0; i < n; i++)
			hw_buf_unref(f->in[i].buf);
	}
	assert_in_range(got, 1, 299);
	assert_int_equal(hw_udp_overruns(&f->b), 300 - got);
	/* They are not forgotten with the socket. */
	hw_udp_close(&f->b);
	assert_int_equal(hw_udp_overruns(&f->b), 300 - got);
	assert_int_equal(hw_udp_overruns(&f->a), 0);
}

static void tells_which_address_it_sends_from(void **state)
{
	struct fixture *f = *state;
	struct hw_addr to = v4(1, 9), local = {.port = 77};

	assert_int_equal(hw_udp_source(&f->a, &to, &local), 0);
	assert_int_equal(local.family, HW_FAMILY_IPV4);
	assert_int_equal(local.ip[3], 1);
	assert_int_equal(local.port, 0);
	to.family = HW_FAMILY_NONE;
	local.port = 77;
	assert_int_equal(hw_udp_source(&f->a, &to, &local), HW_E_NOT_FOUND);
	assert_int_equal(local.port, 77);
	if (own_namespace) {
		/* No route leads there. */
		to = (struct hw_addr){.ip = {203, 0, 113, 1}, .port = 9, .family = HW_FAMILY_IPV4};
		assert_int_equal(hw_udp_source(&f->a, &to, &local), HW_E_NOT_FOUND);
	}
}

static void an_empty_pool_drops_and_counts(void **state)
{
	struct fixture *f = *state;
	uint32_t sizes[40];
	struct hw_buf *taken = NULL, *buf;

	for (int i = 0; i < 40; i++)
		sizes[i] = 50;
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), sizes, 40, 16, 0);
	while ((buf = hw_buf_get(f->pool))) {
		buf->next = taken;
		taken = buf;
	}
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 0);
	assert_int_equal(f->b.counters.rx_no_buffer, 40);
	/* The carrier has brought them all the same. */
	expect_counted(f, 40, 40 * (50 + 16 + 28));
	while ((buf = taken)) {
		taken = buf->next;
		hw_buf_unref(buf);
	}
	/* And goes on when there are buffers again. */
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), sizes, 40, 16, 0);
	expect_all(f, HW_UDP_V4, sizes, 40, 16);
}

static void a_datagram_larger_than_a_buffer_is_dropped(void **state)
{
	struct fixture *f = *state;
	char large[4000];
	const struct hw_addr to = v4(1, hw_udp_port(&f->b, HW_UDP_V4));
	struct sockaddr_in sockaddr = {.sin_family = AF_INET, .sin_port = htons(to.port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const uint32_t size = 60;

	memset(large, 1, sizeof(large));
	assert_int_equal(sendto(f->a.fd[HW_UDP_V4], large, sizeof(large), 0,
				(struct sockaddr *)&sockaddr, sizeof(sockaddr)), sizeof(large));
	send_all(f, to, &size, 1, 16, 0);
	/* The good one behind it comes through. */
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 1);
	assert_int_equal(f->in[0].buf->len, 76);
	hw_buf_unref(f->in[0].buf);
	assert_int_equal(f->b.counters.rx_truncated, 1);
	assert_int_equal(f->b.counters.rx_packets, 2);
	assert_int_equal(f->b.counters.rx_bytes, 4000 + 28 + 76 + 28);
}

static void a_refusal_is_reported_and_survived(void **state)
{
	struct fixture *f = *state;
	struct hw_datagram_out out[3] = {0};

	for (int i = 0; i < 3; i++) {
		out[i].tuple.link = 3;
		out[i].tuple.remote = v4(1, hw_udp_port(&f->b, HW_UDP_V4));
		out[i].body = hw_buf_get(f->pool);
		memset(hw_buf_put(out[i].body, 64 + (uint32_t)i), i, 64);
	}
	/* The one in the middle leaves from an address that is not ours. */
	out[1].tuple.local = (struct hw_addr){.ip = {203, 0, 113, 1}, .family = HW_FAMILY_IPV4};
	hw_udp_send(&f->a, f->batch, out, 3, on_failed, f);
	for (int i = 0; i < 3; i++)
		hw_buf_unref(out[i].body);
	assert_int_equal(f->failures, 1);
	assert_int_equal(f->gone, 0);
	assert_int_equal(f->a.counters.tx_refused, 1);
	/* What the kernel refused never left. */
	assert_int_equal(f->a.counters.tx_packets, 2);
	assert_int_equal(f->a.counters.tx_bytes, 64 + 66 + 2 * 28);
	assert_int_equal(receive(f, &f->b, HW_UDP_V4), 2);
	assert_int_equal(f->in[0].buf->len, 64);
	assert_int_equal(f->in[1].buf->len, 66);
	hw_buf_unref(f->in[0].buf);
	hw_buf_unref(f->in[1].buf);
}

/* A run that would go out as one message, from an address that was taken from us meanwhile. */
static void an_address_that_is_no_more_does_not_end_cutting(void **state)
{
	struct fixture *f = *state;
	struct hw_datagram_out out[8] = {0};
	bool gso = f->a.gso[HW_UDP_V4];

	for (int i = 0; i < 8; i++) {
		out[i].tuple.link = 3;
		out[i].tuple.remote = v4(1, hw_udp_port(&f->b, HW_UDP_V4));
		out[i].tuple.local = (struct hw_addr){.ip = {203, 0, 113, 1},
						      .family = HW_FAMILY_IPV4};
		out[i].body = hw_buf_get(f->pool);
		memset(hw_buf_put(out[i].body, 100), i, 100);
	}
	hw_udp_send(&f->a, f->batch, out, 8, on_failed, f);
	for (int i = 0; i < 8; i++)
		hw_buf_unref(out[i].body);
	assert_true(f->failures >= 1);
	assert_int_equal(f->a.counters.tx_refused, 8);
	assert_int_equal(f->a.gso[HW_UDP_V4], gso);
}

struct refusal {
	struct fixture *f;
	uint32_t count, bytes;
};

static struct refusal refusal;

static void on_too_big(void *ctx, const struct hw_tuple *tuple, uint32_t bytes)
{
	assert_ptr_equal(ctx, refusal.f);
	assert_int_equal(tuple->link, 3);
	refusal.count++;
	refusal.bytes = bytes;
}

static void set_loopback_mtu(uint32_t bytes)
{
	const struct hw_interface_change change = {.mtu_bytes = bytes};
	struct hw_netlink *netlink;
	struct hw_interface lo;

	assert_int_equal(hw_netlink_new(&netlink), 0);
	assert_int_equal(hw_netlink_interface(netlink, "lo", &lo), 0);
	assert_int_equal(hw_netlink_change(netlink, lo.index, &change), 0);
	hw_netlink_free(netlink);
}

/* What the interface does not take is refused and told, never cut; and it spoils nothing else. */
static void what_is_too_large_is_told(void **state)
{
	static const uint32_t mixed[] = {1472, 1473, 1472, 1472};
	static const uint32_t large[] = {1500, 1500, 1500, 1500};
	static const uint32_t fitting[] = {1472, 1472, 1472, 1472};
	static const uint32_t fitting6[] = {1452, 1452, 1453};
	struct fixture *f = *state;

	if (!own_namespace)
		skip();
	refusal = (struct refusal){.f = f};
	f->a.too_big = on_too_big;
	set_loopback_mtu(1500);

	bool gso = f->a.gso[HW_UDP_V4];

	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), mixed, 4, 0, 0);
	assert_int_equal(refusal.count, 1);
	assert_int_equal(refusal.bytes, 1473);
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), large, 4, 16, 0);
	assert_int_equal(refusal.count, 5);
	assert_int_equal(refusal.bytes, 1516);
	assert_int_equal(f->a.gso[HW_UDP_V4], gso); /* cutting was not to blame */
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), fitting, 4, 0, 0);
	if (f->ipv6)
		send_all(f, v6(hw_udp_port(&f->b, HW_UDP_V6)), fitting6, 3, 0, 0);
	set_loopback_mtu(65536);
	assert_int_equal(refusal.count, f->ipv6 ? 6 : 5);
	assert_int_equal(f->failures, 0);
	assert_int_equal(f->a.counters.tx_refused, refusal.count);
	/* The three of the mixture, and the four. */
	assert_int_equal(hw_udp_receive(&f->b, HW_UDP_V4, f->batch, hw_clock_now(), f->in), 7);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(f->in[i].buf->len, 1472);
		hw_buf_unref(f->in[i].buf);
	}
	if (!f->ipv6)
		return;
	assert_int_equal(hw_udp_receive(&f->b, HW_UDP_V6, f->batch, hw_clock_now(), f->in), 2);
	hw_buf_unref(f->in[0].buf);
	hw_buf_unref(f->in[1].buf);
}

static void nobody_listening_breaks_nothing(void **state)
{
	struct fixture *f = *state;
	uint16_t dead_port = hw_udp_port(&f->b, HW_UDP_V4);
	const uint32_t size = 60;

	hw_udp_close(&f->b);
	/* ICMP port unreachable comes back for each. */
	for (int i = 0; i < 20; i++)
		send_all(f, v4(1, dead_port), &size, 1, 16, 0);
	assert_int_equal(receive(f, &f->a, HW_UDP_V4), 0);
	open_one(&f->b, 4, false);
	send_all(f, v4(1, hw_udp_port(&f->b, HW_UDP_V4)), &size, 1, 16, 0);
	expect_all(f, HW_UDP_V4, &size, 1, 16);
	assert_int_equal(f->failures, 0);
}

static void closed_sockets_refuse(void **state)
{
	struct fixture *f = *state;
	const uint32_t sizes[2] = {60, 60};
	uint16_t port = hw_udp_port(&f->b, HW_UDP_V4);

	hw_udp_close(&f->a);
	assert_false(hw_udp_is_open(&f->a));
	assert_int_equal(hw_udp_port(&f->a, HW_UDP_V4), 0);
	send_all(f, v4(1, port), sizes, 2, 16, 0);
	assert_int_equal(f->failures, 2);
	assert_int_equal(f->gone, 2);
	assert_int_equal(f->a.counters.tx_refused, 2);
}

static void says_why_it_cannot_open(void **state)
{
	struct fixture *f = *state;
	struct hw_udp_config config = {.port = hw_udp_port(&f->a, HW_UDP_V4)};
	struct hw_udp udp;

	hw_udp_init(&udp, &config);
	assert_int_equal(hw_udp_open(&udp), HW_E_STATE);
	assert_false(hw_udp_is_open(&udp));

	config = (struct hw_udp_config){.interface = "no-such-if"};
	hw_udp_init(&udp, &config);
	assert_in_range(-hw_udp_open(&udp), -HW_E_NOT_FOUND, -HW_E_NOT_FOUND);

	config = (struct hw_udp_config){
		.local = {.ip = {203, 0, 113, 1}, .family = HW_FAMILY_IPV4}};
	hw_udp_init(&udp, &config);
	assert_int_equal(hw_udp_open(&udp), HW_E_NOT_FOUND);
	assert_false(hw_udp_is_open(&udp));
}

static void a_local_address_opens_its_family_alone(void **state)
{
	const struct hw_udp_config config = {.local = v4(1, 0)};
	struct hw_udp udp;

	(void)state;
	hw_udp_init(&udp, &config);
	assert_int_equal(hw_udp_open(&udp), 0);
	assert_true(udp.fd[HW_UDP_V4] >= 0);
	assert_int_equal(udp.fd[HW_UDP_V6], -1);
	hw_udp_close(&udp);
}

static void links_of_two_devices_share_a_port(void **state)
{
	struct hw_udp_config first = {.interface = "lo"}, second;
	struct hw_udp one, two;
	struct hw_netlink *netlink;
	struct hw_tuntap other;
	const struct hw_tuntap_config device = {.name = "shell0", .tap = true, .mtu_bytes = 1500};
	char error[HW_TUNTAP_ERROR_BYTES];

	(void)state;
	if (!own_namespace) {
		print_message("needs a network namespace of its own\n");
		skip();
	}
	if (access("/dev/net/tun", R_OK | W_OK) < 0) {
		print_message("needs /dev/net/tun for another device\n");
		skip();
	}
	assert_int_equal(hw_netlink_new(&netlink), 0);
	assert_int_equal(hw_tuntap_open(&other, netlink, &device, error), 0);
	hw_udp_init(&one, &first);
	assert_int_equal(hw_udp_open(&one), 0);
	second = (struct hw_udp_config){.interface = "shell0",
					.port = hw_udp_port(&one, HW_UDP_V4)};
	hw_udp_init(&two, &second);
	assert_int_equal(hw_udp_open(&two), 0);
	hw_udp_close(&two);
	/* On the same device they collide. */
	strcpy(second.interface, "lo");
	hw_udp_init(&two, &second);
	assert_int_equal(hw_udp_open(&two), HW_E_STATE);
	hw_udp_close(&one);
	hw_tuntap_close(&other);
	hw_netlink_free(netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(batches_over_ipv4, setup, teardown),
		cmocka_unit_test_setup_teardown(batches_over_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(batches_uncut, setup, teardown),
		cmocka_unit_test_setup_teardown(batches_of_datagrams_that_stay_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_shared_body_goes_out_with_each_head, setup,
						teardown),
		cmocka_unit_test_setup_teardown(answers_leave_from_the_address_that_was_asked,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_class_is_carried_if_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(the_class_stays_hidden_otherwise, setup, teardown),
		cmocka_unit_test_setup_teardown(the_class_can_be_asked_for_later, setup, teardown),
		cmocka_unit_test_setup_teardown(arrival_is_when_the_kernel_saw_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_kernels_drops_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_which_address_it_sends_from, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_pool_drops_and_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_datagram_larger_than_a_buffer_is_dropped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_refusal_is_reported_and_survived, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_that_is_no_more_does_not_end_cutting, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_too_large_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_listening_breaks_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(closed_sockets_refuse, setup, teardown),
		cmocka_unit_test_setup_teardown(says_why_it_cannot_open, setup, teardown),
		cmocka_unit_test(a_local_address_opens_its_family_alone),
		cmocka_unit_test(links_of_two_devices_share_a_port),
	};

	return cmocka_run_group_tests_name("udp", tests, enter_namespace, NULL);
}
