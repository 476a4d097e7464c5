#include <string.h>

#include "config/config.h"

#define LONGEST_WORD 48u

/*
 * Edits (insert, delete, replace, swap of neighbours) that turn a into b: the restricted
 * Damerau-Levenshtein distance, three rows at a time. Longer words than LONGEST_WORD count as far.
 */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][LONGEST_WORD + 1];

	if (a_len > LONGEST_WORD || b_len > LONGEST_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		const size_t *above = rows[(i - 1) % 3];
		const size_t *above2 = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[a_len % 3][b_len];
}

const char *hw_config_nearest(const char *word, const char *const *known, size_t count)
{
	const char *nearest = NULL;
	size_t word_len = strlen(word);
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		size_t known_len = strlen(known[i]);
		size_t longer = known_len > word_len ? known_len : word_len;
		size_t edits = distance(word, word_len, known[i], known_len);

		/* Two edits are a slip in a word of four letters, too: "dveice", "tpye". */
		if (edits < least && edits <= (longer < 6 ? 2 : longer / 3) && edits < longer) {
			least = edits;
			nearest = known[i];
		}
	}
	return nearest;
}
