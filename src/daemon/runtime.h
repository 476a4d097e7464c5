/*
 * What one running daemon consists of. Only the files of this folder see inside.
 *
 *     daemon.c     start, run, stop
 *     pump.c       packets and datagrams between the system and the core
 *     links.c      the sockets of each link, which come and go with their interfaces
 *     endpoints.c  names of the peer's addresses, resolved and resolved again
 *     events.c     what the core tells, as log lines
 *     cost.c       what the links carry, and their quotas
 *     persist.c    the state file
 *     report.c     the status
 *     reload.c     the configuration file, read again
 *     operator.c   what is asked while it runs
 */
#ifndef HW_DAEMON_RUNTIME_H
#define HW_DAEMON_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "control/server.h"
#include "core/core.h"
#include "daemon/flap.h"
#include "daemon/log.h"
#include "daemon/state.h"
#include "io/loop.h"
#include "io/tuntap.h"
#include "io/udp.h"

#define HW_DAEMON_OUT_BATCH 256u
#define HW_DAEMON_PATH_BYTES 256u

struct hw_daemon;
struct hw_netlink;
struct hw_worker;

/* Where the counting of one link stands (cost.c). */
struct hw_daemon_meter {
	bool attached;
	uint32_t account;             /* its place in daemon->state.links */
	struct hw_udp_counters seen;  /* what is in the account already */
	uint64_t unsaved_bytes;       /* in the account, not yet given to the disk */
	hw_time advanced_at;          /* running time up to here is in the quota's behind_s */
	bool warned;
	struct hw_log_flap flap;
};

struct hw_daemon_socket {
	struct hw_daemon_link *link;
	enum hw_udp_socket_family family;
	struct hw_loop_source source;
};

/*
 * A link is a slot, numbered as the core numbers it. Links come and go while the daemon runs, so
 * look at `used` first, and keep no pointer to `rule` across hw_daemon_links_reload.
 */
struct hw_daemon_link {
	struct hw_daemon *daemon;
	bool used;
	uint32_t index;                    /* the core's number, the place in daemon->links */
	const struct hw_config_link *rule; /* the rule of the configuration that it came from */
	char name[HW_CORE_NAME_BYTES];     /* the rule's, or made of the interface's */
	char interface[IFNAMSIZ];          /* "": bound to none */

	bool admin_down;               /* the operator took it down at run time */
	bool use_overridden;           /* the operator's use counts, not the rule's */
	enum hw_link_use use_override;
	bool quota_spent;              /* nothing but the peer's packets may cost anything here now */

	struct hw_udp udp;
	struct hw_daemon_socket sockets[HW_UDP_SOCKETS];
	uint32_t interface_index; /* of the interface it is open on, 0: of none */
	uint32_t mtu_bytes;       /* as told to the core */
	bool broken;              /* a system call said so: close it when that is safe */
	hw_time retry_at;   /* HW_TIME_NEVER: open, or waiting for news of its interface */
	hw_time backoff;
	struct hw_log_limit limit;
	struct hw_daemon_meter meter;
};

/* The peer's addresses on one link, or on all. */
struct hw_daemon_endpoints {
	struct hw_daemon *daemon;
	uint32_t link; /* or HW_LINK_ALL */
	const struct hw_config_endpoint *config;
	uint32_t count;
	bool has_names; /* not all of them are literal addresses */
	bool resolving;
	hw_time resolve_at;
	hw_time backoff;
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS]; /* as told to the core */
	size_t addr_count;
	struct hw_log_limit limit;
};

struct hw_daemon {
	const struct hw_config *config;
	struct hw_config *own_config; /* the same when it was reloaded, else NULL */
	bool reloading, reload_again;
	uint32_t packet_bytes; /* the largest tunnel.mtu that the buffers take */
	struct hw_log log;
	struct hw_loop *loop;
	struct hw_pool *pool;
	struct hw_core *core;
	hw_time started;

	struct hw_netlink *netlink;
	struct hw_loop_source netlink_source;
	struct hw_tuntap tunnel;
	uint8_t hardware[6]; /* the Ethernet address of the tunnel device */
	struct hw_loop_source tunnel_source;
	bool tunnel_busy; /* the last read found more than one packet */
	int clock_fd;
	struct hw_loop_source clock_source;
	struct hw_control_server *control;

	struct hw_daemon_link links[HW_CORE_MAX_LINKS];
	struct hw_udp_batch *batch;
	struct hw_datagram_out out[HW_DAEMON_OUT_BATCH];

	struct hw_worker *resolver; /* names: may hang for as long as DNS does */
	struct hw_loop_source resolver_source;
	struct hw_daemon_endpoints endpoints[HW_CORE_MAX_LINKS + 1];
	uint32_t endpoints_count;
	bool session_up;

	struct hw_worker *disk; /* the state file: may hang for as long as the disk does */
	struct hw_loop_source disk_source;
	char state_path[HW_DAEMON_PATH_BYTES];
	struct hw_state state;
	bool saving, save_again;
	hw_time save_at;  /* when it must be written next; HW_TIME_NEVER: nothing has changed */
	hw_time cost_at;  /* when the first period of a quota ends */
	hw_time saved_at; /* when it was last given to the disk's thread */

