/* Estimators of one path, and the suspicion that other paths raise, against inputs whose truth is known. */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "path/arrival.h"
#include "path/gap.h"
#include "path/order.h"
#include "path/queue.h"
#include "path/rate.h"
#include "path/runs.h"
#include "path/table.h"
#include "wire/control.h"

static void assert_near(double value, double truth, double tolerance)
{
	if (!(value >= truth - tolerance && value <= truth + tolerance))
		fail_msg("%g is not within %g of %g", value, tolerance, truth);
}

#define MS(ns) ((double)(ns) / 1e6)

/* ---- queueing delay ---- */

/* A path of 20 ms whose jitter only adds, clocks that drift by ppm; returns the worst error in ms. */
static double queue_error(double ppm, double jitter_ms, double queue_ms, hw_time gap, uint64_t seed)
{
	struct hw_queue queue;
	struct hw_rng rng;
	double worst = 0;

	hw_queue_init(&queue);
	hw_rng_init(&rng, seed);
	for (hw_time at = HW_S(1); at < HW_S(301); at += gap) {
		/* A queue for 2 s of every 20 s. */
		double truth = at / HW_S(2) % 10 == 5 ? queue_ms : 0;
		double delay = 20 + truth + hw_rng_unit(&rng) * jitter_ms +
			       (double)at / 1e6 * ppm * 1e-6;

		hw_queue_sample(&queue, (int64_t)(delay * 1e6) - (int64_t)HW_S(5000), at);

		double error = MS(hw_queue_delay_ns(&queue, at)) - truth;
		bool edge = at % HW_S(2) < HW_MS(60); /* a slot that saw both */

		if (!edge && fabs(error) > fabs(worst))
			worst = error;
	}
	return worst;
}

