#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/siphash.h"
#include "control/client.h"
#include "control/server.h"
#include "crypto/identity.h"
#include "daemon/notify.h"
#include "daemon/runtime.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/netlink.h"
#include "io/worker.h"

/*
 * The pool: 8 MiB of buffers, which is some 3,500 at the usual MTU: four full batches of 16 links,
 * and what the core may hold for fragments and handshakes.
 */
#define POOL_BYTES (8u * 1024u * 1024u)
#define POOL_BUFFERS_MIN 1024u

/* Beside the tunnel's packet: Ethernet header and VLAN tag, frame header, tag, and some air. */
#define BUFFER_SLACK_BYTES 96u
#define BUFFER_BYTES_MIN 2048u

/* How long stopping waits for a name or for the disk. */
#define RESOLVER_PATIENCE_MS 50
#define DISK_PATIENCE_MS 2000

static hw_time on_wakeup(void *ctx, hw_time now)
{
	struct hw_daemon *daemon = ctx;
	hw_time next, extra;

	if (hw_core_next_deadline(daemon->core) <= now)
		hw_core_tick(daemon->core, now);
	hw_daemon_links_tick(daemon, now);
	extra = daemon->extra ? daemon->extra(daemon->extra_ctx, now) : HW_TIME_NEVER;
	hw_daemon_flush(daemon, now);
	hw_daemon_cost_tick(daemon, now);
	hw_daemon_events(daemon, now);
	hw_daemon_endpoints_tick(daemon, now);
	if (daemon->control)
		hw_control_server_tick(daemon->control, now);

	if (daemon->save_at <= now)
		hw_daemon_state_save(daemon, now);

	next = hw_time_min(hw_core_next_deadline(daemon->core), daemon->save_at);
	next = hw_time_min(next, daemon->cost_at);
	next = hw_time_min(next, daemon->flap_at);
	next = hw_time_min(next, extra);
	next = hw_time_min(next, hw_daemon_links_deadline(daemon));
	next = hw_time_min(next, hw_daemon_endpoints_deadline(daemon));
	if (daemon->control)
		next = hw_time_min(next, hw_control_server_next_deadline(daemon->control));
	return next;
}

static void on_signal(void *ctx, int signo, hw_time now)
{
	struct hw_daemon *daemon = ctx;

	(void)now;
	if (signo == SIGHUP) {
		(void)!hw_daemon_reload(daemon, (struct hw_control_ticket){0});
		return;
	}
	hw_log(&daemon->log, HW_LOG_INFO, "stopping (SIG%s)", sigabbrev_np(signo));
	hw_loop_stop(daemon->loop);
}

static void on_clock(void *ctx, uint32_t events, hw_time now)
{
	struct hw_daemon *daemon = ctx;

	(void)events;
	if (hw_clock_watch_rearm(daemon->clock_fd) < 0)
		hw_log_limited(&daemon->log, &daemon->general_limit, now, HW_LOG_WARNING,
			       "cannot watch the clock: %s", strerror(errno));
	hw_log_limited(&daemon->log, &daemon->general_limit, now, HW_LOG_INFO, "the clock was set");
	hw_core_wall_clock(daemon->core, hw_clock_wall_ns(), daemon->state.timestamp_floor_ns, now);
	hw_daemon_cost_clock_set(daemon, now);
}

static void on_resolver(void *ctx, uint32_t events, hw_time now)
{
	struct hw_daemon *daemon = ctx;

	(void)events;
	(void)now;
	hw_worker_collect(daemon->resolver);
}

static void on_disk(void *ctx, uint32_t events, hw_time now)
{
	struct hw_daemon *daemon = ctx;

	(void)events;
	(void)now;
	hw_worker_collect(daemon->disk);
}

static int fail(struct hw_daemon *daemon, int err, const char *what)
{
	hw_log(&daemon->log, HW_LOG_ERROR, "%s: %s", what,
	       err == HW_E_SYSTEM ? strerror(errno) : hw_strerror(err));
	return err;
}

static int watch(struct hw_daemon *daemon, struct hw_loop_source *source, int fd,
		 void (*ready)(void *ctx, uint32_t events, hw_time now))
{
	*source = (struct hw_loop_source){
		.fd = fd, .priority = HW_LOOP_OTHER, .ready = ready, .ctx = daemon};
	return hw_loop_add(daemon->loop, source, EPOLLIN);
}

