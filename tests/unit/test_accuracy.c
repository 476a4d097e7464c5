/*
 * What the core says of its paths, beside the truth, in simulation over link models: round trip, delay
 * differences, loss and rates. docs/measurement.md shows the numbers. With capacity traces as arguments
 * (Mahimahi's format) only their rates are measured and printed.
 */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"
#include "sim/trace.h"

static struct rig rig;
static struct hw_peer_snapshot snapshot[2];

#define MS(ns) ((double)(ns) / 1e6)
#define OUTER_BYTES 28

/* The worst of many samples of one figure, and how many there were. */
struct worst {
	double absolute, relative; /* of the worst by the bound: what is over 5 % and over 1 ms */
	unsigned samples, beyond;
};

static void compare_ms(struct worst *w, double value, double truth)
{
	double error = fabs(value - truth), share = truth > 0 ? error / truth : 1;

	w->samples++;
	if (error > w->absolute)
		w->absolute = error;
	if (share > w->relative)
		w->relative = share;
	if (error > 1 && share > 0.05)
		w->beyond++;
}

static struct hw_link_params fixed(double delay_ms, double jitter_ms, double loss)
{
	return (struct hw_link_params){ .delay_ns = (hw_time)(delay_ms * 1e6),
					.jitter_ns = (hw_time)(jitter_ms * 1e6),
					.loss = loss };
}

static void round_trips_and_delay_differences_are_true(void **state)
{
	/* Towards the hub, and back; the fastest one is not the same both ways. */
	static const double delay[3][2] = { { 20, 30 }, { 60, 45 }, { 23, 22 } };
	static const double jitter[3] = { 0.5, 2, 1 };
	struct worst rtt = { 0 }, difference = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct hw_link_params params[3][2];

		for (int i = 0; i < 3; i++)
			for (int w = 0; w < 2; w++)
				params[i][w] = fixed(delay[i][w], jitter[i], 0.01);
		rig_init(&rig, seed, 3, params);
		rig.drift_ppm = (double)seed * 20 - 60;
		rig_send(&rig, 0, 200, 160000);
		rig_send(&rig, 1, 200, 160000);
		rig_run(&rig, HW_S(20));
		for (unsigned s = 0; s < 60; s++) {
			rig_run(&rig, rig.now + HW_S(1));
			for (int n = 0; n < 2; n++) {
				rig_snapshot(&rig, n, &snapshot[n]);
				for (uint32_t i = 0; i < 3; i++) {
					const struct hw_path_snapshot *p = rig_path(&snapshot[n], i);
					double out = delay[i][n] - (n == 0 ? 20 : 22);
					double in = delay[i][1 - n] - (n == 0 ? 22 : 20);

					compare_ms(&rtt, MS(p->rtt_ns), delay[i][0] + delay[i][1]);
					compare_ms(&difference, MS(p->tx.excess_ns), out);
					compare_ms(&difference, MS(p->rx.excess_ns), in);
				}
			}
		}
		rig_fini(&rig);
	}
	print_message("# round trip: %u samples, worst error %.2f ms, %.1f %%; beyond 5 %% and 1 ms: %u\n",
		      rtt.samples, rtt.absolute, rtt.relative * 100, rtt.beyond);
	print_message("# delay difference: %u samples, worst error %.2f ms; beyond 5 %% and 1 ms: %u\n",
		      difference.samples, difference.absolute, difference.beyond);
	assert_int_equal(rtt.beyond, 0);
	assert_int_equal(difference.beyond, 0);
}

/* What that way lost of what was due to arrive between two times. */
static double lost_between(const struct rig_way *way, hw_time from, hw_time to, hw_time delay)
{
	uint64_t a = from / HW_NS_PER_MS, b = to / HW_NS_PER_MS, d = delay / HW_NS_PER_MS;
	double offered = (double)(way->offered[b - d] - way->offered[a - d]);

	return offered > 0 ? 1 - (double)(way->arrived[b] - way->arrived[a]) / offered : 0;
}

/*
 * Figures over 1 s (some 300 packets with control), 10 s and a minute, both ways. A run of lost packets
 * shows when the next one comes, so a second that ends in one is wrong by that run.
 */
