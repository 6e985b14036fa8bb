// 3×3 convolution by Winograd's minimal filtering, tiles of M × M outputs (FK_M 4 or 2; Lavin & Gray, 2015): P² products
// of a tile, P = M + 2, where the definition takes 9·M². Included once per M; names end in _M.
//
// A chunk is some rows of tiles, T tiles in all, also across images. Tiles are the vector's lanes throughout: inputs are
// [P²][inputs][T], products [P²][8][T], outputs [8][M rows][M phases][T], phase p of tile j being column M·j + p.

#define FK_JOIN_(name, m) name##_##m
#define FK_JOIN(name, m) FK_JOIN_(name, m)
#define FK_WINO(name) FK_JOIN(name, FK_M)
#define FK_P (FK_M + 2)

#include "winograd_weights.h"

/// One line of every tile in a row, P points `input_plane` apart. Phases stay in registers: a load across two stores
/// would wait for both.
FK_INLINE void FK_WINO(wino_transform_line)(const float *line, const wino_chunk *chunk, float *to) {
  vf here[FK_M], next[FK_M];
  FK_WINO(wino_split)(line, here);
  for (ptrdiff_t j = 0; j < chunk->row_tiles; j += FK_LANES) {
    FK_WINO(wino_split)(line + FK_M * (j + FK_LANES), next);
    vf d[FK_P], t[FK_P];
#pragma clang loop unroll(full)
    for (int q = 0; q < FK_M; q++) d[q] = here[q];
    d[FK_M] = shifted(here[0], next[0]);
    d[FK_M + 1] = shifted(here[1], next[1]);
    FK_WINO(wino_input)(d, t);
#pragma clang loop unroll(full)
    for (int q = 0; q < FK_P; q++) store_first(to + q * chunk->input_plane + j, t[q], chunk->row_tiles - j);
#pragma clang loop unroll(full)
    for (int q = 0; q < FK_M; q++) here[q] = next[q];
  }
}

/// The transformed tiles of every input channel. `scratch`: P lines of W + 8 + FK_LANES, readable M · FK_LANES further.
static void FK_WINO(wino_transform)(const fk_map *x, const wino_chunk *chunk, float *v, float *scratch) {
  const ptrdiff_t row = x->width + 1, line = (x->width + 8 + FK_LANES) / 16 * 16 + 16;
  const bool hangs = x->width % FK_M != 0;
  for (int c = 0; c < x->channels; c++) {
    for (int r = 0; r < chunk->rows; r++) {
      const int image = (chunk->first + r) / chunk->image_rows, y = FK_M * ((chunk->first + r) % chunk->image_rows);
      const float *from = plane_of(x, image, c) + (y - 1) * row - 1;
      for (ptrdiff_t i = 0; i < FK_M * chunk->row_tiles + 2; i += FK_LANES) {
        vf d[FK_P], t[FK_P];
        // A tile may hang over the right or lower edge: zeros there, as the border has them.
#pragma clang loop unroll(full)
        for (int k = 0; k < FK_P; k++) {
          d[k] = y + k <= x->height + 1 ? load(from + k * row + i) : (vf)(0.0f);
          if (hangs) d[k] = i < x->width + 2 ? keep_first(d[k], x->width + 2 - i, 0) : (vf)(0.0f);
        }
        FK_WINO(wino_input)(d, t);
#pragma clang loop unroll(full)
        for (int k = 0; k < FK_P; k++) store(scratch + k * line + i, t[k]);
      }
      float *to = v + c * chunk->stride + r * chunk->row_tiles;
      for (int k = 0; k < FK_P; k++, to += FK_P * chunk->input_plane)
        FK_WINO(wino_transform_line)(scratch + k * line, chunk, to);
    }
    if (chunk->stride > chunk->tiles)  // lanes without a tile: zero, so that they cost no denormals
      for (int p = 0; p < FK_P * FK_P; p++)
        memset(v + p * chunk->input_plane + c * chunk->stride + chunk->tiles, 0,
               (size_t)(chunk->stride - chunk->tiles) * sizeof(float));
  }
}

