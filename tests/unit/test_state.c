/* The state file, and the log. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/state.h"

struct fixture {
	char dir[64];
	char path[96];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/hawser-state-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/hw9.state", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->path);
	/* Nothing else may have been left there. */
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void put(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void survives_a_restart(void **state)
{
	static const uint64_t values[] = {0, 1, UINT64_C(1764000000123456789), UINT64_MAX};
	struct fixture *f = *state;
	struct hw_state read;
	struct stat file;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct hw_state written = {values[i]};

		assert_int_equal(hw_state_save(f->path, &written), 0);
		assert_int_equal(hw_state_load(f->path, &read), 0);
		assert_true(read.timestamp_floor_ns == values[i]);
	}
	assert_int_equal(stat(f->path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
}

static void a_missing_file_is_said_to_be_missing(void **state)
{
	struct fixture *f = *state;
	struct hw_state read = {77};

	assert_int_equal(hw_state_load(f->path, &read), HW_E_NOT_FOUND);
	assert_int_equal(read.timestamp_floor_ns, 77);
}

static void damage_is_noticed(void **state)
{
	static const char *const damaged[] = {
		"",
		"hawser-state 1\n",
		"hawser-state 1\ntimestamp-floor-ns ",
		"hawser-state 1\ntimestamp-floor-ns \n",
		"hawser-state 1\ntimestamp-floor-ns 12", /* cut short: could be any number */
		"hawser-state 1\ntimestamp-floor-ns 12\nmore\n",
		"hawser-state 1\ntimestamp-floor-ns -1\n",
		"hawser-state 1\ntimestamp-floor-ns 1x\n",
		"hawser-state 1\ntimestamp-floor-ns 18446744073709551616\n",
		"hawser-state 2\ntimestamp-floor-ns 12\n",
	};
	struct fixture *f = *state;
	struct hw_state read = {77};
	char zeros[512] = {0};

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put(f->path, damaged[i], strlen(damaged[i]));
		assert_int_equal(hw_state_load(f->path, &read), HW_E_MALFORMED);
	}
	/* What a crash of some file systems leaves, and a file that is something else. */
	put(f->path, zeros, 64);
	assert_int_equal(hw_state_load(f->path, &read), HW_E_MALFORMED);
	put(f->path, zeros, sizeof(zeros));
	assert_int_equal(hw_state_load(f->path, &read), HW_E_MALFORMED);
	assert_int_equal(read.timestamp_floor_ns, 77);
}

static void a_failed_save_leaves_the_old_one(void **state)
{
	struct fixture *f = *state;
	const struct hw_state before = {5}, after = {6};
	struct hw_state read;
	char temporary[128];

	assert_int_equal(hw_state_save(f->path, &before), 0);
	/* What is in the way of the temporary file cannot be written, whoever we are. */
	(void)snprintf(temporary, sizeof(temporary), "%s.new", f->path);
	assert_int_equal(mkdir(temporary, 0700), 0);
	assert_int_equal(hw_state_save(f->path, &after), HW_E_SYSTEM);
	assert_int_equal(hw_state_load(f->path, &read), 0);
	assert_int_equal(read.timestamp_floor_ns, 5);
	assert_int_equal(rmdir(temporary), 0);
	/* A link there is not followed. */
	assert_int_equal(symlink(f->path, temporary), 0);
	assert_int_equal(hw_state_save(f->path, &after), HW_E_SYSTEM);
	assert_int_equal(unlink(temporary), 0);
	assert_int_equal(hw_state_load(f->path, &read), 0);
	assert_int_equal(read.timestamp_floor_ns, 5);
	/* A temporary file that a crash left is overwritten. */
	put(temporary, "half a fil", 10);
	assert_int_equal(hw_state_save(f->path, &after), 0);
	assert_int_equal(hw_state_load(f->path, &read), 0);
	assert_int_equal(read.timestamp_floor_ns, 6);
}

struct capture {
	int fds[2];
	struct hw_log log;
	char text[8192];
};

static void capture_open(struct capture *c, enum hw_log_level level)
{
	assert_int_equal(pipe2(c->fds, O_NONBLOCK | O_CLOEXEC), 0);
	hw_log_init(&c->log, c->fds[1], level);
}

static const char *captured(struct capture *c)
{
	ssize_t n = read(c->fds[0], c->text, sizeof(c->text) - 1);

	c->text[n < 0 ? 0 : n] = '\0';
	return c->text;
}

static void capture_close(struct capture *c)
{
	close(c->fds[0]);
	close(c->fds[1]);
}

static void foreign_bytes_are_escaped(void **state)
{
	struct capture c;
	char longest[3000];

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	capture_open(&c, HW_LOG_INFO);
	hw_log(&c.log, HW_LOG_INFO, "name %s end", "a\n<0>b\x1b[31m\x7f\xc3\xa9");
	assert_string_equal(captured(&c),
			    "<6>name a\\x0a<0>b\\x1b[31m\\x7f\\xc3\\xa9 end\n");
	memset(longest, '\n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	hw_log(&c.log, HW_LOG_ERROR, "%s", longest);
	assert_in_range(strlen(captured(&c)), 1000, HW_LOG_LINE_BYTES);
	/* One line, whole escapes, and a newline at its end alone. */
	assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
	assert_int_equal((strlen(c.text) - 4) % 4, 0);
	capture_close(&c);
	unsetenv("JOURNAL_STREAM");
}

static void levels_and_times(void **state)
{
	struct capture c;
	int year = 0, ms = -1;
	char rest[64] = "";

	(void)state;
	capture_open(&c, HW_LOG_WARNING);
	hw_log(&c.log, HW_LOG_INFO, "not wanted");
	assert_string_equal(captured(&c), "");
	hw_log(&c.log, HW_LOG_WARNING, "wanted");
	assert_int_equal(sscanf(captured(&c), "%d-%*d-%*d %*d:%*d:%*d.%d %63[^\n]", &year, &ms, rest),
			 3);
	assert_in_range(year, 1970, 9999);
	assert_in_range(ms, 0, 999);
	assert_string_equal(rest, "warning: wanted");
	capture_close(&c);
}

static void one_line_a_second_for_each_reason(void **state)
{
	struct capture c;
	struct hw_log_limit limit = {0}, other = {0};

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	capture_open(&c, HW_LOG_INFO);
	for (int i = 0; i < 1000; i++)
		hw_log_limited(&c.log, &limit, HW_S(100) + HW_MS(i), HW_LOG_INFO, "flood");
	hw_log_limited(&c.log, &other, HW_S(100), HW_LOG_INFO, "another reason");
	assert_string_equal(captured(&c), "<6>flood\n<6>another reason\n");
	hw_log_limited(&c.log, &limit, HW_S(101), HW_LOG_INFO, "flood");
	assert_string_equal(captured(&c),
			    "<6>flood\n<6>(999 lines like the last were kept back)\n");
	hw_log_limited(&c.log, &limit, HW_S(102), HW_LOG_INFO, "flood");
	assert_string_equal(captured(&c), "<6>flood\n");
	capture_close(&c);
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(survives_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_file_is_said_to_be_missing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(damage_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_save_leaves_the_old_one, setup, teardown),
		cmocka_unit_test(foreign_bytes_are_escaped),
		cmocka_unit_test(levels_and_times),
		cmocka_unit_test(one_line_a_second_for_each_reason),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
