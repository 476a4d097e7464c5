#include "sim/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (UINT32_C(64) << 20)

int hw_trace_read_file(const char *path, char **ret_text, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t len = 0, room = 0, n;
	int r = HW_E_SYSTEM;

	if (file == NULL)
		return r;
	do {
		if (room - len < 65536) {
			char *grown = realloc(text, room = 2 * room + 65536);

			if (grown == NULL) {
				r = HW_E_NOMEM;
				goto out;
			}
			text = grown;
		}
		n = fread(text + len, 1, room - len, file);
		len += n;
		if (len > MAX_FILE_BYTES) {
			r = HW_E_LIMIT;
			goto out;
		}
	} while (n > 0);
	r = ferror(file) ? HW_E_SYSTEM : 0;
out:
	fclose(file);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static int find_file(char (*files)[HW_TRACE_PATH_BYTES], uint32_t count, const char *path)
{
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(files[i], path) == 0)
			return (int)i;
	}
	return -1;
}

/* The file's text, where there is room for one more. */
static int load(uint32_t count, const char *path, char **ret_text, size_t *ret_len)
{
	if (count == HW_TRACE_STORE_MAX || strlen(path) >= HW_TRACE_PATH_BYTES)
		return HW_E_LIMIT;
	return hw_trace_read_file(path, ret_text, ret_len);
}

int hw_trace_store_capacity(struct hw_trace_store *store, const char *path,
			    const struct hw_capacity_trace **ret_trace, size_t *ret_line)
{
	int known = find_file(store->capacity_files, store->capacity_count, path), r;
	uint32_t i = store->capacity_count;
	char *text;
	size_t len;

	if (known >= 0) {
		*ret_trace = &store->capacities[known];
		return 0;
	}
	r = load(i, path, &text, &len);
	if (r < 0)
		return r;
	r = hw_capacity_trace_parse(text, len, &store->capacities[i], ret_line);
	free(text);
	if (r < 0)
		return r;
	memcpy(store->capacity_files[i], path, strlen(path) + 1);
	store->capacity_count++;
	*ret_trace = &store->capacities[i];
	return 0;
}

int hw_trace_store_loss(struct hw_trace_store *store, const char *path,
			const struct hw_loss_trace **ret_trace, size_t *ret_line)
{
	int known = find_file(store->loss_files, store->loss_count, path), r;
	uint32_t i = store->loss_count;
	char *text;
	size_t len;

	if (known >= 0) {
		*ret_trace = &store->losses[known];
		return 0;
	}
	r = load(i, path, &text, &len);
	if (r < 0)
		return r;
	r = hw_loss_trace_parse(text, len, HW_TRACE_SLOT_NS, &store->losses[i], ret_line);
	free(text);
	if (r < 0)
		return r;
	memcpy(store->loss_files[i], path, strlen(path) + 1);
	store->loss_count++;
	*ret_trace = &store->losses[i];
	return 0;
}

void hw_trace_store_fini(struct hw_trace_store *store)
{
	for (uint32_t i = 0; i < store->capacity_count; i++)
		hw_capacity_trace_fini(&store->capacities[i]);
	for (uint32_t i = 0; i < store->loss_count; i++)
		hw_loss_trace_fini(&store->losses[i]);
	*store = (struct hw_trace_store){ 0 };
}