/* A queue of 100 ms that stands for 2 s costs 3.3 ms: the baseline has begun to believe in it. */
static void queueing_delay_is_true_in_spite_of_jitter_and_drift(void **state)
{
	static const struct {
		double ppm, jitter_ms;
		hw_time gap;
		double worst_ms; /* at most, either way */
	} cases[] = {
		{ 0, 0, HW_MS(2), 3.5 },   { 0, 5, HW_MS(2), 3.5 },    { 0, 5, HW_MS(20), 6 },
		{ 20, 0, HW_MS(2), 3.5 },  { -20, 0, HW_MS(2), 3.5 },  { 200, 0, HW_MS(2), 12.5 },
		{ -200, 0, HW_MS(2), 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double worst = 0;

		for (uint64_t seed = 1; seed <= 5; seed++) {
			double e = queue_error(cases[i].ppm, cases[i].jitter_ms, 100, cases[i].gap, seed);

			worst = fabs(e) > fabs(worst) ? e : worst;
		}
		print_message("# drift %.0f ppm, jitter %.0f ms, a packet each %.0f ms: worst %.2f ms\n",
			      cases[i].ppm, cases[i].jitter_ms, MS(cases[i].gap), worst);
		assert_near(worst, 0, cases[i].worst_ms);
	}
}

static void baseline_sinks_at_once_and_rises_slowly(void **state)
{
	struct hw_queue queue;
	hw_time at = HW_S(1);

	(void)state;
	hw_queue_init(&queue);
	assert_int_equal(hw_queue_delay_ns(&queue, at), -1);
	for (; at < HW_S(10); at += HW_MS(5))
		hw_queue_sample(&queue, HW_MS(50), at);
	assert_int_equal(hw_queue_delay_ns(&queue, at), 0);
	/* A route that is 30 ms shorter: known after three slots. */
	for (; at < HW_S(10) + HW_MS(80); at += HW_MS(5))
		hw_queue_sample(&queue, HW_MS(20), at);
	assert_near(MS(queue.baseline_ns), 20, 0.1);
	/* One that is 30 ms longer looks like a queue, less and less: after 60 s 1/e of it is left. */
	for (; at < HW_S(70); at += HW_MS(5))
		hw_queue_sample(&queue, HW_MS(50), at);
	assert_near(MS(hw_queue_delay_ns(&queue, at)), 30 * exp(-1), 0.5);
	/* After a pause of a minute the next packet sets the baseline. */
	at += HW_S(60);
	assert_int_equal(hw_queue_delay_ns(&queue, at), -1);
	hw_queue_sample(&queue, HW_MS(90), at);
	hw_queue_sample(&queue, HW_MS(90), at + HW_MS(20));
	hw_queue_sample(&queue, HW_MS(90), at + HW_MS(40));
	assert_near(MS(hw_queue_delay_ns(&queue, at + HW_MS(40))), 0, 0.1);
}

/* ---- gaps ---- */

static void gaps_have_the_mean_and_deviation_of_their_process(void **state)
{
	struct hw_rng rng;
	double mean[2] = { 0 }, deviation[2] = { 0 };
	enum { WARM = 200, COUNT = 20000 };

	(void)state;
	hw_rng_init(&rng, 5);
	for (int poisson = 0; poisson < 2; poisson++) {
		struct hw_gap gap = { 0 };
		hw_time at = HW_S(1);

		assert_false(hw_gap_flows(&gap, at));
		for (int i = 0; i < WARM + COUNT; i++) {
			at += poisson ? (hw_time)(-log(1 - hw_rng_unit(&rng)) * 1e7) : HW_MS(10);
			hw_gap_arrival(&gap, at);
			if (i < WARM)
				continue;
			mean[poisson] += MS(gap.mean_ns) / COUNT;
			deviation[poisson] += MS(gap.deviation_ns) / COUNT;
		}
		assert_true(hw_gap_flows(&gap, at + HW_MS(999)));
		assert_false(hw_gap_flows(&gap, at + HW_S(1)));
		hw_gap_arrival(&gap, at + HW_S(1)); /* a pause: all anew */
		assert_false(hw_gap_flows(&gap, at + HW_S(1)));
	}
	assert_near(mean[0], 10, 0.01);
	assert_near(deviation[0], 0, 0.01);
	assert_near(mean[1], 10, 0.2);
	/* Mean absolute deviation of the exponential: 2/e of its mean; some more around a moving mean. */
	assert_near(deviation[1], 20 / exp(1), 0.5);
}

/* ---- runs and order ---- */

static void runs_of_losses_are_counted_over_words(void **state)
{
	struct hw_runs runs = { 0 };

	(void)state;
	assert_near(hw_runs_mean(&runs, HW_S(1)), 0, 0);
	hw_runs_word(&runs, ~UINT64_C(0x0e01), HW_S(1));      /* 1 and 3 */
	hw_runs_word(&runs, ~(UINT64_C(3) << 62), HW_S(1));   /* 2, open */
	hw_runs_word(&runs, 0, HW_S(1));                      /* 64 more */
	assert_int_equal(hw_runs_longest(&runs, HW_S(1)), 3); /* it has no end yet */
	hw_runs_word(&runs, ~UINT64_C(1), HW_S(1));           /* and 1: 67 */
	assert_near(hw_runs_mean(&runs, HW_S(1)), (1 + 3 + 67) / 3.0, 1e-9);
	assert_int_equal(hw_runs_longest(&runs, HW_S(1)), 67);
	assert_int_equal(runs.histogram[0], 1);
	assert_int_equal(runs.histogram[1], 1);
	assert_int_equal(runs.histogram[6], 1);
	/* 30 s later it still counts, 60 s later no more; the histogram keeps it. */
	hw_runs_word(&runs, ~UINT64_C(1), HW_S(35));
	assert_int_equal(hw_runs_longest(&runs, HW_S(35)), 67);
	assert_near(hw_runs_mean(&runs, HW_S(35)), 72 / 4.0, 1e-9);
	assert_int_equal(hw_runs_longest(&runs, HW_S(66)), 1);
	assert_int_equal(hw_runs_longest(&runs, HW_S(96)), 0);
	assert_int_equal(runs.histogram[6], 1);
	for (int i = 0; i < 3000; i++)
		hw_runs_word(&runs, 0, HW_S(100));
	hw_runs_word(&runs, ~UINT64_C(0), HW_S(100));
	assert_int_equal(runs.histogram[HW_RUNS_BUCKETS - 1], 1);
}

struct flow {
	struct hw_path_rx rx;
	struct hw_owd_clock clock;
};

static bool arrive(struct flow *f, uint32_t sequence, hw_time sent, hw_time at)
{
	struct hw_path_stamp stamp = {
		.generation = 1, .sequence = (uint16_t)sequence, .send_tick = hw_owd_tick(sent),
		.data = true,    .bytes = 1000,                  .at = at,
	};

	return hw_path_rx_stamp(&f->rx, &f->clock, &stamp);
}

/* Gilbert's chain through the whole of path/rx.c, over the wrap of sequences, with reordering. */
static void runs_on_a_path_have_the_mean_of_their_chain(void **state)
{
	static struct flow f;

	(void)state;
	for (unsigned mean = 1; mean <= 20; mean += 3) {
		struct hw_rng rng;
		uint64_t runs = 0, lost = 0, histogram = 0;
		unsigned run = 0, longest = 0;
		bool bad = false;

		hw_rng_init(&rng, mean);
		hw_path_rx_init(&f.rx);
		hw_owd_clock_init(&f.clock);
		for (uint32_t i = 0; i < 100000; i++) {
			uint32_t n = i % 40 < 20 || i < 40 ? i : i ^ 3; /* order within fours is turned */

			if (i % 4 == 0)
				bad = i > 40 && hw_rng_unit(&rng) < (bad ? 1 - 1.0 / mean : 0.02);
			if (!bad) {
				assert_true(arrive(&f, n, HW_MS(n) / 4, HW_MS(i) / 4 + HW_MS(9)));
				if (run > 0) {
					runs++;
					lost += run;
					longest = run > longest ? run : longest;
				}
				run = 0;
			} else {
				run++;
			}
		}
		for (size_t i = 0; i < HW_RUNS_BUCKETS; i++)
			histogram += f.rx.runs.histogram[i];
		/* All but what is not settled yet. */
		assert_true(histogram <= runs && histogram + 3 >= runs);
		assert_near(hw_runs_mean(&f.rx.runs, HW_S(25)), (double)lost / (double)runs,
			    0.02 * (double)lost / (double)runs);
		assert_int_equal(hw_runs_longest(&f.rx.runs, HW_S(25)), longest);
	}
}

static void a_new_numbering_and_large_gaps_do_not_upset_the_runs(void **state)
{
	static struct flow f;

	(void)state;
	hw_path_rx_init(&f.rx);
	hw_owd_clock_init(&f.clock);
	for (uint32_t i = 0; i < 20000; i++)
		arrive(&f, i, HW_MS(i), HW_MS(i));
	for (uint32_t i = 0; i < 2000; i++) /* numbered anew: nothing is lost */
		arrive(&f, i, HW_MS(20000 + i), HW_MS(20000 + i));
	assert_int_equal(hw_runs_longest(&f.rx.runs, HW_MS(22000)), 0);
	for (uint32_t i = 32000; i < 34000; i++) /* 30000 lost, and the first: it was odd */
		arrive(&f, i, HW_MS(20000 + i), HW_MS(20000 + i));
	assert_int_equal(hw_runs_longest(&f.rx.runs, HW_MS(54000)), 30001);
	assert_int_equal(f.rx.runs.histogram[14], 1);
	/* To and fro, many times. */
	for (uint32_t i = 0; i < 200000; i++)
		arrive(&f, i * 30011u, HW_MS(60000 + i), HW_MS(60000 + i));
}

static void reordering_has_a_share_and_an_extent(void **state)
{
	struct hw_order order = { 0 };

	(void)state;
	assert_near(hw_order_share(&order, HW_S(1)), 0, 0);
	for (unsigned i = 0; i < 1000; i++)
		hw_order_packet(&order, i % 50 == 7 ? 1 + i / 100 : 0, HW_S(1));
	assert_near(hw_order_share(&order, HW_S(1)), 0.02, 1e-9);
	assert_int_equal(hw_order_extent(&order, HW_S(1)), 10);
	for (unsigned i = 0; i < 1000; i++)
		hw_order_packet(&order, 0, HW_S(40));
	assert_near(hw_order_share(&order, HW_S(40)), 0.01, 1e-9);
	for (unsigned i = 0; i < 1000; i++)
		hw_order_packet(&order, 0, HW_S(71));
	assert_int_equal(hw_order_extent(&order, HW_S(71)), 0);
	assert_near(hw_order_share(&order, HW_S(200)), 0, 0);
}

/* ---- the rate of a full path ---- */

/* A link of that rate, offered `load` times of it in packets of 1000 bytes; what is told after 10 s. */
static double full_rate(double rate_Bps, double load, double jitter_ms, uint64_t seed)
{
	struct hw_rate rate = { 0 };
	struct hw_queue queue;
	struct hw_rng rng;
	double free_at = 0, gap = 1000 / (rate_Bps * load);
	hw_time last = 0;

	hw_queue_init(&queue);
	hw_rng_init(&rng, seed);
	for (double sent = 1; sent < 11; sent += gap * 2 * hw_rng_unit(&rng)) {
		double start = free_at > sent ? free_at : sent, wait = start - sent;

		if (wait > 0.2)
			continue; /* the queue is full */
		free_at = start + 1000 / rate_Bps;

		hw_time at = (hw_time)((free_at + 0.02 + hw_rng_unit(&rng) * jitter_ms * 1e-3) * 1e9);

		at = hw_time_max(at, last); /* none overtakes another */
		last = at;
		hw_queue_sample(&queue, (int64_t)at - (int64_t)(sent * 1e9), at);
		hw_rate_packet(&rate, 1000, hw_queue_beyond(&queue, (int64_t)at - (int64_t)(sent * 1e9)),
			       (int64_t)(jitter_ms * 1e6 / 3), at);
	}
	assert_near(hw_rate_max_Bps(&rate, last + HW_S(20)), 0, 0);
	return hw_rate_max_Bps(&rate, last);
}

static void the_rate_of_a_full_path_is_known_within_a_tenth(void **state)
{
	static const double rates[] = { 12500, 125000, 1.25e6, 12.5e6 };
	static const double jitters[] = { 0, 2, 10 };

	(void)state;
	for (size_t r = 0; r < 4; r++)
		for (size_t j = 0; j < 3; j++)
			for (uint64_t seed = 1; seed <= 5; seed++)
				assert_near(full_rate(rates[r], 1.5, jitters[j], seed) / rates[r], 1, 0.1);
}

/* What is never full is not known; and what the sender leaves free is no rate of the path. */
static void an_idle_path_has_no_full_rate(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		assert_near(full_rate(1.25e6, 0.3, 2, seed), 0, 0);
		assert_near(full_rate(125000, 0.05, 0, seed), 0, 0);
	}
}

