/*
 * Links that come and go while the core runs: slots, their paths, and what the peer is told.
 */
#include <stdlib.h>

#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "core/internal.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 11);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static struct hw_link_config link_config(const char *name, enum hw_link_use use, uint32_t price)
{
	struct hw_link_config config = { .use = use, .price = price };

	assert_true(strlen(name) < sizeof(config.name));
	memcpy(config.name, name, strlen(name));
	return config;
}

/* A link appears on both nodes; the client knows where the hub is on it. */
static void plug_in(uint32_t link)
{
	for (int n = 1; n >= 0; n--) {
		const struct hw_link_config config = link_config("new", HW_USE_ALWAYS, 1);

		assert_int_equal(hw_core_link_set(w.node[n].core, link, &config, w.now), 0);
		if (n == 0)
			assert_int_equal(hw_core_endpoints(w.node[0].core, 0, link,
							   &w.node[1].addr[link], 1, w.now),
					 0);
		hw_core_link_up(w.node[n].core, link, 1500, w.now);
		world_flush(&w, n);
	}
}

/* The client's packets, one each 5 ms, and as many from the hub. */
static uint32_t flow(hw_time span)
{
	uint32_t count = 0;

	for (hw_time end = w.now + span; w.now < end; count++) {
		world_send(&w, 0, 200, count);
		world_send(&w, 1, 200, count);
		world_run(&w, w.now + HW_MS(5));
	}
	return count;
}

static void check_invariants(int node);

/* The node's path by that link, or one whose `path` is UINT32_MAX. */
static struct hw_path_snapshot path_by(int node, uint32_t link)
{
	struct hw_path_snapshot none = { .path = UINT32_MAX };
	struct hw_peer_snapshot s;

	world_snapshot(&w, node, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		if (s.paths[i].tuple.link == link)
			return s.paths[i];
	return none;
}

static uint32_t paths_by(int node, uint32_t link)
{
	struct hw_peer_snapshot s;
	uint32_t count = 0;

	world_snapshot(&w, node, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		count += s.paths[i].tuple.link == link;
	return count;
}

static void a_core_begins_without_links(void **state)
{
	(void)state;
	w.node[0].config.link_count = w.node[1].config.link_count = 0;
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(5));
	assert_int_equal(w.sent[0] + w.sent[1], 0);
	assert_int_equal(hw_core_next_deadline(w.node[0].core), HW_TIME_NEVER);
	plug_in(9);
	world_run(&w, w.now + HW_MS(200));
	assert_int_equal(world_paths_up(&w, 0), 1);
	plug_in(4);
	world_run(&w, w.now + HW_MS(200));
	assert_int_equal(world_paths_up(&w, 0), 2);
	assert_int_equal(path_by(0, 9).state, HW_PATH_UP);
	assert_int_equal(path_by(0, 4).state, HW_PATH_UP);
}

/* Links are plugged in and pulled out under traffic, copied on all: nothing is lost, nothing renewed. */
static void nothing_is_lost_while_links_come_and_go(void **state)
{
	uint64_t delivered[2], established;
	uint32_t count = 0;

	(void)state;
	world_start_both(&w);
	established = w.node[0].core->peers[0].established_at;
	delivered[0] = w.node[0].delivered;
	delivered[1] = w.node[1].delivered;
	for (uint32_t round = 0; round < 20; round++) {
		uint32_t in = 3 + round % 13, out = 3 + (round + 12) % 13;

		if (round >= 1) {
			hw_core_link_remove(w.node[0].core, out, w.now);
			world_flush(&w, 0);
		}
		count += flow(HW_MS(50));
		if (round >= 1) {
			hw_core_link_remove(w.node[1].core, out, w.now);
			world_flush(&w, 1);
		}
		plug_in(in);
		count += flow(HW_MS(500));
		assert_int_equal(path_by(0, in).state, HW_PATH_UP);
		assert_int_equal(paths_by(0, out), round == 0 && out != in ? 0 : out == in);
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[0].delivered - delivered[0], count);
	assert_int_equal(w.node[1].delivered - delivered[1], count);
	assert_int_equal(w.node[0].core->peers[0].established_at, established);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_REMOVED], 19);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);
}

