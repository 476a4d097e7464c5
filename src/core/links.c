#include <string.h>

#include "core/internal.h"

#define DEFAULT_LINK_MTU_BYTES 1500u

bool hw_link_config_valid(const struct hw_link_config *config)
{
	return (config->use == HW_USE_ALWAYS || config->use == HW_USE_BACKUP ||
		config->use == HW_USE_NEVER) &&
	       memchr(config->name, 0, sizeof(config->name)) != NULL;
}

void hw_link_slot_set(struct hw_core_link *slot, const struct hw_link_config *config)
{
	if (!slot->used)
		memset(slot, 0, sizeof(*slot));
	slot->used = true;
	memset(&slot->config, 0, sizeof(slot->config));
	memcpy(slot->config.name, config->name, strlen(config->name));
	slot->config.use = config->use;
	slot->config.price = config->price;
	slot->config.metered = config->metered;
}

bool hw_link_slot_usable(const struct hw_core *core, uint32_t link)
{
	return hw_link_slot_used(core, link) && core->links[link].config.use != HW_USE_NEVER;
}

/* A datagram of this size carries whatever the tunnel device may give, whole. */
static uint32_t largest_of_use(const struct hw_core *core)
{
	uint32_t bytes = core->config.tunnel_mtu + HW_WIRE_OVERHEAD_BYTES +
			 (core->config.layer2 ? HW_CORE_ETHERNET_BYTES : 0);
	uint32_t room = hw_pool_payload_bytes(core->pool) + HW_WIRE_HEADER_BYTES;

	return bytes < room ? bytes : room;
}

void hw_peer_path_link(const struct hw_core *core, const struct hw_tuple *tuple,
		       struct hw_path_link *ret_link)
{
	const struct hw_core_link *slot = &core->links[tuple->link];
	uint32_t mtu = slot->mtu_bytes;
	uint32_t headers = tuple->remote.family == HW_FAMILY_IPV6 ? HW_WIRE_IPV6_UDP_BYTES
								  : HW_WIRE_IPV4_UDP_BYTES;

	if (mtu <= headers)
		mtu = DEFAULT_LINK_MTU_BYTES;
	mtu -= headers;
	if (mtu > largest_of_use(core))
		mtu = largest_of_use(core);
	*ret_link = (struct hw_path_link){
		.use = slot->config.use,
		.price = slot->config.price,
		.mtu_bytes = mtu,
		.metered = slot->config.metered,
	};
}

static const struct hw_endpoints *link_endpoints(const struct hw_peer *peer, uint32_t link)
{
	return peer->endpoints[link].own ? &peer->endpoints[link] : &peer->endpoints_all;
}

static bool is_configured(const struct hw_peer *peer, const struct hw_tuple *tuple)
{
	const struct hw_endpoints *e = link_endpoints(peer, tuple->link);

	for (uint32_t i = 0; i < e->count; i++) {
		if (hw_addr_equal(&e->addrs[i], &tuple->remote))
			return true;
	}
	return false;
}

void hw_peer_forget_path(struct hw_peer *peer, struct hw_path *path)
{
	peer->cookie_slots[path->id] = (struct hw_cookie_slot){ 0 };
	hw_resend_orphan(peer, path);
	hw_path_table_remove(&peer->paths, path);
}

void hw_peer_remove_path(struct hw_peer *peer, struct hw_path *path, hw_time now)
{
	hw_peer_event(peer, HW_EVENT_PATH_REMOVED, path, 0, now);
	hw_peer_forget_path(peer, path);
}

bool hw_peer_may_learn(const struct hw_peer *peer, const struct hw_tuple *tuple, hw_time now)
{
	const struct hw_core *core = peer->core;

	if (!hw_link_slot_usable(core, tuple->link) || !core->links[tuple->link].up)
		return false;
	for (uint32_t i = 0; i < HW_PEER_GIVEN_UP; i++)
		if (now < peer->given_up[i].until && peer->given_up[i].link == tuple->link &&
		    hw_addr_equal(&peer->given_up[i].remote, &tuple->remote))
			return false;
	return true;
}

