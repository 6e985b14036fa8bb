// Moving values between plain arrays, tokens and bordered maps, and single planes – nothing is computed on features here.
#include <string.h>

#include "fk_engine.h"

static float *plane_of(const fk_map *map, int image, int channel) {
  return map->data + ((ptrdiff_t)image * map->channels + channel) * map->stride;
}

void fk_clear_border(const fk_map *map) {
  const ptrdiff_t row = map->width + 1;
  for (int plane = 0; plane < map->images * map->channels; plane++) {
    float *p = plane_of(map, 0, plane);
    memset(p - row - 1, 0, (size_t)(row + 1) * sizeof(float));
    memset(p + map->height * row, 0, (size_t)row * sizeof(float));
  }
}

void fk_import(const float *planes, const fk_map *map, int32_t image) {
  for (int c = 0; c < map->channels; c++)
    for (int y = 0; y < map->height; y++, planes += map->width) {
      float *row = plane_of(map, image, c) + (ptrdiff_t)y * (map->width + 1);
      memcpy(row, planes, (size_t)map->width * sizeof(float));
      row[map->width] = 0;
    }
}

void fk_export(const fk_map *map, int32_t image, float *planes) {
  for (int c = 0; c < map->channels; c++)
    for (int y = 0; y < map->height; y++, planes += map->width)
      memcpy(planes, plane_of(map, image, c) + (ptrdiff_t)y * (map->width + 1), (size_t)map->width * sizeof(float));
}

void fk_patches(const fk_map *map, int32_t image, float *rows) {
  enum { patch = 16 };
  for (int y = 0; y < map->height; y += patch)
    for (int x = 0; x < map->width; x += patch)
      for (int c = 0; c < map->channels; c++)
        for (int r = 0; r < patch; r++, rows += patch)
          memcpy(rows, plane_of(map, image, c) + (ptrdiff_t)(y + r) * (map->width + 1) + x, patch * sizeof(float));
}

void fk_tokens_to_map(const float *tokens, const fk_map *map, int32_t image) {
  enum { block = 16 };  // tokens of a block stay in the cache while its channels are gone through
  const int channels = map->channels, width = map->width;
  for (int y = 0; y < map->height; y++)
    for (int first = 0; first < width; first += block) {
      const int end = first + block < width ? first + block : width;
      const float *from = tokens + (ptrdiff_t)y * width * channels;
      for (int c = 0; c < channels; c++) {
        float *row = plane_of(map, image, c) + (ptrdiff_t)y * (width + 1);
        for (int x = first; x < end; x++) row[x] = from[(ptrdiff_t)x * channels + c];
        row[end] = 0;  // the zero column after the last block
      }
    }
}

void fk_pack_panels(const float *weights, ptrdiff_t outputs, ptrdiff_t inputs, float *packed) {
  for (ptrdiff_t first = 0; first < outputs; first += FK_PANEL, packed += inputs * FK_PANEL) {
    const ptrdiff_t count = outputs - first < FK_PANEL ? outputs - first : FK_PANEL;
    fk_transpose(weights + first * inputs, count, inputs, inputs, packed, FK_PANEL);
  }
}

void fk_transpose(const float *x, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride) {
  enum { block = 16 };  // both sides of a block stay in the cache
  for (ptrdiff_t c = 0; c < columns; c += block)
    for (ptrdiff_t r = 0; r < y_stride; r += block)
      for (ptrdiff_t i = c; i < c + block && i < columns; i++)
        for (ptrdiff_t j = r; j < r + block && j < y_stride; j++)
          y[i * y_stride + j] = j < rows ? x[j * x_stride + i] : 0;
}

void fk_stretch_map(const fk_map *map, float black, float scale) {
  for (int plane = 0; plane < map->images * map->channels; plane++)
    for (int y = 0; y < map->height; y++) {
      float *row = plane_of(map, 0, plane) + (ptrdiff_t)y * (map->width + 1);
      for (int x = 0; x < map->width; x++) {
        const float v = (row[x] - black) * scale;
        row[x] = v < 0 ? 0 : v > 1 ? 1 : v;
      }
    }
}

void fk_subtract(const float *a, const float *b, float *y, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) y[i] = a[i] - b[i];
}

void fk_add_bias(float *x, const float *bias, ptrdiff_t rows, ptrdiff_t e) {
  for (ptrdiff_t r = 0; r < rows; r++, x += e)
    for (ptrdiff_t i = 0; i < e; i++) x[i] += bias[i];
}

bool fk_all_finite(const float *values, ptrdiff_t count) {
  enum { exponent = 0x7f800000 };
  uint32_t found = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, values + i, sizeof bits);
    found |= (bits & exponent) == exponent;
  }
  return !found;
}
