/*
 * Which links a host should have, as tables: what the network looks like and what the configuration
 * says on one side, the links on the other. No kernel is asked.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"
#include "daemon/discover.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLIENT "identity: {secret-file: s}\npeers: [{name: hub, endpoint: [\"192.0.2.9:8420\"]}]\n"
#define CLIENT6 "identity: {secret-file: s}\npeers: [{name: hub, endpoint: [\"[2001:db8::9]:8420\"]}]\n"
#define CLIENTS \
	"identity: {secret-file: s}\n" \
	"peers: [{name: hub, endpoint: [\"192.0.2.9:8420\", \"[2001:db8::9]:8420\"]}]\n"
#define NAMED "identity: {secret-file: s}\npeers: [{name: hub, endpoint: [\"hub.test:8420\"]}]\n"
#define HUB "identity: {secret-file: s}\nlisten: 8420\n"

static struct hw_addr addr(const char *text)
{
	struct hw_addr result = {0};

	assert_int_equal(hw_value_addr(text, &result), 0);
	return result;
}

static void take(struct hw_picture *picture, enum hw_netlink_what what,
		 const struct hw_netlink_news *given)
{
	struct hw_netlink_news news = *given;

	news.what = what;
	(void)hw_picture_take(picture, &news);
}

/*
 * A network in words, one line for each thing:
 *   "3 eth0"                 interface 3, up, with a carrier; more words: down, nocarrier, lo,
 *                            port=2, kind=tun, hawser, mtu=1400
 *   "3 = 192.0.2.5/24"       its address; more words: tentative
 *   "3 -> 0.0.0.0/0"         its route
 */
static void interface_line(struct hw_picture *picture, uint32_t index, const char *words)
{
	struct hw_netlink_news news = {0};
	struct hw_interface *interface = &news.interface;
	char word[64];
	int used;

	*interface = (struct hw_interface){.index = index, .mtu_bytes = 1500, .up = true,
					   .running = true};
	assert_int_equal(sscanf(words, "%15s%n", interface->name, &used), 1);
	for (words += used; sscanf(words, "%63s%n", word, &used) == 1; words += used) {
		if (strcmp(word, "down") == 0)
			interface->up = interface->running = false;
		else if (strcmp(word, "nocarrier") == 0)
			interface->running = false;
		else if (strcmp(word, "lo") == 0)
			interface->loopback = true;
		else if (strcmp(word, "hawser") == 0)
			interface->tunnel = true;
		else if (strncmp(word, "port=", 5) == 0)
			interface->master = (uint32_t)atoi(word + 5);
		else if (strncmp(word, "mtu=", 4) == 0)
			interface->mtu_bytes = (uint32_t)atoi(word + 4);
		else if (strncmp(word, "kind=", 5) == 0)
			(void)sscanf(word + 5, "%15s", interface->kind);
		else
			fail_msg("%s", word);
	}
	take(picture, HW_NETLINK_INTERFACE, &news);
}

static void line(struct hw_picture *picture, const char *text)
{
	char what[8] = "", value[64] = "", flag[16] = "";
	struct hw_netlink_news news = {0};
	struct hw_addr *to = &news.address.addr;
	uint32_t index;
	unsigned bits;
	int used;

	assert_int_equal(sscanf(text, "%u %n", &index, &used), 1);
	if (sscanf(text + used, "%7s %63[^/]/%u %15s", what, value, &bits, flag) < 3 ||
	    (strcmp(what, "=") != 0 && strcmp(what, "->") != 0)) {
		interface_line(picture, index, text + used);
		return;
	}
	if (strcmp(what, "->") == 0)
		to = &news.route.to;
	*to = addr(value);
	news.address.index = news.route.index = index;
	news.address.bits = news.route.bits = (uint8_t)bits;
	news.address.usable = strcmp(flag, "tentative") != 0;
	if (to == &news.address.addr && to->family == HW_FAMILY_IPV6 && to->ip[0] == 0xfe)
		to->scope = index;
	take(picture, strcmp(what, "=") == 0 ? HW_NETLINK_ADDRESS : HW_NETLINK_ROUTE, &news);
}

