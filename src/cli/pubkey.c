#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/cli.h"
#include "crypto/identity.h"

int hw_cli_pubkey(const struct hw_cli_call *call)
{
	char text[HW_KEY_TEXT_BYTES + 2];
	uint8_t private_key[HW_KEY_BYTES], public_key[HW_KEY_BYTES];
	int rc = HW_EXIT_FAILURE;
	size_t len;

	(void)call;
	len = fread(text, 1, sizeof(text), stdin);
	if (len == HW_KEY_TEXT_CHARS + 1 && text[HW_KEY_TEXT_CHARS] == '\n')
		len--;
	if (hw_key_from_text(text, len, private_key) != 0) {
		hw_cli_error("pubkey: standard input is not a private key: expected one line of 44 "
			     "characters, as 'hawser genkey' prints it");
		goto out;
	}
	if (hw_identity_public(private_key, public_key) != 0) {
		hw_cli_error("pubkey: libcrypto failed");
		goto out;
	}
	hw_key_to_text(public_key, text);
	puts(text);
	rc = HW_EXIT_OK;
out:
	hw_bytes_wipe(text, sizeof(text));
	hw_bytes_wipe(private_key, sizeof(private_key));
	return rc;
}
