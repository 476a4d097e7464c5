#include <math.h>
#include <string.h>

#include "cli/status_parts.h"
#include "cli/status_text.h"

#define PATHS_MAX 16u
#define CELL 4
#define ROW 12 /* "16 wwan0wwan~" */

static const json_t *path_numbered(const json_t *paths, double id)
{
	for (size_t i = 0; i < json_array_size(paths); i++)
		if (hw_status_number(json_array_get(paths, i), "id") == id)
			return json_array_get(paths, i);
	return NULL;
}

static bool is_together(const json_t *figures)
{
	const char *verdict = json_string_value(json_object_get(figures, "verdict"));

	return verdict != NULL && strcmp(verdict, "together") == 0;
}

/* For the reader who asks for no more: what should not be counted as two. */
static void print_sentences(const json_t *pairs, const json_t *paths, FILE *out)
{
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		const json_t *rx = json_object_get(pair, "rx"), *tx = json_object_get(pair, "tx");
		bool in = is_together(rx), both = in && is_together(tx);
		hw_status_text a, b;
		hw_status_figure lift;

		if (!in && !is_together(tx))
			continue;
		fprintf(out, "\n%s and %s fail together%s, %s times as often as chance:\n",
			hw_status_string(path_numbered(paths, hw_status_number(pair, "a")), "link", 11, a),
			hw_status_string(path_numbered(paths, hw_status_number(pair, "b")), "link", 11, b),
			both ? "" : in ? " (in)" : " (out)",
			hw_status_ratio(hw_status_number(in ? rx : tx, "lift"), lift));
		fputs("they share something, a mast or a cable perhaps, and count as one\n", out);
	}
}

static double lift_of(const json_t *pairs, double a, double b, const char *way)
{
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		double x = hw_status_number(pair, "a"), y = hw_status_number(pair, "b");

		if ((x == a && y == b) || (x == b && y == a))
			return hw_status_number(json_object_get(pair, way), "lift");
	}
	return NAN;
}

static void print_matrix(const json_t *pairs, const json_t *paths, FILE *out)
{
	size_t count = json_array_size(paths) < PATHS_MAX ? json_array_size(paths) : PATHS_MAX;
	hw_status_text name;
	hw_status_figure lift;

	fputs("\nBAD AT ONCE, times as often as by chance: out above the diagonal, in below\n", out);
	fprintf(out, "%*s", ROW, "");
	for (size_t j = 0; j < count; j++)
		fprintf(out, "%*zu", CELL, j + 1);
	for (size_t i = 0; i < count; i++) {
		const json_t *path = json_array_get(paths, i);
		double a = hw_status_number(path, "id");

		fprintf(out, "\n%2zu %-*s", i + 1, ROW - 3,
			hw_status_string(path, "link", ROW - 3, name));
		for (size_t j = 0; j < count; j++) {
			double b = hw_status_number(json_array_get(paths, j), "id");

			fprintf(out, "%*s", CELL,
				i == j ? "\\" : hw_status_ratio(lift_of(pairs, a, b, j > i ? "tx" : "rx"),
								lift));
		}
	}
	fputc('\n', out);
}

void hw_status_print_joint(const json_t *peer, bool all, FILE *out)
{
	const json_t *pairs = json_object_get(peer, "pairs");
	const json_t *paths = json_object_get(peer, "paths");

	print_sentences(pairs, paths, out);
	if (all && json_array_size(pairs) > 0)
		print_matrix(pairs, paths, out);
}
