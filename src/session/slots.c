#include "session/slots.h"

#include <assert.h>
#include <string.h>

#include "session/session.h"

void hw_slots_init(struct hw_slots *slots, const struct hw_slots_params *params)
{
	assert(params->rekey_after < params->reject_after);
	memset(slots, 0, sizeof(*slots));
	slots->params = *params;
}

static void prolong(struct hw_session *session, hw_time reject_after)
{
	if (session != NULL)
		session->reject_after = hw_time_max(session->reject_after, reject_after);
}

void hw_slots_set_figures(struct hw_slots *slots, const struct hw_slots_params *params)
{
	assert(params->rekey_after < params->reject_after);
	slots->params.rekey_after = params->rekey_after;
	slots->params.reject_after = params->reject_after;
	slots->params.keep_after = params->keep_after;
	slots->params.rekey_packets = params->rekey_packets;
	/* So that they do not end before their renewal is due. */
	prolong(slots->current, params->reject_after);
	prolong(slots->next, params->reject_after);
	for (uint32_t i = 0; i < slots->previous_count; i++)
		prolong(slots->previous[i].session, params->reject_after);
}

static void drop(const struct hw_slots *slots, struct hw_session *session)
{
	if (session == NULL)
		return;
	if (slots->params.drop != NULL)
		slots->params.drop(slots->params.ctx, session);
	else
		hw_session_free(session);
}

/* Takes the i-th superseded session out; the rest keep their order. */
static struct hw_session *previous_take(struct hw_slots *slots, uint32_t i)
{
	struct hw_session *session = slots->previous[i].session;

	slots->previous_count--;
	memmove(&slots->previous[i], &slots->previous[i + 1],
		(slots->previous_count - i) * sizeof(slots->previous[0]));
	return session;
}

static void supersede(struct hw_slots *slots, struct hw_session *session, bool unconfirmed,
		      hw_time now)
{
	if (session == NULL)
		return;
	if (slots->previous_count == HW_SLOTS_PREVIOUS)
		drop(slots, previous_take(slots, 0));
	slots->previous[slots->previous_count++] = (struct hw_slots_previous){
		.session = session,
		.superseded_at = now,
		.unconfirmed = unconfirmed,
	};
}

void hw_slots_clear(struct hw_slots *slots)
{
	while (slots->previous_count > 0)
		drop(slots, previous_take(slots, slots->previous_count - 1));
	drop(slots, slots->next);
	drop(slots, slots->current);
	slots->next = NULL;
	slots->current = NULL;
}

static bool heard_since(const struct hw_session *other, const struct hw_session *session)
{
	if (other == NULL || other->created_at <= session->created_at)
		return false;
	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++)
		if (other->rx[i] != NULL)
			return true;
	return false;
}

bool hw_slots_close(struct hw_slots *slots, const struct hw_session *session)
{
	hw_time until = session->created_at;
	bool past = heard_since(slots->current, session) || heard_since(slots->next, session);

	for (uint32_t i = 0; i < slots->previous_count; i++)
		past = past || heard_since(slots->previous[i].session, session);
	if (past)
		return false;
	for (uint32_t i = slots->previous_count; i-- > 0;)
		if (slots->previous[i].session->created_at <= until)
			drop(slots, previous_take(slots, i));
	if (slots->next != NULL && slots->next->created_at <= until) {
		drop(slots, slots->next);
		slots->next = NULL;
	}
	if (slots->current != NULL && slots->current->created_at <= until) {
		drop(slots, slots->current);
		slots->current = NULL;
	}
	return true;
}

void hw_slots_fini(struct hw_slots *slots)
{
	hw_slots_clear(slots);
}

void hw_slots_install(struct hw_slots *slots, struct hw_session *session, hw_time now)
{
	supersede(slots, slots->next, true, now);
	slots->next = NULL;
	session->reject_after = slots->params.reject_after;
	if (!session->initiator) {
		slots->next = session;
		return;
	}
	supersede(slots, slots->current, false, now);
	slots->current = session;
}

static void promote(struct hw_slots *slots, struct hw_session *session, hw_time now)
{
	supersede(slots, slots->current, false, now);
	slots->current = session;
}

/* Whether the other side began its session after this side, and before it could know of that. */
static bool crossed(const struct hw_session *own, const struct hw_session *theirs)
{
	return own->initiator && !theirs->initiator && theirs->created_at >= own->began_at;
}

