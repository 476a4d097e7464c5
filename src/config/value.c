#include "config/value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "config/report.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

int hw_value_u64(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0' || text[strspn(text, DIGITS)] != '\0')
		return HW_E_MALFORMED;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return HW_E_LIMIT;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return 0;
}

int hw_value_duration(const char *text, hw_time *ret_value)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{ "us", HW_NS_PER_US },    { "ms", HW_NS_PER_MS },      { "s", HW_NS_PER_S },
		{ "m", 60 * HW_NS_PER_S }, { "h", 3600 * HW_NS_PER_S },
	};
	char digits[24];
	size_t len = strspn(text, DIGITS);
	uint64_t value;

	if (len == 0 || text[len] == '\0')
		return HW_E_MALFORMED;
	if (len >= sizeof(digits))
		return HW_E_LIMIT;
	memcpy(digits, text, len);
	digits[len] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text + len, units[i].unit) != 0)
			continue;
		if (hw_value_u64(digits, &value) != 0 || value > UINT64_MAX / units[i].ns)
			return HW_E_LIMIT;
		*ret_value = value * units[i].ns;
		return 0;
	}
	return HW_E_MALFORMED;
}

/* 1, 1000 or 1024 to the power of the prefix; 0: no such unit. */
static uint64_t unit_bytes(const char *unit)
{
	static const char prefixes[] = "kMGT";
	const char *prefix = *unit == 'K' ? prefixes : strchr(prefixes, *unit);
	uint64_t step = 1000, bytes = 1;

	if (strcmp(unit, "B") == 0)
		return 1;
	if (*unit == '\0' || prefix == NULL)
		return 0;
	if (strcmp(unit + 1, "iB") == 0 && *unit != 'k')
		step = 1024;
	else if (strcmp(unit + 1, "B") != 0)
		return 0;
	for (const char *p = prefixes; p <= prefix; p++)
		bytes *= step;
	return bytes;
}

int hw_value_bytes(const char *text, uint64_t *ret_bytes)
{
	uint64_t value = 0, scale = 1, unit;
	size_t whole = strspn(text, DIGITS), places = 0;
	const char *rest = text + whole;

	if (*rest == '.')
		places = strspn(rest + 1, DIGITS);
	if (whole == 0 || (*rest == '.' && places == 0))
		return HW_E_MALFORMED;
	unit = unit_bytes(rest + (places > 0 ? places + 1 : 0));
	if (unit == 0)
		return HW_E_MALFORMED;
	if (whole + places > 18 || places > 3)
		return HW_E_LIMIT;
	for (const char *p = text; p < rest + (places > 0 ? places + 1 : 0); p++)
		if (*p != '.')
			value = value * 10 + (uint64_t)(*p - '0');
	for (size_t i = 0; i < places; i++)
		scale *= 10;
	if (value > HW_VALUE_BYTES_MAX || value / scale > HW_VALUE_BYTES_MAX / unit)
		return HW_E_LIMIT;
	/* value / scale * unit, without what a product of all digits would overflow by. */
	if (value % scale * unit % scale != 0)
		return HW_E_LIMIT;
	value = value / scale * unit + value % scale * unit / scale;
	if (value > HW_VALUE_BYTES_MAX)
		return HW_E_LIMIT;
	*ret_bytes = value;
	return 0;
}

const char *hw_value_bytes_text(uint64_t bytes, char ret_text[HW_VALUE_BYTES_TEXT])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1000;
	snprintf(ret_text, HW_VALUE_BYTES_TEXT, "%.*f %s",
		 unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value, units[unit]);
	return ret_text;
}

int hw_value_percent(const char *text, uint64_t *ret_percent)
{
	char digits[24];
	size_t len = strspn(text, DIGITS);

	if (len == 0 || strcmp(text + len, "%") != 0)
		return HW_E_MALFORMED;
	if (len >= sizeof(digits))
		return HW_E_LIMIT;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return hw_value_u64(digits, ret_percent);
}

int hw_value_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = { "off", "on", "no", "yes", "false", "true" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = i % 2 == 1;
			return 0;
		}
	}
	return HW_E_MALFORMED;
}

int hw_value_addr(const char *text, struct hw_addr *ret_addr)
{
	struct hw_addr addr = { 0 };

	if (inet_pton(AF_INET, text, addr.ip) == 1)
		addr.family = HW_FAMILY_IPV4;
	else if (inet_pton(AF_INET6, text, addr.ip) == 1)
		addr.family = HW_FAMILY_IPV6;
	else
		return HW_E_MALFORMED;
	*ret_addr = addr;
	return 0;
}

