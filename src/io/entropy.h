/* Randomness for keys, from the kernel: getrandom(2). */
#ifndef HW_IO_ENTROPY_H
#define HW_IO_ENTROPY_H

#include <stddef.h>

/*
 * Fill out with len unpredictable bytes. Has the shape of hw_core_env.random; ctx is not used.
 * Waits for the kernel's generator to be seeded at boot; a kernel that cannot give any ends the
 * program, because nothing safe can be done without.
 */
void hw_entropy_fill(void *ctx, void *out, size_t len);

#endif
