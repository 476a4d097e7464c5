/*
 * What a peer can do that has the right keys and means harm: the client's keys seal whatever the
 * test likes, and the hub must stay within its bounds.
 */
#include "test.h"

#include "memory.h"
#include "world.h"

#include "base/bytes.h"
#include "core/internal.h"
#include "frame/fragment.h"

#define MEMORY_LIMIT (10u << 20) /* of all that a hostile peer makes the hub allocate */

static struct world w;
static size_t baseline;

static int setup(void **state)
{
	(void)state;
	world_init(&w, 7);
	world_start(&w, 1);
	world_start(&w, 0);
	world_run(&w, w.now + HW_S(1));
	baseline = memory_live_bytes();
	memory_reset_peak();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_fini(&w);
	return 0;
}

static struct hw_peer *client(void)
{
	return &w.node[0].core->peers[0];
}

static struct hw_peer *hub(void)
{
	return &w.node[1].core->peers[0];
}

static uint64_t drops(enum hw_drop reason)
{
	struct hw_core_totals totals;

	hw_core_totals(w.node[1].core, &totals);
	return totals.drops[reason];
}

static struct hw_tuple from_client(uint32_t link)
{
	return (struct hw_tuple){ .link = link, .remote = w.node[0].addr[link] };
}

static struct hw_tuple elsewhere(uint32_t number)
{
	return (struct hw_tuple){
		.link = number % WORLD_LINKS,
		.remote = { .family = HW_FAMILY_IPV4,
			    .ip = { 198, 51, (uint8_t)(number >> 8), (uint8_t)number },
			    .port = 9 },
	};
}

static void no_memory_beyond_the_limit(void)
{
	assert_true(memory_peak_bytes() >= baseline);
	if (memory_peak_bytes() - baseline > MEMORY_LIMIT)
		fail_msg("%zu bytes more than at the start", memory_peak_bytes() - baseline);
}

/* Seals the plaintext with the client's keys and gives it to the hub. Returns the datagram's size. */
static uint32_t say(enum hw_wire_type type, unsigned stream, const void *plain, uint32_t len,
		    const struct hw_tuple *from)
{
	struct hw_session *session = client()->slots.current;
	struct hw_datagram in = { .tuple = *from, .at = w.now };

	in.buf = hw_buf_get(w.node[1].pool);
	assert_non_null(in.buf);
	memcpy(hw_buf_put(in.buf, len), plain, len);
	assert_int_equal(hw_session_seal(session, type, stream, in.buf, w.now), 0);
	hw_session_stamp(session, in.buf->data,
			 in.buf->data + in.buf->len - HW_WIRE_AEAD_TAG_BYTES, 0, 0, w.now);
	len = in.buf->len;
	hw_core_datagrams_in(w.node[1].core, &in, 1, w.now);
	return len;
}

/* What the hub has to say: datagrams and their bytes, in all and to one address. */
struct heard {
	uint32_t datagrams;
	uint64_t bytes, bytes_to;
};

static struct heard listen(const struct hw_addr *to)
{
	struct hw_datagram_out out;
	struct hw_buf *packet;
	struct hw_event event;
	struct heard heard = { 0 };

	while (hw_core_datagrams_out(w.node[1].core, &out, 1) > 0) {
		uint32_t bytes = out.head_bytes + out.body->len;

		heard.datagrams++;
		heard.bytes += bytes;
		if (to != NULL && hw_addr_equal(&out.tuple.remote, to))
			heard.bytes_to += bytes;
		hw_buf_unref(out.body);
	}
	while (hw_core_packets_out(w.node[1].core, &packet, 1) > 0)
		hw_buf_unref(packet);
	while (hw_core_events_out(w.node[1].core, &event, 1) > 0)
		;
	world_check(&w);
	return heard;
}

static uint32_t sessions(void)
{
	const struct hw_slots *slots = &hub()->slots;

	return (slots->current != NULL) + (slots->next != NULL) + slots->previous_count;
}