/// m[o][t] = Σ over inputs of weights[input][o] · v[input][t] at one point, for `outputs` of a run of eight from `from`
/// and the tiles from `first` to `last`.
FK_INLINE void FK_WINO(wino_multiply)(const int outputs, int from, const float *v, ptrdiff_t stride, int inputs,
                                      const float *weights, float *m, ptrdiff_t first, ptrdiff_t last) {
  enum { vectors = 2 };
  for (ptrdiff_t t = first; t < last; t += vectors * FK_LANES) {
    vf sums[8][vectors];
#pragma clang loop unroll(full)
    for (int o = 0; o < outputs; o++) sums[o][0] = sums[o][1] = (vf)(0.0f);
    const float *x = v + t, *w = weights + from;
    for (int c = 0; c < inputs; c++, x += stride, w += 8) {
      const vf a = load(x), b = load(x + FK_LANES);
#pragma clang loop unroll(full)
      for (int o = 0; o < outputs; o++) {
        const vf weight = (vf)(w[o]);
        sums[o][0] += weight * a;
        sums[o][1] += weight * b;
      }
    }
    float *to = m + from * stride + t;
#pragma clang loop unroll(full)
    for (int o = 0; o < outputs; o++) {
      store(to + o * stride, sums[o][0]);
      store(to + o * stride + FK_LANES, sums[o][1]);
    }
  }
}

/// One point of a run of eight.
static void FK_WINO(wino_point)(int p, const float *v, const wino_chunk *chunk, int inputs, const float *weights,
                                float *m, ptrdiff_t first, ptrdiff_t last) {
  for (int o = 0; o < 8; o += FK_TILE_OUTPUTS)
    FK_WINO(wino_multiply)(FK_TILE_OUTPUTS, o, v + p * chunk->input_plane, chunk->stride, inputs,
                           weights + (ptrdiff_t)p * inputs * 8, m + p * chunk->product_plane, first, last);
}

/// Products of a run to its outputs in phases: out[o][M·row + phase][t], o `output_plane` apart.
static void FK_WINO(wino_outputs)(const float *m, const wino_chunk *chunk, const float *bias, float *out,
                                  ptrdiff_t first, ptrdiff_t last) {
  const ptrdiff_t stride = chunk->stride, plane = chunk->product_plane;
  for (int o = 0; o < 8; o++)
    for (ptrdiff_t t = first; t < last; t += FK_LANES) {
      const float *from = m + o * stride + t;
      vf rows[FK_M][FK_P];
#pragma clang loop unroll(full)
      for (int q = 0; q < FK_P; q++) {
        vf d[FK_P], column[FK_M];
#pragma clang loop unroll(full)
        for (int k = 0; k < FK_P; k++) d[k] = load(from + (FK_P * k + q) * plane);
        FK_WINO(wino_output)(d, column);
#pragma clang loop unroll(full)
        for (int r = 0; r < FK_M; r++) rows[r][q] = column[r];
      }
#pragma clang loop unroll(full)
      for (int r = 0; r < FK_M; r++) {
        vf line[FK_M];
        FK_WINO(wino_output)(rows[r], line);
#pragma clang loop unroll(full)
        for (int p = 0; p < FK_M; p++) store(out + o * chunk->output_plane + (FK_M * r + p) * stride + t, line[p] + bias[o]);
      }
    }
}

/// Outputs of a run of eight in phases. With few inputs products stay in the first-level cache: some tiles at a time.
static void FK_WINO(wino_run)(const float *v, const wino_chunk *chunk, int inputs, const float *weights,
                              const float *bias, float *m, float *out) {
  const ptrdiff_t step = inputs <= 16 ? 2 * FK_LANES : chunk->stride;
  for (ptrdiff_t t = 0; t < chunk->stride; t += step) {
    for (int p = 0; p < FK_P * FK_P; p++) FK_WINO(wino_point)(p, v, chunk, inputs, weights, m, t, t + step);
    FK_WINO(wino_outputs)(m, chunk, bias, out, t, t + step);
  }
}

/// One output channel from phases to its pixels: activation, then residual.
FK_INLINE void FK_WINO(wino_store)(const float *phases, const wino_chunk *chunk, const fk_map *y, int channel,
                                   const fk_map *residual, const fk_activation activation) {
  const ptrdiff_t row = y->width + 1;
  for (int r = 0; r < chunk->rows; r++) {
    const int image = (chunk->first + r) / chunk->image_rows, top = FK_M * ((chunk->first + r) % chunk->image_rows);
    for (int k = 0; k < FK_M && top + k < y->height; k++) {
      const float *from = phases + FK_M * k * chunk->stride + (ptrdiff_t)r * chunk->row_tiles;
      float *to = plane_of(y, image, channel) + (top + k) * row;
      const float *add = residual ? plane_of(residual, image, channel) + (top + k) * row : NULL;
      for (ptrdiff_t j = 0; j < chunk->row_tiles; j += FK_LANES) {
        vf line[FK_M];
        FK_WINO(wino_join)(from + j, chunk->stride, line);
#pragma clang loop unroll(full)
        for (int v = 0; v < FK_M; v++) {
          const ptrdiff_t i = FK_M * j + v * FK_LANES;
          if (i >= y->width) break;
          vf value = activate(line[v], activation);
          if (add) value += load(add + i);
          store_first(to + i, value, y->width - i);
        }
      }
      to[y->width] = 0;
    }
  }
}

