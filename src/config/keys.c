/* The keys of the configuration file: one table for each mapping. docs/configuration.md follows
 * them. */
#include <stddef.h>
#include <string.h>

#include "config/place.h"
#include "config/report.h"
#include "config/schema.h"
#include "config/value.h"
#include "crypto/identity.h"
#include "session/replay.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MTU_MIN 576u /* what every IPv4 host must take (RFC 791) */
#define TUNNEL_MTU_MAX 9000u
#define LINK_MTU_MAX 65535u
#define PRICE_MAX 1000000u

static const char *const tunnel_types[] = { "tun", "tap", NULL };
static const char *const compressions[] = { "off", "lz4", NULL };
static const char *const roles[] = { "client", "hub", NULL };
static const char *const uses[] = { "always", "backup", "never", NULL };
static const char *const levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const modes[] = { "redundant", "backup", NULL };
static const char *const later_modes[] = { "coded", "aggregate", "auto", NULL };
static const char *const suites[] = { "chacha20-poly1305", "aes-256-gcm", NULL };

static void read_section(struct hw_schema_reader *r, const struct hw_schema_key *key,
			 const struct hw_schema *schema, const struct hw_yaml_node *value,
			 void *target)
{
	if (value->type != HW_YAML_MAP)
		hw_schema_wrong(r, key, value);
	else
		hw_schema_read_map(r, schema, value, target);
}

/* tunnel */

static void read_device(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	if (!hw_schema_is_text(r, key, value))
		return;
	if (hw_value_is_pattern(value->text))
		hw_schema_wrong(r, key, value);
	else
		hw_config_read_interfaces(r, key, value, target);
}

static void read_prefix(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, struct hw_config_prefix *ret_prefix)
{
	struct hw_addr addr;

	if (!hw_schema_is_text(r, key, value))
		return;
	if (hw_value_addr(value->text, &addr) == 0)
		hw_schema_error(r, value,
				"'%.64s' lacks the length of its network: write '%.64s/%d'",
				value->text, value->text, addr.family == HW_FAMILY_IPV4 ? 24 : 64);
	else if (hw_value_prefix(value->text, ret_prefix) != 0)
		hw_schema_error(r, value,
				"'%.64s' is not right: expected an address with the length of "
				"its network, such as 10.88.0.2/24",
				value->text);
}

static void read_addresses(struct hw_schema_reader *r, const struct hw_schema_key *key,
			   const struct hw_yaml_node *value, void *target)
{
	struct hw_config_tunnel *tunnel = target;

	if (!hw_schema_is_list(r, key, value))
		return;
	for (const struct hw_yaml_node *item = value->first; item != NULL; item = item->next) {
		if (tunnel->address_count == HW_CONFIG_MAX_ADDRESSES) {
			hw_schema_error(r, item, "more than %u addresses", HW_CONFIG_MAX_ADDRESSES);
			return;
		}
		read_prefix(r, key, item, &tunnel->addresses[tunnel->address_count++]);
	}
}

static void read_tunnel_mtu(struct hw_schema_reader *r, const struct hw_schema_key *key,
			    const struct hw_yaml_node *value, void *target)
{
	struct hw_config_tunnel *tunnel = target;

	tunnel->mtu_auto = value->type == HW_YAML_SCALAR && strcmp(value->text, "auto") == 0;
	if (!tunnel->mtu_auto)
		hw_schema_u32(r, key, value, &tunnel->mtu);
}

#define AT(field) offsetof(struct hw_config_tunnel, field)
static const struct hw_schema_key tunnel_keys[] = {
	{ "device", read_device, AT(device),
	  "a device name of 1 to 15 characters, such as hw0" },
	{ "type", hw_schema_flag, AT(layer2), "tap or tun", .words = tunnel_types },
	{ "address", read_addresses, 0, "a list of addresses, such as [10.88.0.2/24]" },
	{ "mtu", read_tunnel_mtu, 0, "auto, or a whole number of bytes from 576 to 9000, such as 1500",
	  .min = MTU_MIN, .max = TUNNEL_MTU_MAX },
	{ "mss-clamp", hw_schema_bool, AT(mss_clamp), "on or off" },
	{ "copy-dscp", hw_schema_bool, AT(copy_dscp), "on or off" },
	{ "compression", hw_schema_flag, AT(compression), "off or lz4", .words = compressions },
};
#undef AT
static const struct hw_schema tunnel_schema = { tunnel_keys, COUNT(tunnel_keys) };

