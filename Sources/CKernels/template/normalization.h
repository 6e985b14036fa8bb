// Statistics over planes and rows, and the maps they give. Sums are in double.

/// Mean and biased variance of a plane's pixels.
static void plane_moments(const float *from, const fk_map *map, double *mean, double *variance) {
  const ptrdiff_t count = flat_count(map), whole = count / FK_LANES * FK_LANES;
  const double pixels = (double)map->width * map->height;
  // The zero column adds nothing to either sum.
  vd s0 = (vd)(0.0), s1 = s0, q0 = s0, q1 = s0;
  for (ptrdiff_t i = 0; i < whole; i += FK_LANES) {
    const vf v = load(from + i);
    const vd a = low_double(v), b = high_double(v);
    s0 += a, s1 += b, q0 += a * a, q1 += b * b;
  }
  double sum = sum_double(s0 + s1), squares = sum_double(q0 + q1);
  for (ptrdiff_t i = whole; i < count; i++) sum += from[i], squares += (double)from[i] * from[i];
  *mean = sum / pixels;
  const double spread = squares / pixels - *mean * *mean;
  *variance = spread > 0 ? spread : 0;
}

static void centre(const fk_map *x, const fk_map *y, double *mean, double *variance) {
  plane_moments(x->data, x, mean, variance);
  const ptrdiff_t count = flat_count(x);
  for (ptrdiff_t i = 0; i < count; i += FK_LANES)
    store_first(y->data + i, load(x->data + i) - (float)*mean, count - i);
  clear_column(y->data, y);
}

static void normalize(const fk_map *x, const fk_map *y, float slope) {
  const ptrdiff_t count = flat_count(x), whole = count / FK_LANES * FK_LANES;
  for (int plane = 0; plane < x->images * x->channels; plane++) {
    const float *from = plane_of(x, 0, plane);
    float *to = plane_of(y, 0, plane);
    double mean, variance;
    plane_moments(from, x, &mean, &variance);
    const float m = (float)mean, scale = (float)(1 / __builtin_sqrt(variance + 1e-5));
    const vf low = (vf)(slope);
    for (ptrdiff_t i = 0; i < whole; i += FK_LANES) {
      const vf v = (load(from + i) - m) * scale;
      store(to + i, v < 0.0f ? v * low : v);
    }
    for (ptrdiff_t i = whole; i < count; i++) {
      const float v = (from[i] - m) * scale;
      to[i] = v < 0 ? v * slope : v;
    }
    clear_column(to, y);
  }
}

static void layer_norm(const float *x, const float *weight, const float *bias, float *y, ptrdiff_t rows, ptrdiff_t e) {
  const ptrdiff_t whole = e / FK_LANES * FK_LANES;
  for (ptrdiff_t r = 0; r < rows; r++, x += e, y += e) {
    vd s = (vd)(0.0), q = s;
    for (ptrdiff_t i = 0; i < whole; i += FK_LANES) {
      const vf v = load(x + i);
      const vd a = low_double(v), b = high_double(v);
      s += a + b, q += a * a + b * b;
    }
    double sum = sum_double(s), squares = sum_double(q);
    for (ptrdiff_t i = whole; i < e; i++) sum += x[i], squares += (double)x[i] * x[i];
    const double mean = sum / (double)e, spread = squares / (double)e - mean * mean;
    const float m = (float)mean, scale = (float)(1 / __builtin_sqrt((spread > 0 ? spread : 0) + 1e-5));
    for (ptrdiff_t i = 0; i < whole; i += FK_LANES)
      store(y + i, (load(x + i) - m) * scale * load(weight + i) + load(bias + i));
    for (ptrdiff_t i = whole; i < e; i++) y[i] = (x[i] - m) * scale * weight[i] + bias[i];
  }
}

static void softmax_rows(float *x, ptrdiff_t rows, ptrdiff_t e, ptrdiff_t stride, float scale) {
  for (ptrdiff_t r = 0; r < rows; r++, x += stride) {
    vf tops = (vf)(x[0]);
    for (ptrdiff_t i = 0; i < e; i += FK_LANES) tops = maximum(tops, keep_first(load(x + i), e - i, x[0]));
    const float top = largest(tops);
    vd sum = (vd)(0.0);
    for (ptrdiff_t i = 0; i < e; i += FK_LANES) {
      const vf v = keep_first(exponential((load(x + i) - top) * scale), e - i, 0);
      sum += low_double(v) + high_double(v);
      store_first(x + i, v, e - i);
    }
    const float inverse = (float)(1 / sum_double(sum));
    for (ptrdiff_t i = 0; i < e; i += FK_LANES) store_first(x + i, load(x + i) * inverse, e - i);
  }
}

static void gelu_in_place(float *x, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += FK_LANES) {
    if (count - i >= FK_LANES) {
      store(x + i, gelu(load(x + i)));
    } else {
      float lanes[FK_LANES] = {0};
      memcpy(lanes, x + i, (size_t)(count - i) * sizeof(float));
      store_first(x + i, gelu(load(lanes)), count - i);
    }
  }
}

static void sigmoid_map(const fk_map *map) {
  for (int plane = 0; plane < map->images * map->channels; plane++)
    for (int y = 0; y < map->height; y++) {
      float *row = plane_of(map, 0, plane) + (ptrdiff_t)y * (map->width + 1);
      for (int x = 0; x < map->width; x += FK_LANES)
        store_first(row + x, activate(load(row + x), fk_sigmoid), map->width - x);
    }
}
