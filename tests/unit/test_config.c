#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/value.h"
#include "crypto/identity.h"
#include "crypto/suite.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define OTHER_KEY "AgIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
#define ID "identity: {secret-file: s}\n"
#define HUB ID "listen: 8420\n"

static struct hw_config_report report;

static int parse(const char *text, struct hw_config **ret_config)
{
	return hw_config_parse(text, strlen(text), "/etc/hawser/t.yaml", &report, ret_config);
}

static void the_least_file_has_every_default(void **state)
{
	struct hw_config *c = NULL;

	(void)state;
	assert_int_equal(parse(HUB, &c), 0);
	assert_int_equal(report.note_count, 0);
	assert_string_equal(c->file, "/etc/hawser/t.yaml");
	assert_string_equal(c->tunnel.device, "hw0");
	assert_true(c->tunnel.layer2);
	assert_int_equal(c->tunnel.mtu, 1500);
	assert_int_equal(c->tunnel.address_count, 0);
	assert_true(c->tunnel.mss_clamp);
	assert_false(c->tunnel.copy_dscp);
	assert_false(c->tunnel.compression);
	assert_true(c->identity.shared_secret);
	assert_string_equal(c->identity.file, "/etc/hawser/s");
	assert_int_equal(c->identity.role, HW_ROLE_HUB);
	assert_false(c->identity.role_given);
	assert_false(c->identity.loaded);
	assert_true(c->listen.given);
	assert_int_equal(c->listen.addr.port, 8420);
	assert_int_equal(c->listen.addr.family, HW_FAMILY_NONE);
	assert_int_equal(c->peer_count, 1);
	assert_string_equal(c->peers[0].name, "peer");
	assert_int_equal(c->link_count, 1);
	assert_false(c->links_given);
	assert_string_equal(c->links[0].name, "any");
	assert_string_equal(c->links[0].interface, "");
	assert_int_equal(c->links[0].price, 1);
	assert_int_equal(c->links[0].use, HW_USE_ALWAYS);
	assert_string_equal(c->mode, "redundant");
	assert_string_equal(c->suite, "chacha20-poly1305");
	assert_int_equal(c->session.replay_packets, 65536);
	assert_true(c->session.replay_time == HW_S(10));
	assert_true(c->session.rekey_after == HW_S(120));
	assert_true(c->session.reject_after == HW_S(180));
	assert_true(c->session.rekey_packets == 0);
	assert_int_equal(c->log_level, HW_CONFIG_LOG_INFO);
	hw_config_free(c);
}

/* The design's sample, less what this version does not support. */
static const char sample[] =
	"# /etc/hawser/van.yaml\n"
	"tunnel:\n"
	"  device: hw7\n"
	"  type: tun                      # or tap\n"
	"  address: [10.88.0.2/24, 'fd00:88::2/64']\n"
	"  mtu: 1400\n"
	"  mss-clamp: off\n"
	"  copy-dscp: on\n"
	"  compression: lz4\n"
	"identity:\n"
	"  private-key-file: /keys/van.key\n"
	"  role: hub\n"
	"listen: 192.0.2.1:8420\n"
	"peers:\n"
	"  - name: hub\n"
	"    public-key: " KEY "\n"
	"    preshared-key-file: psk\n"
	"    endpoint: [vpn.example.net:8420, \"[2001:db8::1]:8421\"]\n"
	"links:\n"
	"  - {name: dsl, interface: eth0}\n"
	"  - {name: radio, interface: wlan0, endpoint: [192.0.2.9:8420], mtu: 1420}\n"
	"  - {name: lte, address: 198.51.100.7, price: 2, use: backup, quota: 1.5GB/day}\n"
	"policy: {mode: backup}\n"
	"suite: aes-256-gcm\n"
	"session:\n"
	"  replay-window: {packets: 512, seconds: 10}\n"
	"  rekey-after: 90s\n"
	"  reject-after: 2m\n"
	"  rekey-packets: 1000000\n"
	"log-level: debug\n";

