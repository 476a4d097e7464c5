#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "hawser-state 1\n"
#define KEY "timestamp-floor-ns "
#define FILE_MAX_BYTES 128

static int parse(const char *text, struct hw_state *ret_state)
{
	uint64_t value = 0;
	const char *p;

	if (strncmp(text, FIRST_LINE KEY, strlen(FIRST_LINE KEY)) != 0)
		return HW_E_MALFORMED;
	p = text + strlen(FIRST_LINE KEY);
	if (*p == '\n')
		return HW_E_MALFORMED;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return HW_E_MALFORMED;
		value = value * 10 + digit;
	}
	/* A file that was cut short could still hold a number: a smaller one. */
	if (strcmp(p, "\n") != 0)
		return HW_E_MALFORMED;
	ret_state->timestamp_floor_ns = value;
	return 0;
}

int hw_state_load(const char *path, struct hw_state *ret_state)
{
	char text[FILE_MAX_BYTES + 1];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? HW_E_NOT_FOUND : HW_E_SYSTEM;
	n = read(fd, text, sizeof(text));
	if (n < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return HW_E_SYSTEM;
	}
	close(fd);
	if (n > FILE_MAX_BYTES || memchr(text, '\0', (size_t)n))
		return HW_E_MALFORMED;
	text[n] = '\0';
	return parse(text, ret_state);
}

/* Make the file's new name survive a crash too. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int fd, err;

	if (len >= sizeof(folder))
		return HW_E_INVAL;
	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open(!slash ? "." : len > 0 ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return HW_E_SYSTEM;
	err = fsync(fd) < 0 ? HW_E_SYSTEM : 0;
	close(fd);
	return err;
}

static int write_synced(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int saved;

	if (fd < 0)
		return HW_E_SYSTEM;
	if (write(fd, text, len) != (ssize_t)len || fsync(fd) < 0) {
		saved = errno;
		close(fd);
		(void)unlink(path);
		errno = saved;
		return HW_E_SYSTEM;
	}
	return close(fd) < 0 ? HW_E_SYSTEM : 0;
}

int hw_state_save(const char *path, const struct hw_state *state)
{
	char temporary[PATH_MAX];
	char text[FILE_MAX_BYTES];
	int len, err;

	len = snprintf(temporary, sizeof(temporary), "%s.new", path);
	if (len < 0 || (size_t)len >= sizeof(temporary))
		return HW_E_INVAL;
	len = snprintf(text, sizeof(text), FIRST_LINE KEY "%" PRIu64 "\n",
		       state->timestamp_floor_ns);
	err = write_synced(temporary, text, (size_t)len);
	if (err < 0)
		return err;
	if (rename(temporary, path) < 0) {
		int saved = errno;

		(void)unlink(temporary);
		errno = saved;
		return HW_E_SYSTEM;
	}
	return sync_folder(path);
}
