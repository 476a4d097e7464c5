#include "cli/status_table.h"

#include <math.h>
#include <string.h>

#define FIGURE_BYTES 32u
#define LINK_WIDTH 15
#define STATE_WIDTH 8

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Printable, at most width characters; a cut is marked by '~'. */
static void text(const json_t *object, const char *key, int width,
		 char ret_text[HW_STATUS_COLUMNS + 1])
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
}

/* Three digits and a unit: "0", "999", "1.23k", "45.6M". */
static const char *scaled(double value, char ret_text[FIGURE_BYTES])
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	if (isnan(value) || value < 0) {
		snprintf(ret_text, FIGURE_BYTES, "-");
		return ret_text;
	}
	for (; value >= 999.5 && unit + 1 < strlen(units); unit++)
		value /= 1000;
	if (value >= 9999)
		snprintf(ret_text, FIGURE_BYTES, "lots");
	else if (unit == 0)
		snprintf(ret_text, FIGURE_BYTES, "%.0f", value);
	else
		snprintf(ret_text, FIGURE_BYTES, "%.*f%c",
			 value < 9.995   ? 2
			 : value < 99.95 ? 1
					 : 0,
			 value, units[unit]);
	return ret_text;
}

static const char *milliseconds(double value, char ret_text[FIGURE_BYTES])
{
	if (isnan(value) || value < 0)
		snprintf(ret_text, FIGURE_BYTES, "-");
	else if (value > 999999)
		snprintf(ret_text, FIGURE_BYTES, "lots");
	else
		snprintf(ret_text, FIGURE_BYTES, "%.*f",
			 value < 9.995   ? 2
			 : value < 99.95 ? 1
					 : 0,
			 value);
	return ret_text;
}

static const char *percent(double fraction, char ret_text[FIGURE_BYTES])
{
	if (isnan(fraction) || fraction < 0 || fraction > 1)
		snprintf(ret_text, FIGURE_BYTES, "-");
	else
		snprintf(ret_text, FIGURE_BYTES, "%.*f", fraction > 0 && fraction < 0.01 ? 2 : 1,
			 100 * fraction);
	return ret_text;
}

static const char *age(double seconds, char ret_text[FIGURE_BYTES])
{
	unsigned long s = seconds >= 0 && seconds < 1e9 ? (unsigned long)seconds : 0;

	if (isnan(seconds) || seconds < 0 || seconds >= 1e9)
		snprintf(ret_text, FIGURE_BYTES, "-");
	else if (s < 100)
		snprintf(ret_text, FIGURE_BYTES, "%lu s", s);
	else if (s < 3600)
		snprintf(ret_text, FIGURE_BYTES, "%lu min", s / 60);
	else if (s < 86400)
		snprintf(ret_text, FIGURE_BYTES, "%lu h %lu min", s / 3600, s / 60 % 60);
	else
		snprintf(ret_text, FIGURE_BYTES, "%lu d %lu h", s / 86400, s / 3600 % 24);
	return ret_text;
}

static void print_state(const char *state, int width, bool colour, FILE *out)
{
	const char *code = strcmp(state, "up") == 0     ? "\033[32m"
			   : strcmp(state, "down") == 0 ? "\033[31m"
							: "\033[33m";

	fprintf(out, "%s%-*s%s", colour ? code : "", width, state, colour ? "\033[0m" : "");
}

struct sums {
	double rate_tx, rate_rx, bytes_tx, bytes_rx;
};

static void add(double *sum, double value)
{
	*sum += isnan(value) ? 0 : value;
}

static void print_flows(const struct sums *f, FILE *out)
{
	char figures[4][FIGURE_BYTES];

	fprintf(out, "%9s %7s %9s %7s\n", scaled(f->rate_tx, figures[0]),
		scaled(f->rate_rx, figures[1]), scaled(f->bytes_tx, figures[2]),
		scaled(f->bytes_rx, figures[3]));
}

static void print_path(const json_t *path, bool colour, struct sums *totals, FILE *out)
{
	struct sums flows = { number(path, "rate_tx_bps"), number(path, "rate_rx_bps"),
			      number(path, "tx_bytes"), number(path, "rx_bytes") };
	char link[HW_STATUS_COLUMNS + 1], state[HW_STATUS_COLUMNS + 1];
	char rtt[FIGURE_BYTES], loss_tx[FIGURE_BYTES], loss_rx[FIGURE_BYTES];

	text(path, "link", LINK_WIDTH, link);
	text(path, "state", STATE_WIDTH, state);
	fprintf(out, "%-*s ", LINK_WIDTH, link);
	print_state(state, STATE_WIDTH, colour, out);
	fprintf(out, "%7s %6s %5s", milliseconds(number(path, "rtt_ms"), rtt),
		percent(number(path, "loss_tx"), loss_tx),
		percent(number(path, "loss_rx"), loss_rx));
	print_flows(&flows, out);
	add(&totals->rate_tx, flows.rate_tx);
	add(&totals->rate_rx, flows.rate_rx);
	add(&totals->bytes_tx, flows.bytes_tx);
	add(&totals->bytes_rx, flows.bytes_rx);
}

