#include "sim/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/report.h"
#include "sim/scenario.h"

struct unit {
	const char *name;
	double factor;
};

/* Digits with an optional point and sign, then one of the units. NaN for anything else. */
static double parse(const char *text, const struct unit *units, size_t count, bool negative)
{
	char *end;

	if (text[0] != '-' && text[0] != '.' && (text[0] < '0' || text[0] > '9'))
		return (double)NAN;
	if (text[0] == '-' && !negative)
		return (double)NAN;
	if (strspn(text + 1, "0123456789.") + 1 > 20)
		return (double)NAN;
	/* strtod also knows "1e5" and "0x1": only digits and a point may be in front of the unit.
	 */
	size_t digits = 1 + strspn(text + 1, "0123456789.");
	char number[24];

	memcpy(number, text, digits);
	number[digits] = '\0';

	double value = strtod(number, &end);

	if (*end != '\0')
		return (double)NAN;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text + digits, units[i].name) == 0)
			return value * units[i].factor;
	}
	return (double)NAN;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct unit times[] = {
	{ "ns", 1 },   { "us", 1e3 },   { "ms", 1e6 },    { "s", 1e9 },
	{ "m", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 }, { "y", 31557600e9 },
};
#define TIMES_SHORT 6 /* without days and years */

static bool read_value(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, const struct unit *units, size_t count,
		       bool negative, double max, double *ret_value)
{
	if (!hw_schema_is_text(r, key, value))
		return false;

	double number = parse(value->text, units, count, negative);

	if (isnan(number) || fabs(number) > max) {
		hw_schema_wrong(r, key, value);
		return false;
	}
	*ret_value = number;
	return true;
}

void hw_sim_read_time(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	double ns;

	if (value->type == HW_YAML_SCALAR && strcmp(value->text, "0") == 0) {
		*(hw_time *)target = 0;
		return;
	}
	/* A thousand hours is more than anybody simulates. */
	if (!read_value(r, key, value, times, TIMES_SHORT, false, 3.6e15, &ns))
		return;
	if (key->min > 0 && ns < (double)key->min)
		hw_schema_wrong(r, key, value);
	else
		*(hw_time *)target = (hw_time)llround(ns);
}

void hw_sim_read_span(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	double ns;

	/* Twenty years either way keep a clock that stands in the 2020s within 64 bits of 1970. */
	if (read_value(r, key, value, times, COUNT(times), true, 20 * 31557600e9, &ns))
		*(int64_t *)target = llround(ns);
}

void hw_sim_read_probability(struct hw_schema_reader *r, const struct hw_schema_key *key,
			     const struct hw_yaml_node *value, void *target)
{
	static const struct unit units[] = { { "%", 0.01 }, { "", 1 } };
	double p;

	if (read_value(r, key, value, units, COUNT(units), false, 1, &p))
		*(double *)target = p;
}

void hw_sim_read_number(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	static const struct unit units[] = { { "", 1 }, { "%", 0.01 } };
	double number;

	if (read_value(r, key, value, units, COUNT(units), true, 1e15, &number))
		*(double *)target = number;
}

void hw_sim_read_rate(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	static const struct unit units[] = {
		{ "bit/s", 1 }, { "kbit/s", 1e3 }, { "Mbit/s", 1e6 }, { "Gbit/s", 1e9 }
	};
	double rate;

	if (value->type == HW_YAML_SCALAR && strcmp(value->text, "unlimited") == 0)
		*(uint64_t *)target = 0;
	else if (read_value(r, key, value, units, COUNT(units), false, 1e12, &rate)) {
		if (rate < 1)
			hw_schema_wrong(r, key, value);
		else
			*(uint64_t *)target = (uint64_t)llround(rate);
	}
}

void hw_sim_read_bytes(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, void *target)
{
	static const struct unit units[] = { { "", 1 }, { "B", 1 }, { "kB", 1e3 }, { "MB", 1e6 } };
	double bytes;

	if (read_value(r, key, value, units, COUNT(units), false, 1e12, &bytes))
		*(uint64_t *)target = (uint64_t)llround(bytes);
}

void hw_sim_read_text(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	if (!hw_schema_is_text(r, key, value))
		return;
	if (value->text[0] == '\0' || !hw_config_copy(target, HW_SIM_PATH_BYTES, value->text))
		hw_schema_wrong(r, key, value);
}

void hw_sim_read_label(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, void *target)
{
	if (!hw_schema_is_text(r, key, value))
		return;
	if (value->text[0] == '\0' || !hw_config_copy(target, HW_CORE_NAME_BYTES, value->text))
		hw_schema_wrong(r, key, value);
}

void hw_sim_read_node(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	(void)r;
	(void)key;
	*(const struct hw_yaml_node **)target = value;
}
