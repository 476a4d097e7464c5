#include "lab/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* In the namespace of the caller. */
static int open_here(const char *name, int *ret_fd)
{
	struct ifreq ifr = {0};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int saved;

	if (fd < 0)
		return HW_E_SYSTEM;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return HW_E_SYSTEM;
	}
	*ret_fd = fd;
	return 0;
}

int hw_lab_tap_open(const char *netns, const char *name, int *ret_fd)
{
	int home, there, rc, saved;

	if (strcmp(netns, "-") == 0)
		return open_here(name, ret_fd);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = open(netns, O_RDONLY | O_CLOEXEC);
	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0) {
		rc = HW_E_SYSTEM;
		saved = errno;
		goto out;
	}
	rc = open_here(name, ret_fd);
	saved = errno;
	if (setns(home, CLONE_NEWNET) < 0) {
		/* Cannot happen to one that could leave; staying in a wrong namespace helps nobody. */
		perror("setns");
		_exit(1);
	}
out:
	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	errno = saved;
	return rc;
}
