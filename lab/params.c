#include "lab/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit rate_units[] = {
	{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"kbit", 1e3}, {"Mbit", 1e6}, {"Gbit", 1e9}, {0}};
static const struct unit byte_units[] = {{"", 1}, {"k", 1024}, {"M", 1024.0 * 1024}, {0}};
static const struct unit time_units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"", 1e6}, {0}};
static const struct unit flap_units[] = {{"", 1}, {"Hz", 1}, {0}};
static const struct unit share_units[] = {{"", 1}, {"%", 0.01}, {0}};

/* A number of at least 0 with a unit, in all of `text`. */
static bool quantity(const char *text, const struct unit *units, double *ret_value)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || !isfinite(value) || value < 0 || value > 1e15)
		return false;
	for (; units->name; units++) {
		if (strcmp(end, units->name) == 0) {
			*ret_value = value * units->factor;
			return true;
		}
	}
	return false;
}

static bool set_rate(struct hw_lab_params *p, const char *value)
{
	double rate;

	if (!quantity(value, rate_units, &rate))
		return false;
	p->link.rate_bps = (uint64_t)rate;
	return true;
}

static bool set_queue(struct hw_lab_params *p, const char *value)
{
	double bytes;

	if (!quantity(value, byte_units, &bytes))
		return false;
	p->link.queue_bytes = (uint64_t)bytes;
	return true;
}

static bool set_delay(struct hw_lab_params *p, const char *value)
{
	double ns;

	if (!quantity(value, time_units, &ns))
		return false;
	p->link.delay_ns = (hw_time)ns;
	return true;
}

static bool set_jitter(struct hw_lab_params *p, const char *value)
{
	double ns;

	if (!quantity(value, time_units, &ns))
		return false;
	p->link.jitter_ns = (hw_time)ns;
	p->link.jitter = HW_JITTER_UNIFORM;
	return true;
}

static bool set_reorder(struct hw_lab_params *p, const char *value)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return false;
	p->link.reorder = strcmp(value, "on") == 0;
	return true;
}

static bool set_loss(struct hw_lab_params *p, const char *value)
{
	return quantity(value, share_units, &p->link.loss);
}

static bool set_bursts(struct hw_lab_params *p, const char *value)
{
	char share[32];
	const char *comma = strchr(value, ',');
	double loss, mean;

	if (!comma) {
		p->link.bursts = (struct hw_link_bursts){0};
		return strcmp(value, "0") == 0;
	}
	if ((size_t)(comma - value) >= sizeof(share))
		return false;
	memcpy(share, value, (size_t)(comma - value));
	share[comma - value] = 0;
	if (!quantity(share, share_units, &loss) || !quantity(comma + 1, share_units, &mean) ||
	    loss >= 1 || mean < 1)
		return false;
	p->link.bursts = hw_link_bursts_of(loss, mean);
	return true;
}

static bool set_duplicate(struct hw_lab_params *p, const char *value)
{
	return quantity(value, share_units, &p->link.duplicate);
}

static bool set_corrupt(struct hw_lab_params *p, const char *value)
{
	return quantity(value, share_units, &p->link.corrupt);
}

static bool set_mtu(struct hw_lab_params *p, const char *value)
{
	double bytes;

	if (!quantity(value, byte_units, &bytes) || bytes > 65535)
		return false;
	p->link.mtu_bytes = (uint32_t)bytes;
	return true;
}

/* "FILE,A,B": up to `most` parts into buffers of `room` bytes; how many, 0 when they do not fit. */
static unsigned parts(const char *value, unsigned most, size_t room, char (*ret_parts)[HW_TRACE_PATH_BYTES])
{
	unsigned count = 0;

	for (const char *at = value;; count++) {
		size_t len = strcspn(at, ",");

		if (count == most || len == 0 || len >= room)
			return 0;
		memcpy(ret_parts[count], at, len);
		ret_parts[count][len] = 0;
		if (at[len] == 0)
			return count + 1;
		at += len + 1;
	}
}

/*
 * Where in a recording the link's birth lies if `offset` lies at this moment. It may wrap below zero:
 * the link's age brings it back.
 */
