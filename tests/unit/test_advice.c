/* What is advised about each finding, and what is not. */
#include "test.h"

#include <string.h>

#include "daemon/advice.h"

static struct hw_config config;
static struct hw_survey_result survey;
static struct hw_probe_report report;
static struct hw_advice_list advice;

/* Two links, "dsl" and "lte", of which nothing bad can be said. */
static int all_is_well(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	memset(&survey, 0, sizeof(survey));
	memset(&report, 0, sizeof(report));
	strcpy(config.peers[0].name, "hub");
	config.peer_count = 1;
	config.listen.addr.port = 8420;
	report.config = &config;
	report.survey = &survey;
	report.link_count = 2;
	survey.session = true;
	for (uint32_t i = 0; i < 2; i++) {
		struct hw_survey_link *link = &survey.links[i];

		strcpy(report.links[i].name, i == 0 ? "dsl" : "lte");
		strcpy(report.links[i].interface, i == 0 ? "eth0" : "wwan0");
		report.links[i].number = i;
		link->used = true;
		link->path_count = 1;
		link->best = 0;
		link->paths[0].answered = true;
		link->paths[0].tuple.remote = (struct hw_addr){
			.family = HW_FAMILY_IPV4, .ip = { 192, 0, 2, 7 }, .port = 8420
		};
		for (int way = 0; way < HW_SURVEY_WAYS; way++)
			link->way[way] = (struct hw_survey_flow){
				.capacity_bps = 10e6,
				.queue_ns = 20e6,
				.loaded = true,
				.state = HW_LOAD_OVER,
				.packet_bytes = 1500,
			};
	}
	survey.pair_count = 1;
	survey.pairs[0] = (struct hw_survey_pair){ .a = 0, .b = 1, .verdict = HW_SHARED_NO };
	return 0;
}

static void make(void)
{
	hw_advice_make(&report, &advice);
}

static void expect(enum hw_advice_weight weight, const char *text)
{
	make();
	assert_int_equal(advice.faults, weight == HW_ADVICE_FAULT);
	for (uint32_t i = 0; i < advice.count; i++) {
		if (strstr(advice.lines[i].text, text) == NULL)
			continue;
		assert_int_equal(advice.lines[i].weight, weight);
		return;
	}
	fail_msg("nothing says: %s (%u lines: %s)", text, advice.count, advice.lines[0].text);
}

static void expect_nothing(void)
{
	make();
	if (advice.count > 0)
		fail_msg("says: %s", advice.lines[0].text);
}

static void good_links_need_no_advice(void **state)
{
	(void)state;
	expect_nothing();
	assert_false(advice.faults);
	report.links[0].trouble = HW_PROBE_UNUSED; /* as the configuration wants it */
	expect_nothing();
	report.links[0].trouble = HW_PROBE_SPENT;
	expect(HW_ADVICE_HINT, "dsl: not tried: its quota is used up");
	assert_false(advice.faults);
	report.links[0].trouble = HW_PROBE_UNUSED;
	report.survey = NULL;
	expect_nothing();
}

