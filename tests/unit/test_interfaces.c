#include "test.h"

#include <string.h>

#include "config/config.h"
#include "config/value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ID "identity: {secret-file: s}\n"
#define HUB ID "listen: 8420\n"
#define CLIENT ID "peers: [{name: hub, endpoint: [\"h:1\"]}]\n"

static struct hw_config_report report;

static struct hw_config *parsed(const char *text)
{
	struct hw_config *config = NULL;
	int err = hw_config_parse(text, strlen(text), "/etc/hawser/t.yaml", &report, &config);

	if (err != 0)
		hw_config_report_print(&report, stdout);
	assert_int_equal(err, 0);
	return config;
}

static void patterns_match_as_in_a_shell(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches, is_pattern;
	} cases[] = {
		{ "eth0", "eth0", true, false },     { "eth0", "eth01", false, false },
		{ "eth0", "eth", false, false },     { "wwan*", "wwan0", true, true },
		{ "wwan*", "wwan", true, true },     { "wwan*", "wlan0", false, true },
		{ "*", "anything", true, true },     { "eth?", "eth0", true, true },
		{ "eth?", "eth10", false, true },    { "eth[01]", "eth1", true, true },
		{ "eth[01]", "eth2", false, true },  { "eth[!01]", "eth2", true, true },
		{ "e[a-z]h0", "eth0", true, true },  { "Eth0", "eth0", false, false },
		{ "a.b", "axb", false, false },      { "en\\*", "en\\x", true, true },
		{ "en\\*", "en*", false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(hw_value_matches(cases[i].pattern, cases[i].name),
				 cases[i].matches);
		assert_int_equal(hw_value_is_pattern(cases[i].pattern), cases[i].is_pattern);
	}
}

static void patterns_are_checked(void **state)
{
	static const char *const good[] = { "*", "w[0]", "w[]a]", "w[!]a]", "w[!a]*", "eth0", "[ab][cd]" };
	static const char *const wrong[] = { "", "w[", "w[]", "w[!", "w[!]", "w[a", "a b", "a/b", "[ab][" };
	char pattern[HW_CONFIG_DEVICE_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(hw_value_pattern(good[i], pattern), 0);
		assert_string_equal(pattern, good[i]);
	}
	strcpy(pattern, "untouched");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(hw_value_pattern(wrong[i], pattern), HW_E_MALFORMED);
	assert_int_equal(hw_value_pattern("abcdefghijklmno*", pattern), HW_E_LIMIT);
	assert_string_equal(pattern, "untouched");
}

static void without_links_who_calls_discovers_and_who_listens_does_not(void **state)
{
	struct hw_config *hub = parsed(HUB), *client = parsed(CLIENT);

	(void)state;
	assert_false(hub->links[0].every);
	assert_string_equal(hub->links[0].name, "any");
	assert_false(hw_config_link_is_pattern(&hub->links[0]));
	assert_true(client->links[0].every);
	assert_string_equal(client->links[0].name, "every");
	assert_string_equal(client->links[0].interface, "");
	assert_int_equal(client->links[0].price, 1);
	assert_int_equal(client->link_count, 1);
	assert_true(hw_config_link_is_pattern(&client->links[0]));
	hw_config_free(hub);
	hw_config_free(client);
	/* One that does both looks for ways out. */
	client = parsed(CLIENT "listen: 8420\n");
	assert_true(client->links[0].every);
	hw_config_free(client);
}

static void patterns_and_exclusions_are_read(void **state)
{
	struct hw_config *c = parsed(CLIENT
		"links:\n- {name: dsl, interface: eth0}\n- {name: lte, interface: \"wwan*\"}\n"
		"- {name: away, address: 192.0.2.7}\n"
		"links-exclude: [docker0, \"veth*\"]\n");

	(void)state;
	assert_int_equal(report.note_count, 0);
	assert_int_equal(c->link_count, 3);
	assert_string_equal(c->links[1].interface, "wwan*");
	assert_false(hw_config_link_is_pattern(&c->links[0]));
	assert_true(hw_config_link_is_pattern(&c->links[1]));
	assert_false(hw_config_link_is_pattern(&c->links[2]));
	assert_int_equal(c->exclude_count, 2);
	assert_string_equal(c->exclude[0], "docker0");
	assert_string_equal(c->exclude[1], "veth*");
	hw_config_free(c);
}

static void what_has_no_effect_is_warned_of(void **state)
{
	static const struct {
		const char *text, *message;
		unsigned line, column;
	} cases[] = {
		{ CLIENT "links:\n- {name: lte, interface: \"wwan*\"}\n- {name: main, interface: wwan0}\n",
		  "links[1]: link 'main' will stay idle: 'lte' before it takes wwan0; put the one with "
		  "the pattern last", 5, 3 },
		{ HUB "links-exclude: [docker0]\n",
		  "links-exclude: it leaves nothing out, since no link has a pattern", 3, 16 },
		{ CLIENT "links: [{name: a, interface: x}, {name: b, interface: y}]\n"
			 "links-exclude: [docker0]\n",
		  "links-exclude: it leaves nothing out", 4, 16 },
		{ CLIENT "links: [{name: a, interface: x}]\n", "only one link is used", 3, 9 },
	};
	static const char *const silent[] = {
		CLIENT "links:\n- {name: main, interface: wwan0}\n- {name: lte, interface: \"wwan*\"}\n",
		CLIENT "links: [{name: lte, interface: \"wwan*\"}]\n",
		CLIENT "links-exclude: [docker0]\n",
		CLIENT "links: [{name: lte, interface: \"wwan*\"}]\nlinks-exclude: [wwan9]\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		hw_config_free(parsed(cases[i].text));
		assert_int_equal(report.warning_count, 1);
		assert_true(report.notes[0].warning);
		assert_non_null(strstr(report.notes[0].text, cases[i].message));
		assert_int_equal(report.notes[0].line, cases[i].line);
		assert_int_equal(report.notes[0].column, cases[i].column);
	}
	for (size_t i = 0; i < COUNT(silent); i++) {
		hw_config_free(parsed(silent[i]));
		assert_int_equal(report.note_count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_in_a_shell),
		cmocka_unit_test(patterns_are_checked),
		cmocka_unit_test(without_links_who_calls_discovers_and_who_listens_does_not),
		cmocka_unit_test(patterns_and_exclusions_are_read),
		cmocka_unit_test(what_has_no_effect_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
