/* What a changed file would change: a table of changes, each with its place and its words. */
#include "test.h"

#include <stdio.h>

#include "config/config.h"
#include "config/diff.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define OTHER_KEY "AgIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define PACKET_BYTES 1952u

/* Line by line, so that a case names the line that it changes. */
#define LINES 17u
static const char *const base[LINES] = {
	[0] = "tunnel:",
	[1] = "  {device: hw3, type: tap, mtu: 1400,",
	[2] = "   address: [10.88.0.2/24, \"fd00::2/64\"],",
	[3] = "   mss-clamp: on, copy-dscp: off, compression: off}",
	[4] = "identity: {private-key-file: k}",
	[5] = "listen: 8420",
	[6] = "peers:",
	[7] = "  - {name: hub, public-key: " KEY ",",
	[8] = "     preshared-key-file: p,",
	[9] = "     endpoint: [192.0.2.9:8420]}",
	[10] = "links:",
	[11] = "  - {name: dsl, interface: eth0}",
	[12] = "  - {name: lte, interface: wwan0, price: 3, quota: 50GB/month}",
	[13] = "policy: {mode: redundant}",
	[14] = "suite: chacha20-poly1305",
	[15] = "session: {rekey-after: 120s, replay-window: {packets: 1024, seconds: 5}}",
	[16] = "log-level: info",
};

static struct hw_config_report report;
static struct hw_config_diff diff;

/* The base with line `at` replaced (none: at = LINES). */
static struct hw_config *config_with(uint32_t at, const char *line)
{
	struct hw_config *config = NULL;
	char text[4096] = "";

	for (uint32_t i = 0; i < LINES; i++) {
		strcat(text, i == at ? line : base[i]);
		strcat(text, "\n");
	}
	if (hw_config_parse(text, strlen(text), "/etc/hawser/t.yaml", &report, &config) != 0) {
		hw_config_report_print(&report, stderr);
		fail_msg("line %u as: %s", at, line);
	}
	return config;
}

static void compare(uint32_t at, const char *line)
{
	struct hw_config *was = config_with(LINES, ""), *next = config_with(at, line);

	memset(&diff, 0x55, sizeof(diff));
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	hw_config_free(was);
	hw_config_free(next);
}

struct expectation {
	const char *key; /* of the schema */
	uint32_t at;
	const char *line;
	unsigned parts; /* 0: refused */
	uint32_t mark_line, mark_column;
	const char *text; /* how the change begins */
};

