/*
 * Requests of the control protocol: one line, one JSON object.
 *
 *     {"request":"status"}
 *     {"request":"reload"}
 *     {"request":"link","link":NAME,"do":"down"|"up"|"always"|"backup"|"never"|"config"}
 *
 * What a client sends is foreign: nothing of it goes into a log or a reply but the name of a link,
 * which has passed the rules for such names.
 */
#ifndef HW_CONTROL_REQUEST_H
#define HW_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "core/core.h"

#define HW_CONTROL_LINE_MAX_BYTES 4096u /* of a request, without the newline */

enum hw_control_kind { HW_CONTROL_STATUS, HW_CONTROL_RELOAD, HW_CONTROL_LINK };

enum hw_control_do {
	HW_CONTROL_LINK_DOWN,   /* until `up` or a restart */
	HW_CONTROL_LINK_UP,     /* as if `down` had not been said */
	HW_CONTROL_LINK_ALWAYS, /* this use, whatever the configuration says */
	HW_CONTROL_LINK_BACKUP,
	HW_CONTROL_LINK_NEVER,
	HW_CONTROL_LINK_CONFIG  /* the configuration's use again */
};

struct hw_control_request {
	enum hw_control_kind kind;
	char link[HW_CORE_NAME_BYTES]; /* of LINK: visible ASCII but quotes and \ */
	enum hw_control_do what;       /* of LINK */
};

/*
 * Parse one line (without its newline). HW_E_LIMIT: longer than allowed; HW_E_MALFORMED: not one
 * JSON object with a string "request" and exactly the other keys that this request has, each of its
 * kind; HW_E_NOT_FOUND: a request, or a thing to do, that does not exist. On failure *ret_request is
 * untouched.
 */
HW_MUST_USE int hw_control_request_parse(const char *line, size_t len,
					 struct hw_control_request *ret_request);

/* What a client is told about each error of hw_control_request_parse. */
const char *hw_control_request_error(int error);

/* Whether a request may name a link so. */
bool hw_control_name_valid(const char *name);

/* "down", "up", "always" ... and back. False: no such word. */
const char *hw_control_do_name(enum hw_control_do what);
bool hw_control_do_find(const char *name, enum hw_control_do *ret_do);

#endif
