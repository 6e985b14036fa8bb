// Filters along the lines of one array axis: tridiagonal solution and normalised smoothing.
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "resample.h"

// As in resample.c: the same bytes on every processor.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

enum { WIDTH = 16 };  // lines side by side; two such blocks are the scratch
_Static_assert(FK_LINE_SCRATCH == 2 * WIDTH, "scratch holds a block before and after the filter");

#define ALL_LANES for (int32_t j = 0; j < WIDTH; j++)

/// Offset of the first element of a line; its elements lie `inner` apart.
INLINE int64_t line_start(fk_lines l, int64_t line) {
  return line / l.inner * l.length * l.inner + line % l.inner;
}

/// Copies up to WIDTH lines between the array and block[length][WIDTH]; unused lanes hold zeros.
INLINE void transfer(float *data, fk_lines l, int64_t line, int32_t width, float *block, bool load) {
  int64_t at[WIDTH] = {0};
  for (int32_t j = 0; j < width; j++) at[j] = line_start(l, line + j);
  const bool adjacent = width == WIDTH && at[WIDTH - 1] - at[0] == WIDTH - 1;
  if (load && width < WIDTH) memset(block, 0, sizeof(float) * WIDTH * (size_t)l.length);
  for (int64_t i = 0; i < l.length; i++, block += WIDTH) {
    float *row = data + at[0] + i * l.inner;
    if (adjacent) {
      memcpy(load ? block : row, load ? row : block, sizeof(float) * WIDTH);
    } else {
      for (int32_t j = 0; j < width; j++) {
        float *element = data + at[j] + i * l.inner;
        if (load) block[j] = *element;
        else *element = block[j];
      }
    }
  }
}

INLINE void solve_lines(float *data, fk_lines l, const float *lower, const float *pivot, const float *upper,
                        float *scratch) {
  const int64_t total = l.outer * l.inner;
  for (int64_t line = 0; line < total; line += WIDTH) {
    const int32_t width = total - line < WIDTH ? (int32_t)(total - line) : WIDTH;
    transfer(data, l, line, width, scratch, true);
    ALL_LANES scratch[j] *= pivot[0];
    for (int64_t i = 1; i < l.length; i++) {
      float *d = scratch + i * WIDTH;
      ALL_LANES d[j] = (d[j] - lower[i] * d[j - WIDTH]) * pivot[i];
    }
    for (int64_t i = l.length - 2; i >= 0; i--) {
      float *d = scratch + i * WIDTH;
      ALL_LANES d[j] -= upper[i] * d[j + WIDTH];
    }
    transfer(data, l, line, width, scratch, false);
  }
}

/// One element of WIDTH lines: weighted mean of the finite ones among `taps` source elements.
INLINE void smooth_gapped(const float *source, const float *centre, int32_t taps, const float *weights, float *out) {
  float sum[WIDTH] = {0}, weight[WIDTH] = {0};
  for (int32_t k = 0; k < taps; k++) {
    const float *x = source + k * WIDTH;
    ALL_LANES {
      const bool finite = fabsf(x[j]) < INFINITY;
      sum[j] += finite ? weights[k] * x[j] : 0;
      weight[j] += finite ? weights[k] : 0;
    }
  }
  ALL_LANES out[j] = fabsf(centre[j]) < INFINITY ? sum[j] / weight[j] : centre[j];
}

/// The same where all are finite: the same sums in the same order, and one divisor.
INLINE void smooth_whole(const float *source, int32_t taps, const float *weights, float *out) {
  float sum[WIDTH] = {0}, weight = 0;
  for (int32_t k = 0; k < taps; k++) {
    const float *x = source + k * WIDTH;
    ALL_LANES sum[j] += weights[k] * x[j];
    weight += weights[k];
  }
  ALL_LANES out[j] = sum[j] / weight;
}

INLINE bool all_finite(const float *values, int64_t count) {
  uint32_t gaps = 0;
  for (int64_t i = 0; i < count; i++) gaps |= !(fabsf(values[i]) < INFINITY);
  return gaps == 0;
}

INLINE void smooth_lines(float *data, fk_lines l, const int32_t *first, const int32_t *taps,
                         const float *weights, int32_t stride, float *scratch) {
  const int64_t total = l.outer * l.inner;
  float *result = scratch + WIDTH * l.length;
  for (int64_t line = 0; line < total; line += WIDTH) {
    const int32_t width = total - line < WIDTH ? (int32_t)(total - line) : WIDTH;
    transfer(data, l, line, width, scratch, true);
    if (all_finite(scratch, WIDTH * l.length))
      for (int64_t i = 0; i < l.length; i++)
        smooth_whole(scratch + first[i] * WIDTH, taps[i], weights + i * stride, result + i * WIDTH);
    else
      for (int64_t i = 0; i < l.length; i++)
        smooth_gapped(scratch + first[i] * WIDTH, scratch + i * WIDTH, taps[i], weights + i * stride,
                      result + i * WIDTH);
    transfer(data, l, line, width, result, false);
  }
}

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define AVX2 __attribute__((target("avx2")))
AVX512 static void solve_avx512(float *data, fk_lines l, const float *lower, const float *pivot,
                                const float *upper, float *scratch) {
  solve_lines(data, l, lower, pivot, upper, scratch);
}
AVX2 static void solve_avx2(float *data, fk_lines l, const float *lower, const float *pivot,
                            const float *upper, float *scratch) {
  solve_lines(data, l, lower, pivot, upper, scratch);
}
AVX512 static void smooth_avx512(float *data, fk_lines l, const int32_t *first, const int32_t *taps,
                                 const float *weights, int32_t stride, float *scratch) {
  smooth_lines(data, l, first, taps, weights, stride, scratch);
}
AVX2 static void smooth_avx2(float *data, fk_lines l, const int32_t *first, const int32_t *taps,
                             const float *weights, int32_t stride, float *scratch) {
  smooth_lines(data, l, first, taps, weights, stride, scratch);
}
#endif

void fk_solve_lines(float *data, fk_lines lines, const float *lower, const float *pivot, const float *upper,
                    float *scratch, fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return solve_avx512(data, lines, lower, pivot, upper, scratch);
  if (isa == FK_ISA_AVX2) return solve_avx2(data, lines, lower, pivot, upper, scratch);
#endif
  solve_lines(data, lines, lower, pivot, upper, scratch);
}

void fk_smooth_lines(float *data, fk_lines lines, const int32_t *first, const int32_t *taps,
                     const float *weights, int32_t stride, float *scratch, fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return smooth_avx512(data, lines, first, taps, weights, stride, scratch);
  if (isa == FK_ISA_AVX2) return smooth_avx2(data, lines, first, taps, weights, stride, scratch);
#endif
  smooth_lines(data, lines, first, taps, weights, stride, scratch);
}
