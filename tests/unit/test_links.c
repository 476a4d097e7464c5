#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "wire/wire.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

/* What the hub knows of its path to the client's address on that link. */
static struct hw_path_snapshot hub_path(uint32_t link)
{
	struct hw_peer_snapshot s;

	world_snapshot(&w, 1, &s);
	for (uint32_t i = 0; i < s.path_count; i++) {
		if (hw_addr_equal(&s.paths[i].tuple.remote, &w.node[0].addr[link]))
			return s.paths[i];
	}
	fail();
	return s.paths[0];
}

struct relay {
	struct world_flight last;
	uint32_t count;
};

static bool keep_link_0(void *ctx, int from, const struct world_flight *flight)
{
	struct relay *r = ctx;

	if (from != 0 || flight->tuple.link != 0)
		return true;
	r->last = *flight;
	r->count++;
	return true;
}

/*
 * Path 1 loses everything; somebody on path 0 sends copies of what passes there, at once, with the
 * source address of path 1. Numbers and times of both fit, so only the MAC can tell.
 */
static void copies_carried_to_another_path_are_not_measured_there(void **state)
{
	static struct relay relay;
	struct hw_path_snapshot before, after;

	(void)state;
	world_start_both(&w);
	w.tap = keep_link_0;
	w.tap_ctx = &relay;
	for (uint32_t i = 0; i < 100; i++) {
		const struct hw_tuple tuple = { .link = 1, .remote = w.node[0].addr[1] };

		if (i == 50) {
			before = hub_path(1);
			assert_true(before.rx_packets >= 50);
			w.cut_from[0][1] = true;
		}
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(20));
		if (i >= 50)
			world_inject(&w, 1, &tuple, relay.last.bytes, relay.last.len);
	}
	assert_true(relay.count >= 100);
	after = hub_path(1);
	assert_int_equal(after.rx_packets, before.rx_packets);
	assert_int_equal(after.duplicates, before.duplicates);
}

/* A packet each `gap` for `span`, from the client and, if `both`, from the hub too. */
static uint32_t flow(hw_time gap, hw_time span, bool both)
{
	uint32_t count = 0;

	for (hw_time end = w.now + span; w.now < end; count++) {
		world_send(&w, 0, 100, count);
		if (both)
			world_send(&w, 1, 100, count);
		world_run(&w, w.now + gap);
	}
	return count;
}

