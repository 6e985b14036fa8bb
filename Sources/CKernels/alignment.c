// Samples, histograms and forces of the rigid registration – one text, built per instruction set. Sums run in a
// fixed order of sixteen lanes and nothing is contracted, so that every processor gives the same bits.
#pragma STDC FP_CONTRACT OFF

#include "alignment.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
enum { LANES = 16, TAPS = 4, PASS = 1024 };

typedef double four_double __attribute__((vector_size(32), aligned(8)));

/// Where a block of points lies in the field: lower corner of the cell, position in it, inside or not.
typedef struct {
  int32_t corner[LANES];
  float u[LANES], v[LANES], w[LANES], inside[LANES];
} cells;

INLINE void locate(const fk_field *f, const fk_points *p, const float *m, int32_t at, int32_t n, cells *c) {
  const float last_u = (float)(f->columns - 1), last_v = (float)(f->rows - 1), last_w = (float)(f->slices - 1);
  const float top_u = (float)(f->columns - 2), top_v = (float)(f->rows - 2), top_w = (float)(f->slices - 2);
  for (int32_t i = 0; i < LANES; i++) {
    const int32_t j = at + (i < n ? i : 0);
    const float x = p->x[j], y = p->y[j], z = p->z[j];
    float u = m[0] * x + m[1] * y + m[2] * z + m[3];
    float v = m[4] * x + m[5] * y + m[6] * z + m[7];
    float w = m[8] * x + m[9] * y + m[10] * z + m[11];
    const bool in = (u >= -0.5f) & (u <= last_u + 0.5f) & (v >= -0.5f) & (v <= last_v + 0.5f) & (w >= -0.5f) &
                    (w <= last_w + 0.5f);
    u = u > 0 ? (u < last_u ? u : last_u) : 0;
    v = v > 0 ? (v < last_v ? v : last_v) : 0;
    w = w > 0 ? (w < last_w ? w : last_w) : 0;
    const float cu = (float)(int32_t)(u < top_u ? u : top_u), cv = (float)(int32_t)(v < top_v ? v : top_v);
    const float cw = (float)(int32_t)(w < top_w ? w : top_w);
    c->corner[i] = ((int32_t)cw * f->rows + (int32_t)cv) * f->columns + (int32_t)cu;
    c->u[i] = u - cu;
    c->v[i] = v - cv;
    c->w[i] = w - cw;
    c->inside[i] = in;
  }
}

/// The eight corners of each cell: [corner][lane], corner = 4·slice + 2·row + column.
INLINE void fetch(const fk_field *f, const cells *c, float corners[8][LANES]) {
  const ptrdiff_t row = f->columns, slice = (ptrdiff_t)f->columns * f->rows;
  for (int32_t i = 0; i < LANES; i++) {
    const float *p = f->voxels + c->corner[i];
    corners[0][i] = p[0];
    corners[1][i] = p[1];
    corners[2][i] = p[row];
    corners[3][i] = p[row + 1];
    corners[4][i] = p[slice];
    corners[5][i] = p[slice + 1];
    corners[6][i] = p[slice + row];
    corners[7][i] = p[slice + row + 1];
  }
}

INLINE void sample_block(const fk_field *f, const fk_points *p, const float *m, int32_t at, int32_t n,
                         const fk_samples *s) {
  cells c;
  float k[8][LANES], out[4][LANES];
  locate(f, p, m, at, n, &c);
  fetch(f, &c, k);
  for (int32_t i = 0; i < LANES; i++) {
    const float u = c.u[i], v = c.v[i], w = c.w[i];
    const float a = k[0][i] + u * (k[1][i] - k[0][i]), b = k[2][i] + u * (k[3][i] - k[2][i]);
    const float d = k[4][i] + u * (k[5][i] - k[4][i]), e = k[6][i] + u * (k[7][i] - k[6][i]);
    const float low = a + v * (b - a), high = d + v * (e - d);
    const float near_u = k[1][i] - k[0][i] + v * ((k[3][i] - k[2][i]) - (k[1][i] - k[0][i]));
    const float far_u = k[5][i] - k[4][i] + v * ((k[7][i] - k[6][i]) - (k[5][i] - k[4][i]));
    out[0][i] = c.inside[i] != 0 ? low + w * (high - low) : -1.0f;
    out[1][i] = near_u + w * (far_u - near_u);
    out[2][i] = (b - a) + w * ((e - d) - (b - a));
    out[3][i] = high - low;
  }
  const size_t size = (size_t)n * sizeof(float);
  memcpy(s->value + at, out[0], size);
  memcpy(s->du + at, out[1], size);
  memcpy(s->dv + at, out[2], size);
  memcpy(s->dw + at, out[3], size);
}

INLINE void sample_points(const fk_field *f, const fk_points *p, const float *map, const fk_samples *s) {
  int32_t at = 0;
  for (; at + LANES <= p->count; at += LANES) sample_block(f, p, map, at, LANES, s);
  if (at < p->count) sample_block(f, p, map, at, p->count - at, s);
}

/// First of the four bins that a value weighs on, and its place between the middle two.
INLINE int32_t place(float value, int32_t bins, float *t) {
  const float x = value * (float)(bins - 3) + 1.0f;
  const int32_t cell = (int32_t)x, last = bins - 3;
  const int32_t k = cell < last ? cell : last;
  *t = x - (float)k;
  return k - 1;
}