static void check_sample_links(const struct hw_config *c)
{
	assert_int_equal(c->link_count, 3);
	assert_true(c->links_given);
	assert_string_equal(c->links[0].name, "dsl");
	assert_string_equal(c->links[0].interface, "eth0");
	assert_int_equal(c->links[0].endpoint_count, 0);
	assert_int_equal(c->links[0].mtu, 0);
	assert_int_equal(c->links[0].price, 1);
	assert_string_equal(c->links[1].interface, "wlan0");
	assert_int_equal(c->links[1].endpoint_count, 1);
	assert_string_equal(c->links[1].endpoints[0].host, "192.0.2.9");
	assert_int_equal(c->links[1].endpoints[0].addr.family, HW_FAMILY_IPV4);
	assert_int_equal(c->links[1].endpoints[0].addr.port, 8420);
	assert_int_equal(c->links[1].mtu, 1420);
	assert_string_equal(c->links[2].interface, "");
	assert_memory_equal(c->links[2].address.ip, "\xc6\x33\x64\x07", 4);
	assert_int_equal(c->links[2].price, 2);
	assert_int_equal(c->links[2].use, HW_USE_BACKUP);
	assert_int_equal(c->links[0].quota.bytes, 0);
	assert_false(hw_config_link_metered(&c->links[0]));
	assert_int_equal(c->links[2].quota.bytes, 1500000000);
	assert_int_equal(c->links[2].quota.per, HW_PERIOD_DAY);
	assert_int_equal(c->links[2].quota.warn_percent, 80);
	assert_true(hw_config_link_metered(&c->links[2]));
}

static void quotas_have_units_and_periods(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		enum hw_config_period per;
		uint32_t first_day, warn_percent;
	} good[] = {
		{ "50GB/month", UINT64_C(50000000000), HW_PERIOD_MONTH, 1, 80 },
		{ "500MB/day", 500000000, HW_PERIOD_DAY, 1, 80 },
		{ "1B/day", 1, HW_PERIOD_DAY, 1, 80 },
		{ "7kB/day", 7000, HW_PERIOD_DAY, 1, 80 },
		{ "7KB/day", 7000, HW_PERIOD_DAY, 1, 80 },
		{ "2KiB/day", 2048, HW_PERIOD_DAY, 1, 80 },
		{ "3MiB/month", 3 * 1048576, HW_PERIOD_MONTH, 1, 80 },
		{ "50GiB/month", UINT64_C(53687091200), HW_PERIOD_MONTH, 1, 80 },
		{ "1TiB/month", UINT64_C(1) << 40, HW_PERIOD_MONTH, 1, 80 },
		{ "2.5TB/month", UINT64_C(2500000000000), HW_PERIOD_MONTH, 1, 80 },
		{ "0.125KiB/day", 128, HW_PERIOD_DAY, 1, 80 },
		{ "1000000TB/month", UINT64_C(1000000000000000000), HW_PERIOD_MONTH, 1, 80 },
		{ "999999999999999999B/day", UINT64_C(999999999999999999), HW_PERIOD_DAY, 1, 80 },
		{ "{bytes: 50GB}", UINT64_C(50000000000), HW_PERIOD_MONTH, 1, 80 },
		{ "{bytes: 1MB, per: day, warn: 99%}", 1000000, HW_PERIOD_DAY, 1, 99 },
		{ "{warn: 1%, day: 31, bytes: 1MB, per: month}", 1000000, HW_PERIOD_MONTH, 31, 1 },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct hw_config_quota *quota;
		struct hw_config *c = NULL;

		snprintf(text, sizeof(text),
			 "identity: {secret-file: s}\nlisten: 1\nlinks: [{name: l, quota: %s}]\n",
			 good[i].text);
		assert_int_equal(parse(text, &c), 0);
		quota = &c->links[0].quota;
		assert_true(quota->bytes == good[i].bytes);
		assert_int_equal(quota->per, good[i].per);
		assert_int_equal(quota->first_day, good[i].first_day);
		assert_int_equal(quota->warn_percent, good[i].warn_percent);
		hw_config_free(c);
	}
}

static void what_is_metered_follows_from_price_and_quota(void **state)
{
	static const struct {
		const char *keys;
		bool metered;
	} links[] = {
		{ "", false },
		{ ", price: 0", false },
		{ ", price: 1", false },
		{ ", price: 2", true },
		{ ", quota: 1GB/day", true },
		{ ", metered: on", true },
		{ ", price: 2, metered: off", false },
		{ ", quota: 1GB/day, metered: off", false },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct hw_config *c = NULL;

		snprintf(text, sizeof(text),
			 "identity: {secret-file: s}\nlisten: 1\nlinks: [{name: l%s}]\n",
			 links[i].keys);
		assert_int_equal(parse(text, &c), 0);
		assert_int_equal(hw_config_link_metered(&c->links[0]), links[i].metered);
		hw_config_free(c);
	}
}

