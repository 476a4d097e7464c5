#include <string.h>

#include "cli/probe.h"

#define UNKNOWN "not known"

const char *hw_cli_probe_nat(enum hw_nat nat)
{
	switch (nat) {
	case HW_NAT_NONE:
		return "no NAT";
	case HW_NAT_PORT_KEPT:
		return "NAT, port kept";
	case HW_NAT_PORT_CHANGED:
		return "NAT, port changed";
	case HW_NAT_UNKNOWN:
		break;
	}
	return UNKNOWN;
}

const char *hw_cli_probe_shared(enum hw_shared verdict)
{
	switch (verdict) {
	case HW_SHARED_NO:
		return "no common bottleneck";
	case HW_SHARED_PROBABLY_NOT:
		return "probably no common bottleneck";
	case HW_SHARED_UNCLEAR:
		return "unclear whether they share a bottleneck";
	case HW_SHARED_PROBABLY:
		return "probably a common bottleneck";
	case HW_SHARED_YES:
		return "a common bottleneck";
	case HW_SHARED_UNKNOWN:
		break;
	}
	return "not measured whether they share a bottleneck";
}

static const char *reach_word(enum hw_reach reach)
{
	switch (reach) {
	case HW_REACH_REFUSED:
		return "refused";
	case HW_REACH_NO_ROUTE:
		return "no route";
	case HW_REACH_NO_ADDRESS:
		return "no address";
	case HW_REACH_NO_NEIGHBOUR:
		return "next host does not answer";
	case HW_REACH_PROHIBITED:
		return "forbidden by a firewall";
	case HW_REACH_SILENT:
	case HW_REACH_FAILED:
		break;
	}
	return "silent";
}

const char *hw_cli_probe_trouble(const struct hw_probe_link *link)
{
	switch (link->trouble) {
	case HW_PROBE_FINE:
		return link->reach_asked ? reach_word(link->reach) : "no answer so far";
	case HW_PROBE_SPENT:
		return "quota used up";
	case HW_PROBE_UNUSED:
		return "not used";
	case HW_PROBE_NO_INTERFACE:
		return "no interface";
	case HW_PROBE_DOWN:
		return "interface down";
	case HW_PROBE_NO_CARRIER:
		return "no carrier";
	case HW_PROBE_NO_ADDRESS:
		return "no address";
	case HW_PROBE_PORT_TAKEN:
		return "port in use";
	case HW_PROBE_NOT_PERMITTED:
		return "not permitted";
	case HW_PROBE_NO_ENDPOINT:
		return "no address of the peer";
	case HW_PROBE_NO_SOCKET:
		break;
	}
	return "no socket";
}

static void print_round_trip(const struct hw_survey_path *path, FILE *out)
{
	if (path->rtt_median_ns < 0)
		fputs("    round trip  " UNKNOWN "\n", out);
	else
		fprintf(out, "    round trip  %.1f ms at least, %.1f in the middle, %.1f at 95 %%\n",
			path->rtt_least_ns / 1e6, path->rtt_median_ns / 1e6, path->rtt_p95_ns / 1e6);
}

static void print_loss(const struct hw_survey_link *link, FILE *out)
{
	fputs("    loss        ", out);
	for (int way = 0; way < HW_SURVEY_WAYS; way++) {
		if (link->way[way].loss < 0)
			fputs(UNKNOWN, out);
		else
			fprintf(out, "%.1f %%", 100 * link->way[way].loss);
		fputs(way == 0 ? " up, " : " down\n", out);
	}
}

static void print_packets(const struct hw_survey_link *link, FILE *out)
{
	fputs("    packets     ", out);
	for (int way = 0; way < HW_SURVEY_WAYS; way++) {
		uint32_t bytes = link->way[way].packet_bytes;

		if (bytes == 0)
			fputs(UNKNOWN, out);
		else
			fprintf(out, "%u bytes", bytes);
		fputs(way == 0 ? " up, " : " down\n", out);
	}
}

static void print_capacity(const struct hw_survey_link *link, FILE *out)
{
	char text[HW_ADVICE_VALUE_BYTES];

	if (link->way[0].capacity_bps < 0 && link->way[1].capacity_bps < 0) {
		fputs("    capacity    not measured\n", out);
		return;
	}
	fputs("    capacity    ", out);
	for (int way = 0; way < HW_SURVEY_WAYS; way++) {
		const struct hw_survey_flow *flow = &link->way[way];

		if (flow->capacity_bps < 0)
			fputs("not measured", out);
		else
			fprintf(out, "%s%s", flow->capacity_more ? "more than " : "",
				hw_advice_rate(flow->capacity_bps, text));
		fputs(way == 0 ? " up, " : " down\n", out);
	}
}