/* ---- silence that other paths show ---- */

static struct hw_path_table table;
static uint16_t sequences[3];

static void start_paths(unsigned count)
{
	hw_path_table_init(&table);
	table.end = table.count = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct hw_tuple tuple = { .link = i };
		const struct hw_path_link link = { .mtu_bytes = 1400 };

		hw_path_init(&table.paths[i], i, &tuple, &link, false, 0);
		sequences[i] = 0;
	}
}

struct packet {
	hw_time at, sent;
	uint32_t path;
	uint16_t sequence;
};

static int by_time(const void *a, const void *b)
{
	const struct packet *p = a, *q = b;

	return p->at < q->at ? -1 : p->at > q->at;
}

enum kind { STEADY, POISSON, BURSTS, VIDEO, ON_OFF, TRICKLE, KINDS };

static const char *const kind_names[] = { "steady 100/s", "random 200/s", "bursts of 20 each 100 ms",
					  "video 25 frames/s", "on and off", "trickle 5/s" };

/* The gap to the next packet. */
static hw_time next_gap(enum kind kind, unsigned i, struct hw_rng *rng)
{
	switch (kind) {
	case STEADY:
		return HW_MS(10);
	case POISSON:
		return (hw_time)(-log(1 - hw_rng_unit(rng)) * 5e6);
	case BURSTS:
		return i % 20 == 19 ? HW_MS(98) : HW_MS(2) / 20;
	case VIDEO: /* 2 to 20 packets in a frame */
		return hw_rng_below(rng, 10) == 0 ? HW_MS(30) + hw_rng_below(rng, HW_MS(20)) : HW_MS(1) / 5;
	case ON_OFF: /* 50 at 5 ms, then up to 3 s of nothing */
		return i % 50 == 49 ? hw_rng_below(rng, HW_S(3)) : HW_MS(5);
	case TRICKLE:
		return HW_MS(200);
	case KINDS:
		break;
	}
	return HW_S(1);
}

