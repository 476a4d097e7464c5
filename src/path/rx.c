#include "path/rx.h"

#include <string.h>

#include "wire/control.h"

#define LOSS_MIN_PACKETS 20u
#define LOSS_SLOTS 11u /* a second, and the running slot */
#define CONFIRM_SPAN 64u /* how far ahead of an odd stamp its successor may be */
/* Beyond this age, 24-bit send times have no order (they wrap after 134 s). */
#define ORDER_SPAN HW_S(60)

void hw_path_rx_init(struct hw_path_rx *rx)
{
	memset(rx, 0, sizeof(*rx));
	hw_owd_init(&rx->owd);
	hw_meter_init(&rx->meter);
}

static bool sent_before(uint32_t a, uint32_t b)
{
	return ((a - b) & 0x800000u) != 0;
}

static uint64_t *seen_word(struct hw_path_rx_seq *seq, uint32_t sequence)
{
	return &seq->seen[sequence % HW_PATH_RX_WINDOW / 64];
}

static uint64_t seen_bit(uint32_t sequence)
{
	return UINT64_C(1) << sequence % 64;
}

/* Make `sequence` the highest, and forget what was seen below it in the places that it takes. */
static void raise(struct hw_path_rx_seq *seq, uint32_t sequence, uint32_t tick)
{
	uint32_t ahead = sequence - seq->highest;

	if (ahead >= HW_PATH_RX_WINDOW)
		memset(seq->seen, 0, sizeof(seq->seen));
	else
		for (uint32_t s = seq->highest + 1; s != sequence + 1; s++)
			*seen_word(seq, s) &= ~seen_bit(s);
	seq->highest = sequence;
	seq->highest_tick = tick;
}

/* A stamp that fits only if the one before it, odd too, is believed: then both are. */
static bool place_odd(struct hw_path_rx_seq *seq, const struct hw_path_stamp *stamp,
		      uint32_t *ret_expected)
{
	uint16_t step = (uint16_t)(stamp->sequence - seq->odd_sequence);
	bool follows = seq->odd && step >= 1 && step <= CONFIRM_SPAN &&
		       !sent_before(stamp->send_tick, seq->odd_tick);

	seq->odd = !follows;
	seq->odd_sequence = stamp->sequence;
	seq->odd_tick = stamp->send_tick;
	if (!follows)
		return false;

	uint16_t ahead = (uint16_t)(stamp->sequence - (uint16_t)seq->highest);

	/* Behind means that the numbering began anew: the gap is no loss. */
	*ret_expected = ahead < 0x8000u ? ahead : 1;
	memset(seq->seen, 0, sizeof(seq->seen));
	seq->highest += ahead;
	seq->highest_tick = stamp->send_tick;
	return true;
}

/* How many more packets were sent, as this stamp shows; false: it is not to be measured. */
static bool place(struct hw_path_rx_seq *seq, const struct hw_path_stamp *stamp,
		  uint32_t *ret_expected)
{
	if (!seq->any) {
		/*
		 * What came before the first was not measured when it arrived, so a copy of it
		 * that is replayed later must not be either.
		 */
		memset(seq->seen, 0xff, sizeof(seq->seen));
		seq->any = true;
		seq->highest = stamp->sequence;
		seq->highest_tick = stamp->send_tick;
		*ret_expected = 1;
		return true;
	}

	int16_t ahead = (int16_t)(uint16_t)(stamp->sequence - (uint16_t)seq->highest);
	bool ordered = hw_time_since(stamp->at, seq->last_at) <= ORDER_SPAN;
	bool older = ordered && sent_before(stamp->send_tick, seq->highest_tick);
	bool newer = ordered && sent_before(seq->highest_tick, stamp->send_tick);

	if (ahead > 0) {
		if (older)
			return false;
		if ((uint32_t)ahead > HW_PATH_RX_JUMP)
			return place_odd(seq, stamp, ret_expected);
		raise(seq, seq->highest + (uint32_t)ahead, stamp->send_tick);
		*ret_expected = (uint32_t)ahead;
		return true;
	}
	if (newer)
		return place_odd(seq, stamp, ret_expected);

	uint32_t behind = (uint32_t)-ahead;

	if (behind >= HW_PATH_RX_WINDOW || behind > seq->highest)
		return false;
	*ret_expected = 0;
	return (*seen_word(seq, seq->highest - behind) & seen_bit(seq->highest - behind)) == 0;
}

