#include "sim/oracle.h"

#include <inttypes.h>
#include <string.h>

#include "sim/node.h"
#include "sim/suite.h"

/* Drops are listed with those of datagrams first. */
static uint64_t sum_drops(const struct hw_core_totals *totals, bool rx)
{
	uint64_t sum = 0;

	for (int i = rx ? 0 : HW_DROP_tx_no_session;
	     i < (rx ? HW_DROP_tx_no_session : HW_DROP_COUNT); i++)
		sum += totals->drops[i];
	return sum;
}

uint64_t hw_sim_totals_rx_drops(const struct hw_core_totals *totals)
{
	return sum_drops(totals, true);
}

uint64_t hw_sim_totals_tx_drops(const struct hw_core_totals *totals)
{
	return sum_drops(totals, false);
}

void hw_sim_totals_add(struct hw_core_totals *into, const struct hw_core_totals *from)
{
	into->rx_datagrams += from->rx_datagrams;
	into->rx_handshake += from->rx_handshake;
	into->rx_control += from->rx_control;
	into->rx_delivered += from->rx_delivered;
	into->rx_held += from->rx_held;
	into->rx_packets += from->rx_packets;
	into->tx_packets += from->tx_packets;
	into->tx_sent += from->tx_sent;
	into->tx_waiting += from->tx_waiting;
	into->tx_copies += from->tx_copies;
	into->tx_source_packets += from->tx_source_packets;
	for (int i = 0; i < HW_DROP_COUNT; i++)
		into->drops[i] += from->drops[i];
}

static bool fell(const struct hw_core_totals *now, const struct hw_core_totals *before)
{
	bool any = now->rx_datagrams < before->rx_datagrams ||
		   now->rx_handshake < before->rx_handshake ||
		   now->rx_control < before->rx_control ||
		   now->rx_delivered < before->rx_delivered ||
		   now->rx_packets < before->rx_packets || now->tx_packets < before->tx_packets ||
		   now->tx_sent < before->tx_sent || now->tx_copies < before->tx_copies ||
		   now->tx_source_packets < before->tx_source_packets;

	for (int i = 0; i < HW_DROP_COUNT; i++)
		any |= now->drops[i] < before->drops[i];
	return any;
}

static void check_conservation(struct hw_sim_node *node, const struct hw_core_totals *t,
			       const char *name)
{
	uint64_t rx =
		t->rx_handshake + t->rx_control + t->rx_delivered + t->rx_held + sum_drops(t, true);
	uint64_t tx = t->tx_sent + t->tx_waiting + sum_drops(t, false);

	if (t->rx_datagrams != rx)
		hw_sim_fail(node->engine,
			    "%s: conservation: %" PRIu64 " datagrams in, %" PRIu64 " accounted for",
			    name, t->rx_datagrams, rx);
	if (t->tx_packets != tx)
		hw_sim_fail(node->engine,
			    "%s: conservation: %" PRIu64 " packets in, %" PRIu64 " accounted for",
			    name, t->tx_packets, tx);
}

static void check_against_ours(struct hw_sim_node *node, const struct hw_core_totals *t,
			       const char *name)
{
	if (t->rx_datagrams != node->datagrams_given)
		hw_sim_fail(node->engine, "%s: counts %" PRIu64 " datagrams, was given %" PRIu64,
			    name, t->rx_datagrams, node->datagrams_given);
	if (t->tx_packets != node->packets_given)
		hw_sim_fail(node->engine, "%s: counts %" PRIu64 " packets in, was given %" PRIu64,
			    name, t->tx_packets, node->packets_given);
	if (t->rx_packets != node->packets_taken)
		hw_sim_fail(node->engine, "%s: counts %" PRIu64 " packets out, gave %" PRIu64, name,
			    t->rx_packets, node->packets_taken);
}

void hw_sim_oracle_check(struct hw_sim_node *node)
{
	const char *name = node->config.side == HW_SIM_CLIENT ? "client" : "hub";
	struct hw_core_totals totals;

	hw_core_totals(node->core, &totals);
	check_conservation(node, &totals, name);
	check_against_ours(node, &totals, name);
	if (fell(&totals, &node->seen))
		hw_sim_fail(node->engine, "%s: a counter fell", name);
	node->seen = totals;

	struct hw_sim_seals_state seals = hw_sim_seals_state(node->seals);

	if (seals.reused)
		hw_sim_fail(node->engine, "%s: a key sealed stream %u, counter %" PRIu64 " again",
			    name, seals.stream, seals.counter);
}