static const struct expectation cases[] = {
	/* What can be taken over. */
	{ "tunnel.address", 2, "   address: [10.88.0.3/24],", HW_PART_ADDRESSES, 3, 13,
	  "tunnel.address: 10.88.0.2/24 fd00::2/64 becomes 10.88.0.3/24" },
	{ "tunnel.address", 2, "   address: [10.88.0.2/16, \"fd00::2/64\"],", HW_PART_ADDRESSES, 3, 13,
	  "tunnel.address: 10.88.0.2/24 fd00::2/64 becomes 10.88.0.2/16 fd00::2/64" },
	{ "tunnel.address", 2, "", HW_PART_ADDRESSES, 2, 3,
	  "tunnel.address: 10.88.0.2/24 fd00::2/64 becomes none" },
	{ "tunnel.mtu", 1, "  {device: hw3, type: tap, mtu: 1952,", HW_PART_CORE | HW_PART_TUNNEL_MTU,
	  2, 33, "tunnel.mtu: 1400 becomes 1952" },
	{ "tunnel.mtu", 1, "  {device: hw3, type: tap, mtu: auto,", HW_PART_CORE | HW_PART_TUNNEL_MTU,
	  2, 33, "tunnel.mtu: 1400 becomes auto" },
	{ "tunnel.mss-clamp", 3, "   mss-clamp: off}", HW_PART_CORE, 4, 15,
	  "tunnel.mss-clamp: on becomes off" },
	{ "tunnel.copy-dscp", 3, "   copy-dscp: on}", HW_PART_CORE, 4, 15,
	  "tunnel.copy-dscp: off becomes on" },
	{ "tunnel.compression", 3, "   compression: lz4}", HW_PART_CORE, 4, 17,
	  "tunnel.compression: off becomes lz4" },
	{ "peers.name", 7, "  - {name: nave, public-key: " KEY ",", HW_PART_CORE, 8, 12,
	  "peers.name: hub becomes nave" },
	{ "peers.endpoint", 9, "     endpoint: [\"[2001:db8::9]:1\", hub.example.net:8420]}",
	  HW_PART_LINKS, 10, 16,
	  "peers.hub.endpoint: 192.0.2.9:8420 becomes [2001:db8::9]:1 hub.example.net:8420" },
	{ "links.name", 11, "  - {name: sat, interface: eth9, price: 2}", HW_PART_LINKS, 12, 5,
	  "links.sat: added (interface eth9, price 2, use always)" },
	{ "links.interface", 11, "  - {name: dsl, interface: eth1}", HW_PART_LINKS, 12, 28,
	  "links.dsl.interface: eth0 becomes eth1" },
	{ "links.interface", 11, "  - {name: dsl}", HW_PART_LINKS, 12, 5,
	  "links.dsl.interface: eth0 becomes none" },
	{ "links.address", 11, "  - {name: dsl, interface: eth0, address: 10.0.0.7}", HW_PART_LINKS,
	  12, 43, "links.dsl.address: none becomes 10.0.0.7" },
	{ "links.endpoint", 11, "  - {name: dsl, interface: eth0, endpoint: [192.0.2.8:8420]}",
	  HW_PART_LINKS, 12, 44, "links.dsl.endpoint: none becomes 192.0.2.8:8420" },
	{ "links.mtu", 11, "  - {name: dsl, interface: eth0, mtu: 1420}", HW_PART_LINKS, 12, 39,
	  "links.dsl.mtu: the interface's becomes 1420" },
	{ "links.price", 12, "  - {name: lte, interface: wwan0, price: 4, quota: 50GB/month}",
	  HW_PART_LINKS, 13, 42, "links.lte.price: 3 becomes 4" },
	{ "links.use", 11, "  - {name: dsl, interface: eth0, use: backup}", HW_PART_LINKS, 12, 39,
	  "links.dsl.use: always becomes backup" },
	{ "links.quota", 12, "  - {name: lte, interface: wwan0, price: 3, quota: 1GB/day}",
	  HW_PART_LINKS, 13, 52, "links.lte.quota: 50 GB a month (warning at 80 %) becomes "
	  "1 GB a day (warning at 80 %)" },
	{ "links.quota", 12, "  - {name: lte, interface: wwan0, price: 3}", HW_PART_LINKS, 13, 5,
	  "links.lte.quota: 50 GB a month (warning at 80 %) becomes none" },
	{ "links.metered", 11, "  - {name: dsl, interface: eth0, metered: on}", HW_PART_LINKS, 12, 43,
	  "links.dsl.metered: derived becomes on" },
	{ "policy.mode", 13, "policy: {mode: backup}", HW_PART_CORE, 14, 16,
	  "policy.mode: redundant becomes backup" },
	{ "session.replay-window", 15,
	  "session: {rekey-after: 120s, replay-window: {packets: 64, seconds: 5}}", HW_PART_CORE, 16,
	  55, "session.replay-window.packets (of new sessions): 1024 becomes 64" },
	{ "session.replay-window", 15,
	  "session: {rekey-after: 120s, replay-window: {packets: 1024, seconds: 6}}", HW_PART_CORE, 16,
	  70, "session.replay-window.seconds (of new sessions): 5 s becomes 6 s" },
	{ "session.rekey-after", 15,
	  "session: {rekey-after: 90s, replay-window: {packets: 1024, seconds: 5}}", HW_PART_CORE, 16,
	  24, "session.rekey-after: 120 s becomes 90 s" },
	{ "session.reject-after", 15,
	  "session: {replay-window: {packets: 1024, seconds: 5}, reject-after: 150500ms}", HW_PART_CORE,
	  16, 69, "session.reject-after: 180 s becomes 150.5 s" },
	{ "session.rekey-packets", 15,
	  "session: {replay-window: {packets: 1024, seconds: 5}, rekey-packets: 5000}", HW_PART_CORE, 16,
	  70, "session.rekey-packets: 0 becomes 5000" },
	{ "links-exclude", 16, "links-exclude: [docker0, \"veth*\"]", HW_PART_LINKS, 17, 16,
	  "links-exclude: none becomes docker0 veth*" },
	{ "log-level", 16, "log-level: debug", HW_PART_LOG, 17, 12, "log-level: info becomes debug" },
	{ "log-level", 16, "log-level: error", HW_PART_LOG, 17, 12, "log-level: info becomes error" },
	/* What cannot. */
	{ "tunnel.device", 1, "  {device: hw4, type: tap, mtu: 1400,", 0, 2, 12,
	  "tunnel.device: this daemon serves hw3: stop it and start one for hw4" },
	{ "tunnel.type", 1, "  {device: hw3, type: tun, mtu: 1400,", 0, 2, 23,
	  "tunnel.type: a device cannot change its type (tap to tun) while it exists: restart" },
	{ "tunnel.mtu", 1, "  {device: hw3, type: tap, mtu: 1953,", 0, 2, 33,
	  "tunnel.mtu: the buffers were made for at most 1952 bytes, not 1953: restart" },
	{ "listen", 5, "listen: 8421", 0, 6, 9, "listen: the sockets are bound" },
	{ "listen", 5, "listen: 127.0.0.1:8420", 0, 6, 9, "listen: the sockets are bound" },
	{ "listen", 5, "", 0, 0, 0, "listen: the sockets are bound" },
	{ "peers.public-key", 7, "  - {name: hub, public-key: " OTHER_KEY ",", 0, 8, 29,
	  "peers.hub.public-key: another key is another peer" },
	{ "suite", 14, "suite: aes-256-gcm", 0, 15, 8,
	  "suite: both ends' sessions use chacha20-poly1305: restart both ends with aes-256-gcm" },
	/* What is no change at all. */
	{ "tunnel", 1, "  {device: hw3, mtu: 1400,", 0, 0, 0, NULL },
	{ "identity", 4, "identity: {private-key-file: ./k, role: client}", 0, 0, 0, NULL },
	{ "identity.role", 4, "identity: {role: hub, private-key-file: k}", 0, 0, 0, NULL },
	{ "peers", 8, "     preshared-key-file: /etc/hawser/p,", 0, 0, 0, NULL },
	{ "links", 11, "  - {price: 1, use: always, interface: eth0, name: dsl}", 0, 0, 0, NULL },
};

