#include "test.h"

#include "base/bytes.h"
#include "wire/control.h"

static const uint8_t token[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static int next(const uint8_t *data, size_t len, struct hw_control_frame *ret_frame)
{
	struct hw_control_reader r;

	hw_control_reader_init(&r, data, len);
	return hw_control_next(&r, ret_frame);
}

static void frames_come_back_as_written(void **state)
{
	struct hw_control_probe probe = { .path = 15, .flags = HW_CONTROL_PROBE_IDLE, .link = 15,
					  .terms = { 1, true, 0xfedc1234 } };
	struct hw_control_probe_reply reply = { .path = 3, .own_path = 14, .hold_us = 0xfedcba98 };
	struct hw_control_challenge challenge;
	struct hw_control_challenge_reply answer = { .path = 9 };
	struct hw_control_path_state path_state = { .path = 7, .state = 3, .terms = { 2, false, 9 } };
	struct hw_control_close close = { .reason = 200 };
	struct hw_control_frame f;
	struct hw_control_writer w;
	struct hw_control_reader r;
	uint8_t data[256];

	(void)state;
	memcpy(probe.token, token, 8);
	memcpy(reply.token, token, 8);
	memcpy(challenge.token, token, 8);
	memcpy(answer.token, token, 8);
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_probe(&w, &probe), 0);
	assert_int_equal(w.len, HW_CONTROL_PROBE_BYTES);
	assert_int_equal(hw_control_put_probe_reply(&w, &reply), 0);
	assert_int_equal(hw_control_put_padding(&w, 20), 0);
	assert_int_equal(hw_control_put_challenge(&w, &challenge), 0);
	assert_int_equal(hw_control_put_challenge_reply(&w, &answer), 0);
	assert_int_equal(hw_control_put_path_state(&w, &path_state), 0);
	assert_int_equal(hw_control_put_close(&w, &close), 0);
	assert_int_equal(w.len, 19 + 17 + 20 + 11 + 12 + 10 + 4);

	hw_control_reader_init(&r, data, w.len);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_PROBE);
	assert_int_equal(f.probe.path, 15);
	assert_int_equal(f.probe.flags, 1);
	assert_memory_equal(f.probe.token, token, 8);
	assert_int_equal(f.probe.link, 15);
	assert_int_equal(f.probe.terms.use, 1);
	assert_true(f.probe.terms.metered);
	assert_int_equal(f.probe.terms.price, 0xfedc1234);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_PROBE_REPLY);
	assert_int_equal(f.probe_reply.path, 3);
	assert_int_equal(f.probe_reply.own_path, 14);
	assert_int_equal(f.probe_reply.hold_us, 0xfedcba98);
	assert_memory_equal(f.probe_reply.token, token, 8);
	assert_int_equal(hw_control_next(&r, &f), 1); /* padding skipped */
	assert_int_equal(f.type, HW_CONTROL_CHALLENGE);
	assert_memory_equal(f.challenge.token, token, 8);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_CHALLENGE_REPLY);
	assert_int_equal(f.challenge_reply.path, 9);
	assert_memory_equal(f.challenge_reply.token, token, 8);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_PATH_STATE);
	assert_int_equal(f.path_state.path, 7);
	assert_int_equal(f.path_state.state, 3);
	assert_int_equal(f.path_state.terms.use, 2);
	assert_false(f.path_state.terms.metered);
	assert_int_equal(f.path_state.terms.price, 9);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_CLOSE);
	assert_int_equal(f.close.reason, 200);
	assert_int_equal(hw_control_next(&r, &f), 0);
	assert_int_equal(hw_control_next(&r, &f), 0);
}

static void fill_report(struct hw_control_report *report, uint32_t paths, uint32_t streams)
{
	memset(report, 0, sizeof(*report));
	report->path_count = paths;
	report->stream_count = streams;
	for (uint32_t i = 0; i < paths; i++) {
		report->paths[i] = (struct hw_control_report_path){
			.path = (uint8_t)(15 - i), .state = (uint8_t)(i % 4),
			.highest_seq = 0x10000000 + i, .received = 0x20000000 + i,
			.owd_us = 0xf0000000 + i, .queue = (uint16_t)(0xfff0 + i),
			.detailed = (i + paths) % 2 == 0,
		};
		if (report->paths[i].detailed)
			report->paths[i].detail = (struct hw_control_report_detail){
				0x30000000 + i, 0x40000000 + i, 0x50000000 + i, 0x60000000 + i,
				(uint16_t)(0x7000 + i), (uint16_t)(0x8000 + i), (uint16_t)(9000 + i),
				(uint16_t)(0xa000 + i),
			};
	}
	for (uint32_t i = 0; i < streams; i++)
		report->streams[i] = (struct hw_control_report_stream){
			.stream = (uint8_t)i, .highest = UINT32_MAX - i, .accepted = 0x9abcdef0 + i,
		};
}

