/* Load tests: what comes in. Every frame is the peer's, authenticated and otherwise not believed. */
#include "base/bytes.h"
#include "core/internal.h"
#include "core/load_state.h"

/* Bytes a bucket gains in a nanosecond are few: whole ones only are taken, and their time. */
static void fill_bucket(struct hw_load_bucket *bucket, uint64_t hour_bytes, hw_time now)
{
	const hw_time hour = HW_S(3600);
	hw_time age = hw_time_min(hw_time_since(now, bucket->at), hour);
	uint64_t more = age / HW_NS_PER_US * hour_bytes / (hour / HW_NS_PER_US);

	if (more == 0)
		return;
	bucket->at = now;
	bucket->left += more;
	if (bucket->left > hour_bytes)
		bucket->left = hour_bytes;
}

static uint32_t running_for_peer(const struct hw_load *load)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_load_stream *stream = &load->paths[i].stream;

		count += stream->asked && (stream->phase == HW_LOAD_LEADING ||
					   stream->phase == HW_LOAD_SENDING);
	}
	return count;
}

/* Grants what may be sent now: up to what is asked for, of what the hour has left. */
static uint32_t grant(struct hw_load *load, uint32_t bytes, bool metered, hw_time now)
{
	struct hw_load_bucket *bucket = metered ? &load->metered_hour : &load->hour;

	fill_bucket(bucket, metered ? HW_LOAD_HOUR_BYTES_METERED : HW_LOAD_HOUR_BYTES, now);
	if (bytes > HW_LOAD_BYTES_MAX)
		bytes = HW_LOAD_BYTES_MAX;
	if (bytes > bucket->left)
		bytes = (uint32_t)bucket->left;
	bucket->left -= bytes;
	return bytes;
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

/* Starts the load that the peer asks for, or says why not. */
static enum hw_load_reason begin(struct hw_peer *peer, struct hw_load_path *lp,
				 const struct hw_path *path, const struct hw_control_load *frame,
				 hw_time now)
{
	struct hw_load *load = peer->load;
	bool metered = hw_load_metered(peer->core, path);
	uint32_t granted;

	if (frame->rate_kbps == 0 || frame->duration_ms == 0 || frame->bytes == 0)
		return HW_LOAD_INVALID;
	if (path->state != HW_PATH_UP)
		return HW_LOAD_PATH;
	/* One's own load goes on, and so does its LOAD_DONE. */
	if (lp->stream.phase != HW_LOAD_IDLE && !lp->stream.asked)
		return HW_LOAD_BUSY;
	if (lp->stream.phase == HW_LOAD_LEADING || lp->stream.phase == HW_LOAD_SENDING ||
	    running_for_peer(load) >= HW_LOAD_AT_ONCE)
		return HW_LOAD_BUSY;
	/* One that only waits for its result makes room. */
	hw_load_finished(peer, lp);
	granted = grant(load, frame->bytes, metered, now);
	if (granted < HW_LOAD_PAYLOAD_MAX * (HW_LOAD_LEAD + 2)) {
		struct hw_load_bucket *bucket = metered ? &load->metered_hour : &load->hour;

		bucket->left += granted;
		return HW_LOAD_SPENT;
	}
	lp->stream = (struct hw_load_stream){
		.test = frame->test,
		.asked = true,
		.metered = metered,
		.size = frame->size,
		.bytes_max = granted,
	};
	hw_load_begin(&lp->stream, path, at_most(frame->rate_kbps, HW_LOAD_RATE_MAX_KBPS),
		      at_most(frame->duration_ms, HW_LOAD_DURATION_MAX_MS), now);
	return HW_LOAD_SENT;
}

void hw_load_asked(struct hw_peer *peer, struct hw_path *path, const struct hw_control_load *frame,
		   struct hw_control_writer *answer, hw_time now)
{
	struct hw_control_load_done done = { .test = frame->test, .reason = HW_LOAD_PATH };
	struct hw_load_path *lp = path != NULL ? hw_load_path_of(peer, path) : NULL;

	if (lp != NULL && lp->stream.asked && lp->stream.test == frame->test) {
		/* Asked again: it runs, or is over. */
		if (lp->stream.phase != HW_LOAD_IDLE)
			return;
		hw_load_done_frame(&lp->stream, path, &done);
	} else if (lp != NULL) {
		done.reason = (uint8_t)begin(peer, lp, path, frame, now);
		if (done.reason == HW_LOAD_SENT)
			return;
	}
	/* Without room the question comes again. */
	if (answer != NULL)
		(void)!hw_control_put_load_done(answer, &done);
}

void hw_load_data_in(struct hw_peer *peer, struct hw_path *path,
		     const struct hw_control_load_data *frame, uint32_t bytes, hw_time at,
		     hw_time now)
{
	struct hw_load_path *lp = path != NULL ? hw_load_path_of(peer, path) : NULL;

	if (lp == NULL)
		return;
	if (!lp->measuring || lp->measured != frame->test) {
		lp->measuring = true;
		lp->measured = frame->test;
		hw_train_init(&lp->train);
		if (lp->question.open && lp->question.frame.test == frame->test)
			hw_load_heard(lp, now);
	}
	hw_train_packet(&lp->train, (frame->flags & HW_CONTROL_LOAD_LEAD) != 0, frame->sent_us,
			bytes, at);
}

static uint32_t low32(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* What was measured of that load; zeros when nothing of it came. */
static void fill_result(const struct hw_load_path *lp, const struct hw_path *path, uint32_t test,
			struct hw_control_load_result *ret)
{
	struct hw_train_figures figures;

	*ret = (struct hw_control_load_result){ .test = test, .mtu = hw_load_known_mtu(path) };
	if (!lp->measuring || lp->measured != test)
		return;
	hw_train_get(&lp->train, &figures);
	ret->packets = figures.packets;
	ret->rate_packets = figures.rate_packets;
	ret->rate_bytes = low32(figures.rate_bytes);
	ret->span_us = figures.span_us;
	ret->queue_median_us = figures.median_us;
	ret->queue_p95_us = figures.p95_us;
	ret->queue_max_us = figures.most_us;
}

void hw_load_done_in(struct hw_peer *peer, struct hw_path *path,
		     const struct hw_control_load_done *frame, struct hw_control_writer *answer)
{
	struct hw_load_path *lp = path != NULL ? hw_load_path_of(peer, path) : NULL;
	struct hw_control_load_result result;

	if (lp == NULL)
		return;
	if (lp->question.open && lp->question.frame.test == frame->test) {
		lp->down.sent_packets = frame->packets;
		lp->down.sent_bytes = frame->bytes;
		lp->down.sent_span_us = frame->span_us;
		lp->down.size = frame->packets > 0 ? frame->bytes / frame->packets : 0;
		lp->down.peer_mtu = frame->mtu;
		hw_load_close_question(lp, frame->reason == HW_LOAD_SENT ? HW_LOAD_OVER
									 : HW_LOAD_FAILED,
				       (enum hw_load_reason)frame->reason);
	}
	if (frame->reason != HW_LOAD_SENT || answer == NULL)
		return;
	fill_result(lp, path, frame->test, &result);
	/* Without room LOAD_DONE comes again. */
	(void)!hw_control_put_load_result(answer, &result);
}

void hw_load_result_in(struct hw_peer *peer, struct hw_path *path,
		       const struct hw_control_load_result *frame)
{
	struct hw_load_path *lp;

	if (path == NULL || peer->load == NULL)
		return;
	lp = hw_load_path_of(peer, path);
	if (lp->stream.phase != HW_LOAD_ENDING || lp->stream.test != frame->test)
		return;
	if (!lp->stream.asked) {
		lp->up.packets = frame->packets;
		lp->up.rate_packets = frame->rate_packets;
		lp->up.rate_bytes = frame->rate_bytes;
		lp->up.span_us = frame->span_us;
		lp->up.queue_median_us = frame->queue_median_us;
		lp->up.queue_p95_us = frame->queue_p95_us;
		lp->up.queue_max_us = frame->queue_max_us;
		lp->up.peer_mtu = frame->mtu;
	}
	hw_load_finished(peer, lp);
}

void hw_load_pong(struct hw_peer *peer, const struct hw_path *path,
		  const struct hw_control_probe_reply *reply, hw_time hold, hw_time now)
{
	struct hw_load_path *lp = peer->load != NULL ? &peer->load->paths[path->id] : NULL;
	uint32_t held_us = low32(hold / HW_NS_PER_US);
	uint32_t took_us;

	if (lp == NULL || !lp->stream.pings || hw_load32(reply->token) != lp->up_test ||
	    lp->up.pongs >= HW_LOAD_PONGS || lp->up.pongs >= lp->stream.packets)
		return;
	took_us = (uint32_t)(now / HW_NS_PER_US) - hw_load32(reply->token + 4);
	lp->pong_us[lp->up.pongs++] = took_us > held_us ? took_us - held_us : 0;
}
