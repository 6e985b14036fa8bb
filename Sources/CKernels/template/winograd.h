// 3×3 convolution by Winograd's minimal filtering F(4×4, 3×3): 36 products where the definition takes 144.
// Points 0, ±1, ±2, ∞ (Lavin & Gray, 2015). Rounding grows about tenfold; see docs/engine.md for what it amounts to.
//
// A chunk is some rows of tiles, T tiles in all, also across images. Tiles are the vector's lanes throughout: inputs are
// [36][inputs][T], products [36][8][T], outputs [8][4 rows][4 phases][T], phase p of tile j being column 4j + p.

enum { wino_points = 36, wino_pixels = 16 };

typedef struct wino_chunk {
  /// First row of tiles (over all images), number of rows, rows per image, tiles per row.
  int first, rows, image_rows, row_tiles;
  /// Tiles, and the same rounded up to whole vectors: the distance between successive lines.
  ptrdiff_t tiles, stride;
  /// Distance between the points of inputs, between those of products, and between outputs; odd multiples of a cache
  /// line, lest powers of two meet in one cache set.
  ptrdiff_t input_plane, product_plane, output_plane;
} wino_chunk;

/// Six values of a line to the six of its transform.
#define FK_WINO_INPUT(d0, d1, d2, d3, d4, d5, out)                                      \
  do {                                                                                   \
    const vf even_ = d4 - 4.0f * d2, odd_ = d3 - 4.0f * d1, near_ = d4 - d2;             \
    const vf far_ = 2.0f * (d3 - d1);                                                    \
    out(0, 4.0f * d0 - 5.0f * d2 + d4);                                                  \
    out(1, even_ + odd_);                                                                \
    out(2, even_ - odd_);                                                                \
    out(3, near_ + far_);                                                                \
    out(4, near_ - far_);                                                                \
    out(5, 4.0f * d1 - 5.0f * d3 + d5);                                                  \
  } while (0)

/// Six products of a line to four outputs.
FK_INLINE void wino_reduce(const vf m0, const vf m1, const vf m2, const vf m3, const vf m4, const vf m5, vf out[4]) {
  const vf a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
  out[0] = m0 + a + c;
  out[1] = b + 2.0f * d;
  out[2] = a + 4.0f * c;
  out[3] = b + 8.0f * d + m5;
}

/// phases[p][j] = line[4j + p]; `count` tiles and one more.
FK_INLINE void split_phases(const float *restrict line, ptrdiff_t count, float *restrict p0, float *restrict p1,
                            float *restrict p2, float *restrict p3) {
  for (ptrdiff_t j = 0; j <= count; j++) {
    p0[j] = line[4 * j];
    p1[j] = line[4 * j + 1];
    p2[j] = line[4 * j + 2];
    p3[j] = line[4 * j + 3];
  }
}

