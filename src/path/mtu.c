/* The search; mtu_proof.c watches what the traffic itself shows. */
#include "path/mtu.h"

#include <string.h>

#include "path/mtu_proof.h"
#include "wire/wire.h"

#define LEAST_IP 256u
#define BASE_IP4 576u  /* what every host takes (RFC 791) */
#define BASE_IP6 1280u /* RFC 8200, section 5 */
#define COMMON_IP 1280u
#define GRAIN 8u /* the search ends when less than this is open */

#define TIMEOUT_UNKNOWN HW_S(1)
#define TIMEOUT_MIN HW_MS(100)
#define TIMEOUT_SLACK HW_MS(50) /* a large packet takes longer, and its answer may wait */
#define HOT_GAP HW_MS(50)
#define COLD_DOUBLINGS 3u

#define SEARCH_CHANCE 1e-4
#define CONFIRM_CHANCE 2e-6
#define TRIES_MIN 3u
#define TRIES_MAX 60u /* then a question is given up: HW_PATH_MTU_ROUNDS remember no more */
#define DEAD_ROUNDS 2u /* so many without any answer: the path itself is dead, for now */
#define SILENT_TRIES 6u /* without any answer: whoever owns the path will hear when it is back */
#define FIRST_TRIES 2u
#define RAISE_TRIES 3u
#define TOP_TRIES 4u /* rounds of a search that ask for the upper end too */

#define RAISE_AFTER HW_S(600)
#define RAISE_AFTER_METERED HW_S(3600)
#define RAISE_AFTER_ERROR HW_S(30)
#define RAISE_AFTER_UNSURE HW_S(60)
#define CONFIRM_GAP HW_S(1)
#define CONFIRM_GAP_METERED HW_S(10)
#define CONFIRM_EVERY HW_S(30)
#define CONFIRM_EVERY_METERED HW_S(600)

/*
 * Sizes of IP packets that ways on the Internet have: Ethernet, PPPoE, tunnels of IP in IP and GRE,
 * other tunnels, mobile networks, WireGuard, IPv6's least, IPv4's.
 */
static const uint16_t common_ip[] = { 1500, 1492, 1480, 1476, 1460, 1450, 1440, 1430,
				      1420, 1400, 1380, 1358, 1280, 576 };
#define COMMON (sizeof(common_ip) / sizeof(common_ip[0]))

static const uint16_t first_ip[] = { 1492, 1420, 1400, 1280 };

static uint32_t payload(const struct hw_path_mtu *m, uint32_t ip)
{
	return ip - m->headers;
}

static void set_limits(struct hw_path_mtu *m, uint32_t ceiling)
{
	uint32_t base = payload(m, m->headers == HW_WIRE_IPV6_UDP_BYTES ? BASE_IP6 : BASE_IP4);
	uint32_t least = payload(m, LEAST_IP);

	m->ceiling = ceiling;
	m->base = ceiling < base ? ceiling : base;
	m->least = ceiling < least ? ceiling : least;
}

/* A new question: its evidence begins with the next round, which is due at once. */
static void ask(struct hw_path_mtu *m, enum hw_path_mtu_task task, uint32_t target)
{
	/* A search goes on with what it has learnt of the path's losses. */
	if (task != HW_PATH_MTU_SEARCH ||
	    (m->task != HW_PATH_MTU_SEARCH && m->task != HW_PATH_MTU_FIRST))
		m->from = m->rounds + 1;
	m->task = task;
	m->target = target;
	m->tries = 0;
	m->changed |= m->doubt;
	m->doubt = m->hot = false;
	m->dead = 0;
}

void hw_path_mtu_init(struct hw_path_mtu *m, bool ipv6, uint32_t ceiling)
{
	memset(m, 0, sizeof(*m));
	m->headers = ipv6 ? HW_WIRE_IPV6_UDP_BYTES : HW_WIRE_IPV4_UDP_BYTES;
	set_limits(m, ceiling);
	m->size = m->base;
	m->fails = ceiling + 1;
	m->valid_from = 1;
	m->raise_at = HW_TIME_NEVER;
	ask(m, HW_PATH_MTU_FIRST, m->ceiling);
	hw_path_mtu_proof_reset(&m->proof);
}

static void resize(struct hw_path_mtu *m, uint32_t size)
{
	if (size == m->size)
		return;
	hw_path_mtu_proof_reset(&m->proof);
	m->changed = true;
	if (size < m->size)
		m->tell = m->told != 0 || m->state == HW_PATH_MTU_ERROR;
	m->size = size;
}

