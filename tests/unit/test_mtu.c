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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_paths_are_found_exactly),
		cmocka_unit_test(lossy_paths_are_found_exactly),
		cmocka_unit_test(black_holes_are_left_within_two_seconds),
		cmocka_unit_test(loss_is_not_taken_for_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