static void draw(struct hw_picture *picture, const struct hw_config *config, const char *const *lines)
{
	struct hw_addr endpoints[HW_CORE_MAX_ENDPOINTS];
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->peers[0].endpoint_count; i++) {
		if (config->peers[0].endpoints[i].addr.family != HW_FAMILY_NONE)
			endpoints[count++] = config->peers[0].endpoints[i].addr;
	}
	hw_picture_set_endpoints(picture, endpoints, count);
	for (; *lines; lines++)
		line(picture, *lines);
}

static struct hw_config *parsed(const char *text)
{
	static struct hw_config_report report;
	struct hw_config *config = NULL;
	int err = hw_config_parse(text, strlen(text), "t.yaml", &report, &config);

	if (err != 0)
		hw_config_report_print(&report, stdout);
	assert_int_equal(err, 0);
	return config;
}

static struct hw_discover_answer answer;

static void discover_held(const struct hw_config *config, const struct hw_picture *picture,
			  const struct hw_discover_held *held, size_t held_count)
{
	static struct hw_addr addrs[HW_CORE_MAX_LINKS][HW_CORE_MAX_ENDPOINTS];
	struct hw_discover_question question = {.config = config, .picture = picture,
						.tunnel = "hw0", .held = held,
						.held_count = held_count};

	for (uint32_t i = 0; i < config->link_count; i++) {
		const struct hw_config_link *rule = &config->links[i];
		bool own = rule->endpoint_count > 0;
		const struct hw_config_endpoint *list = own ? rule->endpoints
							    : config->peers[0].endpoints;
		uint32_t count = own ? rule->endpoint_count : config->peers[0].endpoint_count;

		for (uint32_t j = 0; j < count; j++) {
			if (list[j].addr.family != HW_FAMILY_NONE)
				addrs[i][question.endpoint_counts[i]++] = list[j].addr;
		}
		question.endpoints[i] = addrs[i];
		question.expects_endpoints[i] = count > 0 && question.endpoint_counts[i] == 0;
	}
	hw_discover(&question, &answer);
}

/* "name@interface", with the reason's number where it is not usable: "dsl@eth0!2". */
static const char *as_text(void)
{
	static char text[1024];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < answer.link_count; i++) {
		const struct hw_discover_link *link = &answer.links[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s@%s", len ? " " : "",
					link->name, link->interface);
		if (link->reason != HW_DISCOVER_USABLE)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "!%d",
						(int)link->reason);
	}
	return text;
}

#define ETH "2 eth0", "2 = 10.0.0.5/24", "2 -> 0.0.0.0/0"
#define LTE "3 wwan0", "3 = 100.64.0.7/30", "3 -> 0.0.0.0/0"
#define LTE2 "4 wwan1", "4 = 100.65.0.7/30", "4 -> 0.0.0.0/0"
#define LO "1 lo lo", "1 = 127.0.0.1/8"

struct world {
	const char *what;
	const char *config;
	const char *lines[24];
	const char *links;
};

