#include "sim/node.h"

#include <assert.h>
#include <string.h>

#include "sim/oracle.h"

#define BATCH 64u
#define MAX_ROUNDS 10000u /* a core that still has output after so many never settles */

static const char *name_of(const struct hw_sim_node *node)
{
	return node->config.side == HW_SIM_CLIENT ? "client" : "hub";
}

/* The node's own clocks. */
static hw_time local_now(const struct hw_sim_node *node)
{
	return node->engine->now + node->config.epoch;
}

static uint64_t wall_now(const struct hw_sim_node *node)
{
	return node->config.wall_ns + node->engine->now + (uint64_t)node->wall_offset_ns;
}

static void fill_random(void *ctx, void *out, size_t len)
{
	hw_rng_fill(&((struct hw_sim_node *)ctx)->rng, out, len);
}

/* ---- taking what the core has to give ---- */

static void send_out(struct hw_sim_node *node, struct hw_datagram_out *out)
{
	bool refused = node->config.send_failure > 0 &&
		       hw_rng_unit(&node->fault_rng) < node->config.send_failure;

	if (!refused)
		refused = hw_sim_net_send(node->net, node->config.side, &out->tuple, out->tos,
					  out->head, out->head_bytes, out->body->data,
					  out->body->len) < 0;
	hw_buf_unref(out->body);
	if (refused) {
		node->send_failures++;
		hw_core_send_failed(node->core, &out->tuple, false, local_now(node));
	}
}

static bool pump_datagrams(struct hw_sim_node *node)
{
	struct hw_datagram_out out[BATCH];
	size_t n = hw_core_datagrams_out(node->core, out, BATCH);

	for (size_t i = 0; i < n; i++)
		send_out(node, &out[i]);
	return n > 0;
}

static bool pump_packets(struct hw_sim_node *node)
{
	struct hw_buf *out[BATCH];
	size_t n = hw_core_packets_out(node->core, out, BATCH);

	for (size_t i = 0; i < n; i++) {
		node->packets_taken++;
		node->owner.inner(node->owner.ctx, node->config.side, out[i]->data, out[i]->len);
		hw_buf_unref(out[i]);
	}
	return n > 0;
}

static bool pump_events(struct hw_sim_node *node)
{
	struct hw_event out[BATCH];
	size_t n = hw_core_events_out(node->core, out, BATCH);

	for (size_t i = 0; i < n; i++) {
		if ((unsigned)out[i].type >= HW_SIM_EVENT_TYPES) {
			hw_sim_fail(node->engine, "%s: an event of no known type", name_of(node));
			return false;
		}
		node->events[out[i].type]++;
		if (out[i].type == HW_EVENT_TIMESTAMP) {
			if (out[i].value < node->floor_ns)
				hw_sim_fail(node->engine, "%s: the floor of timestamps fell",
					    name_of(node));
			node->floor_ns = out[i].value;
		}
	}
	return n > 0;
}

/* An answer to an inner packet comes in while the output is taken: the loop outside sees to it. */
static void pump(struct hw_sim_node *node)
{
	unsigned rounds = 0;
	bool more = true;

	if (node->pumping) {
		node->again = true;
		return;
	}
	node->pumping = true;
	while (more && !node->engine->failed) {
		node->again = false;
		more = pump_datagrams(node);
		more = pump_packets(node) || more;
		more = pump_events(node) || more;
		more = more || node->again;
		if (++rounds == MAX_ROUNDS)
			hw_sim_fail(node->engine, "%s: output without end", name_of(node));
	}
	node->pumping = false;

	uint32_t available = hw_pool_available(node->pool);

	if (available < node->pool_low)
		node->pool_low = available;
	hw_sim_oracle_check(node);
}

static void schedule(struct hw_sim_node *node)
{
	hw_time at = hw_core_next_deadline(node->core);

	if (at != HW_TIME_NEVER)
		at = hw_time_since(at, node->config.epoch);
	hw_sim_at(node->engine, &node->event, at);
}

static void settle(struct hw_sim_node *node)
{
	pump(node);
	if (!node->pumping)
		schedule(node);
}

