/*
 * Surveys of links whose truth is known: capacity within 15 %, queue within 20 %, loss, shared
 * bottlenecks, and never more bytes than allowed.
 */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "shaped.h"
#include "survey/survey.h"

static struct shaped s;
static struct hw_survey *survey;
static struct hw_survey_config config;

static void set_up(uint64_t seed, uint32_t links)
{
	shaped_init(&s, seed, links);
	config = (struct hw_survey_config){ .patience = HW_TIME_NEVER };
	for (uint32_t i = 0; i < links; i++)
		config.links[i] = (struct hw_survey_link_config){ .used = true, .load = true,
								  .limit = 40000000 };
}

static void both_ways(uint32_t link, const struct hw_link_params *params)
{
	shaped_link(&s, link, SHAPED_UP, params);
	shaped_link(&s, link, SHAPED_DOWN, params);
}

static hw_time hook(void *ctx, hw_time now)
{
	(void)ctx;
	return hw_survey_tick(survey, now);
}

/* Starts both nodes and surveys; gives how long that took. */
static double run(void)
{
	hw_time began;

	s.hook = NULL;
	shaped_start(&s);
	began = s.now;
	assert_int_equal(hw_survey_new(s.node[SHAPED_CLIENT].core, &config, NULL, NULL, s.now,
				       &survey),
			 0);
	s.hook = hook;
	s.hook_at = s.now;
	while (s.hook_at != HW_TIME_NEVER && hw_time_since(s.now, began) < HW_S(200))
		shaped_run(&s, s.now + HW_MS(100));
	assert_true(s.hook_at == HW_TIME_NEVER);
	return (double)hw_time_since(s.now, began) / 1e9;
}

static void tear_down(void)
{
	hw_survey_free(survey);
	shaped_fini(&s);
}

static const struct hw_survey_link *link_result(uint32_t link)
{
	return &hw_survey_result(survey)->links[link];
}

static const char *mode_names[] = { "up", "down" };

static void expect_flow(uint32_t link, int way, double bps, double queue_s)
{
	const struct hw_survey_flow *flow = &link_result(link)->way[way];

	print_message("link %u %-4s %6.2f Mbit/s%s, queue %4.0f ms%s (truth %.2f, %.0f)\n", link,
		      mode_names[way], flow->capacity_bps / 1e6, flow->capacity_more ? "+" : "",
		      flow->queue_ns / 1e6, flow->queue_more ? "+" : "", bps / 1e6, queue_s * 1e3);
	assert_true(fabs(flow->capacity_bps / bps - 1) < 0.15);
	assert_false(flow->capacity_more);
	assert_true(fabs(flow->queue_ns / 1e9 / queue_s - 1) < 0.2);
}

/* Half a megabit to 300, queues from short to bloated, with and without loss, both ways. */
static void capacity_and_queue_are_the_links_own(void **state)
{
	static const struct {
		double mbit, queue_s, loss, delay_ms, jitter_ms;
	} truth[] = {
		{ 0.5, 1.8, 0, 40, 0 },	   { 0.5, 0.3, 0.02, 20, 5 }, { 2, 1.0, 0, 25, 2 },
		{ 5, 0.15, 0.05, 60, 10 }, { 10, 0.5, 0, 15, 0 },     { 20, 0.1, 0.01, 300, 3 },
		{ 50, 0.2, 0, 10, 1 },	   { 100, 0.05, 0, 5, 0 },    { 300, 0.05, 0, 3, 0 },
	};

	(void)state;
	for (uint32_t run_number = 0; run_number < 3 * sizeof(truth) / sizeof(truth[0]); run_number++) {
		uint32_t i = run_number / 3;
		double bps = truth[i].mbit * 1e6;
		const struct hw_link_params params = {
			.rate_bps = (uint64_t)bps,
			.queue_bytes = (uint64_t)(bps / 8 * truth[i].queue_s),
			.delay_ns = (hw_time)(truth[i].delay_ms * 1e6),
			.jitter_ns = (hw_time)(truth[i].jitter_ms * 1e6),
			.loss = truth[i].loss,
		};
		double took;

		set_up(run_number, 1);
		both_ways(0, &params);
		took = run();
		print_message("seed %u: %.1f s, %.1f MB\n", run_number, took, (double)link_result(0)->spent / 1e6);
		for (int way = 0; way < 2; way++) {
			expect_flow(0, way, bps, truth[i].queue_s);
			assert_true(fabs(link_result(0)->way[way].loss - truth[i].loss) < 0.06);
		}
		assert_true(link_result(0)->paths[0].rtt_median_ns / 1e6 >
			    2 * (truth[i].delay_ms - truth[i].jitter_ms));
		assert_true(link_result(0)->paths[0].rtt_median_ns / 1e6 <
			    2 * (truth[i].delay_ms + truth[i].jitter_ms) + 6);
		assert_true(took < 20);
		tear_down();
	}
}

