/* Load tests: what this node sends and asks for, and when. What comes in: load_in.c. */
#include "core/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/internal.h"
#include "core/load_state.h"

#define LEAD_GAP HW_MS(25)
#define WAKE_GAP (200 * HW_NS_PER_US) /* packets that are due sooner go out together */
#define BURST 64u                     /* at most so many */
#define LATE_MAX HW_MS(20)            /* what was missed for longer is not caught up with */
#define SESSIONLESS_GAP HW_MS(10)
#define DONE_GAP HW_MS(100) /* between repetitions of LOAD_DONE; doubles */
#define DONE_DOUBLINGS 4u
#define DONE_TRIES 8u
#define ASK_GAP HW_MS(200) /* likewise of LOAD */
#define ASK_TRIES 5u
#define ASK_PATIENCE HW_S(6)   /* until something of the load has come */
#define LOAD_PATIENCE HW_S(8)  /* and then beyond its time: queues may be that long */

struct hw_load *hw_load_of(struct hw_peer *peer)
{
	if (peer->load == NULL) {
		peer->load = calloc(1, sizeof(*peer->load));
		if (peer->load == NULL)
			return NULL;
		peer->load->hour.left = HW_LOAD_HOUR_BYTES;
		peer->load->metered_hour.left = HW_LOAD_HOUR_BYTES_METERED;
	}
	return peer->load;
}

void hw_load_free(struct hw_peer *peer)
{
	free(peer->load);
	peer->load = NULL;
}

struct hw_load_path *hw_load_path_of(struct hw_peer *peer, const struct hw_path *path)
{
	struct hw_load *load = hw_load_of(peer);
	struct hw_load_path *lp = load != NULL ? &load->paths[path->id] : NULL;

	if (lp != NULL && !hw_tuple_equal(&lp->tuple, &path->tuple)) {
		hw_load_abandon(load, lp);
		*lp = (struct hw_load_path){ .tuple = path->tuple };
	}
	return lp;
}

uint16_t hw_load_known_mtu(const struct hw_path *path)
{
	bool known = path->mtu.state == HW_PATH_MTU_SEARCHING ||
		     path->mtu.state == HW_PATH_MTU_COMPLETE;

	return known ? (uint16_t)path->mtu.size : 0;
}

bool hw_load_metered(const struct hw_core *core, const struct hw_path *path)
{
	const struct hw_link_config *link = &core->links[path->tuple.link].config;

	return link->metered || link->price > 1;
}

static uint32_t ip_udp_bytes(const struct hw_path *path)
{
	return path->tuple.remote.family == HW_FAMILY_IPV6 ? HW_WIRE_IPV6_UDP_BYTES
							   : HW_WIRE_IPV4_UDP_BYTES;
}

void hw_load_begin(struct hw_load_stream *stream, const struct hw_path *path, uint32_t rate_kbps,
		   uint32_t duration_ms, hw_time now)
{
	uint32_t size = stream->size == 0 ? HW_LOAD_PAYLOAD_MAX : stream->size;

	if (size > HW_LOAD_PAYLOAD_MAX)
		size = HW_LOAD_PAYLOAD_MAX;
	if (size > path->mtu.size)
		size = path->mtu.size;
	if (size < HW_LOAD_PAYLOAD_MIN)
		size = HW_LOAD_PAYLOAD_MIN;
	stream->size = size;
	/* Bits of a packet over bits of a millisecond: kbit/s are bits a millisecond. */
	stream->gap = (uint64_t)(size + ip_udp_bytes(path)) * 8 * HW_NS_PER_MS / rate_kbps;
	stream->duration = HW_MS(duration_ms);
	stream->lead = stream->pings ? 0 : HW_LOAD_LEAD;
	stream->phase = stream->lead > 0 ? HW_LOAD_LEADING : HW_LOAD_SENDING;
	stream->next_at = stream->wake_at = now;
	stream->ends_at = now + stream->duration;
	stream->reason = HW_LOAD_SENT;
}

void hw_load_done_frame(const struct hw_load_stream *stream, const struct hw_path *path,
			struct hw_control_load_done *ret)
{
	*ret = (struct hw_control_load_done){
		.test = stream->test,
		.reason = (uint8_t)stream->reason,
		.packets = stream->packets,
		.bytes = stream->bytes,
		.span_us = (uint32_t)((stream->last_at - stream->first_at) / HW_NS_PER_US),
		.mtu = hw_load_known_mtu(path),
	};
}

