/*
 * Which links there are. News of the network goes into a picture of it (picture.c), discovery makes
 * of that and of the configuration which links there should be (discover.c), and what is there is
 * made to follow: slots are filled, changed and emptied (link.c).
 *
 * Nothing is asked for in intervals. Interfaces and addresses are kept by the news alone. Routes are
 * asked for again when news says that they may be others, since the kernel does not tell of all that
 * go; on a host with very many of them, so that it takes no more than a twentieth of the time.
 */
#include <errno.h>
#include <string.h>

#include "daemon/runtime.h"
#include "io/clock.h"
#include "io/netlink.h"

#define SPARE 20u /* as much time as the last dump took, so many times, is left to others */
#define DUMP_TRIES 3u

static void on_told(void *ctx, const struct hw_netlink_news *news)
{
	struct hw_daemon *daemon = ctx;

	if (hw_picture_take(&daemon->picture, news))
		daemon->look_due = true;
}

static void on_news(void *ctx, const struct hw_netlink_news *news)
{
	struct hw_daemon *daemon = ctx;

	if (news->what == HW_NETLINK_LOST)
		daemon->picture_lost = true;
	else
		on_told(ctx, news);
}

static int dump_interfaces(struct hw_daemon *daemon)
{
	int err;

	hw_picture_forget_interfaces(&daemon->picture);
	err = hw_netlink_dump(daemon->netlink, HW_NETLINK_INTERFACES, on_told, daemon);
	return err < 0 ? err : hw_netlink_dump(daemon->netlink, HW_NETLINK_ADDRESSES, on_told, daemon);
}

static int dump_routes(struct hw_daemon *daemon)
{
	hw_picture_forget_routes(&daemon->picture);
	return hw_netlink_dump(daemon->netlink, HW_NETLINK_ROUTES, on_told, daemon);
}

/* What changes while it is told is told once more, some times; then news will mend it. */
static int try_dump(struct hw_daemon *daemon, int (*dump)(struct hw_daemon *daemon))
{
	int err = HW_E_STATE;

	for (unsigned i = 0; i < DUMP_TRIES && err == HW_E_STATE; i++)
		err = dump(daemon);
	return err == HW_E_STATE ? 0 : err;
}

/* All of it, or the picture stays as it is: links must not go down because memory was short. */
static int make_anew(struct hw_daemon *daemon)
{
	struct hw_picture before;
	int err = 0, saved;

	if (!hw_picture_copy(&daemon->picture, &before)) {
		errno = ENOMEM;
		return HW_E_NOMEM;
	}
	if (daemon->picture_lost)
		err = try_dump(daemon, dump_interfaces);
	if (err == 0)
		err = try_dump(daemon, dump_routes);
	saved = errno;
	hw_picture_free(err == 0 ? &before : &daemon->picture);
	if (err < 0)
		daemon->picture = before;
	errno = saved;
	return err;
}

/* Ask the kernel for what is not known for certain, unless it was asked a moment ago. */
static void refresh(struct hw_daemon *daemon, hw_time now)
{
	hw_time before = hw_clock_now();
	int err;

	if (!daemon->picture_lost && !daemon->picture.routes_stale)
		return;
	if (now < daemon->picture_at)
		return;
	err = make_anew(daemon);
	daemon->look_due = true;
	daemon->picture_at = hw_time_add(now, SPARE * hw_time_since(hw_clock_now(), before));
	if (err == 0) {
		daemon->picture_lost = daemon->picture.routes_stale = false;
		return;
	}
	hw_log_limited(&daemon->log, &daemon->general_limit, now, HW_LOG_WARNING,
		       "cannot ask the kernel about interfaces and routes, trying again: %s",
		       strerror(errno));
	daemon->picture_at = hw_time_add(now, HW_S(1));
}

static uint32_t rule_number(const struct hw_config *config, const struct hw_config_link *rule)
{
	return (uint32_t)(rule - config->links);
}

/* What discovery is to know; `held` has room for all links. */
static void make_question(const struct hw_daemon *daemon, struct hw_discover_held *held,
			  struct hw_discover_question *ret_question)
{
	const struct hw_config *config = daemon->config;

