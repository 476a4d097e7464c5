/*
 * Load tests between two cores over links whose rate, queue and loss are known: the figures are the
 * truth, and what a peer can make a node send is bounded.
 */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "shaped.h"

static struct shaped s;

static struct hw_load_outcome outcome(uint32_t path, bool down)
{
	struct hw_load_outcome o;

	hw_core_load_outcome(s.node[SHAPED_CLIENT].core, 0, path, down, &o);
	return o;
}

static int start(uint32_t path, const struct hw_load_params *params)
{
	int rc = hw_core_load_start(s.node[SHAPED_CLIENT].core, 0, path, params, s.now);

	shaped_flush(&s, SHAPED_CLIENT);
	return rc;
}

/* Runs until the load is over; at most 30 s. */
static struct hw_load_outcome finish(uint32_t path, bool down)
{
	for (int i = 0; i < 300 && outcome(path, down).state == HW_LOAD_RUNNING; i++)
		shaped_run(&s, s.now + HW_MS(100));
	return outcome(path, down);
}

static double mbit(const struct hw_load_outcome *o)
{
	/* IP packets: 28 bytes beyond the UDP payload. */
	return (o->rate_bytes + o->rate_packets * 28.0) * 8 / o->span_us;
}

static void one_link(uint64_t seed, uint64_t rate_bps, uint64_t queue_bytes, double loss)
{
	const struct hw_link_params params = { .rate_bps = rate_bps,
					       .queue_bytes = queue_bytes,
					       .delay_ns = HW_MS(20),
					       .loss = loss };

	shaped_init(&s, seed, 1);
	shaped_link(&s, 0, SHAPED_UP, &params);
	shaped_link(&s, 0, SHAPED_DOWN, &params);
	shaped_start(&s);
}

