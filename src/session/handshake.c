#include "session/handshake.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/time.h"

/* Fields of the messages (docs/wire.md). */
#define SENDER_OFFSET 1u
#define INITIATION_NOISE_OFFSET 4u
#define RESPONSE_RECEIVER_OFFSET 5u
#define RESPONSE_NOISE_OFFSET 8u

#define INITIATION_NOISE_BYTES (HW_NOISE_INITIATION_BYTES + HW_WIRE_TIMESTAMP_BYTES)
#define HEADER_BYTES 4u /* type and sender index: each message vouches for its own */
#define RESPONSE_NOISE_BYTES (HW_NOISE_RESPONSE_BYTES + HEADER_BYTES)
#define PROLOGUE_MAX_BYTES 32u

_Static_assert(INITIATION_NOISE_OFFSET + INITIATION_NOISE_BYTES ==
		       HW_HANDSHAKE_INITIATION_CORE_BYTES,
	       "the MACs follow the Noise message");
_Static_assert(RESPONSE_NOISE_OFFSET + RESPONSE_NOISE_BYTES == HW_HANDSHAKE_RESPONSE_CORE_BYTES,
	       "the MACs follow the Noise message");

#define TAI64_UNIX_EPOCH ((UINT64_C(1) << 62) + 10)

int hw_handshake_identity_init(struct hw_handshake_identity *identity, struct hw_crypto *crypto,
			       const struct hw_suite *suite, const uint8_t private_key[HW_DH_BYTES])
{
	*identity = (struct hw_handshake_identity){ .crypto = crypto,
						    .suite = suite,
						    .prologue = HW_WIRE_PROLOGUE };
	int err = hw_dh_key_new(private_key, &identity->static_key);

	if (err == 0)
		memcpy(identity->public_key, hw_dh_key_public(identity->static_key), HW_DH_BYTES);
	return err;
}

void hw_handshake_identity_fini(struct hw_handshake_identity *identity)
{
	hw_dh_key_free(identity->static_key);
	identity->static_key = NULL;
}

int hw_handshake_init(struct hw_handshake *handshake, const struct hw_handshake_identity *identity,
		      const uint8_t remote_static[HW_DH_BYTES], const uint8_t psk[32])
{
	int err;

	*handshake = (struct hw_handshake){ 0 };
	if (memcmp(remote_static, identity->public_key, HW_DH_BYTES) == 0)
		return HW_E_INVAL;
	err = hw_dh(identity->static_key, remote_static, handshake->static_static);
	if (err)
		return err == HW_E_AUTH ? HW_E_INVAL : err;
	memcpy(handshake->remote_static, remote_static, HW_DH_BYTES);
	memcpy(handshake->psk, psk, sizeof(handshake->psk));
	return 0;
}

void hw_handshake_fini(struct hw_handshake *handshake)
{
	hw_bytes_wipe(handshake, sizeof(*handshake));
}

void hw_handshake_timestamp(uint64_t wall_ns, uint8_t ret_timestamp[HW_WIRE_TIMESTAMP_BYTES])
{
	hw_store64(ret_timestamp, TAI64_UNIX_EPOCH + wall_ns / HW_NS_PER_S);
	hw_store32(ret_timestamp + 8, (uint32_t)(wall_ns % HW_NS_PER_S));
}

/* What both sides agree on before the first message: the protocol, and the initiation's header. */
static size_t prologue(const struct hw_handshake_identity *identity, const uint8_t *message,
		       uint8_t ret_prologue[PROLOGUE_MAX_BYTES])
{
	size_t len = strlen(identity->prologue);

	assert(len + HEADER_BYTES <= PROLOGUE_MAX_BYTES);
	memcpy(ret_prologue, identity->prologue, len);
	memcpy(ret_prologue + len, message, HEADER_BYTES);
	return len + HEADER_BYTES;
}

int hw_handshake_create_initiation(struct hw_handshake *handshake,
				   const struct hw_handshake_identity *identity,
				   const uint8_t random[32], uint64_t wall_ns, uint32_t local_index,
				   uint8_t ret_message[HW_WIRE_INITIATION_BYTES])
{
	uint8_t message[HW_WIRE_INITIATION_BYTES] = { HW_WIRE_INITIATION << 4 };
	uint8_t timestamp[HW_WIRE_TIMESTAMP_BYTES];
	uint8_t agreed[PROLOGUE_MAX_BYTES];
	struct hw_noise noise;
	int err;

	assert(local_index <= HW_WIRE_INDEX_MAX);
	hw_store24(message + SENDER_OFFSET, local_index);
	hw_handshake_timestamp(wall_ns, timestamp);
	err = hw_noise_init_initiator(&noise, identity->crypto, identity->suite, agreed,
				      prologue(identity, message, agreed),
				      handshake->remote_static);
	if (err)
		goto out;
	err = hw_noise_write_initiation(&noise, identity->static_key, handshake->static_static,
					random, timestamp, sizeof(timestamp),
					message + INITIATION_NOISE_OFFSET);
	if (err)
		goto out;
	handshake->pending = noise;
	handshake->pending_index = local_index;
	handshake->is_pending = true;
	memcpy(ret_message, message, sizeof(message));
out:
	hw_noise_wipe(&noise);
	return err;
}

void hw_handshake_cancel(struct hw_handshake *handshake)
{
	hw_noise_wipe(&handshake->pending);
	handshake->pending_index = 0;
	handshake->is_pending = false;
}

bool hw_handshake_is_copy(const struct hw_handshake *handshake, const uint8_t *message, size_t len)
{
	return handshake->has_response && len == HW_WIRE_INITIATION_BYTES &&
	       memcmp(message, handshake->answered, sizeof(handshake->answered)) == 0;
}

