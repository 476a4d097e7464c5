/*
 * A model of one direction of a network link: queue, rate, loss, delay.
 *
 * Pure: time is an argument, packets are opaque pointers with a size, randomness comes from a seed.
 * The simulator runs it in virtual time, the lab's shaper in real time. A packet goes through
 *
 *     down? -> MTU hole -> drop-tail queue -> rate or capacity trace -> outage, loss -> duplicate,
 *     corrupt -> delay and jitter -> delivery
 *
 * so a packet that the medium loses has used its share of the rate, as on a radio link. All sizes
 * are those of the IP packet. The order of random draws depends only on the order of packets, never
 * on how often the owner calls: the same packets at the same times give the same fates.
 */
#ifndef HW_SIM_LINK_H
#define HW_SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

struct hw_linkmodel;
struct hw_capacity_trace;
struct hw_loss_trace;

enum hw_link_jitter { HW_JITTER_UNIFORM = 0, HW_JITTER_NORMAL = 1 };

/*
 * Loss in bursts: a chain of two states (Gilbert 1960, Elliott 1963). From good to bad with
 * probability p, back with r, one step for each packet; or, when step_ns is set, one step for each
 * step_ns of time, so that a bad spell lasts as long whatever the traffic. Off while p is 0.
 */
struct hw_link_bursts {
	double p, r;
	double loss_good, loss_bad;
	hw_time step_ns;
};

struct hw_link_outage {
	hw_time from, to; /* from <= t < to, since the start of the link's period */
};

/* All zero: a perfect link. Pointers must stay valid while the link uses them. */
struct hw_link_params {
	bool down;            /* everything given is dropped, and what waits in the queue */
	uint64_t rate_bps;    /* 0: unlimited; not used with a capacity trace */
	uint64_t queue_bytes; /* waiting behind the packet that is being sent; 0: no limit */
	hw_time delay_ns;     /* propagation */
	hw_time jitter_ns;    /* uniform: delay +- jitter; normal: its sigma, cut off at 4 sigma */
	enum hw_link_jitter jitter;
	bool reorder; /* let jitter reorder packets; else one never overtakes another */
	double loss;  /* independent */
	struct hw_link_bursts bursts;
	double duplicate;   /* probability of a second delivery, with jitter of its own */
	double corrupt;     /* probability that bits are flipped */
	uint32_t mtu_bytes; /* larger packets vanish silently; 0: none do */
	const struct hw_link_outage *outages;
	size_t outage_count;
	hw_time outage_period_ns;                 /* the list repeats; 0: it does not */
	const struct hw_capacity_trace *capacity; /* takes the place of rate_bps */
	hw_time capacity_offset_ns;               /* where in the trace time 0 lies */
	const struct hw_loss_trace
		*trace; /* loses slots, and adds half their round trip to delay */
	uint32_t trace_column;
	hw_time trace_offset_ns;
	double trace_loss; /* probability of loss in a slot marked lost */
};

/* Bursts of `mean` packets (or steps) that lose `loss` of all packets; all in a bad state are lost.
 */
struct hw_link_bursts hw_link_bursts_of(double loss, double mean);

/* HW_E_INVAL: a probability outside 0..1, NaN, or an outage that ends before it begins. */
HW_MUST_USE int hw_link_params_check(const struct hw_link_params *params);

enum hw_link_fate {
	HW_LINK_PASSED = 0,
	HW_LINK_DROP_DOWN,
	HW_LINK_DROP_MTU,
	HW_LINK_DROP_QUEUE,
	HW_LINK_DROP_OUTAGE,
	HW_LINK_DROP_LOSS,  /* independent */
	HW_LINK_DROP_BURST, /* Gilbert-Elliott */
	HW_LINK_DROP_TRACE,
	HW_LINK_FATES
};

const char *hw_link_fate_name(enum hw_link_fate fate);

/* offered = passed + drops + queued; delivered + in_flight = passed + duplicated. */
struct hw_link_stats {
	uint64_t offered_packets, offered_bytes;
	uint64_t
		fates[HW_LINK_FATES]; /* packets; [HW_LINK_PASSED]: through the medium, once each */
	uint64_t passed_bytes;
	uint64_t queued;                             /* now: waiting or being sent */
	uint64_t in_flight;                          /* now: behind the queue, not delivered */
	uint64_t delivered_packets, delivered_bytes; /* duplicates included */
	uint64_t duplicated;
	uint64_t corrupted;
	uint64_t max_queue_bytes;
};

/* What the link asks of the owner of the packets. */
struct hw_link_owner {
	void *ctx;
	/* A second packet with the same content, or NULL: the duplicate is then not made. */
	void *(*clone)(void *ctx, void *packet);
	/* Takes a packet that was accepted by hw_linkmodel_enqueue and is lost after all. */
	void (*drop)(void *ctx, void *packet, enum hw_link_fate fate);
};

struct hw_link_delivery {
	void *packet;
	uint32_t bytes;
	hw_time at;       /* when it arrives by the model; at most `now` */
	uint64_t corrupt; /* 0: whole; else pass it to hw_link_corrupt */
};

/*
 * A link whose time begins at `start`: outages and traces count from there. The params are copied
 * (not what they point to). HW_E_INVAL as hw_link_params_check; HW_E_NOMEM.
 */
HW_MUST_USE int hw_linkmodel_new(const struct hw_link_params *params, uint64_t seed, hw_time start,
				 const struct hw_link_owner *owner, struct hw_linkmodel **ret_link);

/* Packets still inside go to owner->drop as HW_LINK_DROP_DOWN. NULL is allowed. */
void hw_linkmodel_free(struct hw_linkmodel *link);

/*
 * Offer a packet. HW_LINK_PASSED: the link has it now, and will deliver it or hand it to
 * owner->drop. Anything else: refused for that reason, and still the caller's. `now` never goes
 * backwards.
 */
HW_MUST_USE enum hw_link_fate hw_linkmodel_enqueue(struct hw_linkmodel *link, hw_time now,
						   void *packet, uint32_t bytes);

/* The earliest time at which hw_linkmodel_dequeue may give something; HW_TIME_NEVER when empty. */
hw_time hw_linkmodel_next(const struct hw_linkmodel *link);

/* Gives the next packet that has arrived by `now`, in order of arrival; false when there is none.
 */
bool hw_linkmodel_dequeue(struct hw_linkmodel *link, hw_time now,
			  struct hw_link_delivery *ret_delivery);

/*
 * From `now` on the link has these parameters: what has crossed the medium arrives as it would
 * have, what waits is sent at the new rate. HW_E_INVAL: nothing has changed.
 */
HW_MUST_USE int hw_linkmodel_change(struct hw_linkmodel *link, hw_time now,
				    const struct hw_link_params *params);

const struct hw_link_params *hw_linkmodel_params(const struct hw_linkmodel *link);
const struct hw_link_stats *hw_linkmodel_stats(const struct hw_linkmodel *link);

/* Flip 1 to 4 bits of data[0..len), as the seed of a delivery says: never none. len > 0. */
void hw_link_corrupt(uint64_t seed, uint8_t *data, size_t len);

#endif
