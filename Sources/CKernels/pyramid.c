// Coarser and mapped copies of a volume for the registration – one text, built per instruction set, the same bits.
#pragma STDC FP_CONTRACT OFF

#include <math.h>
#include <stddef.h>

#include "alignment.h"

#define INLINE static inline __attribute__((always_inline))
enum { CHUNK = 1024 };  // columns of the output that are summed together; the sums stay in the first-level cache

/// Adds the finite values of one input row to the boxes of an output row.
INLINE void add_row(const float *in, int32_t box, int32_t n, float *sum, float *count) {
  for (int32_t k = 0; k < box; k++)
    for (int32_t i = 0; i < n; i++) {
      const float x = in[(ptrdiff_t)i * box + k];
      const float finite = x - x == 0;
      sum[i] += finite != 0 ? x : 0;
      count[i] += finite;
    }
}

INLINE void shrink(const float *in, int32_t columns, int32_t rows, int32_t slices, const int32_t *box, float *out) {
  const int32_t nu = columns / box[0], nv = rows / box[1], nw = slices / box[2];
  for (int32_t w = 0; w < nw; w++)
    for (int32_t v = 0; v < nv; v++)
      for (int32_t u = 0; u < nu; u += CHUNK) {
        const int32_t n = nu - u < CHUNK ? nu - u : CHUNK;
        float sum[CHUNK] = {0}, count[CHUNK] = {0};
        for (int32_t c = 0; c < box[2]; c++)
          for (int32_t b = 0; b < box[1]; b++) {
            const ptrdiff_t row = ((ptrdiff_t)w * box[2] + c) * rows + (ptrdiff_t)v * box[1] + b;
            const float *from = in + row * columns + (ptrdiff_t)u * box[0];
            if (box[0] == 2) {
              add_row(from, 2, n, sum, count);
            } else if (box[0] == 1) {
              add_row(from, 1, n, sum, count);
            } else {
              add_row(from, box[0], n, sum, count);
            }
          }
        float *to = out + ((ptrdiff_t)w * nv + v) * nu + u;
        for (int32_t i = 0; i < n; i++) to[i] = sum[i] / count[i];
      }
}

INLINE ptrdiff_t clamped(ptrdiff_t i, ptrdiff_t count) { return i < 0 ? 0 : (i < count ? i : count - 1); }

/// Halves the middle axis of [outer][length][inner].
INLINE void halve(const float *in, ptrdiff_t outer, ptrdiff_t length, ptrdiff_t inner, float *out) {
  const ptrdiff_t half = (length + 1) / 2;
  for (ptrdiff_t o = 0; o < outer; o++)
    for (ptrdiff_t k = 0; k < half; k++) {
      const float *block = in + o * length * inner;
      const float *a = block + clamped(2 * k - 1, length) * inner, *b = block + 2 * k * inner;
      const float *c = block + clamped(2 * k + 1, length) * inner, *d = block + clamped(2 * k + 2, length) * inner;
      float *to = out + (o * half + k) * inner;
      for (ptrdiff_t i = 0; i < inner; i++) to[i] = ((a[i] + d[i]) + 3 * (b[i] + c[i])) * 0.125f;
    }
}

/// Halves the columns of `lines` rows.
INLINE void halve_columns(const float *in, ptrdiff_t lines, ptrdiff_t length, float *out) {
  const ptrdiff_t half = (length + 1) / 2;
  for (ptrdiff_t l = 0; l < lines; l++) {
    const float *x = in + l * length;
    float *to = out + l * half;
    const ptrdiff_t safe = (length - 3) / 2;
    to[0] = ((x[0] + x[clamped(2, length)]) + 3 * (x[0] + x[clamped(1, length)])) * 0.125f;
    for (ptrdiff_t k = 1; k <= safe; k++)
      to[k] = ((x[2 * k - 1] + x[2 * k + 2]) + 3 * (x[2 * k] + x[2 * k + 1])) * 0.125f;
    for (ptrdiff_t k = safe > 0 ? safe + 1 : 1; k < half; k++)
      to[k] = ((x[2 * k - 1] + x[clamped(2 * k + 2, length)]) + 3 * (x[2 * k] + x[clamped(2 * k + 1, length)])) *
              0.125f;
  }
}

INLINE void halve_axis(const float *in, int32_t columns, int32_t rows, int32_t slices, int32_t axis, float *out) {
  if (axis == 0) halve_columns(in, (ptrdiff_t)rows * slices, columns, out);
  if (axis == 1) halve(in, slices, rows, columns, out);
  if (axis == 2) halve(in, 1, slices, (ptrdiff_t)columns * rows, out);
}

INLINE void map_values(const float *in, int64_t count, float lower, float rate, const float *table, int32_t knots,
                       float *out) {
  const float last = (float)(knots - 1);
  for (int64_t i = 0; i < count; i++) {
    float x = (in[i] - lower) * rate;
    x = x > 0 ? (x < last ? x : last) : 0;  // a NaN goes to 0
    const int32_t k = (int32_t)x < knots - 2 ? (int32_t)x : knots - 2;
    out[i] = table[k] + (x - (float)k) * (table[k + 1] - table[k]);
  }
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2")))
AVX2 static void shrink_avx2(const float *in, int32_t columns, int32_t rows, int32_t slices, const int32_t *box,
                             float *out) {
  shrink(in, columns, rows, slices, box, out);
}
AVX2 static void halve_avx2(const float *in, int32_t columns, int32_t rows, int32_t slices, int32_t axis,
                            float *out) {
  halve_axis(in, columns, rows, slices, axis, out);
}
AVX512 static void map_avx512(const float *in, int64_t count, float lower, float rate, const float *table,
                              int32_t knots, float *out) {
  map_values(in, count, lower, rate, table, knots, out);
}
AVX2 static void map_avx2(const float *in, int64_t count, float lower, float rate, const float *table, int32_t knots,
                          float *out) {
  map_values(in, count, lower, rate, table, knots, out);
}
#endif

void fk_shrink(const float *in, int32_t columns, int32_t rows, int32_t slices, const int32_t *box, float *out,
               fk_isa isa) {
#if defined(__x86_64__)
  if (isa != FK_ISA_PORTABLE) return shrink_avx2(in, columns, rows, slices, box, out);
#endif
  shrink(in, columns, rows, slices, box, out);
}

void fk_halve(const float *in, int32_t columns, int32_t rows, int32_t slices, int32_t axis, float *out, fk_isa isa) {
#if defined(__x86_64__)
  if (isa != FK_ISA_PORTABLE) return halve_avx2(in, columns, rows, slices, axis, out);
#endif
  halve_axis(in, columns, rows, slices, axis, out);
}

void fk_map_values(const float *in, int64_t count, float lower, float rate, const float *table, int32_t knots,
                   float *out, fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return map_avx512(in, count, lower, rate, table, knots, out);
  if (isa == FK_ISA_AVX2) return map_avx2(in, count, lower, rate, table, knots, out);
#endif
  map_values(in, count, lower, rate, table, knots, out);
}
