#include "control/client.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/clock.h"

#define SUFFIX ".sock"
#define PATIENCE HW_S(5)

const char *hw_control_runtime_dir(void)
{
	const char *dir = getenv("HAWSER_RUNTIME_DIR");

	return dir && dir[0] ? dir : HW_CONTROL_RUNTIME_DIR;
}

HW_PRINTF(3, 4) static int explain(char *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, HW_CONTROL_ERROR_BYTES, format, args);
	va_end(args);
	return code;
}

static int no_daemon(char *error, const char *device)
{
	if (device)
		return explain(error, HW_E_NOT_FOUND,
			       "no daemon runs for device %s (looked in %s): start it with "
			       "`hawser run FILE`", device, hw_control_runtime_dir());
	return explain(error, HW_E_NOT_FOUND,
		       "no daemon runs (looked in %s): start one with `hawser run FILE`",
		       hw_control_runtime_dir());
}

/* The name of the only socket, without its suffix. */
static int find_only(char ret_device[IFNAMSIZ], char *error)
{
	const char *dir_name = hw_control_runtime_dir();
	char names[HW_CONTROL_ERROR_BYTES / 2] = "";
	DIR *dir = opendir(dir_name);
	struct dirent *entry;
	unsigned found = 0;

	if (!dir && errno == ENOENT)
		return no_daemon(error, NULL);
	if (!dir)
		return explain(error, errno == EACCES ? HW_E_AUTH : HW_E_SYSTEM,
			       "cannot read %s: %s", dir_name, strerror(errno));
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		size_t used = strlen(names);

		if (len <= strlen(SUFFIX) || len - strlen(SUFFIX) >= IFNAMSIZ ||
		    strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		len -= strlen(SUFFIX);
		found++;
		memcpy(ret_device, entry->d_name, len);
		ret_device[len] = '\0';
		(void)snprintf(names + used, sizeof(names) - used, " %s", ret_device);
	}
	closedir(dir);
	if (found == 0)
		return no_daemon(error, NULL);
	if (found > 1)
		return explain(error, HW_E_LIMIT,
			       "several daemons run; name one of these devices:%s", names);
	return 0;
}

static int connect_to(const char *device, char *error, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s" SUFFIX,
			 hw_control_runtime_dir(), device);
	int fd, saved;

	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return explain(error, HW_E_INVAL, "the name of the runtime directory is too long");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return explain(error, HW_E_SYSTEM, "cannot make a socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		*ret_fd = fd;
		return 0;
	}
	saved = errno;
	close(fd);
	switch (saved) {
	case ENOENT:
	case ECONNREFUSED:
		return no_daemon(error, device);
	case EACCES:
	case EPERM:
		return explain(error, HW_E_AUTH,
			       "not permitted to use %s: run as root, or as a member of its group",
			       address.sun_path);
	case EAGAIN:
		return explain(error, HW_E_AGAIN, "the daemon of %s is busy: try again", device);
	default:
		return explain(error, HW_E_SYSTEM, "cannot connect to %s: %s", address.sun_path,
			       strerror(saved));
	}
}

/* Wait until the socket is ready for `events`, at most until the deadline. */
static bool wait_for(int fd, short events, hw_time deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	hw_time left = hw_time_since(deadline, hw_clock_now());

	return poll(&poll_fd, 1, (int)(left / HW_NS_PER_MS)) > 0;
}

static int send_all(int fd, const char *text, size_t len, hw_time deadline)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN && wait_for(fd, POLLOUT, deadline))
			continue;
		if (n < 0)
			return errno == EAGAIN ? HW_E_AGAIN : HW_E_SYSTEM;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* One line into a new string, which the caller frees; the newline is left out. */
