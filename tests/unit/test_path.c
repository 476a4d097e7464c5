#include "test.h"

#include "base/rng.h"
#include "path/path.h"
#include "path/table.h"
#include "wire/control.h"

static const struct hw_tuple tuple = {
	.local = { .family = HW_FAMILY_IPV4, .ip = { 10, 0, 0, 1 }, .port = 8420 },
	.remote = { .family = HW_FAMILY_IPV4, .ip = { 192, 0, 2, 1 }, .port = 8420 },
};
static const struct hw_path_link link_settings = { .mtu_bytes = 1472 };

static const hw_time start = HW_S(100);

static struct hw_path_context working(hw_time last_data)
{
	return (struct hw_path_context){ .session = true,
					 .initiator = true,
					 .last_data = last_data };
}

/* Take the pending events; the pending probe, if any, is left. */
static unsigned take_events(struct hw_path *path)
{
	unsigned todo = path->todo;

	path->todo &= HW_PATH_TODO_PROBE | HW_PATH_TODO_CHALLENGE;
	return todo & ~(unsigned)(HW_PATH_TODO_PROBE | HW_PATH_TODO_RESEND);
}

/* A path in that state since `start`, with nothing pending and an rtt of 20 ms where it had one. */
static void path_in(struct hw_path *path, enum hw_path_state state)
{
	hw_path_init(path, 3, &tuple, &link_settings, false, start - HW_S(1));
	hw_path_probe_sent(path, start - HW_S(1));
	if (state == HW_PATH_UP || state == HW_PATH_SUSPECT)
		hw_path_answered(path, 20000000, start);
	if (state == HW_PATH_SUSPECT)
		hw_path_send_failed(path, false, start);
	if (state == HW_PATH_DOWN)
		hw_path_send_failed(path, true, start);
	path->todo = 0;
	path->rtt.young = 0;
	assert_int_equal(path->state, state);
}

/*
 * The table itself: what each event makes of each state. "!" a probe goes out, "0" tries and backoff
 * begin anew, "~" the first samples of the round trip count for what they are, "x" what was measured is
 * forgotten, ">" what the path alone has carried is sent again.
 */
static void every_cell_of_the_table_holds(void **state)
{
	static const struct {
		enum hw_path_event event;
		const char *from[HW_PATH_STATES];
	} expected[HW_PATH_EVENTS] = {
		{ HW_PATH_EVENT_PROVEN, { "up!~", "up", "up", "up!~" } },
		{ HW_PATH_EVENT_SILENT, { "probing", "suspect!>", "suspect", "down" } },
		{ HW_PATH_EVENT_LOSSES, { "probing", "suspect!>", "suspect>", "down" } },
		{ HW_PATH_EVENT_SEND_FAILED, { "probing", "suspect!>", "suspect>", "down" } },
		{ HW_PATH_EVENT_UNANSWERED, { "probing", "suspect!>", "suspect", "down" } },
		{ HW_PATH_EVENT_RETRY, { "probing!", "up!", "suspect!", "down!" } },
		{ HW_PATH_EVENT_GIVEN_UP, { "down", "up", "down>", "down" } },
		{ HW_PATH_EVENT_GONE, { "down", "down>", "down>", "down" } },
		{ HW_PATH_EVENT_LINK_DOWN, { "down", "down>", "down>", "down" } },
		{ HW_PATH_EVENT_LINK_UP, { "probing!0x", "probing!0x", "probing!0x", "probing!0x" } },
		{ HW_PATH_EVENT_READDRESSED, { "probing!0", "up!", "suspect!", "probing!0" } },
		{ HW_PATH_EVENT_SESSION, { "probing!0", "up", "suspect!0", "probing!0" } },
		{ HW_PATH_EVENT_HEARD, { "probing", "up", "suspect", "down!" } },
	};
	static const char *const names[] = { "probing", "up", "suspect", "down" };
	static const char marks[] = "!0~x>"; /* in order of enum hw_path_do's bits */

	(void)state;
	for (unsigned event = 0; event < HW_PATH_EVENTS; event++) {
		assert_int_equal(expected[event].event, event);
		for (unsigned from = 0; from < HW_PATH_STATES; from++) {
			struct hw_path_cell cell = hw_path_transition(from, event);
			char text[32];
			size_t len = strlen(names[cell.next]);

			memcpy(text, names[cell.next], len);
			for (unsigned bit = 0; bit < sizeof(marks) - 1; bit++)
				if ((cell.actions & 1u << bit) != 0)
					text[len++] = marks[bit];
			text[len] = 0;
			if (strcmp(text, expected[event].from[from]) != 0)
				fail_msg("event %u in state %s: %s, not %s", event, names[from],
					 text, expected[event].from[from]);
			assert_int_equal(cell.actions >> (sizeof(marks) - 1), 0);
		}
	}
}

