#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define ID "identity: {secret-file: s}\n"
#define HUB ID "listen: 8420\n"
#define DIGITS_64 "1234567890123456789012345678901234567890123456789012345678901234"
#define LONG_AMOUNT DIGITS_64 DIGITS_64 DIGITS_64
#define LONG_AMOUNT_SHOWN DIGITS_64 "' is not right"

static struct hw_config_report report;

static int parse(const char *text, struct hw_config **ret_config)
{
	return hw_config_parse(text, strlen(text), "/etc/hawser/t.yaml", &report, ret_config);
}

/* Each text has exactly one fault; line 0: in the file as a whole. */
static const struct {
	const char *text;
	uint32_t line, column;
	const char *message;
} bad[] = {
	/* syntax */
	{ "", 0, 0, "the file is empty" },
	{ "# only a comment\n", 0, 0, "the file is empty" },
	{ "--- \n", 2, 1, "expected keys with values" },
	{ "[1, 2]\n", 1, 1, "expected keys with values" },
	{ "just words\n", 1, 1, "expected keys with values" },
	{ HUB "tunnel:\n\tdevice: hw1\n", 4, 1, "a tab cannot indent" },
	{ HUB "tunnel:\n  \tdevice: hw1\n", 4, 3, "a tab cannot indent" },
	{ HUB "tunnel: {device: hw1\n", 4, 1, "not YAML" },
	{ HUB "tunnel: 'hw1\n", 4, 1, "not YAML: found unexpected end of stream" },
	{ HUB "tunnel: \xff\n", 3, 9, "not UTF-8" },
	{ HUB "tunnel: \xc0\xaf\n", 3, 9, "not UTF-8" },
	{ HUB "tunnel: \xed\xa0\x80\n", 3, 9, "not UTF-8" },
	{ HUB "# \xc3\xa4 is fine, this is not: \xe2\x82\n", 3, 27, "not UTF-8" },
	{ HUB "links:\n- name: l\n  endpoint:\n  - [2001:db8::1]:1\n", 6, 18,
	  "write IPv6 in quotes" },
	{ "\xef\xbb\xbf" HUB "tunel: 1\n", 3, 1, "did you mean 'tunnel'?" },
	{ HUB "tunnel: \x01\n", 3, 9, "control characters" },
	{ HUB "log-level: \"a\\0b\"\n", 3, 12, "a zero byte" },
	{ HUB "---\n" HUB, 3, 1, "a second document" },
	{ "tunnel: &a {device: hw0}\n" HUB, 1, 9, "anchors (&name) are not allowed" },
	{ HUB "tunnel: *a\n", 3, 9, "aliases (*name) are not allowed" },
	{ HUB "log-level: !!str info\n", 3, 12, "tags (!name) are not allowed" },
	{ HUB "? [a]\n: b\n", 3, 3, "a key must be a word" },
	{ HUB "x: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", 3, 19, "nested too deeply" },
	/* keys */
	{ HUB "tunel: {device: hw1}\n", 3, 1, "unknown key 'tunel': did you mean 'tunnel'?" },
	{ HUB "tunnel: {dveice: hw1}\n", 3, 10,
	  "tunnel: unknown key 'dveice': did you mean 'device'?" },
	{ HUB "links:\n  - {name: a, interfaec: b}\n", 4, 15,
	  "links[0]: unknown key 'interfaec': did you mean 'interface'?" },
	{ HUB "colour: red\n", 3, 1,
	  "unknown key 'colour': the keys here are tunnel, identity, listen" },
	{ HUB "log-level: info\nlog-level: info\n", 4, 1,
	  "'log-level' is here twice: first on line 3" },
	{ "listen: 8420\n", 1, 1, "'identity' is missing" },
	{ HUB "tunnel:\n", 3, 8, "tunnel: the value is missing" },
	{ HUB "tunnel: hw0\n", 3, 9, "tunnel: 'hw0' is not right: expected a mapping" },
	{ HUB "tunnel: [hw0]\n", 3, 9, "tunnel: a list cannot be here" },
	{ HUB "tunnel: {device: {a: b}}\n", 3, 18, "tunnel.device: a mapping cannot be here" },
	/* later versions */
	{ HUB "policy: {mode: coded}\n", 3, 16,
	  "policy.mode: this version does not support 'coded' yet: expected redundant or backup" },
	{ HUB "policy: {mode: aggregate}\n", 3, 16, "does not support 'aggregate' yet" },
	{ HUB "policy: {mode: auto}\n", 3, 16, "does not support 'auto' yet" },
	{ HUB "policy: {goal: {loss: 0.1%}}\n", 3, 10,
	  "policy.goal: this version does not support it yet" },
	{ HUB "policy: {classes: []}\n", 3, 10,
	  "policy.classes: this version does not support it yet" },
	{ HUB "path: {mtu: 1400}\n", 3, 1, "path: this version does not support it yet" },
	/* tunnel */
	{ HUB "tunnel: {device: abcdefghijklmnop}\n", 3, 18, "'abcdefghijklmnop' is too long" },
	{ HUB "tunnel: {device: a/b}\n", 3, 18, "tunnel.device: 'a/b' is not right" },
	{ HUB "tunnel: {device: ..}\n", 3, 18, "tunnel.device: '..' is not right" },
	{ HUB "tunnel: {device: \"a b\"}\n", 3, 18, "tunnel.device: 'a b' is not right" },
	{ HUB "tunnel: {type: tup}\n", 3, 16,
	  "tunnel.type: 'tup' is not right: did you mean 'tun'?" },
	{ HUB "tunnel: {type: bridge}\n", 3, 16,
	  "tunnel.type: 'bridge' is not right: expected tap or tun" },
	{ HUB "tunnel: {mtu: 575}\n", 3, 15,
	  "'575' is not right: expected auto, or a whole number of bytes" },
	{ HUB "tunnel: {mtu: 9001}\n", 3, 15, "tunnel.mtu: '9001' is not right" },
	{ HUB "tunnel: {mtu: -1}\n", 3, 15, "tunnel.mtu: '-1' is not right" },
	{ HUB "tunnel: {mtu: 1500.0}\n", 3, 15, "tunnel.mtu: '1500.0' is not right" },
	{ HUB "tunnel: {mtu: 18446744073709553116}\n", 3, 15,
	  "tunnel.mtu: '18446744073709553116'" },
	{ HUB "tunnel: {mss-clamp: maybe}\n", 3, 21, "'maybe' is not right: expected on or off" },
	{ HUB "tunnel: {copy-dscp: 1}\n", 3, 21, "tunnel.copy-dscp: '1' is not right" },
	{ HUB "tunnel: {compression: lzo}\n", 3, 23, "did you mean 'lz4'?" },
	{ HUB "tunnel: {address: 10.0.0.1/24}\n", 3, 19, "expected a list of addresses" },
	{ HUB "tunnel: {address: [10.0.0.1]}\n", 3, 20,
	  "lacks the length of its network: write '10.0.0.1/24'" },
	{ HUB "tunnel: {address: [10.0.0.1/33]}\n", 3, 20,
	  "tunnel.address: '10.0.0.1/33' is not right" },
	{ HUB "tunnel: {address: [10.0.0.1/0]}\n", 3, 20,
	  "tunnel.address: '10.0.0.1/0' is not right" },
	{ HUB "tunnel: {address: [10.0.0.256/8]}\n", 3, 20,
	  "tunnel.address: '10.0.0.256/8' is not right" },
	{ HUB "tunnel: {address: [\"fd00::1/129\"]}\n", 3, 20, "'fd00::1/129' is not right" },
	{ HUB "tunnel: {address: [10.0.0.1/24, 10.0.0.1/24]}\n", 0, 0,
	  "entries 1 and 2 are the same" },
	{ HUB "tunnel: {mtu: 1200, address: [\"fd00::1/64\"]}\n", 0, 0,
	  "IPv6 addresses need at least 1280" },
	/* identity */
	{ "identity: {}\nlisten: 1\n", 1, 11, "'secret-file' or 'private-key-file' is missing" },
	{ "identity: {secret-file: a, private-key-file: b}\nlisten: 1\n", 1, 28, "not both" },
	{ "identity: {secret-file: ''}\nlisten: 1\n", 1, 25,
	  "identity.secret-file: '' is not right" },
	{ "identity: {secret-file: a, role: server}\nlisten: 1\n", 1, 34,
	  "expected client or hub" },
	{ "identity: {secret-file: a, role: client}\nlisten: 1\n", 0, 0,
	  "a client needs an endpoint" },
	{ ID, 0, 0, "nobody could begin: add 'listen: 8420'" },
	/* listen */
	{ ID "listen: 0\n", 2, 9, "listen: '0' is not right: expected a port, or address:port" },
	{ ID "listen: 65536\n", 2, 9, "listen: '65536' is not right" },
	{ ID "listen: host.example:8420\n", 2, 9, "listen: 'host.example:8420' is not right" },
	{ ID "listen: 192.0.2.1\n", 2, 9, "listen: '192.0.2.1' is not right" },
	{ ID "listen: [8420]\n", 2, 9, "listen: a list cannot be here" },
	/* peers */
	{ HUB "peers: []\n", 3, 8, "peers: the list is empty" },
	{ HUB "peers: {name: a}\n", 3, 8,
	  "peers: a mapping cannot be here: expected a list of peers" },
	{ HUB "peers: [{endpoint: [\"h:1\"]}]\n", 3, 9, "peers[0]: 'name' is missing" },
	{ HUB "peers: [{name: a b}]\n", 3, 16, "peers[0].name: 'a b' is not right" },
	{ HUB "peers: [{name: a}, {name: b}]\n", 3, 20, "does not support more than one peer yet" },
	{ HUB "peers: [{name: a, public-key: " KEY "}]\n", 3, 31, "not with identity.secret-file" },
	{ HUB "peers: [{name: a, preshared-key-file: f}]\n", 3, 39,
	  "not with identity.secret-file" },
	{ "identity: {private-key-file: k}\nlisten: 1\n", 0, 0, "'peers' is missing" },
	{ "identity: {private-key-file: k}\nlisten: 1\npeers: [{name: a}]\n", 3, 9,
	  "peers[0]: 'public-key' is missing: expected 44 characters" },
	{ "identity: {private-key-file: k}\nlisten: 1\npeers: [{name: a, public-key: AAAA}]\n", 3,
	  31, "peers[0].public-key: 'AAAA' is not right: expected 44 characters" },
	{ ID "peers: [{name: a, endpoint: h:1}]\n", 2, 29, "expected a list of host:port" },
	{ ID "peers: [{name: a, endpoint: []}]\n", 2, 29, "the list is empty" },
	{ ID "peers: [{name: a, endpoint: [host]}]\n", 2, 30, "lacks its port: write 'host:8420'" },
	{ ID "peers: [{name: a, endpoint: [\"h:0\"]}]\n", 2, 30,
	  "has a bad port: expected 1 to 65535" },
	{ ID "peers: [{name: a, endpoint: [\"h:65536\"]}]\n", 2, 30, "has a bad port" },
	{ ID "peers: [{name: a, endpoint: [\"h:\"]}]\n", 2, 30, "has a bad port" },
	{ ID "peers: [{name: a, endpoint: [\"::1:5\"]}]\n", 2, 30, "write IPv6 in brackets" },
	{ ID "peers: [{name: a, endpoint: [\"2001:db8::1\"]}]\n", 2, 30, "write IPv6 in brackets" },
	{ ID "peers: [{name: a, endpoint: [\"[2001:db8::1]\"]}]\n", 2, 30, "lacks its port" },
	{ ID "peers: [{name: a, endpoint: [\"[192.0.2.1]:1\"]}]\n", 2, 30,
	  "is not right: expected host:port" },
	{ ID "peers: [{name: a, endpoint: [\"192.0.2.256:1\"]}]\n", 2, 30,
	  "is not right: expected host:port" },
	{ ID "peers: [{name: a, endpoint: [\"a..b:1\"]}]\n", 2, 30,
	  "is not right: expected host:port" },
	{ ID "peers: [{name: a, endpoint: [\"a b:1\"]}]\n", 2, 30,
	  "is not right: expected host:port" },
	{ ID "peers: [{name: a, endpoint: [[2001:db8::1]]}]\n", 2, 30, "write IPv6 in quotes" },
	{ ID "peers: [{name: a, endpoint: [\"h:1\", \"h:1\"]}]\n", 2, 37, "'h:1' is here twice" },
	{ ID
	  "peers: [{name: a, endpoint: ['h:1','h:2','h:3','h:4','h:5','h:6','h:7','h:8','h:9']}]\n",
	  2, 78, "more than 8 endpoints" },
	/* links */
	{ HUB "links: []\n", 3, 8, "links: the list is empty" },
	{ HUB "links:\n- {name: a, interface: x}\n- {name: a, interface: y}\n", 5, 3,
	  "links[1]: two links have the name 'a'" },
	{ HUB "links:\n- {name: a, interface: x}\n- {name: b, interface: x}\n", 5, 3,
	  "link 'b' leaves by the same interface and address as 'a'" },
	{ HUB "links: [{name: a, interface: hw0}]\n", 3, 9, "would leave by the tunnel itself" },
	{ HUB "links: [{name: a, interface: abcdefghijklmnop}]\n", 3, 30, "at most 15 characters" },
	{ HUB "tunnel: {device: \"hw*\"}\n", 3, 18, "tunnel.device: 'hw*' is not right" },
	{ HUB "links: [{name: a, interface: \"wwan[01\"}]\n", 3, 30,
	  "links[0].interface: 'wwan[01' is not right: expected the name of an interface, such as "
	  "eth0, or a pattern" },
	{ HUB "links: [{name: a, interface: \"w[]\"}]\n", 3, 30, "'w[]' is not right" },
	{ HUB "links: [{name: a, interface: \"wwan/*\"}]\n", 3, 30, "'wwan/*' is not right" },
	{ HUB "links:\n- {name: a, interface: \"w*\"}\n- {name: b, interface: \"w*\"}\n", 5, 3,
	  "link 'b' leaves by the same interface and address as 'a'" },
	{ HUB "links: [{name: a, interface: \"*\", use: never}]\n", 3, 9,
	  "every link has 'use: never'" },
	{ HUB "links-exclude: []\n", 3, 16, "links-exclude: the list is empty" },
	{ HUB "links-exclude: docker0\n", 3, 16, "links-exclude: 'docker0' is not right: expected a "
	  "list of interfaces or patterns" },
	{ HUB "links-exclude: [docker0, \"br-[\"]\n", 3, 26, "links-exclude: 'br-[' is not right" },
	{ HUB "links-exclude: [a, b, a]\n", 3, 23, "links-exclude: 'a' is here twice" },
	{ HUB "links-exclude: [a1,a2,a3,a4,a5,a6,a7,a8,a9,b1,b2,b3,b4,b5,b6,b7,b8]\n", 3, 65,
	  "links-exclude: more than 16 patterns" },
	{ HUB "links: [{name: a, interface: eth0}, {name: b, interface: \"w*\"}]\n"
	      "links-exclude: [\"eth*\"]\n", 3, 9,
	  "links[0]: link 'a' is on eth0, which links-exclude leaves out ('eth*')" },
	{ HUB "links: [{name: a, use: never}]\n", 3, 9, "every link has 'use: never'" },
	{ HUB "links: [{name: a, use: allways}]\n", 3, 24, "did you mean 'always'?" },
	{ HUB "links: [{name: a, price: -1}]\n", 3, 26, "links[0].price: '-1' is not right" },
	{ HUB "links: [{name: a, price: 1000001}]\n", 3, 26,
	  "links[0].price: '1000001' is not right" },
	{ HUB "links: [{name: a, mtu: 500}]\n", 3, 24, "links[0].mtu: '500' is not right" },
	{ HUB "links: [{name: a, address: 192.0.2.1/24}]\n", 3, 28,
	  "links[0].address: '192.0.2.1/24'" },
	{ HUB "links: [{name: a, address: 192.0.2.1, endpoint: [\"[2001:db8::1]:1\"]}]\n", 3, 9,
	  "link 'a' has an IPv4 address but only IPv6 endpoints" },
	/* quotas */
	{ HUB "links: [{name: l, quota: 50GB}]\n", 3, 26,
	  "links[0].quota: '50GB' lacks its period: write '50GB/month' or '50GB/day'" },
	{ HUB "links: [{name: l, quota: 50GB/week}]\n", 3, 26,
	  "'50GB/week' is not right: expected an amount per day or month" },
	{ HUB "links: [{name: l, quota: /month}]\n", 3, 26,
	  "'' is not right: expected a number with its unit" },
	{ HUB "links: [{name: l, quota: 50/month}]\n", 3, 26,
	  "'50' is not right: expected a number with its unit" },
	{ HUB "links: [{name: l, quota: 50Gb/month}]\n", 3, 26,
	  "'50Gb' is not right: expected a number with its unit" },
	{ HUB "links: [{name: l, quota: 50kiB/month}]\n", 3, 26,
	  "'50kiB' is not right" },
	{ HUB "links: [{name: l, quota: 50 GB/month}]\n", 3, 26,
	  "'50 GB' is not right" },
	{ HUB "links: [{name: l, quota: 1.GB/month}]\n", 3, 26,
	  "'1.GB' is not right" },
	{ HUB "links: [{name: l, quota: .5GB/month}]\n", 3, 26,
	  "'.5GB' is not right" },
	{ HUB "links: [{name: l, quota: -5GB/month}]\n", 3, 26,
	  "'-5GB' is not right" },
	{ HUB "links: [{name: l, quota: 1.2345GB/month}]\n", 3, 26,
	  "three places after the point" },
	{ HUB "links: [{name: l, quota: 1.5B/month}]\n", 3, 26,
	  "whole bytes" },
	{ HUB "links: [{name: l, quota: 1000001TB/month}]\n", 3, 26,
	  "at most 1000000TB" },
	{ HUB "links: [{name: l, quota: 18446744073709551616B/day}]\n", 3, 26,
	  "at most 1000000TB" },
	/* Longer than any amount, with either period. */
	{ HUB "links: [{name: l, quota: " LONG_AMOUNT "GB/day}]\n", 3, 26,
	  "links[0].quota: '" LONG_AMOUNT_SHOWN },
	{ HUB "links: [{name: l, quota: " LONG_AMOUNT "GB/month}]\n", 3, 26,
	  "links[0].quota: '" LONG_AMOUNT_SHOWN },
	{ HUB "links: [{name: l, quota: 0GB/month}]\n", 3, 26,
	  "a quota of nothing: 'use: never' says that" },
	{ HUB "links: [{name: l, quota: [1GB/month]}]\n", 3, 26,
	  "links[0].quota: a list cannot be here" },
	{ HUB "links: [{name: l, quota: {per: day}}]\n", 3, 26,
	  "links[0].quota: 'bytes' is missing: expected such as 50GB" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, per: week}}]\n", 3, 44,
	  "links[0].quota.per: 'week' is not right: expected day or month" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB/month}}]\n", 3, 34,
	  "links[0].quota.bytes: '1GB/month' is not right" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, day: 32}}]\n", 3, 44,
	  "links[0].quota.day: '32' is not right" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, day: 0}}]\n", 3, 44,
	  "links[0].quota.day: '0' is not right" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, per: day, day: 3}}]\n", 3, 26,
	  "'day' is the day of a month: not with 'per: day'" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, warn: 80}}]\n", 3, 45,
	  "links[0].quota.warn: '80' is not right: expected a whole percentage" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, warn: 100%}}]\n", 3, 45,
	  "links[0].quota.warn: '100%' is not right" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, warn: 0%}}]\n", 3, 45,
	  "links[0].quota.warn: '0%' is not right" },
	{ HUB "links: [{name: l, quota: {bytes: 1GB, wran: 80%}}]\n", 3, 39,
	  "links[0].quota: unknown key 'wran': did you mean 'warn'?" },
	{ HUB "links: [{name: l, metered: perhaps}]\n", 3, 28,
	  "links[0].metered: 'perhaps' is not right: expected on or off" },
	/* the rest */
	{ HUB "suite: aes\n", 3, 8,
	  "suite: 'aes' is not right: expected chacha20-poly1305 or aes-256-gcm" },
	{ HUB "log-level: verbose\n", 3, 12, "expected error, warning, info or debug" },
	{ HUB "session: {replay-window: 512}\n", 3, 26, "'512' is not right: expected a mapping" },
	{ HUB "session: {replay-window: {packets: 65535}}\n", 3, 36,
	  "expected a power of two from 64" },
	{ HUB "session: {replay-window: {packets: 32}}\n", 3, 36,
	  "expected a power of two from 64" },
	{ HUB "session: {replay-window: {packets: 1048576}}\n", 3, 36,
	  "expected a power of two from 64" },
	{ HUB "session: {replay-window: {seconds: 0}}\n", 3, 36,
	  "expected a whole number from 1 to 3600" },
	{ HUB "session: {replay-window: {seconds: 10s}}\n", 3, 36,
	  "expected a whole number from 1 to 3600" },
	{ HUB "session: {rekey-after: 120}\n", 3, 24,
	  "'120' is not right: expected a time from 1s to 1h" },
	{ HUB "session: {rekey-after: 2h}\n", 3, 24, "'2h' is not right" },
	{ HUB "session: {rekey-after: 2 m}\n", 3, 24, "'2 m' is not right" },
	{ HUB "session: {rekey-after: 3m}\n", 3, 10,
	  "reject-after must be later than rekey-after" },
	{ HUB "session: {rekey-packets: 999}\n", 3, 26, "'999' is not right" },
};

