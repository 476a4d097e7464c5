/* The status as JSON: its keys are an interface, so they are compared to the letter. */
#include "test.h"

#include <stdlib.h>

#include "control/server.h"
#include "control/status.h"

static char *keys_of(const json_t *object)
{
	char *text = calloc(1, 4096);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		strcat(text, key);
		strcat(text, " ");
	}
	return text;
}

static void assert_keys(const json_t *object, const char *expected)
{
	char *keys = keys_of(object);

	assert_string_equal(keys, expected);
	free(keys);
}

static json_t *render(struct hw_peer_snapshot *peer, const struct hw_core_totals *totals)
{
	static const struct hw_status_link links[] = {
		{.name = "dsl", .interface = "eth0", .state = "ready", .use = "never",
		 .use_by = "quota", .price = 3, .metered = true, .mtu_bytes = 1500,
		 .tx_bytes = 1, .tx_packets = 2, .rx_bytes = 3, .rx_packets = 4, .since_s = 5,
		 .quota = {.bytes = 6, .per = "month", .used_bytes = 7, .left_bytes = 8,
			   .warn_percent = 9, .warned = true, .spent = true, .begun_s = 10,
			   .ends_s = 11}},
		{.name = "any", .state = "waiting", .use = "backup", .use_by = "configuration"},
		{.name = NULL}};
	static const struct hw_status_drop drops[] = {{"io_tx_full", 7}};

	return hw_status_render(&(struct hw_status_input){
		.version = "0.1.0", .device = "hw0", .mode = "redundant", .uptime = HW_MS(1500),
		.links = links, .link_count = 3, .drops = drops, .drop_count = 1, .peers = peer,
		.peer_count = 1, .totals = totals});
}

static void fill(struct hw_peer_snapshot *peer)
{
	struct hw_path_snapshot *path = &peer->paths[0];

	memset(peer, 0, sizeof(*peer));
	strcpy(peer->name, "hub");
	for (int i = 0; i < 32; i++)
		peer->public_key[i] = (uint8_t)i;
	peer->state = HW_PEER_UP;
	peer->handshake_age_ns = 2500000000;
	peer->path_count = 2;
	peer->paths[1] = (struct hw_path_snapshot){
		.tuple.link = 1, .state = HW_PATH_PROBING, .rtt_ns = -1, .owd_ns = -1,
		.jitter_ns = -1, .loss_tx = -1, .loss_rx = -1, .rate_tx_Bps = -1, .rate_rx_Bps = -1};
	*path = (struct hw_path_snapshot){
		.state = HW_PATH_UP, .rtt_ns = 20500000, .owd_ns = 0, .jitter_ns = 250000,
		.loss_tx = 0.05, .loss_rx = 0, .rate_tx_Bps = 125000, .rate_rx_Bps = 250,
		.tx_packets = 1, .tx_bytes = 2, .rx_packets = 3, .rx_bytes = 4, .duplicates = 5};
	path->path = 3;
	path->why = "it answers";
	path->state_age_ns = 7500000000;
	path->state_changes = 12;
	path->use = HW_USE_BACKUP;
	path->price = 9;
	path->metered = true;
	path->observed =
		(struct hw_addr){.ip = {203, 0, 113, 7}, .port = 51820, .family = HW_FAMILY_IPV4};
	path->mtu_bytes = 1420;
	path->mtu_search = HW_MTU_SEARCHING;
	path->mtu_probe_bytes = 6;
	path->rtt_min_ns = 19000000;
	path->rtt_variation_ns = 1500000;
	path->gap_ns = 20000000;
	path->bursts[1] = 8;
	path->tx = (struct hw_path_way){
		.loss_1s = 0.25, .loss_10s = 0.5, .loss_60s = 0.75, .queue_ns = 1000000,
		.jitter_ns = 2000000, .excess_ns = 3000000, .rate_max_Bps = 1000, .burst_mean = 4.5,
		.burst_max = 5, .reorder_share = 0.125, .reorder_extent = 6};
	path->rx = (struct hw_path_way){.loss_1s = -1, .loss_10s = -1, .loss_60s = -1, .queue_ns = -1,
					.jitter_ns = -1, .excess_ns = -1, .reorder_share = -1};
	peer->pair_count = 1;
	peer->pairs[0] = (struct hw_pair_snapshot){
		.a = 3, .b = 4,
		.tx = {.slots = 900, .bad_a = 0.1, .bad_b = 0.2, .bad_both = 0.07, .lift = 3.5,
		       .low = 2.5, .high = 4.5, .verdict = HW_JOINT_TOGETHER},
		.rx = {.slots = 9, .lift = -1, .low = -1, .high = -1}};
	path->tuple.local = (struct hw_addr){.ip = {192, 0, 2, 1}, .family = HW_FAMILY_IPV4};
	path->tuple.remote =
		(struct hw_addr){.ip = {192, 0, 2, 9}, .port = 8420, .family = HW_FAMILY_IPV4};
	peer->stream_count = 1;
	peer->streams[0] = (struct hw_stream_snapshot){
		.stream = 1, .sent = 10, .delivered = 11, .duplicates = 12, .lost = 13};
}

