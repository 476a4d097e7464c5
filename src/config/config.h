/*
 * The configuration file: what it says, as plain data, and how it is read.
 *
 *     hw_config_load    file -> struct hw_config, key files read and checked too
 *     hw_config_parse   text -> struct hw_config, touching no other file
 *     hw_config_core    struct hw_config -> what the core takes (core/core.h)
 *
 * Reading never stops at the first fault: all faults, up to a limit, are gathered in a report that
 * names line and column. The format is YAML 1.1 as libyaml reads it, less what a configuration has
 * no need of: no aliases or anchors, no tags, one document. docs/configuration.md is the reference.
 */
#ifndef HW_CONFIG_CONFIG_H
#define HW_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/time.h"
#include "core/core.h"

#define HW_CONFIG_MAX_BYTES (1u << 20) /* of the file */
#define HW_CONFIG_MAX_DEPTH 16u        /* of nested lists and mappings */
#define HW_CONFIG_MAX_ADDRESSES 16u    /* of the tunnel device */
#define HW_CONFIG_MAX_PEERS 16u
#define HW_CONFIG_PEERS_NOW 1u     /* how many of them this version serves */
#define HW_CONFIG_MAX_NOTES 20u    /* errors and warnings kept in a report */
#define HW_CONFIG_PATH_BYTES 1024u /* of a file's name, with the final zero */
#define HW_CONFIG_HOST_BYTES 256u  /* of a host name, with the final zero */
#define HW_CONFIG_DEVICE_BYTES 16u /* of an interface name, with the final zero (IFNAMSIZ) */
#define HW_CONFIG_KEY_BYTES 32u
#define HW_CONFIG_MAX_EXCLUDES 16u

enum hw_config_role {
	HW_ROLE_CLIENT, /* starts the session: it knows an endpoint of its peer */
	HW_ROLE_HUB     /* waits for its peers */
};

enum hw_config_log {
	HW_CONFIG_LOG_ERROR,
	HW_CONFIG_LOG_WARNING,
	HW_CONFIG_LOG_INFO,
	HW_CONFIG_LOG_DEBUG
};

/* Where in the file something stands, for messages; line 0: nowhere. */
struct hw_config_mark {
	uint32_t line, column;
};

/* host:port as written; the daemon resolves it, again whenever the path stays silent. */
struct hw_config_endpoint {
	char host[HW_CONFIG_HOST_BYTES]; /* name or address, without the brackets of IPv6 */
	uint16_t port;
	struct hw_addr addr; /* with the port, when host is a literal address; else family NONE */
};

#define HW_CONFIG_IPV6_MTU_MIN 1280u /* RFC 8200, section 5 */

struct hw_config_prefix {
	struct hw_addr addr; /* port 0 */
	uint8_t bits;        /* 0..32 or 0..128 */
};

struct hw_config_tunnel {
	char device[HW_CONFIG_DEVICE_BYTES]; /* "hw0" unless named */
	bool layer2;                         /* type: tap (the default), else tun */
	struct hw_config_prefix addresses[HW_CONFIG_MAX_ADDRESSES];
	uint32_t address_count;
	uint32_t mtu;     /* bytes of IP; 1500 */
	bool mtu_auto;    /* mtu is the most; else as much as all links in use take whole */
	bool mss_clamp;   /* on */
	bool copy_dscp;   /* off */
	bool compression; /* lz4, else off (the default) */
};

struct hw_config_identity {
	bool shared_secret;                 /* secret-file, else private-key-file */
	char file[HW_CONFIG_PATH_BYTES];    /* resolved against the configuration's folder */
	enum hw_config_role role;           /* derived where the file does not say */
	bool role_given;                    /* the file says */
	uint8_t bytes[HW_CONFIG_KEY_BYTES]; /* the secret or the private key; zero until loaded */
	bool loaded;
	struct hw_config_mark mark; /* of the file's name */
};

