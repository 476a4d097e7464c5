/* What a local client may send to the control socket: one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum hw_control_request request = (enum hw_control_request)-1;
	int err = hw_control_request_parse((const char *)data, size, &request);

	switch (err) {
	case 0:
		/* The only request there is must have been named, in a line of the allowed length. */
		if (request != HW_CONTROL_STATUS || size > HW_CONTROL_LINE_MAX_BYTES ||
		    !memmem(data, size, "request", 7))
			abort();
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
	if (err != 0 && request != (enum hw_control_request)-1)
		abort();
	if (err != 0 && strlen(hw_control_request_error(err)) == 0)
		abort();
	return 0;
}