static void keys_are_exact(void **state)
{
	struct hw_peer_snapshot peer;
	struct hw_core_totals totals = {0};
	static const char *const ways[] = {"tx", "rx"};
	json_t *root, *one, *paths, *list;
	char expected[4096] = "";

	(void)state;
	fill(&peer);
	root = render(&peer, &totals);
	assert_non_null(root);
	assert_keys(root, "version device mode uptime_s links peers drops totals ");
	list = json_object_get(root, "links");
	assert_int_equal(json_array_size(list), 2);
	for (size_t i = 0; i < 2; i++)
		assert_keys(json_array_get(list, i),
			    "name interface state reason use use_by price metered mtu tx_bytes "
			    "tx_packets rx_bytes rx_packets counted_since_s quota ");
	assert_keys(json_object_get(json_array_get(list, 0), "quota"),
		    "bytes per used_bytes left_bytes warn_percent warned spent begun_s ends_s ");
	one = json_array_get(json_object_get(root, "peers"), 0);
	assert_keys(one, "name public_key state handshake_age_s paths streams pairs ");
	paths = json_object_get(one, "paths");
	assert_int_equal(json_array_size(paths), 2);
	for (size_t i = 0; i < 2; i++)
		assert_keys(json_array_get(paths, i),
			    "link interface local remote state rtt_ms owd_ms jitter_ms loss_tx loss_rx "
			    "rate_tx_bps rate_rx_bps tx_packets tx_bytes rx_packets rx_bytes "
			    "duplicates why state_age_s state_changes use price metered id observed "
			    "mtu mtu_search mtu_probe_bytes rtt_min_ms "
			    "rtt_variation_ms gap_ms bursts tx rx ");
	for (size_t i = 0; i < 2; i++)
		assert_keys(json_object_get(json_array_get(paths, 0), ways[i]),
			    "loss_1s loss_10s loss_60s queue_ms jitter_ms excess_ms rate_max_bps "
			    "burst_mean burst_max reorder_share reorder_extent ");
	list = json_object_get(one, "pairs");
	assert_int_equal(json_array_size(list), 1);
	assert_keys(json_array_get(list, 0), "a b tx rx ");
	for (size_t i = 0; i < 2; i++)
		assert_keys(json_object_get(json_array_get(list, 0), ways[i]),
			    "slots bad_a bad_b bad_both lift low high verdict ");
	assert_keys(json_array_get(json_object_get(one, "streams"), 0),
		    "class sent delivered duplicates lost ");
	for (int i = 0; i < HW_DROP_COUNT; i++) {
		strcat(expected, hw_drop_name((enum hw_drop)i));
		strcat(expected, " ");
	}
	strcat(expected, "io_tx_full ");
	assert_keys(json_object_get(root, "drops"), expected);
	json_decref(root);
}

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void figures_have_their_units(void **state)
{
	struct hw_peer_snapshot peer;
	struct hw_core_totals totals = {.rx_packets = 21, .tx_resent = 22};
	json_t *root, *one, *path, *stream;

	(void)state;
	fill(&peer);
	totals.drops[HW_DROP_rx_auth] = 3;
	root = render(&peer, &totals);
	assert_float_equal(number(root, "uptime_s"), 1.5, 1e-9);
	one = json_array_get(json_object_get(root, "peers"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "state")), "up");
	assert_string_equal(json_string_value(json_object_get(one, "public_key")),
			    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	assert_float_equal(number(one, "handshake_age_s"), 2.5, 1e-9);
	path = json_array_get(json_object_get(one, "paths"), 0);
	assert_string_equal(json_string_value(json_object_get(path, "link")), "dsl");
	assert_string_equal(json_string_value(json_object_get(path, "interface")), "eth0");
	assert_string_equal(json_string_value(json_object_get(path, "local")), "192.0.2.1");
	assert_string_equal(json_string_value(json_object_get(path, "remote")), "192.0.2.9:8420");
	assert_float_equal(number(path, "rtt_ms"), 20.5, 1e-9);
	assert_float_equal(number(path, "jitter_ms"), 0.25, 1e-9);
	assert_float_equal(number(path, "loss_tx"), 0.05, 1e-9);
	assert_float_equal(number(path, "rate_tx_bps"), 1e6, 1e-6);
	assert_int_equal(number(path, "rx_bytes"), 4);
	assert_int_equal(number(path, "duplicates"), 5);
	stream = json_array_get(json_object_get(one, "streams"), 0);
	assert_int_equal(number(stream, "class"), 1);
	assert_int_equal(number(stream, "lost"), 13);
	assert_int_equal(number(json_object_get(root, "drops"), "rx_auth"), 3);
	assert_int_equal(number(json_object_get(root, "drops"), "rx_duplicate"), 0);
	assert_int_equal(number(json_object_get(root, "drops"), "io_tx_full"), 7);
	assert_int_equal(number(json_object_get(root, "totals"), "rx_packets"), 21);
	assert_int_equal(number(json_object_get(root, "totals"), "tx_resent"), 22);
	json_decref(root);
}

