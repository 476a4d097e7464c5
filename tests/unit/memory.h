/*
 * The heap under a test's eyes: counts what is allocated, and fails on demand. The program links
 * with -Wl,--wrap for malloc, calloc, realloc and free, so that it sees what the core allocates;
 * memory_init does the same for OpenSSL's.
 */
#ifndef HW_TESTS_UNIT_MEMORY_H
#define HW_TESTS_UNIT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First of all in main. */
void memory_init(void);

size_t memory_live_bytes(void);

/* Highest since the last memory_reset_peak. */
size_t memory_peak_bytes(void);
void memory_reset_peak(void);

/* The n-th allocation from now on fails (1: the next); with `on`, all after it too. 0: none fails. */
void memory_fail(uint64_t n, bool on);

/* Whether any failed since memory_fail. */
bool memory_failed(void);

#endif
