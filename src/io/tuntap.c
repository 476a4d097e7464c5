#include "io/tuntap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/netlink.h"

#define DEVICE "/dev/net/tun"

/* What may wait for us: a full window of one fast flow, without seconds of it on a slow one. */
#define QUEUE_PACKETS 1000u

HW_PRINTF(3, 4) static int explain(char *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, HW_TUNTAP_ERROR_BYTES, format, args);
	va_end(args);
	return code;
}

static int explain_open(char *error)
{
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return explain(error, HW_E_UNSUPPORTED,
			       "there is no " DEVICE ": load the module (modprobe tun), or give "
			       "the container that device");
	case EACCES:
	case EPERM:
		return explain(error, HW_E_AUTH,
			       "not permitted to open " DEVICE ": run as root, or with "
			       "CAP_NET_ADMIN");
	default:
		return explain(error, HW_E_SYSTEM, "cannot open " DEVICE ": %s", strerror(errno));
	}
}

static int explain_create(char *error, struct hw_netlink *netlink, const char *name)
{
	struct hw_interface other;

	switch (errno) {
	case EPERM:
	case EACCES:
		return explain(error, HW_E_AUTH,
			       "not permitted to create device %s: run as root, or with "
			       "CAP_NET_ADMIN", name);
	case EBUSY:
		return explain(error, HW_E_STATE,
			       "device %s is in use by another program: stop that, or choose "
			       "another name", name);
	case EINVAL:
		if (hw_netlink_interface(netlink, name, &other) == 0)
			return explain(error, HW_E_STATE,
				       "there is an interface %s already, of another kind: choose "
				       "another name", name);
		return explain(error, HW_E_INVAL, "the kernel does not take %s as a device's name",
			       name);
	default:
		return explain(error, HW_E_SYSTEM, "cannot create device %s: %s", name,
			       strerror(errno));
	}
}

static int explain_change(char *error, int code, const char *name, const char *what)
{
	switch (code) {
	case HW_E_AUTH:
		return explain(error, code,
			       "not permitted to set the %s of %s: run as root, or with "
			       "CAP_NET_ADMIN", what, name);
	case HW_E_INVAL:
		return explain(error, code, "the kernel refuses the %s given for %s", what, name);
	default:
		return explain(error, code, "cannot set the %s of %s: %s", what, name,
			       code == HW_E_SYSTEM ? strerror(errno) : hw_strerror(code));
	}
}

static int set_hardware(const struct hw_tuntap *tuntap, const struct hw_tuntap_config *config,
			char *error)
{
	struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

	if (!config->tap || config->hardware == NULL)
		return 0;
	memcpy(request.ifr_hwaddr.sa_data, config->hardware, ETH_ALEN);
	if (ioctl(tuntap->fd, SIOCSIFHWADDR, &request) == 0)
		return 0;
	return explain(error, HW_E_SYSTEM, "cannot set the Ethernet address of %s: %s", tuntap->name,
		       strerror(errno));
}

/* MTU and addresses, then up. */
static int set_up(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
		  const struct hw_tuntap_config *config, char *error)
{
	struct hw_interface_change change = {.mtu_bytes = config->mtu_bytes,
					     .queue_packets = QUEUE_PACKETS};
	struct hw_interface interface;
	int err = hw_netlink_interface(netlink, tuntap->name, &interface);

	if (err < 0)
		return explain_change(error, err, tuntap->name, "state");
	tuntap->index = interface.index;
	err = hw_netlink_change(netlink, tuntap->index, &change);
	if (err < 0)
		return explain_change(error, err, tuntap->name, "MTU");
	for (size_t i = 0; i < config->address_count; i++) {
		err = hw_netlink_address(netlink, tuntap->index, &config->addresses[i].addr,
					 config->addresses[i].prefix_bits);
		if (err < 0)
			return explain_change(error, err, tuntap->name, "address");
	}
	change = (struct hw_interface_change){.up = true, .alias = HW_INTERFACE_TUNNEL_ALIAS};
	err = hw_netlink_change(netlink, tuntap->index, &change);
	return err < 0 ? explain_change(error, err, tuntap->name, "state (up)") : 0;
}