static const struct world worlds[] = {
	/* interfaces by name */
	{ "a named link is there before its interface",
	  CLIENT "links: [{name: dsl, interface: eth0}]\n", { LO }, "dsl@eth0!1" },
	{ "usable", CLIENT "links: [{name: dsl, interface: eth0}]\n", { LO, ETH }, "dsl@eth0" },
	{ "taken down", CLIENT "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0 down", "2 = 10.0.0.5/24" }, "dsl@eth0!2" },
	{ "no carrier", CLIENT "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0 nocarrier", "2 = 10.0.0.5/24" }, "dsl@eth0!3" },
	{ "no address", CLIENT "links: [{name: dsl, interface: eth0}]\n", { "2 eth0" }, "dsl@eth0!4" },
	{ "an address that another host may have", CLIENT6 "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = 2001:db8:1::5/64 tentative" }, "dsl@eth0!4" },
	{ "a named link needs no route that is known", CLIENT "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = 10.0.0.5/24" }, "dsl@eth0" },
	{ "another device of Hawser's", CLIENT "links: [{name: dsl, interface: hw1}]\n",
	  { "2 hw1 kind=tun hawser", "2 = 10.0.0.5/24" }, "dsl@hw1!7" },
	{ "a tunnel of another kind that is named", CLIENT "links: [{name: v, interface: tun5}]\n",
	  { "2 tun5 kind=tun", "2 = 10.0.0.5/24" }, "v@tun5" },
	{ "never used, and yet there", CLIENT
	  "links: [{name: a, interface: eth0}, {name: b, interface: wwan0, use: never}]\n",
	  { ETH, LTE }, "a@eth0 b@wwan0" },
	/* families */
	{ "the wrong family", CLIENT6 "links: [{name: dsl, interface: eth0}]\n", { ETH }, "dsl@eth0!4" },
	{ "link-local alone reaches nobody far", CLIENT6 "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = fe80::5/64" }, "dsl@eth0!4" },
	{ "nor does 169.254", CLIENT "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = 169.254.9.9/16" }, "dsl@eth0!4" },
	{ "one of two families will do", CLIENTS "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = 2001:db8:1::5/64" }, "dsl@eth0" },
	{ "who listens can be called at any address", HUB "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = fe80::5/64" }, "dsl@eth0" },
	{ "but at one", HUB "links: [{name: dsl, interface: eth0}]\n", { "2 eth0" }, "dsl@eth0!4" },
	{ "no names known yet, an address is enough", NAMED "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = 10.0.0.5/24" }, "dsl@eth0" },
	{ "but a far-reaching one", NAMED "links: [{name: dsl, interface: eth0}]\n",
	  { "2 eth0", "2 = fe80::5/64" }, "dsl@eth0!4" },
	/* patterns */
	{ "a pattern without an interface", CLIENT "links: [{name: lte, interface: \"wwan*\"}]\n",
	  { LO, ETH }, "" },
	{ "with two", CLIENT "links: [{name: lte, interface: \"wwan*\"}]\n", { ETH, LTE, LTE2 },
	  "lte/wwan0@wwan0 lte/wwan1@wwan1" },
	{ "one of them not usable yet", CLIENT "links: [{name: lte, interface: \"wwan*\"}]\n",
	  { LTE, "4 wwan1" }, "lte/wwan0@wwan0" },
	{ "a pattern needs no route that is known", CLIENT "links: [{name: l, interface: \"w*\"}]\n",
	  { "3 wwan0", "3 = 100.64.0.7/30" }, "l/wwan0@wwan0" },
	{ "what patterns pass over", CLIENT "links: [{name: l, interface: \"*\"}]\n",
	  { "1 lo lo", "1 = 10.9.9.9/8", "2 hw0 kind=tun", "2 = 10.0.2.5/24", "3 hw1 kind=tun hawser",
	    "3 = 10.0.3.5/24", "4 br0 kind=bridge", "4 = 10.0.4.5/24", "5 eth0 port=4",
	    "5 = 10.0.5.5/24", "6 tun0 kind=tun", "6 = 10.0.6.5/24" }, "l/br0@br0 l/tun0@tun0" },
	{ "what is excluded", CLIENT
	  "links: [{name: l, interface: \"*\"}]\nlinks-exclude: [docker0, \"veth*\"]\n",
	  { ETH, "3 docker0 kind=bridge", "3 = 172.17.0.1/16", "4 veth9f kind=veth",
	    "4 = 10.0.4.5/24" }, "l/eth0@eth0" },
	{ "the first that means it has it", CLIENT
	  "links: [{name: main, interface: wwan0}, {name: lte, interface: \"wwan*\"}]\n", { LTE, LTE2 },
	  "main@wwan0 lte/wwan1@wwan1" },
	{ "also when that is the pattern", CLIENT
	  "links: [{name: lte, interface: \"wwan*\"}, {name: main, interface: wwan0}]\n", { LTE, LTE2 },
	  "lte/wwan0@wwan0 lte/wwan1@wwan1 main@wwan0!8" },
	{ "a pattern that is never used keeps others off", CLIENT
	  "links: [{name: no, interface: \"wwan1\", use: never}, {name: l, interface: \"*\"}]\n",
	  { ETH, LTE, LTE2 }, "no@wwan1 l/eth0@eth0 l/wwan0@wwan0" },
	{ "and takes no place", CLIENT
	  "links: [{name: no, interface: \"ww*\", use: never}, {name: l, interface: \"*\"}]\n",
	  { ETH, LTE, LTE2 }, "l/eth0@eth0" },
	/* addresses */
	{ "by address", CLIENT "links: [{name: a, address: 100.64.0.7}]\n", { ETH, LTE }, "a@wwan0" },
	{ "which is not there", CLIENT "links: [{name: a, address: 100.64.0.8}]\n", { ETH, LTE }, "a@!6" },
	{ "by address and interface", CLIENT
	  "links: [{name: a, interface: wwan0, address: 100.64.0.7}]\n", { ETH, LTE }, "a@wwan0" },
	{ "which has another", CLIENT "links: [{name: a, interface: eth0, address: 100.64.0.7}]\n",
	  { ETH, LTE }, "a@eth0!6" },
	{ "two addresses, two links", CLIENT
	  "links: [{name: a, interface: eth0, address: 10.0.0.5}, "
	  "{name: b, interface: eth0, address: 10.0.0.6}]\n", { ETH, "2 = 10.0.0.6/24" },
	  "a@eth0 b@eth0" },
	{ "the same address on two interfaces", CLIENT
	  "links: [{name: a, interface: eth0, address: 10.0.0.5}, "
	  "{name: b, interface: eth1, address: 10.0.0.5}]\n",
	  { ETH, "3 eth1", "3 = 10.0.0.5/24" }, "a@eth0 b@eth1" },
	{ "by address, where two have it: the usable one", CLIENT
	  "links: [{name: a, address: 10.0.0.5}]\n",
	  { "2 eth0 nocarrier", "2 = 10.0.0.5/24", "3 eth1", "3 = 10.0.0.5/24" }, "a@eth1" },
	{ "by address, where two have it: the first", CLIENT
	  "links: [{name: a, address: 10.0.0.5}]\n",
	  { "3 eth1", "3 = 10.0.0.5/24", "2 eth0", "2 = 10.0.0.5/24" }, "a@eth0" },
	{ "a pattern with an address", CLIENT
	  "links: [{name: a, interface: \"eth*\", address: 10.0.0.5}]\n",
	  { ETH, "3 eth1", "3 = 10.0.0.7/24" }, "a/eth0@eth0" },
	/* bound to none */
	{ "a hub without links", HUB, { ETH, LTE }, "any@" },
	{ "even without any network", HUB, { LO }, "any@" },
	{ "one that the file wants so", CLIENT "links: [{name: x}]\n", { ETH, LTE }, "x@" },
	/* none named */
	{ "every way out", CLIENT, { LO, ETH, LTE }, "eth0@eth0 wwan0@wwan0" },
	{ "nothing yet", CLIENT, { LO }, "" },
	{ "no route, no link", CLIENT, { "2 eth0", "2 = 10.0.0.5/24", LTE }, "wwan0@wwan0" },
	{ "a route to the peer's network will do", CLIENT,
	  { "2 eth0", "2 = 10.0.0.5/24", "2 -> 192.0.2.0/24" }, "eth0@eth0" },
	{ "one elsewhere will not", CLIENT,
	  { "2 eth0", "2 = 10.0.0.5/24", "2 -> 192.0.3.0/24" }, "" },
	{ "the other family's route will not", CLIENT,
	  { "2 eth0", "2 = 10.0.0.5/24", "2 = 2001:db8:1::5/64", "2 -> ::/0" }, "" },
	{ "halves of a default route will", CLIENT,
	  { "2 eth0", "2 = 10.0.0.5/24", "2 -> 0.0.0.0/1", "2 -> 128.0.0.0/1" }, "eth0@eth0" },
	{ "the wrong half will not", CLIENT,
	  { "2 eth0", "2 = 10.0.0.5/24", "2 -> 0.0.0.0/1" }, "" },
	{ "IPv6", CLIENT6, { "2 eth0", "2 = fe80::5/64", "2 = 2001:db8:1::5/64", "2 -> ::/0" },
	  "eth0@eth0" },
	{ "an IPv6 default route without an address", CLIENT6,
	  { "2 eth0", "2 = fe80::5/64", "2 -> ::/0" }, "" },
	{ "no names known yet, a default route counts", NAMED, { ETH, "3 eth1", "3 = 10.1.0.5/24",
	  "3 -> 192.0.2.0/24" }, "eth0@eth0" },
	{ "the tunnel, other tunnels, ports, loopback", CLIENT,
	  { "1 lo lo", "1 = 10.9.9.9/8", "1 -> 0.0.0.0/0", "2 hw0 kind=tun", "2 = 10.0.2.5/24",
	    "2 -> 0.0.0.0/0", "3 wg0 kind=wireguard", "3 = 10.0.3.5/24", "3 -> 0.0.0.0/0",
	    "4 br0 kind=bridge", "4 = 10.0.4.5/24", "4 -> 0.0.0.0/0", "5 eth0 port=4",
	    "5 = 10.0.5.5/24", "5 -> 0.0.0.0/0", "6 tun0 kind=tun", "6 = 10.0.6.5/24",
	    "6 -> 0.0.0.0/0" }, "br0@br0" },
	{ "docker's bridge has no route to the peer", CLIENT,
	  { ETH, "5 docker0 kind=bridge", "5 = 172.17.0.1/16" }, "eth0@eth0" },
	{ "a container's own way out is a veth, a modem's a ppp", CLIENT,
	  { "2 eth0 kind=veth", "2 = 172.17.0.2/16", "2 -> 0.0.0.0/0", "3 ppp0 kind=ppp",
	    "3 = 10.64.64.1/32", "3 -> 0.0.0.0/0" }, "eth0@eth0 ppp0@ppp0" },
	{ "what is excluded is", CLIENT "links-exclude: [\"wwan*\"]\n", { ETH, LTE, LTE2 }, "eth0@eth0" },
	{ "a name that is no text", CLIENT, { "2 e\x1bt\xff", "2 = 10.0.0.5/24", "2 -> 0.0.0.0/0" },
	  "e?t?@e\x1bt\xff" },
};

