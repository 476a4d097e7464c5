/* The search for a path's MTU: states, lossy paths over many seeds, black holes. */
#include "test.h"

#include "mtu_way.h"

static struct way w;

static const uint32_t common[] = { 1500, 1492, 1480, 1476, 1460, 1450, 1440, 1430,
				   1420, 1400, 1380, 1358, 1280, 576 };

static bool right(uint32_t size, uint32_t limit)
{
	return size <= limit && size + 8 > limit;
}

static void quiet_paths_are_found_exactly(void **state)
{
	static const uint32_t odd[] = { 1499, 1455, 1433, 1401, 1300, 1279, 1000, 700, 577 };

	(void)state;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		way_init(&w, i, 1500, common[i]);
		way_run(&w, w.now + HW_S(30));
		print_message("# limit %u: %u, %u rounds, %u probes, %u bytes\n", w.limit,
			      way_size(&w), w.mtu.rounds, (unsigned)w.mtu.probes,
			      (unsigned)w.mtu.probe_bytes);
		assert_int_equal(way_size(&w), common[i]);
		assert_int_equal(w.mtu.state, HW_PATH_MTU_COMPLETE);
		assert_int_equal(w.news, 1);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		way_init(&w, i, 1500, odd[i]);
		way_run(&w, w.now + HW_S(30));
		print_message("# limit %u: %u, %u rounds, %u bytes\n", w.limit, way_size(&w),
			      w.mtu.rounds, (unsigned)w.mtu.probe_bytes);
		assert_true(right(way_size(&w), odd[i]));
		assert_int_equal(w.mtu.state, HW_PATH_MTU_COMPLETE);
	}
}

static void lossy(double loss, hw_time burst, unsigned seeds)
{
	unsigned wrong = 0;
	uint64_t rounds = 0;

	for (uint64_t seed = 0; seed < seeds; seed++) {
		uint32_t limit;

		way_init(&w, seed, 1500, 1500);
		limit = seed % 2 == 0 ? common[seed / 2 % 14]
				      : 576 + (uint32_t)(hw_rng_unit(&w.rng) * 925);
		w.limit = limit;
		w.loss = loss;
		w.burst = burst;
		way_run(&w, w.now + HW_S(120));
		rounds += w.mtu.rounds;
		if (w.mtu.state != HW_PATH_MTU_COMPLETE || !right(way_size(&w), limit)) {
			wrong++;
			print_message("# seed %u: limit %u, found %u, state %d, task %d\n",
				      (unsigned)seed, limit, way_size(&w), w.mtu.state, w.mtu.task);
		}
	}
	print_message("# loss %.2f, spells of %u ms: %u of %u wrong, %.1f rounds\n", loss, (unsigned)(burst / HW_MS(1)),
		      wrong, seeds, (double)rounds / seeds);
	assert_int_equal(wrong, 0);
}

static void lossy_paths_are_found_exactly(void **state)
{
	(void)state;
	lossy(0.05, 0, 1000);
	lossy(0.20, 0, 1000);
	lossy(0.20, HW_MS(5), 500);
	lossy(0.20, HW_MS(50), 500);
	lossy(0.20, HW_MS(300), 500);
	lossy(0.20, HW_S(2), 500);
	lossy(0.35, 0, 300);
}

/* Time from the change to the last packet that was lost by its size, or -1: never better. */
static int64_t fall_time(uint32_t to)
{
	hw_time from = w.now;
	uint32_t lost;

	w.limit = to;
	do {
		lost = w.data_lost_by_size;
		if (w.now > from + HW_S(5))
			return -1;
		way_run(&w, w.now + HW_MS(10));
	} while (way_size(&w) > to || lost != w.data_lost_by_size);
	return (int64_t)(w.now - from);
}