static void print_queue(const struct hw_survey_link *link, FILE *out)
{
	char text[HW_ADVICE_VALUE_BYTES];

	if (link->way[0].queue_ns < 0 && link->way[1].queue_ns < 0) {
		fputs("    queue       not measured\n", out);
		return;
	}
	fputs("    queue       ", out);
	for (int way = 0; way < HW_SURVEY_WAYS; way++) {
		const struct hw_survey_flow *flow = &link->way[way];

		if (flow->queue_ns < 0)
			fputs("not measured", out);
		else
			fprintf(out, "%s%s (%s)", flow->queue_more ? "more than " : "",
				hw_advice_time(flow->queue_ns, text),
				hw_advice_queue(flow->queue_ns));
		fputs(way == 0 ? " up, " : " down\n", out);
	}
}

static void print_nat(const struct hw_probe_link *link, FILE *out)
{
	static const char *const mappings[] = {
		"", "; the same to every address of the peer",
		"; another to each address of the peer (symmetric)"
	};
	char text[HW_ADDR_TEXT_BYTES];

	fprintf(out, "    NAT         %s", hw_cli_probe_nat(link->nat.nat));
	if (link->nat.nat != HW_NAT_UNKNOWN) {
		hw_addr_format(&link->nat.outside, text);
		fprintf(out, ", seen as %s%s", text, mappings[link->nat.mapping]);
	}
	if ((link->nat.nat == HW_NAT_PORT_KEPT || link->nat.nat == HW_NAT_PORT_CHANGED) &&
	    link->nat.mapping == HW_NAT_MAPPING_UNKNOWN)
		fputs("; whether it differs for other peers cannot be told from one address", out);
	fputc('\n', out);
}

static void print_link(const struct hw_probe_report *report, const struct hw_probe_link *link,
		       FILE *out)
{
	const struct hw_survey_link *survey =
		link->number != UINT32_MAX ? &report->survey->links[link->number] : NULL;

	fprintf(out, "%s", link->name);
	if (link->interface[0] && strcmp(link->interface, link->name) != 0)
		fprintf(out, " (%s)", link->interface);
	if (link->trouble != HW_PROBE_FINE || survey == NULL || survey->best < 0) {
		fprintf(out, ": %s\n", hw_cli_probe_trouble(link));
		return;
	}
	fprintf(out, ": UDP passes\n");
	print_round_trip(&survey->paths[survey->best], out);
	print_loss(survey, out);
	print_packets(survey, out);
	print_capacity(survey, out);
	print_queue(survey, out);
	print_nat(link, out);
	fprintf(out, "    spent       %.2f MB\n", (double)survey->spent / 1e6);
}

static const char *name_of(const struct hw_probe_report *report, uint32_t number)
{
	for (uint32_t i = 0; i < report->link_count; i++)
		if (report->links[i].number == number)
			return report->links[i].name;
	return "?";
}

void hw_cli_probe_print(const struct hw_probe_report *report, const struct hw_advice_list *advice,
			FILE *out)
{
	static const char *const marks[] = { "  ", "! ", "!!" };
	const struct hw_survey_result *survey = report->survey;

	for (uint32_t i = 0; i < report->link_count; i++)
		print_link(report, &report->links[i], out);
	for (uint32_t i = 0; i < survey->pair_count; i++)
		fprintf(out, "%s and %s: %s\n", name_of(report, survey->pairs[i].a),
			name_of(report, survey->pairs[i].b),
			hw_cli_probe_shared(survey->pairs[i].verdict));
	if (advice->count > 0)
		fputc('\n', out);
	for (uint32_t i = 0; i < advice->count; i++)
		fprintf(out, "%s %s\n", marks[advice->lines[i].weight], advice->lines[i].text);
	if (report->interrupted || survey->interrupted)
		fprintf(out, "\nStopped after %.0f s: what is not known was not measured.\n",
			(double)report->took / 1e9);
	else if (!advice->faults)
		fputs("\nEvery link works.\n", out);
}
