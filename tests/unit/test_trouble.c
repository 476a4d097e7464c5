/* Links that die, come back, come and go: what is lost, and how long nothing arrives. */
#include "test.h"

#include "world.h"

#include "base/bytes.h"
#include "core/internal.h"
#include "wire/wire.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 5);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

/* What arrives at a node: each packet once, and the longest time between two. */
struct arrivals {
	uint32_t first, count; /* numbers expected: first .. first + count */
	uint32_t got;
	hw_time last, gap;
	bool seen[80000];
};

static struct arrivals arrivals[2];

static void note(int node, const uint8_t *packet)
{
	struct arrivals *a = &arrivals[node];
	uint32_t number = hw_load32(packet + 20) - a->first;

	if (number >= sizeof(a->seen))
		return;
	assert_false(a->seen[number]); /* nothing twice */
	a->seen[number] = true;
	a->got++;
	if (a->last != 0 && w.now - a->last > a->gap)
		a->gap = w.now - a->last;
	a->last = w.now;
}

static void note_client(void *ctx, const uint8_t *packet, uint32_t len)
{
	(void)ctx;
	(void)len;
	note(0, packet);
}

static void note_hub(void *ctx, const uint8_t *packet, uint32_t len)
{
	(void)ctx;
	(void)len;
	note(1, packet);
}

static uint32_t numbers;

/* Count from now on; what is still under way does not matter. */
static void count_anew(void)
{
	w.receive[0] = note_client;
	w.receive[1] = note_hub;
	numbers += 100000;
	for (int n = 0; n < 2; n++)
		arrivals[n] = (struct arrivals){ .first = numbers };
}

/* A packet each `gap` for `span`, both ways. */
static void flow(hw_time gap, hw_time span)
{
	for (hw_time end = w.now + span; w.now < end;) {
		for (int n = 0; n < 2; n++)
			world_send(&w, n, 100, arrivals[n].first + arrivals[n].count++);
		world_run(&w, w.now + gap);
	}
}

static uint32_t lost(void)
{
	return arrivals[0].count - arrivals[0].got + arrivals[1].count - arrivals[1].got;
}

static void with_strategy(const char *name)
{
	for (int n = 0; n < 2; n++)
		w.node[n].config.strategy = hw_strategy_find(name);
}

static struct hw_core_totals totals(int node)
{
	struct hw_core_totals t;

	hw_core_totals(w.node[node].core, &t);
	return t;
}

/* The client's path by that link, as its core sees it. */
static struct hw_path_snapshot path_of(uint32_t link)
{
	struct hw_peer_snapshot s;

