/* What befalls simulated links: shared spells, flapping, addresses, marks, and strangers who relay. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "sim/attack.h"
#include "sim/net.h"
#include "sim/run.h"
#include "sim/scenario.h"
#include "sim/spell.h"
#include "sim/suite.h"
#include "sim/value.h"

#define SEED 20u

/* ---- spells ---- */

struct stage {
	struct hw_sim_engine engine;
	struct hw_sim_net net;
};

static void stage_init(struct stage *stage, uint32_t wires)
{
	static const struct hw_link_params perfect;
	struct hw_sim_net_owner owner = { 0 };

	hw_sim_engine_init(&stage->engine);
	hw_sim_net_init(&stage->net, &stage->engine, &owner);
	for (uint32_t i = 0; i < wires; i++) {
		struct hw_sim_wire_config wire = { .name = "wire",
						   .params = { &perfect, &perfect },
						   .mtu_bytes = 1500 };

		assert_int_equal(hw_sim_net_add(&stage->net, &wire, SEED), 0);
	}
}

static void stage_fini(struct stage *stage)
{
	hw_sim_net_fini(&stage->net);
	hw_sim_engine_fini(&stage->engine);
}

static double loss_of(const struct stage *stage, uint32_t wire, int way)
{
	return hw_linkmodel_params(stage->net.wires[wire].way[way].model)->loss;
}

/* Spells much longer than a slot, so that the slots show the share of the time. */
static void shared_spells_have_their_share_and_lift(void **state)
{
	static const double lifts[] = { 1, 3.6, 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(lifts) / sizeof(lifts[0]); i++) {
		struct hw_sim_joint_config config = { .links = 7,
						      .bad = 0.1,
						      .lift = lifts[i],
						      .mean = HW_S(10),
						      .loss = 1,
						      .ways = { true, true } };
		struct hw_sim_spells *spells;
		struct stage stage;

		assert_int_equal(hw_sim_joint_check(&config), 0);
		stage_init(&stage, 3);
		assert_int_equal(hw_sim_spells_new(&config, &stage.net, SEED, &spells), 0);
		hw_sim_run_until(&stage.engine, HW_S(1000000));

		struct hw_sim_spell_truth truth = hw_sim_spells_truth(spells);
		double n = (double)truth.slots, a = (double)truth.bad[0] / n,
		       b = (double)truth.bad[1] / n, lift = (double)truth.both / n / (a * b);

		assert_int_equal(truth.slots, 10000000);
		/* A slot that a spell's end cuts counts as bad: one of each spell's hundred. */
		assert_true(fabs(a - 0.101) < 0.005 && fabs(b - 0.101) < 0.005);
		if (fabs(lift / lifts[i] - 1) > 0.05)
			fail_msg("lift %g, to be %g", lift, lifts[i]);
		hw_sim_spells_free(spells);
		stage_fini(&stage);
	}
}

static void spells_that_cannot_be_are_refused(void **state)
{
	struct hw_sim_joint_config config = {
		.links = 3, .bad = 0.25, .lift = 4, .mean = HW_S(1), .loss = 1
	};

	(void)state;
	assert_int_equal(hw_sim_joint_check(&config), 0);
	config.lift = 4.1;
	assert_int_equal(hw_sim_joint_check(&config), HW_E_INVAL);
	config.lift = 0.9;
	assert_int_equal(hw_sim_joint_check(&config), HW_E_INVAL);
	config = (struct hw_sim_joint_config){ .links = 3, .bad = 1, .lift = 1, .mean = HW_S(1) };
	assert_int_equal(hw_sim_joint_check(&config), HW_E_INVAL);
	config.bad = 0.1;
	config.links = 0;
	assert_int_equal(hw_sim_joint_check(&config), HW_E_INVAL);
}

