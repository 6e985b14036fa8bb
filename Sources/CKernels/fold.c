// Small changes to weights: their order for the direct kernels, half precision, and the attention folded at run time.
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
