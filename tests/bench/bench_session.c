/* ns for each step that a packet takes through a session, on one core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/rng.h"
#include "session/handshake.h"
#include "session/session.h"
#include "session/stamp.h"

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * HW_NS_PER_S + (uint64_t)t.tv_nsec;
}

static void must(int good)
{
	if (!good)
		abort();
}

static void print(const char *what, uint64_t start, uint64_t n)
{
	printf("%-44s %8.1f ns\n", what, (double)(clock_ns() - start) / (double)n);
}

static void bench_stamp(void)
{
	const uint64_t n = 5000000;
	struct hw_siphash_key key = { 1, 2 };
	uint8_t head[16] = { 0x41 }, tag[16] = { 1 };
	uint64_t start = clock_ns(), good = 0;

	for (uint64_t i = 0; i < n; i++)
		hw_stamp_make(&key, head, tag, 3, (uint16_t)i, (uint32_t)i & 0xffffffu);
	print("stamp make", start, n);
	start = clock_ns();
	for (uint64_t i = 0; i < n; i++)
		good += hw_stamp_check(&key, head, tag, 3);
	print("stamp check", start, n);
	must(good == n);
}

static void bench_replay(void)
{
	static const struct hw_replay_params params = { 65536, 524288, HW_S(10) };
	const uint64_t n = 10000000;
	struct hw_replay replay;
	uint64_t start, refused = 0;

	must(hw_replay_init(&replay, &params) == 0);
	start = clock_ns();
	for (uint64_t i = 0; i < n; i++) {
		hw_time now = HW_S(1) + i * 10000;

		must(hw_replay_check(&replay, i, now) == HW_REPLAY_NEW);
		must(hw_replay_accept(&replay, i, now) == HW_REPLAY_NEW);
	}
	print("replay check + accept, in order", start, n);
	start = clock_ns();
	for (uint64_t i = 0; i < n; i++)
		refused += hw_replay_check(&replay, n - 1 - i % 400000, HW_S(1) + n * 10000) ==
			   HW_REPLAY_DUPLICATE;
	print("replay check of a duplicate", start, n);
	must(refused == n);
	hw_replay_fini(&replay);
}

static void bench_suite(const struct hw_suite *suite, uint32_t bytes)
{
	static const struct hw_replay_params params = { 65536, 524288, HW_S(10) };
	const uint64_t n = 300000;
	struct hw_session_keys keys;
	struct hw_session *from, *to;
	struct hw_open_info info;
	struct hw_pool *pool;
	char label[64];
	uint64_t start;

	memset(&keys, 0x5a, sizeof(keys));
	keys.local_index = keys.remote_index = 1;
	keys.initiator = true;
	must(hw_session_new(&keys, suite, &params, 0, &from) == 0);
	must(hw_session_new(&keys, suite, &params, 0, &to) == 0);
	must(hw_pool_new(4, 2048, &pool) == 0);
	start = clock_ns();
	for (uint64_t i = 0; i < n; i++) {
		struct hw_buf *buf = hw_buf_get(pool);

		hw_buf_put(buf, bytes);
		must(hw_session_seal(from, HW_WIRE_DATA, 1, buf, i * 10000) == 0);
		must(hw_session_open(to, buf, i * 10000, &info) == HW_OPEN_OK);
		hw_buf_unref(buf);
	}
	snprintf(label, sizeof(label), "seal + open, %u bytes, %s", (unsigned)bytes, suite->name);
	print(label, start, n);
	hw_pool_free(pool);
	hw_session_free(from);
	hw_session_free(to);
}

int main(void)
{
	const struct hw_suite *suite;

	bench_stamp();
	bench_replay();
	for (size_t i = 0; (suite = hw_suite_at(i)) != NULL; i++) {
		bench_suite(suite, 64);
		bench_suite(suite, 1400);
	}
	return 0;
}