static void read_tunnel(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	read_section(r, key, &tunnel_schema, value, target);
}

/* identity */

/* One file for two fields: which key named it says what it holds. */
static void read_identity_file(struct hw_schema_reader *r, const struct hw_schema_key *key,
			       const struct hw_yaml_node *value, void *target)
{
	struct hw_config_identity *identity = target;

	if (identity->mark.line != 0) {
		hw_schema_error(r, value->key, "either secret-file or private-key-file, not both");
		return;
	}
	identity->shared_secret = strcmp(key->name, "secret-file") == 0;
	identity->mark.line = value->line;
	identity->mark.column = value->column;
	hw_schema_path(r, key, value, identity->file);
}

static void read_role(struct hw_schema_reader *r, const struct hw_schema_key *key,
		      const struct hw_yaml_node *value, void *target)
{
	struct hw_config_identity *identity = target;

	identity->role_given = true;
	hw_schema_word(r, key, value, &identity->role);
}

static const struct hw_schema_key identity_keys[] = {
	{ "secret-file", read_identity_file, 0, "the name of a file made by 'hawser gensecret'" },
	{ "private-key-file", read_identity_file, 0, "the name of a file made by 'hawser genkey'" },
	{ "role", read_role, 0, "client or hub", .words = roles },
};
static const struct hw_schema identity_schema = { identity_keys, COUNT(identity_keys) };

static void read_identity(struct hw_schema_reader *r, const struct hw_schema_key *key,
			  const struct hw_yaml_node *value, void *target)
{
	struct hw_config_identity *identity = target;
	uint32_t before = r->report->error_count;

	read_section(r, key, &identity_schema, value, target);
	if (identity->mark.line == 0 && r->report->error_count == before)
		hw_schema_error(r, value, "'secret-file' or 'private-key-file' is missing");
}

/* listen */

static void read_listen(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	struct hw_config_listen *listen = target;
	struct hw_config_endpoint endpoint;
	uint16_t port;

	if (!hw_schema_is_text(r, key, value))
		return;
	listen->given = true;
	if (hw_value_port(value->text, &port) == 0) {
		listen->addr.port = port;
	} else if (hw_value_endpoint(value->text, &endpoint) == 0 &&
		   endpoint.addr.family != HW_FAMILY_NONE) {
		listen->addr = endpoint.addr;
	} else {
		hw_schema_wrong(r, key, value);
	}
}

/* peers and links */

static void read_endpoint(struct hw_schema_reader *r, const struct hw_schema_key *key,
			  const struct hw_yaml_node *item, struct hw_config_endpoint *ret_endpoint)
{
	if (item->type != HW_YAML_SCALAR) {
		hw_schema_error(r, item,
				"an endpoint is host:port; write IPv6 in quotes, "
				"\"[2001:db8::1]:8420\"");
		return;
	}
	if (!hw_schema_is_text(r, key, item))
		return;
	switch (hw_value_endpoint(item->text, ret_endpoint)) {
	case 0:
		return;
	case HW_E_NOT_FOUND:
		hw_schema_error(r, item, "'%.64s' lacks its port: write '%.64s:8420'", item->text,
				item->text);
		return;
	case HW_E_LIMIT:
		hw_schema_error(r, item, "'%.64s' has a bad port: expected 1 to 65535", item->text);
		return;
	case HW_E_INVAL:
		hw_schema_error(r, item,
				"'%.64s' is not right: write IPv6 in brackets, "
				"\"[2001:db8::1]:8420\"",
				item->text);
		return;
	default:
		hw_schema_error(r, item,
				"'%.64s' is not right: expected host:port, such as "
				"vpn.example.net:8420",
				item->text);
	}
}