static void reports_come_back_as_written(void **state)
{
	static struct hw_control_report report;
	static struct hw_control_frame f;
	uint8_t data[HW_CONTROL_REPORT_BYTES(16, 16, true)];

	(void)state;
	for (uint32_t n = 0; n <= 16; n++) {
		uint32_t detailed = (n + 1 - n % 2) / 2; /* every second one, the first if n is even */
		struct hw_control_writer w;

		fill_report(&report, n, 16 - n);
		hw_control_writer_init(&w, data, sizeof(data));
		assert_int_equal(hw_control_put_report(&w, &report), 0);
		assert_int_equal(w.len, 5 + 16 * n + 24 * detailed + 10 * (16 - n));
		assert_int_equal(next(data, w.len, &f), 1);
		assert_int_equal(f.type, HW_CONTROL_REPORT);
		assert_int_equal(f.report.path_count, n);
		assert_int_equal(f.report.stream_count, 16 - n);
		for (uint32_t i = 0; i < n; i++) {
			const struct hw_control_report_path *p = &f.report.paths[i], *q = &report.paths[i];

			assert_int_equal(p->path, q->path);
			assert_int_equal(p->state, q->state);
			assert_int_equal(p->highest_seq, q->highest_seq);
			assert_int_equal(p->received, q->received);
			assert_int_equal(p->owd_us, q->owd_us);
			assert_int_equal(p->queue, q->queue);
			assert_int_equal(p->detailed, q->detailed);
			assert_memory_equal(&p->detail, &q->detail, sizeof(p->detail));
		}
		for (uint32_t i = 0; i < 16 - n; i++) {
			assert_int_equal(f.report.streams[i].stream, report.streams[i].stream);
			assert_int_equal(f.report.streams[i].highest, report.streams[i].highest);
			assert_int_equal(f.report.streams[i].accepted, report.streams[i].accepted);
		}
	}
}

/* docs/wire.md, byte by byte. */
static void report_has_the_documented_layout(void **state)
{
	static const uint8_t expected[5 + 16 + 40 + 10] = {
		3, 0, 68, 2, 1,
		0x12, 14, 0, 1, 0, 2, 0, 0, 0, 9, 0xff, 0, 0, 1, 0, 7,
		0x2f, 38, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0xff, 0xff,
		0, 0, 0, 4, 0, 0, 1, 0x2c, 0, 0, 0x4e, 0x20, 0, 0, 0x61, 0xa8, 0, 40, 0, 7, 0, 15, 0, 3,
		1, 8, 0, 0, 0, 5, 0, 0, 0, 6,
	};
	static struct hw_control_report report = {
		.path_count = 2, .stream_count = 1,
		.paths = { { 2, 1, 0x10002, 9, 0xff000001, 7, false, { 0 } },
			   { 15, 2, 3, 4, 1, HW_CONTROL_QUEUE_UNKNOWN, true,
			     { 4, 300, 20000, 25000, 40, 7, 15, 3 } } },
		.streams = { { 1, 5, 6 } },
	};
	struct hw_control_writer w;
	uint8_t data[128];

	(void)state;
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_report(&w, &report), 0);
	assert_int_equal(w.len, sizeof(expected));
	assert_memory_equal(data, expected, sizeof(expected));
}