static wino_chunk FK_WINO(wino_chunk_at)(const fk_map *x, int first) {
  const int row_tiles = (x->width + FK_M - 1) / FK_M, image_rows = (x->height + FK_M - 1) / FK_M;
  const int rows = fk_winograd_rows(x, FK_M, first);
  const ptrdiff_t tiles = (ptrdiff_t)rows * row_tiles, whole = 2 * FK_LANES;
  const ptrdiff_t stride = (tiles + whole - 1) / whole * whole;
  return (wino_chunk){.first = first, .rows = rows, .image_rows = image_rows, .row_tiles = row_tiles,
                      .tiles = tiles, .stride = stride, .input_plane = x->channels * stride + 16,
                      .product_plane = 8 * stride + 16, .output_plane = FK_M * FK_M * stride + 16};
}

/// Stores a run's outputs that exist.
static void FK_WINO(wino_store_run)(const float *out, const wino_chunk *chunk, const fk_map *y, int o,
                                    const fk_map *residual, fk_activation activation) {
  for (int i = 0; i < 8 && o + i < y->channels; i++) {
    const float *phases = out + i * chunk->output_plane;
    if (activation == fk_relu) FK_WINO(wino_store)(phases, chunk, y, o + i, residual, fk_relu);
    else FK_WINO(wino_store)(phases, chunk, y, o + i, residual, fk_identity);
  }
}

/// Runs of eight from output o on, point by point, so that a point's inputs stay in the cache over all runs.
static void FK_WINO(wino_group)(const float *v, const wino_chunk *chunk, const fk_map *y, const fk_filter *filter, int o,
                                int runs, float *u, float *m, float *out, fk_activation activation,
                                const fk_map *residual) {
  enum { points = FK_P * FK_P };
  const ptrdiff_t size = (ptrdiff_t)8 * points * filter->inputs;
  for (int r = 0; r < runs; r++) FK_WINO(wino_transform_run)(filter, o + 8 * r, u + r * size);
  for (int p = 0; p < points; p++)
    for (int r = 0; r < runs; r++)
      FK_WINO(wino_point)(p, v, chunk, filter->inputs, u + r * size, m + r * points * chunk->product_plane, 0,
                          chunk->stride);
  for (int r = 0; r < runs; r++) {
    FK_WINO(wino_outputs)(m + r * points * chunk->product_plane, chunk, filter->bias + o + 8 * r, out, 0, chunk->stride);
    FK_WINO(wino_store_run)(out, chunk, y, o + 8 * r, residual, activation);
  }
}

static void FK_WINO(convolve_winograd)(const fk_map *x, const fk_map *y, const fk_filter *filter,
                                       fk_activation activation, const fk_map *residual, float *scratch) {
  enum { points = FK_P * FK_P };
  const int all = (x->height + FK_M - 1) / FK_M * x->images, group = fk_winograd_group(filter->inputs);
  // Transformed weights first: they outlive the chunks, whose sizes differ.
  const int kept = fk_winograd_prepares(x, FK_M) ? (filter->outputs + 7) / 8 : group;
  float *u = scratch, *v = scratch + (ptrdiff_t)kept * 8 * points * filter->inputs;
  FK_WINO(wino_prepare)(x, filter, u);
  for (int first = 0; first < all;) {
    const wino_chunk chunk = FK_WINO(wino_chunk_at)(x, first);
    float *m = v + points * chunk.input_plane, *out = m + group * points * chunk.product_plane;
    FK_WINO(wino_transform)(x, &chunk, v, out + 8 * chunk.output_plane);
    for (int o = 0; o < filter->outputs; o += 8 * group) {
      const int left = (filter->outputs - o + 7) / 8;
      if (group > 1) {
        FK_WINO(wino_group)(v, &chunk, y, filter, o, left < group ? left : group, u, m, out, activation, residual);
        continue;
      }
      FK_WINO(wino_run)(v, &chunk, filter->inputs, FK_WINO(wino_weights_at)(x, filter, o, u), filter->bias + o, m, out);
      FK_WINO(wino_store_run)(out, &chunk, y, o, residual, activation);
    }
    first += chunk.rows;
  }
  if (filter->border)
    for (int image = 0; image < y->images; image++) add_border(y, image, filter);
}

#undef FK_P
#undef FK_WINO
#undef FK_JOIN
#undef FK_JOIN_
