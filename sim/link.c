#include "sim/link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sim/trace.h"

#define NORMAL_CUT 4.0 /* sigmas */

struct waiting {
	void *packet;
	uint32_t bytes;
};

struct flight {
	hw_time at;
	uint64_t order; /* ties: first crossed, first delivered */
	void *packet;
	uint64_t corrupt;
	uint32_t bytes;
};

struct hw_linkmodel {
	struct hw_link_params params;
	struct hw_link_owner owner;
	struct hw_link_stats stats;
	struct hw_rng rng;
	hw_time start;
	hw_time min_delay_ns;

	struct waiting *queue; /* ring; its head is being sent */
	size_t queue_room, queue_first, queue_count;
	uint64_t queue_bytes; /* behind the head */

	hw_time head_done;  /* fixed rate: when the head has left */
	uint64_t head_frac; /* what rounding head_done down left over, in 1/rate_bps ns */
	uint32_t head_left; /* capacity trace: bytes of the head still to send */
	uint64_t lap;       /* capacity trace: the next opportunity */
	size_t next_opportunity;

	bool bad;
	hw_time stepped_at;
	hw_time last_at; /* latest delivery, for links that keep order */

	struct flight *flights; /* binary heap */
	size_t flight_room, flight_count;
	uint64_t next_order;
};

static const char *const fate_names[HW_LINK_FATES] = {
	[HW_LINK_PASSED] = "passed",      [HW_LINK_DROP_DOWN] = "down",
	[HW_LINK_DROP_MTU] = "mtu",       [HW_LINK_DROP_QUEUE] = "queue",
	[HW_LINK_DROP_OUTAGE] = "outage", [HW_LINK_DROP_LOSS] = "loss",
	[HW_LINK_DROP_BURST] = "burst",   [HW_LINK_DROP_TRACE] = "trace",
};

const char *hw_link_fate_name(enum hw_link_fate fate)
{
	return fate_names[fate];
}

struct hw_link_bursts hw_link_bursts_of(double loss, double mean)
{
	struct hw_link_bursts bursts = { .loss_bad = 1.0 };

	if (loss <= 0)
		return bursts;
	if (loss >= 1) {
		bursts.p = 1;
		return bursts;
	}
	bursts.r = mean > 1 ? 1 / mean : 1;
	bursts.p = fmin(1, bursts.r * loss / (1 - loss));
	return bursts;
}

static bool is_probability(double p)
{
	return p >= 0 && p <= 1;
}

int hw_link_params_check(const struct hw_link_params *params)
{
	const double probabilities[] = {
		params->loss,
		params->duplicate,
		params->corrupt,
		params->trace_loss,
		params->bursts.p,
		params->bursts.r,
		params->bursts.loss_good,
		params->bursts.loss_bad,
	};

	for (size_t i = 0; i < sizeof(probabilities) / sizeof(probabilities[0]); i++) {
		if (!is_probability(probabilities[i]))
			return HW_E_INVAL;
	}
	for (size_t i = 0; i < params->outage_count; i++) {
		if (params->outages[i].to < params->outages[i].from)
			return HW_E_INVAL;
	}
	if (params->capacity != NULL && params->capacity->count == 0)
		return HW_E_INVAL;
	if (params->trace != NULL && params->trace_column >= params->trace->columns)
		return HW_E_INVAL;
	return 0;
}

/* ---- the packets in flight ---- */

static bool flight_before(const struct flight *a, const struct flight *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static bool flights_reserve(struct hw_linkmodel *link)
{
	if (link->flight_count < link->flight_room)
		return true;

	size_t room = link->flight_room == 0 ? 16 : 2 * link->flight_room;
	struct flight *grown = realloc(link->flights, room * sizeof(*grown));

	if (grown == NULL)
		return false;
	link->flights = grown;
	link->flight_room = room;
	return true;
}

static void flights_push(struct hw_linkmodel *link, const struct flight *flight)
{
	size_t i = link->flight_count++;

	for (; i > 0 && flight_before(flight, &link->flights[(i - 1) / 2]); i = (i - 1) / 2)
		link->flights[i] = link->flights[(i - 1) / 2];
	link->flights[i] = *flight;
}

static struct flight flights_pop(struct hw_linkmodel *link)
{
	struct flight first = link->flights[0];
	struct flight last = link->flights[--link->flight_count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= link->flight_count)
			break;
		if (child + 1 < link->flight_count &&
		    flight_before(&link->flights[child + 1], &link->flights[child]))
			child++;
		if (!flight_before(&link->flights[child], &last))
			break;
		link->flights[i] = link->flights[child];
		i = child;
	}
	link->flights[i] = last;
	return first;
}

