/*
 * The daemon: one tunnel, in the foreground, until SIGTERM or SIGINT.
 *
 * It opens the tunnel device, the sockets of every link, the control socket and the state file,
 * runs the core over them, and logs the core's events to standard error. Two directories can be set
 * by the environment, for tests and for running without root:
 *
 *     HAWSER_STATE_DIR    instead of /var/lib/hawser: <device>.state
 *     HAWSER_RUNTIME_DIR  instead of /run/hawser: <device>.sock
 */
#ifndef HW_DAEMON_DAEMON_H
#define HW_DAEMON_DAEMON_H

struct hw_config;

/* What hw_daemon_run returns, for exit(3). */
enum hw_daemon_exit {
	HW_DAEMON_OK = 0,      /* asked to stop, and stopped cleanly */
	HW_DAEMON_FAILED = 1   /* could not start, or could not go on; the log says why */
};

/* Runs the tunnel that `config` (checked, kept by the caller until this returns) describes. */
int hw_daemon_run(const struct hw_config *config);

#endif
