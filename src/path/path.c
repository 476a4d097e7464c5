#include "path/path.h"

#include <string.h>

#define SILENCE_MIN (2 * HW_PATH_SOONEST)
#define SILENCE_MAX HW_S(3) /* beyond 3 * rtt */
#define ACTIVE_SPAN HW_S(2)
#define ACTIVE_PROBE HW_S(1)
#define IDLE_PROBE_INITIATOR HW_S(12)
#define IDLE_PROBE_RESPONDER HW_S(25)
#define OVERDUE_ACTIVE HW_MS(250)
#define OVERDUE_IDLE HW_S(1)
#define OVERDUE_UNKNOWN HW_S(3) /* as long as no answer has shown how long one takes */
#define PROBING_FIRST HW_MS(250)
#define PROBING_GAP_MAX HW_S(5)
#define PROBING_TRIES 10u
#define SUSPECT_PROBE HW_MS(100)
#define SUSPECT_TRIES 5u
#define DOWN_FIRST HW_S(1)
#define DOWN_GAP_MAX HW_S(30)
#define DOWN_GAP_MAX_ALL HW_S(12)
#define HEARD_PROBE HW_MS(250)

#define STATE_EVENTS (HW_PATH_TODO_UP | HW_PATH_TODO_SUSPECT | HW_PATH_TODO_DOWN)

void hw_path_init(struct hw_path *path, uint32_t id, const struct hw_tuple *tuple,
		  const struct hw_path_link *link, bool learnt, hw_time now)
{
	memset(path, 0, sizeof(*path));
	path->used = true;
	path->id = id;
	path->peer_id = HW_PATH_PEER_ID_NONE;
	path->learnt = learnt;
	path->tuple = *tuple;
	path->link = *link;
	path->theirs.link = HW_PATH_LINK_UNKNOWN;
	path->state = HW_PATH_PROBING;
	path->todo = HW_PATH_TODO_NEW | HW_PATH_TODO_PROBE;
	path->view_stale = true;
	hw_rtt_init(&path->rtt);
	hw_rtt_init(&path->wait);
	hw_path_rx_init(&path->rx);
	hw_path_tx_init(&path->tx);
	hw_path_mtu_init(&path->mtu, tuple->remote.family == HW_FAMILY_IPV6, link->mtu_bytes);
	path->silent_since = HW_TIME_NEVER;
	path->unacked_since = HW_TIME_NEVER;
	path->state_since = now;
}

void hw_path_set_link(struct hw_path *path, const struct hw_path_link *link)
{
	path->link = *link;
	path->view_stale = true;
	hw_path_mtu_set_ceiling(&path->mtu, link->mtu_bytes);
}

/* What was found of another way says nothing; what was counted stays. */
static void restart_mtu(struct hw_path *path)
{
	const struct hw_path_mtu was = path->mtu;

	hw_path_mtu_init(&path->mtu, path->tuple.remote.family == HW_FAMILY_IPV6,
			 path->link.mtu_bytes);
	path->mtu.told = was.told;
	path->mtu.rounds = was.rounds; /* late answers to older probes do not count */
	path->mtu.valid_from = path->mtu.from = was.rounds + 1;
	path->mtu.probes = was.probes;
	path->mtu.probe_bytes = was.probe_bytes;
}

void hw_path_rerouted(struct hw_path *path, const struct hw_tuple *tuple,
		      const struct hw_path_link *link)
{
	bool other = tuple->link != path->tuple.link ||
		     tuple->remote.family != path->tuple.remote.family;

	path->tuple = *tuple;
	hw_path_set_link(path, link);
	/* Behind another address of a NAT the way is most likely the same: it is only asked again. */
	if (other)
		restart_mtu(path);
	else
		hw_path_mtu_trouble(&path->mtu);
}

enum hw_link_use hw_path_use(const struct hw_path *path)
{
	return path->link.use > path->theirs.use ? path->link.use : path->theirs.use;
}

