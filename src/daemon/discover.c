#include "daemon/discover.h"

#include <stdio.h>
#include <string.h>

#include "config/value.h"

/* Who has priority when there are more links than places. */
enum rank { RANK_NAMED, RANK_THERE, RANK_NEW, RANK_IDLE, RANKS };

struct work {
	const struct hw_discover_question *question;
	struct hw_discover_answer *answer;
	enum rank ranks[HW_CORE_MAX_LINKS]; /* of the answer's links */
};

const char *hw_discover_reason_text(enum hw_discover_reason reason)
{
	static const char *const texts[] = {
		[HW_DISCOVER_USABLE] = "usable",
		[HW_DISCOVER_ABSENT] = "its interface is not there",
		[HW_DISCOVER_DOWN] = "its interface was taken down",
		[HW_DISCOVER_NO_CARRIER] = "its interface has no carrier",
		[HW_DISCOVER_NO_ADDRESS] = "its interface has no address to reach the peer from",
		[HW_DISCOVER_NO_ROUTE] = "its interface has no route to the peer",
		[HW_DISCOVER_LOST_ADDRESS] = "its address is not there",
		[HW_DISCOVER_TUNNEL] = "its interface is a tunnel of Hawser's, which cannot carry one",
		[HW_DISCOVER_TAKEN] = "its interface belongs to a link before it in the file",
	};

	return texts[reason];
}

/* Kinds of devices by which other programs, or the kernel, carry packets inside of packets. */
static bool is_foreign_tunnel(const struct hw_interface *interface)
{
	static const char *const kinds[] = {
		"tun", "wireguard", "ovpn", "ipip", "sit", "gre", "gretap", "erspan", "ip6tnl", "ip6gre",
		"ip6gretap", "ip6erspan", "vti", "vti6", "xfrm", "vxlan", "geneve", "gtp", "amt",
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(interface->kind, kinds[i]) == 0)
			return true;
	}
	return false;
}

static bool is_tunnel(const struct work *work, const struct hw_interface *interface)
{
	return interface->tunnel || strcmp(interface->name, work->question->tunnel) == 0;
}

static bool is_excluded(const struct hw_config *config, const struct hw_interface *interface)
{
	for (uint32_t i = 0; i < config->exclude_count; i++) {
		if (hw_value_matches(config->exclude[i], interface->name))
			return true;
	}
	return false;
}

/* Whether a rule with a pattern means this interface. */
static bool is_meant(const struct work *work, const struct hw_config_link *rule,
		     const struct hw_interface *interface)
{
	if (is_tunnel(work, interface) || interface->loopback || interface->master != 0 ||
	    is_excluded(work->question->config, interface))
		return false;
	if (rule->every)
		return !is_foreign_tunnel(interface);
	return hw_value_matches(rule->interface, interface->name);
}

static bool reaches(const struct hw_picture *picture, uint32_t index, const struct hw_addr *remote,
		    bool routed)
{
	return hw_picture_has_source(picture, index, remote) &&
	       (!routed || hw_picture_has_route(picture, index, remote));
}

/* Before any address of the peer is known: whether there is a way out at all. */
static bool leads_out(const struct hw_picture *picture, uint32_t index, bool routed)
{
	static const uint8_t families[] = {HW_FAMILY_IPV4, HW_FAMILY_IPV6};

	for (size_t i = 0; i < 2; i++) {
		if (hw_picture_has_global(picture, index, families[i]) &&
		    (!routed || hw_picture_has_default(picture, index, families[i])))
			return true;
	}
	return false;
}

static enum hw_discover_reason judge_reach(const struct work *work, uint32_t number, uint32_t index,
					   bool routed)
{
	const struct hw_discover_question *q = work->question;

	for (size_t i = 0; i < q->endpoint_counts[number]; i++) {
		if (reaches(q->picture, index, &q->endpoints[number][i], routed))
			return HW_DISCOVER_USABLE;
	}
	if (q->endpoint_counts[number] == 0) {
		/* Who only listens can be called at any address, even a link-local one. */
		if (q->expects_endpoints[number] ? leads_out(q->picture, index, routed)
						 : hw_picture_has_any(q->picture, index))
			return HW_DISCOVER_USABLE;
	}
	return HW_DISCOVER_NO_ADDRESS;
}