/* A load of twice the rate, as long as fills the queue: rate within 5 %, queue within 10 %. */
static void rate_and_queue_are_the_links_own(void **state)
{
	static const struct {
		double mbit;
		double queue_s;
		double loss;
	} links[] = { { 0.5, 1.8, 0 },	{ 2, 0.5, 0 },	{ 10, 0.2, 0.02 },
		      { 50, 0.05, 0 },	{ 300, 0.03, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		for (int down = 0; down < 2; down++) {
			double rate = links[i].mbit * 1e6;
			double ms = fmin(3000, links[i].queue_s * 1300 + 200);
			const struct hw_load_params params = {
				.down = down,
				.rate_kbps = (uint32_t)(2 * rate / 1000),
				.duration_ms = (uint32_t)ms,
				.bytes = HW_LOAD_BYTES_MAX,
			};
			struct hw_load_outcome o;
			uint32_t path;

			one_link(100 + i, (uint64_t)rate, (uint64_t)(rate / 8 * links[i].queue_s),
				 links[i].loss);
			path = shaped_path(&s, SHAPED_CLIENT, 0);
			assert_int_equal(start(path, &params), 0);
			o = finish(path, down);
			print_message("%s %.1f Mbit/s, %.0f ms of queue: measured %.2f Mbit/s, "
				      "p95 %.0f ms, %u of %u packets\n",
				      down ? "down" : "up  ", links[i].mbit,
				      links[i].queue_s * 1000, mbit(&o), o.queue_p95_us / 1000.0,
				      o.packets, o.sent_packets);
			assert_int_equal(o.state, HW_LOAD_OVER);
			assert_true(fabs(mbit(&o) / (links[i].mbit * (1 - links[i].loss)) - 1) < 0.05);
			assert_true(fabs(o.queue_max_us / 1e6 / links[i].queue_s - 1) < 0.1);
			shaped_fini(&s);
		}
	}
}

/* Pings on a lossy link: loss of each way apart, and the round trip. */
static void pings_tell_loss_each_way_and_round_trip(void **state)
{
	const struct hw_load_params params = { .rate_kbps = 99, /* 124 bytes each 10 ms */
					       .duration_ms = 5000,
					       .bytes = HW_LOAD_BYTES_MAX,
					       .size = 96,
					       .pings = true };
	struct hw_load_outcome o;
	uint32_t path;

	(void)state;
	shaped_init(&s, 7, 1);
	shaped_link(&s, 0, SHAPED_UP,
		    &(struct hw_link_params){ .delay_ns = HW_MS(30), .loss = 0.1 });
	shaped_link(&s, 0, SHAPED_DOWN,
		    &(struct hw_link_params){ .delay_ns = HW_MS(50), .loss = 0.2 });
	shaped_start(&s);
	path = shaped_path(&s, SHAPED_CLIENT, 0);
	/* The first may meet a hub that has not checked the path yet. */
	assert_int_equal(start(path, &params), 0);
	(void)finish(path, false);
	assert_int_equal(start(path, &params), 0);
	o = finish(path, false);
	assert_int_equal(o.state, HW_LOAD_OVER);
	print_message("%u sent, %u arrived, %u answered\n", o.sent_packets, o.packets, o.pongs);
	assert_true(o.sent_packets >= 495 && o.sent_packets <= 501);
	assert_true(fabs(1 - (double)o.packets / o.sent_packets - 0.1) < 0.04);
	assert_true(fabs(1 - (double)o.pongs / o.packets - 0.2) < 0.05);
	for (uint32_t i = 0; i < o.pongs; i++)
		assert_true(o.pong_us[i] >= 80000 && o.pong_us[i] < 81000);
	shaped_fini(&s);
}

static void a_path_that_goes_away_ends_its_loads(void **state)
{
	const struct hw_load_params up = { .rate_kbps = 1000, .duration_ms = 3000,
					   .bytes = HW_LOAD_BYTES_MAX };
	const struct hw_load_params down = { .down = true, .rate_kbps = 1000,
					     .duration_ms = 3000, .bytes = HW_LOAD_BYTES_MAX };
	uint32_t path;

	(void)state;
	one_link(8, 0, 0, 0);
	path = shaped_path(&s, SHAPED_CLIENT, 0);
	assert_int_equal(start(path, &up), 0);
	assert_int_equal(start(path, &down), 0);
	assert_int_equal(start(path, &up), HW_E_STATE);
	assert_int_equal(start(path, &down), HW_E_STATE);
	shaped_run(&s, s.now + HW_S(1));
	hw_core_link_down(s.node[SHAPED_CLIENT].core, 0, s.now);
	shaped_flush(&s, SHAPED_CLIENT);
	shaped_run(&s, s.now + HW_MS(50));
	assert_int_equal(outcome(path, false).state, HW_LOAD_FAILED);
	assert_int_equal(outcome(path, false).reason, HW_LOAD_PATH);
	assert_int_equal(outcome(path, true).state, HW_LOAD_FAILED);
	assert_true(outcome(path, true).packets > 50);
	assert_int_equal(start(path, &up), HW_E_STATE);
	shaped_fini(&s);
}

static void silence_is_told_from_an_answer(void **state)
{
	const struct hw_load_params up = { .rate_kbps = 1000, .duration_ms = 500,
					   .bytes = HW_LOAD_BYTES_MAX };
	const struct hw_load_params down = { .down = true, .rate_kbps = 1000,
					     .duration_ms = 500, .bytes = HW_LOAD_BYTES_MAX };
	uint32_t path;

	(void)state;
	one_link(9, 0, 0, 0);
	path = shaped_path(&s, SHAPED_CLIENT, 0);
	assert_int_equal(start(path, &up), 0);
	assert_int_equal(start(path, &down), 0);
	shaped_change(&s, 0, SHAPED_UP, &(struct hw_link_params){ .down = true });
	assert_int_equal(finish(path, true).state, HW_LOAD_SILENT);
	assert_int_equal(finish(path, false).state, HW_LOAD_SILENT);
	assert_true(outcome(path, false).sent_packets > 40);
	assert_int_equal(outcome(path, false).packets, 0);
	shaped_fini(&s);
}

static void stopping_ends_an_upward_load(void **state)
{
	const struct hw_load_params up = { .rate_kbps = 1000, .duration_ms = 3000,
					   .bytes = HW_LOAD_BYTES_MAX };
	struct hw_load_outcome o;
	uint32_t path;

	(void)state;
	one_link(10, 0, 0, 0);
	path = shaped_path(&s, SHAPED_CLIENT, 0);
	hw_core_load_stop(s.node[SHAPED_CLIENT].core, 0, path, s.now);
	assert_int_equal(start(path, &up), 0);
	shaped_run(&s, s.now + HW_S(1));
	hw_core_load_stop(s.node[SHAPED_CLIENT].core, 0, path, s.now);
	shaped_run(&s, s.now + HW_MS(200));
	o = outcome(path, false);
	assert_int_equal(o.state, HW_LOAD_OVER);
	assert_true(o.packets == o.sent_packets && o.packets > 80 && o.packets < 110);
	shaped_fini(&s);
}

static void senseless_loads_are_not_begun(void **state)
{
	static const struct hw_load_params good = { .rate_kbps = 1000, .duration_ms = 100,
						    .bytes = 100000 };
	struct hw_load_params p;
	uint32_t path;

	(void)state;
	one_link(11, 0, 0, 0);
	path = shaped_path(&s, SHAPED_CLIENT, 0);
#define REFUSED(field, value, error) \
	do { \
		p = good; \
		p.field = (value); \
		assert_int_equal(start(path, &p), (error)); \
	} while (0)
	REFUSED(rate_kbps, 0, HW_E_INVAL);
	REFUSED(rate_kbps, HW_LOAD_RATE_MAX_KBPS + 1, HW_E_INVAL);
	REFUSED(duration_ms, 0, HW_E_INVAL);
	REFUSED(duration_ms, HW_LOAD_DURATION_MAX_MS + 1, HW_E_INVAL);
	REFUSED(bytes, HW_LOAD_BYTES_MAX + 1, HW_E_INVAL);
	REFUSED(size, HW_LOAD_PAYLOAD_MAX + 1, HW_E_INVAL);
#undef REFUSED
	p = good;
	p.pings = p.down = true;
	assert_int_equal(start(path, &p), HW_E_INVAL);
	assert_int_equal(start(path + 1, &good), HW_E_STATE);
	assert_int_equal(start(99, &good), HW_E_STATE);
	assert_int_equal(outcome(99, true).state, HW_LOAD_NONE);
	assert_int_equal(start(path, &good), 0);
	shaped_fini(&s);
}

/* Few bytes are few, though they do not even take the packets ahead. */
static void an_upward_load_keeps_to_its_bytes(void **state)
{
	static const uint32_t bytes[] = { 0, 1000, 2000, 5000, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		const struct hw_load_params params = { .rate_kbps = 10000,
						       .duration_ms = 1000,
						       .bytes = bytes[i],
						       .size = 500 };
		struct hw_load_outcome o;
		uint32_t path;

		one_link(12, 0, 0, 0);
		path = shaped_path(&s, SHAPED_CLIENT, 0);
		assert_int_equal(start(path, &params), 0);
		o = finish(path, false);
		assert_int_equal(o.state, HW_LOAD_OVER);
		assert_int_equal(o.sent_bytes, bytes[i] / 500 * 500);
		shaped_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_and_queue_are_the_links_own),
		cmocka_unit_test(pings_tell_loss_each_way_and_round_trip),
		cmocka_unit_test(a_path_that_goes_away_ends_its_loads),
		cmocka_unit_test(silence_is_told_from_an_answer),
		cmocka_unit_test(stopping_ends_an_upward_load),
		cmocka_unit_test(senseless_loads_are_not_begun),
		cmocka_unit_test(an_upward_load_keeps_to_its_bytes),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
