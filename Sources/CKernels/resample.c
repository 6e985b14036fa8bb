// Trilinear and cubic B-spline sampling of a stack of points – one text, built per instruction set.
// The same input gives the same bytes on every processor, so no fused multiply-add may slip in.
#pragma STDC FP_CONTRACT OFF

#include <string.h>

#include "interior.h"

INLINE double clamped(double x, double low, double high) { return x < low ? low : (x > high ? high : x); }

/// Slice interval k ≤ t < k + 1 that holds `depth`; end intervals reach outward without limit.
INLINE int32_t interval(const fk_lattice *l, double depth, int32_t k) {
  while (k > 0 && depth < l->depths[k]) k--;
  while (k < l->slices - 2 && depth >= l->depths[k + 1]) k++;
  return k;
}

INLINE double snapped(double x) {
  const double nearest = floor(x + 0.5);
  return fabs(x - nearest) <= SNAP ? nearest : x;
}

/// from + i · step. A row along the lattice meets pixel centres exactly, so its start and step are snapped, once.
INLINE ramp_of snapped_ramp(double from, double step) {
  const double nearest = floor(step + 0.5);
  return (ramp_of){snapped(from), fabs(step - nearest) <= SNAP * SNAP ? nearest : step};
}

/// Lattice indices of a row in a stack whose depths and shear are linear in the slice.
INLINE even_row locate(const fk_lattice *l, const fk_ray *r) {
  const int32_t last = l->slices - 1;
  const double rate = last > 0 ? last / (l->depths[last] - l->depths[0]) : 1;
  const double slope_u = last > 0 ? l->shift_u[last] / last : 0;
  const double slope_v = last > 0 ? l->shift_v[last] / last : 0;
  const double t = (r->depth - l->depths[0]) * rate, step_t = r->step_depth * rate;
  return (even_row){.u = snapped_ramp(r->u - t * slope_u, r->step_u - step_t * slope_u),
                    .v = snapped_ramp(r->v - t * slope_v, r->step_v - step_t * slope_v),
                    .t = snapped_ramp(t, step_t)};
}

INLINE void locate_even(const even_row *row, int32_t start, int32_t n, block *b) {
  for (int32_t i = 0; i < n; i++) b->t[i] = at_point(row->t, start + i);
  for (int32_t i = 0; i < n; i++) b->u[i] = at_point(row->u, start + i);
  for (int32_t i = 0; i < n; i++) b->v[i] = at_point(row->v, start + i);
}

/// The same with slices at their true depths, shear interpolated between them.
INLINE void locate_uneven(const fk_lattice *l, const fk_ray *r, int32_t start, int32_t n, block *b) {
  for (int32_t i = 0, k = 0; i < n; i++) {
    const double x = start + i, depth = r->depth + x * r->step_depth;
    k = interval(l, depth, k);
    const double w = (depth - l->depths[k]) / (l->depths[k + 1] - l->depths[k]);
    b->t[i] = snapped(k + w);
    b->u[i] = snapped(r->u + x * r->step_u - (l->shift_u[k] + w * (l->shift_u[k + 1] - l->shift_u[k])));
    b->v[i] = snapped(r->v + x * r->step_v - (l->shift_v[k] + w * (l->shift_v[k + 1] - l->shift_v[k])));
  }
}

/// Marks points within half a pixel of the stack's centres; the others move to index 0, which is readable.
INLINE void classify(const fk_lattice *l, int32_t n, block *b) {
  const double below = -0.5 - SNAP;
  const double last_u = l->columns - 0.5 + SNAP, last_v = l->rows - 0.5 + SNAP;
  const double reach = l->half_thickness + SNAP;
  const double first_t = l->slices == 1 ? -reach : below;
  const double last_t = l->slices == 1 ? reach : l->slices - 0.5 + SNAP;
  const double stack = l->slices > 1;
  for (int32_t i = 0; i < n; i++) {
    const double u = b->u[i], v = b->v[i], t = b->t[i];
    // Written so that a NaN is outside.
    const bool in = (u >= below) & (u <= last_u) & (v >= below) & (v <= last_v) & (t >= first_t) &
                    (t <= last_t);
    b->inside[i] = in;
    b->u[i] = in ? u : 0;
    b->v[i] = in ? v : 0;
    b->t[i] = in ? t * stack : 0;
  }
}

/// Splits an index into cell and fraction with the edge value continuing outward: the last pixel is the end
/// of the last cell.
INLINE void split_clamped(const double *x, int32_t count, int32_t n, int32_t *cell, float *fraction) {
  const int32_t last = count > 1 ? count - 2 : 0;
  for (int32_t i = 0; i < n; i++) {
    const double c = clamped(x[i], 0, count - 1);
    const int32_t k = (int32_t)c, lower = k < last ? k : last;
    cell[i] = lower;
    fraction[i] = (float)(c - lower);
  }
}

