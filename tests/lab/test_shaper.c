/* The shaper's commands and parameters; no device is made and no packet moves. */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lab/control.h"
#include "lab/params.h"

static void every_parameter_sets_what_it_names(void **state)
{
	struct hw_lab_params p = {0};

	(void)state;
	assert_int_equal(hw_lab_params_set(&p, "rate", "100M"), 0);
	assert_int_equal(p.link.rate_bps, 100000000);
	assert_int_equal(hw_lab_params_set(&p, "queue", "64k"), 0);
	assert_int_equal(p.link.queue_bytes, 65536);
	assert_int_equal(hw_lab_params_set(&p, "delay", "10ms"), 0);
	assert_int_equal(p.link.delay_ns, 10000000);
	assert_int_equal(hw_lab_params_set(&p, "jitter", "250us"), 0);
	assert_int_equal(p.link.jitter_ns, 250000);
	assert_int_equal(hw_lab_params_set(&p, "reorder", "on"), 0);
	assert_true(p.link.reorder);
	assert_int_equal(hw_lab_params_set(&p, "loss", "9.75%"), 0);
	assert_float_equal(p.link.loss, 0.0975, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "loss", "0.2"), 0);
	assert_float_equal(p.link.loss, 0.2, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "bursts", "5%,8"), 0);
	assert_float_equal(p.link.bursts.p / (p.link.bursts.p + p.link.bursts.r), 0.05, 1e-12);
	assert_float_equal(p.link.bursts.r, 1.0 / 8, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "bursts", "0"), 0);
	assert_float_equal(p.link.bursts.p, 0, 0);
	assert_int_equal(hw_lab_params_set(&p, "duplicate", "1%"), 0);
	assert_float_equal(p.link.duplicate, 0.01, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "corrupt", "2%"), 0);
	assert_float_equal(p.link.corrupt, 0.02, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "mtu", "1400"), 0);
	assert_int_equal(p.link.mtu_bytes, 1400);
	assert_int_equal(hw_lab_params_set(&p, "down", NULL), 0);
	assert_true(p.link.down);
	assert_int_equal(hw_lab_params_set(&p, "up", NULL), 0);
	assert_false(p.link.down);
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[][2] = {
		{"loss", "120%"}, {"loss", "-1%"}, {"loss", "nan"}, {"loss", ""}, {"loss", "5 %"},
		{"rate", "100Q"}, {"rate", "inf"}, {"delay", "10min"}, {"bursts", "5%"},
		{"bursts", "100%,8"}, {"bursts", "5%,0.5"}, {"reorder", "maybe"}, {"mtu", "70000"},
		{"speed", "1"}, {"flap", "5,120%"}, {"flap", "5,"}, {"flap", "2000"},
		{"capacity", "/nonexistent"}, {"trace", "/nonexistent,a"}, {"trace", "file"},
	};
	struct hw_lab_params p = {.link = {.loss = 0.5, .rate_bps = 7}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hw_lab_params before = p;

		assert_int_equal(hw_lab_params_set(&p, bad[i][0], bad[i][1]), HW_E_INVAL);
		assert_memory_equal(&p, &before, sizeof(p));
	}
	assert_int_equal(hw_lab_params_set(&p, "rate", NULL), HW_E_INVAL);
	assert_int_equal(hw_lab_params_words("speed"), 0);
	assert_int_equal(hw_lab_params_words("down"), 1);
	assert_int_equal(hw_lab_params_words("loss"), 2);
}

/* A file of this text, which the caller unlinks. */
static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Recordings begin when they are asked for, however old the link is. */
static void recordings_begin_now(void **state)
{
	static struct hw_trace_store store;
	char rate[] = "/tmp/hw-test-shaper-XXXXXX", pings[] = "/tmp/hw-test-shaper-XXXXXX", value[100];
	struct hw_lab_params p = {.recordings = &store, .age = 5 * HW_NS_PER_S};

	(void)state;
	write_file(rate, "10\n20\n30\n");
	write_file(pings, "segment,slot,rtt_ms_a,rtt_ms_b\n0,0,10,20\n0,1,-1,30\n");
	assert_int_equal(hw_lab_params_set(&p, "capacity", rate), 0);
	assert_int_equal(p.link.capacity->count, 3);
	assert_true(p.link.capacity_offset_ns + p.age == 0);
	snprintf(value, sizeof(value), "%s,2s", rate);
	assert_int_equal(hw_lab_params_set(&p, "capacity", value), 0);
	assert_true(p.link.capacity_offset_ns + p.age == 2 * HW_NS_PER_S);
	snprintf(value, sizeof(value), "%s,b,100ms", pings);
	assert_int_equal(hw_lab_params_set(&p, "trace", value), 0);
	assert_int_equal(p.link.trace_column, 1);
	assert_true(p.link.trace_offset_ns + p.age == 100 * HW_NS_PER_MS);
	assert_float_equal(p.link.trace_loss, 1, 0);
	snprintf(value, sizeof(value), "%s,c", pings);
	assert_int_equal(hw_lab_params_set(&p, "trace", value), HW_E_INVAL);
	assert_int_equal(hw_lab_params_set(&p, "trace", rate), HW_E_INVAL);
	assert_int_equal(p.link.trace_column, 1);
	assert_int_equal(hw_lab_params_set(&p, "capacity", "off"), 0);
	assert_int_equal(hw_lab_params_set(&p, "trace", "off"), 0);
	assert_true(!p.link.capacity && !p.link.trace);
	assert_int_equal(store.capacity_count, 1); /* read once */
	unlink(rate);
	unlink(pings);
	hw_trace_store_fini(&store);
}

