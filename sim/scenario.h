/*
 * Scenarios: what is simulated, as plain data, and their YAML files (docs/simulator.md).
 *
 * Files are read with the configuration's own reader, so faults name file, line, column and what to
 * write instead.
 */
#ifndef HW_SIM_SCENARIO_H
#define HW_SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "sim/attack.h"
#include "sim/link.h"
#include "sim/net.h"
#include "sim/spell.h"
#include "sim/store.h"
#include "sim/traffic.h"

#define HW_SIM_MAX_TRAFFIC 32u
#define HW_SIM_MAX_EVENTS 128u
#define HW_SIM_MAX_ATTACKS 8u
#define HW_SIM_MAX_JOINTS 4u
#define HW_SIM_MAX_EXPECTS 64u
#define HW_SIM_MAX_OUTAGES 16u
#define HW_SIM_PATH_BYTES HW_TRACE_PATH_BYTES

struct hw_config_report;

/* One way of a link, with room for what its params point to. Use hw_sim_way_params to read it. */
struct hw_sim_way_config {
	struct hw_link_params params;
	struct hw_link_outage outages[HW_SIM_MAX_OUTAGES];
	const struct hw_capacity_trace *capacity; /* the scenario's */
	const struct hw_loss_trace *trace;
};

struct hw_sim_link_config {
	char name[HW_CORE_NAME_BYTES];
	enum hw_link_use use;
	uint32_t price;
	uint32_t mtu_bytes; /* of the interface, for IP packets */
	bool ipv6;
	bool absent;                     /* the interface is not there at the start */
	struct hw_sim_way_config way[2]; /* up, down */
};

enum hw_sim_action {
	HW_SIM_DO_CUT = 0, /* links, silently: nothing passes any more */
	HW_SIM_DO_RESTORE,
	HW_SIM_DO_CHANGE,
	HW_SIM_DO_INTERFACE_DOWN, /* the client's system tells */
	HW_SIM_DO_INTERFACE_UP,
	HW_SIM_DO_UNPLUG, /* the interface is gone altogether, and the link with it */
	HW_SIM_DO_PLUG,
	HW_SIM_DO_REBIND,
	HW_SIM_DO_ROAM,
	HW_SIM_DO_READDRESS, /* the client's own address changes, and its system tells */
	HW_SIM_DO_USE,       /* the client's operator decides */
	HW_SIM_DO_MTU,       /* the client's interface takes packets of another size */
	HW_SIM_DO_FLAP,      /* down and up, many times */
	HW_SIM_DO_STOP, /* nodes, without a word */
	HW_SIM_DO_START,
	HW_SIM_DO_RESTART,
	HW_SIM_DO_GOODBYE, /* stop, after telling the peer */
	HW_SIM_DO_CLOCK,
	HW_SIM_ACTIONS
};

/* What a flapping link suffers. */
enum hw_sim_flap_how { HW_SIM_FLAP_SILENT = 0, HW_SIM_FLAP_INTERFACE, HW_SIM_FLAP_PLUG };

struct hw_sim_action_config {
	hw_time at;
	hw_time spread; /* so much later at most, drawn from the run's seed */
	enum hw_sim_action action;
	uint32_t link;
	enum hw_sim_side node;
	struct hw_sim_way_config
		way[2]; /* cut, restore, change: the link's parameters from now on */
	int64_t by_ns;  /* clock */
	bool told;      /* clock: the node notices */
	hw_time until, period; /* flap: it ends; one down and one up */
	double up;             /* flap: the share of each period that the link is up */
	enum hw_sim_flap_how how;
	enum hw_link_use use;
	uint32_t mtu_bytes;
};

/* A bound on an outcome: a value of a traffic, a link, a node or the whole run. */
struct hw_sim_expect {
	char of[HW_CORE_NAME_BYTES]; /* the name of a traffic or link, "client", "hub" or "run" */
	char value[40];
	bool back; /* of a traffic: its answers; of a link: down */
	bool has_min, has_max, has_near;
	double min, max;
	double near; /* a probability that the 99.9 % interval must hold */
	uint32_t line, column;
};

struct hw_sim_node_faults {
	double send_failure;
	int64_t wall_offset_ns; /* how wrong the wall clock is at the start */
};

struct hw_sim_scenario {
	char file[HW_SIM_PATH_BYTES];
	char name[HW_CORE_NAME_BYTES];
	hw_time duration; /* traffic ends here */
	hw_time drain;    /* and then so long for what is still on its way */
	uint64_t seed;
	uint32_t strategy; /* hw_strategy_at */
	bool layer2;
	uint32_t tunnel_mtu;
	bool compression;
	bool mss_clamp;
	uint32_t replay_packets;
	hw_time replay_time, rekey_after, reject_after;
	uint64_t rekey_packets;
	bool own_hub_addrs; /* the hub has an address for each link, else one for all */
	struct hw_sim_link_config links[HW_SIM_MAX_WIRES];
	uint32_t link_count;
	struct hw_sim_traffic_config traffic[HW_SIM_MAX_TRAFFIC];
	uint32_t traffic_count;
	struct hw_sim_action_config events[HW_SIM_MAX_EVENTS];
	uint32_t event_count;
	struct hw_sim_attack_config attacks[HW_SIM_MAX_ATTACKS];
	uint32_t attack_count;
	struct hw_sim_joint_config joints[HW_SIM_MAX_JOINTS];
	uint32_t joint_count;
	struct hw_sim_expect expects[HW_SIM_MAX_EXPECTS];
	uint32_t expect_count;
	struct hw_sim_node_faults nodes[2];
	struct hw_trace_store recordings;
};

/* Defaults of everything that has one: no links, no traffic. */
void hw_sim_scenario_init(struct hw_sim_scenario *scenario);

/*
 * Read a scenario file, and the traces that it names. The caller frees it with
 * hw_sim_scenario_free. HW_E_SYSTEM: the file cannot be read; HW_E_MALFORMED: it is wrong; the
 * report says what. HW_E_NOMEM.
 */
HW_MUST_USE int hw_sim_scenario_load(const char *path, struct hw_config_report *report,
				     struct hw_sim_scenario **ret_scenario);

/* The same for a text in memory; `name` stands for the file. */
HW_MUST_USE int hw_sim_scenario_parse(const char *text, size_t len, const char *name,
				      struct hw_config_report *report,
				      struct hw_sim_scenario **ret_scenario);

/* NULL is allowed. */
void hw_sim_scenario_free(struct hw_sim_scenario *scenario);

/* A scenario drawn from the seed: links, traffic and events of all kinds. HW_E_NOMEM. */
HW_MUST_USE int hw_sim_scenario_random(uint64_t seed, struct hw_sim_scenario **ret_scenario);

/* The link's parameters, with pointers into `config`, which must stay where it is. */
struct hw_link_params hw_sim_way_params(const struct hw_sim_way_config *config);

/* What a value name in `expect` may be; ends with NULL. */
extern const char *const hw_sim_traffic_values[];
extern const char *const hw_sim_link_values[];
extern const char *const hw_sim_run_values[];
extern const char *const hw_sim_node_values[]; /* beside these: every drop reason */

#endif