static void everything_measured_is_shown(void **state)
{
	static const struct {
		const char *key;
		double value;
	} figures[] = {{"id", 3}, {"state_age_s", 7.5}, {"state_changes", 12}, {"price", 9},
		       {"mtu", 1420}, {"mtu_probe_bytes", 6}, {"rtt_min_ms", 19},
		       {"rtt_variation_ms", 1.5}, {"gap_ms", 20}},
	  way_figures[] = {{"loss_1s", 0.25}, {"loss_10s", 0.5}, {"loss_60s", 0.75}, {"queue_ms", 1},
			   {"jitter_ms", 2}, {"excess_ms", 3}, {"rate_max_bps", 8000},
			   {"burst_mean", 4.5}, {"burst_max", 5}, {"reorder_share", 0.125},
			   {"reorder_extent", 6}},
	  joint_figures[] = {{"slots", 900}, {"bad_a", 0.1}, {"bad_b", 0.2}, {"bad_both", 0.07},
			     {"lift", 3.5}, {"low", 2.5}, {"high", 4.5}};
	struct hw_peer_snapshot peer;
	struct hw_core_totals totals = {0};
	json_t *root, *one, *path, *pair, *way;

	(void)state;
	fill(&peer);
	root = render(&peer, &totals);
	one = json_array_get(json_object_get(root, "peers"), 0);
	path = json_array_get(json_object_get(one, "paths"), 0);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		assert_float_equal(number(path, figures[i].key), figures[i].value, 1e-9);
	assert_string_equal(json_string_value(json_object_get(path, "observed")), "203.0.113.7:51820");
	assert_string_equal(json_string_value(json_object_get(path, "mtu_search")), "searching");
	assert_int_equal(json_integer_value(json_array_get(json_object_get(path, "bursts"), 1)), 8);
	assert_string_equal(json_string_value(json_object_get(path, "why")), "it answers");
	assert_string_equal(json_string_value(json_object_get(path, "use")), "backup");
	assert_true(json_is_true(json_object_get(path, "metered")));
	assert_true(json_is_null(json_object_get(
		json_array_get(json_object_get(one, "paths"), 1), "why")));
	assert_int_equal(json_array_size(json_object_get(path, "bursts")), HW_RUNS_BUCKETS);
	way = json_object_get(path, "tx");
	for (size_t i = 0; i < sizeof(way_figures) / sizeof(way_figures[0]); i++)
		assert_float_equal(number(way, way_figures[i].key), way_figures[i].value, 1e-9);
	way = json_object_get(path, "rx");
	assert_true(json_is_null(json_object_get(way, "loss_1s")));
	assert_true(json_is_null(json_object_get(way, "queue_ms")));
	pair = json_array_get(json_object_get(one, "pairs"), 0);
	assert_int_equal(number(pair, "a"), 3);
	assert_int_equal(number(pair, "b"), 4);
	way = json_object_get(pair, "tx");
	for (size_t i = 0; i < sizeof(joint_figures) / sizeof(joint_figures[0]); i++)
		assert_float_equal(number(way, joint_figures[i].key), joint_figures[i].value, 1e-9);
	assert_string_equal(json_string_value(json_object_get(way, "verdict")), "together");
	way = json_object_get(pair, "rx");
	assert_true(json_is_null(json_object_get(way, "lift")));
	assert_string_equal(json_string_value(json_object_get(way, "verdict")), "unknown");
	json_decref(root);
}