static uint32_t paths(int node, enum hw_path_state state)
{
	struct hw_peer_snapshot s;
	uint32_t count = 0;

	world_snapshot(&w, node, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		count += s.paths[i].state == state;
	return count;
}

/* More endpoints than there is room for: each link gets its share. */
static void every_link_gets_its_share_of_paths(void **state)
{
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	struct hw_peer_snapshot s;
	uint32_t count[WORLD_LINKS] = { 0 };

	(void)state;
	world_start(&w, 0);
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		assert_int_equal(hw_core_endpoints(w.node[0].core, 0, i, NULL, 0, w.now), 0);
	for (uint32_t i = 0; i < HW_CORE_MAX_ENDPOINTS; i++) {
		addrs[i] = w.node[1].addr[0];
		addrs[i].ip[3] = (uint8_t)(100 + i);
	}
	/* Known before the links come up, as when the daemon starts. */
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		hw_core_link_down(w.node[0].core, i, w.now);
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		assert_int_equal(hw_core_endpoints(w.node[0].core, 0, i, addrs, i < 2 ? 8 : 2, w.now),
				 0);
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		hw_core_link_up(w.node[0].core, i, 1500, w.now);
	world_snapshot(&w, 0, &s);
	assert_int_equal(s.path_count, 5 + 5 + 2); /* of 16, a third each at most */
	for (uint32_t i = 0; i < s.path_count; i++)
		count[s.paths[i].tuple.link]++;
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		assert_int_equal(count[i], i < 2 ? 5 : 2);
}

/* The client's NAT forgets each minute, one link after another and then all at once. */
static void a_client_behind_a_forgetful_nat_is_followed(void **state)
{
	(void)state;
	world_start_both(&w);
	for (uint32_t minute = 0; minute < 20; minute++) {
		uint64_t delivered[2] = { w.node[0].delivered, w.node[1].delivered };
		uint32_t count;

		for (uint32_t i = 0; i < WORLD_LINKS; i++)
			if (minute >= 10 || minute % WORLD_LINKS == i)
				w.node[0].addr[i].port = (uint16_t)(10000 + 100 * minute + i);
		count = flow(HW_MS(10), HW_S(2), true);
		world_run(&w, w.now + HW_S(58));
		assert_int_equal(w.node[1].delivered - delivered[1], count);
		/* All links at once: an RTT and 100 ms of what goes to the client is lost. */
		if (minute < 10)
			assert_int_equal(w.node[0].delivered - delivered[0], count);
		else
			assert_true(w.node[0].delivered - delivered[0] >= count - 14);
		assert_int_equal(paths(1, HW_PATH_UP), WORLD_LINKS);
	}
	assert_int_equal(w.node[1].events[HW_EVENT_SESSION_DOWN], 0);
}

/* A client that is started again and again, and has other ports each time, never says goodbye. */
static void a_client_that_restarts_often_gets_in(void **state)
{
	(void)state;
	world_start_both(&w);
	for (uint32_t i = 0; i < 20; i++) {
		world_stop(&w, 0);
		world_run(&w, w.now + HW_MS(100) + i * HW_MS(700));
		for (uint32_t link = 0; link < WORLD_LINKS; link++)
			w.node[0].addr[link].port = (uint16_t)(20000 + 10 * i + link);
		world_start(&w, 0);
		world_run(&w, w.now + HW_MS(600));
		assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
		assert_true(world_paths_up(&w, 1) >= WORLD_LINKS);
		flow(HW_MS(20), HW_MS(200), true);
	}
	world_run(&w, w.now + HW_S(200));
	assert_int_equal(paths(1, HW_PATH_UP), WORLD_LINKS);
	assert_int_equal(paths(1, HW_PATH_DOWN), 0);
}

static void with_strategy(const char *name)
{
	for (int n = 0; n < 2; n++)
		w.node[n].config.strategy = hw_strategy_find(name);
}

/* The link in use dies without a word; the gap, as seen by flows of 1 to 1000 packets a second. */
static void backup_moves_on_soon(void **state)
{
	static const struct {
		hw_time gap;
		bool both;
		uint32_t lost; /* at most */
	} cases[] = {
		{ HW_MS(1), false, 300 }, { HW_MS(1), true, 300 },   { HW_MS(10), false, 30 },
		{ HW_MS(10), true, 30 },  { HW_MS(100), false, 3 },  { HW_MS(100), true, 3 },
		{ HW_S(1), false, 1 },	  { HW_S(1), true, 1 },
	};

	(void)state;
	world_fini(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t phase = 0; phase < 3; phase++) {
			hw_time settle = HW_S(20) + phase * HW_MS(330);
			struct hw_peer_snapshot s;
			uint32_t count, used = 0;

			world_init(&w, 7 + i);
			with_strategy("backup");
			world_start_both(&w);
			flow(cases[i].gap, settle, cases[i].both);
			world_snapshot(&w, 0, &s);
			for (uint32_t j = 1; j < s.path_count; j++)
				if (s.paths[j].tx_packets > s.paths[used].tx_packets)
					used = j;
			w.cut[s.paths[used].tuple.link] = true;

			uint64_t delivered[2] = { w.node[0].delivered, w.node[1].delivered };

			count = flow(cases[i].gap, HW_S(5), cases[i].both);
			world_run(&w, w.now + HW_S(1));
			print_message("# gap %u ms %s: lost %d and %d\n",
				      (unsigned)(cases[i].gap / HW_NS_PER_MS),
				      cases[i].both ? "both" : "one way",
				      (int)(count - (w.node[1].delivered - delivered[1])),
				      (int)(count - (w.node[0].delivered - delivered[0])));
			assert_true(w.node[1].delivered - delivered[1] + cases[i].lost >= count);
			if (cases[i].both)
				assert_true(w.node[0].delivered - delivered[0] + cases[i].lost >=
					    count);
			world_fini(&w);
		}
	}
	world_init(&w, 1);
}

