#include "sim/value.h"

#include <stdio.h>
#include <string.h>

#include "sim/oracle.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* In the order of the functions below. */
const char *const hw_sim_traffic_values[] = {
	"sent",        "delivered",       "lost",       "late",     "loss",
	"residual",    "reordered",       "duplicates", "p50-ms",   "p99-ms",
	"p999-ms",     "max-ms",          "gap-ms",     "rtt-loss", "rtt-p50-ms",
	"rtt-p99-ms",  "rtt-p999-ms",     "rtt-max-ms", "frames",   "frames-broken",
	"goodput-bps", "retransmissions", "resume-ms", NULL
};

const char *const hw_sim_link_values[] = {
	"packets",     "bytes",           "passed", "lost",   "loss",    "rate-bps",
	"drops-queue", "max-queue-bytes", "first",  "copies", "repairs", "control",
	"handshake",   "control-per-10s", "carry-ms", "control-bytes", "bytes-per-day", NULL
};

const char *const hw_sim_node_values[] = { "rx-datagrams", "rx-handshake", "rx-control",
					   "rx-delivered", "rx-packets",   "tx-packets",
					   "tx-sent",      "tx-copies",    "tx-source-packets",
					   "rx-drops",     "tx-drops",     "paths",
					   "paths-up",     "paths-suspect", "paths-down",
					   "session-up",   "session-down", "session-closed",
					   "path-up",      "path-suspect", "path-down",
					   "path-new",     "path-moved",   "path-removed",
					   "send-failures", "unheard",     "pool-used",
					   "joint-lift",   "joint-verdict", "joint-lift-tx",
					   "joint-verdict-tx", NULL };

const char *const hw_sim_run_values[] = {
	"overhead",     "wire-bytes", "inner-bytes",    "transmissions",       "source-packets",
	"sealing-keys", "sealed",     "attack-packets", "attack-answer-bytes",
	"lift",         NULL
};

static double share(uint64_t hits, uint64_t trials, struct hw_sim_share *ret_share)
{
	*ret_share = (struct hw_sim_share){ .hits = hits, .trials = trials };
	return trials == 0 ? 0 : (double)hits / (double)trials;
}

static double quantile_ms(const struct hw_histogram *histogram, double q)
{
	double ns = hw_histogram_quantile_ns(histogram, q);

	return ns < 0 ? -1 : ns / 1e6;
}

static double max_ms(const struct hw_histogram *histogram)
{
	return histogram->count == 0 ? -1 : (double)histogram->max / 1e6;
}

double hw_sim_traffic_value(const struct hw_sim_traffic_result *traffic, bool back, size_t value,
			    struct hw_sim_share *ret_share)
{
	const struct hw_sim_flow_stats *flow = &traffic->flow[back];
	uint64_t lost = flow->sent - flow->delivered, sent = traffic->flow[0].sent;

	*ret_share = (struct hw_sim_share){ 0 };
	switch (value) {
	case 0:
		return (double)flow->sent;
	case 1:
		return (double)flow->delivered;
	case 2:
		return (double)lost;
	case 3:
		return (double)flow->late;
	case 4:
		return share(lost, flow->sent, ret_share);
	case 5:
		return share(lost + flow->late, flow->sent, ret_share);
	case 6:
		return (double)flow->reordered;
	case 7:
		return (double)flow->duplicates;
	case 8:
		return quantile_ms(&flow->delay, 0.5);
	case 9:
		return quantile_ms(&flow->delay, 0.99);
	case 10:
		return quantile_ms(&flow->delay, 0.999);
	case 11:
		return max_ms(&flow->delay);
	case 12:
		return (double)flow->gap_max / 1e6;
	case 13:
		return share(sent - traffic->flow[1].delivered, sent, ret_share);
	case 14:
		return quantile_ms(&traffic->rtt, 0.5);
	case 15:
		return quantile_ms(&traffic->rtt, 0.99);
	case 16:
		return quantile_ms(&traffic->rtt, 0.999);
	case 17:
		return max_ms(&traffic->rtt);
	case 18:
		return (double)traffic->frames;
	case 19:
		return (double)(traffic->frames - traffic->frames_whole);
	case 20:
		return traffic->active == 0
			       ? 0
			       : (double)traffic->goodput_bytes * 8e9 / (double)traffic->active;
	case 21:
		return (double)traffic->retransmissions;
	default:
		return (double)flow->resume_max / 1e6;
	}
}

