// Second moments of the 3×3 neighbourhoods of one plane, in double: what a Gram matrix of any 3×3 filters of it is made of.

/// A row's three horizontal neighbourhoods as doubles.
FK_INLINE void row_taps(const float *at, vd out[3]) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 3; i++) out[i] = load_double(at + i - 1);
}

/// Sums over a row: pairs within it (3 × 3, upper half), with the next and with the one after that, and its values.
typedef struct row_sums {
  double within[6], next[9], after[9], value;
} row_sums;

static row_sums sum_row(const float *line, const float *next, const float *after, int width) {
  const int whole = width / (FK_LANES / 2) * (FK_LANES / 2);
  vd within[6], with_next[9], with_after[9], value = (vd)(0.0);
  for (int k = 0; k < 6; k++) within[k] = (vd)(0.0);
  for (int k = 0; k < 9; k++) with_next[k] = with_after[k] = (vd)(0.0);
  for (int x = 0; x < whole; x += FK_LANES / 2) {
    vd a[3], b[3], c[3];
    row_taps(line + x, a), row_taps(next + x, b), row_taps(after + x, c);
    value += a[1];
    within[0] += a[0] * a[0], within[1] += a[0] * a[1], within[2] += a[0] * a[2];
    within[3] += a[1] * a[1], within[4] += a[1] * a[2], within[5] += a[2] * a[2];
#pragma clang loop unroll(full)
    for (int i = 0; i < 3; i++)
#pragma clang loop unroll(full)
      for (int j = 0; j < 3; j++) with_next[3 * i + j] += a[i] * b[j], with_after[3 * i + j] += a[i] * c[j];
  }
  row_sums sums = {.value = sum_double(value)};
  for (int k = 0; k < 6; k++) sums.within[k] = sum_double(within[k]);
  for (int k = 0; k < 9; k++) sums.next[k] = sum_double(with_next[k]), sums.after[k] = sum_double(with_after[k]);
  for (int x = whole; x < width; x++) {
    sums.value += line[x];
    for (int i = 0, k = 0; i < 3; i++)
      for (int j = i; j < 3; j++, k++) sums.within[k] += (double)line[x + i - 1] * line[x + j - 1];
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        sums.next[3 * i + j] += (double)line[x + i - 1] * next[x + j - 1];
        sums.after[3 * i + j] += (double)line[x + i - 1] * after[x + j - 1];
      }
  }
  return sums;
}

/// The blocks of three taps by three that a row's own pairs add to.
static void add_within(const row_sums *row, double sign, int block, double products[81]) {
  static const int place[9] = {0, 1, 2, 1, 3, 4, 2, 4, 5};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      products[(3 * block + i) * 9 + 3 * block + j] += sign * row->within[place[3 * i + j]];
}

static void plane_sums(const fk_map *x, fk_plane_sums *sums) {
  const ptrdiff_t row = x->width + 1;
  const float *p = plane_of(x, 0, 0);
  memset(sums, 0, sizeof *sums);
  for (int y = 0; y < x->height; y++) {
    // The row below the last is zero; the one after that is not there.
    const float *line = p + y * row, *next = line + row, *after = y + 2 <= x->height ? next + row : next;
    const row_sums here = sum_row(line, next, after, x->width);
    const double shifted[3] = {here.value - line[x->width - 1], here.value, here.value - line[0]};
    // As the upper row of a neighbourhood, the middle and the lower one: not where the middle would lie outside.
    for (int block = 0; block < 3; block++) {
      if ((block == 0 && y == x->height - 1) || (block == 2 && y == 0)) continue;
      add_within(&here, 1, block, sums->products);
      for (int i = 0; i < 3; i++) sums->values[3 * block + i] += shifted[i];
    }
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        if (y < x->height - 1) {
          sums->products[i * 9 + 3 + j] += here.next[3 * i + j];
          sums->products[(3 + i) * 9 + 6 + j] += here.next[3 * i + j];
        }
        if (y < x->height - 2) sums->products[i * 9 + 6 + j] += here.after[3 * i + j];
      }
  }
  for (int t = 0; t < 9; t++)
    for (int s = 0; s < t / 3 * 3; s++) sums->products[t * 9 + s] = sums->products[s * 9 + t];
}