int hw_handshake_open_initiation(const struct hw_handshake_identity *identity,
				 const uint8_t *message, size_t len,
				 struct hw_initiation *ret_initiation)
{
	uint8_t agreed[PROLOGUE_MAX_BYTES];
	struct hw_noise noise;
	int err;

	if (len != HW_WIRE_INITIATION_BYTES || message[0] != HW_WIRE_INITIATION << 4)
		return HW_E_MALFORMED;
	err = hw_noise_init_responder(&noise, identity->crypto, identity->suite, agreed,
				      prologue(identity, message, agreed), identity->static_key);
	if (err)
		goto out;
	err = hw_noise_read_static(&noise, identity->static_key, message + INITIATION_NOISE_OFFSET,
				   INITIATION_NOISE_BYTES);
	if (err)
		goto out;
	ret_initiation->noise = noise;
	ret_initiation->sender_index = hw_load24(message + SENDER_OFFSET);
	memcpy(ret_initiation->remote_static, noise.remote_static, HW_DH_BYTES);
	memcpy(ret_initiation->core, message, sizeof(ret_initiation->core));
out:
	hw_noise_wipe(&noise);
	return err;
}

int hw_handshake_consume_initiation(struct hw_handshake *handshake,
				    struct hw_initiation *initiation)
{
	uint8_t timestamp[HW_WIRE_TIMESTAMP_BYTES];
	int err;

	assert(memcmp(handshake->remote_static, initiation->remote_static, HW_DH_BYTES) == 0);
	err = hw_noise_read_payload(&initiation->noise, handshake->static_static,
				    initiation->core + INITIATION_NOISE_OFFSET,
				    INITIATION_NOISE_BYTES, timestamp);
	if (err)
		return err;
	if (handshake->has_response &&
	    memcmp(initiation->core, handshake->answered, sizeof(handshake->answered)) == 0)
		return HW_HANDSHAKE_COPY;
	if (memcmp(timestamp, handshake->last_timestamp, sizeof(timestamp)) <= 0)
		return HW_E_REPLAY;
	memcpy(handshake->before_timestamp, handshake->last_timestamp, sizeof(timestamp));
	memcpy(handshake->last_timestamp, timestamp, sizeof(timestamp));
	return 0;
}

int hw_handshake_create_response(struct hw_handshake *handshake, struct hw_initiation *initiation,
				 const uint8_t random[32], uint32_t local_index,
				 uint8_t ret_message[HW_WIRE_RESPONSE_BYTES],
				 struct hw_session_keys *ret_keys)
{
	uint8_t message[HW_WIRE_RESPONSE_BYTES] = { HW_WIRE_RESPONSE << 4 };
	struct hw_session_keys keys = { .local_index = local_index,
					.remote_index = initiation->sender_index };
	int err;

	assert(local_index <= HW_WIRE_INDEX_MAX);
	hw_store24(message + SENDER_OFFSET, local_index);
	hw_store24(message + RESPONSE_RECEIVER_OFFSET, initiation->sender_index);
	err = hw_noise_write_response(&initiation->noise, handshake->psk, random, message,
				      HEADER_BYTES, message + RESPONSE_NOISE_OFFSET);
	if (err)
		goto out;
	err = hw_noise_split(&initiation->noise, keys.send, keys.receive, keys.stamp_send,
			     keys.stamp_receive);
	if (err)
		goto out;
	memcpy(handshake->answered, initiation->core, sizeof(handshake->answered));
	memcpy(handshake->response, message, sizeof(handshake->response));
	handshake->has_response = true;
	memcpy(ret_message, message, sizeof(message));
	*ret_keys = keys;
out:
	hw_bytes_wipe(&keys, sizeof(keys));
	return err;
}

void hw_handshake_forget_response(struct hw_handshake *handshake)
{
	hw_bytes_wipe(handshake->response, sizeof(handshake->response));
	handshake->has_response = false;
	memcpy(handshake->last_timestamp, handshake->before_timestamp,
	       sizeof(handshake->last_timestamp));
}

void hw_initiation_wipe(struct hw_initiation *initiation)
{
	hw_bytes_wipe(initiation, sizeof(*initiation));
}

int hw_handshake_consume_response(struct hw_handshake *handshake,
				  const struct hw_handshake_identity *identity,
				  const uint8_t *message, size_t len,
				  struct hw_session_keys *ret_keys)
{
	struct hw_session_keys keys = { .initiator = true };
	struct hw_noise noise;
	uint8_t header[HEADER_BYTES];
	int err;

	if (len != HW_WIRE_RESPONSE_BYTES || message[0] != HW_WIRE_RESPONSE << 4 || message[4] != 0)
		return HW_E_MALFORMED;
	if (!handshake->is_pending)
		return HW_E_STATE;
	if (hw_load24(message + RESPONSE_RECEIVER_OFFSET) != handshake->pending_index)
		return HW_E_NOT_FOUND;

	noise = handshake->pending;
	err = hw_noise_read_response(&noise, identity->static_key, handshake->psk,
				     message + RESPONSE_NOISE_OFFSET, RESPONSE_NOISE_BYTES, header);
	if (err)
		goto out;
	if (memcmp(header, message, sizeof(header)) != 0) {
		err = HW_E_AUTH;
		goto out;
	}
	err = hw_noise_split(&noise, keys.send, keys.receive, keys.stamp_send, keys.stamp_receive);
	if (err)
		goto out;
	keys.local_index = handshake->pending_index;
	keys.remote_index = hw_load24(message + SENDER_OFFSET);
	hw_handshake_cancel(handshake);
	*ret_keys = keys;
out:
	hw_noise_wipe(&noise);
	hw_bytes_wipe(&keys, sizeof(keys));
	return err;
}