double hw_sim_link_value(const struct hw_sim_way_result *way, hw_time simulated, size_t value)
{
	const struct hw_link_stats *link = &way->link;
	uint64_t lost = link->offered_packets - link->fates[HW_LINK_PASSED] - link->queued;
	double seconds = (double)simulated / 1e9;
	uint64_t control = way->sent.packets[HW_SIM_CONTROL] + way->sent.packets[HW_SIM_HANDSHAKE];

	switch (value) {
	case 0:
		return (double)link->offered_packets;
	case 1:
		return (double)link->offered_bytes;
	case 2:
		return (double)link->fates[HW_LINK_PASSED];
	case 3:
		return (double)lost;
	case 4:
		return link->offered_packets == 0 ? 0
						  : (double)lost / (double)link->offered_packets;
	case 5:
		return seconds > 0 ? (double)link->passed_bytes * 8 / seconds : 0;
	case 6:
		return (double)link->fates[HW_LINK_DROP_QUEUE];
	case 7:
		return (double)link->max_queue_bytes;
	case 8:
		return (double)way->sent.packets[HW_SIM_FIRST];
	case 9:
		return (double)way->sent.packets[HW_SIM_COPY];
	case 10:
		return (double)way->sent.packets[HW_SIM_REPAIR];
	case 11:
		return (double)way->sent.packets[HW_SIM_CONTROL];
	case 12:
		return (double)way->sent.packets[HW_SIM_HANDSHAKE];
	case 13:
		return seconds > 0 ? (double)control * 10 / seconds : 0;
	case 14:
		return (double)way->carry_max / 1e6;
	case 15:
		return (double)(way->sent.bytes[HW_SIM_CONTROL] +
				way->sent.bytes[HW_SIM_HANDSHAKE]);
	default:
		return seconds > 0 ? (double)link->offered_bytes * 86400 / seconds : 0;
	}
}

double hw_sim_node_value(const struct hw_sim_node_result *node, size_t value)
{
	const struct hw_core_totals *totals = &node->totals;
	const double values[] = {
		(double)totals->rx_datagrams,
		(double)totals->rx_handshake,
		(double)totals->rx_control,
		(double)totals->rx_delivered,
		(double)totals->rx_packets,
		(double)totals->tx_packets,
		(double)totals->tx_sent,
		(double)totals->tx_copies,
		(double)totals->tx_source_packets,
		(double)hw_sim_totals_rx_drops(totals),
		(double)hw_sim_totals_tx_drops(totals),
		(double)node->paths,
		(double)node->paths_up,
		(double)node->paths_suspect,
		(double)node->paths_down,
		(double)node->events[HW_EVENT_SESSION_UP],
		(double)node->events[HW_EVENT_SESSION_DOWN],
		(double)node->events[HW_EVENT_SESSION_CLOSED],
		(double)node->events[HW_EVENT_PATH_UP],
		(double)node->events[HW_EVENT_PATH_SUSPECT],
		(double)node->events[HW_EVENT_PATH_DOWN],
		(double)node->events[HW_EVENT_PATH_NEW],
		(double)node->events[HW_EVENT_PATH_MOVED],
		(double)node->events[HW_EVENT_PATH_REMOVED],
		(double)node->send_failures,
		(double)node->unheard,
		(double)node->pool_used,
		node->joint_rx.lift,
		(double)node->joint_rx.verdict,
		node->joint_tx.lift,
		(double)node->joint_tx.verdict,
	};

	_Static_assert(COUNT(values) == COUNT(hw_sim_node_values) - 1, "a name for each value");
	return values[value];
}

/* How many times as often two links were bad in the same slot as by chance; 0 where none was. */
static double true_lift(const struct hw_sim_spell_truth *truth)
{
	double expected = (double)truth->bad[0] * (double)truth->bad[1];

	return expected > 0 ? (double)truth->both * (double)truth->slots / expected : 0;
}