static void links_say_what_they_cost(void **state)
{
	static const struct {
		const char *key;
		json_int_t value;
	} figures[] = {{"price", 3}, {"mtu", 1500}, {"tx_bytes", 1}, {"tx_packets", 2}, {"rx_bytes", 3},
		       {"rx_packets", 4}, {"counted_since_s", 5}},
	  quota_figures[] = {{"bytes", 6}, {"used_bytes", 7}, {"left_bytes", 8}, {"warn_percent", 9},
			     {"begun_s", 10}, {"ends_s", 11}};
	struct hw_peer_snapshot peer;
	struct hw_core_totals totals = {0};
	json_t *root, *link, *quota;

	(void)state;
	fill(&peer);
	root = render(&peer, &totals);
	link = json_array_get(json_object_get(root, "links"), 0);
	quota = json_object_get(link, "quota");
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		assert_int_equal(json_integer_value(json_object_get(link, figures[i].key)),
				 figures[i].value);
	for (size_t i = 0; i < sizeof(quota_figures) / sizeof(quota_figures[0]); i++)
		assert_int_equal(json_integer_value(json_object_get(quota, quota_figures[i].key)),
				 quota_figures[i].value);
	assert_string_equal(json_string_value(json_object_get(link, "use")), "never");
	assert_string_equal(json_string_value(json_object_get(link, "use_by")), "quota");
	assert_string_equal(json_string_value(json_object_get(quota, "per")), "month");
	assert_true(json_is_true(json_object_get(link, "metered")));
	assert_true(json_is_true(json_object_get(quota, "spent")));
	/* A link without any of that. */
	link = json_array_get(json_object_get(root, "links"), 1);
	assert_true(json_is_null(json_object_get(link, "quota")));
	assert_true(json_is_null(json_object_get(link, "mtu")));
	assert_true(json_is_null(json_object_get(link, "interface")));
	assert_true(json_is_false(json_object_get(link, "metered")));
	json_decref(root);
}

static void unknown_is_null(void **state)
{
	static const char *const unknown[] = {"interface", "local", "remote", "rtt_ms", "owd_ms",
					      "jitter_ms", "loss_tx", "loss_rx", "rate_tx_bps",
					      "rate_rx_bps"};
	struct hw_peer_snapshot peer;
	struct hw_core_totals totals = {0};
	json_t *root, *one, *path;

	(void)state;
	fill(&peer);
	peer.handshake_age_ns = -1;
	root = render(&peer, &totals);
	one = json_array_get(json_object_get(root, "peers"), 0);
	assert_true(json_is_null(json_object_get(one, "handshake_age_s")));
	path = json_array_get(json_object_get(one, "paths"), 1);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_true(json_is_null(json_object_get(path, unknown[i])));
	assert_string_equal(json_string_value(json_object_get(path, "link")), "any");
	/* Known to be zero is another thing. */
	path = json_array_get(json_object_get(one, "paths"), 0);
	assert_float_equal(number(path, "owd_ms"), 0, 1e-12);
	assert_float_equal(number(path, "loss_rx"), 0, 1e-12);
	json_decref(root);
}