static void the_peer_is_told_of_a_link_that_is_removed(void **state)
{
	(void)state;
	world_start_both(&w);
	assert_int_equal(path_by(1, 1).state, HW_PATH_UP);
	hw_core_link_remove(w.node[0].core, 1, w.now);
	assert_int_equal(paths_by(0, 1), 0);
	world_flush(&w, 0);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_REMOVED], 1);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_DOWN], 0);
	world_run(&w, w.now + w.delay[0]);
	assert_int_equal(paths_by(1, 1), 0);
	assert_int_equal(w.node[1].events[HW_EVENT_PATH_REMOVED], 1);
	assert_int_equal(path_by(1, 0).state, HW_PATH_UP);
	/* Nor does it look for it there any more. */
	world_run(&w, w.now + HW_S(100));
	assert_int_equal(paths_by(1, 1), 0);
	assert_int_equal(world_drops(&w, 0, HW_DROP_rx_no_link), 0);
}

/* The same of one that is only taken down: the peer keeps it, and finds it again. */
static void the_peer_keeps_a_link_that_is_down(void **state)
{
	(void)state;
	world_start_both(&w);
	hw_core_link_down(w.node[0].core, 1, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + w.delay[0]);
	assert_int_equal(path_by(1, 1).state, HW_PATH_DOWN);
	world_run(&w, w.now + HW_S(1));
	hw_core_link_up(w.node[0].core, 1, 1500, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(path_by(0, 1).state, HW_PATH_UP);
	assert_int_equal(path_by(1, 1).state, HW_PATH_UP);
	assert_int_equal(w.node[1].events[HW_EVENT_PATH_REMOVED], 0);
}

/* A peer that says, again and again, that it has removed paths that it goes on using. */
static void a_peer_that_removes_all_its_paths_is_found_again(void **state)
{
	struct hw_peer *peer;
	uint64_t delivered;

	(void)state;
	world_start_both(&w);
	flow(HW_S(1));
	peer = &w.node[0].core->peers[0];
	for (uint32_t round = 0; round < 100; round++) {
		struct hw_control_writer writer;
		struct hw_buf *buf = hw_control_begin(w.node[0].core, &writer);

		for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
			const struct hw_control_path_state removed = {
				.path = (uint8_t)i, .state = HW_CONTROL_STATE_REMOVED
			};

			assert_int_equal(hw_control_put_path_state(&writer, &removed), 0);
		}
		hw_control_send_best(peer, buf, &writer, w.now);
		world_flush(&w, 0);
		world_run(&w, w.now + HW_MS(round % 30));
		check_invariants(1);
	}
	assert_true(w.node[1].events[HW_EVENT_PATH_REMOVED] >= WORLD_LINKS - 1);
	world_run(&w, w.now + HW_S(20));
	flow(HW_S(2));
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
	delivered = w.node[0].delivered;
	assert_int_equal(flow(HW_S(1)), 200);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[0].delivered - delivered, 200);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);
}

static struct world_flight kept;

/* Holds back what the hub sends: one copy is enough. */
static bool keep(void *ctx, int from, const struct world_flight *flight)
{
	(void)ctx;
	if (from == 1)
		kept = *flight;
	return from != 1;
}

static uint32_t candidates(int node)
{
	const struct hw_path_table *table = &w.node[node].core->peers[0].paths;
	uint32_t count = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++)
		count += table->candidates[i].used;
	return count;
}

/* A packet that was on its way when its path was given up must not make it a path again. */
static void what_comes_late_by_a_path_that_was_given_up_is_delivered_only(void **state)
{
	struct hw_addr other = w.node[1].addr[1];
	struct hw_tuple old = { .link = 1, .remote = other };
	uint64_t delivered;

	(void)state;
	world_start_both(&w);
	flow(HW_S(1));
	other.ip[3] = 200;
	for (uint32_t i = 0; i < 2; i++) {
		w.tap = keep;
		world_send(&w, 1, 100, i);
		w.tap = NULL;
		if (i == 0) {
			assert_int_equal(hw_core_endpoints(w.node[0].core, 0, 1, &other, 1, w.now),
					 0);
			world_flush(&w, 0);
		}
		delivered = w.node[0].delivered;
		world_inject(&w, 0, &old, kept.bytes, kept.len);
		assert_int_equal(w.node[0].delivered, delivered + 1);
		/* After some time it is an address like any other. */
		assert_int_equal(candidates(0), i);
		if (i == 0)
			world_run(&w, w.now + HW_PEER_GIVEN_UP_FOR);
	}
}

