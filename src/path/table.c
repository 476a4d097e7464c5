#include "path/table.h"

#include <string.h>

#include "path/candidate.h"

#define VIEWS_FRESH HW_MS(10)

static void forget_hits(struct hw_path_table *table)
{
	for (size_t i = 0; i < HW_PATH_TABLE_HITS; i++)
		table->hits[i].id = HW_PATH_TABLE_PATHS;
}

void hw_path_table_init(struct hw_path_table *table)
{
	memset(table, 0, sizeof(*table));
	for (size_t i = 0; i < HW_PATH_TABLE_PATHS; i++)
		table->theirs[i].link = HW_PATH_LINK_UNKNOWN;
	hw_owd_clock_init(&table->clock);
	hw_joint_init(&table->joint_rx);
	hw_joint_init(&table->joint_tx);
	forget_hits(table);
	table->views_stale = true;
}

static bool has_tuple(const struct hw_path *path, const struct hw_tuple *tuple)
{
	if (!path->used || path->tuple.link != tuple->link)
		return false;
	if (!hw_addr_equal(&path->tuple.remote, &tuple->remote))
		return path->answers_from.family != HW_FAMILY_NONE &&
		       hw_addr_equal(&path->answers_from, &tuple->remote);
	return path->tuple.local.family == HW_FAMILY_NONE ||
	       hw_addr_equal(&path->tuple.local, &tuple->local);
}

static struct hw_path *find_exact(struct hw_path_table *table, const struct hw_tuple *tuple)
{
	for (uint32_t id = 0; id < table->end; id++)
		if (table->paths[id].used && hw_tuple_equal(&table->paths[id].tuple, tuple))
			return &table->paths[id];
	return NULL;
}

struct hw_path *hw_path_table_find(struct hw_path_table *table, const struct hw_tuple *tuple)
{
	struct hw_path_hit *hit = &table->hits[tuple->link % HW_PATH_TABLE_HITS];

	if (hit->id != HW_PATH_TABLE_PATHS && hw_tuple_equal(&hit->tuple, tuple) &&
	    has_tuple(&table->paths[hit->id], tuple))
		return &table->paths[hit->id];

	struct hw_path *path = find_exact(table, tuple);

	for (uint32_t id = 0; path == NULL && id < table->end; id++)
		if (has_tuple(&table->paths[id], tuple))
			path = &table->paths[id];
	if (path != NULL)
		*hit = (struct hw_path_hit){ .tuple = *tuple, .id = path->id };
	return path;
}

bool hw_path_table_answered_elsewhere(struct hw_path_table *table, struct hw_path *path,
				      const struct hw_tuple *tuple, uint64_t token)
{
	struct hw_candidate *candidate = hw_path_table_candidate(table, tuple);

	if (path->tuple.link != tuple->link || path->link_down || path->learnt ||
	    (path->state != HW_PATH_PROBING && path->state != HW_PATH_DOWN) ||
	    path->tuple.remote.family != tuple->remote.family || !hw_path_asked(path, token))
		return false;
	path->answers_from = tuple->remote;
	if (candidate != NULL)
		*candidate = (struct hw_candidate){ 0 };
	return true;
}

struct hw_path *hw_path_table_at(struct hw_path_table *table, uint32_t id)
{
	return id < table->end && table->paths[id].used ? &table->paths[id] : NULL;
}

struct hw_path *hw_path_table_by_peer_id(struct hw_path_table *table, uint8_t peer_id)
{
	if (peer_id >= HW_PATH_TABLE_PATHS)
		return NULL;
	for (uint32_t id = 0; id < table->end; id++)
		if (table->paths[id].used && table->paths[id].peer_id == peer_id)
			return &table->paths[id];
	return NULL;
}

static void find_end(struct hw_path_table *table)
{
	table->end = HW_PATH_TABLE_PATHS;
	while (table->end > 0 && !table->paths[table->end - 1].used)
		table->end--;
	forget_hits(table);
	table->views_stale = true;
}

