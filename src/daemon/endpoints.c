#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/runtime.h"
#include "io/sockaddr.h"
#include "io/worker.h"

#define BACKOFF_FIRST HW_S(2)
#define BACKOFF_LAST HW_S(60)

/*
 * While no path to its addresses works, a name is looked up again: soon after the last one fell
 * silent, and this often from then on, for the peer may have moved.
 */
#define SOON HW_S(3)
#define REFRESH_FIRST HW_S(5)
#define REFRESH_LAST HW_S(30)

struct lookup {
	struct hw_worker_job job;
	struct hw_daemon *daemon;
	uint32_t set;           /* number */
	uint32_t generation;    /* of the sets */
	uint32_t count;
	uint32_t failed;        /* names that gave no address */
	int failure;            /* of getaddrinfo, of the last of them */
	uint32_t failed_at;     /* which one that was */
	size_t addr_count;
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	struct hw_config_endpoint endpoints[];
};

static void add(struct lookup *lookup, const struct hw_addr *addr)
{
	for (size_t i = 0; i < lookup->addr_count; i++) {
		if (hw_addr_equal(&lookup->addrs[i], addr))
			return;
	}
	if (lookup->addr_count < HW_CORE_MAX_ENDPOINTS)
		lookup->addrs[lookup->addr_count++] = *addr;
}

static int resolve(struct lookup *lookup, const struct hw_config_endpoint *endpoint)
{
	/* No AI_ADDRCONFIG: which families a link has may be another matter than what the host has. */
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *results;
	char port[8];
	int err;

	(void)snprintf(port, sizeof(port), "%u", endpoint->port);
	err = getaddrinfo(endpoint->host, port, &hints, &results);
	if (err != 0)
		return err;
	for (const struct addrinfo *r = results; r; r = r->ai_next) {
		struct hw_addr addr;

		hw_sockaddr_to(r->ai_addr, &addr);
		if (addr.family != HW_FAMILY_NONE)
			add(lookup, &addr);
	}
	freeaddrinfo(results);
	return 0;
}

/* In the resolver's thread: touches nothing but the job. */
static void run(struct hw_worker_job *job)
{
	struct lookup *lookup = (struct lookup *)job;

	for (uint32_t i = 0; i < lookup->count; i++) {
		const struct hw_config_endpoint *endpoint = &lookup->endpoints[i];
		int err;

		if (endpoint->addr.family != HW_FAMILY_NONE) {
			add(lookup, &endpoint->addr);
			continue;
		}
		err = resolve(lookup, endpoint);
		if (err != 0) {
			lookup->failed++;
			lookup->failed_at = i;
			lookup->failure = err;
		}
	}
}

static void drop(struct hw_worker_job *job)
{
	free(job);
}

static bool has(const struct hw_addr *addrs, size_t count, const struct hw_addr *addr)
{
	for (size_t i = 0; i < count; i++) {
		if (hw_addr_equal(&addrs[i], addr))
			return true;
	}
	return false;
}

/* Name servers turn their lists around; the same addresses in another order are no change. */
static bool take_addrs(struct hw_daemon_endpoints *set, const struct hw_addr *addrs, size_t count)
{
	bool same = count == set->addr_count;

	for (size_t i = 0; i < count && same; i++)
		same = has(set->addrs, set->addr_count, &addrs[i]);
	if (same)
		return false;
	memcpy(set->addrs, addrs, count * sizeof(*addrs));
	set->addr_count = count;
	return true;
}

static void done(struct hw_worker_job *job)
{
	struct lookup *lookup = (struct lookup *)job;
	struct hw_daemon *daemon = lookup->daemon;
	struct hw_daemon_endpoints *set = &daemon->endpoints[lookup->set];
	hw_time now = hw_loop_now(daemon->loop);
	bool changed = false;

	if (lookup->generation != daemon->endpoints_generation)
		goto out;
	set->resolving = false;
	set->resolved_at = now;
	if (lookup->failed > 0)
		hw_log_limited(&daemon->log, &set->limit, now, HW_LOG_WARNING,
			       "cannot resolve %s, trying again: %s",
			       set->config[lookup->failed_at].host, gai_strerror(lookup->failure));
	set->resolve_at = hw_time_add(now, set->backoff);
	set->backoff = hw_time_min(2 * set->backoff, lookup->failed > 0 ? BACKOFF_LAST : REFRESH_LAST);
	/* What resolved before is better than nothing. */
	if (lookup->failed == 0 || lookup->addr_count > set->addr_count)
		changed = take_addrs(set, lookup->addrs, lookup->addr_count);
	if (changed)
		hw_daemon_links_endpoints_changed(daemon, now);
out:
	free(lookup);
}

