#include "test.h"

#include "base/rng.h"
#include "path/meter.h"
#include "path/owd.h"
#include "path/rtt.h"
#include "path/rx.h"
#include "path/tx.h"
#include "wire/control.h"

/* One path as its receiver sees it, with a sender whose clock is behind by offset_ns. */
struct flow {
	struct hw_path_rx rx;
	struct hw_owd_clock clock;
	uint64_t offset_ns;
};

static void flow_init(struct flow *f, uint64_t offset_ns)
{
	hw_path_rx_init(&f->rx);
	hw_owd_clock_init(&f->clock);
	f->offset_ns = offset_ns;
}

static struct hw_path_stamp stamp_of(const struct flow *f, uint32_t generation, uint32_t sequence,
				     hw_time sent, hw_time at)
{
	return (struct hw_path_stamp){
		.generation = generation,
		.sequence = (uint16_t)sequence,
		.send_tick = hw_owd_tick(sent + f->offset_ns),
		.bytes = 1000,
		.at = at,
	};
}

static bool arrive(struct flow *f, uint32_t generation, uint32_t sequence, hw_time sent, hw_time at)
{
	struct hw_path_stamp stamp = stamp_of(f, generation, sequence, sent, at);

	return hw_path_rx_stamp(&f->rx, &f->clock, &stamp);
}

static void assert_near(double value, double truth, double tolerance)
{
	if (value < truth - tolerance || value > truth + tolerance)
		fail_msg("%g is not within %g of %g", value, tolerance, truth);
}

static void rtt_of_a_constant_delay_is_that_delay(void **state)
{
	struct hw_rtt rtt;

	(void)state;
	hw_rtt_init(&rtt);
	assert_false(hw_rtt_known(&rtt));
	assert_int_equal(hw_rtt_timeout(&rtt, 77), 77);
	assert_int_equal(hw_rtt_min(&rtt, 0), -1);
	hw_rtt_sample(&rtt, 40000000, HW_S(1));
	assert_int_equal(rtt.smoothed_ns, 40000000);
	assert_int_equal(rtt.variation_ns, 20000000);
	assert_int_equal(hw_rtt_timeout(&rtt, 0), 120000000);
	for (int i = 0; i < 50; i++)
		hw_rtt_sample(&rtt, 40000000, HW_S(1));
	assert_int_equal(rtt.smoothed_ns, 40000000);
	assert_in_range(rtt.variation_ns, 0, 100);
	hw_rtt_sample(&rtt, -5, HW_S(1));
	assert_int_equal(rtt.latest_ns, 0);
}

static void rtt_follows_a_step_and_forgets_the_minimum(void **state)
{
	struct hw_rtt rtt;

	(void)state;
	hw_rtt_init(&rtt);
	for (unsigned i = 0; i < 100; i++)
		hw_rtt_sample(&rtt, 20000000, HW_MS(100) * i);
	for (unsigned i = 0; i < 40; i++)
		hw_rtt_sample(&rtt, 80000000, HW_S(10) + HW_MS(100) * i);
	/* (7/8)^40 of the step is left: 0.3 ms. */
	assert_near((double)rtt.smoothed_ns, 80e6, 0.5e6);
	assert_int_equal(hw_rtt_min(&rtt, HW_S(14)), 20000000);
	hw_rtt_sample(&rtt, 80000000, HW_S(20));
	assert_int_equal(hw_rtt_min(&rtt, HW_S(20)), 80000000);
	assert_int_equal(hw_rtt_min(&rtt, HW_S(29)), 80000000);
	assert_int_equal(hw_rtt_min(&rtt, HW_S(40)), -1);
}

/* 5 ms and 3 s, over more than one wrap of the stamp's 134 s, by clocks 68 s and 200 ppm apart. */
static void delay_differences_are_exact_over_the_wrap(void **state)
{
	struct hw_owd_clock clock;

	(void)state;
	hw_owd_clock_init(&clock);
	for (uint64_t i = 0; i < 600; i++) {
		hw_time sent = HW_MS(500) * i + HW_S(1000);
		hw_time peer = HW_S(68) + sent + sent / 5000;
		int64_t fast = hw_owd_clock_delay(&clock, hw_owd_tick(peer), sent + HW_MS(5));
		int64_t slow = hw_owd_clock_delay(&clock, hw_owd_tick(peer), sent + HW_S(3));

		assert_int_equal(slow - fast, HW_MS(2995));
	}
}

