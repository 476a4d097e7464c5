/*
 * Bulk traffic that behaves like TCP: slow start, congestion avoidance, fast retransmit and
 * recovery (RFC 5681, RFC 6582), retransmission timeout (RFC 6298), the end of slow start by delay
 * (RFC 9406). Counted in whole packets; every packet is acknowledged cumulatively at once; no SACK,
 * no Nagle, no handshake. Enough to load links and to feel loss, delay and reordering as a real
 * flow would.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/traffic.h"

#define WINDOW 8192u /* packets that the receiver takes ahead; a power of two */
#define ACK_BYTES HW_SIM_FLOW_MIN_BYTES
#define RTO_MIN HW_MS(200)
#define RTO_MAX HW_S(60)

struct hw_sim_tcp {
	struct hw_sim_event timer; /* first */
	struct hw_sim_traffic *traffic;
	/* sender */
	uint32_t acked, next, highest; /* first not acknowledged; next to send; first never sent */
	double cwnd, ssthresh;
	unsigned duplicate_acks;
	bool recovering;
	uint32_t recover; /* recovery ends when this is acknowledged */
	double srtt_ns, rttvar_ns, least_ns;
	hw_time rto;
	hw_time sent_at[WINDOW];
	bool resent[WINDOW];
	uint64_t retransmissions;
	/* receiver */
	uint32_t expected;
	bool received[WINDOW];
};

static bool sending(const struct hw_sim_tcp *tcp)
{
	const struct hw_sim_traffic_config *config = tcp->traffic->config;

	return tcp->traffic->host->engine->now < config->stop &&
	       (config->count == 0 || tcp->acked < config->count);
}

static bool may_send_new(const struct hw_sim_tcp *tcp)
{
	uint64_t count = tcp->traffic->config->count;

	return count == 0 || tcp->next < count;
}

static void arm(struct hw_sim_tcp *tcp)
{
	struct hw_sim_engine *engine = tcp->traffic->host->engine;

	if (tcp->acked == tcp->highest)
		hw_sim_cancel(engine, &tcp->timer);
	else
		hw_sim_at(engine, &tcp->timer, engine->now + tcp->rto);
}

static void transmit(struct hw_sim_tcp *tcp, uint32_t sequence)
{
	struct hw_sim_traffic *traffic = tcp->traffic;

	tcp->resent[sequence % WINDOW] = sequence < tcp->highest;
	tcp->retransmissions += sequence < tcp->highest;
	tcp->sent_at[sequence % WINDOW] = traffic->host->engine->now;
	if (sequence == tcp->highest)
		tcp->highest++;
	hw_sim_traffic_send(traffic, false, sequence, traffic->config->bytes);
}

static void fill_window(struct hw_sim_tcp *tcp)
{
	double window = fmin(tcp->cwnd, WINDOW / 2);

	while (sending(tcp) && may_send_new(tcp) &&
	       (double)(tcp->next - tcp->acked) < floor(window))
		transmit(tcp, tcp->next++);
}

static void timer_fire(struct hw_sim_event *event, hw_time now)
{
	struct hw_sim_tcp *tcp = (struct hw_sim_tcp *)event;

	(void)now;
	if (!sending(tcp))
		return;
	tcp->ssthresh = fmax((double)(tcp->highest - tcp->acked) / 2, 2);
	tcp->cwnd = 1;
	tcp->recovering = false;
	tcp->duplicate_acks = 0;
	tcp->rto = hw_time_min(2 * tcp->rto, RTO_MAX);
	tcp->next = tcp->acked; /* go back: what follows is sent again as the window opens */
	fill_window(tcp);
	arm(tcp);
}

static void sample_rtt(struct hw_sim_tcp *tcp, double rtt)
{
	if (tcp->srtt_ns <= 0) {
		tcp->srtt_ns = rtt;
		tcp->rttvar_ns = rtt / 2;
	} else {
		tcp->rttvar_ns += (fabs(tcp->srtt_ns - rtt) - tcp->rttvar_ns) / 4;
		tcp->srtt_ns += (rtt - tcp->srtt_ns) / 8;
	}
	tcp->rto = hw_time_max(RTO_MIN,
			       hw_time_min(RTO_MAX, (hw_time)(tcp->srtt_ns + 4 * tcp->rttvar_ns)));
}

/*
 * Slow start ends when the round trip grows by an eighth (RFC 9406, in short): else it ends in the
 * loss of half a window, which takes long to repair without SACK.
 */