static void loss_is_within_a_point(void **state)
{
	static const unsigned spans[] = { 1, 10, 60 };
	double worst[2][2][3] = { { { 0 } } }; /* independent, in runs; received, sent */
	unsigned samples = 0, beyond[2] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct hw_link_params params[3][2];

		for (int w = 0; w < 2; w++) {
			params[0][w] = fixed(20, 1, 0.005);
			params[1][w] = fixed(50, 1, 0.1);
			params[2][w] = fixed(30, 1, 0);
			params[2][w].bursts = hw_link_bursts_of(0.03, 5);
		}
		rig_init(&rig, seed, 3, params);
		rig_send(&rig, 0, 200, 320000);
		rig_send(&rig, 1, 200, 320000);
		rig_run(&rig, HW_S(62));
		for (unsigned s = 0; s < 120; s++) {
			rig_run(&rig, rig.now + HW_MS(517));
			for (int n = 0; n < 2; n++) {
				rig_snapshot(&rig, n, &snapshot[n]);
				for (uint32_t i = 0; i < 3; i++) {
					const struct hw_path_snapshot *p = rig_path(&snapshot[n], i);
					hw_time delay = params[i][0].delay_ns;

					for (int k = 0; k < 3; k++) {
						double rx = k == 0   ? p->rx.loss_1s
							    : k == 1 ? p->rx.loss_10s
								     : p->rx.loss_60s;
						double tx = k == 0   ? p->tx.loss_1s
							    : k == 1 ? p->tx.loss_10s
								     : p->tx.loss_60s;
						hw_time grid = k == 2 ? HW_S(1) : HW_MS(100);
						hw_time back = k == 0   ? HW_S(1)
							       : k == 1 ? HW_MS(9900)
									: HW_S(59);
						hw_time from = rig.now / grid * grid - back;

						rx -= lost_between(&rig.way[1 - n][i], from, rig.now, delay);
						/* A report takes 10 ms to be due, and the fastest way back. */
						hw_time late = HW_MS(30);

						tx -= lost_between(&rig.way[n][i], from - late, rig.now - late,
								   delay);
						worst[i == 2][0][k] = fmax(worst[i == 2][0][k], fabs(rx));
						worst[i == 2][1][k] = fmax(worst[i == 2][1][k], fabs(tx));
						if (k == 0 && i != 2) {
							samples++;
							beyond[0] += fabs(rx) > 0.01;
							beyond[1] += fabs(tx) > 0.01;
						}
					}
				}
			}
		}
		rig_fini(&rig);
	}
	for (int runs = 0; runs < 2; runs++)
		for (int k = 0; k < 3; k++)
			print_message("# %s loss over %u s: worst error %.2f points where received, %.2f "
				      "where sent\n",
				      runs ? "3 % in runs of 5:" : "independent", spans[k],
				      worst[runs][0][k] * 100, worst[runs][1][k] * 100);
	print_message("# of %u samples over 1 s %u and %u were wrong by more than a point\n", samples,
		      beyond[0], beyond[1]);
	for (int way = 0; way < 2; way++) {
		assert_true(beyond[way] <= samples / 66);
		assert_true(worst[0][way][0] <= 0.03);
		for (int k = 1; k < 3; k++)
			assert_true(worst[0][way][k] <= 0.005);
		/* A run of 20 at either end of 2,500 packets. */
		assert_true(worst[1][way][1] <= 0.02);
		assert_true(worst[1][way][2] <= 0.005);
	}
}

/* ---- rates ---- */

static void compare_rate(struct worst *w, double value, double truth)
{
	double share = truth > 0 ? fabs(value / truth - 1) : value > 0;

	w->samples++;
	w->relative = fmax(w->relative, share);
	w->beyond += share > 0.1;
}

/* UDP payload that crossed that way between two times, in bytes/s. */
static double carried_between(const struct rig_way *way, hw_time from, hw_time to)
{
	uint64_t a = from / HW_NS_PER_MS, b = to / HW_NS_PER_MS;
	uint64_t packets = way->packets[b] - way->packets[a];

	return (double)(way->passed[b] - way->passed[a] - packets * OUTER_BYTES) /
	       ((double)(to - from) / 1e9);
}

