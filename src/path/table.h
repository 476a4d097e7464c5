/*
 * The paths of one peer, and the candidates that may become paths.
 *
 * How the core uses it:
 *
 *   incoming   path = hw_path_table_find(tuple). After the tag: hw_path_heard(path), or, when no
 *              path has the tuple, hw_path_table_heard_unknown; the inner packet is delivered in
 *              either case. Stamps: hw_path_rx_stamp(&path->rx, &table->clock, stamp); those from
 *              candidates are not measured.
 *   frames     PROBE_REPLY -> hw_path_probe_replied + hw_path_table_learn_peer_id;
 *              PROBE -> hw_path_table_learn_peer_id with `proven` false, then answer;
 *              CHALLENGE -> answer with the path's id (no answer while it has none);
 *              CHALLENGE_REPLY -> hw_path_table_challenge_replied;
 *              REPORT -> hw_path_table_at(entry's path id), hw_path_reported.
 *   timers     hw_path_table_tick at hw_path_table_deadline.
 *   afterwards hw_path_table_next until it gives false; do what each action says.
 *
 * CANDIDATES. An authentic packet from an unknown tuple makes a candidate (at most 4): nothing is
 * allocated or remembered for packets that did not pass their tag. It is asked with 8 unpredictable
 * bytes at 0, 200, 400, 800, 1600, 3200 and 6400 ms (each from the first), then forgotten at 15 s,
 * which gives an answer time on a path of several seconds. Until it answers it is sent at most 3 times the bytes that came from it (RFC 9000, section 8.1): ask
 * hw_candidate_may_send before anything goes there. When all slots are taken, the oldest unanswered
 * candidate is replaced if its first repetition is due; else the newcomer waits its turn.
 *
 * ROAMING. The answer carries the peer's path id. If no path has it, the candidate becomes a path.
 * If one does, it may have moved (NAT rebinding, new address), or a stranger relays copies of its
 * packets. So together with the candidate every UP or SUSPECT path of the same link is asked, at 0,
 * 30 and 60 ms; a path that answers from its own tuple keeps it, and the candidate is refused (and
 * remembered as such until 1600 ms after its creation). The path moves at the later of the
 * candidate's answer and max(100 ms, 60 ms + rtt + 4 * variation) after it was first asked itself
 * (310 ms when its rtt is unknown): within 1 RTT + 100 ms while the variation is below 10 ms. A
 * path that is not UP or SUSPECT has failed its probes, and moves at once. A moved path keeps its
 * number, its accounting and its peer id; its RTT starts anew. A candidate that finds no room takes the
 * place, in the same way, of the learnt path that has been DOWN the longest.
 */
#ifndef HW_PATH_TABLE_H
#define HW_PATH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/siphash.h"
#include "base/time.h"
#include "path/joint.h"
#include "path/owd.h"
#include "path/path.h"
#include "sched/sched.h"

#define HW_PATH_TABLE_PATHS 16u
#define HW_PATH_TABLE_LEARNT 16u /* of them, learnt from the peer */
#define HW_PATH_TABLE_CANDIDATES 4u
#define HW_PATH_TABLE_HITS 4u /* tuples whose path is found at once: links share them */
#define HW_PATH_AMPLIFICATION 3u
#define HW_PATH_SEED_BYTES 16u

struct hw_candidate {
	bool used;
	struct hw_tuple tuple;
	struct hw_path_link link;
	struct hw_siphash_key seed; /* all challenges on its account come from it */
	uint8_t challenge[HW_PATH_CHALLENGE_BYTES];
	bool challenge_due;
	unsigned tries;
	hw_time created;
	hw_time asked_at; /* last challenge; HW_TIME_NEVER: none went out yet */
	hw_time next_at;  /* next repetition, end, or move */
	uint64_t rx_bytes, tx_bytes;
	bool answered; /* and waits for the old path's silence */
	bool refused; /* the path that it claimed to be has answered */
	uint8_t peer_id;
	int64_t rtt_ns; /* -1: the challenge was repeated, so the sample is ambiguous (Karn) */
};

/* What was found last for a tuple; of another tuple, or of a path that has moved on, it says nothing. */
struct hw_path_hit {
	struct hw_tuple tuple;
	uint32_t id; /* HW_PATH_TABLE_PATHS: none */
};