	world_snapshot(&w, 0, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		if (s.paths[i].tuple.link == link)
			return s.paths[i];
	return (struct hw_path_snapshot){ .state = HW_PATH_DOWN };
}

/* The link that carries most of what the client sends now. */
static uint32_t link_in_use(hw_time gap)
{
	uint64_t sent[WORLD_LINKS];
	uint32_t most = 0;

	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		sent[i] = path_of(i).tx_packets;
	flow(gap, HW_MS(500));
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		sent[i] = path_of(i).tx_packets - sent[i];
	for (uint32_t i = 1; i < WORLD_LINKS; i++)
		if (sent[i] > sent[most])
			most = i;
	return most;
}

/*
 * Two links, round trips of 5 to 600 ms each, 200 to 10 packets a second both ways; the one in use dies
 * without a word. Nothing is lost, and nothing arrives for max(300 ms, 3 RTT of the other) at most: 60
 * seeds, 1 to 60.
 */
static void a_dead_link_costs_no_packet(void **state)
{
	static const hw_time gaps[] = { HW_MS(5), HW_MS(10), HW_MS(20), HW_MS(50), HW_MS(100) };
	hw_time worst = 0;
	uint64_t resent = 0;

	(void)state;
	world_fini(&w);
	for (uint32_t seed = 1; seed <= 60; seed++) {
		const char *mode = seed % 3 == 0 ? "redundant" : "backup";
		hw_time gap = gaps[seed % 5];

		world_init(&w, seed);
		with_strategy(mode);
		w.cut[2] = true;
		for (uint32_t i = 0; i < 2; i++)
			w.delay[i] = 2500 * HW_NS_PER_US + hw_rng_below(&w.rng, HW_MS(297));
		world_start_both(&w);
		world_run(&w, w.now + HW_S(2));
		count_anew();
		flow(gap, HW_S(8) + hw_rng_below(&w.rng, HW_S(1)));

		uint32_t dead = link_in_use(gap);
		hw_time rtt = 2 * w.delay[1 - dead];

		world_run(&w, w.now + hw_rng_below(&w.rng, gap));
		count_anew();
		w.cut[dead] = true;
		flow(gap, HW_S(5));
		world_run(&w, w.now + HW_S(2));
		for (int n = 0; n < 2; n++) {
			if (arrivals[n].gap > hw_time_max(HW_MS(300), 3 * rtt) ||
			    arrivals[n].got != arrivals[n].count)
				fail_msg("seed %u %s: %u of %u lost at node %d, gap %u ms, rtt %u and "
					 "%u ms",
					 seed, mode, arrivals[n].count - arrivals[n].got,
					 arrivals[n].count, n,
					 (unsigned)(arrivals[n].gap / HW_NS_PER_MS),
					 (unsigned)(rtt / HW_NS_PER_MS),
					 (unsigned)(2 * w.delay[dead] / HW_NS_PER_MS));
			resent += totals(n).tx_resent;
			worst = hw_time_max(worst, arrivals[n].gap);
		}
		world_fini(&w);
	}
	print_message("# longest gap %u ms, %u packets sent again\n", (unsigned)(worst / HW_NS_PER_MS),
		      (unsigned)resent);
	assert_true(resent > 100);
	world_init(&w, 1);
}

/* The interface goes: what was under way on it alone is sent again at once. */
static void a_link_that_is_taken_away_costs_nothing(void **state)
{
	(void)state;
	for (int removed = 0; removed < 2; removed++) {
		world_fini(&w);
		world_init(&w, 40 + (uint32_t)removed);
		with_strategy("backup");
		w.delay[1] = HW_MS(40);
		w.cut[2] = true;
		world_start_both(&w);
		count_anew();
		flow(HW_MS(5), HW_S(8));

		uint32_t link = link_in_use(HW_MS(5));

		count_anew();
		flow(HW_MS(5), HW_MS(100));
		w.cut[link] = true; /* what is in the air is lost */
		if (removed)
			hw_core_link_remove(w.node[0].core, link, w.now);
		else
			hw_core_link_down(w.node[0].core, link, w.now);
		world_flush(&w, 0);
		flow(HW_MS(5), HW_S(2));
		world_run(&w, w.now + HW_S(1));
		/* The hub hears of it 40 ms later; its own silence would take about as long. */
		assert_int_equal(lost(), 0);
		assert_true(arrivals[1].gap <= HW_MS(50));
		assert_true(arrivals[0].gap <= HW_MS(150));
	}
}

/* More is under way than is kept: what is beyond is lost, the limit holds, and the rest arrives. */
static void what_is_kept_is_bounded(void **state)
{
	(void)state;
	with_strategy("backup");
	w.delay[0] = HW_MS(900);
	w.delay[1] = HW_MS(950);
	w.cut[2] = true;
	world_start_both(&w);
	world_run(&w, w.now + HW_S(8));
	count_anew();
	flow(HW_MS(20), HW_S(4));
	count_anew();
	w.cut[0] = true;
	/* 6000 packets, in flight for 900 ms: one way, so that the world takes them. */
	for (uint32_t i = 0; i < 6000; i++) {
		world_send(&w, 0, 100, arrivals[1].first + arrivals[1].count++);
		if (i % 5 == 4)
			world_run(&w, w.now + HW_MS(1));
		assert_true(w.node[0].core->peers[0].retain.held <= HW_RETAIN_PACKETS);
	}
	world_run(&w, w.now + HW_S(10));
	print_message("# %u of 6000 lost, %u sent again\n", (unsigned)(arrivals[1].count - arrivals[1].got),
		      (unsigned)totals(0).tx_resent);
	assert_true(totals(0).tx_resent >= HW_RETAIN_PACKETS - 200);
	assert_true(totals(0).tx_resent <= HW_RETAIN_PACKETS + 100);
	assert_int_equal(w.node[0].core->peers[0].retain.held, 0);
}

/* One of two links goes and comes 1 to 10 times a second for ten minutes in all. */
static void flapping_costs_nothing(void **state)
{
	static const hw_time halves[] = { HW_MS(500), HW_MS(250), HW_MS(100), HW_MS(50) };
	uint64_t sent;

	(void)state;
	for (int backup = 0; backup < 2; backup++) {
		uint32_t events = 0;

		world_fini(&w);
		world_init(&w, 60 + (uint32_t)backup);
		with_strategy(backup ? "backup" : "redundant");
		w.cut[2] = true;
		w.delay[1] = HW_MS(30);
		world_start_both(&w);
		count_anew();
		sent = w.sent[0] + w.sent[1];
		for (uint32_t i = 0; i < 4; i++) {
			count_anew();
			for (hw_time end = w.now + HW_S(150); w.now < end;) {
				w.cut[0] = !w.cut[0];
				flow(HW_MS(10), halves[i]);
			}
			w.cut[0] = false;
			world_run(&w, w.now + HW_S(2));
			print_message("# %s, %u ms and %u ms: %u lost, gap %u ms\n",
				      backup ? "backup" : "redundant",
				      (unsigned)(halves[i] / HW_NS_PER_MS),
				      (unsigned)(halves[i] / HW_NS_PER_MS), lost(),
				      (unsigned)(hw_time_max(arrivals[0].gap, arrivals[1].gap) /
						 HW_NS_PER_MS));
			/* Ten times a second is beyond what one path alone can be saved from. */
			assert_true(lost() <= (backup && halves[i] == HW_MS(50) ? 30 : 0));
		}
		for (int n = 0; n < 2; n++) {
			assert_int_equal(w.node[n].events[HW_EVENT_SESSION_UP], 1);
			assert_int_equal(w.node[n].events[HW_EVENT_SESSION_DOWN], 0);
			events += w.node[n].events[HW_EVENT_PATH_SUSPECT] +
				  w.node[n].events[HW_EVENT_PATH_DOWN] +
				  w.node[n].events[HW_EVENT_PATH_UP];
		}
		sent = w.sent[0] + w.sent[1] - sent;
		print_message("# %u events, %u datagrams for 120000 packets\n", events,
			      (unsigned)sent);
		/* 3900 changes of the link in ten minutes: fewer lines than that, and bounded work. */
		assert_true(events < 600);
		assert_true(sent < 120000 * 4);
	}
}

struct meter {
	uint32_t link;
	uint64_t bytes, packets;
};

static bool count_bytes(void *ctx, int from, const struct world_flight *flight)
{
	struct meter *m = ctx;

	(void)from;
	if (flight->tuple.link == m->link) {
		m->bytes += flight->len + HW_WIRE_IPV6_UDP_BYTES; /* the dearer of the two */
		m->packets++;
	}
	return true;
}

/*
 * A day's bytes of IP, both ways, keys renewed each 120 s, on a link that only stands by: metered, or of
 * use backup, while others carry 10 packets a second; and metered with nothing to carry anywhere.
 */
static void a_standby_link_costs_a_megabyte_a_day_at_most(void **state)
{
	static struct meter meter;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		world_fini(&w);
		world_init(&w, 80 + (uint32_t)kind);
		with_strategy("backup");
		w.delay[2] = HW_MS(5); /* it would be the best */
		if (kind == 1)
			w.node[0].config.links[2].use = HW_USE_BACKUP;
		else
			w.node[0].config.links[2].metered = true;
		if (kind != 1)
			w.node[0].config.links[2].price = 3;
		world_start_both(&w);
		count_anew();
		flow(HW_MS(100), HW_S(10));
		meter = (struct meter){ .link = 2 };
		w.tap = count_bytes;
		w.tap_ctx = &meter;
		if (kind < 2) {
			flow(HW_MS(100), HW_S(3600));
			meter.bytes *= 24;
		} else {
			world_run(&w, w.now + HW_S(86400));
		}
		w.tap = NULL;
		print_message("# %u bytes a day (%u packets counted)\n", (unsigned)meter.bytes,
			      (unsigned)meter.packets);
		assert_true(meter.bytes <= 1000000);
		assert_true(meter.packets >= 100); /* it is kept alive all the same */
		assert_int_equal(path_of(2).state, HW_PATH_UP);
	}
}

