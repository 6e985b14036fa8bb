// Two layers as one, once, at load. In double.

/// Taps of a 3×3 that fall outside at a border pixel of this kind, as a mask over dy·3 + dx.
static int outside_taps(int side) {
  int mask = 0;
  for (int t = 0; t < 9; t++) {
    const int dy = t / 3, dx = t % 3;
    if ((side & 1 && dy == 0) || (side & 2 && dy == 2) || (side & 4 && dx == 0) || (side & 8 && dx == 2))
      mask |= 1 << t;
  }
  return mask;
}

/// weights[i][t] = Σ_m first[m][i] · second[m][t] for inputs from `from` on, as many as a vector holds.
FK_INLINE void compose_inputs(const float *first, const float *second, int inputs, int middle, int from, float *weights) {
  enum { lanes = FK_LANES / 2, some = 64 };
  const int count = inputs - from < lanes ? inputs - from : lanes;
  vd sums[9];
  for (int t = 0; t < 9; t++) sums[t] = (vd)(0.0);
  for (int start = 0; start < middle; start += some) {
    const int end = middle - start < some ? middle : start + some;
    // Widened ahead: one conversion for a vector of them and none between the sums.
    double taps[9 * some];
    for (int k = 0; k < 9 * (end - start); k++) taps[k] = second[9 * (ptrdiff_t)start + k];
    for (int m = start; m < end; m++) {
      vd w = (vd)(0.0);
      if (count == lanes) w = load_double(first + (ptrdiff_t)m * inputs + from);
      else
        for (int i = 0; i < count; i++) w[i] = first[(ptrdiff_t)m * inputs + from + i];
#pragma clang loop unroll(full)
      for (int t = 0; t < 9; t++) sums[t] += w * taps[9 * (m - start) + t];
    }
  }
  for (int i = 0; i < count; i++)
    for (int t = 0; t < 9; t++) weights[(from + i) * 9 + t] = (float)sums[t][i];
}

static void compose(const float *first, const float *first_bias, const float *second, const float *second_bias,
                    int32_t inputs, int32_t middle, int32_t outputs, float *weights, float *bias, float *border) {
  for (int o = 0; o < outputs; o++) {
    const float *taps = second + (ptrdiff_t)o * middle * 9;
    for (int i = 0; i < inputs; i += FK_LANES / 2)
      compose_inputs(first, taps, inputs, middle, i, weights + (ptrdiff_t)o * inputs * 9);
    // What the first bias adds through each tap: all of it inside, less where taps fall outside.
    double offset[9] = {0}, whole = second_bias[o];
    for (int m = 0; m < middle; m++)
      for (int t = 0; t < 9; t++) offset[t] += (double)taps[m * 9 + t] * first_bias[m];
    for (int t = 0; t < 9; t++) whole += offset[t];
    bias[o] = (float)whole;
    for (int side = 0; side < 16; side++) {
      double missing = 0;
      for (int t = 0; t < 9; t++)
        if (outside_taps(side) >> t & 1) missing += offset[t];
      border[o * 16 + side] = (float)-missing;
    }
  }
}
