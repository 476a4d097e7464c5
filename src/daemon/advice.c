#include "daemon/advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOSS_HINT 0.02
#define LOSS_BAD 0.2
#define QUEUE_NONE_NS 10e6
#define QUEUE_SHORT_NS 60e6
#define QUEUE_NOTICEABLE_NS 250e6
#define QUEUE_LONG_NS 1e9
#define PACKET_USUAL 1500u

HW_PRINTF(3, 4)
static void say(struct hw_advice_list *list, enum hw_advice_weight weight, const char *format, ...)
{
	struct hw_advice *advice;
	va_list args;

	list->faults |= weight == HW_ADVICE_FAULT;
	if (list->count == HW_ADVICE_MAX)
		return;
	advice = &list->lines[list->count++];
	advice->weight = weight;
	va_start(args, format);
	(void)vsnprintf(advice->text, sizeof(advice->text), format, args);
	va_end(args);
}

const char *hw_advice_queue(double queue_ns)
{
	if (queue_ns < QUEUE_NONE_NS)
		return "none";
	if (queue_ns < QUEUE_SHORT_NS)
		return "short";
	if (queue_ns < QUEUE_NOTICEABLE_NS)
		return "noticeable";
	return queue_ns < QUEUE_LONG_NS ? "long" : "very long";
}

const char *hw_advice_rate(double bps, char text[HW_ADVICE_VALUE_BYTES])
{
	double mbit = bps / 1e6;

	(void)snprintf(text, HW_ADVICE_VALUE_BYTES, "%.*f Mbit/s", mbit < 1 ? 2 : mbit < 20 ? 1 : 0,
		       mbit);
	return text;
}

const char *hw_advice_time(double ns, char text[HW_ADVICE_VALUE_BYTES])
{
	if (ns >= 1e9)
		(void)snprintf(text, HW_ADVICE_VALUE_BYTES, "%.1f s", ns / 1e9);
	else
		(void)snprintf(text, HW_ADVICE_VALUE_BYTES, "%.*f ms", ns < 10e6 ? 1 : 0, ns / 1e6);
	return text;
}

static const char *way_name(int way)
{
	return way == HW_SURVEY_UP ? "up" : "down";
}

/* ---- links that are not there ---- */

static void advise_trouble(const struct hw_probe_report *report, const struct hw_probe_link *link,
			   struct hw_advice_list *list)
{
	const char *name = link->name, *interface = link->interface;

	switch (link->trouble) {
	case HW_PROBE_FINE:
	case HW_PROBE_UNUSED:
		break;
	case HW_PROBE_SPENT:
		say(list, HW_ADVICE_HINT, "%s: not tried: its quota is used up; with a larger `quota` in "
		    "the file it is", name);
		break;
	case HW_PROBE_NO_INTERFACE:
		say(list, link->pattern ? HW_ADVICE_HINT : HW_ADVICE_FAULT,
		    "%s: there is no interface%s%s now: plug the modem in, or correct `interface` "
		    "(`ip link` lists what there is)", name, interface[0] ? " " : "", interface);
		break;
	case HW_PROBE_DOWN:
		say(list, HW_ADVICE_FAULT, "%s: its interface is down: `ip link set %s up`", name,
		    interface);
		break;
	case HW_PROBE_NO_CARRIER:
		say(list, HW_ADVICE_FAULT,
		    "%s: interface %s has no carrier: is the cable in, is the radio connected?", name,
		    interface);
		break;
	case HW_PROBE_NO_ADDRESS:
		say(list, HW_ADVICE_FAULT,
		    "%s: the source address that the configuration names is not on this host: has DHCP "
		    "given it another?", name);
		break;
	case HW_PROBE_PORT_TAKEN:
		say(list, HW_ADVICE_FAULT,
		    "%s: UDP port %u is in use by another program on this host: choose another in "
		    "`listen`", name, report->config->listen.addr.port);
		break;
	case HW_PROBE_NOT_PERMITTED:
		say(list, HW_ADVICE_FAULT,
		    "%s: not permitted to bind to an interface: run as root, or with CAP_NET_RAW",
		    name);
		break;
	case HW_PROBE_NO_ENDPOINT:
		say(list, HW_ADVICE_FAULT,
		    "%s: no address of the peer is known: does its name resolve here?", name);
		break;
	case HW_PROBE_NO_SOCKET:
		say(list, HW_ADVICE_FAULT, "%s: the system gives it no sockets", name);
		break;
	}
}

/* ---- links without an answer ---- */

static void advise_silence(const struct hw_probe_report *report, const struct hw_probe_link *link,
			   struct hw_advice_list *list)
{
	const char *peer = report->config->peers[0].name, *name = link->name;
	char address[HW_ADDR_TEXT_BYTES];

