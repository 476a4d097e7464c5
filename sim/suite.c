#include "sim/suite.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define STREAMS 16u
#define BUCKETS 4096u

/* One sealing key: the next counter that may be used on each stream. */
struct sealer {
	struct sealer *next;
	uint8_t key[HW_AEAD_KEY_BYTES];
	uint64_t floor[STREAMS + 1]; /* the last: nonces whose first 32 bits are no stream */
};

struct hw_sim_seals {
	struct hw_sim_seals_state state;
	struct sealer *buckets[BUCKETS];
};

static _Thread_local struct hw_sim_seals *current;

struct hw_aead_key {
	struct sealer *sealer; /* NULL for an opening key, and where nobody watches */
	struct hw_aead_key *inner;
	uint64_t k[4];
};

int hw_sim_seals_new(struct hw_sim_seals **ret_seals)
{
	struct hw_sim_seals *seals = calloc(1, sizeof(*seals));

	if (seals == NULL)
		return HW_E_NOMEM;
	*ret_seals = seals;
	return 0;
}

void hw_sim_seals_free(struct hw_sim_seals *seals)
{
	if (seals == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (seals->buckets[i] != NULL) {
			struct sealer *sealer = seals->buckets[i];

			seals->buckets[i] = sealer->next;
			free(sealer);
		}
	}
	if (current == seals)
		current = NULL;
	free(seals);
}

void hw_sim_seals_use(struct hw_sim_seals *seals)
{
	current = seals;
}

struct hw_sim_seals_state hw_sim_seals_state(const struct hw_sim_seals *seals)
{
	return seals->state;
}

/* The record of that key, made when it is new. Records are never dropped: a key may come back. */
static int find_sealer(const uint8_t bytes[HW_AEAD_KEY_BYTES], struct sealer **ret_sealer)
{
	struct sealer **bucket = &current->buckets[hw_load32(bytes) % BUCKETS];

	for (struct sealer *sealer = *bucket; sealer != NULL; sealer = sealer->next) {
		if (memcmp(sealer->key, bytes, HW_AEAD_KEY_BYTES) == 0) {
			*ret_sealer = sealer;
			return 0;
		}
	}

	struct sealer *sealer = calloc(1, sizeof(*sealer));

	if (sealer == NULL)
		return HW_E_NOMEM;
	memcpy(sealer->key, bytes, HW_AEAD_KEY_BYTES);
	sealer->next = *bucket;
	*bucket = sealer;
	current->state.keys++;
	*ret_sealer = sealer;
	return 0;
}

static void watch(struct sealer *sealer, const uint8_t nonce[HW_AEAD_NONCE_BYTES])
{
	if (sealer == NULL || current == NULL)
		return;

	uint32_t stream = hw_load32(nonce);
	uint64_t counter = hw_load64(nonce + 4);
	uint64_t *floor = &sealer->floor[stream < STREAMS ? stream : STREAMS];

	current->state.sealed++;
	if (counter < *floor && !current->state.reused) {
		current->state.reused = true;
		current->state.stream = stream;
		current->state.counter = counter;
	}
	*floor = counter + 1;
}

static int new_key(const struct hw_suite *inner, const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal,
		   struct hw_aead_key **ret_key)
{
	struct hw_aead_key *key = calloc(1, sizeof(*key));
	int r = HW_E_NOMEM;

	if (key == NULL)
		return r;
	for (size_t i = 0; i < 4; i++)
		key->k[i] = hw_load64(bytes + 8 * i) | 1;
	if (seal && current != NULL && (r = find_sealer(bytes, &key->sealer)) < 0)
		goto fail;
	if (inner != NULL && (r = inner->key_new(bytes, seal, &key->inner)) < 0)
		goto fail;
	*ret_key = key;
	return 0;

fail:
	free(key);
	return r;
}

