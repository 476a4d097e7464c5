#include "session/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

#define ROOM_MIN 16u

void hw_index_map_init(struct hw_index_map *map)
{
	memset(map, 0, sizeof(*map));
}

void hw_index_map_fini(struct hw_index_map *map)
{
	free(map->entries);
	memset(map, 0, sizeof(*map));
}

/* Where the index is, or would go. There is always a free place: half of the table is empty. */
static uint32_t place(const struct hw_index_entry *entries, uint32_t room, uint32_t index)
{
	uint32_t at = index & (room - 1);

	while (entries[at].peer != NULL && entries[at].index != index)
		at = (at + 1) & (room - 1);
	return at;
}

static int grow(struct hw_index_map *map)
{
	uint32_t room = map->room == 0 ? ROOM_MIN : map->room * 2;
	struct hw_index_entry *entries = calloc(room, sizeof(*entries));

	if (entries == NULL)
		return HW_E_NOMEM;
	for (uint32_t i = 0; i < map->room; i++)
		if (map->entries[i].peer != NULL)
			entries[place(entries, room, map->entries[i].index)] = map->entries[i];
	free(map->entries);
	map->entries = entries;
	map->room = room;
	return 0;
}

int hw_index_take(struct hw_index_map *map, uint32_t random, void *peer, uint32_t *ret_index)
{
	assert(peer != NULL);
	if (map->count >= HW_INDEX_LIMIT)
		return HW_E_LIMIT;
	if (map->count >= map->room / 2) {
		int r = grow(map);

		if (r != 0)
			return r;
	}

	uint32_t index = random & HW_WIRE_INDEX_MAX;
	struct hw_index_entry *entry = &map->entries[place(map->entries, map->room, index)];

	while (entry->peer != NULL) {
		index = (index + 1) & HW_WIRE_INDEX_MAX;
		entry = &map->entries[place(map->entries, map->room, index)];
	}
	*entry = (struct hw_index_entry){ .index = index, .peer = peer };
	map->count++;
	*ret_index = index;
	return 0;
}

void hw_index_bind(struct hw_index_map *map, uint32_t index, struct hw_session *session)
{
	assert(map->room > 0);

	struct hw_index_entry *entry = &map->entries[place(map->entries, map->room, index)];

	assert(entry->peer != NULL);
	entry->session = session;
}

const struct hw_index_entry *hw_index_find(const struct hw_index_map *map, uint32_t index)
{
	if (map->room == 0)
		return NULL;

	const struct hw_index_entry *entry = &map->entries[place(map->entries, map->room, index)];

	return entry->peer != NULL ? entry : NULL;
}

void hw_index_drop(struct hw_index_map *map, uint32_t index)
{
	if (map->room == 0)
		return;

	const uint32_t mask = map->room - 1;
	uint32_t hole = place(map->entries, map->room, index);

	if (map->entries[hole].peer == NULL)
		return;
	/* Close the gap: move back each entry behind it that may lie there. Probing finds all. */
	for (uint32_t at = (hole + 1) & mask; map->entries[at].peer != NULL; at = (at + 1) & mask) {
		uint32_t home = map->entries[at].index & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->entries[hole] = map->entries[at];
			hole = at;
		}
	}
	memset(&map->entries[hole], 0, sizeof(map->entries[hole]));
	map->count--;
}