/* What each link carried from the client in `span` of 100 packets a second. */
static void carried(hw_time span, uint64_t ret_packets[WORLD_LINKS])
{
	struct hw_peer_snapshot s;

	for (int pass = 0; pass < 2; pass++) {
		world_snapshot(&w, 0, &s);
		for (uint32_t i = 0; i < s.path_count; i++) {
			uint32_t link = s.paths[i].tuple.link;

			ret_packets[link] = s.paths[i].tx_packets - (pass ? ret_packets[link] : 0);
		}
		if (pass == 0)
			flow(HW_MS(10), span, false);
	}
}

static void backup_keeps_to_the_preferred_link(void **state)
{
	uint64_t n[WORLD_LINKS] = { 0 };

	(void)state;
	with_strategy("backup");
	for (int i = 0; i < 2; i++) {
		w.node[i].config.links[0].price = 3;
		w.node[i].config.links[1].price = 1;
		w.node[i].config.links[2].use = HW_USE_BACKUP;
	}
	w.delay[0] = HW_MS(5);
	w.delay[2] = HW_MS(1);
	world_start_both(&w);
	flow(HW_MS(10), HW_S(10), false);
	carried(HW_S(5), n);
	assert_true(n[1] >= 500 && n[0] < 20 && n[2] < 20);
	w.cut[1] = true;
	flow(HW_MS(10), HW_S(5), false);
	carried(HW_S(5), n);
	assert_true(n[0] >= 500 && n[1] < 20 && n[2] < 20);
	w.cut[0] = true;
	flow(HW_MS(10), HW_S(5), false);
	carried(HW_S(5), n);
	assert_true(n[2] >= 500);
	w.cut[0] = w.cut[1] = false;
	flow(HW_MS(10), HW_S(60), false); /* found again within 30 s, and trusted after 5 s */
	carried(HW_S(5), n);
	assert_true(n[1] >= 500 && n[0] < 20 && n[2] < 20);

	/* One that comes and goes each 3 s is not trusted, and costs little. */
	uint64_t delivered = w.node[1].delivered;
	uint32_t count = 0;

	for (uint32_t i = 0; i < 20; i++) {
		w.cut[1] = i % 2 == 0;
		count += flow(HW_MS(10), HW_S(3), false);
	}
	world_run(&w, w.now + HW_S(1));
	assert_true(w.node[1].delivered - delivered >= count - 30);
}

static void use_never_carries_nothing(void **state)
{
	struct hw_peer_snapshot s;

	(void)state;
	for (int i = 0; i < 2; i++)
		w.node[i].config.links[1].use = HW_USE_NEVER;
	world_start_both(&w);
	flow(HW_MS(10), HW_S(5), true);
	world_snapshot(&w, 0, &s);
	assert_int_equal(s.path_count, WORLD_LINKS - 1);
	w.cut[0] = w.cut[2] = true;
	flow(HW_MS(10), HW_S(5), true);
	world_snapshot(&w, 0, &s);
	assert_int_not_equal(s.state, HW_PEER_UP);
}

/* Links marked backup in the mode that copies: used only when no other works. */
static void redundant_spares_backup_links(void **state)
{
	uint64_t n[WORLD_LINKS] = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++)
		w.node[i].config.links[2].use = HW_USE_BACKUP;
	world_start_both(&w);
	carried(HW_S(5), n);
	assert_true(n[0] >= 500 && n[1] >= 500 && n[2] < 20);
	w.cut[0] = true;
	carried(HW_S(5), n);
	assert_true(n[1] >= 500 && n[2] < 60);
	w.cut[1] = true;

	uint64_t delivered = w.node[1].delivered;
	uint32_t count = flow(HW_MS(10), HW_S(5), false);

	world_run(&w, w.now + HW_MS(100));
	print_message("# lost %d\n", (int)(count - (w.node[1].delivered - delivered)));
	assert_true(w.node[1].delivered - delivered >= count - 25);
}

