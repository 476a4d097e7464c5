/* The state file's text. Foreign input: it may be anything. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/siphash.h"
#include "daemon/state.h"

#define FIRST_LINE_1 "hawser-state 1\n"
#define FIRST_LINE_2 "hawser-state 2\n"
#define FLOOR "timestamp-floor-ns "
#define CHECK "check "

/* Where a parser stands. All that follows `at` is within the text, which ends with a zero. */
struct reader {
	const char *at;
	bool good;
};

uint64_t hw_state_check(const char *text, size_t len)
{
	static const struct hw_siphash_key zeros = {0, 0};

	return hw_siphash(&zeros, text, len);
}

static bool accept(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

static void expect(struct reader *r, const char *word)
{
	r->good = accept(r, word) && r->good;
}

static uint64_t number(struct reader *r)
{
	uint64_t value = 0;

	if (*r->at < '0' || *r->at > '9')
		r->good = false;
	for (; *r->at >= '0' && *r->at <= '9'; r->at++) {
		unsigned digit = (unsigned)(*r->at - '0');

		if (value > (UINT64_MAX - digit) / 10) {
			r->good = false;
			return 0;
		}
		value = value * 10 + digit;
	}
	return value;
}

static uint32_t small_number(struct reader *r)
{
	uint64_t value = number(r);

	if (value > UINT32_MAX)
		r->good = false;
	return (uint32_t)value;
}

static hw_quota_day day(struct reader *r)
{
	bool negative = accept(r, "-");
	uint64_t value = number(r);

	if (value > INT32_MAX)
		r->good = false;
	return negative ? -(hw_quota_day)(value & INT32_MAX) : (hw_quota_day)(value & INT32_MAX);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static void name(struct reader *r, char ret_name[HW_STATE_NAME_BYTES])
{
	size_t len = 0;

	while (is_plain(*r->at) || *r->at == '%') {
		int byte = (unsigned char)*r->at++;

		if (byte == '%') {
			int high = hex_digit(r->at[0]), low = high < 0 ? -1 : hex_digit(r->at[1]);

			byte = low < 0 ? 0 : high << 4 | low;
			r->at += low < 0 ? 0 : 2;
		}
		if (byte == 0 || len + 1 == HW_STATE_NAME_BYTES) {
			r->good = false;
			return;
		}
		ret_name[len++] = (char)byte;
	}
	ret_name[len] = '\0';
	r->good = r->good && len > 0;
}

static void read_quota(struct reader *r, struct hw_quota *quota)
{
	if (accept(r, "month "))
		quota->per = HW_QUOTA_PER_MONTH;
	else
		expect(r, "day ");
	quota->first_day = small_number(r);
	expect(r, " last ");
	quota->last = day(r);
	expect(r, " ");
	quota->last_next = day(r);
	expect(r, " behind-s ");
	quota->behind_s = number(r);
	expect(r, " active ");
	quota->active = small_number(r);
	expect(r, " marks");
	while (r->good && accept(r, " ")) {
		struct hw_quota_mark *mark = &quota->marks[quota->mark_count];

		if (quota->mark_count == HW_QUOTA_MARKS) {
			r->good = false;
			return;
		}
		mark->first = day(r);
		expect(r, ":");
		mark->total = number(r);
		quota->mark_count++;
	}
	expect(r, "\n");
	r->good = r->good && quota->mark_count > 0;
}

static void read_link(struct reader *r, struct hw_state *state)
{
	struct hw_state_link *link = &state->links[state->link_count];

	if (state->link_count == HW_STATE_LINKS) {
		r->good = false;
		return;
	}
	name(r, link->name);
	for (uint32_t i = 0; i < state->link_count; i++)
		r->good = r->good && strcmp(state->links[i].name, link->name) != 0;
	expect(r, " since-s ");
	link->since_s = number(r);
	expect(r, " seen-s ");
	link->seen_s = number(r);
	expect(r, " tx-bytes ");
	link->tx_bytes = number(r);
	expect(r, " tx-packets ");
	link->tx_packets = number(r);
	expect(r, " rx-bytes ");
	link->rx_bytes = number(r);
	expect(r, " rx-packets ");
	link->rx_packets = number(r);
	expect(r, "\n");
	if (r->good && accept(r, "quota "))
		read_quota(r, &link->quota);
	r->good = r->good && link->tx_bytes <= UINT64_MAX - link->rx_bytes &&
		  hw_quota_is_sound(&link->quota, hw_state_link_bytes(link));
	state->link_count++;
}

int hw_state_parse(const char *text, size_t len, struct hw_state *ret_state)
{
	struct hw_state state = {0};
	char copy[HW_STATE_MAX_BYTES + 1]; /* ends with a zero */
	struct reader r = {copy, true};
	char check[32];
	bool first;

	if (len > HW_STATE_MAX_BYTES || memchr(text, '\0', len) != NULL)
		return HW_E_MALFORMED;
	memcpy(copy, text, len);
	copy[len] = '\0';
	first = accept(&r, FIRST_LINE_1);
	if (!first)
		expect(&r, FIRST_LINE_2);
	expect(&r, FLOOR);
	state.timestamp_floor_ns = number(&r);
	/* A file that was cut short could still hold a number: a smaller one. */
	expect(&r, "\n");
	while (r.good && !first && accept(&r, "link "))
		read_link(&r, &state);
	if (!r.good)
		return HW_E_MALFORMED;
	if (!first) {
		(void)snprintf(check, sizeof(check), CHECK "%016" PRIx64 "\n",
			       hw_state_check(copy, (size_t)(r.at - copy)));
		expect(&r, check);
	}
	if (!r.good || *r.at != '\0')
		return HW_E_MALFORMED;
	*ret_state = state;
	return 0;
}

struct writer {
	char *text;
	size_t len;
};

HW_PRINTF(2, 3)
static void put(struct writer *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->len, HW_STATE_MAX_BYTES - w->len, format, args);
	va_end(args);
	/* The largest state fits (tests/unit/test_state.c); a cut one would fail its check. */
	if (n > 0 && (size_t)n < HW_STATE_MAX_BYTES - w->len)
		w->len += (size_t)n;
}

static void put_name(struct writer *w, const char *text)
{
	for (; *text != '\0'; text++)
		put(w, is_plain(*text) ? "%c" : "%%%02x", (unsigned char)*text);
}

static void put_link(struct writer *w, const struct hw_state_link *link)
{
	const struct hw_quota *quota = &link->quota;

	put(w, "link ");
	put_name(w, link->name);
	put(w, " since-s %" PRIu64 " seen-s %" PRIu64 " tx-bytes %" PRIu64 " tx-packets %" PRIu64
	    " rx-bytes %" PRIu64 " rx-packets %" PRIu64 "\n",
	    link->since_s, link->seen_s, link->tx_bytes, link->tx_packets, link->rx_bytes,
	    link->rx_packets);
	if (quota->mark_count == 0)
		return;
	put(w, "quota %s %" PRIu32 " last %" PRId32 " %" PRId32 " behind-s %" PRIu64
	    " active %" PRIu32 " marks", quota->per == HW_QUOTA_PER_MONTH ? "month" : "day",
	    quota->first_day, quota->last, quota->last_next, quota->behind_s, quota->active);
	for (uint32_t i = 0; i < quota->mark_count; i++)
		put(w, " %" PRId32 ":%" PRIu64, quota->marks[i].first, quota->marks[i].total);
	put(w, "\n");
}

size_t hw_state_format(const struct hw_state *state, char ret_text[HW_STATE_MAX_BYTES])
{
	struct writer w = {ret_text, 0};

	put(&w, FIRST_LINE_2 FLOOR "%" PRIu64 "\n", state->timestamp_floor_ns);
	for (uint32_t i = 0; i < state->link_count; i++)
		put_link(&w, &state->links[i]);
	put(&w, CHECK "%016" PRIx64 "\n", hw_state_check(ret_text, w.len));
	return w.len;
}
