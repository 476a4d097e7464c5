#include "sim/report.h"

#include <inttypes.h>
#include <string.h>

#include "sim/value.h"

static const char *const side_names[] = { "client", "hub" };
static const char *const kind_names[HW_SIM_KINDS] = {
	[HW_SIM_FIRST] = "source packets", [HW_SIM_COPY] = "copies of them",
	[HW_SIM_REPAIR] = "repairs",       [HW_SIM_CONTROL] = "control",
	[HW_SIM_HANDSHAKE] = "handshakes",
};

/* A time of any size in seven columns. */
static void print_ms(FILE *out, double ms)
{
	if (ms < 0)
		fprintf(out, "%9s", "-");
	else if (ms < 10000)
		fprintf(out, "%9.3f", ms);
	else
		fprintf(out, "%8.1fs", ms / 1000);
}

/* "name", "name back": what a row is about. */
static void print_label(FILE *out, const char *name, const char *way)
{
	int room = 19 - (int)strlen(way);

	fprintf(out, "%-.*s%s%*s", room, name, way,
		19 - (int)strlen(way) - ((int)strlen(name) < room ? (int)strlen(name) : room), "");
}

static void print_head(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_scenario *scenario = report->scenario;
	const struct hw_sim_result *result = report->result;

	fprintf(out, "%s\n", scenario->name[0] != '\0' ? scenario->name : scenario->file);
	fprintf(out, "mode %s, suite %s, seed %" PRIu64, hw_strategy_at(scenario->strategy)->name,
		report->suite, result->seed);
	if (result->runs > 1)
		fprintf(out, " to %" PRIu64, result->seed + result->runs - 1);
	fprintf(out, ", %.0f s simulated in %.2f s\n", (double)result->simulated / 1e9,
		report->seconds);
}

static bool used(const struct hw_sim_flow_stats *flow)
{
	return flow->sent > 0;
}

static void print_counts(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;

	fprintf(out, "\n%-19s%10s%10s%8s%7s%10s%6s%9s\n", "traffic", "sent", "delivered", "lost",
		"late", "residual", "twice", "reorder");
	for (uint32_t i = 0; i < result->traffic_count; i++) {
		for (int back = 0; back < 2; back++) {
			const struct hw_sim_flow_stats *flow = &result->traffic[i].flow[back];
			uint64_t lost = flow->sent - flow->delivered;

			if (!used(flow))
				continue;
			print_label(out, report->scenario->traffic[i].name, back ? " back" : "");
			fprintf(out,
				"%10" PRIu64 "%10" PRIu64 "%8" PRIu64 "%7" PRIu64 "%9.4f%%%6" PRIu64
				"%9" PRIu64 "\n",
				flow->sent, flow->delivered, lost, flow->late,
				100 * (double)(lost + flow->late) / (double)flow->sent,
				flow->duplicates, flow->reordered);
		}
	}
}

static void print_delay_row(FILE *out, const char *name, const char *way,
			    const struct hw_histogram *delay)
{
	if (delay->count == 0)
		return;
	print_label(out, name, way);
	print_ms(out, (double)delay->min / 1e6);
	print_ms(out, hw_histogram_quantile_ns(delay, 0.5) / 1e6);
	print_ms(out, hw_histogram_quantile_ns(delay, 0.99) / 1e6);
	print_ms(out, hw_histogram_quantile_ns(delay, 0.999) / 1e6);
	print_ms(out, (double)delay->max / 1e6);
}

static void print_delays(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;

	fprintf(out, "\n%-19s%9s%9s%9s%9s%9s%10s\n", "delay in ms", "min", "p50", "p99", "p99.9",
		"max", "gap");
	for (uint32_t i = 0; i < result->traffic_count; i++) {
		const struct hw_sim_traffic_result *traffic = &result->traffic[i];
		const char *name = report->scenario->traffic[i].name;

		for (int back = 0; back < 2; back++) {
			if (traffic->flow[back].delay.count == 0)
				continue;
			print_delay_row(out, name, back ? " back" : "", &traffic->flow[back].delay);
			fputc(' ', out);
			print_ms(out, (double)traffic->flow[back].gap_max / 1e6);
			fputc('\n', out);
		}
		if (traffic->rtt.count > 0) {
			print_delay_row(out, name, " rtt", &traffic->rtt);
			fputc('\n', out);
		}
	}
}