static void send_data(struct hw_path *path, hw_time now)
{
	hw_path_sent(path, 1, 1000, true, now);
}

/* A report of the first `count` packets of session 1, all received. */
static unsigned report(struct hw_path *path, uint32_t count, hw_time now)
{
	struct hw_control_report_path r = { .highest_seq = count - 1, .received = count };

	return hw_path_reported(path, 1, &r, now);
}

enum event {
	ANSWERED,
	PROBE_REPLIED,
	PROBE_REPLIED_UNKNOWN,
	PROGRESS,
	PROGRESS_OF_OLD, /* of what was sent before the state began */
	HEARD,
	HEARD_SOON, /* within 250 ms of the last probe or change */
	FAILED,
	GONE,
	LINK_DOWN,
	LINK_UP, /* without a link down before it */
	LINK_DOWN_UP,
	READDRESSED,
	SESSION_ANEW,
	SESSION_RENEWED,
	NO_SESSION /* a long time passes, but probes cannot be sealed */
};

static void happen(struct hw_path *path, enum event event)
{
	const hw_time late = start + HW_MS(900);
	struct hw_path_context context = working(start + HW_MS(700));
	uint64_t token;

	switch (event) {
	case ANSWERED:
		hw_path_answered(path, -1, late);
		break;
	case PROBE_REPLIED:
	case PROBE_REPLIED_UNKNOWN:
		token = hw_path_probe_sent(path, start);
		hw_path_probe_replied(path, event == PROBE_REPLIED ? token : token + 1, 0,
				      start + HW_MS(30), NULL);
		break;
	case PROGRESS:
		send_data(path, start);
		report(path, 1, late);
		break;
	case PROGRESS_OF_OLD:
		send_data(path, start);
		path->doubt_generation = 1;
		path->doubt_sequence = 1;
		report(path, 1, late);
		break;
	case HEARD:
		hw_path_heard(path, start + HW_MS(250));
		break;
	case HEARD_SOON:
		hw_path_heard(path, start + HW_MS(249));
		break;
	case FAILED:
		hw_path_send_failed(path, false, late);
		break;
	case GONE:
		hw_path_send_failed(path, true, late);
		break;
	case LINK_DOWN:
		hw_path_link_down(path, late);
		break;
	case LINK_UP:
		hw_path_link_up(path, late);
		break;
	case LINK_DOWN_UP:
		hw_path_link_down(path, start + HW_MS(1));
		path->todo = 0;
		hw_path_link_up(path, late);
		break;
	case READDRESSED:
		hw_path_readdressed(path, late);
		break;
	case SESSION_ANEW:
	case SESSION_RENEWED:
		hw_path_new_session(path, event == SESSION_ANEW, late);
		break;
	case NO_SESSION:
		context.session = false;
		send_data(path, start);
		hw_path_tick(path, &context, start + HW_S(100));
		assert_true(hw_path_deadline(path, &context, start + HW_S(100)) == HW_TIME_NEVER);
		break;
	}
}

