#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/internal.h"

void hw_core_config_init(struct hw_core_config *config)
{
	memset(config, 0, sizeof(*config)); /* its padding too: hw_core_state_hash goes by bytes */
	config->layer2 = true;
	config->tunnel_mtu = 1500;
	config->tunnel_mtu_least = 576;
	config->mss_clamp = true;
	config->replay_packets = HW_REPLAY_PACKETS_DEFAULT;
	config->replay_time = HW_REPLAY_LATE_AFTER_DEFAULT;
	config->rekey_after = HW_S(120);
	config->reject_after = HW_S(180);
	config->rekey_packets = UINT64_C(1) << 60;
}

int hw_core_new(const struct hw_core_env *env, struct hw_pool *pool, hw_time now,
		struct hw_core **ret_core)
{
	struct hw_core *core = calloc(1, sizeof(*core));
	uint8_t seed[HW_SIPHASH_KEY_BYTES];
	int rc;

	if (core == NULL)
		return HW_E_NOMEM;
	core->env = *env;
	core->pool = pool;
	core->now = now;
	core->due = HW_TIME_NEVER;
	hw_index_map_init(&core->indices);
	rc = hw_output_init(&core->out);
	if (rc < 0)
		goto out;
	env->random(env->ctx, seed, sizeof(seed));
	rc = hw_limiter_init(&core->limiter, seed);
	if (rc < 0)
		goto out;
	*ret_core = core;
	return 0;
out:
	hw_core_free(core);
	return rc;
}

/* A session leaves the slots: keep its counts, forget its index. */
static void drop_session(void *ctx, struct hw_session *session)
{
	struct hw_peer *peer = ctx;

	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++)
		hw_stream_add(&peer->streams[i], session, i);
	hw_index_drop(&peer->core->indices, session->local_index);
	hw_session_free(session);
}

static void peer_fini(struct hw_peer *peer)
{
	hw_tx_expire_waiting(peer, true, 0);
	if (peer->slots.params.drop != NULL)
		hw_slots_fini(&peer->slots);
	hw_retain_fini(&peer->retain);
	hw_reassembly_free(peer->reassembly);
	hw_load_free(peer);
	free(peer->strategy_state);
	hw_handshake_fini(&peer->handshake);
	hw_cookie_maker_fini(&peer->cookies);
	hw_bytes_wipe(peer, sizeof(*peer));
}

static struct hw_slots_params session_figures(const struct hw_core_config *config)
{
	return (struct hw_slots_params){
		.rekey_after = config->rekey_after,
		.reject_after = config->reject_after,
		.keep_after = config->replay_time,
		.rekey_packets = config->rekey_packets,
	};
}

static const struct hw_compressor *compressor(const struct hw_core_config *config)
{
	return hw_compressor_find(config->compression ? "lz4" : "off");
}

static void *new_strategy_state(const struct hw_strategy *strategy)
{
	void *state = calloc(1, strategy->state_bytes + 1);

	if (state != NULL)
		strategy->init(state);
	return state;
}

static int peer_init(struct hw_peer *peer, struct hw_core *core, uint32_t number,
		     const struct hw_peer_config *config)
{
	const struct hw_core_config *c = &core->config;
	struct hw_slots_params slots = session_figures(c);
	int rc;

	slots.yields = memcmp(core->identity.public_key, config->public_key,
			      sizeof(config->public_key)) < 0;
	slots.drop = drop_session;
	slots.ctx = peer;
	peer->core = core;
	peer->number = number;
	peer->config = *config;
	peer->replay_budget.left_bytes = HW_PEER_REPLAY_BYTES;
	peer->tunnel_raise_at = HW_TIME_NEVER;
	hw_slots_init(&peer->slots, &slots);
	hw_path_table_init(&peer->paths);
	hw_compression_init(&peer->compression, compressor(c));
	rc = hw_handshake_init(&peer->handshake, &core->identity, config->public_key, config->psk);
	if (rc < 0)
		return rc;
	rc = hw_cookie_maker_init(&peer->cookies, core->crypto, config->public_key);
	if (rc < 0)
		return rc;
	peer->strategy_state = new_strategy_state(c->strategy);
	if (peer->strategy_state == NULL)
		return HW_E_NOMEM;
	rc = hw_retain_init(&peer->retain);
	if (rc < 0)
		return rc;
	return hw_reassembly_new(core->pool, &peer->reassembly);
}

static void unconfigure(struct hw_core *core)
{
	for (uint32_t i = 0; i < core->peer_count; i++)
		peer_fini(&core->peers[i]);
	free(core->peers);
	core->peers = NULL;
	core->peer_count = 0;
	hw_index_map_fini(&core->indices);
	hw_cookie_checker_fini(&core->checker);
	hw_handshake_identity_fini(&core->identity);
	hw_crypto_free(core->crypto);
	core->crypto = NULL;
	hw_bytes_wipe(&core->config, sizeof(core->config));
}

