// What a block of points finds between its voxels: the interpolation inside resample.c, built with it.
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "resample.h"

#define INLINE static inline __attribute__((always_inline))

enum {
  BLOCK = 256,  // points per pass; the buffers below stay in the first-level cache
  MARGIN = 2,   // mirrored coefficients beyond each in-plane edge
  TAPS = 4,     // of a cubic B-spline along one axis
  AHEAD = 32,   // points between asking for memory and using it
};

// Lattice indices this close to a pixel centre are taken to lie on it: millimetres written as decimal
// strings do not carry more, and a slice met exactly must not draw on its neighbour. Unit: pixels.
static const double SNAP = 1e-6;

typedef struct {
  double u[BLOCK], v[BLOCK], t[BLOCK];        // lattice indices: columns, rows, slices
  int32_t iu[BLOCK], iv[BLOCK], it[BLOCK];    // lower corner of the cell
  float fu[BLOCK], fv[BLOCK], ft[BLOCK];      // position within it, 0 … 1
  float value[BLOCK], weight[BLOCK];          // interpolated value, share of finite voxels
  uint8_t inside[BLOCK];
} block;

typedef float four __attribute__((vector_size(16), aligned(4)));
typedef float two __attribute__((vector_size(8), aligned(4)));

/// Two neighbours in each of two rows `pitch` apart: [row][column].
INLINE four square(const float *p, ptrdiff_t pitch) {
  return __builtin_shufflevector(*(const two *)p, *(const two *)(p + pitch), 0, 1, 2, 3);
}

/// Asks for the lines of memory of the cells that are sampled AHEAD points later: oblique rows jump between
/// lines as no prefetching processor foresees.
INLINE void prefetch(const fk_sampler *s, int32_t first, int32_t n, const block *b, ptrdiff_t sv,
                     ptrdiff_t st) {
  const fk_lattice *l = &s->lattice;
  for (int32_t j = first; j < first + 4 && j < n; j++) {
    const float *p = s->voxels + (b->it[j] * l->rows + b->iv[j]) * l->columns + b->iu[j];
    __builtin_prefetch(p);
    __builtin_prefetch(p + sv);
    __builtin_prefetch(p + st);
    __builtin_prefetch(p + st + sv);
  }
}

/// Trilinear means where every voxel is finite and a row has two: neighbours are loaded in pairs, four points
/// at a time.
INLINE void trilinear_pairs(const fk_sampler *s, int32_t n, block *b) {
  const fk_lattice *l = &s->lattice;
  const ptrdiff_t sv = l->rows > 1 ? l->columns : 0;
  const ptrdiff_t st = l->slices > 1 ? (ptrdiff_t)l->rows * l->columns : 0;
  for (int32_t i = n; i % 4 != 0; i++) {  // fill up the last four; BLOCK is a multiple of 4
    b->it[i] = b->iv[i] = b->iu[i] = 0;
    b->ft[i] = b->fv[i] = b->fu[i] = 0;
  }
  for (int32_t i = 0; i < n; i += 4) {
    prefetch(s, i + AHEAD, n, b, sv, st);
    four c[4];
#pragma clang loop unroll(full)
    for (int32_t j = 0; j < 4; j++) {
      const ptrdiff_t at = (b->it[i + j] * l->rows + b->iv[i + j]) * l->columns + b->iu[i + j];
      const float *p = s->voxels + at;
      c[j] = square(p, sv) * (1 - b->ft[i + j]) + square(p + st, sv) * b->ft[i + j];
    }
    // From [point][row, column] to [row, column][point].
    const four low01 = __builtin_shufflevector(c[0], c[1], 0, 4, 1, 5);
    const four low23 = __builtin_shufflevector(c[2], c[3], 0, 4, 1, 5);
    const four high01 = __builtin_shufflevector(c[0], c[1], 2, 6, 3, 7);
    const four high23 = __builtin_shufflevector(c[2], c[3], 2, 6, 3, 7);
    const four u1 = *(const four *)(b->fu + i), v1 = *(const four *)(b->fv + i), u0 = 1 - u1;
    const four upper = __builtin_shufflevector(low01, low23, 0, 1, 4, 5) * u0 +
                       __builtin_shufflevector(low01, low23, 2, 3, 6, 7) * u1;
    const four lower = __builtin_shufflevector(high01, high23, 0, 1, 4, 5) * u0 +
                       __builtin_shufflevector(high01, high23, 2, 3, 6, 7) * u1;
    *(four *)(b->value + i) = upper * (1 - v1) + lower * v1;
  }
}