/* ---- the medium: what happens to a packet that has been sent ---- */

static bool chance(struct hw_linkmodel *link, double p)
{
	return p > 0 && hw_rng_unit(&link->rng) < p;
}

static bool in_outage(const struct hw_linkmodel *link, hw_time at)
{
	const struct hw_link_params *params = &link->params;
	hw_time t = at - link->start;

	if (params->outage_period_ns > 0)
		t %= params->outage_period_ns;
	for (size_t i = 0; i < params->outage_count; i++) {
		if (t >= params->outages[i].from && t < params->outages[i].to)
			return true;
	}
	return false;
}

/* The probability that the chain is bad after `steps` more steps (the two-state chain in closed
 * form). */
static double bad_after(const struct hw_link_bursts *bursts, bool bad, double steps)
{
	double share = bursts->p / (bursts->p + bursts->r);

	return share + pow(1 - bursts->p - bursts->r, steps) * ((bad ? 1 : 0) - share);
}

static bool lost_in_burst(struct hw_linkmodel *link, hw_time at)
{
	const struct hw_link_bursts *bursts = &link->params.bursts;

	if (bursts->p <= 0)
		return false;
	if (bursts->step_ns == 0) {
		link->bad = hw_rng_unit(&link->rng) < (link->bad ? 1 - bursts->r : bursts->p);
	} else if (at >= link->stepped_at + bursts->step_ns) {
		uint64_t steps = (at - link->stepped_at) / bursts->step_ns;

		link->bad = hw_rng_unit(&link->rng) < bad_after(bursts, link->bad, (double)steps);
		link->stepped_at += steps * bursts->step_ns;
	}
	return chance(link, link->bad ? bursts->loss_bad : bursts->loss_good);
}

/* The round trip of the slot at that time, in ms; negative when the slot is lost. */
static float trace_rtt_ms(const struct hw_linkmodel *link, hw_time at)
{
	const struct hw_loss_trace *trace = link->params.trace;
	hw_time slot = (at - link->start + link->params.trace_offset_ns) / trace->slot_ns;

	return trace->rtt_ms[slot % trace->slots * trace->columns + link->params.trace_column];
}

static enum hw_link_fate medium(struct hw_linkmodel *link, hw_time at)
{
	const struct hw_link_params *params = &link->params;

	if (params->outage_count > 0 && in_outage(link, at))
		return HW_LINK_DROP_OUTAGE;
	if (params->trace != NULL && trace_rtt_ms(link, at) < 0 && chance(link, params->trace_loss))
		return HW_LINK_DROP_TRACE;
	if (lost_in_burst(link, at))
		return HW_LINK_DROP_BURST;
	if (chance(link, params->loss))
		return HW_LINK_DROP_LOSS;
	return HW_LINK_PASSED;
}

static double normal(struct hw_rng *rng)
{
	/* Box and Muller (1958); 1 - u keeps the logarithm from 0. */
	double radius = sqrt(-2 * log(1 - hw_rng_unit(rng)));
	double x = radius * cos(2 * 3.14159265358979323846 * hw_rng_unit(rng));

	return fmax(-NORMAL_CUT, fmin(NORMAL_CUT, x));
}

static hw_time delivery_time(struct hw_linkmodel *link, hw_time at)
{
	const struct hw_link_params *params = &link->params;
	double delay = (double)params->delay_ns;

	if (params->trace != NULL)
		delay += fabs((double)trace_rtt_ms(link, at)) * 1e6 / 2;
	if (params->jitter_ns > 0) {
		double x = params->jitter == HW_JITTER_NORMAL ? normal(&link->rng)
							      : 2 * hw_rng_unit(&link->rng) - 1;

		delay += x * (double)params->jitter_ns;
	}

	hw_time arrival = at + (delay > 0 ? (hw_time)delay : 0);

	if (!params->reorder)
		arrival = hw_time_max(arrival, link->last_at);
	link->last_at = hw_time_max(arrival, link->last_at);
	return arrival;
}

