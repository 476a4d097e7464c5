/*
 * Flows: numbered inner packets in one direction, whose every byte is known, so that whoever
 * receives one can tell whether it was sent, whether it is whole and whether it has come before.
 *
 *     [Ethernet 14] IPv4 20 | UDP 8 | flow 2, zero 2, aux 4, number 8, time sent 8, check 8 |
 * pattern
 */
#ifndef HW_SIM_FLOW_H
#define HW_SIM_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "sim/net.h"
#include "sim/stats.h"

#define HW_SIM_ETHERNET_BYTES 14u
#define HW_SIM_FLOW_MIN_BYTES 60u /* of IP: headers and what is checked */

/* What is counted about a flow: plain data, and summed over runs. */
struct hw_sim_flow_stats {
	uint64_t sent, sent_bytes; /* inner IP packets */
	uint64_t delivered;
	uint64_t late;       /* of those delivered, after the deadline */
	uint64_t reordered;  /* of those delivered, after a later one (RFC 4737) */
	uint64_t damaged;    /* bare flows: arrived with flipped bits */
	uint64_t duplicates; /* bare flows: arrived again */
	hw_time gap_max;     /* longest time between two deliveries */
	hw_time resume_max;  /* longest time from an event to a delivery of what was sent after it */
	struct hw_histogram delay;
};

struct hw_sim_flow {
	uint16_t id;
	enum hw_sim_side from;
	bool bare; /* goes over one wire, without the tunnel */
	uint32_t wire;
	hw_time deadline; /* HW_TIME_NEVER: none */
	uint8_t tos;
	uint64_t highest; /* number delivered, + 1 */
	hw_time last_delivery;
	bool sent_since; /* the mark below */
	bool marked;     /* something has happened, and nothing sent since has been delivered */
	hw_time marked_at;
	uint64_t *seen; /* a bit for each number */
	size_t seen_words;
	struct hw_sim_flow_stats stats;
};

struct hw_sim_flow_header {
	uint16_t flow;
	uint32_t aux;
	uint64_t number;
	hw_time sent;
	uint32_t ip_bytes;
};

void hw_sim_flow_init(struct hw_sim_flow *flow, uint16_t id, enum hw_sim_side from);
void hw_sim_flow_fini(struct hw_sim_flow *flow);

/*
 * Build the flow's next packet, ip_bytes of IP (raised to HW_SIM_FLOW_MIN_BYTES), with an Ethernet
 * header in front where layer2 is set. Gives its length. `out` has room for ip_bytes + 14.
 */
uint32_t hw_sim_flow_build(struct hw_sim_flow *flow, bool layer2, hw_time now, uint32_t aux,
			   uint32_t ip_bytes, uint8_t *out);

/* What is still waited for counts as long as it has lasted by `now`, where anything was sent. */
void hw_sim_flow_end(struct hw_sim_flow *flow, hw_time now);

/* Something happens now that may keep packets from arriving; an earlier one still counts. */
void hw_sim_flow_mark(struct hw_sim_flow *flow, hw_time now);

/* Take a packet apart. HW_E_MALFORMED: it is not, byte for byte, one that hw_sim_flow_build made.
 */
HW_MUST_USE int hw_sim_flow_parse(const uint8_t *data, uint32_t len, bool layer2,
				  struct hw_sim_flow_header *ret_header);

/*
 * The packet has arrived. HW_E_REPLAY: it has come before; HW_E_NOT_FOUND: it was never sent;
 * HW_E_NOMEM. Only a good one is counted.
 */
HW_MUST_USE int hw_sim_flow_arrived(struct hw_sim_flow *flow,
				    const struct hw_sim_flow_header *header, hw_time now);

#endif