/* Puts what makes it a ping, and the padding. */
static int fill_packet(const struct hw_load_stream *stream, const struct hw_path *path,
		       struct hw_control_writer *writer, hw_time now)
{
	const struct hw_control_load_data data = {
		.test = stream->test,
		.flags = stream->lead > 0 ? HW_CONTROL_LOAD_LEAD : 0,
		.index = stream->packets,
		.sent_us = (uint32_t)(now / HW_NS_PER_US),
	};
	size_t plain = stream->size - HW_WIRE_OVERHEAD_BYTES;
	int rc = hw_control_put_load_data(writer, &data);

	if (rc == 0 && stream->pings) {
		struct hw_control_probe probe = {
			.path = (uint8_t)path->id,
			.flags = HW_CONTROL_PROBE_OBSERVE,
			.terms = hw_control_terms(path),
		};

		hw_store32(probe.token, stream->test);
		hw_store32(probe.token + 4, data.sent_us);
		rc = hw_control_put_probe(writer, &probe);
	}
	if (rc == 0 && writer->len + HW_CONTROL_HEADER_BYTES <= plain)
		rc = hw_control_put_padding(writer, plain - writer->len);
	return rc;
}

static void send_packet(struct hw_peer *peer, struct hw_load_stream *stream,
			const struct hw_path *path, hw_time now)
{
	struct hw_control_writer writer;
	struct hw_buf *buf = hw_control_begin(peer->core, &writer);

	if (buf == NULL)
		return; /* as a full queue would lose it */
	if (fill_packet(stream, path, &writer, now) < 0)
		writer.len = 0;
	stream->packets++;
	stream->bytes += stream->size;
	if (stream->lead == 0) {
		if (stream->first_at == 0)
			stream->first_at = now;
		stream->last_at = now;
	}
	hw_control_send_to(peer, buf, &writer, &path->tuple, now);
}

static bool is_spent(const struct hw_load_stream *stream, hw_time now)
{
	return (stream->phase == HW_LOAD_SENDING && now >= stream->ends_at) ||
	       stream->bytes_max - stream->bytes < stream->size;
}

static void end_stream(struct hw_load_stream *stream, hw_time now)
{
	stream->phase = HW_LOAD_ENDING;
	stream->next_at = stream->wake_at = now;
	stream->tries = 0;
}

static void send_due(struct hw_peer *peer, struct hw_load_stream *stream,
		     const struct hw_path *path, hw_time now)
{
	if (hw_slots_sealing(&peer->slots, now) == NULL) {
		stream->wake_at = now + SESSIONLESS_GAP;
		if (now >= stream->ends_at)
			end_stream(stream, now);
		return;
	}
	for (uint32_t i = 0; i < BURST && stream->next_at <= now; i++) {
		if (is_spent(stream, now)) {
			end_stream(stream, now);
			return;
		}
		send_packet(peer, stream, path, now);
		stream->next_at += stream->lead > 0 ? LEAD_GAP : stream->gap;
		if (stream->lead > 0 && --stream->lead == 0) {
			stream->phase = HW_LOAD_SENDING;
			stream->ends_at = stream->next_at + stream->duration;
		}
	}
	if (hw_time_since(now, stream->next_at) > LATE_MAX)
		stream->next_at = now - LATE_MAX;
	stream->wake_at = hw_time_max(stream->next_at, now + WAKE_GAP);
}

/* What was granted to the peer and not sent stays his. */
static void refund(struct hw_load *load, const struct hw_load_stream *stream)
{
	struct hw_load_bucket *bucket = stream->metered ? &load->metered_hour : &load->hour;

	if (stream->asked)
		bucket->left += stream->bytes_max - stream->bytes;
}

/* The stream is over; what its owner hears of it. */
static void close_stream(struct hw_load *load, struct hw_load_path *lp, enum hw_load_state state)
{
	struct hw_load_stream *stream = &lp->stream;

	if (stream->phase == HW_LOAD_IDLE)
		return;
	refund(load, stream);
	stream->bytes_max = stream->bytes;
	stream->phase = HW_LOAD_IDLE;
	if (stream->asked)
		return;
	lp->up.state = state;
	lp->up.reason = stream->reason;
	lp->up.sent_packets = stream->packets;
	lp->up.sent_bytes = stream->bytes;
	lp->up.sent_span_us = (uint32_t)((stream->last_at - stream->first_at) / HW_NS_PER_US);
}

void hw_load_finished(struct hw_peer *peer, struct hw_load_path *lp)
{
	close_stream(peer->load, lp, HW_LOAD_OVER);
}

