// Kernels of the rigid registration: pyramids, samples of a field with their gradients, joint histograms.
#pragma once

#include <stdint.h>

#include "isa.h"

#pragma clang assume_nonnull begin

/// A regular field of values, axis order [slices][rows][columns], every axis at least 2 long.
typedef struct {
  const float *voxels;
  int32_t columns, rows, slices;
} fk_field;

/// Points of the fixed image in millimetres, one array per coordinate, each [count].
typedef struct {
  const float *x, *y, *z;
  int32_t count;
} fk_points;

/// What a field holds at points: value 0 … 1, or -1 outside; gradient per step of column, row and slice. Each [count].
typedef struct {
  float *value, *du, *dv, *dw;
} fk_samples;

/// Means of boxes of `box` = columns × rows × slices voxels, over the finite ones; NaN where there is none.
/// Edges: boxes that do not fit are left out. in: [slices][rows][columns], out: each axis divided by its box.
void fk_shrink(const float *in, int32_t columns, int32_t rows, int32_t slices, const int32_t *box, float *out,
               fk_isa isa);

/// Halves one axis (0 columns, 1 rows, 2 slices) with the weights 1 3 3 1; its new length is half, rounded up,
/// element i lies between 2i and 2i + 1, the edge continues.
void fk_halve(const float *in, int32_t columns, int32_t rows, int32_t slices, int32_t axis, float *out,
              fk_isa isa);

/// Piecewise linear map of values through knots at equal steps from `lower` on: out = table[(in - lower) · rate],
/// clamped; what is not finite becomes table[0]. table: [knots].
void fk_map_values(const float *in, int64_t count, float lower, float rate, const float *table, int32_t knots,
                   float *out, fk_isa isa);

/// Trilinear samples at index = map · (x, y, z, 1). map: [3][4], row-major. Points up to half a voxel beyond the
/// outermost centres are inside and have the edge's value.
void fk_sample_points(const fk_field *field, const fk_points *points, const float *map, const fk_samples *samples,
                      fk_isa isa);

/// Adds the pairs of fixed bin and moving value to histogram [bins][bins] (fixed, moving): moving values weigh on
/// four bins by the cubic B-spline. Values below 0 are left out. bins ≥ 5.
void fk_count_pairs(const uint8_t *fixed, const float *value, int32_t count, int32_t bins, double *histogram,
                    fk_isa isa);

/// Sums of a measure's derivative: with r the derivative by the sample's value, found from `slope` [bins][bins] (the
/// derivative by the histogram), sums: [3][4] = Σ r · (du, dv, dw) ⊗ (x, y, z, 1).
void fk_sum_forces(const uint8_t *fixed, const fk_points *points, const fk_samples *samples, int32_t bins,
                   const float *slope, double *sums, fk_isa isa);

/// Σ table[bins][bins] weighed as `fk_count_pairs` does, per group: sums[group] and counts[group] grow.
void fk_sum_pairs(const uint8_t *fixed, const float *value, const uint8_t *group, int32_t count, int32_t bins,
                  const float *table, double *sums, int32_t *counts);

#pragma clang assume_nonnull end