/* Sixteen paths, each pair of them, figures of many digits, and long names. */
static void the_largest_status_fits_a_reply(void **state)
{
	static struct hw_peer_snapshot peer;
	static char names[HW_CORE_MAX_LINKS][HW_CORE_NAME_BYTES];
	struct hw_status_link links[HW_CORE_MAX_LINKS];
	struct hw_core_totals totals;
	const double digits = 1.0 / 3;
	json_t *root;
	char *text;

	(void)state;
	fill(&peer);
	memset(&totals, 0x7f, sizeof(totals));
	memset(peer.name, 'n', sizeof(peer.name) - 1);
	peer.path_count = HW_CORE_MAX_PATHS;
	peer.stream_count = 16;
	peer.pair_count = HW_JOINT_PAIRS;
	peer.paths[0].tx = (struct hw_path_way){
		digits, digits, digits, INT64_MAX, INT64_MAX, INT64_MAX, digits * 1e9, digits, UINT32_MAX,
		digits, UINT32_MAX};
	peer.paths[0].rx = peer.paths[0].tx;
	memset(peer.paths[0].bursts, 0x7f, sizeof(peer.paths[0].bursts));
	peer.paths[0].rtt_ns = peer.paths[0].owd_ns = INT64_MAX;
	peer.paths[0].tx_bytes = peer.paths[0].rx_bytes = INT64_MAX;
	for (uint32_t i = 0; i < HW_CORE_MAX_PATHS; i++) {
		peer.paths[i] = peer.paths[0];
		peer.paths[i].tuple.link = i;
		memset(names[i], 'l', HW_CORE_NAME_BYTES - 1);
		links[i] = (struct hw_status_link){
			.name = names[i], .interface = "abcdefghijklmno", .state = "waiting",
			.use = "always", .use_by = "configuration", .price = UINT32_MAX,
			.mtu_bytes = 65535, .tx_bytes = INT64_MAX, .tx_packets = INT64_MAX,
			.rx_bytes = INT64_MAX, .rx_packets = INT64_MAX, .since_s = 9999999999,
			.quota = {INT64_MAX, "month", INT64_MAX, INT64_MAX, 99, true, true,
				  9999999999, 9999999999}};
	}
	for (uint32_t i = 0; i < HW_JOINT_PAIRS; i++) {
		peer.pairs[i] = (struct hw_pair_snapshot){.a = 15, .b = 15};
		peer.pairs[i].tx = peer.pairs[i].rx = (struct hw_joint_figures){
			digits * 1e4, digits, digits, digits, digits, digits, digits,
			HW_JOINT_INDEPENDENT};
	}
	root = hw_status_render(&(struct hw_status_input){
		.version = "0.1.0", .device = "abcdefghijklmno", .mode = "redundant", .links = links,
		.link_count = HW_CORE_MAX_LINKS, .peers = &peer, .peer_count = 1, .totals = &totals});
	assert_non_null(root);
	text = json_dumps(root, JSON_COMPACT);
	print_message("the largest status has %zu bytes\n", strlen(text));
	assert_in_range(strlen(text), 50000, HW_CONTROL_OUTPUT_MAX_BYTES - 1024);
	free(text);
	json_decref(root);
}

/* An interface may be called anything but "/" and blanks: JSON takes UTF-8 alone, a terminal less. */
static void odd_names_of_interfaces_are_shown(void **state)
{
	static const struct hw_status_link links[] = {
		{.name = "dsl", .interface = "w\xe4n\x1b[0m", .state = "ready", .use = "always",
		 .use_by = "configuration"}};
	struct hw_path_snapshot path = {.state = HW_PATH_UP};
	json_t *list = hw_status_render_links(links, 1);
	json_t *object = hw_status_render_path(&path, links, 1);

	(void)state;
	assert_non_null(list);
	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "interface")),
			    "w?n?[0m");
	assert_string_equal(json_string_value(json_object_get(object, "interface")), "w?n?[0m");
	json_decref(list);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_exact),
		cmocka_unit_test(figures_have_their_units),
		cmocka_unit_test(everything_measured_is_shown),
		cmocka_unit_test(links_say_what_they_cost),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(odd_names_of_interfaces_are_shown),
		cmocka_unit_test(the_largest_status_fits_a_reply),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
