#include "config/diff.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "config/report.h"

#define LIST_BYTES 120u /* of a list in words */

struct comparison {
	const struct hw_config *was, *next;
	struct hw_config_diff *diff;
};

/* `place` is where it stands in the new file, `format` what people read. */
HW_PRINTF(4, 5)
static void note(struct comparison *c, const char *place, unsigned part, const char *format, ...)
{
	struct hw_config_diff *diff = c->diff;
	struct hw_config_change *change;
	va_list args;

	if (part != 0) {
		diff->live++;
		diff->parts |= part;
	} else {
		diff->refused++;
	}
	if (diff->count == HW_CONFIG_MAX_CHANGES)
		return;
	change = &diff->changes[diff->count++];
	change->live = part != 0;
	change->mark = hw_config_place(c->next, place);
	va_start(args, format);
	(void)vsnprintf(change->text, sizeof(change->text), format, args);
	va_end(args);
	for (char *letter = change->text; *letter != '\0'; letter++)
		if (*letter < ' ' || *letter > '~')
			*letter = '?';
}

/* Values in words */

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static const char *use_text(enum hw_link_use use)
{
	return use == HW_USE_ALWAYS ? "always" : use == HW_USE_BACKUP ? "backup" : "never";
}

static const char *log_text(enum hw_config_log level)
{
	static const char *const texts[] = { "error", "warning", "info", "debug" };

	return texts[level];
}

static const char *or_none(const char *text)
{
	return text[0] != '\0' ? text : "none";
}

static void addr_text(const struct hw_addr *addr, char text[HW_ADDR_TEXT_BYTES])
{
	if (addr->family == HW_FAMILY_NONE)
		(void)snprintf(text, HW_ADDR_TEXT_BYTES, "none");
	else
		hw_addr_format(addr, text);
}

HW_PRINTF(2, 3)
static void append(char list[LIST_BYTES], const char *format, ...)
{
	size_t at = strlen(list);
	va_list args;

	if (at > 0 && at + 1 < LIST_BYTES)
		list[at++] = ' ';
	va_start(args, format);
	(void)vsnprintf(list + at, LIST_BYTES - at, format, args);
	va_end(args);
}

static void endpoints_text(const struct hw_config_endpoint *list, uint32_t count,
			   char text[LIST_BYTES])
{
	text[0] = '\0';
	for (uint32_t i = 0; i < count; i++)
		append(text, strchr(list[i].host, ':') != NULL ? "[%s]:%u" : "%s:%u", list[i].host,
		       list[i].port);
	if (count == 0)
		append(text, "none");
}

static void addresses_text(const struct hw_config_tunnel *tunnel, char text[LIST_BYTES])
{
	char addr[HW_ADDR_TEXT_BYTES];

	text[0] = '\0';
	for (uint32_t i = 0; i < tunnel->address_count; i++) {
		hw_addr_format(&tunnel->addresses[i].addr, addr);
		append(text, "%s/%u", addr, tunnel->addresses[i].bits);
	}
	if (tunnel->address_count == 0)
		append(text, "none");
}

/* Exact, in the largest unit that leaves nothing over: two amounts that differ never read alike. */
static void amount_text(uint64_t bytes, char text[LIST_BYTES])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t unit = 0;

	for (; unit + 1 < sizeof(units) / sizeof(units[0]) && bytes % 1000 == 0; unit++)
		bytes /= 1000;
	append(text, "%" PRIu64 " %s", bytes, units[unit]);
}

static void quota_text(const struct hw_config_quota *quota, char text[LIST_BYTES])
{
	text[0] = '\0';
	if (quota->bytes == 0) {
		append(text, "none");
		return;
	}
	amount_text(quota->bytes, text);
	append(text, "a %s", quota->per == HW_PERIOD_DAY ? "day" : "month");
	if (quota->per == HW_PERIOD_MONTH && quota->first_day > 1)
		append(text, "from day %u", quota->first_day);
	append(text, "(warning at %u %%)", quota->warn_percent);
}

/* Kinds of values: each notes a change under the name `key` of `place`, if there is one. */

struct key {
	const char *place; /* as the schema names it */
	const char *key;   /* as people read it */
	unsigned part;
};

static void compare_text(struct comparison *c, const struct key *k, const char *was,
			 const char *next)
{
	if (strcmp(was, next) != 0)
		note(c, k->place, k->part, "%s: %s becomes %s", k->key, or_none(was),
		     or_none(next));
}

static void compare_bool(struct comparison *c, const struct key *k, bool was, bool next)
{
	compare_text(c, k, on_off(was), on_off(next));
}