/* A spell lies over whatever parameters the link has or gets meanwhile, and leaves nothing behind. */
static void a_spell_lies_over_the_links_own_parameters(void **state)
{
	const struct hw_sim_spell spell = { .loss = 0.5, .delay = HW_MS(30) };
	struct hw_link_params params = { .loss = 0.2, .delay_ns = HW_MS(10) };
	struct stage stage;

	(void)state;
	stage_init(&stage, 1);
	hw_sim_net_spell(&stage.net, 0, HW_SIM_UP, &spell);
	assert_int_equal(hw_sim_net_change(&stage.net, 0, HW_SIM_UP, &params), 0);
	assert_int_equal(hw_sim_net_change(&stage.net, 0, HW_SIM_DOWN, &params), 0);
	assert_true(fabs(loss_of(&stage, 0, HW_SIM_UP) - 0.6) < 1e-12);
	assert_true(fabs(loss_of(&stage, 0, HW_SIM_DOWN) - 0.2) < 1e-12);
	assert_true(hw_linkmodel_params(stage.net.wires[0].way[0].model)->delay_ns == HW_MS(40));
	hw_sim_net_cut(&stage.net, 0, true);
	assert_true(hw_linkmodel_params(stage.net.wires[0].way[0].model)->down);
	hw_sim_net_spell(&stage.net, 0, HW_SIM_UP, NULL);
	assert_true(hw_linkmodel_params(stage.net.wires[0].way[0].model)->down);
	hw_sim_net_cut(&stage.net, 0, false);
	assert_true(fabs(loss_of(&stage, 0, HW_SIM_UP) - 0.2) < 1e-12);
	assert_true(hw_linkmodel_params(stage.net.wires[0].way[0].model)->delay_ns == HW_MS(10));
	stage_fini(&stage);
}

/* ---- whole runs ---- */

/* Runs the text and gives the value of what it expects first; the run must not break an invariant
 * unless `ret_failure` is there to tell. */
static double run_text(const char *text, uint64_t seed, char *ret_failure)
{
	struct hw_config_report report;
	struct hw_sim_scenario *scenario;
	struct hw_sim_result result = { 0 };

	if (hw_sim_scenario_parse(text, strlen(text), "test", &report, &scenario) < 0) {
		hw_config_report_print(&report, stderr);
		fail_msg("the scenario is wrong");
	}
	assert_int_equal(hw_sim_run(scenario, hw_sim_suite_find("null"), seed, &result), 0);
	if (ret_failure != NULL)
		snprintf(ret_failure, sizeof(result.failure), "%s", result.failure);
	else if (result.failed)
		fail_msg("%s", result.failure);

	double value = hw_sim_expect_value(scenario, &scenario->expects[0], &result);

	hw_sim_result_fini(&result);
	hw_sim_scenario_free(scenario);
	return value;
}

#define LINK "links:\n  - {name: one, both: {delay: 20ms}}\n"
#define TRAFFIC "traffic:\n  - {name: up, kind: constant, over: one, interval: 10ms, start: 0s}\n"

static void a_flapping_link_is_up_for_its_share(void **state)
{
	double lost = run_text(
		"duration: 10s\n" LINK TRAFFIC
		"events:\n  - {at: 2s, do: flap, link: one, hz: 5, share: 80%, until: 6s}\n"
		"expect:\n  - {of: up, value: lost, is: 80}\n",
		SEED, NULL);

	(void)state;
	/* 20 times 40 ms, with a packet each 10 ms; one at the very edge may fall either way. */
	assert_true(lost >= 80 && lost <= 100);
}

static void the_time_to_resume_counts_from_the_event(void **state)
{
	static const char text[] =
		"duration: 10s\n" LINK TRAFFIC "events:\n  - {at: 2005ms, do: cut, link: one}\n"
		"  - {at: 3003ms, do: restore, link: one}\nexpect:\n"
		"  - {of: up, value: %s, is: 0}\n";
	char filled[sizeof(text) + 20];

	(void)state;
	/* The next packet leaves at 3.010 s and arrives at 3.030 s. */
	snprintf(filled, sizeof(filled), text, "resume-ms");
	assert_true(run_text(filled, SEED, NULL) == 1025);
	snprintf(filled, sizeof(filled), text, "gap-ms");
	assert_true(run_text(filled, SEED, NULL) == 1010);
}

/* What never comes again counts until the end, else a dead link would look like one never hurt. */
static void traffic_that_never_resumes_counts_to_the_end(void **state)
{
	(void)state;
	assert_true(run_text("duration: 10s\n" LINK TRAFFIC "events:\n"
			     "  - {at: 4s, do: cut, link: one}\nexpect:\n"
			     "  - {of: up, value: resume-ms, is: 0}\n",
			     SEED, NULL) == 6000);
}