uint32_t hw_path_price(const struct hw_path *path)
{
	uint32_t left = UINT32_MAX - path->link.price;

	return path->link.price + (path->theirs.price < left ? path->theirs.price : left);
}

bool hw_path_metered(const struct hw_path *path)
{
	return path->link.metered || path->theirs.metered;
}

/* The one place where the state changes. An event that was not taken yet gives way to the newer. */
static void enter(struct hw_path *path, enum hw_path_state state, hw_time now)
{
	static const unsigned event[] = {
		[HW_PATH_PROBING] = 0,
		[HW_PATH_UP] = HW_PATH_TODO_UP,
		[HW_PATH_SUSPECT] = HW_PATH_TODO_SUSPECT,
		[HW_PATH_DOWN] = HW_PATH_TODO_DOWN,
	};

	if (state == HW_PATH_SUSPECT ||
	    (state == HW_PATH_UP && path->state != HW_PATH_PROBING))
		hw_path_mtu_trouble(&path->mtu);
	path->state = state;
	path->state_since = now;
	path->tries = 0;
	path->backoff = DOWN_FIRST;
	path->silent_since = HW_TIME_NEVER;
	path->unacked_since = HW_TIME_NEVER;
	path->view_stale = true;
	path->doubt_generation = path->tx.current.generation;
	path->doubt_sequence = path->tx.current.next;
	path->todo = (path->todo & ~(unsigned)(STATE_EVENTS | HW_PATH_TODO_PROBE)) | event[state];
	if (state == HW_PATH_SUSPECT || state == HW_PATH_PROBING)
		path->todo |= HW_PATH_TODO_PROBE;
}

static void rise(struct hw_path *path, hw_time now)
{
	if (path->state != HW_PATH_UP && !path->link_down)
		enter(path, HW_PATH_UP, now);
}

/*
 * Whether the latest report shows that something arrived which was sent after the doubt began. A report
 * that was held up may be new and still speak of what arrived before the path broke.
 */
static bool beyond_doubt(const struct hw_path *path, uint32_t generation)
{
	const struct hw_path_tx_seq *seq = &path->tx.current;

	if (path->state == HW_PATH_UP)
		return true;
	if (generation != seq->generation)
		return false;
	return generation != path->doubt_generation ||
	       (int32_t)(seq->acked - path->doubt_sequence) >= 0;
}

/* Something of ours arrived, and the peer's word of it came back. */
static void sign(struct hw_path *path, hw_time now)
{
	path->sign_at = now;
	path->tries = 0;
	rise(path, now);
}

uint16_t hw_path_sent(struct hw_path *path, uint32_t generation, uint32_t bytes, bool data,
		      hw_time now)
{
	path->last_sent = now;
	if (data && path->silent_since == HW_TIME_NEVER)
		path->silent_since = now;
	if (data && path->unacked_since == HW_TIME_NEVER)
		path->unacked_since = now;

	uint16_t sequence = hw_path_tx_next(&path->tx, generation, bytes);

	if (data)
		hw_path_tx_data(&path->tx, generation);
	if (generation == path->tx.current.generation)
		hw_path_mtu_sent(&path->mtu, generation, path->tx.current.next - 1, bytes, data,
				 now);
	return sequence;
}

unsigned hw_path_heard(struct hw_path *path, hw_time now)
{
	path->last_heard = now;
	path->silent_since = HW_TIME_NEVER;
	if (path->state == HW_PATH_DOWN && !path->link_down &&
	    hw_time_since(now, hw_time_max(path->last_probe, path->state_since)) >= HEARD_PROBE)
		path->todo |= HW_PATH_TODO_PROBE;
	return path->todo;
}

unsigned hw_path_answered(struct hw_path *path, int64_t rtt_ns, hw_time now)
{
	if (rtt_ns >= 0) {
		hw_rtt_sample(&path->rtt, rtt_ns, now);
		path->view_stale = true;
	}
	path->unacked_since = HW_TIME_NEVER;
	sign(path, now);
	return path->todo;
}

