#include <math.h>
#include <string.h>

#include "cli/status_parts.h"
#include "cli/status_text.h"

#define NAME HW_STATUS_LINK_WIDTH

struct sums {
	double tx, rx;
};

static void add(double *sum, double value)
{
	*sum += isnan(value) ? 0 : value;
}

static double of(const json_t *path, const char *way, const char *key)
{
	return hw_status_number(json_object_get(path, way), key);
}

static void print_path(const json_t *path, bool colour, struct sums *sums, FILE *out)
{
	struct sums rate = { hw_status_number(path, "rate_tx_bps"),
			     hw_status_number(path, "rate_rx_bps") };
	hw_status_text link, state;
	hw_status_figure f[8];

	fprintf(out, "%-*s ", NAME, hw_status_string(path, "link", NAME, link));
	hw_status_print_state(hw_status_string(path, "state", HW_STATUS_STATE_WIDTH, state),
			      HW_STATUS_STATE_WIDTH, colour, out);
	fprintf(out, "%7s%7s%7s%7s%7s%8s%8s%7s\n",
		hw_status_ms(hw_status_number(path, "rtt_ms"), f[0]),
		hw_status_ms(of(path, "tx", "queue_ms"), f[1]),
		hw_status_ms(of(path, "rx", "queue_ms"), f[2]),
		hw_status_percent(hw_status_number(path, "loss_tx"), f[3]),
		hw_status_percent(hw_status_number(path, "loss_rx"), f[4]),
		hw_status_scaled(rate.tx, f[5]), hw_status_scaled(rate.rx, f[6]),
		hw_status_whole(hw_status_number(path, "mtu"), f[7]));
	add(&sums->tx, rate.tx);
	add(&sums->rx, rate.rx);
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

/* Why it is in trouble, or carries nothing although it works. */
static void print_remarks(const json_t *path, FILE *out)
{
	hw_status_text text;
	hw_status_figure age;

	if (strcmp(hw_status_string(path, "state", 8, text), "up") != 0 &&
	    json_is_string(json_object_get(path, "why"))) {
		double seconds = hw_status_number(path, "state_age_s");

		fprintf(out, "  for %s: %s\n",
			seconds >= 0 && seconds < 1 ? "a moment" : hw_status_age(seconds, age),
			hw_status_string(path, "why", HW_STATUS_COLUMNS - 20, text));
	}
	if (strcmp(hw_status_string(path, "use", 8, text), "never") == 0)
		fputs("  carries nothing: not to be used, by this end's word or the peer's\n", out);
}

void hw_status_print_paths(const json_t *paths, bool colour, FILE *out)
{
	struct sums sums = { 0 };
	hw_status_figure f[2];
	hw_status_text text;

	if (json_array_size(paths) == 0) {
		fputs("no path yet\n", out);
		return;
	}
	fprintf(out, "%-*s %-8s%7s%14s%14s%16s%7s\n", NAME, "", "", "RTT", "QUEUE ms", "LOSS %",
		"BIT/S", "MTU");
	fprintf(out, "%-*s %-8s%7s%7s%7s%7s%7s%8s%8s\n", NAME, "PATH", "STATE", "ms", "out", "in",
		"out", "in", "out", "in");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const json_t *path = json_array_get(paths, i);

		print_path(path, colour, &sums, out);
		if (link_has_others(paths, i))
			fprintf(out, "  to %s\n",
				hw_status_string(path, "remote", HW_STATUS_COLUMNS - 6, text));
		print_remarks(path, out);
	}
	fprintf(out, "%-*s %-8s%7s%7s%7s%7s%7s%8s%8s\n", NAME, "all", "", "", "", "", "", "",
		hw_status_scaled(sums.tx, f[0]), hw_status_scaled(sums.rx, f[1]));
}

static const char *name_of(const json_t *path, hw_status_text ret_text)
{
	return hw_status_string(path, "link", NAME, ret_text);
}

static void print_delays(const json_t *paths, FILE *out)
{
	hw_status_figure f[9];
	hw_status_text name;

	fprintf(out, "\n%-*s%21s%15s%15s%15s\n", NAME, "DELAY, ms", "ROUND TRIP", "BEHIND FASTEST",
		"QUEUE", "JITTER");
	fprintf(out, "%-*s%7s%7s%7s%8s%7s%8s%7s%8s%7s\n", NAME, "PATH", "now", "least", "varies",
		"out", "in", "out", "in", "out", "in");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const json_t *path = json_array_get(paths, i);

		fprintf(out, "%-*s%7s%7s%7s%8s%7s%8s%7s%8s%7s\n", NAME, name_of(path, name),
			hw_status_ms(hw_status_number(path, "rtt_ms"), f[0]),
			hw_status_ms(hw_status_number(path, "rtt_min_ms"), f[1]),
			hw_status_ms(hw_status_number(path, "rtt_variation_ms"), f[2]),
			hw_status_ms(of(path, "tx", "excess_ms"), f[3]),
			hw_status_ms(of(path, "rx", "excess_ms"), f[4]),
			hw_status_ms(of(path, "tx", "queue_ms"), f[5]),
			hw_status_ms(of(path, "rx", "queue_ms"), f[6]),
			hw_status_ms(of(path, "tx", "jitter_ms"), f[7]),
			hw_status_ms(of(path, "rx", "jitter_ms"), f[8]));
	}
}

