#include "daemon/probe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "daemon/runtime.h"
#include "io/clock.h"
#include "io/netlink.h"

#define REACH_MS 700u

struct hw_probe {
	struct hw_daemon daemon;
	struct hw_survey *survey;
	struct hw_probe_report report;
	struct hw_loop_source input;
	bool answered, yes;
};

/* ---- what links there are ---- */

static enum hw_probe_trouble trouble_of_interface(struct hw_daemon *daemon, const char *name,
						  uint32_t *ret_mtu)
{
	struct hw_interface interface;

	if (!name[0])
		return HW_PROBE_FINE;
	if (hw_netlink_interface(daemon->netlink, name, &interface) < 0)
		return HW_PROBE_NO_INTERFACE;
	*ret_mtu = interface.mtu_bytes;
	if (!interface.up)
		return HW_PROBE_DOWN;
	return interface.running ? HW_PROBE_FINE : HW_PROBE_NO_CARRIER;
}

/* What the system says when the link's sockets are opened once more. */
static enum hw_probe_trouble trouble_of_sockets(const struct hw_daemon_link *link)
{
	struct hw_udp udp;
	int err;

	hw_udp_init(&udp, &link->udp.config);
	err = hw_udp_open(&udp);
	hw_udp_close(&udp);
	switch (err) {
	case HW_E_NOT_FOUND:
		return HW_PROBE_NO_ADDRESS;
	case HW_E_STATE:
		return HW_PROBE_PORT_TAKEN;
	case HW_E_AUTH:
		return HW_PROBE_NOT_PERMITTED;
	default:
		return HW_PROBE_NO_SOCKET;
	}
}

static struct hw_probe_link *add_link(struct hw_probe *probe, const char *name,
				      const struct hw_config_link *rule)
{
	struct hw_probe_link *link = &probe->report.links[probe->report.link_count++];

	*link = (struct hw_probe_link){
		.number = UINT32_MAX,
		.price = rule->price,
		.metered = hw_config_link_metered(rule),
	};
	memcpy(link->name, name, sizeof(link->name));
	return link;
}

static void list_slot(struct hw_probe *probe, const struct hw_daemon_link *slot)
{
	struct hw_probe_link *link = add_link(probe, slot->name, slot->rule);

	link->number = slot->index;
	memcpy(link->interface, slot->interface, sizeof(link->interface));
	link->trouble = trouble_of_interface(&probe->daemon, slot->interface, &link->interface_mtu);
	if (hw_daemon_link_use(slot) == HW_USE_NEVER)
		link->trouble = slot->quota_spent ? HW_PROBE_SPENT : HW_PROBE_UNUSED;
	else if (link->trouble == HW_PROBE_FINE && !hw_udp_is_open(&slot->udp))
		link->trouble = trouble_of_sockets(slot);
}

static bool has_slot(const struct hw_daemon *daemon, const struct hw_config_link *rule)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++)
		if (daemon->links[i].used && daemon->links[i].rule == rule)
			return true;
	return false;
}

/* A rule that no link has come from. */
static void list_rule(struct hw_probe *probe, const struct hw_config_link *rule)
{
	struct hw_probe_link *link = add_link(probe, rule->name, rule);

	memcpy(link->interface, rule->interface, sizeof(link->interface));
	link->trouble = rule->use == HW_USE_NEVER ? HW_PROBE_UNUSED : HW_PROBE_NO_INTERFACE;
	link->pattern = hw_config_link_is_pattern(rule);
}

static void list_links(struct hw_probe *probe)
{
	const struct hw_config *config = probe->report.config;

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++)
		if (probe->daemon.links[i].used)
			list_slot(probe, &probe->daemon.links[i]);
	for (uint32_t i = 0; i < config->link_count; i++) {
		const struct hw_config_link *rule = &config->links[i];

		if (!has_slot(&probe->daemon, rule))
			list_rule(probe, rule);
	}
}

int hw_probe_new(const struct hw_config *config, struct hw_probe **ret_probe)
{
	struct hw_probe *probe = calloc(1, sizeof(*probe));
	struct hw_daemon *daemon;
	int err;

	if (!probe)
		return HW_E_NOMEM;
	daemon = &probe->daemon;
	daemon->config = probe->report.config = config;
	daemon->bare = true;
	/* What is wrong with links is said in the report, in its order. */
	hw_log_init(&daemon->log, STDERR_FILENO, HW_LOG_ERROR);
	err = hw_daemon_open(daemon);
	if (err < 0) {
		hw_daemon_close(daemon, false);
		free(probe);
		return err;
	}
	list_links(probe);
	*ret_probe = probe;
	return 0;
}

void hw_probe_free(struct hw_probe *probe)
{
	if (!probe)
		return;
	hw_survey_free(probe->survey);
	hw_daemon_close(&probe->daemon, true);
	free(probe);
}

const struct hw_probe_report *hw_probe_report(const struct hw_probe *probe)
{
	return &probe->report;
}

