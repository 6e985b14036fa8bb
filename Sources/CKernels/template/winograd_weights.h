// Weights to Winograd's domain as they are needed: four times as many as there are taps, so not kept. Part of winograd.h.

/// One input of part of a run of eight: G g Gᵀ, in double, to u[P²][inputs][8].
FK_INLINE void FK_WINO(wino_transform_taps)(const float *taps, float *u, ptrdiff_t step) {
  vd rows[FK_P][3];
#pragma clang loop unroll(full)
  for (int q = 0; q < 3; q++) {
    vd column[FK_P];
    FK_WINO(wino_weights)(load_double(taps + 8 * q), load_double(taps + 8 * (3 + q)), load_double(taps + 8 * (6 + q)),
                          column);
#pragma clang loop unroll(full)
    for (int r = 0; r < FK_P; r++) rows[r][q] = column[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < FK_P; r++) {
    vd line[FK_P];
    FK_WINO(wino_weights)(rows[r][0], rows[r][1], rows[r][2], line);
#pragma clang loop unroll(full)
    for (int q = 0; q < FK_P; q++)
      *(vh_unaligned *)(u + (FK_P * r + q) * step) = __builtin_convertvector(line[q], vh);
  }
}

/// The weights of the run of eight that starts at output o.
static void FK_WINO(wino_transform_run)(const fk_filter *filter, int o, float *u) {
  const ptrdiff_t first = (ptrdiff_t)o * filter->inputs * 9, step = (ptrdiff_t)filter->inputs * 8;
  for (int i = 0; i < filter->inputs; i++) {
    float wide[80];
    const float *taps = wide;
    if (filter->halves)
      for (int t = 0; t < 72; t += FK_LANES) store(wide + t, load_halves(filter->halves + first + 72 * i + t));
    else taps = filter->weights + first + 72 * i;
    for (int part = 0; part < 8; part += FK_LANES / 2)
      FK_WINO(wino_transform_taps)(taps + part, u + i * 8 + part, step);
  }
}

/// Several chunks share the transformed weights of all runs; one chunk meets every run once.
static void FK_WINO(wino_prepare)(const fk_map *x, const fk_filter *filter, float *u) {
  const ptrdiff_t size = (ptrdiff_t)8 * FK_P * FK_P * filter->inputs;
  if (fk_winograd_prepares(x, FK_M))
    for (int o = 0; o < filter->outputs; o += 8, u += size) FK_WINO(wino_transform_run)(filter, o, u);
}

/// The transformed weights of the run that starts at output o.
static const float *FK_WINO(wino_weights_at)(const fk_map *x, const fk_filter *filter, int o, float *u) {
  if (fk_winograd_prepares(x, FK_M)) return u + (ptrdiff_t)o * FK_P * FK_P * filter->inputs;
  FK_WINO(wino_transform_run)(filter, o, u);
  return u;
}
