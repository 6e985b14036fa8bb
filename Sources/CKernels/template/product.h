// Products of matrices with few hundred rows and columns: the transformer's. A block of results stays in registers over
// all inputs. No blocking for caches: everything here fits the second level.

#if FK_LANES == 16
#define FK_PRODUCT_VECTORS 4
#else
#define FK_PRODUCT_VECTORS 2
#endif
#define FK_PRODUCT_ROWS 6
/// Inputs summed in one go. Rounding grows with the length of a sum; sums of sums keep it at that of 64 + inputs / 64.
#define FK_PRODUCT_CHUNK 64

/// `rows` × `vectors` · FK_LANES values of y; of the last vector only what lies before `columns`.
FK_INLINE void product_block(const int rows, const int vectors, const fk_product_task *t, const float *x, const float *w,
                             const float *bias, float *y, ptrdiff_t columns) {
  vf totals[FK_PRODUCT_ROWS][FK_PRODUCT_VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    vf start = (vf)(0.0f);
    if (bias) memcpy(&start, bias + v * FK_LANES, sizeof start);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) totals[r][v] = start;
  }
  for (ptrdiff_t from = 0; from < t->inputs; from += FK_PRODUCT_CHUNK) {
    const ptrdiff_t to = from + FK_PRODUCT_CHUNK < t->inputs ? from + FK_PRODUCT_CHUNK : t->inputs;
    vf sums[FK_PRODUCT_ROWS][FK_PRODUCT_VECTORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sums[r][v] = (vf)(0.0f);
    for (ptrdiff_t k = from; k < to; k++, w += t->w_stride) {
      vf line[FK_PRODUCT_VECTORS];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) line[v] = load(w + v * FK_LANES);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const vf value = (vf)(x[r * t->x_stride + k]);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sums[r][v] += value * line[v];
      }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) totals[r][v] += sums[r][v];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      float *to = y + r * t->y_stride + v * FK_LANES;
      const ptrdiff_t left = columns - v * FK_LANES;
      if (left <= 0) continue;
      store_first(to, t->accumulating ? totals[r][v] + load(to) : totals[r][v], left);
    }
}

static void product_rows(int rows, const fk_product_task *t, const float *x, const float *w, const float *bias, float *y,
                         ptrdiff_t columns) {
#define FK_ROWS_CASE(n, vectors) \
  case n: product_block(n, vectors, t, x, w, bias, y, columns); break
#define FK_ROWS_CASES(vectors) \
  FK_ROWS_CASE(1, vectors); \
  FK_ROWS_CASE(2, vectors); \
  FK_ROWS_CASE(3, vectors); \
  FK_ROWS_CASE(4, vectors); \
  FK_ROWS_CASE(5, vectors); \
  FK_ROWS_CASE(6, vectors)
  if (columns > FK_LANES) {
    switch (rows) { FK_ROWS_CASES(FK_PRODUCT_VECTORS); }
  } else {
    switch (rows) { FK_ROWS_CASES(1); }
  }
#undef FK_ROWS_CASES
#undef FK_ROWS_CASE
}

static void product_panels(const fk_product_task *t) {
  enum { width = FK_PRODUCT_VECTORS * FK_LANES };
  for (ptrdiff_t n = 0; n < t->columns; n += width) {
    const float *w = t->w + n / FK_PANEL * t->panel_stride + n % FK_PANEL;
    for (ptrdiff_t r = 0; r < t->rows; r += FK_PRODUCT_ROWS) {
      const int rows = t->rows - r < FK_PRODUCT_ROWS ? (int)(t->rows - r) : FK_PRODUCT_ROWS;
      product_rows(rows, t, t->x + r * t->x_stride, w, t->bias ? t->bias + n : NULL, t->y + r * t->y_stride + n,
                   t->columns - n);
    }
  }
}

/// Inputs of a panel that are brought to single precision at once: 64 KiB.
enum { half_inputs = 256 };

static void product(const fk_product_task *t) {
  if (!t->halves) return product_panels(t);
  float panel[half_inputs * FK_PANEL];
  for (ptrdiff_t n = 0; n < t->columns; n += FK_PANEL)
    for (ptrdiff_t k = 0; k < t->inputs; k += half_inputs) {
      const ptrdiff_t inputs = t->inputs - k < half_inputs ? t->inputs - k : half_inputs;
      half_to_float(t->halves + n / FK_PANEL * t->panel_stride + k * FK_PANEL, inputs * FK_PANEL, panel);
      fk_product_task part = *t;
      part.inputs = inputs;
      part.columns = t->columns - n < FK_PANEL ? t->columns - n : FK_PANEL;
      part.x = t->x + k;
      part.w = panel;
      part.w_stride = FK_PANEL;
      part.bias = t->bias && k == 0 ? t->bias + n : NULL;
      part.y = t->y + n;
      part.accumulating = t->accumulating || k > 0;
      product_panels(&part);
    }
}