/* What the hub has sent on each of the client's links in `span` of 100 packets a second. */
static void hub_carried(hw_time span, uint64_t ret_packets[WORLD_LINKS])
{
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		ret_packets[i] = hub_path(i).tx_packets;
	for (hw_time end = w.now + span; w.now < end;) {
		world_send(&w, 1, 100, 0);
		world_run(&w, w.now + HW_MS(10));
	}
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		ret_packets[i] = hub_path(i).tx_packets - ret_packets[i];
}

/* Only the client knows that its links cost money: the hub goes by it, in both modes. */
static void the_hub_respects_the_clients_terms(void **state)
{
	static const char *const modes[] = { "redundant", "backup" };
	uint64_t n[WORLD_LINKS];

	(void)state;
	world_fini(&w);
	for (uint32_t mode = 0; mode < 2; mode++) {
		world_init(&w, 31 + mode);
		with_strategy(modes[mode]);
		w.delay[2] = HW_MS(1); /* the fastest, and it stays unused */
		w.node[0].config.links[2].use = HW_USE_BACKUP;
		w.node[0].config.links[2].price = 9;
		world_start_both(&w);
		hub_carried(HW_S(10), n);
		assert_true(n[2] < 30);
		assert_true(mode == 0 ? n[0] >= 1000 && n[1] >= 1000 : n[0] + n[1] >= 1000);
		/* Where nothing else works it is used. */
		w.cut[0] = w.cut[1] = true;
		hub_carried(HW_S(5), n);

		uint64_t delivered = w.node[0].delivered;

		hub_carried(HW_S(5), n);
		world_run(&w, w.now + HW_MS(20));
		assert_int_equal(w.node[0].delivered - delivered, 500);
		assert_true(n[2] >= 500);
		world_fini(&w);
	}
	world_init(&w, 1);
}

/* Every packet goes whole through the smallest path in use, which changes while it runs. */
static void the_smallest_mtu_in_use_counts(void **state)
{
	static const uint32_t mtus[] = { 1500, 576, 1280, 1492, 300, 1500 };

	(void)state;
	world_start_both(&w);
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		uint64_t delivered[2] = { w.node[0].delivered, w.node[1].delivered };

		w.mtu[1] = mtus[i];
		for (int n = 0; n < 2; n++)
			hw_core_link_up(w.node[n].core, 1, mtus[i], w.now);
		for (uint32_t j = 0; j < 100; j++) {
			w.cut[0] = w.cut[2] = j >= 50;
			world_send(&w, 0, 1500 - j, j);
			world_send(&w, 1, 1500, j);
			world_run(&w, w.now + HW_MS(10));
		}
		world_run(&w, w.now + HW_S(3));
		for (int n = 0; n < 2; n++)
			assert_int_equal(w.node[n].delivered - delivered[n], 100);
		w.cut[0] = w.cut[2] = false;
		world_run(&w, w.now + HW_S(40));
		assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	}
	assert_int_equal(w.too_big, 0);
}