static void jitter_of_uniform_delay_is_a_third_of_its_width(void **state)
{
	struct hw_owd owd;
	struct hw_rng rng;
	double mean_jitter = 0, mean_delay = 0;
	enum { WARM_UP = 500, COUNT = 20000 };

	(void)state;
	hw_rng_init(&rng, 3);
	hw_owd_init(&owd);
	assert_false(hw_owd_fresh(&owd, 0));
	for (int i = 0; i < WARM_UP + COUNT; i++) {
		hw_owd_sample(&owd, (int64_t)(HW_MS(10) + hw_rng_below(&rng, HW_MS(12))),
			      HW_MS(5) * (hw_time)i);
		if (i < WARM_UP)
			continue;
		mean_jitter += (double)owd.jitter_ns / COUNT;
		mean_delay += (double)owd.smoothed_ns / COUNT;
	}
	/* The mean difference of two independent uniform values is a third of their range. */
	assert_near(mean_jitter, 4e6, 0.1e6);
	assert_near(mean_delay, 16e6, 0.1e6);
	assert_near((double)hw_window_min_get(&owd.min, HW_MS(5) * COUNT), 10e6, 0.1e6);
	assert_true(hw_owd_fresh(&owd, owd.last_at + HW_S(30)));
	assert_false(hw_owd_fresh(&owd, owd.last_at + HW_S(31)));
}

static void constant_delay_has_no_jitter_and_a_step_restarts_after_silence(void **state)
{
	struct hw_owd owd;

	(void)state;
	hw_owd_init(&owd);
	for (unsigned i = 0; i < 100; i++)
		hw_owd_sample(&owd, 7000000, HW_MS(10) * i);
	assert_int_equal(owd.jitter_ns, 0);
	assert_int_equal(owd.smoothed_ns, 7000000);
	hw_owd_sample(&owd, 23000000, HW_S(2));
	assert_int_equal(owd.smoothed_ns, 8000000);
	assert_int_equal(owd.jitter_ns, 1000000);
	hw_owd_sample(&owd, 500000000, HW_S(13));
	assert_int_equal(owd.smoothed_ns, 500000000);
	assert_int_equal(owd.jitter_ns, 1000000);
}

static void meter_knows_rate_and_idleness(void **state)
{
	struct hw_meter meter;

	(void)state;
	hw_meter_init(&meter);
	assert_near(hw_meter_rate_Bps(&meter, HW_S(5)), 0, 0);
	assert_near(hw_meter_loss(&meter, 10, 0, HW_S(5)), -1, 0);
	for (unsigned ms = 0; ms < 3000; ms++)
		hw_meter_add(&meter, 1, 1, 1250, HW_S(100) + HW_MS(ms));
	assert_near(hw_meter_rate_Bps(&meter, HW_MS(102999)), 1.25e6, 0.01e6);
	assert_near(hw_meter_loss(&meter, 10, 20, HW_MS(102999)), 0, 0);
	assert_near(hw_meter_rate_Bps(&meter, HW_MS(103500)), 0.68e6, 0.1e6);
	assert_near(hw_meter_rate_Bps(&meter, HW_S(105)), 0, 0);
	assert_near(hw_meter_loss(&meter, 10, 1, HW_S(105)), -1, 0);
	assert_near(hw_meter_loss(&meter, 100, 1, HW_S(105)), 0, 0);
	assert_near(hw_meter_loss(&meter, 100, 1, HW_S(120)), -1, 0);
}

/* Each of 50 seeds: the loss shown is within a point of what was lost of 200 packets in a second.
 */