/* Fills list[0..HW_CORE_MAX_ENDPOINTS) and returns how many. */
static uint32_t read_endpoints(struct hw_schema_reader *r, const struct hw_schema_key *key,
			       const struct hw_yaml_node *value, struct hw_config_endpoint *list)
{
	uint32_t count = 0;

	if (!hw_schema_is_list(r, key, value))
		return 0;
	if (value->first == NULL)
		hw_schema_error(r, value, "the list is empty: expected %s", key->right);
	for (const struct hw_yaml_node *item = value->first; item != NULL; item = item->next) {
		if (count == HW_CORE_MAX_ENDPOINTS) {
			hw_schema_error(r, item, "more than %u endpoints", HW_CORE_MAX_ENDPOINTS);
			return count;
		}
		read_endpoint(r, key, item, &list[count]);
		for (uint32_t i = 0; i < count; i++)
			if (list[i].port != 0 && list[i].port == list[count].port &&
			    strcmp(list[i].host, list[count].host) == 0)
				hw_schema_error(r, item, "'%.64s' is here twice", item->text);
		count++;
	}
	return count;
}

static void read_peer_endpoints(struct hw_schema_reader *r, const struct hw_schema_key *key,
				const struct hw_yaml_node *value, void *target)
{
	struct hw_config_peer *peer = target;

	peer->endpoint_count = read_endpoints(r, key, value, peer->endpoints);
}

static void read_link_endpoints(struct hw_schema_reader *r, const struct hw_schema_key *key,
				const struct hw_yaml_node *value, void *target)
{
	struct hw_config_link *link = target;

	link->endpoint_count = read_endpoints(r, key, value, link->endpoints);
}

static void read_public_key(struct hw_schema_reader *r, const struct hw_schema_key *key,
			    const struct hw_yaml_node *value, void *target)
{
	struct hw_config_peer *peer = target;

	if (!hw_schema_is_text(r, key, value))
		return;
	peer->key_mark.line = value->line;
	peer->key_mark.column = value->column;
	if (hw_key_from_text(value->text, strlen(value->text), peer->public_key) != 0)
		hw_schema_wrong(r, key, value);
}

static void read_psk_file(struct hw_schema_reader *r, const struct hw_schema_key *key,
			  const struct hw_yaml_node *value, void *target)
{
	struct hw_config_peer *peer = target;

	peer->psk_mark.line = value->line;
	peer->psk_mark.column = value->column;
	hw_schema_path(r, key, value, peer->preshared_key_file);
}

static const struct hw_schema_key peer_keys[] = {
	{ "name", hw_schema_name, offsetof(struct hw_config_peer, name),
	  "1 to 63 letters, digits, '-', '_' or '.', such as hub", .required = true },
	{ "public-key", read_public_key, 0, "44 characters, as 'hawser pubkey' prints them" },
	{ "preshared-key-file", read_psk_file, 0, "the name of a file made by 'hawser gensecret'" },
	{ "endpoint", read_peer_endpoints, 0,
	  "a list of host:port, such as [vpn.example.net:8420]" },
};
static const struct hw_schema peer_schema = { peer_keys, COUNT(peer_keys) };

static void read_peers(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, void *target)
{
	struct hw_config *config = target;

	if (!hw_schema_is_list(r, key, value))
		return;
	if (value->first == NULL)
		hw_schema_error(r, value, "the list is empty: expected %s", key->right);
	for (const struct hw_yaml_node *item = value->first; item != NULL; item = item->next) {
		size_t mark = hw_schema_enter(r, "[%u]", config->peer_count);

		if (config->peer_count == HW_CONFIG_PEERS_NOW) {
			hw_schema_error(r, item,
					"this version does not support more than one peer yet");
			hw_schema_leave(r, mark);
			return;
		}
		hw_config_note_place(config, r->place, item->line, item->column);
		config->peers[config->peer_count].mark.line = item->line;
		config->peers[config->peer_count].mark.column = item->column;
		read_section(r, key, &peer_schema, item, &config->peers[config->peer_count++]);
		hw_schema_leave(r, mark);
	}
}

