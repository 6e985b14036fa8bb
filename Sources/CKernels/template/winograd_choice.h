// Which size of tile: the filter says it.

static void convolve_winograd(const fk_map *x, const fk_map *y, const fk_filter *filter, fk_activation activation,
                              const fk_map *residual, float *scratch) {
  if (filter->taps == 16) convolve_winograd_2(x, y, filter, activation, residual, scratch);
  else convolve_winograd_4(x, y, filter, activation, residual, scratch);
}
