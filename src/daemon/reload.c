/*
 * The configuration file read again while the tunnel works: by SIGHUP, or because somebody asked
 * (`hawser reload`).
 *
 * The file and the keys are read in the disk's thread, which may wait for a disk; what is compared
 * and taken over in the loop's thread then needs no file. All of it is taken over, or nothing: what
 * cannot change while running refuses the whole, and so does the kernel if it does not take the
 * tunnel's new address or MTU.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "config/diff.h"
#include "control/server.h"
#include "daemon/notify.h"
#include "daemon/runtime.h"
#include "io/clock.h"
#include "io/netlink.h"
#include "io/worker.h"

struct reload {
	struct hw_worker_job job;
	struct hw_daemon *daemon;
	struct hw_control_ticket ticket; /* who asked; none: SIGHUP */
	char path[HW_CONFIG_PATH_BYTES];
	struct hw_config_report report;
	struct hw_config *next; /* owned; NULL: could not be read */
	int error;
	hw_time read_ns, taken_ns; /* how long each took; only the second holds up packets */
	struct hw_config_diff diff;
	char problem[HW_TUNTAP_ERROR_BYTES]; /* what the kernel said; "": nothing */
};

/* In the disk's thread: touches nothing but the job. */
static void run(struct hw_worker_job *job)
{
	struct reload *reload = (struct reload *)job;

	hw_time began = hw_clock_now();

	reload->error = hw_config_load(reload->path, &reload->report, &reload->next);
	reload->read_ns = hw_time_since(hw_clock_now(), began);
}

static void drop(struct hw_worker_job *job)
{
	struct reload *reload = (struct reload *)job;

	hw_config_free(reload->next);
	free(reload);
}

/* What to answer */

static json_t *place_json(const char *text, uint32_t line, uint32_t column)
{
	return json_pack("{s:i, s:i, s:s}", "line", (int)line, "column", (int)column, "text", text);
}

/* The changes of one kind. */
static json_t *changes_json(const struct hw_config_diff *diff, bool live)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < diff->count; i++) {
		const struct hw_config_change *change = &diff->changes[i];

		if (change->live == live)
			(void)json_array_append_new(list, place_json(change->text, change->mark.line,
								     change->mark.column));
	}
	return list;
}

static json_t *notes_json(const struct hw_config_report *report, bool warnings)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < report->note_count; i++) {
		const struct hw_config_note *note = &report->notes[i];

		if (note->warning == warnings)
			(void)json_array_append_new(list,
						    place_json(note->text, note->line, note->column));
	}
	return list;
}

/* Faults in the file, what is refused, or what has changed: the others are empty. */
static json_t *details_json(const struct reload *reload)
{
	return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "file", reload->path, "read_us",
			 (json_int_t)(reload->read_ns / HW_NS_PER_US), "taken_over_us",
			 (json_int_t)(reload->taken_ns / HW_NS_PER_US), "faults",
			 notes_json(&reload->report, false), "warnings",
			 notes_json(&reload->report, true), "refused",
			 changes_json(&reload->diff, false), "changes",
			 changes_json(&reload->diff, true));
}

static void answer(struct reload *reload, const char *error, hw_time now)
{
	json_t *reply;

	if (reload->ticket.number == 0 || !reload->daemon->control)
		return;
	if (error)
		reply = json_pack("{s:b, s:s, s:o}", "ok", 0, "error", error, "reload",
				  details_json(reload));
	else
		reply = json_pack("{s:b, s:o}", "ok", 1, "reload", details_json(reload));
	hw_control_server_reply(reload->daemon->control, reload->ticket, reply, now);
}

/* What to log */

static void log_line(const struct reload *reload, enum hw_log_level level, const char *kind,
		     uint32_t line, uint32_t column, const char *text)
{
	const struct hw_log *log = &reload->daemon->log;

	if (line != 0)
		hw_log(log, level, "%s:%u:%u: %s%s", reload->path, line, column, kind, text);
	else
		hw_log(log, level, "%s: %s%s", reload->path, kind, text);
}