int hw_path_table_add(struct hw_path_table *table, const struct hw_tuple *tuple,
		      const struct hw_path_link *link, bool learnt, hw_time now,
		      struct hw_path **ret_path)
{
	uint32_t id = HW_PATH_TABLE_PATHS, learnt_count = 0;

	if (find_exact(table, tuple) != NULL)
		return HW_E_STATE;
	for (uint32_t i = HW_PATH_TABLE_PATHS; i-- > 0;) {
		if (!table->paths[i].used)
			id = i;
		else if (table->paths[i].learnt)
			learnt_count++;
	}
	if (id == HW_PATH_TABLE_PATHS || (learnt && learnt_count >= HW_PATH_TABLE_LEARNT))
		return HW_E_LIMIT;

	struct hw_candidate *candidate = hw_path_table_candidate(table, tuple);

	if (candidate != NULL)
		*candidate = (struct hw_candidate){ 0 };
	hw_path_init(&table->paths[id], id, tuple, link, learnt, now);
	table->count++;
	find_end(table);
	*ret_path = &table->paths[id];
	return 0;
}

void hw_path_table_remove(struct hw_path_table *table, struct hw_path *path)
{
	hw_joint_forget(&table->joint_rx, path->id);
	hw_joint_forget(&table->joint_tx, path->id);
	memset(path, 0, sizeof(*path));
	table->count--;
	find_end(table);
}

bool hw_path_table_forget_local(struct hw_path_table *table, struct hw_path *path)
{
	struct hw_tuple tuple = path->tuple;

	memset(&tuple.local, 0, sizeof(tuple.local));
	if (find_exact(table, &tuple) != NULL)
		return false;
	path->tuple = tuple;
	find_end(table);
	return true;
}

void hw_path_table_learn_peer_id(struct hw_path_table *table, struct hw_path *path, uint8_t peer_id,
				 bool proven)
{
	struct hw_path *holder = hw_path_table_by_peer_id(table, peer_id);

	if (peer_id >= HW_PATH_TABLE_PATHS || holder == path)
		return;
	if (!proven && (holder != NULL || path->peer_id != HW_PATH_PEER_ID_NONE))
		return;
	if (holder != NULL) {
		holder->peer_id = HW_PATH_PEER_ID_NONE;
		holder->theirs = (struct hw_path_theirs){ .link = HW_PATH_LINK_UNKNOWN };
		holder->view_stale = true;
	}
	path->peer_id = peer_id;
	path->theirs = table->theirs[peer_id];
	path->view_stale = true;
}

void hw_path_table_told(struct hw_path_table *table, uint8_t peer_id,
			const struct hw_path_theirs *theirs)
{
	struct hw_path *path = hw_path_table_by_peer_id(table, peer_id);

	if (peer_id >= HW_PATH_TABLE_PATHS)
		return;

	uint8_t link = table->theirs[peer_id].link;

	table->theirs[peer_id] = *theirs;
	if (theirs->link == HW_PATH_LINK_UNKNOWN)
		table->theirs[peer_id].link = link;
	if (path == NULL)
		return;
	path->theirs = table->theirs[peer_id];
	path->view_stale = true;
}

void hw_path_table_peer_removed(struct hw_path_table *table, uint8_t peer_id)
{
	struct hw_path *path = hw_path_table_by_peer_id(table, peer_id);

	if (peer_id >= HW_PATH_TABLE_PATHS)
		return;
	table->theirs[peer_id] = (struct hw_path_theirs){ .link = HW_PATH_LINK_UNKNOWN };
	if (path == NULL)
		return;
	path->peer_id = HW_PATH_PEER_ID_NONE;
	path->theirs = table->theirs[peer_id];
	path->view_stale = true;
}

static bool works(const struct hw_path *path)
{
	return path->used && (path->state == HW_PATH_UP || path->state == HW_PATH_SUSPECT);
}

void hw_path_table_new_session(struct hw_path_table *table, bool anew, hw_time now)
{
	for (uint32_t id = 0; id < table->end; id++)
		if (table->paths[id].used)
			hw_path_new_session(&table->paths[id], anew, now);
}