static void loss_is_within_a_point_after_200_packets(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct flow f;
		struct hw_rng rng;
		unsigned lost = 0;

		flow_init(&f, HW_S(9));
		hw_rng_init(&rng, seed);
		for (unsigned i = 0; i < 200; i++) {
			hw_time sent = HW_S(1) + HW_MS(5) * i;
			bool last = i == 199; /* a lost tail cannot be seen */

			if (!last && hw_rng_below(&rng, 100) < 5)
				lost++;
			else
				assert_true(arrive(&f, 1, i, sent, sent + HW_MS(30)));
		}
		assert_near(hw_path_rx_loss(&f.rx, HW_MS(2029)), lost / 200.0, 0.01);
	}
}

static void loss_runs_true_over_wraps_of_sequence_and_time(void **state)
{
	struct flow f;
	struct hw_rng rng;
	const unsigned count = 200000; /* 200 s at 1000/s: sequences wrap thrice, times once */
	unsigned lost = 0, low = 0, high = 0;

	(void)state;
	hw_rng_init(&rng, 11);
	flow_init(&f, HW_S(77));
	for (unsigned i = 0; i < count; i++) {
		hw_time sent = HW_S(1) + HW_MS(1) * i;
		double loss;

		if (i > 0 && i < count - 1 && hw_rng_below(&rng, 100) < 5) {
			lost++;
			continue;
		}
		assert_true(arrive(&f, 1, i, sent, sent + HW_MS(30)));
		if (i < 1000)
			continue;
		loss = hw_path_rx_loss(&f.rx, sent + HW_MS(30));
		low += loss < 0.02; /* 4 sigma of 0.7 points */
		high += loss > 0.08;
	}
	assert_int_equal(f.rx.current.highest, count - 1);
	assert_int_equal(f.rx.packets, count - lost);
	assert_int_equal(f.rx.unmeasured, 0);
	assert_in_range(low + high, 0, count / 1000);
}

static void reordered_packets_are_not_lost_and_copies_count_apart(void **state)
{
	struct flow f;
	struct hw_path_stamp copy;

	(void)state;
	flow_init(&f, 0);
	/* Pairs swapped, every tenth 40 packets late; what is older than the first is not measured.
	 */
	for (unsigned i = 0; i < 1000; i++) {
		unsigned n = i < 2 ? i : i ^ 1;

		if (n % 10 != 3)
			assert_true(arrive(&f, 1, n, HW_MS(n), HW_MS(n) + HW_MS(20)));
		if (i > 50 && (n - 40) % 10 == 3)
			assert_true(arrive(&f, 1, n - 40, HW_MS(n - 40), HW_MS(n) + HW_MS(20)));
	}
	assert_near(hw_path_rx_loss(&f.rx, HW_S(1)), 0, 0.006); /* the last four are still out */
	copy = stamp_of(&f, 1, 1000, HW_S(1), HW_MS(1020));
	copy.duplicate = true;
	assert_true(hw_path_rx_stamp(&f.rx, &f.clock, &copy));
	assert_int_equal(f.rx.duplicates, 1);
	assert_int_equal(f.rx.current.copies, 1);
}

static void replayed_stamps_are_measured_once(void **state)
{
	struct flow f;
	struct hw_path_rx before;

	(void)state;
	flow_init(&f, 0);
	for (unsigned i = 0; i < 70000; i++)
		assert_true(arrive(&f, 1, i, HW_MS(i) / 4, HW_MS(i) / 4 + HW_MS(1)));
	before = f.rx;

	const hw_time now = HW_MS(70000) / 4 + HW_MS(1);
	/* The newest, one inside the window, one below it, one whose sequence looks new again. */
	const unsigned again[] = { 69999, 69000, 67000, 5000, 4464 + 100 };

	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		for (int twice = 0; twice < 2; twice++)
			assert_false(arrive(&f, 1, again[i], HW_MS(again[i]) / 4, now));
	assert_int_equal(f.rx.unmeasured, 10);
	f.rx.unmeasured = before.unmeasured;
	assert_memory_equal(&f.rx, &before, sizeof(before));
	assert_true(arrive(&f, 1, 70000, HW_MS(70000) / 4, now));
}