static uint32_t extend(const struct hw_path_rx_seq *seq, uint16_t sequence)
{
	return seq->highest - (uint16_t)((uint16_t)seq->highest - sequence);
}

static struct hw_path_rx_seq *seq_of(struct hw_path_rx *rx, uint32_t generation)
{
	if (generation > rx->current.generation) {
		rx->previous = rx->current;
		rx->current = (struct hw_path_rx_seq){ .generation = generation };
	}
	if (generation == rx->current.generation)
		return &rx->current;
	return generation == rx->previous.generation ? &rx->previous : NULL;
}

bool hw_path_rx_stamp(struct hw_path_rx *rx, struct hw_owd_clock *clock,
		      const struct hw_path_stamp *stamp)
{
	struct hw_path_rx_seq *seq = seq_of(rx, stamp->generation);
	uint32_t expected;

	if (seq == NULL || !place(seq, stamp, &expected)) {
		rx->unmeasured++;
		return false;
	}

	uint32_t sequence = extend(seq, stamp->sequence);

	*seen_word(seq, sequence) |= seen_bit(sequence);
	seq->received++;
	seq->last_at = hw_time_max(seq->last_at, stamp->at);
	rx->packets++;
	rx->bytes += stamp->bytes;
	if (stamp->duplicate) {
		seq->copies++;
		rx->duplicates++;
	}
	hw_meter_add(&rx->meter, expected, 1, stamp->bytes, stamp->at);
	hw_owd_sample(&rx->owd, hw_owd_clock_delay(clock, stamp->send_tick, stamp->at), stamp->at);
	return true;
}

static uint32_t clamp32(double v)
{
	return v >= (double)UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void fill_detail(const struct hw_path_rx *rx, const struct hw_path_rx_seq *seq, hw_time now,
			struct hw_control_report_detail *ret_detail)
{
	ret_detail->duplicates = seq->copies;
	ret_detail->jitter_us = clamp32((double)rx->owd.jitter_ns / HW_NS_PER_US);
	ret_detail->rate_kbps = clamp32(hw_meter_rate_Bps(&rx->meter, now) / 125);
}

bool hw_path_rx_report(const struct hw_path_rx *rx, uint32_t generation, bool detailed, hw_time now,
		       struct hw_control_report_path *ret_report)
{
	const struct hw_path_rx_seq *seq = &rx->current;

	if (seq->generation != generation)
		seq = &rx->previous;
	if (generation == 0 || seq->generation != generation || !seq->any)
		return false;
	*ret_report = (struct hw_control_report_path){
		.highest_seq = seq->highest,
		.received = seq->received,
		.owd_us = (uint32_t)(rx->owd.smoothed_ns / (int64_t)HW_NS_PER_US),
		.queue = HW_CONTROL_QUEUE_UNKNOWN,
		.detailed = detailed,
	};
	if (detailed)
		fill_detail(rx, seq, now, &ret_report->detail);
	return true;
}

bool hw_path_rx_news(const struct hw_path_rx *rx)
{
	return rx->packets != rx->told;
}

void hw_path_rx_told(struct hw_path_rx *rx, bool detailed, hw_time now)
{
	rx->told = rx->packets;
	if (detailed)
		rx->detailed_at = now;
}

double hw_path_rx_loss(const struct hw_path_rx *rx, hw_time now)
{
	double loss = hw_meter_loss(&rx->meter, LOSS_SLOTS, LOSS_MIN_PACKETS, now);

	return loss >= 0 ? loss : hw_meter_loss(&rx->meter, HW_METER_SLOTS, LOSS_MIN_PACKETS, now);
}