static enum hw_discover_reason judge(const struct work *work, uint32_t number,
				     const struct hw_interface *interface)
{
	const struct hw_config_link *rule = &work->question->config->links[number];
	enum hw_discover_reason reason;

	if (is_tunnel(work, interface))
		return HW_DISCOVER_TUNNEL;
	if (!interface->up)
		return HW_DISCOVER_DOWN;
	if (!interface->running)
		return HW_DISCOVER_NO_CARRIER;
	if (rule->address.family != HW_FAMILY_NONE &&
	    !hw_picture_has_address(work->question->picture, interface->index, &rule->address))
		return HW_DISCOVER_LOST_ADDRESS;
	reason = judge_reach(work, number, interface->index, rule->every);
	/* Which of the two it lacks is worth knowing. */
	if (reason != HW_DISCOVER_USABLE && rule->every &&
	    judge_reach(work, number, interface->index, false) == HW_DISCOVER_USABLE)
		return HW_DISCOVER_NO_ROUTE;
	return reason;
}

static bool is_held(const struct work *work, uint32_t rule, uint32_t index)
{
	for (size_t i = 0; i < work->question->held_count; i++) {
		if (work->question->held[i].rule == rule && work->question->held[i].index == index)
			return true;
	}
	return false;
}

static void add_name(char (*list)[IFNAMSIZ], uint32_t *count, const char *name)
{
	if (*count < HW_DISCOVER_NAMES_MAX)
		memcpy(list[*count], name, IFNAMSIZ);
	++*count;
}

/* The last link of the lowest rank below that one, or NULL. */
static struct hw_discover_link *weaker(struct work *work, enum rank rank)
{
	uint32_t found = HW_CORE_MAX_LINKS;

	for (uint32_t i = 0; i < work->answer->link_count; i++) {
		if (work->ranks[i] > rank &&
		    (found == HW_CORE_MAX_LINKS || work->ranks[i] >= work->ranks[found]))
			found = i;
	}
	return found == HW_CORE_MAX_LINKS ? NULL : &work->answer->links[found];
}

static void add_link(struct work *work, const struct hw_discover_link *link, enum rank rank)
{
	struct hw_discover_answer *answer = work->answer;
	const struct hw_discover_link *out;
	struct hw_discover_link *place;

	if (answer->link_count < HW_CORE_MAX_LINKS) {
		work->ranks[answer->link_count] = rank;
		answer->links[answer->link_count++] = *link;
		return;
	}
	place = weaker(work, rank);
	out = place ? place : link;
	if (out->reason == HW_DISCOVER_USABLE)
		add_name(answer->crowded_out, &answer->crowded_out_count, out->interface);
	if (place) {
		work->ranks[place - answer->links] = rank;
		*place = *link;
	}
}

static void note_overlap(struct work *work, const char *interface, uint32_t first, uint32_t other)
{
	struct hw_discover_answer *answer = work->answer;
	struct hw_discover_overlap *overlap = &answer->overlaps[answer->overlap_count];

	if (answer->overlap_count == HW_DISCOVER_NAMES_MAX)
		return;
	*overlap = (struct hw_discover_overlap){.first = first, .other = other};
	memcpy(overlap->interface, interface, IFNAMSIZ);
	answer->overlap_count++;
}

/* Whether two rules, of which neither or one has a pattern, would make the same link of it. */
static bool collide(const struct hw_config_link *earlier, const struct hw_config_link *later,
		    const struct hw_interface *interface)
{
	if (earlier->address.family == HW_FAMILY_NONE && earlier->interface[0] == '\0')
		return false; /* bound to none */
	if (earlier->interface[0] != '\0' && !hw_value_matches(earlier->interface, interface->name))
		return false;
	if (hw_config_link_is_pattern(later))
		return earlier->interface[0] != '\0';
	return hw_addr_equal(&earlier->address, &later->address);
}

/* The rule before this one that has the interface; `number` itself when none has. */
static uint32_t owner_of(struct work *work, uint32_t number, const struct hw_interface *interface)
{
	const struct hw_config *config = work->question->config;

	for (uint32_t i = 0; i < number; i++) {
		const struct hw_config_link *earlier = &config->links[i];

		if (hw_config_link_is_pattern(earlier) && !is_meant(work, earlier, interface))
			continue;
		if (!collide(earlier, &config->links[number], interface))
			continue;
		/* What is never used was meant to keep others off: no need for words. */
		if (earlier->use != HW_USE_NEVER)
			note_overlap(work, interface->name, i, number);
		return i;
	}
	return number;
}

static void set_interface(struct hw_discover_link *link, const struct hw_interface *interface)
{
	memcpy(link->interface, interface->name, sizeof(link->interface));
	link->index = interface->index;
	link->mtu_bytes = interface->mtu_bytes;
}