static void amounts_are_shown_in_three_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} amounts[] = {
		{ 0, "0 B" }, { 999, "999 B" }, { 1000, "1.00 kB" }, { 9994, "9.99 kB" },
		{ 9996, "10.0 kB" }, { 99960, "100 kB" }, { 999499, "999 kB" },
		{ 999500, "1.00 MB" }, { UINT64_C(53687091200), "53.7 GB" },
		{ UINT64_MAX, "18.4 EB" },
	};
	char text[HW_VALUE_BYTES_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		assert_string_equal(hw_value_bytes_text(amounts[i].bytes, text), amounts[i].text);
}

static void the_whole_sample_is_understood(void **state)
{
	struct hw_config *c = NULL;

	(void)state;
	assert_int_equal(parse(sample, &c), 0);
	assert_int_equal(report.note_count, 0);
	assert_string_equal(c->tunnel.device, "hw7");
	assert_false(c->tunnel.layer2);
	assert_int_equal(c->tunnel.address_count, 2);
	assert_memory_equal(c->tunnel.addresses[0].addr.ip, "\x0a\x58\x00\x02", 4);
	assert_int_equal(c->tunnel.addresses[0].bits, 24);
	assert_int_equal(c->tunnel.addresses[1].addr.family, HW_FAMILY_IPV6);
	assert_int_equal(c->tunnel.addresses[1].bits, 64);
	assert_int_equal(c->tunnel.mtu, 1400);
	assert_false(c->tunnel.mss_clamp);
	assert_true(c->tunnel.copy_dscp);
	assert_true(c->tunnel.compression);
	assert_false(c->identity.shared_secret);
	assert_string_equal(c->identity.file, "/keys/van.key");
	assert_int_equal(c->identity.role, HW_ROLE_HUB);
	assert_true(c->identity.role_given);
	assert_int_equal(c->listen.addr.family, HW_FAMILY_IPV4);
	assert_int_equal(c->listen.addr.port, 8420);
	assert_int_equal(c->peer_count, 1);
	assert_string_equal(c->peers[0].name, "hub");
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(c->peers[0].public_key[i], i + 1);
	assert_string_equal(c->peers[0].preshared_key_file, "/etc/hawser/psk");
	assert_int_equal(c->peers[0].endpoint_count, 2);
	assert_string_equal(c->peers[0].endpoints[0].host, "vpn.example.net");
	assert_int_equal(c->peers[0].endpoints[0].addr.family, HW_FAMILY_NONE);
	assert_int_equal(c->peers[0].endpoints[0].port, 8420);
	assert_string_equal(c->peers[0].endpoints[1].host, "2001:db8::1");
	assert_int_equal(c->peers[0].endpoints[1].addr.port, 8421);
	check_sample_links(c);
	assert_string_equal(c->mode, "backup");
	assert_string_equal(c->suite, "aes-256-gcm");
	assert_int_equal(c->session.replay_packets, 512);
	assert_true(c->session.rekey_after == HW_S(90));
	assert_true(c->session.reject_after == HW_S(120));
	assert_true(c->session.rekey_packets == 1000000);
	assert_int_equal(c->log_level, HW_CONFIG_LOG_DEBUG);
	hw_config_free(c);
}

static void an_endpoint_makes_a_client(void **state)
{
	static const char *const clients[] = {
		ID "peers: [{name: h, endpoint: [\"h:1\"]}]\n",
		ID "links: [{name: l, endpoint: [\"h:1\"]}]\n",
		"identity: {secret-file: s, role: client}\nlinks: [{name: l, endpoint: ['h:1']}]\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		struct hw_config *config = NULL;

		assert_int_equal(parse(clients[i], &config), 0);
		assert_int_equal(config->identity.role, HW_ROLE_CLIENT);
		assert_false(config->listen.given);
		hw_config_free(config);
	}
}

