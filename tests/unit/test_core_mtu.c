/* Two cores on paths whose MTU is not what the interfaces say, or stops being it. */
#include "test.h"

#include "base/bytes.h"
#include "core/internal.h"
#include "world.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 8);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static void use_links(uint32_t count, const char *strategy)
{
	for (int n = 0; n < 2; n++) {
		w.node[n].config.strategy = hw_strategy_find(strategy);
		for (uint32_t i = count; i < WORLD_LINKS; i++)
			w.cut[i] = true;
	}
}

/* What the node takes its path over that link to carry, as IP; 0: it has none that works. */
static uint32_t mtu_of(int node, uint32_t link)
{
	struct hw_peer_snapshot s;

	world_snapshot(&w, node, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		if (s.paths[i].tuple.link == link && s.paths[i].state == HW_PATH_UP)
			return s.paths[i].mtu_bytes;
	return 0;
}

static struct hw_core_totals totals(int node)
{
	struct hw_core_totals t;

	hw_core_totals(w.node[node].core, &t);
	return t;
}

/* Packets both ways; returns how long the longest time without a delivery to node `to` was. */
static hw_time flow(hw_time span, hw_time every, uint32_t bytes, int to, uint32_t *ret_lost)
{
	hw_time end = w.now + span, longest = 0, last = w.now;
	uint64_t delivered = w.node[to].delivered, before = delivered;
	uint32_t sent = 0;

	while (w.now < end) {
		world_send(&w, 0, bytes, sent);
		world_send(&w, 1, bytes, sent++);
		world_run(&w, w.now + every);
		if (w.node[to].delivered != delivered) {
			delivered = w.node[to].delivered;
			last = w.now;
		}
		if (w.now - last > longest)
			longest = w.now - last;
	}
	world_run(&w, w.now + HW_MS(100)); /* what is on its way */
	*ret_lost = sent - (uint32_t)(w.node[to].delivered - before);
	return longest;
}

static void every_path_is_known_as_it_rises(void **state)
{
	(void)state;
	w.mtu[1] = 1420;
	w.mtu[2] = 576;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(30));
	for (int n = 0; n < 2; n++) {
		assert_int_equal(mtu_of(n, 0), 1500);
		assert_int_equal(mtu_of(n, 1), 1420);
		assert_int_equal(mtu_of(n, 2), 576);
		assert_int_equal(w.node[n].events[HW_EVENT_PATH_MTU], 3);
	}
}

/* From the first packet on: only the first round trip of the session goes without knowledge. */
static void nothing_is_cut_needlessly(void **state)
{
	static const uint32_t mtus[] = { 1500, 1420, 1400, 1280 };

	(void)state;
	for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		uint32_t lost;

		world_fini(&w);
		world_init(&w, 8);
		for (uint32_t link = 0; link < WORLD_LINKS; link++)
			w.mtu[link] = mtus[i];
		world_start(&w, 1);
		world_start(&w, 0);
		flow(HW_S(5), HW_MS(5), mtus[i] - 60, 1, &lost);
		for (int n = 0; n < 2; n++) {
			struct hw_core_totals t = totals(n);

			print_message("# MTU %u, node %d: %u packets, %u pieces more\n", mtus[i], n,
				      (unsigned)t.tx_sent,
				      (unsigned)(t.tx_source_packets - t.tx_sent));
			/* 20 ms of round trip, 4 packets of 3 pieces, and what had waited. */
			assert_true(t.tx_source_packets - t.tx_sent <= 40);
		}
		assert_int_equal(lost, 0);
	}
}

static void black_hole(const char *strategy, uint32_t links, uint32_t bytes)
{
	uint32_t lost;
	hw_time gap;

	use_links(links, strategy);
	world_start_both(&w);
	world_run(&w, w.now + HW_S(5));
	flow(HW_S(2), HW_MS(5), bytes, 1, &lost);
	assert_int_equal(lost, 0);
	for (uint32_t mtu = 1280;; mtu = 576) {
		for (uint32_t i = 0; i < links; i++)
			w.mtu[i] = mtu;
		gap = flow(HW_S(4), HW_MS(5), bytes, 1, &lost);
		print_message("# %s, %u links, packets of %u: MTU %u after %u ms, %u lost\n", strategy,
			      links, bytes, mtu, (unsigned)(gap / HW_MS(1)), lost);
		assert_true(gap <= HW_S(2));
		flow(HW_S(20), HW_MS(5), bytes, 1, &lost);
		assert_int_equal(lost, 0);
		for (int n = 0; n < 2; n++)
			for (uint32_t i = 0; i < links; i++)
				assert_int_equal(mtu_of(n, i), mtu);
		if (mtu == 576)
			break;
	}
}