static void each_change_has_its_words_and_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct expectation *e = &cases[i];
		uint32_t replaced = i < COUNT(cases) && e->at == 11 && strstr(e->line, "sat") != NULL;

		compare(e->at, e->line);
		if (e->text == NULL) {
			assert_int_equal(diff.count, 0);
			assert_int_equal(diff.live + diff.refused + diff.parts, 0);
			continue;
		}
		print_message("# %u:%u %s\n", diff.changes[0].mark.line, diff.changes[0].mark.column,
			      diff.changes[0].text);
		assert_int_equal(diff.count, 1 + replaced);
		assert_int_equal(diff.live, e->parts != 0 ? 1 + replaced : 0);
		assert_int_equal(diff.refused, e->parts == 0);
		assert_int_equal(diff.parts, e->parts);
		assert_int_equal(diff.changes[0].live, e->parts != 0);
		assert_int_equal(diff.changes[0].mark.line, e->mark_line);
		assert_int_equal(diff.changes[0].mark.column, e->mark_column);
		assert_memory_equal(diff.changes[0].text, e->text, strlen(e->text));
	}
}

/* The keys of a section, as the message about an unknown one lists them. */
static void section_is_covered(const char *prefix, const char *text)
{
	struct hw_config *config = NULL;
	const char *list;
	char keys[512], *save, *key;
	uint32_t count = 0;

	assert_int_not_equal(hw_config_parse(text, strlen(text), "/t", &report, &config), 0);
	list = strstr(report.notes[0].text, "the keys here are ");
	assert_non_null(list);
	snprintf(keys, sizeof(keys), "%s", list + strlen("the keys here are "));
	for (key = strtok_r(keys, ", ", &save); key != NULL; key = strtok_r(NULL, ", ", &save)) {
		bool found = false;
		char name[128];

		snprintf(name, sizeof(name), "%s%s", prefix, key);
		for (size_t i = 0; i < COUNT(cases); i++)
			found = found || strcmp(cases[i].key, name) == 0;
		/* Keys whose values are files, and sections: below, and by their own keys. */
		if (!found && strstr(name, "-file") == NULL && strcmp(name, "policy") != 0 &&
		    strcmp(name, "session") != 0)
			fail_msg("the comparison of configurations has no case for %s", name);
		count++;
	}
	assert_true(count >= 1);
}