/* A link whose interface the rule names. */
static void discover_named(struct work *work, uint32_t number)
{
	const struct hw_config_link *rule = &work->question->config->links[number];
	const struct hw_interface *interface =
		hw_picture_named(work->question->picture, rule->interface);
	struct hw_discover_link link = {.rule = number, .reason = HW_DISCOVER_ABSENT};

	memcpy(link.name, rule->name, sizeof(link.name));
	memcpy(link.interface, rule->interface, sizeof(link.interface));
	if (interface) {
		set_interface(&link, interface);
		link.reason = owner_of(work, number, interface) != number ? HW_DISCOVER_TAKEN
									  : judge(work, number, interface);
	}
	add_link(work, &link, RANK_NAMED);
}

/* A link by its address: where it was, while the address is there, else on the first that has it. */
static void discover_addressed(struct work *work, uint32_t number)
{
	const struct hw_picture *picture = work->question->picture;
	const struct hw_config_link *rule = &work->question->config->links[number];
	struct hw_discover_link link = {.rule = number, .reason = HW_DISCOVER_LOST_ADDRESS};
	const struct hw_interface *best = NULL;

	for (size_t i = 0; i < picture->interface_count; i++) {
		const struct hw_interface *interface = &picture->interfaces[i];
		bool usable, held;

		if (!hw_picture_has_address(picture, interface->index, &rule->address))
			continue;
		usable = judge(work, number, interface) == HW_DISCOVER_USABLE;
		held = is_held(work, number, interface->index);
		if (!best || (usable && (held || link.reason != HW_DISCOVER_USABLE))) {
			best = interface;
			link.reason = judge(work, number, interface);
		}
	}
	memcpy(link.name, rule->name, sizeof(link.name));
	if (best)
		set_interface(&link, best);
	add_link(work, &link, RANK_NAMED);
}

/* Interface names may hold anything; what the link is called goes into logs, JSON and commands. */
static void name_after(struct hw_discover_link *link, const struct hw_config_link *rule,
		       const struct hw_interface *interface)
{
	char *name = link->name;

	/* A rule's name, at most 63 bytes, is cut where both do not fit. */
	(void)snprintf(name, sizeof(link->name), "%.*s%s%s",
		       (int)(sizeof(link->name) - IFNAMSIZ - 2), rule->every ? "" : rule->name,
		       rule->every ? "" : "/", interface->name);
	for (; *name != '\0'; name++) {
		if (*name <= ' ' || *name > '~' || *name == '"' || *name == '\\')
			*name = '?';
	}
}

static void discover_patterned(struct work *work, uint32_t number)
{
	const struct hw_picture *picture = work->question->picture;
	const struct hw_config_link *rule = &work->question->config->links[number];

	for (size_t i = 0; i < picture->interface_count; i++) {
		const struct hw_interface *interface = &picture->interfaces[i];
		struct hw_discover_link link = {.rule = number, .patterned = true};
		bool held = is_held(work, number, interface->index);

		if (!is_meant(work, rule, interface) ||
		    owner_of(work, number, interface) != number)
			continue;
		link.reason = judge(work, number, interface);
		if (link.reason != HW_DISCOVER_USABLE && !held)
			continue;
		set_interface(&link, interface);
		name_after(&link, rule, interface);
		add_link(work, &link, link.reason != HW_DISCOVER_USABLE ? RANK_IDLE
				      : held ? RANK_THERE : RANK_NEW);
	}
}

static void discover_unbound(struct work *work, uint32_t number)
{
	struct hw_discover_link link = {.rule = number, .reason = HW_DISCOVER_USABLE};

	memcpy(link.name, work->question->config->links[number].name, sizeof(link.name));
	add_link(work, &link, RANK_NAMED);
}

void hw_discover(const struct hw_discover_question *question, struct hw_discover_answer *ret_answer)
{
	struct work work = {.question = question, .answer = ret_answer};

	memset(ret_answer, 0, sizeof(*ret_answer));
	for (uint32_t i = 0; i < question->config->link_count; i++) {
		const struct hw_config_link *rule = &question->config->links[i];

		if (!hw_config_link_is_pattern(rule)) {
			if (rule->interface[0] != '\0')
				discover_named(&work, i);
			else if (rule->address.family != HW_FAMILY_NONE)
				discover_addressed(&work, i);
			else
				discover_unbound(&work, i);
		} else if (rule->use != HW_USE_NEVER) {
			discover_patterned(&work, i);
		}
	}
}
