// Weights in half precision looked at and reordered as they lie in a file, whatever their alignment – nothing is rounded.
#include <string.h>

#include "fk_engine.h"

typedef uint16_t eight __attribute__((vector_size(16)));

bool fk_halves_are_finite(const void *halves, ptrdiff_t count) {
  enum { exponent = 0x7c00, step = 64 };
  const char *from = halves;
  uint16_t some[step], found = 0;
  for (ptrdiff_t i = 0; i < count; i += step) {
    const ptrdiff_t left = count - i < step ? count - i : step;
    memcpy(some, from + 2 * i, (size_t)left * sizeof some[0]);
    for (ptrdiff_t k = 0; k < left; k++) found |= (some[k] & exponent) == exponent;
  }
  return !found;
}

bool fk_halves_are_zero(const void *halves, ptrdiff_t first, ptrdiff_t step, ptrdiff_t count) {
  const char *from = (const char *)halves + 2 * first;
  for (ptrdiff_t i = 0; i < count; i++) {
    uint16_t value;
    memcpy(&value, from + 2 * i * step, sizeof value);
    if (value & 0x7fff) return false;
  }
  return true;
}

/// Eight rows of eight, transposed: three times, rows i and i + 4 are interleaved.
static void transpose_block(eight rows[8]) {
  for (int round = 0; round < 3; round++) {
    eight next[8];
    for (int i = 0; i < 4; i++) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    memcpy(rows, next, sizeof next);
  }
}

void fk_pack_halves(const void *halves, ptrdiff_t outputs, ptrdiff_t size, ptrdiff_t run, uint16_t *packed) {
  const char *from = halves;
  for (ptrdiff_t first = 0; first < outputs; first += run, packed += size * run)
    for (ptrdiff_t c = 0; c < size; c += 8) {
      const ptrdiff_t columns = size - c < 8 ? size - c : 8;
      for (ptrdiff_t r = 0; r < run; r += 8) {
        eight block[8] = {{0}};
        for (ptrdiff_t k = 0; k < 8 && first + r + k < outputs; k++)
          memcpy(&block[k], from + 2 * ((first + r + k) * size + c), (size_t)columns * sizeof(uint16_t));
        transpose_block(block);
        for (ptrdiff_t k = 0; k < columns; k++) memcpy(packed + (c + k) * run + r, &block[k], sizeof block[k]);
      }
    }
}
