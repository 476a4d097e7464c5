/* The control protocol: requests, the server and its limits, the client. */
#include "test.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/client.h"
#include "control/server.h"
#include "io/clock.h"
#include "io/loop.h"

#define SHORT_IDLE HW_MS(300) /* long enough for a busy machine */

struct fixture {
	char dir[64];
	char path[96];
	struct hw_loop *loop;
	struct hw_control_server *server;
	size_t status_bytes; /* how much padding the status carries */
	uint32_t acts;       /* requests that were carried out */
	struct hw_control_request last;
	bool defer;          /* replies come later */
	struct hw_control_ticket tickets[HW_CONTROL_MAX_CLIENTS];
	pthread_t thread;
	bool stop;
};

static json_t *status(void *ctx)
{
	struct fixture *f = ctx;
	char *pad = malloc(f->status_bytes + 1);
	json_t *result;

	memset(pad, 'x', f->status_bytes);
	pad[f->status_bytes] = '\0';
	result = json_pack("{s:s, s:s}", "device", "hw9", "pad", pad);
	free(pad);
	return result;
}

static json_t *act(void *ctx, const struct hw_control_request *request,
		   struct hw_control_ticket ticket)
{
	struct fixture *f = ctx;

	f->last = *request;
	f->tickets[f->acts++ % HW_CONTROL_MAX_CLIENTS] = ticket;
	return f->defer ? NULL : json_pack("{s:b, s:s}", "ok", 1, "link", request->link);
}

static hw_time on_wakeup(void *ctx, hw_time now)
{
	struct fixture *f = ctx;

	if (f->server)
		hw_control_server_tick(f->server, now);
	return now + HW_MS(2);
}

