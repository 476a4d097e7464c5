#include "lab/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "lab/tap.h"

#define ETHERNET_BYTES 14u
#define BATCH 64u /* frames of one device before the others get their turn */

hw_time hw_lab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (hw_time)ts.tv_sec * HW_NS_PER_S + (hw_time)ts.tv_nsec;
}

static struct hw_lab_frame *frame_get(struct hw_lab_frames *frames)
{
	struct hw_lab_frame *frame = frames->free;

	if (frame)
		frames->free = frame->next;
	else
		frame = malloc(sizeof(*frame));
	return frame;
}

static void frame_put(struct hw_lab_frames *frames, struct hw_lab_frame *frame)
{
	frame->next = frames->free;
	frames->free = frame;
}

static void *frame_clone(void *ctx, void *packet)
{
	const struct hw_lab_frame *frame = packet;
	struct hw_lab_frame *copy = frame_get(ctx);

	if (copy) {
		copy->bytes = frame->bytes;
		memcpy(copy->data, frame->data, frame->bytes);
	}
	return copy;
}

static void frame_drop(void *ctx, void *packet, enum hw_link_fate fate)
{
	(void)fate; /* the model counts */
	frame_put(ctx, packet);
}

void hw_lab_init(struct hw_lab *lab, int epoll, uint64_t seed)
{
	memset(lab, 0, sizeof(*lab));
	lab->epoll = epoll;
	lab->seed = seed;
}

static void link_fini(struct hw_lab_link *link)
{
	for (unsigned i = 0; i < 2; i++) {
		hw_linkmodel_free(link->directions[i].packets);
		hw_linkmodel_free(link->directions[i].neighbours);
		if (link->ends[i].fd >= 0)
			close(link->ends[i].fd);
	}
}

void hw_lab_fini(struct hw_lab *lab)
{
	struct hw_lab_frame *frame;

	for (unsigned i = 0; i < lab->link_count; i++)
		link_fini(&lab->links[i]);
	hw_trace_store_fini(&lab->recordings);
	while ((frame = lab->frames.free)) {
		lab->frames.free = frame->next;
		free(frame);
	}
}

struct hw_lab_link *hw_lab_find(struct hw_lab *lab, const char *name)
{
	for (unsigned i = 0; i < lab->link_count; i++) {
		if (strcmp(lab->links[i].name, name) == 0)
			return &lab->links[i];
	}
	return NULL;
}

/* An end is known to epoll as its link's number and its side. */
int hw_lab_attach(struct hw_lab *lab, struct hw_lab_link *link, unsigned end)
{
	struct hw_lab_end *e = &link->ends[end];
	struct epoll_event event = {.events = EPOLLIN};
	int fd, saved;

	if (e->fd >= 0)
		return HW_E_STATE;
	event.data.u32 = (uint32_t)(link - lab->links) * 2 + end;
	if (hw_lab_tap_open(e->netns, e->device, &fd) != 0)
		return HW_E_SYSTEM;
	if (epoll_ctl(lab->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return HW_E_SYSTEM;
	}
	e->fd = fd;
	return 0;
}

static void detach(struct hw_lab_end *end)
{
	close(end->fd); /* and epoll forgets it */
	end->fd = -1;
}

static int models_new(struct hw_lab *lab, struct hw_lab_link *link, hw_time start)
{
	const struct hw_link_owner owner = {
		.ctx = &lab->frames, .clone = frame_clone, .drop = frame_drop};
	const struct hw_link_params perfect = {0};
	uint64_t seed = lab->seed + (uint64_t)(link - lab->links) * 4;
	int rc = 0;

	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		rc = hw_linkmodel_new(&perfect, seed + i, start, &owner, &link->directions[i].packets);
		if (rc == 0)
			rc = hw_linkmodel_new(&perfect, seed + 2 + i, start, &owner,
					      &link->directions[i].neighbours);
	}
	return rc;
}

static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < HW_LAB_NAME_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

