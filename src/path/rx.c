#include "path/rx.h"

#include <string.h>

#include "wire/control.h"

#define LOSS_MIN_PACKETS 20u
#define LOSS_SLOTS 11u /* a second, and the running slot */
#define CONFIRM_SPAN 64u /* how far ahead of an odd stamp its successor may be */
/* Beyond this age, 24-bit send times have no order (they wrap after 134 s). */
#define ORDER_SPAN HW_S(60)
#define RAISE_STEP (HW_PATH_RX_WINDOW / 2)
#define WORDS (UINT32_MAX / 64 + 1) /* of all sequences */
#define STALL_FADE HW_S(120)
#define TROUBLE_RUN 3u /* so many missing in a row are trouble */

void hw_path_rx_init(struct hw_path_rx *rx)
{
	memset(rx, 0, sizeof(*rx));
	hw_owd_init(&rx->owd);
	hw_queue_init(&rx->queue);
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

/* Words that lie a whole word behind the highest: what they lack is lost. */
static void settle(struct hw_path_rx_seq *seq, struct hw_runs *runs, hw_time at)
{
	/* More than half of all words ahead is behind: the word that a new numbering began in. */
	for (;;) {
		uint32_t lag = (seq->highest / 64 - seq->settled) % WORDS;

		if (lag < 2 || lag > WORDS / 2)
			return;
		hw_runs_word(runs, *seen_word(seq, seq->settled * 64), at);
		seq->settled = (seq->settled + 1) % WORDS;
	}
}

/* Make the highest sequence `ahead` higher, and forget what was seen in the places that it takes. */
static void raise(struct hw_path_rx_seq *seq, uint32_t ahead, struct hw_runs *runs,
		  const struct hw_path_stamp *stamp)
{
	/* In steps, so that each word can settle before it is used anew. */
	while (ahead > 0) {
		uint32_t step = ahead < RAISE_STEP ? ahead : RAISE_STEP;

		for (uint32_t i = 0; i < step; i++) {
			seq->highest++;
			*seen_word(seq, seq->highest) &= ~seen_bit(seq->highest);
		}
		settle(seq, runs, stamp->at);
		ahead -= step;
	}
	seq->highest_tick = stamp->send_tick;
}

/* A stamp that fits only if the one before it, odd too, is believed: then both are. */
static bool place_odd(struct hw_path_rx_seq *seq, const struct hw_path_stamp *stamp,
		      struct hw_runs *runs, uint32_t *ret_expected)
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

	if (ahead < 0x8000u) {
		*ret_expected = ahead;
		raise(seq, ahead, runs, stamp);
		return true;
	}
	/* Behind means that the numbering began anew: the gap is no loss. */
	*ret_expected = 1;
	memset(seq->seen, 0, sizeof(seq->seen));
	seq->highest += ahead;
	seq->highest_tick = stamp->send_tick;
	seq->settled = (seq->highest / 64 + 1) % WORDS;
	return true;
}

static void place_first(struct hw_path_rx_seq *seq, const struct hw_path_stamp *stamp)
{
	/*
	 * What came before the first was not measured when it arrived, so a copy of it that is
	 * replayed later must not be either.
	 */
	memset(seq->seen, 0xff, sizeof(seq->seen));
	seq->any = true;
	seq->highest = stamp->sequence;
	seq->highest_tick = stamp->send_tick;
	seq->settled = seq->highest / 64;
}

/*
 * How many more packets were sent, as this stamp shows, and how far below the highest it is; false: it
 * is not to be measured.
 */
static bool place(struct hw_path_rx_seq *seq, const struct hw_path_stamp *stamp,
		  struct hw_runs *runs, uint32_t *ret_expected, uint32_t *ret_behind)
{
	*ret_behind = 0;
	*ret_expected = 1;
	if (!seq->any) {
		place_first(seq, stamp);
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
			return place_odd(seq, stamp, runs, ret_expected);
		raise(seq, (uint32_t)ahead, runs, stamp);
		*ret_expected = (uint32_t)ahead;
		return true;
	}
	if (newer)
		return place_odd(seq, stamp, runs, ret_expected);

	uint32_t behind = (uint32_t)-ahead;