static void links_are_those_that_the_rules_make_of_the_network(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(worlds); i++) {
		struct hw_config *config = parsed(worlds[i].config);
		struct hw_picture picture = {0};

		draw(&picture, config, worlds[i].lines);
		discover_held(config, &picture, NULL, 0);
		if (strcmp(as_text(), worlds[i].links) != 0) {
			print_message("%s: '%s', expected '%s'\n", worlds[i].what, as_text(),
				      worlds[i].links);
			failed++;
		}
		hw_picture_free(&picture);
		hw_config_free(config);
	}
	assert_int_equal(failed, 0);
}

/* What has begun stays while there is its interface; what goes, goes. */
static void a_link_of_a_pattern_stays_while_its_interface_is_there(void **state)
{
	static const struct hw_discover_held held[] = {{0, 3}};
	static const struct {
		const char *lines[6];
		const char *links;
	} cases[] = {
		{ { LTE }, "lte/wwan0@wwan0" },
		{ { "3 wwan0 nocarrier", "3 = 100.64.0.7/30" }, "lte/wwan0@wwan0!3" },
		{ { "3 wwan0 down" }, "lte/wwan0@wwan0!2" },
		{ { "3 wwan0" }, "lte/wwan0@wwan0!4" },
		{ { "3 wwan7", "3 = 100.64.0.7/30" }, "lte/wwan7@wwan7" }, /* renamed, fits still */
		{ { "3 modem", "3 = 100.64.0.7/30" }, "" },               /* renamed, fits no more */
		{ { "3 wwan0 port=2", "3 = 100.64.0.7/30" }, "" },        /* put into a bridge */
		{ { "4 wwan0" }, "" }, /* another one of that name, not usable yet */
		{ { LO }, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hw_config *config = parsed(CLIENT "links: [{name: lte, interface: \"wwan*\"}]\n");
		struct hw_picture picture = {0};

		draw(&picture, config, cases[i].lines);
		discover_held(config, &picture, held, 1);
		assert_string_equal(as_text(), cases[i].links);
		hw_picture_free(&picture);
		hw_config_free(config);
	}
}

static void a_link_that_is_found_says_what_it_lacks(void **state)
{
	static const struct hw_discover_held held[] = {{0, 2}};
	static const char *const no_route[] = { "2 eth0", "2 = 10.0.0.5/24", NULL };
	static const char *const no_address[] = { "2 eth0", "2 -> 0.0.0.0/0", NULL };
	struct hw_config *config = parsed(CLIENT);
	struct hw_picture picture = {0};

	(void)state;
	draw(&picture, config, no_route);
	discover_held(config, &picture, held, 1);
	assert_string_equal(as_text(), "eth0@eth0!5");
	hw_picture_free(&picture);
	draw(&picture, config, no_address);
	discover_held(config, &picture, held, 1);
	assert_string_equal(as_text(), "eth0@eth0!4");
	hw_picture_free(&picture);
	hw_config_free(config);
}

static void a_link_by_address_stays_where_it_is(void **state)
{
	static const struct hw_discover_held held[] = {{0, 3}};
	static const char *const lines[] = { "2 eth0", "2 = 10.0.0.5/24", "3 eth1", "3 = 10.0.0.5/24",
					     "4 eth2", "4 = 10.0.0.5/24", NULL };
	struct hw_config *config = parsed(CLIENT "links: [{name: a, address: 10.0.0.5}]\n");
	struct hw_picture picture = {0};

	(void)state;
	draw(&picture, config, lines);
	discover_held(config, &picture, held, 1);
	assert_string_equal(as_text(), "a@eth1");
	/* Until it cannot. */
	line(&picture, "3 eth1 nocarrier");
	discover_held(config, &picture, held, 1);
	assert_string_equal(as_text(), "a@eth0");
	hw_picture_free(&picture);
	hw_config_free(config);
}

static void overlaps_are_told_and_exclusions_are_none(void **state)
{
	static const char *const lines[] = { LTE, LTE2, NULL };
	struct hw_config *config = parsed(
		CLIENT "links: [{name: lte, interface: \"wwan*\"}, {name: main, interface: wwan0}]\n");
	struct hw_picture picture = {0};

	(void)state;
	draw(&picture, config, lines);
	discover_held(config, &picture, NULL, 0);
	assert_int_equal(answer.overlap_count, 1);
	assert_string_equal(answer.overlaps[0].interface, "wwan0");
	assert_int_equal(answer.overlaps[0].first, 0);
	assert_int_equal(answer.overlaps[0].other, 1);
	config->links[0].use = HW_USE_NEVER;
	discover_held(config, &picture, NULL, 0);
	assert_int_equal(answer.overlap_count, 0);
	hw_picture_free(&picture);
	hw_config_free(config);
}

/* `count` modems from index 10 on, of which those from `usable` on are not usable. */
static void draw_modems(struct hw_picture *picture, uint32_t count, uint32_t usable)
{
	char text[64];

	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "%u wwan%u%s", 10 + i, i,
			       i < usable ? "" : " nocarrier");
		line(picture, text);
		(void)snprintf(text, sizeof(text), "%u = 100.64.%u.1/30", 10 + i, i);
		line(picture, text);
	}
}

