#include "world.h"

#include <stdlib.h>

#include "test.h"

#include "base/bytes.h"
#include "crypto/identity.h"
#include "crypto/suite.h"

static void random_bytes(void *ctx, void *out, size_t len)
{
	hw_rng_fill(ctx, out, len);
}

static struct hw_addr address(int node, uint32_t link)
{
	return (struct hw_addr){ .family = HW_FAMILY_IPV4,
				 .ip = { 192, 0, (uint8_t)link, (uint8_t)(node + 1) },
				 .port = (uint16_t)(node == 1 ? 8420 : 40000 + link) };
}

void world_init(struct world *w, uint64_t seed)
{
	uint8_t private_key[2][32], psk[32];

	memset(w, 0, sizeof(*w));
	hw_rng_init(&w->rng, seed);
	w->now = HW_S(1000);
	w->wall_ns = UINT64_C(1700000000) * HW_NS_PER_S;
	w->flight = malloc(WORLD_FLIGHT * sizeof(*w->flight));
	assert_non_null(w->flight);
	hw_rng_fill(&w->rng, private_key, sizeof(private_key));
	hw_rng_fill(&w->rng, psk, sizeof(psk));
	for (uint32_t i = 0; i < WORLD_SLOTS; i++)
		w->delay[i] = HW_MS(10);
	for (int n = 0; n < 2; n++) {
		struct world_node *node = &w->node[n];

		hw_core_config_init(&node->config);
		node->config.suite = hw_suite_at(0);
		node->config.strategy = hw_strategy_find("redundant");
		node->config.layer2 = false;
		node->config.link_count = WORLD_LINKS;
		node->config.peer_count = 1;
		node->config.peers = &node->peer;
		memcpy(node->config.private_key, private_key[n], 32);
		assert_int_equal(hw_identity_public(private_key[1 - n], node->peer.public_key), 0);
		memcpy(node->peer.psk, psk, 32);
		for (uint32_t i = 0; i < WORLD_SLOTS; i++)
			node->addr[i] = address(n, i);
	}
}

void world_start(struct world *w, int n)
{
	struct world_node *node = &w->node[n];
	const struct hw_core_env env = { .random = random_bytes, .ctx = &w->rng };

	assert_int_equal(hw_pool_new(8192, 2048, &node->pool), 0);
	assert_int_equal(hw_core_new(&env, node->pool, w->now, &node->core), 0);
	assert_int_equal(hw_core_apply(node->core, &node->config, w->now), 0);
	hw_core_wall_clock(node->core, w->wall_ns + w->now, 0, w->now);
	for (uint32_t i = 0; i < node->config.link_count; i++) {
		hw_core_link_up(node->core, i, 1500, w->now);
		if (n == 0)
			assert_int_equal(hw_core_endpoints(node->core, 0, i, &w->node[1].addr[i], 1,
							   w->now),
					 0);
	}
}

void world_stop(struct world *w, int n)
{
	hw_core_free(w->node[n].core);
	hw_pool_free(w->node[n].pool);
	w->node[n].core = NULL;
	w->node[n].pool = NULL;
}

void world_fini(struct world *w)
{
	for (int n = 0; n < 2; n++) {
		if (w->node[n].core != NULL)
			world_stop(w, n);
	}
	free(w->flight);
}

void world_check(const struct world *w)
{
	for (int n = 0; n < 2; n++) {
		struct hw_core_totals t;
		uint64_t rx_drops = 0, tx_drops = 0;

		if (w->node[n].core == NULL)
			continue;
		hw_core_totals(w->node[n].core, &t);
		for (int i = 0; i < HW_DROP_COUNT; i++) {
			if (strncmp(hw_drop_name((enum hw_drop)i), "rx_", 3) == 0)
				rx_drops += t.drops[i];
			else
				tx_drops += t.drops[i];
		}
		assert_true(t.rx_datagrams ==
			    t.rx_handshake + t.rx_control + t.rx_delivered + t.rx_held + rx_drops);
		assert_true(t.tx_packets == t.tx_sent + t.tx_waiting + tx_drops);
	}
}

static const struct hw_addr *source(const struct world_node *node, uint32_t link)
{
	return node->seen_as[link].family != HW_FAMILY_NONE ? &node->seen_as[link]
							    : &node->addr[link];
}

static bool has_address(const struct world_node *node, uint32_t link, const struct hw_addr *addr)
{
	return hw_addr_equal(addr, &node->addr[link]) || hw_addr_equal(addr, source(node, link));
}

