/*
 * Named drop reasons. Every packet that goes no further is counted under exactly one of them, so
 * that what came in equals what went out plus the drops, always (see struct hw_core_totals).
 */
#ifndef HW_CORE_DROP_H
#define HW_CORE_DROP_H

/* name, text for people. rx_*: datagrams from the network; tx_*: packets from the tunnel device. */
#define HW_DROPS(X) \
	X(rx_malformed, "datagram too short, or of no known type") \
	X(rx_no_link, "came in by a link that is no more") \
	X(rx_unknown_index, "no session has that index") \
	X(rx_handshake_mac, "handshake message not meant for this node (mac1)") \
	X(rx_handshake_cookie, "under load: sender must prove its address first") \
	X(rx_handshake_auth, "handshake message that does not authenticate") \
	X(rx_handshake_peer, "handshake from a key that is no configured peer") \
	X(rx_handshake_replay, "handshake older than one already seen") \
	X(rx_handshake_rate, "handshakes arriving faster than allowed") \
	X(rx_handshake_unwanted, "handshake answer that nothing asked for") \
	X(rx_duplicate, "copy of a packet that has already arrived") \
	X(rx_replay_old, "older than the replay window's packets") \
	X(rx_replay_late, "older than the replay window's time") \
	X(rx_auth, "tag does not match: forged or damaged") \
	X(rx_expired, "keys too old to be used") \
	X(rx_control_malformed, "sealed control packet that breaks the format") \
	X(rx_frame_malformed, "sealed frame header that breaks the format") \
	X(rx_fragment_expired, "fragment whose packet never completed") \
	X(rx_fragment_limit, "fragment beyond the reassembly limits") \
	X(rx_compression, "compressed packet that does not decompress") \
	X(rx_congestion, "marked by a router as congestion, and its ends know no other signal") \
	X(rx_no_buffer, "no free buffer") \
	X(rx_stream_unsupported, "stream that this version does not serve") \
	X(rx_tunnel_queue, "tunnel device queue full") \
	X(tx_no_session, "no session with the peer yet, and the waiting room is full or timed out") \
	X(tx_no_path, "no usable path") \
	X(tx_too_big, "larger than the tunnel carries") \
	X(tx_no_buffer, "no free buffer") \
	X(tx_seal, "sealing failed") \
	X(tx_no_peer, "no peer to send it to")

enum hw_drop {
#define HW_DROP_ENUM(name, text) HW_DROP_##name,
	HW_DROPS(HW_DROP_ENUM)
#undef HW_DROP_ENUM
	HW_DROP_COUNT
};

const char *hw_drop_name(enum hw_drop drop);
const char *hw_drop_text(enum hw_drop drop);

#endif
