/*
 * Reordering on a path (RFC 4737): the share of packets that came after one sent later, and by how
 * many sequences at most, over the last 30 to 60 s.
 */
#ifndef HW_PATH_ORDER_H
#define HW_PATH_ORDER_H

#include <stdint.h>

#include "base/time.h"

#define HW_ORDER_SPAN HW_S(30)

struct hw_order_half {
	uint32_t packets, late, extent;
};

struct hw_order {
	hw_time turned_at;
	struct hw_order_half current, previous;
};

/* A packet came, `behind` sequences below the highest before it: 0 when it was itself the highest. */
void hw_order_packet(struct hw_order *order, uint32_t behind, hw_time now);

double hw_order_share(const struct hw_order *order, hw_time now); /* 0 when nothing came */
uint32_t hw_order_extent(const struct hw_order *order, hw_time now);

#endif