static void read_source(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	if (hw_schema_is_text(r, key, value) && hw_value_addr(value->text, target) != 0)
		hw_schema_wrong(r, key, value);
}

#define AT(field) offsetof(struct hw_config_link, field)
static const struct hw_schema_key link_keys[] = {
	{ "name", hw_schema_name, AT(name), "1 to 63 letters, digits, '-', '_' or '.', such as dsl",
	  .required = true },
	{ "interface", hw_config_read_interfaces, AT(interface),
	  "the name of an interface, such as eth0, or a pattern, such as \"wwan*\"" },
	{ "address", read_source, AT(address), "an address of this host, such as 192.0.2.1" },
	{ "endpoint", read_link_endpoints, 0, "a list of host:port, such as [192.0.2.9:8420]" },
	{ "mtu", hw_schema_u32, AT(mtu), "a whole number of bytes from 576 to 65535, such as 1420",
	  .min = MTU_MIN, .max = LINK_MTU_MAX },
	{ "price", hw_schema_u32, AT(price), "a whole number from 0 to 1000000, such as 2",
	  .max = PRICE_MAX },
	{ "use", hw_schema_word, AT(use), "always, backup or never", .words = uses },
	{ "quota", hw_config_read_quota, AT(quota),
	  "an amount per day or month, such as 50GB/month, or {bytes: 50GB, per: month, day: 15}" },
	{ "metered", hw_config_read_metered, AT(metered), "on or off" },
};
#undef AT
static const struct hw_schema link_schema = { link_keys, COUNT(link_keys) };

static void check_link_is_new(struct hw_schema_reader *r, const struct hw_yaml_node *item,
			      const struct hw_config *config)
{
	const struct hw_config_link *link = &config->links[config->link_count - 1];

	for (uint32_t i = 0; i + 1 < config->link_count; i++) {
		const struct hw_config_link *other = &config->links[i];

		if (link->name[0] != '\0' && strcmp(link->name, other->name) == 0)
			hw_schema_error(r, item, "two links have the name '%s': names must differ",
					link->name);
		else if (strcmp(link->interface, other->interface) == 0 &&
			 hw_addr_equal(&link->address, &other->address))
			hw_schema_error(
				r, item,
				"link '%s' leaves by the same interface and address as '%s': "
				"name its interface or address",
				link->name, other->name);
	}
}

static void read_links(struct hw_schema_reader *r, const struct hw_schema_key *key,
		       const struct hw_yaml_node *value, void *target)
{
	struct hw_config *config = target;

	if (!hw_schema_is_list(r, key, value))
		return;
	if (value->first == NULL)
		hw_schema_error(r, value, "the list is empty: expected %s", key->right);
	config->links_given = true;
	for (const struct hw_yaml_node *item = value->first; item != NULL; item = item->next) {
		size_t mark = hw_schema_enter(r, "[%u]", config->link_count);
		uint32_t before = r->report->error_count;

		if (config->link_count == HW_CORE_MAX_LINKS) {
			hw_schema_error(r, item, "more than %u links", HW_CORE_MAX_LINKS);
			hw_schema_leave(r, mark);
			return;
		}
		config->links[config->link_count].price = 1;
		hw_config_note_place(config, r->place, item->line, item->column);
		config->links[config->link_count].mark.line = item->line;
		config->links[config->link_count].mark.column = item->column;
		read_section(r, key, &link_schema, item, &config->links[config->link_count++]);
		/* A link with a fault of its own is likely to differ once that is mended. */
		if (r->report->error_count == before)
			check_link_is_new(r, item, config);
		hw_schema_leave(r, mark);
	}
}

/* policy */

static const struct hw_schema_key policy_keys[] = {
	{ "mode", hw_schema_word_text, offsetof(struct hw_config, mode), "redundant or backup",
	  .words = modes, .later = later_modes },
	{ "goal" },
	{ "classes" },
};
static const struct hw_schema policy_schema = { policy_keys, COUNT(policy_keys) };