/* Ways that differ are told apart. */
static void ways_are_measured_apart(void **state)
{
	(void)state;
	set_up(20, 1);
	shaped_link(&s, 0, SHAPED_UP,
		    &(struct hw_link_params){ .rate_bps = 1000000, .queue_bytes = 125000,
					      .delay_ns = HW_MS(20) });
	shaped_link(&s, 0, SHAPED_DOWN,
		    &(struct hw_link_params){ .rate_bps = 16000000, .queue_bytes = 200000,
					      .delay_ns = HW_MS(20), .loss = 0.1 });
	run();
	expect_flow(0, SHAPED_UP, 1e6, 1.0);
	expect_flow(0, SHAPED_DOWN, 16e6 * 0.9, 0.1);
	assert_true(link_result(0)->way[SHAPED_UP].loss == 0);
	assert_true(fabs(link_result(0)->way[SHAPED_DOWN].loss - 0.1) < 0.09);
	tear_down();
}

/* Three links: a bloated one, a lossy one, and one without limits: seen alone, judged alone. */
static void independent_links_show_no_common_bottleneck(void **state)
{
	const struct hw_survey_result *r;
	double took;

	(void)state;
	set_up(21, 3);
	both_ways(0, &(struct hw_link_params){ .rate_bps = 4000000, .queue_bytes = 250000,
					       .delay_ns = HW_MS(20) });
	both_ways(1, &(struct hw_link_params){ .rate_bps = 8000000, .queue_bytes = 250000,
					       .delay_ns = HW_MS(40), .loss = 0.03 });
	both_ways(2, &(struct hw_link_params){ .rate_bps = 3000000, .queue_bytes = 40000,
					       .delay_ns = HW_MS(10) });
	took = run();
	r = hw_survey_result(survey);
	assert_int_equal(r->pair_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		print_message("pair %u %u: %d\n", r->pairs[i].a, r->pairs[i].b, r->pairs[i].verdict);
		assert_int_equal(r->pairs[i].verdict, HW_SHARED_NO);
	}
	expect_flow(0, SHAPED_UP, 4e6, 0.5);
	expect_flow(2, SHAPED_DOWN, 3e6, 0.107);
	print_message("%.1f s\n", took);
	assert_true(took < 10 + 3 * 8);
	tear_down();
}

static void links_behind_one_line_are_found(void **state)
{
	const struct hw_survey_result *r;

	(void)state;
	set_up(22, 3);
	both_ways(0, &(struct hw_link_params){ .rate_bps = 6000000, .queue_bytes = 200000,
					       .delay_ns = HW_MS(20) });
	both_ways(1, &(struct hw_link_params){ .rate_bps = 5000000, .queue_bytes = 200000,
					       .delay_ns = HW_MS(20) });
	s.through[2] = 0;
	run();
	r = hw_survey_result(survey);
	assert_int_equal(r->pair_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		print_message("pair %u %u: %d\n", r->pairs[i].a, r->pairs[i].b, r->pairs[i].verdict);
		assert_int_equal(r->pairs[i].verdict,
				 r->pairs[i].a == 0 && r->pairs[i].b == 2 ? HW_SHARED_YES
									  : HW_SHARED_NO);
	}
	tear_down();
}

