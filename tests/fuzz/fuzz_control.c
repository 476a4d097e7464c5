/*
 * Control frames. Whatever the reader accepts must be in range and must survive being written and
 * read again; all but reports, whose entries may be longer than this version knows, byte by byte.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static int put(struct hw_control_writer *w, const struct hw_control_frame *f)
{
	switch (f->type) {
	case HW_CONTROL_PROBE:
		return hw_control_put_probe(w, &f->probe);
	case HW_CONTROL_PROBE_REPLY:
		return hw_control_put_probe_reply(w, &f->probe_reply);
	case HW_CONTROL_REPORT:
		return hw_control_put_report(w, &f->report);
	case HW_CONTROL_CHALLENGE:
		return hw_control_put_challenge(w, &f->challenge);
	case HW_CONTROL_CHALLENGE_REPLY:
		return hw_control_put_challenge_reply(w, &f->challenge_reply);
	case HW_CONTROL_PATH_STATE:
		return hw_control_put_path_state(w, &f->path_state);
	case HW_CONTROL_CLOSE:
		return hw_control_put_close(w, &f->close);
	case HW_CONTROL_MTU_PROBE:
		return hw_control_put_mtu_probe(w, &f->mtu);
	case HW_CONTROL_MTU_REPLY:
		return hw_control_put_mtu_reply(w, &f->mtu);
	case HW_CONTROL_OBSERVED:
		return hw_control_put_observed(w, &f->observed);
	case HW_CONTROL_LOAD:
		return hw_control_put_load(w, &f->load);
	case HW_CONTROL_LOAD_DONE:
		return hw_control_put_load_done(w, &f->load_done);
	case HW_CONTROL_LOAD_DATA:
		return hw_control_put_load_data(w, &f->load_data);
	case HW_CONTROL_LOAD_RESULT:
		return hw_control_put_load_result(w, &f->load_result);
	default:
		abort();
	}
}

/* One written frame, read and written again, is the same. */
static void again(const uint8_t *bytes, size_t len)
{
	static uint8_t copy[65536];
	static struct hw_control_frame frame;
	struct hw_control_reader r;
	struct hw_control_writer w;

	hw_control_reader_init(&r, bytes, len);
	must(hw_control_next(&r, &frame) == 1);
	hw_control_writer_init(&w, copy, sizeof(copy));
	must(put(&w, &frame) == 0);
	must(w.len == len && memcmp(copy, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hw_control_reader r;
	struct hw_control_frame frame;
	size_t frames = 0;
	int result;

	hw_control_reader_init(&r, data, size);
	while ((result = hw_control_next(&r, &frame)) > 0) {
		static uint8_t bytes[65536];
		struct hw_control_writer w;

		/* The frame that was just read ends where the reader stands. */
		must(++frames <= size / HW_CONTROL_HEADER_BYTES);
		hw_control_writer_init(&w, bytes, sizeof(bytes));
		must(put(&w, &frame) == 0);
		must(w.len <= (size_t)(r.at - data));
		if (frame.type != HW_CONTROL_REPORT)
			must(memcmp(r.at - w.len, bytes, w.len) == 0);
		again(bytes, w.len);
	}
	must(r.left == 0);
	must(result == 0 || result == HW_E_MALFORMED);
	must(hw_control_next(&r, &frame) == 0);
	return 0;
}
