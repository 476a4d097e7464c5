#include "base/bytes.h"

#include <string.h>

bool hw_bytes_equal_ct(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= x[i] ^ y[i];
	return differ == 0;
}

void hw_bytes_wipe(void *p, size_t len)
{
	memset(p, 0, len);
	/* The barrier makes the zeroed memory observable, so the store stays. */
	__asm__ __volatile__("" : : "r"(p) : "memory");
}
