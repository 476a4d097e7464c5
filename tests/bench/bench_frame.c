/*
 * What the framing and the strategies cost each packet, in nanoseconds: the best of several rounds,
 * since whatever else runs on the machine can only add.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "frame/compress.h"
#include "frame/fragment.h"
#include "frame/inner.h"
#include "frame/mss.h"
#include "frame/reassembly.h"
#include "sched/sched.h"

#define ROUNDS 7
#define PACKET_BYTES 1500u
#define POOL 64u

struct bench {
	struct hw_pool *pool;
	struct hw_reassembly *reassembly;
	struct hw_buf *packet;     /* an Ethernet frame with a TCP segment, no SYN */
	struct hw_buf *compressed; /* what LZ4 makes of it */
	struct hw_compression compression;
	const struct hw_strategy *strategy;
	uint64_t strategy_state[8];
	struct hw_sched_path paths[3];
	uint64_t sink; /* so that nothing is optimised away */
};

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void run_mss(struct bench *b, uint64_t i)
{
	(void)i;
	b->sink += hw_mss_clamp(b->packet->data, b->packet->len, true, 1360);
}

static void run_ecn(struct bench *b, uint64_t i)
{
	b->sink += hw_inner_outer_tos(b->packet->data, b->packet->len, true);
	b->sink += hw_inner_combine_ecn(b->packet->data, b->packet->len, true, (uint8_t)(i & 2));
}

static void run_cut(struct bench *b, uint64_t i)
{
	struct hw_frame_plan plan;
	struct hw_reassembly_result result = { 0 };

	need(hw_frame_plan(b->packet->len, 0, 1392, &plan) == 0 && plan.count == 2);
	for (uint32_t n = 0; n < plan.count; n++) {
		struct hw_buf *piece = hw_frame_cut(b->pool, &plan, b->packet, n);
		struct hw_frame frame;

		need(piece != NULL && hw_frame_parse(piece->data, piece->len, &frame) == 0);
		hw_buf_pull(piece, frame.header_bytes);
		hw_reassembly_add(b->reassembly, 1, 1, 2 * i + n, &frame, piece, 0, i, &result);
	}
	need(result.verdict == HW_REASSEMBLY_COMPLETE);
	hw_buf_unref(result.packet);
}

static void run_compress(struct bench *b, uint64_t i)
{
	struct hw_buf *small = hw_compression_try(&b->compression, b->pool, 1, b->packet);

	(void)i;
	need(small != NULL);
	hw_buf_unref(small);
}

static void run_decompress(struct bench *b, uint64_t i)
{
	struct hw_buf *out;

	(void)i;
	need(hw_decompress(b->pool, b->compressed, (uint16_t)b->packet->len, &out) == 0);
	hw_buf_unref(out);
}

static void run_choose(struct bench *b, uint64_t i)
{
	struct hw_sched_packet packet = { .stream = 1, .bytes = 1400, .now = i * 1000,
					  .deadline = HW_TIME_NEVER };
	struct hw_sched_choice choice;

	b->strategy->choose(b->strategy_state, &packet, b->paths, 3, &choice);
	b->sink += choice.count;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * HW_NS_PER_S + (uint64_t)t.tv_nsec;
}

static void measure(struct bench *b, const char *name, void (*run)(struct bench *, uint64_t),
		    uint64_t times)
{
	double best = 1e18;
	uint64_t n = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = clock_ns();

		for (uint64_t i = 0; i < times; i++)
			run(b, n++);

		double ns = (double)(clock_ns() - begin) / (double)times;

		best = ns < best ? ns : best;
	}
	printf("%-44s %8.1f ns\n", name, best);
}

static void setup(struct bench *b)
{
	static const uint8_t headers[54] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
		0, 80, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0,
	};

	memset(b, 0, sizeof(*b));
	need(hw_pool_new(POOL, 2048, &b->pool) == 0);
	need(hw_reassembly_new(b->pool, &b->reassembly) == 0);
	b->packet = hw_buf_get(b->pool);

	uint8_t *p = hw_buf_put(b->packet, PACKET_BYTES);

	for (uint32_t i = 0; i < PACKET_BYTES; i++)
		p[i] = (uint8_t)("a line of a log, much like the last one\n"[i % 40] + i / 400);
	memcpy(p, headers, sizeof(headers));
	hw_store16(p + 16, PACKET_BYTES - 14);
	hw_compression_init(&b->compression, hw_compressor_find("lz4"));
	b->compressed = hw_compression_try(&b->compression, b->pool, 1, b->packet);
	need(b->compressed != NULL);
	for (uint32_t i = 0; i < 3; i++)
		b->paths[i] = (struct hw_sched_path){ .path = i, .group = (uint8_t)i, .state = HW_PATH_UP, .price = 1,
						      .rtt_ns = (int64_t)HW_MS(30 - i * 5),
						      .delay_excess_ns = (int64_t)HW_MS(i), .loss = 0.05 };
}

int main(void)
{
	static struct bench b;

	setup(&b);
	measure(&b, "MSS clamp, a TCP packet that is no SYN", run_mss, 2000000);
	measure(&b, "outer DSCP and ECN out, ECN in", run_ecn, 2000000);
	measure(&b, "1500 bytes: cut in two and reassemble", run_cut, 300000);
	measure(&b, "1500 bytes of text: LZ4 compress", run_compress, 50000);
	measure(&b, "1500 bytes of text: LZ4 decompress", run_decompress, 100000);
	for (size_t i = 0; (b.strategy = hw_strategy_at(i)) != NULL; i++) {
		char name[64];

		need(b.strategy->state_bytes <= sizeof(b.strategy_state));
		memset(b.strategy_state, 0, sizeof(b.strategy_state));
		b.strategy->init(b.strategy_state);
		snprintf(name, sizeof(name), "choose among three paths: %s", b.strategy->name);
		measure(&b, name, run_choose, 2000000);
	}
	hw_buf_unref(b.compressed);
	hw_buf_unref(b.packet);
	hw_reassembly_free(b.reassembly);
	hw_pool_free(b.pool);
	return b.sink == 0;
}