int hw_lab_add(struct hw_lab *lab, const char *name, const char *const netns[2],
	       const char *const devices[2], hw_time now)
{
	struct hw_lab_link *link = &lab->links[lab->link_count];
	int rc;

	if (lab->link_count == HW_LAB_MAX_LINKS)
		return HW_E_LIMIT;
	if (hw_lab_find(lab, name) || !name_fits(name) || strchr(name, '.'))
		return HW_E_INVAL;
	memset(link, 0, sizeof(*link));
	snprintf(link->name, sizeof(link->name), "%s", name);
	for (unsigned i = 0; i < 2; i++) {
		struct hw_lab_end *end = &link->ends[i];

		end->fd = -1;
		if (!name_fits(devices[i]) || strlen(netns[i]) >= sizeof(end->netns))
			return HW_E_INVAL;
		snprintf(end->netns, sizeof(end->netns), "%s", netns[i]);
		snprintf(end->device, sizeof(end->device), "%s", devices[i]);
	}
	if (lab->start == 0)
		lab->start = now;
	rc = models_new(lab, link, lab->start);
	for (unsigned i = 0; i < 2 && rc == 0; i++)
		rc = hw_lab_attach(lab, link, i);
	if (rc != 0) {
		link_fini(link);
		return rc;
	}
	lab->link_count++;
	return 0;
}

void hw_lab_remove_last(struct hw_lab *lab)
{
	link_fini(&lab->links[--lab->link_count]);
}

int hw_lab_change(struct hw_lab_link *link, unsigned direction, hw_time now,
		  const struct hw_lab_params *params)
{
	struct hw_lab_direction *d = &link->directions[direction];
	struct hw_lab_params before = d->params;
	struct hw_link_params packets, neighbours;
	int rc;

	d->params = *params;
	packets = hw_lab_params_link(&d->params);
	neighbours = (struct hw_link_params){.down = packets.down,
					     .delay_ns = packets.delay_ns,
					     .outages = packets.outages,
					     .outage_count = packets.outage_count,
					     .outage_period_ns = packets.outage_period_ns};
	rc = hw_linkmodel_change(d->packets, now, &packets);
	if (rc != 0) {
		d->params = before;
		return rc;
	}
	return hw_linkmodel_change(d->neighbours, now, &neighbours);
}

/* ARP, and the ICMPv6 messages 133 to 137 of RFC 4861. */
static bool resolves_neighbours(const uint8_t *frame, uint32_t bytes)
{
	unsigned type = hw_load16(frame + 12);

	if (type == 0x0806)
		return true;
	return type == 0x86dd && bytes > ETHERNET_BYTES + 40 && frame[ETHERNET_BYTES + 6] == 58 &&
	       frame[ETHERNET_BYTES + 40] >= 133 && frame[ETHERNET_BYTES + 40] <= 137;
}

static void enqueue(struct hw_lab *lab, struct hw_lab_direction *direction,
		    struct hw_lab_frame *frame)
{
	struct hw_linkmodel *model = resolves_neighbours(frame->data, frame->bytes)
					     ? direction->neighbours
					     : direction->packets;

	if (hw_linkmodel_enqueue(model, hw_lab_now(), frame, frame->bytes - ETHERNET_BYTES) !=
	    HW_LINK_PASSED)
		frame_put(&lab->frames, frame);
}

void hw_lab_readable(struct hw_lab *lab, uint32_t token)
{
	struct hw_lab_link *link = &lab->links[token / 2];
	struct hw_lab_end *end = &link->ends[token % 2];

	for (unsigned i = 0; i < BATCH && end->fd >= 0; i++) {
		struct hw_lab_frame *frame = frame_get(&lab->frames);
		ssize_t n = frame ? read(end->fd, frame->data, sizeof(frame->data)) : -1;

		if (n > (ssize_t)ETHERNET_BYTES) {
			frame->bytes = (uint32_t)n;
			end->read_frames++;
			enqueue(lab, &link->directions[token % 2], frame);
			continue;
		}
		/* EAGAIN: read empty. EIO: the interface is down now. Else the device was deleted. */
		if (n < 0 && frame && errno != EAGAIN && errno != EIO && errno != EINTR)
			detach(end);
		if (frame)
			frame_put(&lab->frames, frame);
		return;
	}
}

static void count_lateness(struct hw_lab *lab, hw_time late)
{
	hw_time us = late / HW_NS_PER_US;

	lab->late_us[us < HW_LAB_LATE_US ? us : HW_LAB_LATE_US]++;
}

