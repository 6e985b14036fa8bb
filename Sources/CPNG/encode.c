// Samples to PNG bytes in memory. Everything libpng allocates or jumps over lives and dies in this file.

#include "internal.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/// Growing output; lives in the caller's frame so that a longjmp leaves it intact.
typedef struct sink {
  uint8_t *bytes;
  size_t size, capacity;
  fp_failure failure;
} sink;

static void write_bytes(png_structp png, png_bytep from, size_t count) {
  sink *into = png_get_io_ptr(png);
  if (into->capacity - into->size < count) {
    const size_t capacity = 2 * into->capacity + count;
    uint8_t *grown = realloc(into->bytes, capacity);
    if (!grown) {
      into->failure.short_of_memory = true;
      png_error(png, "not enough memory for this picture");
    }
    into->bytes = grown;
    into->capacity = capacity;
  }
  memcpy(into->bytes + into->size, from, count);
  into->size += count;
}

static void flush(png_structp png) { (void)png; }

static fp_status encode(png_structp png, png_infop info, fp_layout layout, const uint8_t *samples, sink *into) {
  if (setjmp(png_jmpbuf(png)))
    return fp_make_status(into->failure.short_of_memory ? FP_MEMORY : FP_DAMAGED, into->failure.message);
  png_set_write_fn(png, into, write_bytes, flush);
  png_set_IHDR(png, info, (png_uint_32)layout.columns, (png_uint_32)layout.rows, layout.bits,
               layout.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  if (layout.bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(png);
  const size_t row_bytes = (size_t)layout.columns * (size_t)layout.channels * (size_t)(layout.bits / 8);
  for (size_t row = 0; row < (size_t)layout.rows; row++) png_write_row(png, samples + row * row_bytes);
  png_write_end(png, info);
  return fp_make_status(FP_OK, "");
}

fp_status fp_encode(fp_layout layout, const void *samples, uint8_t **png, size_t *size) {
  if (layout.columns > FP_MAXIMUM_EDGE || layout.rows > FP_MAXIMUM_EDGE)
    return fp_make_status(FP_TOO_LARGE, "an edge is longer than 16384 pixels");
  sink into = {0};
  png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, &into.failure, fp_on_error, fp_on_warning);
  png_infop info = writer ? png_create_info_struct(writer) : NULL;
  const fp_status status = info ? encode(writer, info, layout, samples, &into)
                                : fp_make_status(FP_MEMORY, "not enough memory to write a picture");
  png_destroy_write_struct(&writer, &info);
  if (status.code != FP_OK) {
    free(into.bytes);
    return status;
  }
  *png = into.bytes;
  *size = into.size;
  return status;
}