/* An endpoint that is given up: no path is left there on either side; the other one stays. */
static void an_endpoint_is_replaced(void **state)
{
	struct hw_addr other = w.node[1].addr[1];

	(void)state;
	world_start_both(&w);
	flow(HW_S(1));
	other.ip[3] = 200;
	/* The word of it, by the other links, comes long after packets by this one. */
	w.delay[0] = w.delay[2] = HW_MS(50);
	w.node[1].seen_as[1] = other;
	assert_int_equal(hw_core_endpoints(w.node[0].core, 0, 1, &other, 1, w.now), 0);
	world_flush(&w, 0);
	flow(HW_S(2));
	world_run(&w, w.now + HW_S(60));
	assert_int_equal(paths_by(0, 1), 1);
	assert_int_equal(paths_by(1, 1), 1);
	other = path_by(0, 1).tuple.remote;
	assert_int_equal(other.ip[3], 200);
	assert_int_equal(path_by(0, 1).state, HW_PATH_UP);
	assert_int_equal(path_by(1, 1).state, HW_PATH_UP);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct hw_link_config config = link_config("a", HW_USE_ALWAYS, 1);
	struct hw_core *core;
	uint64_t hash;

	(void)state;
	world_start_both(&w);
	core = w.node[0].core;
	hash = hw_core_state_hash(core);
	assert_int_equal(hw_core_link_set(core, HW_CORE_MAX_LINKS, &config, w.now), HW_E_INVAL);
	assert_int_equal(hw_core_link_set(core, HW_LINK_ALL, &config, w.now), HW_E_INVAL);
	config.use = (enum hw_link_use)3;
	assert_int_equal(hw_core_link_set(core, 5, &config, w.now), HW_E_INVAL);
	config.use = HW_USE_ALWAYS;
	memset(config.name, 'x', sizeof(config.name));
	assert_int_equal(hw_core_link_set(core, 5, &config, w.now), HW_E_INVAL);
	config.name[sizeof(config.name) - 1] = 0;
	assert_int_equal(hw_core_endpoints(core, 0, 5, &w.node[1].addr[0], 1, w.now), HW_E_INVAL);
	/* Slots that are empty, or are none. */
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t link = i == 0 ? 5 : HW_CORE_MAX_LINKS;

		hw_core_link_up(core, link, 1500, w.now);
		hw_core_link_readdressed(core, link, w.now);
		hw_core_link_down(core, link, w.now);
		hw_core_link_remove(core, link, w.now);
	}
	assert_true(hw_core_state_hash(core) == hash);
	assert_int_equal(hw_core_link_set(core, 5, &config, w.now), 0);
	assert_true(hw_core_state_hash(core) != hash);
	hw_core_close(core, w.now);
	assert_int_equal(hw_core_link_set(core, 6, &config, w.now), HW_E_STATE);
}

static void a_configuration_with_bad_links_is_refused(void **state)
{
	struct hw_core_config config = w.node[0].config;

	(void)state;
	assert_int_equal(world_apply(&w, &config), 0);
	config.links[1].use = (enum hw_link_use)3;
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config.links[1].use = HW_USE_ALWAYS;
	memset(config.links[1].name, 'x', sizeof(config.links[1].name));
	assert_int_equal(world_apply(&w, &config), HW_E_INVAL);
	config.link_count = 0;
	assert_int_equal(world_apply(&w, &config), 0);
}

/* 16 links, each with a path; what a seventeenth would need is a slot that is none. */
static void sixteen_links(void **state)
{
	(void)state;
	world_start_both(&w);
	for (uint32_t link = 0; link < HW_CORE_MAX_LINKS; link++) {
		if (link >= WORLD_LINKS)
			plug_in(link);
		/* Beyond 8 the hub has to know them as well: it does not learn more. */
		assert_int_equal(hw_core_endpoints(w.node[1].core, 0, link, &w.node[0].addr[link],
						   1, w.now),
				 0);
		world_flush(&w, 1);
	}
	world_run(&w, w.now + HW_MS(500));
	for (uint32_t link = 0; link < HW_CORE_MAX_LINKS; link++)
		assert_int_equal(path_by(0, link).state, HW_PATH_UP);
	assert_int_equal(world_paths_up(&w, 0), HW_CORE_MAX_LINKS);
	assert_int_equal(world_paths_up(&w, 1), HW_CORE_MAX_LINKS);
	flow(HW_MS(500));
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(w.node[0].delivered, 100);
	assert_int_equal(w.node[1].delivered, 100);
}

