/* Telling systemd how far the daemon is: sd_notify(3)'s protocol, a datagram to $NOTIFY_SOCKET. */
#ifndef HW_DAEMON_NOTIFY_H
#define HW_DAEMON_NOTIFY_H

/* "READY=1" and the like. Does nothing where nobody asked for it; a failure changes nothing. */
void hw_notify(const char *text);

#endif
