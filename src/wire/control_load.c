#include "wire/control_load.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/control.h"

static uint32_t ip_bytes(uint8_t family)
{
	return family == HW_FAMILY_IPV6 ? 16 : 4;
}

static bool family_valid(uint8_t family)
{
	return family == HW_FAMILY_IPV4 || family == HW_FAMILY_IPV6;
}

int hw_control_put_observed(struct hw_control_writer *w, const struct hw_control_observed *f)
{
	if (!family_valid(f->addr.family))
		return HW_E_INVAL;

	uint32_t ip = ip_bytes(f->addr.family);
	uint8_t *body = hw_control_frame(w, HW_CONTROL_OBSERVED,
					 HW_CONTROL_OBSERVED_BYTES(f->addr.family));

	if (body == NULL)
		return HW_E_SPACE;
	body[0] = f->addr.family;
	memcpy(body + 1, f->addr.ip, ip);
	hw_store16(body + 1 + ip, f->addr.port);
	return 0;
}

int hw_control_put_load(struct hw_control_writer *w, const struct hw_control_load *f)
{
	uint8_t *body = hw_control_frame(w, HW_CONTROL_LOAD, HW_CONTROL_LOAD_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	hw_store32(body, f->test);
	hw_store32(body + 4, f->rate_kbps);
	hw_store16(body + 8, f->duration_ms);
	hw_store32(body + 10, f->bytes);
	hw_store16(body + 14, f->size);
	return 0;
}

int hw_control_put_load_done(struct hw_control_writer *w, const struct hw_control_load_done *f)
{
	if (f->reason >= HW_LOAD_REASONS)
		return HW_E_INVAL;

	uint8_t *body = hw_control_frame(w, HW_CONTROL_LOAD_DONE, HW_CONTROL_LOAD_DONE_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	hw_store32(body, f->test);
	body[4] = f->reason;
	hw_store32(body + 5, f->packets);
	hw_store32(body + 9, f->bytes);
	hw_store32(body + 13, f->span_us);
	hw_store16(body + 17, f->mtu);
	return 0;
}

int hw_control_put_load_data(struct hw_control_writer *w, const struct hw_control_load_data *f)
{
	uint8_t *body = hw_control_frame(w, HW_CONTROL_LOAD_DATA, HW_CONTROL_LOAD_DATA_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	hw_store32(body, f->test);
	body[4] = f->flags;
	hw_store32(body + 5, f->index);
	hw_store32(body + 9, f->sent_us);
	return 0;
}

int hw_control_put_load_result(struct hw_control_writer *w, const struct hw_control_load_result *f)
{
	uint8_t *body = hw_control_frame(w, HW_CONTROL_LOAD_RESULT, HW_CONTROL_LOAD_RESULT_BYTES);

	if (body == NULL)
		return HW_E_SPACE;
	hw_store32(body, f->test);
	hw_store32(body + 4, f->packets);
	hw_store32(body + 8, f->rate_packets);
	hw_store32(body + 12, f->rate_bytes);
	hw_store32(body + 16, f->span_us);
	hw_store32(body + 20, f->queue_median_us);
	hw_store32(body + 24, f->queue_p95_us);
	hw_store32(body + 28, f->queue_max_us);
	hw_store16(body + 32, f->mtu);
	return 0;
}

bool hw_control_parse_observed(const uint8_t *body, size_t len, struct hw_control_observed *ret)
{
	if (len == 0 || !family_valid(body[0]) ||
	    len != HW_CONTROL_OBSERVED_BYTES(body[0]) - HW_CONTROL_HEADER_BYTES)
		return false;

	uint32_t ip = ip_bytes(body[0]);

	*ret = (struct hw_control_observed){ .addr.family = body[0] };
	memcpy(ret->addr.ip, body + 1, ip);
	ret->addr.port = hw_load16(body + 1 + ip);
	return true;
}

bool hw_control_parse_load(const uint8_t *body, size_t len, struct hw_control_load *ret)
{
	if (len != HW_CONTROL_LOAD_BYTES - HW_CONTROL_HEADER_BYTES)
		return false;
	*ret = (struct hw_control_load){
		.test = hw_load32(body),
		.rate_kbps = hw_load32(body + 4),
		.duration_ms = hw_load16(body + 8),
		.bytes = hw_load32(body + 10),
		.size = hw_load16(body + 14),
	};
	return true;
}

bool hw_control_parse_load_done(const uint8_t *body, size_t len, struct hw_control_load_done *ret)
{
	if (len != HW_CONTROL_LOAD_DONE_BYTES - HW_CONTROL_HEADER_BYTES ||
	    body[4] >= HW_LOAD_REASONS)
		return false;
	*ret = (struct hw_control_load_done){
		.test = hw_load32(body),
		.reason = body[4],
		.packets = hw_load32(body + 5),
		.bytes = hw_load32(body + 9),
		.span_us = hw_load32(body + 13),
		.mtu = hw_load16(body + 17),
	};
	return true;
}

bool hw_control_parse_load_data(const uint8_t *body, size_t len, struct hw_control_load_data *ret)
{
	if (len != HW_CONTROL_LOAD_DATA_BYTES - HW_CONTROL_HEADER_BYTES)
		return false;
	*ret = (struct hw_control_load_data){
		.test = hw_load32(body),
		.flags = body[4],
		.index = hw_load32(body + 5),
		.sent_us = hw_load32(body + 9),
	};
	return true;
}

bool hw_control_parse_load_result(const uint8_t *body, size_t len,
				  struct hw_control_load_result *ret)
{
	if (len != HW_CONTROL_LOAD_RESULT_BYTES - HW_CONTROL_HEADER_BYTES)
		return false;
	*ret = (struct hw_control_load_result){
		.test = hw_load32(body),
		.packets = hw_load32(body + 4),
		.rate_packets = hw_load32(body + 8),
		.rate_bytes = hw_load32(body + 12),
		.span_us = hw_load32(body + 16),
		.queue_median_us = hw_load32(body + 20),
		.queue_p95_us = hw_load32(body + 24),
		.queue_max_us = hw_load32(body + 28),
		.mtu = hw_load16(body + 32),
	};
	return true;
}