int hw_tuntap_open(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
		   const struct hw_tuntap_config *config, char error[HW_TUNTAP_ERROR_BYTES])
{
	struct ifreq request = {0};
	int err;

	memset(tuntap, 0, sizeof(*tuntap));
	tuntap->tap = config->tap;
	tuntap->fd = -1;
	if (config->name[0] == '\0' || strlen(config->name) >= sizeof(request.ifr_name))
		return explain(error, HW_E_INVAL, "a device's name has 1 to %zu characters",
			       sizeof(request.ifr_name) - 1);
	tuntap->fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tuntap->fd < 0)
		return explain_open(error);
	strcpy(request.ifr_name, config->name);
	request.ifr_flags = (short)((config->tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
	if (ioctl(tuntap->fd, TUNSETIFF, &request) < 0) {
		err = explain_create(error, netlink, config->name);
		goto fail;
	}
	memcpy(tuntap->name, request.ifr_name, sizeof(tuntap->name));
	err = set_hardware(tuntap, config, error);
	if (err < 0)
		goto fail;
	err = set_up(tuntap, netlink, config, error);
	if (err < 0)
		goto fail;
	return 0;
fail:
	hw_tuntap_close(tuntap);
	return err;
}

int hw_tuntap_set_mtu(struct hw_tuntap *tuntap, struct hw_netlink *netlink, uint32_t mtu_bytes,
		      char error[HW_TUNTAP_ERROR_BYTES])
{
	const struct hw_interface_change change = {.mtu_bytes = mtu_bytes};
	int err = hw_netlink_change(netlink, tuntap->index, &change);

	return err < 0 ? explain_change(error, err, tuntap->name, "MTU") : 0;
}

static bool has_address(const struct hw_tuntap_address *list, size_t count,
			const struct hw_tuntap_address *address)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].prefix_bits == address->prefix_bits &&
		    hw_addr_equal(&list[i].addr, &address->addr))
			return true;
	}
	return false;
}

static int add_addresses(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
			 const struct hw_tuntap_address *list, size_t count, size_t *ret_done)
{
	for (*ret_done = 0; *ret_done < count; ++*ret_done) {
		int err = hw_netlink_address(netlink, tuntap->index, &list[*ret_done].addr,
					     list[*ret_done].prefix_bits);

		if (err < 0)
			return err;
	}
	return 0;
}

/* Those of `list` that `keep` does not have. */
static int remove_addresses(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
			    const struct hw_tuntap_address *list, size_t count,
			    const struct hw_tuntap_address *keep, size_t keep_count)
{
	int err = 0;

	for (size_t i = 0; i < count; i++) {
		int one = 0;

		if (!has_address(keep, keep_count, &list[i]))
			one = hw_netlink_address_remove(netlink, tuntap->index, &list[i].addr,
							list[i].prefix_bits);
		err = err < 0 ? err : one;
	}
	return err;
}

int hw_tuntap_set_addresses(struct hw_tuntap *tuntap, struct hw_netlink *netlink,
			    const struct hw_tuntap_address *was, size_t was_count,
			    const struct hw_tuntap_address *next, size_t next_count,
			    char error[HW_TUNTAP_ERROR_BYTES])
{
	size_t done;
	int err = add_addresses(tuntap, netlink, next, next_count, &done);

	if (err < 0) {
		int saved = errno;

		/* Addresses are taken back one by one, so one that failed is no reason to stop. */
		(void)!remove_addresses(tuntap, netlink, next, done, was, was_count);
		(void)!add_addresses(tuntap, netlink, was, was_count, &done);
		errno = saved;
		return explain_change(error, err, tuntap->name, "address");
	}
	err = remove_addresses(tuntap, netlink, was, was_count, next, next_count);
	/* With the first address of a network the kernel takes its others away: they come back. */
	if (err == 0)
		err = add_addresses(tuntap, netlink, next, next_count, &done);
	return err < 0 ? explain_change(error, err, tuntap->name, "address") : 0;
}

void hw_tuntap_close(struct hw_tuntap *tuntap)
{
	if (tuntap->fd >= 0)
		close(tuntap->fd);
	tuntap->fd = -1;
}

/* One packet without a buffer for it. Returns false when none waits. */
static bool discard(struct hw_tuntap *tuntap)
{
	uint8_t byte;

	if (read(tuntap->fd, &byte, sizeof(byte)) < 0)
		return false;
	tuntap->counters.read_no_buffer++;
	return true;
}

int hw_tuntap_read(struct hw_tuntap *tuntap, struct hw_pool *pool, hw_time now,
		   struct hw_buf **ret_bufs, size_t max)
{
	int count = 0;

	/* One system call for each packet: the device has no call that reads several. */
	for (size_t i = 0; i < max; i++) {
		struct hw_buf *buf = hw_buf_get(pool);
		uint32_t room;
		ssize_t n;

		if (!buf) {
			if (!discard(tuntap))
				break;
			continue;
		}
		room = hw_buf_tailroom(buf);
		n = read(tuntap->fd, buf->data, room);
		if (n <= 0) {
			int error = errno;

			hw_buf_unref(buf);
			errno = error;
			/* What was read before stays good; the failure will still be there. */
			if (n == 0 || count > 0 || error == EAGAIN || error == EINTR)
				break;
			return HW_E_SYSTEM;
		}
		if ((uint32_t)n >= room) {
			/* The kernel cuts without saying so, and no packet may be that large. */
			tuntap->counters.read_truncated++;
			hw_buf_unref(buf);
			continue;
		}
		(void)hw_buf_put(buf, (uint32_t)n);
		buf->at = now;
		ret_bufs[count++] = buf;
	}
	return count;
}

void hw_tuntap_write(struct hw_tuntap *tuntap, struct hw_buf *const *bufs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ssize_t n;

		do
			n = write(tuntap->fd, bufs[i]->data, bufs[i]->len);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			tuntap->counters.write_refused++;
		hw_buf_unref(bufs[i]);
	}
}
