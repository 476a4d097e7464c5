#include "sim/net.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/wire.h"

#define HUB_PORT 8420u

/* ---- packets of the network's own ---- */

static struct hw_sim_packet *packet_get(struct hw_sim_net *net)
{
	struct hw_sim_packet *packet = net->free_list;

	if (packet != NULL)
		net->free_list = packet->next;
	else
		packet = malloc(sizeof(*packet));
	if (packet == NULL)
		hw_sim_fail(net->engine, "out of memory for packets in flight");
	else
		net->packets_out++;
	return packet;
}

static void packet_put(struct hw_sim_net *net, struct hw_sim_packet *packet)
{
	packet->next = net->free_list;
	net->free_list = packet;
	net->packets_out--;
}

static void *clone_packet(void *ctx, void *from)
{
	struct hw_sim_packet *packet = packet_get(ctx);
	const struct hw_sim_packet *original = from;

	if (packet != NULL)
		memcpy(packet, original, offsetof(struct hw_sim_packet, data) + original->bytes);
	return packet;
}

static void drop_packet(void *ctx, void *packet, enum hw_link_fate fate)
{
	(void)fate;
	packet_put(ctx, packet);
}

/* ---- arrival ---- */

static void arrive(struct hw_sim_way *way, struct hw_sim_packet *packet)
{
	struct hw_sim_net *net = way->net;
	const struct hw_sim_wire *wire = &net->wires[way->wire];
	enum hw_sim_side to = way->way == HW_SIM_UP ? HW_SIM_HUB : HW_SIM_CLIENT;
	struct hw_tuple tuple;

	if (packet->bare) {
		net->owner.bare(net->owner.ctx, to, packet->data, packet->bytes);
		return;
	}
	if (to == HW_SIM_HUB) {
		tuple = (struct hw_tuple){ .local = wire->hub_addr,
					   .remote = packet->outside,
					   .link = wire->hub_link };
	} else {
		if (!hw_addr_equal(&packet->outside, &wire->client_public)) {
			way->lost_mapping++;
			return;
		}
		tuple = (struct hw_tuple){ .local = wire->client_local,
					   .remote = wire->hub_addr,
					   .link = way->wire };
	}
	if (way->marked && packet->kind <= HW_SIM_REPAIR && packet->sent >= way->marked_at) {
		way->marked = false;
		way->carry_max =
			hw_time_max(way->carry_max, net->engine->now - way->marked_at);
	}
	net->owner.datagram(net->owner.ctx, to, &tuple, packet->data, packet->bytes, packet->tos);
}

static void way_fire(struct hw_sim_event *event, hw_time now)
{
	struct hw_sim_way *way = (struct hw_sim_way *)event;
	struct hw_sim_net *net = way->net;
	struct hw_link_delivery delivery;

	while (!net->engine->failed && hw_linkmodel_dequeue(way->model, now, &delivery)) {
		struct hw_sim_packet *packet = delivery.packet;

		if (delivery.corrupt != 0)
			hw_link_corrupt(delivery.corrupt, packet->data, packet->bytes);
		arrive(way, packet);
		packet_put(net, packet);
	}
	hw_sim_at(net->engine, event, hw_linkmodel_next(way->model));
}

/* ---- set-up ---- */

void hw_sim_net_init(struct hw_sim_net *net, struct hw_sim_engine *engine,
		     const struct hw_sim_net_owner *owner)
{
	memset(net, 0, sizeof(*net));
	net->engine = engine;
	net->owner = *owner;
}

void hw_sim_net_fini(struct hw_sim_net *net)
{
	for (uint32_t i = 0; i < net->wire_count; i++) {
		for (int way = 0; way < 2; way++) {
			hw_sim_cancel(net->engine, &net->wires[i].way[way].event);
			hw_linkmodel_free(net->wires[i].way[way].model);
		}
	}
	assert(net->packets_out == 0);
	while (net->free_list != NULL) {
		struct hw_sim_packet *packet = net->free_list;

		net->free_list = packet->next;
		free(packet);
	}
}