static void read_policy(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	read_section(r, key, &policy_schema, value, target);
}

/* session */

static void read_replay_packets(struct hw_schema_reader *r, const struct hw_schema_key *key,
				const struct hw_yaml_node *value, void *target)
{
	uint32_t packets = 0;

	hw_schema_u32(r, key, value, &packets);
	if ((packets & (packets - 1)) != 0)
		hw_schema_wrong(r, key, value);
	else if (packets != 0)
		memcpy(target, &packets, sizeof(packets));
}

#define AT(field) offsetof(struct hw_config_session, field)
static const struct hw_schema_key replay_keys[] = {
	{ "packets", read_replay_packets, AT(replay_packets),
	  "a power of two from 64 to 524288, such as 65536", .min = HW_REPLAY_PACKETS_MIN,
	  .max = HW_REPLAY_PACKETS_MAX },
	{ "seconds", hw_schema_seconds, AT(replay_time),
	  "a whole number from 1 to 3600, such as 10", .min = 1, .max = 3600 },
};
static const struct hw_schema replay_schema = { replay_keys, COUNT(replay_keys) };

static void read_replay(struct hw_schema_reader *r, const struct hw_schema_key *key,
			const struct hw_yaml_node *value, void *target)
{
	read_section(r, key, &replay_schema, value, target);
}

static const struct hw_schema_key session_keys[] = {
	{ "replay-window", read_replay, 0, "a mapping, such as {packets: 65536, seconds: 10}" },
	{ "rekey-after", hw_schema_duration, AT(rekey_after),
	  "a time from 1s to 1h with its unit, such as 120s", .min = HW_S(1), .max = HW_S(3600) },
	{ "reject-after", hw_schema_duration, AT(reject_after),
	  "a time from 2s to 2h with its unit, such as 180s", .min = HW_S(2), .max = HW_S(7200) },
	{ "rekey-packets", hw_schema_u64, AT(rekey_packets),
	  "a whole number from 1000 to 281474976710656", .min = 1000, .max = UINT64_C(1) << 48 },
};
#undef AT
static const struct hw_schema session_schema = { session_keys, COUNT(session_keys) };

static void read_session(struct hw_schema_reader *r, const struct hw_schema_key *key,
			 const struct hw_yaml_node *value, void *target)
{
	struct hw_config_session *session = target;
	uint32_t before = r->report->error_count;

	read_section(r, key, &session_schema, value, target);
	if (r->report->error_count == before && session->reject_after <= session->rekey_after)
		hw_schema_error(r, value, "reject-after must be later than rekey-after");
}

/* the file */

#define AT(field) offsetof(struct hw_config, field)
static const struct hw_schema_key file_keys[] = {
	{ "tunnel", read_tunnel, AT(tunnel), "a mapping, such as tunnel: {device: hw0}" },
	{ "identity", read_identity, AT(identity),
	  "a mapping, such as identity: {secret-file: van.secret}", .required = true },
	{ "listen", read_listen, AT(listen), "a port, or address:port, such as 8420" },
	{ "peers", read_peers, 0,
	  "a list of peers, such as - {name: hub, endpoint: [192.0.2.9:8420]}" },
	{ "links", read_links, 0, "a list of links, such as - {name: dsl, interface: eth0}" },
	{ "links-exclude", hw_config_read_exclude, 0,
	  "a list of interfaces or patterns, such as [docker0, \"veth*\"]" },
	{ "policy", read_policy, 0, "a mapping, such as policy: {mode: redundant}" },
	{ "path" },
	{ "suite", hw_schema_word_text, AT(suite), "chacha20-poly1305 or aes-256-gcm",
	  .words = suites },
	{ "session", read_session, AT(session), "a mapping, such as session: {rekey-after: 120s}" },
	{ "log-level", hw_schema_word, AT(log_level), "error, warning, info or debug",
	  .words = levels },
};
#undef AT
const struct hw_schema hw_config_schema = { file_keys, COUNT(file_keys) };