/* Entries of a later version are longer, or have a part of a detail that it may do without. */
static void reader_skips_what_later_versions_add(void **state)
{
	uint8_t data[3 + 2 + 2 + 255 + 2 + 30 + 2 + 14 + 2 + 255] = { 3, 0, 0, 3, 1 };
	static const uint8_t lengths[] = { 255, 30, 14, 255 };
	static struct hw_control_frame f;
	size_t at = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths); i++) {
		data[at] = (uint8_t)(i + 1);
		data[at + 1] = lengths[i];
		memset(data + at + 2, (int)(0x11 * (i + 1)), lengths[i]);
		at += 2u + lengths[i];
	}
	hw_store16(data + 1, (uint16_t)(at - 3));
	assert_int_equal(at, sizeof(data));
	assert_int_equal(next(data, at, &f), 1);
	assert_true(f.report.paths[0].detailed);
	assert_int_equal(f.report.paths[0].detail.reorder_extent, 0x1111);
	assert_false(f.report.paths[1].detailed);
	assert_int_equal(f.report.paths[1].detail.duplicates, 0);
	assert_int_equal(f.report.paths[2].highest_seq, 0x33333333);
	assert_int_equal(f.report.streams[0].stream, 4);
	assert_int_equal(f.report.streams[0].accepted, 0x44444444);
}

static void writer_refuses_what_does_not_fit(void **state)
{
	struct hw_control_probe probe = { 0 };
	struct hw_control_probe_reply reply = { 0 };
	struct hw_control_challenge challenge = { { 0 } };
	struct hw_control_challenge_reply answer = { .path = 0 };
	struct hw_control_path_state path_state = { 0 };
	struct hw_control_close close = { 0 };
	static struct hw_control_report report;
	uint8_t data[HW_CONTROL_REPORT_BYTES(2, 3, true) + 1];
	struct hw_control_writer w;

	(void)state;
	fill_report(&report, 2, 3);
#define FITS_EXACTLY(put, bytes) \
	do { \
		memset(data, 0xee, sizeof(data)); \
		hw_control_writer_init(&w, data, (bytes) - 1); \
		assert_int_equal(put, HW_E_SPACE); \
		assert_int_equal(w.len, 0); \
		assert_int_equal(data[0], 0xee); \
		w.room = (bytes); \
		assert_int_equal(put, 0); \
		assert_int_equal(w.len, (bytes)); \
		assert_int_equal(data[(bytes)], 0xee); \
	} while (0)
	FITS_EXACTLY(hw_control_put_probe(&w, &probe), HW_CONTROL_PROBE_BYTES);
	FITS_EXACTLY(hw_control_put_probe_reply(&w, &reply), HW_CONTROL_PROBE_REPLY_BYTES);
	FITS_EXACTLY(hw_control_put_challenge(&w, &challenge), HW_CONTROL_CHALLENGE_BYTES);
	FITS_EXACTLY(hw_control_put_challenge_reply(&w, &answer), HW_CONTROL_CHALLENGE_REPLY_BYTES);
	FITS_EXACTLY(hw_control_put_path_state(&w, &path_state), HW_CONTROL_PATH_STATE_BYTES);
	FITS_EXACTLY(hw_control_put_close(&w, &close), HW_CONTROL_CLOSE_BYTES);
	FITS_EXACTLY(hw_control_put_padding(&w, 9), 9);
	report.paths[0].detailed = report.paths[1].detailed = true;
	FITS_EXACTLY(hw_control_put_report(&w, &report), HW_CONTROL_REPORT_BYTES(2, 3, true));
	report.paths[0].detailed = report.paths[1].detailed = false;
	FITS_EXACTLY(hw_control_put_report(&w, &report), HW_CONTROL_REPORT_BYTES(2, 3, false));
#undef FITS_EXACTLY
}