/// Trilinear mean of the finite ones of the eight voxels of each cell, axis order [slice][row][column].
INLINE void trilinear_finite(const fk_sampler *s, int32_t n, block *b) {
  const fk_lattice *l = &s->lattice;
  const ptrdiff_t su = l->columns > 1, sv = l->rows > 1 ? l->columns : 0;
  const ptrdiff_t st = l->slices > 1 ? (ptrdiff_t)l->rows * l->columns : 0;
  const float *p = s->voxels;
  const float *corner[8] = {p,      p + su,      p + sv,      p + sv + su,
                            p + st, p + st + su, p + st + sv, p + st + sv + su};
  // Voxels and buffers never overlap, which the compiler cannot see through a gather.
#pragma clang loop vectorize(assume_safety)
  for (int32_t i = 0; i < n; i++) {
    const int32_t at = (b->it[i] * l->rows + b->iv[i]) * l->columns + b->iu[i];
    const float u1 = b->fu[i], v1 = b->fv[i], t1 = b->ft[i];
    const float u0 = 1 - u1, v0 = 1 - v1, t0 = 1 - t1;
    const float w[8] = {t0 * v0 * u0, t0 * v0 * u1, t0 * v1 * u0, t0 * v1 * u1,
                        t1 * v0 * u0, t1 * v0 * u1, t1 * v1 * u0, t1 * v1 * u1};
    float sum = 0, weight = 0;
#pragma clang loop unroll(full)
    for (int32_t c = 0; c < 8; c++) {
      const float x = corner[c][at];
      const bool finite = fabsf(x) < INFINITY;
      sum += finite ? w[c] * x : 0;
      weight += finite ? w[c] : 0;
    }
    b->value[i] = sum / weight;
    b->weight[i] = weight;
  }
}

/// Weights of the four taps floor - 1 … floor + 2 of the uniform cubic B-spline at fraction f.
INLINE four basis(float f) {
  const float g = 1 - f, sixth = 1.0f / 6;
  return (four){g * g * g * sixth, (4 - 6 * f * f + 3 * f * f * f) * sixth,
                (4 - 6 * g * g + 3 * g * g * g) * sixth, f * f * f * sixth};
}

/// Index of slice k in a stack of n mirrored at its first and last slice.
INLINE int32_t mirrored(int32_t k, int32_t n) {
  if (k >= 0 && k < n) return k;
  if (n == 1) return 0;
  const int32_t period = 2 * (n - 1), m = ((k % period) + period) % period;
  return m < n ? m : period - m;
}

/// Cubic B-spline of each point: 4 slices × 4 rows × 4 columns of coefficients.
INLINE void cubic(const fk_sampler *s, int32_t n, block *b) {
  const fk_lattice *l = &s->lattice;
  const ptrdiff_t pitch = l->columns + 2 * MARGIN, area = pitch * (l->rows + 2 * MARGIN);
  for (int32_t i = 0; i < n; i++) {
    const four wu = basis(b->fu[i]), wv = basis(b->fv[i]);
    const float *poly = s->slice_basis + (ptrdiff_t)(b->it[i] + 1) * TAPS * 4;
    const float f = b->ft[i];
    const ptrdiff_t corner = (b->iv[i] - 1 + MARGIN) * pitch + b->iu[i] - 1 + MARGIN;
    four sum = {0, 0, 0, 0};
    for (int32_t k = 0; k < TAPS; k++) {
      const float *c = poly + 4 * k;
      const float wt = c[0] + f * (c[1] + f * (c[2] + f * c[3]));
      const float *row = s->coefficients + mirrored(b->it[i] - 1 + k, l->slices) * area + corner;
      for (int32_t j = 0; j < TAPS; j++, row += pitch) sum += (wt * wv[j]) * *(const four *)row;
    }
    sum *= wu;
    b->value[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
}
