#include <jansson.h>

#include "cli/probe.h"

/* A number, or null where it is not known. */
static json_t *known(double value, double unit)
{
	return value < 0 ? json_null() : json_real(value / unit);
}

static json_t *known_count(uint32_t value)
{
	return value == 0 ? json_null() : json_integer(value);
}

static const char *load_word(const struct hw_survey_flow *flow)
{
	static const char *const reasons[HW_LOAD_REASONS] = { "failed",	 "busy",    "spent",
							      "no path", "invalid", "refused" };

	if (!flow->loaded)
		return "none";
	switch (flow->state) {
	case HW_LOAD_OVER:
		return "measured";
	case HW_LOAD_SILENT:
		return "silent";
	case HW_LOAD_FAILED:
		return reasons[flow->reason];
	default:
		return "interrupted";
	}
}

static json_t *way(const struct hw_survey_link *link, enum hw_survey_way which)
{
	const struct hw_survey_flow *flow = &link->way[which];

	return json_pack("{s:o, s:o, s:b, s:o, s:b, s:o, s:s}", "loss", known(flow->loss, 1),
			 "capacity_bps", known(flow->capacity_bps, 1), "capacity_is_more",
			 flow->capacity_more, "queue_ms", known(flow->queue_ns, 1e6),
			 "queue_is_more", flow->queue_more, "packet_bytes",
			 known_count(flow->packet_bytes), "load", load_word(flow));
}

static json_t *paths(const struct hw_survey_link *link)
{
	json_t *list = json_array();
	char remote[HW_ADDR_TEXT_BYTES], observed[HW_ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < link->path_count; i++) {
		const struct hw_survey_path *path = &link->paths[i];

		hw_addr_format(&path->tuple.remote, remote);
		hw_addr_format(&path->observed, observed);
		json_array_append_new(
			list, json_pack("{s:s, s:b, s:s?, s:o, s:o, s:o}", "remote", remote,
					"answers", path->answered, "seen_as",
					path->observed.family != HW_FAMILY_NONE ? observed : NULL,
					"rtt_min_ms", known(path->rtt_least_ns, 1e6),
					"rtt_median_ms", known(path->rtt_median_ns, 1e6),
					"rtt_p95_ms", known(path->rtt_p95_ns, 1e6)));
	}
	return list;
}

static json_t *nat(const struct hw_probe_link *link)
{
	static const char *const kinds[] = { "unknown", "none", "port kept", "port changed" };
	static const char *const mappings[] = { "unknown", "endpoint-independent",
						"endpoint-dependent" };

	return json_pack("{s:s, s:s, s:b}", "kind", kinds[link->nat.nat], "mapping",
			 mappings[link->nat.mapping], "carrier", link->nat.carrier);
}

static json_t *link_object(const struct hw_probe_report *report, const struct hw_probe_link *link)
{
	json_t *object = json_pack("{s:s, s:s, s:i, s:b}", "name", link->name, "interface",
				   link->interface, "price", (int)link->price, "metered",
				   link->metered);
	const struct hw_survey_link *survey;
	const struct hw_survey_path *best = NULL;

	if (link->number == UINT32_MAX || link->trouble != HW_PROBE_FINE) {
		json_object_set_new(object, "state", json_string(hw_cli_probe_trouble(link)));
		json_object_set_new(object, "works", json_false());
		return object;
	}
	survey = &report->survey->links[link->number];
	if (survey->best >= 0)
		best = &survey->paths[survey->best];
	json_object_set_new(object, "works", json_boolean(best != NULL));
	json_object_set_new(object, "state",
			    json_string(best ? "passes" : hw_cli_probe_trouble(link)));
	json_object_set_new(object, "rtt_min_ms", best ? known(best->rtt_least_ns, 1e6) : json_null());
	json_object_set_new(object, "rtt_median_ms",
			    best ? known(best->rtt_median_ns, 1e6) : json_null());
	json_object_set_new(object, "rtt_p95_ms", best ? known(best->rtt_p95_ns, 1e6) : json_null());
	json_object_set_new(object, "up", way(survey, HW_SURVEY_UP));
	json_object_set_new(object, "down", way(survey, HW_SURVEY_DOWN));
	json_object_set_new(object, "nat", nat(link));
	json_object_set_new(object, "paths", paths(survey));
	json_object_set_new(object, "spent_bytes", json_integer((json_int_t)survey->spent));
	json_object_set_new(object, "limited", json_boolean(survey->over_limit));
	return object;
}

static const char *name_of(const struct hw_probe_report *report, uint32_t number)
{
	for (uint32_t i = 0; i < report->link_count; i++)
		if (report->links[i].number == number)
			return report->links[i].name;
	return "";
}

static json_t *pairs(const struct hw_probe_report *report)
{
	static const char *const verdicts[] = { "unknown", "no",       "probably not",
						"unclear", "probably", "yes" };
	json_t *list = json_array();

	for (uint32_t i = 0; i < report->survey->pair_count; i++) {
		const struct hw_survey_pair *pair = &report->survey->pairs[i];

		json_array_append_new(list, json_pack("{s:[s, s], s:s}", "links",
						      name_of(report, pair->a),
						      name_of(report, pair->b), "share_bottleneck",
						      verdicts[pair->verdict]));
	}
	return list;
}

int hw_cli_probe_json(const struct hw_probe_report *report, const struct hw_advice_list *advice,
		      FILE *out)
{
	static const char *const weights[] = { "note", "hint", "fault" };
	json_t *links = json_array(), *lines = json_array();
	json_t *root;
	int rc;

	for (uint32_t i = 0; i < report->link_count; i++)
		json_array_append_new(links, link_object(report, &report->links[i]));
	for (uint32_t i = 0; i < advice->count; i++)
		json_array_append_new(lines, json_pack("{s:s, s:s}", "weight",
						       weights[advice->lines[i].weight], "text",
						       advice->lines[i].text));
	root = json_pack("{s:s, s:b, s:b, s:b, s:f, s:o, s:o, s:o}", "peer",
			 report->config->peers[0].name, "session", report->survey->session, "works",
			 !advice->faults, "interrupted",
			 report->interrupted || report->survey->interrupted, "seconds",
			 (double)report->took / 1e9, "links", links, "pairs", pairs(report), "advice",
			 lines);
	if (root == NULL)
		return -1;
	rc = json_dumpf(root, out, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	json_decref(root);
	return rc == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
