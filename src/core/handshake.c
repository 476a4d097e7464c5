#include <string.h>

#include "base/bytes.h"
#include "core/internal.h"

#define TIMESTAMP_RESERVE_NS (60 * HW_NS_PER_S)

static uint32_t random32(struct hw_core *core)
{
	uint32_t value;

	core->env.random(core->env.ctx, &value, sizeof(value));
	return value;
}

/*
 * The wall clock for the next initiation: later than every one before, whatever the clock says. The
 * owner is asked to remember a value somewhat ahead, so that it need not write at each handshake.
 */
static uint64_t next_timestamp(struct hw_peer *peer, hw_time now)
{
	struct hw_core *core = peer->core;
	uint64_t wall = core->wall_ns + hw_time_since(now, core->wall_at);

	if (wall <= core->timestamp_last)
		wall = core->timestamp_last + 1;
	core->timestamp_last = wall;
	if (wall > core->timestamp_reserved) {
		core->timestamp_reserved = wall + TIMESTAMP_RESERVE_NS;
		hw_peer_event(peer, HW_EVENT_TIMESTAMP, NULL, core->timestamp_reserved, now);
	}
	return wall;
}

/* Send one handshake message with the MACs of this path's slot. */
static void send_message(struct hw_peer *peer, const uint8_t *message, uint32_t len,
			 struct hw_cookie_slot *slot, const struct hw_tuple *tuple, hw_time now)
{
	struct hw_buf *buf = hw_buf_get(peer->core->pool);

	if (buf == NULL)
		return;
	memcpy(hw_buf_put(buf, len), message, len);
	if (hw_cookie_add_macs(&peer->cookies, slot, buf->data, len, now) < 0) {
		hw_buf_unref(buf);
		return;
	}
	/* Handshakes are repeated until they succeed, so one that finds the output full is lost. */
	(void)hw_send_plain(peer->core, tuple, buf);
}

static void forget_pending(struct hw_peer *peer)
{
	if (!peer->pending)
		return;
	hw_handshake_cancel(&peer->handshake);
	hw_index_drop(&peer->core->indices, peer->pending_index);
	peer->pending = false;
}

static bool make_initiation(struct hw_peer *peer, hw_time now)
{
	struct hw_core *core = peer->core;
	uint8_t seed[32];
	uint32_t index;

	forget_pending(peer);
	if (hw_index_take(&core->indices, random32(core), peer, &index) < 0)
		return false;
	core->env.random(core->env.ctx, seed, sizeof(seed));

	int rc = hw_handshake_create_initiation(&peer->handshake, &core->identity, seed,
						next_timestamp(peer, now), index,
						peer->initiation);

	hw_bytes_wipe(seed, sizeof(seed));
	if (rc < 0) {
		hw_index_drop(&core->indices, index);
		return false;
	}
	peer->pending = true;
	peer->pending_index = index;
	peer->pending_at = now;
	return true;
}

/*
 * An initiation that nobody has answered yet is repeated as it is: a new one would replace it, and the
 * answer on a path of many seconds would always come to one that is forgotten.
 */
static bool may_repeat(const struct hw_peer *peer, hw_time now)
{
	return peer->pending && hw_time_since(now, peer->pending_at) < HW_PEER_INITIATION_LIFETIME;
}

/*
 * What the peer has said of its links holds as long as its session: it can take it back only in the next,
 * and a handshake is the way there.
 */
static bool may_use(const struct hw_peer *peer, const struct hw_path *path, hw_time now)
{
	bool told = hw_slots_sealing(&peer->slots, now) != NULL;

	return !path->link_down &&
	       (told ? hw_path_use(path) : path->link.use) != HW_USE_NEVER;
}

/* A link that costs is spared the renewal of keys while another works; not its repetition. */
static bool is_spared(const struct hw_peer *peer, const struct hw_path *path)
{
	if (peer->attempts > 0 || !hw_path_spare(path))
		return false;
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *other = &peer->paths.paths[i];

		if (other->used && other->state == HW_PATH_UP && !hw_path_spare(other))
			return true;
	}
	return false;
}