	*ret_question = (struct hw_discover_question){
		.config = config,
		.picture = &daemon->picture,
		.tunnel = daemon->tunnel.name,
		.held = held,
	};
	for (uint32_t i = 0; i < config->link_count; i++)
		ret_question->endpoint_counts[i] =
			hw_daemon_endpoints_of(daemon, i, &ret_question->endpoints[i],
					       &ret_question->expects_endpoints[i]);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		const struct hw_daemon_link *link = &daemon->links[i];

		if (link->used)
			held[ret_question->held_count++] = (struct hw_discover_held){
				rule_number(config, link->rule), link->found.index};
	}
}

static void say_overlaps(struct hw_daemon *daemon, const struct hw_discover_answer *answer)
{
	const struct hw_config_link *rules = daemon->config->links;

	for (uint32_t i = 0; i < answer->overlap_count; i++) {
		const struct hw_discover_overlap *overlap = &answer->overlaps[i];
		bool said = false;

		for (uint32_t j = 0; j < daemon->overlap_count; j++)
			said |= memcmp(&daemon->overlaps[j], overlap, sizeof(*overlap)) == 0;
		/* Once each, and no more than are kept. */
		if (said || daemon->overlap_count == HW_DISCOVER_NAMES_MAX)
			continue;
		daemon->overlaps[daemon->overlap_count++] = *overlap;
		hw_log(&daemon->log, HW_LOG_INFO,
		       "interface %s: links %s and %s both mean it; %s, which stands first in the file, "
		       "has it", overlap->interface, rules[overlap->first].name,
		       rules[overlap->other].name, rules[overlap->first].name);
	}
}

static void say_crowded_out(struct hw_daemon *daemon, const struct hw_discover_answer *answer)
{
	char names[sizeof(daemon->crowded_out)] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < answer->crowded_out_count && i < HW_DISCOVER_NAMES_MAX; i++) {
		size_t more = strlen(answer->crowded_out[i]);

		names[len++] = ' ';
		memcpy(names + len, answer->crowded_out[i], more + 1);
		len += more;
	}
	if (strcmp(names, daemon->crowded_out) == 0)
		return;
	memcpy(daemon->crowded_out, names, sizeof(names));
	if (len > 0)
		hw_log(&daemon->log, HW_LOG_WARNING,
		       "more than %u links; not used are%s%s: name the interfaces that matter under "
		       "'links', or the others under 'links-exclude'", HW_CORE_MAX_LINKS, names,
		       answer->crowded_out_count > HW_DISCOVER_NAMES_MAX ? " ..." : "");
}

/* Whether the slot is the one for this link: the rule's one, or of a pattern the interface's. */
static bool fits(const struct hw_daemon_link *link, const struct hw_config *config,
		 const struct hw_discover_link *found)
{
	return link->used && rule_number(config, link->rule) == found->rule &&
	       (!found->patterned || link->found.index == found->index);
}

static void empty_slots(struct hw_daemon *daemon, const struct hw_discover_answer *answer, hw_time now)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];
		bool stays = false;

		for (uint32_t j = 0; j < answer->link_count; j++)
			stays |= fits(link, daemon->config, &answer->links[j]);
		if (link->used && !stays)
			hw_daemon_link_end(link, now);
	}
}

static void fill_slot(struct hw_daemon *daemon, const struct hw_discover_link *found, hw_time now)
{
	const struct hw_config_link *rule = &daemon->config->links[found->rule];
	uint32_t i = 0;

	while (i < HW_CORE_MAX_LINKS && !fits(&daemon->links[i], daemon->config, found))
		i++;
	if (i < HW_CORE_MAX_LINKS) {
		hw_daemon_link_follow(&daemon->links[i], rule, found, now);
		return;
	}
	for (i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (!daemon->links[i].used) {
			hw_daemon_link_begin(daemon, i, rule, found, now);
			return;
		}
	}
}