uint64_t hw_path_probe_sent(struct hw_path *path, hw_time now)
{
	/* The number keeps an answer that is relayed to another path from counting there. */
	uint64_t token = (uint64_t)path->id << 56 | ++path->last_token;

	path->probes[token % HW_PATH_PROBES] =
		(struct hw_path_probe){ .token = token, .sent_at = now };
	path->last_probe = now;
	path->tries++;
	if (path->state == HW_PATH_DOWN)
		path->backoff = hw_time_min(2 * path->backoff, DOWN_GAP_MAX);
	path->todo &= ~(unsigned)HW_PATH_TODO_PROBE;
	return token;
}

unsigned hw_path_probe_replied(struct hw_path *path, uint64_t token, hw_time hold_ns, hw_time now,
			       bool *ret_known)
{
	struct hw_path_probe *probe = &path->probes[token % HW_PATH_PROBES];
	bool known = token != 0 && probe->token == token;

	if (ret_known != NULL)
		*ret_known = known;
	if (!known)
		return path->todo;

	hw_time elapsed = hw_time_since(now, probe->sent_at);

	probe->token = 0;
	return hw_path_answered(path, (int64_t)hw_time_since(elapsed, hold_ns), now);
}

static hw_time silence_time(const struct hw_path *path)
{
	hw_time rtt = hw_rtt_known(&path->rtt) ? 3 * (hw_time)path->rtt.smoothed_ns : 0;
	hw_time wait = 0;

	if (hw_rtt_known(&path->wait))
		wait = (hw_time)(2 * path->wait.smoothed_ns + 4 * path->wait.variation_ns);
	return hw_time_max(hw_time_max(rtt, SILENCE_MIN), hw_time_min(wait, rtt + SILENCE_MAX));
}

unsigned hw_path_reported(struct hw_path *path, uint32_t generation,
			  const struct hw_control_report_path *report, hw_time now)
{
	const struct hw_path_tx_seq before = path->tx.current;
	bool progress = hw_path_tx_reported(&path->tx, generation, report, now);
	const struct hw_path_tx_seq *seq = &path->tx.current;

	if (generation == seq->generation && before.reported && seq->acked != before.acked)
		hw_path_mtu_reported(&path->mtu, generation, before.acked + 1, seq->acked,
				     seq->their_received - before.their_received, now);
	path->view_stale = true;
	if (progress) {
		if (path->unacked_since != HW_TIME_NEVER)
			hw_rtt_sample(&path->wait, (int64_t)hw_time_since(now, path->unacked_since),
				      now);
		path->unacked_since = hw_path_tx_data_acked(&path->tx) ? HW_TIME_NEVER : now;
		if (beyond_doubt(path, generation))
			sign(path, now);
	} else if (path->state == HW_PATH_UP &&
		   now >= hw_time_add(path->unacked_since, silence_time(path))) {
		enter(path, HW_PATH_SUSPECT, now);
	}
	return path->todo;
}

unsigned hw_path_send_failed(struct hw_path *path, bool gone, hw_time now)
{
	if (gone && path->state != HW_PATH_DOWN)
		enter(path, HW_PATH_DOWN, now);
	else if (path->state == HW_PATH_UP)
		enter(path, HW_PATH_SUSPECT, now);
	return path->todo;
}

unsigned hw_path_link_down(struct hw_path *path, hw_time now)
{
	path->link_down = true;
	if (path->state != HW_PATH_DOWN)
		enter(path, HW_PATH_DOWN, now);
	path->todo &= ~(unsigned)(HW_PATH_TODO_PROBE | HW_PATH_TODO_CHALLENGE);
	return path->todo;
}

unsigned hw_path_link_up(struct hw_path *path, hw_time now)
{
	if (!path->link_down)
		return path->todo;
	path->link_down = false;
	/* The way out may be another one now. */
	hw_rtt_init(&path->rtt);
	hw_rtt_init(&path->wait);
	restart_mtu(path);
	enter(path, HW_PATH_PROBING, now);
	return path->todo;
}