static void a_packet_too_late_for_the_window_is_not_measured(void **state)
{
	struct flow f;

	(void)state;
	flow_init(&f, 0);
	for (unsigned i = 0; i < 5000; i++)
		if (i != 2000 && i != 4999 - 2047 && i != 4999 - 2048)
			assert_true(arrive(&f, 1, i, HW_MS(i), HW_MS(i)));
	assert_false(arrive(&f, 1, 2000, HW_MS(2000), HW_S(5)));
	assert_false(arrive(&f, 1, 4999 - 2048, HW_MS(4999 - 2048), HW_S(5)));
	assert_true(arrive(&f, 1, 4999 - 2047, HW_MS(4999 - 2047), HW_S(5)));
}

static void odd_stamps_need_a_successor(void **state)
{
	struct flow f;

	(void)state;
	flow_init(&f, 0);
	for (unsigned i = 0; i < 20000; i++)
		assert_true(arrive(&f, 1, i, HW_MS(i), HW_MS(i)));
	/* One that belongs elsewhere: far ahead, then far behind but sent later. */
	assert_false(arrive(&f, 1, 20000 + 5000, HW_MS(20000), HW_MS(20000)));
	assert_true(arrive(&f, 1, 20000, HW_MS(20000), HW_MS(20000)));
	assert_int_equal(f.rx.current.highest, 20000);
	/* The peer numbers anew: the second is believed, and nothing counts as lost. */
	assert_false(arrive(&f, 1, 0, HW_MS(20100), HW_MS(20100)));
	assert_true(arrive(&f, 1, 1, HW_MS(20101), HW_MS(20101)));
	assert_true(arrive(&f, 1, 2, HW_MS(20102), HW_MS(20102)));
	assert_int_equal((uint16_t)f.rx.current.highest, 2);
	assert_true(f.rx.current.highest > 20000);
	assert_near(hw_path_rx_loss(&f.rx, HW_MS(20103)), 0, 0);
	/* A real gap is believed with its second packet too, and counts. */
	assert_false(arrive(&f, 1, 6000, HW_MS(26000), HW_MS(26000)));
	assert_true(arrive(&f, 1, 6001, HW_MS(26001), HW_MS(26001)));
	assert_true(hw_path_rx_loss(&f.rx, HW_MS(26002)) > 0.99);
}

static void report_of(const struct flow *f, uint32_t generation, hw_time now,
		      struct hw_control_report_path *ret_report)
{
	memset(ret_report, 0, sizeof(*ret_report));
	assert_true(hw_path_rx_report(&f->rx, generation, true, now, ret_report));
}

static void reports_speak_of_the_session_they_are_sealed_in(void **state)
{
	struct flow f;
	struct hw_control_report_path report;

	(void)state;
	flow_init(&f, 0);
	assert_false(hw_path_rx_report(&f.rx, 0, false, 0, &report));
	assert_false(hw_path_rx_report(&f.rx, 1, false, 0, &report));
	for (unsigned i = 0; i < 100; i++)
		assert_true(arrive(&f, 1, i, HW_MS(i), HW_MS(i + 10)));
	for (unsigned i = 0; i < 50; i++) { /* the new session's packets and late ones of the old */
		hw_time at = HW_MS(200 + i);

		assert_true(arrive(&f, 2, i, at - HW_MS(10), at));
		assert_true(arrive(&f, 1, 100 + i, HW_MS(100 + i), at));
	}
	report_of(&f, 1, HW_MS(250), &report);
	assert_int_equal(report.highest_seq, 149);
	assert_int_equal(report.received, 150);
	report_of(&f, 2, HW_MS(250), &report);
	assert_int_equal(report.highest_seq, 49);
	assert_int_equal(report.received, 50);
	assert_int_equal(f.rx.packets, 200);
	assert_near(hw_path_rx_loss(&f.rx, HW_MS(250)), 0, 0);
	/* Two rekeys later, the first session is history: its packets are not measured. */
	assert_true(arrive(&f, 3, 0, HW_MS(300), HW_MS(310)));
	assert_false(arrive(&f, 1, 150, HW_MS(300), HW_MS(310)));
	assert_false(hw_path_rx_report(&f.rx, 1, false, HW_MS(310), &report));
}

