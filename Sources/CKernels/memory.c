// What the allocator keeps of memory that was freed: how much, and giving it back. No allocation here.
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

void fk_reuse_freed_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}
