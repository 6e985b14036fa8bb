// What is done to weights: packing for the kernels, and algebra that turns two layers into one. Composed in double.
#include <math.h>
#include <string.h>

#include "fk_engine.h"

void fk_pack(const float *weights, int32_t outputs, int32_t inputs, int32_t taps, float *packed) {
  const ptrdiff_t size = (ptrdiff_t)inputs * taps;
  for (int o = 0; o < outputs;) {
    const int left = outputs - o, width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    for (ptrdiff_t i = 0; i < size; i++)
      for (int k = 0; k < width; k++) *packed++ = weights[(o + k) * size + i];
    o += width;
  }
}

/// G g Gᵀ of one 3×3 for the points 0, ±1, ±2, ∞.
static void winograd_weights(const float *g, double u[36]) {
  static const double transform[6][3] = {{1.0 / 4, 0, 0},
                                         {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                         {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                         {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                         {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                         {0, 0, 1}};
  for (int r = 0; r < 6; r++)
    for (int q = 0; q < 6; q++) {
      double sum = 0;
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) sum += transform[r][i] * g[3 * i + j] * transform[q][j];
      u[6 * r + q] = sum;
    }
}

void fk_pack_winograd(const float *weights, const float *bias, int32_t outputs, int32_t inputs, float *packed,
                      float *padded_bias) {
  const ptrdiff_t run = (ptrdiff_t)36 * inputs * 8, runs = (outputs + 7) / 8;
  memset(packed, 0, (size_t)(runs * run) * sizeof(float));
  memset(padded_bias, 0, (size_t)(runs * 8) * sizeof(float));
  memcpy(padded_bias, bias, (size_t)outputs * sizeof(float));
  for (ptrdiff_t o = 0; o < outputs; o++)
    for (ptrdiff_t i = 0; i < inputs; i++) {
      double u[36];
      winograd_weights(weights + (o * inputs + i) * 9, u);
      for (int p = 0; p < 36; p++) packed[o / 8 * run + ((ptrdiff_t)p * inputs + i) * 8 + o % 8] = (float)u[p];
    }
}

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

/// weights[i][t] = Σ_m second[m][t] · first[m][i] for one output; offset[t] the same for the first bias.
static void compose_output(const float *first, const float *first_bias, const float *second, int inputs, int middle,
                           float *weights, double offset[9]) {
  memset(offset, 0, 9 * sizeof(double));
  for (int m = 0; m < middle; m++)
    for (int t = 0; t < 9; t++) offset[t] += (double)second[m * 9 + t] * first_bias[m];
  for (int i = 0; i < inputs; i++) {
    double sums[9] = {0};
    for (int m = 0; m < middle; m++) {
      const double w = first[(ptrdiff_t)m * inputs + i];
      for (int t = 0; t < 9; t++) sums[t] += w * second[m * 9 + t];
    }
    for (int t = 0; t < 9; t++) weights[i * 9 + t] = (float)sums[t];
  }
}

void fk_compose(const float *first, const float *first_bias, const float *second, const float *second_bias,
                int32_t inputs, int32_t middle, int32_t outputs, float *weights, float *bias, float *border) {
  for (int o = 0; o < outputs; o++) {
    double offset[9];
    compose_output(first, first_bias, second + (ptrdiff_t)o * middle * 9, inputs, middle,
                   weights + (ptrdiff_t)o * inputs * 9, offset);
    double whole = second_bias[o];
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

void fk_fold_attention(const float *p, const float *conv, int32_t channels, float *weights, float *packed) {
  for (int c = 0; c < channels; c++)
    for (int a = 0; a < channels; a++) {
      double sum = 0;
      for (int b = 0; b < channels; b++) sum += (double)conv[c * channels + b] * p[a * channels + b];
      weights[c * channels + a] = (float)sum;
    }
  fk_pack(weights, channels, channels, 1, packed);
}

void fk_softmax_joint(const double *logits, ptrdiff_t count, float *p) {
  double top = logits[0], sum = 0;
  for (ptrdiff_t i = 1; i < count; i++) top = logits[i] > top ? logits[i] : top;
  for (ptrdiff_t i = 0; i < count; i++) sum += exp(logits[i] - top);
  for (ptrdiff_t i = 0; i < count; i++) p[i] = (float)(exp(logits[i] - top) / sum);
}

void fk_half_to_float(const uint16_t *halves, ptrdiff_t count, float *values) {
  for (ptrdiff_t i = 0; i < count; i++) {
    const uint32_t sign = (uint32_t)(halves[i] & 0x8000) << 16, rest = halves[i] & 0x7fff;
    const uint32_t exponent = rest >> 10;
    uint32_t bits;
    if (exponent == 31) {
      bits = 0x7f800000 | (rest & 0x3ff) << 13;
    } else if (exponent) {
      bits = (rest << 13) + ((127 - 15) << 23);
    } else {  // zero and subnormals: rest · 2^−24 is exact
      const float value = (float)rest * 0x1p-24f;
      memcpy(&bits, &value, sizeof bits);
    }
    bits |= sign;
    memcpy(values + i, &bits, sizeof bits);
  }
}
