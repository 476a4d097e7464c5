#include "control/request.h"

#include <jansson.h>
#include <string.h>

static const char *const dos[] = {
	[HW_CONTROL_LINK_DOWN] = "down",     [HW_CONTROL_LINK_UP] = "up",
	[HW_CONTROL_LINK_ALWAYS] = "always", [HW_CONTROL_LINK_BACKUP] = "backup",
	[HW_CONTROL_LINK_NEVER] = "never",   [HW_CONTROL_LINK_CONFIG] = "config",
};

const char *hw_control_do_name(enum hw_control_do what)
{
	return dos[what];
}

bool hw_control_do_find(const char *name, enum hw_control_do *ret_do)
{
	for (size_t i = 0; i < sizeof(dos) / sizeof(dos[0]); i++) {
		if (strcmp(name, dos[i]) == 0) {
			*ret_do = (enum hw_control_do)i;
			return true;
		}
	}
	return false;
}

/* A name that may be shown again: in a log, on a terminal. */
bool hw_control_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= HW_CORE_NAME_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
			return false;
	return true;
}

static int parse_plain(json_t *root, struct hw_control_request *request)
{
	(void)request;
	return json_object_size(root) == 1 ? 0 : HW_E_MALFORMED;
}

static int parse_link(json_t *root, struct hw_control_request *request)
{
	const char *name = json_string_value(json_object_get(root, "link"));
	const char *what = json_string_value(json_object_get(root, "do"));

	if (!name || !what || json_object_size(root) != 3 || !hw_control_name_valid(name))
		return HW_E_MALFORMED;
	memcpy(request->link, name, strlen(name));
	return hw_control_do_find(what, &request->what) ? 0 : HW_E_NOT_FOUND;
}

static const struct {
	const char *name;
	enum hw_control_kind kind;
	int (*parse)(json_t *root, struct hw_control_request *request);
} requests[] = {
	{"status", HW_CONTROL_STATUS, parse_plain},
	{"reload", HW_CONTROL_RELOAD, parse_plain},
	{"link", HW_CONTROL_LINK, parse_link},
};

int hw_control_request_parse(const char *line, size_t len, struct hw_control_request *ret_request)
{
	struct hw_control_request request = {0};
	const char *name;
	json_t *root;
	int err = HW_E_MALFORMED;

	if (len > HW_CONTROL_LINE_MAX_BYTES)
		return HW_E_LIMIT;
	/* A key given twice could mean one thing to us and another to who wrote it. */
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	name = json_string_value(json_object_get(root, "request"));
	if (!name)
		goto out;
	err = HW_E_NOT_FOUND;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(name, requests[i].name) == 0) {
			request.kind = requests[i].kind;
			err = requests[i].parse(root, &request);
			break;
		}
	}
	if (err == 0)
		*ret_request = request;
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
		return "not a request: one line, one JSON object with the key \"request\" and those "
		       "that belong to it alone";
	}
}
