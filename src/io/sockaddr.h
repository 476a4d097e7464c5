/* Addresses between the core's form and the system's. */
#ifndef HW_IO_SOCKADDR_H
#define HW_IO_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"

union hw_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Gives the length; 0 when the address has no family. */
socklen_t hw_sockaddr_from(union hw_sockaddr *ret_sockaddr, const struct hw_addr *addr);

/* Family NONE when it is neither IPv4 nor IPv6. */
void hw_sockaddr_to(const struct sockaddr *sa, struct hw_addr *ret_addr);

/* An IPv4 or IPv6 address without port; the scope is kept for link-local addresses alone. */
void hw_addr_from_in4(const struct in_addr *in4, struct hw_addr *ret_addr);
void hw_addr_from_in6(const struct in6_addr *in6, uint32_t scope, struct hw_addr *ret_addr);

#endif