/* 576 bytes and IPv6's 1280, over IPv6 alone; the largest packet in 16 pieces, and one byte more. */
static void small_paths_carry_large_packets(void **state)
{
	static const uint32_t mtus[] = { 1280, 576, 300, 204, 192 };

	(void)state;
	for (int n = 0; n < 2; n++) {
		w.node[n].config.tunnel_mtu = 2000;
		for (uint32_t i = 0; i < WORLD_LINKS; i++) {
			w.node[n].addr[i].family = HW_FAMILY_IPV6;
			w.node[n].addr[i].ip[15] = (uint8_t)(n + 1);
		}
	}
	world_start_both(&w);
	for (size_t k = 0; k < sizeof(mtus) / sizeof(mtus[0]); k++) {
		const uint32_t mtu = mtus[k];
		/* 48 of IPv6 and UDP, 32 of header and tag, 2 of frame header in each piece. */
		uint32_t largest = (mtu - 48 - 32 - 2) * 16;
		uint64_t delivered = w.node[1].delivered;

		if (largest > 2000)
			largest = 2000;
		for (int n = 0; n < 2; n++)
			for (uint32_t i = 0; i < WORLD_LINKS; i++)
				hw_core_link_up(w.node[n].core, i, mtu, w.now);
		for (uint32_t i = 0; i < WORLD_LINKS; i++)
			w.mtu[i] = mtu;
		world_send(&w, 0, largest, mtu);
		world_run(&w, w.now + HW_MS(100));
		assert_int_equal(w.node[1].delivered - delivered, 1);
		assert_int_equal(w.node[1].last_len, largest);
		if (largest < 2000) {
			world_send(&w, 0, largest + 1, mtu);
			world_run(&w, w.now + HW_MS(100));
			assert_int_equal(w.node[1].delivered - delivered, 1);
		}
	}
	assert_true(world_drops(&w, 0, HW_DROP_tx_too_big) >= 1);
	assert_int_equal(w.too_big, 0);
}

static uint32_t numbers[256], number_count;

static void note_order(void *ctx, const uint8_t *packet, uint32_t len)
{
	(void)ctx;
	assert_true(len >= 24);
	assert_true(number_count < 256);
	numbers[number_count++] = hw_load32(packet + 20);
}

/* What waited goes out first and in order; while only a doubtful path is left packets still go. */
static void waiting_packets_keep_their_order(void **state)
{
	(void)state;
	number_count = 0;
	w.receive[1] = note_order;
	world_start(&w, 1);
	world_start(&w, 0);
	for (uint32_t i = 0; i < 60; i++) {
		world_send(&w, 0, 100 + i, i);
		world_run(&w, w.now + HW_MS(1));
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(number_count, 60);
	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(numbers[i], i);

	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.cut_from[1][i] = true;
	for (uint32_t i = 60; i < 100; i++) {
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(10));
	}
	/* The hub is not heard, so all paths are suspect; what is sent arrives all the same. */
	assert_int_equal(paths(0, HW_PATH_SUSPECT), WORLD_LINKS);
	world_run(&w, w.now + HW_MS(50));
	assert_int_equal(number_count, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(numbers[i], i);
}

/* A slow path beside fast ones is as good as they are: pauses in the traffic make it no suspect. */
static void a_slow_path_is_no_suspect(void **state)
{
	static const hw_time pauses[] = { HW_MS(50), HW_MS(300), HW_MS(700), HW_MS(1400), HW_S(5), HW_S(30) };

	(void)state;
	w.delay[1] = HW_MS(300);
	w.delay[2] = HW_MS(1500);
	world_start_both(&w);
	world_run(&w, w.now + HW_S(10));
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		for (uint32_t j = 0; j < 30; j++) {
			flow(HW_MS(5), HW_MS(100), j & 1);
			world_run(&w, w.now + pauses[i]);
		}
	}
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_SUSPECT], 0);
	assert_int_equal(w.node[1].events[HW_EVENT_PATH_SUSPECT], 0);
	assert_int_equal(w.node[0].delivered + w.node[1].delivered, 180 * 20 + 90 * 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(copies_carried_to_another_path_are_not_measured_there),
		TEST(every_link_gets_its_share_of_paths),
		TEST(a_client_behind_a_forgetful_nat_is_followed),
		TEST(a_client_that_restarts_often_gets_in),
		TEST(backup_moves_on_soon),
		TEST(backup_keeps_to_the_preferred_link),
		TEST(use_never_carries_nothing),
		TEST(redundant_spares_backup_links),
		TEST(the_hub_respects_the_clients_terms),
		TEST(the_smallest_mtu_in_use_counts),
		TEST(small_paths_carry_large_packets),
		TEST(waiting_packets_keep_their_order),
		TEST(a_slow_path_is_no_suspect),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