static void a_black_hole_on_the_only_path(void **state)
{
	(void)state;
	black_hole("redundant", 1, 1440);
}

static void black_holes_on_all_paths_at_once(void **state)
{
	(void)state;
	black_hole("redundant", 3, 1440);
}

static void a_black_hole_in_backup_mode(void **state)
{
	(void)state;
	black_hole("backup", 1, 1500);
}

/* One of two paths shrinks: with copies on both nothing is lost, and it joins in again. */
static void copies_cover_one_black_hole(void **state)
{
	uint32_t lost;

	(void)state;
	use_links(2, "redundant");
	world_start_both(&w);
	world_run(&w, w.now + HW_S(5));
	w.mtu[1] = 1280;
	flow(HW_S(10), HW_MS(5), 1440, 1, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(mtu_of(0, 0), 1500);
	assert_int_equal(mtu_of(0, 1), 1280);
	w.cut[0] = true;
	flow(HW_S(5), HW_MS(5), 1440, 1, &lost);
	assert_int_equal(lost, 0);
}

static void ways_may_differ(void **state)
{
	uint32_t lost;

	(void)state;
	w.mtu_from[0][0] = 1280;
	w.mtu_from[1][1] = 1420;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(20));
	assert_int_equal(mtu_of(0, 0), 1280);
	assert_int_equal(mtu_of(1, 0), 1500);
	assert_int_equal(mtu_of(0, 1), 1500);
	assert_int_equal(mtu_of(1, 1), 1420);
	w.mtu_from[1][2] = 576;
	flow(HW_S(10), HW_MS(5), 1440, 0, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(mtu_of(1, 2), 576);
	assert_int_equal(mtu_of(0, 2), 1500);
}

/* Random loss, and an outage of all paths, make nothing small. */
static void loss_and_outages_shrink_nothing(void **state)
{
	uint32_t lost;

	(void)state;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(5));
	w.loss = 0.2;
	flow(HW_S(60), HW_MS(10), 1440, 1, &lost);
	for (int i = 0; i < 5; i++) {
		for (uint32_t link = 0; link < WORLD_LINKS; link++)
			w.cut[link] = true;
		flow(HW_S(2), HW_MS(10), 1440, 1, &lost);
		for (uint32_t link = 0; link < WORLD_LINKS; link++)
			w.cut[link] = false;
		flow(HW_S(3), HW_MS(10), 1440, 1, &lost);
	}
	w.loss = 0;
	flow(HW_S(40), HW_MS(10), 1440, 1, &lost);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(w.node[n].events[HW_EVENT_PATH_MTU], 3);
		for (uint32_t link = 0; link < WORLD_LINKS; link++)
			assert_int_equal(mtu_of(n, link), 1500);
	}
}

/* The interface took less than the core was told: no path is worse for it, nothing ends. */
static void the_interface_may_refuse(void **state)
{
	uint32_t lost;

	(void)state;
	use_links(1, "redundant");
	world_start_both(&w);
	world_run(&w, w.now + HW_S(5));
	assert_int_equal(mtu_of(0, 0), 1500);
	w.mtu_from[0][0] = 1400;
	for (uint32_t size = 1472; size > 1372; size -= 20) {
		const struct hw_tuple tuple = { .link = 0, .remote = w.node[1].addr[0] };

		hw_core_too_big(w.node[0].core, &tuple, size, w.now);
		world_flush(&w, 0);
		world_run(&w, w.now + HW_MS(1));
	}
	assert_true(mtu_of(0, 0) <= 1400);
	flow(HW_S(2), HW_MS(5), 1440, 1, &lost);
	assert_int_equal(lost, 0);
	world_run(&w, w.now + HW_S(10));
	assert_int_equal(mtu_of(0, 0), 1400);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_SUSPECT], 0);
	/* Of a link or a size that nobody has. */
	hw_core_too_big(w.node[0].core, &(struct hw_tuple){ .link = 9 }, 100, w.now);
	hw_core_too_big(w.node[0].core,
			&(struct hw_tuple){ .link = 0, .remote = w.node[1].addr[0] }, 0, w.now);
	assert_int_equal(mtu_of(0, 0), 1400);
}

