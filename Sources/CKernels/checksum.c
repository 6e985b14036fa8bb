// CRC-32, eight bytes a step – no other checksum.

#include "checksum.h"

#include <string.h>

/// table[k][b]: the remainder of byte b followed by k zero bytes.
typedef struct {
  uint32_t rows[8][256];
} Table;

static Table make_table(void) {
  Table table;
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t value = b;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
    table.rows[0][b] = value;
  }
  for (int k = 1; k < 8; k++)
    for (int b = 0; b < 256; b++) {
      uint32_t before = table.rows[k - 1][b];
      table.rows[k][b] = before >> 8 ^ table.rows[0][before & 0xFF];
    }
  return table;
}

uint32_t fk_crc32(const uint8_t *bytes, size_t count) {
  const Table table = make_table(); // 2 KB of work beside megabytes of input, and no shared state
  uint32_t value = UINT32_MAX;
  for (; count >= 8; bytes += 8, count -= 8) {
    uint32_t low, high;
    memcpy(&low, bytes, 4);
    memcpy(&high, bytes + 4, 4);
    low ^= value;
    value = 0;
    for (int k = 0; k < 4; k++) {
      value ^= table.rows[7 - k][low >> 8 * k & 0xFF];
      value ^= table.rows[3 - k][high >> 8 * k & 0xFF];
    }
  }
  for (; count > 0; bytes++, count--) value = value >> 8 ^ table.rows[0][(value ^ *bytes) & 0xFF];
  return ~value;
}