struct hw_config_listen {
	bool given; /* else any free port, and nobody can be the first to write to us */
	struct hw_addr
		addr; /* port always set if given; family NONE: every address, IPv4 and IPv6 */
};

struct hw_config_peer {
	char name[HW_CORE_NAME_BYTES];
	uint8_t public_key[HW_CONFIG_KEY_BYTES];       /* zero with a shared secret */
	char preshared_key_file[HW_CONFIG_PATH_BYTES]; /* "" when there is none */
	uint8_t preshared_key[HW_CONFIG_KEY_BYTES];
	/* For every link that has none of its own: HW_LINK_ALL. */
	struct hw_config_endpoint endpoints[HW_CORE_MAX_ENDPOINTS];
	uint32_t endpoint_count;
	struct hw_config_mark mark, key_mark, psk_mark;
};

enum hw_config_period { HW_PERIOD_DAY, HW_PERIOD_MONTH };

/* How much a link may carry, both ways together, IP and UDP headers included. */
struct hw_config_quota {
	uint64_t bytes; /* 0: no limit */
	enum hw_config_period per;
	uint32_t first_day;    /* of a month's period: 1 to 31, at most the month's last */
	uint32_t warn_percent; /* 1 to 99; 80 */
	struct hw_config_mark mark;
};

enum hw_config_metered { HW_METERED_DERIVED, HW_METERED_OFF, HW_METERED_ON };

/* A rule for links: it stands for one, or for one on each interface that its pattern fits. */
struct hw_config_link {
	char name[HW_CORE_NAME_BYTES];
	/* A name, or a pattern. "": the one that has `address`; without that, bound to no device. */
	char interface[HW_CONFIG_DEVICE_BYTES];
	bool every; /* the file names no links: each interface that leads to the peer */
	struct hw_addr address; /* local source address; family NONE: the kernel's choice */
	/* This link's own, instead of the peer's. */
	struct hw_config_endpoint endpoints[HW_CORE_MAX_ENDPOINTS];
	uint32_t endpoint_count;
	uint32_t mtu;   /* bytes of IP; 0: the interface's */
	uint32_t price; /* relative; 1 */
	enum hw_link_use use;
	struct hw_config_quota quota; /* of each interface, where the rule stands for several */
	enum hw_config_metered metered;
	struct hw_config_mark mark;
};

struct hw_config_session {
	uint32_t replay_packets; /* 65536 */
	hw_time replay_time;     /* 10 s */
	hw_time rekey_after;     /* 120 s */
	hw_time reject_after;    /* 180 s */
	uint64_t rekey_packets;  /* of one stream; 0: what the core thinks right */
};

/* Where the value of a key stands, by its name: "links[1].price". */
#define HW_CONFIG_MAX_PLACES 512u
#define HW_CONFIG_PLACE_BYTES 48u
struct hw_config_place {
	char name[HW_CONFIG_PLACE_BYTES];
	struct hw_config_mark mark;
};

struct hw_config {
	char file[HW_CONFIG_PATH_BYTES]; /* where it came from, for messages */
	struct hw_config_tunnel tunnel;
	struct hw_config_identity identity;
	struct hw_config_listen listen;
	struct hw_config_peer peers[HW_CONFIG_MAX_PEERS];
	uint32_t peer_count; /* at least 1: with a shared secret and no peers, one named "peer" */
	struct hw_config_link links[HW_CORE_MAX_LINKS];
	/* At least 1. Where the file has none: "every" if it has endpoints, else "any", unbound. */
	uint32_t link_count;
	bool links_given;
	char exclude[HW_CONFIG_MAX_EXCLUDES][HW_CONFIG_DEVICE_BYTES]; /* interfaces, or patterns */
	uint32_t exclude_count;
	struct hw_config_mark exclude_mark;
	char mode[32];  /* name of the strategy (sched/sched.h) */
	char suite[32]; /* name of the suite (crypto/suite.h) */
	struct hw_config_session session;
	enum hw_config_log log_level;
	struct hw_config_place *places; /* of all keys that the file has; owned */
	uint32_t place_count;
};