struct course {
	enum kind kind;
	unsigned paths;
	hw_time length;
	double loss, jitter_ms; /* of each path; jitter keeps the order */
	bool heavy;             /* jitter has a long tail: one packet in 100 takes up to 5 times as much */
	hw_time cut_at;         /* path 0 dies; HW_TIME_NEVER */
	uint64_t seed;
};

/* Runs a course; returns how many suspicions of silence, and of losses, were raised. */
static unsigned run_course(const struct course *c, unsigned *ret_lost, hw_time *ret_first)
{
	static const hw_time delays[] = { HW_MS(20), HW_MS(90), HW_MS(35) };
	static struct packet packets[3 * 400000];
	hw_time last[3] = { 0 };
	struct hw_rng rng;
	size_t count = 0;
	unsigned silent = 0, was_silent[3] = { 0 };

	hw_rng_init(&rng, c->seed);
	start_paths(c->paths);
	for (hw_time sent = HW_S(100), i = 0; sent < HW_S(100) + c->length && count < 1199990;
	     sent += next_gap(c->kind, (unsigned)i++, &rng))
		for (uint32_t p = 0; p < c->paths; p++) {
			double jitter = hw_rng_unit(&rng) * c->jitter_ms;
			uint16_t sequence = sequences[p]++;

			if (c->heavy && hw_rng_below(&rng, 100) == 0)
				jitter *= 5;
			if (hw_rng_unit(&rng) < c->loss || (p == 0 && sent >= c->cut_at))
				continue;
			last[p] = hw_time_max(last[p], sent + delays[p] + (hw_time)(jitter * 1e6));
			packets[count++] = (struct packet){ last[p], sent, p, sequence };
		}
	qsort(packets, count, sizeof(packets[0]), by_time);
	*ret_lost = 0;
	*ret_first = HW_TIME_NEVER;
	for (size_t i = 0; i < count; i++) {
		struct hw_path *path = &table.paths[packets[i].path];
		struct hw_path_stamp stamp = {
			.generation = 1, .sequence = packets[i].sequence,
			.send_tick = hw_owd_tick(packets[i].sent),
			.data = true, .bytes = 1000, .at = packets[i].at,
		};
		bool trouble;

		assert_true(hw_path_arrival(&table, path, &stamp, &trouble));
		if (path->rx.trouble == HW_PATH_TROUBLE_LOST) {
			(*ret_lost)++;
			path->rx.trouble = HW_PATH_TROUBLE_NONE; /* told */
		}
		for (uint32_t p = 0; p < c->paths; p++) {
			bool is = table.paths[p].rx.trouble == HW_PATH_TROUBLE_SILENT;

			if (is && !was_silent[p]) {
				silent++;
				assert_true(trouble);
				if (p == 0 && *ret_first == HW_TIME_NEVER && packets[i].at > c->cut_at)
					*ret_first = packets[i].at;
			}
			was_silent[p] = is;
		}
	}
	return silent;
}

