/* A table of paths, and the addresses that its tests speak of. */
#ifndef HW_TESTS_UNIT_PATHS_H
#define HW_TESTS_UNIT_PATHS_H

#include "test.h"

#include "path/table.h"

#define CHALLENGE_BYTES 43u /* a datagram with one CHALLENGE */

static const struct hw_path_link link_settings = { .use = HW_USE_BACKUP,
						   .price = 2,
						   .mtu_bytes = 1472 };
static const hw_time start = HW_S(100);

/* To be freed with test_free. */
static inline struct hw_path_table *new_table(void)
{
	struct hw_path_table *table = test_malloc(sizeof(*table));

	hw_path_table_init(table);
	table->context.session = true;
	return table;
}

/* The n-th stranger on a link. */
static inline struct hw_tuple tuple_of(uint32_t link, uint32_t n)
{
	return (struct hw_tuple){
		.local = { .family = HW_FAMILY_IPV4, .ip = { 10, 0, 0, 1 }, .port = 8420 },
		.remote = { .family = HW_FAMILY_IPV4,
			    .ip = { 198, 51, (uint8_t)(n >> 8), (uint8_t)n },
			    .port = 9000 },
		.link = link,
	};
}

#endif
