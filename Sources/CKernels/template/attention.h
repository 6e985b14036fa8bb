// The two attentions over pixels: products of channels (MDTA) and spatial gating (crossAtt).

/// gram[a][b] for `rows` × `columns` channels from (k, q), one pass over the pixels.
FK_INLINE void gram_block(const int rows, const int columns, const float *k, const float *q, ptrdiff_t stride_k,
                          ptrdiff_t stride_q, ptrdiff_t count, double *gram, int channels) {
  const ptrdiff_t whole = count / (FK_LANES / 2) * (FK_LANES / 2);
  vd sums[2][4];
#pragma clang loop unroll(full)
  for (int a = 0; a < rows; a++)
#pragma clang loop unroll(full)
    for (int b = 0; b < columns; b++) sums[a][b] = (vd)(0.0);
  for (ptrdiff_t i = 0; i < whole; i += FK_LANES / 2) {
    vd right[4];
#pragma clang loop unroll(full)
    for (int b = 0; b < columns; b++) right[b] = load_double(q + b * stride_q + i);
#pragma clang loop unroll(full)
    for (int a = 0; a < rows; a++) {
      const vd left = load_double(k + a * stride_k + i);
#pragma clang loop unroll(full)
      for (int b = 0; b < columns; b++) sums[a][b] += left * right[b];
    }
  }
#pragma clang loop unroll(full)
  for (int a = 0; a < rows; a++)
#pragma clang loop unroll(full)
    for (int b = 0; b < columns; b++) {
      double sum = sum_double(sums[a][b]);
      for (ptrdiff_t i = whole; i < count; i++) sum += (double)k[a * stride_k + i] * q[b * stride_q + i];
      gram[a * channels + b] = sum;
    }
}

static void gram(const fk_map *k, const fk_map *q, int32_t image, double *result) {
  const int channels = k->channels;
  const ptrdiff_t count = flat_count(k);
  for (int a = 0; a < channels;) {
    const int rows = channels - a >= 2 ? 2 : 1;
    for (int b = 0; b < channels;) {
      const int columns = channels - b >= 4 ? 4 : 1;
      const float *left = plane_of(k, image, a), *right = plane_of(q, image, b);
      double *out = result + (ptrdiff_t)a * channels + b;
      if (rows == 2 && columns == 4) gram_block(2, 4, left, right, k->stride, q->stride, count, out, channels);
      else if (rows == 2) gram_block(2, 1, left, right, k->stride, q->stride, count, out, channels);
      else if (columns == 4) gram_block(1, 4, left, right, k->stride, q->stride, count, out, channels);
      else gram_block(1, 1, left, right, k->stride, q->stride, count, out, channels);
      b += columns;
    }
    a += rows;
  }
}

/// weights = exp(p ⊙ r − maximum) of one plane; returns 1 / their sum. Rows, so that the zero column is left out.
static float spatial_weights(const float *p, const float *r, int width, int height, float *weights) {
  const ptrdiff_t row = width + 1;
  vf top = (vf)(0.0f);  // both factors are ≥ 0
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x += FK_LANES) {
      const ptrdiff_t i = y * row + x;
      top = maximum(top, keep_first(load(p + i) * load(r + i), width - x, 0));
    }
  const float m = largest(top);
  vd sum = (vd)(0.0);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x += FK_LANES) {
      const ptrdiff_t i = y * row + x;
      const vf e = keep_first(exponential(load(p + i) * load(r + i) - m), width - x, 0);
      sum += low_double(e) + high_double(e);
      store_first(weights + i, e, width - x);
    }
  return (float)(1 / sum_double(sum));
}

static void cross_attend(const fk_map *pr, const fk_map *d_map, const fk_map *e_map, const fk_map *s, float *scratch,
                         const fk_map *k) {
  const int channels = s->channels, width = s->width, height = s->height;
  const ptrdiff_t row = width + 1;
  float *weights_d = scratch, *weights_e = scratch + s->stride;
  for (int c = 0; c < channels; c++) {
    const float *pd = plane_of(pr, 0, c), *rd = plane_of(pr, 0, channels + c);
    const float *pe = plane_of(pr, 1, c), *re = plane_of(pr, 1, channels + c);
    const float *d = plane_of(d_map, 0, c), *e = plane_of(e_map, 0, c);
    float *out = plane_of(s, 0, c);
    const float scale_d = spatial_weights(pd, re, width, height, weights_d);
    const float scale_e = spatial_weights(pe, rd, width, height, weights_e);
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x += FK_LANES) {
        const ptrdiff_t i = y * row + x;
        const vf kd = load(pd + i) * (load(weights_d + i) * scale_d) + load(d + i);
        const vf ke = load(pe + i) * (load(weights_e + i) * scale_e) + load(e + i);
        store_first(out + i, kd + ke, width - x);
        if (k) {
          store_first(plane_of(k, 0, c) + i, kd, width - x);
          store_first(plane_of(k, 1, c) + i, ke, width - x);
        }
      }
    clear_column(out, s);
    if (k) clear_column(plane_of(k, 0, c), s), clear_column(plane_of(k, 1, c), s);
  }
}