static void watch_slow_start(struct hw_sim_tcp *tcp, double rtt)
{
	if (tcp->least_ns <= 0 || rtt < tcp->least_ns)
		tcp->least_ns = rtt;

	double margin = fmax(4e6, fmin(16e6, tcp->least_ns / 8));

	if (tcp->cwnd < tcp->ssthresh && tcp->cwnd >= 16 && rtt > tcp->least_ns + margin)
		tcp->ssthresh = tcp->cwnd;
}

static void new_ack(struct hw_sim_tcp *tcp, uint32_t ack, hw_time now)
{
	uint32_t last = (ack - 1) % WINDOW, newly = ack - tcp->acked;

	if (!tcp->resent[last]) {
		sample_rtt(tcp, (double)(now - tcp->sent_at[last]));
		watch_slow_start(tcp, (double)(now - tcp->sent_at[last]));
	}
	tcp->acked = ack;
	if (tcp->next < ack)
		tcp->next = ack;
	tcp->duplicate_acks = 0;
	if (tcp->recovering && ack < tcp->recover) {
		/* A partial acknowledgment: the next hole is lost too. */
		tcp->cwnd = fmax(tcp->cwnd - newly + 1, 1);
		transmit(tcp, ack);
	} else if (tcp->recovering) {
		tcp->recovering = false;
		tcp->cwnd = tcp->ssthresh;
	} else if (tcp->cwnd < tcp->ssthresh) {
		tcp->cwnd += newly;
	} else {
		tcp->cwnd += newly / tcp->cwnd;
	}
	arm(tcp);
}

static void duplicate_ack(struct hw_sim_tcp *tcp)
{
	if (tcp->recovering) {
		tcp->cwnd += 1;
		return;
	}
	if (++tcp->duplicate_acks != 3 || tcp->acked < tcp->recover)
		return;
	tcp->ssthresh = fmax((double)(tcp->next - tcp->acked) / 2, 2);
	tcp->cwnd = tcp->ssthresh + 3;
	tcp->recovering = true;
	tcp->recover = tcp->highest;
	transmit(tcp, tcp->acked);
	arm(tcp);
}

static void data_arrived(struct hw_sim_tcp *tcp, uint32_t sequence)
{
	struct hw_sim_traffic *traffic = tcp->traffic;

	if (sequence >= tcp->expected && sequence - tcp->expected < WINDOW)
		tcp->received[sequence % WINDOW] = true;
	while (tcp->received[tcp->expected % WINDOW]) {
		tcp->received[tcp->expected++ % WINDOW] = false;
		traffic->goodput_bytes += traffic->config->bytes;
	}
	hw_sim_traffic_send(traffic, true, tcp->expected, ACK_BYTES);
}

void hw_sim_tcp_arrived(struct hw_sim_tcp *tcp, bool back, const struct hw_sim_flow_header *header,
			hw_time now)
{
	uint32_t ack = header->aux;

	if (!back) {
		data_arrived(tcp, header->aux);
		return;
	}
	if (ack > tcp->highest || ack < tcp->acked)
		return; /* an old one, overtaken */
	if (ack > tcp->acked)
		new_ack(tcp, ack, now);
	else if (tcp->acked < tcp->highest)
		duplicate_ack(tcp);
	fill_window(tcp);
}

int hw_sim_tcp_new(struct hw_sim_traffic *traffic, struct hw_sim_tcp **ret_tcp)
{
	struct hw_sim_tcp *tcp = calloc(1, sizeof(*tcp));

	if (tcp == NULL)
		return HW_E_NOMEM;
	tcp->traffic = traffic;
	tcp->cwnd = 10; /* RFC 6928 */
	tcp->ssthresh = WINDOW;
	tcp->rto = HW_S(1);
	hw_sim_event_init(&tcp->timer, timer_fire);
	*ret_tcp = tcp;
	return 0;
}

void hw_sim_tcp_free(struct hw_sim_tcp *tcp)
{
	if (tcp == NULL)
		return;
	hw_sim_cancel(tcp->traffic->host->engine, &tcp->timer);
	free(tcp);
}

void hw_sim_tcp_start(struct hw_sim_tcp *tcp)
{
	fill_window(tcp);
	arm(tcp);
}

uint64_t hw_sim_tcp_retransmissions(const struct hw_sim_tcp *tcp)
{
	return tcp->retransmissions;
}
