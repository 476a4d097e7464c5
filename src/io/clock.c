#include "io/clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	/* Cannot fail for the clocks that Linux always has. */
	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * HW_NS_PER_S + (uint64_t)ts.tv_nsec;
}

hw_time hw_clock_now(void)
{
	return read_clock(HW_CLOCK_ID);
}

uint64_t hw_clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

static int arm(int fd)
{
	/* As far away as it goes: the timer is there to be cancelled, not to expire. */
	const struct itimerspec far = {.it_value = {.tv_sec = (time_t)1 << 40}};

	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) < 0)
		return HW_E_SYSTEM;
	return 0;
}

int hw_clock_watch_open(int *ret_fd)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return HW_E_SYSTEM;
	if (arm(fd) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return HW_E_SYSTEM;
	}
	*ret_fd = fd;
	return 0;
}

int hw_clock_watch_rearm(int fd)
{
	uint64_t expirations;

	/* Fails with ECANCELED after a jump: that is the news itself, and the read forgets it. */
	if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != ECANCELED &&
	    errno != EAGAIN)
		return HW_E_SYSTEM;
	return arm(fd);
}
