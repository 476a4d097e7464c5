/*
 * What a path in doubt has carried alone goes out again on others: the same sealed packets, each under a
 * new stamp. Which path is in doubt, and since when, path/path.c knows; which packets there are, retain.c.
 */
#include <string.h>

#include "core/internal.h"

#define ORPHANS (1u << HW_PATH_TABLE_PATHS) /* of paths that are no more */
/* So many datagrams in the output are enough at once; the rest follows when they have gone. */
#define OUTPUT_SHARE (HW_OUTPUT_DATAGRAMS / 2)
#define PAUSE HW_MS(1)

void hw_resend_keep(struct hw_peer *peer, const struct hw_retained *packet)
{
	hw_resend_vouched(peer);
	hw_retain_add(&peer->retain, packet);
}

void hw_resend_vouched(struct hw_peer *peer)
{
	struct hw_retain *retain = &peer->retain;

	/* From the old end only: what lies between waits until that has gone. */
	while (retain->count > 0) {
		struct hw_retained *oldest = hw_retain_at(retain, 0);
		const struct hw_path *path = hw_path_table_at(&peer->paths, oldest->carrier);

		if (oldest->body == NULL) {
			hw_retain_expire(retain, 0);
			continue;
		}
		if (path == NULL || !hw_path_vouched(path, oldest->generation, oldest->sequence))
			break;
		hw_retain_release(retain, oldest);
	}
}

void hw_resend_ask(struct hw_peer *peer, const struct hw_path *path)
{
	peer->resend_of |= 1u << path->id;
}

void hw_resend_ask_all(struct hw_peer *peer)
{
	peer->resend_of |= ORPHANS;
	for (uint32_t i = 0; i < HW_PATH_TABLE_PATHS; i++) {
		const struct hw_path *path = hw_path_table_at(&peer->paths, i);

		if (path != NULL && path->state != HW_PATH_UP)
			peer->resend_of |= 1u << i;
	}
}

void hw_resend_orphan(struct hw_peer *peer, const struct hw_path *path)
{
	for (uint32_t i = 0; i < peer->retain.count; i++) {
		struct hw_retained *packet = hw_retain_at(&peer->retain, i);

		packet->tried &= (uint16_t)~(1u << path->id);
		if (packet->carrier == path->id) {
			packet->carrier = HW_PATH_TABLE_PATHS;
			peer->resend_of |= ORPHANS;
		}
	}
	peer->resend_of &= ~(1u << path->id);
}

static struct hw_session *session_of(const struct hw_slots *slots, uint32_t generation)
{
	if (slots->current != NULL && slots->current->generation == generation)
		return slots->current;
	for (uint32_t i = 0; i < slots->previous_count; i++)
		if (slots->previous[i].session->generation == generation)
			return slots->previous[i].session;
	return NULL;
}

/* Where packets may go again: in order, and what each takes. */
struct targets {
	struct hw_sched_choice order;
	uint32_t payload_bytes[HW_PATH_TABLE_PATHS];
};

/* As the strategy would have it, then whatever else is usable. */
static uint32_t find_targets(struct hw_peer *peer, struct targets *ret, hw_time now)
{
	struct hw_sched_choice *order = &ret->order;
	const struct hw_sched_packet packet = {
		.stream = HW_WIRE_STREAM_FIRST_CLASS,
		.bytes = HW_WIRE_OVERHEAD_BYTES,
		.now = now,
		.deadline = HW_TIME_NEVER,
	};
	const struct hw_sched_path *views;
	uint32_t known = 0;
	size_t count;

	views = hw_path_table_views(&peer->paths, now, &count);
	peer->core->config.strategy->choose(peer->strategy_state, &packet, views, count, order);
	for (uint32_t i = 0; i < order->count; i++)
		known |= 1u << order->path[i];
	for (size_t i = 0; i < count; i++) {
		ret->payload_bytes[views[i].path] = views[i].mtu_bytes;
		if ((known & 1u << views[i].path) == 0 && views[i].use != HW_USE_NEVER &&
		    views[i].state == HW_PATH_UP)
			order->path[order->count++] = views[i].path;
	}
	return order->count;
}

static struct hw_path *target(struct hw_peer *peer, const struct hw_retained *packet,
			      const struct targets *targets)
{
	const struct hw_sched_choice *order = &targets->order;
	uint32_t bytes = packet->body->len + HW_WIRE_HEADER_BYTES;
	struct hw_path *doubtful = NULL;

	for (uint32_t i = 0; i < order->count; i++) {
		struct hw_path *path = hw_path_table_at(&peer->paths, order->path[i]);

		if (path == NULL || path->id == packet->carrier ||
		    bytes > targets->payload_bytes[path->id] ||
		    (packet->tried & 1u << path->id) != 0)
			continue;
		if (path->state == HW_PATH_UP)
			return path;
		if (doubtful == NULL)
			doubtful = path;
	}
	return doubtful;
}

static bool in_doubt(const struct hw_peer *peer, const struct hw_retained *packet)
{
	if (packet->carrier == HW_PATH_TABLE_PATHS)
		return true;
	return hw_path_doubted(&peer->paths.paths[packet->carrier], packet->generation,
			       packet->sequence);
}

static void resend(struct hw_peer *peer, struct hw_retained *packet, struct hw_path *path,
		   hw_time now)
{
	struct hw_session *session = session_of(&peer->slots, packet->generation);

	if (session == NULL) {
		hw_retain_release(&peer->retain, packet);
		return;
	}
	if (!hw_send_again(peer, session, packet, path, now))
		return;
	packet->carrier = (uint8_t)path->id;
	packet->sequence = hw_path_last_sequence(path, packet->generation);
	packet->tried |= (uint16_t)(1u << path->id);
	peer->core->totals.tx_copies++;
	peer->core->totals.tx_resent++;
}

void hw_resend_run(struct hw_peer *peer, hw_time now)
{
	struct targets targets;

	if (peer->resend_of == 0)
		return;
	if (peer->retain.held == 0 || find_targets(peer, &targets, now) == 0) {
		peer->resend_of = 0; /* asked anew when a path comes up */
		return;
	}
	for (uint32_t i = 0; i < peer->retain.count; i++) {
		struct hw_retained *packet = hw_retain_at(&peer->retain, i);

		if (packet->body == NULL || (peer->resend_of & 1u << packet->carrier) == 0 ||
		    !in_doubt(peer, packet))
			continue;
		if (peer->core->out.datagram_count >= OUTPUT_SHARE) {
			peer->resend_at = now + PAUSE;
			return;
		}

		struct hw_path *path = target(peer, packet, &targets);

		if (path != NULL)
			resend(peer, packet, path, now);
	}
	peer->resend_of = 0;
}

hw_time hw_resend_deadline(const struct hw_peer *peer)
{
	hw_time at = hw_retain_deadline(&peer->retain);

	return peer->resend_of != 0 ? hw_time_min(at, peer->resend_at) : at;
}
