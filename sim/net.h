/*
 * The network between the two nodes: one wire for each link of the client, each way a link model.
 *
 *     client, link i  ---- [NAT: client_public] ---- wire i ----  hub, hub_addr (link 0, or i)
 *
 * Datagrams find their wire by the client's link going up, and by the client's public address
 * coming down; an address that belongs to nobody swallows what is sent to it, and counts. The
 * network keeps its own copies of everything, so buffers of a node never leave it.
 */
#ifndef HW_SIM_NET_H
#define HW_SIM_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/rng.h"
#include "sim/engine.h"
#include "sim/link.h"

#define HW_SIM_MAX_WIRES 16u
#define HW_SIM_PACKET_BYTES 2048u /* largest UDP payload or bare packet */

enum hw_sim_side { HW_SIM_CLIENT = 0, HW_SIM_HUB = 1 };
enum { HW_SIM_UP = 0, HW_SIM_DOWN = 1 }; /* ways of a wire, numbered as the side that sends */

/* What a sent datagram was, told from its header by the first transmission of each counter. */
enum hw_sim_kind {
	HW_SIM_FIRST,   /* a source packet, for the first time */
	HW_SIM_COPY,    /* a source packet again */
	HW_SIM_REPAIR,  /* streams 9 to 15 */
	HW_SIM_CONTROL, /* stream 0 */
	HW_SIM_HANDSHAKE,
	HW_SIM_KINDS
};

struct hw_sim_sent {
	uint64_t packets[HW_SIM_KINDS];
	uint64_t bytes[HW_SIM_KINDS]; /* of IP packets */
};

struct hw_sim_packet {
	struct hw_sim_packet *next;
	struct hw_addr outside; /* the client's public address as the datagram used it */
	uint32_t bytes;         /* in data */
	uint8_t tos;
	enum hw_sim_kind kind;
	hw_time sent;
	bool bare; /* not a datagram of a node but a packet that goes without the tunnel */
	uint8_t data[HW_SIM_PACKET_BYTES];
};

/* What a bad spell adds to a way. */
struct hw_sim_spell {
	double loss;
	hw_time delay;
};

struct hw_sim_net;

struct hw_sim_way {
	struct hw_sim_event event; /* first */
	struct hw_sim_net *net;
	struct hw_linkmodel *model;
	uint32_t wire;
	uint8_t way; /* HW_SIM_UP or HW_SIM_DOWN */
	struct hw_sim_sent sent;
	struct hw_link_params params; /* as given; what is in force may be worse: a spell */
	bool in_spell;
	/*
	 * The longest time from an event that made the link usable (hw_sim_net_mark) to the first
	 * arrival of data that was sent on it after that; and those that still wait for one.
	 */
	bool marked;
	hw_time marked_at, carry_max;
	struct hw_sim_spell spell;
	uint64_t lost_mapping; /* arrived at an address that the client has left */
};

struct hw_sim_wire {
	char name[64];
	struct hw_addr client_local, client_public, hub_addr;
	uint32_t hub_link;
	uint32_t mtu_bytes[2]; /* of the interfaces, of client and hub */
	uint32_t ip_udp_bytes; /* 28 or 48 */
	struct hw_sim_way way[2];
};

/* What the network does with what arrives. */
struct hw_sim_net_owner {
	void *ctx;
	void (*datagram)(void *ctx, enum hw_sim_side to, const struct hw_tuple *tuple,
			 const uint8_t *data, uint32_t len, uint8_t tos);
	void (*bare)(void *ctx, enum hw_sim_side to, const uint8_t *data, uint32_t len);
	/* A datagram sets out on a wire, whatever becomes of it. May be NULL. */
	void (*sent)(void *ctx, enum hw_sim_side from, uint32_t wire, const uint8_t *data,
		     uint32_t len);
	/* Every datagram sent to an address that no wire has now. */
	void (*astray)(void *ctx, enum hw_sim_side from, const struct hw_addr *to,
		       const uint8_t *data, uint32_t len);
};

/* Which (index, stream) has sent up to which counter: for the kinds of datagrams. */
struct hw_sim_counters {
	uint32_t index;
	uint64_t next[16];
};

struct hw_sim_net {
	struct hw_sim_engine *engine;
	struct hw_sim_net_owner owner;
	struct hw_sim_wire wires[HW_SIM_MAX_WIRES];
	uint32_t wire_count;
	struct hw_sim_counters counters[2][4]; /* the last sessions of each side */
	uint32_t counters_at[2];
	struct hw_sim_packet *free_list;
	uint64_t packets_out; /* held by links now */
	uint64_t astray;
	uint64_t transmissions; /* everything ever offered to a link */
};

void hw_sim_net_init(struct hw_sim_net *net, struct hw_sim_engine *engine,
		     const struct hw_sim_net_owner *owner);
void hw_sim_net_fini(struct hw_sim_net *net);

struct hw_sim_wire_config {
	const char *name;
	const struct hw_link_params *params[2]; /* up, down */
	uint32_t mtu_bytes;
	bool ipv6;
	bool own_hub_addr; /* the hub has a link and an address of its own for this wire */
};

/* HW_E_LIMIT: too many; HW_E_INVAL; HW_E_NOMEM. */
HW_MUST_USE int hw_sim_net_add(struct hw_sim_net *net, const struct hw_sim_wire_config *config,
			       uint64_t seed);

/*
 * A node's datagram sets out. HW_E_SYSTEM: the system would refuse it, since it names a local
 * address that the node does not have; it is then not sent. One larger than the interface takes
 * ends the run.
 */
HW_MUST_USE int hw_sim_net_send(struct hw_sim_net *net, enum hw_sim_side from,
				const struct hw_tuple *tuple, uint8_t tos, const void *head,
				uint32_t head_len, const void *body, uint32_t body_len);

/* A packet beside the tunnel, straight over one wire. False: the link dropped it at once. */
bool hw_sim_net_send_bare(struct hw_sim_net *net, enum hw_sim_side from, uint32_t wire,
			  const void *data, uint32_t len);

/* Live change of one way of a wire. HW_E_INVAL. */
HW_MUST_USE int hw_sim_net_change(struct hw_sim_net *net, uint32_t wire, uint8_t way,
				  const struct hw_link_params *params);

/* The NAT in front of the client gives it another port, or the client another address altogether.
 */
void hw_sim_net_rebind(struct hw_sim_net *net, uint32_t wire);
void hw_sim_net_roam(struct hw_sim_net *net, uint32_t wire);

/* The client's own address changes, and its public one with it. */
void hw_sim_net_readdress(struct hw_sim_net *net, uint32_t wire);

/* The wire is cut, silently and both ways, or restored. */
void hw_sim_net_cut(struct hw_sim_net *net, uint32_t wire, bool cut);

/* The way suffers a spell from now on, whatever parameters it has or gets; NULL: no more. */
void hw_sim_net_spell(struct hw_sim_net *net, uint32_t wire, uint8_t way,
		      const struct hw_sim_spell *spell);

/* Something has befallen the wire. `there`: it can carry now, and is timed until it does. */
void hw_sim_net_mark(struct hw_sim_net *net, uint32_t wire, bool there);

#endif
