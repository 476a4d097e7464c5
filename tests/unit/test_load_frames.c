#include "test.h"

#include "base/bytes.h"
#include "wire/control.h"

static int next(const uint8_t *data, size_t len, struct hw_control_frame *ret_frame)
{
	struct hw_control_reader r;

	hw_control_reader_init(&r, data, len);
	return hw_control_next(&r, ret_frame);
}

static const struct hw_control_observed seen4 = {
	.addr = { .ip = { 192, 0, 2, 9 }, .port = 8420, .family = HW_FAMILY_IPV4 }
};
static const struct hw_control_observed seen6 = {
	.addr = { .ip = { 0x20, 1, 0xd, 0xb8, [15] = 7 }, .port = 65535, .family = HW_FAMILY_IPV6 }
};
static const struct hw_control_load load = { 0x01020304, 0x05060708, 0x090a, 0x0b0c0d0e, 0x0f10 };
static const struct hw_control_load_done done = { 0x01020304, 5, 0x06070809, 0x0a0b0c0d,
						  0x0e0f1011, 0x1213 };
static const struct hw_control_load_data train = { 0x01020304, 5, 0x06070809, 0x0a0b0c0d };
static const struct hw_control_load_result result = { 0x01020304, 0x05060708, 0x090a0b0c,
						      0x0d0e0f10, 0x11121314, 0x15161718,
						      0x191a1b1c, 0x1d1e1f20, 0x2122 };

/* docs/wire.md, byte by byte: the bodies of these are 1, 2, 3 ... where they can be. */
static void frames_have_the_documented_layout(void **state)
{
	static const uint8_t observed4[] = { 10, 0, 7, 4, 192, 0, 2, 9, 0x20, 0xe4 };
	static const uint8_t observed6[] = { 10, 0, 19, 6, 0x20, 1, 0xd, 0xb8, 0, 0, 0,
					     0,	 0, 0,	0, 0, 0,    0, 0,   7,	  0xff, 0xff };
	static const struct {
		uint8_t type, len;
	} numbered[] = { { 11, 16 }, { 12, 19 }, { 13, 13 }, { 14, 34 } };
	struct hw_control_writer w;
	uint8_t data[256];
	size_t at;

	(void)state;
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_observed(&w, &seen4), 0);
	assert_int_equal(w.len, sizeof(observed4));
	assert_memory_equal(data, observed4, sizeof(observed4));
	at = w.len;
	assert_int_equal(hw_control_put_observed(&w, &seen6), 0);
	assert_int_equal(w.len - at, sizeof(observed6));
	assert_memory_equal(data + at, observed6, sizeof(observed6));
	at = w.len;
	assert_int_equal(hw_control_put_load(&w, &load), 0);
	assert_int_equal(hw_control_put_load_done(&w, &done), 0);
	assert_int_equal(hw_control_put_load_data(&w, &train), 0);
	assert_int_equal(hw_control_put_load_result(&w, &result), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(data[at], numbered[i].type);
		assert_int_equal(hw_load16(data + at + 1), numbered[i].len);
		for (unsigned j = 0; j < numbered[i].len; j++)
			assert_int_equal(data[at + 3 + j], j + 1);
		at += 3u + numbered[i].len;
	}
	assert_int_equal(at, w.len);
}

static void frames_come_back_as_written(void **state)
{
	struct hw_control_writer w;
	struct hw_control_reader r;
	struct hw_control_frame f;
	uint8_t data[256];

	(void)state;
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_observed(&w, &seen4), 0);
	assert_int_equal(hw_control_put_observed(&w, &seen6), 0);
	assert_int_equal(hw_control_put_load(&w, &load), 0);
	assert_int_equal(hw_control_put_load_done(&w, &done), 0);
	assert_int_equal(hw_control_put_load_data(&w, &train), 0);
	assert_int_equal(hw_control_put_load_result(&w, &result), 0);

	hw_control_reader_init(&r, data, w.len);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_OBSERVED);
	assert_true(hw_addr_equal(&f.observed.addr, &seen4.addr));
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_true(hw_addr_equal(&f.observed.addr, &seen6.addr));
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_LOAD);
	assert_int_equal(f.load.test, load.test);
	assert_int_equal(f.load.rate_kbps, load.rate_kbps);
	assert_int_equal(f.load.duration_ms, load.duration_ms);
	assert_int_equal(f.load.bytes, load.bytes);
	assert_int_equal(f.load.size, load.size);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_LOAD_DONE);
	assert_int_equal(f.load_done.test, done.test);
	assert_int_equal(f.load_done.reason, done.reason);
	assert_int_equal(f.load_done.packets, done.packets);
	assert_int_equal(f.load_done.bytes, done.bytes);
	assert_int_equal(f.load_done.span_us, done.span_us);
	assert_int_equal(f.load_done.mtu, done.mtu);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_LOAD_DATA);
	assert_int_equal(f.load_data.test, train.test);
	assert_int_equal(f.load_data.flags, train.flags);
	assert_int_equal(f.load_data.index, train.index);
	assert_int_equal(f.load_data.sent_us, train.sent_us);
	assert_int_equal(hw_control_next(&r, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_LOAD_RESULT);
	assert_int_equal(f.load_result.test, result.test);
	assert_int_equal(f.load_result.packets, result.packets);
	assert_int_equal(f.load_result.rate_packets, result.rate_packets);
	assert_int_equal(f.load_result.rate_bytes, result.rate_bytes);
	assert_int_equal(f.load_result.span_us, result.span_us);
	assert_int_equal(f.load_result.queue_median_us, result.queue_median_us);
	assert_int_equal(f.load_result.queue_p95_us, result.queue_p95_us);
	assert_int_equal(f.load_result.queue_max_us, result.queue_max_us);
	assert_int_equal(f.load_result.mtu, result.mtu);
	assert_int_equal(hw_control_next(&r, &f), 0);
}