/* In the place of the one that would be forgotten first. */
static void give_up(struct hw_peer *peer, const struct hw_tuple *tuple, hw_time now)
{
	struct hw_given_up *place = &peer->given_up[0];

	for (uint32_t i = 1; i < HW_PEER_GIVEN_UP; i++)
		if (peer->given_up[i].until < place->until)
			place = &peer->given_up[i];
	*place = (struct hw_given_up){ .link = tuple->link, .remote = tuple->remote,
				       .until = now + HW_PEER_GIVEN_UP_FOR };
}

/* How many paths each usable link may have, whichever of them came first. */
static uint32_t fair_share(const struct hw_core *core)
{
	uint32_t links = 0;

	for (uint32_t link = 0; link < HW_CORE_MAX_LINKS; link++)
		links += hw_link_slot_usable(core, link);
	return HW_PATH_TABLE_PATHS / (links > 0 ? links : 1);
}

static uint32_t configured_paths(const struct hw_peer *peer, uint32_t link)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = &peer->paths.paths[i];

		count += path->used && !path->learnt && path->tuple.link == link;
	}
	return count;
}

/* How readily a path is given up: those that work last. */
static unsigned spare_rank(const struct hw_path *path)
{
	static const unsigned rank[] = {
		[HW_PATH_DOWN] = 3, [HW_PATH_PROBING] = 2, [HW_PATH_SUSPECT] = 1, [HW_PATH_UP] = 0
	};

	return rank[path->state];
}

/*
 * The path that makes way for one of a link that has less than its share: of the configured ones of
 * links beyond theirs, else a learnt one that does not work; NULL when all is fair.
 */
static struct hw_path *spare_path(struct hw_peer *peer, uint32_t share)
{
	struct hw_path *spare = NULL, *dead = NULL;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL)
			continue;
		if (path->learnt) {
			if (path->state == HW_PATH_DOWN &&
			    (dead == NULL || path->state_since < dead->state_since))
				dead = path;
		} else if (configured_paths(peer, path->tuple.link) > share &&
			   (spare == NULL || spare_rank(path) >= spare_rank(spare))) {
			spare = path;
		}
	}
	return spare != NULL ? spare : dead;
}

/*
 * Whether there is a path to that address by that link already. One that the peer's packets have
 * shown becomes a configured one: it is kept while it does not work, and the kernel picks our address.
 */
static bool adopt_path(struct hw_peer *peer, const struct hw_tuple *tuple, uint32_t *count)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL || path->tuple.link != tuple->link ||
		    !hw_addr_equal(&path->tuple.remote, &tuple->remote))
			continue;
		if (path->learnt) {
			path->learnt = false;
			path->tuple.local = tuple->local;
			(*count)++;
		}
		return true;
	}
	return false;
}

static int add_path(struct hw_peer *peer, const struct hw_tuple *tuple, uint32_t share, hw_time now)
{
	struct hw_path_link settings;
	struct hw_path *path;

	hw_peer_path_link(peer->core, tuple, &settings);

	int rc = hw_path_table_add(&peer->paths, tuple, &settings, false, now, &path);

	if (rc != HW_E_LIMIT)
		return rc;

	struct hw_path *spare = spare_path(peer, share);

	if (spare == NULL)
		return rc;

	uint32_t id = spare->id;

	hw_peer_remove_path(peer, spare, now);
	hw_control_paths_down(peer, 1u << id, now);
	return hw_path_table_add(&peer->paths, tuple, &settings, false, now, &path);
}

