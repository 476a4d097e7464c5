#include "cli/status_text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "config/value.h"

double hw_status_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

bool hw_status_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *hw_status_string(const json_t *object, const char *key, int width,
			     hw_status_text ret_text)
{
	const char *value = json_string_value(json_object_get(object, key));
	int at = 0;

	if (value == NULL)
		value = "-";
	for (; *value != '\0' && at < width; value++)
		ret_text[at++] = *value >= ' ' && *value <= '~' ? *value : '?';
	if (*value != '\0')
		ret_text[at - 1] = '~';
	ret_text[at] = '\0';
	return ret_text;
}

/* Unknown, or no amount of anything. */
static bool is_odd(double value)
{
	return isnan(value) || value < 0;
}

static int places(double value)
{
	return value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
}

const char *hw_status_scaled(double value, hw_status_figure ret_text)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	for (; value >= 999.5 && unit + 1 < strlen(units); unit++)
		value /= 1000;
	if (is_odd(value))
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else if (value >= 9999)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "lots");
	else if (unit == 0)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%.0f", value);
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%.*f%c", places(value), value,
			 units[unit]);
	return ret_text;
}

const char *hw_status_whole(double value, hw_status_figure ret_text)
{
	if (is_odd(value) || value > 99999)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%.0f", value);
	return ret_text;
}

const char *hw_status_bytes(double value, hw_status_figure ret_text)
{
	if (is_odd(value))
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else if (value >= 1e19)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "lots");
	else
		(void)hw_value_bytes_text((uint64_t)value, ret_text);
	return ret_text;
}

const char *hw_status_ms(double value, hw_status_figure ret_text)
{
	if (is_odd(value))
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else if (value > 99999)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "lots");
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%.*f", value < 99.95 ? 1 : 0, value);
	return ret_text;
}

const char *hw_status_percent(double fraction, hw_status_figure ret_text)
{
	if (is_odd(fraction) || fraction > 1)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%.*f",
			 fraction >= 0.9995 ? 0 : fraction > 0 && fraction < 0.01 ? 2 : 1,
			 100 * fraction);
	return ret_text;
}

const char *hw_status_ratio(double value, hw_status_figure ret_text)
{
	if (is_odd(value))
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%.*f", value < 9.95 ? 1 : 0,
			 value > 9999 ? 9999 : value);
	return ret_text;
}

const char *hw_status_age(double seconds, hw_status_figure ret_text)
{
	unsigned long s = seconds >= 0 && seconds < 1e9 ? (unsigned long)seconds : 0;

	if (is_odd(seconds) || seconds >= 1e9)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else if (s < 100)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%lu s", s);
	else if (s < 3600)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%lu min", s / 60);
	else if (s < 86400)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%lu h %lu min", s / 3600, s / 60 % 60);
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%lu d %lu h", s / 86400, s / 3600 % 24);
	return ret_text;
}

const char *hw_status_time(double unix_s, hw_status_figure ret_text)
{
	time_t time = is_odd(unix_s) || unix_s > 1e10 ? -1 : (time_t)unix_s;
	struct tm tm;

	if (time < 0 || localtime_r(&time, &tm) == NULL ||
	    strftime(ret_text, HW_STATUS_FIGURE_BYTES, "%Y-%m-%d %H:%M", &tm) == 0)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	return ret_text;
}

void hw_status_print_state(const char *state, int width, bool colour, FILE *out)
{
	bool good = strcmp(state, "up") == 0 || strcmp(state, "ready") == 0;
	const char *code = good                           ? "\033[32m"
			   : strcmp(state, "down") == 0   ? "\033[31m"
			   : strcmp(state, "unused") == 0 ? ""
							  : "\033[33m";

	fprintf(out, "%s%-*s%s", colour ? code : "", width, state,
		colour && *code != '\0' ? "\033[0m" : "");
}