/* The largest windows on all streams of as many sessions as there may be. */
static void windows_of_all_streams_and_sessions_are_bounded(void **state)
{
	const struct hw_tuple from = from_client(0);
	uint32_t most = 0;

	(void)state;
	for (uint32_t round = 0; round < 40; round++) {
		struct hw_session *session = client()->slots.current;
		uint32_t generation = session->generation;

		for (unsigned stream = 0; stream < HW_WIRE_STREAMS; stream++) {
			uint8_t plain[32] = { 0x45 };

			if (!hw_wire_stream_legal(HW_WIRE_DATA, stream))
				continue;
			for (uint32_t i = 0; i < 12; i++) {
				session->tx_counter[stream] += 100000;
				say(HW_WIRE_DATA, stream, plain, stream == 0 ? 0 : 20, &from);
			}
		}
		listen(NULL);
		most = sessions() > most ? sessions() : most;
		/* A new session at once. */
		client()->slots.params.rekey_after = 0;
		client()->initiate_at = 0;
		hw_core_tick(w.node[0].core, w.now);
		world_flush(&w, 0);
		client()->slots.params.rekey_after = HW_S(100);
		world_run(&w, w.now + HW_MS(150));
		assert_true(client()->slots.current->generation > generation);
	}
	no_memory_beyond_the_limit();
	print_message("# %zu bytes at the most\n", memory_peak_bytes() - baseline);
	assert_int_equal(most, HW_SLOTS_SESSIONS);
	assert_true(drops(HW_DROP_rx_no_buffer) > 0); /* the budget was reached */

	/* When the old sessions are gone, so is the shortage. */
	world_run(&w, w.now + HW_S(20));

	uint64_t delivered = w.node[1].delivered;

	client()->slots.params.rekey_after = 0;
	client()->initiate_at = 0;
	hw_core_tick(w.node[0].core, w.now);
	world_flush(&w, 0);
	client()->slots.params.rekey_after = HW_S(100);
	world_run(&w, w.now + HW_MS(500));
	for (uint32_t i = 0; i < 100; i++)
		world_send(&w, 0, 100, i);
	world_run(&w, w.now + HW_MS(500));
	assert_int_equal(w.node[1].delivered, delivered + 100);
}

static void handshakes_in_a_loop_fill_no_tables(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 600; i++) {
		client()->slots.params.rekey_after = 0;
		client()->initiate_at = 0;
		hw_core_tick(w.node[0].core, w.now);
		world_flush(&w, 0);
		client()->slots.params.rekey_after = HW_S(100);
		world_run(&w, w.now + HW_MS(20));
		assert_true(sessions() <= HW_SLOTS_SESSIONS);
		assert_true(w.node[1].core->indices.count <= HW_SLOTS_SESSIONS);
	}
	assert_true(hub()->next_generation > 300); /* they did succeed */
	no_memory_beyond_the_limit();
	world_run(&w, w.now + HW_S(15));
	assert_true(sessions() <= 2);
	assert_true(w.node[1].core->indices.count <= 2);
}

/* Half of an initiation's work and no confirmation: `next` is one slot, and expires. */
static void handshakes_never_confirmed_are_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.delay[i] = HW_MS(1);
	for (uint32_t i = 0; i < 300; i++) {
		client()->slots.params.rekey_after = 0;
		client()->initiate_at = 0;
		hw_core_tick(w.node[0].core, w.now);
		world_flush(&w, 0);
		client()->slots.params.rekey_after = HW_S(100);
		world_run(&w, w.now + HW_MS(1)); /* there, not back */
		w.flights = 0;
		w.now += HW_MS(10);
		assert_true(sessions() <= HW_SLOTS_SESSIONS);
		assert_true(w.node[1].core->indices.count <= HW_SLOTS_SESSIONS);
	}
	no_memory_beyond_the_limit();
}

