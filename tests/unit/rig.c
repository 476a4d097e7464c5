#include "test.h"

#include <stdlib.h>

#include "rig.h"

#include "crypto/identity.h"
#include "crypto/suite.h"

#define OUTER_BYTES 28u /* IPv4 and UDP */

struct rig_packet {
	uint32_t len;
	bool numbered;
	uint8_t data[2048];
};

static void *clone(void *ctx, void *packet)
{
	(void)ctx;

	struct rig_packet *copy = malloc(sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy, packet, sizeof(*copy));
	return copy;
}

static void drop(void *ctx, void *packet, enum hw_link_fate fate)
{
	(void)ctx;
	(void)fate;
	free(packet);
}

static void random_bytes(void *ctx, void *out, size_t len)
{
	hw_rng_fill(ctx, out, len);
}

static struct hw_addr address(int node, uint32_t link)
{
	return (struct hw_addr){ .family = HW_FAMILY_IPV4,
				 .ip = { 192, 0, (uint8_t)link, (uint8_t)(node + 1) },
				 .port = 8420 };
}

static hw_time clock_at(const struct rig *rig, int node, hw_time at)
{
	double drift = node == 1 ? (double)at * rig->drift_ppm * 1e-6 : 0;

	return rig->offset[node] + at + (hw_time)(int64_t)drift;
}

hw_time rig_clock(const struct rig *rig, int node)
{
	return clock_at(rig, node, rig->now);
}

static void start_node(struct rig *rig, int node, uint8_t keys[2][32])
{
	const struct hw_core_env env = { .random = random_bytes, .ctx = &rig->rng };
	struct hw_core_config *config = &rig->config[node];
	hw_time now = rig_clock(rig, node);

	hw_core_config_init(config);
	config->suite = hw_suite_at(0);
	config->strategy = hw_strategy_find("redundant");
	config->link_count = rig->links;
	config->peer_count = 1;
	config->peers = &rig->peer[node];
	memcpy(config->private_key, keys[node], 32);
	assert_int_equal(hw_identity_public(keys[1 - node], rig->peer[node].public_key), 0);
	assert_int_equal(hw_pool_new(4096, 2048, &rig->pool[node]), 0);
	assert_int_equal(hw_core_new(&env, rig->pool[node], now, &rig->core[node]), 0);
	assert_int_equal(hw_core_apply(rig->core[node], config, now), 0);
	hw_core_wall_clock(rig->core[node], HW_S(1000000), 0, now);
	for (uint32_t i = 0; i < rig->links; i++) {
		const struct hw_addr remote = address(1, i);

		hw_core_link_up(rig->core[node], i, 1500, now);
		if (node == 0)
			assert_int_equal(hw_core_endpoints(rig->core[0], 0, i, &remote, 1, now), 0);
	}
}

void rig_init(struct rig *rig, uint64_t seed, uint32_t links, struct hw_link_params params[][2])
{
	uint8_t keys[2][32];

	memset(rig, 0, sizeof(*rig));
	hw_rng_init(&rig->rng, seed);
	rig->links = links;
	rig->offset[0] = HW_S(4000);
	rig->offset[1] = HW_S(86400);
	for (uint32_t i = 0; i < links; i++) {
		for (int w = 0; w < 2; w++) {
			struct rig_way *way = &rig->way[w][i];
			const struct hw_link_owner owner = { .ctx = way, .clone = clone, .drop = drop };

			*way = (struct rig_way){ .rig = rig, .link = i, .to = 1 - w };
			way->passed = calloc(RIG_HISTORY, sizeof(*way->passed));
			way->packets = calloc(RIG_HISTORY, sizeof(*way->packets));
			way->offered = calloc(RIG_HISTORY, sizeof(*way->offered));
			assert_non_null(way->passed);
			assert_non_null(way->packets);
			way->arrived = calloc(RIG_HISTORY, sizeof(*way->arrived));
			assert_non_null(way->offered);
			assert_non_null(way->arrived);
			assert_int_equal(hw_linkmodel_new(&params[i][w], hw_rng_u64(&rig->rng), 0, &owner,
							  &way->model),
					 0);
		}
	}
	hw_rng_fill(&rig->rng, keys, sizeof(keys));
	for (int node = 1; node >= 0; node--)
		start_node(rig, node, keys);
}

void rig_fini(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->links; i++) {
		for (int w = 0; w < 2; w++) {
			hw_linkmodel_free(rig->way[w][i].model);
			free(rig->way[w][i].passed);
			free(rig->way[w][i].packets);
			free(rig->way[w][i].offered);
			free(rig->way[w][i].arrived);
		}
	}
	for (int node = 0; node < 2; node++) {
		hw_core_free(rig->core[node]);
		hw_pool_free(rig->pool[node]);
	}
}

/* What the core has to say goes on its way, or to the device. */
static void collect(struct rig *rig, int node)
{
	struct hw_datagram_out out;
	struct hw_buf *inner;
	struct hw_event event;

	while (hw_core_datagrams_out(rig->core[node], &out, 1) == 1) {
		struct rig_packet *packet = malloc(sizeof(*packet));
		struct rig_way *way = &rig->way[node][out.tuple.link];

		assert_non_null(packet);
		packet->len = out.head_bytes + out.body->len;
		memcpy(packet->data, out.head, out.head_bytes);
		memcpy(packet->data + out.head_bytes, out.body->data, out.body->len);
		hw_buf_unref(out.body);
		/* Some control packets (probes of sizes, handshakes) have no number: they may be lost. */
		packet->numbered = out.head_bytes > 0 && (out.head[8] != 0 || out.head[9] != 0);
		way->offered_now += packet->numbered;
		if (hw_linkmodel_enqueue(way->model, rig->now, packet, packet->len + OUTER_BYTES) !=
		    HW_LINK_PASSED)
			free(packet);
	}
	while (hw_core_packets_out(rig->core[node], &inner, 1) == 1) {
		rig->delivered[node]++;
		hw_buf_unref(inner);
	}
	while (hw_core_events_out(rig->core[node], &event, 1) == 1)
		continue;
}

