#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config/report.h"

struct reader {
	yaml_parser_t parser;
	struct hw_config_report *report;
	const char *text;
	size_t len;
	uint32_t nodes;
};

void hw_yaml_free(struct hw_yaml_node *root)
{
	if (root == NULL)
		return;
	for (struct hw_yaml_node *child = root->first, *next; child != NULL; child = next) {
		next = child->next;
		hw_yaml_free(child);
	}
	hw_yaml_free(root->key);
	free(root->text);
	free(root);
}

static void fault(struct reader *r, yaml_mark_t mark, const char *what)
{
	hw_config_error(r->report, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1, "%s", what);
}

/* Length of the UTF-8 sequence at p, or 0 when it is none (RFC 3629: shortest form, no surrogates).
 */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	size_t len = p[0] < 0x80                   ? 1
		     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		     : (p[0] & 0xf0) == 0xe0       ? 3
						   : 4;

	if (len == 1)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* libyaml says only "invalid" and a byte offset; people want a line. */
static int check_characters(struct reader *r)
{
	yaml_mark_t mark = { 0 };
	bool blank = true;

	for (size_t i = 0, len; i < r->len; i += len) {
		uint8_t c = (uint8_t)r->text[i];

		len = utf8_len((const uint8_t *)r->text + i, r->len - i);
		if (len == 0) {
			fault(r, mark, "this is not UTF-8 text");
			return HW_E_MALFORMED;
		}
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			fault(r, mark, "control characters have no place in a configuration");
			return HW_E_MALFORMED;
		}
		if (c == '\t' && blank) {
			fault(r, mark, "a tab cannot indent in YAML: use spaces");
			return HW_E_MALFORMED;
		}
		blank = c == '\n' || (blank && c == ' ');
		mark.column = c == '\n' ? 0 : mark.column + 1;
		mark.line += c == '\n';
	}
	return 0;
}

/* "- [2001:db8::1]:8420" is a list with something odd behind it, to YAML. */
static bool has_bare_ipv6(const struct reader *r, size_t line)
{
	const char *at = r->text, *end = r->text + r->len;

	for (; line > 0 && at != NULL; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at != NULL ? at + 1 : NULL;
	}
	for (; at != NULL && at + 1 < end && *at != '\n'; at++)
		if (at[0] == ']' && at[1] == ':')
			return true;
	return false;
}

static void explain_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	uint32_t line = (uint32_t)p->problem_mark.line + 1;
	uint32_t column = (uint32_t)p->problem_mark.column + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return;
	if (has_bare_ipv6(r, p->problem_mark.line))
		hw_config_error(r->report, line, column,
				"not YAML: write IPv6 in quotes, \"[2001:db8::1]:8420\"");
	else if (p->context != NULL)
		hw_config_error(r->report, line, column, "not YAML: %s %s (begun on line %zu)",
				p->problem, p->context, p->context_mark.line + 1);
	else
		hw_config_error(r->report, line, column, "not YAML: %s",
				p->problem != NULL ? p->problem : "cannot be read");
}

static int next_event(struct reader *r, yaml_event_t *ret_event)
{
	if (!yaml_parser_parse(&r->parser, ret_event)) {
		explain_syntax(r);
		return r->parser.error == YAML_MEMORY_ERROR ? HW_E_NOMEM : HW_E_MALFORMED;
	}
	return 0;
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static const yaml_char_t *tag_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag;
	default:
		return NULL;
	}
}

static int refuse_extras(struct reader *r, const yaml_event_t *event, unsigned depth)
{
	const char *what = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		what = "aliases (*name) are not allowed: write the value out";
	else if (anchor_of(event) != NULL)
		what = "anchors (&name) are not allowed";
	else if (tag_of(event) != NULL)
		what = "tags (!name) are not allowed";
	else if (depth >= HW_CONFIG_MAX_DEPTH && event->type != YAML_SCALAR_EVENT)
		what = "nested too deeply (the limit is 16 levels)";
	else if (++r->nodes > HW_YAML_MAX_NODES)
		what = "too many values (the limit is 16384)";
	if (what == NULL)
		return 0;
	fault(r, event->start_mark, what);
	return HW_E_MALFORMED;
}

static int new_node(const yaml_event_t *event, struct hw_yaml_node **ret_node)
{
	struct hw_yaml_node *node = calloc(1, sizeof(*node));

	if (node == NULL)
		return HW_E_NOMEM;
	node->line = (uint32_t)event->start_mark.line + 1;
	node->column = (uint32_t)event->start_mark.column + 1;
	node->type = event->type == YAML_SEQUENCE_START_EVENT  ? HW_YAML_LIST
		     : event->type == YAML_MAPPING_START_EVENT ? HW_YAML_MAP
							       : HW_YAML_SCALAR;
	if (node->type == HW_YAML_SCALAR) {
		node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		node->text = malloc(event->data.scalar.length + 1);
		if (node->text == NULL) {
			free(node);
			return HW_E_NOMEM;
		}
		memcpy(node->text, event->data.scalar.value, event->data.scalar.length + 1);
	}
	*ret_node = node;
	return 0;
}

