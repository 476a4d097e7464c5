/*
 * What the receiver of a packet train sees: how many came, how fast, and how long they waited.
 *
 * RATE: bytes after the first packet over the time from it to the last. A train that is faster than
 * the path keeps the path's queue from running empty, so its packets arrive as far apart as the
 * path can carry them (Dovrolis, Ramanathan and Moore, "Packet-dispersion techniques and a
 * capacity-estimation methodology", 2004; what is measured over a long train is the average
 * dispersion rate, the rate that is to be had).
 *
 * WAITING: each packet carries its send time. The differences of delay within one train need no
 * common clock; the least delay stands for the idle path. All packets of a train have one size, so
 * their own transmission is in the least delay already. Packets sent ahead of the train at ease
 * ("lead") see the path before the train fills its queue.
 *
 * Quantiles come from a histogram whose buckets are a sixteenth of their octave wide: within 3 %.
 */
#ifndef HW_PATH_TRAIN_H
#define HW_PATH_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define HW_TRAIN_BUCKETS 368u /* up to 2^26 us, 67 s */

struct hw_train {
	uint32_t packets; /* all of them */
	uint32_t rate_packets;
	uint64_t rate_bytes;
	hw_time first_at, last_at; /* of those that count for the rate */
	bool any, any_rate;
	uint32_t base_us;  /* delay of the first packet: an arbitrary offset */
	int32_t least_us;  /* least delay, beyond base_us */
	int32_t most_us;   /* likewise the most, of those that count for the rate */
	uint32_t counted;  /* in the histogram */
	uint32_t buckets[HW_TRAIN_BUCKETS]; /* of delay beyond floor_us, at most 0 */
	int32_t floor_us;  /* the least delay when the first packet was counted */
};

struct hw_train_figures {
	uint32_t packets, rate_packets;
	uint64_t rate_bytes;
	uint32_t span_us;
	uint32_t median_us, p95_us, most_us; /* waiting */
};

void hw_train_init(struct hw_train *train);

/*
 * A packet of `bytes`, sent at sent_us by the sender's clock (modulo 2^32), has come in at `at`;
 * each packet once. Delays of one train must lie within 35 minutes of each other.
 */
void hw_train_packet(struct hw_train *train, bool lead, uint32_t sent_us, uint32_t bytes,
		     hw_time at);

void hw_train_get(const struct hw_train *train, struct hw_train_figures *ret_figures);

#endif
