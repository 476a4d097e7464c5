#include <stdio.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "cli/cli.h"
#include "cli/random.h"
#include "crypto/identity.h"

static void warn_if_readable(void)
{
	struct stat st;

	if (fstat(fileno(stdout), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		hw_cli_error("warning: others can read this file: type 'chmod 600' for it, or "
			     "'umask 077' before");
}

int hw_cli_genkey(const struct hw_cli_call *call)
{
	uint8_t random[HW_KEY_BYTES], key[HW_KEY_BYTES];
	char text[HW_KEY_TEXT_BYTES];

	(void)call;
	if (hw_cli_random(random, sizeof(random)) != 0)
		return HW_EXIT_FAILURE;
	hw_identity_generate(random, key);
	hw_key_to_text(key, text);
	warn_if_readable();
	puts(text);
	hw_bytes_wipe(random, sizeof(random));
	hw_bytes_wipe(key, sizeof(key));
	hw_bytes_wipe(text, sizeof(text));
	return HW_EXIT_OK;
}