static void start_lookup(struct hw_daemon *daemon, uint32_t number, hw_time now)
{
	struct hw_daemon_endpoints *set = &daemon->endpoints[number];
	size_t bytes = set->count * sizeof(set->config[0]);
	struct lookup *lookup = calloc(1, sizeof(*lookup) + bytes);

	if (!lookup) {
		set->resolve_at = hw_time_add(now, BACKOFF_LAST);
		return;
	}
	lookup->job = (struct hw_worker_job){.run = run, .done = done, .drop = drop};
	lookup->daemon = daemon;
	lookup->set = number;
	lookup->generation = daemon->endpoints_generation;
	lookup->count = set->count;
	/* A copy: a lookup that hangs may outlive the configuration. */
	memcpy(lookup->endpoints, set->config, bytes);
	set->resolving = true;
	hw_worker_post(daemon->resolver, &lookup->job);
}

/* Literal addresses are known at once, names as soon as they resolve. */
static void begin_set(struct hw_daemon_endpoints *set, const struct hw_config_endpoint *config,
		      uint32_t count, hw_time now)
{
	*set = (struct hw_daemon_endpoints){.config = config, .count = count, .silent = true,
					    .backoff = BACKOFF_FIRST};
	for (uint32_t i = 0; i < count; i++) {
		if (config[i].addr.family != HW_FAMILY_NONE)
			set->addrs[set->addr_count++] = config[i].addr;
	}
	set->has_names = set->addr_count < count;
	set->resolve_at = set->has_names ? now : HW_TIME_NEVER;
}

static void begin_all(struct hw_daemon *daemon, const struct hw_config *config, hw_time now)
{
	begin_set(&daemon->endpoints[0], config->peers[0].endpoints, config->peers[0].endpoint_count,
		  now);
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++)
		begin_set(&daemon->endpoints[1 + i], config->links[i].endpoints,
			  i < config->link_count ? config->links[i].endpoint_count : 0, now);
}

void hw_daemon_endpoints_start(struct hw_daemon *daemon, hw_time now)
{
	begin_all(daemon, daemon->config, now);
}

static bool same_endpoints(const struct hw_daemon_endpoints *a, const struct hw_daemon_endpoints *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->config[i].port != b->config[i].port ||
		    strcmp(a->config[i].host, b->config[i].host) != 0)
			return false;
	}
	return true;
}

void hw_daemon_endpoints_reload(struct hw_daemon *daemon, const struct hw_config *next, hw_time now)
{
	struct hw_daemon_endpoints before[HW_DAEMON_ENDPOINTS];

	memcpy(before, daemon->endpoints, sizeof(before));
	daemon->endpoints_generation++;
	begin_all(daemon, next, now);
	for (uint32_t i = 0; i < HW_DAEMON_ENDPOINTS; i++) {
		struct hw_daemon_endpoints *set = &daemon->endpoints[i];

		for (uint32_t j = 0; j < HW_DAEMON_ENDPOINTS; j++) {
			if (set->count == 0 || !same_endpoints(set, &before[j]))
				continue;
			memcpy(set->addrs, before[j].addrs, sizeof(set->addrs));
			set->addr_count = before[j].addr_count;
			set->silent = before[j].silent;
			break;
		}
	}
}

/* Until its own names have resolved, a link uses the peer's addresses, as one without would. */
static uint32_t set_of(const struct hw_daemon *daemon, uint32_t rule)
{
	return daemon->endpoints[1 + rule].addr_count > 0 ? 1 + rule : 0;
}

size_t hw_daemon_endpoints_of(const struct hw_daemon *daemon, uint32_t rule,
			      const struct hw_addr **ret_addrs, bool *ret_expected)
{
	const struct hw_daemon_endpoints *set = &daemon->endpoints[set_of(daemon, rule)];

	*ret_addrs = set->addrs;
	*ret_expected = set->addr_count == 0 &&
			(set->count > 0 || daemon->endpoints[1 + rule].count > 0);
	return set->addr_count;
}

size_t hw_daemon_endpoints_all(const struct hw_daemon *daemon,
			       struct hw_addr ret_addrs[HW_PICTURE_ENDPOINTS_MAX])
{
	size_t count = 0;

	for (uint32_t i = 0; i < HW_DAEMON_ENDPOINTS; i++) {
		const struct hw_daemon_endpoints *set = &daemon->endpoints[i];

		for (size_t j = 0; j < set->addr_count && count < HW_PICTURE_ENDPOINTS_MAX; j++) {
			if (!has(ret_addrs, count, &set->addrs[j]))
				ret_addrs[count++] = set->addrs[j];
		}
	}
	return count;
}

