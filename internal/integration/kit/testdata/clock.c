/* Shows the program that it is loaded into a wall clock that is off by as many seconds as a file says, which is read each
 * time. The monotonic clock is left alone. libfaketime does the same and does not run below jemalloc, which redis-server
 * has: so here the kernel is asked without the help of libc, and no memory is allocated. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off(void) {
	const char *path = getenv("KIT_CLOCK");
	char text[32] = {0};
	int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) : -1;
	if (file < 0) return 0;
	if (syscall(SYS_read, file, text, sizeof text - 1) < 0) text[0] = 0;
	syscall(SYS_close, file);
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
	int failed = (int)syscall(SYS_clock_gettime, clock, now);
	if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += off();
	return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
	struct timespec precise;
	(void)zone;
	int failed = clock_gettime(CLOCK_REALTIME, &precise);
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return failed;
}

time_t time(time_t *to) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (to) *to = now.tv_sec;
	return now.tv_sec;
}