static void compare_number(struct comparison *c, const struct key *k, uint64_t was, uint64_t next)
{
	if (was != next)
		note(c, k->place, k->part, "%s: %" PRIu64 " becomes %" PRIu64, k->key, was, next);
}

static void compare_time(struct comparison *c, const struct key *k, hw_time was, hw_time next)
{
	if (was != next)
		note(c, k->place, k->part, "%s: %g s becomes %g s", k->key, (double)was / HW_NS_PER_S,
		     (double)next / HW_NS_PER_S);
}

static bool same_endpoints(const struct hw_config_endpoint *a, uint32_t a_count,
			   const struct hw_config_endpoint *b, uint32_t b_count)
{
	if (a_count != b_count)
		return false;
	for (uint32_t i = 0; i < a_count; i++)
		if (a[i].port != b[i].port || strcmp(a[i].host, b[i].host) != 0)
			return false;
	return true;
}

/* What a daemon cannot change */

static bool same_bytes(const uint8_t a[HW_CONFIG_KEY_BYTES], const uint8_t b[HW_CONFIG_KEY_BYTES])
{
	return hw_bytes_equal_ct(a, b, HW_CONFIG_KEY_BYTES);
}

static void compare_identity(struct comparison *c)
{
	const struct hw_config_identity *was = &c->was->identity, *next = &c->next->identity;

	/* The same key in another file, or under another name, is the same key. */
	if (was->shared_secret != next->shared_secret || !same_bytes(was->bytes, next->bytes))
		note(c, next->shared_secret ? "identity.secret-file" : "identity.private-key-file", 0,
		     "identity: this node's key differs from the one that it runs with, which is "
		     "what its peer knows it by: restart");
}

static void compare_peer_keys(struct comparison *c)
{
	const struct hw_config_peer *was = &c->was->peers[0], *next = &c->next->peers[0];

	if (c->was->peer_count != c->next->peer_count) {
		note(c, "peers", 0, "peers: a peer cannot come or go while the tunnel runs: restart");
		return;
	}
	if (!same_bytes(was->public_key, next->public_key))
		note(c, "peers[0].public-key", 0,
		     "peers.%s.public-key: another key is another peer, and this one's session would "
		     "end: restart",
		     next->name);
	if (!same_bytes(was->preshared_key, next->preshared_key))
		note(c, "peers[0].preshared-key-file", 0,
		     "peers.%s.preshared-key-file: the session was made with another key: restart "
		     "both ends",
		     next->name);
}

static void compare_listen(struct comparison *c)
{
	const struct hw_config_listen *was = &c->was->listen, *next = &c->next->listen;

	if (was->given != next->given ||
	    (was->given && (was->addr.port != next->addr.port ||
			    !hw_addr_equal(&was->addr, &next->addr))))
		note(c, "listen", 0,
		     "listen: the sockets are bound, and the peer knows where they are: restart");
}

static void compare_fixed(struct comparison *c)
{
	const struct hw_config_tunnel *was = &c->was->tunnel, *next = &c->next->tunnel;

	if (strcmp(was->device, next->device) != 0)
		note(c, "tunnel.device", 0,
		     "tunnel.device: this daemon serves %s: stop it and start one for %s",
		     was->device, next->device);
	if (was->layer2 != next->layer2)
		note(c, "tunnel.type", 0,
		     "tunnel.type: a device cannot change its type (%s to %s) while it exists: restart",
		     was->layer2 ? "tap" : "tun", next->layer2 ? "tap" : "tun");
	compare_identity(c);
	compare_listen(c);
	compare_peer_keys(c);
	if (strcmp(c->was->suite, c->next->suite) != 0)
		note(c, "suite", 0,
		     "suite: both ends' sessions use %s: restart both ends with %s", c->was->suite,
		     c->next->suite);
}

/* What it can */

static void compare_addresses(struct comparison *c)
{
	const struct hw_config_tunnel *was = &c->was->tunnel, *next = &c->next->tunnel;
	bool same = was->address_count == next->address_count;
	char from[LIST_BYTES], to[LIST_BYTES];

	for (uint32_t i = 0; same && i < was->address_count; i++)
		same = was->addresses[i].bits == next->addresses[i].bits &&
		       hw_addr_equal(&was->addresses[i].addr, &next->addresses[i].addr);
	if (same)
		return;
	addresses_text(was, from);
	addresses_text(next, to);
	note(c, "tunnel.address", HW_PART_ADDRESSES, "tunnel.address: %s becomes %s", from, to);
}

