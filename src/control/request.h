/*
 * Requests of the control protocol: one line, one JSON object. What a client sends is foreign:
 * nothing of it goes into a log or a reply.
 */
#ifndef HW_CONTROL_REQUEST_H
#define HW_CONTROL_REQUEST_H

#include <stddef.h>

#include "base/error.h"

#define HW_CONTROL_LINE_MAX_BYTES 4096u /* of a request, without the newline */

enum hw_control_request {
	HW_CONTROL_STATUS /* {"request":"status"} */
};

/*
 * Parse one line (without its newline). HW_E_LIMIT: longer than allowed; HW_E_MALFORMED: not one
 * JSON object with a string "request" and no other key; HW_E_NOT_FOUND: a request that does not
 * exist.
 */
HW_MUST_USE int hw_control_request_parse(const char *line, size_t len,
					 enum hw_control_request *ret_request);

/* What a client is told about each error of hw_control_request_parse. */
const char *hw_control_request_error(int error);

#endif