struct hw_path_table {
	struct hw_path paths[HW_PATH_TABLE_PATHS];
	struct hw_candidate candidates[HW_PATH_TABLE_CANDIDATES];
	struct hw_path_theirs theirs[HW_PATH_TABLE_PATHS]; /* by the peer's number for the path */
	struct hw_owd_clock clock;
	struct hw_joint joint_rx, joint_tx; /* which paths are bad together, towards us and away */
	struct hw_path_context context; /* the core keeps session, initiator and last_data */
	uint32_t count;
	uint32_t end; /* one past the highest number in use */
	struct hw_path_hit hits[HW_PATH_TABLE_HITS];

	struct hw_sched_path views[HW_PATH_TABLE_PATHS];
	size_t view_count;
	uint32_t payload_bytes, clamp_bytes;
	hw_time views_at;
	bool views_stale;
};

void hw_path_table_init(struct hw_path_table *table);

/*
 * The path of that tuple, or NULL. A path whose local address is NONE (the kernel picks it) is
 * found by any local address of its link. One that is answered from another address is found by both.
 */
struct hw_path *hw_path_table_find(struct hw_path_table *table, const struct hw_tuple *tuple);

/*
 * The answer to our probe of that path came from another address, which no path has: some hosts, and the
 * NATs before them, answer from another one than they were called at. If the path is a configured one
 * that does not work, and has been asked with that token, it is taken for the path's from now on, and the
 * path's own address is still where packets go: so whoever relays an answer wins nothing. Until the path
 * fails again. Returns whether it is so; then give the answer to hw_path_probe_replied.
 */
bool hw_path_table_answered_elsewhere(struct hw_path_table *table, struct hw_path *path,
				      const struct hw_tuple *tuple, uint64_t token);

/* By our number; by the peer's; NULL when there is none. */
struct hw_path *hw_path_table_at(struct hw_path_table *table, uint32_t id);
struct hw_path *hw_path_table_by_peer_id(struct hw_path_table *table, uint8_t peer_id);

/*
 * Add a path towards a configured endpoint, or one that a handshake has shown to be the peer's
 * (`learnt`). It takes the lowest free number, starts in PROBING and its NEW event is pending. A
 * candidate of that tuple is forgotten. HW_E_LIMIT: 16 paths. HW_E_STATE: the
 * tuple has a path already.
 */
HW_MUST_USE int hw_path_table_add(struct hw_path_table *table, const struct hw_tuple *tuple,
				  const struct hw_path_link *link, bool learnt, hw_time now,
				  struct hw_path **ret_path);

void hw_path_table_remove(struct hw_path_table *table, struct hw_path *path);

/*
 * Our address on this path is no more: which one it has is left to the system from now on. Gives
 * whether anything changed; not where it is so already, or where another path has the place.
 */
bool hw_path_table_forget_local(struct hw_path_table *table, struct hw_path *path);

/*
 * An authentic packet of `bytes` from a tuple that no path has. `seed`: fresh unpredictable bytes
 * (used for a new candidate only). Returns 0 and the candidate (new or known), or HW_E_LIMIT.
 */
HW_MUST_USE int hw_path_table_heard_unknown(struct hw_path_table *table,
					    const struct hw_tuple *tuple,
					    const struct hw_path_link *link, uint32_t bytes,
					    const uint8_t seed[HW_PATH_SEED_BYTES], hw_time now,
					    struct hw_candidate **ret_candidate);

/* The link is down, or no more, or not to be used: forget the candidates on it. */
void hw_path_table_forget_candidates(struct hw_path_table *table, uint32_t link);

struct hw_candidate *hw_path_table_candidate(struct hw_path_table *table,
					     const struct hw_tuple *tuple);

/* Whether that many more bytes may go to an address that has not answered yet. */
bool hw_candidate_may_send(const struct hw_candidate *candidate, uint32_t bytes);
void hw_candidate_sent(struct hw_candidate *candidate, uint32_t bytes);

/*
 * A CHALLENGE_REPLY came in from that tuple. HW_E_AUTH: wrong bytes, or nobody was asked there;
 * HW_E_LIMIT: the candidate would be a path too many, and is dropped. Otherwise 0.
 */
HW_MUST_USE int hw_path_table_challenge_replied(struct hw_path_table *table,
						const struct hw_tuple *tuple,
						const uint8_t answer[HW_PATH_CHALLENGE_BYTES],
						uint8_t peer_id, hw_time now);

/*
 * The peer says that this path is its number peer_id. `proven`: in an answer to something that we
 * sent on this path (PROBE_REPLY); then another path with that number loses it. From a PROBE, which
 * a stranger can relay, it only fills a gap. Ids above 15 are ignored.
 */
void hw_path_table_learn_peer_id(struct hw_path_table *table, struct hw_path *path, uint8_t peer_id,
				 bool proven);

