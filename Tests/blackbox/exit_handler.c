/* Ends the process with a signal when it runs its exit handlers. */
#include <stdlib.h>

__attribute__((destructor)) static void exit_handler(void) { abort(); }
