#include "shaped.h"

#include <stdlib.h>

#include "test.h"

#include "crypto/identity.h"
#include "crypto/suite.h"

#define IP_UDP_BYTES 28u

struct packet {
	uint32_t link;
	uint32_t len;
	uint8_t bytes[1600];
};

static void random_bytes(void *ctx, void *out, size_t len)
{
	hw_rng_fill(ctx, out, len);
}

static void drop_packet(void *ctx, void *packet, enum hw_link_fate fate)
{
	(void)ctx;
	(void)fate;
	free(packet);
}

static const struct hw_link_owner owner = { .drop = drop_packet };

static struct hw_addr address(int node, uint32_t link)
{
	return (struct hw_addr){ .family = HW_FAMILY_IPV4,
				 .ip = { 192, 0, (uint8_t)link, (uint8_t)(node + 1) },
				 .port = (uint16_t)(node == SHAPED_HUB ? 8420 : 40000 + link) };
}

void shaped_init(struct shaped *s, uint64_t seed, uint32_t links)
{
	uint8_t private_key[2][32], psk[32];

	memset(s, 0, sizeof(*s));
	hw_rng_init(&s->rng, seed);
	s->now = HW_S(1000);
	s->links = links;
	s->hook_at = HW_TIME_NEVER;
	hw_rng_fill(&s->rng, private_key, sizeof(private_key));
	hw_rng_fill(&s->rng, psk, sizeof(psk));
	for (int n = 0; n < 2; n++) {
		struct shaped_node *node = &s->node[n];

		hw_core_config_init(&node->config);
		node->config.suite = hw_suite_at(0);
		node->config.strategy = hw_strategy_find("redundant");
		node->config.layer2 = false;
		node->config.link_count = links;
		node->config.peer_count = 1;
		node->config.peers = &node->peer;
		memcpy(node->config.private_key, private_key[n], 32);
		assert_int_equal(hw_identity_public(private_key[1 - n], node->peer.public_key), 0);
		memcpy(node->peer.psk, psk, 32);
		for (uint32_t i = 0; i < links; i++)
			node->config.links[i].price = 1;
	}
	for (uint32_t i = 0; i < links; i++) {
		s->through[i] = i;
		s->seen_as[i] = address(SHAPED_CLIENT, i);
		for (int way = 0; way < 2; way++)
			shaped_link(s, i, way, &(struct hw_link_params){ .delay_ns = HW_MS(10) });
	}
}

void shaped_link(struct shaped *s, uint32_t link, int way, const struct hw_link_params *params)
{
	struct shaped_way *w = &s->way[link][way];

	hw_linkmodel_free(w->model);
	assert_int_equal(hw_linkmodel_new(params, hw_rng_u64(&s->rng), s->now, &owner, &w->model),
			 0);
}

void shaped_change(struct shaped *s, uint32_t link, int way, const struct hw_link_params *params)
{
	assert_int_equal(hw_linkmodel_change(s->way[link][way].model, s->now, params), 0);
}

static void start_node(struct shaped *s, int n)
{
	struct shaped_node *node = &s->node[n];
	const struct hw_core_env env = { .random = random_bytes, .ctx = &s->rng };

	assert_int_equal(hw_pool_new(4096, 2048, &node->pool), 0);
	assert_int_equal(hw_core_new(&env, node->pool, s->now, &node->core), 0);
	assert_int_equal(hw_core_apply(node->core, &node->config, s->now), 0);
	hw_core_wall_clock(node->core, UINT64_C(1700000000) * HW_NS_PER_S + s->now, 0, s->now);
	for (uint32_t i = 0; i < s->links; i++) {
		struct hw_addr hub = address(SHAPED_HUB, i);

		hw_core_link_up(node->core, i, 1500, s->now);
		if (n == SHAPED_CLIENT)
			assert_int_equal(hw_core_endpoints(node->core, 0, i, &hub, 1, s->now), 0);
	}
	shaped_flush(s, n);
}

void shaped_start(struct shaped *s)
{
	start_node(s, SHAPED_HUB);
	start_node(s, SHAPED_CLIENT);
	shaped_run(s, s->now + HW_S(1));
}

