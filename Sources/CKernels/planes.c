// Single planes – one text, built per instruction set. Nothing is contracted, so that every processor gives the same bits.
#pragma STDC FP_CONTRACT OFF

#include "planes.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
enum { LANES = 16, BATCH = 1024 };

/// Neighbours of a coordinate with the image continued by its border pixels, and the weight of the lower one.
INLINE void clamp(float at, int32_t n, int32_t *low, int32_t *high, float *weight) {
  const float from = at > -1.0f ? at : -1.0f;  // NaN becomes −1 too: an index is always valid
  const float inside = from < (float)n ? from : (float)n;
  const int32_t whole = (int32_t)inside, cell = whole - (inside < (float)whole);
  const int32_t next = cell + 1;
  *low = cell < 0 ? 0 : cell > n - 1 ? n - 1 : cell;
  *high = next < 0 ? 0 : next > n - 1 ? n - 1 : next;
  *weight = 1 - (inside - (float)cell);
}

/// n ≤ LANES pixels of row r from column c on.
INLINE void sample_block(const float *x, int32_t width, int32_t height, int32_t r, int32_t c, const float *dx,
                         const float *dy, int32_t n, float *y) {
  int32_t at[4][LANES];
  float a[LANES], b[LANES];
  for (int32_t i = 0; i < n; i++) {
    int32_t left, right, up, down;
    clamp((float)(c + i) + dx[i], width, &left, &right, &a[i]);
    clamp((float)r + dy[i], height, &up, &down, &b[i]);
    at[0][i] = up * width + left, at[1][i] = up * width + right;
    at[2][i] = down * width + left, at[3][i] = down * width + right;
  }
  float value[LANES];
  for (int32_t i = 0; i < n; i++)
    value[i] = b[i] * (a[i] * x[at[0][i]] + (1 - a[i]) * x[at[1][i]]) +
               (1 - b[i]) * (a[i] * x[at[2][i]] + (1 - a[i]) * x[at[3][i]]);
  memcpy(y, value, (size_t)n * sizeof(float));
}

INLINE void sample_plane(const float *x, int32_t width, int32_t height, const float *dx, const float *dy, float *y) {
  for (int32_t r = 0; r < height; r++, dx += width, dy += width, y += width) {
    int32_t c = 0;
    for (; c + LANES <= width; c += LANES) sample_block(x, width, height, r, c, dx + c, dy + c, LANES, y + c);
    if (c < width) sample_block(x, width, height, r, c, dx + c, dy + c, width - c, y + c);
  }
}

/// Where the differences of a row are taken: bytes up and down are rows' lengths or 0 at the border.
typedef struct {
  const float *dx, *dy;
  ptrdiff_t up, down;
  double along;
} flow_row;

INLINE double determinant(flow_row f, ptrdiff_t at, ptrdiff_t left, ptrdiff_t right, double across) {
  const double xx = 1 + (double)(f.dx[at + right] - f.dx[at - left]) * across;
  const double xy = (double)(f.dx[at + f.down] - f.dx[at - f.up]) * f.along;
  const double yx = (double)(f.dy[at + right] - f.dy[at - left]) * across;
  const double yy = 1 + (double)(f.dy[at + f.down] - f.dy[at - f.up]) * f.along;
  return xx * yy - xy * yx;
}

/// Squared lengths and determinants of one row. One pixel wide or high: the difference is zero, whatever it is divided by.
INLINE void measure_row(flow_row f, int32_t columns, double *squared, double *determinants) {
  for (int32_t c = 0; c < columns; c++) {
    const double x = (double)f.dx[c], y = (double)f.dy[c];
    squared[c] = x * x + y * y;
  }
  const int32_t last = columns - 1;
  for (int32_t c = 1; c < last; c++) determinants[c] = determinant(f, c, 1, 1, 0.5);
  determinants[0] = determinant(f, 0, 0, last > 0, 1);
  if (last > 0) determinants[last] = determinant(f, last, 1, 0, 1);
}

/// What does not depend on the order of the pixels, in lanes.
typedef struct {
  double longest[LANES], smallest[LANES];
  int64_t folded[LANES], count[LANES];
} extremes;

/// n ≤ LANES pixels; `squared` of those not looked at becomes 0.
INLINE void look(const bool *seen, int32_t n, double *squared, const double *determinants, extremes *e) {
  for (int32_t j = 0; j < n; j++) {
    const bool in = seen ? seen[j] : true;
    const double s = in ? squared[j] : 0, d = in ? determinants[j] : INFINITY;
    e->longest[j] = s > e->longest[j] ? s : e->longest[j];
    e->smallest[j] = d < e->smallest[j] ? d : e->smallest[j];
    e->folded[j] += d <= 0;
    e->count[j] += in;
    squared[j] = s;
  }
}

