/* Preloaded into an instance: its wall clock is wrong by the number of seconds that the first eight bytes of a file say. The
   monotonic clock stays right. libfaketime does not serve: it moves timers too, which then are due all the time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *error;

__attribute__((constructor)) static void map_error(void) {
    const char *path = getenv("WRONG_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) abort();
    void *mapped = mmap(NULL, sizeof *error, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) abort();
    close(file);
    error = mapped;
}

int clock_gettime(clockid_t id, struct timespec *result) {
    int code = (int)syscall(SYS_clock_gettime, id, result);
    if (code == 0 && error && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) result->tv_sec += *error;
    return code;
}

int gettimeofday(struct timeval *result, void *zone) {
    (void)zone;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    result->tv_sec = time.tv_sec;
    result->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    if (result) *result = time.tv_sec;
    return time.tv_sec;
}