static void open_server(struct fixture *f, hw_time idle)
{
	const struct hw_control_handler handler = {.status = status, .act = act, .ctx = f};

	assert_int_equal(hw_control_server_new(f->loop, f->path, idle, &handler, &f->server), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct hw_loop_hooks hooks = {.wakeup = on_wakeup, .ctx = f};

	strcpy(f->dir, "/tmp/hawser-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/hw9.sock", f->dir);
	assert_int_equal(hw_loop_new(&hooks, &f->loop), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hw_control_server_free(f->server);
	hw_loop_free(f->loop);
	(void)unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void serve(struct fixture *f, hw_time time)
{
	hw_time end = hw_clock_now() + time;

	do
		assert_int_equal(hw_loop_once(f->loop), 0);
	while (hw_clock_now() < end);
}

static int dial_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int dial(struct fixture *f)
{
	int fd = dial_path(f->path);

	assert_true(fd >= 0);
	serve(f, HW_MS(4));
	return fd;
}

/* What the server says within a moment; "" for nothing, NULL when it has closed. */
static const char *hear(struct fixture *f, int fd)
{
	static char text[8192];
	ssize_t n;

	serve(f, HW_MS(6));
	n = recv(fd, text, sizeof(text) - 1, 0);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return NULL;
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *say(struct fixture *f, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	return hear(f, fd);
}

static void parses_requests(void **state)
{
	static const struct {
		const char *line;
		int result;
	} cases[] = {
		{"{\"request\":\"status\"}", 0},
		{" { \"request\" : \"status\" } ", 0},
		{"{\"request\":\"stop\"}", HW_E_NOT_FOUND},
		{"{\"request\":\"\"}", HW_E_NOT_FOUND},
		{"{\"request\":\"status\",\"x\":1}", HW_E_MALFORMED},
		{"{\"request\":\"stop\",\"request\":\"status\"}", HW_E_MALFORMED},
		{"{\"request\":1}", HW_E_MALFORMED},
		{"{\"request\":null}", HW_E_MALFORMED},
		{"{}", HW_E_MALFORMED},
		{"[\"status\"]", HW_E_MALFORMED},
		{"\"status\"", HW_E_MALFORMED},
		{"", HW_E_MALFORMED},
		{"status", HW_E_MALFORMED},
		{"{\"request\":\"status\"} x", HW_E_MALFORMED},
		{"{\"request\":\"status\"", HW_E_MALFORMED},
		{"{\"request\":\"sta\\u0000tus\"}", HW_E_MALFORMED},
		{"{\"request\":\"\xff\"}", HW_E_MALFORMED},
	};
	struct hw_control_request request, untouched;
	char line[HW_CONTROL_LINE_MAX_BYTES + 1];

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request = untouched;
		assert_int_equal(hw_control_request_parse(cases[i].line, strlen(cases[i].line),
							  &request), cases[i].result);
		if (cases[i].result == 0)
			assert_int_equal(request.kind, HW_CONTROL_STATUS);
		else
			assert_memory_equal(&request, &untouched, sizeof(request));
	}
	/* The longest line that is allowed, and one byte more. */
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"request\":\"status\"}", 20);
	assert_int_equal(hw_control_request_parse(line, HW_CONTROL_LINE_MAX_BYTES, &request), 0);
	assert_int_equal(hw_control_request_parse(line, HW_CONTROL_LINE_MAX_BYTES + 1, &request),
			 HW_E_LIMIT);
}

#define LINK(name, what) "{\"request\":\"link\",\"link\":" name ",\"do\":" what "}"
#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void parses_requests_with_arguments(void **state)
{
	static const struct {
		const char *line;
		int result;
		enum hw_control_kind kind;
		const char *link;
		enum hw_control_do what;
	} cases[] = {
		{"{\"request\":\"reload\"}", 0, HW_CONTROL_RELOAD, "", HW_CONTROL_LINK_DOWN},
		{LINK("\"dsl\"", "\"down\""), 0, HW_CONTROL_LINK, "dsl", HW_CONTROL_LINK_DOWN},
		{LINK("\"dsl\"", "\"up\""), 0, HW_CONTROL_LINK, "dsl", HW_CONTROL_LINK_UP},
		{LINK("\"a.b-c_d:e@f\"", "\"always\""), 0, HW_CONTROL_LINK, "a.b-c_d:e@f",
		 HW_CONTROL_LINK_ALWAYS},
		{LINK("\"x\"", "\"backup\""), 0, HW_CONTROL_LINK, "x", HW_CONTROL_LINK_BACKUP},
		{LINK("\"x\"", "\"never\""), 0, HW_CONTROL_LINK, "x", HW_CONTROL_LINK_NEVER},
		{LINK("\"x\"", "\"config\""), 0, HW_CONTROL_LINK, "x", HW_CONTROL_LINK_CONFIG},
		{LINK("\"" X63 "\"", "\"up\""), 0, HW_CONTROL_LINK, X63, HW_CONTROL_LINK_UP},
		{.line = LINK("\"x" X63 "\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"a b\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"a\\nb\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"a\\u001b[2J\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"d\u00fc\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"a\\\"\"", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("1", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("null", "\"up\""), .result = HW_E_MALFORMED},
		{.line = LINK("\"dsl\"", "1"), .result = HW_E_MALFORMED},
		{.line = LINK("\"dsl\"", "[\"up\"]"), .result = HW_E_MALFORMED},
		{.line = LINK("\"dsl\"", "\"halt\""), .result = HW_E_NOT_FOUND},
		{.line = LINK("\"dsl\"", "\"\""), .result = HW_E_NOT_FOUND},
		{.line = LINK("\"dsl\"", "\"Down\""), .result = HW_E_NOT_FOUND},
		{.line = LINK("\"dsl\"", "\"up\",\"x\":1"), .result = HW_E_MALFORMED},
		{.line = "{\"request\":\"link\",\"link\":\"dsl\"}", .result = HW_E_MALFORMED},
		{.line = "{\"request\":\"link\",\"do\":\"up\"}", .result = HW_E_MALFORMED},
		{.line = "{\"request\":\"link\"}", .result = HW_E_MALFORMED},
		{.line = "{\"request\":\"reload\",\"link\":\"dsl\"}", .result = HW_E_MALFORMED},
		{.line = "{\"request\":\"status\",\"do\":\"up\"}", .result = HW_E_MALFORMED},
	};
	struct hw_control_request request, untouched;
	enum hw_control_do what;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request = untouched;
		print_message("# %s\n", cases[i].line);
		assert_int_equal(hw_control_request_parse(cases[i].line, strlen(cases[i].line),
							  &request), cases[i].result);
		if (cases[i].result != 0) {
			assert_memory_equal(&request, &untouched, sizeof(request));
			continue;
		}
		assert_int_equal(request.kind, cases[i].kind);
		assert_string_equal(request.link, cases[i].link);
		assert_int_equal(request.what, cases[i].what);
		assert_true(hw_control_do_find(hw_control_do_name(request.what), &what));
		assert_int_equal(what, request.what);
	}
}

static void answers_status(void **state)
{
	struct fixture *f = *state;
	struct stat file;
	int fd;

	open_server(f, HW_CONTROL_IDLE);
	assert_int_equal(stat(f->path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0660);
	fd = dial(f);
	assert_string_equal(say(f, fd, "{\"request\":\"status\"}\n"),
			    "{\"ok\":true,\"status\":{\"device\":\"hw9\",\"pad\":\"\"}}\n");
	/* Two lines in one piece, then one line in two pieces. */
	assert_string_equal(say(f, fd, "{\"request\":\"status\"}\n{\"request\":\"status\"}\n{\"requ"),
			    "{\"ok\":true,\"status\":{\"device\":\"hw9\",\"pad\":\"\"}}\n"
			    "{\"ok\":true,\"status\":{\"device\":\"hw9\",\"pad\":\"\"}}\n");
	assert_string_equal(say(f, fd, "est\":\"status\"}\n"),
			    "{\"ok\":true,\"status\":{\"device\":\"hw9\",\"pad\":\"\"}}\n");
	close(fd);
	serve(f, HW_MS(5));
	assert_int_equal(hw_control_server_clients(f->server), 0);
}

static void refuses_bad_requests_and_goes_on(void **state)
{
	struct fixture *f = *state;
	int fd;

	open_server(f, HW_CONTROL_IDLE);
	fd = dial(f);
	assert_non_null(strstr(say(f, fd, "{\"request\":\n"), "\"ok\":false"));
	assert_non_null(strstr(say(f, fd, "{\"request\":\"reboot\"}\n"), "unknown request"));
	assert_non_null(strstr(say(f, fd, "\n"), "\"ok\":false"));
	assert_int_equal(hw_control_server_counters(f->server)->bad_requests, 3);
	assert_non_null(strstr(say(f, fd, "{\"request\":\"status\"}\n"), "\"ok\":true"));
	close(fd);
}

static void carries_out_requests(void **state)
{
	struct fixture *f = *state;
	int fd;

	open_server(f, HW_CONTROL_IDLE);
	fd = dial(f);
	assert_string_equal(say(f, fd, "{\"request\":\"link\",\"link\":\"dsl\",\"do\":\"down\"}\n"),
			    "{\"ok\":true,\"link\":\"dsl\"}\n");
	assert_int_equal(f->acts, 1);
	assert_int_equal(f->last.what, HW_CONTROL_LINK_DOWN);
	assert_non_null(strstr(say(f, fd, "{\"request\":\"link\",\"link\":\"dsl\"}\n"), "not a request"));
	assert_int_equal(f->acts, 1);
	close(fd);
}

/* The reply comes when it is ready; what the client says in the meantime waits. */
static void replies_later(void **state)
{
	struct fixture *f = *state;
	int fd, other;

	f->defer = true;
	open_server(f, HW_CONTROL_IDLE);
	fd = dial(f);
	other = dial(f);
	assert_string_equal(say(f, fd, "{\"request\":\"reload\"}\n{\"request\":\"status\"}\n"), "");
	assert_int_equal(f->acts, 1);
	/* Others are served. */
	assert_non_null(strstr(say(f, other, "{\"request\":\"status\"}\n"), "hw9"));
	/* An answer for nobody, and the same one twice, change nothing. */
	hw_control_server_reply(f->server, (struct hw_control_ticket){77}, json_pack("{s:b}", "ok", 1),
				hw_loop_now(f->loop));
	hw_control_server_reply(f->server, (struct hw_control_ticket){0}, json_pack("{s:b}", "ok", 1),
				hw_loop_now(f->loop));
	assert_string_equal(say(f, fd, ""), "");
	for (int i = 0; i < 2; i++)
		hw_control_server_reply(f->server, f->tickets[0], json_pack("{s:b,s:i}", "ok", 1, "n", i),
					hw_loop_now(f->loop));
	assert_string_equal(hear(f, fd),
			    "{\"ok\":true,\"n\":0}\n"
			    "{\"ok\":true,\"status\":{\"device\":\"hw9\",\"pad\":\"\"}}\n");
	close(fd);
	close(other);
}

/* One that hangs up, or waits longer than anyone may be silent, is forgotten; so is its answer. */
static void forgets_who_does_not_wait(void **state)
{
	struct fixture *f = *state;
	int gone, patient, next;

	f->defer = true;
	open_server(f, SHORT_IDLE);
	gone = dial(f);
	assert_string_equal(say(f, gone, "{\"request\":\"reload\"}\n"), "");
	close(gone);
	serve(f, HW_MS(20));
	assert_int_equal(hw_control_server_clients(f->server), 0);
	patient = dial(f);
	assert_string_equal(say(f, patient, "{\"request\":\"reload\"}\n"), "");
	serve(f, 2 * SHORT_IDLE);
	assert_int_equal(hw_control_server_clients(f->server), 0);
	assert_int_equal(hw_control_server_counters(f->server)->dropped_idle, 1);
	close(patient);
	/* Its place is another's now, who must not get the answer. */
	next = dial(f);
	assert_non_null(strstr(say(f, next, "{\"request\":\"status\"}\n"), "hw9"));
	for (int i = 0; i < 2; i++)
		hw_control_server_reply(f->server, f->tickets[i], json_pack("{s:b}", "ok", 1),
					hw_loop_now(f->loop));
	assert_string_equal(say(f, next, ""), "");
	close(next);
}

static void admits_sixteen_clients(void **state)
{
	struct fixture *f = *state;
	int fds[HW_CONTROL_MAX_CLIENTS], late;

	open_server(f, HW_CONTROL_IDLE);
	for (uint32_t i = 0; i < HW_CONTROL_MAX_CLIENTS; i++)
		fds[i] = dial(f);
	assert_int_equal(hw_control_server_clients(f->server), 16);
	late = dial(f);
	assert_non_null(strstr(hear(f, late), "too many clients"));
	assert_null(hear(f, late));
	close(late);
	assert_int_equal(hw_control_server_counters(f->server)->refused_full, 1);
	/* The others are served, and one that leaves makes room. */
	assert_non_null(strstr(say(f, fds[15], "{\"request\":\"status\"}\n"), "\"ok\":true"));
	close(fds[0]);
	late = dial(f);
	assert_non_null(strstr(say(f, late, "{\"request\":\"status\"}\n"), "\"ok\":true"));
	close(late);
	for (uint32_t i = 1; i < HW_CONTROL_MAX_CLIENTS; i++)
		close(fds[i]);
}

static void drops_lines_that_are_too_long(void **state)
{
	struct fixture *f = *state;
	char line[HW_CONTROL_LINE_MAX_BYTES + 2];
	int fd;

	open_server(f, HW_CONTROL_IDLE);
	fd = dial(f);
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"request\":\"status\"}", 20);
	line[HW_CONTROL_LINE_MAX_BYTES] = '\n';
	line[HW_CONTROL_LINE_MAX_BYTES + 1] = '\0';
	assert_non_null(strstr(say(f, fd, line), "\"ok\":true"));
	assert_int_equal(hw_control_server_counters(f->server)->dropped_line, 0);
	line[HW_CONTROL_LINE_MAX_BYTES] = ' ';
	assert_non_null(strstr(say(f, fd, line), "longer than 4096"));
	assert_null(hear(f, fd));
	close(fd);
	assert_int_equal(hw_control_server_counters(f->server)->dropped_line, 1);
	assert_int_equal(hw_control_server_clients(f->server), 0);
}

static void drops_idle_clients(void **state)
{
	struct fixture *f = *state;
	int silent, slow;

	open_server(f, SHORT_IDLE);
	silent = dial(f);
	slow = dial(f);
	serve(f, SHORT_IDLE / 2);
	assert_int_equal(hw_control_server_clients(f->server), 2);
	/* Bytes that make no request do not count as life. */
	assert_string_equal(say(f, slow, "{"), "");
	serve(f, SHORT_IDLE);
	assert_null(hear(f, silent));
	assert_null(hear(f, slow));
	assert_int_equal(hw_control_server_counters(f->server)->dropped_idle, 2);
	close(silent);
	close(slow);
}

static void a_request_renews_the_idle_time(void **state)
{
	struct fixture *f = *state;
	int fd;

	open_server(f, SHORT_IDLE);
	fd = dial(f);
	for (int i = 0; i < 5; i++) {
		serve(f, SHORT_IDLE / 2);
		assert_non_null(strstr(say(f, fd, "{\"request\":\"status\"}\n"), "\"ok\":true"));
	}
	assert_int_equal(hw_control_server_counters(f->server)->dropped_idle, 0);
	close(fd);
}

static void drops_clients_that_do_not_read(void **state)
{
	struct fixture *f = *state;
	static const char request[] = "{\"request\":\"status\"}\n";
	int small = 4096, fd;

	f->status_bytes = HW_CONTROL_OUTPUT_MAX_BYTES - 1024;
	open_server(f, SHORT_IDLE);
	fd = dial(f);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* Far more requests than replies that anything could hold. */
	for (int i = 0; i < 100; i++)
		(void)send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	serve(f, SHORT_IDLE / 3);
	assert_int_equal(hw_control_server_clients(f->server), 1);
	serve(f, SHORT_IDLE);
	assert_int_equal(hw_control_server_clients(f->server), 0);
	assert_int_equal(hw_control_server_counters(f->server)->dropped_output, 1);
	close(fd);
}

static void drops_replies_that_are_too_large(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->status_bytes = HW_CONTROL_OUTPUT_MAX_BYTES;
	open_server(f, HW_CONTROL_IDLE);
	fd = dial(f);
	assert_null(say(f, fd, "{\"request\":\"status\"}\n"));
	assert_int_equal(hw_control_server_counters(f->server)->dropped_output, 1);
	close(fd);
}

static void replaces_a_stale_socket_only(void **state)
{
	struct fixture *f = *state;
	const struct hw_control_handler handler = {.status = status, .act = act, .ctx = f};
	struct hw_control_server *second = NULL;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* What a daemon that was killed leaves behind. */
	strcpy(address.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
	open_server(f, HW_CONTROL_IDLE);
	/* One that lives is left alone. */
	assert_int_equal(hw_control_server_new(f->loop, f->path, HW_CONTROL_IDLE, &handler, &second),
			 HW_E_STATE);
	assert_null(second);
	fd = dial(f);
	assert_non_null(strstr(say(f, fd, "{\"request\":\"status\"}\n"), "\"ok\":true"));
	close(fd);
	hw_control_server_free(f->server);
	f->server = NULL;
	assert_int_equal(access(f->path, F_OK), -1);
}

static void refuses_other_users(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	int status_of = 0;

	if (geteuid() != 0) {
		print_message("needs root to become another user\n");
		skip();
	}
	open_server(f, HW_CONTROL_IDLE);
	/* However loose the mode was made. */
	assert_int_equal(chmod(f->path, 0666), 0);
	assert_int_equal(chmod(f->dir, 0755), 0);
	child = fork();
	if (child == 0) {
		char byte;
		int fd;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		fd = dial_path(f->path);
		if (fd < 0)
			_exit(3);
		usleep(100000);
		_exit(recv(fd, &byte, 1, 0) == 0 ? 0 : 4);
	}
	serve(f, HW_MS(200));
	assert_int_equal(waitpid(child, &status_of, 0), child);
	assert_int_equal(WEXITSTATUS(status_of), 0);
	assert_int_equal(hw_control_server_counters(f->server)->refused_peer, 1);
	assert_int_equal(hw_control_server_counters(f->server)->accepted, 0);
}

static void admits_the_group_of_the_file(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	int status_of = 0;

	if (geteuid() != 0) {
		print_message("needs root to become another user\n");
		skip();
	}
	open_server(f, HW_CONTROL_IDLE);
	assert_int_equal(chown(f->path, 0, 4242), 0);
	assert_int_equal(chmod(f->dir, 0755), 0);
	child = fork();
	if (child == 0) {
		gid_t group = 4242;

		if (setgroups(1, &group) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		_exit(dial_path(f->path) >= 0 ? 0 : 3);
	}
	serve(f, HW_MS(100));
	assert_int_equal(waitpid(child, &status_of, 0), child);
	assert_int_equal(WEXITSTATUS(status_of), 0);
	assert_int_equal(hw_control_server_counters(f->server)->accepted, 1);
	assert_int_equal(hw_control_server_counters(f->server)->refused_peer, 0);
}

static void *serve_thread(void *arg)
{
	struct fixture *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_ACQUIRE)) {
		if (hw_loop_once(f->loop) < 0)
			break;
	}
	return NULL;
}

static void client_gets_the_status(void **state)
{
	struct fixture *f = *state;
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *result = NULL;

	f->status_bytes = 100000; /* more than one read */
	open_server(f, HW_CONTROL_IDLE);
	setenv("HAWSER_RUNTIME_DIR", f->dir, 1);
	f->stop = false;
	assert_int_equal(pthread_create(&f->thread, NULL, serve_thread, f), 0);
	assert_int_equal(hw_control_status("hw9", error, &result), 0);
	assert_string_equal(json_string_value(json_object_get(result, "device")), "hw9");
	assert_int_equal(json_string_length(json_object_get(result, "pad")), 100000);
	json_decref(result);
	/* The only one need not be named. */
	assert_int_equal(hw_control_status(NULL, error, &result), 0);
	json_decref(result);
	__atomic_store_n(&f->stop, true, __ATOMIC_RELEASE);
	pthread_join(f->thread, NULL);
	unsetenv("HAWSER_RUNTIME_DIR");
}

static void client_asks_for_other_things(void **state)
{
	struct fixture *f = *state;
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *reply = NULL;

	open_server(f, HW_CONTROL_IDLE);
	setenv("HAWSER_RUNTIME_DIR", f->dir, 1);
	f->stop = false;
	assert_int_equal(pthread_create(&f->thread, NULL, serve_thread, f), 0);
	assert_int_equal(hw_control_ask("hw9", json_pack("{s:s,s:s,s:s}", "request", "link", "link",
							 "lte", "do", "never"), error, &reply), 0);
	assert_string_equal(json_string_value(json_object_get(reply, "link")), "lte");
	json_decref(reply);
	reply = NULL;
	/* A refusal comes with all that the daemon said. */
	assert_int_equal(hw_control_ask("hw9", json_pack("{s:s}", "request", "stop"), error, &reply),
			 HW_E_STATE);
	assert_string_equal(error, "the daemon refused: unknown request");
	assert_string_equal(json_string_value(json_object_get(reply, "error")), "unknown request");
	json_decref(reply);
	reply = NULL;
	assert_int_equal(hw_control_ask("hw9", NULL, error, &reply), HW_E_NOMEM);
	assert_null(reply);
	__atomic_store_n(&f->stop, true, __ATOMIC_RELEASE);
	pthread_join(f->thread, NULL);
	unsetenv("HAWSER_RUNTIME_DIR");
}

static void client_says_what_to_do(void **state)
{
	struct fixture *f = *state;
	char error[HW_CONTROL_ERROR_BYTES] = "";
	char other[128];
	json_t *result = NULL;
	FILE *file;

	setenv("HAWSER_RUNTIME_DIR", f->dir, 1);
	assert_int_equal(hw_control_status(NULL, error, &result), HW_E_NOT_FOUND);
	assert_non_null(strstr(error, "hawser run"));
	assert_int_equal(hw_control_status("hw9", error, &result), HW_E_NOT_FOUND);
	assert_non_null(strstr(error, "hw9"));
	assert_int_equal(hw_control_status("../x", error, &result), HW_E_INVAL);
	assert_int_equal(hw_control_status("", error, &result), HW_E_INVAL);
	assert_int_equal(hw_control_status("a-name-of-17-long", error, &result), HW_E_INVAL);

	open_server(f, HW_CONTROL_IDLE);
	(void)snprintf(other, sizeof(other), "%s/hw8.sock", f->dir);
	file = fopen(other, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(hw_control_status(NULL, error, &result), HW_E_LIMIT);
	assert_non_null(strstr(error, "hw8"));
	assert_non_null(strstr(error, "hw9"));
	/* Not a socket: nobody is there. */
	assert_int_equal(hw_control_status("hw8", error, &result), HW_E_NOT_FOUND);
	assert_int_equal(unlink(other), 0);
	assert_null(result);
	unsetenv("HAWSER_RUNTIME_DIR");
}

/* A server of another kind: says one thing and closes. */
static void *rude_thread(void *arg)
{
	int *listener = arg;
	int fd = accept(listener[0], NULL, NULL);

	(void)send(fd, "220 hello\n", 10, MSG_NOSIGNAL);
	close(fd);
	fd = accept(listener[0], NULL, NULL);
	(void)send(fd, "{\"ok\":false,\"error\":\"no\"}\n", 26, MSG_NOSIGNAL);
	close(fd);
	fd = accept(listener[0], NULL, NULL);
	(void)send(fd, "{\"ok\":true", 10, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void client_refuses_strange_answers(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char error[HW_CONTROL_ERROR_BYTES] = "";
	json_t *result = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	setenv("HAWSER_RUNTIME_DIR", f->dir, 1);
	assert_int_equal(pthread_create(&f->thread, NULL, rude_thread, &fd), 0);
	assert_int_equal(hw_control_status("hw9", error, &result), HW_E_MALFORMED);
	assert_int_equal(hw_control_status("hw9", error, &result), HW_E_STATE);
	assert_non_null(strstr(error, "refused: no"));
	assert_int_equal(hw_control_status("hw9", error, &result), HW_E_MALFORMED);
	assert_null(result);
	pthread_join(f->thread, NULL);
	close(fd);
	unsetenv("HAWSER_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_requests),
		cmocka_unit_test(parses_requests_with_arguments),
		cmocka_unit_test_setup_teardown(carries_out_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(replies_later, setup, teardown),
		cmocka_unit_test_setup_teardown(forgets_who_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_status, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_bad_requests_and_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(admits_sixteen_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(drops_lines_that_are_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(drops_idle_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_renews_the_idle_time, setup, teardown),
		cmocka_unit_test_setup_teardown(drops_clients_that_do_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(drops_replies_that_are_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(replaces_a_stale_socket_only, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_other_users, setup, teardown),
		cmocka_unit_test_setup_teardown(admits_the_group_of_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(client_gets_the_status, setup, teardown),
		cmocka_unit_test_setup_teardown(client_asks_for_other_things, setup, teardown),
		cmocka_unit_test_setup_teardown(client_says_what_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(client_refuses_strange_answers, setup, teardown),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
