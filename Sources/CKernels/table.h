// The kernels of one instruction set as a table – filled three times from the same source.
#pragma once
#include "fk_engine.h"

/// Runs of eight outputs whose products are made point by point before any is transformed back: one where the inputs
/// of all points stay in the second-level cache, more where those of a single point do.
static inline int fk_winograd_group(int inputs) { return inputs >= 128 ? 4 : 1; }

/// Rows of tiles (side 4 or 2) that Winograd's kernels take at a time from row `first` on: about 64 tiles, twice as
/// many of very many channels, whose weights should pass the cache once.
static inline int fk_winograd_rows(const fk_map *x, int side, int first) {
  const int wanted_tiles = fk_winograd_group(x->channels) > 1 ? 128 : 64;
  const int row_tiles = (x->width + side - 1) / side;
  const int left = (x->height + side - 1) / side * x->images - first;
  const int rows = row_tiles >= wanted_tiles ? 1 : wanted_tiles / row_tiles;
  return rows < left ? rows : left;
}

/// Whether the weights of all runs are transformed before the first of several chunks, or each run's when its turn comes.
static inline bool fk_winograd_prepares(const fk_map *x, int side) {
  const int all = (x->height + side - 1) / side * x->images;
  return fk_winograd_group(x->channels) == 1 && fk_winograd_rows(x, side, 0) < all;
}

typedef struct fk_table {
  /// Positions a tile of the convolution covers.
  int tile;
  void (*convolve)(const fk_map *, const fk_map *, const fk_filter *, fk_activation, const fk_map *);
  void (*gate)(const fk_map *, const fk_map *, const fk_filter *, const fk_filter *, const fk_map *, float *);
  void (*convolve_winograd)(const fk_map *, const fk_map *, const fk_filter *, fk_activation, const fk_map *, float *);
  void (*gate_winograd)(const fk_map *, const fk_map *, const fk_filter *, const fk_filter *, const fk_map *, float *);
  void (*centre)(const fk_map *, const fk_map *, double *, double *);
  void (*plane_sums)(const fk_map *, fk_plane_sums *);
  void (*compose)(const float *, const float *, const float *, const float *, int32_t, int32_t, int32_t, float *,
                  float *, float *);
  void (*product)(const fk_product_task *);
  void (*normalize)(const fk_map *, const fk_map *, float);
  void (*gram)(const fk_map *, const fk_map *, int32_t, double *);
  void (*cross_attend)(const fk_map *, const fk_map *, const fk_map *, const fk_map *, float *, const fk_map *);
  void (*resize)(const fk_map *, const fk_map *, bool, fk_activation, float *);
  void (*accumulate_resized)(const fk_map *, const fk_map *, float, float *);
  void (*shrink_flow)(const fk_map *, const fk_map *);
  void (*warp)(const fk_map *, const fk_map *, const fk_map *);
  void (*layer_norm)(const float *, const float *, const float *, float *, ptrdiff_t, ptrdiff_t);
  void (*softmax_rows)(float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, float);
  void (*gelu)(float *, ptrdiff_t);
  void (*sigmoid_map)(const fk_map *);
  void (*half_to_float)(const void *, ptrdiff_t, float *);
  bool (*exact_halves)(const float *, ptrdiff_t, uint16_t *);
} fk_table;

extern const fk_table fk_table_portable;
#if defined(__x86_64__)
extern const fk_table fk_table_avx2;
extern const fk_table fk_table_avx512;
#endif