/* A path that only stands by carries a probe a second each way, and no reports. */
static void a_standby_path_carries_probes_only(void **state)
{
	static struct meter meter;

	(void)state;
	with_strategy("backup");
	w.delay[1] = HW_MS(60);
	w.cut[2] = true;
	world_start_both(&w);
	count_anew();
	flow(HW_MS(10), HW_S(10));
	meter = (struct meter){ .link = 1 };
	w.tap = count_bytes;
	w.tap_ctx = &meter;
	flow(HW_MS(10), HW_S(60));
	w.tap = NULL;
	print_message("# %u bytes a day\n", (unsigned)(meter.bytes * 1440));
	/* Each side asks once a second and answers once; now and then the MTU is asked for. */
	assert_in_range(meter.packets, 230, 290);
	assert_int_equal(lost(), 0);
}

/* Ten seconds there and back: the handshake is done after the first answer, and packets pass. */
static void a_handshake_over_ten_seconds_completes(void **state)
{
	hw_time began;

	(void)state;
	for (uint32_t i = 0; i < WORLD_LINKS; i++) {
		w.delay[i] = HW_S(5);
		w.cut[i] = i > 0;
	}
	world_start(&w, 1);
	world_start(&w, 0);
	began = w.now;
	world_run(&w, began + HW_MS(10100));
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_UP], 1);
	world_run(&w, began + HW_S(60));
	assert_int_equal(path_of(0).state, HW_PATH_UP);
	assert_int_equal(w.node[0].core->peers[0].next_generation, 1);
	assert_int_equal(w.node[1].core->peers[0].next_generation, 1);
	count_anew();
	flow(HW_MS(200), HW_S(20));
	world_run(&w, w.now + HW_S(10));
	assert_int_equal(lost(), 0);
	/* The keys are renewed over it too. */
	world_run(&w, began + HW_S(200));
	assert_in_range(w.node[0].core->peers[0].next_generation, 2, 3);
	assert_int_equal(w.node[0].events[HW_EVENT_SESSION_DOWN], 0);
}