static void deliver_later(struct hw_linkmodel *link, hw_time at, void *packet, uint32_t bytes)
{
	struct flight flight = { .packet = packet, .bytes = bytes, .order = link->next_order++ };

	if (chance(link, link->params.corrupt)) {
		flight.corrupt = hw_rng_u64(&link->rng) | 1;
		link->stats.corrupted++;
	}
	flight.at = delivery_time(link, at);
	flights_push(link, &flight);
	link->stats.in_flight++;
}

/* The packet has been sent by `at`. Anything but PASSED: it is the caller's again. */
static enum hw_link_fate cross(struct hw_linkmodel *link, hw_time at, void *packet, uint32_t bytes)
{
	enum hw_link_fate fate = flights_reserve(link) ? medium(link, at) : HW_LINK_DROP_QUEUE;

	link->stats.fates[fate]++;
	if (fate != HW_LINK_PASSED)
		return fate;
	link->stats.passed_bytes += bytes;

	void *copy = chance(link, link->params.duplicate)
			     ? link->owner.clone(link->owner.ctx, packet)
			     : NULL;

	deliver_later(link, at, packet, bytes);
	if (copy == NULL)
		return fate;
	if (!flights_reserve(link)) {
		link->owner.drop(link->owner.ctx, copy, HW_LINK_DROP_QUEUE);
		return fate;
	}
	deliver_later(link, at, copy, bytes);
	link->stats.duplicated++;
	return fate;
}

/* ---- the queue and the rate ---- */

static bool queue_put(struct hw_linkmodel *link, void *packet, uint32_t bytes)
{
	if (link->queue_count == link->queue_room) {
		size_t room = link->queue_room == 0 ? 16 : 2 * link->queue_room;
		struct waiting *grown = malloc(room * sizeof(*grown));

		if (grown == NULL)
			return false;
		for (size_t i = 0; i < link->queue_count; i++)
			grown[i] = link->queue[(link->queue_first + i) % link->queue_room];
		free(link->queue);
		link->queue = grown;
		link->queue_first = 0;
		link->queue_room = room;
	}
	link->queue[(link->queue_first + link->queue_count++) % link->queue_room] =
		(struct waiting){ .packet = packet, .bytes = bytes };
	if (link->queue_count > 1)
		link->queue_bytes += bytes;
	link->stats.queued = link->queue_count;
	if (link->queue_bytes > link->stats.max_queue_bytes)
		link->stats.max_queue_bytes = link->queue_bytes;
	return true;
}

static struct waiting queue_take(struct hw_linkmodel *link)
{
	struct waiting head = link->queue[link->queue_first];

	link->queue_first = (link->queue_first + 1) % link->queue_room;
	if (--link->queue_count > 0)
		link->queue_bytes -= link->queue[link->queue_first].bytes;
	link->stats.queued = link->queue_count;
	return head;
}

static void finish_head(struct hw_linkmodel *link, hw_time at)
{
	struct waiting head = queue_take(link);
	enum hw_link_fate fate = cross(link, at, head.packet, head.bytes);

	if (fate != HW_LINK_PASSED)
		link->owner.drop(link->owner.ctx, head.packet, fate);
}

/* The head starts to be sent at `at` with so many bits to go. */
static void begin_head(struct hw_linkmodel *link, hw_time at, uint64_t bits)
{
	if (link->params.capacity != NULL) {
		link->head_left = (uint32_t)((bits + 7) / 8);
	} else if (link->params.rate_bps == 0) {
		link->head_done = at;
	} else {
		/* The remainder goes on to the next packet, so that a busy link keeps its rate
		 * exactly. */
		uint64_t numerator = bits * HW_NS_PER_S + link->head_frac;

		link->head_done = at + numerator / link->params.rate_bps;
		link->head_frac = numerator % link->params.rate_bps;
	}
}

static uint64_t head_bits(const struct hw_linkmodel *link)
{
	return (uint64_t)link->queue[link->queue_first].bytes * 8;
}

static hw_time opportunity_time(const struct hw_linkmodel *link, uint64_t lap, size_t index)
{
	const struct hw_capacity_trace *trace = link->params.capacity;
	uint64_t ms = lap * trace->at_ms[trace->count - 1] + trace->at_ms[index];

	return link->start + ms * HW_NS_PER_MS - link->params.capacity_offset_ns;
}