static void set_known(struct hw_path_mtu *m)
{
	m->changed |= !m->known;
	m->known = true;
}

static void complete(struct hw_path_mtu *m, hw_time raise_after, hw_time now)
{
	m->state = HW_PATH_MTU_COMPLETE;
	ask(m, HW_PATH_MTU_NOTHING, 0);
	m->raise_at = m->size < m->ceiling ? now + raise_after : HW_TIME_NEVER;
	set_known(m);
	m->tell = m->size != m->told;
}

/* What to ask next on the way up: the middle of the common sizes that are open, else the middle. */
static uint32_t next_target(const struct hw_path_mtu *m, bool metered)
{
	uint32_t open[COMMON + 1], count = 0;

	if (m->ceiling > m->size && m->ceiling < m->fails)
		open[count++] = m->ceiling;
	for (size_t i = 0; i < COMMON; i++) {
		uint32_t size = payload(m, common_ip[i]);

		if (common_ip[i] > m->headers && size > m->size && size < m->fails &&
		    size < m->ceiling)
			open[count++] = size;
	}
	if (count > 0)
		return open[count / 2];
	if (metered || m->fails - m->size <= GRAIN)
		return 0;
	return m->size + (m->fails - m->size) / 2;
}

static void search_on(struct hw_path_mtu *m, bool metered, hw_time now)
{
	uint32_t target = next_target(m, metered);

	if (target == 0) {
		complete(m, m->unsure ? RAISE_AFTER_UNSURE
				      : metered ? RAISE_AFTER_METERED : RAISE_AFTER, now);
		return;
	}
	if (m->task != HW_PATH_MTU_SEARCH) {
		m->search_tries = 0;
		m->unsure = false;
	}
	ask(m, HW_PATH_MTU_SEARCH, target);
}

void hw_path_mtu_set_ceiling(struct hw_path_mtu *m, uint32_t ceiling)
{
	uint32_t before = m->ceiling;
	bool unlimited = m->fails > before;

	if (ceiling == before)
		return;
	set_limits(m, ceiling);
	if (unlimited || m->fails > ceiling + 1)
		m->fails = ceiling + 1;
	if (m->state == HW_PATH_MTU_BASE)
		resize(m, m->base);
	else if (m->size > ceiling)
		resize(m, ceiling);
	if (m->task == HW_PATH_MTU_FIRST && m->tries == 0)
		return;
	if (m->state == HW_PATH_MTU_COMPLETE && m->size >= ceiling) {
		complete(m, 0, 0); /* at the ceiling: nothing to raise */
	} else if (ceiling > before || m->target > ceiling) {
		if (m->state == HW_PATH_MTU_COMPLETE)
			m->state = HW_PATH_MTU_SEARCHING;
		ask(m, HW_PATH_MTU_FIRST, ceiling);
	}
}

void hw_path_mtu_refused(struct hw_path_mtu *m, uint32_t bytes)
{
	uint32_t size = m->least;

	if (bytes > m->ceiling || bytes <= m->least)
		return;
	if (bytes < m->fails)
		m->fails = bytes;
	if (m->target >= bytes && m->task == HW_PATH_MTU_SEARCH)
		m->target = 0;
	/* What passed the path passes still when it is smaller, if only the interface lets it out. */
	for (size_t i = COMMON; i-- > 0;)
		if (common_ip[i] > m->headers && payload(m, common_ip[i]) < bytes)
			size = payload(m, common_ip[i]);
	if (m->size >= bytes) {
		if (m->state == HW_PATH_MTU_COMPLETE)
			m->state = HW_PATH_MTU_SEARCHING;
		resize(m, size < bytes ? size : m->least);
		ask(m, HW_PATH_MTU_NOTHING, 0);
	}
}

uint32_t hw_path_mtu_hoped(const struct hw_path_mtu *m)
{
	uint32_t common = payload(m, COMMON_IP);

	if (m->known || m->size > common)
		return m->size;
	return common < m->ceiling ? common : m->ceiling;
}

void hw_path_mtu_trouble(struct hw_path_mtu *m)
{
	m->trouble = true;
	/* What went unanswered in an outage is no evidence, and need not be waited out. */
	if (m->task == HW_PATH_MTU_CONFIRM && m->dead > 0)
		ask(m, HW_PATH_MTU_CONFIRM, m->target);
}

/* Rounds. */

