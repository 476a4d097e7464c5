/*
 * Single values of the configuration as text: numbers, durations, addresses, endpoints, names.
 * Each returns 0, or HW_E_MALFORMED when the text is not of its kind; nothing around the value is
 * allowed, not even a blank. A number that does not fit is HW_E_LIMIT.
 */
#ifndef HW_CONFIG_VALUE_H
#define HW_CONFIG_VALUE_H

#include "base/addr.h"
#include "base/error.h"
#include "base/time.h"
#include "config/config.h"

/* Decimal digits alone: "1500". */
HW_MUST_USE int hw_value_u64(const char *text, uint64_t *ret_value);

/* A whole number with its unit, us, ms, s, m or h: "200ms". */
HW_MUST_USE int hw_value_duration(const char *text, hw_time *ret_value);

/*
 * An amount of data with its unit: B; kB, MB, GB, TB (powers of 1000; KB is taken too); KiB, MiB,
 * GiB, TiB (powers of 1024). At most three places after a point: "1.5GB". HW_E_LIMIT: more than
 * HW_VALUE_BYTES_MAX, or no whole number of bytes.
 */
#define HW_VALUE_BYTES_MAX UINT64_C(1000000000000000000)
HW_MUST_USE int hw_value_bytes(const char *text, uint64_t *ret_bytes);

/* The amount for people, three digits and a decimal unit: "53.7 GB", "999 B". Gives ret_text. */
#define HW_VALUE_BYTES_TEXT 16u
const char *hw_value_bytes_text(uint64_t bytes, char ret_text[HW_VALUE_BYTES_TEXT]);

/* A whole percentage: "80%". */
HW_MUST_USE int hw_value_percent(const char *text, uint64_t *ret_percent);

/* on, yes, true; off, no, false; as YAML 1.1 has it, in lower case. */
HW_MUST_USE int hw_value_bool(const char *text, bool *ret_value);

/* "192.0.2.1" or "2001:db8::1", without port, zone or brackets. */
HW_MUST_USE int hw_value_addr(const char *text, struct hw_addr *ret_addr);

/* "10.88.0.2/24": a host address with the length of its network. */
HW_MUST_USE int hw_value_prefix(const char *text, struct hw_config_prefix *ret_prefix);

/* 1 to 65535. HW_E_LIMIT for other numbers. */
HW_MUST_USE int hw_value_port(const char *text, uint16_t *ret_port);

/*
 * "host.example:8420", "192.0.2.1:8420", "[2001:db8::1]:8420", "[fe80::1%eth0]:8420". HW_E_LIMIT
 * for a bad port, HW_E_NOT_FOUND for none, HW_E_INVAL for IPv6 without its brackets.
 */
HW_MUST_USE int hw_value_endpoint(const char *text, struct hw_config_endpoint *ret_endpoint);

/* What the kernel takes for an interface name: 1 to 15 bytes, no blank, '/', ':'. HW_E_LIMIT:
 * longer. */
HW_MUST_USE int hw_value_interface(const char *text, char ret_name[HW_CONFIG_DEVICE_BYTES]);

/* Whether it stands for several names: it has '*', '?' or '['. */
bool hw_value_is_pattern(const char *text);

/* The name of an interface, or a pattern (glob(7)) for such names; every '[' needs its ']'. */
HW_MUST_USE int hw_value_pattern(const char *text, char ret_pattern[HW_CONFIG_DEVICE_BYTES]);

/* Whether the name is that one, or one that the pattern stands for. */
bool hw_value_matches(const char *pattern, const char *name);

/* A name of the user's own: 1 to 63 letters, digits, '-', '_', '.'. HW_E_LIMIT: longer. */
HW_MUST_USE int hw_value_name(const char *text, char ret_name[HW_CORE_NAME_BYTES]);

#endif
