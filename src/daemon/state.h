/*
 * What must survive a restart:
 *
 *   - the floor of the handshake's timestamps, so that a clock that was set back cannot lock this
 *     node out of its peer (docs/wire.md, "Timestamp");
 *   - what each link has carried, and what of its quota that has used.
 *
 * The file is text, one line each; NAME is escaped (%HH) but for letters, digits, '-', '_', '.':
 *
 *     hawser-state 2
 *     timestamp-floor-ns N
 *     link NAME since-s N seen-s N tx-bytes N tx-packets N rx-bytes N rx-packets N
 *     quota day|month FIRST-DAY last DAY DAY behind-s N active N marks DAY:N ...
 *     check HEX
 *
 * A "quota" line belongs to the "link" line before it; days are numbers of days since 1970, local
 * calendar (daemon/quota.h). "check" is SipHash-2-4 with a key of zeros over all that stands before
 * it: a file that is cut short or has a bit wrong is known to be damaged. Format 1, of earlier
 * versions, had the first two lines alone and is read too.
 *
 * It is written to a temporary file beside it, synced and renamed, and its predecessor is kept as
 * "PATH.old": after a crash at any moment one of the two is whole.
 */
#ifndef HW_DAEMON_STATE_H
#define HW_DAEMON_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "daemon/quota.h"

#define HW_STATE_DIR "/var/lib/hawser"
#define HW_STATE_LINKS 64u /* remembered, those that are gone included */
#define HW_STATE_NAME_BYTES 64u
#define HW_STATE_MAX_BYTES 65536u /* of the file */

/* One link, by its name. */
struct hw_state_link {
	char name[HW_STATE_NAME_BYTES];
	uint64_t since_s; /* wall clock, when it was first counted */
	uint64_t seen_s;  /* wall clock, when it was last used or looked at */
	uint64_t tx_bytes, tx_packets;
	uint64_t rx_bytes, rx_packets;
	struct hw_quota quota; /* mark_count 0: none yet */
};

struct hw_state {
	uint64_t timestamp_floor_ns;
	struct hw_state_link links[HW_STATE_LINKS];
	uint32_t link_count;
};

/*
 * The place of the link of that name; a new one where there is none. When all places are taken, the
 * link that was seen longest ago is forgotten, but never one of those in `keep` (a bit for each
 * place). Gives its place; a name that is too long is cut.
 */
uint32_t hw_state_link(struct hw_state *state, const char *name, uint64_t keep, uint64_t wall_s);

static inline uint64_t hw_state_link_bytes(const struct hw_state_link *link)
{
	return link->tx_bytes + link->rx_bytes;
}

/*
 * Read PATH, or PATH.old where that is missing or damaged. Gives 0, or what was wrong with PATH:
 * HW_E_NOT_FOUND: there is none yet; HW_E_MALFORMED: not such a file; HW_E_SYSTEM (errno). With any
 * of them `ret_old` says whether PATH.old has been read in its place; if not, *ret_state is
 * untouched.
 */
HW_MUST_USE int hw_state_load(const char *path, struct hw_state *ret_state, bool *ret_old);

/* HW_E_INVAL: path too long; HW_E_SYSTEM (errno). May take as long as the disk takes. */
HW_MUST_USE int hw_state_save(const char *path, const struct hw_state *state);

/* The text of a file; HW_E_MALFORMED, then *ret_state is untouched. */
HW_MUST_USE int hw_state_parse(const char *text, size_t len, struct hw_state *ret_state);

/* Writes the text and a final zero; gives its length. */
size_t hw_state_format(const struct hw_state *state, char ret_text[HW_STATE_MAX_BYTES]);

/* The check of so much text. */
uint64_t hw_state_check(const char *text, size_t len);

#endif