/* Pass over all opportunities up to and including `now`: nothing waits for them. */
static void skip_opportunities(struct hw_linkmodel *link, hw_time now)
{
	const struct hw_capacity_trace *trace = link->params.capacity;
	uint64_t period = trace->at_ms[trace->count - 1];
	uint64_t ms = (now - link->start + link->params.capacity_offset_ns) / HW_NS_PER_MS;
	size_t low = 0, high = trace->count;

	link->lap = ms / period;
	ms %= period;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (trace->at_ms[middle] <= ms)
			low = middle + 1;
		else
			high = middle;
	}
	link->next_opportunity = low; /* below count: the last time is the period itself */
}

/* One opportunity carries several small packets, or a part of a large one. */
static void use_opportunity(struct hw_linkmodel *link, hw_time at)
{
	uint32_t bytes = HW_TRACE_OPPORTUNITY_BYTES;

	if (++link->next_opportunity == link->params.capacity->count) {
		link->next_opportunity = 0;
		link->lap++;
	}
	while (bytes > 0 && link->queue_count > 0) {
		uint32_t n = bytes < link->head_left ? bytes : link->head_left;

		bytes -= n;
		link->head_left -= n;
		if (link->head_left > 0)
			return;
		finish_head(link, at);
		if (link->queue_count > 0)
			begin_head(link, at, head_bits(link));
	}
}

static void advance_trace(struct hw_linkmodel *link, hw_time now)
{
	while (link->queue_count > 0) {
		hw_time at = opportunity_time(link, link->lap, link->next_opportunity);

		if (at > now)
			return;
		use_opportunity(link, at);
	}
}

static void advance(struct hw_linkmodel *link, hw_time now)
{
	if (link->queue_count == 0)
		return;
	if (link->params.capacity != NULL) {
		advance_trace(link, now);
		return;
	}
	while (link->queue_count > 0 && link->head_done <= now) {
		hw_time done = link->head_done;

		finish_head(link, done);
		if (link->queue_count > 0)
			begin_head(link, done, head_bits(link));
	}
}

static hw_time head_departure(const struct hw_linkmodel *link)
{
	const struct hw_capacity_trace *trace = link->params.capacity;

	if (trace == NULL)
		return link->head_done;

	size_t more =
		(link->head_left + HW_TRACE_OPPORTUNITY_BYTES - 1) / HW_TRACE_OPPORTUNITY_BYTES - 1;
	size_t index = link->next_opportunity + more;

	return opportunity_time(link, link->lap + index / trace->count, index % trace->count);
}

/* ---- the interface ---- */

static void take_params(struct hw_linkmodel *link, const struct hw_link_params *params)
{
	hw_time spread = params->jitter == HW_JITTER_NORMAL
				 ? (hw_time)NORMAL_CUT * params->jitter_ns
				 : params->jitter_ns;

	link->params = *params;
	link->min_delay_ns = hw_time_since(params->delay_ns, spread);
}

int hw_linkmodel_new(const struct hw_link_params *params, uint64_t seed, hw_time start,
		     const struct hw_link_owner *owner, struct hw_linkmodel **ret_link)
{
	int r = hw_link_params_check(params);

	if (r < 0)
		return r;

	struct hw_linkmodel *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return HW_E_NOMEM;
	link->owner = *owner;
	link->start = start;
	link->stepped_at = start;
	hw_rng_init(&link->rng, seed);
	take_params(link, params);
	if (params->bursts.p > 0)
		link->bad = chance(link, params->bursts.p / (params->bursts.p + params->bursts.r));
	*ret_link = link;
	return 0;
}

static void drop_queue(struct hw_linkmodel *link)
{
	while (link->queue_count > 0) {
		link->stats.fates[HW_LINK_DROP_DOWN]++;
		link->owner.drop(link->owner.ctx, queue_take(link).packet, HW_LINK_DROP_DOWN);
	}
}

void hw_linkmodel_free(struct hw_linkmodel *link)
{
	if (link == NULL)
		return;
	drop_queue(link);
	while (link->flight_count > 0)
		link->owner.drop(link->owner.ctx, flights_pop(link).packet, HW_LINK_DROP_DOWN);
	free(link->queue);
	free(link->flights);
	free(link);
}

static enum hw_link_fate refuse(struct hw_linkmodel *link, enum hw_link_fate fate)
{
	link->stats.fates[fate]++;
	return fate;
}