/* Addresses kept for documentation (RFC 5737, RFC 3849), one network for each role. */
static struct hw_addr make_addr(bool ipv6, uint8_t role, uint8_t host, uint16_t port)
{
	static const uint8_t v4[3][3] = { { 192, 168, 0 }, { 203, 0, 113 }, { 198, 51, 100 } };
	struct hw_addr addr = { .family = ipv6 ? HW_FAMILY_IPV6 : HW_FAMILY_IPV4, .port = port };

	if (ipv6) {
		const uint8_t v6[4] = { 0x20, 0x01, 0x0d, 0xb8 };

		memcpy(addr.ip, v6, sizeof(v6));
		addr.ip[5] = role;
		addr.ip[15] = host;
	} else {
		memcpy(addr.ip, v4[role], 3);
		addr.ip[3] = host;
	}
	return addr;
}

int hw_sim_net_add(struct hw_sim_net *net, const struct hw_sim_wire_config *config, uint64_t seed)
{
	struct hw_link_owner owner = { .ctx = net, .clone = clone_packet, .drop = drop_packet };
	uint32_t index = net->wire_count;

	if (index == HW_SIM_MAX_WIRES)
		return HW_E_LIMIT;

	struct hw_sim_wire *wire = &net->wires[index];
	uint8_t host = (uint8_t)(index + 1);
	struct hw_linkmodel *models[2] = { NULL, NULL };

	for (int way = 0; way < 2; way++) {
		int r = hw_linkmodel_new(config->params[way],
					 hw_sim_seed(seed, way == HW_SIM_UP ? "up" : "down", index),
					 net->engine->now, &owner, &models[way]);

		if (r < 0) {
			hw_linkmodel_free(models[0]);
			return r;
		}
	}
	snprintf(wire->name, sizeof(wire->name), "%s", config->name);
	wire->client_local = make_addr(config->ipv6, 0, host, (uint16_t)(40000 + index));
	wire->client_public = make_addr(config->ipv6, 1, host, (uint16_t)(50000 + 256 * index));
	wire->hub_addr = make_addr(config->ipv6, 2, config->own_hub_addr ? host : 250, HUB_PORT);
	wire->hub_link = config->own_hub_addr ? index : 0;
	wire->mtu_bytes[HW_SIM_CLIENT] = wire->mtu_bytes[HW_SIM_HUB] = config->mtu_bytes;
	wire->ip_udp_bytes = config->ipv6 ? HW_WIRE_IPV6_UDP_BYTES : HW_WIRE_IPV4_UDP_BYTES;
	for (uint8_t way = 0; way < 2; way++) {
		wire->way[way] = (struct hw_sim_way){
			.net = net,
			.model = models[way],
			.wire = index,
			.way = way,
			.params = *config->params[way]
		};
		hw_sim_event_init(&wire->way[way].event, way_fire);
	}
	net->wire_count++;
	return 0;
}

/* ---- sending ---- */

/* Is this the first time that the side sends this counter? */
static bool is_first(struct hw_sim_net *net, enum hw_sim_side from, const uint8_t *header)
{
	uint32_t index = hw_load24(header + 1), stream = header[0] & 15,
		 low = hw_load32(header + 4);
	struct hw_sim_counters *counters = net->counters[from];
	size_t known = sizeof(net->counters[0]) / sizeof(net->counters[0][0]), i = 0;

	while (i < known && counters[i].index != index + 1) /* + 1: zero is an empty slot */
		i++;
	if (i == known) {
		i = net->counters_at[from]++ % known;
		counters[i] = (struct hw_sim_counters){ .index = index + 1 };
	}

	uint64_t *next = &counters[i].next[stream];
	uint64_t counter = *next + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)*next);

	if (counter < *next)
		return false;
	*next = counter + 1;
	return true;
}