static int receive_line(int fd, hw_time deadline, char **ret_line)
{
	size_t room = 16384, used = 0;
	char *line = malloc(room);
	int err = HW_E_NOMEM;

	while (line) {
		ssize_t n = recv(fd, line + used, room - used, 0);
		char *end = n > 0 ? memchr(line + used, '\n', (size_t)n) : NULL;

		if (end) {
			*end = '\0';
			*ret_line = line;
			return 0;
		}
		if (n == 0 || (n < 0 && errno == ECONNRESET)) {
			err = HW_E_TRUNCATED;
			break;
		}
		if (n < 0) {
			if (errno == EINTR || (errno == EAGAIN && wait_for(fd, POLLIN, deadline)))
				continue;
			err = errno == EAGAIN ? HW_E_AGAIN : HW_E_SYSTEM;
			break;
		}
		used += (size_t)n;
		if (used == room) {
			char *larger = NULL;

			if (room < HW_CONTROL_REPLY_MAX_BYTES)
				larger = realloc(line, room * 2);
			if (!larger) {
				err = HW_E_MALFORMED;
				break;
			}
			line = larger;
			room *= 2;
		}
	}
	free(line);
	return err;
}

/* Whether it is a reply at all, and says yes or no. */
static int read_reply(const char *line, char *error, json_t **ret_reply)
{
	json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(root, "ok");
	const char *text = json_string_value(json_object_get(root, "error"));

	if (json_is_true(ok)) {
		*ret_reply = root;
		return 0;
	}
	if (json_is_false(ok) && text) {
		*ret_reply = root;
		return explain(error, HW_E_STATE, "the daemon refused: %s", text);
	}
	json_decref(root);
	return explain(error, HW_E_MALFORMED,
		       "what answered is no hawser daemon, or one of another version");
}

static int talk(const char *device, const char *text, char *error, json_t **ret_reply)
{
	hw_time deadline = hw_clock_now() + PATIENCE;
	char *line = NULL;
	int fd = -1;
	int err = connect_to(device, error, &fd);

	if (err < 0)
		return err;
	err = send_all(fd, text, strlen(text), deadline);
	/* The daemon may have refused, with a reason, before it read: that is worth reading. */
	if (err == 0 || errno == EPIPE)
		err = receive_line(fd, deadline, &line);
	if (err == 0)
		err = read_reply(line, error, ret_reply);
	else if (err == HW_E_AGAIN)
		err = explain(error, err, "the daemon of %s does not answer", device);
	else if (err == HW_E_SYSTEM)
		err = explain(error, err, "talking to the daemon of %s failed: %s", device,
			      strerror(errno));
	else
		err = explain(error, HW_E_MALFORMED, "the daemon of %s broke off: try again",
			      device);
	free(line);
	close(fd);
	return err;
}

/* The request as a line; NULL: out of memory. Takes the request. */
static char *request_line(json_t *request)
{
	char *text = request ? json_dumps(request, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(request);
	if (text) {
		char *line = realloc(text, len + 2);

		if (!line)
			free(text);
		text = line;
	}
	if (text)
		strcpy(text + len, "\n");
	return text;
}

int hw_control_ask(const char *device, json_t *request, char error[HW_CONTROL_ERROR_BYTES],
		   json_t **ret_reply)
{
	char *line = request_line(request);
	char only[IFNAMSIZ];
	int err = 0;

	if (!line)
		return explain(error, HW_E_NOMEM, "out of memory");
	if (!device) {
		err = find_only(only, error);
		device = only;
	}
	if (err == 0 && (!device[0] || strlen(device) >= IFNAMSIZ || strchr(device, '/')))
		err = explain(error, HW_E_INVAL,
			      "that is no device's name: 1 to %d characters, no /", IFNAMSIZ - 1);
	if (err == 0)
		err = talk(device, line, error, ret_reply);
	free(line);
	return err;
}

int hw_control_status(const char *device, char error[HW_CONTROL_ERROR_BYTES], json_t **ret_status)
{
	json_t *reply = NULL;
	int err = hw_control_ask(device, json_pack("{s:s}", "request", "status"), error, &reply);

	if (err == 0) {
		json_t *status = json_object_get(reply, "status");

		if (json_is_object(status))
			*ret_status = json_incref(status);
		else
			err = explain(error, HW_E_MALFORMED,
				      "what answered is no hawser daemon, or one of another version");
	}
	json_decref(reply);
	return err;
}