/* Loop, signals, netlink, clock and helper threads. */
static int start_system(struct hw_daemon *daemon)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	const struct hw_loop_hooks hooks = {on_wakeup, on_signal, daemon};
	int err;

	(void)signal(SIGPIPE, SIG_IGN);
	err = hw_loop_new(&hooks, &daemon->loop);
	if (err < 0)
		return fail(daemon, err, "cannot make the event loop");
	err = hw_loop_signals(daemon->loop, signals, sizeof(signals) / sizeof(signals[0]));
	if (err < 0)
		return fail(daemon, err, "cannot take signals");
	err = hw_netlink_new(&daemon->netlink);
	if (err == 0)
		err = watch(daemon, &daemon->netlink_source, hw_netlink_fd(daemon->netlink),
			    hw_daemon_netlink_ready);
	if (err < 0)
		return fail(daemon, err, "cannot talk to the kernel about interfaces (rtnetlink)");
	err = hw_clock_watch_open(&daemon->clock_fd);
	if (err == 0)
		err = watch(daemon, &daemon->clock_source, daemon->clock_fd, on_clock);
	if (err < 0)
		return fail(daemon, err, "cannot watch the clock");
	err = hw_worker_new(&daemon->resolver);
	if (err == 0)
		err = watch(daemon, &daemon->resolver_source, hw_worker_fd(daemon->resolver),
			    on_resolver);
	if (err == 0)
		err = hw_worker_new(&daemon->disk);
	if (err == 0)
		err = watch(daemon, &daemon->disk_source, hw_worker_fd(daemon->disk), on_disk);
	return err < 0 ? fail(daemon, err, "cannot start a helper thread") : 0;
}

/*
 * An Ethernet address that stays the same over restarts, so that the peer's hosts need not find it
 * again: made from this node's public key and the device's name, locally administered.
 */
static int choose_hardware(struct hw_daemon *daemon, const uint8_t private_key[HW_KEY_BYTES])
{
	const char *device = daemon->config->tunnel.device;
	uint8_t public_key[HW_KEY_BYTES];
	uint8_t hash[8];
	struct hw_siphash_key key;
	int err = hw_identity_public(private_key, public_key);

	if (err < 0)
		return err;
	hw_siphash_key_init(&key, public_key);
	hw_store64(hash, hw_siphash(&key, device, strlen(device)));
	memcpy(daemon->hardware, hash, sizeof(daemon->hardware));
	daemon->hardware[0] = (uint8_t)((daemon->hardware[0] & 0xfc) | 0x02);
	return 0;
}

static int start_core(struct hw_daemon *daemon, hw_time now)
{
	const struct hw_core_env env = {.random = hw_entropy_fill};
	uint32_t payload = daemon->config->tunnel.mtu + BUFFER_SLACK_BYTES;
	struct hw_config_core config;
	uint32_t count;
	int err;

	if (payload < BUFFER_BYTES_MIN)
		payload = BUFFER_BYTES_MIN;
	daemon->packet_bytes = payload - BUFFER_SLACK_BYTES;
	count = POOL_BYTES / payload;
	err = hw_pool_new(count > POOL_BUFFERS_MIN ? count : POOL_BUFFERS_MIN, payload,
			  &daemon->pool);
	if (err == 0)
		err = hw_core_new(&env, daemon->pool, now, &daemon->core);
	if (err < 0)
		return fail(daemon, err, "cannot make the core");
	err = hw_config_core(daemon->config, &config);
	if (err == 0)
		err = hw_core_apply(daemon->core, &config.core, now);
	if (err == 0)
		err = choose_hardware(daemon, config.core.private_key);
	hw_bytes_wipe(&config, sizeof(config));
	if (err < 0)
		return fail(daemon, err, "cannot take the configuration");
	hw_core_wall_clock(daemon->core, hw_clock_wall_ns(), daemon->state.timestamp_floor_ns, now);
	return 0;
}

static int start_tunnel(struct hw_daemon *daemon)
{
	const struct hw_config_tunnel *tunnel = &daemon->config->tunnel;
	struct hw_tuntap_address addresses[HW_CONFIG_MAX_ADDRESSES];
	const struct hw_tuntap_config config = {
		.name = tunnel->device,
		.tap = tunnel->layer2,
		.hardware = daemon->hardware,
		.mtu_bytes = tunnel->mtu,
		.addresses = addresses,
		.address_count = tunnel->address_count,
	};
	char error[HW_TUNTAP_ERROR_BYTES];
	int err;

	for (uint32_t i = 0; i < tunnel->address_count; i++)
		addresses[i] = (struct hw_tuntap_address){tunnel->addresses[i].addr,
							  tunnel->addresses[i].bits};
	err = hw_tuntap_open(&daemon->tunnel, daemon->netlink, &config, error);
	if (err < 0) {
		hw_log(&daemon->log, HW_LOG_ERROR, "%s", error);
		return err;
	}
	err = hw_daemon_pump_start(daemon);
	return err < 0 ? fail(daemon, err, "cannot serve the tunnel device") : 0;
}