static void rates_of_saturated_links_are_true(void **state)
{
	static const double rates[] = { 0.5e6, 2e6, 10e6, 50e6 };

	(void)state;
	for (size_t r = 0; r < 4; r++) {
		struct hw_link_params params[1][2] = { { fixed(30, 0, 0), fixed(30, 0, 0) } };
		struct worst received = { 0 }, reported = { 0 }, full = { 0 };

		params[0][0].rate_bps = (uint64_t)rates[r];
		params[0][0].queue_bytes = (uint64_t)(rates[r] / 8 * 0.2) + 6000;
		rig_init(&rig, r + 1, 1, params);
		rig_run(&rig, HW_S(3));
		rig_send(&rig, 0, 1200, rates[r] * 1.3);
		rig_run(&rig, HW_S(6));
		for (unsigned s = 0; s < 20; s++) {
			/* The link takes IP packets of 1200 + 32 + 28 bytes. */
			double truth = rates[r] / 8 * 1232 / 1260;
			const struct hw_path_snapshot *p;

			rig_run(&rig, rig.now + HW_S(1));
			rig_snapshot(&rig, 1, &snapshot[1]);
			rig_snapshot(&rig, 0, &snapshot[0]);
			compare_rate(&received, rig_path(&snapshot[1], 0)->rate_rx_Bps, truth);
			compare_rate(&full, rig_path(&snapshot[1], 0)->rx.rate_max_Bps, truth);
			p = rig_path(&snapshot[0], 0);
			compare_rate(&reported, p->rate_tx_Bps, truth);
			compare_rate(&full, p->tx.rate_max_Bps, truth);
			assert_true(p->tx.queue_ns > (int64_t)HW_MS(50));
		}
		print_message("# %4.1f Mbit/s: worst error %.1f %% where received, %.1f %% where sent, "
			      "%.1f %% of the full rate\n",
			      rates[r] / 1e6, received.relative * 100, reported.relative * 100,
			      full.relative * 100);
		assert_int_equal(received.beyond + reported.beyond + full.beyond, 0);
		rig_fini(&rig);
	}
}

/* A link that plays a trace, offered more than it takes; every 250 ms the rate of the last second. */
static void measure_trace(const struct hw_capacity_trace *trace, const char *name, hw_time length,
			  struct worst *ret)
{
	double mean = hw_capacity_trace_rate_bps(trace), most = 0, least = 1e12;
	struct hw_link_params params[1][2] = { { fixed(20, 0, 0), fixed(20, 0, 0) } };
	unsigned mute = 0;

	params[0][0].capacity = trace;
	params[0][0].queue_bytes = (uint64_t)(mean / 8 * 0.5) + 20000;
	*ret = (struct worst){ 0 };
	rig_init(&rig, 1, 1, params);
	rig_run(&rig, HW_S(3));
	rig_send(&rig, 0, 1200, mean * 4);
	rig_run(&rig, HW_S(6));
	while (rig.now < length) {
		rig_run(&rig, rig.now + HW_MS(250));
		rig_snapshot(&rig, 1, &snapshot[1]);

		/* What the receiver averages over: ten whole slots and the running one. */
		hw_time from = rig.now / HW_MS(100) * HW_MS(100) - HW_S(1);
		double truth = carried_between(&rig.way[0][0], from - HW_MS(20), rig.now - HW_MS(20));

		if (truth < 20 * 1232) { /* of few packets one more or less is too much */
			mute++;
			continue;
		}
		compare_rate(ret, rig_path(&snapshot[1], 0)->rate_rx_Bps, truth);
		most = fmax(most, truth);
		least = fmin(least, truth);
	}
	print_message("# %s: %.2f to %.1f Mbit/s: %u samples, worst error %.1f %%, beyond 10 %%: %u; too "
		      "slow to say: %u\n",
		      name, least * 8e-6, most * 8e-6, ret->samples, ret->relative * 100, ret->beyond, mute);
	rig_fini(&rig);
}

/*
 * Like a cellular link: the rate jumps by up to ten times up or down each 0.2 to 1.5 s between 0.3 and
 * 30 Mbit/s, and now and then nothing crosses for up to half a second.
 */