static hw_time timeout(const struct hw_path_mtu_context *context)
{
	if (context->timeout == 0)
		return TIMEOUT_UNKNOWN;
	return hw_time_max(context->timeout, TIMEOUT_MIN) + TIMEOUT_SLACK;
}

struct evidence {
	unsigned lost;       /* k: probes without an answer, beside a reference with one */
	unsigned references; /* m */
	unsigned answered;   /* r */
	unsigned dead;       /* the last so many rounds had no answer at all */
};

static struct evidence weigh_round(const struct hw_path_mtu_round *round, uint32_t target)
{
	struct evidence e = { 0 };

	for (unsigned i = 0; i < HW_PATH_MTU_SLOTS; i++) {
		bool yes = (round->answered >> i & 1) != 0;

		if (round->size[i] == HW_PATH_MTU_REFERENCE) {
			e.references++;
			e.answered += yes;
		} else if (round->size[i] == target && !yes) {
			e.lost = 1;
		}
	}
	if (e.answered == 0)
		e.lost = 0;
	return e;
}

/*
 * Of the rounds whose answers have had their time. A path that is dead for a while says nothing of
 * how well it passes packets otherwise, so rounds without any answer count only where they stand alone.
 */
static struct evidence weigh(const struct hw_path_mtu *m, hw_time wait, hw_time now)
{
	struct evidence e = { 0 };
	unsigned held = 0; /* references of a round without an answer, if it stands alone */
	uint32_t oldest = m->rounds >= HW_PATH_MTU_ROUNDS ? m->rounds - HW_PATH_MTU_ROUNDS + 1 : 1;

	for (uint32_t n = m->from > oldest ? m->from : oldest; n <= m->rounds; n++) {
		const struct hw_path_mtu_round *round = &m->ring[n % HW_PATH_MTU_ROUNDS];
		struct evidence one = weigh_round(round, m->target);

		if (now < round->sent_at + wait)
			break;
		if (one.answered == 0) {
			held = e.dead++ == 0 ? one.references : 0;
			continue;
		}
		e.references += one.references + held;
		e.answered += one.answered;
		e.lost += one.lost;
		e.dead = held = 0;
	}
	return e;
}

/* Whether chance does that less often than `chance`: see the header. */
static bool beyond_chance(const struct evidence *e, double chance)
{
	double p = 1;

	if (e->lost < TRIES_MIN)
		return false;
	for (unsigned i = 0; i < e->answered; i++)
		p *= (double)(e->references - i) / (double)(e->references + e->lost - i);
	return p <= chance;
}

static void add_size(struct hw_path_mtu_round *round, uint32_t size)
{
	for (unsigned i = 0; i < HW_PATH_MTU_SLOTS; i++) {
		if (round->size[i] == size && size != HW_PATH_MTU_REFERENCE)
			return;
		if (round->size[i] == 0) {
			round->size[i] = (uint16_t)size;
			return;
		}
	}
}

static void add_first(const struct hw_path_mtu *m, bool metered, struct hw_path_mtu_round *round)
{
	add_size(round, m->ceiling);
	for (size_t i = 0; i < sizeof(first_ip) / sizeof(first_ip[0]); i++) {
		uint32_t size = payload(m, first_ip[i]);

		if (size < m->ceiling && size > m->size && (!metered || first_ip[i] == COMMON_IP))
			add_size(round, size);
	}
}

/* The size that takes over should the one in use fail: by turns, so that several are known. */
static uint32_t fallback(const struct hw_path_mtu *m)
{
	uint32_t common = payload(m, COMMON_IP);

	if (m->size <= m->base)
		return m->least;
	return m->size > common && m->tries % 2 == 0 ? common : m->base;
}

static uint32_t next_common(const struct hw_path_mtu *m)
{
	uint32_t found = m->ceiling;

	for (size_t i = 0; i < COMMON; i++)
		if (common_ip[i] > m->headers && payload(m, common_ip[i]) > m->size &&
		    payload(m, common_ip[i]) < found)
			found = payload(m, common_ip[i]);
	return found;
}