/* A link with several paths needs their ends told apart. */
static bool link_has_others(const json_t *paths, size_t i)
{
	const char *link = json_string_value(json_object_get(json_array_get(paths, i), "link"));

	for (size_t j = 0; link != NULL && j < json_array_size(paths); j++) {
		const char *other =
			json_string_value(json_object_get(json_array_get(paths, j), "link"));

		if (j != i && other != NULL && strcmp(link, other) == 0)
			return true;
	}
	return false;
}

static void print_paths(const json_t *paths, bool colour, FILE *out)
{
	struct sums totals = { 0 };

	if (json_array_size(paths) == 0) {
		fputs("no path yet\n", out);
		return;
	}
	fprintf(out, "%-*s %-*s%7s %6s %5s%9s %7s %9s %7s\n", LINK_WIDTH, "", STATE_WIDTH, "",
		"RTT", "LOSS %", "", "BIT/S", "", "BYTES", "");
	fprintf(out, "%-*s %-*s%7s %6s %5s%9s %7s %9s %7s\n", LINK_WIDTH, "LINK", STATE_WIDTH,
		"STATE", "ms", "out", "in", "out", "in", "out", "in");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const json_t *path = json_array_get(paths, i);
		char remote[HW_STATUS_COLUMNS + 1];

		print_path(path, colour, &totals, out);
		if (link_has_others(paths, i)) {
			text(path, "remote", HW_STATUS_COLUMNS - 5, remote);
			fprintf(out, "  to %s\n", remote);
		}
	}
	fprintf(out, "%-*s %-*s%7s %6s %5s", LINK_WIDTH, "all", STATE_WIDTH, "", "", "", "");
	print_flows(&totals, out);
}

static void print_streams(const json_t *streams, FILE *out)
{
	if (json_array_size(streams) == 0)
		return;
	fputs("\nPACKETS            SENT   RECEIVED       LOST  LOST %  DUPLICATES\n", out);
	for (size_t i = 0; i < json_array_size(streams); i++) {
		const json_t *stream = json_array_get(streams, i);
		double lost = number(stream, "lost"), delivered = number(stream, "delivered");
		double class = number(stream, "class");
		char name[FIGURE_BYTES] = "control", figures[5][FIGURE_BYTES];

		if (class != 0)
			snprintf(name, sizeof(name), "class %.0f", class < 100 ? class : 99);
		fprintf(out, "%-12s%11s%11s%11s%8s%12s\n", name,
			scaled(number(stream, "sent"), figures[0]), scaled(delivered, figures[1]),
			scaled(lost, figures[2]), percent(lost / (lost + delivered), figures[3]),
			scaled(number(stream, "duplicates"), figures[4]));
	}
}

static void print_drops(json_t *drops, FILE *out)
{
	const char *name;
	json_t *count;
	int column = 0;

	json_object_foreach(drops, name, count)
	{
		char figure[FIGURE_BYTES], item[HW_STATUS_COLUMNS];
		int len;

		/* Duplicates are how copies work, not trouble, and the streams show them. */
		if (strcmp(name, "rx_duplicate") == 0 || !json_is_number(count) ||
		    json_number_value(count) <= 0)
			continue;
		len = snprintf(item, sizeof(item), "%.40s %s", name,
			       scaled(json_number_value(count), figure));
		for (char *c = item; *c != '\0'; c++)
			*c = *c >= ' ' && *c <= '~' ? *c : '?';
		if (column == 0)
			column = fprintf(out, "\nDropped  %s", item) - 1;
		else if (column + 2 + len > HW_STATUS_COLUMNS - 1)
			column = fprintf(out, ",\n         %s", item) - 2;
		else
			column += fprintf(out, ", %s", item);
	}
	if (column > 0)
		fputc('\n', out);
}

void hw_cli_status_table(const json_t *status, bool colour, FILE *out)
{
	const json_t *peers = json_object_get(status, "peers");
	char device[HW_STATUS_COLUMNS + 1], mode[HW_STATUS_COLUMNS + 1], uptime[FIGURE_BYTES];

	text(status, "device", 15, device);
	text(status, "mode", 15, mode);
	fprintf(out, "%s: %s, running for %s\n", device, mode,
		age(number(status, "uptime_s"), uptime));
	for (size_t i = 0; i < json_array_size(peers); i++) {
		const json_t *peer = json_array_get(peers, i);
		char name[HW_STATUS_COLUMNS + 1], state[HW_STATUS_COLUMNS + 1], keys[FIGURE_BYTES];

		text(peer, "name", 40, name);
		text(peer, "state", 10, state);
		fprintf(out, "\nPeer %s: ", name);
		print_state(state, 0, colour, out);
		fprintf(out, ", keys %s old\n\n", age(number(peer, "handshake_age_s"), keys));
		print_paths(json_object_get(peer, "paths"), colour, out);
		print_streams(json_object_get(peer, "streams"), out);
	}
	print_drops(json_object_get(status, "drops"), out);
}
