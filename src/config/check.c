#include "config/check.h"

#include <string.h>

#include "config/report.h"
#include "config/value.h"


static bool has_endpoints(const struct hw_config *config)
{
	for (uint32_t i = 0; i < config->peer_count; i++)
		if (config->peers[i].endpoint_count > 0)
			return true;
	for (uint32_t i = 0; i < config->link_count; i++)
		if (config->links[i].endpoint_count > 0)
			return true;
	return false;
}

static void complete_role(struct hw_config *config, struct hw_config_report *report)
{
	bool endpoints = has_endpoints(config);

	if (!config->identity.role_given)
		config->identity.role = endpoints ? HW_ROLE_CLIENT : HW_ROLE_HUB;
	else if (config->identity.role == HW_ROLE_CLIENT && !endpoints)
		hw_config_error(report, 0, 0,
				"a client needs an endpoint of its peer: add "
				"'endpoint: [host:port]' to the peer or to a link");
	if (!endpoints && !config->listen.given && config->identity.role == HW_ROLE_HUB)
		hw_config_error(report, 0, 0,
				"nobody could begin: add 'listen: 8420' to wait for the "
				"peer here, or 'endpoint: [host:port]' to the peer to "
				"call it");
}

static void check_shared_peer(const struct hw_config_peer *peer, uint32_t i,
			      struct hw_config_report *report)
{
	if (peer->key_mark.line != 0)
		hw_config_error(
			report, peer->key_mark.line, peer->key_mark.column,
			"peers[%u].public-key: not with identity.secret-file: the secret gives "
			"the keys of both hosts",
			i);
	if (peer->psk_mark.line != 0)
		hw_config_error(
			report, peer->psk_mark.line, peer->psk_mark.column,
			"peers[%u].preshared-key-file: not with identity.secret-file: the secret "
			"gives that key too",
			i);
}

static void complete_peers(struct hw_config *config, struct hw_config_report *report)
{
	if (config->peer_count == 0 && config->identity.shared_secret) {
		hw_config_copy(config->peers[0].name, HW_CORE_NAME_BYTES, "peer");
		config->peer_count = 1;
	} else if (config->peer_count == 0) {
		hw_config_error(report, 0, 0,
				"'peers' is missing: with identity.private-key-file the "
				"peer's public-key must be known");
	}
	for (uint32_t i = 0; i < config->peer_count; i++) {
		const struct hw_config_peer *peer = &config->peers[i];

		if (config->identity.shared_secret)
			check_shared_peer(peer, i, report);
		else if (peer->key_mark.line == 0)
			hw_config_error(
				report, peer->mark.line, peer->mark.column,
				"peers[%u]: 'public-key' is missing: expected 44 characters, as "
				"'hawser pubkey' prints them on the peer",
				i);
	}
}

/* Whether every endpoint is a literal address of the other family than the link's own address. */
static bool cannot_reach(const struct hw_config_link *link, const struct hw_config_endpoint *list,
			 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i].addr.family == HW_FAMILY_NONE ||
		    list[i].addr.family == link->address.family)
			return false;
	return count > 0 && link->address.family != HW_FAMILY_NONE;
}

static void check_link_endpoints(const struct hw_config *config, const struct hw_config_link *link,
				 uint32_t i, struct hw_config_report *report)
{
	bool own = link->endpoint_count > 0;
	const struct hw_config_endpoint *list = own ? link->endpoints : config->peers[0].endpoints;
	uint32_t count = own ? link->endpoint_count : config->peers[0].endpoint_count;

	if (count == 0 && link->use != HW_USE_NEVER && has_endpoints(config))
		hw_config_warning(
			report, link->mark.line, link->mark.column,
			"links[%u]: link '%s' has no endpoint and the peer none for all links: "
			"it will stay idle",
			i, link->name);
	if (cannot_reach(link, list, count))
		hw_config_error(
			report, link->mark.line, link->mark.column,
			"links[%u]: link '%s' has an IPv%u address but only IPv%u endpoints", i,
			link->name, link->address.family, list[0].addr.family);
}

/*
 * Who only listens is called wherever it is heard, by one socket that is bound to nothing; who calls
 * looks for ways out.
 */
static void complete_no_links(struct hw_config *config)
{
	config->links[0].every = has_endpoints(config);
	hw_config_copy(config->links[0].name, HW_CORE_NAME_BYTES,
		       config->links[0].every ? "every" : "any");
	config->links[0].price = 1;
	config->link_count = 1;
}

/* A link that names its interface, among those that are left out or taken by a pattern before. */
static void check_link_interface(const struct hw_config *config, uint32_t number,
				 struct hw_config_report *report)
{
	const struct hw_config_link *link = &config->links[number];

