/*
 * The server of the control protocol: a Unix stream socket, mode 0660, in the daemon's event loop.
 *
 * Who may connect: root, the user that the daemon runs as, and whoever the file's mode lets in,
 * which is the group that owns the socket's file (the daemon's own group, so `chgrp` widens it on
 * purpose). The kernel checks the mode at connect(2); the peer's credentials (SO_PEERCRED) are
 * checked again here, so a file whose mode was loosened still admits nobody else.
 *
 * Whoever may connect may ask for everything, also for what changes the tunnel: the socket is as
 * powerful as the configuration file.
 *
 * Limits, each with a test that reaches it: HW_CONTROL_MAX_CLIENTS at a time (a further one is told
 * so and closed), lines of HW_CONTROL_LINE_MAX_BYTES, HW_CONTROL_IDLE without a whole request or
 * without reading the reply, one reply of HW_CONTROL_OUTPUT_MAX_BYTES waiting for each client.
 */
#ifndef HW_CONTROL_SERVER_H
#define HW_CONTROL_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"
#include "control/request.h"

#define HW_CONTROL_MAX_CLIENTS 16u
#define HW_CONTROL_OUTPUT_MAX_BYTES (256u * 1024u)
#define HW_CONTROL_IDLE HW_S(5)

struct hw_loop;
struct hw_control_server;

/* Who waits for an answer that takes its time. */
struct hw_control_ticket {
	uint64_t number; /* 0: nobody */
};

struct hw_control_handler {
	/* Gives the answer to a status request, a new reference; NULL when out of memory. */
	json_t *(*status)(void *ctx);
	/*
	 * Carries out a request of another kind and gives the whole reply, a new reference:
	 * {"ok":true,...} or {"ok":false,"error":TEXT,...}. NULL: the reply comes later, by
	 * hw_control_server_reply with this ticket; until then the client's next request waits, and
	 * as long as any client may be silent. May be NULL itself: there are no other kinds.
	 */
	json_t *(*act)(void *ctx, const struct hw_control_request *request,
		       struct hw_control_ticket ticket);
	void *ctx;
};

struct hw_control_counters {
	uint64_t accepted;
	uint64_t refused_full;   /* more clients than allowed */
	uint64_t refused_peer;   /* credentials not allowed */
	uint64_t dropped_line;   /* line too long */
	uint64_t dropped_idle;   /* silent for too long */
	uint64_t dropped_output; /* reply too large, or not read */
	uint64_t bad_requests;   /* answered with an error */
};

/*
 * Listen at `path`; `idle` is HW_CONTROL_IDLE but in tests. A stale socket file of a daemon that
 * died is replaced; HW_E_STATE: a living one listens there. HW_E_INVAL: path too long for a socket
 * address; HW_E_NOMEM; HW_E_SYSTEM (errno).
 */
HW_MUST_USE int hw_control_server_new(struct hw_loop *loop, const char *path, hw_time idle,
				      const struct hw_control_handler *handler,
				      struct hw_control_server **ret_server);

/* Closes all clients and removes the socket file. NULL is allowed. */
void hw_control_server_free(struct hw_control_server *server);

/*
 * The reply, which is taken, to the request of that ticket. Dropped when its client has gone in the
 * meantime.
 */
void hw_control_server_reply(struct hw_control_server *server, struct hw_control_ticket ticket,
			     json_t *reply, hw_time now);

/* {"ok":false,"error":text}: a new reference, NULL when out of memory. */
json_t *hw_control_error_reply(const char *text);

/* Close clients that have been idle for too long. Call once a wakeup. */
void hw_control_server_tick(struct hw_control_server *server, hw_time now);

/* When hw_control_server_tick is next needed. */
hw_time hw_control_server_next_deadline(const struct hw_control_server *server);

uint32_t hw_control_server_clients(const struct hw_control_server *server);
const struct hw_control_counters *
hw_control_server_counters(const struct hw_control_server *server);

#endif
