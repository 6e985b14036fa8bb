// PNG bytes to samples. Everything libpng allocates or jumps over lives and dies in this file.

#include "internal.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/// Deflate expands by at most this factor (zlib's technical notes): more pixels than that cannot be in the data,
/// and a header that promises them must not make us allocate them.
enum { MAXIMUM_EXPANSION = 1032 };

typedef struct source {
  const uint8_t *bytes;
  size_t size, offset;
  fp_failure failure;
} source;

/// All that must survive a longjmp; lives in the caller's frame, outside the one that called setjmp.
typedef struct decoder {
  source source;
  png_structp png;
  png_infop info;
  fp_layout layout;
  uint8_t *samples;   // [row][column][channel]
  png_bytep *row_starts; // one pointer a row into samples
  fp_status refusal;
} decoder;

static void read_bytes(png_structp png, png_bytep into, size_t count) {
  source *from = png_get_io_ptr(png);
  if (from->size - from->offset < count) {
    from->failure.short_of_data = true;
    png_error(png, "the data ends before the picture does");
  }
  memcpy(into, from->bytes + from->offset, count);
  from->offset += count;
}

/// Reads the header and says what of it is refused.
static fp_status inspect(decoder *d) {
  png_read_info(d->png, d->info);
  const uint64_t columns = png_get_image_width(d->png, d->info), rows = png_get_image_height(d->png, d->info);
  if (columns > FP_MAXIMUM_EDGE || rows > FP_MAXIMUM_EDGE)
    return fp_make_status(FP_TOO_LARGE, "an edge is longer than 16384 pixels");
  const int colour = png_get_color_type(d->png, d->info);
  if ((colour & PNG_COLOR_MASK_ALPHA) || png_get_valid(d->png, d->info, PNG_INFO_tRNS))
    return fp_make_status(FP_ALPHA, "the picture has transparency");
  const uint64_t packed = rows * png_get_rowbytes(d->png, d->info);
  if (packed / MAXIMUM_EXPANSION > d->source.size)
    return fp_make_status(FP_TRUNCATED, "the data is too short for the size in its header");
  return fp_make_status(FP_OK, "");
}

/// Asks libpng for 8- or 16-bit grey or RGB in machine order.
static void choose_layout(decoder *d) {
  if (png_get_color_type(d->png, d->info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(d->png);
  if (png_get_bit_depth(d->png, d->info) < 8) png_set_expand_gray_1_2_4_to_8(d->png);
  if (png_get_bit_depth(d->png, d->info) == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    png_set_swap(d->png);
  (void)png_set_interlace_handling(d->png);
  png_read_update_info(d->png, d->info);
  d->layout = (fp_layout){
      .columns = (int32_t)png_get_image_width(d->png, d->info),
      .rows = (int32_t)png_get_image_height(d->png, d->info),
      .channels = png_get_channels(d->png, d->info),
      .bits = png_get_bit_depth(d->png, d->info),
  };
}

static void allocate(decoder *d) {
  const size_t row_bytes = png_get_rowbytes(d->png, d->info), rows = (size_t)d->layout.rows;
  d->samples = malloc(row_bytes * rows);
  d->row_starts = malloc(sizeof(png_bytep) * rows);
  if (!d->samples || !d->row_starts) {
    d->source.failure.short_of_memory = true;
    png_error(d->png, "not enough memory for this picture");
  }
  for (size_t row = 0; row < rows; row++) d->row_starts[row] = d->samples + row * row_bytes;
}

static fp_status decode(decoder *d) {
  if (setjmp(png_jmpbuf(d->png))) {
    const fp_failure *failure = &d->source.failure;
    const int32_t code = failure->short_of_memory ? FP_MEMORY : failure->short_of_data ? FP_TRUNCATED : FP_DAMAGED;
    return fp_make_status(code, failure->message);
  }
  png_set_user_limits(d->png, 0x7fffffff, 0x7fffffff); // ours is checked in `inspect`, with a sentence
  png_set_read_fn(d->png, &d->source, read_bytes);
  d->refusal = inspect(d);
  if (d->refusal.code != FP_OK) return d->refusal;
  choose_layout(d);
  allocate(d);
  png_read_image(d->png, d->row_starts);
  png_read_end(d->png, NULL);
  return fp_make_status(FP_OK, "");
}

fp_status fp_decode(const uint8_t *bytes, size_t size, fp_layout *layout, void **samples) {
  if (size < 8) return fp_make_status(size == 0 ? FP_TRUNCATED : FP_NOT_PNG, "there is no PNG signature");
  if (png_sig_cmp(bytes, 0, 8) != 0) return fp_make_status(FP_NOT_PNG, "there is no PNG signature");
  decoder d = {.source = {.bytes = bytes, .size = size}};
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d.source.failure, fp_on_error, fp_on_warning);
  d.info = d.png ? png_create_info_struct(d.png) : NULL;
  const fp_status status = d.info ? decode(&d) : fp_make_status(FP_MEMORY, "not enough memory to read a picture");
  png_destroy_read_struct(&d.png, &d.info, NULL);
  free(d.row_starts);
  if (status.code != FP_OK) {
    free(d.samples);
    return status;
  }
  *layout = d.layout;
  *samples = d.samples;
  return status;
}