static void every_fault_is_named_with_its_place(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct hw_config *config = NULL;
		const struct hw_config_note *note = &report.notes[0];
		int rc = parse(bad[i].text, &config);

		if (rc != HW_E_MALFORMED || report.error_count != 1 || note->line != bad[i].line ||
		    note->column != bad[i].column || strstr(note->text, bad[i].message) == NULL) {
			hw_config_report_print(&report, stdout);
			print_message("case %zu, expected %u:%u '%s' in:\n%s", i, bad[i].line,
				      bad[i].column, bad[i].message, bad[i].text);
			failed++;
		}
		assert_null(config);
	}
	assert_int_equal(failed, 0);
}

/* What editors on other systems leave behind. */
static void byte_order_marks_and_crlf_are_fine(void **state)
{
	struct hw_config *config = NULL;

	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf" ID "listen: 8420\r\nlog-level: debug\r\n", &config),
			 0);
	assert_int_equal(config->log_level, HW_CONFIG_LOG_DEBUG);
	hw_config_free(config);
}

/* Accepted, but worth a word. */
static const struct {
	const char *text;
	uint32_t line, column;
	const char *message;
} doubtful[] = {
	{ HUB "tunnel: {type: tun}\n", 0, 0, "tunnel.address is missing" },
	{ ID "links: [{name: a, endpoint: [\"h:1\"]}]\n", 2, 9, "only one link is used" },
	{ ID "links: [{name: a, endpoint: [\"h:1\"]}, {name: b, interface: x}]\n", 2, 39,
	  "link 'b' has no endpoint" },
	{ ID "tunnel: {address: [10.0.0.1/9]}\npeers: [{name: a, endpoint: [\"10.127.0.9:1\"]}]\n",
	  0, 0, "endpoint 10.127.0.9 lies in the tunnel's own network" },
};

