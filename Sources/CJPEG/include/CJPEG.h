// 8-bit pixels to a baseline JPEG in memory, through libjpeg. No decoding, no files, no setjmp outside.

#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// What went wrong. Values are stable.
enum {
  FJ_OK = 0,
  FJ_REFUSED = 1 // libjpeg refuses it; the message says why
};

typedef struct fj_status {
  int32_t code;
  char message[200]; // JMSG_LENGTH_MAX
} fj_status;

/// Encodes `samples`, `[row][column][channel]`, 1 channel grey or 3 RGB, without subsampling of colour. `quality` is
/// libjpeg's, 1…100. Same samples, same bytes. On FJ_OK `*jpeg` is to be freed with `fj_free`.
fj_status fj_encode(const uint8_t *samples, int32_t columns, int32_t rows, int32_t channels, int32_t quality,
                    uint8_t *_Nullable *_Nonnull jpeg, size_t *size);

void fj_free(void *_Nullable memory);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