static void make_trace(uint64_t seed, struct hw_capacity_trace *ret)
{
	static char text[4u << 20];
	struct hw_rng rng;
	size_t len = 0, line;
	double rate = 5e6, due = 0;

	hw_rng_init(&rng, seed);
	for (unsigned ms = 0, until = 0; ms < 120000; ms++) {
		if (ms >= until) {
			until = ms + 200 + (unsigned)hw_rng_below(&rng, 1300);
			rate *= pow(10, 2 * hw_rng_unit(&rng) - 1);
			rate = fmin(fmax(rate, 0.3e6), 30e6);
			if (hw_rng_below(&rng, 20) == 0)
				ms += (unsigned)hw_rng_below(&rng, 500);
		}
		for (due += rate / 1000 / 12000; due >= 1; due--)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%u\n", ms + 1);
		assert_true(len < sizeof(text) - 10);
	}
	assert_int_equal(hw_capacity_trace_parse(text, len, ret, &line), 0);
}

static void rates_of_swinging_links_are_true(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct hw_capacity_trace trace;
		struct worst w;
		char name[32];

		make_trace(seed, &trace);
		snprintf(name, sizeof(name), "swings, seed %u", (unsigned)seed);
		measure_trace(&trace, name, HW_S(120), &w);
		assert_true(w.samples > 300);
		assert_int_equal(w.beyond, 0);
		hw_capacity_trace_fini(&trace);
	}
}

/* What the way back carries for the sake of reports: bytes of IP packets a second, all links together. */
static double report_bytes(uint32_t links, double rate, unsigned *ret_per_s)
{
	struct hw_link_params params[4][2];
	uint64_t bytes[2] = { 0 }, packets[2] = { 0 };

	for (uint32_t i = 0; i < links; i++)
		for (int w = 0; w < 2; w++)
			params[i][w] = fixed(20 + i, 0, 0);
	rig_init(&rig, 1, links, params);
	rig_send(&rig, 0, 100, rate * 800);
	for (int pass = 0; pass < 2; pass++) {
		rig_run(&rig, HW_S(3 + 4 * pass));
		for (uint32_t i = 0; i < links; i++) {
			const struct hw_link_stats *stats = hw_linkmodel_stats(rig.way[1][i].model);

			bytes[pass] += stats->passed_bytes;
			packets[pass] += stats->fates[HW_LINK_PASSED];
		}
	}
	rig_fini(&rig);
	*ret_per_s = (unsigned)((packets[1] - packets[0]) / 4);
	return (double)(bytes[1] - bytes[0]) / 4;
}

