#include "cli/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cli.h"

int hw_cli_random(void *out, size_t len)
{
	ssize_t n;

	/* Requests of up to 256 bytes come whole; only the wait for the first seeding can be
	 * broken. */
	do
		n = getrandom(out, len, 0);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	hw_cli_error("no random bytes: %s", strerror(errno));
	return HW_E_SYSTEM;
}