/* What is called from outside leads to the right cell. */
static void events_lead_to_their_cells(void **state)
{
	enum { PB = HW_PATH_PROBING, UP = HW_PATH_UP, SU = HW_PATH_SUSPECT, DN = HW_PATH_DOWN };
	enum { P = HW_PATH_TODO_PROBE, R = HW_PATH_TODO_RESEND };
	static const struct {
		enum event event;
		struct {
			unsigned state, todo;
		} from[4]; /* PROBING, UP, SUSPECT, DOWN */
	} table[] = {
		{ ANSWERED, { { UP, P }, { UP, 0 }, { UP, 0 }, { UP, P } } },
		{ PROBE_REPLIED, { { UP, P }, { UP, 0 }, { UP, 0 }, { UP, P } } },
		{ PROBE_REPLIED_UNKNOWN, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, 0 } } },
		{ PROGRESS, { { UP, P }, { UP, 0 }, { UP, 0 }, { UP, P } } },
		{ PROGRESS_OF_OLD, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, 0 } } },
		{ HEARD, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, P } } },
		{ HEARD_SOON, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, 0 } } },
		{ FAILED, { { PB, 0 }, { SU, P | R }, { SU, R }, { DN, 0 } } },
		{ GONE, { { DN, 0 }, { DN, R }, { DN, R }, { DN, 0 } } },
		{ LINK_DOWN, { { DN, 0 }, { DN, R }, { DN, R }, { DN, 0 } } },
		{ LINK_UP, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, 0 } } },
		{ LINK_DOWN_UP, { { PB, P }, { PB, P }, { PB, P }, { PB, P } } },
		{ READDRESSED, { { PB, P }, { UP, P }, { SU, P }, { PB, P } } },
		{ SESSION_ANEW, { { PB, P }, { UP, 0 }, { SU, P }, { PB, P } } },
		{ SESSION_RENEWED, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, 0 } } },
		{ NO_SESSION, { { PB, 0 }, { UP, 0 }, { SU, 0 }, { DN, 0 } } },
	};
	static const unsigned event_of[] = { 0, HW_PATH_TODO_UP, 0, HW_PATH_TODO_DOWN };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (unsigned from = 0; from < 4; from++) {
			struct hw_path path;
			unsigned to = table[i].from[from].state, todo = table[i].from[from].todo;

			path_in(&path, from);
			happen(&path, table[i].event);
			/* Doubt is told only when it lasts, and then only is its end. */
			if (to != from && to != SU && from != SU)
				todo |= event_of[to];
			if (from == SU && to == DN)
				todo |= HW_PATH_TODO_DOWN;
			if (path.state != to || path.todo != todo)
				fail_msg("event %u in state %u: state %u todo %#x, not %u %#x",
					 table[i].event, from, path.state, path.todo, to, todo);
		}
	}
}

/* The path carries a packet each 10 ms, and each is reported 30 ms later: the usual wait. */
static hw_time settled(struct hw_path *path)
{
	hw_time now = start;

	path_in(path, HW_PATH_UP);
	for (uint32_t i = 0; i < 200; i++, now += HW_MS(10)) {
		send_data(path, now);
		if (i >= 3)
			report(path, i - 2, now);
	}
	path->last_probe = now; /* so that no other timer is due */
	path->todo = 0;
	assert_int_equal(path->wait.smoothed_ns, HW_MS(30));
	return now;
}

/* Silence: the usual wait, at least 30 ms more, and twice the gap between packets. */
static void silence_is_found_by_what_is_usual(void **state)
{
	struct hw_path path;
	struct hw_path_context context;
	hw_time now = settled(&path);
	/* The oldest that no report speaks of is the last but two, sent 30 ms ago. */
	hw_time oldest = now - HW_MS(30), due;

	(void)state;
	context = working(now);
	due = oldest + HW_MS(30) + HW_MS(30) + 2 * hw_flight_gap(&path.flight);
	assert_in_range(hw_flight_gap(&path.flight), HW_MS(9), HW_MS(10));
	assert_true(hw_flight_oldest(&path.flight) == oldest);
	hw_path_tick(&path, &context, due - 1);
	assert_int_equal(path.state, HW_PATH_UP);
	/* Hearing the peer all the time shows nothing of what was sent. */
	hw_path_heard(&path, due - 1);
	assert_int_equal(hw_path_tick(&path, &context, due) & HW_PATH_TODO_RESEND,
			 HW_PATH_TODO_RESEND);
	assert_int_equal(path.state, HW_PATH_SUSPECT);

	/* What was reported without a loss is not sent again; all else is. */
	assert_false(hw_path_doubted(&path, 1, 196));
	assert_true(hw_path_doubted(&path, 1, 197));
	assert_true(hw_path_doubted(&path, 1, 199));

	/* A report that was held up proves nothing; one of something sent since does. */
	path.todo = 0;
	report(&path, 199, due + HW_MS(1));
	assert_int_equal(path.state, HW_PATH_SUSPECT);
	send_data(&path, due + HW_MS(2));
	report(&path, 201, due + HW_MS(32));
	assert_int_equal(path.state, HW_PATH_UP);
	assert_int_equal(path.todo, 0);
}