/* A model that is given the recording late plays it from its start. */
static void a_recording_begun_late_gives_its_rate(void **state)
{
	static struct hw_trace_store store;
	char rate[] = "/tmp/hw-test-shaper-XXXXXX";
	struct hw_lab_params p = {.recordings = &store, .age = 5 * HW_NS_PER_S + 7 * HW_NS_PER_MS};
	const hw_time start = 77 * HW_NS_PER_S, now = start + p.age;
	const struct hw_link_owner owner = {0};
	struct hw_link_params perfect = {0}, params;
	struct hw_link_delivery delivery;
	struct hw_linkmodel *model;
	int packet;

	(void)state;
	write_file(rate, "10\n30\n31\n");
	assert_int_equal(hw_lab_params_set(&p, "capacity", rate), 0);
	assert_int_equal(hw_linkmodel_new(&perfect, 1, start, &owner, &model), 0);
	params = hw_lab_params_link(&p);
	assert_int_equal(hw_linkmodel_change(model, now, &params), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(hw_linkmodel_enqueue(model, now, &packet, 1500), HW_LINK_PASSED);
	for (int i = 0; i < 3; i++) {
		static const hw_time at_ms[] = {10, 30, 31};

		assert_true(hw_linkmodel_next(model) == now + at_ms[i] * HW_NS_PER_MS);
		assert_true(hw_linkmodel_dequeue(model, hw_linkmodel_next(model), &delivery));
	}
	hw_linkmodel_free(model);
	unlink(rate);
	hw_trace_store_fini(&store);
}

static void flapping_is_down_for_the_rest_of_each_period(void **state)
{
	struct hw_lab_params p = {0}, copy;
	struct hw_link_params link;

	(void)state;
	assert_int_equal(hw_lab_params_set(&p, "flap", "5,80%"), 0);
	copy = p;
	link = hw_lab_params_link(&copy);
	assert_ptr_equal(link.outages, &copy.flap);
	assert_int_equal(link.outage_count, 1);
	assert_true(link.outage_period_ns == 200 * HW_NS_PER_MS);
	assert_true(link.outages[0].from == 160 * HW_NS_PER_MS && link.outages[0].to == 200 * HW_NS_PER_MS);
	assert_int_equal(hw_lab_params_set(&p, "flap", "10Hz"), 0);
	assert_true(p.flap.from == 50 * HW_NS_PER_MS && p.flap.to == 100 * HW_NS_PER_MS);
	assert_int_equal(hw_lab_params_set(&p, "flap", "0"), 0);
	assert_int_equal(p.link.outage_count, 0);
}

static void expect(struct hw_lab *lab, const char *command, const char *start)
{
	char line[HW_LAB_LINE_BYTES];
	char *answer = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&answer, &len);
	bool good;

	assert_non_null(out);
	snprintf(line, sizeof(line), "%s", command);
	good = hw_lab_command(lab, line, out);
	fclose(out);
	assert_int_equal(strncmp(answer, start, strlen(start)), 0);
	assert_int_equal(good, strncmp(answer, "error", 5) != 0);
	assert_ptr_equal(strchr(answer, '\n'), answer + len - 1);
	free(answer);
}

static void commands_that_cannot_be_meant_say_why(void **state)
{
	static struct hw_lab lab;

	(void)state;
	hw_lab_init(&lab, -1, 1);
	expect(&lab, "", "ok");
	expect(&lab, "# a remark", "ok");
	expect(&lab, "stats", "{\"frames\":0,");
	expect(&lab, "reset", "ok");
	expect(&lab, "wan1 down", "error: no such link or command: wan1");
	expect(&lab, "set wan1 down", "error: no such link or command: wan1");
	expect(&lab, "link wan1", "error: usage");
	expect(&lab, "attach wan1.a", "error: usage");
	expect(&lab, "link a.b - x - y", "error:");
	expect(&lab, "link much-too-long-a-name - x - y", "error:");
	expect(&lab, "link w /nonexistent/netns x - y", "error: cannot make a device");
	assert_int_equal(lab.link_count, 0);
	hw_lab_fini(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_parameter_sets_what_it_names),
		cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
		cmocka_unit_test(recordings_begin_now),
		cmocka_unit_test(a_recording_begun_late_gives_its_rate),
		cmocka_unit_test(flapping_is_down_for_the_rest_of_each_period),
		cmocka_unit_test(commands_that_cannot_be_meant_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
