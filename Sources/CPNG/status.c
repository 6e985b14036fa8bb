// Statuses and libpng's error callbacks; neither decodes nor encodes.

#include "internal.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

fp_status fp_make_status(int32_t code, const char *message) {
  fp_status status = {.code = code};
  strncpy(status.message, message, sizeof status.message - 1);
  return status;
}

void fp_on_error(png_structp png, png_const_charp message) {
  fp_failure *failure = png_get_error_ptr(png);
  strncpy(failure->message, message, sizeof failure->message - 1);
  png_longjmp(png, 1);
}

void fp_on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

void fp_free(void *memory) { free(memory); }