/* A probe goes out before that, and its answer ends the silence. */
static void an_answered_probe_ends_the_silence(void **state)
{
	struct hw_path path;
	struct hw_path_context context;
	hw_time now = settled(&path), early;

	(void)state;
	path.last_probe = now - HW_MS(40);
	context = working(now);
	early = now + (HW_MS(30) + 2 * hw_flight_gap(&path.flight)) / 2;
	assert_int_equal(hw_path_tick(&path, &context, early - 1), 0);
	assert_true(hw_path_deadline(&path, &context, early - 1) == early);
	assert_int_equal(hw_path_tick(&path, &context, early), HW_PATH_TODO_PROBE);

	uint64_t token = hw_path_probe_sent(&path, early);

	hw_path_probe_replied(&path, token, 0, early + HW_MS(20), NULL);
	hw_path_tick(&path, &context, early + HW_MS(200));
	assert_int_equal(path.state, HW_PATH_UP);
}

/* Before anything was measured: 3 * rtt and 150 ms; without an rtt a second. */
static void silence_before_anything_is_known(void **state)
{
	for (int known = 0; known < 2; known++) {
		struct hw_path path;
		struct hw_path_context context = working(start);
		hw_time patience = known ? HW_MS(150) : HW_S(1);

		(void)state;
		path_in(&path, HW_PATH_UP);
		if (!known)
			hw_rtt_init(&path.rtt);
		path.last_probe = start;
		send_data(&path, start);
		hw_path_tick(&path, &context, start + patience - 1);
		assert_int_equal(path.state, HW_PATH_UP);
		hw_path_tick(&path, &context, start + patience);
		assert_int_equal(path.state, HW_PATH_SUSPECT);
	}
}