static void endpoints_take_names_and_both_families(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *host;
		uint16_t port;
		uint8_t family;
	} cases[] = {
		{ "a.example:1", 0, "a.example", 1, HW_FAMILY_NONE },
		{ "a_b-c:65535", 0, "a_b-c", 65535, HW_FAMILY_NONE },
		{ "192.0.2.1:80", 0, "192.0.2.1", 80, HW_FAMILY_IPV4 },
		{ "[::1]:80", 0, "::1", 80, HW_FAMILY_IPV6 },
		{ "[fe80::1%eth0]:80", 0, "fe80::1%eth0", 80, HW_FAMILY_NONE },
		{ "[fe80::1%]:80", HW_E_MALFORMED },
		{ "[]:80", HW_E_MALFORMED },
		{ "[::1:80", HW_E_INVAL },
		{ ":80", HW_E_MALFORMED },
		{ "-a:80", HW_E_MALFORMED },
		{ "1.2.3:80", HW_E_MALFORMED },
		{ "h:+1", HW_E_LIMIT },
		{ "h: 1", HW_E_LIMIT },
		{ "h", HW_E_NOT_FOUND },
		{ "", HW_E_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hw_config_endpoint e = { 0 };

		assert_int_equal(hw_value_endpoint(cases[i].text, &e), cases[i].rc);
		if (cases[i].rc != 0)
			continue;
		assert_string_equal(e.host, cases[i].host);
		assert_int_equal(e.port, cases[i].port);
		assert_int_equal(e.addr.family, cases[i].family);
	}
}

static void durations_have_units(void **state)
{
	hw_time t = 7;

	(void)state;
	assert_int_equal(hw_value_duration("200ms", &t), 0);
	assert_true(t == HW_MS(200));
	assert_int_equal(hw_value_duration("5us", &t), 0);
	assert_true(t == 5000);
	assert_int_equal(hw_value_duration("2m", &t), 0);
	assert_true(t == HW_S(120));
	assert_int_equal(hw_value_duration("1h", &t), 0);
	assert_true(t == HW_S(3600));
	assert_int_equal(hw_value_duration("s", &t), HW_E_MALFORMED);
	assert_int_equal(hw_value_duration("10", &t), HW_E_MALFORMED);
	assert_int_equal(hw_value_duration("10 s", &t), HW_E_MALFORMED);
	assert_int_equal(hw_value_duration("-1s", &t), HW_E_MALFORMED);
	assert_int_equal(hw_value_duration("1.5s", &t), HW_E_MALFORMED);
	assert_int_equal(hw_value_duration("18446744074s", &t), HW_E_LIMIT);
	assert_int_equal(hw_value_duration("99999999999999999999999999s", &t), HW_E_LIMIT);
	assert_true(t == HW_S(3600));
}

static void nearest_means_what_was_meant(void **state)
{
	static const char *const known[] = { "tunnel", "type", "endpoint", "mtu" };

	(void)state;
	assert_string_equal(hw_config_nearest("tunel", known, 4), "tunnel");
	assert_string_equal(hw_config_nearest("tpye", known, 4), "type");
	assert_string_equal(hw_config_nearest("endpoints", known, 4), "endpoint");
	assert_string_equal(hw_config_nearest("mtuu", known, 4), "mtu");
	assert_null(hw_config_nearest("zzz", known, 4));
	assert_null(hw_config_nearest("x", known, 4));
	assert_null(hw_config_nearest("", known, 4));
	assert_null(hw_config_nearest("a word that is far longer than any key could ever be", known,
				      4));
}

static char secret_path[64];