	if (behind >= HW_PATH_RX_WINDOW || behind > seq->highest)
		return false;
	*ret_expected = 0;
	*ret_behind = behind;
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

int64_t hw_path_rx_stall_ns(const struct hw_path_rx *rx, hw_time now)
{
	hw_time age = hw_time_since(now, rx->stalled_at);

	if (age >= STALL_FADE)
		return 0;
	return rx->stall_ns - rx->stall_ns / 1024 * (int64_t)(age * 1024 / STALL_FADE);
}

/* The signs of trouble that the path itself shows; silence shows on others (path/arrival.c). */
static void look_for_trouble(struct hw_path_rx *rx, const struct hw_path_stamp *stamp,
			     int64_t silence_ns)
{
	uint32_t extent = hw_order_extent(&rx->order, stamp->at);

	if (rx->trouble == HW_PATH_TROUBLE_SILENT) {
		rx->trouble = HW_PATH_TROUBLE_NONE;
		if (rx->expected <= 1 && silence_ns > hw_path_rx_stall_ns(rx, stamp->at)) {
			rx->stall_ns = silence_ns;
			rx->stalled_at = stamp->at;
		}
	}
	/* Where packets are known to overtake each other, a gap may still be filled. */
	if (rx->expected > TROUBLE_RUN && rx->expected > extent + 1)
		rx->trouble = HW_PATH_TROUBLE_LOST;
	rx->missed = 0;
	if (rx->packets == 1 || sent_before(rx->newest_tick, stamp->send_tick))
		rx->newest_tick = stamp->send_tick;
}

bool hw_path_rx_stamp(struct hw_path_rx *rx, struct hw_owd_clock *clock,
		      const struct hw_path_stamp *stamp)
{
	struct hw_path_rx_seq *seq = seq_of(rx, stamp->generation);
	uint32_t expected, behind;

	if (seq == NULL || !place(seq, stamp, &rx->runs, &expected, &behind)) {
		rx->unmeasured++;
		return false;
	}

	uint32_t sequence = extend(seq, stamp->sequence);
	int64_t delay_ns = hw_owd_clock_delay(clock, stamp->send_tick, stamp->at);

	*seen_word(seq, sequence) |= seen_bit(sequence);
	rx->expected = expected;
	seq->received++;
	seq->last_at = hw_time_max(seq->last_at, stamp->at);
	rx->packets++;
	rx->bytes += stamp->bytes;
	if (stamp->duplicate) {
		seq->copies++;
		rx->duplicates++;
	}
	hw_meter_add(&rx->meter, rx->expected, 1, stamp->bytes, stamp->at);
	hw_owd_sample(&rx->owd, delay_ns, stamp->at);
	hw_queue_sample(&rx->queue, delay_ns, stamp->at);
	hw_rate_packet(&rx->rate, stamp->bytes, hw_queue_beyond(&rx->queue, delay_ns),
		       rx->owd.jitter_ns, stamp->at);
	hw_order_packet(&rx->order, behind, stamp->at);
	look_for_trouble(rx, stamp, (int64_t)hw_time_since(stamp->at, rx->gap.last_at));
	if (stamp->data)
		hw_gap_arrival(&rx->gap, stamp->at);
	return true;
}

static uint32_t clamp32(double v)
{
	return v >= (double)UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint16_t clamp16(double v)
{
	return v >= UINT16_MAX ? UINT16_MAX : (uint16_t)v;
}

/* In units of the report's; the last one below `unknown` stands for all that is longer. */
static uint16_t report_queue(const struct hw_path_rx *rx, hw_time now)
{
	int64_t queue = hw_queue_delay_ns(&rx->queue, now);

	if (queue < 0)
		return HW_CONTROL_QUEUE_UNKNOWN;
	queue = (queue + HW_CONTROL_QUEUE_NS / 2) / HW_CONTROL_QUEUE_NS;
	return queue < HW_CONTROL_QUEUE_UNKNOWN ? (uint16_t)queue : HW_CONTROL_QUEUE_UNKNOWN - 1;
}

static void fill_detail(const struct hw_path_rx *rx, const struct hw_path_rx_seq *seq, hw_time now,
			struct hw_control_report_detail *ret_detail)
{
	ret_detail->duplicates = seq->copies;
	ret_detail->jitter_us = clamp32((double)rx->owd.jitter_ns / HW_NS_PER_US);
	ret_detail->rate_kbps = clamp32(hw_meter_rate_Bps(&rx->meter, now) / 125);
	ret_detail->rate_max_kbps = clamp32(hw_rate_max_Bps(&rx->rate, now) / 125);
	ret_detail->burst_mean = clamp16(hw_runs_mean(&rx->runs, now) * 16 + 0.5);
	ret_detail->burst_max = clamp16(hw_runs_longest(&rx->runs, now));
	ret_detail->reorder_share =
		clamp16(hw_order_share(&rx->order, now) * HW_CONTROL_SHARE_ONE + 0.5);
	ret_detail->reorder_extent = clamp16(hw_order_extent(&rx->order, now));
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
		.queue = report_queue(rx, now),
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
	if (rx->trouble == HW_PATH_TROUBLE_LOST)
		rx->trouble = HW_PATH_TROUBLE_NONE;
	if (detailed)
		rx->detailed_at = now;
}

double hw_path_rx_loss_over(const struct hw_path_rx *rx, unsigned seconds, hw_time now)
{
	if (seconds >= HW_METER_SECONDS)
		return hw_meter_loss_minute(&rx->meter, LOSS_MIN_PACKETS, now);
	return hw_meter_loss(&rx->meter, seconds * 10 + 1, LOSS_MIN_PACKETS, now);
}

double hw_path_rx_loss(const struct hw_path_rx *rx, hw_time now)
{
	double loss = hw_meter_loss(&rx->meter, LOSS_SLOTS, LOSS_MIN_PACKETS, now);

	return loss >= 0 ? loss : hw_meter_loss(&rx->meter, HW_METER_SLOTS, LOSS_MIN_PACKETS, now);
}