	hw_addr_format(&link->asked, address);
	switch (link->reach) {
	case HW_REACH_SILENT:
	case HW_REACH_FAILED:
		say(list, HW_ADVICE_FAULT,
		    "%s: %s not reachable on UDP %u over this link (%s does not answer): is the port "
		    "open in the firewall?", name, peer, link->asked.port, address);
		break;
	case HW_REACH_REFUSED:
		say(list, HW_ADVICE_FAULT,
		    "%s: %s says that nothing listens there: does the hub run, on that port?", name,
		    address);
		break;
	case HW_REACH_NO_ROUTE:
		say(list, HW_ADVICE_FAULT,
		    "%s: no route to %s over this link: does its interface have an address and a "
		    "default route?", name, address);
		break;
	case HW_REACH_NO_ADDRESS:
		say(list, HW_ADVICE_FAULT, "%s: it has no address to reach %s from", name, address);
		break;
	case HW_REACH_NO_NEIGHBOUR:
		say(list, HW_ADVICE_FAULT,
		    "%s: on the way to %s the next host does not answer: is the gateway right, is it "
		    "switched on?", name, address);
		break;
	case HW_REACH_PROHIBITED:
		say(list, HW_ADVICE_FAULT,
		    "%s: a firewall forbids UDP to %s, on this host or on the way", name, address);
		break;
	}
}

/* ---- links that answer ---- */

static void advise_paths(const struct hw_probe_link *link, const struct hw_survey_link *survey,
			 struct hw_advice_list *list)
{
	for (uint32_t i = 0; i < survey->path_count; i++) {
		char address[HW_ADDR_TEXT_BYTES];

		if (survey->paths[i].answered)
			continue;
		hw_addr_format(&survey->paths[i].tuple.remote, address);
		say(list, HW_ADVICE_HINT,
		    "%s: %s does not answer over this link; another address of the peer does, so "
		    "nothing is lost yet", link->name, address);
	}
}

static void advise_loss(const struct hw_probe_link *link, const struct hw_survey_link *survey,
			struct hw_advice_list *list)
{
	double worst = survey->way[0].loss > survey->way[1].loss ? survey->way[0].loss
								 : survey->way[1].loss;

	if (worst >= LOSS_BAD)
		say(list, HW_ADVICE_HINT,
		    "%s: loses %.0f %% up and %.0f %% down: no use alone; `mode: redundant` with "
		    "another link makes up for it", link->name, 100 * survey->way[0].loss,
		    100 * survey->way[1].loss);
	else if (worst >= LOSS_HINT)
		say(list, HW_ADVICE_NOTE,
		    "%s: loses %.1f %% up and %.1f %% down; copies on another link hide that",
		    link->name, 100 * survey->way[0].loss, 100 * survey->way[1].loss);
}

static void advise_queue(const struct hw_probe_link *link, const struct hw_survey_link *survey,
			 struct hw_advice_list *list)
{
	for (int way = 0; way < HW_SURVEY_WAYS; way++) {
		const struct hw_survey_flow *flow = &survey->way[way];
		char queue[HW_ADVICE_VALUE_BYTES], rate[HW_ADVICE_VALUE_BYTES];

		if (flow->queue_ns < QUEUE_NOTICEABLE_NS)
			continue;
		hw_advice_time(flow->queue_ns, queue);
		hw_advice_rate(0.85 * flow->capacity_bps, rate);
		say(list, HW_ADVICE_HINT,
		    "%s: %s%s of queue under load (%s): whatever fills this link makes all else on it "
		    "wait so long; limit it to about %s in %s, with fq_codel or cake",
		    link->name, flow->queue_more ? "more than " : "", queue, way_name(way), rate,
		    way == HW_SURVEY_UP ? "the router on this side" : "what sends to it");
	}
}

static void advise_packets(const struct hw_probe_link *link, const struct hw_survey_link *survey,
			   struct hw_advice_list *list)
{
	uint32_t up = survey->way[HW_SURVEY_UP].packet_bytes;
	uint32_t down = survey->way[HW_SURVEY_DOWN].packet_bytes;
	uint32_t least = up != 0 && (down == 0 || up < down) ? up : down;

	if (least != 0 && least < PACKET_USUAL)
		say(list, HW_ADVICE_NOTE,
		    "%s: takes packets of %u bytes only; nothing to do, Hawser cuts them", link->name,
		    least);
}

static void advise_nat(const struct hw_probe_link *link, struct hw_advice_list *list)
{
	if (link->nat.mapping == HW_NAT_MAPPING_DEPENDENT)
		say(list, HW_ADVICE_NOTE,
		    "%s: behind a NAT that shows each address of the peer another port (symmetric): "
		    "fine for this side, which calls; the peer could not call here", link->name);
	else if (link->nat.carrier)
		say(list, HW_ADVICE_NOTE,
		    "%s: behind the carrier's NAT: fine for this side, which calls; the peer could not "
		    "call here", link->name);
}