void hw_path_table_refresh(struct hw_path_table *table)
{
	table->context.all_down = true;
	for (uint32_t id = 0; id < table->end; id++)
		if (works(&table->paths[id]))
			table->context.all_down = false;
}

void hw_path_table_tick(struct hw_path_table *table, hw_time now)
{
	hw_path_table_refresh(table);
	for (uint32_t id = 0; id < table->end; id++)
		if (table->paths[id].used)
			hw_path_tick(&table->paths[id], &table->context, now);
	hw_candidates_tick(table, now);
}

hw_time hw_path_table_deadline(const struct hw_path_table *table, hw_time now)
{
	hw_time at = hw_candidates_deadline(table);

	for (uint32_t id = 0; id < table->end; id++)
		if (table->paths[id].used)
			at = hw_time_min(at,
					 hw_path_deadline(&table->paths[id], &table->context, now));
	return at;
}

static void describe(struct hw_path *path, enum hw_path_action_type type,
		     struct hw_path_action *ret_action)
{
	*ret_action = (struct hw_path_action){ .type = type, .tuple = path->tuple, .path = path };
}

static bool next_event(struct hw_path_table *table, struct hw_path_action *ret_action)
{
	static const struct {
		enum hw_path_todo todo;
		enum hw_path_action_type type;
	} events[] = {
		{ HW_PATH_TODO_RESEND, HW_PATH_ACTION_RESEND },
		{ HW_PATH_TODO_NEW, HW_PATH_ACTION_EVENT_NEW },
		{ HW_PATH_TODO_MOVED, HW_PATH_ACTION_EVENT_MOVED },
		{ HW_PATH_TODO_UP, HW_PATH_ACTION_EVENT_UP },
		{ HW_PATH_TODO_SUSPECT, HW_PATH_ACTION_EVENT_SUSPECT },
		{ HW_PATH_TODO_DOWN, HW_PATH_ACTION_EVENT_DOWN },
	};

	for (uint32_t id = 0; id < table->end; id++) {
		struct hw_path *path = &table->paths[id];

		if (path->used && hw_path_mtu_news(&path->mtu, &ret_action->size, &ret_action->was)) {
			uint32_t size = ret_action->size, was = ret_action->was;

			describe(path, HW_PATH_ACTION_EVENT_MTU, ret_action);
			ret_action->size = size;
			ret_action->was = was;
			return true;
		}
		for (size_t i = 0; path->used && i < sizeof(events) / sizeof(events[0]); i++) {
			if ((path->todo & events[i].todo) == 0)
				continue;
			path->todo &= ~(unsigned)events[i].todo;
			describe(path, events[i].type, ret_action);
			return true;
		}
	}
	return false;
}

static bool next_challenge(struct hw_path_table *table, uint32_t challenge_bytes, hw_time now,
			   struct hw_path_action *ret_action)
{
	for (uint32_t id = 0; id < table->end; id++) {
		struct hw_path *path = &table->paths[id];

		if (!path->used || (path->todo & HW_PATH_TODO_CHALLENGE) == 0)
			continue;
		path->todo &= ~(unsigned)HW_PATH_TODO_CHALLENGE;
		describe(path, HW_PATH_ACTION_CHALLENGE, ret_action);
		memcpy(ret_action->challenge, path->challenge, HW_PATH_CHALLENGE_BYTES);
		return true;
	}
	for (size_t i = 0; i < HW_PATH_TABLE_CANDIDATES; i++) {
		struct hw_candidate *c = &table->candidates[i];

		if (!c->used || !c->challenge_due || !hw_candidate_may_send(c, challenge_bytes))
			continue;
		c->challenge_due = false;
		c->asked_at = now;
		*ret_action = (struct hw_path_action){
			.type = HW_PATH_ACTION_CHALLENGE,
			.tuple = c->tuple,
			.candidate = c,
		};
		memcpy(ret_action->challenge, c->challenge, HW_PATH_CHALLENGE_BYTES);
		return true;
	}
	return false;
}