/* Three losses in a row, as far as counts can show it; two, or three that need not be in a row, not. */
static void losses_in_a_row_make_suspect(void **state)
{
	static const struct {
		uint32_t lost, received;
		bool told, suspect;
	} cases[] = {
		{ 2, 1, false, false }, { 3, 1, false, true },	{ 4, 2, false, false },
		{ 5, 2, false, true },	{ 30, 15, false, false }, { 31, 15, false, true },
		{ 3, 15, true, true },	{ 2, 15, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hw_control_report_path r = { .state = cases[i].told ? HW_PATH_SUSPECT
									    : HW_PATH_UP };
		struct hw_path path;
		hw_time now = settled(&path);

		for (uint32_t n = 0; n < cases[i].lost + cases[i].received; n++)
			send_data(&path, now + n * HW_NS_PER_US);
		report(&path, 200, now + HW_MS(1));
		r.highest_seq = 199 + cases[i].lost + cases[i].received;
		r.received = 200 + cases[i].received;
		hw_path_reported(&path, 1, &r, now + HW_MS(2));
		assert_int_equal(path.state, cases[i].suspect ? HW_PATH_SUSPECT : HW_PATH_UP);
		if (!cases[i].suspect)
			continue;
		/* What that report covers is in doubt, what it does not speak of is not yet. */
		send_data(&path, now + HW_MS(3));
		assert_true((path.todo & HW_PATH_TODO_RESEND) != 0);
		assert_false(hw_path_doubted(&path, 1, 199));
		assert_true(hw_path_doubted(&path, 1, 200));
		assert_true(hw_path_doubted(&path, 1, r.highest_seq));
		assert_false(hw_path_doubted(&path, 1, r.highest_seq + 1));
		/* And the next packet that is reported proves it again. */
		r.highest_seq++;
		r.received++;
		r.state = HW_PATH_UP;
		hw_path_reported(&path, 1, &r, now + HW_MS(33));
		assert_int_equal(path.state, HW_PATH_UP);
	}
}

/* The peer's word that it doubts the path counts only where something is overdue here too. */
static void the_peers_doubt_needs_a_reason(void **state)
{
	struct hw_control_report_path r = { .highest_seq = 196, .received = 197,
					    .state = HW_PATH_SUSPECT };
	struct hw_path path;
	hw_time now = settled(&path); /* 197 was sent 30 ms before */

	(void)state;
	hw_path_reported(&path, 1, &r, now - HW_MS(1));
	assert_int_equal(path.state, HW_PATH_UP);
	hw_path_reported(&path, 1, &r, now);
	assert_int_equal(path.state, HW_PATH_SUSPECT);
}

/* Doubt is told after 500 ms, its end only if it was told; a path that comes and goes says nothing. */
static void short_doubt_says_nothing(void **state)
{
	struct hw_path_context context = working(start);
	struct hw_path path;
	unsigned told = 0;

	(void)state;
	path_in(&path, HW_PATH_UP);
	for (hw_time now = start; now < start + HW_S(60); now += HW_MS(500)) {
		hw_path_send_failed(&path, false, now);
		hw_path_tick(&path, &context, now + HW_MS(90));
		hw_path_answered(&path, -1, now + HW_MS(499));
		told += take_events(&path) != 0;
	}
	assert_int_equal(told, 0);
	hw_path_send_failed(&path, false, start + HW_S(60));
	path.todo = 0; /* the probe that is pending never gets to go out: so it is not given up */
	path.tries = 0;
	path.last_probe = start + HW_S(60) + HW_MS(450);
	hw_path_tick(&path, &context, start + HW_S(60) + HW_MS(499));
	assert_int_equal(take_events(&path), 0);
	assert_true(hw_path_deadline(&path, &context, start + HW_S(60) + HW_MS(499)) ==
		    start + HW_S(60) + HW_MS(500));
	hw_path_tick(&path, &context, start + HW_S(60) + HW_MS(500));
	assert_int_equal(take_events(&path), HW_PATH_TODO_SUSPECT);
	hw_path_answered(&path, -1, start + HW_S(61));
	assert_int_equal(take_events(&path), HW_PATH_TODO_UP);
}

static void a_path_without_its_link_stays_down(void **state)
{
	struct hw_path path;

	(void)state;
	path_in(&path, HW_PATH_UP);
	assert_int_equal(hw_path_link_down(&path, start), HW_PATH_TODO_DOWN | HW_PATH_TODO_RESEND);
	path.todo = 0;
	assert_int_equal(hw_path_answered(&path, HW_MS(20), start + HW_MS(5)), 0);
	assert_int_equal(hw_path_heard(&path, start + HW_S(1)), 0);
	assert_int_equal(path.state, HW_PATH_DOWN);
}

static void an_unanswered_new_path_is_probed_ten_times(void **state)
{
	static const unsigned at_ms[] = {
		0, 250, 750, 1750, 3750, 7750, 12750, 17750, 22750, 27750
	};
	struct hw_path_context context = working(0);
	struct hw_path path;
	hw_time now = start;

	(void)state;
	hw_path_init(&path, 0, &tuple, &link_settings, false, start);
	assert_int_equal(path.todo, HW_PATH_TODO_NEW | HW_PATH_TODO_PROBE);
	for (size_t i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++) {
		assert_true((hw_path_tick(&path, &context, now) & HW_PATH_TODO_PROBE) != 0);
		assert_int_equal(now - start, HW_MS(at_ms[i]));
		assert_int_equal(hw_path_probe_sent(&path, now), i + 1);
		now = hw_path_deadline(&path, &context, now);
		assert_int_equal(hw_path_tick(&path, &context, now - 1) & HW_PATH_TODO_PROBE, 0);
	}
	take_events(&path);
	assert_int_equal(hw_path_tick(&path, &context, now), HW_PATH_TODO_DOWN);
	assert_int_equal(path.state, HW_PATH_DOWN);
}

static void a_dead_path_is_found_and_then_tried_with_backoff(void **state)
{
	for (int all_down = 0; all_down < 2; all_down++) {
		struct hw_path path;
		struct hw_path_context context = working(start);
		unsigned probes = 0, gaps[8] = { 0 };
		hw_time now, suspect = 0, down = 0, last = 0;

		path_in(&path, HW_PATH_UP);
		(void)state;
		/* Data goes out every 10 ms; nothing comes back any more. */
		for (now = start; now < start + HW_S(2); now += HW_MS(1)) {
			if (now % HW_MS(10) == 0 && path.state != HW_PATH_DOWN)
				send_data(&path, now);
			context.last_data = now;
			hw_path_tick(&path, &context, now);
			if (suspect == 0 && path.state == HW_PATH_SUSPECT)
				suspect = now;
			if (down == 0 && path.state == HW_PATH_DOWN)
				down = now;
			if ((path.todo & HW_PATH_TODO_PROBE) != 0 && down == 0) {
				hw_path_probe_sent(&path, now);
				probes += suspect != 0;
			}
			if (down != 0)
				break;
		}
		assert_int_equal(suspect - start, HW_MS(150));
		assert_int_equal(probes, 5);
		assert_int_equal(down - suspect, HW_MS(500));
		context.all_down = all_down;
		last = down;
		for (unsigned i = 0; i < 8; i++) {
			now = hw_path_deadline(&path, &context, last);
			assert_true((hw_path_tick(&path, &context, now) & HW_PATH_TODO_PROBE) != 0);
			hw_path_probe_sent(&path, now);
			gaps[i] = (unsigned)((now - last) / HW_NS_PER_S);
			last = now;
		}

		const unsigned one[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
		const unsigned all[] = { 1, 2, 4, 8, 12, 12, 12, 12 };

		assert_memory_equal(gaps, all_down ? all : one, sizeof(gaps));
		/* It comes back by itself. */
		hw_path_probe_replied(&path, (uint64_t)path.id << 56 | path.last_token, 0,
				      last + HW_MS(20), NULL);
		assert_int_equal(path.state, HW_PATH_UP);
	}
}

/* Our packets stop arriving, the peer's still come, and its reports by another path say so. */
static void a_path_that_fails_one_way_is_found_by_reports(void **state)
{
	struct hw_path path;
	struct hw_path_context context = working(start);
	hw_time suspect = 0;
	uint32_t sent = 0, arrived = 0;

	(void)state;
	path_in(&path, HW_PATH_UP);
	for (hw_time now = start; now < start + HW_S(3); now += HW_MS(5)) {
		bool cut = now >= start + HW_S(2);

		send_data(&path, now);
		sent++;
		arrived += !cut;
		hw_path_heard(&path, now);
		if (now % HW_MS(50) == 0 && arrived > 0)
			report(&path, arrived, now);
		context.last_data = now;
		if ((hw_path_tick(&path, &context, now) & HW_PATH_TODO_PROBE) != 0) {
			uint64_t token = hw_path_probe_sent(&path, now);

			if (!cut)
				hw_path_probe_replied(&path, token, 0, now, NULL);
		}
		if (path.state != HW_PATH_UP && suspect == 0)
			suspect = now;
		if (!cut)
			assert_int_equal(path.state, HW_PATH_UP);
	}
	assert_in_range(suspect - start - HW_S(2), HW_MS(40), HW_MS(120));
	assert_int_equal(path.state, HW_PATH_DOWN); /* though it is heard all the time */
}

static void one_lost_probe_is_forgiven_and_two_are_not(void **state)
{
	struct hw_path path;
	struct hw_path_context context = working(start);

	(void)state;
	path_in(&path, HW_PATH_UP);
	context.last_data = start + HW_S(1);
	hw_path_probe_sent(&path, start + HW_S(1));
	assert_int_equal(hw_path_tick(&path, &context, start + HW_MS(1249)), 0);
	assert_int_equal(hw_path_tick(&path, &context, start + HW_MS(1250)), HW_PATH_TODO_PROBE);

	uint64_t token = hw_path_probe_sent(&path, start + HW_MS(1250));

	hw_path_probe_replied(&path, token, HW_MS(5), start + HW_MS(1275), NULL);
	assert_int_equal(path.rtt.latest_ns, HW_MS(20));
	assert_int_equal(hw_path_tick(&path, &context, start + HW_MS(1600)), 0);
	context.last_data = start + HW_S(3);
	assert_int_equal(hw_path_tick(&path, &context, start + HW_S(3)), HW_PATH_TODO_PROBE);
	hw_path_probe_sent(&path, start + HW_S(3));
	assert_int_equal(hw_path_tick(&path, &context, start + HW_MS(3250)), HW_PATH_TODO_PROBE);
	hw_path_probe_sent(&path, start + HW_MS(3250));
	assert_int_equal(hw_path_tick(&path, &context, start + HW_MS(3499)), 0);
	assert_int_equal(hw_path_tick(&path, &context, start + HW_MS(3500)),
			 HW_PATH_TODO_RESEND | HW_PATH_TODO_PROBE);
	assert_int_equal(path.state, HW_PATH_SUSPECT);
}

static void answers_count_once_and_only_on_their_path(void **state)
{
	struct hw_path path, other;
	uint64_t token;
	bool known;

	(void)state;
	path_in(&path, HW_PATH_SUSPECT);
	hw_path_init(&other, 4, &tuple, &link_settings, false, start);
	token = hw_path_probe_sent(&path, start);
	hw_path_probe_sent(&other, start);
	hw_path_probe_sent(&other, start);
	hw_path_probe_replied(&other, token, 0, start + HW_MS(9), &known);
	assert_false(known);
	assert_int_equal(other.state, HW_PATH_PROBING);
	/* Slow paths: 63 later probes do not make it forget the first. */
	for (int i = 0; i < 63; i++)
		hw_path_probe_sent(&path, start + HW_MS(100));
	hw_path_probe_replied(&path, token, 0, start + HW_S(3), &known);
	assert_true(known);
	assert_int_equal(path.state, HW_PATH_UP);
	assert_int_equal(path.rtt.latest_ns, HW_S(3));
	hw_path_send_failed(&path, false, start + HW_S(4));
	hw_path_probe_replied(&path, token, 0, start + HW_S(4), &known);
	assert_false(known);
	assert_int_equal(path.state, HW_PATH_SUSPECT);
}

/* Two nodes, one path, for a time; what each sends is heard by the other 20 ms later. */
struct pair {
	struct hw_path path[2];
	struct hw_path_context context[2];
	unsigned sent[2];
	hw_time last[2], closest[2]; /* last packet; least time between two */
};

static void count_sent(struct pair *p, int who, hw_time now)
{
	if (p->sent[who] > 0 && now - p->last[who] < p->closest[who])
		p->closest[who] = now - p->last[who];
	p->last[who] = now;
	p->sent[who]++;
	hw_path_sent(&p->path[who], 1, 60, false, now);
}

static void run_idle(struct pair *p, hw_time duration)
{
	hw_time now = start;

	while (now < start + duration) {
		for (int who = 0; who < 2; who++) {
			hw_path_tick(&p->path[who], &p->context[who], now);
			if ((p->path[who].todo & HW_PATH_TODO_PROBE) == 0)
				continue;

			uint64_t token = hw_path_probe_sent(&p->path[who], now);

			count_sent(p, who, now);
			hw_path_heard(&p->path[!who], now + HW_MS(20));
			count_sent(p, !who, now + HW_MS(20));
			hw_path_heard(&p->path[who], now + HW_MS(40));
			hw_path_probe_replied(&p->path[who], token, 0, now + HW_MS(40), NULL);
			now += HW_MS(40);
		}
		now = hw_time_max(now,
				  hw_time_min(hw_path_deadline(&p->path[0], &p->context[0], now),
					      hw_path_deadline(&p->path[1], &p->context[1], now)));
	}
}

static void an_idle_hour_costs_a_packet_each_way_each_ten_seconds_at_most(void **state)
{
	/* Roles: the usual one, and neither side initiator (the first is gone from the context). */
	static const struct {
		bool initiator[2];
		unsigned least, most;
	} cases[] = {
		{ { true, false }, 290, 300 },
		{ { false, true }, 290, 300 },
		{ { false, false }, 140, 145 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair p = { .closest = { HW_TIME_NEVER, HW_TIME_NEVER } };

		for (int who = 0; who < 2; who++) {
			path_in(&p.path[who], HW_PATH_UP);
			p.context[who] = working(0);
			p.context[who].initiator = cases[i].initiator[who];
		}
		run_idle(&p, HW_S(3600));
		for (int who = 0; who < 2; who++) {
			assert_in_range(p.sent[who], cases[i].least, cases[i].most);
			assert_true(p.closest[who] >= HW_S(10));
			assert_int_equal(p.path[who].state, HW_PATH_UP);
		}
	}
}

static void an_active_peer_probes_each_second(void **state)
{
	struct hw_path path;
	struct hw_path_context context = working(0);
	unsigned probes = 0;

	(void)state;
	path_in(&path, HW_PATH_UP);
	for (hw_time now = start; now < start + HW_S(60); now += HW_MS(10)) {
		context.last_data = now; /* on other paths */
		if ((hw_path_tick(&path, &context, now) & HW_PATH_TODO_PROBE) != 0) {
			uint64_t token = hw_path_probe_sent(&path, now);

			hw_path_sent(&path, 1, 60, false, now);
			hw_path_probe_replied(&path, token, 0, now + HW_MS(20), NULL);
			probes++;
		}
	}
	assert_in_range(probes, 59, 60);
}

/* 5 % lost each way, with reports on what arrives: the path stays UP nearly always. */
static void a_lossy_path_is_no_dead_path(void **state)
{
	struct hw_path path;
	struct hw_path_context context = working(start);
	struct hw_rng rng;
	uint32_t sent = 0, received = 0, highest = 0;
	unsigned suspects = 0;

	(void)state;
	hw_rng_init(&rng, 21);
	path_in(&path, HW_PATH_UP);
	for (hw_time now = start; now < start + HW_S(600); now += HW_MS(20)) {
		send_data(&path, now);
		if (hw_rng_below(&rng, 100) >= 5) {
			highest = sent;
			received++;
		}
		sent++;
		context.last_data = now;
		if (now % HW_MS(100) == 0 && received > 0 && hw_rng_below(&rng, 100) >= 5) {
			struct hw_control_report_path r = { .highest_seq = highest,
							    .received = received };

			hw_path_heard(&path, now);
			hw_path_reported(&path, 1, &r, now);
		}
		if ((hw_path_tick(&path, &context, now) & HW_PATH_TODO_PROBE) != 0) {
			uint64_t token = hw_path_probe_sent(&path, now);

			sent++;
			hw_path_sent(&path, 1, 60, false, now);
			if (hw_rng_below(&rng, 100) >= 10)
				hw_path_probe_replied(&path, token, 0, now + HW_MS(20), NULL);
		}
		if ((take_events(&path) & HW_PATH_TODO_SUSPECT) != 0)
			suspects++;
		assert_int_not_equal(path.state, HW_PATH_DOWN);
	}
	assert_in_range(suspects, 0, 6); /* of 30,000 packets and 600 s, seed 21 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_table_holds),
		cmocka_unit_test(events_lead_to_their_cells),
		cmocka_unit_test(silence_is_found_by_what_is_usual),
		cmocka_unit_test(an_answered_probe_ends_the_silence),
		cmocka_unit_test(silence_before_anything_is_known),
		cmocka_unit_test(losses_in_a_row_make_suspect),
		cmocka_unit_test(the_peers_doubt_needs_a_reason),
		cmocka_unit_test(short_doubt_says_nothing),
		cmocka_unit_test(a_path_without_its_link_stays_down),
		cmocka_unit_test(an_unanswered_new_path_is_probed_ten_times),
		cmocka_unit_test(a_dead_path_is_found_and_then_tried_with_backoff),
		cmocka_unit_test(a_path_that_fails_one_way_is_found_by_reports),
		cmocka_unit_test(one_lost_probe_is_forgiven_and_two_are_not),
		cmocka_unit_test(answers_count_once_and_only_on_their_path),
		cmocka_unit_test(an_idle_hour_costs_a_packet_each_way_each_ten_seconds_at_most),
		cmocka_unit_test(an_active_peer_probes_each_second),
		cmocka_unit_test(a_lossy_path_is_no_dead_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