/*
 * Three paths of 20, 90 and 35 ms with jitter of up to 10 ms, alive all the time: 10 minutes of each
 * are 30 minutes of path. With a tail, one packet in 100 takes up to 50 ms longer, and all behind it.
 */
static void live_paths_are_rarely_suspected(void **state)
{
	static const double losses[] = { 0, 0.01, 0.05 };

	(void)state;
	for (enum kind kind = STEADY; kind < KINDS; kind++) {
		for (int i = 0; i < 6; i++) {
			unsigned silent = 0, lost = 0, all_lost = 0;
			hw_time first;

			for (uint64_t seed = 1; seed <= 2; seed++) {
				const struct course c = {
					.kind = kind,         .paths = 3,
					.length = HW_S(300),  .loss = losses[i % 3],
					.jitter_ms = 10,      .heavy = i >= 3,
					.cut_at = HW_TIME_NEVER, .seed = seed,
				};

				silent += run_course(&c, &lost, &first);
				all_lost += lost;
			}
			print_message("# %s, loss %.0f %%%s: silent %u, three lost %u\n", kind_names[kind],
				      losses[i % 3] * 100, i >= 3 ? ", stalls" : "", silent, all_lost);
			assert_in_range(silent, 0, i >= 3 ? 90 : 2);
			if (i % 3 == 0)
				assert_int_equal(all_lost, 0);
		}
	}
}

