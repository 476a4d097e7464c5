/* The frames of path MTU discovery: sizes, padding, and what the reader refuses. */
#include "test.h"

#include "wire/control.h"
#include "wire/wire.h"

static const struct hw_control_mtu mtu = { .path = 7, .size = 1472,
					   .token = { 1, 2, 3, 4, 5, 6, 7, 8 } };

static int next(const uint8_t *data, size_t len, struct hw_control_frame *ret_frame)
{
	struct hw_control_reader r;

	hw_control_reader_init(&r, data, len);
	return hw_control_next(&r, ret_frame);
}

static void probes_fill_their_packet(void **state)
{
	static const uint16_t sizes[] = { 46, 47, 548, 1472, 9000 };
	static uint8_t data[9000];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct hw_control_mtu probe = mtu;
		struct hw_control_frame f;
		struct hw_control_writer w;

		probe.size = sizes[i];
		memset(data, 0xff, sizeof(data));
		hw_control_writer_init(&w, data, sizes[i] - HW_WIRE_OVERHEAD_BYTES);
		assert_int_equal(hw_control_put_mtu_probe(&w, &probe), 0);
		assert_int_equal(w.len + HW_WIRE_OVERHEAD_BYTES, sizes[i]);
		assert_int_equal(next(data, w.len, &f), 1);
		assert_int_equal(f.type, HW_CONTROL_MTU_PROBE);
		assert_int_equal(f.mtu.path, 7);
		assert_int_equal(f.mtu.size, sizes[i]);
		assert_memory_equal(f.mtu.token, mtu.token, 8);
		hw_control_writer_init(&w, data, sizes[i] - HW_WIRE_OVERHEAD_BYTES - 1);
		assert_int_equal(hw_control_put_mtu_probe(&w, &probe), HW_E_SPACE);
		assert_int_equal(w.len, 0);
	}
}

static void replies_come_back_as_written(void **state)
{
	static const uint8_t expected[] = { 9, 0, 11, 7, 0x05, 0xc0, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct hw_control_frame f;
	struct hw_control_writer w;
	uint8_t data[64];

	(void)state;
	hw_control_writer_init(&w, data, sizeof(data));
	assert_int_equal(hw_control_put_mtu_reply(&w, &mtu), 0);
	assert_int_equal(w.len, sizeof(expected));
	assert_memory_equal(data, expected, sizeof(expected));
	assert_int_equal(next(data, w.len, &f), 1);
	assert_int_equal(f.type, HW_CONTROL_MTU_REPLY);
	assert_int_equal(f.mtu.size, 1472);
}

static void writers_refuse_what_the_reader_would(void **state)
{
	static const uint16_t small[] = { 0, 32, 45 };
	struct hw_control_mtu bad = mtu;
	struct hw_control_writer w;
	uint8_t data[2000];

	(void)state;
	hw_control_writer_init(&w, data, sizeof(data));
	bad.path = 16;
	assert_int_equal(hw_control_put_mtu_probe(&w, &bad), HW_E_INVAL);
	assert_int_equal(hw_control_put_mtu_reply(&w, &bad), HW_E_INVAL);
	for (size_t i = 0; i < 3; i++) {
		bad = mtu;
		bad.size = small[i];
		assert_int_equal(hw_control_put_mtu_probe(&w, &bad), HW_E_INVAL);
		assert_int_equal(hw_control_put_mtu_reply(&w, &bad), HW_E_INVAL);
	}
	assert_int_equal(hw_control_put_mtu_reply(&w, &mtu), 0);
	/* A probe is alone in its packet. */
	assert_int_equal(hw_control_put_mtu_probe(&w, &mtu), HW_E_INVAL);
}

static void the_reader_refuses_wrong_probes(void **state)
{
	struct hw_control_writer w;
	struct hw_control_frame f;
	uint8_t good[100], data[101];
	struct hw_control_mtu probe = mtu;

	(void)state;
	probe.size = sizeof(good) + HW_WIRE_OVERHEAD_BYTES;
	hw_control_writer_init(&w, good, sizeof(good));
	assert_int_equal(hw_control_put_mtu_probe(&w, &probe), 0);
	assert_int_equal(next(good, sizeof(good), &f), 1);
	for (size_t i = 0; i < sizeof(good); i++) {
		bool token = i >= 6 && i < 14;

		memcpy(data, good, sizeof(good));
		data[i] ^= 0x10; /* path 7 becomes 23; the type another, without a size */
		if (i == 0 || token)
			continue;
		assert_int_equal(next(data, sizeof(good), &f), HW_E_MALFORMED);
	}
	/* Shorter and longer than it says, in a packet of its own. */
	for (int d = -1; d <= 1; d += 2) {
		memcpy(data, good, sizeof(good));
		data[100] = 0;
		data[2] = (uint8_t)(sizeof(good) - 3 + (size_t)d);
		assert_int_equal(next(data, sizeof(good) + (size_t)d, &f), HW_E_MALFORMED);
	}
}

static void the_reader_refuses_wrong_replies(void **state)
{
	const uint8_t good[] = { 9, 0, 11, 7, 0x05, 0xc0, 1, 2, 3, 4, 5, 6, 7, 8, 0 };
	struct hw_control_frame f;
	uint8_t data[sizeof(good)];

	(void)state;
	assert_int_equal(next(good, 14, &f), 1);
	memcpy(data, good, sizeof(good));
	data[3] = 16;
	assert_int_equal(next(data, 14, &f), HW_E_MALFORMED);
	memcpy(data, good, sizeof(good));
	data[4] = 0;
	data[5] = 45;
	assert_int_equal(next(data, 14, &f), HW_E_MALFORMED);
	memcpy(data, good, sizeof(good));
	data[2] = 12;
	assert_int_equal(next(data, 15, &f), HW_E_MALFORMED);
	data[2] = 10;
	assert_int_equal(next(data, 13, &f), HW_E_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_fill_their_packet),
		cmocka_unit_test(replies_come_back_as_written),
		cmocka_unit_test(writers_refuse_what_the_reader_would),
		cmocka_unit_test(the_reader_refuses_wrong_probes),
		cmocka_unit_test(the_reader_refuses_wrong_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
