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

static bool set_rate(struct hw_link_params *p, const char *value)
{
	double rate;

	if (!quantity(value, rate_units, &rate))
		return false;
	p->rate_bps = (uint64_t)rate;
	return true;
}

static bool set_queue(struct hw_link_params *p, const char *value)
{
	double bytes;

	if (!quantity(value, byte_units, &bytes))
		return false;
	p->queue_bytes = (uint64_t)bytes;
	return true;
}

static bool set_delay(struct hw_link_params *p, const char *value)
{
	double ns;

	if (!quantity(value, time_units, &ns))
		return false;
	p->delay_ns = (hw_time)ns;
	return true;
}

static bool set_jitter(struct hw_link_params *p, const char *value)
{
	double ns;

	if (!quantity(value, time_units, &ns))
		return false;
	p->jitter_ns = (hw_time)ns;
	p->jitter = HW_JITTER_UNIFORM;
	return true;
}

static bool set_reorder(struct hw_link_params *p, const char *value)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return false;
	p->reorder = strcmp(value, "on") == 0;
	return true;
}

static bool set_loss(struct hw_link_params *p, const char *value)
{
	return quantity(value, share_units, &p->loss);
}

static bool set_bursts(struct hw_link_params *p, const char *value)
{
	char share[32];
	const char *comma = strchr(value, ',');
	double loss, mean;

	if (!comma) {
		p->bursts = (struct hw_link_bursts){0};
		return strcmp(value, "0") == 0;
	}
	if ((size_t)(comma - value) >= sizeof(share))
		return false;
	memcpy(share, value, (size_t)(comma - value));
	share[comma - value] = 0;
	if (!quantity(share, share_units, &loss) || !quantity(comma + 1, share_units, &mean) ||
	    loss >= 1 || mean < 1)
		return false;
	p->bursts = hw_link_bursts_of(loss, mean);
	return true;
}

static bool set_duplicate(struct hw_link_params *p, const char *value)
{
	return quantity(value, share_units, &p->duplicate);
}

static bool set_corrupt(struct hw_link_params *p, const char *value)
{
	return quantity(value, share_units, &p->corrupt);
}

static bool set_mtu(struct hw_link_params *p, const char *value)
{
	double bytes;

	if (!quantity(value, byte_units, &bytes) || bytes > 65535)
		return false;
	p->mtu_bytes = (uint32_t)bytes;
	return true;
}

static bool set_up(struct hw_link_params *p, const char *value)
{
	(void)value;
	p->down = false;
	return true;
}

static bool set_down(struct hw_link_params *p, const char *value)
{
	(void)value;
	p->down = true;
	return true;
}

static const struct word {
	const char *name;
	unsigned words;
	bool (*set)(struct hw_link_params *params, const char *value);
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

int hw_lab_params_set(struct hw_link_params *params, const char *word, const char *value)
{
	const struct word *known = find(word);
	struct hw_link_params changed = *params;

	if (!known || (known->words == 2 && !value) || !known->set(&changed, value) ||
	    hw_link_params_check(&changed) != 0)
		return HW_E_INVAL;
	*params = changed;
	return 0;
}
