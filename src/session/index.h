/*
 * The node's receiver indices: from the 24 bits in a datagram to the peer and session that they
 * name. An index is taken when a handshake begins and freed when its session is dropped. Indices
 * are drawn from random numbers that the caller gives, so nobody outside chooses where an entry
 * lies in the table, and the index itself serves as its hash.
 */
#ifndef HW_SESSION_INDEX_H
#define HW_SESSION_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct hw_session;

/* Indices that may be in use at once: a sixteenth of all, so that drawing one seldom collides. */
#define HW_INDEX_LIMIT (UINT32_C(1) << 20)

struct hw_index_entry {
	uint32_t index;
	void *peer;                 /* never NULL in a used entry */
	struct hw_session *session; /* NULL while the handshake is under way */
};

struct hw_index_map {
	struct hw_index_entry *entries; /* open addressing, linear probing */
	uint32_t room;                  /* a power of two, or 0 */
	uint32_t count;
};

void hw_index_map_init(struct hw_index_map *map);
void hw_index_map_fini(struct hw_index_map *map);

/*
 * Take an unused index for this peer: the low 24 bits of `random`, or the next free one after it.
 * HW_E_LIMIT, HW_E_NOMEM.
 */
HW_MUST_USE int hw_index_take(struct hw_index_map *map, uint32_t random, void *peer,
			      uint32_t *ret_index);

/* Say which session the index belongs to. The index is in use (asserted). */
void hw_index_bind(struct hw_index_map *map, uint32_t index, struct hw_session *session);

/* The entry of that index, or NULL. Valid until the next call that changes the map. */
const struct hw_index_entry *hw_index_find(const struct hw_index_map *map, uint32_t index);

/* Free the index; no effect when it is not in use. */
void hw_index_drop(struct hw_index_map *map, uint32_t index);

#endif
