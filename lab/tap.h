/*
 * TAP devices in other network namespaces.
 */
#ifndef HW_LAB_TAP_H
#define HW_LAB_TAP_H

#include "base/error.h"

/*
 * Create the TAP device `name` in the network namespace that the file `netns` stands for ("-": the
 * caller's own), and give the file to read and write its Ethernet frames, non-blocking. The device
 * lives as long as that file is open. HW_E_SYSTEM, with errno.
 */
HW_MUST_USE int hw_lab_tap_open(const char *netns, const char *name, int *ret_fd);

#endif