void hw_core_free(struct hw_core *core)
{
	if (core == NULL)
		return;
	unconfigure(core);
	hw_limiter_fini(&core->limiter);
	if (core->out.datagrams != NULL)
		hw_output_fini(&core->out);
	hw_bytes_wipe(core, sizeof(*core));
	free(core);
}

static int check_config(const struct hw_core_config *config)
{
	const struct hw_replay_params replay = {
		.packets = config->replay_packets,
		.packets_max = HW_REPLAY_PACKETS_MAX,
		.late_after = config->replay_time,
	};

	if (config->link_count > HW_CORE_MAX_LINKS || config->peer_count > 1)
		return HW_E_LIMIT;
	for (uint32_t i = 0; i < config->link_count; i++)
		if (!hw_link_config_valid(&config->links[i]))
			return HW_E_INVAL;
	if (config->suite == NULL || config->strategy == NULL || config->peer_count == 0 || config->tunnel_mtu < 576 ||
	    config->rekey_after >= config->reject_after || !hw_replay_params_valid(&replay))
		return HW_E_INVAL;
	return 0;
}

int hw_core_apply(struct hw_core *core, const struct hw_core_config *config, hw_time now)
{
	int rc = check_config(config);

	if (core->configured)
		return HW_E_STATE;
	if (rc < 0)
		return rc;
	core->now = now;
	core->config = *config;
	core->config.peers = NULL;
	core->peers = calloc(config->peer_count, sizeof(*core->peers));
	if (core->peers == NULL)
		return HW_E_NOMEM;
	rc = hw_crypto_new(&core->crypto);
	if (rc < 0)
		goto out;
	rc = hw_handshake_identity_init(&core->identity, core->crypto, config->suite,
					config->private_key);
	if (rc < 0)
		goto out;
	rc = hw_cookie_checker_init(&core->checker, core->crypto, core->identity.public_key);
	if (rc < 0)
		goto out;
	for (uint32_t i = 0; i < config->peer_count; i++) {
		core->peer_count++;
		rc = peer_init(&core->peers[i], core, i, &config->peers[i]);
		if (rc < 0)
			goto out;
	}
	/* From here on the slots say what links there are. */
	for (uint32_t i = 0; i < config->link_count; i++)
		hw_link_slot_set(&core->links[i], &config->links[i]);
	memset(core->config.links, 0, sizeof(core->config.links));
	core->config.link_count = 0;
	core->configured = true;
	return 0;
out:
	unconfigure(core);
	return rc;
}

/* Whether all that cannot change while sessions live is as it was. */
static bool same_tunnel(const struct hw_core *core, const struct hw_core_config *config)
{
	const struct hw_core_config *was = &core->config;

	if (config->suite != was->suite || config->layer2 != was->layer2 ||
	    config->peer_count != core->peer_count ||
	    !hw_bytes_equal_ct(config->private_key, was->private_key, sizeof(was->private_key)))
		return false;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		const struct hw_peer_config *a = &core->peers[i].config, *b = &config->peers[i];

		if (!hw_bytes_equal_ct(a->public_key, b->public_key, sizeof(a->public_key)) ||
		    !hw_bytes_equal_ct(a->psk, b->psk, sizeof(a->psk)))
			return false;
	}
	return true;
}

/* A fresh state of the strategy for each peer, or NULL. */
static void **new_strategy_states(const struct hw_core *core, const struct hw_strategy *strategy)
{
	void **states = calloc(core->peer_count, sizeof(*states));

	for (uint32_t i = 0; states != NULL && i < core->peer_count; i++) {
		states[i] = new_strategy_state(strategy);
		if (states[i] != NULL)
			continue;
		while (i-- > 0)
			free(states[i]);
		free(states);
		return NULL;
	}
	return states;
}

static void reapply_peer(struct hw_peer *peer, const struct hw_core_config *config, uint32_t i)
{
	const struct hw_slots_params figures = session_figures(config);

	memcpy(peer->config.name, config->peers[i].name, sizeof(peer->config.name));
	hw_slots_set_figures(&peer->slots, &figures);
	if (peer->compression.compressor != compressor(config))
		hw_compression_init(&peer->compression, compressor(config));
}

int hw_core_reapply(struct hw_core *core, const struct hw_core_config *config, hw_time now)
{
	struct hw_core_config next = *config;
	void **states = NULL;
	int rc = check_config(config);

	if (!core->configured || core->closed || (rc == 0 && !same_tunnel(core, config)))
		rc = HW_E_STATE;
	if (rc == 0 && config->strategy != core->config.strategy) {
		states = new_strategy_states(core, config->strategy);
		rc = states == NULL ? HW_E_NOMEM : 0;
	}
	if (rc < 0)
		goto out;
	next.peers = NULL;
	next.link_count = 0;
	memset(next.links, 0, sizeof(next.links));
	core->now = now;
	core->config = next;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];

		reapply_peer(peer, config, i);
		for (uint32_t link = 0; link < HW_CORE_MAX_LINKS; link++)
			hw_peer_refresh_link(peer, link);
		if (states != NULL) {
			free(peer->strategy_state);
			peer->strategy_state = states[i];
		}
	}
	free(states);
	hw_core_settle(core, now);
