// The kernels of one instruction set as a table – filled three times from the same source.
#pragma once
#include "fk_engine.h"

typedef struct fk_table {
  /// Positions a tile of the convolution covers.
  int tile;
  void (*convolve)(const fk_map *, const fk_map *, const fk_filter *, fk_activation, const fk_map *);
  void (*gate)(const fk_map *, const fk_map *, const fk_filter *, const fk_filter *, const fk_map *, float *);
  void (*normalize)(const fk_map *, const fk_map *, float);
  void (*gram)(const fk_map *, const fk_map *, int32_t, double *);
  void (*cross_attend)(const fk_map *, const fk_map *, const fk_map *, float *, const fk_map *);
  void (*resize)(const fk_map *, const fk_map *, bool, fk_activation, float *);
  void (*accumulate_resized)(const fk_map *, const fk_map *, float, float *);
  void (*shrink_flow)(const fk_map *, const fk_map *);
  void (*warp)(const fk_map *, const fk_map *, const fk_map *);
  void (*layer_norm)(const float *, const float *, const float *, float *, ptrdiff_t, ptrdiff_t);
  void (*softmax_rows)(float *, ptrdiff_t, ptrdiff_t, float);
  void (*gelu)(float *, ptrdiff_t);
  void (*sigmoid_map)(const fk_map *);
} fk_table;

extern const fk_table fk_table_portable;
#if defined(__x86_64__)
extern const fk_table fk_table_avx2;
extern const fk_table fk_table_avx512;
#endif