/* Make the links what they should be by now. */
static void look(struct hw_daemon *daemon, hw_time now)
{
	struct hw_discover_held held[HW_CORE_MAX_LINKS];
	struct hw_discover_question question;
	struct hw_discover_answer answer;

	daemon->look_due = false;
	make_question(daemon, held, &question);
	hw_discover(&question, &answer);
	/* Those that go first: they may have what another is to get, a slot, a port, a name. */
	empty_slots(daemon, &answer, now);
	for (int usable = 0; usable <= 1; usable++) {
		for (uint32_t i = 0; i < answer.link_count; i++) {
			if ((answer.links[i].reason == HW_DISCOVER_USABLE) == usable)
				fill_slot(daemon, &answer.links[i], now);
		}
	}
	say_overlaps(daemon, &answer);
	say_crowded_out(daemon, &answer);
}

static void refresh_and_look(struct hw_daemon *daemon, hw_time now)
{
	/* What is gone is gone, whether or not the rest can be asked for now. */
	if (daemon->look_due)
		look(daemon, now);
	refresh(daemon, now);
	if (daemon->look_due)
		look(daemon, now);
}

void hw_daemon_netlink_ready(void *ctx, uint32_t events, hw_time now)
{
	struct hw_daemon *daemon = ctx;

	(void)events;
	if (hw_netlink_read(daemon->netlink, on_news, daemon) < 0)
		hw_log_limited(&daemon->log, &daemon->general_limit, now, HW_LOG_WARNING,
			       "cannot read news of interfaces: %s", strerror(errno));
	refresh_and_look(daemon, now);
}

void hw_daemon_links_endpoints_changed(struct hw_daemon *daemon, hw_time now)
{
	struct hw_addr addrs[HW_PICTURE_ENDPOINTS_MAX];

	hw_picture_set_endpoints(&daemon->picture, addrs, hw_daemon_endpoints_all(daemon, addrs));
	refresh(daemon, now);
	look(daemon, now);
}

void hw_daemon_links_start(struct hw_daemon *daemon, hw_time now)
{
	daemon->picture_lost = true;
	hw_daemon_links_endpoints_changed(daemon, now);
}

/* The rule of `next` that goes on where this one ends: by its name, which a file has only once. */
static const struct hw_config_link *successor(const struct hw_config *next,
					      const struct hw_config_link *rule)
{
	for (uint32_t i = 0; i < next->link_count; i++) {
		if (strcmp(next->links[i].name, rule->name) == 0 &&
		    next->links[i].every == rule->every)
			return &next->links[i];
	}
	return NULL;
}

void hw_daemon_links_reload(struct hw_daemon *daemon, const struct hw_config *next, hw_time now)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];
		const struct hw_config_link *rule =
			link->used ? successor(next, link->rule) : NULL;

		if (!link->used)
			continue;
		if (!rule) {
			hw_daemon_link_end(link, now);
			continue;
		}
		link->rule = rule;
		hw_daemon_cost_link(link, now);
		hw_daemon_link_apply_use(link, now);
	}
	hw_daemon_endpoints_reload(daemon, next, now);
	daemon->config = next;
	daemon->overlap_count = 0;
	daemon->crowded_out[0] = '\0';
	hw_daemon_links_endpoints_changed(daemon, now);
}

void hw_daemon_links_stop(struct hw_daemon *daemon)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used)
			hw_daemon_link_close(&daemon->links[i]);
	}
	hw_picture_free(&daemon->picture);
}

void hw_daemon_links_tick(struct hw_daemon *daemon, hw_time now)
{
	if (daemon->look_due || daemon->picture_lost || daemon->picture.routes_stale)
		refresh_and_look(daemon, now);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used)
			hw_daemon_link_tick(&daemon->links[i], now);
	}
}

hw_time hw_daemon_links_deadline(const struct hw_daemon *daemon)
{
	hw_time next = HW_TIME_NEVER;

	if (daemon->picture_lost || daemon->picture.routes_stale)
		next = daemon->picture_at;
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used)
			next = hw_time_min(next, daemon->links[i].retry_at);
	}
	return next;
}