static void begin_round(struct hw_path_mtu *m, bool metered, hw_time now)
{
	struct hw_path_mtu_round *round = &m->ring[++m->rounds % HW_PATH_MTU_ROUNDS];

	*round = (struct hw_path_mtu_round){ .number = m->rounds, .sent_at = now };
	add_size(round, HW_PATH_MTU_REFERENCE);
	if (m->task == HW_PATH_MTU_FIRST)
		add_first(m, metered, round);
	else
		add_size(round, m->target);
	if (m->task == HW_PATH_MTU_RAISE && m->state != HW_PATH_MTU_ERROR)
		add_size(round, next_common(m));
	if (m->task != HW_PATH_MTU_FIRST)
		add_size(round, HW_PATH_MTU_REFERENCE);
	if (m->task == HW_PATH_MTU_CONFIRM && m->tries > 0)
		add_size(round, fallback(m));
	if (m->task == HW_PATH_MTU_ASK_BASE && m->tries < FIRST_TRIES)
		add_size(round, payload(m, COMMON_IP) < m->ceiling ? payload(m, COMMON_IP) : m->ceiling);
	if (m->task == HW_PATH_MTU_SEARCH && m->search_tries++ < TOP_TRIES && !metered)
		add_size(round, m->fails - 1);
	m->tries++;
	m->asked_at = now;
}

/* Answers. */

static hw_time confirm_gap(const struct hw_path_mtu *m)
{
	return m->metered ? CONFIRM_GAP_METERED : CONFIRM_GAP;
}

/* The size passes. */
static void passed(struct hw_path_mtu *m, uint32_t size, hw_time now)
{
	bool unsettled = m->state == HW_PATH_MTU_BASE || m->state == HW_PATH_MTU_ERROR;

	if (size < m->base || size > m->ceiling)
		return;
	set_known(m);
	if (m->fails <= size)
		m->fails = m->ceiling + 1;
	if (size >= m->size) {
		m->proven_at = now;
		if (m->task == HW_PATH_MTU_CONFIRM) {
			m->trouble = false;
			m->confirm_after = now + confirm_gap(m);
			ask(m, HW_PATH_MTU_NOTHING, 0);
		}
	}
	if (!unsettled && size <= m->size)
		return;
	m->state = HW_PATH_MTU_SEARCHING;
	resize(m, size);
	if (size == m->ceiling)
		complete(m, 0, now);
	else if (m->task == HW_PATH_MTU_SEARCH || m->task == HW_PATH_MTU_RAISE ||
		 m->task == HW_PATH_MTU_ASK_BASE)
		m->target = 0; /* the next question is for hw_path_mtu_tick to choose */
}

bool hw_path_mtu_answered(struct hw_path_mtu *m, uint64_t token, uint32_t size, hw_time now)
{
	uint32_t number = (uint32_t)(token >> 8), slot = (uint32_t)(token & 0xff);
	struct hw_path_mtu_round *round = &m->ring[number % HW_PATH_MTU_ROUNDS];

	if (number == 0 || round->number != number || number < m->valid_from ||
	    slot >= round->given || round->size[slot] != size || size == 0)
		return false;
	if ((round->answered >> slot & 1) != 0)
		return true;
	round->answered |= (uint8_t)(1u << slot);
	if (size > HW_PATH_MTU_REFERENCE)
		passed(m, size, now);
	return true;
}

/* The largest size that was answered in the rounds of this question. */
static uint32_t best_answered(const struct hw_path_mtu *m)
{
	uint32_t best = 0;

	for (unsigned i = 0; i < HW_PATH_MTU_ROUNDS; i++) {
		const struct hw_path_mtu_round *round = &m->ring[i];

		if (round->number < m->from || round->number == 0)
			continue;
		for (unsigned j = 0; j < HW_PATH_MTU_SLOTS; j++)
			if ((round->answered >> j & 1) != 0 && round->size[j] > best &&
			    round->size[j] < m->target)
				best = round->size[j];
	}
	return best;
}

/* The size in use, or the base, fails. */
static void fell(struct hw_path_mtu *m, hw_time now)
{
	uint32_t best = best_answered(m);
	bool base = m->target <= m->base;

	m->fails = m->target;
	m->valid_from = m->rounds + 1;
	m->trouble = false;
	set_known(m);
	m->confirm_after = now;
	m->state = base ? HW_PATH_MTU_ERROR
			: best >= m->base ? HW_PATH_MTU_SEARCHING : HW_PATH_MTU_BASE;
	if (base)
		resize(m, m->least);
	else
		resize(m, best >= m->base ? best : m->base);
	m->raise_at = base ? now + RAISE_AFTER_ERROR : HW_TIME_NEVER;
	if (m->state == HW_PATH_MTU_BASE)
		ask(m, HW_PATH_MTU_ASK_BASE, m->base);
	else
		ask(m, HW_PATH_MTU_NOTHING, 0);
}