/* A session's handshakes and control packets pass where nothing but 576 bytes does. */
static void small_paths_carry_the_session(void **state)
{
	uint32_t lost;

	(void)state;
	for (uint32_t link = 0; link < WORLD_LINKS; link++)
		w.mtu[link] = 576;
	world_start_both(&w);
	flow(HW_S(10), HW_MS(5), 1500, 1, &lost);
	assert_int_equal(lost, 0);
	assert_int_equal(world_paths_up(&w, 0), 3);
	assert_int_equal(mtu_of(1, 0), 576);
}

/* Nor where less does: 256. */
static void the_least_path_carries_too(void **state)
{
	uint32_t lost;

	(void)state;
	for (uint32_t link = 0; link < WORLD_LINKS; link++)
		w.mtu[link] = 300;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(20));
	assert_int_equal(mtu_of(0, 0), 256);
	flow(HW_S(5), HW_MS(10), 1500, 1, &lost);
	assert_int_equal(lost, 0);
}

/* Down at once, up after five seconds; not below what IPv6 needs, if it has an address. */
static void the_tunnel_may_follow(void **state)
{
	uint32_t lost;

	(void)state;
	for (int n = 0; n < 2; n++) {
		w.node[n].config.tunnel_mtu_auto = true;
		w.node[n].config.tunnel_mtu_least = n == 0 ? 1280 : 576;
	}
	w.mtu[1] = 1420;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(10));
	for (int n = 0; n < 2; n++) {
		assert_int_equal(w.tunnel_mtu[n], 1420 - 28 - 32);
		assert_true(w.node[n].events[HW_EVENT_TUNNEL_MTU] <= 3);
	}
	/* Every packet of that size goes whole. */
	struct hw_core_totals before = totals(0), after;

	flow(HW_S(1), HW_MS(5), (uint32_t)w.tunnel_mtu[0], 1, &lost);
	after = totals(0);
	assert_int_equal(lost, 0);
	assert_int_equal(after.tx_source_packets - before.tx_source_packets,
			 after.tx_sent - before.tx_sent);

	w.mtu[1] = 1280;
	flow(HW_S(3), HW_MS(5), 1360, 1, &lost);
	assert_int_equal(w.tunnel_mtu[0], 1280);
	assert_int_equal(w.tunnel_mtu[1], 1280 - 28 - 32);

	/* The small path goes away: what is left is the other's, once it has stayed so. */
	uint32_t events = w.node[1].events[HW_EVENT_TUNNEL_MTU];

	w.cut[1] = true;
	flow(HW_S(4), HW_MS(5), 1200, 1, &lost);
	assert_int_equal(w.node[1].events[HW_EVENT_TUNNEL_MTU], events);
	flow(HW_S(4), HW_MS(5), 1200, 1, &lost);
	assert_int_equal(w.tunnel_mtu[0], 1440);
	assert_int_equal(w.tunnel_mtu[1], 1440);
	assert_int_equal(w.node[1].events[HW_EVENT_TUNNEL_MTU], events + 1);
}

/* A number stays what it is, and takes over again when the configuration says so. */
static void the_tunnel_follows_no_more(void **state)
{
	struct hw_core_config config;

	(void)state;
	w.node[0].config.tunnel_mtu_auto = true;
	w.mtu[0] = 1400;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(10));
	assert_int_equal(w.tunnel_mtu[0], 1340);
	assert_int_equal(w.node[1].events[HW_EVENT_TUNNEL_MTU], 0);
	config = w.node[0].config;
	config.tunnel_mtu_auto = false;
	assert_int_equal(hw_core_reapply(w.node[0].core, &config, w.now), 0);
	world_flush(&w, 0);
	assert_int_equal(w.tunnel_mtu[0], 1500);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_path_is_known_as_it_rises),
		TEST(nothing_is_cut_needlessly),
		TEST(a_black_hole_on_the_only_path),
		TEST(black_holes_on_all_paths_at_once),
		TEST(a_black_hole_in_backup_mode),
		TEST(copies_cover_one_black_hole),
		TEST(ways_may_differ),
		TEST(loss_and_outages_shrink_nothing),
		TEST(the_interface_may_refuse),
		TEST(small_paths_carry_the_session),
		TEST(the_least_path_carries_too),
		TEST(the_tunnel_may_follow),
		TEST(the_tunnel_follows_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
