/*
 * Receiving and sending in batches.
 *
 * System calls for each datagram under load: 1/64 to receive (recvmmsg takes what waits, up to 64)
 * and 1/64 to send, or less where runs of datagrams of one size to one address go out as one
 * message that the kernel cuts (UDP_SEGMENT, "GSO"). Idle, it is one of each.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "io/clock.h"
#include "io/sockaddr.h"
#include "io/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define RX_CONTROL_BYTES 128u /* timestamp 32, packet info 40, class 24 */
#define TX_CONTROL_BYTES 96u  /* packet info 40, class 24, segment 24 */

/* A message that is cut into datagrams: as many and as much as every kernel since 4.18 takes. */
#define SEGMENTS_MAX 64u
#define SEGMENTED_BYTES_MAX 65000u

/* Datagrams of one socket that one round of hw_udp_send looks at. */
#define LIST_MAX 256u

/* A stamp older than this is the wall clock having been set, not a datagram having waited. */
#define STAMP_AGE_MAX HW_S(1)

struct receive_slot {
	struct hw_buf *buf;
	struct iovec iov;
	union hw_sockaddr from;
	alignas(struct cmsghdr) uint8_t control[RX_CONTROL_BYTES];
};

struct send_slot {
	union hw_sockaddr to;
	uint32_t first; /* in list */
	uint32_t count;
	uint32_t bytes;
	uint32_t segment_bytes; /* of each datagram but the last */
	bool closed;            /* the last one was shorter: no other may follow */
	alignas(struct cmsghdr) uint8_t control[TX_CONTROL_BYTES];
};

struct hw_udp_batch {
	struct hw_pool *pool;
	uint32_t rx_used; /* slots from here on are as prepare left them */
	struct mmsghdr rx_messages[HW_UDP_BATCH];
	struct receive_slot rx[HW_UDP_BATCH];
	struct mmsghdr tx_messages[HW_UDP_BATCH];
	struct send_slot tx[HW_UDP_BATCH];
	struct iovec tx_iov[2 * LIST_MAX];
	const struct hw_datagram_out *list[LIST_MAX];
};

struct send_report {
	void (*failed)(void *ctx, const struct hw_tuple *tuple, bool gone);
	void *ctx;
	bool not_cutting; /* a datagram was refused by itself, too */
};

int hw_udp_batch_new(struct hw_pool *pool, struct hw_udp_batch **ret_batch)
{
	struct hw_udp_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return HW_E_NOMEM;
	batch->pool = pool;
	batch->rx_used = HW_UDP_BATCH;
	*ret_batch = batch;
	return 0;
}

void hw_udp_batch_free(struct hw_udp_batch *batch)
{
	if (!batch)
		return;
	for (uint32_t i = 0; i < HW_UDP_BATCH; i++)
		hw_buf_unref(batch->rx[i].buf);
	free(batch);
}

/*
 * Give every slot an empty buffer; gives how many have one. Only the slots that the last call used
 * are touched: a lone datagram must not cost the cache misses of sixty-four.
 */
static uint32_t prepare(struct hw_udp_batch *batch)
{
	for (uint32_t i = 0; i < batch->rx_used; i++) {
		struct receive_slot *slot = &batch->rx[i];

		if (!slot->buf)
			slot->buf = hw_buf_get(batch->pool);
		if (!slot->buf)
			return i;
		slot->iov.iov_base = slot->buf->data;
		slot->iov.iov_len = hw_buf_tailroom(slot->buf);
		batch->rx_messages[i].msg_hdr = (struct msghdr){
			.msg_name = &slot->from,
			.msg_namelen = sizeof(slot->from),
			.msg_iov = &slot->iov,
			.msg_iovlen = 1,
			.msg_control = slot->control,
			.msg_controllen = sizeof(slot->control),
		};
	}
	batch->rx_used = 0;
	return HW_UDP_BATCH;
}

static uint32_t overhead_bytes(enum hw_udp_socket_family family)
{
	return family == HW_UDP_V4 ? HW_UDP_V4_OVERHEAD_BYTES : HW_UDP_V6_OVERHEAD_BYTES;
}

static void count_received(struct hw_udp *udp, enum hw_udp_socket_family family, size_t payload)
{
	udp->counters.rx_packets++;
	udp->counters.rx_bytes += payload + overhead_bytes(family);
}

static void count_sent(struct hw_udp *udp, enum hw_udp_socket_family family,
		       const struct send_slot *slots, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		udp->counters.tx_packets += slots[i].count;
		udp->counters.tx_bytes +=
			slots[i].bytes + (uint64_t)slots[i].count * overhead_bytes(family);
	}
}