static void fragments_never_completed_are_bounded(void **state)
{
	const struct hw_tuple from = from_client(0);
	uint32_t free_before = hw_pool_available(w.node[1].pool), most = 0;
	struct hw_session *session = client()->slots.current;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		/* Fragment 0 of 8, as hw_frame_cut makes it, then the next packet's. */
		uint8_t large[1400] = { 0x45 };
		struct hw_buf *packet = hw_buf_get(w.node[0].pool), *piece;
		struct hw_frame_plan plan;

		memcpy(hw_buf_put(packet, sizeof(large)), large, sizeof(large));
		assert_int_equal(hw_frame_plan(packet->len, 0, 300, &plan), 0);
		piece = hw_frame_cut(w.node[0].pool, &plan, packet, i % 2);
		session->tx_counter[1] += 7;
		say(HW_WIRE_FRAMED, 1, piece->data, piece->len, &from);
		hw_buf_unref(packet);
		hw_buf_unref(piece);
		listen(NULL);
		if (hw_reassembly_packets(hub()->reassembly) > most)
			most = hw_reassembly_packets(hub()->reassembly);
		assert_true(free_before - hw_pool_available(w.node[1].pool) <=
			    HW_REASSEMBLY_PACKETS);
	}
	assert_int_equal(most, HW_REASSEMBLY_PACKETS);
	assert_true(drops(HW_DROP_rx_fragment_limit) >= 5000 - HW_REASSEMBLY_PACKETS - 1);
	no_memory_beyond_the_limit();
	w.now += HW_REASSEMBLY_LIFETIME;
	hw_core_tick(w.node[1].core, w.now);
	listen(NULL);
	assert_int_equal(hw_reassembly_packets(hub()->reassembly), 0);
	assert_true(hw_pool_available(w.node[1].pool) >= free_before);
}

/* Each packet from another address, none of which ever answers. */
static void addresses_without_end_take_no_paths(void **state)
{
	uint8_t plain[20] = { 0x45 };

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		const struct hw_tuple from = elsewhere(i);
		uint32_t in = say(HW_WIRE_DATA, 1, plain, sizeof(plain), &from), candidates = 0;
		struct heard heard = listen(&from.remote);

		assert_true(heard.bytes_to <= HW_PATH_AMPLIFICATION * in);
		for (uint32_t c = 0; c < HW_PATH_TABLE_CANDIDATES; c++)
			candidates += hub()->paths.candidates[c].used;
		assert_true(candidates <= HW_PATH_TABLE_CANDIDATES);
		assert_int_equal(hub()->paths.count, WORLD_LINKS);
		if (i % 16 == 0) {
			w.now += HW_MS(10);
			hw_core_tick(w.node[1].core, w.now);
			listen(NULL);
		}
	}
	no_memory_beyond_the_limit();
}

/* Answers, as the client, the challenge that the hub has sent to that address; false: none was. */
static bool answer_challenge(const struct hw_tuple *from, uint8_t path_id)
{
	struct hw_session *session = client()->slots.current;
	struct hw_datagram_out out;
	bool found = false;

	while (hw_core_datagrams_out(w.node[1].core, &out, 1) > 0) {
		struct hw_buf *buf = hw_buf_get(w.node[0].pool);
		struct hw_control_reader reader;
		struct hw_control_frame frame;
		struct hw_open_info info;

		memcpy(hw_buf_put(buf, out.head_bytes), out.head, out.head_bytes);
		memcpy(hw_buf_put(buf, out.body->len), out.body->data, out.body->len);
		hw_buf_unref(out.body);
		if (hw_addr_equal(&out.tuple.remote, &from->remote) &&
		    hw_session_open(session, buf, w.now, &info) == HW_OPEN_OK) {
			hw_control_reader_init(&reader, buf->data, buf->len);
			while (hw_control_next(&reader, &frame) > 0) {
				struct hw_control_challenge_reply reply = { .path = path_id };
				struct hw_control_writer writer;
				uint8_t plain[64];

				if (frame.type != HW_CONTROL_CHALLENGE)
					continue;
				memcpy(reply.token, frame.challenge.token, sizeof(reply.token));
				hw_control_writer_init(&writer, plain, sizeof(plain));
				assert_int_equal(hw_control_put_challenge_reply(&writer, &reply), 0);
				say(HW_WIRE_DATA, 0, plain, (uint32_t)writer.len, from);
				found = true;
			}
		}
		hw_buf_unref(buf);
	}
	return found;
}

/* Addresses that do answer, each as a path of its own. */
static void learnt_paths_are_bounded(void **state)
{
	uint8_t plain[200] = { 0x45 };
	uint32_t learnt, answered = 0;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		const struct hw_tuple from = elsewhere(i);

		say(HW_WIRE_DATA, 1, plain, sizeof(plain), &from);
		answered += answer_challenge(&from, (uint8_t)(i % HW_CONTROL_PATHS));
		listen(NULL);
		w.now += HW_MS(400);
		hw_core_tick(w.node[1].core, w.now);
		listen(NULL);
		learnt = 0;
		for (uint32_t p = 0; p < HW_PATH_TABLE_PATHS; p++)
			learnt += hub()->paths.paths[p].used && hub()->paths.paths[p].learnt;
		assert_true(learnt <= HW_PATH_TABLE_LEARNT);
		assert_true(hub()->paths.count <= HW_PATH_TABLE_PATHS);
	}
	assert_int_equal(learnt, HW_PATH_TABLE_LEARNT);
	assert_true(answered > HW_PATH_TABLE_LEARNT);
	no_memory_beyond_the_limit();
}