static void log_notes(const struct reload *reload)
{
	for (uint32_t i = 0; i < reload->report.note_count; i++) {
		const struct hw_config_note *note = &reload->report.notes[i];

		log_line(reload, HW_LOG_WARNING, note->warning ? "warning: " : "error: ", note->line,
			 note->column, note->text);
	}
}

static void log_changes(const struct reload *reload, bool live)
{
	for (uint32_t i = 0; i < reload->diff.count; i++) {
		const struct hw_config_change *change = &reload->diff.changes[i];

		if (change->live == live)
			log_line(reload, live ? HW_LOG_INFO : HW_LOG_WARNING,
				 live ? "" : "not while running: ", change->mark.line,
				 change->mark.column, change->text);
	}
}

static void refuse(struct reload *reload, const char *why, hw_time now)
{
	log_notes(reload);
	log_changes(reload, false);
	hw_log(&reload->daemon->log, HW_LOG_WARNING,
	       "the configuration was not reloaded: %s; running on as before", why);
	answer(reload, why, now);
}

/* Taking it over */

static uint32_t tuntap_addresses(const struct hw_config_tunnel *tunnel,
				 struct hw_tuntap_address list[HW_CONFIG_MAX_ADDRESSES])
{
	for (uint32_t i = 0; i < tunnel->address_count; i++)
		list[i] = (struct hw_tuntap_address){tunnel->addresses[i].addr,
						     tunnel->addresses[i].bits};
	return tunnel->address_count;
}

/* What the device has now; 0: not known. */
static uint32_t device_mtu(struct hw_daemon *daemon)
{
	struct hw_interface interface;

	if (hw_netlink_interface(daemon->netlink, daemon->tunnel.name, &interface) < 0)
		return 0;
	return interface.mtu_bytes;
}

/* Give the device another MTU (0: leave it) and the addresses of `next` instead of those of `was`. */
static int change_device(struct hw_daemon *daemon, const struct hw_config_tunnel *was,
			 const struct hw_config_tunnel *next, uint32_t mtu_bytes, bool addresses,
			 char problem[HW_TUNTAP_ERROR_BYTES])
{
	struct hw_tuntap_address old[HW_CONFIG_MAX_ADDRESSES], new[HW_CONFIG_MAX_ADDRESSES];
	uint32_t old_count = tuntap_addresses(was, old), new_count = tuntap_addresses(next, new);
	bool grows = mtu_bytes > device_mtu(daemon);
	int err = 0;

	/* IPv6 leaves a device whose MTU is too small for it, so a larger one comes first. */
	if (mtu_bytes > 0 && grows)
		err = hw_tuntap_set_mtu(&daemon->tunnel, daemon->netlink, mtu_bytes, problem);
	if (err == 0 && addresses)
		err = hw_tuntap_set_addresses(&daemon->tunnel, daemon->netlink, old, old_count, new,
					      new_count, problem);
	if (err == 0 && mtu_bytes > 0 && !grows)
		err = hw_tuntap_set_mtu(&daemon->tunnel, daemon->netlink, mtu_bytes, problem);
	return err;
}

static int change_core(struct hw_daemon *daemon, const struct hw_config *next, hw_time now)
{
	struct hw_config_core config;
	int err = hw_config_core(next, &config);

	if (err == 0)
		err = hw_core_reapply(daemon->core, &config.core, now);
	hw_bytes_wipe(&config, sizeof(config));
	return err;
}

/*
 * The order: first what may fail, and can be taken back; then the links, which cannot fail as a
 * whole. 0, or an error and the problem in words.
 */