/* What only some kinds of traffic have, and the intervals of losses. */
static void print_extras(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;
	double low, high;

	fputc('\n', out);
	for (uint32_t i = 0; i < result->traffic_count; i++) {
		const struct hw_sim_traffic_result *traffic = &result->traffic[i];
		const char *name = report->scenario->traffic[i].name;
		uint64_t sent = traffic->flow[0].sent, answered = traffic->flow[1].delivered;

		for (int back = 0; back < 2; back++) {
			const struct hw_sim_flow_stats *flow = &traffic->flow[back];
			uint64_t residual = flow->sent - flow->delivered + flow->late;

			if (!used(flow) || residual == 0)
				continue;
			hw_interval_999(residual, flow->sent, &low, &high);
			fprintf(out, "%s%s: residual loss from %.5f %% to %.5f %% at 99.9 %%\n",
				name, back ? " back" : "", 100 * low, 100 * high);
		}
		if (report->scenario->traffic[i].kind == HW_SIM_PING && sent > answered)
			fprintf(out, "%s: %" PRIu64 " of %" PRIu64 " not answered (%.4f %%)\n",
				name, sent - answered, sent,
				100 * (double)(sent - answered) / (double)sent);
		if (traffic->frames > 0)
			fprintf(out, "%s: %" PRIu64 " frames, %" PRIu64 " not whole in time\n",
				name, traffic->frames, traffic->frames - traffic->frames_whole);
		if (report->scenario->traffic[i].kind == HW_SIM_TCP && traffic->active > 0)
			fprintf(out, "%s: %.3f Mbit/s in order, %" PRIu64 " sent again\n", name,
				(double)traffic->goodput_bytes * 8e3 / (double)traffic->active,
				traffic->retransmissions);
	}
}

static void print_links(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;

	fprintf(out, "\n%-19s%10s%10s%9s%9s%9s%9s\n", "link", "packets", "lost", "loss", "Mbit/s",
		"first", "copies");
	for (uint32_t i = 0; i < result->wire_count; i++) {
		for (int w = 0; w < 2; w++) {
			const struct hw_sim_way_result *way = &result->way[i][w];
			const struct hw_link_stats *link = &way->link;
			uint64_t lost =
				link->offered_packets - link->fates[HW_LINK_PASSED] - link->queued;
			double offered =
				link->offered_packets > 0 ? (double)link->offered_packets : 1;

			print_label(out, report->scenario->links[i].name,
				    w == HW_SIM_UP ? " up" : " down");
			fprintf(out,
				"%10" PRIu64 "%10" PRIu64 "%8.3f%%%9.3f%9" PRIu64 "%9" PRIu64 "\n",
				link->offered_packets, lost, 100 * (double)lost / offered,
				(double)link->passed_bytes * 8e3 / (double)result->simulated,
				way->sent.packets[HW_SIM_FIRST], way->sent.packets[HW_SIM_COPY]);
		}
	}
}

static void print_wire(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;
	struct hw_sim_sent sum = { { 0 }, { 0 } };

	for (uint32_t i = 0; i < result->wire_count; i++) {
		for (int w = 0; w < 2; w++) {
			for (int kind = 0; kind < HW_SIM_KINDS; kind++) {
				sum.packets[kind] += result->way[i][w].sent.packets[kind];
				sum.bytes[kind] += result->way[i][w].sent.bytes[kind];
			}
		}
	}
	fprintf(out, "\n%-19s%10s%15s%15s\n", "on the wire", "packets", "bytes of IP", "overhead");
	for (int kind = 0; kind < HW_SIM_KINDS; kind++) {
		fprintf(out, "%-19s%10" PRIu64 "%15" PRIu64, kind_names[kind], sum.packets[kind],
			sum.bytes[kind]);
		if (kind == HW_SIM_COPY)
			fprintf(out, "%14.1f%%", 100 * hw_sim_run_value(result, 0));
		fputc('\n', out);
	}
	fputc('\n', out);
}

static void print_drops(const struct hw_sim_report *report, FILE *out)
{
	for (int side = 0; side < 2; side++) {
		const struct hw_sim_node_result *node = &report->result->node[side];
		int column = fprintf(out, "%s drops:", side_names[side]);
		bool any = false;

		for (int i = 0; i < HW_DROP_COUNT; i++) {
			char text[64];

			if (node->totals.drops[i] == 0)
				continue;
			any = true;
			snprintf(text, sizeof(text), " %s %" PRIu64, hw_drop_name((enum hw_drop)i),
				 node->totals.drops[i]);
			if (column + (int)strlen(text) > 80)
				column = fprintf(out, "\n   ") - 1;
			column += fprintf(out, "%s", text);
		}
		fprintf(out, "%s\n", any ? "" : " none");
	}
}

static void print_attacks(const struct hw_sim_report *report, FILE *out)
{
	for (uint32_t i = 0; i < report->result->attack_count; i++) {
		const struct hw_sim_attack_stats *stats = &report->result->attack[i];

		fprintf(out,
			"attack %u on the %s: %" PRIu64 " datagrams, %" PRIu64 " bytes\n"
			"    answered with %" PRIu64 " datagrams, %" PRIu64
			" bytes; state changed %" PRIu64 " times\n",
			i + 1, side_names[report->scenario->attacks[i].target], stats->sent,
			stats->sent_bytes, stats->answers, stats->answer_bytes, stats->changed);
	}
}

void hw_sim_report_print(const struct hw_sim_report *report, FILE *out)
{
	const struct hw_sim_result *result = report->result;

	print_head(report, out);
	print_counts(report, out);
	print_delays(report, out);
	print_extras(report, out);
	print_links(report, out);
	print_wire(report, out);
	print_drops(report, out);
	print_attacks(report, out);
	if (report->seconds > 0)
		fprintf(out,
			"%" PRIu64 " transmissions and %" PRIu64
			" source packets, %.0f and %.0f a minute\n",
			result->transmissions, result->source_packets,
			(double)result->transmissions * 60 / report->seconds,
			(double)result->source_packets * 60 / report->seconds);
}
