/*
 * Time, as the core sees it: nanoseconds of a monotonic clock, always given as an argument.
 * The zero point means nothing; only differences do. Wall-clock time appears only where a
 * protocol needs it (the handshake's timestamp) and is named wall_ns there.
 */
#ifndef HW_BASE_TIME_H
#define HW_BASE_TIME_H

#include <stdint.h>

typedef uint64_t hw_time; /* ns, monotonic */

#define HW_NS_PER_US UINT64_C(1000)
#define HW_NS_PER_MS UINT64_C(1000000)
#define HW_NS_PER_S UINT64_C(1000000000)
#define HW_TIME_NEVER UINT64_MAX

#define HW_MS(n) ((hw_time)(n) * HW_NS_PER_MS)
#define HW_S(n) ((hw_time)(n) * HW_NS_PER_S)

/* a - b, or 0 when b is later. */
static inline hw_time hw_time_since(hw_time a, hw_time b)
{
	return a > b ? a - b : 0;
}

static inline hw_time hw_time_min(hw_time a, hw_time b)
{
	return a < b ? a : b;
}

static inline hw_time hw_time_max(hw_time a, hw_time b)
{
	return a > b ? a : b;
}

/* a + b, or HW_TIME_NEVER where that would overflow. */
static inline hw_time hw_time_add(hw_time a, hw_time b)
{
	return a > HW_TIME_NEVER - b ? HW_TIME_NEVER : a + b;
}

#endif
