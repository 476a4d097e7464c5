#include "config/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/place.h"
#include "config/report.h"
#include "config/value.h"

size_t hw_schema_enter(struct hw_schema_reader *r, const char *format, ...)
{
	size_t mark = r->place_len;
	size_t room = sizeof(r->place) - mark;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(r->place + mark, room, format, args);
	va_end(args);
	r->place_len = len < 0              ? mark
		       : (size_t)len < room ? mark + (size_t)len
					    : sizeof(r->place) - 1;
	return mark;
}

void hw_schema_leave(struct hw_schema_reader *r, size_t mark)
{
	r->place_len = mark;
	r->place[mark] = '\0';
}

HW_PRINTF(4, 0)
static void note(struct hw_schema_reader *r, const struct hw_yaml_node *node, bool warning,
		 const char *format, va_list args)
{
	const char *colon = r->place_len > 0 ? ": " : "";
	char text[320];

	vsnprintf(text, sizeof(text), format, args);
	if (warning)
		hw_config_warning(r->report, node->line, node->column, "%s%s%s", r->place, colon,
				  text);
	else
		hw_config_error(r->report, node->line, node->column, "%s%s%s", r->place, colon,
				text);
}

void hw_schema_error(struct hw_schema_reader *r, const struct hw_yaml_node *node,
		     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(r, node, false, format, args);
	va_end(args);
}

void hw_schema_warning(struct hw_schema_reader *r, const struct hw_yaml_node *node,
		       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(r, node, true, format, args);
	va_end(args);
}

static bool is_null(const struct hw_yaml_node *node)
{
	return node->type == HW_YAML_SCALAR && node->plain &&
	       (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0);
}

void hw_schema_wrong(struct hw_schema_reader *r, const struct hw_schema_key *key,
		     const struct hw_yaml_node *value)
{
	if (value->type == HW_YAML_LIST)
		hw_schema_error(r, value, "a list cannot be here: expected %s", key->right);
	else if (value->type == HW_YAML_MAP)
		hw_schema_error(r, value, "a mapping cannot be here: expected %s", key->right);
	else if (is_null(value))
		hw_schema_error(r, value, "the value is missing: expected %s", key->right);
	else
		hw_schema_error(r, value, "'%.64s' is not right: expected %s", value->text,
				key->right);
}

bool hw_schema_is_text(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value)
{
	if (value->type == HW_YAML_SCALAR && !is_null(value))
		return true;
	hw_schema_wrong(r, key, value);
	return false;
}

bool hw_schema_is_list(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value)
{
	if (value->type == HW_YAML_LIST)
		return true;
	hw_schema_wrong(r, key, value);
	return false;
}

static const struct hw_schema_key *find(const struct hw_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	return NULL;
}

static void unknown_key(struct hw_schema_reader *r, const struct hw_schema *schema,
			const struct hw_yaml_node *key)
{
	const char *names[HW_SCHEMA_MAX_KEYS];
	char list[200] = "";
	const char *nearest;

	for (size_t i = 0; i < schema->count; i++) {
		size_t at = strlen(list);

		names[i] = schema->keys[i].name;
		if (schema->keys[i].read != NULL)
			snprintf(list + at, sizeof(list) - at, "%s%s", at > 0 ? ", " : "",
				 names[i]);
	}
	nearest = hw_config_nearest(key->text, names, schema->count);
	if (nearest != NULL)
		hw_schema_error(r, key, "unknown key '%.48s': did you mean '%s'?", key->text,
				nearest);
	else
		hw_schema_error(r, key, "unknown key '%.48s': the keys here are %s", key->text,
				list);
}

/* A key of the table, met in the file for the first time. */
static void read_key(struct hw_schema_reader *r, const struct hw_schema_key *key,
		     const struct hw_yaml_node *value, void *base)
{
	size_t mark = hw_schema_enter(r, "%s%s", r->place_len > 0 ? "." : "", key->name);

	if (key->read == NULL)
		hw_schema_error(r, value->key, "this version does not support it yet");
	else
		key->read(r, key, value, (char *)base + key->offset);
	hw_config_note_place(r->config, r->place, value->line, value->column);
	hw_schema_leave(r, mark);
}

void hw_schema_read_map(struct hw_schema_reader *r, const struct hw_schema *schema,
			const struct hw_yaml_node *node, void *base)
{
	uint32_t seen[HW_SCHEMA_MAX_KEYS] = { 0 }; /* line of the first time */

	for (const struct hw_yaml_node *value = node->first; value != NULL; value = value->next) {
		const struct hw_schema_key *key = find(schema, value->key->text);

		if (key == NULL) {
			unknown_key(r, schema, value->key);
			continue;
		}
		if (seen[key - schema->keys] != 0) {
			hw_schema_error(r, value->key, "'%s' is here twice: first on line %u",
					key->name, seen[key - schema->keys]);
			continue;
		}
		seen[key - schema->keys] = value->key->line;
		read_key(r, key, value, base);
	}
	for (size_t i = 0; i < schema->count; i++)
		if (schema->keys[i].required && seen[i] == 0)
			hw_schema_error(r, node, "'%s' is missing: expected %s",
					schema->keys[i].name, schema->keys[i].right);
}