/* Take datagrams off the socket without a buffer for them, so that the loop does not spin on them. */
static void discard(struct hw_udp *udp, enum hw_udp_socket_family family)
{
	uint8_t byte;

	for (uint32_t i = 0; i < HW_UDP_BATCH; i++) {
		/* MSG_TRUNC: the length that it had. */
		ssize_t n = recv(udp->fd[family], &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0)
			return;
		count_received(udp, family, (size_t)n);
		udp->counters.rx_no_buffer++;
	}
}

/*
 * The kernel stamps by the wall clock. Both clocks are read once a batch, and the age of each
 * datagram is what counts: a wall clock set in between spoils at most that batch, and is bounded
 * here.
 */
struct stamp_base {
	uint64_t wall_ns;
	hw_time mono;
	hw_time now;
};

#define CLOCKS_APART (20 * HW_NS_PER_US) /* some clock readings; far below what delays are measured to */
#define CLOCKS_TRIES 4

/* A process that is put aside between the two readings would date all that has come too late. */
static struct stamp_base read_clocks(hw_time now)
{
	struct stamp_base base = {.now = now};
	hw_time before, after = hw_clock_now();
	int tries = 0;

	do {
		before = after;
		base.wall_ns = hw_clock_wall_ns();
		after = hw_clock_now();
	} while (after - before > CLOCKS_APART && ++tries < CLOCKS_TRIES);
	base.mono = before;
	return base;
}

static hw_time stamp_to_time(const struct stamp_base *base, const struct timespec *stamp)
{
	uint64_t wall_ns = (uint64_t)stamp->tv_sec * HW_NS_PER_S + (uint64_t)stamp->tv_nsec;
	uint64_t age = hw_time_since(base->wall_ns, wall_ns);

	if (age > STAMP_AGE_MAX)
		return base->now;
	return hw_time_min(hw_time_since(base->mono, age), base->now);
}

static void read_ancillary(struct msghdr *msg, const struct stamp_base *base, struct hw_datagram *in)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		const uint8_t *data = CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec stamp;

			memcpy(&stamp, data, sizeof(stamp));
			in->at = stamp_to_time(base, &stamp);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, data, sizeof(info));
			hw_addr_from_in4(&info.ipi_spec_dst, &in->tuple.local);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, data, sizeof(info));
			if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
				hw_addr_from_in6(&info.ipi6_addr, info.ipi6_ifindex,
						 &in->tuple.local);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			in->tos = data[0];
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			int tclass;

			memcpy(&tclass, data, sizeof(tclass));
			in->tos = (uint8_t)tclass;
		}
	}
}

/* Make what the system call left in the slots into datagrams; gives how many. */
static int collect(struct hw_udp *udp, enum hw_udp_socket_family family, struct hw_udp_batch *batch,
		   uint32_t received, hw_time now, struct hw_datagram *ret_in)
{
	const struct stamp_base base = read_clocks(now);
	int count = 0;

	for (uint32_t i = 0; i < received; i++) {
		struct receive_slot *slot = &batch->rx[i];
		struct mmsghdr *message = &batch->rx_messages[i];
		struct hw_datagram *in = &ret_in[count];

		count_received(udp, family, message->msg_len);
		if (message->msg_hdr.msg_flags & MSG_TRUNC) {
			udp->counters.rx_truncated++;
			continue; /* the slot keeps its buffer */
		}
		*in = (struct hw_datagram){.buf = slot->buf, .at = now};
		in->tuple.link = udp->config.link;
		hw_sockaddr_to(&slot->from.sa, &in->tuple.remote);
		read_ancillary(&message->msg_hdr, &base, in);
		(void)hw_buf_put(slot->buf, message->msg_len);
		slot->buf->at = in->at;
		slot->buf = NULL;
		count++;
	}
	return count;
}

int hw_udp_receive(struct hw_udp *udp, enum hw_udp_socket_family family,
		   struct hw_udp_batch *batch, hw_time now,
		   struct hw_datagram ret_in[HW_UDP_BATCH])
{
	int fd = udp->fd[family];
	uint32_t room = prepare(batch);
	int n;

