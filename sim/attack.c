#include "sim/attack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/wire.h"

/*
 * 198.18.0.0/15, which RFC 2544 keeps for tests; no wire has an address there. The upper half is of
 * those who relay.
 */
#define SOURCES 0xc6120000u
#define RELAYS 0xc6130000u

static struct hw_addr numbered_addr(const struct hw_sim_attack *attack, uint32_t n)
{
	struct hw_addr addr = { .family = HW_FAMILY_IPV4, .port = (uint16_t)(1024 + n / 0x10000) };

	hw_store32(addr.ip, (attack->config->kind == HW_SIM_ATTACK_RELAY ? RELAYS : SOURCES) +
				    n % 0x10000);
	return addr;
}

static struct hw_addr source_addr(const struct hw_sim_attack *attack)
{
	return numbered_addr(attack, (uint32_t)(attack->made % attack->config->sources));
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
	case HW_SIM_ATTACK_RELAY:
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

/* ---- relays ---- */

static void push_relayed(struct hw_sim_attack *attack, enum hw_sim_side to, uint32_t wire,
			 uint32_t source, const uint8_t *data, uint32_t len)
{
	struct hw_sim_relayed *relayed;
	hw_time at = attack->node->engine->now + attack->config->delay;

	if (attack->relayed_count == HW_SIM_RELAY_ROOM || attack->node->engine->failed)
		return; /* strangers have their limits too */
	relayed = &attack->relayed[(attack->relayed_first + attack->relayed_count) %
				   HW_SIM_RELAY_ROOM];
	relayed->at = at;
	relayed->to = to;
	relayed->wire = wire;
	relayed->source = source;
	relayed->bytes = len;
	memcpy(relayed->data, data, len);
	if (attack->relayed_count++ == 0)
		hw_sim_at(attack->node->engine, &attack->event, at);
}

void hw_sim_attack_passing(struct hw_sim_attack *attack, uint32_t wire, const uint8_t *data,
			   uint32_t len)
{
	const struct hw_sim_attack_config *config = attack->config;
	hw_time now = attack->node->engine->now;

	if (config->kind != HW_SIM_ATTACK_RELAY || now < config->start || now >= config->stop ||
	    (config->count > 0 && attack->made == config->count) ||
	    attack->net->wires[wire].hub_addr.family != HW_FAMILY_IPV4 ||
	    hw_rng_unit(&attack->rng) >= config->share)
		return;
	push_relayed(attack, config->target, wire, (uint32_t)(attack->made % config->sources), data,
		     len);
	attack->made++;
}

static void deliver_relayed(struct hw_sim_attack *attack, const struct hw_sim_relayed *relayed)
{
	const struct hw_sim_wire *wire = &attack->net->wires[relayed->wire];
	struct hw_tuple tuple = { .remote = numbered_addr(attack, relayed->source) };
	bool to_target = relayed->to == attack->config->target;

	if (relayed->to == HW_SIM_HUB) {
		tuple.local = wire->hub_addr;
		tuple.link = wire->hub_link;
	} else {
		tuple.local = wire->client_local;
		tuple.link = relayed->wire;
	}
	if (to_target) {
		attack->stats.sent++;
		attack->stats.sent_bytes += relayed->bytes;
		attack->stats.copies++;
		attack->accounts[relayed->source].in_bytes += relayed->bytes;
		attack->accounts[relayed->source].wire = relayed->wire;
	}
	(void)hw_sim_node_datagram(to_target ? attack->node : attack->peer, &tuple, relayed->data,
				   relayed->bytes, 0);
}

static void relay_fire(struct hw_sim_event *event, hw_time now)
{
	struct hw_sim_attack *attack = (struct hw_sim_attack *)event;

	while (attack->relayed_count > 0 && attack->relayed[attack->relayed_first].at <= now &&
	       !attack->node->engine->failed) {
		deliver_relayed(attack, &attack->relayed[attack->relayed_first]);
		attack->relayed_first = (attack->relayed_first + 1) % HW_SIM_RELAY_ROOM;
		attack->relayed_count--;
	}
	if (attack->relayed_count > 0)
		hw_sim_at(attack->node->engine, event, attack->relayed[attack->relayed_first].at);
}

/* Which of the sources an address is; false: of another attack. */
static bool source_of(const struct hw_sim_attack *attack, const struct hw_addr *addr,
		      uint32_t *ret_source)
{
	uint32_t n = (uint32_t)(addr->port - 1024) * 0x10000 + hw_load32(addr->ip) - RELAYS;

	if (hw_load32(addr->ip) < RELAYS || addr->port < 1024 || n >= attack->config->sources)
		return false;
	*ret_source = n;
	return true;
}

static bool relay_answered(struct hw_sim_attack *attack, enum hw_sim_side from,
			   const struct hw_addr *addr, const uint8_t *data, uint32_t len)
{
	const struct hw_sim_attack_config *config = attack->config;
	struct hw_sim_account *account;
	uint32_t source;

	if (!source_of(attack, addr, &source) || (from != config->target && !config->two_way))
		return false;
	account = &attack->accounts[source];
	if (from == config->target) {
		attack->stats.answers++;
		attack->stats.answer_bytes += len;
		account->out_bytes += len;
		if (!config->two_way && account->out_bytes > 3 * account->in_bytes)
			hw_sim_fail(attack->node->engine,
				    "%" PRIu64 " bytes went to an address that never answered, for %" PRIu64
				    " that came",
				    account->out_bytes, account->in_bytes);
	}
	if (config->two_way)
		push_relayed(attack, from == HW_SIM_HUB ? HW_SIM_CLIENT : HW_SIM_HUB,
			     account->wire, source, data, len);
	return true;
}

/* ---- life ---- */

static int relay_init(struct hw_sim_attack *attack)
{
	attack->relayed = calloc(HW_SIM_RELAY_ROOM, sizeof(*attack->relayed));
	attack->accounts = calloc(attack->config->sources, sizeof(*attack->accounts));
	return attack->relayed == NULL || attack->accounts == NULL ? HW_E_NOMEM : 0;
}

int hw_sim_attack_new(const struct hw_sim_attack_config *config, struct hw_sim_node nodes[2],
		      struct hw_sim_net *net, uint64_t seed, struct hw_sim_attack **ret_attack)
{
	struct hw_sim_attack *attack = calloc(1, sizeof(*attack));
	bool relays = config->kind == HW_SIM_ATTACK_RELAY;