static void links_that_are_not_there(void **state)
{
	static const struct {
		enum hw_probe_trouble trouble;
		const char *text;
	} table[] = {
		{ HW_PROBE_NO_INTERFACE, "dsl: there is no interface eth0" },
		{ HW_PROBE_DOWN, "dsl: its interface is down: `ip link set eth0 up`" },
		{ HW_PROBE_NO_CARRIER, "dsl: interface eth0 has no carrier" },
		{ HW_PROBE_NO_ADDRESS, "dsl: the source address" },
		{ HW_PROBE_PORT_TAKEN, "dsl: UDP port 8420 is in use" },
		{ HW_PROBE_NOT_PERMITTED, "dsl: not permitted" },
		{ HW_PROBE_NO_ENDPOINT, "dsl: no address of the peer is known" },
		{ HW_PROBE_NO_SOCKET, "dsl: the system gives it no sockets" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		report.links[0].trouble = table[i].trouble;
		report.links[0].number = UINT32_MAX;
		expect(HW_ADVICE_FAULT, table[i].text);
		assert_int_equal(advice.count, 1);
	}
}

/* What may come or not is no fault while it is not there. */
static void patterns_that_fit_nothing(void **state)
{
	(void)state;
	report.links[0].trouble = HW_PROBE_NO_INTERFACE;
	report.links[0].number = UINT32_MAX;
	report.links[0].pattern = true;
	strcpy(report.links[0].interface, "wwan*");
	expect(HW_ADVICE_HINT, "dsl: there is no interface wwan* now");
}

static void links_without_an_answer(void **state)
{
	static const struct {
		enum hw_reach reach;
		const char *text;
	} table[] = {
		{ HW_REACH_SILENT, "dsl: hub not reachable on UDP 8420 over this link" },
		{ HW_REACH_FAILED, "is the port open in the firewall?" },
		{ HW_REACH_REFUSED, "dsl: 192.0.2.7:8420 says that nothing listens there" },
		{ HW_REACH_NO_ROUTE, "dsl: no route to 192.0.2.7:8420" },
		{ HW_REACH_NO_ADDRESS, "dsl: it has no address to reach 192.0.2.7:8420 from" },
		{ HW_REACH_NO_NEIGHBOUR, "the next host does not answer" },
		{ HW_REACH_PROHIBITED, "dsl: a firewall forbids UDP" },
	};

	(void)state;
	survey.links[0].best = -1;
	survey.links[0].paths[0].answered = false;
	survey.pair_count = 0;
	expect_nothing(); /* interrupted before anybody asked why */
	report.links[0].reach_asked = true;
	report.links[0].asked = survey.links[0].paths[0].tuple.remote;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		report.links[0].reach = table[i].reach;
		expect(HW_ADVICE_FAULT, table[i].text);
		assert_int_equal(advice.count, 1);
	}
	/* Both silent: then it is hardly the links. */
	report.links[0].reach = report.links[1].reach = HW_REACH_SILENT;
	report.links[1].reach_asked = true;
	survey.links[1].best = -1;
	expect(HW_ADVICE_FAULT, "no link gets an answer: does hub run?");
	assert_int_equal(advice.count, 3);
	report.links[1].reach = HW_REACH_REFUSED;
	make();
	assert_int_equal(advice.count, 2);
}

static void one_silent_address_of_two(void **state)
{
	(void)state;
	survey.links[0].paths[1] = survey.links[0].paths[0];
	survey.links[0].paths[1].answered = false;
	survey.links[0].paths[1].tuple.remote.ip[3] = 8;
	survey.links[0].path_count = 2;
	expect(HW_ADVICE_HINT, "dsl: 192.0.2.8:8420 does not answer over this link; another");
	assert_int_equal(advice.count, 1);
}

static void loss_from_little_to_much(void **state)
{
	struct hw_survey_flow *way = survey.links[1].way;

	(void)state;
	way[HW_SURVEY_DOWN].loss = 0.019;
	expect_nothing();
	way[HW_SURVEY_DOWN].loss = 0.05;
	expect(HW_ADVICE_NOTE, "lte: loses 0.0 % up and 5.0 % down; copies");
	way[HW_SURVEY_UP].loss = 0.25;
	expect(HW_ADVICE_HINT, "lte: loses 25 % up and 5 % down: no use alone");
	assert_int_equal(advice.count, 1);
}

static void queues(void **state)
{
	struct hw_survey_flow *up = &survey.links[0].way[HW_SURVEY_UP];

	(void)state;
	up->capacity_bps = 1e6;
	up->queue_ns = 249e6;
	expect_nothing();
	up->queue_ns = 1.8e9;
	expect(HW_ADVICE_HINT, "dsl: 1.8 s of queue under load (up)");
	expect(HW_ADVICE_HINT, "limit it to about 0.85 Mbit/s in the router on this side");
	up->queue_more = true;
	expect(HW_ADVICE_HINT, "dsl: more than 1.8 s of queue under load (up)");
	survey.links[0].way[HW_SURVEY_DOWN].queue_ns = 0.4e9;
	expect(HW_ADVICE_HINT, "dsl: 400 ms of queue under load (down)");
	assert_int_equal(advice.count, 2);
}

static void words_for_queues(void **state)
{
	(void)state;
	assert_string_equal(hw_advice_queue(0), "none");
	assert_string_equal(hw_advice_queue(9e6), "none");
	assert_string_equal(hw_advice_queue(10e6), "short");
	assert_string_equal(hw_advice_queue(60e6), "noticeable");
	assert_string_equal(hw_advice_queue(250e6), "long");
	assert_string_equal(hw_advice_queue(1e9), "very long");
}

