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

	char old[128];

	(void)unlink(f->path);
	(void)snprintf(old, sizeof(old), "%s.old", f->path);
	(void)unlink(old);
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

static int load(struct fixture *f, struct hw_state *ret_state)
{
	bool old;

	return hw_state_load(f->path, ret_state, &old);
}

static void survives_a_restart(void **state)
{
	static const uint64_t values[] = {0, 1, UINT64_C(1764000000123456789), UINT64_MAX};
	struct fixture *f = *state;
	struct hw_state read;
	struct stat file;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct hw_state written = {.timestamp_floor_ns = values[i]};

		assert_int_equal(hw_state_save(f->path, &written), 0);
		assert_int_equal(load(f, &read), 0);
		assert_true(read.timestamp_floor_ns == values[i]);
	}
	assert_int_equal(stat(f->path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
}

static void a_missing_file_is_said_to_be_missing(void **state)
{
	struct fixture *f = *state;
	struct hw_state read = {.timestamp_floor_ns = 77};

	assert_int_equal(load(f, &read), HW_E_NOT_FOUND);
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
		"hawser-state 2\ntimestamp-floor-ns 12\ncheck 0000000000000000\n",
		"hawser-state 3\ntimestamp-floor-ns 12\n",
	};
	struct fixture *f = *state;
	struct hw_state read = {.timestamp_floor_ns = 77};
	char zeros[512] = {0};

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put(f->path, damaged[i], strlen(damaged[i]));
		assert_int_equal(load(f, &read), HW_E_MALFORMED);
	}
	/* What a crash of some file systems leaves, and a file that is something else. */
	put(f->path, zeros, 64);
	assert_int_equal(load(f, &read), HW_E_MALFORMED);
	put(f->path, zeros, sizeof(zeros));
	assert_int_equal(load(f, &read), HW_E_MALFORMED);
	assert_int_equal(read.timestamp_floor_ns, 77);
}

static void a_failed_save_leaves_the_old_one(void **state)
{
	struct fixture *f = *state;
	const struct hw_state before = {.timestamp_floor_ns = 5}, after = {.timestamp_floor_ns = 6};
	struct hw_state read;
	char temporary[128];

	assert_int_equal(hw_state_save(f->path, &before), 0);
	/* What is in the way of the temporary file cannot be written, whoever we are. */
	(void)snprintf(temporary, sizeof(temporary), "%s.new", f->path);
	assert_int_equal(mkdir(temporary, 0700), 0);
	assert_int_equal(hw_state_save(f->path, &after), HW_E_SYSTEM);
	assert_int_equal(load(f, &read), 0);
	assert_int_equal(read.timestamp_floor_ns, 5);
	assert_int_equal(rmdir(temporary), 0);
	/* A link there is not followed. */
	assert_int_equal(symlink(f->path, temporary), 0);
	assert_int_equal(hw_state_save(f->path, &after), HW_E_SYSTEM);
	assert_int_equal(unlink(temporary), 0);
	assert_int_equal(load(f, &read), 0);
	assert_int_equal(read.timestamp_floor_ns, 5);
	/* A temporary file that a crash left is overwritten. */
	put(temporary, "half a fil", 10);
	assert_int_equal(hw_state_save(f->path, &after), 0);
	assert_int_equal(load(f, &read), 0);
	assert_int_equal(read.timestamp_floor_ns, 6);
}

/* Two links, one with all a quota can have, and a name that needs escaping. */
static void fill(struct hw_state *state)
{
	memset(state, 0, sizeof(*state));
	state->timestamp_floor_ns = UINT64_C(1764000000123456789);
	state->link_count = 2;
	state->links[0] = (struct hw_state_link){
		.name = "lte", .since_s = 1700000000, .seen_s = 1800000000, .tx_bytes = 123456789012,
		.tx_packets = 111, .rx_bytes = 5, .rx_packets = 1,
		.quota = {.marks = {{20000, 0}, {20030, 77}, {20061, 123456789017}}, .mark_count = 3,
			  .active = 2, .last = 20061, .last_next = 20091, .behind_s = 12,
			  .per = HW_QUOTA_PER_MONTH, .first_day = 31}};
	state->links[1] = (struct hw_state_link){.name = "w\xc3\xa4n% 0", .tx_bytes = UINT64_MAX};
}

static void assert_same(const struct hw_state *a, const struct hw_state *b)
{
	char text_a[HW_STATE_MAX_BYTES], text_b[HW_STATE_MAX_BYTES];

	assert_int_equal(hw_state_format(a, text_a), hw_state_format(b, text_b));
	assert_string_equal(text_a, text_b);
}