void hw_load_close_question(struct hw_load_path *lp, enum hw_load_state state,
			    enum hw_load_reason reason)
{
	struct hw_train_figures figures;

	lp->question.open = false;
	lp->down.state = state;
	lp->down.reason = reason;
	if (!lp->measuring || lp->measured != lp->question.frame.test)
		return;
	hw_train_get(&lp->train, &figures);
	lp->down.packets = figures.packets;
	lp->down.rate_packets = figures.rate_packets;
	lp->down.rate_bytes = (uint32_t)figures.rate_bytes;
	lp->down.span_us = figures.span_us;
	lp->down.queue_median_us = figures.median_us;
	lp->down.queue_p95_us = figures.p95_us;
	lp->down.queue_max_us = figures.most_us;
}

void hw_load_abandon(struct hw_load *load, struct hw_load_path *lp)
{
	lp->stream.reason = HW_LOAD_PATH;
	close_stream(load, lp, HW_LOAD_FAILED);
	if (lp->question.open)
		hw_load_close_question(lp, HW_LOAD_FAILED, HW_LOAD_PATH);
	lp->measuring = false;
}

static void send_done(struct hw_peer *peer, struct hw_load_path *lp, const struct hw_path *path,
		      hw_time now)
{
	struct hw_load_stream *stream = &lp->stream;
	struct hw_control_load_done done;
	struct hw_control_writer writer;
	struct hw_buf *buf;
	unsigned doublings = stream->tries < DONE_DOUBLINGS ? stream->tries : DONE_DOUBLINGS;

	if (stream->tries == DONE_TRIES) {
		close_stream(peer->load, lp, HW_LOAD_SILENT);
		return;
	}
	stream->next_at = stream->wake_at = now + (DONE_GAP << doublings);
	stream->tries++;
	buf = hw_control_begin(peer->core, &writer);
	if (buf == NULL)
		return;
	hw_load_done_frame(stream, path, &done);
	if (hw_control_put_load_done(&writer, &done) < 0)
		writer.len = 0;
	hw_control_send_to(peer, buf, &writer, &path->tuple, now);
}

static void stream_tick(struct hw_peer *peer, struct hw_load_path *lp, const struct hw_path *path,
			hw_time now)
{
	struct hw_load_stream *stream = &lp->stream;

	if (stream->phase == HW_LOAD_IDLE || now < stream->wake_at)
		return;
	if (stream->phase != HW_LOAD_ENDING)
		send_due(peer, stream, path, now);
	if (stream->phase == HW_LOAD_ENDING && now >= stream->wake_at)
		send_done(peer, lp, path, now);
}

static void ask(struct hw_peer *peer, struct hw_load_path *lp, const struct hw_path *path,
		hw_time now)
{
	struct hw_load_question *question = &lp->question;
	struct hw_control_writer writer;
	struct hw_buf *buf = hw_control_begin(peer->core, &writer);

	question->next_at = question->tries + 1 < ASK_TRIES ? now + (ASK_GAP << question->tries)
							    : HW_TIME_NEVER;
	question->tries++;
	if (buf == NULL)
		return;
	if (hw_control_put_load(&writer, &question->frame) < 0)
		writer.len = 0;
	hw_control_send_to(peer, buf, &writer, &path->tuple, now);
}

static void question_tick(struct hw_peer *peer, struct hw_load_path *lp,
			  const struct hw_path *path, hw_time now)
{
	struct hw_load_question *question = &lp->question;

	if (!question->open)
		return;
	if (now >= question->gives_up_at)
		hw_load_close_question(lp, HW_LOAD_SILENT, HW_LOAD_SENT);
	else if (now >= question->next_at)
		ask(peer, lp, path, now);
}

void hw_load_heard(struct hw_load_path *lp, hw_time now)
{
	lp->question.next_at = HW_TIME_NEVER;
	lp->question.gives_up_at = now + HW_MS(lp->question.frame.duration_ms) + LOAD_PATIENCE;
}

void hw_load_tick(struct hw_peer *peer, hw_time now)
{
	for (uint32_t i = 0; peer->load != NULL && i < HW_PATH_TABLE_PATHS; i++) {
		struct hw_load_path *lp = &peer->load->paths[i];
		const struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (lp->stream.phase == HW_LOAD_IDLE && !lp->question.open)
			continue;
		if (path == NULL || path->link_down || !hw_tuple_equal(&lp->tuple, &path->tuple)) {
			hw_load_abandon(peer->load, lp);
			continue;
		}
		stream_tick(peer, lp, path, now);
		question_tick(peer, lp, path, now);
	}
}