static void holes(double loss, hw_time rtt, uint32_t small_ip, hw_time every, unsigned seeds)
{
	int64_t most[2] = { 0, 0 }, sum[2] = { 0, 0 };

	for (uint64_t seed = 0; seed < seeds; seed++) {
		static const uint32_t to[] = { 1280, 576 };

		way_init(&w, seed, 1500, 1500);
		w.loss = loss;
		w.rtt = rtt;
		w.context.timeout = rtt + rtt / 5;
		w.every = every;
		w.size_count = small_ip != 0 ? 2 : 1;
		w.sizes[1] = small_ip;
		way_run(&w, w.now + HW_S(20));
		assert_int_equal(way_size(&w), 1500);
		for (int i = 0; i < 2; i++) {
			int64_t t = fall_time(to[i]);

			if (t < 0)
				print_message("# seed %u: size %u, state %d, task %d, tries %u, hot %d\n",
					      (unsigned)seed, way_size(&w), w.mtu.state,
					      w.mtu.task, w.mtu.tries, w.mtu.hot);
			assert_true(t >= 0);
			sum[i] += t;
			if (t > most[i])
				most[i] = t;
			way_run(&w, w.now + HW_S(20));
			assert_int_equal(way_size(&w), to[i]);
		}
	}
	print_message("# loss %.2f, rtt %u ms, small %u, every %u us: 1500 to 1280 in %d ms (most %d), to "
		      "576 in %d ms (most %d)\n",
		      loss, (unsigned)(rtt / HW_MS(1)), small_ip, (unsigned)(every / 1000),
		      (int)(sum[0] / seeds / 1000000), (int)(most[0] / 1000000),
		      (int)(sum[1] / seeds / 1000000), (int)(most[1] / 1000000));
	assert_true(most[0] <= (int64_t)HW_S(2) && most[1] <= (int64_t)HW_S(2));
}

static void black_holes_are_left_within_two_seconds(void **state)
{
	(void)state;
	holes(0, HW_MS(20), 0, HW_MS(2), 20);
	holes(0, HW_MS(50), 200, HW_MS(5), 20);
	holes(0, HW_MS(200), 0, HW_MS(20), 20);
	holes(0, HW_MS(50), 0, HW_MS(300), 20);
	holes(0.01, HW_MS(50), 200, HW_MS(2), 100);
	holes(0.05, HW_MS(50), 0, HW_MS(5), 100);
	holes(0.1, HW_MS(50), 0, HW_MS(5), 100);
}

static void steady(double loss, hw_time burst, uint32_t seeds, hw_time span)
{
	uint32_t shrank = 0;
	uint64_t bytes = 0;

	for (uint64_t seed = 0; seed < seeds; seed++) {
		way_init(&w, seed, 1500, 1500);
		way_run(&w, w.now + HW_S(60));
		assert_int_equal(way_size(&w), 1500);
		w.loss = loss;
		w.burst = burst;
		w.every = HW_MS(10);
		w.size_count = 4;
		w.sizes[1] = 1200;
		w.sizes[2] = 200;
		w.sizes[3] = 1400;
		uint64_t before = w.mtu.probe_bytes;

		way_run(&w, w.now + span);
		shrank += w.shrank;
		bytes += w.mtu.probe_bytes - before;
	}
	print_message("# loss %.2f, spells of %u ms: %u times smaller in %u s, %.0f bytes of probes a second\n",
		      loss, (unsigned)(burst / HW_MS(1)), shrank, (unsigned)(seeds * span / HW_S(1)),
		      (double)bytes / (double)(seeds * span / HW_S(1)));
	assert_int_equal(shrank, 0);
}

static void loss_is_not_taken_for_size(void **state)
{
	(void)state;
	steady(0, 0, 1, HW_S(3600));
	steady(0.05, 0, 20, HW_S(600));
	steady(0.2, 0, 50, HW_S(600));
	steady(0.2, HW_MS(5), 50, HW_S(600));
	steady(0.2, HW_MS(50), 50, HW_S(600));
	steady(0.2, HW_MS(300), 50, HW_S(600));
	steady(0.2, HW_S(2), 50, HW_S(600));
	steady(0.4, 0, 20, HW_S(600));
}

/* The next round, all of it, as it is given out. */
struct probe {
	uint64_t token;
	uint32_t size;
};

static uint32_t take(struct hw_path_mtu *m, struct probe *probes)
{
	uint32_t count = 0;

	while (hw_path_mtu_next(m, 3, &probes[count].token, &probes[count].size))
		assert_true(++count <= HW_PATH_MTU_SLOTS);
	return count;
}

static const struct hw_path_mtu_context steady_context = { .active = true, .timeout = HW_MS(60) };
static const struct hw_path_mtu_context rising = { .probing = true };

