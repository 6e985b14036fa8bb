// Single planes: sampled along a deformation, a deformation in numbers, two planes in one histogram – no features, no policy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa.h"

#pragma clang assume_nonnull begin

// These kernels give the same bits with every instruction set: products and sums are never contracted.

/// Sampler V: plain planes (no border) of less than 2³¹ pixels; exact position (x+dx, y+dy), bilinear, nearest pixel outside.
void fk_sample_clamped(const float *x, int32_t width, int32_t height, const float *dx, const float *dy, float *y,
                       fk_isa isa);

/// A deformation in numbers, over the pixels looked at.
typedef struct fk_flow_numbers {
  /// Sum of the displacements' lengths and the greatest squared one, pixels.
  double lengths, longest_squared;
  /// Smallest determinant of the mapping (x + dx, y + dy), infinity without pixels; how many are ≤ 0.
  double smallest;
  int64_t folded;
  /// Pixels looked at.
  int64_t count;
} fk_flow_numbers;

/// dx, dy: [rows][columns]; mask: the pixels to look at, null for all. Derivatives are central differences, one-sided at the
/// border. scratch: [2 · columns].
void fk_measure_flow(const float *dx, const float *dy, int32_t columns, int32_t rows, const bool *_Nullable mask,
                     double *scratch, fk_flow_numbers *numbers, fk_isa isa);

/// Counts pairs of values: 0…1 falls into `bins` bins, what is beyond into those at the ends, NaN into the first. mask: the
/// pairs to count, null for all. counts: [2][bins · bins + 1], grows; the two tables add up, their last places mean nothing.
void fk_count_joint(const float *a, const float *b, const bool *_Nullable mask, ptrdiff_t count, int32_t bins,
                    uint32_t *counts, fk_isa isa);

#pragma clang assume_nonnull end