void hw_daemon_endpoints_tell(struct hw_daemon_link *link, hw_time now)
{
	struct hw_daemon *daemon = link->daemon;
	const struct hw_addr *known;
	struct hw_addr addrs[HW_CORE_MAX_ENDPOINTS];
	bool expected;
	size_t known_count = hw_daemon_endpoints_of(daemon, link->found.rule, &known, &expected);
	size_t count = 0;
	int err;

	for (size_t i = 0; i < known_count; i++) {
		/* Without an interface of its own a link goes where the kernel finds a way. */
		if (link->found.index == 0 ||
		    hw_picture_has_source(&daemon->picture, link->found.index, &known[i]))
			addrs[count++] = known[i];
	}
	if (count == link->told_count &&
	    (count == 0 || memcmp(addrs, link->told, count * sizeof(*addrs)) == 0))
		return;
	err = hw_core_endpoints(daemon->core, 0, link->index, addrs, count, now);
	if (err < 0) {
		hw_log_limited(&daemon->log, &link->limit, now, HW_LOG_ERROR,
			       "link %s: the peer's addresses cannot be used: %s", link->name,
			       hw_strerror(err));
		return;
	}
	memcpy(link->told, addrs, count * sizeof(*addrs));
	link->told_count = count;
}

static bool uses(const struct hw_daemon *daemon, const struct hw_daemon_link *link, uint32_t number)
{
	return link->used && (set_of(daemon, link->found.rule) == number ||
			      1 + link->found.rule == number);
}

/*
 * A peer that answers is where it is, whatever its name says now. Names of which none of the
 * addresses answers are worth another question, even while other links reach the peer elsewhere;
 * but not while no link could use the answer.
 */
static bool is_due(const struct hw_daemon *daemon, uint32_t number)
{
	const struct hw_daemon_endpoints *set = &daemon->endpoints[number];

	if (!set->has_names || set->resolving || (!set->silent && set->addr_count > 0))
		return false;
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].up && uses(daemon, &daemon->links[i], number))
			return true;
	}
	return set->addr_count == 0;
}

static bool is_silent(const struct hw_daemon *daemon, uint32_t number)
{
	for (uint32_t i = 0; i < HW_CORE_MAX_PATHS; i++) {
		const struct hw_daemon_path *path = &daemon->paths[i];
		const struct hw_daemon_link *link = &daemon->links[path->link];

		if (path->works && uses(daemon, link, number))
			return false;
	}
	return true;
}

static void look_for_silence(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < HW_DAEMON_ENDPOINTS; i++) {
		struct hw_daemon_endpoints *set = &daemon->endpoints[i];
		bool silent = is_silent(daemon, i);

		if (silent && !set->silent && set->has_names) {
			set->backoff = REFRESH_FIRST;
			set->resolve_at = hw_time_max(now, hw_time_add(set->resolved_at, SOON));
		}
		set->silent = silent;
	}
}

void hw_daemon_endpoints_event(struct hw_daemon *daemon, const struct hw_event *event, hw_time now)
{
	struct hw_daemon_path *path;

	if (event->path >= HW_CORE_MAX_PATHS || event->tuple.link >= HW_CORE_MAX_LINKS)
		return;
	path = &daemon->paths[event->path];
	switch (event->type) {
	case HW_EVENT_PATH_UP:
	case HW_EVENT_PATH_SUSPECT:
	case HW_EVENT_PATH_DOWN:
	case HW_EVENT_PATH_NEW:
	case HW_EVENT_PATH_REMOVED:
		path->works = event->type == HW_EVENT_PATH_UP ||
			      event->type == HW_EVENT_PATH_SUSPECT;
		path->link = event->tuple.link;
		look_for_silence(daemon, now);
		break;
	default:
		break;
	}
}

void hw_daemon_endpoints_hurry(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < HW_DAEMON_ENDPOINTS; i++) {
		struct hw_daemon_endpoints *set = &daemon->endpoints[i];

		/* There may be a way to a name server now. */
		if (set->has_names && set->addr_count == 0) {
			set->resolve_at = now;
			set->backoff = BACKOFF_FIRST;
		}
	}
}

void hw_daemon_endpoints_tick(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < HW_DAEMON_ENDPOINTS; i++) {
		if (is_due(daemon, i) && daemon->endpoints[i].resolve_at <= now)
			start_lookup(daemon, i, now);
	}
}

hw_time hw_daemon_endpoints_deadline(const struct hw_daemon *daemon)
{
	hw_time next = HW_TIME_NEVER;

	for (uint32_t i = 0; i < HW_DAEMON_ENDPOINTS; i++) {
		if (is_due(daemon, i))
			next = hw_time_min(next, daemon->endpoints[i].resolve_at);
	}
	return next;
}