/* So many questions in one packet as fit: one packet answers them, no larger than the path takes. */
static void one_packet_of_probes_gets_one_answer(void **state)
{
	const struct hw_tuple from = from_client(0);
	struct hw_control_writer writer;
	uint8_t plain[1400];
	uint32_t probes = 0;

	(void)state;
	hw_control_writer_init(&writer, plain, sizeof(plain));
	for (;; probes++) {
		struct hw_control_probe probe = { .path = (uint8_t)(probes % 16) };

		hw_store32(probe.token, probes);
		if (hw_control_put_probe(&writer, &probe) < 0)
			break;
	}
	assert_true(probes > 60);
	listen(NULL);
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t in = say(HW_WIRE_DATA, 0, plain, (uint32_t)writer.len, &from);
		struct heard heard = listen(NULL);

		assert_int_equal(heard.datagrams, 1);
		assert_true(heard.bytes <= in + in / 2);
		assert_true(heard.bytes <= 1500 - HW_WIRE_IPV4_UDP_BYTES);
	}
	no_memory_beyond_the_limit();
}

static void single_probes_get_one_answer_each(void **state)
{
	const struct hw_tuple from = from_client(1);
	struct hw_control_probe probe = { .path = 1 };
	struct hw_control_writer writer;
	uint8_t plain[32];

	(void)state;
	hw_control_writer_init(&writer, plain, sizeof(plain));
	assert_int_equal(hw_control_put_probe(&writer, &probe), 0);
	listen(NULL);
	for (uint32_t i = 0; i < 5000; i++) {
		say(HW_WIRE_DATA, 0, plain, (uint32_t)writer.len, &from);
		assert_int_equal(listen(NULL).datagrams, 1);
	}
	/* Taken away late, they wait in a bounded ring. */
	for (uint32_t i = 0; i < 3 * HW_OUTPUT_DATAGRAMS; i++)
		say(HW_WIRE_DATA, 0, plain, (uint32_t)writer.len, &from);
	assert_int_equal(listen(NULL).datagrams, HW_OUTPUT_DATAGRAMS);
	no_memory_beyond_the_limit();
}

/* Frames that do not exist, lengths that lie, everything random: nothing comes back. */
static void rubbish_in_control_packets_is_counted_or_skipped(void **state)
{
	const struct hw_tuple from = from_client(0);
	uint8_t plain[1400];
	struct hw_core_totals t;
	uint64_t before, control;

	(void)state;
	listen(NULL);
	before = drops(HW_DROP_rx_control_malformed);
	hw_core_totals(w.node[1].core, &t);
	control = t.rx_control;
	for (uint32_t i = 0; i < 50000; i++) {
		uint32_t len = (uint32_t)hw_rng_below(&w.rng, 64);

		hw_rng_fill(&w.rng, plain, len);
		if (len >= 3) { /* a type that does not exist, mostly with a right length */
			plain[0] = (uint8_t)(HW_CONTROL_CLOSE + 1 + plain[0] % 200);
			if (i & 1)
				hw_store16(plain + 1, (uint16_t)(len - 3));
		}
		say(HW_WIRE_DATA, 0, plain, len, &from);
		assert_true(listen(NULL).datagrams <= 1);
	}
	hw_core_totals(w.node[1].core, &t);
	assert_int_equal(t.rx_control - control + drops(HW_DROP_rx_control_malformed) - before,
			 50000);
	before = drops(HW_DROP_rx_control_malformed);
	say(HW_WIRE_DATA, 0, plain, 0, &from); /* nothing is well formed, one byte is not */
	assert_int_equal(drops(HW_DROP_rx_control_malformed), before);
	say(HW_WIRE_DATA, 0, plain, 1, &from);
	assert_int_equal(drops(HW_DROP_rx_control_malformed), before + 1);
	listen(NULL);
	assert_int_equal(hub()->paths.count, WORLD_LINKS);
	no_memory_beyond_the_limit();
}

