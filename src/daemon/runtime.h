/*
 * What one running daemon consists of. Only the files of this folder see inside.
 *
 *     daemon.c     start, run, stop
 *     pump.c       packets and datagrams between the system and the core
 *     links.c      which links there are: news of the network, what follows from it
 *     link.c       one link: its sockets, its use, what the core is told of it
 *     picture.c    what the network looks like
 *     discover.c   which links the configuration makes of that
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
#include "daemon/discover.h"
#include "daemon/flap.h"
#include "daemon/log.h"
#include "daemon/picture.h"
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
	struct hw_discover_link found; /* what discovery says of it */
	uint32_t interface_index; /* of the interface its sockets are bound to, 0: of none */
	bool up;                  /* as told to the core; its sockets are open */
	uint32_t mtu_bytes;       /* as told to the core */
	uint64_t fingerprint;     /* of the addresses and routes that the core's paths were made with */
	struct hw_addr told[HW_CORE_MAX_ENDPOINTS]; /* the peer's addresses, as told to the core */
	size_t told_count;
	bool broken;              /* a system call said so: close it when that is safe */
	hw_time retry_at;         /* HW_TIME_NEVER: open, or waiting for news of its interface */
	hw_time backoff;
	struct hw_log_limit limit;
	struct hw_daemon_meter meter;
};

/* What the operator has said of a link, kept by its name: it may be unplugged and come again. */
#define HW_DAEMON_WORDS 64u
struct hw_daemon_word {
	char name[HW_CORE_NAME_BYTES]; /* "": free */
	bool down;
	bool overridden;
	enum hw_link_use use;
};

/* The peer's addresses, as one rule of the configuration has them, or as they are for all. */
struct hw_daemon_endpoints {
	const struct hw_config_endpoint *config;
	uint32_t count; /* 0: there are none */
	bool has_names; /* not all of them are literal addresses */
	bool resolving;
	bool silent;    /* no path to them works: they may have moved */
	hw_time resolve_at, resolved_at;
	hw_time backoff;
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	size_t addr_count;
	struct hw_log_limit limit;
};

/* Sets of endpoints: the peer's own, then those of each rule. */
#define HW_DAEMON_ENDPOINTS (1u + HW_CORE_MAX_LINKS)

/* A path, by its number, as events tell of it. */
struct hw_daemon_path {
	bool works; /* UP or SUSPECT */
	uint32_t link;
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

	struct hw_picture picture;
	bool picture_lost;  /* news was lost: make it anew */
	bool look_due;      /* links may have to be others */
	hw_time picture_at; /* no sooner than this is anything of it asked for again */
	char crowded_out[HW_LOG_LINE_BYTES / 2]; /* as last said */
	struct hw_discover_overlap overlaps[HW_DISCOVER_NAMES_MAX]; /* said already */
	uint32_t overlap_count;

	struct hw_daemon_link links[HW_CORE_MAX_LINKS];
	struct hw_daemon_word words[HW_DAEMON_WORDS];
	struct hw_udp_counters retired; /* of links that are no more */
	struct hw_udp_batch *batch;
	struct hw_datagram_out out[HW_DAEMON_OUT_BATCH];

	struct hw_worker *resolver; /* names: may hang for as long as DNS does */
	struct hw_loop_source resolver_source;
	struct hw_daemon_endpoints endpoints[HW_DAEMON_ENDPOINTS];
	uint32_t endpoints_generation; /* answers to questions of an older one are dropped */
	struct hw_daemon_path paths[HW_CORE_MAX_PATHS];
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
	struct hw_log_flap link_flaps[HW_CORE_MAX_LINKS]; /* by slot: links come and go with what flaps */
	struct hw_log_flap session_flap;
	hw_time flap_at; /* when the first of all flaps, those of links too, is to be summed up */
	struct hw_log_limit stall_limit;
	struct hw_log_limit general_limit;
	bool failed; /* stop, and say so */

	/* A probe (probe.c): no tunnel device and no control socket, but work of its own. */
	bool bare;
	hw_time (*extra)(void *ctx, hw_time now); /* at each wakeup; gives when it is next needed */
	void *extra_ctx;
};

/*
 * daemon.c. Start, with what is in `config`, `log`, `bare` and `extra`, and stop whatever was started;
 * `goodbye`: the peer and the state file are told. HW_E_*: the reason has been logged.
 */
HW_MUST_USE int hw_daemon_open(struct hw_daemon *daemon);
void hw_daemon_close(struct hw_daemon *daemon, bool goodbye);

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

