/*
 * What refused input must not change, as one number. Whole structures are hashed as they lie in
 * memory, so that a new field is covered without anybody thinking of it; what may change is taken
 * out by name. The number means something only within one process.
 */
#include <string.h>

#include "base/siphash.h"
#include "core/internal.h"
#include "core/load_state.h"

/* A running hash of values, in order. */
struct hash {
	struct hw_siphash_key key;
	uint64_t value;
};

static void mix(struct hash *h, const void *data, size_t len)
{
	h->value ^= hw_siphash(&h->key, data, len);
	h->value = hw_siphash(&h->key, &h->value, sizeof(h->value));
}

static void mix64(struct hash *h, uint64_t value)
{
	mix(h, &value, sizeof(value));
}

static void mix_session(struct hash *h, const struct hw_session *session)
{
	struct hw_session copy;

	mix64(h, session != NULL);
	if (session == NULL)
		return;
	memcpy(&copy, session, sizeof(copy));
	memset(copy.rx_duplicates, 0, sizeof(copy.rx_duplicates)); /* a counter */
	mix(h, &copy, sizeof(copy));
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		const struct hw_replay *replay = session->rx[i];

		if (replay == NULL)
			continue;
		mix(h, replay, sizeof(*replay));
		mix(h, replay->bits, replay->packets / 8);
	}
}

static void mix_slots(struct hash *h, const struct hw_slots *slots)
{
	mix(h, slots, sizeof(*slots));
	mix_session(h, slots->current);
	mix_session(h, slots->next);
	for (uint32_t i = 0; i < slots->previous_count; i++)
		mix_session(h, slots->previous[i].session);
}

static void mix_path(struct hash *h, const struct hw_path *path)
{
	struct hw_path copy;

	memcpy(&copy, path, sizeof(copy));
	copy.rx.unmeasured = 0; /* a counter */
	copy.view_stale = copy.mtu.changed = false;
	mix(h, &copy, sizeof(copy));
}

static void mix_paths(struct hash *h, const struct hw_path_table *table)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		mix64(h, table->paths[i].used);
		if (table->paths[i].used) /* what lies in the other places means nothing */
			mix_path(h, &table->paths[i]);
	}
	mix(h, table->candidates, sizeof(table->candidates));
	mix(h, table->theirs, sizeof(table->theirs));
	mix(h, &table->clock, sizeof(table->clock));
	mix(h, &table->joint_rx, sizeof(table->joint_rx));
	mix(h, &table->joint_tx, sizeof(table->joint_tx));
	mix(h, &table->context, sizeof(table->context));
	mix64(h, table->count);
	mix64(h, table->end);
}

static void mix_waiting(struct hash *h, const struct hw_peer *peer)
{
	mix64(h, peer->waiting_count);
	for (uint32_t i = 0; i < peer->waiting_count; i++) {
		const struct hw_buf *buf =
			peer->waiting[(peer->waiting_first + i) % HW_PEER_WAITING];

		mix64(h, buf->at);
		mix(h, buf->data, buf->len);
	}
}

static void mix_reassembly(struct hash *h, const struct hw_reassembly *reassembly)
{
	mix64(h, hw_reassembly_held(reassembly));
	mix64(h, hw_reassembly_packets(reassembly));
	mix64(h, hw_reassembly_deadline(reassembly));
}

static void mix_peer_timers(struct hash *h, const struct hw_peer *peer)
{
	mix64(h, peer->pending ? peer->pending_index : UINT64_MAX);
	mix64(h, peer->pending_at);
	mix64(h, peer->pending_sent_at);
	mix64(h, peer->initiate_at);
	mix64(h, peer->handshake_since);
	mix64(h, peer->stall_told_at);
	mix64(h, peer->attempts);
	mix64(h, peer->established_at);
	mix64(h, peer->next_generation);
	mix64(h, peer->up);
	mix64(h, peer->pathless_since);
	mix64(h, peer->report_pending);
	mix64(h, peer->report_first_at);
	mix64(h, peer->report_urgent);
	mix64(h, peer->reported_at);
}

static void mix_peer(struct hash *h, const struct hw_peer *peer)
{
	const struct hw_strategy *strategy = peer->core->config.strategy;

	mix(h, &peer->handshake, sizeof(peer->handshake));
	mix(h, &peer->cookies, sizeof(peer->cookies));
	if (peer->load != NULL)
		mix(h, peer->load, sizeof(*peer->load));
	mix(h, peer->cookie_slots, sizeof(peer->cookie_slots));
	mix_peer_timers(h, peer);
	mix_slots(h, &peer->slots);
	mix_paths(h, &peer->paths);
	mix(h, peer->endpoints, sizeof(peer->endpoints));
	mix(h, &peer->endpoints_all, sizeof(peer->endpoints_all));
	mix(h, peer->given_up, sizeof(peer->given_up));
	mix(h, peer->strategy_state, strategy->state_bytes);
	mix(h, &peer->compression, sizeof(peer->compression));
	mix_reassembly(h, peer->reassembly);
	mix_waiting(h, peer);
	mix64(h, peer->retain.count);
	mix64(h, peer->retain.bytes);
	mix64(h, peer->resend_of);
}

static void mix_output(struct hash *h, const struct hw_output *out)
{
	mix64(h, out->datagram_count);
	mix64(h, out->packet_count);
	mix64(h, out->event_count);
}

uint64_t hw_core_state_hash(const struct hw_core *core)
{
	struct hash h = { .value = 0 };

	mix64(&h, core->configured);
	mix64(&h, core->closed);
	mix(&h, &core->identity, sizeof(core->identity));
	mix(&h, &core->config, sizeof(core->config));
	mix(&h, core->links, sizeof(core->links));
	mix64(&h, core->indices.count);
	mix64(&h, core->indices.room);
	mix(&h, core->indices.entries, core->indices.room * sizeof(*core->indices.entries));
	mix64(&h, core->wall_ns);
	mix64(&h, core->wall_at);
	mix64(&h, core->timestamp_last);
	mix64(&h, core->timestamp_reserved);
	mix64(&h, hw_pool_available(core->pool));
	mix_output(&h, &core->out);
	for (uint32_t i = 0; i < core->peer_count; i++)
		mix_peer(&h, &core->peers[i]);
	return h.value;
}
