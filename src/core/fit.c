/* The tunnel's MTU, where it follows what the paths take whole. */
#include "core/internal.h"
#include "frame/fragment.h"

#define ETHERNET_BYTES 14u

/* Whether some path has not been asked yet, or not had the time to answer. */
static bool any_unknown(const struct hw_peer *peer)
{
	for (uint32_t i = 0; i < peer->paths.end; i++) {
		const struct hw_path *path = &peer->paths.paths[i];

		if (path->used && path->state == HW_PATH_UP && !path->mtu.known)
			return true;
	}
	return false;
}

/* The largest packet that the paths in use take whole; 0 while that is not known. */
static uint32_t largest_whole(struct hw_peer *peer, hw_time now)
{
	const struct hw_core_config *config = &peer->core->config;
	uint32_t payload = hw_path_table_payload(&peer->paths, now);
	uint32_t whole = payload > 0 ? hw_frame_max_whole(payload) : 0;
	uint32_t headers = config->layer2 ? ETHERNET_BYTES : 0;

	if (whole <= headers || any_unknown(peer))
		return 0;
	whole -= headers;
	if (whole < config->tunnel_mtu_least)
		return config->tunnel_mtu_least;
	return whole < config->tunnel_mtu ? whole : config->tunnel_mtu;
}

static void set(struct hw_peer *peer, uint32_t bytes, hw_time now)
{
	peer->tunnel_fits = bytes;
	peer->tunnel_raise_at = HW_TIME_NEVER;
	hw_peer_event(peer, HW_EVENT_TUNNEL_MTU, NULL, bytes, now);
}

/* Down at once, as what is larger is cut; up when that has held for a while, as devices take notice. */
void hw_peer_fit_tunnel(struct hw_peer *peer, hw_time now)
{
	const struct hw_core_config *config = &peer->core->config;
	uint32_t bytes = config->tunnel_mtu_auto ? largest_whole(peer, now) : config->tunnel_mtu;

	if (peer->tunnel_fits == 0) /* at first the device has what the configuration says */
		peer->tunnel_fits = config->tunnel_mtu;
	if (bytes == 0 || bytes == peer->tunnel_fits) {
		peer->tunnel_raise_at = HW_TIME_NEVER;
	} else if (!config->tunnel_mtu_auto || bytes < peer->tunnel_fits ||
		   peer->tunnel_fits < config->tunnel_mtu_least) {
		set(peer, bytes, now);
	} else if (peer->tunnel_raise_at == HW_TIME_NEVER || bytes != peer->tunnel_raise_to) {
		peer->tunnel_raise_to = bytes;
		peer->tunnel_raise_at = now + HW_PEER_TUNNEL_RAISE;
	} else if (now >= peer->tunnel_raise_at) {
		set(peer, bytes, now);
	}
}
