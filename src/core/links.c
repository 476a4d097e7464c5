#include <string.h>

#include "core/internal.h"

#define DEFAULT_LINK_MTU_BYTES 1500u

void hw_peer_path_link(const struct hw_core *core, const struct hw_tuple *tuple,
		       struct hw_path_link *ret_link)
{
	const struct hw_link_config *config = &core->config.links[tuple->link];
	uint32_t mtu = core->links[tuple->link].mtu_bytes;
	uint32_t headers = tuple->remote.family == HW_FAMILY_IPV6 ? HW_WIRE_IPV6_UDP_BYTES
								  : HW_WIRE_IPV4_UDP_BYTES;

	if (mtu <= headers)
		mtu = DEFAULT_LINK_MTU_BYTES;
	*ret_link = (struct hw_path_link){
		.use = config->use,
		.price = config->price,
		.mtu_bytes = mtu - headers,
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
	hw_path_table_remove(&peer->paths, path);
}

/*
 * The paths from that link that are to be. Each link has an equal share of the table, so that it does
 * not matter which one comes up first; endpoints beyond it are not used.
 */
static void add_configured(struct hw_peer *peer, uint32_t link, hw_time now)
{
	const struct hw_core *core = peer->core;
	const struct hw_endpoints *e = link_endpoints(peer, link);
	uint32_t share = HW_PATH_TABLE_PATHS / core->config.link_count;

	if (!core->links[link].up || core->config.links[link].use == HW_USE_NEVER)
		return;
	for (uint32_t i = 0; i < e->count && i < share; i++) {
		const struct hw_tuple tuple = { .link = link, .remote = e->addrs[i] };
		struct hw_path_link settings;
		struct hw_path *path;

		if (hw_path_table_find(&peer->paths, &tuple) != NULL)
			continue;
		hw_peer_path_link(core, &tuple, &settings);
		/* Paths that the peer's packets have shown may have taken the room. */
		if (hw_path_table_add(&peer->paths, &tuple, &settings, false, now, &path) < 0)
			return;
	}
}

void hw_peer_sync_paths(struct hw_peer *peer, hw_time now)
{
	struct hw_core *core = peer->core;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path != NULL && !path->learnt && !is_configured(peer, &path->tuple)) {
			hw_peer_event(peer, HW_EVENT_PATH_REMOVED, path, 0, now);
			hw_peer_forget_path(peer, path);
		}
	}
	for (uint32_t link = 0; link < core->config.link_count; link++)
		add_configured(peer, link, now);
}

static void set_path_links(struct hw_peer *peer, uint32_t link, bool up, hw_time now)
{
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, i);
		struct hw_path_link settings;

		if (path == NULL || path->tuple.link != link)
			continue;
		hw_peer_path_link(peer->core, &path->tuple, &settings);
		hw_path_set_link(path, &settings);
		if (up)
			hw_path_link_up(path, now);
		else
			hw_path_link_down(path, now);
	}
}

static void link_changed(struct hw_core *core, uint32_t link, bool up, hw_time now)
{
	core->now = now;
	core->links[link].up = up;
	for (uint32_t i = 0; i < core->peer_count; i++) {
		struct hw_peer *peer = &core->peers[i];

		set_path_links(peer, link, up, now);
		if (up) {
			hw_peer_sync_paths(peer, now);
			hw_handshake_hurry(peer, now);
		} else {
			hw_control_path_down(peer, link, now);
		}
	}
	hw_core_settle(core, now);
}

void hw_core_link_up(struct hw_core *core, uint32_t link, uint32_t mtu_bytes, hw_time now)
{
	if (link >= core->config.link_count || core->closed)
		return;
	core->links[link].mtu_bytes = mtu_bytes;
	link_changed(core, link, true, now);
}

void hw_core_link_down(struct hw_core *core, uint32_t link, hw_time now)
{
	if (link >= core->config.link_count || core->closed)
		return;
	link_changed(core, link, false, now);
}

int hw_core_endpoints(struct hw_core *core, uint32_t peer_number, uint32_t link,
		      const struct hw_addr *addrs, size_t count, hw_time now)
{
	if (peer_number >= core->peer_count ||
	    (link != HW_LINK_ALL && link >= core->config.link_count))
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