/* One way only, so the way back carries nothing but control: the figures of docs/measurement.md. */
static void reports_cost_what_is_written(void **state)
{
	static const struct {
		uint32_t links;
		double rate, most_Bps;
		unsigned least; /* packets a second: each report also on the second best path */
	} cases[] = {
		{ 1, 10, 1500, 10 },    { 2, 10, 3200, 20 },      { 1, 100, 5500, 50 },
		{ 2, 100, 13000, 98 },  { 3, 100, 15500, 98 },    { 2, 1000, 23000, 98 },
		{ 1, 10000, 12000, 95 }, { 2, 10000, 26000, 190 }, { 3, 10000, 31000, 190 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned packets;
		double bytes = report_bytes(cases[i].links, cases[i].rate, &packets);

		print_message("# %u links, %5.0f packets/s: %.0f bytes/s back in %u packets/s\n",
			      cases[i].links, cases[i].rate, bytes, packets);
		assert_true(bytes <= cases[i].most_Bps);
		assert_true(packets >= cases[i].least);
	}
}

/* ---- which paths fail together ---- */

/* Bad spells of one link: outages of 200 to 400 ms, some its own, some of both. */
static size_t spells(struct hw_rng *rng, double share, hw_time until, struct hw_link_outage *ret,
		     size_t room)
{
	double mean = 0.3, at = 10;
	size_t count = 0;

	while (count < room && at < (double)until / 1e9) {
		at += -log(1 - hw_rng_unit(rng)) * mean * (1 - share) / share;

		double length = 0.2 + 0.2 * hw_rng_unit(rng);

		ret[count++] = (struct hw_link_outage){ (hw_time)(at * 1e9), (hw_time)((at + length) * 1e9) };
		at += length;
	}
	return count;
}

static int by_start(const void *a, const void *b)
{
	const struct hw_link_outage *p = a, *q = b;

	return p->from < q->from ? -1 : p->from > q->from;
}

/*
 * Two links, each out for `share` of the time, both together `lift` times as often as by chance, for
 * five minutes; returns the verdict on what one node receives and on what the other sends.
 */
static void joint_run(uint64_t seed, double share, double lift, enum hw_joint_verdict ret[2],
		      struct hw_joint_figures *ret_rx)
{
	static struct hw_link_outage outages[3][2000], all[2][4000];
	struct hw_link_params params[2][2];
	struct hw_rng rng;
	double both = lift * share * share;
	double c = (both - share * share) / (1 - 2 * share + both);
	size_t count[3];

	hw_rng_init(&rng, seed);
	for (int i = 0; i < 3; i++) /* the third is common */
		count[i] = i == 2 && c < 1e-6
				   ? 0
				   : spells(&rng, i == 2 ? c : (share - c) / (1 - c), HW_S(310), outages[i], 2000);
	for (int i = 0; i < 2; i++) {
		params[i][0] = fixed(20 + 70 * i, 2, 0.01);
		params[i][1] = fixed(20 + 30 * i, 2, 0);
		memcpy(all[i], outages[i], count[i] * sizeof(all[i][0]));
		memcpy(all[i] + count[i], outages[2], count[2] * sizeof(all[i][0]));
		qsort(all[i], count[i] + count[2], sizeof(all[i][0]), by_start);
		params[i][0].outages = all[i];
		params[i][0].outage_count = count[i] + count[2];
	}
	rig_init(&rig, seed, 2, params);
	rig_send(&rig, 0, 200, 80000);
	rig_run(&rig, HW_S(310));
	for (int n = 0; n < 2; n++) {
		rig_snapshot(&rig, n, &snapshot[n]);
		assert_int_equal(snapshot[n].pair_count, 1);
	}
	*ret_rx = snapshot[1].pairs[0].rx;
	ret[0] = snapshot[1].pairs[0].rx.verdict;
	ret[1] = snapshot[0].pairs[0].tx.verdict;
	rig_fini(&rig);
}

static void joint_runs(unsigned seeds)
{
	static const char *const names[] = { "unknown", "independent", "together" };
	static const double lifts[] = { 1.0, 3.6 };

	for (int l = 0; l < 2; l++) {
		unsigned counts[2][3] = { { 0 } };
		double mean = 0;

		for (uint64_t seed = 1; seed <= seeds; seed++) {
			enum hw_joint_verdict verdict[2];
			struct hw_joint_figures f;

			joint_run(seed, 0.1, lifts[l], verdict, &f);
			mean += f.lift / seeds;
			for (int n = 0; n < 2; n++)
				counts[n][verdict[n]]++;
		}
		for (int n = 0; n < 2; n++)
			print_message("# lift %.1f, %s: %s %u, %s %u, %s %u; mean lift where received %.2f\n",
				      lifts[l], n == 0 ? "where received" : "where sent", names[0],
				      counts[n][0], names[1], counts[n][1], names[2], counts[n][2], mean);
		for (int n = 0; n < 2; n++)
			assert_int_equal(counts[n][l == 0 ? HW_JOINT_TOGETHER : HW_JOINT_INDEPENDENT], 0);
		for (int n = 0; n < 2; n++)
			assert_true(counts[n][l == 0 ? HW_JOINT_INDEPENDENT : HW_JOINT_TOGETHER] * 10 >=
				    seeds * 6);
	}
}

static void links_that_fail_together_are_known_in_five_minutes(void **state)
{
	(void)state;
	joint_runs(3);
}

static void measure_file(const char *file)
{
	static char text[8u << 20];
	struct hw_capacity_trace trace;
	struct worst w;
	FILE *in = fopen(file, "r");
	size_t len = in != NULL ? fread(text, 1, sizeof(text), in) : 0, line;

	if (in != NULL)
		fclose(in);
	if (hw_capacity_trace_parse(text, len, &trace, &line) < 0) {
		print_message("# %s: no trace\n", file);
		return;
	}
	measure_trace(&trace, file, HW_S(300), &w);
	hw_capacity_trace_fini(&trace);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips_and_delay_differences_are_true),
		cmocka_unit_test(loss_is_within_a_point),
		cmocka_unit_test(rates_of_saturated_links_are_true),
		cmocka_unit_test(rates_of_swinging_links_are_true),
		cmocka_unit_test(reports_cost_what_is_written),
		cmocka_unit_test(links_that_fail_together_are_known_in_five_minutes),
	};

	for (int i = 1; i < argc; i++)
		measure_file(argv[i]);
	return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