static void a_path_that_dies_is_suspected_soon(void **state)
{
	/* From the first packet that does not come: three of them, and four deviations. */
	static const double most_ms[KINDS] = { 60, 80, 260, 200, 0, 700 };

	(void)state;
	for (enum kind kind = STEADY; kind < KINDS; kind++) {
		double worst = 0, mean = 0;

		if (kind == ON_OFF)
			continue; /* where it dies in a pause of more than a second, this side cannot know */
		for (uint64_t seed = 1; seed <= 20; seed++) {
			const struct course c = {
				.kind = kind,       .paths = 3,
				.length = HW_S(30), .jitter_ms = 5,
				.cut_at = HW_S(120) + HW_MS(7) * seed, .seed = seed,
			};
			unsigned lost;
			hw_time first;

			(void)run_course(&c, &lost, &first);
			assert_true(first != HW_TIME_NEVER);
			worst = fmax(worst, MS(first - c.cut_at) - 20);
			mean += (MS(first - c.cut_at) - 20) / 20;
		}
		print_message("# %s: suspected after %.0f ms, at most %.0f\n", kind_names[kind], mean,
			      worst);
		assert_in_range(worst, 0, most_ms[kind]);
	}
}

/* A flow that ends, and one whose sender moves on to another path: the first raises nothing. */
static void the_end_of_a_flow_is_no_silence(void **state)
{
	(void)state;
	for (enum kind kind = STEADY; kind < KINDS; kind++) {
		const struct course c = { .kind = kind, .paths = 3, .length = HW_S(20), .jitter_ms = 5,
					  .cut_at = HW_TIME_NEVER, .seed = 9 };
		unsigned lost;
		hw_time first;

		assert_int_equal(run_course(&c, &lost, &first), 0);
		for (uint32_t p = 0; p < 3; p++)
			assert_int_equal(table.paths[p].rx.trouble, HW_PATH_TROUBLE_NONE);
	}
}

/* Three missing in a row are told at once; where packets overtake each other, not before more are. */
static void three_lost_in_a_row_are_trouble(void **state)
{
	static struct flow f;

	(void)state;
	hw_path_rx_init(&f.rx);
	hw_owd_clock_init(&f.clock);
	for (uint32_t i = 0; i < 100; i++)
		arrive(&f, i, HW_MS(i), HW_MS(i));
	arrive(&f, 102, HW_MS(102), HW_MS(102)); /* two */
	assert_int_equal(f.rx.trouble, HW_PATH_TROUBLE_NONE);
	arrive(&f, 106, HW_MS(106), HW_MS(106)); /* three */
	assert_int_equal(f.rx.trouble, HW_PATH_TROUBLE_LOST);
	hw_path_rx_told(&f.rx, false, HW_MS(107));
	assert_int_equal(f.rx.trouble, HW_PATH_TROUBLE_NONE);
	arrive(&f, 99, HW_MS(99), HW_MS(107)); /* seen before */
	arrive(&f, 101, HW_MS(101), HW_MS(107));
	assert_int_equal(f.rx.order.current.extent, 5);
	arrive(&f, 112, HW_MS(112), HW_MS(112)); /* five, and it reorders by five */
	assert_int_equal(f.rx.trouble, HW_PATH_TROUBLE_NONE);
	arrive(&f, 119, HW_MS(119), HW_MS(119)); /* six */
	assert_int_equal(f.rx.trouble, HW_PATH_TROUBLE_LOST);
}

