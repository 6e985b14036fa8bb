// What the allocator keeps of memory that was freed – given back. No allocation here.
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "fk_engine.h"

void fk_return_free_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
