#include "sim/oracle.h"
#include "sim/suite.h"
#include "sim/world.h"

static int add_flow(struct hw_sim_flow_stats *into, const struct hw_sim_flow_stats *from)
{
	into->sent += from->sent;
	into->sent_bytes += from->sent_bytes;
	into->delivered += from->delivered;
	into->late += from->late;
	into->reordered += from->reordered;
	into->damaged += from->damaged;
	into->duplicates += from->duplicates;
	into->gap_max = hw_time_max(into->gap_max, from->gap_max);
	into->resume_max = hw_time_max(into->resume_max, from->resume_max);
	return hw_histogram_merge(&into->delay, &from->delay);
}

static int collect_traffic(struct hw_sim_world *world, struct hw_sim_result *result)
{
	int r = 0;

	for (uint32_t i = 0; i < world->traffic_count && r == 0; i++) {
		struct hw_sim_traffic *traffic = &world->traffic[i];
		struct hw_sim_traffic_result *into = &result->traffic[i];

		hw_sim_flow_end(&traffic->flow[0], traffic->config->stop);
		hw_sim_flow_end(&traffic->flow[1], traffic->config->stop);
		r = add_flow(&into->flow[0], &traffic->flow[0].stats);
		if (r == 0)
			r = add_flow(&into->flow[1], &traffic->flow[1].stats);
		if (r == 0)
			r = hw_histogram_merge(&into->rtt, &traffic->rtt);
		if (traffic->config->kind == HW_SIM_VIDEO) {
			into->frames += traffic->made;
			into->frames_whole += traffic->frames_whole;
		}
		into->goodput_bytes += traffic->goodput_bytes;
		if (traffic->tcp != NULL)
			into->retransmissions += hw_sim_tcp_retransmissions(traffic->tcp);
		into->active += hw_time_since(traffic->config->stop, traffic->config->start);
	}
	return r;
}

static void add_link(struct hw_link_stats *into, const struct hw_link_stats *from)
{
	into->offered_packets += from->offered_packets;
	into->offered_bytes += from->offered_bytes;
	for (int i = 0; i < HW_LINK_FATES; i++)
		into->fates[i] += from->fates[i];
	into->passed_bytes += from->passed_bytes;
	into->queued += from->queued;
	into->in_flight += from->in_flight;
	into->delivered_packets += from->delivered_packets;
	into->delivered_bytes += from->delivered_bytes;
	into->duplicated += from->duplicated;
	into->corrupted += from->corrupted;
	if (from->max_queue_bytes > into->max_queue_bytes)
		into->max_queue_bytes = from->max_queue_bytes;
}

static void collect_wires(const struct hw_sim_world *world, struct hw_sim_result *result)
{
	for (uint32_t i = 0; i < world->net.wire_count; i++) {
		for (int w = 0; w < 2; w++) {
			const struct hw_sim_way *way = &world->net.wires[i].way[w];
			struct hw_sim_way_result *into = &result->way[i][w];

			add_link(&into->link, hw_linkmodel_stats(way->model));
			into->carry_max = hw_time_max(into->carry_max, way->carry_max);
			if (way->marked)
				into->carry_max = hw_time_max(
					into->carry_max,
					hw_time_since(world->scenario->duration, way->marked_at));
			for (int kind = 0; kind < HW_SIM_KINDS; kind++) {
				into->sent.packets[kind] += way->sent.packets[kind];
				into->sent.bytes[kind] += way->sent.bytes[kind];
			}
		}
	}
}

static void collect_pairs(const struct hw_peer_snapshot *snapshot, struct hw_sim_node_result *into)
{
	into->joint_rx = into->joint_tx = (struct hw_joint_figures){ .lift = -1 };
	for (uint32_t i = 0; i < snapshot->pair_count; i++) {
		const struct hw_pair_snapshot *pair = &snapshot->pairs[i];

		if (pair->rx.slots > into->joint_rx.slots)
			into->joint_rx = pair->rx;
		if (pair->tx.slots > into->joint_tx.slots)
			into->joint_tx = pair->tx;
	}
}

static void collect_node(const struct hw_sim_node *node, struct hw_sim_node_result *into)
{
	struct hw_core_totals totals;
	uint64_t used = node->config.pool_buffers - node->pool_low;

	hw_sim_node_totals(node, &totals);
	hw_sim_totals_add(&into->totals, &totals);
	for (int i = 0; i < HW_SIM_EVENT_TYPES; i++)
		into->events[i] += node->events[i];
	into->send_failures += node->send_failures;
	into->unheard += node->unheard;
	into->pool_used = into->pool_used > used ? into->pool_used : used;
	into->paths = into->paths_up = into->paths_suspect = into->paths_down = 0;
	if (node->core == NULL)
		return;

	struct hw_peer_snapshot snapshot;

	hw_core_peer_snapshot(node->core, 0, node->engine->now + node->config.epoch, &snapshot);
	into->paths = snapshot.path_count;
	for (uint32_t i = 0; i < snapshot.path_count; i++) {
		into->paths_up += snapshot.paths[i].state == HW_PATH_UP;
		into->paths_suspect += snapshot.paths[i].state == HW_PATH_SUSPECT;
		into->paths_down += snapshot.paths[i].state == HW_PATH_DOWN;
	}
	collect_pairs(&snapshot, into);
}

int hw_sim_world_collect(struct hw_sim_world *world, struct hw_sim_result *result)
{
	result->traffic_count = world->traffic_count;
	result->wire_count = world->net.wire_count;
	result->attack_count = world->attack_count;
	collect_wires(world, result);
	for (int side = 0; side < 2; side++) {
		collect_node(&world->nodes[side], &result->node[side]);
		result->source_packets += world->nodes[side].past.tx_source_packets;
		if (world->nodes[side].core != NULL)
			result->source_packets += world->nodes[side].seen.tx_source_packets;
	}
	for (uint32_t i = 0; i < world->attack_count; i++) {
		const struct hw_sim_attack_stats *from = &world->attacks[i]->stats;
		struct hw_sim_attack_stats *into = &result->attack[i];

		into->sent += from->sent;
		into->sent_bytes += from->sent_bytes;
		into->copies += from->copies;
		into->answers += from->answers;
		into->answer_bytes += from->answer_bytes;
		into->changed += from->changed;
	}
	for (uint32_t i = 0; i < world->spells_count && i == 0; i++) {
		struct hw_sim_spell_truth truth = hw_sim_spells_truth(world->spells[i]);

		result->spells.slots += truth.slots;
		result->spells.bad[0] += truth.bad[0];
		result->spells.bad[1] += truth.bad[1];
		result->spells.both += truth.both;
	}
	result->transmissions += world->net.transmissions;
	result->events += world->engine.fired;
	result->keys += hw_sim_seals_state(world->seals).keys;
	result->sealed += hw_sim_seals_state(world->seals).sealed;
	result->simulated += world->engine.now;
	return collect_traffic(world, result);
}
