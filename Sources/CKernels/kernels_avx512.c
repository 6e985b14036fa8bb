// The kernels for AVX-512: thirty-two registers hold 8 outputs × 3 vectors.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#define FK_LANES 16
#define FK_TILE_OUTPUTS 8
#define FK_TILE_VECTORS 3
#define FK_TABLE fk_table_avx512
#include "template/all.h"
#pragma clang attribute pop
#endif
