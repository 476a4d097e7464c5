/* What a local client may send to the control socket: one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/request.h"

static void check_request(const struct hw_control_request *request)
{
	enum hw_control_do what;

	switch (request->kind) {
	case HW_CONTROL_STATUS:
	case HW_CONTROL_RELOAD:
		if (request->link[0] != '\0')
			abort();
		return;
	case HW_CONTROL_LINK:
		/* A name that is safe to show, and something to do that has a name. */
		if (memchr(request->link, '\0', sizeof(request->link)) == NULL ||
		    request->link[0] == '\0')
			abort();
		for (const char *c = request->link; *c != '\0'; c++)
			if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
				abort();
		if (!hw_control_do_find(hw_control_do_name(request->what), &what) ||
		    what != request->what)
			abort();
		return;
	}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hw_control_request request, untouched;
	int err;

	memset(&request, 0x5a, sizeof(request));
	memset(&untouched, 0x5a, sizeof(untouched));
	err = hw_control_request_parse((const char *)data, size, &request);

	switch (err) {
	case 0:
		if (size > HW_CONTROL_LINE_MAX_BYTES)
			abort();
		check_request(&request);
		break;
	case HW_E_LIMIT:
		if (size <= HW_CONTROL_LINE_MAX_BYTES)
			abort();
		break;
	case HW_E_MALFORMED:
	case HW_E_NOT_FOUND:
		break;
	default:
		abort();
	}
	if (err != 0 && memcmp(&request, &untouched, sizeof(request)) != 0)
		abort();
	if (err != 0 && strlen(hw_control_request_error(err)) == 0)
		abort();
	return 0;
}
