/*
 * What the tunnel is loaded with: constant rate, voice, video, pings and a flow like TCP's.
 *
 * A traffic owns one flow forwards and, where answers come back, one backwards. It is told when its
 * event fires and when a packet of its flows has arrived, and sends through its host.
 */
#ifndef HW_SIM_TRAFFIC_H
#define HW_SIM_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine.h"
#include "sim/flow.h"

#define HW_SIM_NO_WIRE UINT32_MAX

enum hw_sim_traffic_kind {
	HW_SIM_CONSTANT, /* a packet of `bytes` each `interval` */
	HW_SIM_VOICE,    /* the same: 200 bytes each 20 ms (G.711 over RTP) unless told otherwise */
	HW_SIM_VIDEO,    /* frames, each a burst of packets of up to `bytes` */
	HW_SIM_PING,     /* echoed at once by the other side */
	HW_SIM_TCP       /* bulk under NewReno (RFC 5681, RFC 6582), each packet acknowledged */
};

struct hw_sim_traffic_config {
	char name[32];
	enum hw_sim_traffic_kind kind;
	enum hw_sim_side from;
	uint32_t wire; /* beside the tunnel on this wire; HW_SIM_NO_WIRE: through the tunnel */
	hw_time start, stop; /* sends in [start, stop) */
	uint64_t count;      /* stops after so many packets (frames of video); 0: no limit */
	hw_time interval;
	bool random; /* constant: gaps drawn from the exponential distribution, mean `interval` */
	hw_time on, off;  /* sends for so long, then pauses; random: both drawn as gaps are; 0: always */
	uint32_t bytes;   /* of IP */
	hw_time deadline; /* HW_TIME_NEVER: none */
	uint8_t tos;
	uint64_t bitrate_bps; /* video */
	double key_ratio;     /* video: size of a key frame over that of the others */
	uint32_t key_every;   /* video: frames */
};

/* Defaults of the kind. */
void hw_sim_traffic_config_init(struct hw_sim_traffic_config *config,
				enum hw_sim_traffic_kind kind);

struct hw_sim_traffic;

struct hw_sim_traffic_host {
	void *ctx;
	struct hw_sim_engine *engine;
	bool layer2;
	/* Takes nothing: data is copied. */
	void (*send)(void *ctx, const struct hw_sim_flow *flow, const uint8_t *data, uint32_t len);
};

struct hw_sim_tcp;

struct hw_sim_traffic {
	struct hw_sim_event event; /* first */
	const struct hw_sim_traffic_config *config;
	const struct hw_sim_traffic_host *host;
	struct hw_sim_flow flow[2]; /* forwards, and back */
	struct hw_rng rng;
	hw_time pause_at;        /* when the next pause begins */
	uint64_t made;           /* packets or frames */
	struct hw_histogram rtt; /* pings */
	uint16_t *missing;       /* video: packets of each frame still to come in time */
	size_t missing_room;
	uint64_t frames_whole;
	struct hw_sim_tcp *tcp;
	uint64_t goodput_bytes; /* TCP: received in order */
};

/* Uses flow numbers id and id + 1. config and host must outlive it. HW_E_NOMEM. */
HW_MUST_USE int hw_sim_traffic_init(struct hw_sim_traffic *traffic,
				    const struct hw_sim_traffic_config *config,
				    const struct hw_sim_traffic_host *host, uint16_t id,
				    uint64_t seed);
void hw_sim_traffic_fini(struct hw_sim_traffic *traffic);

/* A packet of flow[back] has arrived, checked and counted. */
void hw_sim_traffic_arrived(struct hw_sim_traffic *traffic, bool back,
			    const struct hw_sim_flow_header *header, hw_time now);

/* Send a packet of flow[back] now. For the kinds of traffic. */
void hw_sim_traffic_send(struct hw_sim_traffic *traffic, bool back, uint32_t aux, uint32_t bytes);

/* tcp.c */
HW_MUST_USE int hw_sim_tcp_new(struct hw_sim_traffic *traffic, struct hw_sim_tcp **ret_tcp);
void hw_sim_tcp_free(struct hw_sim_tcp *tcp);
void hw_sim_tcp_start(struct hw_sim_tcp *tcp);
void hw_sim_tcp_arrived(struct hw_sim_tcp *tcp, bool back, const struct hw_sim_flow_header *header,
			hw_time now);
uint64_t hw_sim_tcp_retransmissions(const struct hw_sim_tcp *tcp);

#endif