static void no_more_than_sixteen_and_the_rest_is_named(void **state)
{
	struct hw_config *config = parsed(CLIENT
		"links: [{name: lte, interface: \"wwan*\"}, {name: dsl, interface: eth0}]\n");
	struct hw_discover_held held[HW_CORE_MAX_LINKS];
	struct hw_picture picture = {0};
	bool dsl = false;

	(void)state;
	draw_modems(&picture, 40, 40);
	discover_held(config, &picture, NULL, 0);
	assert_int_equal(answer.link_count, HW_CORE_MAX_LINKS);
	for (uint32_t i = 0; i < answer.link_count; i++)
		dsl |= strcmp(answer.links[i].name, "dsl") == 0;
	assert_true(dsl); /* it is named, so it has a place, though it stands behind */
	assert_int_equal(answer.crowded_out_count, 25);
	/* 15 of them have a place: those that had one keep it. */
	for (uint32_t i = 0; i < 15; i++)
		held[i] = (struct hw_discover_held){0, 10 + 20 + i};
	discover_held(config, &picture, held, 15);
	for (uint32_t i = 0; i < answer.link_count; i++)
		assert_true(answer.links[i].rule == 1 || answer.links[i].index >= 30);
	assert_int_equal(answer.crowded_out_count, 25);
	hw_picture_free(&picture);
	/* What has a place and is of no use gives it to what is. */
	draw_modems(&picture, 16, 3);
	line(&picture, "90 wwan90");
	line(&picture, "90 = 100.65.0.1/30");
	for (uint32_t i = 0; i < 15; i++)
		held[i] = (struct hw_discover_held){0, 10 + i};
	discover_held(config, &picture, held, 15);
	assert_int_equal(answer.link_count, HW_CORE_MAX_LINKS);
	assert_int_equal(answer.crowded_out_count, 0);
	assert_non_null(strstr(as_text(), "lte/wwan90@wwan90"));
	assert_non_null(strstr(as_text(), "lte/wwan2@wwan2"));
	hw_picture_free(&picture);
	hw_config_free(config);
}