/* Reports of all that a report can hold, with any values. */
static void reports_of_any_kind_do_no_harm(void **state)
{
	const struct hw_tuple from = from_client(0);
	struct hw_peer_snapshot s;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		struct hw_control_report report;
		struct hw_control_writer writer;
		uint8_t plain[1400];

		hw_rng_fill(&w.rng, &report, sizeof(report));
		report.path_count = report.stream_count = 16;
		for (unsigned p = 0; p < 16; p++) {
			report.paths[p].path = (uint8_t)(i & 1 ? p : 0);
			report.paths[p].state %= HW_CONTROL_STATES;
			memset(&report.paths[p].detailed, i & 2 ? 1 : 0, sizeof(bool));
			report.streams[p].stream = (uint8_t)p;
		}
		hw_control_writer_init(&writer, plain, sizeof(plain));
		assert_int_equal(hw_control_put_report(&writer, &report), 0);
		say(HW_WIRE_DATA, 0, plain, (uint32_t)writer.len, &from);
		assert_true(listen(NULL).datagrams <= WORLD_LINKS);
		hw_core_peer_snapshot(w.node[1].core, 0, w.now, &s);
		for (uint32_t p = 0; p < s.path_count; p++)
			assert_true(s.paths[p].loss_tx <= 1 && s.paths[p].rate_tx_Bps < 1e12);
	}
	no_memory_beyond_the_limit();
}

/* A new session for every goodbye, again and again. */
static void goodbyes_in_a_loop_leave_nothing(void **state)
{
	const struct hw_control_close close = { .reason = 0 };

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		const struct hw_tuple from = from_client(0);
		struct hw_control_writer writer;
		uint8_t plain[16];

		hw_control_writer_init(&writer, plain, sizeof(plain));
		assert_int_equal(hw_control_put_close(&writer, &close), 0);
		for (uint32_t n = 0; n < 10; n++)
			say(HW_WIRE_DATA, 0, plain, (uint32_t)writer.len, &from);
		assert_int_equal(sessions(), 0);
		assert_int_equal(w.node[1].core->indices.count, 0);
		assert_int_equal(hub()->paths.count, 0);
		assert_true(listen(NULL).datagrams == 0);
		client()->slots.params.rekey_after = 0;
		client()->initiate_at = 0;
		hw_core_tick(w.node[0].core, w.now);
		world_flush(&w, 0);
		client()->slots.params.rekey_after = HW_S(100);
		world_run(&w, w.now + HW_MS(200));
		assert_true(sessions() >= 1);
	}
	no_memory_beyond_the_limit();
}

/* Compressed packets that are none, and one that would be larger than a buffer. */
static void false_compression_is_counted(void **state)
{
	const struct hw_tuple from = from_client(0);
	uint64_t delivered = w.node[1].delivered;
	uint32_t free_before;

	(void)state;
	listen(NULL);
	free_before = hw_pool_available(w.node[1].pool);
	for (uint32_t i = 0; i < 2000; i++) {
		struct hw_buf *packet = hw_buf_get(w.node[0].pool);
		uint16_t original = i % 2 ? 1400 : 65535;
		struct hw_frame_plan plan;

		hw_rng_fill(&w.rng, hw_buf_put(packet, 200), 200);
		assert_int_equal(hw_frame_plan(packet->len, original, 1400, &plan), 0);
		hw_frame_wrap(&plan, packet);
		say(HW_WIRE_FRAMED, 1, packet->data, packet->len, &from);
		hw_buf_unref(packet);
		listen(NULL);
	}
	assert_int_equal(drops(HW_DROP_rx_compression), 2000);
	/* A framed packet without a frame header. */
	say(HW_WIRE_FRAMED, 1, "\xff\xff\xff", 3, &from);
	listen(NULL);
	assert_int_equal(drops(HW_DROP_rx_frame_malformed), 1);
	assert_int_equal(w.node[1].delivered, delivered);
	assert_true(hw_pool_available(w.node[1].pool) >= free_before);
	no_memory_beyond_the_limit();
}

