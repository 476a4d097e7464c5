#include "path/tx.h"

#include <string.h>

#define LOSS_MIN_PACKETS 20
#define LOSS_FADE HW_S(2)
#define RATE_FRESH HW_S(2)

void hw_path_tx_init(struct hw_path_tx *tx)
{
	memset(tx, 0, sizeof(*tx));
	tx->loss = -1;
	tx->rate_Bps = -1;
	tx->queue_ns = -1;
	hw_meter_init(&tx->meter);
}

static struct hw_path_tx_seq *seq_of(struct hw_path_tx *tx, uint32_t generation)
{
	if (generation == 0)
		return NULL;
	if (generation == tx->current.generation)
		return &tx->current;
	return generation == tx->previous.generation ? &tx->previous : NULL;
}

static bool data_acked(const struct hw_path_tx_seq *seq)
{
	return seq->data_next == 0 || (seq->reported && seq->acked >= seq->data_next - 1);
}

static uint64_t *kind_word(struct hw_path_tx_seq *seq, uint32_t sequence)
{
	return &seq->data[sequence % HW_PATH_TX_KINDS / 64];
}

static uint64_t kind_bit(uint32_t sequence)
{
	return UINT64_C(1) << sequence % 64;
}

/* The first packet beyond `sequence` that carried data, or may have. */
static uint32_t next_data(struct hw_path_tx_seq *seq, uint32_t sequence)
{
	uint32_t next = sequence + 1;

	if (seq->next - next > HW_PATH_TX_KINDS)
		return next;
	while (next != seq->next && (*kind_word(seq, next) & kind_bit(next)) == 0)
		next++;
	return next;
}

uint16_t hw_path_tx_next(struct hw_path_tx *tx, uint32_t generation, uint32_t bytes)
{
	if (generation > tx->current.generation) {
		tx->previous = tx->current;
		tx->current = (struct hw_path_tx_seq){ .generation = generation };
	}

	struct hw_path_tx_seq *seq = seq_of(tx, generation);

	if (seq == NULL)
		return 0;
	tx->packets++;
	tx->bytes += bytes;
	*kind_word(seq, seq->next) &= ~kind_bit(seq->next);
	return (uint16_t)seq->next++;
}

static void count_loss(struct hw_path_tx *tx, uint32_t expected, uint32_t received, hw_time now)
{
	hw_meter_add(&tx->meter, expected, received, 0, now);
	tx->step_expected = expected;
	tx->step_received = received;

	hw_time age = hw_time_since(now, tx->loss_at);
	double keep = age >= LOSS_FADE ? 0 : 1 - (double)age / (double)LOSS_FADE;

	if (tx->loss_expected <= LOSS_MIN_PACKETS)
		keep = 1;
	else if (keep * tx->loss_expected < LOSS_MIN_PACKETS)
		keep = LOSS_MIN_PACKETS / tx->loss_expected;
	tx->loss_expected = keep * tx->loss_expected + expected;
	tx->loss_received = keep * tx->loss_received + received;
	tx->loss_at = now;
	if (tx->loss_expected < LOSS_MIN_PACKETS)
		return;
	/* Packets that came late count in a later report than their gap did. */
	tx->loss = 1 - tx->loss_received / tx->loss_expected;
	if (tx->loss < 0)
		tx->loss = 0;
}

bool hw_path_tx_reported(struct hw_path_tx *tx, uint32_t generation,
			 const struct hw_control_report_path *report, hw_time now)
{
	struct hw_path_tx_seq *seq = seq_of(tx, generation);

	tx->step_expected = tx->step_received = 0;
	if (seq == NULL || seq->next == 0)
		return false;

	/* The newest packet of ours whose sequence has these low 16 bits. */
	uint32_t last = seq->next - 1;
	uint32_t lag = (uint16_t)((uint16_t)last - (uint16_t)report->highest_seq);

	if (lag > last)
		return false;

	uint32_t acked = last - lag;
	bool first = !seq->reported;
	uint32_t highest_step = report->highest_seq - seq->their_highest;
	uint32_t received_step = report->received - seq->their_received;

	/* Older than what is known, or out of order: both counts only grow. */
	if (!first && (highest_step > INT32_MAX || received_step > INT32_MAX || acked < seq->acked))
		return false;
	if (!first && highest_step == 0 && received_step == 0)
		return false;

	uint32_t sent = acked - seq->acked;
	bool progress = (first || sent > 0) &&
			(data_acked(seq) || (int32_t)(acked - seq->data_first) >= 0);

	/* Where the peer took up a new numbering, its steps and ours differ: loss is unknown. */
	if (!first && highest_step == sent)
		count_loss(tx, sent, received_step, now);
	seq->reported = true;
	seq->acked = acked;
	if (progress)
		seq->data_first = next_data(seq, acked);
	seq->their_highest = report->highest_seq;
	seq->their_received = report->received;
	tx->owd_known = true;
	tx->owd_us = report->owd_us;
	tx->queue_ns = report->queue == HW_CONTROL_QUEUE_UNKNOWN
			       ? -1
			       : (int64_t)report->queue * HW_CONTROL_QUEUE_NS;
	if (report->detailed) {
		tx->detailed = true;
		tx->detailed_at = now;
		tx->detail = report->detail;
		tx->rate_Bps = (double)report->detail.rate_kbps * 125;
	}
	tx->reported_at = now;
	return progress;
}

double hw_path_tx_rate_Bps(const struct hw_path_tx *tx, hw_time now)
{
	if (tx->rate_Bps < 0)
		return -1;
	return hw_time_since(now, tx->reported_at) > RATE_FRESH ? 0 : tx->rate_Bps;
}

int64_t hw_path_tx_queue_ns(const struct hw_path_tx *tx, hw_time now)
{
	return hw_time_since(now, tx->reported_at) > RATE_FRESH ? -1 : tx->queue_ns;
}

double hw_path_tx_rate_max_Bps(const struct hw_path_tx *tx, hw_time now)
{
	if (!tx->detailed || hw_time_since(now, tx->detailed_at) > HW_RATE_SLOT)
		return 0;
	return (double)tx->detail.rate_max_kbps * 125;
}

double hw_path_tx_loss(const struct hw_path_tx *tx, unsigned seconds, hw_time now)
{
	if (seconds >= HW_METER_SECONDS)
		return hw_meter_loss_minute(&tx->meter, LOSS_MIN_PACKETS, now);
	return hw_meter_loss(&tx->meter, seconds * 10 + 1, LOSS_MIN_PACKETS, now);
}

bool hw_path_tx_owd_fresh(const struct hw_path_tx *tx, hw_time now)
{
	return tx->owd_known && hw_time_since(now, tx->reported_at) <= HW_OWD_FRESH;
}

void hw_path_tx_data(struct hw_path_tx *tx, uint32_t generation)
{
	struct hw_path_tx_seq *seq = seq_of(tx, generation);

	if (seq == NULL)
		return;
	if (data_acked(seq))
		seq->data_first = seq->next - 1;
	seq->data_next = seq->next;
	*kind_word(seq, seq->next - 1) |= kind_bit(seq->next - 1);
}

bool hw_path_tx_data_acked(const struct hw_path_tx *tx)
{
	return data_acked(&tx->current);
}
