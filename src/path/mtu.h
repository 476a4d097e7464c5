/*
 * How large a datagram one path takes, in the direction away from this node: packetization layer
 * path MTU discovery for datagrams (RFC 8899), by probes inside the seal. Neither ICMP nor the
 * kernel's idea of the path has a say; only the local interface's limit (the ceiling) has.
 *
 * Pure: time is an argument, nothing is sent from here. All sizes are UDP payloads, unless they are
 * called IP. One struct for each path; whoever owns the path tells it what happens and asks
 * hw_path_mtu_next for the probes to send.
 *
 * States (RFC 8899, section 5.2):
 *
 *   BASE       nothing is confirmed: packets of 576 bytes of IPv4, or 1280 of IPv6, are taken to pass
 *   SEARCHING  `size` is confirmed; something larger may pass
 *   COMPLETE   nothing larger passes, by more than 8 bytes, or the ceiling does
 *   ERROR      not even the base passes: 256 bytes of IP
 *
 *   event                          BASE       SEARCHING  COMPLETE   ERROR
 *   a probe of more is answered    SEARCHING  SEARCHING  SEARCHING  SEARCHING
 *     and it has the ceiling       COMPLETE   COMPLETE   COMPLETE   COMPLETE
 *   the base is answered           SEARCHING  .          .          SEARCHING
 *   the base fails                 ERROR      .          .          .
 *   nothing is left to ask         .          COMPLETE   .          .
 *   the current size fails         .          (1)        (1)        .
 *   raise timer                    .          .          asks again (2)
 *   the ceiling falls below size   .          size falls size falls .
 *   the ceiling rises              .          SEARCHING  SEARCHING  .
 *
 *   (1) A black hole: `size` becomes the largest that was answered beside the failing probes, and the
 *       state SEARCHING; or the base, and BASE; or, from the base, ERROR.
 *   (2) After 10 minutes, an hour on a metered link, only while data flows; three rounds of probes.
 *
 * ROUNDS. Probes go out in rounds: the size in question between two of the smallest probes, its
 * *references*, and perhaps another size. The first round of a path goes out with its first PROBE
 * and asks for the ceiling and for common sizes at once. A question ends with the first answer: one
 * proves that the size passes.
 *
 * WHEN A SIZE FAILS. Loss must not be taken for size. Let k be the rounds in which the probe was not
 * answered although a reference beside it was; let r of all m references be answered. If the size
 * passed as well as they do, all r answers would fall on the references by chance with the probability
 *
 *       m! (m + k - r)! / ((m - r)! (m + k)!)                       (Fisher's exact test, 1935)
 *
 * The size has failed when that is below 1e-4 while searching, or 2e-6 for the size in use: after 6
 * and 8 rounds on a path that loses nothing, about 15 and 20 on one that loses every fifth packet each
 * way, and never on a path that is dead, whose references are not answered either.
 *
 * TROUBLE. The size in use is asked about anew (confirmed) when the path turns suspect or comes back;
 * when packets that are as large as something that might fail have lacked proof for 150 ms and the
 * path's timeout; and every 30 s while only small packets flow (10 min when metered). Reports are the
 * proof: if more arrived than there were smaller packets, a large one did. Rounds follow one another
 * at the path's timeout until a reference is answered and the size is not; then every 50 ms.
 */
#ifndef HW_PATH_MTU_H
#define HW_PATH_MTU_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_PATH_MTU_ROUNDS 64u
#define HW_PATH_MTU_SLOTS 6u
#define HW_PATH_MTU_SEQUENCES 2048u
#define HW_PATH_MTU_LEVELS 5u
#define HW_PATH_MTU_REFERENCE 46u /* the smallest probe there can be */

enum hw_path_mtu_state {
	HW_PATH_MTU_BASE = 0,
	HW_PATH_MTU_SEARCHING = 1,
	HW_PATH_MTU_COMPLETE = 2,
	HW_PATH_MTU_ERROR = 3
};

/* What is being asked. */
enum hw_path_mtu_task {
	HW_PATH_MTU_NOTHING,
	HW_PATH_MTU_FIRST,
	HW_PATH_MTU_ASK_BASE,
	HW_PATH_MTU_SEARCH,
	HW_PATH_MTU_RAISE,
	HW_PATH_MTU_CONFIRM
};

struct hw_path_mtu_round {
	uint32_t number; /* 0: free */
	hw_time sent_at;
	uint16_t size[HW_PATH_MTU_SLOTS]; /* 0: none */
	uint8_t given;                    /* slots that were handed out */
	uint8_t answered;                 /* one bit for each slot */
};

/* Which of the packets that were sent may have been too large: see TROUBLE. */
struct hw_path_mtu_proof {
	uint32_t generation; /* of the session; 0: nothing is tracked */
	uint32_t first, next; /* sequences [first, next) are in `level` */
	uint8_t level[HW_PATH_MTU_SEQUENCES];
	hw_time since[HW_PATH_MTU_LEVELS];  /* a packet of that level or above lacks proof; or NEVER */
	uint32_t last[HW_PATH_MTU_LEVELS];  /* the last such packet */
};

