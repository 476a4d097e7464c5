/* links[].interface and links-exclude: names of interfaces, and patterns for them. */
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "config/report.h"
#include "config/schema.h"
#include "config/value.h"

bool hw_value_is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

int hw_value_pattern(const char *text, char ret_pattern[HW_CONFIG_DEVICE_BYTES])
{
	for (const char *open = strchr(text, '['); open != NULL; open = strchr(open, '[')) {
		/* "[]a]" and "[!]a]" hold the bracket itself. */
		open += open[1] == '!' ? 2 : 1;
		open = *open == '\0' ? NULL : strchr(open + 1, ']');
		if (open == NULL)
			return HW_E_MALFORMED;
	}
	return hw_value_interface(text, ret_pattern);
}

bool hw_value_matches(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}

bool hw_config_link_is_pattern(const struct hw_config_link *link)
{
	return link->every || hw_value_is_pattern(link->interface);
}

void hw_config_read_interfaces(struct hw_schema_reader *r, const struct hw_schema_key *key,
			       const struct hw_yaml_node *value, void *target)
{
	int rc;

	if (!hw_schema_is_text(r, key, value))
		return;
	rc = hw_value_pattern(value->text, target);
	if (rc == HW_E_LIMIT)
		hw_schema_error(r, value,
				"'%.64s' is too long for an interface: at most 15 characters",
				value->text);
	else if (rc != 0)
		hw_schema_wrong(r, key, value);
}

void hw_config_read_exclude(struct hw_schema_reader *r, const struct hw_schema_key *key,
			    const struct hw_yaml_node *value, void *target)
{
	struct hw_config *config = target;

	if (!hw_schema_is_list(r, key, value))
		return;
	if (value->first == NULL)
		hw_schema_error(r, value, "the list is empty: expected %s", key->right);
	config->exclude_mark.line = value->line;
	config->exclude_mark.column = value->column;
	for (const struct hw_yaml_node *item = value->first; item != NULL; item = item->next) {
		char *place = config->exclude[config->exclude_count];

		if (config->exclude_count == HW_CONFIG_MAX_EXCLUDES) {
			hw_schema_error(r, item, "more than %u patterns", HW_CONFIG_MAX_EXCLUDES);
			return;
		}
		hw_config_read_interfaces(r, key, item, place);
		for (uint32_t i = 0; place[0] != '\0' && i < config->exclude_count; i++)
			if (strcmp(config->exclude[i], place) == 0)
				hw_schema_error(r, item, "'%.15s' is here twice", place);
		config->exclude_count++;
	}
}
