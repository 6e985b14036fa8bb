// MDTA of channels that all come from one plane: three filters a channel, their Gram matrix, one convolution.
#include <math.h>

#include "fk_engine.h"

enum { most = FK_PLANE_CHANNELS, taps = 9, classes = 16 };

/// The 3×3 filters of the centred plane that q, k and v amount to.
typedef struct plane_filters {
  double weights[3 * most][taps];
  /// Bias at a pixel of each class: index into fk_filter.border.
  double bias[3 * most][classes];
} plane_filters;

/// Channel c normalised is gain[c] · centred plane, so a filter of all channels is one of the plane.
static void filters_of_plane(const fk_plane_attention *a, double variance, plane_filters *f) {
  const int c = a->channels;
  for (int o = 0; o < 3 * c; o++) {
    for (int t = 0; t < taps; t++) {
      double sum = 0;
      for (int i = 0; i < c; i++) {
        const double gain = a->scale[i] / sqrt((double)a->scale[i] * a->scale[i] * variance + 1e-5);
        sum += gain * a->weights[(o * c + i) * taps + t];
      }
      f->weights[o][t] = sum;
    }
    for (int k = 0; k < classes; k++) f->bias[o][k] = (double)a->bias[o] + a->border[o * classes + k];
  }
}

/// Sums of the taps over the pixels of each class, and how many there are: those on the border one by one, the rest by
/// difference.
static void sums_of_classes(const fk_map *x, const fk_plane_sums *all, double sums[classes][taps], double counts[classes]) {
  const ptrdiff_t row = x->width + 1;
  for (int k = 0; k < classes; k++) {
    counts[k] = 0;
    for (int t = 0; t < taps; t++) sums[k][t] = 0;
  }
  for (int t = 0; t < taps; t++) sums[0][t] = all->values[t];
  counts[0] = (double)x->width * x->height;
  for (int y = 0; y < x->height; y++) {
    const int vertical = (y == 0 ? 1 : 0) + (y == x->height - 1 ? 2 : 0);
    const int step = vertical || x->width < 2 ? 1 : x->width - 1;
    for (int column = 0; column < x->width; column += step) {
      const int k = vertical + (column == 0 ? 4 : 0) + (column == x->width - 1 ? 8 : 0);
      if (k == 0) continue;
      counts[k] += 1, counts[0] -= 1;
      for (int t = 0; t < taps; t++) {
        const double value = x->data[(y + t / 3 - 1) * row + column + t % 3 - 1];
        sums[k][t] += value, sums[0][t] -= value;
      }
    }
  }
}

/// logits[a][b] = Σ over pixels of k[a] · q[b].
static void gram_of_filters(const fk_map *x, const plane_filters *f, int channels, double *logits) {
  fk_plane_sums all;
  fk_plane_sums_of(x, &all);
  double sums[classes][taps], counts[classes];
  sums_of_classes(x, &all, sums, counts);
  for (int a = 0; a < channels; a++)
    for (int b = 0; b < channels; b++) {
      const double *q = f->weights[b], *k = f->weights[channels + a];
      double sum = 0;
      for (int s = 0; s < taps; s++)
        for (int t = 0; t < taps; t++) sum += k[s] * q[t] * all.products[s * taps + t];
      for (int i = 0; i < classes; i++) {
        const double kb = f->bias[channels + a][i], qb = f->bias[b][i];
        sum += counts[i] * kb * qb;
        for (int t = 0; t < taps; t++) sum += sums[i][t] * (kb * q[t] + qb * k[t]);
      }
      logits[a * channels + b] = sum;
    }
}

/// The 1×1 of the plane itself, and attended values through conv4, as one 3×3 of the centred plane.
static void result_filter(const fk_plane_attention *a, const plane_filters *f, const float *p, double mean,
                          float *weights, float *bias, float *border) {
  const int c = a->channels;
  for (int o = 0; o < c; o++) {
    double tap[taps] = {0}, side[classes] = {0};
    for (int v = 0; v < c; v++) {
      double share = 0;
      for (int b = 0; b < c; b++) share += (double)a->output[o * c + b] * p[v * c + b];
      for (int t = 0; t < taps; t++) tap[t] += share * f->weights[2 * c + v][t];
      for (int k = 0; k < classes; k++) side[k] += share * f->bias[2 * c + v][k];
    }
    tap[taps / 2] += a->scale[o];
    for (int t = 0; t < taps; t++) weights[o * taps + t] = (float)tap[t];
    bias[o] = (float)(side[0] + a->output_bias[o] + a->scale[o] * mean + a->shift[o]);
    for (int k = 0; k < classes; k++) border[o * classes + k] = (float)(side[k] - side[0]);
  }
}

void fk_attend_plane(const fk_map *x, int32_t image, const fk_map *centred, const fk_map *y,
                     const fk_plane_attention *attention) {
  const int c = attention->channels;
  fk_map from = *x, to = *y;
  from.images = to.images = 1;
  from.data += image * x->stride;
  to.data += (ptrdiff_t)image * c * y->stride;
  double mean, variance, logits[most * most];
  fk_centre(&from, centred, &mean, &variance);
  plane_filters filters;
  filters_of_plane(attention, variance, &filters);
  gram_of_filters(centred, &filters, c, logits);
  float p[most * most], weights[most * taps], packed[most * taps], bias[most], border[most * classes];
  fk_softmax_joint(logits, c * c, p);
  result_filter(attention, &filters, p, mean, weights, bias, border);
  fk_pack(weights, c, 1, taps, packed);
  const fk_filter filter = {.taps = taps, .inputs = 1, .outputs = c, .weights = packed, .bias = bias,
                            .border = border};
  fk_convolve(centred, &to, &filter, fk_identity, NULL);
}