/// The transformed tiles of every input channel. `scratch`: 6 lines of W + 4 + FK_LANES and 4 of tiles + 1 + FK_LANES.
static void wino_transform(const fk_map *x, const wino_chunk *chunk, float *v, float *scratch) {
  const ptrdiff_t row = x->width + 1, line = x->width + 4 + FK_LANES, phase = chunk->row_tiles + 1 + FK_LANES;
  float *p0 = scratch + 6 * line, *p1 = p0 + phase, *p2 = p1 + phase, *p3 = p2 + phase;
  for (int c = 0; c < x->channels; c++) {
    for (int r = 0; r < chunk->rows; r++) {
      const int image = (chunk->first + r) / chunk->image_rows, y = 4 * ((chunk->first + r) % chunk->image_rows);
      const float *from = plane_of(x, image, c) + (y - 1) * row - 1;
      for (ptrdiff_t i = 0; i < x->width + 2; i += FK_LANES) {
        const vf d0 = load(from + i), d1 = load(from + row + i), d2 = load(from + 2 * row + i);
        const vf d3 = load(from + 3 * row + i), d4 = load(from + 4 * row + i), d5 = load(from + 5 * row + i);
#define FK_WINO_STORE(k, value) store(scratch + (k) * line + i, value)
        FK_WINO_INPUT(d0, d1, d2, d3, d4, d5, FK_WINO_STORE);
#undef FK_WINO_STORE
      }
      for (int k = 0; k < 6; k++) {
        split_phases(scratch + k * line, chunk->row_tiles, p0, p1, p2, p3);
        float *to = v + 6 * k * chunk->input_plane + c * chunk->stride + r * chunk->row_tiles;
        const ptrdiff_t next = chunk->input_plane;
        for (ptrdiff_t j = 0; j < chunk->row_tiles; j += FK_LANES) {
          const vf d0 = load(p0 + j), d1 = load(p1 + j), d2 = load(p2 + j), d3 = load(p3 + j);
          const vf d4 = load(p0 + j + 1), d5 = load(p1 + j + 1);
          const ptrdiff_t left = chunk->row_tiles - j;
#define FK_WINO_STORE(q, value) store_first(to + (q) * next + j, value, left)
          FK_WINO_INPUT(d0, d1, d2, d3, d4, d5, FK_WINO_STORE);
#undef FK_WINO_STORE
        }
      }
    }
    if (chunk->stride > chunk->tiles)  // lanes without a tile: zero, so that they cost no denormals
      for (int p = 0; p < wino_points; p++)
        memset(v + p * chunk->input_plane + c * chunk->stride + chunk->tiles, 0,
               (size_t)(chunk->stride - chunk->tiles) * sizeof(float));
  }
}

/// m[p][o][t] = Σ over inputs of weights[p][input][o] · v[p][input][t], for `outputs` of a run of eight from `from`.
FK_INLINE void wino_multiply(const int outputs, int from, const float *v, const wino_chunk *chunk, int inputs,
                             const float *weights, float *m) {
  enum { vectors = 2 };
  const ptrdiff_t stride = chunk->stride;
  for (int p = 0; p < wino_points; p++) {
    const float *lines = v + p * chunk->input_plane, *w0 = weights + (ptrdiff_t)p * inputs * 8 + from;
    for (ptrdiff_t t = 0; t < stride; t += vectors * FK_LANES) {
      vf sums[8][vectors];
#pragma clang loop unroll(full)
      for (int o = 0; o < outputs; o++) sums[o][0] = sums[o][1] = (vf)(0.0f);
      const float *x = lines + t, *w = w0;
      for (int c = 0; c < inputs; c++, x += stride, w += 8) {
        const vf a = load(x), b = load(x + FK_LANES);
#pragma clang loop unroll(full)
        for (int o = 0; o < outputs; o++) {
          const vf weight = (vf)(w[o]);
          sums[o][0] += weight * a;
          sums[o][1] += weight * b;
        }
      }
      float *to = m + p * chunk->product_plane + from * stride + t;
#pragma clang loop unroll(full)
      for (int o = 0; o < outputs; o++) {
        store(to + o * stride, sums[o][0]);
        store(to + o * stride + FK_LANES, sums[o][1]);
      }
    }
  }
}

/// Outputs of a run of eight in phases: out[o][4·row + phase][t], o `output_plane` apart.
static void wino_run(const float *v, const wino_chunk *chunk, int inputs, const float *weights, const float *bias,
                     float *m, float *out) {
  const ptrdiff_t stride = chunk->stride, plane = chunk->product_plane;
  for (int o = 0; o < 8; o += FK_TILE_OUTPUTS) wino_multiply(FK_TILE_OUTPUTS, o, v, chunk, inputs, weights, m);
  for (int o = 0; o < 8; o++)
    for (ptrdiff_t t = 0; t < stride; t += FK_LANES) {
      const float *from = m + o * stride + t;
      vf columns[6][4];
#pragma clang loop unroll(full)
      for (int q = 0; q < 6; q++)
        wino_reduce(load(from + q * plane), load(from + (6 + q) * plane), load(from + (12 + q) * plane),
                    load(from + (18 + q) * plane), load(from + (24 + q) * plane), load(from + (30 + q) * plane),
                    columns[q]);
#pragma clang loop unroll(full)
      for (int r = 0; r < 4; r++) {
        vf line[4];
        wino_reduce(columns[0][r], columns[1][r], columns[2][r], columns[3][r], columns[4][r], columns[5][r], line);
#pragma clang loop unroll(full)
        for (int p = 0; p < 4; p++) store(out + o * chunk->output_plane + (4 * r + p) * stride + t, line[p] + bias[o]);
      }
    }
}