/* ---- asking ---- */

static void on_input(void *ctx, uint32_t events, hw_time now)
{
	struct hw_probe *probe = ctx;
	char line[128];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line));

	(void)events;
	(void)now;
	probe->answered = true;
	probe->yes = n > 0 && tolower((unsigned char)line[0]) == 'y';
	hw_loop_stop(probe->daemon.loop);
}

int hw_probe_ask(struct hw_probe *probe, bool *ret_yes)
{
	struct hw_loop *loop = probe->daemon.loop;
	int err;

	probe->answered = false;
	probe->input = (struct hw_loop_source){
		.fd = STDIN_FILENO, .priority = HW_LOOP_OTHER, .ready = on_input, .ctx = probe};
	err = hw_loop_add(loop, &probe->input, EPOLLIN);
	if (err < 0)
		return err;
	err = hw_loop_run(loop);
	hw_loop_remove(loop, &probe->input);
	if (err < 0)
		return err;
	if (!probe->answered)
		return HW_E_STATE;
	*ret_yes = probe->yes;
	return 0;
}

/* ---- the survey ---- */

static hw_time on_wakeup(void *ctx, hw_time now)
{
	struct hw_probe *probe = ctx;
	hw_time next = hw_survey_tick(probe->survey, now);

	if (next == HW_TIME_NEVER)
		hw_loop_stop(probe->daemon.loop);
	return next;
}

static void judge_nat(const struct hw_daemon_link *slot, const struct hw_survey_link *survey,
		      struct hw_probe_link *link)
{
	struct hw_nat_sight sights[HW_CORE_MAX_ENDPOINTS];
	size_t count = 0;

	for (uint32_t i = 0; i < survey->path_count; i++) {
		const struct hw_survey_path *path = &survey->paths[i];
		struct hw_nat_sight *sight = &sights[count];
		bool ipv6 = path->tuple.remote.family == HW_FAMILY_IPV6;

		*sight = (struct hw_nat_sight){ .observed = path->observed,
						.remote = path->tuple.remote };
		/* The NAT of the family that is used, or of the first that answers. */
		if (count > 0 && sights[0].remote.family != sight->remote.family)
			continue;
		if (!path->answered || path->observed.family == HW_FAMILY_NONE ||
		    hw_udp_source(&slot->udp, &sight->remote, &sight->local) < 0)
			continue;
		sight->local.port = hw_udp_port(&slot->udp, ipv6 ? HW_UDP_V6 : HW_UDP_V4);
		count++;
	}
	hw_nat_judge(sights, count, &link->nat);
}

/* Why a link that is open got no answer. */
static void find_reason(const struct hw_daemon_link *slot, const struct hw_survey_link *survey,
			struct hw_probe_link *link)
{
	if (survey->path_count == 0) {
		link->trouble = HW_PROBE_NO_ENDPOINT;
		return;
	}
	link->reach_asked = true;
	link->asked = survey->paths[0].tuple.remote;
	link->reach = hw_reach_ask(&slot->udp.config, &link->asked, REACH_MS);
	/* An address of another family may have more to say than that there is none here. */
	for (uint32_t i = 1; i < survey->path_count && link->reach == HW_REACH_NO_ADDRESS; i++) {
		link->asked = survey->paths[i].tuple.remote;
		link->reach = hw_reach_ask(&slot->udp.config, &link->asked, REACH_MS);
	}
}

static void finish(struct hw_probe *probe)
{
	const struct hw_survey_result *survey = hw_survey_result(probe->survey);

	probe->report.survey = survey;
	for (uint32_t i = 0; i < probe->report.link_count; i++) {
		struct hw_probe_link *link = &probe->report.links[i];

		if (link->trouble != HW_PROBE_FINE)
			continue;
		if (survey->links[link->number].best >= 0)
			judge_nat(&probe->daemon.links[link->number], &survey->links[link->number],
				  link);
		else if (!probe->report.interrupted)
			find_reason(&probe->daemon.links[link->number],
				    &survey->links[link->number], link);
	}
}

int hw_probe_run(struct hw_probe *probe, const struct hw_survey_config *config,
		 void (*told)(void *ctx, const struct hw_survey_news *news), void *ctx)
{
	hw_time began = hw_clock_now();
	int err = hw_survey_new(probe->daemon.core, config, told, ctx, began, &probe->survey);

	if (err < 0)
		return err;
	probe->daemon.extra = on_wakeup;
	probe->daemon.extra_ctx = probe;
	err = hw_loop_run(probe->daemon.loop);
	probe->daemon.extra = NULL;
	if (err < 0)
		return err;
	probe->report.took = hw_time_since(hw_clock_now(), began);
	if (hw_survey_tick(probe->survey, hw_clock_now()) != HW_TIME_NEVER) {
		hw_survey_stop(probe->survey, hw_clock_now());
		probe->report.interrupted = true;
	}
	finish(probe);
	return 0;
}