enum hw_link_fate hw_linkmodel_enqueue(struct hw_linkmodel *link, hw_time now, void *packet,
				       uint32_t bytes)
{
	const struct hw_link_params *params = &link->params;

	advance(link, now);
	link->stats.offered_packets++;
	link->stats.offered_bytes += bytes;
	if (params->down)
		return refuse(link, HW_LINK_DROP_DOWN);
	if (params->mtu_bytes > 0 && bytes > params->mtu_bytes)
		return refuse(link, HW_LINK_DROP_MTU);
	if (params->capacity == NULL && params->rate_bps == 0)
		return cross(link, now, packet, bytes);

	bool idle = link->queue_count == 0;

	if (!idle && params->queue_bytes > 0 && link->queue_bytes + bytes > params->queue_bytes)
		return refuse(link, HW_LINK_DROP_QUEUE);
	if (!queue_put(link, packet, bytes))
		return refuse(link, HW_LINK_DROP_QUEUE);
	if (idle) {
		if (params->capacity != NULL)
			skip_opportunities(link, now);
		link->head_frac = 0;
		begin_head(link, now, head_bits(link));
	}
	return HW_LINK_PASSED;
}

hw_time hw_linkmodel_next(const struct hw_linkmodel *link)
{
	hw_time next = link->flight_count > 0 ? link->flights[0].at : HW_TIME_NEVER;

	if (link->queue_count > 0)
		next = hw_time_min(next, hw_time_add(head_departure(link), link->min_delay_ns));
	return next;
}

bool hw_linkmodel_dequeue(struct hw_linkmodel *link, hw_time now,
			  struct hw_link_delivery *ret_delivery)
{
	advance(link, now);
	if (link->flight_count == 0 || link->flights[0].at > now)
		return false;

	struct flight flight = flights_pop(link);

	link->stats.in_flight--;
	link->stats.delivered_packets++;
	link->stats.delivered_bytes += flight.bytes;
	*ret_delivery = (struct hw_link_delivery){
		.packet = flight.packet,
		.bytes = flight.bytes,
		.at = flight.at,
		.corrupt = flight.corrupt,
	};
	return true;
}

/* Bits of the head that are still to be sent at `now`, under the parameters in force. */
static uint64_t head_bits_left(const struct hw_linkmodel *link, hw_time now)
{
	if (link->params.capacity != NULL)
		return (uint64_t)link->head_left * 8;

	/* At most the packet's bits times 1e9: no overflow. */
	uint64_t numerator = hw_time_since(link->head_done, now) * link->params.rate_bps;

	return (numerator + HW_NS_PER_S - 1) / HW_NS_PER_S;
}

int hw_linkmodel_change(struct hw_linkmodel *link, hw_time now, const struct hw_link_params *params)
{
	int r = hw_link_params_check(params);

	if (r < 0)
		return r;
	advance(link, now);

	uint64_t bits = link->queue_count > 0 ? head_bits_left(link, now) : 0;
	bool bursts_begin = link->params.bursts.p <= 0 && params->bursts.p > 0;

	take_params(link, params);
	if (bursts_begin) {
		link->bad = chance(link, params->bursts.p / (params->bursts.p + params->bursts.r));
		link->stepped_at = now;
	}
	if (params->down)
		drop_queue(link);
	if (link->queue_count > 0) {
		if (params->capacity != NULL)
			skip_opportunities(link, now);
		link->head_frac = 0;
		begin_head(link, now, bits);
		advance(link, now);
	}
	return 0;
}

const struct hw_link_params *hw_linkmodel_params(const struct hw_linkmodel *link)
{
	return &link->params;
}

const struct hw_link_stats *hw_linkmodel_stats(const struct hw_linkmodel *link)
{
	return &link->stats;
}

void hw_link_corrupt(uint64_t seed, uint8_t *data, size_t len)
{
	struct hw_rng rng;
	uint64_t flipped[4];

	hw_rng_init(&rng, seed);

	size_t count = 1 + hw_rng_below(&rng, 4);

	for (size_t i = 0; i < count; i++) {
		uint64_t bit = hw_rng_below(&rng, len * 8);
		bool again = false;

		/* A bit flipped twice would be whole again. */
		for (size_t j = 0; j < i; j++)
			again = again || flipped[j] == bit;
		flipped[i] = bit;
		if (!again)
			data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
