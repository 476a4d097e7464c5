#include "io/sockaddr.h"

#include <arpa/inet.h>
#include <string.h>

socklen_t hw_sockaddr_from(union hw_sockaddr *ret_sockaddr, const struct hw_addr *addr)
{
	memset(ret_sockaddr, 0, sizeof(*ret_sockaddr));
	switch (addr->family) {
	case HW_FAMILY_IPV4:
		ret_sockaddr->in4.sin_family = AF_INET;
		ret_sockaddr->in4.sin_port = htons(addr->port);
		memcpy(&ret_sockaddr->in4.sin_addr, addr->ip, 4);
		return sizeof(ret_sockaddr->in4);
	case HW_FAMILY_IPV6:
		ret_sockaddr->in6.sin6_family = AF_INET6;
		ret_sockaddr->in6.sin6_port = htons(addr->port);
		memcpy(&ret_sockaddr->in6.sin6_addr, addr->ip, 16);
		ret_sockaddr->in6.sin6_scope_id = addr->scope;
		return sizeof(ret_sockaddr->in6);
	default:
		return 0;
	}
}

void hw_addr_from_in4(const struct in_addr *in4, struct hw_addr *ret_addr)
{
	memset(ret_addr, 0, sizeof(*ret_addr));
	ret_addr->family = HW_FAMILY_IPV4;
	memcpy(ret_addr->ip, in4, 4);
}

void hw_addr_from_in6(const struct in6_addr *in6, uint32_t scope, struct hw_addr *ret_addr)
{
	memset(ret_addr, 0, sizeof(*ret_addr));
	ret_addr->family = HW_FAMILY_IPV6;
	memcpy(ret_addr->ip, in6, 16);
	/* Elsewhere a scope means nothing, and would make one address look like two. */
	if (IN6_IS_ADDR_LINKLOCAL(in6))
		ret_addr->scope = scope;
}

void hw_sockaddr_to(const struct sockaddr *sa, struct hw_addr *ret_addr)
{
	const union hw_sockaddr *from = (const void *)sa;

	switch (sa->sa_family) {
	case AF_INET:
		hw_addr_from_in4(&from->in4.sin_addr, ret_addr);
		ret_addr->port = ntohs(from->in4.sin_port);
		break;
	case AF_INET6:
		hw_addr_from_in6(&from->in6.sin6_addr, from->in6.sin6_scope_id, ret_addr);
		ret_addr->port = ntohs(from->in6.sin6_port);
		break;
	default:
		memset(ret_addr, 0, sizeof(*ret_addr));
		break;
	}
}