	if (link->interface[0] == '\0' || hw_value_is_pattern(link->interface))
		return;
	for (uint32_t i = 0; i < config->exclude_count; i++)
		if (hw_value_matches(config->exclude[i], link->interface))
			hw_config_error(report, link->mark.line, link->mark.column,
					"links[%u]: link '%s' is on %s, which links-exclude leaves "
					"out ('%s')", number, link->name, link->interface,
					config->exclude[i]);
	for (uint32_t i = 0; i < number; i++)
		if (hw_value_is_pattern(config->links[i].interface) &&
		    config->links[i].address.family == HW_FAMILY_NONE &&
		    hw_value_matches(config->links[i].interface, link->interface)) {
			hw_config_warning(report, link->mark.line, link->mark.column,
					  "links[%u]: link '%s' will stay idle: '%s' before it takes "
					  "%s; put the one with the pattern last", number, link->name,
					  config->links[i].name, link->interface);
			return;
		}
}

static void check_exclude(const struct hw_config *config, struct hw_config_report *report)
{
	for (uint32_t i = 0; i < config->link_count; i++)
		if (hw_config_link_is_pattern(&config->links[i]))
			return;
	if (config->exclude_count > 0)
		hw_config_warning(report, config->exclude_mark.line, config->exclude_mark.column,
				  "links-exclude: it leaves nothing out, since no link has a pattern "
				  "for its interface");
}

static void complete_links(struct hw_config *config, struct hw_config_report *report)
{
	uint32_t usable = 0;

	if (!config->links_given) {
		complete_no_links(config);
		check_exclude(config, report);
		return;
	}
	check_exclude(config, report);
	for (uint32_t i = 0; i < config->link_count; i++) {
		const struct hw_config_link *link = &config->links[i];

		/* A pattern may well stand for several. */
		if (link->use != HW_USE_NEVER)
			usable += hw_config_link_is_pattern(link) ? 2 : 1;
		check_link_endpoints(config, link, i, report);
		check_link_interface(config, i, report);
		if (strcmp(link->interface, config->tunnel.device) == 0)
			hw_config_error(
				report, link->mark.line, link->mark.column,
				"links[%u]: link '%s' would leave by the tunnel itself (%s)", i,
				link->name, link->interface);
	}
	if (usable == 0)
		hw_config_error(report, config->links[0].mark.line, config->links[0].mark.column,
				"links: every link has 'use: never': nothing could be sent");
	else if (usable == 1 && has_endpoints(config))
		hw_config_warning(report, config->links[0].mark.line, config->links[0].mark.column,
				  "links: only one link is used: nothing protects it from loss");
}

static bool same_network(const struct hw_config_prefix *prefix, const struct hw_addr *addr)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (addr->family != prefix->addr.family || memcmp(addr->ip, prefix->addr.ip, whole) != 0)
		return false;
	return rest == 0 || (addr->ip[whole] ^ prefix->addr.ip[whole]) >> (8 - rest) == 0;
}

static void check_not_inside(const struct hw_config_tunnel *tunnel,
			     const struct hw_config_endpoint *list, uint32_t count,
			     struct hw_config_report *report)
{
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < tunnel->address_count; j++)
			if (same_network(&tunnel->addresses[j], &list[i].addr))
				hw_config_warning(
					report, 0, 0,
					"endpoint %s lies in the tunnel's own network: it "
					"should be an address outside of the tunnel",
					list[i].host);
}

static void check_tunnel(const struct hw_config *config, struct hw_config_report *report)
{
	const struct hw_config_tunnel *tunnel = &config->tunnel;

	if (tunnel->address_count == 0 && !tunnel->layer2)
		hw_config_warning(report, 0, 0,
				  "tunnel.address is missing: a tun device needs one to "
				  "carry anything");
	for (uint32_t i = 0; i < tunnel->address_count; i++) {
		if (tunnel->addresses[i].addr.family == HW_FAMILY_IPV6 &&
		    tunnel->mtu < HW_CONFIG_IPV6_MTU_MIN)
			hw_config_error(report, 0, 0,
					"tunnel.mtu: IPv6 addresses need at least %u, not %u",
					HW_CONFIG_IPV6_MTU_MIN, tunnel->mtu);
		for (uint32_t j = 0; j < i; j++)
			if (hw_addr_equal(&tunnel->addresses[i].addr, &tunnel->addresses[j].addr))
				hw_config_error(
					report, 0, 0,
					"tunnel.address: entries %u and %u are the same address",
					j + 1, i + 1);
	}
	for (uint32_t i = 0; i < config->peer_count; i++)
		check_not_inside(tunnel, config->peers[i].endpoints,
				 config->peers[i].endpoint_count, report);
	for (uint32_t i = 0; i < config->link_count; i++)
		check_not_inside(tunnel, config->links[i].endpoints,
				 config->links[i].endpoint_count, report);
}

void hw_config_complete(struct hw_config *config, struct hw_config_report *report)
{
	complete_peers(config, report);
	complete_role(config, report);
	if (report->error_count == 0)
		complete_links(config, report);
	check_tunnel(config, report);
}