double hw_sim_run_value(const struct hw_sim_result *result, size_t value)
{
	uint64_t first = 0, again = 0, wire = 0, inner = 0, attack = 0, answers = 0;

	for (uint32_t i = 0; i < result->wire_count; i++) {
		for (int w = 0; w < 2; w++) {
			const struct hw_sim_sent *sent = &result->way[i][w].sent;

			first += sent->bytes[HW_SIM_FIRST];
			again += sent->bytes[HW_SIM_COPY] + sent->bytes[HW_SIM_REPAIR];
			for (int kind = 0; kind < HW_SIM_KINDS; kind++)
				wire += sent->bytes[kind];
		}
	}
	for (uint32_t i = 0; i < result->attack_count; i++) {
		attack += result->attack[i].sent;
		answers += result->attack[i].answer_bytes;
	}
	for (uint32_t i = 0; i < result->traffic_count; i++)
		inner += result->traffic[i].flow[0].sent_bytes +
			 result->traffic[i].flow[1].sent_bytes;
	switch (value) {
	case 0:
		return first == 0 ? 0 : (double)again / (double)first;
	case 1:
		return (double)wire;
	case 2:
		return (double)inner;
	case 3:
		return (double)result->transmissions;
	case 4:
		return (double)result->source_packets;
	case 5:
		return (double)result->keys;
	case 6:
		return (double)result->sealed;
	case 7:
		return (double)attack;
	case 8:
		return (double)answers;
	default:
		return true_lift(&result->spells);
	}
}

/* ---- expectations ---- */

static bool find(const char *const *names, const char *name, size_t *ret_index)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static double node_value(const struct hw_sim_node_result *node, const char *name)
{
	size_t i;

	if (find(hw_sim_node_values, name, &i))
		return hw_sim_node_value(node, i);
	for (i = 0; i < HW_DROP_COUNT; i++) {
		if (strcmp(hw_drop_name((enum hw_drop)i), name) == 0)
			break;
	}
	return (double)node->totals.drops[i];
}

static double look_up(const struct hw_sim_scenario *scenario, const struct hw_sim_expect *expect,
		      const struct hw_sim_result *result, struct hw_sim_share *ret_share)
{
	size_t value = 0;

	if (strcmp(expect->of, "client") == 0 || strcmp(expect->of, "hub") == 0)
		return node_value(&result->node[expect->of[0] == 'h' ? HW_SIM_HUB : HW_SIM_CLIENT],
				  expect->value);
	if (strcmp(expect->of, "run") == 0 && find(hw_sim_run_values, expect->value, &value))
		return hw_sim_run_value(result, value);
	for (uint32_t i = 0; i < scenario->traffic_count; i++) {
		if (strcmp(scenario->traffic[i].name, expect->of) == 0 &&
		    find(hw_sim_traffic_values, expect->value, &value))
			return hw_sim_traffic_value(&result->traffic[i], expect->back, value,
						    ret_share);
	}
	for (uint32_t i = 0; i < scenario->link_count; i++) {
		if (strcmp(scenario->links[i].name, expect->of) == 0 &&
		    find(hw_sim_link_values, expect->value, &value))
			return hw_sim_link_value(&result->way[i][expect->back], result->simulated,
						 value);
	}
	return 0; /* the reader of scenarios has checked both names */
}

double hw_sim_expect_value(const struct hw_sim_scenario *scenario,
			   const struct hw_sim_expect *expect, const struct hw_sim_result *result)
{
	struct hw_sim_share share = { 0 };

	return look_up(scenario, expect, result, &share);
}

bool hw_sim_expect_met(const struct hw_sim_scenario *scenario, const struct hw_sim_expect *expect,
		       const struct hw_sim_result *result, char *ret_text, size_t room)
{
	struct hw_sim_share seen = { 0 };
	double value = look_up(scenario, expect, result, &seen), low = 0, high = 1;
	bool met = true;
	int n = snprintf(ret_text, room, "%s.%s%s = %.10g", expect->of, expect->value,
			 expect->back ? " (back)" : "", value);
	size_t at = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;

	if (expect->has_near) {
		hw_interval_999(seen.hits, seen.trials, &low, &high);
		met = seen.trials > 0 && low <= expect->near && expect->near <= high;
		snprintf(ret_text + at, room - at, ", 99.9 %% interval %.6g to %.6g, to hold %.6g",
			 low, high, expect->near);
	} else if (expect->has_min && expect->has_max) {
		snprintf(ret_text + at, room - at, ", to be from %.10g to %.10g", expect->min,
			 expect->max);
	} else if (expect->has_min) {
		snprintf(ret_text + at, room - at, ", to be at least %.10g", expect->min);
	} else {
		snprintf(ret_text + at, room - at, ", to be at most %.10g", expect->max);
	}
	if (expect->has_min && !(value >= expect->min))
		met = false;
	if (expect->has_max && !(value <= expect->max))
		met = false;
	return met;
}