static void write_secret(const char *content, mode_t mode)
{
	int fd = open(secret_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void secrets_are_read_only_if_private(void **state)
{
	static const mode_t refused[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666 };
	char problem[HW_CONFIG_PROBLEM_BYTES] = "";
	uint8_t key[32] = { 0 };

	(void)state;
	snprintf(secret_path, sizeof(secret_path), "/tmp/hw-test-config-%ld", (long)getpid());
	write_secret(KEY "\n", 0600);
	assert_int_equal(hw_config_read_secret(secret_path, key, problem), 0);
	assert_int_equal(key[31], 32);
	write_secret(KEY, 0400);
	assert_int_equal(hw_config_read_secret(secret_path, key, problem), 0);
	for (size_t i = 0; i < COUNT(refused); i++) {
		uint8_t untouched[32] = { 0 }, zero[32] = { 0 };

		chmod(secret_path, 0600);
		write_secret(KEY "\n", refused[i]);
		assert_int_equal(hw_config_read_secret(secret_path, untouched, problem), HW_E_AUTH);
		assert_non_null(strstr(problem, "type 'chmod 600 /tmp/hw-test-config-"));
		assert_memory_equal(untouched, zero, 32);
	}
	chmod(secret_path, 0600);
	unlink(secret_path);
}

static void the_tunnel_may_follow_its_links(void **state)
{
	static const char *const texts[] = {
		"tunnel: {mtu: auto}\n",
		"tunnel: {mtu: auto, address: [\"fd00::1/64\"]}\n",
		"tunnel: {mtu: 1500}\n",
	};
	static const struct {
		bool automatic;
		uint32_t least;
	} expected[] = { { true, 576 }, { true, 1280 }, { false, 576 } };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct hw_config_core core;
		struct hw_config *c = NULL;
		char text[512];

		snprintf(text, sizeof(text), "%s%s", HUB, texts[i]);
		assert_int_equal(parse(text, &c), 0);
		memset(c->identity.bytes, 7, sizeof(c->identity.bytes));
		c->identity.loaded = true;
		assert_int_equal(c->tunnel.mtu, 1500);
		assert_int_equal(hw_config_core(c, &core), 0);
		assert_int_equal(core.core.tunnel_mtu, 1500);
		assert_int_equal(core.core.tunnel_mtu_auto, expected[i].automatic);
		assert_int_equal(core.core.tunnel_mtu_least, expected[i].least);
		hw_config_free(c);
	}
}

static void secrets_must_be_exactly_one_key(void **state)
{
	static const char twice[] = KEY KEY, led[] = " " KEY, followed[] = KEY " ";
	static const char two_lines[] = KEY "\n\n";
	static const char *const wrong[] = {
		"",
		"\n",
		two_lines,
		twice,
		followed,
		led,
		"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n",
	};
	char problem[HW_CONFIG_PROBLEM_BYTES] = "";
	uint8_t key[32];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		write_secret(wrong[i], 0600);
		assert_int_equal(hw_config_read_secret(secret_path, key, problem), HW_E_MALFORMED);
		assert_non_null(strstr(problem, "does not hold a key"));
	}
	unlink(secret_path);
	assert_int_equal(hw_config_read_secret(secret_path, key, problem), HW_E_SYSTEM);
	assert_non_null(strstr(problem, "No such file"));
	assert_int_equal(mkfifo(secret_path, 0600), 0);
	assert_int_equal(hw_config_read_secret(secret_path, key, problem), HW_E_MALFORMED);
	assert_non_null(strstr(problem, "not a regular file"));
	unlink(secret_path);
}

/* A file on disk beside a secret, loaded. */
static struct hw_config *load(const char *text)
{
	struct hw_config *config = NULL;
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "%s.yaml", secret_path);
	write_secret(KEY "\n", 0600);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, text, secret_path, OTHER_KEY);
	fclose(file);
	assert_int_equal(hw_config_load(path, &report, &config), 0);
	assert_true(config->identity.loaded);
	unlink(path);
	unlink(secret_path);
	return config;
}

static void a_shared_secret_gives_matching_keys(void **state)
{
	static struct hw_config_core client, hub;
	struct hw_config *c =
		load("identity: {secret-file: %s}\npeers: [{name: h, endpoint: ['h:1']}]\n");
	struct hw_config *h = load("identity: {secret-file: %s}\nlisten: 8420\n");
	const uint8_t zero[32] = { 0 };
	uint8_t public_key[32];

	(void)state;
	assert_int_equal(hw_config_core(c, &client), 0);
	assert_int_equal(hw_config_core(h, &hub), 0);
	assert_memory_not_equal(client.core.private_key, hub.core.private_key, 32);
	assert_int_equal(hw_identity_public(client.core.private_key, public_key), 0);
	assert_memory_equal(public_key, hub.peers[0].public_key, 32);
	assert_int_equal(hw_identity_public(hub.core.private_key, public_key), 0);
	assert_memory_equal(public_key, client.peers[0].public_key, 32);
	assert_memory_equal(client.peers[0].psk, hub.peers[0].psk, 32);
	assert_memory_not_equal(client.peers[0].psk, zero, 32);
	assert_ptr_equal(hub.core.peers, hub.peers);
	assert_int_equal(hub.core.peer_count, 1);
	assert_string_equal(hub.peers[0].name, "peer");
	assert_int_equal(hub.core.link_count, 0);
	hw_config_free(c);
	hw_config_free(h);
}