void hw_schema_u64(struct hw_schema_reader *r, const struct hw_schema_key *key,
		   const struct hw_yaml_node *value, void *target)
{
	uint64_t number;

	if (!hw_schema_is_text(r, key, value))
		return;
	if (hw_value_u64(value->text, &number) != 0 || number < key->min || number > key->max)
		hw_schema_wrong(r, key, value);
	else
		memcpy(target, &number, sizeof(number));
}

void hw_schema_u32(struct hw_schema_reader *r, const struct hw_schema_key *key,
		   const struct hw_yaml_node *value, void *target)
{
	uint64_t wide = UINT64_MAX;

	hw_schema_u64(r, key, value, &wide);
	if (wide <= UINT32_MAX) {
		uint32_t number = (uint32_t)wide;

		memcpy(target, &number, sizeof(number));
	}
}

void hw_schema_bool(struct hw_schema_reader *r, const struct hw_schema_key *key,
		    const struct hw_yaml_node *value, void *target)
{
	if (hw_schema_is_text(r, key, value) && hw_value_bool(value->text, target) != 0)
		hw_schema_wrong(r, key, value);
}

void hw_schema_duration(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	hw_time time;

	if (!hw_schema_is_text(r, key, value))
		return;
	if (hw_value_duration(value->text, &time) != 0 || time < key->min || time > key->max)
		hw_schema_wrong(r, key, value);
	else
		memcpy(target, &time, sizeof(time));
}

void hw_schema_seconds(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, void *target)
{
	uint64_t seconds = UINT64_MAX;

	hw_schema_u64(r, key, value, &seconds);
	if (seconds <= key->max) {
		hw_time time = HW_S(seconds);

		memcpy(target, &time, sizeof(time));
	}
}

static int find_word(const char *const *words, const char *text)
{
	for (int i = 0; words != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

static void wrong_word(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value)
{
	size_t count = 0;
	const char *nearest;

	if (find_word(key->later, value->text) >= 0) {
		hw_schema_error(r, value, "this version does not support '%s' yet: expected %s",
				value->text, key->right);
		return;
	}
	while (key->words[count] != NULL)
		count++;
	nearest = hw_config_nearest(value->text, key->words, count);
	if (nearest != NULL)
		hw_schema_error(r, value, "'%.64s' is not right: did you mean '%s'?", value->text,
				nearest);
	else
		hw_schema_wrong(r, key, value);
}

/* The word's place, or -1 after reporting. */
static int read_word(struct hw_schema_reader *r, const struct hw_schema_key *key,
		     const struct hw_yaml_node *value)
{
	int word;

	if (!hw_schema_is_text(r, key, value))
		return -1;
	word = find_word(key->words, value->text);
	if (word < 0)
		wrong_word(r, key, value);
	return word;
}

void hw_schema_word(struct hw_schema_reader *r, const struct hw_schema_key *key,
		    const struct hw_yaml_node *value, void *target)
{
	int word = read_word(r, key, value);

	if (word >= 0)
		memcpy(target, &word, sizeof(word));
}

void hw_schema_flag(struct hw_schema_reader *r, const struct hw_schema_key *key,
		    const struct hw_yaml_node *value, void *target)
{
	int word = read_word(r, key, value);

	if (word >= 0)
		*(bool *)target = word == 1;
}

void hw_schema_word_text(struct hw_schema_reader *r, const struct hw_schema_key *key,
			 const struct hw_yaml_node *value, void *target)
{
	int word = read_word(r, key, value);

	if (word >= 0)
		hw_config_copy(target, 32, key->words[word]);
}

void hw_schema_name(struct hw_schema_reader *r, const struct hw_schema_key *key,
		    const struct hw_yaml_node *value, void *target)
{
	if (hw_schema_is_text(r, key, value) && hw_value_name(value->text, target) != 0)
		hw_schema_wrong(r, key, value);
}

void hw_schema_path(struct hw_schema_reader *r, const struct hw_schema_key *key,
		    const struct hw_yaml_node *value, void *target)
{
	const char *file = r->config->file;
	const char *slash = strrchr(file, '/');
	size_t folder = slash != NULL ? (size_t)(slash - file) + 1 : 0;

	if (!hw_schema_is_text(r, key, value))
		return;
	if (value->text[0] == '\0') {
		hw_schema_wrong(r, key, value);
		return;
	}
	if (value->text[0] == '/')
		folder = 0;
	if (folder + strlen(value->text) >= HW_CONFIG_PATH_BYTES) {
		hw_schema_error(r, value, "the file's name is too long (the limit is %u bytes)",
				HW_CONFIG_PATH_BYTES - 1);
		return;
	}
	memcpy(target, file, folder);
	hw_config_copy((char *)target + folder, HW_CONFIG_PATH_BYTES - folder, value->text);
}