INLINE void measure(const float *dx, const float *dy, int32_t columns, int32_t rows, const bool *mask, double *scratch,
                    fk_flow_numbers *numbers) {
  fk_flow_numbers n = {0, 0, INFINITY, 0, 0};
  extremes e;
  for (int32_t j = 0; j < LANES; j++) e.longest[j] = 0, e.smallest[j] = INFINITY, e.folded[j] = 0, e.count[j] = 0;
  double *squared = scratch, *determinants = scratch + columns;
  for (int32_t r = 0; r < rows; r++, dx += columns, dy += columns) {
    const ptrdiff_t up = r > 0 ? columns : 0, down = r < rows - 1 ? columns : 0;
    const flow_row f = {dx, dy, up, down, up && down ? 0.5 : 1.0};
    measure_row(f, columns, squared, determinants);
    const bool *seen = mask ? mask + (ptrdiff_t)r * columns : 0;
    int32_t c = 0;
    for (; c + LANES <= columns; c += LANES) look(seen ? seen + c : 0, LANES, squared + c, determinants + c, &e);
    if (c < columns) look(seen ? seen + c : 0, columns - c, squared + c, determinants + c, &e);
    for (int32_t c = 0; c < columns; c++) squared[c] = __builtin_elementwise_sqrt(squared[c]);
    for (int32_t c = 0; c < columns; c++) n.lengths += squared[c];
  }
  for (int32_t j = 0; j < LANES; j++) {
    n.longest_squared = e.longest[j] > n.longest_squared ? e.longest[j] : n.longest_squared;
    n.smallest = e.smallest[j] < n.smallest ? e.smallest[j] : n.smallest;
    n.folded += e.folded[j];
    n.count += e.count[j];
  }
  *numbers = n;
}

INLINE int32_t bin_of(float value, int32_t bins) {
  const int32_t bin = value > 0 ? (int32_t)((1 < value ? 1 : value) * (float)bins) : 0;
  return bin < bins - 1 ? bin : bins - 1;
}

INLINE void count_joint(const float *a, const float *b, const bool *mask, ptrdiff_t count, int32_t bins,
                        uint32_t *counts) {
  int32_t place[BATCH];
  const int32_t none = bins * bins;
  uint32_t *other = counts + none + 1;  // neighbours are often alike: two tables, so that one need not wait for the other
  for (ptrdiff_t from = 0; from < count; from += BATCH) {
    const int32_t n = count - from < BATCH ? (int32_t)(count - from) : BATCH;
    for (int32_t i = 0; i < n; i++) place[i] = bin_of(a[from + i], bins) * bins + bin_of(b[from + i], bins);
    if (mask)
      for (int32_t i = 0; i < n; i++) place[i] = mask[from + i] ? place[i] : none;
    for (int32_t i = 0; i + 1 < n; i += 2) {
      counts[place[i]]++;
      other[place[i + 1]]++;
    }
    if (n % 2 != 0) counts[place[n - 1]]++;
  }
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2")))
AVX2 static void sample_avx2(const float *x, int32_t w, int32_t h, const float *dx, const float *dy, float *y) {
  sample_plane(x, w, h, dx, dy, y);
}
AVX2 static void measure_avx2(const float *dx, const float *dy, int32_t columns, int32_t rows, const bool *mask,
                              double *scratch, fk_flow_numbers *numbers) {
  measure(dx, dy, columns, rows, mask, scratch, numbers);
}
AVX512 static void measure_avx512(const float *dx, const float *dy, int32_t columns, int32_t rows, const bool *mask,
                                  double *scratch, fk_flow_numbers *numbers) {
  measure(dx, dy, columns, rows, mask, scratch, numbers);
}
AVX2 static void count_avx2(const float *a, const float *b, const bool *mask, ptrdiff_t count, int32_t bins,
                            uint32_t *counts) {
  count_joint(a, b, mask, count, bins, counts);
}
#endif

void fk_sample_clamped(const float *x, int32_t width, int32_t height, const float *dx, const float *dy, float *y,
                       fk_isa isa) {
#if defined(__x86_64__)
  // Wider gathers are no quicker.
  if (isa != FK_ISA_PORTABLE) return sample_avx2(x, width, height, dx, dy, y);
#endif
  sample_plane(x, width, height, dx, dy, y);
}

void fk_measure_flow(const float *dx, const float *dy, int32_t columns, int32_t rows, const bool *mask,
                     double *scratch, fk_flow_numbers *numbers, fk_isa isa) {
#if defined(__x86_64__)
  if (isa == FK_ISA_AVX512) return measure_avx512(dx, dy, columns, rows, mask, scratch, numbers);
  if (isa == FK_ISA_AVX2) return measure_avx2(dx, dy, columns, rows, mask, scratch, numbers);
#endif
  measure(dx, dy, columns, rows, mask, scratch, numbers);
}

void fk_count_joint(const float *a, const float *b, const bool *mask, ptrdiff_t count, int32_t bins, uint32_t *counts,
                    fk_isa isa) {
#if defined(__x86_64__)
  if (isa != FK_ISA_PORTABLE) return count_avx2(a, b, mask, count, bins, counts);
#endif
  count_joint(a, b, mask, count, bins, counts);
}