static void paths_need_a_source_of_their_family(void **state)
{
	static const char *const lines[] = { "2 eth0", "2 = 10.0.0.5/24", "2 = fe80::5/64", "3 eth1",
					     "3 = 2001:db8:1::5/64", "3 = fe80::6/64", NULL };
	struct hw_config *config = parsed(CLIENTS);
	struct hw_addr v4 = addr("192.0.2.9"), v6 = addr("2001:db8::9"), near = addr("fe80::9");
	struct hw_picture picture = {0};

	(void)state;
	draw(&picture, config, lines);
	assert_true(hw_picture_has_source(&picture, 2, &v4));
	assert_false(hw_picture_has_source(&picture, 2, &v6));
	assert_false(hw_picture_has_source(&picture, 3, &v4));
	assert_true(hw_picture_has_source(&picture, 3, &v6));
	/* A link-local one is on the interface that its zone names. */
	near.scope = 2;
	assert_true(hw_picture_has_source(&picture, 2, &near));
	assert_false(hw_picture_has_source(&picture, 3, &near));
	hw_picture_free(&picture);
	hw_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_those_that_the_rules_make_of_the_network),
		cmocka_unit_test(a_link_of_a_pattern_stays_while_its_interface_is_there),
		cmocka_unit_test(a_link_that_is_found_says_what_it_lacks),
		cmocka_unit_test(a_link_by_address_stays_where_it_is),
		cmocka_unit_test(overlaps_are_told_and_exclusions_are_none),
		cmocka_unit_test(no_more_than_sixteen_and_the_rest_is_named),
		cmocka_unit_test(paths_need_a_source_of_their_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
