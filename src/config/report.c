#include "config/report.h"

#include <stdarg.h>
#include <string.h>

bool hw_config_copy(char *to, size_t room, const char *from)
{
	size_t len = strlen(from);
	size_t fits = len < room ? len : room - 1;

	memcpy(to, from, fits);
	to[fits] = '\0';
	return fits == len;
}

void hw_config_report_init(struct hw_config_report *report, const char *file)
{
	memset(report, 0, sizeof(*report));
	hw_config_copy(report->file, sizeof(report->file), file);
}

HW_PRINTF(5, 0)
static void add(struct hw_config_report *report, bool warning, uint32_t line, uint32_t column,
		const char *format, va_list args)
{
	uint32_t *total = warning ? &report->warning_count : &report->error_count;

	++*total;
	if (report->note_count == HW_CONFIG_MAX_NOTES)
		return;

	struct hw_config_note *note = &report->notes[report->note_count++];

	note->warning = warning;
	note->line = line;
	note->column = column;
	vsnprintf(note->text, sizeof(note->text), format, args);
	/* The text may quote the file; a terminal must not be steered by it. */
	for (char *c = note->text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void hw_config_error(struct hw_config_report *report, uint32_t line, uint32_t column,
		     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(report, false, line, column, format, args);
	va_end(args);
}

void hw_config_warning(struct hw_config_report *report, uint32_t line, uint32_t column,
		       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(report, true, line, column, format, args);
	va_end(args);
}

void hw_config_report_print(const struct hw_config_report *report, FILE *out)
{
	uint32_t total = report->error_count + report->warning_count;

	for (uint32_t i = 0; i < report->note_count; i++) {
		const struct hw_config_note *note = &report->notes[i];

		fputs(report->file, out);
		if (note->line != 0)
			fprintf(out, ":%u:%u", note->line, note->column);
		fprintf(out, ": %s: %s\n", note->warning ? "warning" : "error", note->text);
	}
	if (total > report->note_count)
		fprintf(out, "%s: %u more not shown\n", report->file, total - report->note_count);
}
