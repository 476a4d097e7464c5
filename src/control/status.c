#include "control/status.h"

#include <stdint.h>
#include <string.h>

/* What takes its parts over, or gives up on all of them together. */
#define FIGURE(n) json_integer((json_int_t)(n))

static json_t *known_ms(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e6);
}

static json_t *known(double value, double scale)
{
	return value < 0 ? json_null() : json_real(value * scale);
}

static json_t *seconds(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e9);
}

static json_t *address(const struct hw_addr *addr)
{
	char text[HW_ADDR_TEXT_BYTES];

	if (addr->family == HW_FAMILY_NONE)
		return json_null();
	hw_addr_format(addr, text);
	return json_string(text);
}

static const char *peer_state(enum hw_peer_state state)
{
	switch (state) {
	case HW_PEER_IDLE:
		return "idle";
	case HW_PEER_HANDSHAKE:
		return "handshake";
	case HW_PEER_UP:
		return "up";
	case HW_PEER_DOWN:
		return "down";
	}
	return "unknown";
}

static const char *path_state(enum hw_path_state state)
{
	switch (state) {
	case HW_PATH_PROBING:
		return "probing";
	case HW_PATH_UP:
		return "up";
	case HW_PATH_SUSPECT:
		return "suspect";
	case HW_PATH_DOWN:
		return "down";
	}
	return "unknown";
}

static json_t *public_key(const uint8_t key[32])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[45]; /* RFC 4648, section 4: 32 bytes are 43 digits and one sign of padding */
	size_t at = 0;

	for (size_t i = 0; i < 32; i += 3) {
		uint32_t b1 = i + 1 < 32 ? key[i + 1] : 0, b2 = i + 2 < 32 ? key[i + 2] : 0;
		uint32_t bits = (uint32_t)key[i] << 16 | b1 << 8 | b2;

		text[at++] = digits[bits >> 18];
		text[at++] = digits[bits >> 12 & 63];
		text[at++] = digits[bits >> 6 & 63];
		text[at++] = i + 2 < 32 ? digits[bits & 63] : '=';
	}
	text[at] = '\0';
	return json_string(text);
}

static json_t *render_path(const struct hw_status_input *input, const struct hw_path_snapshot *path)
{
	uint32_t link = path->tuple.link;
	const struct hw_status_link *names = link < input->link_count ? &input->links[link] : NULL;

	return json_pack("{s:s?, s:s?, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o}",
			 "link", names ? names->name : NULL,
			 "interface", names ? names->interface : NULL,
			 "local", address(&path->tuple.local),
			 "remote", address(&path->tuple.remote),
			 "state", path_state(path->state),
			 "rtt_ms", known_ms(path->rtt_ns),
			 "owd_ms", known_ms(path->owd_ns),
			 "jitter_ms", known_ms(path->jitter_ns),
			 "loss_tx", known(path->loss_tx, 1),
			 "loss_rx", known(path->loss_rx, 1),
			 "rate_tx_bps", known(path->rate_tx_Bps, 8),
			 "rate_rx_bps", known(path->rate_rx_Bps, 8),
			 "tx_packets", FIGURE(path->tx_packets),
			 "tx_bytes", FIGURE(path->tx_bytes),
			 "rx_packets", FIGURE(path->rx_packets),
			 "rx_bytes", FIGURE(path->rx_bytes),
			 "duplicates", FIGURE(path->duplicates));
}

static json_t *render_stream(const struct hw_stream_snapshot *stream)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "class", FIGURE(stream->stream),
			 "sent", FIGURE(stream->sent),
			 "delivered", FIGURE(stream->delivered),
			 "duplicates", FIGURE(stream->duplicates),
			 "lost", FIGURE(stream->lost));
}

/* The parts of one peer; the list takes each, or lacks it when out of memory. */
static json_t *render_peer(const struct hw_status_input *input, const struct hw_peer_snapshot *peer)
{
	json_t *paths = json_array();
	json_t *streams = json_array();
	bool whole = true;

	for (uint32_t i = 0; i < peer->path_count; i++)
		whole &= json_array_append_new(paths, render_path(input, &peer->paths[i])) == 0;
	for (uint32_t i = 0; i < peer->stream_count; i++)
		whole &= json_array_append_new(streams, render_stream(&peer->streams[i])) == 0;
	if (!whole) {
		json_decref(paths);
		json_decref(streams);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}",
			 "name", peer->name,
			 "public_key", public_key(peer->public_key),
			 "state", peer_state(peer->state),
			 "handshake_age_s", seconds(peer->handshake_age_ns),
			 "paths", paths,
			 "streams", streams);
}

static json_t *render_peers(const struct hw_status_input *input)
{
	json_t *peers = json_array();

	for (size_t i = 0; i < input->peer_count; i++) {
		if (json_array_append_new(peers, render_peer(input, &input->peers[i])) < 0) {
			json_decref(peers);
			return NULL;
		}
	}
	return peers;
}

static json_t *render_drops(const struct hw_status_input *input)
{
	json_t *drops = json_object();
	bool whole = drops != NULL;

	for (int i = 0; i < HW_DROP_COUNT; i++)
		whole &= json_object_set_new(drops, hw_drop_name((enum hw_drop)i),
					     FIGURE(input->totals->drops[i])) == 0;
	for (size_t i = 0; i < input->drop_count; i++)
		whole &= json_object_set_new(drops, input->drops[i].name,
					     FIGURE(input->drops[i].count)) == 0;
	if (!whole) {
		json_decref(drops);
		return NULL;
	}
	return drops;
}

static json_t *render_totals(const struct hw_core_totals *totals)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "rx_datagrams", FIGURE(totals->rx_datagrams),
			 "rx_handshake", FIGURE(totals->rx_handshake),
			 "rx_control", FIGURE(totals->rx_control),
			 "rx_delivered", FIGURE(totals->rx_delivered),
			 "rx_held", FIGURE(totals->rx_held),
			 "rx_packets", FIGURE(totals->rx_packets),
			 "tx_packets", FIGURE(totals->tx_packets),
			 "tx_sent", FIGURE(totals->tx_sent),
			 "tx_waiting", FIGURE(totals->tx_waiting),
			 "tx_copies", FIGURE(totals->tx_copies),
			 "tx_source_packets", FIGURE(totals->tx_source_packets));
}

json_t *hw_status_render(const struct hw_status_input *input)
{
	return json_pack("{s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:o}",
			 "version", input->version,
			 "device", input->device,
			 "mode", input->mode,
			 "uptime_s", (double)input->uptime / 1e9,
			 "links", hw_status_render_links(input->links, input->link_count),
			 "peers", render_peers(input),
			 "drops", render_drops(input),
			 "totals", render_totals(input->totals));
}
