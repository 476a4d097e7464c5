#include "survey/nat.h"

#include <string.h>

static bool same_ip(const struct hw_addr *a, const struct hw_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static bool is_carriers(const struct hw_addr *addr)
{
	return addr->family == HW_FAMILY_IPV4 && addr->ip[0] == 100 && (addr->ip[1] & 0xc0) == 64;
}

static enum hw_nat judge_one(const struct hw_nat_sight *sight)
{
	if (sight->local.family == HW_FAMILY_NONE)
		return HW_NAT_UNKNOWN;
	if (sight->observed.port != sight->local.port)
		return HW_NAT_PORT_CHANGED;
	return same_ip(&sight->observed, &sight->local) ? HW_NAT_NONE : HW_NAT_PORT_KEPT;
}

void hw_nat_judge(const struct hw_nat_sight *sights, size_t count, struct hw_nat_findings *ret)
{
	const struct hw_nat_sight *first = NULL;

	*ret = (struct hw_nat_findings){ .nat = HW_NAT_UNKNOWN };
	for (size_t i = 0; i < count; i++) {
		const struct hw_nat_sight *sight = &sights[i];

		ret->carrier |= is_carriers(&sight->local);
		if (sight->observed.family == HW_FAMILY_NONE)
			continue;
		if (first == NULL) {
			first = sight;
			ret->nat = judge_one(sight);
			ret->outside = sight->observed;
			continue;
		}
		/* Of the peer's addresses only different ones tell something. */
		if (sight->observed.family != first->observed.family ||
		    hw_addr_equal(&sight->remote, &first->remote))
			continue;
		if (judge_one(sight) > ret->nat)
			ret->nat = judge_one(sight);
		if (ret->nat == HW_NAT_NONE || ret->nat == HW_NAT_UNKNOWN ||
		    ret->mapping == HW_NAT_MAPPING_DEPENDENT)
			continue;
		ret->mapping = same_ip(&sight->observed, &first->observed) &&
					       sight->observed.port == first->observed.port
				       ? HW_NAT_MAPPING_INDEPENDENT
				       : HW_NAT_MAPPING_DEPENDENT;
	}
}
