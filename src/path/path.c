#include "path/path.h"

#include <string.h>

#define SILENCE_UNMEASURED HW_MS(150) /* at least, before a report has shown how long one takes */
#define SILENCE_UNKNOWN HW_S(1)       /* nor any answer */
#define SILENCE_MARGIN (2 * HW_PATH_SOONEST)
#define SILENCE_GAPS_MAX HW_MS(100)
#define WAIT_FRESH HW_S(10)
#define LOSSES_IN_A_ROW 3u
#define SUSPECT_TOLD HW_MS(500)
#define ACTIVE_SPAN HW_S(2)
#define ACTIVE_PROBE HW_S(1)
#define IDLE_PROBE_INITIATOR HW_S(12)
#define IDLE_PROBE_RESPONDER HW_S(25)
#define SPARE_PROBE_INITIATOR HW_S(25)
#define SPARE_PROBE_RESPONDER HW_S(60)
#define YOUNG_PROBE HW_MS(100)
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
	hw_rtt_restart(&path->rtt);
	hw_rtt_init(&path->wait);
	hw_flight_init(&path->flight);
	hw_path_rx_init(&path->rx);
	hw_path_tx_init(&path->tx);
	hw_path_mtu_init(&path->mtu, tuple->remote.family == HW_FAMILY_IPV6, link->mtu_bytes);
	path->state_since = now;
}

