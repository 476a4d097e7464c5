#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint32_t hw_state_link(struct hw_state *state, const char *name, uint64_t keep, uint64_t wall_s)
{
	struct hw_state_link *link;
	char cut[HW_STATE_NAME_BYTES];
	uint32_t at = 0;

	(void)snprintf(cut, sizeof(cut), "%s", name);
	for (uint32_t i = 0; i < state->link_count; i++)
		if (strcmp(state->links[i].name, cut) == 0)
			return i;
	if (state->link_count < HW_STATE_LINKS) {
		at = state->link_count++;
	} else {
		uint64_t oldest = UINT64_MAX;

		for (uint32_t i = 0; i < HW_STATE_LINKS; i++) {
			if (keep >> i & 1 || state->links[i].seen_s >= oldest)
				continue;
			oldest = state->links[i].seen_s;
			at = i;
		}
	}
	link = &state->links[at];
	*link = (struct hw_state_link){.since_s = wall_s, .seen_s = wall_s};
	memcpy(link->name, cut, sizeof(cut));
	return at;
}

static int load_one(const char *path, struct hw_state *ret_state)
{
	char text[HW_STATE_MAX_BYTES + 1];
	size_t len = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? HW_E_NOT_FOUND : HW_E_SYSTEM;
	do {
		n = read(fd, text + len, sizeof(text) - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < sizeof(text));
	if (n < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return HW_E_SYSTEM;
	}
	close(fd);
	return hw_state_parse(text, len, ret_state);
}

/* Gives false when there is no room. */
static bool with_suffix(const char *path, const char *suffix, char ret_path[PATH_MAX])
{
	int len = snprintf(ret_path, PATH_MAX, "%s%s", path, suffix);

	return len > 0 && len < PATH_MAX;
}

int hw_state_load(const char *path, struct hw_state *ret_state, bool *ret_old)
{
	char old[PATH_MAX];
	int err = load_one(path, ret_state);
	int saved = errno;

	*ret_old = err < 0 && with_suffix(path, ".old", old) && load_one(old, ret_state) == 0;
	errno = saved;
	return err;
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
	char temporary[PATH_MAX], old[PATH_MAX];
	char text[HW_STATE_MAX_BYTES];
	int err;

	if (!with_suffix(path, ".new", temporary) || !with_suffix(path, ".old", old))
		return HW_E_INVAL;
	err = write_synced(temporary, text, hw_state_format(state, text));
	if (err < 0)
		return err;
	/* Between the two there is no PATH for a moment: then PATH.old is what counts. */
	if ((rename(path, old) < 0 && errno != ENOENT) || rename(temporary, path) < 0) {
		int saved = errno;

		(void)unlink(temporary);
		errno = saved;
		return HW_E_SYSTEM;
	}
	return sync_folder(path);
}
