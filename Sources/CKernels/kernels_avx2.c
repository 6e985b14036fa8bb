// The kernels for AVX2 with FMA: sixteen registers hold 4 outputs × 3 vectors.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define FK_LANES 8
#define FK_TILE_OUTPUTS 4
#define FK_TILE_VECTORS 3
#define FK_TABLE fk_table_avx2
#include "template/all.h"
#pragma clang attribute pop
#endif