static int take_over(struct reload *reload, hw_time now)
{
	struct hw_daemon *daemon = reload->daemon;
	const struct hw_config *was = daemon->config, *next = reload->next;
	/* One that follows what the paths take is set when the core says so. */
	bool sets_mtu = (reload->diff.parts & HW_PART_TUNNEL_MTU) && !next->tunnel.mtu_auto;
	bool addresses = reload->diff.parts & HW_PART_ADDRESSES;
	uint32_t mtu_before = sets_mtu ? device_mtu(daemon) : 0;
	char ignored[HW_TUNTAP_ERROR_BYTES];
	int err = change_device(daemon, &was->tunnel, &next->tunnel, sets_mtu ? next->tunnel.mtu : 0,
				addresses, reload->problem);

	if (err == 0) {
		err = change_core(daemon, next, now);
		if (err < 0)
			(void)snprintf(reload->problem, sizeof(reload->problem),
				       "the core does not take it: %s", hw_strerror(err));
	}
	if (err < 0) {
		(void)!change_device(daemon, &next->tunnel, &was->tunnel, mtu_before, addresses, ignored);
		return err;
	}
	/* Before the links are looked at: their sockets stay, and with them the ports. */
	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		struct hw_daemon_link *link = &daemon->links[i];

		if (link->used && hw_udp_set_tos(&link->udp, next->tunnel.copy_dscp) < 0)
			hw_log(&daemon->log, HW_LOG_WARNING,
			       "link %s: cannot carry the DSCP and ECN byte: %s", link->name,
			       strerror(errno));
	}
	/* Also when nothing of them has changed: what they point to is the old configuration. */
	hw_daemon_links_reload(daemon, next, now);
	daemon->config = next;
	daemon->log.level = (enum hw_log_level)next->log_level;
	hw_config_free(daemon->own_config);
	daemon->own_config = reload->next;
	reload->next = NULL;
	return 0;
}

static void take_over_or_refuse(struct reload *reload, hw_time now)
{
	struct hw_daemon *daemon = reload->daemon;
	hw_time began = hw_clock_now();
	int err;

	hw_config_compare(daemon->config, reload->next, daemon->packet_bytes, &reload->diff);
	if (reload->diff.refused > 0) {
		refuse(reload, reload->diff.refused == 1 ? "a change needs a restart"
							 : "some changes need a restart", now);
		return;
	}
	err = take_over(reload, now);
	reload->taken_ns = hw_time_since(hw_clock_now(), began);
	if (err < 0) {
		refuse(reload, reload->problem, now);
		return;
	}
	log_notes(reload);
	log_changes(reload, true);
	hw_log(&daemon->log, HW_LOG_INFO,
	       "%s was reloaded: %u change%s (read in %.1f ms, taken over in %.1f ms)", reload->path,
	       reload->diff.live, reload->diff.live == 1 ? "" : "s", (double)reload->read_ns / 1e6,
	       (double)reload->taken_ns / 1e6);
	answer(reload, NULL, now);
}

static void done(struct hw_worker_job *job)
{
	struct reload *reload = (struct reload *)job;
	struct hw_daemon *daemon = reload->daemon;
	hw_time now = hw_loop_now(daemon->loop);
	char why[64];

	daemon->reloading = false;
	if (reload->error == 0) {
		take_over_or_refuse(reload, now);
	} else if (reload->error == HW_E_NOMEM) {
		refuse(reload, "out of memory", now);
	} else {
		(void)snprintf(why, sizeof(why), "the file has %u error%s",
			       reload->report.error_count, reload->report.error_count == 1 ? "" : "s");
		refuse(reload, why, now);
	}
	hw_notify("READY=1");
	drop(job);
	if (daemon->reload_again) {
		daemon->reload_again = false;
		hw_daemon_reload(daemon, (struct hw_control_ticket){0});
	}
}

bool hw_daemon_reload(struct hw_daemon *daemon, struct hw_control_ticket ticket)
{
	struct reload *reload;
	char notice[64];

	if (daemon->reloading) {
		/* Who asks by a signal wants the file as it is now, not as it was when reading began. */
		daemon->reload_again |= ticket.number == 0;
		return false;
	}
	reload = calloc(1, sizeof(*reload));
	if (!reload) {
		hw_log(&daemon->log, HW_LOG_WARNING, "cannot reload: out of memory");
		return false;
	}
	(void)snprintf(notice, sizeof(notice), "RELOADING=1\nMONOTONIC_USEC=%llu",
		       (unsigned long long)(hw_clock_now() / HW_NS_PER_US));
	hw_notify(notice);
	reload->job = (struct hw_worker_job){.run = run, .done = done, .drop = drop};
	reload->daemon = daemon;
	reload->ticket = ticket;
	memcpy(reload->path, daemon->config->file, sizeof(reload->path));
	daemon->reloading = true;
	hw_worker_post(daemon->disk, &reload->job);
	return true;
}
