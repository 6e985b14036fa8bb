// One line of Winograd's transforms, for tiles of 4 (points 0, ±11/8, ±11/16, ∞) and of 2 (points 0, ±1, ∞).
//
// The usual ±1, ±2 weigh an input by up to 25 and a product by up to 64, which costs digits. These two pairs round half as
// much (a fifth of the greatest error; found by trying eighths and sixteenths), and their powers are exact in 32 bits.

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

/// The points of tiles of 4: ±wino_a and ±wino_b.
static const float wino_a = 1.375f, wino_b = 0.6875f;

/// Six values of a line to their transform.
FK_INLINE void wino_input_4(const vf d[6], vf out[6]) {
  const float a2 = wino_a * wino_a, b2 = wino_b * wino_b;
  const vf even_a = d[4] - b2 * d[2], odd_a = d[3] - b2 * d[1];
  const vf even_b = d[4] - a2 * d[2], odd_b = d[3] - a2 * d[1];
  out[0] = (a2 * b2) * d[0] - (a2 + b2) * d[2] + d[4];
  out[1] = even_a + wino_a * odd_a;
  out[2] = even_a - wino_a * odd_a;
  out[3] = even_b + wino_b * odd_b;
  out[4] = even_b - wino_b * odd_b;
  out[5] = (a2 * b2) * d[1] - (a2 + b2) * d[3] + d[5];
}

FK_INLINE void wino_input_2(const vf d[4], vf out[4]) {
  out[0] = d[0] - d[2];
  out[1] = d[1] + d[2];
  out[2] = d[2] - d[1];
  out[3] = d[1] - d[3];
}

/// Six products of a line to four outputs.
FK_INLINE void wino_output_4(const vf m[6], vf out[4]) {
  const float a2 = wino_a * wino_a, b2 = wino_b * wino_b;
  const vf even_a = m[1] + m[2], odd_a = wino_a * (m[1] - m[2]), even_b = m[3] + m[4], odd_b = wino_b * (m[3] - m[4]);
  out[0] = m[0] + even_a + even_b;
  out[1] = odd_a + odd_b;
  out[2] = a2 * even_a + b2 * even_b;
  out[3] = a2 * odd_a + b2 * odd_b + m[5];
}

FK_INLINE void wino_output_2(const vf m[4], vf out[2]) {
  out[0] = m[0] + m[1] + m[2];
  out[1] = m[1] - m[2] - m[3];
}

/// FK_LANES tiles of a line to their phases: phases[p][j] = line[4j + p].
FK_INLINE void wino_split_4(const float *line, vf phases[4]) {
  const vf a = load(line), b = load(line + FK_LANES), c = load(line + 2 * FK_LANES), d = load(line + 3 * FK_LANES);
  const vf even0 = evens(a, b), even1 = evens(c, d), odd0 = odds(a, b), odd1 = odds(c, d);
  phases[0] = evens(even0, even1);
  phases[1] = evens(odd0, odd1);
  phases[2] = odds(even0, even1);
  phases[3] = odds(odd0, odd1);
}

FK_INLINE void wino_split_2(const float *line, vf phases[2]) {
  const vf a = load(line), b = load(line + FK_LANES);
  phases[0] = evens(a, b);
  phases[1] = odds(a, b);
}

/// The way back for FK_LANES tiles: line[v] holds pixels v · FK_LANES on, pixel 4j + p = phases[p][j].
FK_INLINE void wino_join_4(const float *phases, ptrdiff_t step, vf line[4]) {
  const vf a = load(phases), b = load(phases + step), c = load(phases + 2 * step), d = load(phases + 3 * step);
  const vf even0 = zip_low(a, c), even1 = zip_high(a, c), odd0 = zip_low(b, d), odd1 = zip_high(b, d);
  line[0] = zip_low(even0, odd0);
  line[1] = zip_high(even0, odd0);
  line[2] = zip_low(even1, odd1);
  line[3] = zip_high(even1, odd1);
}

FK_INLINE void wino_join_2(const float *phases, ptrdiff_t step, vf line[2]) {
  const vf a = load(phases), b = load(phases + step);
  line[0] = zip_low(a, b);
  line[1] = zip_high(a, b);
}

/// `values` of a G g line for the 3 taps of one line: g at a point, over the product of its distances from the others.
FK_INLINE void wino_weights_4(const vd g0, const vd g1, const vd g2, vd out[6]) {
  const double a = wino_a, b = wino_b, a2 = a * a, b2 = b * b;
  const vd even_a = g0 + a2 * g2, even_b = g0 + b2 * g2;
  out[0] = g0 * (1 / (a2 * b2));
  out[1] = (even_a + a * g1) * (0.5 / (a2 * (a2 - b2)));
  out[2] = (even_a - a * g1) * (0.5 / (a2 * (a2 - b2)));
  out[3] = (even_b + b * g1) * (0.5 / (b2 * (b2 - a2)));
  out[4] = (even_b - b * g1) * (0.5 / (b2 * (b2 - a2)));
  out[5] = g2;
}

FK_INLINE void wino_weights_2(const vd a, const vd b, const vd c, vd out[4]) {
  out[0] = a;
  out[1] = (a + b + c) * 0.5;
  out[2] = (a - b + c) * 0.5;
  out[3] = c;
}