static void writer_refuses_what_the_reader_would(void **state)
{
	static struct hw_control_report report;
	uint8_t data[2048];
	struct hw_control_writer w;

	(void)state;
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_probe(&w, &(struct hw_control_probe){ .path = 16 }), HW_E_INVAL);
	assert_int_equal(hw_control_put_probe(&w, &(struct hw_control_probe){ .link = 16 }), HW_E_INVAL);
	assert_int_equal(
		hw_control_put_probe(&w, &(struct hw_control_probe){ .terms = { .use = 3 } }),
		HW_E_INVAL);
	assert_int_equal(
		hw_control_put_path_state(&w, &(struct hw_control_path_state){ .terms = { .use = 3 } }),
		HW_E_INVAL);
	assert_int_equal(
		hw_control_put_probe_reply(&w, &(struct hw_control_probe_reply){ .path = 16 }),
		HW_E_INVAL);
	assert_int_equal(
		hw_control_put_probe_reply(&w, &(struct hw_control_probe_reply){ .own_path = 16 }),
		HW_E_INVAL);
	assert_int_equal(
		hw_control_put_challenge_reply(&w, &(struct hw_control_challenge_reply){ .path = 16 }),
		HW_E_INVAL);
	assert_int_equal(
		hw_control_put_path_state(&w, &(struct hw_control_path_state){ .path = 16 }),
		HW_E_INVAL);
	assert_int_equal(
		hw_control_put_path_state(&w, &(struct hw_control_path_state){ .state = 5 }),
		HW_E_INVAL);
	assert_int_equal(hw_control_put_padding(&w, 2), HW_E_INVAL);
	assert_int_equal(hw_control_put_padding(&w, 3 + 65536), HW_E_INVAL);
	fill_report(&report, 1, 1);
	report.path_count = 17;
	assert_int_equal(hw_control_put_report(&w, &report), HW_E_INVAL);
	fill_report(&report, 1, 1);
	report.stream_count = 17;
	assert_int_equal(hw_control_put_report(&w, &report), HW_E_INVAL);
	fill_report(&report, 1, 1);
	report.paths[0].path = 16; /* would be a state */
	assert_int_equal(hw_control_put_report(&w, &report), HW_E_INVAL);
	fill_report(&report, 1, 1);
	report.paths[0].state = 4;
	assert_int_equal(hw_control_put_report(&w, &report), HW_E_INVAL);
	fill_report(&report, 1, 1);
	report.streams[0].stream = 16;
	assert_int_equal(hw_control_put_report(&w, &report), HW_E_INVAL);
	assert_int_equal(w.len, 0);
}

static void reader_refuses_every_wrong_length(void **state)
{
	/* type, the one length that is right */
	static const uint8_t fixed[][2] = { { 1, 16 }, { 2, 14 }, { 4, 8 }, { 5, 9 }, { 6, 7 }, { 8, 1 } };
	uint8_t data[64] = { 0 };
	struct hw_control_frame f = { .type = HW_CONTROL_PADDING };

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		for (uint8_t len = 0; len <= 40; len++) {
			bool good = len == fixed[i][1];

			data[0] = fixed[i][0];
			data[2] = len;
			f.type = HW_CONTROL_PADDING;
			assert_int_equal(next(data, 3u + len, &f), good ? 1 : HW_E_MALFORMED);
			assert_int_equal(f.type, good ? fixed[i][0] : HW_CONTROL_PADDING);
		}
}

static void reader_refuses_wrong_reports(void **state)
{
	static struct hw_control_report report;
	static struct hw_control_frame f;
	uint8_t data[HW_CONTROL_REPORT_BYTES(16, 16, true)] = { 0 };
	struct hw_control_writer w;

	(void)state;
	fill_report(&report, 2, 2); /* the first with its detail: 40, 16, 10 and 10 bytes */
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_report(&w, &report), 0);
	assert_int_equal(w.len, 5 + 40 + 16 + 10 + 10);
	assert_int_equal(next(data, w.len, &f), 1);
	/* A body of every other length up to twice its size, with and without the bytes being there. */
	for (size_t len = 0; len < 2 * w.len; len++) {
		hw_store16(data + 1, (uint16_t)len);
		assert_int_equal(next(data, 3 + len, &f), len == w.len - 3 ? 1 : HW_E_MALFORMED);
	}
	hw_store16(data + 1, (uint16_t)(w.len - 3));

	/* Counts, states, lengths and a stream. */
	static const struct {
		size_t at;
		uint8_t value;
	} faults[] = { { 3, 3 },       { 3, 17 },      { 4, 3 },           { 4, 1 },
		       { 4, 17 },      { 5, 0x40 },    { 6, 13 },          { 6, 37 },
		       { 6, 39 },      { 6, 255 },     { 5 + 40, 0xf0 },   { 5 + 40 + 1, 13 },
		       { 5 + 56, 16 }, { 5 + 57, 7 },  { 5 + 57, 9 },      { 5 + 67, 255 },
		       { 5 + 67, 7 },  { 5 + 67, 9 } };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		uint8_t was = data[faults[i].at];

		data[faults[i].at] = faults[i].value;
		assert_int_equal(next(data, w.len, &f), HW_E_MALFORMED);
		data[faults[i].at] = was;
		assert_int_equal(next(data, w.len, &f), 1);
	}

	/* Counts beyond the limits, with all the bytes that they ask for. */
	static uint8_t many[3 + 2 + 17 * 16];

	for (unsigned stream = 0; stream < 2; stream++) {
		const uint8_t rest = stream ? 8 : 14;

		memset(many, 0, sizeof(many));
		many[0] = 3;
		hw_store16(many + 1, (uint16_t)(2 + 17 * (2 + rest)));
		many[3 + stream] = 17;
		for (size_t i = 0; i < 17; i++)
			many[5 + i * (2u + rest) + 1] = rest;
		assert_int_equal(next(many, 5 + 17 * (2u + rest), &f), HW_E_MALFORMED);
		many[3 + stream] = 16;
		hw_store16(many + 1, (uint16_t)(2 + 16 * (2 + rest)));
		assert_int_equal(next(many, 5 + 16 * (2u + rest), &f), 1);
	}
}

