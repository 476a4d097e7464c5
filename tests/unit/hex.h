/* Published vectors are text: hexadecimal, as their sources print them. */
#ifndef HW_TESTS_UNIT_HEX_H
#define HW_TESTS_UNIT_HEX_H

#include "test.h"

static inline unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	assert_in_range(c, 'a', 'f');
	return (unsigned)(c - 'a') + 10;
}

/* Fails the test unless the text is whole bytes and fits; gives their number. */
static inline size_t from_hex(const char *text, uint8_t *out, size_t room)
{
	size_t len = strlen(text) / 2;

	assert_int_equal(strlen(text) % 2, 0);
	assert_true(len <= room);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return len;
}

#endif
