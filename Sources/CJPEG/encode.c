// Samples to JPEG bytes. Everything libjpeg allocates or jumps over lives and dies in this file.

#include "CJPEG.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

_Static_assert(sizeof(((fj_status *)0)->message) >= JMSG_LENGTH_MAX, "a message of libjpeg fits");

typedef struct failure {
  struct jpeg_error_mgr manager; // first, so that libjpeg's pointer to it is one to the whole
  jmp_buf back;
  char message[JMSG_LENGTH_MAX];
} failure;

static void on_error(j_common_ptr common) {
  failure *failed = (failure *)common->err;
  common->err->format_message(common, failed->message);
  longjmp(failed->back, 1);
}

static void on_message(j_common_ptr common) { (void)common; }

/// Growing output of libjpeg's own memory destination; lives in the caller's frame, so that a longjmp leaves it.
typedef struct sink {
  unsigned char *bytes;
  unsigned long size;
} sink;

static fj_status encode(struct jpeg_compress_struct *encoder, failure *failed, const uint8_t *samples, int32_t columns,
                        int32_t rows, int32_t channels, int32_t quality, sink *into) {
  fj_status status = {.code = FJ_OK};
  if (setjmp(failed->back)) {
    status.code = FJ_REFUSED;
    memcpy(status.message, failed->message, sizeof failed->message);
    return status;
  }
  jpeg_create_compress(encoder);
  jpeg_mem_dest(encoder, &into->bytes, &into->size);
  encoder->image_width = (JDIMENSION)columns;
  encoder->image_height = (JDIMENSION)rows;
  encoder->input_components = channels;
  encoder->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(encoder);
  jpeg_set_quality(encoder, quality, TRUE);
  encoder->optimize_coding = TRUE;
  for (int c = 0; c < encoder->num_components; c++)
    encoder->comp_info[c].h_samp_factor = encoder->comp_info[c].v_samp_factor = 1;
  jpeg_start_compress(encoder, TRUE);
  const size_t stride = (size_t)columns * (size_t)channels;
  while (encoder->next_scanline < encoder->image_height) {
    JSAMPROW row = (JSAMPROW)(samples + encoder->next_scanline * stride); // libjpeg only reads it
    jpeg_write_scanlines(encoder, &row, 1);
  }
  jpeg_finish_compress(encoder);
  return status;
}

fj_status fj_encode(const uint8_t *samples, int32_t columns, int32_t rows, int32_t channels, int32_t quality,
                    uint8_t **jpeg, size_t *size) {
  struct jpeg_compress_struct encoder = {0};
  failure failed;
  encoder.err = jpeg_std_error(&failed.manager);
  failed.manager.error_exit = on_error;
  failed.manager.output_message = on_message;
  sink into = {0};
  const fj_status status = encode(&encoder, &failed, samples, columns, rows, channels, quality, &into);
  jpeg_destroy_compress(&encoder);
  if (status.code != FJ_OK) {
    free(into.bytes);
    return status;
  }
  *jpeg = into.bytes;
  *size = into.size;
  return status;
}

void fj_free(void *memory) { free(memory); }
