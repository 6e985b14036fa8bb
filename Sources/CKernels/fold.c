// Small changes to weights: their order for the direct kernels, and the attention folded at run time.
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
