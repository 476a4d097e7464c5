/*
 * What stands between a link and its peer, from the address that packets leave with and the
 * addresses that they arrive with (RFC 4787 for the words; the method is that of RFC 5780, with the
 * peer's endpoints in the place of its servers).
 */
#ifndef HW_SURVEY_NAT_H
#define HW_SURVEY_NAT_H

#include <stddef.h>

#include "base/addr.h"

enum hw_nat {
	HW_NAT_UNKNOWN,     /* the peer has not said how it sees this end */
	HW_NAT_NONE,        /* address and port arrive as they left */
	HW_NAT_PORT_KEPT,   /* another address, the same port */
	HW_NAT_PORT_CHANGED /* another port */
};

enum hw_nat_mapping {
	HW_NAT_MAPPING_UNKNOWN,     /* no NAT, or only one address of the peer was asked */
	HW_NAT_MAPPING_INDEPENDENT, /* all see the same address and port */
	HW_NAT_MAPPING_DEPENDENT    /* each sees another: "symmetric" */
};

/* One path: how its packets leave, how the peer sees them (family NONE: not told), and the peer. */
struct hw_nat_sight {
	struct hw_addr local, observed, remote;
};

struct hw_nat_findings {
	enum hw_nat nat;
	enum hw_nat_mapping mapping;
	bool carrier;   /* the local address is of 100.64.0.0/10: the carrier has one NAT at least */
	struct hw_addr outside; /* the observed address of the first path that has one */
};

/* All paths of one link, of one family: those of the other say nothing about this one's NAT. */
void hw_nat_judge(const struct hw_nat_sight *sights, size_t count,
		  struct hw_nat_findings *ret_findings);

#endif