static uint32_t queued_for(struct hw_core *core, uint32_t link)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < core->out.datagram_count; i++)
		count += core->out.datagrams[(core->out.datagram_first + i) % HW_OUTPUT_DATAGRAMS]
				 .tuple.link == link;
	return count;
}

static void packets_in(struct hw_core *core, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct hw_buf *buf = hw_buf_get(w.node[0].pool);

		assert_non_null(buf);
		memset(hw_buf_put(buf, 100), 0, 100);
		buf->data[0] = 0x45;
		buf->data[3] = 100;
		hw_core_packets_in(core, &buf, 1, w.now);
	}
}

static void a_slot_that_is_used_again_inherits_nothing(void **state)
{
	struct hw_link_config first = link_config("a name that is long", HW_USE_BACKUP, 9);
	const struct hw_link_config second = link_config("b", HW_USE_ALWAYS, 1);
	static const struct hw_endpoints no_endpoints;
	struct hw_core_link fresh = { 0 };
	struct hw_peer *peer;
	struct hw_core *core;

	(void)state;
	first.metered = true;
	world_start_both(&w);
	core = w.node[0].core;
	peer = &core->peers[0];
	plug_in(3);
	assert_int_equal(hw_core_link_set(core, 3, &first, w.now), 0);
	hw_core_link_up(core, 3, 576, w.now);
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(hw_core_link_set(core, 3, &first, w.now), 0);
	assert_int_equal(path_by(0, 3).state, HW_PATH_UP);

	/* Copies wait for the link, between others, as it goes. */
	first.use = HW_USE_ALWAYS;
	assert_int_equal(hw_core_link_set(core, 3, &first, w.now), 0);
	world_flush(&w, 0); /* word of the change */
	packets_in(core, 10);
	assert_int_equal(queued_for(core, 3), 10);
	hw_core_link_remove(core, 3, w.now);
	assert_int_equal(queued_for(core, 3), 0);
	assert_int_equal(queued_for(core, 0), 11); /* and word of it */
	world_flush(&w, 0);

	assert_int_equal(hw_core_link_set(core, 3, &second, w.now), 0);
	fresh.used = true;
	fresh.config = second;
	assert_memory_equal(&core->links[3], &fresh, sizeof(fresh));
	assert_memory_equal(&peer->endpoints[3], &no_endpoints, sizeof(no_endpoints));
	hw_core_link_up(core, 3, 1500, w.now);
	assert_int_equal(paths_by(0, 3), 0);

	/* Now it is another network, where the hub has another address. */
	w.node[0].addr[3].ip[2] = w.node[1].addr[3].ip[2] = 77;
	assert_int_equal(hw_core_endpoints(core, 0, 3, &w.node[1].addr[3], 1, w.now), 0);
	world_flush(&w, 0);

	struct hw_path_snapshot path = path_by(0, 3);

	assert_int_equal(path.state, HW_PATH_PROBING);
	assert_int_equal(path.tx_packets + path.rx_packets, 1); /* its first probe */
	assert_int_equal(peer->paths.paths[path.path].peer_id, HW_PATH_PEER_ID_NONE);
	assert_int_equal(peer->paths.paths[path.path].link.price, 1);
	assert_int_equal(peer->paths.paths[path.path].link.mtu_bytes, 1472);
	assert_false(peer->paths.paths[path.path].link.metered);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(path_by(0, 3).state, HW_PATH_UP);
}

static void datagrams_of_an_empty_slot_are_dropped(void **state)
{
	static const uint32_t slots[] = { 2, WORLD_LINKS, HW_CORE_MAX_LINKS, UINT32_MAX };
	uint64_t hash;

	(void)state;
	world_start_both(&w);
	world_send(&w, 0, 300, 1);
	assert_true(w.flights > 0);
	hw_core_link_remove(w.node[1].core, 2, w.now);
	world_flush(&w, 1);
	hash = hw_core_state_hash(w.node[1].core);
	for (uint32_t i = 0; i < 4; i++) {
		struct hw_tuple tuple = { .link = slots[i], .remote = w.node[0].addr[0] };

		world_inject(&w, 1, &tuple, w.flight[0].bytes, w.flight[0].len);
		assert_int_equal(world_drops(&w, 1, HW_DROP_rx_no_link), i + 1);
	}
	assert_true(hw_core_state_hash(w.node[1].core) == hash);
	assert_int_equal(w.node[1].delivered, 0);
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[1].delivered, 1);
}

