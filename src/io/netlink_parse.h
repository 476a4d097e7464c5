/*
 * Messages of rtnetlink as news. Of netlink.c's; nobody else needs it.
 *
 * The kernel is trusted, but versions of it differ: what is too short, unknown or not wanted is
 * passed over in silence.
 */
#ifndef HW_IO_NETLINK_PARSE_H
#define HW_IO_NETLINK_PARSE_H

#include "io/netlink.h"

struct nlmsghdr;

/*
 * Tell what one message says: nothing, one piece of news, or, of a route over several interfaces,
 * one for each.
 */
void hw_netlink_parse(const struct nlmsghdr *message, hw_netlink_tell *tell, void *ctx);

#endif