/* "1.5/14": lost in a row on average, and at most. */
static const char *bursts(const json_t *path, const char *way, hw_status_figure ret_text)
{
	double longest = of(path, way, "burst_max");
	hw_status_figure mean;

	if (isnan(longest) || longest < 0)
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "-");
	else
		snprintf(ret_text, HW_STATUS_FIGURE_BYTES, "%s/%.0f",
			 hw_status_ratio(of(path, way, "burst_mean"), mean),
			 longest > 9999 ? 9999 : longest);
	return ret_text;
}

static void print_losses(const json_t *paths, FILE *out)
{
	hw_status_figure f[10];
	hw_status_text name;

	fprintf(out, "\n%-*s%18s%20s%17s%11s\n", NAME, "LOSS, %", "OUT, LAST", "IN, LAST", "IN A ROW",
		"LATE");
	fprintf(out, "%-*s%6s%6s%6s%8s%6s%6s%9s%8s%6s%5s\n", NAME, "PATH", "1 s", "10 s", "60 s",
		"1 s", "10 s", "60 s", "out", "in", "out", "in");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const json_t *path = json_array_get(paths, i);

		fprintf(out, "%-*s%6s%6s%6s%8s%6s%6s%9s%8s%6s%5s\n", NAME, name_of(path, name),
			hw_status_percent(of(path, "tx", "loss_1s"), f[0]),
			hw_status_percent(of(path, "tx", "loss_10s"), f[1]),
			hw_status_percent(of(path, "tx", "loss_60s"), f[2]),
			hw_status_percent(of(path, "rx", "loss_1s"), f[3]),
			hw_status_percent(of(path, "rx", "loss_10s"), f[4]),
			hw_status_percent(of(path, "rx", "loss_60s"), f[5]),
			bursts(path, "tx", f[6]), bursts(path, "rx", f[7]),
			hw_status_percent(of(path, "tx", "reorder_share"), f[8]),
			hw_status_percent(of(path, "rx", "reorder_share"), f[9]));
	}
}

/* Known only of a path that was full lately. */
static const char *full_rate(const json_t *path, const char *way, hw_status_figure ret_text)
{
	double rate = of(path, way, "rate_max_bps");

	return hw_status_scaled(rate > 0 ? rate : NAN, ret_text);
}

static void print_sizes(const json_t *paths, FILE *out)
{
	hw_status_figure f[8];
	hw_status_text name, search;

	fprintf(out, "\n%-*s%6s  %-9s%8s%10s%7s%12s%10s\n", NAME, "SIZE", "MTU", "SEARCH", "PROBED",
		"FULL out", "in", "SENT", "RECEIVED");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const json_t *path = json_array_get(paths, i);

		fprintf(out, "%-*s%6s  %-9s%8s%10s%7s%12s%10s\n", NAME, name_of(path, name),
			hw_status_whole(hw_status_number(path, "mtu"), f[0]),
			hw_status_string(path, "mtu_search", 9, search),
			hw_status_bytes(hw_status_number(path, "mtu_probe_bytes"), f[1]),
			full_rate(path, "tx", f[2]), full_rate(path, "rx", f[3]),
			hw_status_bytes(hw_status_number(path, "tx_bytes"), f[4]),
			hw_status_bytes(hw_status_number(path, "rx_bytes"), f[5]));
	}
}

/* "FROM > TO", and on a line of its own where one line cannot hold both. */
static void print_addresses(const json_t *paths, FILE *out)
{
	hw_status_text name, local, remote, observed;
	hw_status_figure changes;

	fprintf(out, "\n%-*sFROM > TO; AS THE PEER SEES THIS END\n", NAME, "ADDRESS");
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const json_t *path = json_array_get(paths, i);
		bool narrow;

		hw_status_string(path, "local", 48, local);
		hw_status_string(path, "remote", 48, remote);
		narrow = NAME + strlen(local) + strlen(remote) + 3 < HW_STATUS_COLUMNS;
		fprintf(out, "%-*s%s", NAME, name_of(path, name), local);
		if (narrow)
			fprintf(out, " > %s\n", remote);
		else
			fprintf(out, "\n%-*s> %s\n", NAME, "", remote);
		if (hw_status_number(path, "state_changes") > 1)
			fprintf(out, "%-*schanged its state %s times\n", NAME, "",
				hw_status_scaled(hw_status_number(path, "state_changes"), changes));
		if (json_is_string(json_object_get(path, "observed")))
			fprintf(out, "%-*sseen as %s\n", NAME, "",
				hw_status_string(path, "observed", 48, observed));
	}
}

void hw_status_print_details(const json_t *paths, FILE *out)
{
	if (json_array_size(paths) == 0)
		return;
	print_delays(paths, out);
	print_losses(paths, out);
	print_sizes(paths, out);
	print_addresses(paths, out);
}