static void links_and_quotas_survive(void **state)
{
	static struct hw_state written, read;
	struct fixture *f = *state;
	const struct hw_quota *quota = &read.links[0].quota;

	fill(&written);
	assert_int_equal(hw_state_save(f->path, &written), 0);
	assert_int_equal(load(f, &read), 0);
	assert_same(&written, &read);
	assert_int_equal(read.link_count, 2);
	assert_string_equal(read.links[0].name, "lte");
	assert_int_equal(read.links[0].since_s, 1700000000);
	assert_int_equal(read.links[0].tx_bytes, 123456789012);
	assert_int_equal(hw_state_link_bytes(&read.links[0]), 123456789017);
	assert_int_equal(quota->mark_count, 3);
	assert_int_equal(quota->marks[1].first, 20030);
	assert_int_equal(quota->marks[2].total, 123456789017);
	assert_int_equal(quota->active, 2);
	assert_int_equal(quota->first_day, 31);
	assert_int_equal(quota->behind_s, 12);
	assert_string_equal(read.links[1].name, "w\xc3\xa4n% 0");
	assert_int_equal(read.links[1].quota.mark_count, 0);
}

/* As written by 0.1.0: two lines, and no check. */
static void the_first_format_is_read(void **state)
{
	static const char text[] = "hawser-state 1\ntimestamp-floor-ns 1764000000123456789\n";
	struct fixture *f = *state;
	static struct hw_state read;

	put(f->path, text, strlen(text));
	assert_int_equal(load(f, &read), 0);
	assert_true(read.timestamp_floor_ns == UINT64_C(1764000000123456789));
	assert_int_equal(read.link_count, 0);
}

static void every_cut_and_every_flipped_bit_is_noticed(void **state)
{
	static struct hw_state written, read;
	char text[HW_STATE_MAX_BYTES];
	size_t len;

	(void)state;
	fill(&written);
	len = hw_state_format(&written, text);
	read.timestamp_floor_ns = 77;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(hw_state_parse(text, i, &read), HW_E_MALFORMED);
	for (size_t i = 0; i < 8 * len; i++) {
		text[i / 8] ^= (char)(1u << i % 8);
		assert_int_equal(hw_state_parse(text, len, &read), HW_E_MALFORMED);
		text[i / 8] ^= (char)(1u << i % 8);
	}
	assert_int_equal(hw_state_parse(text, len + 1, &read), HW_E_MALFORMED);
	assert_int_equal(read.timestamp_floor_ns, 77);
	assert_int_equal(hw_state_parse(text, len, &read), 0);
}