static void initiate(struct hw_peer *peer, hw_time now)
{
	if (!may_repeat(peer, now) && !make_initiation(peer, now))
		return;
	peer->pending_sent_at = now;
	for (uint32_t i = 0; i < HW_CORE_MAX_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path != NULL && may_use(peer, path, now) && !is_spared(peer, path)) {
			send_message(peer, peer->initiation, sizeof(peer->initiation),
				     &peer->cookie_slots[i], &path->tuple, now);
			path->last_sent = now;
		}
	}
}

static bool has_path(const struct hw_peer *peer, hw_time now)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = &peer->paths.paths[i];

		if (path->used && may_use(peer, path, now))
			return true;
	}
	return false;
}

/* Only who knows where the peer can be found begins anew when nothing works. */
static bool has_endpoint(const struct hw_peer *peer)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (peer->endpoints[i].count > 0)
			return true;
	}
	return peer->endpoints_all.count > 0;
}

static bool wanted(const struct hw_peer *peer, hw_time now)
{
	if (hw_slots_rekey_due(&peer->slots, now))
		return true;
	if (!has_endpoint(peer))
		return false;
	return hw_slots_sealing(&peer->slots, now) == NULL ||
	       (peer->pathless_since != 0 &&
		now >= hw_time_add(peer->pathless_since, HW_PEER_SILENCE));
}

static hw_time retry_after(struct hw_peer *peer)
{
	hw_time wait = HW_PEER_RETRY_FIRST << (peer->attempts < 4 ? peer->attempts : 4);

	return hw_time_min(wait, HW_PEER_RETRY_LAST) +
	       random32(peer->core) % HW_PEER_RETRY_JITTER;
}

void hw_handshake_tick(struct hw_peer *peer, hw_time now)
{
	if (now < peer->initiate_at || !wanted(peer, now) || !has_path(peer, now))
		return;
	if (peer->attempts == 0) {
		peer->handshake_since = now;
		peer->stall_told_at = now;
	}
	initiate(peer, now);
	peer->initiate_at = now + retry_after(peer);
	peer->attempts++;
	if (hw_time_since(now, peer->stall_told_at) >= HW_PEER_STALL_EVENT) {
		peer->stall_told_at = now;
		hw_peer_event(peer, HW_EVENT_HANDSHAKE_STALL, NULL,
			      hw_time_since(now, peer->handshake_since) / HW_NS_PER_S, now);
	}
}

void hw_handshake_hurry(struct hw_peer *peer, hw_time now)
{
	hw_time soon = hw_time_max(now, peer->pending_sent_at + HW_PEER_RETRY_FIRST);

	if (peer->attempts > 0)
		peer->initiate_at = hw_time_min(peer->initiate_at, soon);
}

hw_time hw_handshake_deadline(const struct hw_peer *peer, hw_time now)
{
	if (wanted(peer, now))
		return has_path(peer, now) ? hw_time_max(peer->initiate_at, now) : HW_TIME_NEVER;
	if (peer->pathless_since != 0 && has_endpoint(peer))
		return hw_time_add(peer->pathless_since, HW_PEER_SILENCE);
	return HW_TIME_NEVER;
}

/* Make a session of the keys; on success the index belongs to it. */
static int install(struct hw_peer *peer, struct hw_session_keys *keys, hw_time now)
{
	struct hw_core *core = peer->core;
	const struct hw_replay_params replay = {
		.packets = core->config.replay_packets,
		.packets_max = HW_REPLAY_PACKETS_MAX,
		.late_after = core->config.replay_time,
		.budget = &peer->replay_budget,
	};
	struct hw_session *session;
	int rc = hw_session_new(keys, core->config.suite, &replay, now, &session);

	hw_bytes_wipe(keys, sizeof(*keys));
	if (rc < 0)
		return rc;
	session->generation = ++peer->next_generation;
	if (session->initiator)
		session->began_at = peer->pending_at;
	hw_index_bind(&core->indices, session->local_index, session);
	hw_slots_install(&peer->slots, session, now);
	return 0;
}

static void answer(struct hw_peer *peer, const struct hw_datagram *datagram, hw_time now)
{
	/* Nobody asks for a cookie in a response; and answering a copy must leave no trace. */
	struct hw_cookie_slot none = { 0 };

	send_message(peer, peer->handshake.response, HW_WIRE_RESPONSE_BYTES, &none,
		     &datagram->tuple, now);
}

