/* Preloaded into PostgreSQL: delays each flush by the number of microseconds that the first four bytes of a file say. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile const uint32_t *delay;

__attribute__((constructor)) static void map_delay(void) {
    const char *path = getenv("SLOW_DISK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *delay, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) delay = mapped;
    close(file);
}

static void wait_for_disk(void) {
    uint32_t microseconds = delay ? *delay : 0;
    struct timespec left = {microseconds / 1000000, microseconds % 1000000 * 1000};
    while ((left.tv_sec || left.tv_nsec) && nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

int fsync(int file) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_for_disk();
    return next(file);
}

int fdatasync(int file) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_for_disk();
    return next(file);
}
