/* The shaper's commands and parameters; no device is made and no packet moves. */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "lab/control.h"
#include "lab/params.h"

static void every_parameter_sets_what_it_names(void **state)
{
	struct hw_link_params p = {0};

	(void)state;
	assert_int_equal(hw_lab_params_set(&p, "rate", "100M"), 0);
	assert_int_equal(p.rate_bps, 100000000);
	assert_int_equal(hw_lab_params_set(&p, "queue", "64k"), 0);
	assert_int_equal(p.queue_bytes, 65536);
	assert_int_equal(hw_lab_params_set(&p, "delay", "10ms"), 0);
	assert_int_equal(p.delay_ns, 10000000);
	assert_int_equal(hw_lab_params_set(&p, "jitter", "250us"), 0);
	assert_int_equal(p.jitter_ns, 250000);
	assert_int_equal(hw_lab_params_set(&p, "reorder", "on"), 0);
	assert_true(p.reorder);
	assert_int_equal(hw_lab_params_set(&p, "loss", "9.75%"), 0);
	assert_float_equal(p.loss, 0.0975, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "loss", "0.2"), 0);
	assert_float_equal(p.loss, 0.2, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "bursts", "5%,8"), 0);
	assert_float_equal(p.bursts.p / (p.bursts.p + p.bursts.r), 0.05, 1e-12);
	assert_float_equal(p.bursts.r, 1.0 / 8, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "bursts", "0"), 0);
	assert_float_equal(p.bursts.p, 0, 0);
	assert_int_equal(hw_lab_params_set(&p, "duplicate", "1%"), 0);
	assert_float_equal(p.duplicate, 0.01, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "corrupt", "2%"), 0);
	assert_float_equal(p.corrupt, 0.02, 1e-12);
	assert_int_equal(hw_lab_params_set(&p, "mtu", "1400"), 0);
	assert_int_equal(p.mtu_bytes, 1400);
	assert_int_equal(hw_lab_params_set(&p, "down", NULL), 0);
	assert_true(p.down);
	assert_int_equal(hw_lab_params_set(&p, "up", NULL), 0);
	assert_false(p.down);
}

static void nonsense_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[][2] = {
		{"loss", "120%"}, {"loss", "-1%"}, {"loss", "nan"}, {"loss", ""}, {"loss", "5 %"},
		{"rate", "100Q"}, {"rate", "inf"}, {"delay", "10min"}, {"bursts", "5%"},
		{"bursts", "100%,8"}, {"bursts", "5%,0.5"}, {"reorder", "maybe"}, {"mtu", "70000"},
		{"speed", "1"},
	};
	struct hw_link_params p = {.loss = 0.5, .rate_bps = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hw_link_params before = p;

		assert_int_equal(hw_lab_params_set(&p, bad[i][0], bad[i][1]), HW_E_INVAL);
		assert_memory_equal(&p, &before, sizeof(p));
	}
	assert_int_equal(hw_lab_params_set(&p, "rate", NULL), HW_E_INVAL);
	assert_int_equal(hw_lab_params_words("speed"), 0);
	assert_int_equal(hw_lab_params_words("down"), 1);
	assert_int_equal(hw_lab_params_words("loss"), 2);
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
		cmocka_unit_test(commands_that_cannot_be_meant_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