/*
 * Follow another configuration: its links and endpoints instead of those of daemon->config, which
 * becomes `next` and may be freed when this has returned. Links that both know keep their sockets,
 * paths and the operator's words.
 */
void hw_daemon_links_reload(struct hw_daemon *daemon, const struct hw_config *next, hw_time now);

/* Addresses of the peer have changed: links may be others, and have other ways. */
void hw_daemon_links_endpoints_changed(struct hw_daemon *daemon, hw_time now);

/* link.c */
const char *hw_daemon_link_name(const struct hw_daemon *daemon, uint32_t link); /* "?": none */

/* The link of that name, or NULL. */
struct hw_daemon_link *hw_daemon_link_find(struct hw_daemon *daemon, const char *name);

/* "up", or why it is not: "its interface has no carrier" and the like. */
const char *hw_daemon_link_state(const struct hw_daemon_link *link);

/* Fill a slot; empty it. */
void hw_daemon_link_begin(struct hw_daemon *daemon, uint32_t index,
			  const struct hw_config_link *rule, const struct hw_discover_link *found,
			  hw_time now);
void hw_daemon_link_end(struct hw_daemon_link *link, hw_time now);

/* The link is to be as this says, now: another name, interface, MTU or state, other addresses. */
void hw_daemon_link_follow(struct hw_daemon_link *link, const struct hw_config_link *rule,
			   const struct hw_discover_link *found, hw_time now);

/* Close what broke, try again what failed; when that is next needed. */
void hw_daemon_link_tick(struct hw_daemon_link *link, hw_time now);

void hw_daemon_link_close(struct hw_daemon_link *link); /* says nothing to the core */

/* The use that counts now: never when the quota is spent, else the operator's, else the rule's. */
enum hw_link_use hw_daemon_link_use(const struct hw_daemon_link *link);

/* Tell the core what use, price and name a link has: one of them has changed. */
void hw_daemon_link_apply_use(struct hw_daemon_link *link, hw_time now);

/*
 * What the operator and the quota say at run time; each takes effect at once. The operator's word is
 * kept by the link's name until a restart (operator.c).
 */
void hw_daemon_link_set_admin_down(struct hw_daemon_link *link, bool down, hw_time now);
void hw_daemon_link_override_use(struct hw_daemon_link *link, enum hw_link_use use, hw_time now);
void hw_daemon_link_forget_override(struct hw_daemon_link *link, hw_time now);
void hw_daemon_link_set_quota_spent(struct hw_daemon_link *link, bool spent, hw_time now);


/* endpoints.c */
void hw_daemon_endpoints_start(struct hw_daemon *daemon, hw_time now);

/* As daemon->config says from now on; what is known of names that it has too is kept. */
void hw_daemon_endpoints_reload(struct hw_daemon *daemon, const struct hw_config *next, hw_time now);

/*
 * What is known of the peer's addresses by that rule: its own, or, while it has none, the peer's.
 * ret_expected: there is none yet, but will be.
 */
size_t hw_daemon_endpoints_of(const struct hw_daemon *daemon, uint32_t rule,
			      const struct hw_addr **ret_addrs, bool *ret_expected);

/* All that is known, each once. */
size_t hw_daemon_endpoints_all(const struct hw_daemon *daemon,
			       struct hw_addr ret_addrs[HW_PICTURE_ENDPOINTS_MAX]);

/* Tell the core the addresses that the link has a source for. */
void hw_daemon_endpoints_tell(struct hw_daemon_link *link, hw_time now);

/* A link came up, or a path changed state: names may be worth another question. */
void hw_daemon_endpoints_hurry(struct hw_daemon *daemon, hw_time now);
void hw_daemon_endpoints_event(struct hw_daemon *daemon, const struct hw_event *event, hw_time now);
void hw_daemon_endpoints_tick(struct hw_daemon *daemon, hw_time now);
hw_time hw_daemon_endpoints_deadline(const struct hw_daemon *daemon);

/* events.c */
void hw_daemon_events(struct hw_daemon *daemon, hw_time now);
/* "link NAME: ...": something of the link has changed. */
void hw_daemon_link_say(struct hw_daemon_link *link, hw_time now, enum hw_log_level level,
			const char *format, ...) HW_PRINTF(4, 5);

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

/* operator.c */

/* The link has got its name, instead of `before` ("": it is new): the operator's word of it holds. */
void hw_daemon_operator_named(struct hw_daemon_link *link, const char *before);

/* hw_control_handler.act */
json_t *hw_daemon_act(void *ctx, const struct hw_control_request *request,
		      struct hw_control_ticket ticket);

#endif
