/* links[].quota and links[].metered. */
#include <stddef.h>
#include <string.h>

#include "config/report.h"
#include "config/schema.h"
#include "config/value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WARN_PERCENT 80u
#define AMOUNT_BYTES 48u /* of a quota's amount as text */

static const char *const periods[] = { "day", "month", NULL };

static void read_amount(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, const char *text, uint64_t *ret_bytes)
{
	uint64_t bytes;
	int rc = hw_value_bytes(text, &bytes);

	if (rc == HW_E_LIMIT)
		hw_schema_error(r, value,
				"'%.48s' is not an amount that can be counted: expected at most "
				"1000000TB, with at most three places after the point, and whole "
				"bytes", text);
	else if (rc != 0)
		hw_schema_error(r, value,
				"'%.48s' is not right: expected a number with its unit (B, kB, MB, "
				"GB, TB; KiB, MiB, GiB, TiB), %s", text, key->right);
	else if (bytes == 0)
		hw_schema_error(r, value, "a quota of nothing: 'use: never' says that");
	else
		*ret_bytes = bytes;
}

static void read_bytes(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, void *target)
{
	if (hw_schema_is_text(r, key, value))
		read_amount(r, key, value, value->text, target);
}

static void read_warn(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	uint64_t percent;
	uint32_t narrow;

	if (!hw_schema_is_text(r, key, value))
		return;
	if (hw_value_percent(value->text, &percent) != 0 || percent < key->min ||
	    percent > key->max) {
		hw_schema_wrong(r, key, value);
		return;
	}
	narrow = (uint32_t)percent;
	memcpy(target, &narrow, sizeof(narrow));
}

#define AT(field) offsetof(struct hw_config_quota, field)
static const struct hw_schema_key quota_keys[] = {
	{ "bytes", read_bytes, AT(bytes), "such as 50GB", .required = true },
	{ "per", hw_schema_word, AT(per), "day or month", .words = periods },
	{ "day", hw_schema_u32, AT(first_day),
	  "the day of the month on which it begins anew, from 1 to 31", .min = 1, .max = 31 },
	{ "warn", read_warn, AT(warn_percent), "a whole percentage from 1% to 99%, such as 80%",
	  .min = 1, .max = 99 },
};
#undef AT
static const struct hw_schema quota_schema = { quota_keys, COUNT(quota_keys) };

static void read_short(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, struct hw_config_quota *quota)
{
	static const struct hw_schema_key amount = { .right = "then /day or /month, such as "
							      "50GB/month" };
	const char *slash = strchr(value->text, '/');
	char text[AMOUNT_BYTES];

	if (slash == NULL) {
		hw_schema_error(r, value, "'%.48s' lacks its period: write '%.48s/month' or "
				"'%.48s/day'", value->text, value->text, value->text);
		return;
	}
	if ((size_t)(slash - value->text) >= sizeof(text) ||
	    (strcmp(slash + 1, periods[HW_PERIOD_DAY]) != 0 &&
	     strcmp(slash + 1, periods[HW_PERIOD_MONTH]) != 0)) {
		hw_schema_wrong(r, key, value);
		return;
	}
	if (strcmp(slash + 1, periods[HW_PERIOD_DAY]) == 0)
		quota->per = HW_PERIOD_DAY;
	memcpy(text, value->text, (size_t)(slash - value->text));
	text[slash - value->text] = '\0';
	read_amount(r, &amount, value, text, &quota->bytes);
}

static bool has_key(const struct hw_yaml_node *map, const char *name)
{
	for (const struct hw_yaml_node *node = map->first; node != NULL; node = node->next)
		if (strcmp(node->key->text, name) == 0)
			return true;
	return false;
}

void hw_config_read_quota(struct hw_schema_reader *r, const struct hw_schema_key *key,
			  const struct hw_yaml_node *value, void *target)
{
	struct hw_config_quota *quota = target;
	uint32_t before = r->report->error_count;

	*quota = (struct hw_config_quota){
		.per = HW_PERIOD_MONTH,
		.first_day = 1,
		.warn_percent = WARN_PERCENT,
		.mark = { value->line, value->column },
	};
	if (value->type == HW_YAML_MAP)
		hw_schema_read_map(r, &quota_schema, value, quota);
	else if (hw_schema_is_text(r, key, value))
		read_short(r, key, value, quota);
	if (r->report->error_count == before && quota->per == HW_PERIOD_DAY &&
	    value->type == HW_YAML_MAP && has_key(value, "day"))
		hw_schema_error(r, value, "'day' is the day of a month: not with 'per: day'");
}

void hw_config_read_metered(struct hw_schema_reader *r, const struct hw_schema_key *key,
			    const struct hw_yaml_node *value, void *target)
{
	enum hw_config_metered metered;
	bool on;

	if (!hw_schema_is_text(r, key, value))
		return;
	if (hw_value_bool(value->text, &on) != 0) {
		hw_schema_wrong(r, key, value);
		return;
	}
	metered = on ? HW_METERED_ON : HW_METERED_OFF;
	memcpy(target, &metered, sizeof(metered));
}

bool hw_config_link_metered(const struct hw_config_link *link)
{
	if (link->metered != HW_METERED_DERIVED)
		return link->metered == HW_METERED_ON;
	return link->quota.bytes > 0 || link->price > 1;
}