unsigned hw_path_readdressed(struct hw_path *path, hw_time now)
{
	if (path->link_down)
		return path->todo;
	hw_path_mtu_trouble(&path->mtu);
	if (path->state == HW_PATH_UP || path->state == HW_PATH_SUSPECT)
		path->todo |= HW_PATH_TODO_PROBE;
	else
		enter(path, HW_PATH_PROBING, now); /* with all its tries */
	return path->todo;
}

bool hw_path_context_active(const struct hw_path_context *context, hw_time now)
{
	return context->last_data != 0 && hw_time_since(now, context->last_data) < ACTIVE_SPAN;
}

/* 250 ms, 500 ms, 1 s, 2 s, 4 s, then 5 s. */
static hw_time probing_gap(unsigned tries)
{
	return tries > 5 ? PROBING_GAP_MAX : PROBING_FIRST << (tries > 0 ? tries - 1 : 0);
}

static hw_time overdue_at(const struct hw_path *path, const struct hw_path_context *context,
			  hw_time now)
{
	hw_time least = hw_path_context_active(context, now) ? OVERDUE_ACTIVE : OVERDUE_IDLE;
	hw_time rtt = hw_rtt_known(&path->rtt) ? 2 * (hw_time)path->rtt.smoothed_ns
					       : OVERDUE_UNKNOWN;

	return path->last_probe + hw_time_max(rtt, least);
}

/* When an UP path that is not in doubt is probed. */
static hw_time regular_at(const struct hw_path *path, const struct hw_path_context *context,
			  hw_time now)
{
	if (hw_path_context_active(context, now))
		return path->last_probe == 0 ? path->state_since : path->last_probe + ACTIVE_PROBE;
	if (context->initiator)
		return hw_time_max(path->last_sent, path->state_since) + IDLE_PROBE_INITIATOR;
	return hw_time_max(path->last_heard, path->state_since) + IDLE_PROBE_RESPONDER;
}

/* When silence began, or HW_TIME_NEVER. */
static hw_time silence_from(const struct hw_path *path)
{
	return hw_time_max(path->silent_since, path->unacked_since);
}

/* The probe at half of the silence time, once for each silence. */
static hw_time early_at(const struct hw_path *path)
{
	hw_time from = silence_from(path);

	if (from == HW_TIME_NEVER || path->last_probe >= from)
		return HW_TIME_NEVER;
	return from + silence_time(path) / 2;
}

static hw_time up_deadline(const struct hw_path *path, const struct hw_path_context *context,
			   hw_time now)
{
	hw_time at = hw_time_add(silence_from(path), silence_time(path));

	if ((path->todo & HW_PATH_TODO_PROBE) != 0)
		return at;
	at = hw_time_min(at, early_at(path));
	if (path->tries > 0)
		return hw_time_min(at, overdue_at(path, context, now));
	return hw_time_min(at, regular_at(path, context, now));
}

static void up_tick(struct hw_path *path, const struct hw_path_context *context, hw_time now)
{
	if (now >= hw_time_add(silence_from(path), silence_time(path))) {
		enter(path, HW_PATH_SUSPECT, now);
	} else if ((path->todo & HW_PATH_TODO_PROBE) == 0) {
		if (path->tries > 1 && now >= overdue_at(path, context, now))
			enter(path, HW_PATH_SUSPECT, now);
		else if (now >= up_deadline(path, context, now))
			path->todo |= HW_PATH_TODO_PROBE;
	}
}

static hw_time down_gap(const struct hw_path *path, const struct hw_path_context *context)
{
	return hw_time_min(path->backoff, context->all_down ? DOWN_GAP_MAX_ALL : DOWN_GAP_MAX);
}