static void doubtful_files_pass_with_a_warning(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(doubtful); i++) {
		struct hw_config *config = NULL;

		assert_int_equal(parse(doubtful[i].text, &config), 0);
		assert_int_equal(report.warning_count, 1);
		assert_int_equal(report.error_count, 0);
		assert_true(report.notes[0].warning);
		assert_int_equal(report.notes[0].line, doubtful[i].line);
		assert_int_equal(report.notes[0].column, doubtful[i].column);
		assert_non_null(strstr(report.notes[0].text, doubtful[i].message));
		hw_config_free(config);
	}
	/* Beside them: just outside of that /9. */
	struct hw_config *config = NULL;

	assert_int_equal(parse(ID "tunnel: {address: [10.0.0.1/9]}\n"
				  "peers: [{name: a, endpoint: [\"10.128.0.9:1\"]}]\n",
			       &config),
			 0);
	assert_int_equal(report.warning_count, 0);
	hw_config_free(config);
}

/* All faults at once, in the order of the file, up to the limit; the rest only counted. */
static void faults_are_gathered(void **state)
{
	struct hw_config *config = NULL;
	char text[4096] = "";
	size_t at = 0;

	(void)state;
	assert_int_equal(parse("tunnel: {mtu: x, type: y}\nlisten: z\n", &config), HW_E_MALFORMED);
	assert_int_equal(report.error_count, 4);
	assert_int_equal(report.notes[0].column, 15);
	assert_int_equal(report.notes[1].column, 24);
	assert_int_equal(report.notes[2].line, 2);
	for (unsigned i = 0; i < HW_CONFIG_MAX_NOTES + 7; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "zzzzzz%u: 1\n", i);
	snprintf(text + at, sizeof(text) - at, HUB);
	assert_int_equal(parse(text, &config), HW_E_MALFORMED);
	assert_int_equal(report.note_count, HW_CONFIG_MAX_NOTES);
	assert_int_equal(report.error_count, HW_CONFIG_MAX_NOTES + 7);
}