	if (room == 0) {
		discard(udp, family);
		return 0;
	}
	n = recvmmsg(fd, batch->rx_messages, room, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (n >= 0) {
		if ((uint32_t)n > batch->rx_used)
			batch->rx_used = (uint32_t)n;
		return collect(udp, family, batch, (uint32_t)n, now, ret_in);
	}
	switch (errno) {
	case ENODEV:
	case ENXIO:
		return HW_E_NOT_FOUND;
	case EBADF:
	case ENOTSOCK:
	case EFAULT:
	case EINVAL:
		return HW_E_SYSTEM;
	default:
		/* Nothing there, or an ICMP message about something sent earlier: no news to us. */
		return 0;
	}
}

static uint32_t datagram_bytes(const struct hw_datagram_out *out)
{
	return out->head_bytes + out->body->len;
}

/* May `out` follow what is in the slot, as one message that the kernel cuts? */
static bool continues(const struct send_slot *slot, const struct hw_datagram_out *previous,
		      const struct hw_datagram_out *out)
{
	return !slot->closed && slot->count < SEGMENTS_MAX && !out->alone && !previous->alone &&
	       datagram_bytes(out) <= slot->segment_bytes &&
	       slot->bytes + datagram_bytes(out) <= SEGMENTED_BYTES_MAX &&
	       out->tos == previous->tos && hw_tuple_equal(&out->tuple, &previous->tuple);
}

static struct cmsghdr *put_ancillary(struct msghdr *msg, struct cmsghdr *c, int level, int type,
				     const void *data, size_t len)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
	return (struct cmsghdr *)(void *)((uint8_t *)c + CMSG_SPACE(len));
}