/* ---- the null suite ---- */

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t load(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/*
 * Both halves of a 128-bit product: one flipped bit changes about half of the result, so that no
 * few flips cancel each other, as they would where a product is cut to 64 bits.
 */
static uint64_t absorb(uint64_t lane, uint64_t word, uint64_t k)
{
	__extension__ unsigned __int128 product = (unsigned __int128)(lane ^ word) * k;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Four lanes, so that a modern processor works on all at once; each bit of input reaches the tag.
 */
static uint64_t hash(const struct hw_aead_key *key, uint64_t tweak, const uint8_t *data, size_t len)
{
	const uint64_t *k = key->k;
	uint64_t a = k[0] ^ tweak, b = k[1] ^ len, c = k[2], d = k[3];
	uint8_t tail[32] = { 0 };

	for (; len >= 32; data += 32, len -= 32) {
		a = absorb(a, load(data), k[0]);
		b = absorb(b, load(data + 8), k[1]);
		c = absorb(c, load(data + 16), k[2]);
		d = absorb(d, load(data + 24), k[3]);
	}
	if (len > 0)
		memcpy(tail, data, len);
	a = absorb(a, load(tail), k[0]);
	b = absorb(b, load(tail + 8), k[1]);
	c = absorb(c, load(tail + 16), k[2]);
	d = absorb(d, load(tail + 24), k[3]);
	a = absorb(absorb(absorb(a, rotl(b, 13), k[2]), rotl(c, 31), k[3]), rotl(d, 47), k[1]);
	a ^= a >> 32;
	a *= UINT64_C(0x9e3779b97f4a7c15);
	return a ^ a >> 29;
}

static void null_tag(const struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES],
		     const uint8_t *ad, size_t ad_len, const uint8_t *data, size_t len,
		     uint8_t ret_tag[HW_AEAD_TAG_BYTES])
{
	uint64_t tweak = load(nonce + 4) ^ rotl(hw_load32(nonce), 40);
	uint64_t head = hash(key, tweak, ad, ad_len);
	uint64_t tag = hash(key, head, data, len);

	hw_store64(ret_tag, tag);
	hw_store64(ret_tag + 8, rotl(tag, 23) * key->k[1]);
}

static int null_key_new(const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal,
			struct hw_aead_key **ret_key)
{
	return new_key(NULL, bytes, seal, ret_key);
}

static void null_key_free(struct hw_aead_key *key)
{
	free(key);
}

static int null_seal(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES],
		     const uint8_t *ad, size_t ad_len, uint8_t *data, size_t len)
{
	watch(key->sealer, nonce);
	null_tag(key, nonce, ad, ad_len, data, len, data + len);
	return 0;
}

static int null_open(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES],
		     const uint8_t *ad, size_t ad_len, uint8_t *data, size_t len)
{
	uint8_t tag[HW_AEAD_TAG_BYTES];

	if (len < HW_AEAD_TAG_BYTES)
		return HW_E_TRUNCATED;
	null_tag(key, nonce, ad, ad_len, data, len - HW_AEAD_TAG_BYTES, tag);
	return memcmp(tag, data + len - HW_AEAD_TAG_BYTES, sizeof(tag)) == 0 ? 0 : HW_E_AUTH;
}

static void null_noise_nonce(uint64_t n, uint8_t ret_nonce[HW_AEAD_NONCE_BYTES])
{
	memset(ret_nonce, 0, 4);
	hw_store64(ret_nonce + 4, n);
}

static const struct hw_suite null_suite = {
	.name = "null",
	.noise_name = "Noise_IKpsk2_25519_NullSim_BLAKE2s",
	.packet_limit = UINT64_C(1) << 60,
	.key_new = null_key_new,
	.key_free = null_key_free,
	.seal = null_seal,
	.open = null_open,
	.noise_nonce = null_noise_nonce,
};

/* ---- the real suites, watched ---- */

#define WATCHED(id, configuration_name) \
	static const struct hw_suite *id##_inner(void) \
	{ \
		return hw_suite_find(configuration_name); \
	} \
	static int id##_key_new(const uint8_t bytes[HW_AEAD_KEY_BYTES], bool seal, \
				struct hw_aead_key **ret_key) \
	{ \
		return new_key(id##_inner(), bytes, seal, ret_key); \
	} \
	static void id##_key_free(struct hw_aead_key *key) \
	{ \
		if (key == NULL) \
			return; \
		id##_inner()->key_free(key->inner); \
		free(key); \
	} \
	static int id##_seal(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES], \
			     const uint8_t *ad, size_t ad_len, uint8_t *data, size_t len) \
	{ \
		watch(key->sealer, nonce); \
		return id##_inner()->seal(key->inner, nonce, ad, ad_len, data, len); \
	} \
	static int id##_open(struct hw_aead_key *key, const uint8_t nonce[HW_AEAD_NONCE_BYTES], \
			     const uint8_t *ad, size_t ad_len, uint8_t *data, size_t len) \
	{ \
		return id##_inner()->open(key->inner, nonce, ad, ad_len, data, len); \
	} \
	static struct hw_suite id##_watched = { \
		.key_new = id##_key_new, \
		.key_free = id##_key_free, \
		.seal = id##_seal, \
		.open = id##_open, \
	};

WATCHED(chacha, "chacha20-poly1305")
WATCHED(gcm, "aes-256-gcm")

/* What is data and not a function is the inner suite's. */
static const struct hw_suite *complete(struct hw_suite *watched, const struct hw_suite *inner)
{
	if (inner == NULL)
		return NULL;
	watched->name = inner->name;
	watched->noise_name = inner->noise_name;
	watched->packet_limit = inner->packet_limit;
	watched->noise_nonce = inner->noise_nonce;
	return watched;
}

const struct hw_suite *hw_sim_suite_find(const char *name)
{
	if (strcmp(name, "null") == 0)
		return &null_suite;
	if (strcmp(name, "chacha20-poly1305") == 0)
		return complete(&chacha_watched, chacha_inner());
	if (strcmp(name, "aes-256-gcm") == 0)
		return complete(&gcm_watched, gcm_inner());
	return NULL;
}