static void messages_are_plain_text(void **state)
{
	struct hw_config *config = NULL;

	(void)state;
	assert_int_equal(parse(HUB "log-level: \"\\e[31m\xc3\xa4\"\n", &config), HW_E_MALFORMED);
	assert_non_null(strstr(report.notes[0].text, "'?[31m?"
						     "?'"));
}

/* As many as allowed pass; one more does not. */
static void limits_are_reached(void **state)
{
	struct hw_config *config = NULL;
	char text[4096];

	(void)state;
	for (uint32_t extra = 0; extra <= 1; extra++) {
		size_t at = (size_t)snprintf(text, sizeof(text), HUB "links:\n");

		for (uint32_t i = 0; i < HW_CORE_MAX_LINKS + extra; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       "- {name: l%u, interface: e%u}\n", i, i);
		assert_int_equal(parse(text, &config), extra == 0 ? 0 : HW_E_MALFORMED);
		if (extra == 0)
			hw_config_free(config);
		else
			assert_string_equal(report.notes[0].text, "links[16]: more than 16 links");
	}
	for (uint32_t extra = 0; extra <= 1; extra++) {
		size_t at = (size_t)snprintf(text, sizeof(text), HUB "tunnel:\n  address:\n");

		for (uint32_t i = 0; i < HW_CONFIG_MAX_ADDRESSES + extra; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "  - 10.0.%u.1/24\n",
					       i);
		assert_int_equal(parse(text, &config), extra == 0 ? 0 : HW_E_MALFORMED);
		if (extra == 0)
			hw_config_free(config);
		else
			assert_string_equal(report.notes[0].text,
					    "tunnel.address: more than 16 addresses");
	}
	/* 15 characters are an interface's longest name, 63 a link's. */
	assert_int_equal(parse(HUB "tunnel: {device: abcdefghijklmno}\n", &config), 0);
	hw_config_free(config);
	for (int len = 63; len <= 64; len++) {
		snprintf(text, sizeof(text), HUB "links: [{name: %0*d}]\n", len, 0);
		assert_int_equal(parse(text, &config), len == 63 ? 0 : HW_E_MALFORMED);
		if (len == 63)
			hw_config_free(config);
	}
	/* Fifteen levels of list under the top mapping are 16; the table above has one more. */
	assert_int_equal(parse(HUB "zzz: [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]\n", &config),
			 HW_E_MALFORMED);
	assert_int_equal(report.error_count, 1);
	assert_non_null(strstr(report.notes[0].text, "unknown key 'zzz'"));
}