/// One output channel from phases to its pixels: activation, then residual. `line`: W + 4 · FK_LANES floats.
FK_INLINE void wino_store(const float *phases, const wino_chunk *chunk, const fk_map *y, int channel,
                          const fk_map *residual, const fk_activation activation, float *restrict line) {
  const ptrdiff_t row = y->width + 1;
  for (int r = 0; r < chunk->rows; r++) {
    const int image = (chunk->first + r) / chunk->image_rows, top = 4 * ((chunk->first + r) % chunk->image_rows);
    for (int k = 0; k < 4; k++) {
      const float *restrict from = phases + 4 * k * chunk->stride + (ptrdiff_t)r * chunk->row_tiles;
      const ptrdiff_t stride = chunk->stride;
      for (int j = 0; j < chunk->row_tiles; j++) {
        line[4 * j] = from[j];
        line[4 * j + 1] = from[j + stride];
        line[4 * j + 2] = from[j + 2 * stride];
        line[4 * j + 3] = from[j + 3 * stride];
      }
      float *to = plane_of(y, image, channel) + (top + k) * row;
      const float *add = residual ? plane_of(residual, image, channel) + (top + k) * row : NULL;
      for (ptrdiff_t i = 0; i < y->width; i += FK_LANES) {
        vf value = activate(load(line + i), activation);
        if (add) value += load(add + i);
        store_first(to + i, value, y->width - i);
      }
    }
  }
}

static wino_chunk wino_chunk_at(const fk_map *x, int first) {
  const int row_tiles = x->width / 4, image_rows = x->height / 4, rows = fk_winograd_rows(x, first);
  const ptrdiff_t tiles = (ptrdiff_t)rows * row_tiles, whole = 2 * FK_LANES;
  const ptrdiff_t stride = (tiles + whole - 1) / whole * whole;
  return (wino_chunk){.first = first, .rows = rows, .image_rows = image_rows, .row_tiles = row_tiles,
                      .tiles = tiles, .stride = stride, .input_plane = x->channels * stride + 16,
                      .product_plane = 8 * stride + 16, .output_plane = wino_pixels * stride + 16};
}

static void convolve_winograd(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                              const fk_map *residual, float *scratch) {
  const int all = x->height / 4 * x->images;
  for (int first = 0; first < all;) {
    const wino_chunk chunk = wino_chunk_at(x, first);
    float *v = scratch, *m = v + wino_points * chunk.input_plane, *out = m + wino_points * chunk.product_plane;
    float *line = out + 8 * chunk.output_plane;
    wino_transform(x, &chunk, v, line);
    for (int o = 0; o < filter->outputs; o += 8) {
      wino_run(v, &chunk, filter->inputs, filter->weights + (ptrdiff_t)o * wino_points * filter->inputs,
               filter->bias + o, m, out);
      for (int i = 0; i < 8 && o + i < filter->outputs; i++) {
        const float *phases = out + i * chunk.output_plane;
        if (activation == fk_relu) wino_store(phases, &chunk, y, o + i, residual, fk_relu, line);
        else wino_store(phases, &chunk, y, o + i, residual, fk_identity, line);
      }
    }
    first += chunk.rows;
  }
  if (filter->border)
    for (int image = 0; image < y->images; image++) add_border(y, image, filter);
}
