// Which instruction set runs, and the doors to its kernels. No ifunc: explicit tables survive the sanitizers.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fk_engine.h"
#include "table.h"

/// What the environment leaves of the processor's best, found at the first call.
static _Atomic(const fk_table *) best;
/// A thread's own choice, if it made one.
static _Thread_local const fk_table *chosen;

fk_isa fk_best_isa(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return FK_ISA_AVX512;
  if (avx2) return FK_ISA_AVX2;
#endif
  return FK_ISA_PORTABLE;
}

static const fk_table *table_of(fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return &fk_table_avx512;
  if (isa == FK_ISA_AVX2) return &fk_table_avx2;
#endif
  return &fk_table_portable;
}

static fk_isa wanted_isa(void) {
  const char *name = getenv("FUSELINE_ISA");
  if (name && strcmp(name, "portable") == 0) return FK_ISA_PORTABLE;
  if (name && strcmp(name, "avx2") == 0) return FK_ISA_AVX2;
  return FK_ISA_AVX512;
}

void fk_use_isa(fk_isa isa) {
  const fk_isa most = fk_best_isa();
  chosen = table_of(isa < most ? isa : most);
}

static const fk_table *kernels(void) {
  if (chosen) return chosen;
  const fk_table *table = atomic_load_explicit(&best, memory_order_relaxed);
  if (!table) {
    const fk_isa wanted = wanted_isa(), most = fk_best_isa();
    table = table_of(wanted < most ? wanted : most);
    atomic_store_explicit(&best, table, memory_order_relaxed);
  }
  return table;
}

fk_isa fk_current_isa(void) {
  const fk_table *table = kernels();
  for (int isa = FK_ISA_AVX512; isa > FK_ISA_PORTABLE; isa--)
    if (table_of((fk_isa)isa) == table) return (fk_isa)isa;
  return FK_ISA_PORTABLE;
}

void fk_convolve(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                 const fk_map *residual) {
  kernels()->convolve(x, y, filter, activation, residual);
}

void fk_convolve_winograd(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                          const fk_map *residual, float *scratch) {
  kernels()->convolve_winograd(x, y, filter, activation, residual, scratch);
}

void fk_gate_winograd(const fk_map *u, const fk_map *y, const fk_filter *expansion, const fk_filter *projection,
                      const fk_map *residual, float *scratch) {
  kernels()->gate_winograd(u, y, expansion, projection, residual, scratch);
}

size_t fk_winograd_scratch(const fk_map *x, int32_t tile, int32_t outputs, int32_t hidden) {
  // The first chunk is the largest; lines are whole pairs of the widest vectors.
  const size_t row = (size_t)((x->width + tile - 1) / tile), points = (size_t)((tile + 2) * (tile + 2));
  const size_t tiles = ((size_t)fk_winograd_rows(x, tile, 0) * row + 31) / 32 * 32;
  const size_t runs = (size_t)fk_winograd_group(x->channels);
  const size_t products = points * (tiles * ((size_t)x->channels + 8 * runs) + (1 + runs) * 16);
  const size_t results = (8 + (size_t)hidden) * ((size_t)(tile * tile) * tiles + 16);
  const size_t transformed = fk_winograd_prepares(x, tile) ? ((size_t)outputs + 7) / 8 : runs;
  return products + results + 6 * ((size_t)x->width + 48) + 8 * 16 + transformed * 8 * points * (size_t)x->channels;
}

size_t fk_gate_scratch(int32_t expanded) {
  // The widest tile of any instruction set, so that one workspace serves all.
  const size_t tile = 48;
  return tile * (8 + (size_t)expanded / 2) + 64;
}

void fk_gate(const fk_map *u, const fk_map *y, const fk_filter *expansion, const fk_filter *projection,
             const fk_map *residual, float *scratch) {
  kernels()->gate(u, y, expansion, projection, residual, scratch);
}

void fk_product(const fk_product_task *task) { kernels()->product(task); }

void fk_normalize(const fk_map *x, const fk_map *y, float slope) { kernels()->normalize(x, y, slope); }

void fk_centre(const fk_map *x, const fk_map *y, double *mean, double *variance) {
  kernels()->centre(x, y, mean, variance);
}

void fk_plane_sums_of(const fk_map *x, fk_plane_sums *sums) { kernels()->plane_sums(x, sums); }

void fk_gram(const fk_map *k, const fk_map *q, int32_t image, double *gram) { kernels()->gram(k, q, image, gram); }

void fk_cross_attend(const fk_map *pr, const fk_map *d, const fk_map *e, const fk_map *s, float *scratch,
                     const fk_map *k) {
  kernels()->cross_attend(pr, d, e, s, scratch, k);
}

void fk_resize(const fk_map *x, const fk_map *y, bool align_corners, fk_activation activation, float *scratch) {
  kernels()->resize(x, y, align_corners, activation, scratch);
}

void fk_accumulate_resized(const fk_map *field, const fk_map *flow, float scale, float *scratch) {
  kernels()->accumulate_resized(field, flow, scale, scratch);
}

void fk_shrink_flow(const fk_map *flow, const fk_map *y) { kernels()->shrink_flow(flow, y); }

void fk_warp(const fk_map *x, const fk_map *flow, const fk_map *y) { kernels()->warp(x, flow, y); }

void fk_layer_norm(const float *x, const float *weight, const float *bias, float *y, ptrdiff_t rows, ptrdiff_t e) {
  kernels()->layer_norm(x, weight, bias, y, rows, e);
}

void fk_softmax_rows(float *x, ptrdiff_t rows, ptrdiff_t e, ptrdiff_t stride, float scale) {
  kernels()->softmax_rows(x, rows, e, stride, scale);
}

void fk_gelu(float *x, ptrdiff_t count) { kernels()->gelu(x, count); }

void fk_sigmoid_map(const fk_map *map) { kernels()->sigmoid_map(map); }

void fk_compose(const float *first, const float *first_bias, const float *second, const float *second_bias,
                int32_t inputs, int32_t middle, int32_t outputs, float *weights, float *bias, float *border) {
  kernels()->compose(first, first_bias, second, second_bias, inputs, middle, outputs, weights, bias, border);
}

void fk_half_to_float(const void *halves, ptrdiff_t count, float *values) {
  kernels()->half_to_float(halves, count, values);
}

bool fk_exact_halves(const float *values, ptrdiff_t count, uint16_t *halves) {
  return kernels()->exact_halves(values, count, halves);
}