static struct hw_peer *peer_by_key(struct hw_core *core, const uint8_t key[32])
{
	for (uint32_t i = 0; i < core->peer_count; i++) {
		if (hw_bytes_equal_ct(core->peers[i].config.public_key, key, 32))
			return &core->peers[i];
	}
	return NULL;
}

static struct hw_peer *peer_by_copy(struct hw_core *core, const struct hw_buf *buf)
{
	for (uint32_t i = 0; i < core->peer_count; i++) {
		if (hw_handshake_is_copy(&core->peers[i].handshake, buf->data, buf->len))
			return &core->peers[i];
	}
	return NULL;
}

/* An initiation that was accepted: the session it leads to, and the response. */
static bool respond(struct hw_peer *peer, struct hw_initiation *initiation,
		    const struct hw_datagram *datagram, hw_time now)
{
	struct hw_core *core = peer->core;
	uint8_t message[HW_WIRE_RESPONSE_BYTES];
	struct hw_session_keys keys;
	uint8_t seed[32];
	uint32_t index;

	if (hw_index_take(&core->indices, random32(core), peer, &index) < 0) {
		hw_handshake_forget_response(&peer->handshake);
		return false;
	}
	core->env.random(core->env.ctx, seed, sizeof(seed));

	int rc = hw_handshake_create_response(&peer->handshake, initiation, seed,
					      index, message, &keys);

	hw_bytes_wipe(seed, sizeof(seed));
	if (rc < 0)
		goto out;
	rc = install(peer, &keys, now);
	if (rc < 0)
		goto out;
	answer(peer, datagram, now);
	return true;
out:
	hw_handshake_forget_response(&peer->handshake);
	hw_index_drop(&core->indices, index);
	return false;
}

static void demand_cookie(struct hw_core *core, const struct hw_datagram *datagram, hw_time now)
{
	uint8_t random[HW_COOKIE_RANDOM_BYTES];
	struct hw_buf *buf = hw_buf_get(core->pool);

	if (buf == NULL)
		return;
	core->env.random(core->env.ctx, random, sizeof(random));
	if (hw_cookie_answer(&core->checker, datagram->buf->data, datagram->buf->len,
			     &datagram->tuple.remote, now, random,
			     hw_buf_put(buf, HW_WIRE_COOKIE_BYTES)) < 0)
		hw_buf_unref(buf);
	else
		(void)hw_send_plain(core, &datagram->tuple, buf);
}

/*
 * The round trip that a response shows, or -1. Of one that was repeated it shows no more than a bound
 * (Karn), which is still better than nothing: a path of ten seconds must not be given up before its
 * first answer.
 */
static int64_t response_time(const struct hw_peer *peer, const struct hw_path *path,
			     const struct hw_datagram *datagram)
{
	if (peer->pending_sent_at != peer->pending_at && hw_rtt_known(&path->rtt))
		return -1;
	return (int64_t)hw_time_since(datagram->at, peer->pending_at);
}

/* Returns 0, or the drop's reason + 1. */
static int initiation_in(struct hw_core *core, const struct hw_datagram *datagram, hw_time now)
{
	const struct hw_buf *buf = datagram->buf;
	struct hw_initiation initiation;
	int drop = 0;

	if (!hw_cookie_check_mac1(&core->checker, buf->data, buf->len))
		return HW_DROP_rx_handshake_mac + 1;

	bool proven = hw_cookie_check_mac2(&core->checker, buf->data, buf->len,
					   &datagram->tuple.remote, now);

	switch (hw_limiter_admit(&core->limiter, &datagram->tuple.remote, proven, now)) {
	case HW_LIMITER_ADMIT:
		break;
	case HW_LIMITER_COOKIE:
		demand_cookie(core, datagram, now);
		return HW_DROP_rx_handshake_cookie + 1;
	case HW_LIMITER_REFUSE:
		return HW_DROP_rx_handshake_rate + 1;
	}

	struct hw_peer *peer = peer_by_copy(core, buf);

	if (peer != NULL) {
		answer(peer, datagram, now);
		return 0;
	}
	if (hw_handshake_open_initiation(&core->identity, buf->data, buf->len, &initiation) < 0)
		return HW_DROP_rx_handshake_auth + 1;
	peer = peer_by_key(core, initiation.remote_static);
	if (peer == NULL) {
		drop = HW_DROP_rx_handshake_peer + 1;
		goto out;
	}
	switch (hw_handshake_consume_initiation(&peer->handshake, &initiation)) {
	case 0:
		/* What fails now fails for want of memory; the initiator will try again. */
		if (!respond(peer, &initiation, datagram, now))
			drop = HW_DROP_rx_no_buffer + 1;
		break;
	case HW_E_REPLAY:
		drop = HW_DROP_rx_handshake_replay + 1;
		break;
	default:
		drop = HW_DROP_rx_handshake_auth + 1;
		break;
	}
out:
	hw_initiation_wipe(&initiation);
	return drop;
}