/* Two links have taken the whole table when a third comes: what works is kept. */
static void a_late_link_gets_its_share(void **state)
{
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	struct hw_core *core;

	(void)state;
	w.node[0].config.link_count = 2;
	world_start_both(&w);
	core = w.node[0].core;
	for (uint32_t link = 0; link < 2; link++) {
		for (uint32_t i = 0; i < HW_CORE_MAX_ENDPOINTS; i++) {
			addrs[i] = w.node[1].addr[link];
			addrs[i].ip[3] = (uint8_t)(i == 6 ? addrs[i].ip[3] : 100 + i);
		}
		assert_int_equal(hw_core_endpoints(core, 0, link, addrs, 8, w.now), 0);
	}
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(paths_by(0, 0), 8);
	assert_int_equal(paths_by(0, 1), 8);
	assert_int_equal(world_paths_up(&w, 0), 2);

	const struct hw_link_config third = link_config("third", HW_USE_ALWAYS, 1);

	assert_int_equal(hw_core_link_set(core, 2, &third, w.now), 0);
	hw_core_link_up(core, 2, 1500, w.now);
	assert_int_equal(hw_core_endpoints(core, 0, 2, addrs, 8, w.now), 0);
	world_flush(&w, 0);
	assert_int_equal(paths_by(0, 2), 5);
	assert_true(paths_by(0, 0) >= 5 && paths_by(0, 1) >= 5);
	assert_int_equal(paths_by(0, 0) + paths_by(0, 1), 11);
	assert_int_equal(world_paths_up(&w, 0), 2);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_REMOVED], 5);
	/* It goes again: the room is given back. */
	hw_core_link_remove(core, 2, w.now);
	world_flush(&w, 0);
	assert_int_equal(paths_by(0, 0), 8);
	assert_int_equal(paths_by(0, 1), 8);
	assert_int_equal(world_paths_up(&w, 0), 2);
}

/* Nothing is being sent when the client's address changes: the hub knows at once all the same. */
static void a_new_address_is_shown_at_once(void **state)
{
	struct hw_addr moved;

	(void)state;
	w.delay[1] = HW_MS(50);
	world_start_both(&w);
	flow(HW_S(3)); /* both know their round trip */
	world_run(&w, w.now + HW_S(5));
	w.node[0].addr[1].ip[1] = 51;
	hw_core_link_readdressed(w.node[0].core, 1, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_MS(250)); /* half a round trip; then one, and 100 ms */
	assert_int_equal(w.node[1].events[HW_EVENT_PATH_MOVED], 1);
	moved = path_by(1, 1).tuple.remote;
	assert_true(hw_addr_equal(&moved, &w.node[0].addr[1]));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);

	/* One that was given up on is tried again without delay. */
	w.cut[1] = true;
	world_run(&w, w.now + HW_S(100));
	assert_int_equal(path_by(0, 1).state, HW_PATH_DOWN);
	w.cut[1] = false;
	hw_core_link_readdressed(w.node[0].core, 1, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_MS(101));
	assert_int_equal(path_by(0, 1).state, HW_PATH_UP);
}

/* The hub moves to another address, which the client only sees by its packets. */
static void a_path_that_moved_outlives_changes_elsewhere(void **state)
{
	struct hw_addr moved;
	uint32_t path;

	(void)state;
	world_start_both(&w);
	flow(HW_S(1));
	path = path_by(0, 1).path;
	w.node[1].addr[1].ip[1] = 99;
	flow(HW_S(1));
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_MOVED], 1);
	plug_in(3);
	hw_core_link_remove(w.node[0].core, 2, w.now);
	flow(HW_S(1));
	/* The endpoint as configured is a path of its own again, as long as nobody says otherwise. */
	assert_int_equal(paths_by(0, 1), 2);
	assert_int_equal(path_by(0, 1).path, path);
	assert_int_equal(path_by(0, 1).state, HW_PATH_UP);
	moved = path_by(0, 1).tuple.remote;
	assert_true(hw_addr_equal(&moved, &w.node[1].addr[1]));
	assert_int_equal(hw_core_endpoints(w.node[0].core, 0, 1, &moved, 1, w.now), 0);
	world_flush(&w, 0);
	assert_int_equal(paths_by(0, 1), 1);
	assert_int_equal(path_by(0, 1).path, path);
	/* Now it is the configured one, and stays even if it is dead for long. */
	w.cut[1] = true;
	world_run(&w, w.now + HW_S(200));
	assert_int_equal(path_by(0, 1).state, HW_PATH_DOWN);
	assert_int_equal(path_by(0, 1).path, path);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);
}

