/* Unpredictable bytes for new keys. */
#ifndef HW_CLI_RANDOM_H
#define HW_CLI_RANDOM_H

#include <stddef.h>

#include "base/error.h"

/* From the kernel, which has been seeded by the time this returns. HW_E_SYSTEM. */
HW_MUST_USE int hw_cli_random(void *out, size_t len);

#endif