/* Which address of ours to send from, the class, and how to cut. */
static void write_ancillary(const struct hw_udp *udp, struct send_slot *slot, struct msghdr *msg,
			    const struct hw_datagram_out *out)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)slot->control;
	bool v4 = out->tuple.remote.family == HW_FAMILY_IPV4;

	memset(slot->control, 0, sizeof(slot->control));
	if (out->tuple.local.family == HW_FAMILY_IPV4 && v4) {
		struct in_pktinfo info = {0};

		memcpy(&info.ipi_spec_dst, out->tuple.local.ip, 4);
		c = put_ancillary(msg, c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else if (out->tuple.local.family == HW_FAMILY_IPV6 && !v4) {
		struct in6_pktinfo info = {.ipi6_ifindex = out->tuple.local.scope};

		memcpy(&info.ipi6_addr, out->tuple.local.ip, 16);
		c = put_ancillary(msg, c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	if (udp->config.tos) {
		int tos = out->tos;

		c = put_ancillary(msg, c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS,
				  &tos, sizeof(tos));
	}
	if (slot->count > 1) {
		uint16_t segment = (uint16_t)slot->segment_bytes;

		put_ancillary(msg, c, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	}
	msg->msg_control = msg->msg_controllen > 0 ? slot->control : NULL;
}

/* Lay list[from..count) out as messages; gives how many messages, at most HW_UDP_BATCH. */
static uint32_t assemble(const struct hw_udp *udp, enum hw_udp_socket_family family,
			 struct hw_udp_batch *batch, uint32_t from, uint32_t count)
{
	struct iovec *iov = batch->tx_iov;
	uint32_t messages = 0;

	for (uint32_t i = from; i < count && messages < HW_UDP_BATCH;) {
		struct send_slot *slot = &batch->tx[messages];
		struct msghdr *msg = &batch->tx_messages[messages].msg_hdr;
		const struct hw_datagram_out *first = batch->list[i];

		*msg = (struct msghdr){.msg_iov = iov, .msg_name = &slot->to};
		msg->msg_namelen = hw_sockaddr_from(&slot->to, &first->tuple.remote);
		slot->first = i;
		slot->count = slot->bytes = 0;
		slot->closed = false;
		slot->segment_bytes = datagram_bytes(first);
		do {
			const struct hw_datagram_out *out = batch->list[i++];

			/* sendmsg does not write through these, whatever the type says. */
			if (out->head_bytes > 0)
				*iov++ = (struct iovec){(void *)(uintptr_t)out->head,
							out->head_bytes};
			*iov++ = (struct iovec){out->body->data, out->body->len};
			slot->count++;
			slot->bytes += datagram_bytes(out);
			slot->closed = datagram_bytes(out) < slot->segment_bytes;
		} while (udp->gso[family] && i < count &&
			 continues(slot, batch->list[i - 1], batch->list[i]));
		msg->msg_iovlen = (size_t)(iov - msg->msg_iov);
		write_ancillary(udp, slot, msg, first);
		messages++;
	}
	return messages;
}

enum verdict { RETRY, RETRY_UNCUT, SKIP, STOP };

/* What a refusal of the message in this slot means for it and for those behind it. */
static enum verdict judge(struct hw_udp *udp, enum hw_udp_socket_family family,
			  const struct send_slot *slot, const struct hw_tuple *tuple, int error,
			  struct send_report *report)
{
	switch (error) {
	case EINTR:
	case ECONNREFUSED: /* an ICMP message about an earlier datagram; reading it cleared it */
		return RETRY;
	case ENOBUFS:
	case ENOMEM:
		/* Of the device or the system: the path cannot be relied on. */
		report->failed(report->ctx, tuple, false);
		return STOP;
	case EAGAIN:
		/*
		 * Full. Waiting would hold up the other links, and a later copy is worth less than
		 * the next packet: the rest of this socket's batch is dropped.
		 */
		return STOP;
	case EMSGSIZE:
	case EINVAL:
	case EIO:
	case EOPNOTSUPP:
		if (slot->count > 1) {
			/* A device that cannot have them cut, or they are too large: see below. */
			udp->gso[family] = false;
			return RETRY_UNCUT;
		}
		if (error == EMSGSIZE) {
			udp->counters.tx_refused++;
			report->not_cutting = true;
			if (udp->too_big != NULL)
				udp->too_big(report->ctx, tuple, slot->bytes);
			return SKIP; /* says nothing about the path */
		}
		break;
	default:
		break;
	}
	/* Refused one by one too: that it was to be cut was not what was wrong. */
	report->not_cutting = true;
	udp->counters.tx_refused += slot->count;
	report->failed(report->ctx, tuple, error == ENODEV || error == ENXIO);
	return SKIP;
}

static void send_list(struct hw_udp *udp, enum hw_udp_socket_family family,
		      struct hw_udp_batch *batch, uint32_t count, struct send_report *report)
{
	uint32_t retries = 0;
	uint32_t next = 0; /* first datagram of the list that is not dealt with */

	while (next < count) {
		uint32_t messages = assemble(udp, family, batch, next, count);
		uint32_t done = 0;

		while (done < messages) {
			struct send_slot *slot = &batch->tx[done];
			enum verdict verdict;
			int n = sendmmsg(udp->fd[family], batch->tx_messages + done,
					 messages - done, MSG_DONTWAIT);

			if (n > 0) {
				count_sent(udp, family, slot, (uint32_t)n);
				done += (uint32_t)n;
				slot = &batch->tx[done - 1];
				next = slot->first + slot->count;
				continue;
			}
			verdict = judge(udp, family, slot, &batch->list[slot->first]->tuple, errno,
					report);
			if (verdict == RETRY && ++retries > HW_UDP_BATCH)
				verdict = STOP;
			if (verdict == STOP) {
				udp->counters.tx_full += count - next;
				return;
			}
			if (verdict == RETRY_UNCUT)
				break; /* lay out again from `next` */
			if (verdict == SKIP) {
				next = slot->first + slot->count;
				done++;
			}
		}
	}
}

/*
 * A message to be cut that was refused is tried uncut, and the socket no more asked to cut, unless its
 * datagrams turn out to be refused one by one: too large, or from an address that is no more.
 */
static void send_listed(struct hw_udp *udp, enum hw_udp_socket_family family,
			struct hw_udp_batch *batch, uint32_t count, struct send_report *report)
{
	bool gso = udp->gso[family];

	report->not_cutting = false;
	send_list(udp, family, batch, count, report);
	if (report->not_cutting)
		udp->gso[family] = gso;
}

static void refuse_list(struct hw_udp *udp, struct hw_udp_batch *batch, uint32_t count,
			const struct send_report *report)
{
	udp->counters.tx_refused += count;
	for (uint32_t i = 0; i < count; i++)
		report->failed(report->ctx, &batch->list[i]->tuple, !hw_udp_is_open(udp));
}

void hw_udp_send(struct hw_udp *udp, struct hw_udp_batch *batch, const struct hw_datagram_out *out,
		 size_t count,
		 void (*failed)(void *ctx, const struct hw_tuple *tuple, bool gone), void *ctx)
{
	struct send_report report = {.failed = failed, .ctx = ctx};

	for (int i = 0; i < HW_UDP_SOCKETS; i++) {
		uint8_t wanted = i == HW_UDP_V4 ? HW_FAMILY_IPV4 : HW_FAMILY_IPV6;
		size_t at = 0;

		while (at < count) {
			uint32_t listed = 0;

			for (; at < count && listed < LIST_MAX; at++) {
				if (out[at].tuple.link == udp->config.link &&
				    out[at].tuple.remote.family == wanted)
					batch->list[listed++] = &out[at];
			}
			if (listed == 0)
				continue;
			if (udp->fd[i] >= 0)
				send_listed(udp, (enum hw_udp_socket_family)i, batch, listed, &report);
			else
				refuse_list(udp, batch, listed, &report);
		}
	}
}