/* The hub starts anew and knows nothing: all paths are back soon after the first. */
static void all_paths_come_back_after_the_hub(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		world_fini(&w);
		world_init(&w, 20 + i);
		world_start_both(&w);
		count_anew();
		flow(HW_MS(20), HW_S(5));
		world_stop(&w, 1);
		world_run(&w, w.now + HW_MS(200) + i * HW_S(13));
		world_start(&w, 1);

		hw_time began = w.now, session = 0;

		while (world_paths_up(&w, 1) < WORLD_LINKS && w.now < began + HW_S(60)) {
			world_run(&w, w.now + HW_MS(10));
			if (session == 0 && w.node[1].core->peers[0].established_at != 0)
				session = w.now;
		}
		assert_int_equal(world_paths_up(&w, 1), WORLD_LINKS);
		assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
		assert_true(w.now - session <= HW_MS(200));
	}
}

/* A link comes back after a long break: it carries within a second, whatever backoff there was. */
static void a_link_that_comes_up_carries_within_a_second(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		world_fini(&w);
		world_init(&w, 30 + i);
		world_start_both(&w);
		w.cut[1] = true;
		hw_core_link_down(w.node[0].core, 1, w.now);
		world_flush(&w, 0);
		count_anew();
		flow(HW_MS(20), HW_S(1) + i * HW_S(17)); /* 61 s: the hub has forgotten it */
		w.cut[1] = false;
		hw_core_link_up(w.node[0].core, 1, 1500, w.now);
		world_flush(&w, 0);

		uint64_t sent[2] = { path_of(1).tx_packets, path_of(1).rx_packets };

		flow(HW_MS(20), HW_MS(500));
		assert_true(path_of(1).tx_packets - sent[0] >= 20);
		assert_true(path_of(1).rx_packets - sent[1] >= 20);
		assert_int_equal(lost(), 0);
	}
}