void shaped_fini(struct shaped *s)
{
	for (int n = 0; n < 2; n++) {
		hw_core_free(s->node[n].core);
		hw_pool_free(s->node[n].pool);
	}
	for (uint32_t i = 0; i < s->links; i++)
		for (int way = 0; way < 2; way++)
			hw_linkmodel_free(s->way[i][way].model);
}

static void send_datagram(struct shaped *s, int n, const struct hw_datagram_out *out)
{
	struct packet *packet = malloc(sizeof(*packet));
	struct shaped_way *way = &s->way[s->through[out->tuple.link]][n];

	assert_non_null(packet);
	packet->link = out->tuple.link;
	packet->len = out->head_bytes + out->body->len;
	assert_true(packet->len <= sizeof(packet->bytes));
	memcpy(packet->bytes, out->head, out->head_bytes);
	memcpy(packet->bytes + out->head_bytes, out->body->data, out->body->len);
	way->bytes[packet->link] += packet->len + IP_UDP_BYTES;
	s->packets++;
	if (hw_linkmodel_enqueue(way->model, s->now, packet, packet->len + IP_UDP_BYTES) !=
	    HW_LINK_PASSED)
		free(packet);
}

void shaped_flush(struct shaped *s, int n)
{
	struct shaped_node *node = &s->node[n];
	struct hw_datagram_out out;
	struct hw_buf *inner;
	struct hw_event event;

	while (hw_core_datagrams_out(node->core, &out, 1) > 0) {
		send_datagram(s, n, &out);
		hw_buf_unref(out.body);
	}
	while (hw_core_packets_out(node->core, &inner, 1) > 0)
		hw_buf_unref(inner);
	while (hw_core_events_out(node->core, &event, 1) > 0)
		;
}

static void deliver(struct shaped *s, int to, const struct packet *packet)
{
	struct shaped_node *node = &s->node[to];
	struct hw_datagram in = {
		.buf = hw_buf_get(node->pool),
		.tuple = { .link = packet->link,
			   .remote = to == SHAPED_HUB ? s->seen_as[packet->link]
						      : address(SHAPED_HUB, packet->link) },
		.at = s->now,
	};

	assert_non_null(in.buf);
	memcpy(hw_buf_put(in.buf, packet->len), packet->bytes, packet->len);
	hw_core_datagrams_in(node->core, &in, 1, s->now);
	shaped_flush(s, to);
}

/* Earliest of all; what it is: a way (link * 2 + way), a core, or the hook. */
static hw_time next(const struct shaped *s, int *ret_what)
{
	hw_time at = s->hook_at;

	*ret_what = -1;
	for (uint32_t i = 0; i < s->links; i++) {
		for (int way = 0; way < 2; way++) {
			hw_time t = hw_linkmodel_next(s->way[i][way].model);

			if (t < at) {
				at = t;
				*ret_what = (int)i * 2 + way;
			}
		}
	}
	for (int n = 0; n < 2; n++) {
		hw_time t = hw_core_next_deadline(s->node[n].core);

		if (t < at) {
			at = t;
			*ret_what = 100 + n;
		}
	}
	return at;
}

void shaped_run(struct shaped *s, hw_time until)
{
	for (;;) {
		struct hw_link_delivery delivery;
		int what;
		hw_time at = next(s, &what);

		if (at > until)
			break;
		s->now = hw_time_max(s->now, at);
		if (what == -1) {
			s->hook_at = s->hook(s->hook_ctx, s->now);
			shaped_flush(s, SHAPED_CLIENT);
		} else if (what >= 100) {
			hw_core_tick(s->node[what - 100].core, s->now);
			shaped_flush(s, what - 100);
		} else if (hw_linkmodel_dequeue(s->way[what / 2][what % 2].model, s->now,
						&delivery)) {
			deliver(s, 1 - what % 2, delivery.packet);
			free(delivery.packet);
		}
	}
	s->now = until;
}

uint32_t shaped_path(const struct shaped *s, int n, uint32_t link)
{
	struct hw_peer_snapshot snapshot;

	hw_core_peer_snapshot(s->node[n].core, 0, s->now, &snapshot);
	for (uint32_t i = 0; i < snapshot.path_count; i++)
		if (snapshot.paths[i].tuple.link == link)
			return snapshot.paths[i].path;
	fail_msg("no path on link %u", link);
	return 0;
}
