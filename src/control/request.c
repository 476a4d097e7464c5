#include "control/request.h"

#include <jansson.h>
#include <string.h>

static const struct {
	const char *name;
	enum hw_control_request request;
} requests[] = {
	{"status", HW_CONTROL_STATUS},
};

int hw_control_request_parse(const char *line, size_t len, enum hw_control_request *ret_request)
{
	const char *name;
	json_t *root;
	int err = HW_E_MALFORMED;

	if (len > HW_CONTROL_LINE_MAX_BYTES)
		return HW_E_LIMIT;
	/* A key given twice could mean one thing to us and another to who wrote it. */
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	name = json_string_value(json_object_get(root, "request"));
	if (!name || json_object_size(root) != 1)
		goto out;
	err = HW_E_NOT_FOUND;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(name, requests[i].name) == 0) {
			*ret_request = requests[i].request;
			err = 0;
			break;
		}
	}
out:
	json_decref(root);
	return err;
}

const char *hw_control_request_error(int error)
{
	switch (error) {
	case HW_E_LIMIT:
		return "request longer than 4096 bytes";
	case HW_E_NOT_FOUND:
		return "unknown request";
	default:
		return "not a request: one line, one JSON object with the key \"request\" alone";
	}
}