static void reader_refuses_values_out_of_range(void **state)
{
	uint8_t probe[19] = { 1, 0, 16, 15, [13] = 15, [14] = 0x12 };
	uint8_t reply[17] = { 2, 0, 14, 15, 15 };
	uint8_t answer[12] = { 5, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 15 };
	uint8_t path_state[10] = { 6, 0, 7, 15, 3, 2 };
	struct hw_control_frame f;

	(void)state;
	assert_int_equal(next(probe, 19, &f), 1);
	assert_int_equal(f.probe.terms.use, 2);
	assert_true(f.probe.terms.metered);
	probe[3] = 16;
	assert_int_equal(next(probe, 19, &f), HW_E_MALFORMED);
	probe[3] = 0;
	probe[13] = 16; /* link */
	assert_int_equal(next(probe, 19, &f), HW_E_MALFORMED);
	probe[13] = 0;
	for (unsigned use = 0; use < 256; use++) {
		probe[14] = (uint8_t)use;
		assert_int_equal(next(probe, 19, &f), (use & 0xefu) <= 2 ? 1 : HW_E_MALFORMED);
	}
	assert_int_equal(next(reply, 17, &f), 1);
	reply[3] = 16;
	assert_int_equal(next(reply, 17, &f), HW_E_MALFORMED);
	reply[3] = 0;
	reply[4] = 16;
	assert_int_equal(next(reply, 17, &f), HW_E_MALFORMED);
	reply[4] = 0xfe;
	assert_int_equal(next(reply, 17, &f), HW_E_MALFORMED);
	reply[4] = 0xff; /* no number yet */
	assert_int_equal(next(reply, 17, &f), 1);
	assert_int_equal(f.probe_reply.own_path, HW_CONTROL_NO_PATH);
	assert_int_equal(next(answer, 12, &f), 1);
	answer[11] = 16;
	assert_int_equal(next(answer, 12, &f), HW_E_MALFORMED);
	assert_int_equal(next(path_state, 10, &f), 1);
	path_state[3] = 16;
	assert_int_equal(next(path_state, 10, &f), HW_E_MALFORMED);
	path_state[3] = 0;
	path_state[4] = 4; /* removed */
	assert_int_equal(next(path_state, 10, &f), 1);
	path_state[4] = 5;
	assert_int_equal(next(path_state, 10, &f), HW_E_MALFORMED);
	path_state[4] = 0;
	path_state[5] = 3; /* use */
	assert_int_equal(next(path_state, 10, &f), HW_E_MALFORMED);
}

static void reader_skips_unknown_types_and_stops_at_errors(void **state)
{
	static const uint8_t skipped[] = { 200, 0, 2, 9, 9, 201, 0, 1, 0, 0, 0, 0, 8, 0, 1, 5 };
	static const uint8_t broken[] = { 8, 0, 1, 5, 8, 0, 2, 5, 5, 8, 0, 1, 6 };
	static const uint8_t cut_header[] = { 8, 0, 1, 5, 8, 0 };
	static const uint8_t cut_body[] = { 200, 0, 4, 1, 2, 3 };
	struct hw_control_reader r;
	struct hw_control_frame f;

	(void)state;
	assert_int_equal(next(skipped, sizeof(skipped), &f), 1);
	assert_int_equal(f.type, HW_CONTROL_CLOSE);
	assert_int_equal(f.close.reason, 5);

	hw_control_reader_init(&r, broken, sizeof(broken));
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(hw_control_next(&r, &f), HW_E_MALFORMED);
	assert_int_equal(hw_control_next(&r, &f), 0);

	hw_control_reader_init(&r, cut_header, sizeof(cut_header));
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(hw_control_next(&r, &f), HW_E_MALFORMED);
	assert_int_equal(hw_control_next(&r, &f), 0);

	assert_int_equal(next(cut_body, sizeof(cut_body), &f), HW_E_MALFORMED);
	assert_int_equal(next(cut_body, 0, &f), 0);
}

