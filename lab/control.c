#include "lab/control.h"

#include <errno.h>
#include <string.h>

#include "lab/params.h"

#define MAX_WORDS 48u

static bool fail(FILE *out, const char *why, const char *what)
{
	fprintf(out, "error: %s%s%s\n", why, what ? ": " : "", what ? what : "");
	return false;
}

static bool ok(FILE *out)
{
	fprintf(out, "ok\n");
	return true;
}

/* Splits NAME.SUFFIX at its dot; the suffix is "" without one. */
static struct hw_lab_link *split(struct hw_lab *lab, char *name, const char **ret_suffix)
{
	char *dot = strchr(name, '.');

	*ret_suffix = dot ? dot + 1 : "";
	if (dot)
		*dot = 0;
	return hw_lab_find(lab, name);
}

/* Applies words to a copy first: a line is carried out as a whole or not at all. */
static bool apply(struct hw_lab *lab, struct hw_lab_link *link, unsigned direction, char **words,
		  unsigned count, bool commit, FILE *out)
{
	struct hw_lab_params params = link->directions[direction].params;
	hw_time now = hw_lab_now();

	params.recordings = &lab->recordings;
	params.age = now - lab->start;

	for (unsigned i = 0; i < count;) {
		unsigned taken = hw_lab_params_words(words[i]);

		if (taken == 0)
			return fail(out, "no such parameter", words[i]);
		if (taken == 2 && i + 1 == count)
			return fail(out, "a value is missing", words[i]);
		if (hw_lab_params_set(&params, words[i], words[i + 1]) != 0)
			return fail(out, "that value makes no sense", words[i]);
		i += taken;
	}
	if (commit && hw_lab_change(link, direction, now, &params) != 0)
		return fail(out, "the link refuses these parameters", NULL);
	return true;
}

static bool set_link(struct hw_lab *lab, struct hw_lab_link *link, const char *suffix, char **words,
		     unsigned count, FILE *out)
{
	unsigned first = strcmp(suffix, "ba") == 0 ? 1 : 0;
	unsigned last = strcmp(suffix, "ab") == 0 ? 0 : 1;

	if (*suffix && strcmp(suffix, "ab") != 0 && strcmp(suffix, "ba") != 0)
		return fail(out, "a direction is ab or ba", suffix);
	if (count == 0)
		return fail(out, "no parameter given", NULL);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned d = first; d <= last; d++) {
			if (!apply(lab, link, d, words, count, pass == 1, out))
				return false;
		}
	}
	return ok(out);
}

static bool set(struct hw_lab *lab, char **words, unsigned count, FILE *out)
{
	const char *suffix;
	struct hw_lab_link *link = split(lab, words[0], &suffix);

	if (!link)
		return fail(out, "no such link or command", words[0]);
	return set_link(lab, link, suffix, words + 1, count - 1, out);
}

static bool add(struct hw_lab *lab, char **words, unsigned count, FILE *out)
{
	int rc;

	if (count < 6)
		return fail(out, "usage: link NAME NETNS DEVICE NETNS DEVICE [PARAMETER...]", NULL);
	rc = hw_lab_add(lab, words[1], (const char *const[]){words[2], words[4]},
			(const char *const[]){words[3], words[5]}, hw_lab_now());
	if (rc == HW_E_SYSTEM)
		return fail(out, "cannot make a device", strerror(errno));
	if (rc != 0)
		return fail(out, hw_strerror(rc), words[1]);
	if (count == 6)
		return ok(out);
	if (set_link(lab, &lab->links[lab->link_count - 1], "", words + 6, count - 6, out))
		return true;
	hw_lab_remove_last(lab);
	return false;
}

static bool attach(struct hw_lab *lab, char **words, unsigned count, FILE *out)
{
	const char *suffix = "";
	struct hw_lab_link *link = count == 2 ? split(lab, words[1], &suffix) : NULL;

	if (!link || (strcmp(suffix, "a") != 0 && strcmp(suffix, "b") != 0))
		return fail(out, "usage: attach NAME.a or NAME.b", NULL);
	if (hw_lab_attach(lab, link, suffix[0] == 'b') != 0)
		return fail(out, "cannot make the device", strerror(errno));
	return ok(out);
}

bool hw_lab_command(struct hw_lab *lab, char *line, FILE *out)
{
	char *words[MAX_WORDS + 1];
	char *rest = NULL;
	unsigned count = 0;

	for (char *w = strtok_r(line, " \t\r\n", &rest); w; w = strtok_r(NULL, " \t\r\n", &rest)) {
		if (count == MAX_WORDS)
			return fail(out, "too many words", NULL);
		words[count++] = w;
	}
	words[count] = NULL;
	if (count == 0 || words[0][0] == '#')
		return ok(out);
	if (strcmp(words[0], "stats") == 0) {
		hw_lab_print_stats(lab, out);
		fprintf(out, "\n");
		return true;
	}
	if (strcmp(words[0], "reset") == 0) {
		hw_lab_reset_lateness(lab);
		return ok(out);
	}
	if (strcmp(words[0], "link") == 0)
		return add(lab, words, count, out);
	if (strcmp(words[0], "attach") == 0)
		return attach(lab, words, count, out);
	if (strcmp(words[0], "set") == 0 && count > 1)
		return set(lab, words + 1, count - 1, out);
	return set(lab, words, count, out);
}
