// The hot kernels on small inputs, one function per piece, for an instruction count – results are tested elsewhere.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

enum { side = 64 };

static float *filled(size_t count) {
  float *values = aligned_alloc(64, (count + 1024) / 16 * 16 * sizeof(float));
  if (!values) exit(70);
  uint32_t state = 1;
  for (size_t i = 0; i < (count + 1024) / 16 * 16; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
  }
  return values;
}

static fk_map map_of(int channels) {
  const ptrdiff_t stride = ((side + 3) * (side + 1) + 15) / 16 * 16;
  fk_map map = {filled((size_t)(channels * stride)) + side + 2, stride, 1, channels, side, side};
  fk_clear_border(&map);
  return map;
}

/// Whole runs of eight outputs.
static fk_filter winograd(int inputs, int outputs, const float *weights, const float *bias) {
  float *packed = filled((size_t)(9 * inputs * outputs));
  fk_pack(weights, outputs, inputs, 9, packed);
  return (fk_filter){36, inputs, outputs, packed, bias, NULL, NULL};
}

__attribute__((noinline)) void piece_winograd(const fk_map *x, const fk_map *y, const fk_filter *filter, float *scratch) {
  fk_convolve_winograd(x, y, filter, fk_relu, NULL, scratch);
}

__attribute__((noinline)) void piece_gate(const fk_map *x, const fk_map *y, const fk_filter *expansion,
                                          const fk_filter *projection, float *scratch) {
  fk_gate_winograd(x, y, expansion, projection, x, scratch);
}

__attribute__((noinline)) void piece_pointwise(const fk_map *x, const fk_map *y, const fk_filter *filter) {
  fk_convolve(x, y, filter, fk_identity, NULL);
}

__attribute__((noinline)) void piece_product(const fk_product_task *task) { fk_product(task); }

__attribute__((noinline)) void piece_resampling(const fk_sampler *sampler, double tilt) {
  float out[side];
  bool inside[side], used[side];
  for (int row = 0; row < side; row++) {
    const fk_ray ray = {.u = 2.3, .v = row * 0.8 + 1.1, .depth = 3.4, .step_u = 0.9, .step_v = 0.05, .step_depth = tilt};
    fk_sample_row(sampler, &ray, side, out, inside, used);
  }
}

__attribute__((noinline)) void piece_oblique(const fk_sampler *sampler) { piece_resampling(sampler, 0.04); }

static void network(void) {
  float *scratch = filled(1 << 21), *weights = filled(1 << 16), *bias = filled(1 << 10);
  const fk_map eight = map_of(8), other = map_of(8), sixteen = map_of(16), wide = map_of(32);
  const fk_filter filter = winograd(16, 32, weights, bias), expansion = winograd(8, 64, weights, bias);
  piece_winograd(&sixteen, &wide, &filter, scratch);
  const fk_filter projection = {1, 32, 8, weights, bias, NULL, NULL}, pointwise = {1, 32, 16, weights, bias, NULL, NULL};
  piece_gate(&eight, &other, &expansion, &projection, scratch);
  piece_pointwise(&wide, &sixteen, &pointwise);
  const fk_product_task task = {.rows = 65, .inputs = 256, .columns = 256, .x = scratch, .x_stride = 256, .w = weights,
                                .w_stride = FK_PANEL, .panel_stride = 256 * FK_PANEL, .bias = bias,
                                .y = scratch + (1 << 20), .y_stride = 256};
  piece_product(&task);
}

static void resampling(void) {
  double depths[16], none[16] = {0};
  for (int k = 0; k < 16; k++) depths[k] = k;
  const fk_sampler sampler = {.lattice = {16, side, side, depths, none, none, true, 0.01},
                              .voxels = filled(16 * side * side), .isa = fk_best_isa()};
  piece_resampling(&sampler, 0);
  piece_oblique(&sampler);
}

int main(void) {
  network();
  resampling();
  return 0;
}