/* A key that is added to the file must be looked at when the file is read again. */
static void every_key_is_looked_at(void **state)
{
	(void)state;
	section_is_covered("", "qqqqqqqqqqqqqqq: 1\n");
	section_is_covered("tunnel.", "tunnel: {qqqqqqqqqqqqqqq: 1}\n");
	section_is_covered("identity.", "identity: {qqqqqqqqqqqqqqq: 1}\n");
	section_is_covered("peers.", "peers: [{qqqqqqqqqqqqqqq: 1}]\n");
	section_is_covered("links.", "links: [{qqqqqqqqqqqqqqq: 1}]\n");
	section_is_covered("policy.", "policy: {qqqqqqqqqqqqqqq: 1}\n");
	section_is_covered("session.", "session: {qqqqqqqqqqqqqqq: 1}\n");
}

static void keys_are_compared_by_what_they_are(void **state)
{
	struct hw_config *was = config_with(LINES, ""), *next = config_with(LINES, "");

	(void)state;
	next->identity.bytes[31] = 1;
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.refused, 1);
	assert_int_equal(diff.changes[0].mark.line, 5);
	assert_int_equal(diff.changes[0].mark.column, 30);
	assert_memory_equal(diff.changes[0].text, "identity: this node's key differs", 33);
	next->identity.bytes[31] = 0;
	next->identity.shared_secret = true;
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.refused, 1);
	next->identity.shared_secret = false;
	next->peers[0].preshared_key[0] = 1;
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.refused, 1);
	assert_int_equal(diff.changes[0].mark.line, 9);
	assert_memory_equal(diff.changes[0].text, "peers.hub.preshared-key-file: ", 30);
	next->peers[0].preshared_key[0] = 0;
	next->peer_count = 2;
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.refused, 1);
	assert_memory_equal(diff.changes[0].text, "peers: a peer cannot come or go", 31);
	next->peer_count = 1;
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.refused + diff.live, 0);
	hw_config_free(was);
	hw_config_free(next);
}

/* One that cannot be taken over beside one that can: both are told, and refused is not nought. */
static void changes_of_both_kinds_are_told_apart(void **state)
{
	(void)state;
	compare(1, "  {device: hw3, type: tun, mtu: 1300,");
	assert_int_equal(diff.count, 2);
	assert_int_equal(diff.live, 1);
	assert_int_equal(diff.refused, 1);
	assert_false(diff.changes[0].live);
	assert_true(diff.changes[1].live);
}

static struct hw_config *with_links(uint32_t count, uint32_t first)
{
	struct hw_config *config = NULL;
	char text[4096] = "identity: {secret-file: s}\nlisten: 8420\nlinks:\n";

