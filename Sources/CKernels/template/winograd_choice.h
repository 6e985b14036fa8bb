// Which size of tile: the filter says it.

static void convolve_winograd(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                              const fk_map *residual, float *scratch) {
  if (filter->taps == 16) convolve_winograd_2(x, y, filter, activation, residual, scratch);
  else convolve_winograd_4(x, y, filter, activation, residual, scratch);
}

static void pack_winograd(const float *weights, const float *bias, int32_t outputs, int32_t inputs, int32_t tile,
                          float *packed, float *padded_bias) {
  if (tile == 2) pack_winograd_2(weights, bias, outputs, inputs, packed, padded_bias);
  else pack_winograd_4(weights, bias, outputs, inputs, packed, padded_bias);
}