static enum hw_sim_kind kind_of(struct hw_sim_net *net, enum hw_sim_side from,
				const uint8_t *header, uint32_t len)
{
	uint8_t type = header[0] >> 4, stream = header[0] & 15;

	if (len < HW_WIRE_HEADER_BYTES || (type != HW_WIRE_DATA && type != HW_WIRE_FRAMED))
		return HW_SIM_HANDSHAKE;
	if (stream == HW_WIRE_STREAM_CONTROL)
		return HW_SIM_CONTROL;
	if (stream > HW_WIRE_STREAM_LAST_CLASS)
		return HW_SIM_REPAIR;
	return is_first(net, from, header) ? HW_SIM_FIRST : HW_SIM_COPY;
}

static bool offer(struct hw_sim_net *net, struct hw_sim_way *way, struct hw_sim_packet *packet,
		  uint32_t ip_bytes)
{
	hw_time now = net->engine->now;

	net->transmissions++;
	if (hw_linkmodel_enqueue(way->model, now, packet, ip_bytes) != HW_LINK_PASSED) {
		packet_put(net, packet);
		return false;
	}
	hw_sim_at(net->engine, &way->event, hw_linkmodel_next(way->model));
	return true;
}

/* The wire that leads there, or NULL. */
static struct hw_sim_wire *find_wire(struct hw_sim_net *net, enum hw_sim_side from,
				     const struct hw_tuple *tuple)
{
	if (from == HW_SIM_CLIENT) {
		struct hw_sim_wire *wire =
			tuple->link < net->wire_count ? &net->wires[tuple->link] : NULL;

		return wire != NULL && hw_addr_equal(&tuple->remote, &wire->hub_addr) ? wire : NULL;
	}
	for (uint32_t i = 0; i < net->wire_count; i++) {
		struct hw_sim_wire *wire = &net->wires[i];

		if (wire->hub_link == tuple->link &&
		    hw_addr_equal(&tuple->remote, &wire->client_public))
			return wire;
	}
	return NULL;
}

static bool is_local(const struct hw_addr *named, const struct hw_addr *owned)
{
	return named->family == HW_FAMILY_NONE || hw_addr_equal(named, owned);
}

int hw_sim_net_send(struct hw_sim_net *net, enum hw_sim_side from, const struct hw_tuple *tuple,
		    uint8_t tos, const void *head, uint32_t head_len, const void *body,
		    uint32_t body_len)
{
	struct hw_sim_wire *wire = find_wire(net, from, tuple);
	uint32_t len = head_len + body_len;
	uint8_t whole[HW_SIM_PACKET_BYTES];

	if (len == 0 || len > HW_SIM_PACKET_BYTES) {
		hw_sim_fail(net->engine, "a node sends a datagram of %u bytes", len);
		return HW_E_SYSTEM;
	}
	if (wire == NULL) {
		memcpy(whole, head, head_len);
		memcpy(whole + head_len, body, body_len);
		net->astray++;
		net->owner.astray(net->owner.ctx, from, &tuple->remote, whole, len);
		return 0;
	}

	const struct hw_addr *owned = from == HW_SIM_CLIENT ? &wire->client_local : &wire->hub_addr;

	if (len + wire->ip_udp_bytes > wire->mtu_bytes[from])
		hw_sim_fail(net->engine,
			    "a node sends %u bytes of IP by %s, whose interface takes %u",
			    len + wire->ip_udp_bytes, wire->name, wire->mtu_bytes[from]);
	if (!is_local(&tuple->local, owned))
		return HW_E_SYSTEM;

	struct hw_sim_packet *packet = packet_get(net);

	if (packet == NULL)
		return HW_E_SYSTEM;
	if (head_len > 0)
		memcpy(packet->data, head, head_len);
	if (body_len > 0)
		memcpy(packet->data + head_len, body, body_len);
	packet->bytes = len;
	packet->tos = tos;
	packet->bare = false;
	packet->outside = wire->client_public;
	packet->sent = net->engine->now;

	struct hw_sim_way *way = &wire->way[from == HW_SIM_CLIENT ? HW_SIM_UP : HW_SIM_DOWN];
	enum hw_sim_kind kind = kind_of(net, from, packet->data, len);

	packet->kind = kind;
	way->sent.packets[kind]++;
	way->sent.bytes[kind] += len + wire->ip_udp_bytes;
	if (net->owner.sent != NULL)
		net->owner.sent(net->owner.ctx, from, way->wire, packet->data, len);
	(void)offer(net, way, packet, len + wire->ip_udp_bytes);
	return 0;
}

