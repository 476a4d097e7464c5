#include "core/output.h"

#include <stdlib.h>

int hw_output_init(struct hw_output *out)
{
	*out = (struct hw_output){ 0 };
	out->datagrams = calloc(HW_OUTPUT_DATAGRAMS, sizeof(*out->datagrams));
	out->packets = calloc(HW_OUTPUT_PACKETS, sizeof(struct hw_buf *));
	out->events = calloc(HW_OUTPUT_EVENTS, sizeof(*out->events));
	if (out->datagrams == NULL || out->packets == NULL || out->events == NULL) {
		hw_output_fini(out);
		return HW_E_NOMEM;
	}
	return 0;
}

void hw_output_fini(struct hw_output *out)
{
	struct hw_datagram_out datagram;
	struct hw_buf *packet;

	while (hw_output_take_datagrams(out, &datagram, 1) > 0)
		hw_buf_unref(datagram.body);
	while (hw_output_take_packets(out, &packet, 1) > 0)
		hw_buf_unref(packet);
	free(out->datagrams);
	free(out->packets);
	free(out->events);
	*out = (struct hw_output){ 0 };
}

bool hw_output_datagram(struct hw_output *out, const struct hw_datagram_out *datagram)
{
	if (out->datagram_count == HW_OUTPUT_DATAGRAMS)
		return false;
	out->datagrams[(out->datagram_first + out->datagram_count) % HW_OUTPUT_DATAGRAMS] = *datagram;
	out->datagram_count++;
	return true;
}

bool hw_output_packet(struct hw_output *out, struct hw_buf *packet)
{
	if (out->packet_count == HW_OUTPUT_PACKETS)
		return false;
	out->packets[(out->packet_first + out->packet_count) % HW_OUTPUT_PACKETS] = packet;
	out->packet_count++;
	return true;
}

void hw_output_forget_link(struct hw_output *out, uint32_t link)
{
	uint32_t count = out->datagram_count;

	out->datagram_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct hw_datagram_out datagram =
			out->datagrams[(out->datagram_first + i) % HW_OUTPUT_DATAGRAMS];

		if (datagram.tuple.link == link)
			hw_buf_unref(datagram.body);
		else
			(void)!hw_output_datagram(out, &datagram); /* never fuller than it was */
	}
}

void hw_output_event(struct hw_output *out, const struct hw_event *event)
{
	if (out->event_count == HW_OUTPUT_EVENTS) {
		out->event_first = (out->event_first + 1) % HW_OUTPUT_EVENTS;
		out->event_count--;
	}
	out->events[(out->event_first + out->event_count) % HW_OUTPUT_EVENTS] = *event;
	out->event_count++;
}

size_t hw_output_take_datagrams(struct hw_output *out, struct hw_datagram_out *ret, size_t max)
{
	size_t n = 0;

	for (; n < max && out->datagram_count > 0; n++) {
		ret[n] = out->datagrams[out->datagram_first];
		out->datagram_first = (out->datagram_first + 1) % HW_OUTPUT_DATAGRAMS;
		out->datagram_count--;
	}
	return n;
}

size_t hw_output_take_packets(struct hw_output *out, struct hw_buf **ret, size_t max)
{
	size_t n = 0;

	for (; n < max && out->packet_count > 0; n++) {
		ret[n] = out->packets[out->packet_first];
		out->packet_first = (out->packet_first + 1) % HW_OUTPUT_PACKETS;
		out->packet_count--;
	}
	return n;
}

size_t hw_output_take_events(struct hw_output *out, struct hw_event *ret, size_t max)
{
	size_t n = 0;

	for (; n < max && out->event_count > 0; n++) {
		ret[n] = out->events[out->event_first];
		out->event_first = (out->event_first + 1) % HW_OUTPUT_EVENTS;
		out->event_count--;
	}
	return n;
}
