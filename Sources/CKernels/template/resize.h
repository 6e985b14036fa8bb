// Bilinear resampling: regular grids (features and fields) and displaced ones (warps).

/// Source index and weight of its right neighbour for output i of n_out from n_in.
FK_INLINE void source_of(int i, int n_in, int n_out, bool align_corners, int *index, float *weight) {
  double at = align_corners ? (n_out > 1 ? (double)i * (n_in - 1) / (n_out - 1) : 0)
                            : (i + 0.5) * n_in / n_out - 0.5;
  if (at < 0) at = 0;
  int left = (int)at;
  if (left > n_in - 2) left = n_in - 2;
  if (left < 0) left = 0;
  *index = left;
  *weight = n_in > 1 ? (float)(at - left < 1 ? at - left : 1) : 0;
}

/// FK_LANES values of a resampled row where the processor picks from a register and their neighbours lie in one; else none.
FK_INLINE int widen_run(const float *row, const int32_t *indices, const float *weights, float *to) {
#if FK_LANES == 16
  const int32_t base = indices[0];
  if (indices[FK_LANES - 1] + 1 - base >= FK_LANES) return 0;
  const __m512i places = _mm512_sub_epi32(_mm512_loadu_si512(indices), _mm512_set1_epi32(base));
  const __m512 from = (__m512)load(row + base);
  const vf left = (vf)_mm512_permutexvar_ps(places, from);
  const vf right = (vf)_mm512_permutexvar_ps(_mm512_add_epi32(places, _mm512_set1_epi32(1)), from);
  store(to, left + load(weights) * (right - left));
  return FK_LANES;
#else
  (void)row, (void)indices, (void)weights, (void)to;
  return 0;
#endif
}

/// One plane to `wide`: [H_in][W_out], each row resampled.
static void widen(const float *plane, int height, int width, int out_width, bool align_corners, float *wide) {
  float *weights = wide + (ptrdiff_t)height * out_width;
  int32_t *indices = (int32_t *)(weights + out_width);
  for (int x = 0; x < out_width; x++) {
    int index;
    source_of(x, width, out_width, align_corners, &index, weights + x);
    indices[x] = index;
  }
  for (int y = 0; y < height; y++) {
    const float *row = plane + (ptrdiff_t)y * (width + 1);
    float *to = wide + (ptrdiff_t)y * out_width;
    for (int x = 0; x < out_width;) {
      const int run = x + FK_LANES <= out_width ? widen_run(row, indices + x, weights + x, to + x) : 0;
      if (run == 0) {
        const float left = row[indices[x]], right = row[indices[x] + 1];
        to[x] = left + weights[x] * (right - left);
      }
      x += run > 0 ? run : 1;
    }
  }
}

FK_INLINE void resize_rows(const fk_map *x, const fk_map *y, bool align_corners, const fk_activation activation,
                           float *scratch) {
  for (int plane = 0; plane < x->images * x->channels; plane++) {
    widen(plane_of(x, 0, plane), x->height, x->width, y->width, align_corners, scratch);
    for (int r = 0; r < y->height; r++) {
      int index;
      float weight;
      source_of(r, x->height, y->height, align_corners, &index, &weight);
      const float *upper = scratch + (ptrdiff_t)index * y->width;
      const float *lower = x->height > 1 ? upper + y->width : upper;
      float *to = plane_of(y, 0, plane) + (ptrdiff_t)r * (y->width + 1);
      for (int c = 0; c < y->width; c += FK_LANES) {
        const vf a = load(upper + c), b = load(lower + c);
        store_first(to + c, activate(a + weight * (b - a), activation), y->width - c);
      }
      to[y->width] = 0;
    }
  }
}

static void resize(const fk_map *x, const fk_map *y, bool align_corners, fk_activation activation, float *scratch) {
  switch (activation) {
    case fk_relu: resize_rows(x, y, align_corners, fk_relu, scratch); break;
    case fk_leaky_relu: resize_rows(x, y, align_corners, fk_leaky_relu, scratch); break;
    default: resize_rows(x, y, align_corners, fk_identity, scratch);
  }
}