struct hw_config_note {
	bool warning;          /* else an error */
	uint32_t line, column; /* from 1; 0: the file as a whole */
	char text[320];        /* one line of printable ASCII */
};

/* What was found wrong, in the order of the file. Starts zeroed. */
struct hw_config_report {
	char file[HW_CONFIG_PATH_BYTES];
	struct hw_config_note notes[HW_CONFIG_MAX_NOTES];
	uint32_t note_count;
	uint32_t error_count; /* all of them, also those not kept */
	uint32_t warning_count;
};

/*
 * Read the file `path`, then the key files it names. The result is the caller's, to be given back
 * to hw_config_free. Warnings may be in the report on success too.
 * HW_E_SYSTEM: the file cannot be read; HW_E_MALFORMED: it, or a key file, is wrong; in both cases
 * the report says what. HW_E_NOMEM.
 */
HW_MUST_USE int hw_config_load(const char *path, struct hw_config_report *report,
			       struct hw_config **ret_config);

/*
 * The same for a text in memory; key files are named in the result but not read. `name` stands for
 * the file in messages, and its folder is the one that relative paths start from.
 */
HW_MUST_USE int hw_config_parse(const char *text, size_t len, const char *name,
				struct hw_config_report *report, struct hw_config **ret_config);

/*
 * Whether idle traffic is spared on this link: as the file says, else where a quota or a price
 * above 1 says that bytes cost something.
 */
bool hw_config_link_metered(const struct hw_config_link *link);

/*
 * Where the value of that key stands in the file; of a key that the file does not have, where what
 * would hold it stands; line 0: not even that.
 */
struct hw_config_mark hw_config_place(const struct hw_config *config, const char *name);
/* Whether the rule may stand for several links: its interface is a pattern, or left out. */
bool hw_config_link_is_pattern(const struct hw_config_link *link);

/* Wipes the keys and frees. NULL is allowed. */
void hw_config_free(struct hw_config *config);

/* "file:line:column: error: text", one line each, the folded rest counted at the end. */
void hw_config_report_print(const struct hw_config_report *report, FILE *out);

/* What the core takes, without links, which come at run time: core.peers points to peers, so the struct must not be moved while in use. */
struct hw_config_core {
	struct hw_core_config core;
	struct hw_peer_config peers[HW_CONFIG_MAX_PEERS];
};

/*
 * Fill in what hw_core_apply takes from a loaded configuration. ret_core holds keys: the caller
 * wipes it with hw_bytes_wipe as soon as the core has taken it. On failure it holds no keys.
 * HW_E_STATE: the keys are not loaded; HW_E_UNSUPPORTED: mode or suite is not in this build;
 * HW_E_CRYPTO: a key is not one that can be used.
 */
HW_MUST_USE int hw_config_core(const struct hw_config *config, struct hw_config_core *ret_core);

/*
 * Read a file that holds one secret: 32 bytes in base64 on its only line. It must be a regular
 * file of root or of the running user that neither group nor world can read or write. On failure
 * `ret_problem` says in one line what is wrong and what to type. HW_E_SYSTEM, HW_E_AUTH (owner or
 * mode), HW_E_MALFORMED.
 */
#define HW_CONFIG_PROBLEM_BYTES 256u
HW_MUST_USE int hw_config_read_secret(const char *path, uint8_t ret_bytes[HW_CONFIG_KEY_BYTES],
				      char ret_problem[HW_CONFIG_PROBLEM_BYTES]);

/*
 * The known word closest to `word` by edit distance, or NULL when none is close enough to be meant:
 * at most a third of the longer one's letters differ. For "did you mean".
 */
const char *hw_config_nearest(const char *word, const char *const *known, size_t count);

#endif