static void reported_loss_survives_a_rekey(void **state)
{
	struct flow f;
	struct hw_path_tx tx;
	struct hw_rng rng;
	struct hw_control_report_path report;
	double mean = 0;
	unsigned count = 0;

	(void)state;
	hw_rng_init(&rng, 5);
	flow_init(&f, 0);
	hw_path_tx_init(&tx);
	assert_near(tx.loss, -1, 0);
	assert_near(hw_path_tx_rate_Bps(&tx, 0), -1, 0);
	for (unsigned i = 0; i < 30000;
	     i++) { /* 30 s, 1000/s, a report each 50 ms, a rekey each 10 s */
		uint32_t generation = 1 + i / 10000;
		hw_time sent = HW_MS(i);
		uint16_t sequence = hw_path_tx_next(&tx, generation, 1000);

		assert_int_equal(sequence, i % 10000);
		if (i % 10000 == 0 || hw_rng_below(&rng, 100) >= 5)
			assert_true(arrive(&f, generation, sequence, sent, sent + HW_MS(20)));
		if (i % 50 != 49)
			continue;
		report_of(&f, generation, sent + HW_MS(20), &report);
		assert_true(hw_path_tx_reported(&tx, generation, &report, sent + HW_MS(40)));
		assert_false(hw_path_tx_reported(&tx, generation, &report, sent + HW_MS(40)));
		if (i < 2000)
			continue;
		assert_near(tx.loss, 0.05, 0.025); /* 4 sigma over some 2000 packets */
		mean += tx.loss;
		count++;
	}
	assert_near(mean / count, 0.05, 0.005);
	assert_near(hw_path_tx_rate_Bps(&tx, HW_S(30)), 0.95e6, 0.05e6);
	assert_near(hw_path_tx_rate_Bps(&tx, HW_S(33)), 0, 0);
	assert_int_equal(tx.packets, 30000);
	assert_int_equal(tx.bytes, 30000000);
}

static void reported_loss_is_within_a_point_after_200_packets(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct flow f;
		struct hw_path_tx tx;
		struct hw_rng rng;
		struct hw_control_report_path report;
		unsigned lost = 0;

		hw_rng_init(&rng, seed);
		flow_init(&f, 0);
		hw_path_tx_init(&tx);
		for (unsigned i = 0; i <= 200; i++) {
			hw_time sent = HW_MS(2) * i;

			hw_path_tx_next(&tx, 1, 100);
			if (i > 0 && i < 200 && hw_rng_below(&rng, 100) < 5)
				lost++;
			else
				assert_true(arrive(&f, 1, i, sent, sent + HW_MS(20)));
			if (i % 20 != 0)
				continue;
			report_of(&f, 1, sent + HW_MS(20), &report);
			(void)hw_path_tx_reported(&tx, 1, &report, sent + HW_MS(40));
			if (i < 20)
				assert_near(tx.loss, -1, 0);
		}
		assert_near(tx.loss, lost / 200.0, 0.01);
	}
}

static void reports_that_fit_nothing_are_ignored(void **state)
{
	struct hw_path_tx tx;
	struct hw_control_report_path report = { .highest_seq = 9, .received = 10 };

	(void)state;
	hw_path_tx_init(&tx);
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0)); /* nothing was sent */
	for (unsigned i = 0; i < 10; i++) {
		hw_path_tx_next(&tx, 1, 100);
		hw_path_tx_data(&tx, 1);
	}
	assert_false(hw_path_tx_data_acked(&tx));
	assert_false(hw_path_tx_reported(&tx, 2, &report, 0)); /* a session that is not ours */
	assert_false(hw_path_tx_reported(&tx, 0, &report, 0));
	report.highest_seq = 10; /* never sent */
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0));
	report.highest_seq = 8;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_false(hw_path_tx_data_acked(&tx));
	report.highest_seq = 7; /* older than what is known */
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_int_equal(tx.current.acked, 8);
	report.highest_seq = 9;
	report.received = 9; /* counts never shrink */
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0));
	report.received = 11;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_true(hw_path_tx_data_acked(&tx));
	report.received = 12; /* a late packet: news, but nothing newer arrived */
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_int_equal(tx.current.their_received, 12);
	hw_path_tx_next(&tx, 1, 100); /* of control again */
	assert_true(hw_path_tx_data_acked(&tx));
	hw_path_tx_next(&tx, 2, 100);
	hw_path_tx_data(&tx, 2);
	assert_false(hw_path_tx_data_acked(&tx));
	hw_path_tx_next(&tx, 3, 100);
	assert_int_equal(hw_path_tx_next(&tx, 1, 100), 0); /* forgotten: not counted */
	assert_int_equal(tx.packets, 13);
}