bool hw_slots_opened(struct hw_slots *slots, struct hw_session *session, hw_time now)
{
	if (session == slots->next) {
		slots->next = NULL;
		promote(slots, session, now);
		return true;
	}
	for (uint32_t i = 0; i < slots->previous_count; i++) {
		struct hw_slots_previous *p = &slots->previous[i];

		if (p->session != session || !p->unconfirmed)
			continue;
		p->unconfirmed = false;
		if (slots->current != NULL &&
		    slots->current->created_at >= session->created_at &&
		    !(slots->params.yields && crossed(slots->current, session)))
			return false;
		promote(slots, previous_take(slots, i), now);
		return true;
	}
	return false;
}

static bool too_old(const struct hw_session *session, hw_time now)
{
	return hw_time_since(now, session->created_at) >= session->reject_after;
}

struct hw_session *hw_slots_sealing(const struct hw_slots *slots, hw_time now)
{
	struct hw_session *session = slots->current;

	if (session == NULL || too_old(session, now) ||
	    session->sealed >= session->suite->packet_limit)
		return NULL;
	return session;
}

bool hw_slots_may_open(const struct hw_slots *slots, const struct hw_session *session, hw_time now)
{
	(void)slots;
	return !too_old(session, now);
}

struct hw_session *hw_slots_find(const struct hw_slots *slots, uint32_t local_index)
{
	if (slots->current != NULL && slots->current->local_index == local_index)
		return slots->current;
	if (slots->next != NULL && slots->next->local_index == local_index)
		return slots->next;
	for (uint32_t i = 0; i < slots->previous_count; i++)
		if (slots->previous[i].session->local_index == local_index)
			return slots->previous[i].session;
	return NULL;
}

static bool packets_due(const struct hw_slots *slots, const struct hw_session *session)
{
	uint64_t received = 0;

	for (unsigned i = 0; i < HW_WIRE_STREAMS; i++) {
		const struct hw_replay *rx = session->rx[i];
		/* What the other side has sealed, as far as is known here: also what was lost. */
		uint64_t seen = rx != NULL && rx->any ? rx->highest + 1 : 0;

		if (session->tx_counter[i] >= slots->params.rekey_packets ||
		    seen >= slots->params.rekey_packets)
			return true;
		received += seen;
	}
	return session->sealed >= session->suite->packet_limit / 2 ||
	       received >= session->suite->packet_limit / 2;
}

bool hw_slots_rekey_due(const struct hw_slots *slots, hw_time now)
{
	const struct hw_session *session = slots->current;

	if (session == NULL || !session->initiator || too_old(session, now))
		return false;
	return hw_time_since(now, session->created_at) >= slots->params.rekey_after ||
	       packets_due(slots, session);
}

static hw_time rejected_at(const struct hw_session *session)
{
	return hw_time_add(session->created_at, session->reject_after);
}

static hw_time previous_until(const struct hw_slots *slots, const struct hw_slots_previous *p)
{
	hw_time used = hw_time_max(p->superseded_at, p->session->opened_at);

	return hw_time_min(hw_time_add(used, slots->params.keep_after),
			   rejected_at(p->session));
}

void hw_slots_expire(struct hw_slots *slots, hw_time now)
{
	for (uint32_t i = slots->previous_count; i-- > 0;)
		if (now >= previous_until(slots, &slots->previous[i]))
			drop(slots, previous_take(slots, i));
	if (slots->next != NULL && too_old(slots->next, now)) {
		drop(slots, slots->next);
		slots->next = NULL;
	}
	if (slots->current != NULL && too_old(slots->current, now)) {
		drop(slots, slots->current);
		slots->current = NULL;
	}
}

static hw_time earlier_but_after(hw_time now, hw_time best, hw_time candidate)
{
	return candidate > now ? hw_time_min(best, candidate) : best;
}

hw_time hw_slots_next_deadline(const struct hw_slots *slots, hw_time now)
{
	hw_time at = HW_TIME_NEVER;

	if (slots->current != NULL) {
		at = earlier_but_after(now, at, rejected_at(slots->current));
		if (slots->current->initiator)
			at = earlier_but_after(now, at,
					       hw_time_add(slots->current->created_at,
							   slots->params.rekey_after));
	}
	if (slots->next != NULL)
		at = earlier_but_after(now, at, rejected_at(slots->next));
	for (uint32_t i = 0; i < slots->previous_count; i++)
		at = earlier_but_after(now, at, previous_until(slots, &slots->previous[i]));
	return at;
}