/* Satellites: answers come late, and nothing is begun before what is under way is over. */
static void far_links_are_surveyed_too(void **state)
{
	const struct hw_survey_result *r;

	(void)state;
	set_up(23, 2);
	for (uint32_t i = 0; i < 2; i++)
		both_ways(i, &(struct hw_link_params){ .rate_bps = 4000000 + 2000000 * i,
						       .queue_bytes = 150000,
						       .delay_ns = HW_MS(600) });
	run();
	r = hw_survey_result(survey);
	for (int way = 0; way < 2; way++) {
		expect_flow(0, way, 4e6, 0.3);
		expect_flow(1, way, 6e6, 0.2);
	}
	assert_int_equal(r->pairs[0].verdict, HW_SHARED_NO);
	tear_down();
}

static uint64_t bytes_of(uint32_t link)
{
	return s.way[link][SHAPED_UP].bytes[link] + s.way[link][SHAPED_DOWN].bytes[link];
}

/* With a limit the figures are rougher, but there; and no more is sent than that. */
static void a_limit_is_kept(void **state)
{
	static const struct {
		double mbit;
		uint64_t limit;
	} cases[] = { { 1, 1000000 }, { 10, 1000000 }, { 50, 1000000 }, { 20, 5000000 },
		      { 10, 200000 } };

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct hw_link_params params = {
			.rate_bps = (uint64_t)(cases[i].mbit * 1e6),
			.queue_bytes = (uint64_t)(cases[i].mbit * 1e6 / 8 * 0.02),
			.delay_ns = HW_MS(20),
		};

		set_up(30 + i, 2);
		config.links[0].limit = cases[i].limit;
		config.links[1].limit = 3000000;
		both_ways(0, &params);
		both_ways(1, &(struct hw_link_params){ .rate_bps = 5000000, .queue_bytes = 100000,
						       .delay_ns = HW_MS(20) });
		run();
		print_message("%.0f Mbit/s, at most %.1f MB: %.2f MB (it thinks %.2f), up %.2f Mbit/s, "
			      "down %.2f\n",
			      cases[i].mbit, (double)cases[i].limit / 1e6, (double)bytes_of(0) / 1e6,
			      (double)link_result(0)->spent / 1e6,
			      link_result(0)->way[0].capacity_bps / 1e6,
			      link_result(0)->way[1].capacity_bps / 1e6);
		assert_true(bytes_of(0) <= cases[i].limit + 30000);
		assert_true(bytes_of(1) <= 3000000 + 30000);
		if (cases[i].limit >= 1000000)
			for (int way = 0; way < 2; way++)
				assert_true(fabs(link_result(0)->way[way].capacity_bps / 1e6 /
						 cases[i].mbit - 1) < 0.15);
		tear_down();
	}
}

static void without_load_only_pings_go_out(void **state)
{
	(void)state;
	set_up(40, 2);
	config.links[0].load = config.links[1].load = false;
	assert_true(run() < 6);
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(bytes_of(i) < hw_survey_cost(&config.links[i]));
		assert_true(link_result(i)->way[0].capacity_bps < 0);
		assert_false(link_result(i)->way[0].loaded);
		assert_true(fabs(link_result(i)->paths[0].rtt_median_ns / 1e6 - 20) < 0.2);
	}
	assert_int_equal(hw_survey_result(survey)->pairs[0].verdict, HW_SHARED_UNKNOWN);
	tear_down();
}

/* A link that swallows everything, another that carries one way only. */
/* Packets that pass, each way; and loads are cut to what passes. */
static void packet_sizes_are_told(void **state)
{
	static const uint32_t sizes[][2] = { { 1500, 1420 }, { 1280, 1500 }, { 1000, 800 } };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		set_up(50 + i, 1);
		for (int way = 0; way < 2; way++)
			shaped_link(&s, 0, way,
				    &(struct hw_link_params){ .rate_bps = 5000000,
							      .queue_bytes = 60000,
							      .delay_ns = HW_MS(20),
							      .mtu_bytes = sizes[i][way] });
		run();
		for (int way = 0; way < 2; way++) {
			const struct hw_survey_flow *flow = &link_result(0)->way[way];

			print_message("%s: %u of %u bytes, %.2f Mbit/s\n", mode_names[way],
				      flow->packet_bytes, sizes[i][way], flow->capacity_bps / 1e6);
			assert_true(flow->packet_bytes <= sizes[i][way]);
			assert_true(flow->packet_bytes >= sizes[i][way] - 8);
			assert_true(fabs(flow->capacity_bps / 5e6 - 1) < 0.15);
		}
		tear_down();
	}
}

