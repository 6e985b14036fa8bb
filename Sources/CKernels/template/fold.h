// What is done to weights once, at load: two layers as one, and Winograd's domain. All in double.

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
  enum { lanes = FK_LANES / 2 };
  const int count = inputs - from < lanes ? inputs - from : lanes;
  vd sums[9];
  for (int t = 0; t < 9; t++) sums[t] = (vd)(0.0);
  for (int m = 0; m < middle; m++) {
    vd w = (vd)(0.0);
    if (count == lanes) w = load_double(first + (ptrdiff_t)m * inputs + from);
    else
      for (int i = 0; i < count; i++) w[i] = first[(ptrdiff_t)m * inputs + from + i];
#pragma clang loop unroll(full)
    for (int t = 0; t < 9; t++) sums[t] += w * (double)second[m * 9 + t];
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

/// G g of three values for the points 0, ±1, ±2, ∞.
FK_INLINE void winograd_line(const vd a, const vd b, const vd c, vd out[6]) {
  const vd even = a + c, quarter = a * 0.25 + c;
  out[0] = a * 0.25;
  out[1] = (even + b) * (-1.0 / 6);
  out[2] = (even - b) * (-1.0 / 6);
  out[3] = (quarter + 0.5 * b) * (1.0 / 6);
  out[4] = (quarter - 0.5 * b) * (1.0 / 6);
  out[5] = c;
}

/// One input of outputs o … o + FK_LANES / 2 − 1: G g Gᵀ to packed[36][…][8], `step` between the 36.
FK_INLINE void winograd_weights(const float *weights, int o, int outputs, int inputs, float *packed, ptrdiff_t step) {
  enum { lanes = FK_LANES / 2 };
  vd g[9], rows[6][3];
  for (int k = 0; k < 9; k++) {
    g[k] = (vd)(0.0);
    for (int l = 0; l < lanes && o + l < outputs; l++) g[k][l] = weights[(ptrdiff_t)(o + l) * inputs * 9 + k];
  }
  for (int q = 0; q < 3; q++) {
    vd column[6];
    winograd_line(g[q], g[3 + q], g[6 + q], column);
    for (int r = 0; r < 6; r++) rows[r][q] = column[r];
  }
  for (int r = 0; r < 6; r++) {
    vd line[6];
    winograd_line(rows[r][0], rows[r][1], rows[r][2], line);
    for (int q = 0; q < 6; q++)
      *(vh_unaligned *)(packed + (6 * r + q) * step) = __builtin_convertvector(line[q], vh);
  }
}

static void pack_winograd(const float *weights, const float *bias, int32_t outputs, int32_t inputs, float *packed,
                          float *padded_bias) {
  enum { lanes = FK_LANES / 2 };
  for (int o = 0; o < outputs; o += 8)
    for (int i = 0; i < inputs; i++)
      for (int part = 0; part < 8; part += lanes)
        winograd_weights(weights + (ptrdiff_t)i * 9, o + part, outputs, inputs,
                         packed + (ptrdiff_t)o * wino_points * inputs + i * 8 + part, (ptrdiff_t)inputs * 8);
  for (int o = 0; o < (outputs + 7) / 8 * 8; o++) padded_bias[o] = o < outputs ? bias[o] : 0;
}