static bool next_probe(struct hw_path_table *table, hw_time now, struct hw_path_action *ret_action)
{
	for (uint32_t id = 0; id < table->end; id++) {
		struct hw_path *path = &table->paths[id];

		if (!path->used || path->link_down || (path->todo & HW_PATH_TODO_PROBE) == 0)
			continue;
		describe(path, HW_PATH_ACTION_PROBE, ret_action);
		ret_action->token = hw_path_probe_sent(path, now);
		ret_action->idle = !hw_path_context_active(&table->context, now);
		return true;
	}
	return false;
}

static bool next_mtu_probe(struct hw_path_table *table, struct hw_path_action *ret_action)
{
	for (uint32_t id = 0; id < table->end; id++) {
		struct hw_path *path = &table->paths[id];
		uint64_t token;
		uint32_t size;

		if (!path->used || path->link_down || path->state == HW_PATH_DOWN ||
		    !hw_path_mtu_next(&path->mtu, id, &token, &size))
			continue;
		describe(path, HW_PATH_ACTION_MTU_PROBE, ret_action);
		ret_action->token = token;
		ret_action->size = size;
		return true;
	}
	return false;
}

bool hw_path_table_next(struct hw_path_table *table, uint32_t challenge_bytes, hw_time now,
			struct hw_path_action *ret_action)
{
	if (next_event(table, ret_action))
		return true;
	if (!table->context.session)
		return false;
	return next_challenge(table, challenge_bytes, now, ret_action) ||
	       next_probe(table, now, ret_action) || next_mtu_probe(table, ret_action);
}

/*
 * The peer's figures have an offset that is unknown but common, and wrap: only differences, taken
 * as signed, mean anything. The fastest path has 0.
 */
static void fill_excess(struct hw_path_table *table, hw_time now)
{
	const struct hw_path *reference = NULL;
	int32_t fastest = 0;

	for (uint32_t id = 0; id < table->end; id++) {
		const struct hw_path *path = &table->paths[id];

		if (!works(path) || !hw_path_tx_owd_fresh(&path->tx, now))
			continue;
		if (reference == NULL)
			reference = path;

		int32_t beyond = (int32_t)(path->tx.owd_us - reference->tx.owd_us);

		if (beyond < fastest)
			fastest = beyond;
	}
	for (size_t i = 0; reference != NULL && i < table->view_count; i++) {
		const struct hw_path *path = &table->paths[table->views[i].path];

		if (!hw_path_tx_owd_fresh(&path->tx, now))
			continue;

		int64_t beyond = (int32_t)(path->tx.owd_us - reference->tx.owd_us);

		/* A path that is not in use may look faster than it still is. */
		if (beyond < fastest)
			beyond = fastest;
		table->views[i].delay_excess_ns = (beyond - fastest) * (int64_t)HW_NS_PER_US;
	}
}

/* A group has the number of its first path. */
static void fill_groups(struct hw_path_table *table)
{
	for (size_t i = 0; i < table->view_count; i++) {
		const struct hw_path *path = &table->paths[table->views[i].path];

		for (size_t j = 0; j < i && path->theirs.link != HW_PATH_LINK_UNKNOWN; j++) {
			const struct hw_path *first = &table->paths[table->views[j].path];

			if (first->tuple.link == path->tuple.link &&
			    first->theirs.link == path->theirs.link) {
				table->views[i].group = table->views[j].group;
				break;
			}
		}
	}
}

static uint32_t smallest_payload(const struct hw_path_table *table)
{
	uint32_t payload = 0;

	for (size_t i = 0; i < table->view_count; i++) {
		const struct hw_sched_path *view = &table->views[i];

		if ((view->state == HW_PATH_UP || view->state == HW_PATH_SUSPECT) &&
		    view->use != HW_USE_NEVER && (payload == 0 || view->mtu_bytes < payload))
			payload = view->mtu_bytes;
	}
	return payload;
}

