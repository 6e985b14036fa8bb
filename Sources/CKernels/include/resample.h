// Sampling a stack of slices along a straight row of points, and the separable filters before it – no policy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa.h"

#pragma clang assume_nonnull begin

// These kernels give the same bits with every instruction set: products and sums are never contracted.

/// Where the voxels of a stack are. Depth is the distance along the normal in mm; slice k's first pixel lies
/// `shift_u[k]` columns and `shift_v[k]` rows from that of slice 0 (shear, gantry tilt).
typedef struct {
  int32_t slices, rows, columns;
  const double *depths;   // [slices], mm, ascending
  const double *shift_u;  // [slices], columns
  const double *shift_v;  // [slices], rows
  /// True when depths and shifts are linear in k, so that a row needs no search.
  bool is_even;
  /// A stack of one slice reaches this far on both sides of it, mm.
  double half_thickness;
} fk_lattice;

/// A row of points: in-plane position relative to slice 0's first pixel (columns, rows) and depth (mm).
typedef struct {
  double u, v, depth;
  double step_u, step_v, step_depth;
} fk_ray;

/// Whether voxels are missing.
typedef enum {
  FK_GAPS_NONE,
  FK_GAPS_SOME,
  /// Nobody looked: rows inside the stack are sampled as if there were none, and again where a result is not finite.
  FK_GAPS_UNKNOWN,
} fk_gaps;

/// What a row is sampled from.
typedef struct {
  fk_lattice lattice;
  /// [slices][rows][columns]; NaN or infinite where there is no data.
  const float *voxels;
  /// Whether `voxels` has non-finite values.
  fk_gaps gaps;
  /// Cubic B-spline coefficients [slices][rows + 4][columns + 4], mirrored two pixels beyond each edge; null
  /// for trilinear interpolation.
  const float *_Nullable coefficients;
  /// Basis polynomials of the slice axis, [slices + 1][4 taps][4 powers]; row k + 1 is the interval from
  /// slice k to k + 1. Null with `coefficients`.
  const float *_Nullable slice_basis;
  /// Value of samples outside.
  float background;
  fk_isa isa;
  /// Voxels from a point to that of the next row but one, near enough: what will be needed is asked for early. 0: unknown.
  ptrdiff_t next_row;
} fk_sampler;

/// Samples `count` points. A point is inside when its lattice index is within half a pixel of the stack's
/// pixel centres and at least half of its trilinear weight lies on finite voxels.
/// out [count], inside [count], used [slices]: set for each slice that an inside point drew on.
/// Returns the number of points inside.
int32_t fk_sample_row(const fk_sampler *sampler, const fk_ray *ray, int32_t count, float *out,
                   bool *inside, bool *used);

/// Lines along one axis of an array seen as [outer][length][inner], float32.
typedef struct {
  int64_t outer, length, inner;
} fk_lines;

/// Floats of scratch the line filters need: 32 per element of a line.
#define FK_LINE_SCRATCH 32

/// Solves A x = d on every line in place. A is tridiagonal with its LU factors given per row:
/// forward d[i] = (d[i] - lower[i] d[i-1]) · pivot[i], backward d[i] -= upper[i] d[i+1].
/// lower, pivot, upper: [length]; scratch: [FK_LINE_SCRATCH · length].
void fk_solve_lines(float *data, fk_lines lines, const float *lower, const float *pivot,
                    const float *upper, float *scratch, fk_isa isa);

/// Replaces element i of every line by the mean of elements first[i] … first[i] + taps[i] - 1, weighted by
/// weights[i · stride …]; non-finite elements have no weight and stay as they are.
/// scratch: [FK_LINE_SCRATCH · length].
void fk_smooth_lines(float *data, fk_lines lines, const int32_t *first, const int32_t *taps,
                     const float *weights, int32_t stride, float *scratch, fk_isa isa);

#pragma clang assume_nonnull end
