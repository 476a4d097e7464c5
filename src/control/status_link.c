#include "control/status.h"

/* What takes its parts over, or gives up on all of them together. */
#define FIGURE(n) json_integer((json_int_t)(n))

static json_t *render_quota(const struct hw_status_quota *quota)
{
	if (quota->bytes == 0)
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o}",
			 "bytes", FIGURE(quota->bytes),
			 "per", quota->per,
			 "used_bytes", FIGURE(quota->used_bytes),
			 "left_bytes", FIGURE(quota->left_bytes),
			 "warn_percent", FIGURE(quota->warn_percent),
			 "warned", quota->warned,
			 "spent", quota->spent,
			 "begun_s", FIGURE(quota->begun_s),
			 "ends_s", FIGURE(quota->ends_s));
}

json_t *hw_status_plain(const char *text)
{
	char plain[HW_STATUS_PLAIN_BYTES];
	size_t len = 0;

	if (text == NULL)
		return json_null();
	for (; text[len] != '\0' && len + 1 < sizeof(plain); len++)
		plain[len] = text[len] > ' ' && text[len] <= '~' ? text[len] : '?';
	plain[len] = '\0';
	return json_string(plain);
}

static json_t *render_link(const struct hw_status_link *link)
{
	return json_pack("{s:s, s:o, s:s, s:s?, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "name", link->name,
			 "interface", hw_status_plain(link->interface),
			 "state", link->state,
			 "reason", link->reason,
			 "use", link->use,
			 "use_by", link->use_by,
			 "price", FIGURE(link->price),
			 "metered", link->metered,
			 "mtu", link->mtu_bytes > 0 ? FIGURE(link->mtu_bytes) : json_null(),
			 "tx_bytes", FIGURE(link->tx_bytes),
			 "tx_packets", FIGURE(link->tx_packets),
			 "rx_bytes", FIGURE(link->rx_bytes),
			 "rx_packets", FIGURE(link->rx_packets),
			 "counted_since_s", FIGURE(link->since_s),
			 "quota", render_quota(&link->quota));
}

json_t *hw_status_render_links(const struct hw_status_link *links, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (links[i].name == NULL)
			continue;
		if (json_array_append_new(list, render_link(&links[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
