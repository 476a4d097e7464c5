#include "sim/attack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/wire.h"

/* 198.18.0.0/15, which RFC 2544 keeps for tests; no wire has an address there. */
static struct hw_addr source_addr(const struct hw_sim_attack *attack)
{
	uint32_t n = (uint32_t)(attack->made % attack->config->sources);
	struct hw_addr addr = { .family = HW_FAMILY_IPV4, .port = (uint16_t)(1024 + n / 0x10000) };

	hw_store32(addr.ip, 0xc6120000u + n % 0x10000);
	return addr;
}

static uint32_t pick_overheard(struct hw_sim_attack *attack, uint8_t *out)
{
	uint64_t held = attack->overheard_count < HW_SIM_OVERHEARD ? attack->overheard_count
								   : HW_SIM_OVERHEARD;
	uint64_t i = hw_rng_below(&attack->rng, held);

	memcpy(out, attack->overheard[i], attack->overheard_bytes[i]);
	return attack->overheard_bytes[i];
}

static uint32_t make_random(struct hw_sim_attack *attack, uint8_t *out, uint32_t from)
{
	uint32_t len = from + (uint32_t)hw_rng_below(&attack->rng, 1400);

	if (len == 0)
		len = 1;
	hw_rng_fill(&attack->rng, out + from, len - from);
	/* Most random bytes are of no known type: give every other a real one. */
	if (from == 0 && hw_rng_below(&attack->rng, 2) == 0)
		out[0] = (uint8_t)((1 + hw_rng_below(&attack->rng, HW_WIRE_FRAMED)) << 4 |
				   (out[0] & 15));
	return len;
}

static uint32_t make(struct hw_sim_attack *attack, enum hw_sim_attack_kind kind, uint8_t *out)
{
	uint32_t len;

	if (kind == HW_SIM_ATTACK_MIX)
		kind = (enum hw_sim_attack_kind)(attack->made % HW_SIM_ATTACK_MIX);
	if (kind == HW_SIM_ATTACK_RANDOM || attack->overheard_count == 0)
		return make_random(attack, out, 0);
	len = pick_overheard(attack, out);
	switch (kind) {
	case HW_SIM_ATTACK_HEADER:
		return make_random(attack, out,
				   len < HW_WIRE_HEADER_BYTES ? len : HW_WIRE_HEADER_BYTES);
	case HW_SIM_ATTACK_FLIP:
		hw_link_corrupt(hw_rng_u64(&attack->rng), out, len);
		return len;
	case HW_SIM_ATTACK_CUT:
		return 1 + (uint32_t)hw_rng_below(&attack->rng, len);
	case HW_SIM_ATTACK_RANDOM:
	case HW_SIM_ATTACK_REPLAY:
	case HW_SIM_ATTACK_MIX:
		break;
	}
	return len;
}

static struct hw_tuple make_tuple(const struct hw_sim_attack *attack)
{
	const struct hw_sim_wire *wire = &attack->net->wires[0];
	struct hw_tuple tuple = { .local = wire->hub_addr, .remote = source_addr(attack) };

	if (attack->config->target == HW_SIM_CLIENT)
		tuple.local = wire->client_local;
	if (attack->config->spoof)
		tuple.remote =
			attack->config->target == HW_SIM_HUB ? wire->client_public : wire->hub_addr;
	return tuple;
}

static void attack_fire(struct hw_sim_event *event, hw_time now)
{
	struct hw_sim_attack *attack = (struct hw_sim_attack *)event;
	const struct hw_sim_attack_config *config = attack->config;
	struct hw_sim_node *node = attack->node;
	uint8_t datagram[HW_SIM_PACKET_BYTES];

	if (now >= config->stop || (config->count > 0 && attack->made == config->count))
		return;
	hw_sim_at(node->engine, event, now + config->interval);
	if (node->core == NULL)
		return;

	if (attack->life != node->lives)
		attack->overheard_count = 0;

	uint32_t len = make(attack, config->kind, datagram);
	struct hw_tuple tuple = make_tuple(attack);

	/* What is due at this very time would be done along with the datagram: that is no change of
	 * its. */
	hw_sim_node_tick(node);

	uint64_t before = hw_core_state_hash(node->core);

	attack->answer_bytes_now = 0;
	attack->stats.sent++;
	attack->stats.sent_bytes += len;
	attack->made++;
	attack->asking = true;
	(void)hw_sim_node_datagram(node, &tuple, datagram, len, 0);
	attack->asking = false;
	if (node->engine->failed)
		return;
	if (hw_core_state_hash(node->core) != before) {
		attack->stats.changed++;
		hw_sim_fail(node->engine,
			    "a forged datagram (type %u, %u bytes, number %" PRIu64
			    ") changed the state of the %s",
			    datagram[0] >> 4, len, attack->stats.sent,
			    config->target == HW_SIM_CLIENT ? "client" : "hub");
	}
	if (attack->answer_bytes_now > len)
		hw_sim_fail(node->engine,
			    "%" PRIu64 " bytes went to an attacker for the %u that came",
			    attack->answer_bytes_now, len);
}

int hw_sim_attack_new(const struct hw_sim_attack_config *config, struct hw_sim_node *node,
		      struct hw_sim_net *net, uint64_t seed, struct hw_sim_attack **ret_attack)
{
	struct hw_sim_attack *attack = calloc(1, sizeof(*attack));

	if (attack == NULL)
		return HW_E_NOMEM;
	attack->config = config;
	attack->node = node;
	attack->net = net;
	hw_rng_init(&attack->rng, seed);
	hw_sim_event_init(&attack->event, attack_fire);
	hw_sim_at(node->engine, &attack->event, config->start);
	*ret_attack = attack;
	return 0;
}

void hw_sim_attack_free(struct hw_sim_attack *attack)
{
	if (attack == NULL)
		return;
	hw_sim_cancel(attack->node->engine, &attack->event);
	free(attack);
}

void hw_sim_attack_overhear(struct hw_sim_attack *attack, const uint8_t *data, uint32_t len)
{
	if (attack->life != attack->node->lives) {
		attack->life = attack->node->lives;
		attack->overheard_count = 0;
	}

	uint64_t i = attack->overheard_count++ % HW_SIM_OVERHEARD;

	memcpy(attack->overheard[i], data, len);
	attack->overheard_bytes[i] = len;
}

bool hw_sim_attack_owns(const struct hw_addr *addr)
{
	return addr->family == HW_FAMILY_IPV4 && (hw_load32(addr->ip) & 0xfffe0000u) == 0xc6120000u;
}

void hw_sim_attack_answered(struct hw_sim_attack *attack, uint32_t len)
{
	attack->stats.answers++;
	attack->stats.answer_bytes += len;
	attack->answer_bytes_now += len;
}