static int response_in(struct hw_core *core, const struct hw_datagram *datagram, hw_time now)
{
	const struct hw_buf *buf = datagram->buf;
	struct hw_session_keys keys;

	if (!hw_cookie_check_mac1(&core->checker, buf->data, buf->len))
		return HW_DROP_rx_handshake_mac + 1;

	const struct hw_index_entry *entry =
		hw_index_find(&core->indices, hw_load24(buf->data + 5));

	if (entry == NULL || entry->session != NULL)
		return HW_DROP_rx_handshake_unwanted + 1;

	struct hw_peer *peer = entry->peer;

	if (hw_handshake_consume_response(&peer->handshake, &core->identity, buf->data, buf->len,
					  &keys) < 0)
		return HW_DROP_rx_handshake_auth + 1;
	bool anew = hw_slots_sealing(&peer->slots, now) == NULL || peer->pathless_since != 0;

	peer->pending = false; /* the index now belongs to the session */
	if (install(peer, &keys, now) < 0) {
		hw_index_drop(&core->indices, peer->pending_index);
		return HW_DROP_rx_no_buffer + 1;
	}
	peer->attempts = 0;
	peer->initiate_at = now;
	peer->established_at = now;
	/* The answer may have come from an address that is no path: time to find those that work. */
	if (peer->pathless_since != 0)
		peer->pathless_since = now;

	struct hw_path *path = hw_path_table_find(&peer->paths, &datagram->tuple);

	hw_path_table_new_session(&peer->paths, anew, now);
	if (path != NULL)
		hw_path_answered(path, response_time(peer, path, datagram), now);
	hw_control_confirm(peer, now);
	return 0;
}

static int cookie_in(struct hw_core *core, const struct hw_datagram *datagram, hw_time now)
{
	const struct hw_buf *buf = datagram->buf;
	const struct hw_index_entry *entry =
		hw_index_find(&core->indices, hw_load24(buf->data + 1));

	if (entry == NULL)
		return HW_DROP_rx_handshake_unwanted + 1;

	struct hw_peer *peer = entry->peer;
	const struct hw_path *path = hw_path_table_find(&peer->paths, &datagram->tuple);

	if (path == NULL)
		return HW_DROP_rx_handshake_unwanted + 1;
	if (hw_cookie_consume(&peer->cookies, &peer->cookie_slots[path->id], buf->data, buf->len,
			      now) < 0)
		return HW_DROP_rx_handshake_auth + 1;
	return 0;
}

void hw_handshake_in(struct hw_core *core, enum hw_wire_type type,
		     const struct hw_datagram *datagram, hw_time now)
{
	int drop;

	if (type == HW_WIRE_INITIATION)
		drop = initiation_in(core, datagram, now);
	else if (type == HW_WIRE_RESPONSE)
		drop = response_in(core, datagram, now);
	else
		drop = cookie_in(core, datagram, now);

	/* Lack of memory may have left it half done; what was refused has changed nothing. */
	if (drop == 0 || drop == HW_DROP_rx_no_buffer + 1)
		core->unsettled = true;
	if (drop == 0)
		core->totals.rx_handshake++;
	else
		hw_core_drop(core, (enum hw_drop)(drop - 1), 1);
}
