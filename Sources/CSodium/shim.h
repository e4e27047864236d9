#include <sodium.h>

#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Lowers the priority of the calling thread to the lowest there is (on Linux a thread is what PRIO_PROCESS names). */
static inline void cloakroom_yield_to_other_threads(void) { setpriority(PRIO_PROCESS, 0, 19); }

/* Keeps the memory of this process out of core dumps. A handler that the kernel pipes dumps to ignores the limit, and
   heeds the flag. */
static inline void cloakroom_forbid_core_dumps(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