/* The paths from that link that are to be; endpoints beyond its share are not used. */
static void add_configured(struct hw_peer *peer, uint32_t link, uint32_t share, hw_time now)
{
	const struct hw_core *core = peer->core;
	const struct hw_endpoints *e = link_endpoints(peer, link);
	uint32_t count = configured_paths(peer, link);

	if (!core->links[link].up || !hw_link_slot_usable(core, link))
		return;
	for (uint32_t i = 0; i < e->count && count < share; i++) {
		const struct hw_tuple tuple = { .link = link, .remote = e->addrs[i] };

		if (adopt_path(peer, &tuple, &count))
			continue;
		/* Paths that the peer's packets have shown may have taken the room. */
		if (add_path(peer, &tuple, share, now) < 0)
			return;
		count++;
	}
}

void hw_peer_sync_paths(struct hw_peer *peer, hw_time now)
{
	uint32_t share = fair_share(peer->core);
	uint32_t removed = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL || path->learnt || is_configured(peer, &path->tuple))
			continue;
		removed |= 1u << i;
		give_up(peer, &path->tuple, now);
		hw_peer_remove_path(peer, path, now);
	}
	/* Before one of the numbers is another path's. */
	hw_control_paths_down(peer, removed, now);
	for (uint32_t link = 0; link < HW_CORE_MAX_LINKS; link++)
		add_configured(peer, link, share, now);
}

/* All that goes by that link, without a word to the peer. Returns which (bit i: number i). */
static uint32_t remove_link_paths(struct hw_peer *peer, uint32_t link, hw_time now)
{
	uint32_t removed = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL || path->tuple.link != link)
			continue;
		removed |= 1u << i;
		hw_peer_remove_path(peer, path, now);
	}
	hw_path_table_forget_candidates(&peer->paths, link);
	return removed;
}

/* The link's settings have changed: into each of its paths, and what may become one. */
void hw_peer_refresh_link(struct hw_peer *peer, uint32_t link)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);
		struct hw_path_link settings;

		if (path == NULL || path->tuple.link != link)
			continue;
		hw_peer_path_link(peer->core, &path->tuple, &settings);
		hw_path_set_link(path, &settings);
	}
	for (uint32_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++) {
		struct hw_candidate *candidate = &peer->paths.candidates[i];

		if (candidate->used && candidate->tuple.link == link)
			hw_peer_path_link(peer->core, &candidate->tuple, &candidate->link);
	}
}

int hw_core_link_set(struct hw_core *core, uint32_t link, const struct hw_link_config *config,
		     hw_time now)
{
	if (link >= HW_CORE_MAX_LINKS || !hw_link_config_valid(config))
		return HW_E_INVAL;
	if (!core->configured || core->closed)
		return HW_E_STATE;
	core->now = now;
	hw_link_slot_set(&core->links[link], config);
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];

		if (hw_link_slot_usable(core, link)) {
			hw_peer_refresh_link(peer, link);
			hw_control_path_state(peer, link, now);
		} else {
			hw_control_paths_down(peer, remove_link_paths(peer, link, now), now);
		}
		hw_peer_sync_paths(peer, now);
		hw_handshake_hurry(peer, now);
	}
	hw_core_settle(core, now);
	return 0;
}

void hw_core_link_remove(struct hw_core *core, uint32_t link, hw_time now)
{
	if (!hw_link_slot_used(core, link) || core->closed)
		return;
	core->now = now;
	memset(&core->links[link], 0, sizeof(core->links[link]));
	hw_output_forget_link(&core->out, link);
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];
		uint32_t removed = remove_link_paths(peer, link, now);

		memset(&peer->endpoints[link], 0, sizeof(peer->endpoints[link]));
		for (uint32_t k = 0; k < HW_PEER_GIVEN_UP; k++)
			if (peer->given_up[k].link == link)
				memset(&peer->given_up[k], 0, sizeof(peer->given_up[k]));
		hw_control_paths_down(peer, removed, now);
		hw_peer_sync_paths(peer, now); /* the others have a larger share */
	}
	hw_core_settle(core, now);
}

