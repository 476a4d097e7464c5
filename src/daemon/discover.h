/*
 * Which links there should be: a pure function of the configuration's rules and of what the
 * network looks like (daemon/picture.h). docs/links.md says the same for people.
 *
 * RULES. Each entry of the configuration's `links` is a rule.
 *
 *   interface: eth0      one link, whether the interface is there or not
 *   interface: "wwan*"   a link for each interface of such a name; named RULE/INTERFACE
 *   address: 192.0.2.1   one link, on whichever interface has the address; with `interface`, only
 *                        on one that has it
 *   neither              one link that is bound to no interface
 *   no links at all      a link for each interface that has a route to the peer, named as it is
 *
 * The first rule that takes an interface has it. A link that is made of a pattern begins when its
 * interface is first usable and stays, usable or not, while there is an interface of that name; one
 * of an interface that is named by the rule is always there.
 *
 * USABLE is a link whose interface is up, has a carrier, and has an address that can be sent from to
 * at least one of the peer's addresses. Where no links are named it needs a route there too.
 *
 * LEFT OUT is, always: the tunnel's own device and those of other daemons. From patterns: loopback,
 * ports of bridges and bonds, and what `links-exclude` names. Where no links are named: other
 * programs' tunnels too.
 *
 * No more than HW_CORE_MAX_LINKS: links of named interfaces first, then those that are there and
 * usable, then new ones, then those that are there and of no use.
 */
#ifndef HW_DAEMON_DISCOVER_H
#define HW_DAEMON_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "core/core.h"
#include "daemon/picture.h"

#define HW_DISCOVER_NAMES_MAX 16u /* remarks on interfaces kept of each kind */

/* Why a link cannot be used now. */
enum hw_discover_reason {
	HW_DISCOVER_USABLE,
	HW_DISCOVER_ABSENT,       /* no such interface */
	HW_DISCOVER_DOWN,         /* it is taken down */
	HW_DISCOVER_NO_CARRIER,
	HW_DISCOVER_NO_ADDRESS,   /* it has none, or none to send to the peer from */
	HW_DISCOVER_NO_ROUTE,
	HW_DISCOVER_LOST_ADDRESS, /* the rule's own address is on no interface, or not on this one */
	HW_DISCOVER_TUNNEL,       /* it is a tunnel of Hawser's */
	HW_DISCOVER_TAKEN         /* a rule before has it */
};

/* As a person would say it, after "link NAME: ". */
const char *hw_discover_reason_text(enum hw_discover_reason reason);

struct hw_discover_link {
	uint32_t rule;                 /* number in the configuration */
	char name[HW_CORE_NAME_BYTES];
	char interface[IFNAMSIZ];      /* "": bound to none, or none has the rule's address */
	uint32_t index;                /* of the interface; 0: there is none, or none is needed */
	uint32_t mtu_bytes;            /* the interface's; 0: there is none */
	bool patterned;                /* goes when the interface does */
	enum hw_discover_reason reason;
};

/* A link that there is: by which rule, on which interface. */
struct hw_discover_held {
	uint32_t rule;
	uint32_t index;
};

struct hw_discover_question {
	const struct hw_config *config;
	const struct hw_picture *picture;
	const char *tunnel;      /* name of this daemon's own device */
	/* What is known of the peer's addresses, for each rule; NULL where nothing is. */
	const struct hw_addr *endpoints[HW_CORE_MAX_LINKS];
	size_t endpoint_counts[HW_CORE_MAX_LINKS];
	bool expects_endpoints[HW_CORE_MAX_LINKS]; /* a name is not resolved yet: there will be some */
	const struct hw_discover_held *held;
	size_t held_count;
};

/* Two rules want one interface, and the first has it. */
struct hw_discover_overlap {
	char interface[IFNAMSIZ];
	uint32_t first, other; /* rules */
};

struct hw_discover_answer {
	struct hw_discover_link links[HW_CORE_MAX_LINKS];
	uint32_t link_count;
	/* Usable interfaces without a place; some of their names. */
	char crowded_out[HW_DISCOVER_NAMES_MAX][IFNAMSIZ];
	uint32_t crowded_out_count;
	struct hw_discover_overlap overlaps[HW_DISCOVER_NAMES_MAX];
	uint32_t overlap_count; /* no more than are kept */
};

void hw_discover(const struct hw_discover_question *question, struct hw_discover_answer *ret_answer);

#endif