/* A report whose length is right for counts that no report may have. */
static void reports_of_too_many_entries_are_refused(void **state)
{
	static const unsigned counts[] = { 0, 15, 16, 17, 70, 255 };
	static uint8_t data[HW_CONTROL_REPORT_BYTES(255, 255, false)];
	struct hw_control_reader r;
	struct hw_control_frame f;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		for (size_t j = 0; j < 6; j++) {
			unsigned paths = counts[i], streams = counts[j];
			size_t len = HW_CONTROL_REPORT_BYTES(paths, streams, false);

			memset(data, 0, sizeof(data));
			data[0] = HW_CONTROL_REPORT;
			hw_store16(data + 1, (uint16_t)(len - HW_CONTROL_HEADER_BYTES));
			data[3] = (uint8_t)paths;
			data[4] = (uint8_t)streams;
			for (unsigned p = 0; p < paths; p++)
				data[5 + 16 * p + 1] = 14;
			for (unsigned s = 0; s < streams; s++)
				data[5 + 16 * paths + 10 * s + 1] = 8;
			hw_control_reader_init(&r, data, len);
			assert_int_equal(hw_control_next(&r, &f),
					 paths <= 16 && streams <= 16 ? 1 : HW_E_MALFORMED);
		}
	}
}

/* The least frame there is ends a packet well; two bytes do not. */
static void the_least_frame_may_be_the_last(void **state)
{
	static const uint8_t data[HW_CONTROL_HEADER_BYTES] = { HW_CONTROL_PADDING, 0, 0 };
	struct hw_control_reader r;
	struct hw_control_frame f;

	(void)state;
	hw_control_reader_init(&r, data, sizeof(data));
	assert_int_equal(hw_control_next(&r, &f), 0);
	hw_control_reader_init(&r, data, sizeof(data) - 1);
	assert_int_equal(hw_control_next(&r, &f), HW_E_MALFORMED);
}

static void padding_has_bounds(void **state)
{
	static uint8_t data[70000];
	struct hw_control_writer w;

	(void)state;
	for (size_t bytes = 0; bytes < HW_CONTROL_HEADER_BYTES; bytes++) {
		hw_control_writer_init(&w, data, sizeof(data));
		assert_int_equal(hw_control_put_padding(&w, bytes), HW_E_INVAL);
		assert_int_equal(w.len, 0);
	}
	assert_int_equal(hw_control_put_padding(&w, HW_CONTROL_HEADER_BYTES), 0);
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_padding(&w, HW_CONTROL_HEADER_BYTES + 65535u), 0);
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_padding(&w, HW_CONTROL_HEADER_BYTES + 65536u), HW_E_INVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_back_as_written),
		cmocka_unit_test(reports_come_back_as_written),
		cmocka_unit_test(report_has_the_documented_layout),
		cmocka_unit_test(reader_skips_what_later_versions_add),
		cmocka_unit_test(writer_refuses_what_does_not_fit),
		cmocka_unit_test(writer_refuses_what_the_reader_would),
		cmocka_unit_test(reader_refuses_every_wrong_length),
		cmocka_unit_test(reader_refuses_wrong_reports),
		cmocka_unit_test(reader_refuses_values_out_of_range),
		cmocka_unit_test(reader_skips_unknown_types_and_stops_at_errors),
		cmocka_unit_test(reports_of_too_many_entries_are_refused),
		cmocka_unit_test(the_least_frame_may_be_the_last),
		cmocka_unit_test(padding_has_bounds),
	};

	return cmocka_run_group_tests_name("control_frames", tests, NULL, NULL);
}
