// PNG to pixels and back, in memory, through libpng. No files, no colour management, no setjmp outside.

#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// Longest edge this seam reads or writes, pixels.
enum { FP_MAXIMUM_EDGE = 16384 };

/// What went wrong. Values are stable.
enum {
  FP_OK = 0,
  FP_NOT_PNG = 1,   // the signature is not that of a PNG
  FP_TRUNCATED = 2, // the data ends before the picture does
  FP_DAMAGED = 3,   // libpng refuses it; the message says why
  FP_ALPHA = 4,     // transparency, which grey values in 0…1 cannot express
  FP_TOO_LARGE = 5, // an edge over FP_MAXIMUM_EDGE
  FP_MEMORY = 6     // out of memory
};

typedef struct fp_status {
  int32_t code;
  char message[128];
} fp_status;

/// Layout of a picture's samples: `[row][column][channel]`, uint8_t for 8 bits, uint16_t in machine order for 16.
typedef struct fp_layout {
  int32_t columns, rows;
  int32_t channels; // 1 grey, 3 RGB
  int32_t bits;     // 8 or 16
} fp_layout;

/// Decodes a PNG. Grey of 1, 2 and 4 bits is widened to 8, a palette is written out as RGB, interlaced pictures are
/// put together; gamma and colour profiles are left alone. On FP_OK `*samples` is to be freed with `fp_free`.
fp_status fp_decode(const uint8_t *png, size_t size, fp_layout *layout, void *_Nullable *_Nonnull samples);

/// Encodes samples as a PNG without time stamp or text: same samples, same bytes. On FP_OK `*png` is to be freed
/// with `fp_free`.
fp_status fp_encode(fp_layout layout, const void *samples, uint8_t *_Nullable *_Nonnull png, size_t *size);

void fp_free(void *_Nullable memory);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
