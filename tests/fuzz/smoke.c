/*
 * Runs a fuzz target without a fuzzer: every file of its corpus, then seeded random mutations of
 * each, then bytes out of nowhere. Speaks TAP. A target fails by aborting, so a case that was begun
 * and has no result is the one at fault.
 *
 *     fuzz_NAME CORPUS-FOLDER [MUTATIONS-OF-EACH-FILE [SEED]]
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define FILES_MAX 512u
#define INPUT_MAX 65536u
#define MUTATIONS_DEFAULT 400u
#define SEED_DEFAULT 20110611u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	char *name;
	uint8_t *data;
	size_t size;
};

/* An exact copy on the heap, so that a sanitizer sees the first byte read beyond it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static size_t mutate_once(struct hw_rng *rng, uint8_t *data, size_t size, const struct input *other)
{
	static const uint8_t edges[] = { 0x00, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xfe, 0xff };
	size_t at = size > 0 ? hw_rng_below(rng, size) : 0;
	size_t n = 1 + hw_rng_below(rng, 16);

	switch (hw_rng_below(rng, 7)) {
	case 0: /* flip a bit */
		if (size > 0)
			data[at] ^= (uint8_t)(1u << hw_rng_below(rng, 8));
		break;
	case 1: /* a byte on the edge of something */
		if (size > 0)
			data[at] = edges[hw_rng_below(rng, sizeof(edges))];
		break;
	case 2: /* any byte */
		if (size > 0)
			data[at] = (uint8_t)hw_rng_u64(rng);
		break;
	case 3: /* end early */
		size = at;
		break;
	case 4: /* cut some out */
		n = n < size - at ? n : size - at;
		memmove(data + at, data + at + n, size - at - n);
		size -= n;
		break;
	case 5: /* repeat some */
		n = n < size - at ? n : size - at;
		if (size + n <= INPUT_MAX) {
			memmove(data + at + n, data + at, size - at);
			size += n;
		}
		break;
	default: /* go on as another file does */
		n = other->size < INPUT_MAX - at ? other->size : INPUT_MAX - at;
		if (n > at) {
			memcpy(data + at, other->data + at, n - at);
			size = n;
		}
	}
	return size;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

static void read_file(const char *folder, const char *name, struct input *input)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (f == NULL) {
		printf("Bail out! cannot open %s\n", path);
		exit(1);
	}
	input->name = strdup(name);
	input->data = malloc(INPUT_MAX);
	if (input->name == NULL || input->data == NULL)
		abort();
	input->size = fread(input->data, 1, INPUT_MAX, f);
	fclose(f);
}

static size_t read_corpus(const char *folder, struct input inputs[FILES_MAX])
{
	size_t count = 0;
	DIR *dir = opendir(folder);

	if (dir == NULL) {
		printf("Bail out! cannot open %s\n", folder);
		exit(1);
	}
	for (struct dirent *e = readdir(dir); e != NULL && count < FILES_MAX; e = readdir(dir))
		if (e->d_name[0] != '.')
			read_file(folder, e->d_name, &inputs[count++]);
	closedir(dir);
	if (count == 0) {
		printf("Bail out! %s is empty\n", folder);
		exit(1);
	}
	/* The order of a folder is not ours; the seed must mean the same everywhere. */
	qsort(inputs, count, sizeof(inputs[0]), by_name);
	return count;
}

int main(int argc, char **argv)
{
	static struct input inputs[FILES_MAX];
	static uint8_t data[INPUT_MAX];

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER [MUTATIONS [SEED]]\n", argv[0]);
		return 2;
	}

	unsigned long mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : MUTATIONS_DEFAULT;
	unsigned long seed = argc > 3 ? strtoul(argv[3], NULL, 10) : SEED_DEFAULT;
	size_t count = read_corpus(argv[1], inputs);
	unsigned number = 0;
	struct hw_rng rng;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n# seed %lu, %lu mutations of each\n", 2 * count + 1, seed, mutations);
	for (size_t i = 0; i < count; i++) {
		run(inputs[i].data, inputs[i].size);
		printf("ok %u - %s\n", ++number, inputs[i].name);
	}
	for (size_t i = 0; i < count; i++) {
		hw_rng_init(&rng, seed + i);
		for (unsigned long m = 0; m < mutations; m++) {
			size_t size = inputs[i].size;
			uint64_t steps = 1 + hw_rng_below(&rng, 8);

			memcpy(data, inputs[i].data, size);
			while (steps-- > 0)
				size = mutate_once(&rng, data, size,
						   &inputs[hw_rng_below(&rng, count)]);
			run(data, size);
		}
		printf("ok %u - %s mutated\n", ++number, inputs[i].name);
	}
	hw_rng_init(&rng, seed + count);
	for (unsigned long m = 0; m < mutations; m++) {
		size_t size = hw_rng_below(&rng, 2048);

		hw_rng_fill(&rng, data, size);
		run(data, size);
	}
	printf("ok %u - random bytes\n", ++number);
	for (size_t i = 0; i < count; i++) {
		free(inputs[i].name);
		free(inputs[i].data);
	}
	return 0;
}
