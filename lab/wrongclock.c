/*
 * A wall clock that is wrong: preloaded into a program, it adds HW_WALL_OFFSET_S seconds to what the
 * program takes for the time of day. The monotonic clock stays as it is.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	const char *offset = getenv("HW_WALL_OFFSET_S");
	long rc = syscall(SYS_clock_gettime, clock, ret_time);

	if (rc == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret_time->tv_sec += atol(offset);
	return (int)rc;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
	struct timespec now;
	int rc = clock_gettime(CLOCK_REALTIME, &now);

	(void)zone;
	*ret_time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return rc;
}

time_t time(time_t *ret_time)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
}
