/*
 * The state file: what stands on the disk may be anything. Each input is read as it is, and once
 * more with a right check behind it, so that mutations get past the check to the parser.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/state.h"

/* What was read can be used, and is read back the same when it is written. */
static void examine(const struct hw_state *state)
{
	static struct hw_state again;
	static char text[HW_STATE_MAX_BYTES], text_again[HW_STATE_MAX_BYTES];
	size_t len = hw_state_format(state, text);

	if (state->link_count > HW_STATE_LINKS)
		abort();
	for (uint32_t i = 0; i < state->link_count; i++) {
		const struct hw_state_link *link = &state->links[i];
		const struct hw_quota_rule rule = {1000, link->quota.per, 15, 80};
		struct hw_quota quota = link->quota;
		uint64_t total = hw_state_link_bytes(link);

		if (link->name[0] == '\0' || !hw_quota_is_sound(&quota, total))
			abort();
		for (hw_quota_day day = 20000; day < 20100; day += 11) {
			(void)hw_quota_advance(&quota, &rule, day, total, 100000);
			if (!hw_quota_is_sound(&quota, total) ||
			    hw_quota_use_of(&quota, &rule, total).used > total)
				abort();
		}
	}
	if (hw_state_parse(text, len, &again) != 0 ||
	    hw_state_format(&again, text_again) != len || memcmp(text, text_again, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hw_state state;
	static char text[2 * HW_STATE_MAX_BYTES];
	size_t len = size < HW_STATE_MAX_BYTES ? size : HW_STATE_MAX_BYTES;
	char check[32];

	state.link_count = UINT32_MAX;
	if (hw_state_parse((const char *)data, size, &state) == 0)
		examine(&state);
	else if (state.link_count != UINT32_MAX)
		abort();
	/* Without the check that the input may have. */
	memcpy(text, data, len);
	for (size_t i = 0; i + 7 <= len; i++)
		if (memcmp(text + i, "\ncheck ", 7) == 0)
			len = i + 1;
	len += (size_t)snprintf(check, sizeof(check), "check %016" PRIx64 "\n",
				hw_state_check(text, len));
	memcpy(text + len - 23, check, 23);
	if (hw_state_parse(text, len, &state) == 0)
		examine(&state);
	return 0;
}
