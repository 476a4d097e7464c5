#include "sim/trace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Reads a text line by line. */
struct lines {
	const char *at, *end;
	size_t line; /* of the last one given, from 1 */
};

static bool next_line(struct lines *lines, const char **ret_line, size_t *ret_len)
{
	if (lines->at == lines->end)
		return false;

	const char *stop = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
	const char *next = stop == NULL ? lines->end : stop + 1;

	if (stop == NULL)
		stop = lines->end;
	if (stop > lines->at && stop[-1] == '\r')
		stop--;
	*ret_line = lines->at;
	*ret_len = (size_t)(stop - lines->at);
	lines->at = next;
	lines->line++;
	return true;
}

/* Digits with, where `fraction` is wanted, a point among them, up to `end`; false for anything
 * else. */
static bool parse_number(const char *at, const char *end, bool fraction, double *ret_value)
{
	double value = 0, unit = 1;
	bool digits = false, point = false;

	for (; at < end; at++) {
		if (*at == '.' && fraction && !point) {
			point = true;
			continue;
		}
		if (*at < '0' || *at > '9')
			return false;
		digits = true;
		value = value * 10 + (*at - '0');
		if (point)
			unit *= 10;
	}
	if (!digits || value > 4e9)
		return false;
	*ret_value = value / unit;
	return true;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t count = 1;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\n';
	return count;
}

int hw_capacity_trace_parse(const char *text, size_t len, struct hw_capacity_trace *ret_trace,
			    size_t *ret_line)
{
	struct lines lines = { .at = text, .end = text + len };
	struct hw_capacity_trace trace = { 0 };
	const char *line;
	size_t line_len;
	double ms;

	trace.at_ms = malloc(count_lines(text, len) * sizeof(*trace.at_ms));
	if (trace.at_ms == NULL)
		return HW_E_NOMEM;
	while (next_line(&lines, &line, &line_len)) {
		if (!parse_number(line, line + line_len, false, &ms) ||
		    (trace.count > 0 && ms < trace.at_ms[trace.count - 1]))
			goto malformed;
		trace.at_ms[trace.count++] = (uint32_t)ms;
	}
	if (trace.count == 0 || trace.at_ms[trace.count - 1] == 0)
		goto malformed;
	*ret_trace = trace;
	return 0;

malformed:
	*ret_line = lines.line;
	free(trace.at_ms);
	return HW_E_MALFORMED;
}

void hw_capacity_trace_fini(struct hw_capacity_trace *trace)
{
	free(trace->at_ms);
	*trace = (struct hw_capacity_trace){ 0 };
}

double hw_capacity_trace_rate_bps(const struct hw_capacity_trace *trace)
{
	double bits = (double)trace->count * HW_TRACE_OPPORTUNITY_BYTES * 8;

	return bits / ((double)trace->at_ms[trace->count - 1] / 1000);
}

/* The next field of a CSV line, without quotes; moves *at behind its comma. */
static bool next_field(const char **at, const char *end, const char **ret_field, size_t *ret_len)
{
	if (*at > end)
		return false;

	const char *comma = *at < end ? memchr(*at, ',', (size_t)(end - *at)) : NULL;
	const char *stop = comma == NULL ? end : comma;

	*ret_field = *at;
	*ret_len = (size_t)(stop - *at);
	*at = stop + 1;
	return true;
}

static bool parse_header(struct hw_loss_trace *trace, const char *line, size_t len)
{
	static const char prefix[] = "rtt_ms_";
	const char *at = line, *end = line + len, *field;
	size_t field_len, prefix_len = sizeof(prefix) - 1;

	for (int i = 0; i < 2; i++) {
		if (!next_field(&at, end, &field, &field_len))
			return false;
	}
	while (next_field(&at, end, &field, &field_len)) {
		if (field_len > prefix_len && memcmp(field, prefix, prefix_len) == 0) {
			field += prefix_len;
			field_len -= prefix_len;
		}
		if (trace->columns == HW_TRACE_MAX_COLUMNS || field_len == 0 ||
		    field_len >= sizeof(trace->names[0]))
			return false;
		memcpy(trace->names[trace->columns++], field, field_len);
	}
	return trace->columns > 0;
}

static bool parse_slot(struct hw_loss_trace *trace, const char *line, size_t len)
{
	const char *at = line, *end = line + len, *field;
	float *slot = trace->rtt_ms + trace->slots * trace->columns;
	uint32_t column = 0;
	size_t field_len;
	double value;

	for (int i = 0; i < 2; i++) {
		if (!next_field(&at, end, &field, &field_len) ||
		    !parse_number(field, field + field_len, false, &value))
			return false;
	}
	for (; next_field(&at, end, &field, &field_len); column++) {
		if (column == trace->columns)
			return false;
		if (field_len == 2 && memcmp(field, "-1", 2) == 0)
			slot[column] = -1;
		else if (parse_number(field, field + field_len, true, &value))
			slot[column] = (float)value;
		else
			return false;
	}
	if (column != trace->columns)
		return false;
	trace->slots++;
	return true;
}

/* A lost slot keeps, negated, the round trip of the last answer before it: what its survivors need.
 */
static void fill_lost(struct hw_loss_trace *trace, uint32_t column)
{
	float last = 0.001f; /* never 0: it has no sign to carry */

	for (size_t turn = 0; turn < 2; turn++) { /* the second fills losses at the very start */
		for (size_t i = 0; i < trace->slots; i++) {
			float *rtt = &trace->rtt_ms[i * trace->columns + column];

			if (*rtt < 0)
				*rtt = -last;
			else if (*rtt > 0)
				last = *rtt;
		}
	}
}

int hw_loss_trace_parse(const char *text, size_t len, hw_time slot_ns,
			struct hw_loss_trace *ret_trace, size_t *ret_line)
{
	struct lines lines = { .at = text, .end = text + len };
	struct hw_loss_trace trace = { .slot_ns = slot_ns };
	const char *line;
	size_t line_len;

	if (!next_line(&lines, &line, &line_len) || !parse_header(&trace, line, line_len))
		goto malformed;
	trace.rtt_ms = malloc(count_lines(text, len) * trace.columns * sizeof(*trace.rtt_ms));
	if (trace.rtt_ms == NULL)
		return HW_E_NOMEM;
	while (next_line(&lines, &line, &line_len)) {
		if (!parse_slot(&trace, line, line_len))
			goto malformed;
	}
	if (trace.slots == 0)
		goto malformed;
	for (uint32_t column = 0; column < trace.columns; column++)
		fill_lost(&trace, column);
	*ret_trace = trace;
	return 0;

malformed:
	*ret_line = lines.line;
	free(trace.rtt_ms);
	return HW_E_MALFORMED;
}

void hw_loss_trace_fini(struct hw_loss_trace *trace)
{
	free(trace->rtt_ms);
	*trace = (struct hw_loss_trace){ 0 };
}

int hw_loss_trace_column(const struct hw_loss_trace *trace, const char *name, uint32_t *ret_column)
{
	for (uint32_t i = 0; i < trace->columns; i++) {
		if (strcmp(trace->names[i], name) == 0) {
			*ret_column = i;
			return 0;
		}
	}
	return HW_E_NOT_FOUND;
}