static void small_packets(void **state)
{
	(void)state;
	survey.links[1].way[HW_SURVEY_UP].packet_bytes = 1420;
	expect(HW_ADVICE_NOTE, "lte: takes packets of 1420 bytes only; nothing to do");
	survey.links[1].way[HW_SURVEY_DOWN].packet_bytes = 1280;
	expect(HW_ADVICE_NOTE, "lte: takes packets of 1280 bytes only");
	survey.links[1].way[HW_SURVEY_UP].packet_bytes = 0; /* not known */
	survey.links[1].way[HW_SURVEY_DOWN].packet_bytes = 0;
	expect_nothing();
}

static void nat(void **state)
{
	(void)state;
	report.links[1].nat = (struct hw_nat_findings){ .nat = HW_NAT_PORT_CHANGED,
							.mapping = HW_NAT_MAPPING_INDEPENDENT };
	expect_nothing();
	report.links[1].nat.carrier = true;
	expect(HW_ADVICE_NOTE, "lte: behind the carrier's NAT");
	report.links[1].nat.mapping = HW_NAT_MAPPING_DEPENDENT;
	expect(HW_ADVICE_NOTE, "(symmetric)");
	assert_int_equal(advice.count, 1);
}

static void shared_bottlenecks(void **state)
{
	(void)state;
	survey.pairs[0].verdict = HW_SHARED_YES;
	expect(HW_ADVICE_HINT, "dsl and lte share a bottleneck");
	survey.pairs[0].verdict = HW_SHARED_PROBABLY;
	expect(HW_ADVICE_HINT, "dsl and lte probably share a bottleneck");
	survey.pairs[0].verdict = HW_SHARED_UNCLEAR;
	expect_nothing();
	survey.pairs[0].verdict = HW_SHARED_UNKNOWN;
	expect_nothing();
}

static void loads_that_were_not(void **state)
{
	struct hw_survey_flow *down = &survey.links[0].way[HW_SURVEY_DOWN];

	(void)state;
	down->capacity_bps = down->queue_ns = -1;
	down->state = HW_LOAD_SILENT;
	expect(HW_ADVICE_HINT, "dsl: no word about the load down");
	down->state = HW_LOAD_FAILED;
	down->reason = HW_LOAD_SPENT;
	expect(HW_ADVICE_HINT, "as it sends within an hour");
	down->reason = HW_LOAD_BUSY;
	expect(HW_ADVICE_HINT, "busy with other tests");
	down->reason = HW_LOAD_REFUSED;
	expect(HW_ADVICE_HINT, "forbids it");
	down->reason = HW_LOAD_PATH;
	expect(HW_ADVICE_HINT, "the path went away");
	assert_int_equal(advice.count, 1);
	down->loaded = false;
	expect_nothing();
	survey.links[0].over_limit = true;
	expect_nothing();
	survey.links[0].way[HW_SURVEY_UP].capacity_more = true;
	expect(HW_ADVICE_NOTE, "dsl: a larger --limit");
}

static void advice_without_end_is_cut(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HW_PROBE_LINKS; i++) {
		report.links[i] = report.links[0];
		report.links[i].number = 0;
	}
	report.link_count = HW_PROBE_LINKS;
	survey.links[0].way[0].queue_ns = survey.links[0].way[1].queue_ns = 2e9;
	survey.links[0].way[0].loss = 0.5;
	survey.links[0].way[0].packet_bytes = 1280;
	make();
	assert_int_equal(advice.count, HW_ADVICE_MAX);
}

static void values_have_fit_units(void **state)
{
	char text[HW_ADVICE_VALUE_BYTES];

	(void)state;
	assert_string_equal(hw_advice_rate(0.5e6, text), "0.50 Mbit/s");
	assert_string_equal(hw_advice_rate(12.34e6, text), "12.3 Mbit/s");
	assert_string_equal(hw_advice_rate(299.6e6, text), "300 Mbit/s");
	assert_string_equal(hw_advice_time(1.84e9, text), "1.8 s");
	assert_string_equal(hw_advice_time(48.2e6, text), "48 ms");
	assert_string_equal(hw_advice_time(1.26e6, text), "1.3 ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, all_is_well)
		T(good_links_need_no_advice),
		T(links_that_are_not_there),
		T(patterns_that_fit_nothing),
		T(links_without_an_answer),
		T(one_silent_address_of_two),
		T(loss_from_little_to_much),
		T(queues),
		T(words_for_queues),
		T(small_packets),
		T(nat),
		T(shared_bottlenecks),
		T(loads_that_were_not),
		T(advice_without_end_is_cut),
		T(values_have_fit_units),
	};

	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