INLINE void count_pairs(const uint8_t *fixed, const float *value, int32_t count, int32_t bins, double *histogram) {
  for (int32_t i = 0; i < count; i++) {
    if (value[i] < 0) continue;
    float t;
    const int32_t k = place(value[i], bins, &t);
    const float s = 1 - t, s3 = s * s * s, t3 = t * t * t;
    const float w1 = 4 - 6 * t * t + 3 * t3, w2 = 4 - 6 * s * s + 3 * s3;
    four_double *h = (four_double *)(histogram + (ptrdiff_t)fixed[i] * bins + k);
    *h += (four_double){s3, w1, w2, t3} * (1.0 / 6);
  }
}

/// Derivative of a measure by the value of each of a block's samples; 0 outside.
INLINE void slopes(const uint8_t *fixed, const float *value, int32_t n, int32_t bins, const float *slope,
                   float r[LANES]) {
  for (int32_t i = 0; i < LANES; i++) {
    const int32_t j = i < n ? i : 0;
    const bool in = (i < n) & (value[j] >= 0);
    float t;
    const int32_t k = place(in ? value[j] : 0, bins, &t);
    const float *q = slope + (ptrdiff_t)fixed[j] * bins + k;
    const float s = 1 - t;
    const float sum = -s * s * q[0] + (3 * t * t - 4 * t) * q[1] + (4 * s - 3 * s * s) * q[2] + t * t * q[3];
    r[i] = in ? sum * (0.5f * (float)(bins - 3)) : 0;
  }
}

INLINE void sum_forces(const uint8_t *fixed, const fk_points *p, const fk_samples *s, int32_t bins,
                       const float *slope, double *sums) {
  for (int32_t pass = 0; pass < p->count; pass += PASS) {
    float lanes[12][LANES] = {{0}};
    const int32_t end = p->count - pass < PASS ? p->count : pass + PASS;
    for (int32_t at = pass; at < end; at += LANES) {
      float r[LANES];
      const int32_t n = end - at < LANES ? end - at : LANES;
      slopes(fixed + at, s->value + at, n, bins, slope, r);
      for (int32_t i = 0; i < LANES; i++) {
        const int32_t j = at + (i < n ? i : 0);
        const float u = r[i] * s->du[j], v = r[i] * s->dv[j], w = r[i] * s->dw[j];
        const float x = p->x[j], y = p->y[j], z = p->z[j];
        lanes[0][i] += u * x, lanes[1][i] += u * y, lanes[2][i] += u * z, lanes[3][i] += u;
        lanes[4][i] += v * x, lanes[5][i] += v * y, lanes[6][i] += v * z, lanes[7][i] += v;
        lanes[8][i] += w * x, lanes[9][i] += w * y, lanes[10][i] += w * z, lanes[11][i] += w;
      }
    }
    for (int32_t k = 0; k < 12; k++)
      for (int32_t i = 0; i < LANES; i++) sums[k] += lanes[k][i];
  }
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2")))
AVX2 static void sample_avx2(const fk_field *f, const fk_points *p, const float *m, const fk_samples *s) {
  sample_points(f, p, m, s);
}
AVX512 static void sample_avx512(const fk_field *f, const fk_points *p, const float *m, const fk_samples *s) {
  sample_points(f, p, m, s);
}
AVX2 static void count_avx2(const uint8_t *fixed, const float *value, int32_t n, int32_t bins, double *h) {
  count_pairs(fixed, value, n, bins, h);
}
AVX2 static void forces_avx2(const uint8_t *fixed, const fk_points *p, const fk_samples *s, int32_t bins,
                             const float *slope, double *sums) {
  sum_forces(fixed, p, s, bins, slope, sums);
}
AVX512 static void forces_avx512(const uint8_t *fixed, const fk_points *p, const fk_samples *s, int32_t bins,
                                 const float *slope, double *sums) {
  sum_forces(fixed, p, s, bins, slope, sums);
}
#endif

void fk_sample_points(const fk_field *f, const fk_points *p, const float *map, const fk_samples *s, fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return sample_avx512(f, p, map, s);
  if (isa == FK_ISA_AVX2) return sample_avx2(f, p, map, s);
#endif
  sample_points(f, p, map, s);
}

void fk_count_pairs(const uint8_t *fixed, const float *value, int32_t count, int32_t bins, double *histogram,
                    fk_isa isa) {
#if defined(__x86_64__)
  if (isa != FK_ISA_PORTABLE) return count_avx2(fixed, value, count, bins, histogram);
#endif
  count_pairs(fixed, value, count, bins, histogram);
}

void fk_sum_forces(const uint8_t *fixed, const fk_points *p, const fk_samples *s, int32_t bins, const float *slope,
                   double *sums, fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return forces_avx512(fixed, p, s, bins, slope, sums);
  if (isa == FK_ISA_AVX2) return forces_avx2(fixed, p, s, bins, slope, sums);
#endif
  sum_forces(fixed, p, s, bins, slope, sums);
}

void fk_sum_pairs(const uint8_t *fixed, const float *value, const uint8_t *group, int32_t count, int32_t bins,
                  const float *table, double *sums, int32_t *counts) {
  for (int32_t i = 0; i < count; i++) {
    if (value[i] < 0) continue;
    float t;
    const float *q = table + (ptrdiff_t)fixed[i] * bins + place(value[i], bins, &t);
    const float s = 1 - t, s3 = s * s * s, t3 = t * t * t;
    const float w1 = 4 - 6 * t * t + 3 * t3, w2 = 4 - 6 * s * s + 3 * s3;
    sums[group[i]] += (s3 * q[0] + w1 * q[1] + w2 * q[2] + t3 * q[3]) / 6;
    counts[group[i]]++;
  }
}