static bool in_use(const struct hw_sched_path *view)
{
	return (view->state == HW_PATH_UP || view->state == HW_PATH_SUSPECT) &&
	       view->use != HW_USE_NEVER;
}

/*
 * A path that has just come up counts when its size is known, a moment later: until then it would
 * make all packets small. It does not wait when no other one is in good order.
 */
static void hold_unknown(struct hw_path_table *table)
{
	bool known = false;

	for (size_t i = 0; i < table->view_count; i++)
		known |= in_use(&table->views[i]) && table->views[i].state == HW_PATH_UP &&
			 table->paths[table->views[i].path].mtu.known;
	for (size_t i = 0; known && i < table->view_count; i++)
		if (in_use(&table->views[i]) && !table->paths[table->views[i].path].mtu.known)
			table->views[i].state = HW_PATH_PROBING;
}

static uint32_t smallest_clamp(const struct hw_path_table *table)
{
	uint32_t payload = 0;

	for (size_t i = 0; i < table->view_count; i++) {
		const struct hw_path_mtu *mtu = &table->paths[table->views[i].path].mtu;
		uint32_t size = hw_path_mtu_hoped(mtu);

		if (in_use(&table->views[i]) && (payload == 0 || size < payload))
			payload = size;
	}
	return payload;
}

const struct hw_sched_path *hw_path_table_views(struct hw_path_table *table, hw_time now,
						size_t *ret_count)
{
	bool stale = table->views_stale || now >= table->views_at + VIEWS_FRESH;

	for (uint32_t id = 0; id < table->end && !stale; id++)
		stale = table->paths[id].view_stale || table->paths[id].mtu.changed;
	if (stale) {
		table->view_count = 0;
		for (uint32_t id = 0; id < table->end; id++) {
			if (!table->paths[id].used)
				continue;
			hw_path_view(&table->paths[id], now, &table->views[table->view_count++]);
			table->paths[id].view_stale = table->paths[id].mtu.changed = false;
		}
		hold_unknown(table);
		fill_excess(table, now);
		fill_groups(table);
		table->payload_bytes = smallest_payload(table);
		table->clamp_bytes = smallest_clamp(table);
		table->views_at = now;
		table->views_stale = false;
	}
	*ret_count = table->view_count;
	return table->views;
}

uint32_t hw_path_table_payload(struct hw_path_table *table, hw_time now)
{
	size_t count;

	hw_path_table_views(table, now, &count);
	return table->payload_bytes;
}

uint32_t hw_path_table_clamp(struct hw_path_table *table, hw_time now)
{
	size_t count;

	hw_path_table_views(table, now, &count);
	return table->clamp_bytes;
}

int64_t hw_path_table_tx_excess(const struct hw_path_table *table, const struct hw_path *path,
				hw_time now)
{
	int32_t most = 0;

	if (!hw_path_tx_owd_fresh(&path->tx, now))
		return -1;
	for (uint32_t id = 0; id < table->end; id++) {
		const struct hw_path *other = &table->paths[id];
		int32_t beyond = (int32_t)(path->tx.owd_us - other->tx.owd_us);

		if (works(other) && hw_path_tx_owd_fresh(&other->tx, now) && beyond > most)
			most = beyond;
	}
	return (int64_t)most * (int64_t)HW_NS_PER_US;
}

int64_t hw_path_table_rx_excess(const struct hw_path_table *table, const struct hw_path *path,
				hw_time now)
{
	int64_t fastest = path->rx.owd.smoothed_ns;

	if (!hw_owd_fresh(&path->rx.owd, now))
		return -1;
	for (uint32_t id = 0; id < table->end; id++) {
		const struct hw_path *other = &table->paths[id];

		if (works(other) && hw_owd_fresh(&other->rx.owd, now) &&
		    other->rx.owd.smoothed_ns < fastest)
			fastest = other->rx.owd.smoothed_ns;
	}
	return path->rx.owd.smoothed_ns - fastest;
}
