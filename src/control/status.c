#include "control/status.h"

#include <stdint.h>
#include <string.h>

/* What takes its parts over, or gives up on all of them together. */
#define FIGURE(n) json_integer((json_int_t)(n))

static json_t *seconds(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e9);
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
	json_t *pairs = json_array();
	bool whole = true;

	for (uint32_t i = 0; i < peer->path_count; i++)
		whole &= json_array_append_new(paths, hw_status_render_path(&peer->paths[i], input->links,
									    input->link_count)) == 0;
	for (uint32_t i = 0; i < peer->pair_count; i++)
		whole &= json_array_append_new(pairs, hw_status_render_pair(&peer->pairs[i])) == 0;
	for (uint32_t i = 0; i < peer->stream_count; i++)
		whole &= json_array_append_new(streams, render_stream(&peer->streams[i])) == 0;
	if (!whole) {
		json_decref(paths);
		json_decref(streams);
		json_decref(pairs);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o}",
			 "name", peer->name,
			 "public_key", public_key(peer->public_key),
			 "state", peer_state(peer->state),
			 "handshake_age_s", seconds(peer->handshake_age_ns),
			 "paths", paths,
			 "streams", streams,
			 "pairs", pairs);
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
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
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
			 "tx_resent", FIGURE(totals->tx_resent),
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
