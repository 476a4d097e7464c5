/*
 * The work behind `hawser probe`: the configuration's links, sockets and session without the tunnel
 * device, and a survey (survey/survey.h) over them. The same code as the daemon's opens the links,
 * resolves names, keeps the state file (the floor of timestamps, what each link has carried).
 *
 * One daemon or probe serves a device at a time: both have the same keys, and the peer would follow
 * whichever spoke last. The caller asks the control socket first.
 */
#ifndef HW_DAEMON_PROBE_H
#define HW_DAEMON_PROBE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "io/reach.h"
#include "survey/nat.h"
#include "survey/survey.h"

#define HW_PROBE_LINKS (2 * HW_CORE_MAX_LINKS) /* those that there are, and rules without any */

struct hw_probe;

enum hw_probe_trouble {
	HW_PROBE_FINE,         /* its sockets are open */
	HW_PROBE_UNUSED,       /* `use: never`: not looked at, and no fault */
	HW_PROBE_SPENT,        /* its quota is used up: the same */
	HW_PROBE_NO_INTERFACE, /* none of that name or pattern */
	HW_PROBE_DOWN,         /* the interface is not up */
	HW_PROBE_NO_CARRIER,
	HW_PROBE_NO_ADDRESS, /* the source address that it names is not there */
	HW_PROBE_PORT_TAKEN,
	HW_PROBE_NOT_PERMITTED,
	HW_PROBE_NO_ENDPOINT, /* no address of the peer: its name does not resolve */
	HW_PROBE_NO_SOCKET    /* something else */
};

struct hw_probe_link {
	char name[HW_CORE_NAME_BYTES];
	char interface[IFNAMSIZ]; /* or the pattern that none fits; "": none */
	bool pattern;             /* its rule may stand for none: no fault */
	uint32_t number;          /* the core's and the survey's; UINT32_MAX: it has none */
	uint32_t price;
	bool metered;
	uint32_t interface_mtu; /* bytes of IP; 0: not known */
	enum hw_probe_trouble trouble;
	bool reach_asked; /* the first address of the peer did not answer */
	enum hw_reach reach;
	struct hw_addr asked; /* that address */
	struct hw_nat_findings nat;
};

struct hw_probe_report {
	const struct hw_config *config;
	struct hw_probe_link links[HW_PROBE_LINKS];
	uint32_t link_count;
	const struct hw_survey_result *survey; /* NULL before hw_probe_run */
	bool interrupted;                      /* by a signal */
	hw_time took;
};

/*
 * Open the links; the configuration must outlive the probe. What fails is logged on standard error.
 * HW_E_*.
 */
HW_MUST_USE int hw_probe_new(const struct hw_config *config, struct hw_probe **ret_probe);
void hw_probe_free(struct hw_probe *probe); /* NULL is allowed; says goodbye to the peer */

/*
 * Wait for a line on standard input, the session living on meanwhile: whether it begins with y.
 * HW_E_STATE: a signal came first; HW_E_SYSTEM.
 */
HW_MUST_USE int hw_probe_ask(struct hw_probe *probe, bool *ret_yes);

/* Survey the links, until it is over or a signal comes. HW_E_NOMEM, HW_E_SYSTEM. */
HW_MUST_USE int hw_probe_run(struct hw_probe *probe, const struct hw_survey_config *config,
			     void (*told)(void *ctx, const struct hw_survey_news *news), void *ctx);

const struct hw_probe_report *hw_probe_report(const struct hw_probe *probe);

#endif