static void give_up(struct hw_path_mtu *m, hw_time now)
{
	if (m->task == HW_PATH_MTU_SEARCH) {
		m->unsure = true;
		complete(m, RAISE_AFTER_UNSURE, now);
		return;
	}
	if (m->task == HW_PATH_MTU_ASK_BASE) {
		ask(m, HW_PATH_MTU_ASK_BASE, m->base);
		return;
	}
	m->confirm_after = now + confirm_gap(m);
	m->trouble = m->dead == 0;
	ask(m, HW_PATH_MTU_NOTHING, 0);
}

/* The last round has had its time. Returns whether another is to follow. */
static bool judge(struct hw_path_mtu *m, const struct hw_path_mtu_context *context, hw_time now)
{
	struct evidence e = weigh(m, timeout(context), now);

	switch (m->task) {
	case HW_PATH_MTU_NOTHING:
		return false;
	case HW_PATH_MTU_FIRST:
		set_known(m);
		if (m->state != HW_PATH_MTU_BASE)
			search_on(m, context->metered, now);
		else if (e.answered > 0 || m->tries >= FIRST_TRIES)
			ask(m, HW_PATH_MTU_ASK_BASE, m->base);
		return true;
	case HW_PATH_MTU_RAISE:
		if (m->tries < RAISE_TRIES)
			return true;
		if (m->state == HW_PATH_MTU_ERROR) {
			m->raise_at = now + RAISE_AFTER_ERROR;
			ask(m, HW_PATH_MTU_NOTHING, 0);
		} else {
			complete(m, context->metered ? RAISE_AFTER_METERED : RAISE_AFTER, now);
		}
		return false;
	case HW_PATH_MTU_ASK_BASE:
	case HW_PATH_MTU_SEARCH:
	case HW_PATH_MTU_CONFIRM:
		break;
	}
	m->hot = e.lost >= 1 && e.dead < DEAD_ROUNDS;
	m->changed |= !m->doubt && m->task == HW_PATH_MTU_CONFIRM && e.lost >= 2;
	m->doubt = m->task == HW_PATH_MTU_CONFIRM && e.lost >= 2;
	m->dead = e.dead;
	if (e.dead > 0 && m->tries > 1)
		m->tries--; /* nothing was learnt */
	if (beyond_chance(&e, m->task == HW_PATH_MTU_SEARCH ? SEARCH_CHANCE : CONFIRM_CHANCE)) {
		if (m->task != HW_PATH_MTU_SEARCH) {
			fell(m, now);
			return false;
		}
		m->fails = m->target;
		search_on(m, context->metered, now);
	} else if (m->tries >= TRIES_MAX ||
		   (m->task == HW_PATH_MTU_CONFIRM && m->dead >= SILENT_TRIES)) {
		give_up(m, now);
	}
	return m->task != HW_PATH_MTU_NOTHING;
}

/* Time. */

static hw_time doubt_at(const struct hw_path_mtu *m, const struct hw_path_mtu_context *context)
{
	hw_time at = m->trouble ? 0 : HW_TIME_NEVER;

	if (m->size <= m->least || m->state == HW_PATH_MTU_ERROR)
		return HW_TIME_NEVER;
	at = hw_time_min(at, hw_path_mtu_proof_due(&m->proof, timeout(context)));
	if (m->task == HW_PATH_MTU_NOTHING && context->active)
		at = hw_time_min(at, m->proven_at + (context->metered ? CONFIRM_EVERY_METERED
								      : CONFIRM_EVERY));
	return at == HW_TIME_NEVER ? at : hw_time_max(at, m->confirm_after);
}

static bool may_doubt(const struct hw_path_mtu *m)
{
	return m->task == HW_PATH_MTU_NOTHING || m->task == HW_PATH_MTU_SEARCH ||
	       m->task == HW_PATH_MTU_RAISE;
}

/* A cold question waits for its answer; one whose references alone are answered does not. */
static hw_time next_round_at(const struct hw_path_mtu *m, const struct hw_path_mtu_context *context)
{
	hw_time wait = timeout(context);

	if (m->tries == 0 || (m->target == 0 && m->task != HW_PATH_MTU_FIRST))
		return m->asked_at;
	if (m->task == HW_PATH_MTU_CONFIRM && m->hot)
		wait = HOT_GAP;
	else if (m->dead > 0)
		wait <<= m->dead - 1 < COLD_DOUBLINGS ? m->dead - 1 : COLD_DOUBLINGS;
	return m->asked_at + wait;
}