static void accumulate_resized(const fk_map *field, const fk_map *flow, float scale, float *scratch) {
  for (int channel = 0; channel < 2; channel++) {
    widen(plane_of(field, 0, channel), field->height, field->width, flow->width, true, scratch);
    for (int r = 0; r < flow->height; r++) {
      int index;
      float weight;
      source_of(r, field->height, flow->height, true, &index, &weight);
      const float *upper = scratch + (ptrdiff_t)index * flow->width;
      const float *lower = field->height > 1 ? upper + flow->width : upper;
      float *to = plane_of(flow, 0, channel) + (ptrdiff_t)r * (flow->width + 1);
      for (int c = 0; c < flow->width; c += FK_LANES) {
        const vf a = load(upper + c), b = load(lower + c);
        store_first(to + c, load(to + c) + scale * (a + weight * (b - a)), flow->width - c);
      }
    }
  }
}

static void shrink_flow(const fk_map *flow, const fk_map *y) {
  const int block = flow->width / y->width, middle = block / 2 - 1;
  const ptrdiff_t row = flow->width + 1;
  for (int channel = 0; channel < 2; channel++)
    for (int r = 0; r < y->height; r++) {
      const float *from = plane_of(flow, 0, channel) + ((ptrdiff_t)r * block + middle) * row + middle;
      float *to = plane_of(y, 0, channel) + (ptrdiff_t)r * (y->width + 1);
      for (int c = 0; c < y->width; c++, from += block)
        to[c] = 0.25f * ((from[0] + from[1]) + (from[row] + from[row + 1])) / (float)block;
      to[y->width] = 0;
    }
}

/// Left neighbour and the two weights of the coordinate index + offset; neighbours outside −1…n weigh nothing. The whole part
/// stays apart: added up, a coordinate of some hundred pixels would leave a hundred-thousandth of one for the weights.
/// Comparisons are written so that NaN ends at a valid index.
FK_INLINE int neighbours(int index, float offset, int n, float *left, float *right) {
  const float at = (float)index + offset;
  const bool in = at > -1.0f && at < (float)n;
  const float inside = in ? offset : 0;
  const int towards_zero = (int)inside, whole = towards_zero - (inside < (float)towards_zero);
  const float outside = offset - offset;  // 0, or NaN for what is not finite
  *right = in ? inside - (float)whole : outside;
  *left = in ? 1 - *right : outside;
  return in ? index + whole : -1;
}

/// Pixels of a row whose places and weights are worked out before the channels are gone through.
enum { warp_run = 64 };
_Static_assert(warp_run % FK_LANES == 0, "whole vectors");

/// Where the pixels of a run are read, `place` pointing at the upper left of four, and how much each of the four weighs.
typedef struct {
  int32_t place[warp_run];
  float a[warp_run], b[warp_run], c[warp_run], d[warp_run];
  /// By vectors: the first of the values that all its pixels lie in, those of the second row moved up, where they lie so
  /// near to each other; and which are of the second row.
  int32_t base[warp_run / FK_LANES];
  uint16_t lower[warp_run / FK_LANES];
  bool near[warp_run / FK_LANES];
} warp_places;

/// Fields are smooth: most often sixteen neighbours are read from few values of two rows (and those below), which a processor
/// that picks from two registers need not fetch one by one.
FK_INLINE void find_near(warp_places *w, int run, ptrdiff_t row) {
  for (int group = 0; group < warp_run / FK_LANES; group++) {
    w->near[group] = false;
#if FK_LANES == 16
    if ((group + 1) * FK_LANES > run) continue;
    const __m512i places = _mm512_loadu_si512(w->place + group * FK_LANES);
    const __mmask16 lower =
        _mm512_cmpgt_epi32_mask(places, _mm512_set1_epi32(_mm512_reduce_min_epi32(places) + 2 * FK_LANES - 2));
    const __m512i above = _mm512_mask_sub_epi32(places, lower, places, _mm512_set1_epi32((int32_t)row));
    w->lower[group] = lower;
    w->base[group] = _mm512_reduce_min_epi32(above);
    w->near[group] =
        _mm512_reduce_max_epi32(above) - w->base[group] < 2 * FK_LANES - 1 && w->base[group] >= -1 - (int32_t)row;
#endif
  }
  (void)run, (void)row;
}