out:
	hw_bytes_wipe(&next, sizeof(next));
	return rc;
}

void hw_core_wall_clock(struct hw_core *core, uint64_t wall_ns, uint64_t floor_ns, hw_time now)
{
	core->now = now;
	core->wall_ns = wall_ns;
	core->wall_at = now;
	if (floor_ns > core->timestamp_last)
		core->timestamp_last = floor_ns;
	if (floor_ns > core->timestamp_reserved)
		core->timestamp_reserved = floor_ns;
}

void hw_peer_event(struct hw_peer *peer, enum hw_event_type type, const struct hw_path *path,
		   uint64_t value, hw_time now)
{
	struct hw_event event = {
		.type = type,
		.peer = peer->number,
		.path = path != NULL ? path->id : UINT32_MAX,
		.value = value,
		.at = now,
	};

	if (path != NULL)
		event.tuple = path->tuple;
	hw_output_event(&peer->core->out, &event);
}

/* Whether any path is UP; whether any may still carry something. */
static bool any_path(const struct hw_peer *peer, bool suspects)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = &peer->paths.paths[i];

		if (path->used && hw_path_use(path) != HW_USE_NEVER &&
		    (path->state == HW_PATH_UP || (suspects && path->state == HW_PATH_SUSPECT)))
			return true;
	}
	return false;
}

void hw_peer_update(struct hw_peer *peer, hw_time now)
{
	const struct hw_session *session = hw_slots_sealing(&peer->slots, now);
	struct hw_path_context *context = &peer->paths.context;
	bool path_up = any_path(peer, false);
	bool up = session != NULL && any_path(peer, true);

	context->session = session != NULL;
	context->initiator = session != NULL && session->initiator;
	if (path_up)
		peer->pathless_since = 0;
	else if (peer->pathless_since == 0)
		peer->pathless_since = now;
	if (up != peer->up) {
		peer->up = up;
		hw_peer_event(peer, up ? HW_EVENT_SESSION_UP : HW_EVENT_SESSION_DOWN, NULL, 0, now);
	}
	if (up && peer->waiting_count > 0)
		hw_tx_flush_waiting(peer, now);
}

void hw_peer_settle(struct hw_peer *peer, hw_time now)
{
	hw_peer_update(peer, now);
	hw_peer_run_paths(peer, now);
	hw_peer_fit_tunnel(peer, now);
}

void hw_peer_reset(struct hw_peer *peer, hw_time now)
{
	peer->core->totals.rx_held -= hw_reassembly_held(peer->reassembly);
	hw_core_drop(peer->core, HW_DROP_rx_fragment_expired, hw_reassembly_clear(peer->reassembly));
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL)
			continue;
		if (path->learnt)
			hw_peer_event(peer, HW_EVENT_PATH_REMOVED, path, 0, now);
		hw_peer_forget_path(peer, path);
	}
	hw_retain_clear(&peer->retain);
	peer->resend_of = 0;
	peer->up = false; /* the goodbye was told as such */
	peer->report_pending = 0;
	peer->attempts = 0;
	peer->initiate_at = now + HW_PEER_RETRY_FIRST;
	hw_peer_sync_paths(peer, now);
	hw_peer_update(peer, now);
}

void hw_core_send_failed(struct hw_core *core, const struct hw_tuple *tuple, bool gone, hw_time now)
{
	core->now = now;
	for (uint32_t i = 0; i < core->peer_count && !core->closed; i++) {
		struct hw_peer *peer = &core->peers[i];
		struct hw_path *path = hw_path_table_find(&peer->paths, tuple);

		if (path != NULL)
			hw_path_send_failed(path, gone, now);
	}
	hw_core_settle(core, now);
}

size_t hw_core_datagrams_out(struct hw_core *core, struct hw_datagram_out *ret_out, size_t max)
{
	return hw_output_take_datagrams(&core->out, ret_out, max);
}

size_t hw_core_packets_out(struct hw_core *core, struct hw_buf **ret_out, size_t max)
{
	return hw_output_take_packets(&core->out, ret_out, max);
}

size_t hw_core_events_out(struct hw_core *core, struct hw_event *ret_out, size_t max)
{
	return hw_output_take_events(&core->out, ret_out, max);
}

void hw_core_close(struct hw_core *core, hw_time now)
{
	core->now = now;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		hw_control_goodbye(&core->peers[i], now);
		hw_tx_expire_waiting(&core->peers[i], true, now);
		hw_retain_clear(&core->peers[i].retain);
	}
	core->closed = true;
	core->due = HW_TIME_NEVER;
}