void hw_path_set_link(struct hw_path *path, const struct hw_path_link *link)
{
	/* Field by field: hw_core_state_hash goes by bytes, and padding is no state. */
	path->link.use = link->use;
	path->link.price = link->price;
	path->link.mtu_bytes = link->mtu_bytes;
	path->link.metered = link->metered;
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

/* What is to be told of a state, and when it no longer is. */
static void tell(struct hw_path *path, enum hw_path_state state)
{
	static const unsigned event[] = {
		[HW_PATH_PROBING] = 0,
		[HW_PATH_UP] = HW_PATH_TODO_UP,
		[HW_PATH_SUSPECT] = HW_PATH_TODO_SUSPECT,
		[HW_PATH_DOWN] = HW_PATH_TODO_DOWN,
	};

	if (path->told == state || event[state] == 0)
		return;
	path->told = state;
	/* An event that was not taken yet gives way to the newer. */
	path->todo = (path->todo & ~(unsigned)STATE_EVENTS) | event[state];
}

static void begin(struct hw_path *path, enum hw_path_state state, hw_time now)
{
	path->state = state;
	path->state_since = now;
	path->tries = 0;
	path->backoff = DOWN_FIRST;
	path->view_stale = true;
	path->doubt_generation = path->tx.current.generation;
	path->doubt_sequence = path->tx.current.next;
	path->todo &= ~(unsigned)HW_PATH_TODO_PROBE;
	if (state != HW_PATH_SUSPECT)
		tell(path, state);
	if (state == HW_PATH_DOWN || state == HW_PATH_PROBING)
		path->answers_from = (struct hw_addr){ .family = HW_FAMILY_NONE };
	if (state == HW_PATH_UP)
		hw_flight_clear(&path->flight); /* what was lost in the time of doubt is no new silence */
}

static void forget_measured(struct hw_path *path)
{
	hw_rtt_init(&path->rtt);
	hw_rtt_restart(&path->rtt);
	hw_rtt_init(&path->wait);
	hw_flight_init(&path->flight);
	restart_mtu(path);
}

/* Whether the event may come of packets that are too large now, or the path may lead elsewhere. */
static bool shakes_mtu(enum hw_path_state from, enum hw_path_event event)
{
	return (from == HW_PATH_UP && (event == HW_PATH_EVENT_SILENT || event == HW_PATH_EVENT_UNANSWERED)) ||
	       (from == HW_PATH_DOWN && event == HW_PATH_EVENT_PROVEN);
}

/* The one place where the state changes, by the table of path/state.c. */
static void happen(struct hw_path *path, enum hw_path_event event, hw_time now)
{
	const struct hw_path_cell cell = hw_path_transition(path->state, event);

	if (shakes_mtu(path->state, event))
		hw_path_mtu_trouble(&path->mtu);
	if (cell.next != path->state) {
		path->why = event;
		path->changes++;
	}
	if (cell.next != path->state || (cell.actions & HW_PATH_DO_RENEW) != 0)
		begin(path, cell.next, now);
	if ((cell.actions & HW_PATH_DO_FORGET) != 0)
		forget_measured(path);
	if ((cell.actions & HW_PATH_DO_SETTLE) != 0)
		hw_rtt_restart(&path->rtt);
	if ((cell.actions & HW_PATH_DO_PROBE) != 0)
		path->todo |= HW_PATH_TODO_PROBE;
	if ((cell.actions & HW_PATH_DO_RESEND) != 0) {
		path->todo |= HW_PATH_TODO_RESEND;
		path->doubt_all = event != HW_PATH_EVENT_LOSSES;
	}
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
	if (!path->link_down)
		happen(path, HW_PATH_EVENT_PROVEN, now);
}

uint16_t hw_path_sent(struct hw_path *path, uint32_t generation, uint32_t bytes, bool data,
		      hw_time now)
{
	path->last_sent = now;

	uint16_t sequence = hw_path_tx_next(&path->tx, generation, bytes);

	if (data) {
		path->last_data = now;
		hw_path_tx_data(&path->tx, generation);
		if (generation == path->tx.current.generation)
			hw_flight_sent(&path->flight, generation, path->tx.current.next - 1, now);
	}
	if (generation == path->tx.current.generation)
		hw_path_mtu_sent(&path->mtu, generation, path->tx.current.next - 1, bytes, data,
				 now);
	return sequence;
}

uint32_t hw_path_last_sequence(const struct hw_path *path, uint32_t generation)
{
	if (generation == path->tx.current.generation)
		return path->tx.current.next - 1;
	return generation == path->tx.previous.generation ? path->tx.previous.next - 1 : 0;
}

bool hw_path_spare(const struct hw_path *path)
{
	return hw_path_metered(path) || hw_path_use(path) != HW_USE_ALWAYS;
}

bool hw_path_stands_by(const struct hw_path *path, hw_time now)
{
	return path->last_data == 0 || hw_time_since(now, path->last_data) >= ACTIVE_SPAN;
}

unsigned hw_path_heard(struct hw_path *path, hw_time now)
{
	path->last_heard = now;
	if (path->state == HW_PATH_DOWN && !path->link_down &&
	    hw_time_since(now, hw_time_max(path->last_probe, path->state_since)) >= HEARD_PROBE)
		happen(path, HW_PATH_EVENT_HEARD, now);
	return path->todo;
}

unsigned hw_path_answered(struct hw_path *path, int64_t rtt_ns, hw_time now)
{
	/* Coming up makes the sample the first of a new life, so it counts for what it is. */
	sign(path, now);
	if (rtt_ns >= 0) {
		hw_rtt_sample(&path->rtt, rtt_ns, now);
		hw_flight_excuse(&path->flight, hw_time_since(now, (hw_time)rtt_ns));
		path->view_stale = true;
	}
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

bool hw_path_asked(const struct hw_path *path, uint64_t token)
{
	return token != 0 && path->probes[token % HW_PATH_PROBES].token == token;
}

unsigned hw_path_probe_replied(struct hw_path *path, uint64_t token, hw_time hold_ns, hw_time now,
			       bool *ret_known)
{
	struct hw_path_probe *probe = &path->probes[token % HW_PATH_PROBES];
	bool known = hw_path_asked(path, token);

	if (ret_known != NULL)
		*ret_known = known;
	if (!known)
		return path->todo;

	hw_time elapsed = hw_time_since(now, probe->sent_at);

	probe->token = 0;
	return hw_path_answered(path, (int64_t)hw_time_since(elapsed, hold_ns), now);
}

/* Beyond the usual time of a report, what is granted before data without one means silence. */
static hw_time margin(const struct hw_path *path)
{
	hw_time spread = 4 * (hw_time)path->wait.variation_ns;

	return hw_time_max(spread, SILENCE_MARGIN) +
	       hw_time_min(2 * hw_flight_gap(&path->flight), SILENCE_GAPS_MAX);
}

/* From data to its report, as it usually is. */
static hw_time usual_wait(const struct hw_path *path, hw_time now)
{
	hw_time wait = (hw_time)path->wait.smoothed_ns;
	bool fresh = hw_time_since(now, path->wait_at) < WAIT_FRESH;

	return fresh || !hw_rtt_known(&path->rtt) ? wait
						  : hw_time_max(wait, (hw_time)path->rtt.smoothed_ns);
}

/* When the oldest data under way means silence, or HW_TIME_NEVER; *ret_early: when to ask by a probe. */
static hw_time silence_at(const struct hw_path *path, hw_time *ret_early)
{
	hw_time oldest = hw_flight_oldest(&path->flight);
	hw_time least = 0, more;

	*ret_early = HW_TIME_NEVER;
	if (oldest == HW_TIME_NEVER)
		return HW_TIME_NEVER;
	if (hw_rtt_known(&path->wait)) {
		least = usual_wait(path, oldest);
		more = margin(path);
	} else if (hw_rtt_known(&path->rtt)) {
		more = hw_time_max(3 * (hw_time)path->rtt.smoothed_ns, SILENCE_UNMEASURED);
	} else {
		more = SILENCE_UNKNOWN;
	}
	if (path->last_probe < oldest)
		*ret_early = oldest + least + more / 2;
	return oldest + least + more;
}

/* Whether the peer's word that it doubts the path fits what is known here. */
static bool doubt_fits(const struct hw_path *path, hw_time now)
{
	hw_time oldest = hw_flight_oldest(&path->flight);

	return oldest != HW_TIME_NEVER && hw_rtt_known(&path->wait) &&
	       now >= oldest + usual_wait(path, now);
}

/* What the report says beyond the one before it, of the session that is in use. */
struct news {
	uint32_t lost, received;
	uint32_t sound_to; /* the sequence up to which there was none before */
};

static void losses(struct hw_path *path, const struct news *news, bool told, bool progress,
		   hw_time now)
{
	const struct hw_path_tx_seq *seq = &path->tx.current;
	/* Each of the received ended one run of losses at the most, since the last was received. */
	bool in_a_row = news->lost >= LOSSES_IN_A_ROW &&
			news->lost > (LOSSES_IN_A_ROW - 1) * news->received;

	path->sound_generation = seq->generation;
	path->sound_sequence = news->lost > 0 ? news->sound_to : seq->acked;
	if (in_a_row || (told && (news->lost >= LOSSES_IN_A_ROW || (!progress && doubt_fits(path, now)))))
		happen(path, HW_PATH_EVENT_LOSSES, now);
}

unsigned hw_path_reported(struct hw_path *path, uint32_t generation,
			  const struct hw_control_report_path *report, hw_time now)
{
	const struct hw_path_tx_seq before = path->tx.current;
	const struct hw_path_tx_seq *seq = &path->tx.current;
	bool progress = hw_path_tx_reported(&path->tx, generation, report, now);
	bool told = report->state == HW_PATH_SUSPECT;

	if (generation == seq->generation && before.reported && seq->acked != before.acked)
		hw_path_mtu_reported(&path->mtu, generation, before.acked + 1, seq->acked,
				     seq->their_received - before.their_received, now);
	path->view_stale = true;
	if (progress) {
		int64_t took = hw_flight_reported(&path->flight, generation, seq->acked,
						  hw_path_tx_data_acked(&path->tx), now);

		if (took >= 0) {
			hw_rtt_sample(&path->wait, took, now);
			path->wait_at = now;
		}
		if (beyond_doubt(path, generation))
			sign(path, now);
	}
	if (generation == seq->generation && before.generation == generation && before.reported) {
		uint32_t sent = seq->acked - before.acked;
		uint32_t received = seq->their_received - before.their_received;
		const struct news news = {
			.lost = sent > received ? sent - received : 0,
			.received = received,
			.sound_to = before.acked,
		};

		if (sent > 0 || told)
			losses(path, &news, told, progress, now);
	}
	return path->todo;
}

bool hw_path_vouched(const struct hw_path *path, uint32_t generation, uint32_t sequence)
{
	/* Reports of a newer session have come: the older one is long over. */
	if (generation != path->sound_generation)
		return generation < path->sound_generation;
	return (int32_t)(path->sound_sequence - sequence) >= 0;
}

bool hw_path_doubted(const struct hw_path *path, uint32_t generation, uint32_t sequence)
{
	const struct hw_path_tx_seq *seq = &path->tx.current;

	if (hw_path_vouched(path, generation, sequence))
		return false;
	if (path->doubt_all || generation != seq->generation)
		return true;
	return seq->reported && (int32_t)(seq->acked - sequence) >= 0;
}

unsigned hw_path_send_failed(struct hw_path *path, bool gone, hw_time now)
{
	happen(path, gone ? HW_PATH_EVENT_GONE : HW_PATH_EVENT_SEND_FAILED, now);
	return path->todo;
}

unsigned hw_path_link_down(struct hw_path *path, hw_time now)
{
	path->link_down = true;
	happen(path, HW_PATH_EVENT_LINK_DOWN, now);
	path->todo &= ~(unsigned)(HW_PATH_TODO_PROBE | HW_PATH_TODO_CHALLENGE);
	return path->todo;
}

unsigned hw_path_link_up(struct hw_path *path, hw_time now)
{
	if (!path->link_down)
		return path->todo;
	path->link_down = false;
	happen(path, HW_PATH_EVENT_LINK_UP, now);
	return path->todo;
}

unsigned hw_path_readdressed(struct hw_path *path, hw_time now)
{
	if (path->link_down)
		return path->todo;
	hw_path_mtu_trouble(&path->mtu);
	happen(path, HW_PATH_EVENT_READDRESSED, now);
	return path->todo;
}

unsigned hw_path_new_session(struct hw_path *path, bool anew, hw_time now)
{
	/* Reports speak of the session that they are sealed in: what went before is not told any more. */
	hw_flight_clear(&path->flight);
	if (anew && !path->link_down)
		happen(path, HW_PATH_EVENT_SESSION, now);
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
	bool asleep = hw_path_spare(path) && hw_path_stands_by(path, now);

	if (path->rtt.young > 0 && !hw_path_spare(path))
		return hw_time_max(path->last_probe, path->state_since) +
		       hw_time_max(YOUNG_PROBE, hw_rtt_timeout(&path->rtt, OVERDUE_UNKNOWN));
	if (hw_path_context_active(context, now) && !asleep)
		return path->last_probe == 0 ? path->state_since : path->last_probe + ACTIVE_PROBE;
	if (context->initiator)
		return hw_time_max(path->last_sent, path->state_since) +
		       (asleep ? SPARE_PROBE_INITIATOR : IDLE_PROBE_INITIATOR);
	return hw_time_max(path->last_heard, path->state_since) +
	       (asleep ? SPARE_PROBE_RESPONDER : IDLE_PROBE_RESPONDER);
}

static hw_time up_deadline(const struct hw_path *path, const struct hw_path_context *context,
			   hw_time now)
{
	hw_time early, at = silence_at(path, &early);

	if ((path->todo & HW_PATH_TODO_PROBE) != 0)
		return at;
	at = hw_time_min(at, early);
	if (path->tries > 0)
		return hw_time_min(at, overdue_at(path, context, now));
	return hw_time_min(at, regular_at(path, context, now));
}

static void up_tick(struct hw_path *path, const struct hw_path_context *context, hw_time now)
{
	hw_time early;

	if (now >= silence_at(path, &early))
		happen(path, HW_PATH_EVENT_SILENT, now);
	else if ((path->todo & HW_PATH_TODO_PROBE) != 0)
		return;
	else if (path->tries > 1 && now >= overdue_at(path, context, now))
		happen(path, HW_PATH_EVENT_UNANSWERED, now);
	else if (now >= up_deadline(path, context, now))
		happen(path, HW_PATH_EVENT_RETRY, now);
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

/* When doubt that lasts is told, or HW_TIME_NEVER. */
static hw_time telling_at(const struct hw_path *path)
{
	return path->state == HW_PATH_SUSPECT && path->told != HW_PATH_SUSPECT
		       ? path->state_since + SUSPECT_TOLD
		       : HW_TIME_NEVER;
}

static void doubt_tick(struct hw_path *path, const struct hw_path_context *context, hw_time now)
{
	bool end = (path->state == HW_PATH_PROBING && path->tries >= PROBING_TRIES) ||
		   (path->state == HW_PATH_SUSPECT && path->tries >= SUSPECT_TRIES);

	if (now >= telling_at(path))
		tell(path, HW_PATH_SUSPECT);
	if (now >= doubt_deadline(path, context))
		happen(path, end ? HW_PATH_EVENT_GIVEN_UP : HW_PATH_EVENT_RETRY, now);
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
	bool asleep = hw_path_spare(path) && hw_path_stands_by(path, now);

	return (struct hw_path_mtu_context){
		.probing = path->state == HW_PATH_PROBING,
		.active = hw_path_context_active(context, now) && !asleep,
		.metered = hw_path_metered(path) || asleep,
		.timeout = hw_rtt_timeout(&path->rtt, 0),
	};
}

unsigned hw_path_tick(struct hw_path *path, const struct hw_path_context *context, hw_time now)
{
	if (!context->session || path->link_down)
		return path->todo;
	if (path->state == HW_PATH_UP)
		up_tick(path, context, now);
	else
		doubt_tick(path, context, now);
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
					       : hw_time_min(doubt_deadline(path, context), telling_at(path));

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