static bool begin_now(const struct hw_lab_params *p, const char *offset, hw_time *ret_offset)
{
	double ns = 0;

	if (offset && !quantity(offset, time_units, &ns))
		return false;
	*ret_offset = (hw_time)ns - p->age;
	return true;
}

static bool set_capacity(struct hw_lab_params *p, const char *value)
{
	char part[2][HW_TRACE_PATH_BYTES];
	unsigned count = parts(value, 2, sizeof(part[0]), part);
	size_t line;

	if (strcmp(value, "off") == 0) {
		p->link.capacity = NULL;
		return true;
	}
	return count > 0 && p->recordings &&
	       begin_now(p, count > 1 ? part[1] : NULL, &p->link.capacity_offset_ns) &&
	       hw_trace_store_capacity(p->recordings, part[0], &p->link.capacity, &line) == 0;
}

static bool set_trace(struct hw_lab_params *p, const char *value)
{
	char part[3][HW_TRACE_PATH_BYTES];
	unsigned count = parts(value, 3, sizeof(part[0]), part);
	size_t line;

	if (strcmp(value, "off") == 0) {
		p->link.trace = NULL;
		return true;
	}
	p->link.trace_loss = 1;
	return count > 1 && p->recordings &&
	       begin_now(p, count > 2 ? part[2] : NULL, &p->link.trace_offset_ns) &&
	       hw_trace_store_loss(p->recordings, part[0], &p->link.trace, &line) == 0 &&
	       hw_loss_trace_column(p->link.trace, part[1], &p->link.trace_column) == 0;
}

static bool set_flap(struct hw_lab_params *p, const char *value)
{
	char part[2][HW_TRACE_PATH_BYTES];
	unsigned count = parts(value, 2, sizeof(part[0]), part);
	double hz, up = 0.5;

	if (count == 0 || !quantity(part[0], flap_units, &hz) || hz > 1000 ||
	    (count > 1 && !quantity(part[1], share_units, &up)) || up > 1)
		return false;
	p->link.outage_count = hz > 0;
	p->link.outage_period_ns = hz > 0 ? (hw_time)(1e9 / hz) : 0;
	p->flap.to = p->link.outage_period_ns;
	p->flap.from = (hw_time)(up * (double)p->flap.to);
	return true;
}

static bool set_up(struct hw_lab_params *p, const char *value)
{
	(void)value;
	p->link.down = false;
	return true;
}

static bool set_down(struct hw_lab_params *p, const char *value)
{
	(void)value;
	p->link.down = true;
	return true;
}

static const struct word {
	const char *name;
	unsigned words;
	bool (*set)(struct hw_lab_params *params, const char *value);
} words[] = {
	{"up", 1, set_up},
	{"down", 1, set_down},
	{"rate", 2, set_rate},
	{"queue", 2, set_queue},
	{"delay", 2, set_delay},
	{"jitter", 2, set_jitter},
	{"reorder", 2, set_reorder},
	{"loss", 2, set_loss},
	{"bursts", 2, set_bursts},
	{"duplicate", 2, set_duplicate},
	{"corrupt", 2, set_corrupt},
	{"mtu", 2, set_mtu},
	{"capacity", 2, set_capacity},
	{"trace", 2, set_trace},
	{"flap", 2, set_flap},
};

static const struct word *find(const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	}
	return NULL;
}

unsigned hw_lab_params_words(const char *word)
{
	const struct word *known = find(word);

	return known ? known->words : 0;
}

int hw_lab_params_set(struct hw_lab_params *params, const char *word, const char *value)
{
	const struct word *known = find(word);
	struct hw_lab_params changed = *params;
	struct hw_link_params link;

	if (!known || (known->words == 2 && !value) || !known->set(&changed, value))
		return HW_E_INVAL;
	link = hw_lab_params_link(&changed);
	if (hw_link_params_check(&link) != 0)
		return HW_E_INVAL;
	*params = changed;
	return 0;
}

struct hw_link_params hw_lab_params_link(const struct hw_lab_params *params)
{
	struct hw_link_params link = params->link;

	link.outages = &params->flap;
	return link;
}