static void use_and_price_change_while_it_runs(void **state)
{
	struct hw_link_config config = link_config("one", HW_USE_NEVER, 1);
	struct hw_core *core;

	(void)state;
	w.node[0].config.strategy = w.node[1].config.strategy = hw_strategy_find("backup");
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.node[0].config.links[i].price = 2;
	world_start_both(&w);
	core = w.node[0].core;
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(hw_core_link_set(core, 1, &config, w.now), 0);
	world_flush(&w, 0);
	assert_int_equal(paths_by(0, 1), 0);
	assert_int_equal(w.node[0].events[HW_EVENT_PATH_REMOVED], 1);
	world_run(&w, w.now + w.delay[0]);
	assert_int_equal(paths_by(1, 1), 0);
	world_run(&w, w.now + HW_S(100));
	assert_int_equal(paths_by(0, 1) + paths_by(1, 1), 0);

	config.use = HW_USE_ALWAYS;
	assert_int_equal(hw_core_link_set(core, 1, &config, w.now), 0);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_MS(100));
	assert_int_equal(path_by(0, 1).state, HW_PATH_UP);
	/* It is the cheapest, so the traffic is there once it has been trusted. */
	flow(HW_S(10));

	uint64_t before[WORLD_LINKS], after[WORLD_LINKS];

	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		before[i] = path_by(0, i).tx_packets;
	flow(HW_S(1));
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		after[i] = path_by(0, i).tx_packets - before[i];
	assert_true(after[1] >= 200 && after[0] < 80 && after[2] < 80); /* copies of reports */
	config.price = 5;
	assert_int_equal(hw_core_link_set(core, 1, &config, w.now), 0);
	flow(HW_S(10));
	before[1] = path_by(0, 1).tx_packets;
	flow(HW_S(1));
	assert_true(path_by(0, 1).tx_packets - before[1] < 80);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);
}

/* What must hold after every step, whatever the owner did. */
static void check_invariants(int node)
{
	const struct hw_core *core = w.node[node].core;
	const struct hw_peer *peer = &core->peers[0];
	uint32_t per_link[HW_CORE_MAX_LINKS] = { 0 }, learnt = 0, total = 0, usable = 0, share;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = &peer->paths.paths[i];
		const struct hw_core_link *slot;
		const struct hw_endpoints *e;
		bool found = false;

		if (!path->used)
			continue;
		assert_true(path->tuple.link < HW_CORE_MAX_LINKS);
		slot = &core->links[path->tuple.link];
		e = peer->endpoints[path->tuple.link].own ? &peer->endpoints[path->tuple.link]
							  : &peer->endpoints_all;
		assert_true(slot->used && slot->config.use != HW_USE_NEVER);
		assert_int_equal(path->id, i);
		assert_int_equal(path->link_down, !slot->up);
		assert_int_equal(path->link.use, slot->config.use);
		assert_int_equal(path->link.price, slot->config.price);
		assert_int_equal(path->link.metered, slot->config.metered);
		assert_true(slot->up || path->state == HW_PATH_DOWN);
		total++;
		learnt += path->learnt;
		per_link[path->tuple.link] += !path->learnt;
		for (uint32_t k = 0; k < e->count; k++)
			found = found || hw_addr_equal(&e->addrs[k], &path->tuple.remote);
		assert_true(path->learnt || found);
	}
	assert_int_equal(total, peer->paths.count);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++)
		usable += core->links[i].used && core->links[i].config.use != HW_USE_NEVER;
	share = HW_PATH_TABLE_PATHS / (usable > 0 ? usable : 1);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		const struct hw_core_link *slot = &core->links[i];
		const struct hw_endpoints *e =
			peer->endpoints[i].own ? &peer->endpoints[i] : &peer->endpoints_all;
		static const struct hw_core_link empty;
		uint32_t want = e->count < share ? e->count : share;

		if (!slot->used) {
			assert_memory_equal(slot, &empty, sizeof(empty));
			assert_int_equal(peer->endpoints[i].count + peer->endpoints[i].own, 0);
		} else if (slot->up && slot->config.use != HW_USE_NEVER && learnt == 0) {
			assert_true(per_link[i] >= want);
		}
	}
	for (uint32_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++) {
		const struct hw_candidate *c = &peer->paths.candidates[i];

		assert_true(!c->used || (core->links[c->tuple.link].up &&
					 core->links[c->tuple.link].config.use != HW_USE_NEVER));
	}
}

