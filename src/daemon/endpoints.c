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

/* While the peer does not answer, its names are looked up again this often: it may have moved. */
#define REFRESH HW_S(30)

struct lookup {
	struct hw_worker_job job;
	struct hw_daemon_endpoints *set;
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

static void tell_core(struct hw_daemon_endpoints *set, const struct hw_addr *addrs, size_t count,
		      hw_time now)
{
	struct hw_daemon *daemon = set->daemon;
	int err;

	if (count == set->addr_count && memcmp(addrs, set->addrs, count * sizeof(*addrs)) == 0)
		return;
	err = hw_core_endpoints(daemon->core, 0, set->link, addrs, count, now);
	if (err < 0) {
		hw_log_limited(&daemon->log, &set->limit, now, HW_LOG_ERROR,
			       "the peer's addresses cannot be used: %s", hw_strerror(err));
		return;
	}
	memcpy(set->addrs, addrs, count * sizeof(*addrs));
	set->addr_count = count;
}

static void done(struct hw_worker_job *job)
{
	struct lookup *lookup = (struct lookup *)job;
	struct hw_daemon_endpoints *set = lookup->set;
	struct hw_daemon *daemon = set->daemon;
	hw_time now = hw_loop_now(daemon->loop);

	set->resolving = false;
	if (lookup->failed > 0) {
		hw_log_limited(&daemon->log, &set->limit, now, HW_LOG_WARNING,
			       "cannot resolve %s, trying again: %s",
			       set->config[lookup->failed_at].host, gai_strerror(lookup->failure));
		set->resolve_at = hw_time_add(now, set->backoff);
		set->backoff = hw_time_min(2 * set->backoff, BACKOFF_LAST);
	} else {
		set->resolve_at = hw_time_add(now, REFRESH);
		set->backoff = BACKOFF_FIRST;
	}
	/* What resolved before is better than nothing. */
	if (lookup->failed == 0 || lookup->addr_count > set->addr_count)
		tell_core(set, lookup->addrs, lookup->addr_count, now);
	free(lookup);
}

static void start_lookup(struct hw_daemon_endpoints *set, hw_time now)
{
	size_t bytes = set->count * sizeof(set->config[0]);
	struct lookup *lookup = calloc(1, sizeof(*lookup) + bytes);

	if (!lookup) {
		set->resolve_at = hw_time_add(now, BACKOFF_LAST);
		return;
	}
	lookup->job = (struct hw_worker_job){.run = run, .done = done, .drop = drop};
	lookup->set = set;
	lookup->count = set->count;
	/* A copy: a lookup that hangs may outlive the configuration. */
	memcpy(lookup->endpoints, set->config, bytes);
	set->resolving = true;
	hw_worker_post(set->daemon->resolver, &lookup->job);
}

/*
 * Literal addresses at once, names as soon as they resolve. Until then a link with names of its own
 * uses the peer's addresses, as a link without would.
 */
static int add_set(struct hw_daemon *daemon, uint32_t link, const struct hw_config_endpoint *config,
		   uint32_t count, hw_time now)
{
	struct hw_daemon_endpoints *set = &daemon->endpoints[daemon->endpoints_count];
	struct hw_addr literal[HW_CORE_MAX_ENDPOINTS];
	size_t literals = 0;

	if (count == 0)
		return 0;
	*set = (struct hw_daemon_endpoints){.daemon = daemon, .link = link, .config = config,
					    .count = count, .backoff = BACKOFF_FIRST};
	daemon->endpoints_count++;
	for (uint32_t i = 0; i < count; i++) {
		if (config[i].addr.family != HW_FAMILY_NONE)
			literal[literals++] = config[i].addr;
	}
	set->has_names = literals < count;
	set->resolve_at = set->has_names ? now : HW_TIME_NEVER;
	if (literals == 0)
		return 0;
	memcpy(set->addrs, literal, literals * sizeof(literal[0]));
	set->addr_count = literals;
	return hw_core_endpoints(daemon->core, 0, link, literal, literals, now);
}

int hw_daemon_endpoints_start(struct hw_daemon *daemon, hw_time now)
{
	const struct hw_config *config = daemon->config;
	int err = add_set(daemon, HW_LINK_ALL, config->peers[0].endpoints,
			  config->peers[0].endpoint_count, now);

	for (uint32_t i = 0; err == 0 && i < config->link_count; i++)
		err = add_set(daemon, i, config->links[i].endpoints,
			      config->links[i].endpoint_count, now);
	return err;
}

/* A peer that answers is where it is, whatever its name says now. */
static bool is_due(const struct hw_daemon_endpoints *set)
{
	return set->has_names && !set->resolving &&
	       (!set->daemon->session_up || set->addr_count == 0);
}

void hw_daemon_endpoints_tick(struct hw_daemon *daemon, hw_time now)
{
	for (uint32_t i = 0; i < daemon->endpoints_count; i++) {
		struct hw_daemon_endpoints *set = &daemon->endpoints[i];

		if (is_due(set) && set->resolve_at <= now)
			start_lookup(set, now);
	}
}

hw_time hw_daemon_endpoints_deadline(const struct hw_daemon *daemon)
{
	hw_time next = HW_TIME_NEVER;

	for (uint32_t i = 0; i < daemon->endpoints_count; i++) {
		if (is_due(&daemon->endpoints[i]))
			next = hw_time_min(next, daemon->endpoints[i].resolve_at);
	}
	return next;
}
