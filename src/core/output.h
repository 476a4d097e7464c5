/*
 * What waits for the core's owner: datagrams, inner packets and events, each in a bounded ring that
 * is allocated once. A full ring refuses; the caller counts the drop.
 */
#ifndef HW_CORE_OUTPUT_H
#define HW_CORE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/core.h"

#define HW_OUTPUT_DATAGRAMS 4096u
#define HW_OUTPUT_PACKETS 2048u
#define HW_OUTPUT_EVENTS 256u

struct hw_output {
	struct hw_datagram_out *datagrams;
	struct hw_buf **packets;
	struct hw_event *events;
	uint32_t datagram_first, datagram_count;
	uint32_t packet_first, packet_count;
	uint32_t event_first, event_count;
};

/* HW_E_NOMEM. */
HW_MUST_USE int hw_output_init(struct hw_output *out);

/* Drops what is still waiting. */
void hw_output_fini(struct hw_output *out);

/* Takes the body on success. False when the ring is full: the body stays the caller's. */
HW_MUST_USE bool hw_output_datagram(struct hw_output *out, const struct hw_datagram_out *datagram);
HW_MUST_USE bool hw_output_packet(struct hw_output *out, struct hw_buf *packet);

/* Drops the datagrams that wait for that link; the rest keep their order. */
void hw_output_forget_link(struct hw_output *out, uint32_t link);

/* An event that finds the ring full replaces the oldest: the newest says how things stand. */
void hw_output_event(struct hw_output *out, const struct hw_event *event);

size_t hw_output_take_datagrams(struct hw_output *out, struct hw_datagram_out *ret, size_t max);
size_t hw_output_take_packets(struct hw_output *out, struct hw_buf **ret, size_t max);
size_t hw_output_take_events(struct hw_output *out, struct hw_event *ret, size_t max);

#endif
