// What decoding and encoding share: statuses and libpng's error callbacks – none of it visible outside.

#pragma once
#include "CPNG.h"
#include <png.h>
#include <stdbool.h>

/// Where libpng's callbacks leave what went wrong.
typedef struct fp_failure {
  char message[sizeof((fp_status *)0)->message];
  bool short_of_data;
  bool short_of_memory;
} fp_failure;

fp_status fp_make_status(int32_t code, const char *message);

/// libpng error callback: keeps the message and jumps back to the one setjmp of the call.
_Noreturn void fp_on_error(png_structp png, png_const_charp message);

/// libpng warning callback: warnings about ancillary chunks do not concern the pixels.
void fp_on_warning(png_structp png, png_const_charp message);