bool hw_sim_net_send_bare(struct hw_sim_net *net, enum hw_sim_side from, uint32_t wire,
			  const void *data, uint32_t len)
{
	struct hw_sim_packet *packet = packet_get(net);

	assert(len <= HW_SIM_PACKET_BYTES);
	if (packet == NULL)
		return false;
	memcpy(packet->data, data, len);
	packet->bytes = len;
	packet->bare = true;
	return offer(net, &net->wires[wire].way[from == HW_SIM_CLIENT ? HW_SIM_UP : HW_SIM_DOWN],
		     packet, len);
}

/* ---- changes ---- */

/* What is in force: the parameters as given, and the spell on top of them. */
static int put_in_force(struct hw_sim_way *way)
{
	struct hw_sim_engine *engine = way->net->engine;
	struct hw_link_params params = way->params;
	int r;

	if (way->in_spell) {
		params.loss = 1 - (1 - params.loss) * (1 - way->spell.loss);
		params.delay_ns += way->spell.delay;
	}
	r = hw_linkmodel_change(way->model, engine->now, &params);
	if (r == 0)
		hw_sim_at(engine, &way->event, hw_linkmodel_next(way->model));
	return r;
}

int hw_sim_net_change(struct hw_sim_net *net, uint32_t wire, uint8_t way,
		      const struct hw_link_params *params)
{
	struct hw_sim_way *changed = &net->wires[wire].way[way];
	struct hw_link_params before = changed->params;
	int r;

	changed->params = *params;
	r = put_in_force(changed);
	if (r < 0)
		changed->params = before;
	return r;
}

void hw_sim_net_cut(struct hw_sim_net *net, uint32_t wire, bool cut)
{
	for (int way = 0; way < 2; way++) {
		struct hw_sim_way *changed = &net->wires[wire].way[way];

		changed->params.down = cut;
		if (put_in_force(changed) < 0)
			hw_sim_fail(net->engine, "a link refuses to be cut");
	}
}

void hw_sim_net_spell(struct hw_sim_net *net, uint32_t wire, uint8_t way,
		      const struct hw_sim_spell *spell)
{
	struct hw_sim_way *changed = &net->wires[wire].way[way];

	if (spell == NULL && !changed->in_spell)
		return;
	changed->in_spell = spell != NULL;
	if (spell != NULL)
		changed->spell = *spell;
	if (put_in_force(changed) < 0)
		hw_sim_fail(net->engine, "a link refuses a bad spell");
}

void hw_sim_net_mark(struct hw_sim_net *net, uint32_t wire, bool there)
{
	for (int way = 0; way < 2; way++) {
		struct hw_sim_way *marked = &net->wires[wire].way[way];

		marked->marked = there;
		marked->marked_at = net->engine->now;
	}
}

void hw_sim_net_rebind(struct hw_sim_net *net, uint32_t wire)
{
	net->wires[wire].client_public.port++;
}

/* A host number that no other wire has: each has 16 of its own. */
static void next_host(struct hw_addr *addr)
{
	addr->ip[addr->family == HW_FAMILY_IPV6 ? 15 : 3] += (uint8_t)HW_SIM_MAX_WIRES;
}

void hw_sim_net_roam(struct hw_sim_net *net, uint32_t wire)
{
	struct hw_addr *addr = &net->wires[wire].client_public;

	next_host(addr);
	addr->port++;
}

void hw_sim_net_readdress(struct hw_sim_net *net, uint32_t wire)
{
	next_host(&net->wires[wire].client_local);
	hw_sim_net_roam(net, wire);
}