static void traffic_pauses(void **state)
{
	(void)state;
	/* Four times from 0, 3, 6 and 9 s on: 1 s of 100 packets each, the first and the last of it. */
	double sent = run_text("duration: 10s\n" LINK "traffic:\n"
			       "  - {name: up, kind: constant, over: one, interval: 10ms, "
			       "start: 0s, on: 1s, off: 2s}\n"
			       "expect:\n  - {of: up, value: sent, is: 0}\n",
			       SEED, NULL);

	assert_true(sent >= 395 && sent <= 410);
}

/* An event with a spread comes at another time in each run, within it. */
static void a_spread_event_moves_with_the_seed(void **state)
{
	double seen[3];

	(void)state;
	for (uint64_t seed = 0; seed < 3; seed++) {
		seen[seed] = run_text("duration: 10s\n" LINK TRAFFIC "events:\n"
				      "  - {at: 4s, spread: 4s, do: cut, link: one}\nexpect:\n"
				      "  - {of: up, value: lost, is: 0}\n",
				      seed, NULL);
		assert_true(seen[seed] >= 200 && seen[seed] <= 600);
	}
	assert_true(seen[0] != seen[1] && seen[1] != seen[2]);
}

static const char relayed[] = "duration: 10s\n" LINK "traffic:\n"
			      "  - {name: up, kind: constant, interval: 10ms}\n"
			      "attacks:\n  - {kind: relay, target: hub, delay: %s}\n"
			      "expect:\n  - {of: %s, value: %s, is: 0}\n";

static void relayed_copies_come_before_or_after(void **state)
{
	char text[sizeof(relayed) + 60];

	(void)state;
	for (int after = 0; after < 2; after++) {
		const char *delay = after ? "25ms" : "5ms";

		snprintf(text, sizeof(text), relayed, delay, "run", "attack-packets");
		assert_true(run_text(text, SEED, NULL) >= 800);
		snprintf(text, sizeof(text), relayed, delay, "up", "lost");
		assert_true(run_text(text, SEED, NULL) == 0);
		/* Copies that win the race are what is delivered. */
		snprintf(text, sizeof(text), relayed, delay, "up", "p50-ms");

		double p50 = run_text(text, SEED, NULL);

		assert_true(fabs(p50 - (after ? 20 : 5)) < 0.1);
	}
}

/* ---- an oracle that cannot fail would prove nothing ---- */

static void answers_beyond_three_times_are_noticed(void **state)
{
	const struct hw_sim_attack_config config = { .kind = HW_SIM_ATTACK_RELAY,
						     .target = HW_SIM_HUB,
						     .stop = HW_TIME_NEVER,
						     .sources = 1,
						     .share = 1 };
	struct hw_addr stranger = { .family = HW_FAMILY_IPV4, .ip = { 198, 19 }, .port = 1024 };
	static struct hw_sim_node nodes[2];
	const uint8_t data[300] = { 0 };
	struct hw_sim_attack *attack;
	struct stage stage;

	(void)state;
	stage_init(&stage, 1);
	nodes[0].engine = nodes[1].engine = &stage.engine;
	assert_int_equal(hw_sim_attack_new(&config, nodes, &stage.net, SEED, &attack), 0);
	hw_sim_attack_passing(attack, 0, data, 100);
	hw_sim_run_until(&stage.engine, HW_S(1)); /* nobody is there; it counts as come */
	assert_int_equal(attack->stats.sent_bytes, 100);
	assert_true(hw_sim_attack_answered(attack, HW_SIM_HUB, &stranger, data, 300));
	assert_false(stage.engine.failed);
	assert_true(hw_sim_attack_answered(attack, HW_SIM_HUB, &stranger, data, 1));
	assert_true(stage.engine.failed);
	stranger.ip[3] = 1; /* not one of his */
	assert_false(hw_sim_attack_answered(attack, HW_SIM_HUB, &stranger, data, 1));
	hw_sim_attack_free(attack);
	stage_fini(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_spells_have_their_share_and_lift),
		cmocka_unit_test(spells_that_cannot_be_are_refused),
		cmocka_unit_test(a_spell_lies_over_the_links_own_parameters),
		cmocka_unit_test(a_flapping_link_is_up_for_its_share),
		cmocka_unit_test(the_time_to_resume_counts_from_the_event),
		cmocka_unit_test(traffic_that_never_resumes_counts_to_the_end),
		cmocka_unit_test(traffic_pauses),
		cmocka_unit_test(a_spread_event_moves_with_the_seed),
		cmocka_unit_test(relayed_copies_come_before_or_after),
		cmocka_unit_test(answers_beyond_three_times_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