static int read_children(struct reader *r, unsigned depth, struct hw_yaml_node *parent);

/* The value that `event` begins. A zero byte, which only an escape can bring in, ends no text. */
static int read_value(struct reader *r, const yaml_event_t *event, unsigned depth,
		      struct hw_yaml_node **ret_node)
{
	struct hw_yaml_node *node = NULL;
	int rc = refuse_extras(r, event, depth);

	if (rc != 0)
		return rc;
	if (event->type == YAML_SCALAR_EVENT &&
	    memchr(event->data.scalar.value, 0, event->data.scalar.length) != NULL) {
		fault(r, event->start_mark, "a zero byte has no place in a configuration");
		return HW_E_MALFORMED;
	}
	rc = new_node(event, &node);
	if (rc == 0 && node->type != HW_YAML_SCALAR)
		rc = read_children(r, depth + 1, node);
	if (rc != 0) {
		hw_yaml_free(node);
		return rc;
	}
	*ret_node = node;
	return 0;
}

static void append(struct hw_yaml_node *parent, struct hw_yaml_node *child)
{
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static int read_children(struct reader *r, unsigned depth, struct hw_yaml_node *parent)
{
	struct hw_yaml_node *key = NULL;
	int rc;

	for (;;) {
		struct hw_yaml_node *node = NULL;
		yaml_event_t event;

		rc = next_event(r, &event);
		if (rc != 0)
			break;
		if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		rc = read_value(r, &event, depth, &node);
		if (rc == 0 && parent->type == HW_YAML_MAP && key == NULL &&
		    node->type != HW_YAML_SCALAR) {
			fault(r, event.start_mark, "a key must be a word, not a list or mapping");
			hw_yaml_free(node);
			rc = HW_E_MALFORMED;
		}
		yaml_event_delete(&event);
		if (rc != 0)
			break;
		if (parent->type == HW_YAML_MAP && key == NULL) {
			key = node;
			continue;
		}
		node->key = key;
		key = NULL;
		append(parent, node);
	}
	hw_yaml_free(key);
	return rc;
}

/* The event after the stream's start, or after a document's end. */
static int read_document(struct reader *r, struct hw_yaml_node **ret_root)
{
	yaml_event_t event;
	int rc = next_event(r, &event);

	if (rc != 0)
		return rc;
	if (event.type == YAML_STREAM_END_EVENT) {
		yaml_event_delete(&event);
		hw_config_error(r->report, 0, 0, "the file is empty: it needs at least 'identity'");
		return HW_E_MALFORMED;
	}
	yaml_event_delete(&event);
	rc = next_event(r, &event);
	if (rc != 0)
		return rc;
	rc = read_value(r, &event, 0, ret_root);
	yaml_event_delete(&event);
	return rc;
}

static int expect_end(struct reader *r)
{
	yaml_event_t event;
	int rc;

	for (int i = 0; i < 2; i++) {
		rc = next_event(r, &event);
		if (rc != 0)
			return rc;

		yaml_event_type_t type = event.type;
		yaml_mark_t mark = event.start_mark;

		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			break;
		if (type != YAML_DOCUMENT_END_EVENT) {
			fault(r, mark, "a second document begins here: one file is one document");
			return HW_E_MALFORMED;
		}
	}
	return 0;
}

int hw_yaml_parse(const char *text, size_t len, struct hw_config_report *report,
		  struct hw_yaml_node **ret_root)
{
	struct reader r = { .report = report, .text = text, .len = len };
	struct hw_yaml_node *root = NULL;
	yaml_event_t event;
	int rc;

	/* The byte order mark that some editors put in front says nothing about UTF-8. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		r.text += 3;
		r.len -= 3;
	}
	rc = check_characters(&r);
	if (rc != 0)
		return rc;
	if (!yaml_parser_initialize(&r.parser))
		return HW_E_NOMEM;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, r.len);
	rc = next_event(&r, &event);
	if (rc == 0) {
		yaml_event_delete(&event);
		rc = read_document(&r, &root);
	}
	if (rc == 0)
		rc = expect_end(&r);
	yaml_parser_delete(&r.parser);
	if (rc != 0) {
		hw_yaml_free(root);
		return rc;
	}
	*ret_root = root;
	return 0;
}