/* The first packets after a break take a second (an address to be resolved): that wears off at once. */
static void backup_returns_soon_though_the_first_answer_was_slow(void **state)
{
	uint64_t sent;

	(void)state;
	with_strategy("backup");
	w.delay[0] = HW_MS(10);
	w.delay[1] = HW_MS(60);
	w.cut[2] = true;
	world_start_both(&w);
	count_anew();
	flow(HW_MS(20), HW_S(15));
	w.cut[0] = true;
	hw_core_link_down(w.node[0].core, 0, w.now);
	world_flush(&w, 0);
	flow(HW_MS(20), HW_S(10));
	w.cut[0] = false;
	w.delay[0] = HW_MS(500);
	hw_core_link_up(w.node[0].core, 0, 1500, w.now);
	world_flush(&w, 0);
	w.delay[0] = HW_MS(10);
	flow(HW_MS(20), HW_S(7));
	sent = path_of(0).tx_packets;
	flow(HW_MS(20), HW_S(1));
	assert_true(path_of(0).tx_packets - sent >= 48);
	assert_int_equal(lost(), 0);
}

static bool leads_to_the_hub(uint32_t link)
{
	struct hw_path_snapshot path = path_of(link);

	return hw_addr_equal(&path.tuple.remote, &w.node[1].addr[link]);
}

/* Where the hub's packets seem to come from while it is called at its own address. */
static void answer_from_elsewhere(uint32_t link, uint8_t last)
{
	w.node[1].seen_as[link] = w.node[1].addr[link];
	w.node[1].seen_as[link].ip[3] = last;
}

/* The hub answers from another address than it is called at, on one link of three, or on all. */
static void a_peer_that_answers_from_another_address_is_reached(void **state)
{
	(void)state;
	for (uint32_t links = 1; links <= 3; links += 2) {
		uint64_t nowhere;

		world_fini(&w);
		world_init(&w, 90 + links);
		for (uint32_t i = 0; i < links; i++)
			answer_from_elsewhere(i, 77);
		world_start_both(&w);
		world_run(&w, w.now + HW_S(2));
		assert_int_equal(world_paths_up(&w, 0), 3);
		assert_int_equal(world_paths_up(&w, 1), 3);
		assert_true(leads_to_the_hub(0));
		count_anew();
		nowhere = w.nowhere[0];
		flow(HW_MS(10), HW_S(5));
		world_run(&w, w.now + HW_S(1));
		assert_int_equal(lost(), 0);
		assert_int_equal(w.nowhere[0], nowhere);
		/* Over it alone too, and its death is still found. */
		w.cut[1] = w.cut[2] = true;
		flow(HW_MS(10), HW_S(3));
		assert_int_equal(path_of(0).state, HW_PATH_UP);
		w.cut[1] = w.cut[2] = false;
		flow(HW_MS(10), HW_S(20));
		w.cut[0] = true;
		flow(HW_MS(10), HW_S(3));
		assert_int_equal(path_of(0).state, HW_PATH_DOWN);
		/* And when it answers from its own address again, that is as good. */
		w.cut[0] = false;
		w.node[1].seen_as[0] = w.node[1].addr[0];
		flow(HW_MS(10), HW_S(40));
		assert_int_equal(path_of(0).state, HW_PATH_UP);
	}
}

/* Answers that somebody relays from elsewhere: a path that works hears only its own address. */
static bool relay_answers(void *ctx, int from, const struct world_flight *flight)
{
	(void)ctx;
	if (from == 1 && flight->tuple.link == 0)
		((struct world_flight *)(uintptr_t)flight)->tuple.remote.ip[3] = 200;
	return true;
}

static void a_relayed_answer_changes_no_path_that_works(void **state)
{
	const struct hw_peer *peer;

	(void)state;
	world_start_both(&w);
	peer = &w.node[0].core->peers[0];
	count_anew();
	flow(HW_MS(10), HW_S(2));
	w.tap = relay_answers;
	flow(HW_MS(10), HW_MS(60));
	assert_int_equal(peer->paths.paths[0].answers_from.family, HW_FAMILY_NONE);
	assert_true(leads_to_the_hub(0));
	/* Even when it is all that there is, packets keep going to the address that was configured. */
	flow(HW_MS(10), HW_S(10));
	assert_true(leads_to_the_hub(0));
	w.tap = NULL;
	flow(HW_MS(10), HW_S(40));
	assert_int_equal(path_of(0).state, HW_PATH_UP);
	assert_true(leads_to_the_hub(0));
	assert_int_equal(lost(), 0);
}

