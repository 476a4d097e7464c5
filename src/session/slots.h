/*
 * The sessions of one peer: previous, current and next, as WireGuard's keypairs, but with several
 * previous ones. Pure decisions over time; who sends handshakes and when is not decided here.
 *
 * - An initiator's new session becomes current at once: the answer that made it proves that the
 *   responder has the keys.
 * - A responder's new session is `next` until the first packet under it opens; only then is it
 *   current and sealed with. A newer session of either kind in the meantime moves it among the
 *   superseded ones: the initiator may have used it already. If a packet under it still opens and
 *   nothing newer is current, it becomes so.
 * - Two nodes that begin at the same moment have a session each, of which each would go on with its
 *   own. So one of them yields (`yields`, which the two must see differently): a packet under the
 *   other's session makes that one current.
 * - A superseded session only opens. Packets under it may still be on the slowest path, and with
 *   rekeying faster than that path several sessions are in flight at once: so there are up to
 *   HW_SLOTS_PREVIOUS of them, each kept until nothing has been opened under it for keep_after (the
 *   replay window's time limit: what is later than that is refused anyway), counted from when it
 *   was superseded. Beyond HW_SLOTS_PREVIOUS the one superseded first goes. With the defaults that
 *   is one rekey each 0.6 s before anything is dropped early; memory is bounded by
 *   HW_SLOTS_SESSIONS sessions.
 * - No session seals or opens once it is reject_after old. Where that figure is lowered while sessions
 *   live, they keep the one that they began with.
 * - Rekeying is due, for who began the current session, rekey_after after its creation, when one
 *   stream has carried rekey_packets either way, or when half of what the suite allows one key was
 *   sealed either way; whether or not anything is being sent. (WireGuard's extra rule for an
 *   initiator that only receives is thereby not needed, nor one for the responder: the initiator
 *   sees both ways.)
 */
#ifndef HW_SESSION_SLOTS_H
#define HW_SESSION_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

struct hw_session;

#define HW_SLOTS_PREVIOUS 16u
#define HW_SLOTS_SESSIONS (HW_SLOTS_PREVIOUS + 2u)

struct hw_slots_params {
	hw_time rekey_after;    /* 120 s */
	hw_time reject_after;   /* 180 s; more than rekey_after */
	hw_time keep_after;     /* 10 s: the replay window's late_after */
	uint64_t rekey_packets; /* in one stream, either way */
	bool yields;            /* of two sessions that cross, the other side's counts */
	/*
	 * Takes each session that leaves the slots: forget its index, free it. NULL:
	 * hw_session_free. Must not call back into the slots.
	 */
	void (*drop)(void *ctx, struct hw_session *session);
	void *ctx;
};

struct hw_slots_previous {
	struct hw_session *session;
	hw_time superseded_at;
	bool unconfirmed; /* was never current here */
};

/* Read what you like; only the functions below write. */
struct hw_slots {
	struct hw_slots_params params;
	struct hw_session *current; /* NULL: none */
	struct hw_session *next;    /* NULL: none; a responder's, not confirmed yet */
	struct hw_slots_previous previous[HW_SLOTS_PREVIOUS]; /* superseded first at 0 */
	uint32_t previous_count;
};

void hw_slots_init(struct hw_slots *slots, const struct hw_slots_params *params);

/*
 * New figures: rekey_after, reject_after, keep_after and rekey_packets of `params`; the rest of it is
 * not looked at. No session is given up on their account: those that there are may only live longer.
 */
void hw_slots_set_figures(struct hw_slots *slots, const struct hw_slots_params *params);

/* Drops all sessions. */
void hw_slots_fini(struct hw_slots *slots);

/* Takes a new session. */
void hw_slots_install(struct hw_slots *slots, struct hw_session *session, hw_time now);

/*
 * A packet under this session, one of these slots, has just been opened. True when that confirmed a
 * new session, which is current from now on.
 */
bool hw_slots_opened(struct hw_slots *slots, struct hw_session *session, hw_time now);

/* The session to seal with now, or NULL: none, too old, or its packet limits are used up. */
struct hw_session *hw_slots_sealing(const struct hw_slots *slots, hw_time now);

/* Whether packets under this session, one of these slots, may be opened: it is not too old. */
bool hw_slots_may_open(const struct hw_slots *slots, const struct hw_session *session, hw_time now);

/* The session with that local index, or NULL. */
struct hw_session *hw_slots_find(const struct hw_slots *slots, uint32_t local_index);

/*
 * Whether this node should begin a handshake to renew the current session. False when there is no
 * session to seal with: then it is for the caller to say whether one is wanted.
 */
bool hw_slots_rekey_due(const struct hw_slots *slots, hw_time now);

/* Drop what is too old. */
void hw_slots_expire(struct hw_slots *slots, hw_time now);

/*
 * The next time after `now` at which rekeying becomes due or a session must be dropped by
 * hw_slots_expire; HW_TIME_NEVER when there is none. What is due already at `now` is not counted
 * again. Packet limits have no deadline: ask hw_slots_rekey_due once in a while.
 */
hw_time hw_slots_next_deadline(const struct hw_slots *slots, hw_time now);

/*
 * The other side said goodbye under this session, one of these slots: drop it and all that are not
 * newer. False, and nothing changes, when it has used a newer one already: then the goodbye is of the
 * past, and comes late by a slow path or by somebody who held it back. A newer one that nothing has
 * come in under stays in any case: it may be of the other side's next life.
 */
HW_MUST_USE bool hw_slots_close(struct hw_slots *slots, const struct hw_session *session);

/* Drop all sessions at once. */
void hw_slots_clear(struct hw_slots *slots);

#endif