/* Packets of streams that nothing serves: opened, counted, dropped. */
static void streams_without_a_service_are_counted(void **state)
{
	const struct hw_tuple from = from_client(0);
	uint8_t plain[64] = { 0x45 };
	uint64_t delivered = w.node[1].delivered;

	(void)state;
	for (uint32_t i = 0; i < 700; i++)
		say(HW_WIRE_DATA, 9 + i % 7, plain, sizeof(plain), &from);
	listen(NULL);
	assert_int_equal(drops(HW_DROP_rx_stream_unsupported), 700);
	assert_int_equal(w.node[1].delivered, delivered);
	/* All of the seven classes are served, though this version sends but the first. */
	for (unsigned stream = HW_WIRE_STREAM_FIRST_CLASS; stream <= HW_WIRE_STREAM_LAST_CLASS;
	     stream++) {
		say(HW_WIRE_DATA, stream, plain, sizeof(plain), &from);
		world_flush(&w, 1);
		assert_int_equal(w.node[1].delivered, ++delivered);
	}
	no_memory_beyond_the_limit();
}

/* A peer that wants none of its links used is obeyed as long as its session lives, and no longer. */
static void a_peer_that_forbids_all_its_links_can_be_reached_later(void **state)
{
	const struct hw_path_theirs never = { .link = HW_PATH_LINK_UNKNOWN, .use = HW_USE_NEVER };

	(void)state;
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.cut[i] = true;
	world_run(&w, w.now + HW_S(1));
	for (uint8_t i = 0; i < HW_PATH_TABLE_PATHS; i++)
		hw_path_table_told(&client()->paths, i, &never);
	world_run(&w, w.now + HW_S(200));
	assert_null(client()->slots.current);
	for (uint32_t i = 0; i < WORLD_LINKS; i++)
		w.cut[i] = false;
	world_run(&w, w.now + HW_S(10));
	assert_non_null(client()->slots.current);
	assert_int_equal(world_paths_up(&w, 0), WORLD_LINKS);
	assert_int_equal(hw_path_use(&client()->paths.paths[0]), HW_USE_ALWAYS);
}

/* The path that the word of its own end came by fails, but stays while the packet is read. */
static void a_path_that_carries_its_own_end_stays(void **state)
{
	const struct hw_tuple from = from_client(0), other = from_client(1);
	struct hw_path *path = hw_path_table_find(&hub()->paths, &from);
	struct hw_path *second = hw_path_table_find(&hub()->paths, &other);
	struct hw_control_path_state removed = { .state = HW_CONTROL_STATE_REMOVED };
	const struct hw_control_observed observed = { .addr = w.node[1].addr[2] };
	uint8_t plain[200];
	struct hw_control_writer writer;

	(void)state;
	assert_true(path->learnt && second->learnt);
	hw_control_writer_init(&writer, plain, sizeof(plain));
	removed.path = path->peer_id;
	assert_int_equal(hw_control_put_path_state(&writer, &removed), 0);
	removed.path = second->peer_id;
	assert_int_equal(hw_control_put_path_state(&writer, &removed), 0);
	assert_int_equal(hw_control_put_observed(&writer, &observed), 0);
	say(HW_WIRE_DATA, HW_WIRE_STREAM_CONTROL, plain, (uint32_t)writer.len, &from);
	assert_ptr_equal(hw_path_table_find(&hub()->paths, &from), path);
	assert_int_equal(path->state, HW_PATH_DOWN);
	assert_true(hw_addr_equal(&path->observed, &observed.addr));
	assert_null(hw_path_table_find(&hub()->paths, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(windows_of_all_streams_and_sessions_are_bounded),
		TEST(handshakes_in_a_loop_fill_no_tables),
		TEST(handshakes_never_confirmed_are_bounded),
		TEST(fragments_never_completed_are_bounded),
		TEST(addresses_without_end_take_no_paths),
		TEST(learnt_paths_are_bounded),
		TEST(one_packet_of_probes_gets_one_answer),
		TEST(single_probes_get_one_answer_each),
		TEST(rubbish_in_control_packets_is_counted_or_skipped),
		TEST(reports_of_any_kind_do_no_harm),
		TEST(goodbyes_in_a_loop_leave_nothing),
		TEST(false_compression_is_counted),
		TEST(streams_without_a_service_are_counted),
		TEST(a_path_that_carries_its_own_end_stays),
		TEST(a_peer_that_forbids_all_its_links_can_be_reached_later),
#undef TEST
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