static void the_core_gets_what_the_file_says(void **state)
{
	static struct hw_config_core core;
	struct hw_config *c = load(
		"identity: {private-key-file: %s}\nlisten: 1\n"
		"peers: [{name: p, public-key: %s}]\n"
		"tunnel: {type: tun, mtu: 1300, mss-clamp: off, copy-dscp: on, compression: lz4, "
		"address: [10.0.0.1/24]}\n"
		"links: [{name: a, interface: e, use: backup, price: 7}, {name: b}]\n"
		"policy: {mode: backup}\nsuite: aes-256-gcm\n"
		"session: {replay-window: {packets: 128, seconds: 3}, rekey-after: 30s, "
		"reject-after: 40s, rekey-packets: 5000}\n");

	(void)state;
	assert_int_equal(hw_config_core(c, &core), 0);
	assert_string_equal(core.core.strategy->name, "backup");
	assert_string_equal(core.core.suite->name, "aes-256-gcm");
	assert_false(core.core.layer2);
	assert_int_equal(core.core.tunnel_mtu, 1300);
	assert_false(core.core.mss_clamp);
	assert_true(core.core.copy_dscp);
	assert_true(core.core.compression);
	assert_int_equal(core.core.replay_packets, 128);
	assert_true(core.core.replay_time == HW_S(3));
	assert_true(core.core.rekey_after == HW_S(30));
	assert_true(core.core.reject_after == HW_S(40));
	assert_true(core.core.rekey_packets == 5000);
	/* Links come to the core at run time. */
	assert_int_equal(core.core.link_count, 0);
	for (uint8_t i = 0; i < 32; i++)
		assert_int_equal(core.core.private_key[i], i + 1);
	assert_memory_equal(core.peers[0].public_key, c->peers[0].public_key, 32);
	/* What this build lacks, and what has not been loaded, is refused. */
	strcpy(c->mode, "coded");
	assert_int_equal(hw_config_core(c, &core), HW_E_UNSUPPORTED);
	strcpy(c->mode, "redundant");
	strcpy(c->suite, "none");
	assert_int_equal(hw_config_core(c, &core), HW_E_UNSUPPORTED);
	c->identity.loaded = false;
	assert_int_equal(hw_config_core(c, &core), HW_E_STATE);
	hw_config_free(c);
}

/* No strategy or suite is built that a file cannot name. */
static void every_mode_and_suite_can_be_named(void **state)
{
	struct hw_config *config = NULL;
	char text[128];
	size_t modes = 0, suites = 0;

	(void)state;
	for (; hw_strategy_at(modes) != NULL; modes++) {
		snprintf(text, sizeof(text), HUB "policy: {mode: %s}\n",
			 hw_strategy_at(modes)->name);
		assert_int_equal(parse(text, &config), 0);
		hw_config_free(config);
	}
	for (; hw_suite_at(suites) != NULL; suites++) {
		snprintf(text, sizeof(text), HUB "suite: %s\n", hw_suite_at(suites)->name);
		assert_int_equal(parse(text, &config), 0);
		hw_config_free(config);
	}
	assert_int_equal(modes, 2);
	assert_int_equal(suites, 2);
	assert_int_equal(parse(HUB, &config), 0);
	assert_string_equal(config->suite, hw_suite_at(0)->name);
	hw_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_file_has_every_default),
		cmocka_unit_test(the_whole_sample_is_understood),
		cmocka_unit_test(quotas_have_units_and_periods),
		cmocka_unit_test(what_is_metered_follows_from_price_and_quota),
		cmocka_unit_test(amounts_are_shown_in_three_digits),
		cmocka_unit_test(an_endpoint_makes_a_client),
		cmocka_unit_test(endpoints_take_names_and_both_families),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(nearest_means_what_was_meant),
		cmocka_unit_test(secrets_are_read_only_if_private),
		cmocka_unit_test(the_tunnel_may_follow_its_links),
		cmocka_unit_test(secrets_must_be_exactly_one_key),
		cmocka_unit_test(a_shared_secret_gives_matching_keys),
		cmocka_unit_test(the_core_gets_what_the_file_says),
		cmocka_unit_test(every_mode_and_suite_can_be_named),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
