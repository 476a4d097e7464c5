/*
 * One-way delay from path stamps: arrival by our clock minus send time by the peer's. Its offset is
 * arbitrary, but the same for all paths of the pair, so differences between paths are exact.
 *
 * The stamp's send time counts 8 us in 24 bits, so the delay is known modulo 134 s. hw_owd_clock,
 * one for each PEER and shared by its paths, unwraps it: each new delay is the one closest (within
 * 67 s) to the last delay measured on any path of that peer. So all paths share one unwrapping,
 * paths may differ by up to 67 s, and clocks may drift apart without limit. Feed only stamps that
 * passed their MAC and were accepted by hw_path_rx_stamp. After the peer's clock jumped (suspend,
 * reboot) values from before and after cannot be compared: hw_owd restarts after 10 s without a
 * sample, and comparisons leave out values older than HW_OWD_FRESH.
 */
#ifndef HW_PATH_OWD_H
#define HW_PATH_OWD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "path/rtt.h"

#define HW_OWD_TICK_NS 8000u
#define HW_OWD_FRESH HW_S(30)

/* The 24-bit send time for a packet that leaves now. */
static inline uint32_t hw_owd_tick(hw_time now)
{
	return (uint32_t)(now / HW_OWD_TICK_NS) & 0xffffffu;
}

struct hw_owd_clock {
	bool started;
	int64_t last_ticks;
};

void hw_owd_clock_init(struct hw_owd_clock *clock);

/* The relative one-way delay, in ns, of a packet stamped with send_tick that arrived at `at`. */
int64_t hw_owd_clock_delay(struct hw_owd_clock *clock, uint32_t send_tick, hw_time at);

struct hw_owd {
	bool known;
	int64_t smoothed_ns; /* gain 1/16 per packet; restarts after 10 s of silence */
	int64_t latest_ns;
	int64_t jitter_ns; /* RFC 3550 section 6.4.1 */
	hw_time last_at;
	struct hw_window_min min;
};

void hw_owd_init(struct hw_owd *owd);
void hw_owd_sample(struct hw_owd *owd, int64_t delay_ns, hw_time at);

/* Whether smoothed_ns may be compared with other paths' at `now`. */
bool hw_owd_fresh(const struct hw_owd *owd, hw_time now);

#endif
