#include <math.h>
#include <string.h>

#include "cli/status_parts.h"
#include "cli/status_text.h"

#define QUOTA_WIDTH 27

/* "40.1 of 50.0 GB (80 %)"; the unit once when both have it. */
static const char *quota_text(const json_t *quota, hw_status_text ret_text)
{
	double used = hw_status_number(quota, "used_bytes"), bytes = hw_status_number(quota, "bytes");
	hw_status_figure used_text, bytes_text;
	char *unit, *other;

	if (!json_is_object(quota))
		return "-";
	hw_status_bytes(used, used_text);
	hw_status_bytes(bytes, bytes_text);
	unit = strchr(used_text, ' ');
	other = strchr(bytes_text, ' ');
	if (unit != NULL && other != NULL && strcmp(unit, other) == 0)
		*unit = '\0';
	snprintf(ret_text, sizeof(hw_status_text), "%s of %s", used_text, bytes_text);
	if (bytes > 0 && used >= 0 && used / bytes < 10)
		snprintf(ret_text + strlen(ret_text), sizeof(hw_status_text) - strlen(ret_text),
			 " (%.0f %%)", floor(100 * used / bytes));
	ret_text[QUOTA_WIDTH] = '\0';
	return ret_text;
}

/* Why a link is not used as one would expect, and until when. */
static void print_remarks(const json_t *link, bool all, FILE *out)
{
	const json_t *quota = json_object_get(link, "quota");
	hw_status_text state, by, interface, reason;
	hw_status_figure time;

	hw_status_string(link, "state", 20, state);
	hw_status_string(link, "use_by", 20, by);
	hw_status_string(link, "interface", 15, interface);
	if (strcmp(state, "down") == 0)
		fputs("  taken down by the operator: 'hawser link up' takes it up again\n", out);
	else if (strcmp(state, "waiting") == 0)
		fprintf(out, "  %s: %s\n", strcmp(interface, "-") == 0 ? "waiting" : interface,
			hw_status_string(link, "reason", HW_STATUS_COLUMNS - 20, reason));
	if (hw_status_flag(quota, "spent"))
		fprintf(out, "  its quota is used up: not used until %s\n",
			hw_status_time(hw_status_number(quota, "ends_s"), time));
	else if (hw_status_flag(quota, "warned"))
		fprintf(out, "  little of its quota is left until %s\n",
			hw_status_time(hw_status_number(quota, "ends_s"), time));
	if (strcmp(by, "operator") == 0)
		fputs("  its use is the operator's word, not the configuration's\n", out);
	if (!all)
		return;
	fprintf(out, "  counted since %s",
		hw_status_time(hw_status_number(link, "counted_since_s"), time));
	if (json_is_object(quota))
		fprintf(out, "; its quota since %s",
			hw_status_time(hw_status_number(quota, "begun_s"), time));
	if (hw_status_flag(link, "metered"))
		fputs("; metered", out);
	fputc('\n', out);
}

static void print_link(const json_t *link, bool all, bool colour, FILE *out)
{
	hw_status_text name, state, use, quota;
	hw_status_figure price, sent, received;
	double cost = hw_status_number(link, "price");

	fprintf(out, "%-*s ", HW_STATUS_LINK_WIDTH,
		hw_status_string(link, "name", HW_STATUS_LINK_WIDTH, name));
	hw_status_print_state(hw_status_string(link, "state", HW_STATUS_STATE_WIDTH, state),
			      HW_STATUS_STATE_WIDTH, colour, out);
	fprintf(out, " %-6s %5s %8s %8s  %s\n", hw_status_string(link, "use", 6, use),
		hw_status_scaled(cost, price),
		hw_status_bytes(hw_status_number(link, "tx_bytes"), sent),
		hw_status_bytes(hw_status_number(link, "rx_bytes"), received),
		quota_text(json_object_get(link, "quota"), quota));
	print_remarks(link, all, out);
}

void hw_status_print_links(const json_t *links, bool all, bool colour, FILE *out)
{
	if (json_array_size(links) == 0)
		return;
	fprintf(out, "\n%-*s %-*s %-6s %5s %8s %8s  %s\n", HW_STATUS_LINK_WIDTH, "LINK",
		HW_STATUS_STATE_WIDTH, "STATE", "USE", "PRICE", "SENT", "RECEIVED", "QUOTA");
	for (size_t i = 0; i < json_array_size(links); i++)
		print_link(json_array_get(links, i), all, colour, out);
}