static void deliver(struct rig_way *way)
{
	struct rig *rig = way->rig;
	struct hw_link_delivery delivery;

	while (hw_linkmodel_dequeue(way->model, rig->now, &delivery)) {
		struct rig_packet *packet = delivery.packet;
		struct hw_buf *buf = hw_buf_get(rig->pool[way->to]);
		struct hw_datagram in = {
			.buf = buf,
			.at = clock_at(rig, way->to, delivery.at),
			.tuple = { .link = way->link, .remote = address(1 - way->to, way->link) },
		};

		assert_non_null(buf);
		way->arrived_now += packet->numbered;
		memcpy(hw_buf_put(buf, packet->len), packet->data, packet->len);
		free(packet);
		hw_core_datagrams_in(rig->core[way->to], &in, 1, rig_clock(rig, way->to));
		collect(rig, way->to);
	}
}

static void send_flow(struct rig *rig, int node)
{
	struct rig_flow *flow = &rig->flow[node];
	struct hw_buf *buf = hw_buf_get(rig->pool[node]);

	assert_non_null(buf);
	flow->next_s += flow->gap_s;

	uint8_t *packet = hw_buf_put(buf, flow->bytes);

	memset(packet, 0, flow->bytes);
	packet[0] = 0x45;
	packet[2] = (uint8_t)(flow->bytes >> 8);
	packet[3] = (uint8_t)flow->bytes;
	hw_core_packets_in(rig->core[node], &buf, 1, rig_clock(rig, node));
	collect(rig, node);
}

void rig_send(struct rig *rig, int from, uint32_t bytes, double bps)
{
	rig->flow[from] = (struct rig_flow){ .bytes = bps > 0 ? bytes : 0,
					     .gap_s = bps > 0 ? bytes * 8 / bps : 0,
					     .next_s = (double)rig->now / 1e9 };
}

/* When something happens next, at the latest `until`: time by the rig. */
static hw_time next_event(const struct rig *rig, hw_time until)
{
	hw_time at = until;

	for (int node = 0; node < 2; node++) {
		hw_time due = hw_core_next_deadline(rig->core[node]);
		hw_time clock = rig_clock(rig, node);

		if (due != HW_TIME_NEVER) /* a drifting clock comes to it a little early or late */
			at = hw_time_min(at, rig->now + hw_time_since(due, clock) +
						     hw_time_since(due, clock) / 1000);
		if (rig->flow[node].bytes > 0)
			at = hw_time_min(at, (hw_time)(rig->flow[node].next_s * 1e9));
	}
	for (uint32_t i = 0; i < rig->links; i++)
		for (int w = 0; w < 2; w++)
			at = hw_time_min(at, hw_linkmodel_next(rig->way[w][i].model));
	/* The truth is noted each millisecond. */
	at = hw_time_min(at, HW_MS(rig->history + 1));
	return hw_time_max(at, rig->now);
}

static void note_truth(struct rig *rig)
{
	uint64_t ms = rig->now / HW_NS_PER_MS;

	for (; rig->history < ms; rig->history++) {
		for (uint32_t i = 0; i < rig->links; i++) {
			for (int w = 0; w < 2; w++) {
				struct rig_way *way = &rig->way[w][i];
				const struct hw_link_stats *stats = hw_linkmodel_stats(way->model);

				way->passed[rig->history + 1] = stats->passed_bytes;
				way->packets[rig->history + 1] = stats->fates[HW_LINK_PASSED];
				way->offered[rig->history + 1] = way->offered_now;
				way->arrived[rig->history + 1] = way->arrived_now;
			}
		}
	}
}

void rig_run(struct rig *rig, hw_time until)
{
	while (rig->now < until) {
		rig->now = next_event(rig, until);
		for (uint32_t i = 0; i < rig->links; i++)
			for (int w = 0; w < 2; w++)
				deliver(&rig->way[w][i]);
		note_truth(rig);
		for (int node = 0; node < 2; node++) {
			while (rig->flow[node].bytes > 0 &&
			       (hw_time)(rig->flow[node].next_s * 1e9) <= rig->now)
				send_flow(rig, node);
			if (hw_core_next_deadline(rig->core[node]) <= rig_clock(rig, node)) {
				hw_core_tick(rig->core[node], rig_clock(rig, node));
				collect(rig, node);
			}
		}
	}
}

void rig_snapshot(struct rig *rig, int node, struct hw_peer_snapshot *ret_snapshot)
{
	hw_core_peer_snapshot(rig->core[node], 0, rig_clock(rig, node), ret_snapshot);
}

const struct hw_path_snapshot *rig_path(const struct hw_peer_snapshot *snapshot, uint32_t link)
{
	for (uint32_t i = 0; i < snapshot->path_count; i++)
		if (snapshot->paths[i].tuple.link == link)
			return &snapshot->paths[i];
	fail_msg("no path over link %u", link);
	return NULL;
}
