#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/cli.h"
#include "cli/random.h"
#include "crypto/identity.h"

/* A file that is cut short would be a wrong secret, so it goes again when writing fails. */
static int write_new(const char *path, const char *line, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (fd < 0 && errno == EEXIST) {
		hw_cli_error("gensecret: %s exists already: it is left as it is", path);
		return HW_EXIT_FAILURE;
	}
	if (fd < 0) {
		hw_cli_error("gensecret: cannot make %s: %s", path, strerror(errno));
		return HW_EXIT_FAILURE;
	}
	if (fchmod(fd, 0600) == 0 && write(fd, line, len) == (ssize_t)len && fsync(fd) == 0 &&
	    close(fd) == 0)
		return HW_EXIT_OK;
	error = errno;
	unlink(path);
	hw_cli_error("gensecret: cannot write %s: %s", path, strerror(error));
	return HW_EXIT_FAILURE;
}

int hw_cli_gensecret(const struct hw_cli_call *call)
{
	char line[HW_KEY_TEXT_BYTES + 1];
	uint8_t secret[HW_KEY_BYTES];
	int rc = HW_EXIT_OK;

	if (hw_cli_random(secret, sizeof(secret)) != 0)
		return HW_EXIT_FAILURE;
	hw_key_to_text(secret, line);
	if (call->operands[0] == NULL) {
		puts(line);
	} else {
		line[HW_KEY_TEXT_CHARS] = '\n';
		rc = write_new(call->operands[0], line, HW_KEY_TEXT_CHARS + 1);
	}
	hw_bytes_wipe(secret, sizeof(secret));
	hw_bytes_wipe(line, sizeof(line));
	return rc;
}