/* PROBING, SUSPECT and DOWN: when the last probe, if any, has failed. */
static hw_time doubt_deadline(const struct hw_path *path, const struct hw_path_context *context)
{
	hw_time from = hw_time_max(path->last_probe, path->state_since);

	if ((path->todo & HW_PATH_TODO_PROBE) != 0)
		return HW_TIME_NEVER;
	if (path->state == HW_PATH_PROBING)
		return from + probing_gap(path->tries);
	if (path->state == HW_PATH_SUSPECT)
		return from + hw_time_max(SUSPECT_PROBE, hw_rtt_timeout(&path->rtt, 0));
	return from + down_gap(path, context);
}

static void doubt_tick(struct hw_path *path, hw_time now)
{
	bool end = (path->state == HW_PATH_PROBING && path->tries >= PROBING_TRIES) ||
		   (path->state == HW_PATH_SUSPECT && path->tries >= SUSPECT_TRIES);

	if (end)
		enter(path, HW_PATH_DOWN, now);
	else
		path->todo |= HW_PATH_TODO_PROBE;
}

unsigned hw_path_mtu_replied(struct hw_path *path, uint64_t token, uint32_t size, hw_time now)
{
	if (token >> 56 != path->id || !hw_path_mtu_answered(&path->mtu, token, size, now))
		return path->todo;
	if (path->state == HW_PATH_PROBING)
		sign(path, now);
	return path->todo;
}

static struct hw_path_mtu_context mtu_context(const struct hw_path *path,
					      const struct hw_path_context *context, hw_time now)
{
	return (struct hw_path_mtu_context){
		.probing = path->state == HW_PATH_PROBING,
		.active = hw_path_context_active(context, now),
		.metered = hw_path_metered(path),
		.timeout = hw_rtt_timeout(&path->rtt, 0),
	};
}

unsigned hw_path_tick(struct hw_path *path, const struct hw_path_context *context, hw_time now)
{
	if (!context->session || path->link_down)
		return path->todo;
	if (path->state == HW_PATH_UP)
		up_tick(path, context, now);
	else if (now >= doubt_deadline(path, context))
		doubt_tick(path, now);
	if (path->state != HW_PATH_DOWN) {
		const struct hw_path_mtu_context mtu = mtu_context(path, context, now);

		hw_path_mtu_tick(&path->mtu, &mtu, now);
	}
	return path->todo;
}

hw_time hw_path_deadline(const struct hw_path *path, const struct hw_path_context *context,
			 hw_time now)
{
	if (!context->session || path->link_down)
		return HW_TIME_NEVER;

	hw_time at = path->state == HW_PATH_UP ? up_deadline(path, context, now)
					       : doubt_deadline(path, context);

	if (path->state != HW_PATH_DOWN) {
		const struct hw_path_mtu_context mtu = mtu_context(path, context, now);

		at = hw_time_min(at, hw_path_mtu_deadline(&path->mtu, &mtu));
	}
	return at;
}

void hw_path_view(const struct hw_path *path, hw_time now, struct hw_sched_path *ret_view)
{
	*ret_view = (struct hw_sched_path){
		.path = path->id,
		.state = path->state == HW_PATH_UP && path->mtu.doubt ? HW_PATH_SUSPECT
								      : path->state,
		.group = (uint8_t)path->id,
		.use = hw_path_use(path),
		.price = hw_path_price(path),
		.metered = hw_path_metered(path),
		.mtu_bytes = path->mtu.size,
		.rtt_ns = path->rtt.smoothed_ns,
		.delay_excess_ns = -1,
		.jitter_ns = path->tx.detailed ? (int64_t)path->tx.detail.jitter_us * 1000 : -1,
		.loss = path->tx.loss,
		.rate_Bps = hw_path_tx_rate_Bps(&path->tx, now),
		.queue_ns = hw_path_tx_queue_ns(&path->tx, now),
		.rate_max_Bps = hw_path_tx_rate_max_Bps(&path->tx, now),
		.burst_mean = path->tx.detail.burst_mean / 16.0,
		.last_heard = path->last_heard,
	};
}
