/*
 * YAML as a small tree with places, over libyaml's events.
 *
 * libyaml checks the syntax; this layer refuses what a configuration has no need of (aliases and
 * anchors, so that no small file can stand for a huge one; tags; several documents), bounds depth
 * and size, and keeps line and column of every value.
 */
#ifndef HW_CONFIG_YAML_H
#define HW_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HW_YAML_MAX_NODES 16384u

struct hw_config_report;

enum hw_yaml_type { HW_YAML_SCALAR, HW_YAML_LIST, HW_YAML_MAP };

struct hw_yaml_node {
	enum hw_yaml_type type;
	uint32_t line, column;
	bool plain;               /* a scalar without quotes */
	char *text;               /* of a scalar; ends with a zero and holds no other */
	struct hw_yaml_node *key; /* in a mapping: this value's key, a scalar */
	struct hw_yaml_node
		*first; /* the children of a list or mapping, in the order of the file */
	struct hw_yaml_node *last;
	struct hw_yaml_node *next;
};

/*
 * Read one document. The caller frees the tree with hw_yaml_free.
 * HW_E_MALFORMED: the report says where and why; HW_E_NOMEM.
 */
HW_MUST_USE int hw_yaml_parse(const char *text, size_t len, struct hw_config_report *report,
			      struct hw_yaml_node **ret_root);

/* NULL is allowed. */
void hw_yaml_free(struct hw_yaml_node *root);

#endif