	for (uint32_t i = 0; i < count; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at,
			 "  - {name: l%u, interface: e%u, endpoint: [h%u.example:1, g.example:2]}\n",
			 first + i, first + i, i);
	}
	assert_int_equal(hw_config_parse(text, strlen(text), "/t", &report, &config), 0);
	return config;
}

/* More than are kept: all are counted. */
static void many_changes_are_counted(void **state)
{
	struct hw_config *was, *next;

	(void)state;
	was = with_links(16, 0);
	next = with_links(16, 16);
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.live, 32);
	assert_int_equal(diff.count, 32);
	hw_config_free(next);
	next = with_links(16, 0);
	for (uint32_t i = 0; i < 16; i++) {
		next->links[i].price = 2;
		next->links[i].mtu = 1000;
		next->links[i].use = HW_USE_BACKUP;
		next->links[i].metered = HW_METERED_ON;
		next->links[i].endpoint_count = 0;
	}
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.live, 80);
	assert_int_equal(diff.count, HW_CONFIG_MAX_CHANGES);
	assert_int_equal(diff.parts, HW_PART_LINKS);
	hw_config_free(was);
	hw_config_free(next);
}

/* Links are known by their names, not by where they stand. */
static void links_may_change_places(void **state)
{
	struct hw_config *was = with_links(3, 0), *next = with_links(3, 0);
	struct hw_config_link swap = next->links[0];

	(void)state;
	next->links[0] = next->links[2];
	next->links[2] = swap;
	hw_config_compare(was, next, PACKET_BYTES, &diff);
	assert_int_equal(diff.live + diff.refused, 0);
	hw_config_free(was);
	hw_config_free(next);
}

/* Where no link is named, the reader makes a rule of its own: its name is nobody's. */
static void links_that_are_not_named_have_no_name(void **state)
{
	static const struct {
		bool every_was;
		const char *text;
	} table[] = {
		{ true, "links: those that are named, no longer all" },
		{ false, "links: every interface that leads to the peer, none is named" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct hw_config *was = config_with(LINES, ""), *next = config_with(LINES, "");
		struct hw_config *found = table[i].every_was ? was : next;
		bool told = false;

		found->links[0].every = true;
		snprintf(found->links[0].name, sizeof(found->links[0].name), "every");
		hw_config_compare(was, next, PACKET_BYTES, &diff);
		assert_int_equal(diff.refused, 0);
		assert_int_equal(diff.count, 2);
		for (uint32_t j = 0; j < diff.count; j++)
			told = told || strcmp(diff.changes[j].text, table[i].text) == 0;
		assert_true(told);
		hw_config_free(was);
		hw_config_free(next);
	}
}

static void places_fall_back_to_what_holds_them(void **state)
{
	struct hw_config *config = config_with(LINES, "");
	struct hw_config_mark mark;

	(void)state;
	mark = hw_config_place(config, "links[1].quota");
	assert_int_equal(mark.line, 13);
	mark = hw_config_place(config, "links[1].mtu");
	assert_int_equal(mark.line, 13);
	assert_int_equal(mark.column, 5);
	mark = hw_config_place(config, "links[7].mtu");
	assert_int_equal(mark.line, 12);
	mark = hw_config_place(config, "path");
	assert_int_equal(mark.line, 0);
	mark = hw_config_place(config, "");
	assert_int_equal(mark.line, 0);
	hw_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_has_its_words_and_place),
		cmocka_unit_test(every_key_is_looked_at),
		cmocka_unit_test(keys_are_compared_by_what_they_are),
		cmocka_unit_test(changes_of_both_kinds_are_told_apart),
		cmocka_unit_test(many_changes_are_counted),
		cmocka_unit_test(links_may_change_places),
		cmocka_unit_test(links_that_are_not_named_have_no_name),
		cmocka_unit_test(places_fall_back_to_what_holds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