	if (attack == NULL)
		return HW_E_NOMEM;
	attack->config = config;
	attack->node = &nodes[config->target];
	attack->peer = &nodes[1 - config->target];
	attack->net = net;
	hw_rng_init(&attack->rng, seed);
	hw_sim_event_init(&attack->event, relays ? relay_fire : attack_fire);
	if (!relays)
		hw_sim_at(attack->node->engine, &attack->event, config->start);
	if (relays && relay_init(attack) < 0) {
		hw_sim_attack_free(attack);
		return HW_E_NOMEM;
	}
	*ret_attack = attack;
	return 0;
}

void hw_sim_attack_free(struct hw_sim_attack *attack)
{
	if (attack == NULL)
		return;
	hw_sim_cancel(attack->node->engine, &attack->event);
	free(attack->relayed);
	free(attack->accounts);
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
	return addr->family == HW_FAMILY_IPV4 && (hw_load32(addr->ip) & 0xfffe0000u) == SOURCES;
}

bool hw_sim_attack_answered(struct hw_sim_attack *attack, enum hw_sim_side from,
			    const struct hw_addr *addr, const uint8_t *data, uint32_t len)
{
	if (attack->config->kind == HW_SIM_ATTACK_RELAY)
		return relay_answered(attack, from, addr, data, len);
	if (attack->config->target != from || !attack->asking || hw_load32(addr->ip) >= RELAYS)
		return false;
	attack->stats.answers++;
	attack->stats.answer_bytes += len;
	attack->answer_bytes_now += len;
	return true;
}
