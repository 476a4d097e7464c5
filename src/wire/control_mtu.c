#include "wire/control_mtu.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/control.h"
#include "wire/wire.h"

#define BODY_BYTES (HW_CONTROL_MTU_REPLY_BYTES - HW_CONTROL_HEADER_BYTES)

static void put(uint8_t *body, const struct hw_control_mtu *f)
{
	body[0] = f->path;
	hw_store16(body + 1, f->size);
	memcpy(body + 3, f->token, sizeof(f->token));
}

static bool parse(const uint8_t *body, struct hw_control_mtu *ret)
{
	ret->path = body[0];
	ret->size = hw_load16(body + 1);
	memcpy(ret->token, body + 3, sizeof(ret->token));
	return ret->path < HW_CONTROL_PATHS &&
	       ret->size >= HW_WIRE_OVERHEAD_BYTES + HW_CONTROL_MTU_PROBE_BYTES;
}

int hw_control_put_mtu_probe(struct hw_control_writer *w, const struct hw_control_mtu *f)
{
	if (f->path >= HW_CONTROL_PATHS || w->len > 0 ||
	    f->size < HW_WIRE_OVERHEAD_BYTES + HW_CONTROL_MTU_PROBE_BYTES)
		return HW_E_INVAL;

	size_t bytes = f->size - HW_WIRE_OVERHEAD_BYTES;
	uint8_t *body = hw_control_frame(w, HW_CONTROL_MTU_PROBE, bytes);

	if (body == NULL)
		return HW_E_SPACE;
	put(body, f);
	memset(body + BODY_BYTES, 0, bytes - HW_CONTROL_MTU_PROBE_BYTES);
	return 0;
}

int hw_control_put_mtu_reply(struct hw_control_writer *w, const struct hw_control_mtu *f)
{
	if (f->path >= HW_CONTROL_PATHS ||
	    f->size < HW_WIRE_OVERHEAD_BYTES + HW_CONTROL_MTU_PROBE_BYTES)
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_MTU_REPLY, HW_CONTROL_MTU_REPLY_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	put(body, f);
	return 0;
}

bool hw_control_parse_mtu_probe(const uint8_t *body, size_t len, struct hw_control_mtu *ret)
{
	if (len < BODY_BYTES || !parse(body, ret))
		return false;
	for (size_t i = BODY_BYTES; i < len; i++)
		if (body[i] != 0)
			return false;
	return ret->size == HW_WIRE_OVERHEAD_BYTES + HW_CONTROL_HEADER_BYTES + len;
}

bool hw_control_parse_mtu_reply(const uint8_t *body, size_t len, struct hw_control_mtu *ret)
{
	return len == BODY_BYTES && parse(body, ret);
}
