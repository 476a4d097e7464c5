#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "config/config.h"
#include "crypto/identity.h"

HW_PRINTF(2, 3)
static void explain(char problem[HW_CONFIG_PROBLEM_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, HW_CONFIG_PROBLEM_BYTES, format, args);
	va_end(args);
}

static int check_file(int fd, const char *path, char problem[HW_CONFIG_PROBLEM_BYTES])
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		explain(problem, "cannot read %.120s: %s", path, strerror(errno));
		return HW_E_SYSTEM;
	}
	if (!S_ISREG(st.st_mode)) {
		explain(problem, "%.120s is not a regular file", path);
		return HW_E_MALFORMED;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		explain(problem, "%.120s belongs to another user: type 'chown %u %.60s'", path,
			(unsigned)geteuid(), path);
		return HW_E_AUTH;
	}
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		explain(problem,
			"%.100s is open to group or world (mode %04o): type 'chmod 600 %.100s'",
			path, (unsigned)st.st_mode & 07777, path);
		return HW_E_AUTH;
	}
	return 0;
}

/* Until the buffer is full or the file ends. HW_E_SYSTEM. */
static int read_all(int fd, char *buffer, size_t room, size_t *ret_len)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = read(fd, buffer + len, room - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return HW_E_SYSTEM;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int hw_config_read_secret(const char *path, uint8_t ret_bytes[HW_CONFIG_KEY_BYTES],
			  char ret_problem[HW_CONFIG_PROBLEM_BYTES])
{
	char text[HW_KEY_TEXT_CHARS + 2]; /* the newline, and one more that must not be there */
	size_t len = 0;
	/* Not to be kept waiting by a pipe that somebody put there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0) {
		explain(ret_problem, "cannot read %.120s: %s", path, strerror(errno));
		return HW_E_SYSTEM;
	}
	rc = check_file(fd, path, ret_problem);
	if (rc != 0)
		goto out;
	rc = read_all(fd, text, sizeof(text), &len);
	if (rc != 0) {
		explain(ret_problem, "cannot read %.120s: %s", path, strerror(errno));
		goto out;
	}
	if (len == HW_KEY_TEXT_CHARS + 1 && text[HW_KEY_TEXT_CHARS] == '\n')
		len--;
	rc = hw_key_from_text(text, len, ret_bytes);
	if (rc != 0)
		explain(ret_problem,
			"%.120s does not hold a key: expected one line of 44 characters, as "
			"'hawser gensecret' and 'hawser genkey' print it",
			path);
out:
	hw_bytes_wipe(text, sizeof(text));
	close(fd);
	return rc;
}
