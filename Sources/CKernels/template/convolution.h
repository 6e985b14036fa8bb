// Direct convolution on bordered planes: a tile of outputs × positions stays in registers over all inputs.
// A plane is read as one long row (zero column included), so one loop serves every width.
// Tiles that hang over the end compute on what follows and keep only what belongs to the plane.

/// Positions of one tile.
#define FK_TILE (FK_TILE_VECTORS * FK_LANES)

/// Inputs of a 3×3 (a 1×1: nine times as many) summed in one go; rounding grows with the length of a sum.
enum { sum_inputs = 16 };

/// accumulators[o][p] += Σ over inputs and taps of weights[input][tap][o] · x[input] at the tap of vector p.
/// `x` points at the first position in input 0; `step` is the distance between weights of successive taps.
FK_INLINE void accumulate(const int outputs, const int taps, const float *x, ptrdiff_t stride, ptrdiff_t row,
                          int inputs, const float *weights, int step,
                          vf accumulators[FK_TILE_OUTPUTS][FK_TILE_VECTORS]) {
  const int side = taps == 9 ? 3 : 1;
  for (int c = 0; c < inputs; c++) {
    const float *line = taps == 9 ? x + c * stride - row - 1 : x + c * stride;
#pragma clang loop unroll(full)
    for (int dy = 0; dy < side; dy++) {
#pragma clang loop unroll(full)
      for (int dx = 0; dx < side; dx++) {
        vf v[FK_TILE_VECTORS];
#pragma clang loop unroll(full)
        for (int p = 0; p < FK_TILE_VECTORS; p++) v[p] = load(line + dy * row + dx + p * FK_LANES);
#pragma clang loop unroll(full)
        for (int o = 0; o < outputs; o++) {
          vf w = (vf)(weights[o]);
#pragma clang loop unroll(full)
          for (int p = 0; p < FK_TILE_VECTORS; p++) accumulators[o][p] += w * v[p];
        }
        weights += step;
      }
    }
  }
}

/// What a tile needs besides its place: constants of one call.
typedef struct tile_task {
  const float *x;
  ptrdiff_t x_stride, row;
  int inputs, taps;
  float *y;
  ptrdiff_t y_stride;
  /// null or laid out as y
  const float *residual;
  fk_activation activation;
} tile_task;

FK_INLINE void finish_tile(const int outputs, const tile_task *t, const fk_activation activation, int output,
                           ptrdiff_t position, ptrdiff_t count,
                           vf accumulators[FK_TILE_OUTPUTS][FK_TILE_VECTORS]) {
#pragma clang loop unroll(full)
  for (int o = 0; o < outputs; o++) {
    float *y = t->y + (output + o) * t->y_stride + position;
    const float *residual = t->residual ? t->residual + (output + o) * t->y_stride + position : NULL;
#pragma clang loop unroll(full)
    for (int p = 0; p < FK_TILE_VECTORS; p++) {
      vf v = accumulators[o][p];
      v = activate(v, activation);
      if (residual) v += load(residual + p * FK_LANES);
      if (count >= (p + 1) * FK_LANES) store(y + p * FK_LANES, v);
      else if (count > p * FK_LANES) store_first(y + p * FK_LANES, v, count - p * FK_LANES);
    }
  }
}

FK_INLINE void tile(const int outputs, const int taps, const tile_task *t, const float *weights, int step,
                    const float *bias, int output, ptrdiff_t position, ptrdiff_t count) {
  vf accumulators[FK_TILE_OUTPUTS][FK_TILE_VECTORS];
#pragma clang loop unroll(full)
  for (int o = 0; o < outputs; o++)
#pragma clang loop unroll(full)
    for (int p = 0; p < FK_TILE_VECTORS; p++) accumulators[o][p] = (vf)(bias[o]);
  const int most = taps == 9 ? sum_inputs : 9 * sum_inputs;
  const float *x = t->x + position;
  if (t->inputs <= most) {
    accumulate(outputs, taps, x, t->x_stride, t->row, t->inputs, weights, step, accumulators);
  } else {
    for (int c = 0; c < t->inputs; c += most) {
      const int inputs = t->inputs - c < most ? t->inputs - c : most;
      vf sums[FK_TILE_OUTPUTS][FK_TILE_VECTORS];
#pragma clang loop unroll(full)
      for (int o = 0; o < outputs; o++)
#pragma clang loop unroll(full)
        for (int p = 0; p < FK_TILE_VECTORS; p++) sums[o][p] = (vf)(0.0f);
      accumulate(outputs, taps, x + c * t->x_stride, t->x_stride, t->row, inputs, weights + (ptrdiff_t)c * taps * step,
                 step, sums);
#pragma clang loop unroll(full)
      for (int o = 0; o < outputs; o++)
#pragma clang loop unroll(full)
        for (int p = 0; p < FK_TILE_VECTORS; p++) accumulators[o][p] += sums[o][p];
    }
  }
  switch (t->activation) {
    case fk_relu: finish_tile(outputs, t, fk_relu, output, position, count, accumulators); break;
    case fk_leaky_relu: finish_tile(outputs, t, fk_leaky_relu, output, position, count, accumulators); break;
    case fk_tanh: finish_tile(outputs, t, fk_tanh, output, position, count, accumulators); break;
    case fk_sigmoid: finish_tile(outputs, t, fk_sigmoid, output, position, count, accumulators); break;
    default: finish_tile(outputs, t, fk_identity, output, position, count, accumulators);
  }
}

