// One line of Winograd's transforms, for tiles of 4 (points 0, ±1, ±2, ∞) and of 2 (points 0, ±1, ∞).

/// A chunk of an image's tiles; see winograd.h.
typedef struct wino_chunk {
  /// First row of tiles (over all images), number of rows, rows per image, tiles per row.
  int first, rows, image_rows, row_tiles;
  /// Tiles, and the same rounded up to whole vectors: the distance between successive lines.
  ptrdiff_t tiles, stride;
  /// Distance between the points of inputs, between those of products, and between outputs; odd multiples of a cache
  /// line, lest powers of two meet in one cache set.
  ptrdiff_t input_plane, product_plane, output_plane;
} wino_chunk;

/// Six values of a line to their transform.
FK_INLINE void wino_input_4(const vf d[6], vf out[6]) {
  const vf even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1], near = d[4] - d[2], far = 2.0f * (d[3] - d[1]);
  out[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = near + far;
  out[4] = near - far;
  out[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

FK_INLINE void wino_input_2(const vf d[4], vf out[4]) {
  out[0] = d[0] - d[2];
  out[1] = d[1] + d[2];
  out[2] = d[2] - d[1];
  out[3] = d[1] - d[3];
}

/// Six products of a line to four outputs.
FK_INLINE void wino_output_4(const vf m[6], vf out[4]) {
  const vf a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  out[0] = m[0] + a + c;
  out[1] = b + 2.0f * d;
  out[2] = a + 4.0f * c;
  out[3] = b + 8.0f * d + m[5];
}

FK_INLINE void wino_output_2(const vf m[4], vf out[2]) {
  out[0] = m[0] + m[1] + m[2];
  out[1] = m[1] - m[2] - m[3];
}

/// Phases p, `step` apart: phases[p][j] = line[4j + p]; `count` tiles and one more.
FK_INLINE void wino_split_4(const float *restrict line, ptrdiff_t count, float *restrict phases, ptrdiff_t step) {
  float *restrict p1 = phases + step, *restrict p2 = p1 + step, *restrict p3 = p2 + step;
  for (ptrdiff_t j = 0; j <= count; j++) {
    phases[j] = line[4 * j];
    p1[j] = line[4 * j + 1];
    p2[j] = line[4 * j + 2];
    p3[j] = line[4 * j + 3];
  }
}

FK_INLINE void wino_split_2(const float *restrict line, ptrdiff_t count, float *restrict phases, ptrdiff_t step) {
  float *restrict p1 = phases + step;
  for (ptrdiff_t j = 0; j <= count; j++) {
    phases[j] = line[2 * j];
    p1[j] = line[2 * j + 1];
  }
}

/// The way back: line[4j + p] = phases[p][j].
FK_INLINE void wino_join_4(const float *restrict phases, ptrdiff_t step, int count, float *restrict line) {
  for (int j = 0; j < count; j++) {
    line[4 * j] = phases[j];
    line[4 * j + 1] = phases[j + step];
    line[4 * j + 2] = phases[j + 2 * step];
    line[4 * j + 3] = phases[j + 3 * step];
  }
}

FK_INLINE void wino_join_2(const float *restrict phases, ptrdiff_t step, int count, float *restrict line) {
  for (int j = 0; j < count; j++) {
    line[2 * j] = phases[j];
    line[2 * j + 1] = phases[j + step];
  }
}

/// `values` of a G g line for the 3 taps of one line.
FK_INLINE void wino_weights_4(const vd a, const vd b, const vd c, vd out[6]) {
  const vd even = a + c, quarter = a * 0.25 + c;
  out[0] = a * 0.25;
  out[1] = (even + b) * (-1.0 / 6);
  out[2] = (even - b) * (-1.0 / 6);
  out[3] = (quarter + 0.5 * b) * (1.0 / 6);
  out[4] = (quarter - 0.5 * b) * (1.0 / 6);
  out[5] = c;
}

FK_INLINE void wino_weights_2(const vd a, const vd b, const vd c, vd out[4]) {
  out[0] = a;
  out[1] = (a + b + c) * 0.5;
  out[2] = (a - b + c) * 0.5;
  out[3] = c;
}
