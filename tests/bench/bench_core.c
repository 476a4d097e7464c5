/*
 * What a packet costs in the core, without system calls: from the client's tunnel device to the
 * hub's, over one, two and three paths, redundant. Nanoseconds vary with the machine and its load;
 * for a figure that repeats exactly, count instructions:
 *
 *     valgrind --tool=callgrind build/tests/bench/bench_core 20000
 *
 * A second argument is how many packets are handed over at once: 32 unless told, as a busy daemon
 * does; 1 as the simulator does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "core/core.h"
#include "crypto/identity.h"
#include "crypto/suite.h"

#define BATCH 32u

struct node {
	struct hw_core *core;
	struct hw_pool *pool;
	struct hw_core_config config;
	struct hw_peer_config peer;
};

static struct hw_rng rng;
static struct node nodes[2];
static hw_time now = HW_S(1000);
static uint32_t batch = BATCH;

static void random_bytes(void *ctx, void *out, size_t len)
{
	(void)ctx;
	hw_rng_fill(&rng, out, len);
}

static void must(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "bench_core: %s\n", hw_strerror(rc));
		exit(1);
	}
}

static struct hw_addr address(int n, uint32_t link)
{
	return (struct hw_addr){ .family = HW_FAMILY_IPV4,
				 .ip = { 192, 0, (uint8_t)link, (uint8_t)(n + 1) },
				 .port = 8420 };
}

static void start(uint32_t links)
{
	const struct hw_core_env env = { .random = random_bytes };
	uint8_t keys[2][32];

	hw_rng_init(&rng, 1);
	hw_rng_fill(&rng, keys, sizeof(keys));
	for (int n = 0; n < 2; n++) {
		struct node *node = &nodes[n];

		hw_core_config_init(&node->config);
		memset(&node->peer, 0, sizeof(node->peer));
		node->config.suite = hw_suite_at(0);
		node->config.strategy = hw_strategy_find("redundant");
		node->config.layer2 = false;
		node->config.link_count = links;
		node->config.peer_count = 1;
		node->config.peers = &node->peer;
		memcpy(node->config.private_key, keys[n], 32);
		must(hw_identity_public(keys[1 - n], node->peer.public_key));
		must(hw_pool_new(4096, 2048, &node->pool));
		must(hw_core_new(&env, node->pool, now, &node->core));
		must(hw_core_apply(node->core, &node->config, now));
		hw_core_wall_clock(node->core, now, 0, now);
		for (uint32_t i = 0; i < links; i++) {
			const struct hw_addr remote = address(1 - n, i);

			hw_core_link_up(node->core, i, 1500, now);
			if (n == 0)
				must(hw_core_endpoints(node->core, 0, i, &remote, 1, now));
		}
	}
}

static void stop(void)
{
	for (int n = 0; n < 2; n++) {
		hw_core_free(nodes[n].core);
		hw_pool_free(nodes[n].pool);
	}
}

/* Carry what one node has to send to the other; returns how many inner packets came out there. */
static size_t carry(int from)
{
	struct hw_datagram_out out[BATCH];
	struct hw_datagram in[BATCH];
	struct hw_buf *packet;
	size_t n, delivered = 0;

	while ((n = hw_core_datagrams_out(nodes[from].core, out, batch)) > 0) {
		for (size_t i = 0; i < n; i++) {
			struct hw_buf *buf = hw_buf_get(nodes[1 - from].pool);

			memcpy(hw_buf_put(buf, out[i].head_bytes), out[i].head, out[i].head_bytes);
			memcpy(hw_buf_put(buf, out[i].body->len), out[i].body->data, out[i].body->len);
			hw_buf_unref(out[i].body);
			in[i] = (struct hw_datagram){
				.buf = buf,
				.at = now,
				.tuple = { .link = out[i].tuple.link,
					   .remote = address(from, out[i].tuple.link) },
			};
		}
		hw_core_datagrams_in(nodes[1 - from].core, in, n, now);
		if (hw_core_next_deadline(nodes[1 - from].core) <= now)
			hw_core_tick(nodes[1 - from].core, now);
		while (hw_core_packets_out(nodes[1 - from].core, &packet, 1) > 0) {
			hw_buf_unref(packet);
			delivered++;
		}
	}
	return delivered;
}

static void settle(hw_time span)
{
	for (hw_time end = now + span; now < end; now += HW_MS(1)) {
		for (int n = 0; n < 2; n++) {
			if (hw_core_next_deadline(nodes[n].core) <= now)
				hw_core_tick(nodes[n].core, now);
			carry(n);
		}
	}
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void run(uint32_t links, uint32_t bytes, uint32_t count)
{
	size_t delivered = 0;

	start(links);
	settle(HW_S(2));

	double begin = seconds();

	for (uint32_t i = 0; i < count; i += batch) {
		struct hw_buf *in[BATCH];

		for (uint32_t j = 0; j < batch; j++) {
			in[j] = hw_buf_get(nodes[0].pool);
			memset(hw_buf_put(in[j], bytes), 0, bytes);
			in[j]->data[0] = 0x45;
		}
		hw_core_packets_in(nodes[0].core, in, batch, now);
		delivered += carry(0);
		now += 10 * batch * HW_NS_PER_US;
		for (int n = 0; n < 2; n++) {
			if (hw_core_next_deadline(nodes[n].core) <= now)
				hw_core_tick(nodes[n].core, now);
		}
		carry(1);
	}

	double ns = (seconds() - begin) * 1e9 / (double)delivered;

	printf("%u path%s  %4u bytes  %7.0f ns a packet, both nodes together  (%zu packets)\n", links,
	       links == 1 ? " " : "s", bytes, ns, delivered);
	stop();
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 200000;

	if (argc > 2)
		batch = (uint32_t)strtoul(argv[2], NULL, 10);
	if (batch == 0 || batch > BATCH) {
		fprintf(stderr, "bench_core: 1 to %u at once\n", BATCH);
		return 1;
	}
	for (uint32_t links = 1; links <= 3; links++) {
		run(links, 100, count);
		run(links, 1350, count);
	}
	return 0;
}
