/*
 * Attackers: datagrams from addresses of their own (or pretending to be the peer's), made up or
 * made from what they have overheard. After each one the attacked core must be as it was before,
 * but for its counters, and must not have answered with more than came.
 */
#ifndef HW_SIM_ATTACK_H
#define HW_SIM_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "sim/node.h"

#define HW_SIM_OVERHEARD 256u

enum hw_sim_attack_kind {
	HW_SIM_ATTACK_RANDOM, /* random bytes of random length */
	HW_SIM_ATTACK_HEADER, /* an overheard header, random bytes behind it */
	HW_SIM_ATTACK_REPLAY, /* an overheard datagram, as it was */
	HW_SIM_ATTACK_FLIP,   /* an overheard datagram, 1 to 4 bits flipped */
	HW_SIM_ATTACK_CUT,    /* an overheard datagram, cut short */
	HW_SIM_ATTACK_MIX,    /* each of the above in turn */
	/*
	 * Every datagram that sets out for the target, sent on from another address: when it is
	 * faster than the wire, the target knows the copy before the original. It is genuine, so the
	 * target may do something about it; but no more bytes than three times what came may go to
	 * an address that has not answered, and the peer's path must stay where it is.
	 */
	HW_SIM_ATTACK_RELAY
};

struct hw_sim_attack_config {
	enum hw_sim_attack_kind kind;
	enum hw_sim_side target;
	hw_time start, stop;
	hw_time interval;
	uint64_t count;   /* 0: no limit */
	uint32_t sources; /* so many addresses, in turn */
	hw_time delay;    /* relay: how long the copy is on its way */
	double share;     /* relay: of the datagrams, how many are copied */
	bool two_way;     /* relay: what the target answers goes to its peer, and back again */
	bool spoof;       /* from the peer's own address on the first link instead */
};

struct hw_sim_attack_stats {
	uint64_t sent, sent_bytes;
	uint64_t copies;                /* of them, relayed */
	uint64_t answers, answer_bytes; /* what the target sent to the attacker's addresses */
	uint64_t changed;               /* times that the target's state was another afterwards */
};

/* What is on its way through a stranger who relays. */
struct hw_sim_relayed {
	hw_time at;
	enum hw_sim_side to;
	uint32_t wire, source, bytes;
	uint8_t data[HW_SIM_PACKET_BYTES];
};

#define HW_SIM_RELAY_ROOM 512u

struct hw_sim_account {
	uint64_t in_bytes, out_bytes; /* to the target, and from it */
	uint32_t wire;                /* of the newest datagram */
};

struct hw_sim_attack {
	struct hw_sim_event event; /* first */
	const struct hw_sim_attack_config *config;
	struct hw_sim_node *node;
	struct hw_sim_net *net;
	struct hw_rng rng;
	uint64_t made;
	bool asking;               /* the target is handling a datagram of ours */
	uint64_t answer_bytes_now; /* to it */
	/*
	 * What the target has received in this life, the newest last. A core that was started anew
	 * remembers nothing: what its predecessor has seen is news to it.
	 */
	uint64_t life;
	uint8_t overheard[HW_SIM_OVERHEARD][HW_SIM_PACKET_BYTES];
	uint32_t overheard_bytes[HW_SIM_OVERHEARD];
	uint64_t overheard_count;
	struct hw_sim_relayed *relayed; /* a ring, in the order of their times */
	uint32_t relayed_first, relayed_count;
	struct hw_sim_account *accounts; /* relay: for each source */
	struct hw_sim_node *peer;        /* of the target */
	struct hw_sim_attack_stats stats;
};

/* HW_E_NOMEM. config, node and net must outlive it. */
HW_MUST_USE int hw_sim_attack_new(const struct hw_sim_attack_config *config,
				  struct hw_sim_node nodes[2], struct hw_sim_net *net,
				  uint64_t seed, struct hw_sim_attack **ret_attack);
void hw_sim_attack_free(struct hw_sim_attack *attack);

/* The target has received this datagram. */
void hw_sim_attack_overhear(struct hw_sim_attack *attack, const uint8_t *data, uint32_t len);

/* Whether the address is one of those that attackers use. */
bool hw_sim_attack_owns(const struct hw_addr *addr);

/* A datagram sets out for the target. */
void hw_sim_attack_passing(struct hw_sim_attack *attack, uint32_t wire, const uint8_t *data,
			   uint32_t len);

/* A node has sent this to an address of attackers. False: none of this attack's. */
bool hw_sim_attack_answered(struct hw_sim_attack *attack, enum hw_sim_side from,
			    const struct hw_addr *addr, const uint8_t *data, uint32_t len);

#endif