static void compare_tunnel(struct comparison *c, uint32_t packet_bytes)
{
	const struct hw_config_tunnel *was = &c->was->tunnel, *next = &c->next->tunnel;
	static const struct key mtu = { "tunnel.mtu", "tunnel.mtu",
					HW_PART_CORE | HW_PART_TUNNEL_MTU };
	static const struct key mss = { "tunnel.mss-clamp", "tunnel.mss-clamp", HW_PART_CORE };
	static const struct key dscp = { "tunnel.copy-dscp", "tunnel.copy-dscp", HW_PART_CORE };
	static const struct key compression = { "tunnel.compression", "tunnel.compression",
						HW_PART_CORE };

	compare_addresses(c);
	if (was->mtu != next->mtu && next->mtu > packet_bytes)
		note(c, "tunnel.mtu", 0,
		     "tunnel.mtu: the buffers were made for at most %u bytes, not %u: restart",
		     packet_bytes, next->mtu);
	else if (next->mtu_auto && !was->mtu_auto)
		note(c, "tunnel.mtu", mtu.part, "tunnel.mtu: %u becomes auto", was->mtu);
	else if (was->mtu_auto && !next->mtu_auto)
		note(c, "tunnel.mtu", mtu.part, "tunnel.mtu: auto becomes %u", next->mtu);
	else
		compare_number(c, &mtu, was->mtu, next->mtu);
	compare_bool(c, &mss, was->mss_clamp, next->mss_clamp);
	compare_bool(c, &dscp, was->copy_dscp, next->copy_dscp);
	compare_text(c, &compression, was->compression ? "lz4" : "off",
		     next->compression ? "lz4" : "off");
}

static void compare_session(struct comparison *c)
{
	const struct hw_config_session *was = &c->was->session, *next = &c->next->session;
	static const struct key packets = { "session.replay-window.packets",
					    "session.replay-window.packets (of new sessions)",
					    HW_PART_CORE };
	static const struct key seconds = { "session.replay-window.seconds",
					    "session.replay-window.seconds (of new sessions)",
					    HW_PART_CORE };
	static const struct key rekey = { "session.rekey-after", "session.rekey-after",
					  HW_PART_CORE };
	static const struct key reject = { "session.reject-after", "session.reject-after",
					   HW_PART_CORE };
	static const struct key count = { "session.rekey-packets", "session.rekey-packets",
					  HW_PART_CORE };

	compare_number(c, &packets, was->replay_packets, next->replay_packets);
	compare_time(c, &seconds, was->replay_time, next->replay_time);
	compare_time(c, &rekey, was->rekey_after, next->rekey_after);
	compare_time(c, &reject, was->reject_after, next->reject_after);
	compare_number(c, &count, was->rekey_packets, next->rekey_packets);
}

static void compare_peer(struct comparison *c)
{
	const struct hw_config_peer *was = &c->was->peers[0], *next = &c->next->peers[0];
	static const struct key name = { "peers[0].name", "peers.name", HW_PART_CORE };
	char from[LIST_BYTES], to[LIST_BYTES];

	if (c->was->peer_count != c->next->peer_count)
		return;
	compare_text(c, &name, was->name, next->name);
	if (same_endpoints(was->endpoints, was->endpoint_count, next->endpoints,
			   next->endpoint_count))
		return;
	endpoints_text(was->endpoints, was->endpoint_count, from);
	endpoints_text(next->endpoints, next->endpoint_count, to);
	note(c, "peers[0].endpoint", HW_PART_LINKS, "peers.%s.endpoint: %s becomes %s", next->name,
	     from, to);
}

/* Links */

static const struct hw_config_link *find_link(const struct hw_config *config, const char *name,
					      uint32_t *ret_number)
{
	for (uint32_t i = 0; i < config->link_count; i++) {
		if (strcmp(config->links[i].name, name) == 0) {
			*ret_number = i;
			return &config->links[i];
		}
	}
	return NULL;
}

/* One setting of a link, as words; `number` is the link's place in the new file. */
static void compare_setting(struct comparison *c, const struct hw_config_link *link,
			    uint32_t number, const char *setting, const char *was, const char *next)
{
	char place[64];

	if (strcmp(was, next) == 0)
		return;
	(void)snprintf(place, sizeof(place), "links[%u].%s", number, setting);
	note(c, place, HW_PART_LINKS, "links.%s.%s: %s becomes %s", link->name, setting, was, next);
}