/* ---- loss by reports, over three spans ---- */

static void loss_over_1_10_and_60_seconds(void **state)
{
	static struct hw_path_tx tx;
	static struct flow f;

	(void)state;
	hw_path_tx_init(&tx);
	hw_path_rx_init(&f.rx);
	hw_owd_clock_init(&f.clock);
	assert_near(hw_path_tx_loss(&tx, 1, 0), -1, 0);
	/* 100 packets a second: every second one lost in 0..50 s, every tenth until 59 s, then none. */
	for (uint32_t i = 0; i < 6100; i++) {
		hw_time sent = HW_S(1000) + HW_MS(10) * i;
		struct hw_control_report_path report;
		bool lost = i < 5000 ? i % 2 == 1 : i < 5900 && i % 10 == 1;

		hw_path_tx_next(&tx, 1, 1000);
		if (!lost)
			assert_true(arrive(&f, i, sent, sent + HW_MS(30)));
		if (i % 2 == 0) {
			assert_true(hw_path_rx_report(&f.rx, 1, false, sent, &report));
			(void)hw_path_tx_reported(&tx, 1, &report, sent + HW_MS(60));
		}
	}
	/* At 61 s: the last second has none, of the last 10 (and the running slot) 8.1 had a tenth. */
	hw_time now = HW_S(1061);

	for (int way = 0; way < 2; way++) {
		double l1 = way ? hw_path_tx_loss(&tx, 1, now) : hw_path_rx_loss_over(&f.rx, 1, now);
		double l10 = way ? hw_path_tx_loss(&tx, 10, now) : hw_path_rx_loss_over(&f.rx, 10, now);
		double l60 = way ? hw_path_tx_loss(&tx, 60, now) : hw_path_rx_loss_over(&f.rx, 60, now);

		assert_near(l1, 0, 0.001);
		assert_near(l10, 0.1 * 8 / 10, 0.01);
		assert_near(l60, (48 * 0.5 + 9 * 0.1) / 59, 0.01);
	}
	assert_near(hw_path_tx_loss(&tx, 60, HW_S(1130)), -1, 0);
	assert_near(hw_path_rx_loss_over(&f.rx, 60, HW_S(1130)), -1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queueing_delay_is_true_in_spite_of_jitter_and_drift),
		cmocka_unit_test(baseline_sinks_at_once_and_rises_slowly),
		cmocka_unit_test(gaps_have_the_mean_and_deviation_of_their_process),
		cmocka_unit_test(runs_of_losses_are_counted_over_words),
		cmocka_unit_test(runs_on_a_path_have_the_mean_of_their_chain),
		cmocka_unit_test(a_new_numbering_and_large_gaps_do_not_upset_the_runs),
		cmocka_unit_test(reordering_has_a_share_and_an_extent),
		cmocka_unit_test(the_rate_of_a_full_path_is_known_within_a_tenth),
		cmocka_unit_test(an_idle_path_has_no_full_rate),
		cmocka_unit_test(live_paths_are_rarely_suspected),
		cmocka_unit_test(a_path_that_dies_is_suspected_soon),
		cmocka_unit_test(the_end_of_a_flow_is_no_silence),
		cmocka_unit_test(three_lost_in_a_row_are_trouble),
		cmocka_unit_test(loss_over_1_10_and_60_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