/* Returns which paths the link has (bit i: number i). */
static uint32_t raise_or_lower_paths(struct hw_peer *peer, uint32_t link, bool up, hw_time now)
{
	uint32_t paths = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path == NULL || path->tuple.link != link)
			continue;
		paths |= 1u << i;
		if (up)
			hw_path_link_up(path, now);
		else
			hw_path_link_down(path, now);
	}
	return paths;
}

static void link_changed(struct hw_core *core, uint32_t link, bool up, hw_time now)
{
	core->now = now;
	core->links[link].up = up;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];

		hw_peer_refresh_link(peer, link);

		uint32_t paths = raise_or_lower_paths(peer, link, up, now);

		if (up) {
			hw_peer_sync_paths(peer, now);
			hw_handshake_hurry(peer, now);
		} else {
			hw_path_table_forget_candidates(&peer->paths, link);
			hw_control_paths_down(peer, paths, now);
		}
	}
	hw_core_settle(core, now);
}

void hw_core_link_up(struct hw_core *core, uint32_t link, uint32_t mtu_bytes, hw_time now)
{
	if (!hw_link_slot_used(core, link) || core->closed)
		return;
	core->links[link].mtu_bytes = mtu_bytes;
	link_changed(core, link, true, now);
}

void hw_core_link_down(struct hw_core *core, uint32_t link, hw_time now)
{
	if (!hw_link_slot_used(core, link) || core->closed)
		return;
	link_changed(core, link, false, now);
}

void hw_core_link_readdressed(struct hw_core *core, uint32_t link, hw_time now)
{
	if (!hw_link_slot_used(core, link) || core->closed)
		return;
	core->now = now;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];

		for (uint32_t id = 0; id < HW_PATH_TABLE_PATHS; id++) {
			struct hw_path *path = hw_path_table_at(&peer->paths, id);

			if (path != NULL && path->tuple.link == link)
				hw_path_readdressed(path, now);
		}
		hw_handshake_hurry(peer, now);
	}
	hw_core_settle(core, now);
}

void hw_core_too_big(struct hw_core *core, const struct hw_tuple *tuple, uint32_t bytes, hw_time now)
{
	core->now = now;
	for (uint32_t i = 0; i < core->peer_count && !core->closed; i++) {
		for (uint32_t id = 0; id < HW_PATH_TABLE_PATHS; id++) {
			struct hw_path *path = hw_path_table_at(&core->peers[i].paths, id);

			if (path != NULL && path->tuple.link == tuple->link &&
			    path->tuple.remote.family == tuple->remote.family)
				hw_path_mtu_refused(&path->mtu, bytes);
		}
	}
	hw_core_settle(core, now);
}

int hw_core_endpoints(struct hw_core *core, uint32_t peer_number, uint32_t link,
		      const struct hw_addr *addrs, size_t count, hw_time now)
{
	if (peer_number >= core->peer_count ||
	    (link != HW_LINK_ALL && !hw_link_slot_used(core, link)))
		return HW_E_INVAL;
	if (count > HW_CORE_MAX_ENDPOINTS)
		return HW_E_LIMIT;

	struct hw_peer *peer = &core->peers[peer_number];
	struct hw_endpoints *e =
		link == HW_LINK_ALL ? &peer->endpoints_all : &peer->endpoints[link];

	core->now = now;
	e->own = true;
	e->count = (uint32_t)count;
	if (count > 0)
		memcpy(e->addrs, addrs, count * sizeof(*addrs));
	if (core->closed)
		return 0;
	hw_peer_sync_paths(peer, now);
	hw_handshake_hurry(peer, now);
	hw_core_settle(core, now);
	return 0;
}

void hw_core_source_gone(struct hw_core *core, const struct hw_tuple *tuple, hw_time now)
{
	if (!hw_link_slot_used(core, tuple->link) || core->closed)
		return;
	core->now = now;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_path_table *table = &core->peers[i].paths;
		struct hw_path *path = hw_path_table_find(table, tuple);

		if (path != NULL && hw_path_table_forget_local(table, path))
			hw_path_readdressed(path, now);
	}
	hw_core_settle(core, now);
}