void hw_sim_node_tick(struct hw_sim_node *node)
{
	unsigned rounds = 0;

	if (node->core == NULL)
		return;
	do {
		hw_core_tick(node->core, local_now(node));
		pump(node);
		if (++rounds == MAX_ROUNDS)
			hw_sim_fail(node->engine, "%s: asks for a tick at the same time for ever",
				    name_of(node));
	} while (!node->engine->failed && hw_core_next_deadline(node->core) <= local_now(node));
	schedule(node);
}

static void deadline_fire(struct hw_sim_event *event, hw_time now)
{
	(void)now;
	hw_sim_node_tick((struct hw_sim_node *)event);
}

/* ---- life ---- */

int hw_sim_node_init(struct hw_sim_node *node, const struct hw_sim_node_config *config,
		     struct hw_sim_engine *engine, struct hw_sim_net *net,
		     const struct hw_sim_seals *seals, const struct hw_sim_node_owner *owner)
{
	*node = (struct hw_sim_node){
		.engine = engine, .net = net, .seals = seals, .owner = *owner, .config = *config
	};
	hw_sim_event_init(&node->event, deadline_fire);
	hw_rng_init(&node->rng, hw_sim_seed(config->seed, "entropy", config->side));
	hw_rng_init(&node->fault_rng, hw_sim_seed(config->seed, "faults", config->side));
	node->config.core.peers = &node->config.peer;
	node->config.core.peer_count = 1;
	node->pool_low = config->pool_buffers;
	return hw_pool_new(config->pool_buffers, HW_SIM_PACKET_BYTES, &node->pool);
}

static void check_pool(struct hw_sim_node *node)
{
	uint32_t available = hw_pool_available(node->pool), count = hw_pool_count(node->pool);

	if (available != count)
		hw_sim_fail(node->engine, "%s: %u buffers never came back", name_of(node),
			    count - available);
}

void hw_sim_node_fini(struct hw_sim_node *node)
{
	hw_sim_node_stop(node, false);
	if (node->pool != NULL && hw_pool_available(node->pool) == hw_pool_count(node->pool))
		hw_pool_free(node->pool); /* else it is left: what holds its buffers is unknown */
	node->pool = NULL;
}

static int configure(struct hw_sim_node *node)
{
	const struct hw_sim_node_config *config = &node->config;
	hw_time now = local_now(node);
	int r = hw_core_apply(node->core, &config->core, now);

	if (r < 0)
		return r;
	hw_core_wall_clock(node->core, wall_now(node), node->floor_ns, now);
	for (uint32_t i = 0; i < config->core.link_count; i++) {
		if (config->endpoints[i].family == HW_FAMILY_NONE)
			continue;
		r = hw_core_endpoints(node->core, 0, i, &config->endpoints[i], 1, now);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < config->core.link_count; i++) {
		if (config->link_gone[i])
			hw_core_link_remove(node->core, i, now);
		else if (!config->link_down[i])
			hw_core_link_up(node->core, i, config->link_mtu_bytes[i], now);
	}
	return 0;
}

void hw_sim_node_start(struct hw_sim_node *node)
{
	struct hw_core_env env = { .random = fill_random, .ctx = node };

	if (node->core != NULL || node->engine->failed)
		return;

	int r = hw_core_new(&env, node->pool, local_now(node), &node->core);

	if (r == 0)
		r = configure(node);
	if (r < 0) {
		hw_sim_fail(node->engine, "%s: does not start: %s", name_of(node), hw_strerror(r));
		return;
	}
	node->lives++;
	node->seen = (struct hw_core_totals){ 0 };
	node->datagrams_given = node->packets_given = node->packets_taken = 0;
	settle(node);
}

void hw_sim_node_stop(struct hw_sim_node *node, bool goodbye)
{
	if (node->core == NULL)
		return;
	assert(!node->pumping);
	if (goodbye && !node->engine->failed) {
		hw_core_close(node->core, local_now(node));
		pump(node);
	}
	hw_sim_totals_add(&node->past, &node->seen);
	hw_core_free(node->core);
	node->core = NULL;
	hw_sim_cancel(node->engine, &node->event);
	check_pool(node);
}

/* ---- input ---- */

static struct hw_buf *copy_in(struct hw_sim_node *node, const uint8_t *data, uint32_t len)
{
	struct hw_buf *buf = hw_buf_get(node->pool);

	if (buf == NULL) {
		hw_sim_fail(node->engine, "%s: all %u buffers are taken", name_of(node),
			    hw_pool_count(node->pool));
		return NULL;
	}
	memcpy(hw_buf_put(buf, len), data, len);
	buf->at = local_now(node);
	return buf;
}