static void the_first_round_asks_for_common_sizes(void **state)
{
	static const uint32_t expected[] = { 46, 1472, 1464, 1392, 1372, 1252 };
	static const uint32_t spare[] = { 46, 1472, 1252 };
	struct hw_path_mtu m;
	struct probe probes[HW_PATH_MTU_SLOTS + 1];

	(void)state;
	hw_path_mtu_init(&m, false, 1472);
	assert_int_equal(m.state, HW_PATH_MTU_BASE);
	assert_int_equal(m.size, 548);
	assert_int_equal(hw_path_mtu_hoped(&m), 1252);
	hw_path_mtu_tick(&m, &rising, HW_S(1));
	assert_int_equal(take(&m, probes), 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(probes[i].size, expected[i]);
	assert_int_equal(m.probes, 6);
	assert_int_equal(m.probe_bytes, 46 + 1472 + 1464 + 1392 + 1372 + 1252 + 6 * 28);
	/* Then it waits until the path has come up. */
	assert_true(hw_path_mtu_deadline(&m, &rising) == HW_TIME_NEVER);

	struct hw_path_mtu_context spare_rising = rising;

	spare_rising.metered = true;
	hw_path_mtu_init(&m, false, 1472);
	hw_path_mtu_tick(&m, &spare_rising, HW_S(1));
	assert_int_equal(take(&m, probes), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(probes[i].size, spare[i]);

	/* IPv6: the base is 1280 already. */
	hw_path_mtu_init(&m, true, 1452);
	assert_int_equal(m.size, 1232);
	hw_path_mtu_tick(&m, &rising, HW_S(1));
	assert_int_equal(take(&m, probes), 5);
	/* An interface of less than the base. */
	hw_path_mtu_init(&m, false, 272);
	assert_int_equal(m.size, 272);
	hw_path_mtu_tick(&m, &rising, HW_S(1));
	assert_int_equal(take(&m, probes), 2);
	assert_true(hw_path_mtu_answered(&m, probes[1].token, 272, HW_S(1)));
	assert_int_equal(m.state, HW_PATH_MTU_COMPLETE);
}

/* Events x states, as the header has them. */
static void states_follow_the_table(void **state)
{
	struct hw_path_mtu m;
	struct probe probes[HW_PATH_MTU_SLOTS + 1];
	uint32_t ip, was;

	(void)state;
	/* BASE: more is answered. */
	hw_path_mtu_init(&m, false, 1472);
	hw_path_mtu_tick(&m, &rising, HW_S(1));
	take(&m, probes);
	assert_true(hw_path_mtu_answered(&m, probes[4].token, 1372, HW_S(1)));
	assert_int_equal(m.state, HW_PATH_MTU_SEARCHING);
	assert_int_equal(m.size, 1372);
	assert_true(m.known);
	assert_false(hw_path_mtu_news(&m, &ip, &was)); /* the search goes on */
	/* SEARCHING: the ceiling is answered. */
	assert_true(hw_path_mtu_answered(&m, probes[1].token, 1472, HW_S(1)));
	assert_int_equal(m.state, HW_PATH_MTU_COMPLETE);
	assert_true(hw_path_mtu_news(&m, &ip, &was));
	assert_int_equal(ip, 1500);
	assert_int_equal(was, 0);
	assert_false(hw_path_mtu_news(&m, &ip, &was));
	/* COMPLETE: the ceiling falls, and rises. */
	hw_path_mtu_set_ceiling(&m, 1372);
	assert_int_equal(m.state, HW_PATH_MTU_COMPLETE);
	assert_int_equal(m.size, 1372);
	assert_true(hw_path_mtu_news(&m, &ip, &was));
	assert_int_equal(ip, 1400);
	assert_int_equal(was, 1500);
	hw_path_mtu_set_ceiling(&m, 1472);
	assert_int_equal(m.state, HW_PATH_MTU_SEARCHING);
	hw_path_mtu_tick(&m, &steady_context, HW_S(2));
	assert_int_equal(take(&m, probes), 4); /* the reference, 1472, 1464 and 1392 */
	assert_true(hw_path_mtu_answered(&m, probes[1].token, 1472, HW_S(2)));
	assert_int_equal(m.state, HW_PATH_MTU_COMPLETE);

	/* BASE: nothing more passes, the base does. */
	way_init(&w, 1, 1500, 576);
	way_run(&w, w.now + HW_S(30));
	assert_int_equal(w.mtu.state, HW_PATH_MTU_COMPLETE);
	assert_int_equal(way_size(&w), 576);
	/* The base fails: ERROR; and passes again. */
	w.limit = 300;
	hw_path_mtu_trouble(&w.mtu);
	way_run(&w, w.now + HW_S(3));
	assert_int_equal(w.mtu.state, HW_PATH_MTU_ERROR);
	assert_int_equal(way_size(&w), 256);
	w.limit = 1420;
	way_run(&w, w.now + HW_S(60));
	assert_int_equal(w.mtu.state, HW_PATH_MTU_COMPLETE);
	assert_int_equal(way_size(&w), 1420);
	/* BASE from the start, and ERROR. */
	way_init(&w, 1, 1500, 300);
	way_run(&w, w.now + HW_S(5));
	assert_int_equal(w.mtu.state, HW_PATH_MTU_ERROR);
}

static void larger_is_tried_again_after_ten_minutes_of_use(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		hw_time wait = i == 0 ? HW_S(600) : HW_S(3600);

		way_init(&w, 1, 1500, 1400);
		w.context.metered = i == 1;
		way_run(&w, w.now + HW_S(30));
		assert_int_equal(way_size(&w), 1400);
		w.limit = 1500;
		way_run(&w, w.now + HW_S(100000)); /* nobody uses it */
		assert_int_equal(way_size(&w), 1400);
		uint64_t spent = w.mtu.probe_bytes;

		/* In use: at once, as the time is over; then each 10 minutes, or each hour. */
		w.every = HW_MS(100);
		w.size_count = 1;
		w.limit = 1400;
		way_run(&w, w.now + HW_S(5));
		print_message("# %u bytes to try more\n", (unsigned)(w.mtu.probe_bytes - spent));
		assert_true(w.mtu.probe_bytes > spent && w.mtu.probe_bytes < spent + 15000);
		w.limit = 1500;
		way_run(&w, w.now + wait - HW_S(10));
		assert_int_equal(way_size(&w), 1400);
		way_run(&w, w.now + HW_S(20));
		assert_int_equal(way_size(&w), 1500);
	}
}

static void metered_links_are_spared(void **state)
{
	uint64_t bytes[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		way_init(&w, 1, 1500, 1433);
		w.context.metered = i == 1;
		way_run(&w, w.now + HW_S(60));
		assert_true(i == 1 ? way_size(&w) == 1430 : right(way_size(&w), 1433));
		bytes[i] = w.mtu.probe_bytes;
		/* Small packets alone, for an hour. */
		w.every = HW_MS(20);
		w.size_count = 1;
		w.sizes[0] = 200;
		way_run(&w, w.now + HW_S(3600));
		print_message("# metered %d: %u bytes to find, %u in an hour of small packets\n", i,
			      (unsigned)bytes[i], (unsigned)(w.mtu.probe_bytes - bytes[i]));
		assert_true(w.mtu.probe_bytes - bytes[i] < (i == 1 ? 20000 : 260000));
		/* And none at all for a day without use. */
		uint64_t before = w.mtu.probe_bytes;

		w.every = 0;
		w.next_data = w.next_report = HW_TIME_NEVER;
		way_run(&w, w.now + HW_S(100));
		before = w.mtu.probe_bytes;
		way_run(&w, w.now + HW_S(86400));
		assert_int_equal(w.mtu.probe_bytes, before);
	}
	assert_true(bytes[1] < 30000);
}

static void the_interface_says_what_it_refuses(void **state)
{
	struct hw_path_mtu m;
	struct probe probes[HW_PATH_MTU_SLOTS + 1];

	(void)state;
	hw_path_mtu_init(&m, false, 1472);
	hw_path_mtu_tick(&m, &rising, HW_S(1));
	take(&m, probes);
	assert_true(hw_path_mtu_answered(&m, probes[1].token, 1472, HW_S(1)));
	hw_path_mtu_refused(&m, 1400);
	assert_int_equal(m.size, 1392);
	assert_int_equal(m.state, HW_PATH_MTU_SEARCHING);
	hw_path_mtu_refused(&m, 1380);
	assert_int_equal(m.size, 1372);
	/* The search stays below. */
	for (hw_time now = HW_S(2); now < HW_S(10); now += HW_MS(50)) {
		uint32_t count;

		hw_path_mtu_tick(&m, &steady_context, now);
		count = take(&m, probes);
		for (uint32_t i = 0; i < count; i++)
			assert_true(probes[i].size < 1380);
	}
	/* What no packet can have, and what is smaller than any. */
	hw_path_mtu_refused(&m, 2000);
	hw_path_mtu_refused(&m, 100);
	hw_path_mtu_refused(&m, 0);
	assert_int_equal(m.size, 1372);
	for (uint32_t bytes = 1372; bytes > 228; bytes--)
		hw_path_mtu_refused(&m, bytes);
	assert_int_equal(m.size, 228);
}

static void only_probes_that_were_sent_are_answered(void **state)
{
	struct hw_path_mtu m;
	struct probe probes[HW_PATH_MTU_SLOTS + 1];
	struct hw_path_mtu before;

	(void)state;
	hw_path_mtu_init(&m, false, 1472);
	assert_false(hw_path_mtu_answered(&m, 0, 1472, HW_S(1)));
	assert_false(hw_path_mtu_answered(&m, (uint64_t)3 << 56 | 1 << 8 | 1, 1472, HW_S(1)));
	hw_path_mtu_tick(&m, &rising, HW_S(1));
	take(&m, probes);
	before = m;
	assert_false(hw_path_mtu_answered(&m, probes[1].token, 1471, HW_S(1)));
	assert_false(hw_path_mtu_answered(&m, probes[1].token, 1473, HW_S(1)));
	assert_false(hw_path_mtu_answered(&m, probes[1].token ^ 2, 1472, HW_S(1)));
	assert_false(hw_path_mtu_answered(&m, probes[1].token + 256, 1472, HW_S(1)));
	assert_false(hw_path_mtu_answered(&m, probes[5].token + 1, 1252, HW_S(1)));
	assert_false(hw_path_mtu_answered(&m, probes[5].token + 1, 0, HW_S(1)));
	assert_memory_equal(&m, &before, sizeof(m));
	assert_true(hw_path_mtu_answered(&m, probes[1].token, 1472, HW_S(1)));
	assert_true(hw_path_mtu_answered(&m, probes[1].token, 1472, HW_S(1))); /* a copy */
	assert_int_equal(m.size, 1472);
	/* After a black hole the answers of before mean nothing. */
	way_init(&w, 1, 1500, 1500);
	way_run(&w, w.now + HW_S(5));

	uint64_t old = (uint64_t)3 << 56 | 1 << 8 | 1;

	w.limit = 1280;
	hw_path_mtu_trouble(&w.mtu);
	way_run(&w, w.now + HW_S(3));
	assert_int_equal(way_size(&w), 1280);
	assert_false(hw_path_mtu_answered(&w.mtu, old, 1472, w.now));
	assert_int_equal(way_size(&w), 1280);
}

/* A path that answers references for ever and nothing else, or nothing at all. */
static void nothing_is_asked_for_ever(void **state)
{
	uint64_t before;

	(void)state;
	way_init(&w, 1, 1500, 1500);
	way_run(&w, w.now + HW_S(5));
	w.dead = true;
	hw_path_mtu_trouble(&w.mtu);
	way_run(&w, w.now + HW_S(60));
	before = w.mtu.probe_bytes;
	print_message("# %u bytes to a dead path\n", (unsigned)(before - 7166));
	assert_true(before - 7166 < 40000);
	way_run(&w, w.now + HW_S(600));
	assert_int_equal(w.mtu.probe_bytes, before);
	assert_int_equal(way_size(&w), 1500);
	/* In use it is asked again and again, but seldom. */
	w.every = HW_MS(10);
	w.size_count = 1;
	way_run(&w, w.now + HW_S(600));
	print_message("# %u bytes in 600 s to a dead path in use\n",
		      (unsigned)(w.mtu.probe_bytes - before));
	assert_true(w.mtu.probe_bytes - before < 2500000);
	assert_int_equal(way_size(&w), 1500);
	w.dead = false;
	way_run(&w, w.now + HW_S(5));
	assert_int_equal(way_size(&w), 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_round_asks_for_common_sizes),
		cmocka_unit_test(states_follow_the_table),
		cmocka_unit_test(larger_is_tried_again_after_ten_minutes_of_use),
		cmocka_unit_test(metered_links_are_spared),
		cmocka_unit_test(the_interface_says_what_it_refuses),
		cmocka_unit_test(only_probes_that_were_sent_are_answered),
		cmocka_unit_test(nothing_is_asked_for_ever),
		cmocka_unit_test(quiet_paths_are_found_exactly),
		cmocka_unit_test(lossy_paths_are_found_exactly),
		cmocka_unit_test(black_holes_are_left_within_two_seconds),
		cmocka_unit_test(loss_is_not_taken_for_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
