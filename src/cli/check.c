#include <stdio.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "config/config.h"
#include "config/value.h"
#include "crypto/identity.h"

static void print_tunnel(const struct hw_config_tunnel *tunnel)
{
	char text[HW_ADDR_TEXT_BYTES];

	printf("device     %s, %s, MTU %s%u\n", tunnel->device,
	       tunnel->layer2 ? "tap (Ethernet)" : "tun (IP)",
	       tunnel->mtu_auto ? "as the links, at most " : "", tunnel->mtu);
	for (uint32_t i = 0; i < tunnel->address_count; i++) {
		hw_addr_format(&tunnel->addresses[i].addr, text);
		printf("%-10s %s/%u\n", i == 0 ? "address" : "", text, tunnel->addresses[i].bits);
	}
	if (tunnel->address_count == 0)
		puts("address    none: the device is only brought up");
	printf("           MSS clamp %s, DSCP copied %s, compression %s\n",
	       tunnel->mss_clamp ? "on" : "off", tunnel->copy_dscp ? "on" : "off",
	       tunnel->compression ? "lz4" : "off");
}

static void print_identity(const struct hw_config *config)
{
	const struct hw_config_identity *identity = &config->identity;
	const char *why = identity->role_given               ? ""
			  : identity->role == HW_ROLE_CLIENT ? " (an endpoint is configured)"
							     : " (no endpoint is configured)";
	char text[HW_KEY_TEXT_BYTES];
	uint8_t public_key[HW_KEY_BYTES];

	printf("role       %s%s\n", identity->role == HW_ROLE_CLIENT ? "client" : "hub", why);
	printf("identity   %s %s\n", identity->shared_secret ? "shared secret" : "private key",
	       identity->file);
	if (!identity->shared_secret && hw_identity_public(identity->bytes, public_key) == 0) {
		hw_key_to_text(public_key, text);
		printf("           public key %s\n", text);
	}
}

static void print_listen(const struct hw_config_listen *listen)
{
	char text[HW_ADDR_TEXT_BYTES];

	if (!listen->given) {
		puts("listen     any free port");
	} else if (listen->addr.family == HW_FAMILY_NONE) {
		printf("listen     port %u, every address\n", listen->addr.port);
	} else {
		hw_addr_format(&listen->addr, text);
		printf("listen     %s\n", text);
	}
}

static void print_endpoints(const char *label, const struct hw_config_endpoint *list,
			    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		bool ipv6 = list[i].addr.family == HW_FAMILY_IPV6;

		printf("%-10s %s%s%s%s:%u\n", i == 0 ? label : "", i == 0 ? "  at " : "     ",
		       ipv6 ? "[" : "", list[i].host, ipv6 ? "]" : "", list[i].port);
	}
}

static void print_peers(const struct hw_config *config)
{
	char text[HW_KEY_TEXT_BYTES];

	for (uint32_t i = 0; i < config->peer_count; i++) {
		const struct hw_config_peer *peer = &config->peers[i];

		printf("peer       %s%s\n", peer->name,
		       peer->preshared_key_file[0] != '\0' ? ", with a preshared key" : "");
		if (!config->identity.shared_secret) {
			hw_key_to_text(peer->public_key, text);
			printf("             public key %s\n", text);
		}
		print_endpoints("", peer->endpoints, peer->endpoint_count);
	}
}

/* The rest of a link's line. */
static void print_quota(const struct hw_config_link *link)
{
	const struct hw_config_quota *quota = &link->quota;
	char text[HW_VALUE_BYTES_TEXT];

	if (quota->bytes > 0)
		printf("\n             at most %s a %s", hw_value_bytes_text(quota->bytes, text),
		       quota->per == HW_PERIOD_DAY ? "day" : "month");
	if (quota->bytes > 0 && quota->per == HW_PERIOD_MONTH && quota->first_day != 1)
		printf(" from day %u on", quota->first_day);
	if (quota->bytes > 0)
		printf(", warned of at %u %%", quota->warn_percent);
	printf("%s\n", hw_config_link_metered(link) ? ", metered" : "");
}

static void print_links(const struct hw_config *config)
{
	static const char *const uses[] = { "", ", only as backup", ", never used" };
	char text[HW_ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < config->link_count; i++) {
		const struct hw_config_link *link = &config->links[i];

		hw_addr_format(&link->address, text);
		printf("link       ");
		if (link->every)
			printf("every interface that leads to the peer, each by its name");
		else
			printf("%s: ", link->name);
		if (link->interface[0] != '\0')
			printf("%s%s", hw_config_link_is_pattern(link) ? "each interface like " : "",
			       link->interface);
		else if (link->address.family != HW_FAMILY_NONE)
			printf("the interface that has %s", text);
		else if (!link->every)
			printf("whatever way the kernel routes");
		if (link->interface[0] != '\0' && link->address.family != HW_FAMILY_NONE)
			printf(" from %s", text);
		if (link->mtu != 0)
			printf(", MTU %u", link->mtu);
		printf(", price %u%s", link->price, uses[link->use]);
		print_quota(link);
		print_endpoints("", link->endpoints, link->endpoint_count);
	}
	for (uint32_t i = 0; i < config->exclude_count; i++)
		printf("%-10s %s\n", i == 0 ? "left out" : "", config->exclude[i]);
}

static void print_session(const struct hw_config *config)
{
	const struct hw_config_session *s = &config->session;

	printf("mode       %s\n", config->mode);
	printf("suite      %s\n", config->suite);
	printf("session    replay window %u packets, %.0f s; new keys after %.0f s\n",
	       s->replay_packets, (double)s->replay_time / 1e9, (double)s->rekey_after / 1e9);
}

int hw_cli_check(const struct hw_cli_call *call)
{
	struct hw_config *config = NULL;
	int rc = hw_cli_load(call->operands[0], &config);

	if (rc != HW_EXIT_OK)
		return rc;
	printf("%s is good\n\n", call->operands[0]);
	print_tunnel(&config->tunnel);
	print_identity(config);
	print_listen(&config->listen);
	print_peers(config);
	print_links(config);
	print_session(config);
	hw_config_free(config);
	return HW_EXIT_OK;
}