bool hw_sim_node_datagram(struct hw_sim_node *node, const struct hw_tuple *tuple,
			  const uint8_t *data, uint32_t len, uint8_t tos)
{
	if (node->core == NULL || node->config.link_down[tuple->link]) {
		node->unheard++;
		return false;
	}

	struct hw_buf *buf = copy_in(node, data, len);

	if (buf == NULL)
		return false;

	struct hw_datagram datagram = {
		.buf = buf, .tuple = *tuple, .at = local_now(node), .tos = tos
	};

	node->datagrams_given++;
	hw_core_datagrams_in(node->core, &datagram, 1, local_now(node));
	settle(node);
	return true;
}

void hw_sim_node_packet(struct hw_sim_node *node, const uint8_t *data, uint32_t len)
{
	if (node->core == NULL)
		return;

	struct hw_buf *buf = copy_in(node, data, len);

	if (buf == NULL)
		return;
	node->packets_given++;
	hw_core_packets_in(node->core, &buf, 1, local_now(node));
	settle(node);
}

void hw_sim_node_link(struct hw_sim_node *node, uint32_t link, bool up)
{
	if (node->config.link_gone[link])
		return;
	node->config.link_down[link] = !up;
	if (node->core == NULL)
		return;
	if (up)
		hw_core_link_up(node->core, link, node->config.link_mtu_bytes[link],
				local_now(node));
	else
		hw_core_link_down(node->core, link, local_now(node));
	settle(node);
}

static int set_link(struct hw_sim_node *node, uint32_t link)
{
	const struct hw_sim_node_config *config = &node->config;
	hw_time now = local_now(node);
	int r = hw_core_link_set(node->core, link, &config->core.links[link], now);

	if (r == 0 && config->endpoints[link].family != HW_FAMILY_NONE)
		r = hw_core_endpoints(node->core, 0, link, &config->endpoints[link], 1, now);
	if (r < 0)
		hw_sim_fail(node->engine, "%s: does not take link %u: %s", name_of(node), link,
			    hw_strerror(r));
	return r;
}

void hw_sim_node_plug(struct hw_sim_node *node, uint32_t link, bool there)
{
	struct hw_sim_node_config *config = &node->config;
	bool was_gone = config->link_gone[link];

	config->link_gone[link] = !there;
	config->link_down[link] = !there;
	if (node->core == NULL)
		return;
	if (!there) {
		hw_core_link_remove(node->core, link, local_now(node));
	} else if (!was_gone || set_link(node, link) == 0) {
		hw_core_link_up(node->core, link, config->link_mtu_bytes[link], local_now(node));
	}
	settle(node);
}

void hw_sim_node_use(struct hw_sim_node *node, uint32_t link, enum hw_link_use use)
{
	node->config.core.links[link].use = use;
	if (node->core == NULL || node->config.link_gone[link])
		return;
	if (hw_core_link_set(node->core, link, &node->config.core.links[link], local_now(node)) < 0)
		hw_sim_fail(node->engine, "%s: link %u may not have another use", name_of(node),
			    link);
	settle(node);
}

void hw_sim_node_mtu(struct hw_sim_node *node, uint32_t link, uint32_t mtu_bytes)
{
	node->config.link_mtu_bytes[link] = mtu_bytes;
	if (node->core == NULL || node->config.link_down[link])
		return;
	hw_core_link_up(node->core, link, mtu_bytes, local_now(node));
	settle(node);
}

void hw_sim_node_readdressed(struct hw_sim_node *node, uint32_t link)
{
	if (node->core == NULL || node->config.link_down[link])
		return;
	hw_core_link_readdressed(node->core, link, local_now(node));
	settle(node);
}

void hw_sim_node_clock(struct hw_sim_node *node, int64_t by_ns, bool told)
{
	node->wall_offset_ns += by_ns;
	if (node->core == NULL || !told)
		return;
	hw_core_wall_clock(node->core, wall_now(node), node->floor_ns, local_now(node));
	settle(node);
}

void hw_sim_node_totals(const struct hw_sim_node *node, struct hw_core_totals *ret_totals)
{
	*ret_totals = node->past;
	if (node->core != NULL)
		hw_sim_totals_add(ret_totals, &node->seen);
}