/* `none`: what 0 means; NULL: 0. */
static void compare_count(struct comparison *c, const struct hw_config_link *link, uint32_t number,
			  const char *setting, uint32_t was, uint32_t next, const char *none)
{
	char from[16], to[16];

	(void)snprintf(from, sizeof(from), "%u", was);
	(void)snprintf(to, sizeof(to), "%u", next);
	compare_setting(c, link, number, setting, was == 0 && none != NULL ? none : from,
			next == 0 && none != NULL ? none : to);
}

static void compare_link(struct comparison *c, const struct hw_config_link *was,
			 const struct hw_config_link *next, uint32_t number)
{
	static const char *const metered[] = { "derived", "off", "on" };
	char from[LIST_BYTES], to[LIST_BYTES];

	compare_setting(c, next, number, "interface", or_none(was->interface),
			or_none(next->interface));
	addr_text(&was->address, from);
	addr_text(&next->address, to);
	compare_setting(c, next, number, "address", from, to);
	compare_count(c, next, number, "mtu", was->mtu, next->mtu, "the interface's");
	compare_count(c, next, number, "price", was->price, next->price, NULL);
	compare_setting(c, next, number, "use", use_text(was->use), use_text(next->use));
	quota_text(&was->quota, from);
	quota_text(&next->quota, to);
	compare_setting(c, next, number, "quota", from, to);
	compare_setting(c, next, number, "metered", metered[was->metered], metered[next->metered]);
	if (same_endpoints(was->endpoints, was->endpoint_count, next->endpoints,
			   next->endpoint_count))
		return;
	endpoints_text(was->endpoints, was->endpoint_count, from);
	endpoints_text(next->endpoints, next->endpoint_count, to);
	/* Also where what is shown was cut short, or only names of the same address differ. */
	compare_setting(c, next, number, "endpoint", from, strcmp(from, to) == 0 ? "others" : to);
}

static void compare_links(struct comparison *c)
{
	uint32_t number;
	char place[32];

	for (uint32_t i = 0; i < c->next->link_count; i++) {
		const struct hw_config_link *next = &c->next->links[i];
		const struct hw_config_link *was = find_link(c->was, next->name, &number);

		(void)snprintf(place, sizeof(place), "links[%u]", i);
		if (was != NULL)
			compare_link(c, was, next, i);
		else if (next->every)
			note(c, "links", HW_PART_LINKS, "links: every interface that leads to the peer, none is named");
		else
			note(c, place, HW_PART_LINKS, "links.%s: added (interface %s, price %u, use %s)",
			     next->name, or_none(next->interface), next->price, use_text(next->use));
	}
	for (uint32_t i = 0; i < c->was->link_count; i++) {
		const struct hw_config_link *was = &c->was->links[i];

		if (find_link(c->next, was->name, &number) != NULL)
			continue;
		if (was->every)
			note(c, "links", HW_PART_LINKS, "links: those that are named, no longer all");
		else
			note(c, "links", HW_PART_LINKS, "links.%s: removed", was->name);
	}
}

static void exclude_text(const struct hw_config *config, char ret_text[LIST_BYTES])
{
	size_t len = 0;

	ret_text[0] = '\0';
	for (uint32_t i = 0; i < config->exclude_count && len < LIST_BYTES; i++)
		len += (size_t)snprintf(ret_text + len, LIST_BYTES - len, "%s%s", i > 0 ? " " : "",
					config->exclude[i]);
}

static void compare_excludes(struct comparison *c)
{
	static const struct key key = { "links-exclude", "links-exclude", HW_PART_LINKS };
	char from[LIST_BYTES], to[LIST_BYTES];

	exclude_text(c->was, from);
	exclude_text(c->next, to);
	if (memcmp(c->was->exclude, c->next->exclude, sizeof(c->was->exclude)) == 0)
		return;
	/* Also where what is shown was cut short. */
	compare_text(c, &key, from, strcmp(from, to) == 0 ? "others" : to);
}

void hw_config_compare(const struct hw_config *running, const struct hw_config *next,
		       uint32_t packet_bytes, struct hw_config_diff *ret_diff)
{
	struct comparison c = { .was = running, .next = next, .diff = ret_diff };
	static const struct key mode = { "policy.mode", "policy.mode", HW_PART_CORE };
	static const struct key level = { "log-level", "log-level", HW_PART_LOG };

	memset(ret_diff, 0, sizeof(*ret_diff));
	compare_fixed(&c);
	compare_tunnel(&c, packet_bytes);
	compare_text(&c, &mode, running->mode, next->mode);
	compare_session(&c);
	compare_peer(&c);
	compare_links(&c);
	compare_excludes(&c);
	compare_text(&c, &level, log_text(running->log_level), log_text(next->log_level));
}