/// One tile of a run of `width` (8, 4, 2 or 1) outputs; a run wider than the registers allow is split.
static void tile_run(int width, const tile_task *t, const float *weights, const float *bias, int output,
                     ptrdiff_t position, ptrdiff_t count) {
#define FK_TILE_CASE(n, taps, from) \
  tile(n, taps, t, weights + (from), width, bias + output + (from), output + (from), position, count)
#if FK_TILE_OUTPUTS == 8
#define FK_EIGHT(taps) FK_TILE_CASE(8, taps, 0)
#else
#define FK_EIGHT(taps) (FK_TILE_CASE(4, taps, 0), FK_TILE_CASE(4, taps, 4))
#endif
  if (t->taps == 9) {
    switch (width) {
      case 8: FK_EIGHT(9); break;
      case 4: FK_TILE_CASE(4, 9, 0); break;
      case 2: FK_TILE_CASE(2, 9, 0); break;
      default: FK_TILE_CASE(1, 9, 0);
    }
  } else {
    switch (width) {
      case 8: FK_EIGHT(1); break;
      case 4: FK_TILE_CASE(4, 1, 0); break;
      case 2: FK_TILE_CASE(2, 1, 0); break;
      default: FK_TILE_CASE(1, 1, 0);
    }
  }
#undef FK_EIGHT
#undef FK_TILE_CASE
}

/// Width of the run of outputs that starts at `output`: as packed by fk_pack.
FK_INLINE int run_width(int outputs, int output) {
  int left = outputs - output;
  return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/// 1 for the first row of an image, else 0; 2 for the last, else 0.
FK_INLINE int at_top(const fk_map *map, int row) { return row == 0 && !map->more_above ? 1 : 0; }
FK_INLINE int at_bottom(const fk_map *map, int row) { return row == map->height - 1 && !map->more_below ? 2 : 0; }

/// Adds to the border pixels of y what the first of two composed convolutions would not have seen.
static void add_border(const fk_map *y, int image, const fk_filter *filter) {
  const int width = y->width, height = y->height;
  const ptrdiff_t row = width + 1;
  for (int o = 0; o < y->channels; o++) {
    float *plane = plane_of(y, image, o);
    const float *border = filter->border + 16 * (ptrdiff_t)o;
    for (int r = 0; r < height; r++) {
      const int vertical = at_top(y, r) + at_bottom(y, r);
      const int step = vertical || width < 2 ? 1 : width - 1;
      for (int c = 0; c < width; c += step)
        plane[r * row + c] += border[vertical + (c == 0 ? 4 : 0) + (c == width - 1 ? 8 : 0)];
    }
  }
}

/// Inputs up to this size stay in the second-level cache, so every run of weights is read once.
enum { resident_bytes = 400 * 1024 };

static void convolve(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                     const fk_map *residual) {
  const ptrdiff_t count = flat_count(x);
  const bool runs_outside = filter->inputs * x->stride * (ptrdiff_t)sizeof(float) <= resident_bytes;
  for (int image = 0; image < x->images; image++) {
    const tile_task task = {
        .x = plane_of(x, image, 0), .x_stride = x->stride, .row = x->width + 1, .inputs = filter->inputs,
        .taps = filter->taps, .y = plane_of(y, image, 0), .y_stride = y->stride,
        .residual = residual ? plane_of(residual, image, 0) : NULL, .activation = activation};
    const ptrdiff_t outer = runs_outside ? count : FK_TILE;
    for (ptrdiff_t first = 0; first < count; first += outer) {
      const ptrdiff_t last = first + outer < count ? first + outer : count;
      const float *weights = filter->weights;
      for (int o = 0; o < filter->outputs;) {
        const int width = run_width(filter->outputs, o);
        for (ptrdiff_t p = first; p < last; p += FK_TILE) tile_run(width, &task, weights, filter->bias, o, p, last - p);
        weights += (ptrdiff_t)width * filter->inputs * filter->taps;
        o += width;
      }
    }
    if (filter->border) add_border(y, image, filter);
    for (int o = 0; o < y->channels; o++) clear_column(plane_of(y, image, o), y);
  }
}