/* What was sent before the data that lacks a report does not show that the data arrives. */
static void only_newer_packets_are_progress(void **state)
{
	struct hw_control_report_path report = { .highest_seq = 0, .received = 1 };
	struct hw_path_tx tx;

	(void)state;
	hw_path_tx_init(&tx);
	hw_path_tx_next(&tx, 1, 100);
	hw_path_tx_data(&tx, 1);
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_true(hw_path_tx_data_acked(&tx));
	hw_path_tx_next(&tx, 1, 50); /* 1: a probe */
	assert_true(hw_path_tx_data_acked(&tx));
	hw_path_tx_next(&tx, 1, 100); /* 2 and 3: data */
	hw_path_tx_data(&tx, 1);
	hw_path_tx_next(&tx, 1, 100);
	hw_path_tx_data(&tx, 1);
	report.highest_seq = 1;
	report.received = 2;
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0));
	report.highest_seq = 2;
	report.received = 3;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_false(hw_path_tx_data_acked(&tx));
	report.highest_seq = 3;
	report.received = 4;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_true(hw_path_tx_data_acked(&tx));
}

/* A probe amid data arrives, what was sent after it does not: no progress, however late it is told. */
static void a_probe_among_data_is_no_progress(void **state)
{
	struct hw_control_report_path report = { .highest_seq = 1, .received = 2 };
	struct hw_path_tx tx;

	(void)state;
	hw_path_tx_init(&tx);
	for (unsigned i = 0; i < 6; i++) {
		hw_path_tx_next(&tx, 1, 100);
		if (i != 2 && i != 3) /* probes */
			hw_path_tx_data(&tx, 1);
	}
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	report.highest_seq = 3;
	report.received = 4;
	assert_false(hw_path_tx_reported(&tx, 1, &report, 0));
	report.highest_seq = 4;
	report.received = 5;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	assert_false(hw_path_tx_data_acked(&tx));
	/* Beyond what is remembered, everything counts as data. */
	for (unsigned i = 6; i < 6 + 300; i++)
		hw_path_tx_next(&tx, 1, 100);
	hw_path_tx_data(&tx, 1);
	report.highest_seq = 5;
	report.received = 6;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
	report.highest_seq = 6;
	report.received = 7;
	assert_true(hw_path_tx_reported(&tx, 1, &report, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtt_of_a_constant_delay_is_that_delay),
		cmocka_unit_test(rtt_follows_a_step_and_forgets_the_minimum),
		cmocka_unit_test(delay_differences_are_exact_over_the_wrap),
		cmocka_unit_test(jitter_of_uniform_delay_is_a_third_of_its_width),
		cmocka_unit_test(constant_delay_has_no_jitter_and_a_step_restarts_after_silence),
		cmocka_unit_test(meter_knows_rate_and_idleness),
		cmocka_unit_test(loss_is_within_a_point_after_200_packets),
		cmocka_unit_test(loss_runs_true_over_wraps_of_sequence_and_time),
		cmocka_unit_test(reordered_packets_are_not_lost_and_copies_count_apart),
		cmocka_unit_test(replayed_stamps_are_measured_once),
		cmocka_unit_test(a_packet_too_late_for_the_window_is_not_measured),
		cmocka_unit_test(odd_stamps_need_a_successor),
		cmocka_unit_test(reports_speak_of_the_session_they_are_sealed_in),
		cmocka_unit_test(reported_loss_survives_a_rekey),
		cmocka_unit_test(reported_loss_is_within_a_point_after_200_packets),
		cmocka_unit_test(reports_that_fit_nothing_are_ignored),
		cmocka_unit_test(only_newer_packets_are_progress),
		cmocka_unit_test(a_probe_among_data_is_no_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
