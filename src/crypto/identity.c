#include "crypto/identity.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/dh.h"

void hw_identity_generate(const uint8_t random[HW_KEY_BYTES], uint8_t ret_private[HW_KEY_BYTES])
{
	memmove(ret_private, random, HW_KEY_BYTES);
	ret_private[0] &= 0xf8;
	ret_private[31] &= 0x7f;
	ret_private[31] |= 0x40;
}

int hw_identity_public(const uint8_t private_key[HW_KEY_BYTES], uint8_t ret_public[HW_KEY_BYTES])
{
	struct hw_dh_key *key = NULL;
	int err = hw_dh_key_new(private_key, &key);

	if (err)
		return err;
	memcpy(ret_public, hw_dh_key_public(key), HW_KEY_BYTES);
	hw_dh_key_free(key);
	return 0;
}

int hw_identity_from_secret(struct hw_crypto *crypto, const uint8_t secret[HW_KEY_BYTES],
			    struct hw_shared_identity *ret_identity)
{
	static const uint8_t empty_salt[HW_HASH_BYTES]; /* HMAC pads a key with zeros */
	uint8_t client[HW_KEY_BYTES], hub[HW_KEY_BYTES], psk[HW_KEY_BYTES];
	int err = hw_hkdf(crypto, empty_salt, secret, HW_KEY_BYTES, client, hub, psk);

	if (err == 0) {
		hw_identity_generate(client, ret_identity->client_private);
		hw_identity_generate(hub, ret_identity->hub_private);
		memcpy(ret_identity->psk, psk, sizeof(psk));
	}
	hw_bytes_wipe(client, sizeof(client));
	hw_bytes_wipe(hub, sizeof(hub));
	hw_bytes_wipe(psk, sizeof(psk));
	return err;
}

/*
 * Keys are secrets, so the alphabet is worked out, not looked up in a table whose cache lines would
 * tell. Masks are all ones where lo <= x <= hi, for x, lo and hi below 2^15.
 */
static int in_range(int x, int lo, int hi)
{
	return ~((x - lo) >> 15) & ~((hi - x) >> 15);
}

static char encode_digit(int v)
{
	return (char)((in_range(v, 0, 25) & ('A' + v)) | (in_range(v, 26, 51) & ('a' + v - 26)) |
		      (in_range(v, 52, 61) & ('0' + v - 52)) | (in_range(v, 62, 62) & '+') |
		      (in_range(v, 63, 63) & '/'));
}

/* The six bits of a digit, or -1. */
static int decode_digit(unsigned char c)
{
	return -1 + ((in_range(c, 'A', 'Z') & (c - 'A' + 1)) |
		     (in_range(c, 'a', 'z') & (c - 'a' + 27)) |
		     (in_range(c, '0', '9') & (c - '0' + 53)) | (in_range(c, '+', '+') & 63) |
		     (in_range(c, '/', '/') & 64));
}

void hw_key_to_text(const uint8_t key[HW_KEY_BYTES], char ret_text[HW_KEY_TEXT_BYTES])
{
	/* 32 bytes are ten groups of three and one of two. */
	for (unsigned i = 0, o = 0; i < HW_KEY_BYTES; i += 3, o += 4) {
		uint8_t last = i + 2 < HW_KEY_BYTES ? key[i + 2] : 0;
		uint32_t bits = (uint32_t)key[i] << 16 | (uint32_t)key[i + 1] << 8 | last;

		for (unsigned d = 0; d < 4; d++)
			ret_text[o + d] = encode_digit((int)(bits >> (18 - 6 * d) & 63));
	}
	ret_text[HW_KEY_TEXT_CHARS - 1] = '=';
	ret_text[HW_KEY_TEXT_CHARS] = '\0';
}

int hw_key_from_text(const char *text, size_t len, uint8_t ret_key[HW_KEY_BYTES])
{
	uint8_t key[HW_KEY_BYTES + 1];
	int bad = 0;

	if (len != HW_KEY_TEXT_CHARS || text[HW_KEY_TEXT_CHARS - 1] != '=')
		return HW_E_MALFORMED;
	for (unsigned i = 0, o = 0; i < HW_KEY_TEXT_CHARS; i += 4, o += 3) {
		uint32_t bits = 0;

		for (unsigned d = 0; d < 4; d++) {
			bool padding = i + d == HW_KEY_TEXT_CHARS - 1;
			int digit = padding ? 0 : decode_digit((unsigned char)text[i + d]);

			bad |= digit;
			bits = bits << 6 | ((uint32_t)digit & 63);
		}
		key[o] = (uint8_t)(bits >> 16);
		key[o + 1] = (uint8_t)(bits >> 8);
		key[o + 2] = (uint8_t)bits;
	}
	/* A digit that is none made `bad` negative; the last two bits belong to no byte of the key.
	 */
	if (bad < 0 || key[HW_KEY_BYTES] != 0) {
		hw_bytes_wipe(key, sizeof(key));
		return HW_E_MALFORMED;
	}
	memcpy(ret_key, key, HW_KEY_BYTES);
	hw_bytes_wipe(key, sizeof(key));
	return 0;
}
