#include "base/addr.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

bool hw_addr_equal(const struct hw_addr *a, const struct hw_addr *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool hw_tuple_equal(const struct hw_tuple *a, const struct hw_tuple *b)
{
	return a->link == b->link && hw_addr_equal(&a->remote, &b->remote) &&
	       hw_addr_equal(&a->local, &b->local);
}

/* The longest run of two or more zero groups, as RFC 5952 section 4.2 shortens it. */
static void longest_zero_run(const uint8_t ip[16], int *ret_first, int *ret_len)
{
	int first = -1, len = 0;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && hw_load16(ip + 2 * (i + n)) == 0)
			n++;
		if (n >= 2 && n > len) {
			first = i;
			len = n;
		}
	}
	*ret_first = first;
	*ret_len = len;
}

static size_t format_ipv6(const uint8_t ip[16], char *out, size_t room)
{
	int first, len;
	size_t at = 0;

	longest_zero_run(ip, &first, &len);
	for (int i = 0; i < 8; i++) {
		if (i == first) {
			at += (size_t)snprintf(out + at, room - at, "::");
			i += len - 1;
			continue;
		}
		bool colon = i > 0 && i != first + len;

		if (first < 0)
			colon = i > 0;
		at += (size_t)snprintf(out + at, room - at, "%s%x", colon ? ":" : "", hw_load16(ip + 2 * i));
	}
	return at;
}

void hw_addr_format(const struct hw_addr *addr, char out[HW_ADDR_TEXT_BYTES])
{
	const size_t room = HW_ADDR_TEXT_BYTES;
	size_t at = 0;

	if (addr->family == HW_FAMILY_IPV4) {
		at = (size_t)snprintf(out, room, "%u.%u.%u.%u", addr->ip[0], addr->ip[1], addr->ip[2],
				      addr->ip[3]);
	} else if (addr->family == HW_FAMILY_IPV6) {
		if (addr->port != 0)
			out[at++] = '[';
		at += format_ipv6(addr->ip, out + at, room - at);
		if (addr->scope != 0)
			at += (size_t)snprintf(out + at, room - at, "%%%u", addr->scope);
		if (addr->port != 0)
			out[at++] = ']';
		out[at] = '\0';
	} else {
		snprintf(out, room, "-");
		return;
	}
	if (addr->port != 0)
		snprintf(out + at, room - at, ":%u", addr->port);
}
