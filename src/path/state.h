/*
 * The states of a path and what moves it from one to another: one table, in src/path/state.c, which
 * tests/unit/test_path.c holds cell by cell. What the events are, and when they happen, is path.c's;
 * docs/paths.md tells it in plain words.
 *
 *   PROBING   not yet shown to work: carries probes and challenges only
 *   UP        our packets arrive, as far as we know
 *   SUSPECT   in doubt: keeps its copies, while others carry copies too
 *   DOWN      does not work: probed with backoff, carries nothing else
 */
#ifndef HW_PATH_STATE_H
#define HW_PATH_STATE_H

#include <stdint.h>

#include "sched/sched.h"

#define HW_PATH_STATES 4u

enum hw_path_event {
	HW_PATH_EVENT_PROVEN,      /* an answer, or a report of something sent since the state began */
	HW_PATH_EVENT_SILENT,      /* what should have been reported long ago has not been */
	HW_PATH_EVENT_LOSSES,      /* three stamps in a row were lost, or the peer doubts it */
	HW_PATH_EVENT_SEND_FAILED, /* the system refused a packet */
	HW_PATH_EVENT_UNANSWERED,  /* a probe and its repetition were, while nothing was carried */
	HW_PATH_EVENT_RETRY,       /* a probe is overdue, or the next one due */
	HW_PATH_EVENT_GIVEN_UP,    /* as many probes as the state allows were in vain */
	HW_PATH_EVENT_GONE,        /* the link has gone, here or by the peer's word */
	HW_PATH_EVENT_LINK_DOWN,
	HW_PATH_EVENT_LINK_UP,     /* after LINK_DOWN only */
	HW_PATH_EVENT_READDRESSED, /* the link's addresses or routes have changed */
	HW_PATH_EVENT_SESSION,     /* a new session: the peer may have started anew */
	HW_PATH_EVENT_HEARD,       /* something authentic came in; at most one each 250 ms counts */
	HW_PATH_EVENTS
};

enum hw_path_do {
	HW_PATH_DO_NOTHING = 0,
	HW_PATH_DO_PROBE = 1,  /* send a probe at once */
	HW_PATH_DO_RENEW = 2,  /* count tries and backoff anew, as if the state had just begun */
	HW_PATH_DO_SETTLE = 4, /* take the first samples of the round trip for what they are */
	HW_PATH_DO_FORGET = 8, /* what was measured: the way out may be another one */
	HW_PATH_DO_RESEND = 16 /* what this path alone has carried goes out again on others */
};

struct hw_path_cell {
	enum hw_path_state next;
	unsigned actions; /* of enum hw_path_do */
};

/* What happens in that state upon that event. */
struct hw_path_cell hw_path_transition(enum hw_path_state state, enum hw_path_event event);

/* What the event means to a person who asks why the path is as it is; "" for those that say nothing. */
const char *hw_path_event_text(enum hw_path_event event);

#endif