static void sizes_are_bounded(void **state)
{
	struct hw_config *config = NULL;
	char *text = malloc(HW_CONFIG_MAX_BYTES + 2);

	(void)state;
	assert_non_null(text);
	memset(text, '#', HW_CONFIG_MAX_BYTES + 1);
	memcpy(text, HUB, strlen(HUB));
	text[HW_CONFIG_MAX_BYTES] = '\n';
	assert_int_equal(hw_config_parse(text, HW_CONFIG_MAX_BYTES, "t", &report, &config), 0);
	hw_config_free(config);
	assert_int_equal(hw_config_parse(text, HW_CONFIG_MAX_BYTES + 1, "t", &report, &config),
			 HW_E_MALFORMED);
	assert_string_equal(report.notes[0].text, "the file is larger than 1048576 bytes");
	memset(text, ',', HW_CONFIG_MAX_BYTES);
	for (size_t i = 0; i + 1 < HW_CONFIG_MAX_BYTES; i += 2)
		text[i] = '1';
	memcpy(text, "[ ", 2);
	assert_int_equal(hw_config_parse(text, HW_CONFIG_MAX_BYTES, "t", &report, &config),
			 HW_E_MALFORMED);
	assert_non_null(strstr(report.notes[0].text, "too many values"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_is_named_with_its_place),
		cmocka_unit_test(byte_order_marks_and_crlf_are_fine),
		cmocka_unit_test(doubtful_files_pass_with_a_warning),
		cmocka_unit_test(faults_are_gathered),
		cmocka_unit_test(messages_are_plain_text),
		cmocka_unit_test(limits_are_reached),
		cmocka_unit_test(sizes_are_bounded),
	};

	return cmocka_run_group_tests_name("config_faults", tests, NULL, NULL);
}