/* HW_E_STATE when another daemon serves this device; without a socket it runs on without status. */
static int start_control(struct hw_daemon *daemon)
{
	const char *dir = hw_control_runtime_dir();
	char path[HW_DAEMON_PATH_BYTES];
	struct hw_control_handler handler;
	int err;

	(void)snprintf(path, sizeof(path), "%s/%s.sock", dir, daemon->config->tunnel.device);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		hw_log(&daemon->log, HW_LOG_WARNING, "cannot make %s, so there is no status: %s", dir,
		       strerror(errno));
		return 0;
	}
	hw_daemon_report_handler(daemon, &handler);
	err = hw_control_server_new(daemon->loop, path, HW_CONTROL_IDLE, &handler, &daemon->control);
	if (err == HW_E_STATE) {
		hw_log(&daemon->log, HW_LOG_ERROR,
		       "a daemon runs for device %s already (it listens on %s): stop it, or choose "
		       "another device", daemon->config->tunnel.device, path);
		return err;
	}
	if (err < 0)
		hw_log(&daemon->log, HW_LOG_WARNING, "cannot listen on %s, so there is no status: %s",
		       path, err == HW_E_SYSTEM ? strerror(errno) : hw_strerror(err));
	return 0;
}

static void find_state(struct hw_daemon *daemon)
{
	const char *dir = getenv("HAWSER_STATE_DIR");

	if (!dir || !dir[0])
		dir = HW_STATE_DIR;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		hw_log(&daemon->log, HW_LOG_WARNING, "cannot make %s: %s", dir, strerror(errno));
	(void)snprintf(daemon->state_path, sizeof(daemon->state_path), "%s/%s.state", dir,
		       daemon->config->tunnel.device);
	hw_daemon_state_start(daemon);
	hw_daemon_cost_start(daemon);
}

static int start(struct hw_daemon *daemon)
{
	hw_time now;
	int err;

	err = start_system(daemon);
	if (err < 0)
		return err;
	now = daemon->started = hw_loop_now(daemon->loop);
	err = daemon->bare ? 0 : start_control(daemon);
	if (err < 0)
		return err;
	find_state(daemon);
	err = start_core(daemon, now);
	if (err < 0)
		return err;
	err = daemon->bare ? hw_daemon_pump_start(daemon) : start_tunnel(daemon);
	if (err < 0)
		return err;
	hw_daemon_endpoints_start(daemon, now);
	hw_daemon_links_start(daemon, now);
	hw_log(&daemon->log, HW_LOG_INFO, "hawser %s: device %s (%s), mode %s", HW_VERSION,
	       daemon->tunnel.name, daemon->tunnel.tap ? "TAP" : "TUN", daemon->config->mode);
	return 0;
}

/* Say goodbye while the sockets are still there. */
static void say_goodbye(struct hw_daemon *daemon)
{
	hw_time now = hw_time_max(hw_clock_now(), hw_loop_now(daemon->loop));

	hw_core_close(daemon->core, now);
	hw_daemon_flush(daemon, now);
	hw_daemon_events(daemon, now);
	hw_daemon_events_stop(daemon);
	hw_daemon_state_stop(daemon, now);
}

/* In the reverse order of start, whatever of it was reached. */
static void stop(struct hw_daemon *daemon)
{
	hw_control_server_free(daemon->control);
	hw_daemon_links_stop(daemon);
	hw_tuntap_close(&daemon->tunnel);
	hw_worker_free(daemon->resolver, RESOLVER_PATIENCE_MS);
	hw_worker_free(daemon->disk, DISK_PATIENCE_MS);
	hw_core_free(daemon->core);
	hw_daemon_pump_stop(daemon);
	hw_pool_free(daemon->pool);
	hw_netlink_free(daemon->netlink);
	if (daemon->clock_fd >= 0)
		close(daemon->clock_fd);
	hw_loop_free(daemon->loop);
	hw_config_free(daemon->own_config);
}

int hw_daemon_open(struct hw_daemon *daemon)
{
	daemon->clock_fd = daemon->tunnel.fd = -1;
	return start(daemon);
}

void hw_daemon_close(struct hw_daemon *daemon, bool goodbye)
{
	if (goodbye)
		say_goodbye(daemon);
	stop(daemon);
}

int hw_daemon_run(const struct hw_config *config)
{
	struct hw_daemon *daemon = calloc(1, sizeof(*daemon));
	int result = HW_DAEMON_FAILED;
	int err;

	if (!daemon)
		return HW_DAEMON_FAILED;
	daemon->config = config;
	daemon->clock_fd = daemon->tunnel.fd = -1;
	hw_log_init(&daemon->log, STDERR_FILENO, (enum hw_log_level)config->log_level);
	if (start(daemon) < 0)
		goto out;
	hw_notify("READY=1");
	err = hw_loop_run(daemon->loop);
	if (err < 0) {
		(void)fail(daemon, err, "the event loop failed");
		daemon->failed = true;
	}
	hw_notify("STOPPING=1");
	say_goodbye(daemon);
	result = daemon->failed ? HW_DAEMON_FAILED : HW_DAEMON_OK;
out:
	stop(daemon);
	free(daemon);
	return result;
}