/* With a right check: what a program that is wrong, or a hand, could have written. */
static void nonsense_with_a_right_check_is_refused(void **state)
{
#define LINK(name) "link " name " since-s 1 seen-s 1 tx-bytes 5 tx-packets 1 rx-bytes 5 rx-packets 1\n"
	static const struct {
		const char *lines;
		int expected;
	} cases[] = {
		{"", 0},
		{LINK("a"), 0},
		{LINK("a") LINK("b"), 0},
		{LINK("a") LINK("a"), HW_E_MALFORMED},
		{LINK(""), HW_E_MALFORMED},
		{LINK("a b"), HW_E_MALFORMED},
		{LINK("%00"), HW_E_MALFORMED},
		{LINK("%0"), HW_E_MALFORMED},
		{LINK("%zz"), HW_E_MALFORMED},
		{LINK("%c3%a4"), 0},
		{LINK("123456789012345678901234567890123456789012345678901234567890123"), 0},
		{LINK("1234567890123456789012345678901234567890123456789012345678901234"),
		 HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks 5:10\n", 0},
		{LINK("a") "quota day 1 last -5 -4 behind-s 0 active 0 marks -5:10\n", 0},
		{LINK("a") "quota week 1 last 5 6 behind-s 0 active 0 marks 5:10\n", HW_E_MALFORMED},
		{LINK("a") "quota month 0 last 5 6 behind-s 0 active 0 marks 5:10\n", HW_E_MALFORMED},
		{LINK("a") "quota month 32 last 5 6 behind-s 0 active 0 marks 5:10\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 1 marks 5:10\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks 5:11\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks 5:1 5:1\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks 5:1 4:1\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks 1:1 2:1 3:1 4:1\n", 0},
		{LINK("a") "quota day 1 last 5 6 behind-s 0 active 0 marks 1:1 2:1 3:1 4:1 5:1\n",
		 HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 7 6 behind-s 0 active 0 marks 5:10\n", HW_E_MALFORMED},
		{LINK("a") "quota day 1 last 5 4294967296 behind-s 0 active 0 marks 5:10\n",
		 HW_E_MALFORMED},
		{"quota day 1 last 5 6 behind-s 0 active 0 marks 5:0\n", HW_E_MALFORMED},
		{"link a since-s 1 seen-s 1 tx-bytes 18446744073709551615 tx-packets 1 rx-bytes 1 "
		 "rx-packets 1\n", HW_E_MALFORMED},
		{"link a since-s 1 seen-s 1 tx-bytes 18446744073709551616 tx-packets 1 rx-bytes 0 "
		 "rx-packets 1\n", HW_E_MALFORMED},
		{"more\n", HW_E_MALFORMED},
	};
	static struct hw_state read;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int len = snprintf(text, sizeof(text), "hawser-state 2\ntimestamp-floor-ns 1\n%s",
				   cases[i].lines);

		len += snprintf(text + len, sizeof(text) - (size_t)len, "check %016llx\n",
				(unsigned long long)hw_state_check(text, (size_t)len));
		if (hw_state_parse(text, (size_t)len, &read) != cases[i].expected)
			fail_msg("case %zu: %s", i, cases[i].lines);
	}
#undef LINK
}

static void the_predecessor_stands_in(void **state)
{
	struct fixture *f = *state;
	static struct hw_state first = {.timestamp_floor_ns = 5}, second = {.timestamp_floor_ns = 6},
			       read;
	char old_path[128];
	bool old;

	(void)snprintf(old_path, sizeof(old_path), "%s.old", f->path);
	assert_int_equal(hw_state_save(f->path, &first), 0);
	assert_int_equal(hw_state_save(f->path, &second), 0);
	assert_int_equal(hw_state_load(f->path, &read, &old), 0);
	assert_false(old);
	assert_true(read.timestamp_floor_ns == 6);
	put(f->path, "hawser", 6);
	assert_int_equal(hw_state_load(f->path, &read, &old), HW_E_MALFORMED);
	assert_true(old);
	assert_true(read.timestamp_floor_ns == 5);
	/* Between the two renames of a save there is no file of the right name. */
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(hw_state_load(f->path, &read, &old), HW_E_NOT_FOUND);
	assert_true(old);
	put(old_path, "hawser", 6);
	read.timestamp_floor_ns = 77;
	assert_int_equal(hw_state_load(f->path, &read, &old), HW_E_NOT_FOUND);
	assert_false(old);
	assert_true(read.timestamp_floor_ns == 77);
}

static void the_largest_state_fits(void **state)
{
	static struct hw_state largest, read;
	char text[HW_STATE_MAX_BYTES], name[HW_STATE_NAME_BYTES];
	size_t len;

	(void)state;
	largest.timestamp_floor_ns = UINT64_MAX;
	for (unsigned i = 0; i < HW_STATE_LINKS; i++) {
		struct hw_state_link *link;

		(void)snprintf(name, sizeof(name), "%063u", i);
		for (char *c = name; *c; c++)
			*c = (char)(*c + 0x80);
		assert_int_equal(hw_state_link(&largest, name, 0, UINT64_MAX), i);
		link = &largest.links[i];
		*link = (struct hw_state_link){
			.since_s = UINT64_MAX, .seen_s = UINT64_MAX, .tx_bytes = UINT64_MAX / 2,
			.tx_packets = UINT64_MAX, .rx_bytes = UINT64_MAX / 2,
			.rx_packets = UINT64_MAX,
			.quota = {.mark_count = HW_QUOTA_MARKS, .active = 3, .per = HW_QUOTA_PER_MONTH,
				  .first_day = 31, .last = HW_QUOTA_DAY_MIN,
				  .last_next = HW_QUOTA_DAY_MIN, .behind_s = UINT64_MAX}};
		memcpy(link->name, name, sizeof(name));
		for (int m = 0; m < (int)HW_QUOTA_MARKS; m++)
			link->quota.marks[m] =
				(struct hw_quota_mark){HW_QUOTA_DAY_MIN + m, UINT64_MAX - 1};
	}
	len = hw_state_format(&largest, text);
	print_message("the largest state file has %zu bytes\n", len);
	assert_in_range(len, 30000, HW_STATE_MAX_BYTES - 1024);
	assert_int_equal(hw_state_parse(text, len, &read), 0);
	assert_same(&largest, &read);
}

static void the_link_unseen_for_longest_makes_room(void **state)
{
	static struct hw_state s;
	char name[HW_STATE_NAME_BYTES];

	(void)state;
	for (unsigned i = 0; i < HW_STATE_LINKS; i++) {
		(void)snprintf(name, sizeof(name), "link%u", i);
		assert_int_equal(hw_state_link(&s, name, 0, 1000 + (i * 7) % 64), i);
	}
	s.links[11].tx_bytes = 5;
	/* Known: its own place, with what it had. */
	assert_int_equal(hw_state_link(&s, "link11", 0, 9999), 11);
	assert_int_equal(s.links[11].tx_bytes, 5);
	/* 0 was seen first (1000), 55 next (1001); but 0 is in use. */
	assert_int_equal(hw_state_link(&s, "new", 1, 9999), 55);
	assert_int_equal(s.link_count, HW_STATE_LINKS);
	assert_string_equal(s.links[55].name, "new");
	assert_int_equal(s.links[55].since_s, 9999);
	assert_int_equal(hw_state_link(&s, "newer", 0, 9999), 0);
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
		cmocka_unit_test_setup_teardown(links_and_quotas_survive, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_format_is_read, setup, teardown),
		cmocka_unit_test(every_cut_and_every_flipped_bit_is_noticed),
		cmocka_unit_test(nonsense_with_a_right_check_is_refused),
		cmocka_unit_test_setup_teardown(the_predecessor_stands_in, setup, teardown),
		cmocka_unit_test(the_largest_state_fits),
		cmocka_unit_test(the_link_unseen_for_longest_makes_room),
		cmocka_unit_test(foreign_bytes_are_escaped),
		cmocka_unit_test(levels_and_times),
		cmocka_unit_test(one_line_a_second_for_each_reason),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
