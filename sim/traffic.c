#include "sim/traffic.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void hw_sim_traffic_config_init(struct hw_sim_traffic_config *config, enum hw_sim_traffic_kind kind)
{
	*config = (struct hw_sim_traffic_config){
		.kind = kind,
		.wire = HW_SIM_NO_WIRE,
		.start = HW_S(1),
		.stop = HW_TIME_NEVER,
		.interval = HW_MS(10),
		.bytes = 1000,
		.deadline = HW_TIME_NEVER,
	};
	switch (kind) {
	case HW_SIM_CONSTANT:
		break;
	case HW_SIM_VOICE:
		config->interval = HW_MS(20);
		config->bytes = 200;
		config->deadline = HW_MS(150);
		break;
	case HW_SIM_VIDEO:
		config->interval = HW_NS_PER_S / 30;
		config->bytes = 1200;
		config->bitrate_bps = 4000000;
		config->key_ratio = 6;
		config->key_every = 60;
		config->deadline = HW_MS(200);
		break;
	case HW_SIM_PING:
		config->bytes = 84;
		break;
	case HW_SIM_TCP:
		config->bytes = 1400;
		break;
	}
}

void hw_sim_traffic_send(struct hw_sim_traffic *traffic, bool back, uint32_t aux, uint32_t bytes)
{
	const struct hw_sim_traffic_host *host = traffic->host;
	struct hw_sim_flow *flow = &traffic->flow[back];
	uint8_t packet[HW_SIM_PACKET_BYTES];
	bool layer2 = host->layer2 && !flow->bare;
	uint32_t len = hw_sim_flow_build(flow, layer2, host->engine->now, aux, bytes, packet);

	host->send(host->ctx, flow, packet, len);
}

/* Bytes of the frame: key frames are key_ratio times the others, and the mean meets the bit rate.
 */
static uint32_t frame_bytes(const struct hw_sim_traffic_config *config, uint64_t frame)
{
	double mean = (double)config->bitrate_bps / 8 * (double)config->interval / 1e9;
	double other = mean * config->key_every / (config->key_ratio + config->key_every - 1);
	bool key = frame % config->key_every == 0;

	return (uint32_t)fmax(1, key ? other * config->key_ratio : other);
}

static bool reserve_frame(struct hw_sim_traffic *traffic, uint64_t frame)
{
	if (frame < traffic->missing_room)
		return true;

	size_t room = traffic->missing_room == 0 ? 1024 : 2 * traffic->missing_room;
	uint16_t *grown = realloc(traffic->missing, room * sizeof(*grown));

	if (grown == NULL) {
		hw_sim_fail(traffic->host->engine, "out of memory for video frames");
		return false;
	}
	traffic->missing = grown;
	traffic->missing_room = room;
	return true;
}

static void send_frame(struct hw_sim_traffic *traffic)
{
	const struct hw_sim_traffic_config *config = traffic->config;
	uint32_t left = frame_bytes(config, traffic->made);
	uint32_t payload = config->bytes - 28; /* IP and UDP headers */
	uint32_t packets = (left + payload - 1) / payload;

	if (!reserve_frame(traffic, traffic->made))
		return;
	traffic->missing[traffic->made] = (uint16_t)packets;
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t n = left < payload ? left : payload;

		hw_sim_traffic_send(traffic, false, (uint32_t)traffic->made, n + 28);
		left -= n;
	}
}

static double draw_gap(struct hw_sim_traffic *traffic, hw_time mean)
{
	double gap = (double)mean;

	return traffic->config->random ? gap * -log(1 - hw_rng_unit(&traffic->rng)) : gap;
}

static void traffic_fire(struct hw_sim_event *event, hw_time now)
{
	struct hw_sim_traffic *traffic = (struct hw_sim_traffic *)event;
	const struct hw_sim_traffic_config *config = traffic->config;

	if (now >= config->stop || (config->count > 0 && traffic->made == config->count))
		return;
	if (config->kind == HW_SIM_TCP) {
		hw_sim_tcp_start(traffic->tcp);
		return;
	}

	double gap = draw_gap(traffic, config->interval);

	if (config->off > 0 && now >= traffic->pause_at) {
		gap = draw_gap(traffic, config->off);
		traffic->pause_at = now + (hw_time)gap + (hw_time)draw_gap(traffic, config->on);
	}
	if (config->kind == HW_SIM_VIDEO)
		send_frame(traffic);
	else
		hw_sim_traffic_send(traffic, false, 0, config->bytes);
	traffic->made++;
	hw_sim_at(traffic->host->engine, event, now + (hw_time)gap);
}

static void video_arrived(struct hw_sim_traffic *traffic, const struct hw_sim_flow_header *header,
			  hw_time now)
{
	if (header->aux >= traffic->missing_room || now - header->sent > traffic->config->deadline)
		return;
	if (traffic->missing[header->aux] > 0 && --traffic->missing[header->aux] == 0)
		traffic->frames_whole++;
}

void hw_sim_traffic_arrived(struct hw_sim_traffic *traffic, bool back,
			    const struct hw_sim_flow_header *header, hw_time now)
{
	switch (traffic->config->kind) {
	case HW_SIM_CONSTANT:
	case HW_SIM_VOICE:
		break;
	case HW_SIM_VIDEO:
		video_arrived(traffic, header, now);
		break;
	case HW_SIM_PING:
		/* The answer carries the low bits of the time of the question: microseconds. */
		if (!back)
			hw_sim_traffic_send(traffic, true, (uint32_t)(header->sent / HW_NS_PER_US),
					    traffic->config->bytes);
		else if (hw_histogram_add(&traffic->rtt,
					  (uint32_t)(now / HW_NS_PER_US - header->aux) *
						  HW_NS_PER_US) < 0)
			hw_sim_fail(traffic->host->engine, "out of memory for round-trip times");
		break;
	case HW_SIM_TCP:
		hw_sim_tcp_arrived(traffic->tcp, back, header, now);
		break;
	}
}

int hw_sim_traffic_init(struct hw_sim_traffic *traffic, const struct hw_sim_traffic_config *config,
			const struct hw_sim_traffic_host *host, uint16_t id, uint64_t seed)
{
	assert(config->bytes <= HW_SIM_PACKET_BYTES - HW_SIM_ETHERNET_BYTES);
	*traffic = (struct hw_sim_traffic){ .config = config, .host = host };
	hw_sim_event_init(&traffic->event, traffic_fire);
	hw_rng_init(&traffic->rng, seed);
	for (uint16_t back = 0; back < 2; back++) {
		struct hw_sim_flow *flow = &traffic->flow[back];

		hw_sim_flow_init(flow, (uint16_t)(id + back),
				 back ? 1 - config->from : config->from);
		flow->bare = config->wire != HW_SIM_NO_WIRE;
		flow->wire = config->wire;
		flow->deadline = config->deadline;
		flow->tos = config->tos;
	}
	if (config->kind == HW_SIM_TCP) {
		int r = hw_sim_tcp_new(traffic, &traffic->tcp);

		if (r < 0)
			return r;
	}
	traffic->pause_at = config->start + config->on;
	hw_sim_at(host->engine, &traffic->event, config->start);
	return 0;
}

void hw_sim_traffic_fini(struct hw_sim_traffic *traffic)
{
	hw_sim_cancel(traffic->host->engine, &traffic->event);
	hw_sim_tcp_free(traffic->tcp);
	hw_sim_flow_fini(&traffic->flow[0]);
	hw_sim_flow_fini(&traffic->flow[1]);
	hw_histogram_fini(&traffic->rtt);
	free(traffic->missing);
}
