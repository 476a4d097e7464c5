#include "cli/status_table.h"

#include <math.h>
#include <string.h>

#include "cli/status_parts.h"
#include "cli/status_text.h"

static void print_streams(const json_t *streams, FILE *out)
{
	if (json_array_size(streams) == 0)
		return;
	fputs("\nPACKETS            SENT   RECEIVED       LOST  LOST %  DUPLICATES\n", out);
	for (size_t i = 0; i < json_array_size(streams); i++) {
		const json_t *stream = json_array_get(streams, i);
		double lost = hw_status_number(stream, "lost");
		double delivered = hw_status_number(stream, "delivered");
		double class = hw_status_number(stream, "class");
		hw_status_figure name = "control", figures[5];

		if (class != 0)
			snprintf(name, sizeof(name), "class %.0f", class < 100 ? class : 99);
		fprintf(out, "%-12s%11s%11s%11s%8s%12s\n", name,
			hw_status_scaled(hw_status_number(stream, "sent"), figures[0]),
			hw_status_scaled(delivered, figures[1]), hw_status_scaled(lost, figures[2]),
			hw_status_percent(lost / (lost + delivered), figures[3]),
			hw_status_scaled(hw_status_number(stream, "duplicates"), figures[4]));
	}
}

static void print_drops(json_t *drops, FILE *out)
{
	const char *name;
	json_t *count;
	int column = 0;

	json_object_foreach(drops, name, count)
	{
		hw_status_figure figure;
		char item[HW_STATUS_COLUMNS];
		int len;

		/* Duplicates are how copies work, not trouble, and the streams show them. */
		if (strcmp(name, "rx_duplicate") == 0 || !json_is_number(count) ||
		    json_number_value(count) <= 0)
			continue;
		len = snprintf(item, sizeof(item), "%.40s %s", name,
			       hw_status_scaled(json_number_value(count), figure));
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

void hw_cli_status_table(const json_t *status, bool all, bool colour, FILE *out)
{
	const json_t *peers = json_object_get(status, "peers");
	hw_status_text device, mode, name, state;
	hw_status_figure figure;

	fprintf(out, "%s: %s, running for %s\n", hw_status_string(status, "device", 15, device),
		hw_status_string(status, "mode", 15, mode),
		hw_status_age(hw_status_number(status, "uptime_s"), figure));
	for (size_t i = 0; i < json_array_size(peers); i++) {
		const json_t *peer = json_array_get(peers, i);

		fprintf(out, "\nPeer %s: ", hw_status_string(peer, "name", 40, name));
		hw_status_print_state(hw_status_string(peer, "state", 10, state), 0, colour, out);
		fprintf(out, ", keys %s old\n\n",
			hw_status_age(hw_status_number(peer, "handshake_age_s"), figure));
		hw_status_print_paths(json_object_get(peer, "paths"), colour, out);
		if (all)
			hw_status_print_details(json_object_get(peer, "paths"), out);
		hw_status_print_joint(peer, all, out);
		print_streams(json_object_get(peer, "streams"), out);
	}
	hw_status_print_links(json_object_get(status, "links"), all, colour, out);
	print_drops(json_object_get(status, "drops"), out);
}
