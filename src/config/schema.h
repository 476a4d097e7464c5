/*
 * The schema engine: mappings read by a table of keys.
 *
 * Each key has a reader, a place in the struct that its mapping fills, its limits, and a phrase
 * that says what a right value is. The phrase is what error messages end in, so that every message
 * tells what to write instead.
 */
#ifndef HW_CONFIG_SCHEMA_H
#define HW_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "config/yaml.h"

#define HW_SCHEMA_MAX_KEYS 24u

struct hw_schema_key;

/* One reading of a file: where messages go, and which place of the file they speak of. */
struct hw_schema_reader {
	struct hw_config_report *report;
	struct hw_config *config;
	char place[192]; /* "links[1].use" */
	size_t place_len;
};

typedef void hw_schema_read(struct hw_schema_reader *r, const struct hw_schema_key *key,
			    const struct hw_yaml_node *value, void *target);

struct hw_schema_key {
	const char *name;
	hw_schema_read *read; /* NULL: a key of a later version */
	size_t offset;        /* of the target in the struct that the mapping fills */
	const char *right;    /* what a right value is, with an example */
	uint64_t min, max;
	const char *const *words; /* in the order of the enum they stand for; ends with NULL */
	const char *const *later; /* words of a later version; NULL: none */
	bool required;
};

struct hw_schema {
	const struct hw_schema_key *keys;
	size_t count; /* at most HW_SCHEMA_MAX_KEYS */
};

/*
 * Read a mapping into base; faults go to the report. Calls the reader of each key present, in the
 * order of the file.
 */
void hw_schema_read_map(struct hw_schema_reader *r, const struct hw_schema *schema,
			const struct hw_yaml_node *node, void *base);

/* A step down in the place, and back: hw_schema_leave takes what hw_schema_enter gave. */
HW_PRINTF(2, 3)
size_t hw_schema_enter(struct hw_schema_reader *r, const char *format, ...);
void hw_schema_leave(struct hw_schema_reader *r, size_t mark);

/* "PLACE: what", at the node. */
HW_PRINTF(3, 4)
void hw_schema_error(struct hw_schema_reader *r, const struct hw_yaml_node *node,
		     const char *format, ...);
HW_PRINTF(3, 4)
void hw_schema_warning(struct hw_schema_reader *r, const struct hw_yaml_node *node,
		       const char *format, ...);

/* "PLACE: 'value' is not right: expected RIGHT", or "a list" and so on where value is no scalar. */
void hw_schema_wrong(struct hw_schema_reader *r, const struct hw_schema_key *key,
		     const struct hw_yaml_node *value);

/* The node is a scalar with something in it; else the fault is reported. */
bool hw_schema_is_text(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value);
bool hw_schema_is_list(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value);

/* Readers for common kinds; the comment is the target's type. */
hw_schema_read hw_schema_u32;       /* uint32_t, within min and max */
hw_schema_read hw_schema_u64;       /* uint64_t, within min and max */
hw_schema_read hw_schema_bool;      /* bool */
hw_schema_read hw_schema_duration;  /* hw_time, within min and max */
hw_schema_read hw_schema_seconds;   /* hw_time; a plain number of seconds within min and max */
hw_schema_read hw_schema_word;      /* an enum of the size of unsigned: the word's place */
hw_schema_read hw_schema_flag;      /* bool: the second word of two is true */
hw_schema_read hw_schema_word_text; /* char[32]: one of the words */
hw_schema_read hw_schema_name;      /* char[HW_CORE_NAME_BYTES] */
hw_schema_read hw_schema_path;      /* char[HW_CONFIG_PATH_BYTES], relative to the configuration */

/* interfaces.c */
hw_schema_read hw_config_read_interfaces; /* char[HW_CONFIG_DEVICE_BYTES]: a name or a pattern */
hw_schema_read hw_config_read_exclude;    /* struct hw_config: links-exclude */

/* quota.c */
hw_schema_read hw_config_read_quota;   /* struct hw_config_quota */
hw_schema_read hw_config_read_metered; /* enum hw_config_metered */

/* The schema of the whole file; the target is a struct hw_config. */
extern const struct hw_schema hw_config_schema;

#endif
