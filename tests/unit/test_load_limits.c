/*
 * What a peer with the right keys can make a node send by asking for load tests: the limits of
 * core/load.h, each reached.
 */
#include "test.h"

#include <stdio.h>

#include "core/internal.h"
#include "core/load_state.h"
#include "shaped.h"

static struct shaped s;

static struct hw_peer *peer_of(int node)
{
	return &s.node[node].core->peers[0];
}

static int setup(void **state)
{
	(void)state;
	shaped_init(&s, 3, SHAPED_LINKS);
	shaped_start(&s);
	/* Every path is probed and known on both sides. */
	shaped_run(&s, s.now + HW_S(20));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shaped_fini(&s);
	return 0;
}

static uint64_t bytes_down(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < SHAPED_LINKS; i++)
		for (uint32_t j = 0; j < SHAPED_LINKS; j++)
			sum += s.way[i][SHAPED_DOWN].bytes[j];
	return sum;
}

/* The client says this to the hub on one link, whatever its own engine thinks of it. */
static void say_load(uint32_t link, const struct hw_control_load *frame)
{
	struct hw_peer *peer = peer_of(SHAPED_CLIENT);
	struct hw_path *path = hw_path_table_at(&peer->paths, shaped_path(&s, SHAPED_CLIENT, link));
	struct hw_control_writer writer;
	struct hw_buf *buf = hw_control_begin(s.node[SHAPED_CLIENT].core, &writer);

	assert_int_equal(hw_control_put_load(&writer, frame), 0);
	hw_control_send_to(peer, buf, &writer, &path->tuple, s.now);
	shaped_flush(&s, SHAPED_CLIENT);
}

static struct hw_control_load greedy(uint32_t test)
{
	return (struct hw_control_load){ test, UINT32_MAX, UINT16_MAX, UINT32_MAX, 0 };
}

static struct hw_load_stream *stream_on(uint32_t link)
{
	struct hw_peer *peer = peer_of(SHAPED_HUB);

	return &peer->load->paths[shaped_path(&s, SHAPED_HUB, link)].stream;
}

static bool sends(uint32_t link)
{
	return stream_on(link)->phase == HW_LOAD_LEADING ||
	       stream_on(link)->phase == HW_LOAD_SENDING;
}

/* Bytes of a load are bounded, and what it costs beyond them: headers, LOAD_DONE, its answers. */
static void a_load_has_at_most_32_mib(void **state)
{
	const struct hw_control_load frame = greedy(1);
	uint64_t before = bytes_down(), used;

	(void)state;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_S(10));
	used = bytes_down() - before;
	assert_true(stream_on(0)->bytes <= HW_LOAD_BYTES_MAX);
	assert_true(stream_on(0)->bytes > HW_LOAD_BYTES_MAX - 2 * HW_LOAD_PAYLOAD_MAX);
	assert_true(used < (uint64_t)HW_LOAD_BYTES_MAX / 100 * 104);
	assert_false(sends(0));
}

static void a_load_lasts_at_most_3_s(void **state)
{
	struct hw_control_load frame = greedy(1);
	hw_time began;

	(void)state;
	frame.rate_kbps = 1000;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_MS(100));
	began = s.now;
	assert_true(sends(0));
	while (sends(0) && hw_time_since(s.now, began) < HW_S(10))
		shaped_run(&s, s.now + HW_MS(10));
	assert_true(hw_time_since(s.now, began) >= HW_MS(2900));
	assert_true(hw_time_since(s.now, began) <= HW_MS(3100));
}

static void a_load_has_at_most_1_gbit(void **state)
{
	const struct hw_control_load frame = greedy(1);
	uint64_t before;
	hw_time since;

	(void)state;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_MS(150)); /* way there, packets ahead */
	before = bytes_down();
	since = s.now;
	shaped_run(&s, s.now + HW_MS(50));
	assert_true(sends(0));
	assert_true((double)(bytes_down() - before) * 8 <=
		    1.02 * (double)hw_time_since(s.now, since)); /* 1 Gbit/s: one bit a ns */
	assert_true((double)(bytes_down() - before) * 8 >=
		    0.9 * (double)hw_time_since(s.now, since));
}

static void two_run_at_once_and_one_on_a_path(void **state)
{
	struct hw_control_load frame = greedy(1);

	(void)state;
	frame.rate_kbps = 1000;
	for (uint32_t link = 0; link < SHAPED_LINKS; link++) {
		frame.test = link + 1;
		say_load(link, &frame);
	}
	shaped_run(&s, s.now + HW_MS(500));
	assert_true(sends(0));
	assert_true(sends(1));
	assert_false(sends(2));
	/* Another on a path that has one: the first goes on. */
	frame.test = 9;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_MS(500));
	assert_int_equal(stream_on(0)->test, 1);
	assert_true(sends(0));
	/* When one is over there is room again. */
	shaped_run(&s, s.now + HW_S(3));
	frame.test = 10;
	say_load(2, &frame);
	shaped_run(&s, s.now + HW_MS(500));
	assert_true(sends(2));
}