static void writer_refuses_what_does_not_fit_or_makes_no_sense(void **state)
{
	struct hw_control_load_done bad_reason = done;
	struct hw_control_observed nowhere = { .addr.family = HW_FAMILY_NONE };
	struct hw_control_writer w;
	uint8_t data[64];

	(void)state;
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
	FITS_EXACTLY(hw_control_put_observed(&w, &seen4), HW_CONTROL_OBSERVED_BYTES(4));
	FITS_EXACTLY(hw_control_put_observed(&w, &seen6), HW_CONTROL_OBSERVED_BYTES(6));
	FITS_EXACTLY(hw_control_put_load(&w, &load), HW_CONTROL_LOAD_BYTES);
	FITS_EXACTLY(hw_control_put_load_done(&w, &done), HW_CONTROL_LOAD_DONE_BYTES);
	FITS_EXACTLY(hw_control_put_load_data(&w, &train), HW_CONTROL_LOAD_DATA_BYTES);
	FITS_EXACTLY(hw_control_put_load_result(&w, &result), HW_CONTROL_LOAD_RESULT_BYTES);
#undef FITS_EXACTLY
	hw_control_writer_init(&w, data, sizeof(data));
	bad_reason.reason = HW_LOAD_REASONS;
	assert_int_equal(hw_control_put_load_done(&w, &bad_reason), HW_E_INVAL);
	assert_int_equal(hw_control_put_observed(&w, &nowhere), HW_E_INVAL);
	assert_int_equal(w.len, 0);
}

static void reader_refuses_every_wrong_length(void **state)
{
	static const uint8_t fixed[][2] = { { 11, 16 }, { 12, 19 }, { 13, 13 }, { 14, 34 } };
	struct hw_control_frame f;
	uint8_t data[64] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		for (uint8_t len = 0; len <= 50; len++) {
			data[0] = fixed[i][0];
			data[2] = len;
			assert_int_equal(next(data, 3u + len, &f),
					 len == fixed[i][1] ? 1 : HW_E_MALFORMED);
		}
	}
	/* The length of OBSERVED follows from its family, and there are two families. */
	data[0] = HW_CONTROL_OBSERVED;
	for (unsigned family = 0; family < 256; family++) {
		for (uint8_t len = 0; len <= 40; len++) {
			bool good = (family == 4 && len == 7) || (family == 6 && len == 19);

			data[2] = len;
			data[3] = (uint8_t)family;
			assert_int_equal(next(data, 3u + len, &f), good ? 1 : HW_E_MALFORMED);
		}
	}
}

static void reader_refuses_reasons_that_there_are_not(void **state)
{
	uint8_t data[HW_CONTROL_LOAD_DONE_BYTES] = { HW_CONTROL_LOAD_DONE, 0, 19 };
	struct hw_control_frame f;

	(void)state;
	for (unsigned reason = 0; reason < 256; reason++) {
		data[7] = (uint8_t)reason;
		assert_int_equal(next(data, sizeof(data), &f),
				 reason < HW_LOAD_REASONS ? 1 : HW_E_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_have_the_documented_layout),
		cmocka_unit_test(frames_come_back_as_written),
		cmocka_unit_test(writer_refuses_what_does_not_fit_or_makes_no_sense),
		cmocka_unit_test(reader_refuses_every_wrong_length),
		cmocka_unit_test(reader_refuses_reasons_that_there_are_not),
	};

	return cmocka_run_group_tests_name("load_frames", tests, NULL, NULL);
}
