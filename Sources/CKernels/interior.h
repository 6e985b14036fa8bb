// Rows of points that lie wholly between voxel centres: no clamping, no masks, and the slice weights taken out of the loop
// where the row stays at one depth. Inside resample.c, built with it; the arithmetic is that of interpolate.h.
#pragma once

#include "interpolate.h"

/// One lattice index along a row: point i lies at from + i · by.
typedef struct {
  double from, by;
} ramp_of;

/// A row in an evenly spaced stack.
typedef struct {
  ramp_of u, v, t;
} even_row;

INLINE double at_point(ramp_of r, int32_t i) { return r.from + (double)i * r.by; }

/// Narrows [*first, *last) to points whose index is at least 0 and below `end`; indices are monotonic along a row.
INLINE void narrow(ramp_of r, double end, int32_t *first, int32_t *last) {
  if (*first >= *last) return;
  if (r.by != 0) {
    // An estimate, one point short on both sides; what it wrongly leaves out goes the general way.
    const double a = -r.from / r.by, b = (end - r.from) / r.by;
    const double low = (a < b ? a : b) + 1, high = (a < b ? b : a) - 1;
    if (!(low < *last && high > *first)) {
      *last = *first;
      return;
    }
    if (low > *first) *first = (int32_t)low + 1;
    if (high < *last) *last = (int32_t)high;
  }
  if (*first >= *last) return;
  const double one = at_point(r, *first), other = at_point(r, *last - 1);
  if (!(one >= 0 && one < end && other >= 0 && other < end)) *last = *first;
}

/// Points of the row that need nothing of the general way: [*first, *last).
INLINE void interior_of(const fk_lattice *l, const even_row *row, int32_t count, int32_t *first, int32_t *last) {
  *first = 0;
  *last = count;
  // Marking used slices takes every slice between the two ends for used.
  if (!(fabs(row->t.by) <= 1)) *last = 0;
  narrow(row->u, l->columns - 1, first, last);
  narrow(row->v, l->rows - 1, first, last);
  narrow(row->t, l->slices - 1, first, last);
}

/// What four neighbouring squares [point][row, column] give at their fractions.
INLINE four between(const four c[4], four u1, four v1) {
  const four low01 = __builtin_shufflevector(c[0], c[1], 0, 4, 1, 5);
  const four low23 = __builtin_shufflevector(c[2], c[3], 0, 4, 1, 5);
  const four high01 = __builtin_shufflevector(c[0], c[1], 2, 6, 3, 7);
  const four high23 = __builtin_shufflevector(c[2], c[3], 2, 6, 3, 7);
  const four u0 = 1 - u1;
  const four upper = __builtin_shufflevector(low01, low23, 0, 1, 4, 5) * u0 +
                     __builtin_shufflevector(low01, low23, 2, 3, 6, 7) * u1;
  const four lower = __builtin_shufflevector(high01, high23, 0, 1, 4, 5) * u0 +
                     __builtin_shufflevector(high01, high23, 2, 3, 6, 7) * u1;
  return upper * (1 - v1) + lower * v1;
}

/// Where a row's points lie; its arrays are filled up to a multiple of four by repeating the last point.
typedef struct {
  int32_t at[BLOCK + 4];
  float u[BLOCK + 4], v[BLOCK + 4], t[BLOCK + 4];
} places;

/// Asks for the four lines of a cell before they are needed.
INLINE void ask(const float *x, ptrdiff_t sv, ptrdiff_t st) {
  __builtin_prefetch(x);
  __builtin_prefetch(x + sv);
  __builtin_prefetch(x + st);
  __builtin_prefetch(x + st + sv);
}

/// A row at one depth: `depth` 0 draws on a single slice.
INLINE void level_points(const float *voxels, ptrdiff_t sv, ptrdiff_t st, ptrdiff_t next_row, int32_t n,
                         const places *p, float depth, float *out) {
  const float above = 1 - depth;
  for (int32_t i = 0; i < n; i += 4) {
    const ptrdiff_t later = next_row ? p->at[i] + next_row : p->at[i + AHEAD < n ? i + AHEAD : n - 1];
    ask(voxels + later, sv, depth == 0 ? 0 : st);
    four c[4];
#pragma clang loop unroll(full)
    for (int32_t j = 0; j < 4; j++) {
      const float *x = voxels + p->at[i + j];
      c[j] = depth == 0 ? square(x, sv) : square(x, sv) * above + square(x + st, sv) * depth;
    }
    *(four *)(out + i) = between(c, *(const four *)(p->u + i), *(const four *)(p->v + i));
  }
}