static void random_step(struct hw_rng *rng, int node)
{
	struct hw_core *core = w.node[node].core;
	uint32_t link = (uint32_t)hw_rng_below(rng, HW_CORE_MAX_LINKS);
	struct hw_link_config config = link_config(
		"random", (enum hw_link_use)hw_rng_below(rng, 3), (uint32_t)hw_rng_below(rng, 5));
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	uint32_t count = (uint32_t)hw_rng_below(rng, 4);

	switch (hw_rng_below(rng, 8)) {
	case 0:
	case 1:
		config.metered = hw_rng_below(rng, 2) != 0;
		assert_int_equal(hw_core_link_set(core, link, &config, w.now), 0);
		break;
	case 2:
	case 3:
		hw_core_link_up(core, link, (uint32_t)(500 + hw_rng_below(rng, 1000)), w.now);
		break;
	case 4:
		hw_core_link_down(core, link, w.now);
		break;
	case 5:
		hw_core_link_remove(core, link, w.now);
		break;
	case 6:
		w.node[node].addr[link].ip[1] = (uint8_t)hw_rng_below(rng, 200);
		hw_core_link_readdressed(core, link, w.now);
		break;
	default:
		for (uint32_t i = 0; i < count; i++) {
			addrs[i] = w.node[1 - node].addr[link];
			addrs[i].ip[3] = (uint8_t)(addrs[i].ip[3] + 3 * i + hw_rng_below(rng, 3));
		}
		/* Of all links as well; those in slots that are empty are refused. */
		if (node == 0)
			(void)!hw_core_endpoints(core, 0, hw_rng_below(rng, 4) ? link : HW_LINK_ALL,
						 addrs, count, w.now);
		break;
	}
	check_invariants(node);
	world_flush(&w, node);
}

/* Set, up, down, remove, readdress and endpoints in any order, under traffic. */
static void any_sequence_keeps_the_invariants(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct hw_rng rng;

		world_fini(&w);
		world_init(&w, seed);
		hw_rng_init(&rng, seed);
		print_message("# seed %u\n", (unsigned)seed);
		world_start_both(&w);
		for (uint32_t step = 0; step < 400; step++) {
			random_step(&rng, hw_rng_below(&rng, 3) == 0);
			world_send(&w, 0, 100, step);
			world_send(&w, 1, 100, step);
			world_run(&w, w.now + hw_rng_below(&rng, HW_MS(400)));
			check_invariants(0);
			check_invariants(1);
		}
		/* And from there to a link that works. */
		for (uint32_t link = 0; link < HW_CORE_MAX_LINKS; link++)
			for (int n = 0; n < 2; n++)
				hw_core_link_remove(w.node[n].core, link, w.now);
		plug_in(7);
		world_run(&w, w.now + HW_S(20));
		assert_int_equal(path_by(0, 7).state, HW_PATH_UP);

		uint64_t delivered = w.node[1].delivered;

		assert_int_equal(flow(HW_MS(500)), 100);
		world_run(&w, w.now + HW_MS(100));
		assert_int_equal(w.node[1].delivered - delivered, 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_core_begins_without_links),
		TEST(nothing_is_lost_while_links_come_and_go),
		TEST(the_peer_is_told_of_a_link_that_is_removed),
		TEST(the_peer_keeps_a_link_that_is_down),
		TEST(what_comes_late_by_a_path_that_was_given_up_is_delivered_only),
		TEST(an_endpoint_is_replaced),
		TEST(a_peer_that_removes_all_its_paths_is_found_again),
		TEST(what_makes_no_sense_is_refused),
		TEST(a_configuration_with_bad_links_is_refused),
		TEST(sixteen_links),
		TEST(a_slot_that_is_used_again_inherits_nothing),
		TEST(datagrams_of_an_empty_slot_are_dropped),
		TEST(a_late_link_gets_its_share),
		TEST(a_new_address_is_shown_at_once),
		TEST(a_path_that_moved_outlives_changes_elsewhere),
		TEST(use_and_price_change_while_it_runs),
		TEST(any_sequence_keeps_the_invariants),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
