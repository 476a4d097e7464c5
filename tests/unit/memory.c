#include "memory.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static size_t live, peak;
static uint64_t countdown;
static bool keep_failing, failed;

static bool refuse(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	if (keep_failing)
		countdown = 1;
	failed = true;
	return true;
}

static void *count(void *memory)
{
	if (memory != NULL)
		live += malloc_usable_size(memory);
	if (live > peak)
		peak = live;
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	size_t before = old != NULL ? malloc_usable_size(old) : 0;
	void *memory;

	if (refuse())
		return NULL;
	memory = __real_realloc(old, size);
	if (memory == NULL)
		return NULL;
	live -= before;
	return count(memory);
}

void __wrap_free(void *memory)
{
	if (memory != NULL)
		live -= malloc_usable_size(memory);
	__real_free(memory);
}

static void *ssl_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return __wrap_malloc(size);
}

static void *ssl_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return __wrap_realloc(old, size);
}

static void ssl_free(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	__wrap_free(memory);
}

void memory_init(void)
{
	int done = CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);

	assert(done == 1); /* OpenSSL must not have allocated before */
	(void)done;
}

size_t memory_live_bytes(void)
{
	return live;
}

size_t memory_peak_bytes(void)
{
	return peak;
}

void memory_reset_peak(void)
{
	peak = live;
}

void memory_fail(uint64_t n, bool on)
{
	countdown = n;
	keep_failing = on;
	failed = false;
}

bool memory_failed(void)
{
	return failed;
}