struct hw_path_mtu {
	enum hw_path_mtu_state state;
	enum hw_path_mtu_task task;
	uint32_t headers;              /* of IP and UDP */
	uint32_t least, base, ceiling; /* the first two never above the ceiling */
	uint32_t size;                 /* the path takes this */
	uint32_t fails;                /* the smallest size known to fail; ceiling + 1: none */
	bool known;                    /* the first round has had its answer, or its time */
	bool metered;                  /* as the last tick was told */
	bool changed;                  /* size, known or doubt; the owner clears it */
	bool doubt;                    /* the size in use seems to fail: not beyond chance yet */
	bool trouble;                  /* something calls for a confirmation */
	bool unsure;                   /* a question of this search was given up */
	bool hot;                      /* of the question: probes alone are lost */
	unsigned dead;                 /* so many rounds in a row had no answer at all */

	uint32_t target;     /* size in question */
	unsigned tries;      /* rounds for this question */
	unsigned search_tries; /* rounds of the whole search */
	uint32_t rounds;     /* number of the last round */
	uint32_t from;       /* rounds from here on are evidence for the question */
	uint32_t valid_from; /* answers to older rounds mean nothing any more */
	hw_time asked_at;
	hw_time confirm_after;
	hw_time proven_at; /* the size in use last passed */
	hw_time raise_at;
	uint32_t told;     /* size that the owner was told; 0: none */
	uint32_t told_was; /* and before */
	bool tell;
	uint64_t probes, probe_bytes; /* sent; bytes of IP */
	struct hw_path_mtu_round ring[HW_PATH_MTU_ROUNDS];
	struct hw_path_mtu_proof proof;
};

/* What the questions depend on; the path's owner fills it in for each call. */
struct hw_path_mtu_context {
	bool probing;    /* the path is not shown to work: only its first round goes out */
	bool active;     /* data flows */
	bool metered;    /* ask for less */
	hw_time timeout; /* when an answer is overdue: rtt + 4 * variation; 0: not known */
};

/* In BASE, the first round pending. `ceiling`: the largest UDP payload of the interface. */
void hw_path_mtu_init(struct hw_path_mtu *mtu, bool ipv6, uint32_t ceiling);

/* The interface's limit has changed, or is told again. */
void hw_path_mtu_set_ceiling(struct hw_path_mtu *mtu, uint32_t ceiling);

/* The system refused a datagram of that size: more than the interface takes. */
void hw_path_mtu_refused(struct hw_path_mtu *mtu, uint32_t bytes);

/* The size in use, or, while nothing is known, what most paths take. */
uint32_t hw_path_mtu_hoped(const struct hw_path_mtu *mtu);

/* The path turned suspect, came back, or leads elsewhere: the size in use is to be confirmed. */
void hw_path_mtu_trouble(struct hw_path_mtu *mtu);

/*
 * A packet that counts in the path's sequence goes out. Sequences are 32 bits, as in path/tx.h. Only
 * `data` is waited for in reports.
 */
void hw_path_mtu_sent(struct hw_path_mtu *mtu, uint32_t generation, uint32_t sequence,
		      uint32_t bytes, bool data, hw_time now);

/* The peer reports: of the sequences [first, last], `received` arrived, or as many late ones. */
void hw_path_mtu_reported(struct hw_path_mtu *mtu, uint32_t generation, uint32_t first,
			  uint32_t last, uint32_t received, hw_time now);

/* A reply came in on the path. Returns whether it was one to a probe that was sent. */
bool hw_path_mtu_answered(struct hw_path_mtu *mtu, uint64_t token, uint32_t size, hw_time now);

/* Run what is due; when that is next. Only while the path is probed at all (not DOWN). */
void hw_path_mtu_tick(struct hw_path_mtu *mtu, const struct hw_path_mtu_context *context,
		      hw_time now);
hw_time hw_path_mtu_deadline(const struct hw_path_mtu *mtu,
			     const struct hw_path_mtu_context *context);

/*
 * Gives the next probe to send, one of `*ret_size` bytes of UDP payload, and counts it as sent; false
 * when there is none. `path`: its number, which keeps an answer from counting on another path.
 */
bool hw_path_mtu_next(struct hw_path_mtu *mtu, uint32_t path, uint64_t *ret_token,
		      uint32_t *ret_size);

/*
 * Whether the owner is to be told of a new size: it shrank, or the search has ended with another than
 * was told last. Gives both as IP packets, the former 0 when none was told; and takes it as told.
 */
bool hw_path_mtu_news(struct hw_path_mtu *mtu, uint32_t *ret_ip_bytes, uint32_t *ret_was);

#endif