/*
 * The peer says what its link of its path number peer_id is, in a PROBE or, with link
 * HW_PATH_LINK_UNKNOWN for "as before", in a PATH_STATE. It holds for the path that has that number,
 * now or later: so it does not matter which way the frame came. Ids above 15 are ignored.
 */
void hw_path_table_told(struct hw_path_table *table, uint8_t peer_id,
			const struct hw_path_theirs *theirs);

/* There is a new session: see hw_path_new_session. */
void hw_path_table_new_session(struct hw_path_table *table, bool anew, hw_time now);

/*
 * The peer has removed its path of that number: what was told of it is forgotten, and the path that
 * has the number, if any, has none from now on. Ids above 15 are ignored.
 */
void hw_path_table_peer_removed(struct hw_path_table *table, uint8_t peer_id);

/* Refresh context.all_down: states have changed since the last tick, and deadlines are to be asked. */
void hw_path_table_refresh(struct hw_path_table *table);

/* Run what is due on all paths and candidates; refreshes context.all_down. */
void hw_path_table_tick(struct hw_path_table *table, hw_time now);
hw_time hw_path_table_deadline(const struct hw_path_table *table, hw_time now);

enum hw_path_action_type {
	HW_PATH_ACTION_PROBE,     /* seal PROBE(path id, idle, token), send it to tuple */
	HW_PATH_ACTION_RESEND,    /* send again on others what this path has carried (hw_path_doubted) */
	HW_PATH_ACTION_CHALLENGE, /* seal CHALLENGE(challenge), send it to tuple */
	HW_PATH_ACTION_MTU_PROBE, /* seal MTU_PROBE(path id, size, token), send it to tuple, unmeasured */
	HW_PATH_ACTION_EVENT_NEW,
	HW_PATH_ACTION_EVENT_UP,
	HW_PATH_ACTION_EVENT_SUSPECT,
	HW_PATH_ACTION_EVENT_DOWN,
	HW_PATH_ACTION_EVENT_MTU,
	HW_PATH_ACTION_EVENT_MOVED
};

struct hw_path_action {
	enum hw_path_action_type type;
	struct hw_tuple tuple;
	struct hw_path *path;           /* NULL for a challenge to a candidate */
	struct hw_candidate *candidate; /* NULL unless the challenge is to a candidate */
	uint64_t token;                 /* of a probe */
	bool idle;                      /* of a probe: no answer but PROBE_REPLY is wanted */
	uint32_t size;                  /* of an MTU probe, UDP payload; of EVENT_MTU, bytes of IP */
	uint32_t was;                   /* of EVENT_MTU: before; 0: this is the first time */
	uint8_t challenge[HW_PATH_CHALLENGE_BYTES];
};

/*
 * Take the next action; false when there is none. Taking it counts as doing it. Order: what is to be
 * sent again, events, challenges, probes, MTU probes, each by path number. A challenge to a candidate
 * that may not be sent
 * `challenge_bytes` (the size of the datagram) is withheld. The bytes sent to a candidate are to be
 * told by hw_candidate_sent, those to a path by hw_path_sent.
 * Without a session probes and challenges wait.
 */
bool hw_path_table_next(struct hw_path_table *table, uint32_t challenge_bytes, hw_time now,
			struct hw_path_action *ret_action);

/*
 * What strategies see of all paths, in order of their numbers; valid until the next call that
 * changes the table. Kept, and made anew when something changed state or after 10 ms: cheap per
 * packet. Paths of one group share both ends' links; one whose peer's link is not known is alone. delay_excess_ns: from the peer's reports, beyond the fastest path's; -1 without a fresh
 * report.
 */
const struct hw_sched_path *hw_path_table_views(struct hw_path_table *table, hw_time now,
						size_t *ret_count);

/* The largest UDP payload that every path in use (UP or SUSPECT) takes; 0 when none is. Kept too. */
uint32_t hw_path_table_payload(struct hw_path_table *table, hw_time now);

/*
 * The same as TCP connections are to be told: they keep for life what they hear in their first
 * packet. So a path whose size is not known yet, for a round trip, is taken to have a common one.
 */
uint32_t hw_path_table_clamp(struct hw_path_table *table, hw_time now);

/* The path's one-way delay towards the peer, or this node, beyond the fastest path's; -1 unknown. */
int64_t hw_path_table_tx_excess(const struct hw_path_table *table, const struct hw_path *path,
				hw_time now);
int64_t hw_path_table_rx_excess(const struct hw_path_table *table, const struct hw_path *path,
				hw_time now);

#endif