static void plug_in(uint32_t link)
{
	const struct hw_link_config config = { .name = "new", .price = 1 };

	for (int n = 1; n >= 0; n--) {
		assert_int_equal(hw_core_link_set(w.node[n].core, link, &config, w.now), 0);
		if (n == 0)
			assert_int_equal(hw_core_endpoints(w.node[0].core, 0, link,
							   &w.node[1].addr[link], 1, w.now),
					 0);
		hw_core_link_up(w.node[n].core, link, 1500, w.now);
		world_flush(&w, n);
	}
}

struct captured {
	struct world_flight last;
	bool full;
};

/* Each tenth packet of the client's on link 0 never arrives: whoever took it sends it on himself. */
static bool capture(void *ctx, int from, const struct world_flight *flight)
{
	struct captured *c = ctx;

	if (from != 0 || flight->tuple.link != 0 || flight->bytes[0] >> 4 != HW_WIRE_DATA || c->full)
		return true;
	c->last = *flight;
	c->full = true;
	return false;
}

/*
 * Fifteen paths that the hub has learnt, and 10,000 addresses beside them: each sends a datagram of noise,
 * a copy of what came, and some an authentic packet that never arrived otherwise. The limits hold, no path
 * moves, and a sixteenth link joins at once.
 */
static void a_true_link_joins_beside_ten_thousand_strangers(void **state)
{
	static struct captured captured;
	const struct hw_path_table *table;
	uint8_t noise[100] = { HW_WIRE_DATA << 4 | 1 };
	uint32_t authentic = 0;

	(void)state;
	world_start_both(&w);
	for (uint32_t link = WORLD_LINKS; link < 15; link++)
		plug_in(link);
	world_run(&w, w.now + HW_S(1));
	table = &w.node[1].core->peers[0].paths;
	assert_int_equal(world_paths_up(&w, 0), 15);
	assert_int_equal(world_paths_up(&w, 1), 15);
	captured.full = false;
	w.tap = capture;
	w.tap_ctx = &captured;
	for (uint32_t i = 0; i < 10000; i++) {
		struct hw_tuple from = { .link = i % 15, .remote = w.node[0].addr[i % 15] };

		from.remote.ip[2] = (uint8_t)(100 + i / 256);
		from.remote.ip[3] = (uint8_t)i;
		if (i % 10 == 0) {
			captured.full = false;
			world_send(&w, 0, 100, i);
		}
		from.link = captured.last.tuple.link;
		world_inject(&w, 1, &from, captured.last.bytes, captured.last.len);
		authentic += i % 10 == 0;
		hw_rng_fill(&w.rng, noise + 4, sizeof(noise) - 4);
		memcpy(noise + 1, captured.last.bytes + 1, 3);
		world_inject(&w, 1, &from, noise, sizeof(noise));
		world_run(&w, w.now + HW_MS(1));
		assert_int_equal(table->count, i < 5000 ? 15 : 16);
		if (i == 4999) {
			plug_in(15);
			world_run(&w, w.now + HW_MS(500));
			assert_int_equal(world_paths_up(&w, 1), 16);
		}
	}
	assert_int_equal(authentic, 1000);
	w.tap = NULL;
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(world_paths_up(&w, 0), 16);
	assert_int_equal(world_paths_up(&w, 1), 16);
	assert_int_equal(w.node[1].events[HW_EVENT_PATH_MOVED], 0);
	assert_int_equal(w.node[1].delivered, 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_dead_link_costs_no_packet),
		TEST(a_link_that_is_taken_away_costs_nothing),
		TEST(what_is_kept_is_bounded),
		TEST(flapping_costs_nothing),
		TEST(a_standby_link_costs_a_megabyte_a_day_at_most),
		TEST(a_standby_path_carries_probes_only),
		TEST(a_handshake_over_ten_seconds_completes),
		TEST(all_paths_come_back_after_the_hub),
		TEST(a_link_that_comes_up_carries_within_a_second),
		TEST(backup_returns_soon_though_the_first_answer_was_slow),
		TEST(a_peer_that_answers_from_another_address_is_reached),
		TEST(a_relayed_answer_changes_no_path_that_works),
		TEST(a_true_link_joins_beside_ten_thousand_strangers),
	};

	return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