/// Splits an index into floor and fraction; floor is -1 … count - 1.
INLINE void split_open(const double *x, int32_t n, int32_t *cell, float *fraction) {
  for (int32_t i = 0; i < n; i++) {
    const int32_t k = (int32_t)(x[i] + 1) - 1;
    cell[i] = k;
    fraction[i] = (float)(x[i] - k);
  }
}

/// Slices that the inside points of the block drew on: those with weight, one when met exactly.
INLINE void mark(const fk_sampler *s, int32_t n, const block *b, bool *used) {
  const int32_t slices = s->lattice.slices;
  const int32_t lower = s->coefficients ? -1 : 0, upper = s->coefficients ? 2 : 1;
  // Cell times three plus where in the cell: on its first slice, between, on its second.
  int32_t place[BLOCK];
  for (int32_t i = 0; i < n; i++) {
    const int32_t between = (b->ft[i] > 0) + (b->ft[i] >= 1);
    place[i] = b->inside[i] ? 3 * (b->it[i] + 1) + between : -1;
  }
  for (int32_t i = 0, last = -1; i < n; i++) {
    if (place[i] == last || place[i] < 0) continue;  // neighbours mostly lie in the same cell
    last = place[i];
    const int32_t k = last / 3 - 1, between = last % 3;
    const int32_t from = between == 0 ? k : (between == 2 ? k + 1 : k + lower);
    const int32_t to = between == 0 ? k : (between == 2 ? k + 1 : k + upper);
    for (int32_t j = from; j <= to; j++) used[mirrored(j, slices)] = true;
  }
}

/// `row` is null where slices are uneven.
INLINE void sample_block(const fk_sampler *s, const fk_ray *r, const even_row *row, int32_t start, int32_t n, block *b) {
  const fk_lattice *l = &s->lattice;
  if (row) {
    locate_even(row, start, n, b);
  } else {
    locate_uneven(l, r, start, n, b);
  }
  classify(l, n, b);
  const bool looks = s->gaps != FK_GAPS_NONE;
  if (!s->coefficients || looks) {
    split_clamped(b->u, l->columns, n, b->iu, b->fu);
    split_clamped(b->v, l->rows, n, b->iv, b->fv);
    split_clamped(b->t, l->slices, n, b->it, b->ft);
    if (looks || l->columns == 1) {
      trilinear_finite(s, n, b);
      for (int32_t i = 0; i < n; i++) b->inside[i] &= b->weight[i] >= 0.5f;
    } else {
      trilinear_pairs(s, n, b);
    }
  }
  if (s->coefficients) {
    split_open(b->u, n, b->iu, b->fu);
    split_open(b->v, n, b->iv, b->fv);
    split_open(b->t, n, b->it, b->ft);
    cubic(s, n, b);
  }
}

/// Points first … last − 1 the general way; returns how many are inside.
INLINE int32_t sample_points(const fk_sampler *s, const fk_ray *r, const even_row *row, int32_t first, int32_t last,
                             float *out, bool *inside, bool *used) {
  block b;
  int32_t found = 0;
  for (int32_t start = first; start < last; start += BLOCK) {
    const int32_t n = last - start < BLOCK ? last - start : BLOCK;
    sample_block(s, r, row, start, n, &b);
    for (int32_t i = 0; i < n; i++) {
      out[start + i] = b.inside[i] ? b.value[i] : s->background;
      inside[start + i] = b.inside[i];
      found += b.inside[i];
    }
    mark(s, n, &b, used);
  }
  return found;
}

INLINE int32_t sample_row(const fk_sampler *s, const fk_ray *r, int32_t count, float *out, bool *inside, bool *used) {
  const fk_lattice *l = &s->lattice;
  if (!l->is_even && l->slices > 1) return sample_points(s, r, NULL, 0, count, out, inside, used);
  const even_row row = locate(l, r);
  int32_t first = 0, last = 0;
  if (!s->coefficients && s->gaps != FK_GAPS_SOME) interior_of(l, &row, count, &first, &last);
  if (first >= last || !sample_interior(s, &row, first, last, out, inside, used))
    return sample_points(s, r, &row, 0, count, out, inside, used);
  return last - first + sample_points(s, r, &row, 0, first, out, inside, used) +
         sample_points(s, r, &row, last, count, out, inside, used);
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))) static int32_t sample_row_avx512(
    const fk_sampler *s, const fk_ray *r, int32_t count, float *out, bool *inside, bool *used) {
  return sample_row(s, r, count, out, inside, used);
}
__attribute__((target("avx2"))) static int32_t sample_row_avx2(
    const fk_sampler *s, const fk_ray *r, int32_t count, float *out, bool *inside, bool *used) {
  return sample_row(s, r, count, out, inside, used);
}
#endif

int32_t fk_sample_row(const fk_sampler *s, const fk_ray *r, int32_t count, float *out, bool *inside,
                   bool *used) {
#if defined(__x86_64__)
  if (s->isa == FK_ISA_AVX512) return sample_row_avx512(s, r, count, out, inside, used);
  if (s->isa == FK_ISA_AVX2) return sample_row_avx2(s, r, count, out, inside, used);
#endif
  return sample_row(s, r, count, out, inside, used);
}