#if FK_LANES == 16
FK_INLINE vf pick(const float *from, __m512i places) {
  return (vf)_mm512_permutex2var_ps((__m512)load(from), places, (__m512)load(from + FK_LANES));
}
FK_INLINE vf weighed(const warp_places *w, int at, vf a, vf b, vf c, vf d) {
  return (load(w->a + at) * a + load(w->b + at) * b) + (load(w->c + at) * c + load(w->d + at) * d);
}
FK_INLINE void warp_near(const warp_places *w, int group, const float *plane, ptrdiff_t row, float *to) {
  const int at = group * FK_LANES;
  const float *from = plane + w->base[group];
  const __mmask16 lower = w->lower[group];
  const __m512i step = _mm512_maskz_set1_epi32(lower, (int32_t)row);
  const __m512i left = _mm512_sub_epi32(_mm512_sub_epi32(_mm512_loadu_si512(w->place + at), step),
                                        _mm512_set1_epi32(w->base[group]));
  const __m512i right = _mm512_add_epi32(left, _mm512_set1_epi32(1));
  vf a = pick(from, left), b = pick(from, right), c = pick(from + row, left), d = pick(from + row, right);
  if (lower) {
    const vf e = pick(from + 2 * row, left), f = pick(from + 2 * row, right);
    a = (vf)_mm512_mask_mov_ps((__m512)a, lower, (__m512)c), b = (vf)_mm512_mask_mov_ps((__m512)b, lower, (__m512)d);
    c = (vf)_mm512_mask_mov_ps((__m512)c, lower, (__m512)e), d = (vf)_mm512_mask_mov_ps((__m512)d, lower, (__m512)f);
  }
  store(to + at, weighed(w, at, a, b, c, d));
}
#endif

/// One channel of a run.
FK_INLINE void warp_channel(const warp_places *w, const float *plane, ptrdiff_t row, int run, float *to) {
  for (int group = 0; group * FK_LANES < run; group++) {
#if FK_LANES == 16
    if (w->near[group]) {
      warp_near(w, group, plane, row, to);
      continue;
    }
#endif
    const int end = run < (group + 1) * FK_LANES ? run : (group + 1) * FK_LANES;
    for (int i = group * FK_LANES; i < end; i++) {
      const float *p = plane + w->place[i];
      to[i] = (w->a[i] * p[0] + w->b[i] * p[1]) + (w->c[i] * p[row] + w->d[i] * p[row + 1]);
    }
  }
}

static void warp(const fk_map *x, const fk_map *flow, const fk_map *y) {
  const int side = x->width;
  const ptrdiff_t row = side + 1;
  const double step = 1.0 / (side - 1);
  const float scale = (float)(side * step);
  // Pixel i reads (i + φ)·S/(S−1) − ½ = i + (i/(S−1) − ½) + φ·S/(S−1).
  for (int r = 0; r < side; r++)
    for (int first = 0; first < side; first += warp_run) {
      const int run = side - first < warp_run ? side - first : warp_run;
      warp_places w;
      const float *dx = plane_of(flow, 0, 0) + r * row + first, *dy = plane_of(flow, 0, 1) + r * row + first;
      const float down_by = (float)(r * step - 0.5);
      for (int i = 0; i < run; i++) {
        float left, right, up, down;
        const int column = neighbours(first + i, (float)((first + i) * step - 0.5) + dx[i] * scale, side, &left, &right);
        const int line = neighbours(r, down_by + dy[i] * scale, side, &up, &down);
        w.place[i] = (int32_t)(line * row + column);
        w.a[i] = up * left, w.b[i] = up * right, w.c[i] = down * left, w.d[i] = down * right;
      }
      find_near(&w, run, row);
      for (int channel = 0; channel < x->channels; channel++) {
        float *to = plane_of(y, 0, channel) + r * row + first;
        warp_channel(&w, plane_of(x, 0, channel), row, run, to);
        to[run] = 0;  // the zero column after the last run
      }
    }
}