static void a_question_repeated_begins_nothing(void **state)
{
	struct hw_control_load frame = greedy(77);
	uint64_t before;

	(void)state;
	frame.rate_kbps = 1000;
	frame.duration_ms = 100;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_S(10));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_IDLE);
	assert_true(stream_on(0)->packets > 5);
	before = bytes_down();
	for (int i = 0; i < 100; i++)
		say_load(0, &frame);
	shaped_run(&s, s.now + HW_S(5));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_IDLE);
	/* One short answer each, none longer than the question's datagram and what pads it. */
	assert_true(bytes_down() - before < 100 * 90 + 3000);
}

/* 128 MiB in store, which fill again within an hour; asked for as fast as it goes. */
static void the_hours_bytes_run_out(void **state)
{
	uint64_t before = bytes_down(), sent;
	hw_time began = s.now;
	uint32_t test = 1;

	(void)state;
	while (hw_time_since(s.now, began) < HW_S(300)) {
		for (uint32_t link = 0; link < SHAPED_LINKS; link++) {
			const struct hw_control_load frame = greedy(test++);

			say_load(link, &frame);
		}
		shaped_run(&s, s.now + HW_MS(250));
	}
	sent = bytes_down() - before;
	print_message("%.1f MiB in 300 s\n", (double)sent / (1 << 20));
	/* Payload: 128 * (1 + 300/3600) = 138.7 MiB; and headers, LOAD_DONE, refusals. */
	assert_true(sent > UINT64_C(138) << 20);
	assert_true(sent < UINT64_C(145) << 20);
	assert_true(peer_of(SHAPED_HUB)->load->hour.left < 100000);
}

static void what_was_not_sent_is_not_charged(void **state)
{
	struct hw_control_load frame = greedy(1);

	(void)state;
	frame.rate_kbps = 100;
	frame.duration_ms = 1000;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_S(10));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_IDLE);
	assert_true(peer_of(SHAPED_HUB)->load->hour.left > HW_LOAD_HOUR_BYTES - 30000);
}

static void metered_links_have_a_store_of_their_own(void **state)
{
	uint64_t before = bytes_down();

	(void)state;
	s.node[SHAPED_HUB].core->links[0].config.metered = true;
	for (uint32_t i = 0; i < 20; i++) {
		const struct hw_control_load frame = greedy(i + 1);

		say_load(0, &frame);
		shaped_run(&s, s.now + HW_S(1));
	}
	assert_true(bytes_down() - before > HW_LOAD_HOUR_BYTES_METERED / 10 * 9);
	assert_true(bytes_down() - before < HW_LOAD_HOUR_BYTES_METERED / 10 * 11);
	assert_true(peer_of(SHAPED_HUB)->load->hour.left == HW_LOAD_HOUR_BYTES);
}

static void senseless_and_unready_questions_begin_nothing(void **state)
{
	struct hw_control_load frame = greedy(1);

	(void)state;
	frame.rate_kbps = 0;
	say_load(0, &frame);
	frame = greedy(2);
	frame.duration_ms = 0;
	say_load(0, &frame);
	frame = greedy(3);
	frame.bytes = 0;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_MS(300));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_IDLE);
	assert_int_equal(stream_on(0)->packets, 0);
	/* A path in doubt gets none. */
	hw_path_table_at(&peer_of(SHAPED_HUB)->paths, shaped_path(&s, SHAPED_HUB, 1))->state =
		HW_PATH_SUSPECT;
	frame = greedy(4);
	hw_load_asked(peer_of(SHAPED_HUB),
		      hw_path_table_at(&peer_of(SHAPED_HUB)->paths, shaped_path(&s, SHAPED_HUB, 1)),
		      &frame, NULL, s.now);
	assert_int_equal(stream_on(1)->phase, HW_LOAD_IDLE);
	/* Nor does an address that is no path. */
	hw_load_asked(peer_of(SHAPED_HUB), NULL, &frame, NULL, s.now);
	shaped_run(&s, s.now + HW_MS(300));
	for (uint32_t link = 0; link < SHAPED_LINKS; link++)
		assert_int_equal(stream_on(link)->packets, 0);
}