hw_time hw_load_deadline(const struct hw_peer *peer)
{
	hw_time at = HW_TIME_NEVER;

	for (uint32_t i = 0; peer->load != NULL && i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_load_path *lp = &peer->load->paths[i];

		if (lp->stream.phase != HW_LOAD_IDLE)
			at = hw_time_min(at, lp->stream.wake_at);
		if (lp->question.open)
			at = hw_time_min(at, hw_time_min(lp->question.next_at,
							 lp->question.gives_up_at));
	}
	return at;
}

static bool params_valid(const struct hw_load_params *p)
{
	return p->rate_kbps >= 1 && p->rate_kbps <= HW_LOAD_RATE_MAX_KBPS && p->duration_ms >= 1 &&
	       (p->duration_ms <= HW_LOAD_DURATION_MAX_MS || (p->pings && p->duration_ms <= 60000)) &&
	       p->bytes <= HW_LOAD_BYTES_MAX && p->size <= HW_LOAD_PAYLOAD_MAX &&
	       !(p->pings && p->down);
}

static void start_stream(struct hw_load_path *lp, const struct hw_path *path,
			 const struct hw_load_params *params, uint32_t test, hw_time now)
{
	lp->stream = (struct hw_load_stream){
		.test = test,
		.pings = params->pings,
		.size = params->size,
		.bytes_max = params->bytes,
	};
	hw_load_begin(&lp->stream, path, params->rate_kbps, params->duration_ms, now);
	lp->up = (struct hw_load_outcome){ .state = HW_LOAD_RUNNING, .size = lp->stream.size };
	lp->up_test = test;
}

static void start_question(struct hw_load_path *lp, const struct hw_load_params *params,
			   uint32_t test, hw_time now)
{
	lp->question = (struct hw_load_question){
		.open = true,
		.frame = {
			.test = test,
			.rate_kbps = params->rate_kbps,
			.duration_ms = (uint16_t)params->duration_ms,
			.bytes = params->bytes,
			.size = (uint16_t)params->size,
		},
		.next_at = now,
		.gives_up_at = now + ASK_PATIENCE,
	};
	lp->down = (struct hw_load_outcome){ .state = HW_LOAD_RUNNING };
	lp->down_test = test;
}

int hw_core_load_start(struct hw_core *core, uint32_t peer_number, uint32_t path_number,
		       const struct hw_load_params *params, hw_time now)
{
	if (peer_number >= core->peer_count || core->closed || !params_valid(params))
		return HW_E_INVAL;

	struct hw_peer *peer = &core->peers[peer_number];
	struct hw_path *path = hw_path_table_at(&peer->paths, path_number);
	struct hw_load_path *lp;
	uint32_t test;

	if (path == NULL || path->state != HW_PATH_UP)
		return HW_E_STATE;
	lp = hw_load_path_of(peer, path);
	if (lp == NULL)
		return HW_E_NOMEM;
	if (params->down ? lp->question.open : lp->stream.phase != HW_LOAD_IDLE)
		return HW_E_STATE;
	core->now = now;
	core->env.random(core->env.ctx, &test, sizeof(test));
	if (params->down)
		start_question(lp, params, test, now);
	else
		start_stream(lp, path, params, test, now);
	hw_core_settle(core, now);
	return 0;
}

void hw_core_load_stop(struct hw_core *core, uint32_t peer_number, uint32_t path_number,
		       hw_time now)
{
	struct hw_peer *peer = &core->peers[peer_number];

	core->now = now;
	if (peer->load != NULL && path_number < HW_PATH_TABLE_PATHS) {
		struct hw_load_stream *stream = &peer->load->paths[path_number].stream;

		if (!stream->asked &&
		    (stream->phase == HW_LOAD_LEADING || stream->phase == HW_LOAD_SENDING))
			end_stream(stream, now);
	}
	hw_core_settle(core, now);
}

void hw_core_load_outcome(const struct hw_core *core, uint32_t peer_number, uint32_t path_number,
			  bool down, struct hw_load_outcome *ret)
{
	const struct hw_load *load = core->peers[peer_number].load;

	*ret = (struct hw_load_outcome){ .state = HW_LOAD_NONE };
	if (load == NULL || path_number >= HW_PATH_TABLE_PATHS)
		return;

	const struct hw_load_path *lp = &load->paths[path_number];

	*ret = down ? lp->down : lp->up;
	ret->pong_us = lp->pong_us;
	if (down)
		ret->pongs = 0;
}