static void silent_links_are_told(void **state)
{
	(void)state;
	set_up(41, 3);
	both_ways(1, &(struct hw_link_params){ .down = true });
	shaped_link(&s, 2, SHAPED_DOWN, &(struct hw_link_params){ .down = true });
	run();
	assert_true(hw_survey_result(survey)->session);
	assert_int_equal(link_result(0)->best, 0);
	assert_int_equal(link_result(1)->best, -1);
	assert_int_equal(link_result(2)->best, -1);
	assert_false(link_result(1)->paths[0].answered);
	assert_int_equal(hw_survey_result(survey)->pair_count, 0);
	tear_down();
}

static void nobody_there_is_told_within_nine_seconds(void **state)
{
	(void)state;
	set_up(42, 2);
	both_ways(0, &(struct hw_link_params){ .down = true });
	both_ways(1, &(struct hw_link_params){ .down = true });
	assert_true(run() < 9);
	assert_false(hw_survey_result(survey)->session);
	tear_down();
}

static void without_links_it_is_over_at_once(void **state)
{
	(void)state;
	set_up(45, 1);
	config.links[0].used = false;
	assert_true(run() < 0.2);
	assert_int_equal(hw_survey_result(survey)->pair_count, 0);
	tear_down();
}

static void patience_and_stopping_keep_what_is_known(void **state)
{
	(void)state;
	set_up(43, 1);
	config.patience = HW_S(6);
	both_ways(0, &(struct hw_link_params){ .rate_bps = 2000000, .queue_bytes = 200000,
					       .delay_ns = HW_MS(20) });
	assert_true(run() < 6.2);
	assert_true(hw_survey_result(survey)->interrupted);
	assert_true(link_result(0)->paths[0].rtt_median_ns > 0);
	/* The end stays the end. */
	hw_survey_stop(survey, s.now);
	assert_true(hw_survey_tick(survey, s.now) == HW_TIME_NEVER);
	tear_down();
}

static void a_link_cut_in_the_middle_is_survived(void **state)
{
	(void)state;
	set_up(44, 2);
	both_ways(0, &(struct hw_link_params){ .rate_bps = 2000000, .queue_bytes = 200000,
					       .delay_ns = HW_MS(20) });
	shaped_start(&s);
	assert_int_equal(hw_survey_new(s.node[SHAPED_CLIENT].core, &config, NULL, NULL, s.now,
				       &survey),
			 0);
	s.hook = hook;
	s.hook_at = s.now;
	shaped_run(&s, s.now + HW_MS(5000)); /* in the first load */
	shaped_change(&s, 0, SHAPED_UP, &(struct hw_link_params){ .down = true });
	shaped_change(&s, 0, SHAPED_DOWN, &(struct hw_link_params){ .down = true });
	shaped_run(&s, s.now + HW_S(90));
	assert_true(s.hook_at == HW_TIME_NEVER);
	assert_true(link_result(0)->way[SHAPED_DOWN].state == HW_LOAD_FAILED ||
		    link_result(0)->way[SHAPED_DOWN].state == HW_LOAD_SILENT);
	assert_true(link_result(1)->way[SHAPED_DOWN].capacity_bps > 0);
	tear_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capacity_and_queue_are_the_links_own),
		cmocka_unit_test(ways_are_measured_apart),
		cmocka_unit_test(independent_links_show_no_common_bottleneck),
		cmocka_unit_test(links_behind_one_line_are_found),
		cmocka_unit_test(far_links_are_surveyed_too),
		cmocka_unit_test(a_limit_is_kept),
		cmocka_unit_test(without_load_only_pings_go_out),
		cmocka_unit_test(packet_sizes_are_told),
		cmocka_unit_test(silent_links_are_told),
		cmocka_unit_test(nobody_there_is_told_within_nine_seconds),
		cmocka_unit_test(without_links_it_is_over_at_once),
		cmocka_unit_test(patience_and_stopping_keep_what_is_known),
		cmocka_unit_test(a_link_cut_in_the_middle_is_survived),
	};

	return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
