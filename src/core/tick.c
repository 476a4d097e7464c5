#include "core/internal.h"

static void expire_fragments(struct hw_peer *peer, hw_time now)
{
	uint32_t expired = hw_reassembly_expire(peer->reassembly, now);

	peer->core->totals.rx_held -= expired;
	hw_core_drop(peer->core, HW_DROP_rx_fragment_expired, expired);
}

/* Forget learnt paths that have not worked for long: the peer will show new ones itself. */
static void expire_learnt(struct hw_peer *peer, hw_time now)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL || !path->learnt || path->state != HW_PATH_DOWN ||
		    hw_time_since(now, path->state_since) < HW_PEER_LEARNT_LIFETIME)
			continue;
		hw_peer_event(peer, HW_EVENT_PATH_REMOVED, path, 0, now);
		hw_path_table_remove(&peer->paths, path);
		peer->cookie_slots[i] = (struct hw_cookie_slot){ 0 };
	}
}

static hw_time learnt_deadline(const struct hw_peer *peer)
{
	hw_time at = HW_TIME_NEVER;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = &peer->paths.paths[i];

		if (path->used && path->learnt && path->state == HW_PATH_DOWN)
			at = hw_time_min(at, path->state_since + HW_PEER_LEARNT_LIFETIME);
	}
	return at;
}

void hw_core_tick(struct hw_core *core, hw_time now)
{
	core->now = now;
	if (core->closed)
		return;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];

		hw_slots_expire(&peer->slots, now);
		expire_fragments(peer, now);
		hw_path_table_tick(&peer->paths, now);
		hw_peer_settle(peer, now);
		hw_handshake_tick(peer, now);
		hw_report_tick(peer, now);
		hw_tx_expire_waiting(peer, false, now);
		expire_learnt(peer, now);
	}
}

static hw_time peer_deadline(const struct hw_peer *peer, hw_time now)
{
	hw_time at = hw_slots_next_deadline(&peer->slots, now);

	at = hw_time_min(at, hw_reassembly_deadline(peer->reassembly));
	at = hw_time_min(at, hw_path_table_deadline(&peer->paths, now));
	at = hw_time_min(at, hw_handshake_deadline(peer, now));
	at = hw_time_min(at, hw_report_deadline(peer));
	at = hw_time_min(at, learnt_deadline(peer));
	if (peer->waiting_count > 0)
		at = hw_time_min(at, peer->waiting[peer->waiting_first]->at + HW_PEER_WAITING_TIME);
	return at;
}

hw_time hw_core_next_deadline(const struct hw_core *core)
{
	hw_time at = HW_TIME_NEVER;

	if (core->closed)
		return at;
	for (uint32_t i = 0; i < core->peer_count; i++)
		at = hw_time_min(at, peer_deadline(&core->peers[i], core->now));
	return at;
}