/* A peer that never answers LOAD_DONE hears it eight times. */
static void load_done_is_not_repeated_for_ever(void **state)
{
	struct hw_control_load frame = greedy(5);
	uint64_t before;

	(void)state;
	frame.rate_kbps = 1000;
	frame.duration_ms = 100;
	say_load(0, &frame);
	shaped_run(&s, s.now + HW_MS(150));
	shaped_change(&s, 0, SHAPED_UP, &(struct hw_link_params){ .down = true });
	shaped_run(&s, s.now + HW_MS(100));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_ENDING);
	shaped_run(&s, s.now + HW_S(12));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_IDLE);
	assert_int_equal(stream_on(0)->tries, 8);
	before = s.way[0][SHAPED_DOWN].bytes[0];
	shaped_run(&s, s.now + HW_S(5));
	assert_true(s.way[0][SHAPED_DOWN].bytes[0] - before < 2000);
}

/* Results and ends of loads that were never asked for, and trains without end. */
static void unasked_frames_change_nothing_that_counts(void **state)
{
	struct hw_peer *hub = peer_of(SHAPED_HUB);
	struct hw_path *path = hw_path_table_at(&hub->paths, shaped_path(&s, SHAPED_HUB, 0));
	struct hw_control_load_done done = { .test = 3, .packets = UINT32_MAX, .mtu = UINT16_MAX };
	struct hw_control_load_result result = { .test = 3, .packets = UINT32_MAX };
	struct hw_load_outcome o;

	(void)state;
	hw_load_result_in(hub, path, &result);
	assert_null(hub->load);
	hw_load_done_in(hub, path, &done, NULL);
	hw_load_result_in(hub, path, &result);
	for (uint32_t i = 0; i < 100000; i++) {
		const struct hw_control_load_data data = { .test = i / 3, .flags = (uint8_t)i,
							   .index = i * 7919,
							   .sent_us = i * 2654435761u };

		hw_load_data_in(hub, path, &data, i, s.now, s.now);
	}
	for (int down = 0; down < 2; down++) {
		hw_core_load_outcome(s.node[SHAPED_HUB].core, 0, path->id, down, &o);
		assert_int_equal(o.state, HW_LOAD_NONE);
		assert_int_equal(o.packets, 0);
	}
	assert_true(hw_load_deadline(hub) == HW_TIME_NEVER);
	/* All of it in one place that does not grow. */
	assert_true(sizeof(struct hw_load) < 100000);
}

/* What the node's own user has begun is not the peer's to replace. */
static void a_question_leaves_ones_own_load_alone(void **state)
{
	const struct hw_load_params own = { .rate_kbps = 1000, .duration_ms = 1000, .bytes = 1u << 20 };
	uint32_t path = shaped_path(&s, SHAPED_HUB, 0);
	struct hw_control_load frame = greedy(1);
	struct hw_load_outcome o;

	(void)state;
	assert_int_equal(hw_core_load_start(s.node[SHAPED_HUB].core, 0, path, &own, s.now), 0);
	shaped_flush(&s, SHAPED_HUB);
	frame.rate_kbps = 1000;
	for (int i = 0; i < 10; i++) {
		say_load(0, &frame);
		shaped_run(&s, s.now + HW_MS(100));
		assert_false(stream_on(0)->asked);
	}
	/* Nor while it waits for the peer's word of what arrived. */
	for (int i = 0; i < 1000 && stream_on(0)->phase != HW_LOAD_ENDING; i++)
		shaped_run(&s, s.now + HW_MS(1));
	assert_int_equal(stream_on(0)->phase, HW_LOAD_ENDING);
	hw_load_asked(peer_of(SHAPED_HUB), hw_path_table_at(&peer_of(SHAPED_HUB)->paths, path), &frame,
		      NULL, s.now);
	assert_false(stream_on(0)->asked);
	shaped_run(&s, s.now + HW_S(1));
	hw_core_load_outcome(s.node[SHAPED_HUB].core, 0, path, false, &o);
	assert_int_equal(o.state, HW_LOAD_OVER);
	assert_true(o.sent_packets > 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_load_has_at_most_32_mib),
		T(a_load_lasts_at_most_3_s),
		T(a_load_has_at_most_1_gbit),
		T(two_run_at_once_and_one_on_a_path),
		T(a_question_leaves_ones_own_load_alone),
		T(a_question_repeated_begins_nothing),
		T(the_hours_bytes_run_out),
		T(what_was_not_sent_is_not_charged),
		T(metered_links_have_a_store_of_their_own),
		T(senseless_and_unready_questions_begin_nothing),
		T(load_done_is_not_repeated_for_ever),
		T(unasked_frames_change_nothing_that_counts),
	};

	return cmocka_run_group_tests_name("load_limits", tests, NULL, NULL);
}