hw_time hw_path_mtu_deadline(const struct hw_path_mtu *m, const struct hw_path_mtu_context *context)
{
	hw_time at = HW_TIME_NEVER;

	if (context->probing)
		return m->task == HW_PATH_MTU_FIRST && m->tries == 0 ? 0 : HW_TIME_NEVER;
	if (may_doubt(m))
		at = doubt_at(m, context);
	if (m->task != HW_PATH_MTU_NOTHING)
		return hw_time_min(at, next_round_at(m, context));
	if (m->state == HW_PATH_MTU_SEARCHING)
		return 0;
	if (context->active || m->state == HW_PATH_MTU_ERROR)
		at = hw_time_min(at, m->raise_at);
	return at;
}

static void begin_task(struct hw_path_mtu *m, const struct hw_path_mtu_context *context, hw_time now)
{
	if (may_doubt(m) && now >= doubt_at(m, context)) {
		hw_path_mtu_proof_forget(&m->proof);
		m->trouble = false;
		ask(m, HW_PATH_MTU_CONFIRM, m->size);
	} else if (m->task == HW_PATH_MTU_NOTHING && m->state == HW_PATH_MTU_SEARCHING) {
		search_on(m, context->metered, now);
	} else if (m->task == HW_PATH_MTU_NOTHING && now >= m->raise_at &&
		   (context->active || m->state == HW_PATH_MTU_ERROR)) {
		ask(m, HW_PATH_MTU_RAISE, m->state == HW_PATH_MTU_ERROR ? m->base : m->ceiling);
	}
}

void hw_path_mtu_tick(struct hw_path_mtu *m, const struct hw_path_mtu_context *context, hw_time now)
{
	m->metered = context->metered;
	if (now < hw_path_mtu_deadline(m, context))
		return;
	if (!context->probing)
		begin_task(m, context, now);
	if (m->task == HW_PATH_MTU_NOTHING)
		return;
	if (m->target == 0)
		search_on(m, context->metered, now);
	else if (m->tries > 0 && (now < next_round_at(m, context) || !judge(m, context, now)))
		return;
	if (m->task != HW_PATH_MTU_NOTHING)
		begin_round(m, context->metered, now);
}

bool hw_path_mtu_next(struct hw_path_mtu *m, uint32_t path, uint64_t *ret_token, uint32_t *ret_size)
{
	struct hw_path_mtu_round *round = &m->ring[m->rounds % HW_PATH_MTU_ROUNDS];
	uint32_t slot = round->given;

	if (m->rounds == 0 || slot >= HW_PATH_MTU_SLOTS || round->size[slot] == 0)
		return false;
	round->given++;
	m->probes++;
	m->probe_bytes += round->size[slot] + m->headers;
	*ret_size = round->size[slot];
	*ret_token = (uint64_t)path << 56 | (uint64_t)m->rounds << 8 | slot;
	return true;
}

bool hw_path_mtu_news(struct hw_path_mtu *m, uint32_t *ret_ip_bytes, uint32_t *ret_was)
{
	if (!m->tell)
		return false;
	m->tell = false;
	if (m->size == m->told)
		return false;
	*ret_was = m->told == 0 ? 0 : m->told + m->headers;
	m->told = m->size;
	*ret_ip_bytes = m->size + m->headers;
	return true;
}

/* What the traffic shows. */

void hw_path_mtu_sent(struct hw_path_mtu *m, uint32_t generation, uint32_t sequence,
		      uint32_t bytes, bool data, hw_time now)
{
	unsigned level = 0;

	if (!data)
		level = 0;
	else if (bytes + 16 > m->size)
		level = 4;
	else if (bytes > payload(m, COMMON_IP))
		level = 3;
	else if (bytes > m->base)
		level = 2;
	else if (bytes > m->least)
		level = 1;
	hw_path_mtu_proof_sent(&m->proof, generation, sequence, level, now);
}

void hw_path_mtu_reported(struct hw_path_mtu *m, uint32_t generation, uint32_t first,
			  uint32_t last, uint32_t received, hw_time now)
{
	unsigned level = hw_path_mtu_proof_reported(&m->proof, generation, first, last, received, now);

	if (level < HW_PATH_MTU_LEVELS - 1)
		return;
	m->proven_at = now;
	if (m->task != HW_PATH_MTU_CONFIRM)
		return;
	m->trouble = false;
	ask(m, HW_PATH_MTU_NOTHING, 0);
}
