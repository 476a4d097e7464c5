/*
 * The client's side of the control protocol, for the command line.
 *
 * The protocol is one JSON object a line, over a Unix stream socket (control/request.h):
 * {"request":"status"} is answered by {"ok":true,"status":{...}} or by {"ok":false,"error":"..."}.
 */
#ifndef HW_CONTROL_CLIENT_H
#define HW_CONTROL_CLIENT_H

#include <jansson.h>

#include "base/error.h"

#define HW_CONTROL_RUNTIME_DIR "/run/hawser"
#define HW_CONTROL_REPLY_MAX_BYTES (1024u * 1024u) /* a longer reply is refused */
#define HW_CONTROL_ERROR_BYTES 512u

/* HAWSER_RUNTIME_DIR of the environment, or HW_CONTROL_RUNTIME_DIR. */
const char *hw_control_runtime_dir(void);

/*
 * Ask the daemon of `device` (NULL: of the only socket in the runtime directory) for its status,
 * and give the object of the reply's "status" key; the caller owns it (json_decref). Waits at most
 * 5 s.
 *
 * On failure `error` holds a sentence for people that says what to do:
 * HW_E_NOT_FOUND: no daemon runs (for that device); HW_E_LIMIT: several run and none was named;
 * HW_E_AUTH: not allowed to talk to it; HW_E_MALFORMED: what answered does not speak the protocol;
 * HW_E_STATE: the daemon refused, `error` has its words; HW_E_AGAIN: no answer in time;
 * HW_E_INVAL: `device` cannot be a device's name; HW_E_SYSTEM.
 */
HW_MUST_USE int hw_control_status(const char *device, char error[HW_CONTROL_ERROR_BYTES],
				  json_t **ret_status);

/*
 * Any request, which is taken, and the whole reply to it, which the caller owns. Errors as above; with
 * HW_E_STATE, *ret_reply is what the daemon answered, for what else it says: own it then too.
 */
HW_MUST_USE int hw_control_ask(const char *device, json_t *request,
			       char error[HW_CONTROL_ERROR_BYTES], json_t **ret_reply);

#endif