static hw_time deliver_model(struct hw_lab *lab, struct hw_linkmodel *model, struct hw_lab_end *to)
{
	struct hw_link_delivery delivery;
	hw_time now = hw_lab_now();

	while (hw_linkmodel_dequeue(model, now, &delivery)) {
		struct hw_lab_frame *frame = delivery.packet;

		if (delivery.corrupt)
			hw_link_corrupt(delivery.corrupt, frame->data + ETHERNET_BYTES,
					frame->bytes - ETHERNET_BYTES);
		if (to->fd < 0 || write(to->fd, frame->data, frame->bytes) < 0) {
			to->write_errors++;
			if (to->fd >= 0 && errno == EBADFD)
				detach(to);
		} else {
			to->written_frames++;
		}
		now = hw_lab_now();
		count_lateness(lab, now - delivery.at);
		frame_put(&lab->frames, frame);
	}
	return hw_linkmodel_next(model);
}

hw_time hw_lab_deliver(struct hw_lab *lab)
{
	hw_time next = HW_TIME_NEVER;

	for (unsigned i = 0; i < lab->link_count; i++) {
		struct hw_lab_link *link = &lab->links[i];

		for (unsigned d = 0; d < 2; d++) {
			struct hw_lab_end *to = &link->ends[1 - d];

			next = hw_time_min(next, deliver_model(lab, link->directions[d].packets, to));
			next = hw_time_min(next, deliver_model(lab, link->directions[d].neighbours, to));
		}
	}
	return next;
}

static unsigned late_quantile(const struct hw_lab *lab, uint64_t total, double share)
{
	uint64_t seen = 0;

	for (unsigned us = 0; us < HW_LAB_LATE_US; us++) {
		seen += lab->late_us[us];
		if ((double)seen >= share * (double)total)
			return us;
	}
	return HW_LAB_LATE_US;
}

static void print_lateness(const struct hw_lab *lab, FILE *out)
{
	uint64_t total = 0;

	for (unsigned us = 0; us <= HW_LAB_LATE_US; us++)
		total += lab->late_us[us];
	fprintf(out, "\"frames\":%llu,\"late_us\":{\"p50\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u}",
		(unsigned long long)total, late_quantile(lab, total, 0.5),
		late_quantile(lab, total, 0.99), late_quantile(lab, total, 0.999),
		late_quantile(lab, total, 1));
}

static void print_direction(const struct hw_lab_link *link, unsigned d, FILE *out)
{
	const struct hw_link_stats *s = hw_linkmodel_stats(link->directions[d].packets);

	fprintf(out,
		"{\"from\":\"%s\",\"to\":\"%s\",\"down\":%s,\"offered_packets\":%llu,"
		"\"offered_bytes\":%llu,\"passed_bytes\":%llu,\"delivered_packets\":%llu,"
		"\"delivered_bytes\":%llu,\"queued\":%llu,\"in_flight\":%llu,\"duplicated\":%llu,"
		"\"corrupted\":%llu,\"max_queue_bytes\":%llu,\"write_errors\":%llu,\"fates\":{",
		link->ends[d].device, link->ends[1 - d].device,
		hw_linkmodel_params(link->directions[d].packets)->down ? "true" : "false",
		(unsigned long long)s->offered_packets, (unsigned long long)s->offered_bytes,
		(unsigned long long)s->passed_bytes, (unsigned long long)s->delivered_packets,
		(unsigned long long)s->delivered_bytes, (unsigned long long)s->queued,
		(unsigned long long)s->in_flight, (unsigned long long)s->duplicated,
		(unsigned long long)s->corrupted, (unsigned long long)s->max_queue_bytes,
		(unsigned long long)link->ends[1 - d].write_errors);
	for (unsigned i = 0; i < HW_LINK_FATES; i++)
		fprintf(out, "%s\"%s\":%llu", i ? "," : "", hw_link_fate_name((enum hw_link_fate)i),
			(unsigned long long)s->fates[i]);
	fprintf(out, "}}");
}

void hw_lab_print_stats(const struct hw_lab *lab, FILE *out)
{
	fprintf(out, "{");
	print_lateness(lab, out);
	fprintf(out, ",\"links\":{");
	for (unsigned i = 0; i < lab->link_count; i++) {
		fprintf(out, "%s\"%s\":{\"ab\":", i ? "," : "", lab->links[i].name);
		print_direction(&lab->links[i], 0, out);
		fprintf(out, ",\"ba\":");
		print_direction(&lab->links[i], 1, out);
		fprintf(out, "}");
	}
	fprintf(out, "}}");
}

void hw_lab_reset_lateness(struct hw_lab *lab)
{
	memset(lab->late_us, 0, sizeof(lab->late_us));
}