static void collect(struct world *w, int n)
{
	struct world_node *node = &w->node[n];
	struct hw_datagram_out out;
	struct hw_buf *packet;
	struct hw_event event;

	while (hw_core_datagrams_out(node->core, &out, 1) > 0) {
		struct world_flight *f = &w->flight[w->flights];
		uint32_t link = out.tuple.link;

		assert_true(w->flights < WORLD_FLIGHT);
		w->sent[n]++;
		f->at = w->now + w->delay[link];
		f->order = w->order++;
		f->to = 1 - n;
		f->tos = out.tos;
		f->tuple = (struct hw_tuple){ .link = link, .remote = *source(node, link) };
		f->len = out.head_bytes + out.body->len;
		memcpy(f->bytes, out.head, out.head_bytes);
		memcpy(f->bytes + out.head_bytes, out.body->data, out.body->len);
		hw_buf_unref(out.body);
		if (!has_address(&w->node[1 - n], link, &out.tuple.remote)) {
			w->nowhere[n]++;
			continue;
		}
		if (w->mtu_from[n][link] != 0 && f->len + 28 > w->mtu_from[n][link]) {
			w->too_big++;
			continue;
		}
		if (w->mtu[link] != 0 && f->len + (out.tuple.remote.family == HW_FAMILY_IPV6 ? 48 : 28) >
						 w->mtu[link]) {
			w->too_big++;
			continue;
		}
		if (w->cut[link] || w->cut_from[n][link] || hw_rng_unit(&w->rng) < w->loss ||
		    (w->tap != NULL && !w->tap(w->tap_ctx, n, f)))
			continue;
		w->flights++;
	}
	while (hw_core_packets_out(node->core, &packet, 1) > 0) {
		node->delivered++;
		node->last_len = packet->len;
		memcpy(node->last, packet->data, packet->len);
		if (w->receive[n] != NULL)
			w->receive[n](w->tap_ctx, packet->data, packet->len);
		hw_buf_unref(packet);
	}
	while (hw_core_events_out(node->core, &event, 1) > 0) {
		node->events[event.type]++;
		if (event.type == HW_EVENT_PATH_MTU)
			w->last_mtu[n] = event.value;
		if (event.type == HW_EVENT_TUNNEL_MTU)
			w->tunnel_mtu[n] = event.value;
	}
}

void world_flush(struct world *w, int node)
{
	collect(w, node);
}

int world_apply(struct world *w, const struct hw_core_config *config)
{
	const struct hw_core_env env = { .random = random_bytes, .ctx = &w->rng };
	struct hw_pool *pool;
	struct hw_core *core;
	int rc;

	assert_int_equal(hw_pool_new(16, 2048, &pool), 0);
	assert_int_equal(hw_core_new(&env, pool, w->now, &core), 0);
	rc = hw_core_apply(core, config, w->now);
	hw_core_free(core);
	hw_pool_free(pool);
	return rc;
}

void world_inject(struct world *w, int to, const struct hw_tuple *tuple, const uint8_t *bytes,
		  uint32_t len)
{
	struct world_node *node = &w->node[to];
	struct hw_datagram in = { .tuple = *tuple, .at = w->now + (hw_time)w->at_offset };

	if (node->core == NULL)
		return;
	in.buf = hw_buf_get(node->pool);
	assert_non_null(in.buf);
	memcpy(hw_buf_put(in.buf, len), bytes, len);
	hw_core_datagrams_in(node->core, &in, 1, w->now);
	collect(w, to);
}

/* The earliest flight, or -1. */
static int next_flight(const struct world *w)
{
	int best = -1;

	for (uint32_t i = 0; i < w->flights; i++) {
		const struct world_flight *f = &w->flight[i], *b = &w->flight[best < 0 ? 0 : best];

		if (best < 0 || f->at < b->at || (f->at == b->at && f->order < b->order))
			best = (int)i;
	}
	return best;
}

static hw_time next_tick(const struct world *w, int *ret_node)
{
	hw_time at = HW_TIME_NEVER;

	for (int n = 0; n < 2; n++) {
		if (w->node[n].core == NULL)
			continue;

		hw_time t = hw_core_next_deadline(w->node[n].core);

		if (t < at) {
			at = t;
			*ret_node = n;
		}
	}
	return at;
}

void world_start_both(struct world *w)
{
	world_start(w, 1);
	world_start(w, 0);
	world_run(w, w->now + HW_S(1));
}

void world_run(struct world *w, hw_time until)
{
	uint64_t steps = 0;

	for (;;) {
		int n = 0, f = next_flight(w);
		hw_time tick = next_tick(w, &n);

		assert_true(++steps < 10000000); /* a deadline that never moves on */
		if (f >= 0 && w->flight[f].at <= tick && w->flight[f].at <= until) {
			struct world_flight flight = w->flight[f];

			w->flight[f] = w->flight[--w->flights];
			w->now = hw_time_max(w->now, flight.at);
			world_inject(w, flight.to, &flight.tuple, flight.bytes, flight.len);
		} else if (tick <= until) {
			w->now = hw_time_max(w->now, tick);
			w->ticks[n]++;
			hw_core_tick(w->node[n].core, w->now);
			collect(w, n);
		} else {
			break;
		}
		world_check(w);
	}
	w->now = until;
}

void world_send(struct world *w, int n, uint32_t len, uint32_t number)
{
	struct world_node *node = &w->node[n];
	struct hw_buf *buf = hw_buf_get(node->pool);

	assert_non_null(buf);
	assert_true(len >= 28);
	memset(hw_buf_put(buf, len), (int)(number & 0xff), len);
	memset(buf->data, 0, 20);
	buf->data[0] = 0x45;
	hw_store16(buf->data + 2, (uint16_t)len);
	buf->data[9] = 253; /* for experiments, RFC 3692 */
	hw_store32(buf->data + 20, number);
	hw_core_packets_in(node->core, &buf, 1, w->now);
	collect(w, n);
	world_check(w);
}

uint64_t world_drops(const struct world *w, int n, enum hw_drop reason)
{
	struct hw_core_totals totals;

	hw_core_totals(w->node[n].core, &totals);
	return totals.drops[reason];
}

void world_snapshot(const struct world *w, int n, struct hw_peer_snapshot *ret_snapshot)
{
	hw_core_peer_snapshot(w->node[n].core, 0, w->now, ret_snapshot);
}

uint32_t world_paths_up(const struct world *w, int n)
{
	struct hw_peer_snapshot s;
	uint32_t up = 0;

	world_snapshot(w, n, &s);
	for (uint32_t i = 0; i < s.path_count; i++)
		up += s.paths[i].state == HW_PATH_UP;
	return up;
}