int hw_value_prefix(const char *text, struct hw_config_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	struct hw_config_prefix prefix = { 0 };
	char addr[64];
	uint64_t bits;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(addr))
		return HW_E_MALFORMED;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (hw_value_addr(addr, &prefix.addr) != 0 || hw_value_u64(slash + 1, &bits) != 0)
		return HW_E_MALFORMED;
	if (bits == 0 || bits > (prefix.addr.family == HW_FAMILY_IPV4 ? 32u : 128u))
		return HW_E_LIMIT;
	prefix.bits = (uint8_t)bits;
	*ret_prefix = prefix;
	return 0;
}

int hw_value_port(const char *text, uint16_t *ret_port)
{
	uint64_t port;
	int rc = hw_value_u64(text, &port);

	if (rc != 0)
		return rc;
	if (port == 0 || port > 65535)
		return HW_E_LIMIT;
	*ret_port = (uint16_t)port;
	return 0;
}

/* A name of the DNS (RFC 1123, with the underscore that people use anyway). */
static bool is_host_name(const char *host)
{
	size_t label = 0;

	if (host[strspn(host, LETTERS DIGITS "-_.")] != '\0' || *host == '.' || *host == '-')
		return false;
	/* Digits and dots alone can only have been meant as an IPv4 address, and were not one. */
	if (host[strspn(host, DIGITS ".")] == '\0')
		return false;
	for (; *host != '\0'; host++) {
		label = *host == '.' ? 0 : label + 1;
		if (label > 63 || (*host == '.' && host[1] == '.'))
			return false;
	}
	return true;
}

/* The inside of the brackets: an IPv6 address, perhaps with the zone of a link-local one. */
static int bracketed_host(const char *host, struct hw_addr *ret_addr)
{
	char zone[HW_CONFIG_DEVICE_BYTES];
	char addr[64];
	size_t len = strcspn(host, "%");
	struct hw_addr parsed;

	if (len >= sizeof(addr))
		return HW_E_MALFORMED;
	memcpy(addr, host, len);
	addr[len] = '\0';
	if (hw_value_addr(addr, &parsed) != 0 || parsed.family != HW_FAMILY_IPV6)
		return HW_E_MALFORMED;
	if (host[len] == '\0')
		*ret_addr = parsed;
	else if (hw_value_interface(host + len + 1, zone) != 0)
		return HW_E_MALFORMED;
	return 0;
}

int hw_value_endpoint(const char *text, struct hw_config_endpoint *ret_endpoint)
{
	struct hw_config_endpoint e = { 0 };
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t len;
	int rc;

	if (hw_value_addr(text, &e.addr) == 0 && e.addr.family == HW_FAMILY_IPV6)
		return HW_E_INVAL;
	if (colon == NULL || strchr(colon, ']') != NULL)
		return HW_E_NOT_FOUND;
	len = (size_t)(colon - text);
	if (*text == '[' && len >= 2 && colon[-1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return HW_E_INVAL;
	}
	if (len == 0 || len >= sizeof(e.host))
		return HW_E_MALFORMED;
	memcpy(e.host, host, len);
	memset(&e.addr, 0, sizeof(e.addr));
	if (host != text)
		rc = bracketed_host(e.host, &e.addr);
	else
		rc = hw_value_addr(e.host, &e.addr) == 0 || is_host_name(e.host) ? 0
										 : HW_E_MALFORMED;
	if (rc != 0)
		return rc;
	if (hw_value_port(colon + 1, &e.port) != 0)
		return HW_E_LIMIT;
	if (e.addr.family != HW_FAMILY_NONE)
		e.addr.port = e.port;
	*ret_endpoint = e;
	return 0;
}

int hw_value_interface(const char *text, char ret_name[HW_CONFIG_DEVICE_BYTES])
{
	size_t len = strlen(text);

	if (len == 0 || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return HW_E_MALFORMED;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("/:%", text[i]) != NULL)
			return HW_E_MALFORMED;
	if (len >= HW_CONFIG_DEVICE_BYTES)
		return HW_E_LIMIT;
	hw_config_copy(ret_name, HW_CONFIG_DEVICE_BYTES, text);
	return 0;
}

int hw_value_name(const char *text, char ret_name[HW_CORE_NAME_BYTES])
{
	if (*text == '\0' || text[strspn(text, LETTERS DIGITS "-_.")] != '\0')
		return HW_E_MALFORMED;
	if (strlen(text) >= HW_CORE_NAME_BYTES)
		return HW_E_LIMIT;
	hw_config_copy(ret_name, HW_CORE_NAME_BYTES, text);
	return 0;
}
