#include <sodium.h>

#include <sys/resource.h>

/* Lowers the priority of the calling thread to the lowest there is (on Linux a thread is what PRIO_PROCESS names). */
static inline void cloakroom_yield_to_other_threads(void) { setpriority(PRIO_PROCESS, 0, 19); }