INLINE void oblique_points(const float *voxels, ptrdiff_t sv, ptrdiff_t st, ptrdiff_t next_row, int32_t n,
                           const places *p, float *out) {
  for (int32_t i = 0; i < n; i += 4) {
    four c[4];
#pragma clang loop unroll(full)
    for (int32_t j = 0; j < 4; j++) {
      const float *x = voxels + p->at[i + j];
      ask(voxels + (next_row ? p->at[i + j] + next_row : p->at[i + j + AHEAD < n ? i + j + AHEAD : n - 1]), sv, st);
      c[j] = square(x, sv) * (1 - p->t[i + j]) + square(x + st, sv) * p->t[i + j];
    }
    *(four *)(out + i) = between(c, *(const four *)(p->u + i), *(const four *)(p->v + i));
  }
}

/// Splits n indices from `start` on into cell and fraction.
INLINE void split_inside(ramp_of r, int32_t start, int32_t n, int32_t *cell, float *fraction) {
  for (int32_t i = 0; i < n; i++) {
    const double x = at_point(r, start + i);
    const int32_t k = (int32_t)x;
    cell[i] = k;
    fraction[i] = (float)(x - k);
  }
}

INLINE void place_points(const fk_lattice *l, const even_row *row, int32_t start, int32_t n, places *p) {
  int32_t cell[BLOCK];
  split_inside(row->t, start, n, p->at, p->t);
  split_inside(row->v, start, n, cell, p->v);
  for (int32_t i = 0; i < n; i++) p->at[i] = (p->at[i] * l->rows + cell[i]) * l->columns;
  split_inside(row->u, start, n, cell, p->u);
  for (int32_t i = 0; i < n; i++) p->at[i] += cell[i];
  for (int32_t i = n; i % 4 != 0; i++) {
    p->at[i] = p->at[n - 1];
    p->u[i] = p->u[n - 1], p->v[i] = p->v[n - 1], p->t[i] = p->t[n - 1];
  }
}

/// Samples points first … last − 1, all of the interior, and marks the slices between which they lie. False, and nothing is
/// marked, where a value is not finite though nobody said that voxels are missing.
INLINE bool sample_interior(const fk_sampler *s, const even_row *row, int32_t first, int32_t last, float *out,
                            bool *inside, bool *used) {
  const fk_lattice *l = &s->lattice;
  const ptrdiff_t sv = l->columns, st = (ptrdiff_t)l->rows * l->columns;
  places p;
  float some[BLOCK + 4];
  for (int32_t start = first; start < last; start += BLOCK) {
    const int32_t n = last - start < BLOCK ? last - start : BLOCK;
    // Points come in fours: the last four may be more than there are.
    float *values = n % 4 == 0 ? out + start : some;
    place_points(l, row, start, n, &p);
    if (row->t.by == 0) level_points(s->voxels, sv, st, s->next_row, n, &p, p.t[0], values);
    else oblique_points(s->voxels, sv, st, s->next_row, n, &p, values);
    if (s->gaps == FK_GAPS_UNKNOWN) {
      bool missing = false;
      for (int32_t i = 0; i < n; i++) missing |= !(fabsf(values[i]) < INFINITY);
      if (missing) return false;
    }
    if (values == some) memcpy(out + start, some, (size_t)n * sizeof(float));
  }
  memset(inside + first, 1, (size_t)(last - first));
  const double one = at_point(row->t, first), other = at_point(row->t, last - 1);
  const int32_t low = (int32_t)(one < other ? one : other);
  const double high = one < other ? other : one;
  for (int32_t k = low; k < high || k == low; k++) used[k] = true;
  if (high > (int32_t)high) used[(int32_t)high + 1] = true;
  else used[(int32_t)high] = true;
  return true;
}