	struct hw_log_flap path_flaps[HW_CORE_MAX_PATHS + 1]; /* by the core's number; last: others */
	struct hw_log_flap session_flap;
	hw_time flap_at; /* when the first of all flaps, those of links too, is to be summed up */
	struct hw_log_limit stall_limit;
	struct hw_log_limit general_limit;
	bool failed; /* stop, and say so */
};

/* pump.c */
int hw_daemon_pump_start(struct hw_daemon *daemon); /* HW_E_NOMEM, HW_E_SYSTEM */
void hw_daemon_pump_stop(struct hw_daemon *daemon);
void hw_daemon_udp_ready(void *ctx, uint32_t events, hw_time now); /* ctx: hw_daemon_socket */
void hw_daemon_flush(struct hw_daemon *daemon, hw_time now);

/* links.c */
void hw_daemon_links_start(struct hw_daemon *daemon, hw_time now);
void hw_daemon_links_stop(struct hw_daemon *daemon);
void hw_daemon_links_tick(struct hw_daemon *daemon, hw_time now);
hw_time hw_daemon_links_deadline(const struct hw_daemon *daemon);
void hw_daemon_netlink_ready(void *ctx, uint32_t events, hw_time now); /* ctx: hw_daemon */
const char *hw_daemon_link_name(const struct hw_daemon *daemon, uint32_t link);

/* The link of that name, or NULL. */
struct hw_daemon_link *hw_daemon_link_find(struct hw_daemon *daemon, const char *name);

/* The use that counts now: never when the quota is spent, else the operator's, else the rule's. */
enum hw_link_use hw_daemon_link_use(const struct hw_daemon_link *link);

/* Tell the core what use, price and name a link has: one of them has changed. */
void hw_daemon_link_apply_use(struct hw_daemon_link *link, hw_time now);

/*
 * What the operator and the quota say at run time; each takes effect at once. It holds for as long
 * as the link's slot is in use, and over a reload.
 */
void hw_daemon_link_set_admin_down(struct hw_daemon_link *link, bool down, hw_time now);
void hw_daemon_link_override_use(struct hw_daemon_link *link, enum hw_link_use use, hw_time now);
void hw_daemon_link_forget_override(struct hw_daemon_link *link, hw_time now);
void hw_daemon_link_set_quota_spent(struct hw_daemon_link *link, bool spent, hw_time now);

/*
 * Follow another configuration: its links and endpoints instead of those of daemon->config, which
 * must still exist and may be freed, after daemon->config is set, when this has returned. Links
 * that both know keep their sockets, paths and the operator's words.
 */
void hw_daemon_links_reload(struct hw_daemon *daemon, const struct hw_config *next, hw_time now);

/* endpoints.c */
int hw_daemon_endpoints_start(struct hw_daemon *daemon, hw_time now); /* HW_E_* of the core */
void hw_daemon_endpoints_tick(struct hw_daemon *daemon, hw_time now);
hw_time hw_daemon_endpoints_deadline(const struct hw_daemon *daemon);

/* events.c */
void hw_daemon_events(struct hw_daemon *daemon, hw_time now);
/* After hw_log_change: daemon->flap_at knows of it. */
void hw_daemon_flap_due(struct hw_daemon *daemon, const struct hw_log_flap *flap);
void hw_daemon_events_stop(struct hw_daemon *daemon); /* tells what is held back */

/* persist.c */
void hw_daemon_state_start(struct hw_daemon *daemon); /* reads the file */
void hw_daemon_state_stop(struct hw_daemon *daemon, hw_time now); /* posts what is not posted yet */
void hw_daemon_state_save(struct hw_daemon *daemon, hw_time now);
void hw_daemon_state_save_by(struct hw_daemon *daemon, hw_time at); /* at that time at the latest */

/* cost.c */
void hw_daemon_cost_start(struct hw_daemon *daemon);

/*
 * A slot has been filled, or its rule has changed: finds what the link has carried so far and sets
 * quota_spent; the caller tells the core (hw_daemon_link_apply_use). Before a slot is emptied or its
 * sockets' counters begin anew: hw_daemon_cost_link_gone.
 */
void hw_daemon_cost_link(struct hw_daemon_link *link, hw_time now);
void hw_daemon_cost_link_gone(struct hw_daemon_link *link, hw_time now);

void hw_daemon_cost_clock_set(struct hw_daemon *daemon, hw_time now);
void hw_daemon_cost_settle(struct hw_daemon *daemon, hw_time now); /* before the state is saved */
void hw_daemon_cost_tick(struct hw_daemon *daemon, hw_time now);

struct hw_status_link;
/* Fills in what is carried, and the quota. */
void hw_daemon_cost_status(const struct hw_daemon_link *link, struct hw_status_link *ret_status);

/* report.c */
void hw_daemon_report_handler(struct hw_daemon *daemon, struct hw_control_handler *ret_handler);

/* reload.c */

/*
 * Read the configuration's file again, and take it over if that can be done while running; the reply
 * goes to who holds the ticket. False: one is under way already (after which another begins, if
 * nobody waits for this one), or there is no memory.
 */
bool hw_daemon_reload(struct hw_daemon *daemon, struct hw_control_ticket ticket);

/* operator.c: hw_control_handler.act */
json_t *hw_daemon_act(void *ctx, const struct hw_control_request *request,
		      struct hw_control_ticket ticket);

#endif
