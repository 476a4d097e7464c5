/* Lines about what flaps: few, and never too few. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/flap.h"

struct fixture {
	int fds[2];
	struct hw_log log;
	struct hw_log_flap flap;
	char text[65536];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_int_equal(pipe2(f->fds, O_NONBLOCK | O_CLOEXEC), 0);
	hw_log_init(&f->log, f->fds[1], HW_LOG_INFO);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fds[0]);
	close(f->fds[1]);
	unsetenv("JOURNAL_STREAM");
	free(f);
	return 0;
}

static const char *captured(struct fixture *f)
{
	ssize_t n = read(f->fds[0], f->text, sizeof(f->text) - 1);

	f->text[n < 0 ? 0 : n] = '\0';
	return f->text;
}

static unsigned lines(const char *text)
{
	unsigned count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static void few_changes_are_a_line_each(void **state)
{
	struct fixture *f = *state;

	/* Six within a minute, and six more in the next: nothing is held. */
	for (int i = 0; i < 12; i++) {
		hw_log_change(&f->log, &f->flap, HW_S(10 * (i + 1)), HW_LOG_INFO, "path a", "no. %d",
			      i);
		assert_int_equal(f->flap.held, 0);
	}
	assert_int_equal(lines(captured(f)), 12);
	assert_non_null(strstr(f->text, "<6>path a: no. 0\n"));
	assert_non_null(strstr(f->text, "<6>path a: no. 11\n"));
	hw_log_flap_end(&f->log, &f->flap);
	assert_string_equal(captured(f), "");
}

static void ten_a_second_are_one_line_a_minute(void **state)
{
	struct fixture *f = *state;
	hw_time now = HW_S(1000), next;

	/* Ten minutes at 10 Hz, and the timers the daemon would set. */
	for (int i = 0; i < 6000; i++, now += HW_MS(100)) {
		next = hw_log_flap_deadline(&f->flap);
		if (next <= now)
			hw_log_flap_tick(&f->log, &f->flap, now);
		hw_log_change(&f->log, &f->flap, now, i % 2 ? HW_LOG_INFO : HW_LOG_WARNING, "path a",
			      i % 2 ? "up" : "down");
	}
	/* Six, the announcement, and nine summaries; the tenth is due. */
	assert_int_equal(lines(captured(f)), 6 + 1 + 9);
	assert_non_null(strstr(f->text, "path a: changes often; from here on one line every 60 s"));
	assert_non_null(strstr(f->text, "<4>path a: changed 600 times within 60 s; the last change: "
					"up\n"));
	assert_true(hw_log_flap_deadline(&f->flap) == HW_S(1600));
	hw_log_flap_tick(&f->log, &f->flap, HW_S(1600));
	assert_int_equal(lines(captured(f)), 1);
	/* A minute of calm, and it is trusted again: without a word, and without a timer. */
	hw_log_flap_tick(&f->log, &f->flap, HW_S(1660));
	assert_string_equal(captured(f), "");
	assert_true(hw_log_flap_deadline(&f->flap) == HW_TIME_NEVER);
	hw_log_change(&f->log, &f->flap, HW_S(1700), HW_LOG_INFO, "path a", "up");
	assert_string_equal(captured(f), "<6>path a: up\n");
}

static void the_last_word_is_always_told(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++)
		hw_log_change(&f->log, &f->flap, HW_S(1), HW_LOG_INFO, "path a", "no. %d", i);
	(void)captured(f);
	/* One change in a flapping window: held, but told at its end. */
	hw_log_flap_tick(&f->log, &f->flap, HW_S(61));
	assert_non_null(strstr(captured(f), "changed 20 times within 60 s; the last change: no. 19\n"));
	hw_log_change(&f->log, &f->flap, HW_S(62), HW_LOG_ERROR, "path a", "dead");
	assert_string_equal(captured(f), "");
	hw_log_flap_tick(&f->log, &f->flap, HW_S(121));
	assert_string_equal(captured(f),
			    "<3>path a: changed 1 times within 60 s; the last change: dead\n");
	/* What is held when the subject ends, too. */
	for (int i = 0; i < 20; i++)
		hw_log_change(&f->log, &f->flap, HW_S(200), HW_LOG_INFO, "path a", "no. %d", i);
	(void)captured(f);
	hw_log_flap_end(&f->log, &f->flap);
	assert_non_null(strstr(captured(f), "the last change: no. 19\n"));
}

static void a_slot_changes_its_subject(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 7; i++)
		hw_log_change(&f->log, &f->flap, HW_S(1), HW_LOG_INFO, "path a", "no. %d", i);
	(void)captured(f);
	hw_log_change(&f->log, &f->flap, HW_S(2), HW_LOG_INFO, "path b", "up");
	assert_string_equal(captured(f), "<6>path a: changed 7 times within 60 s; the last change: "
					 "no. 6\n<6>path b: up\n");
}

/* A subject and a text longer than their places, of bytes that no log may have. */
static void foreign_text_stays_one_line(void **state)
{
	struct fixture *f = *state;
	char long_text[600];

	memset(long_text, '\n', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (int i = 0; i < 8; i++)
		hw_log_change(&f->log, &f->flap, HW_S(1), HW_LOG_INFO, long_text, "%s", long_text);
	assert_int_equal(lines(captured(f)), 7);
	assert_int_equal(f->flap.changes, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(few_changes_are_a_line_each, setup, teardown),
		cmocka_unit_test_setup_teardown(ten_a_second_are_one_line_a_minute, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_word_is_always_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slot_changes_its_subject, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_text_stays_one_line, setup, teardown),
	};

	return cmocka_run_group_tests_name("flap", tests, NULL, NULL);
}
