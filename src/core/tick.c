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
	bool room = false;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL || !path->learnt || path->state != HW_PATH_DOWN ||
		    hw_time_since(now, path->state_since) < HW_PEER_LEARNT_LIFETIME)
			continue;
		hw_peer_event(peer, HW_EVENT_PATH_REMOVED, path, 0, now);
		hw_peer_forget_path(peer, path);
		room = true;
	}
	if (room)
		hw_peer_sync_paths(peer, now);
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
		hw_load_tick(peer, now);
		hw_tx_expire_waiting(peer, false, now);
		hw_retain_expire(&peer->retain, now);
		expire_learnt(peer, now);
	}
	hw_core_settle(core, now);
}

static hw_time peer_deadline(const struct hw_peer *peer, hw_time now)
{
	hw_time at = hw_slots_next_deadline(&peer->slots, now);

	at = hw_time_min(at, hw_reassembly_deadline(peer->reassembly));
	at = hw_time_min(at, hw_path_table_deadline(&peer->paths, now));
	at = hw_time_min(at, hw_handshake_deadline(peer, now));
	at = hw_time_min(at, hw_report_deadline(peer));
	at = hw_time_min(at, hw_load_deadline(peer));
	at = hw_time_min(at, learnt_deadline(peer));
	at = hw_time_min(at, peer->tunnel_raise_at);
	at = hw_time_min(at, hw_resend_deadline(peer));
	if (peer->waiting_count > 0)
		at = hw_time_min(at, peer->waiting[peer->waiting_first]->at + HW_PEER_WAITING_TIME);
	return at;
}

void hw_core_settle(struct hw_core *core, hw_time now)
{
	core->unsettled = false;
	core->due = HW_TIME_NEVER;
	for (uint32_t i = 0; i < core->peer_count && !core->closed; i++) {
		/* What is due already has no deadline any more, so it must not be left. */
		hw_slots_expire(&core->peers[i].slots, now);
		hw_peer_settle(&core->peers[i], now);
		hw_path_table_refresh(&core->peers[i].paths);
		core->due = hw_time_min(core->due, peer_deadline(&core->peers[i], now));
	}
}

void hw_core_class_packet(struct hw_peer *peer, const struct hw_session *session, uint64_t counter,
			  hw_time soonest, hw_time now)
{
	struct hw_core *core = peer->core;

	/* The first after a pause makes probes due; the one that uses keys up, a handshake. */
	if (!hw_path_context_active(&peer->paths.context, now) ||
	    counter + 1 >= core->config.rekey_packets ||
	    session->sealed >= session->suite->packet_limit / 2)
		core->unsettled = true;
	peer->paths.context.last_data = now;
	core->due = hw_time_min(core->due, hw_time_min(soonest, hw_report_deadline(peer)));
}

hw_time hw_core_next_deadline(const struct hw_core *core)
{
	return core->due;
}