static void advise_load(const struct hw_probe_link *link, const struct hw_survey_link *survey,
			struct hw_advice_list *list)
{
	for (int way = 0; way < HW_SURVEY_WAYS; way++) {
		const struct hw_survey_flow *flow = &survey->way[way];

		if (!flow->loaded || flow->state == HW_LOAD_OVER)
			continue;
		if (flow->state == HW_LOAD_SILENT)
			say(list, HW_ADVICE_HINT,
			    "%s: no word about the load %s: the path broke down under it, or the peer's "
			    "version knows no load tests", link->name, way_name(way));
		else if (flow->reason == HW_LOAD_SPENT)
			say(list, HW_ADVICE_HINT,
			    "%s: not loaded %s: the peer has sent as much for tests as it sends within an "
			    "hour; try again later", link->name, way_name(way));
		else if (flow->reason == HW_LOAD_BUSY)
			say(list, HW_ADVICE_HINT,
			    "%s: not loaded %s: the peer is busy with other tests; try again", link->name,
			    way_name(way));
		else if (flow->reason == HW_LOAD_REFUSED)
			say(list, HW_ADVICE_HINT, "%s: not loaded %s: the peer's configuration forbids it",
			    link->name, way_name(way));
		else if (flow->state == HW_LOAD_FAILED)
			say(list, HW_ADVICE_HINT,
			    "%s: not loaded %s: the path went away meanwhile; probe again", link->name,
			    way_name(way));
	}
	if (survey->over_limit && (survey->way[0].capacity_more || survey->way[1].capacity_more ||
				   survey->way[0].queue_more || survey->way[1].queue_more))
		say(list, HW_ADVICE_NOTE,
		    "%s: a larger --limit would show capacity and queue better", link->name);
}

static void advise_link(const struct hw_probe_report *report, const struct hw_probe_link *link,
			struct hw_advice_list *list)
{
	const struct hw_survey_link *survey;

	if (link->trouble != HW_PROBE_FINE) {
		advise_trouble(report, link, list);
		return;
	}
	survey = &report->survey->links[link->number];
	if (survey->best < 0) {
		if (link->reach_asked)
			advise_silence(report, link, list);
		return;
	}
	advise_paths(link, survey, list);
	advise_loss(link, survey, list);
	advise_queue(link, survey, list);
	advise_packets(link, survey, list);
	advise_nat(link, list);
	advise_load(link, survey, list);
}

/* ---- all together ---- */

static const char *name_of(const struct hw_probe_report *report, uint32_t number)
{
	for (uint32_t i = 0; i < report->link_count; i++)
		if (report->links[i].number == number)
			return report->links[i].name;
	return "?";
}

static void advise_pairs(const struct hw_probe_report *report, struct hw_advice_list *list)
{
	for (uint32_t i = 0; i < report->survey->pair_count; i++) {
		const struct hw_survey_pair *pair = &report->survey->pairs[i];
		const char *how = pair->verdict == HW_SHARED_YES ? "share"
				  : pair->verdict == HW_SHARED_PROBABLY ? "probably share"
									: NULL;

		if (how == NULL)
			continue;
		say(list, HW_ADVICE_HINT,
		    "%s and %s %s a bottleneck: both together carry no more than one of them, and what "
		    "stops it stops both; copies over the two cost twice and protect little: make one "
		    "`use: backup`, or take another provider",
		    name_of(report, pair->a), name_of(report, pair->b), how);
	}
}

/* Nobody answers anywhere: then it is not the links. */
static void advise_nobody(const struct hw_probe_report *report, struct hw_advice_list *list)
{
	uint32_t asked = 0, silent = 0;

	for (uint32_t i = 0; i < report->link_count; i++) {
		const struct hw_probe_link *link = &report->links[i];

		asked += link->trouble == HW_PROBE_FINE;
		silent += link->reach_asked && link->reach == HW_REACH_SILENT;
	}
	if (asked > 0 && silent == asked)
		say(list, HW_ADVICE_FAULT,
		    "no link gets an answer: does %s run? Do both ends have each other's keys (`hawser "
		    "check` on both shows them), or the same secret? A hub is silent to keys it does "
		    "not know", report->config->peers[0].name);
}

void hw_advice_make(const struct hw_probe_report *report, struct hw_advice_list *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!report->survey)
		return;
	for (uint32_t i = 0; i < report->link_count; i++)
		advise_link(report, &report->links[i], ret);
	advise_pairs(report, ret);
	advise_nobody(report, ret);
}
