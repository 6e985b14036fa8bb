// Which OpenBLAS kernels run. Debian 12's 0.3.21 does not know newer processors and then falls back to SSE3
// ("Prescott"); this picks the right ones by instruction set. It may go when the oldest OpenBLAS we run on
// recognises every processor we run on.
#define _DEFAULT_SOURCE  // setenv under strict C17
#include "COpenBLAS.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Declared here rather than through cblas.h: its location and integer width differ between distributions.
enum { row_major = 101, no_transpose = 111, transpose = 112 };
extern void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                        const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);
extern void openblas_set_num_threads(int count);

// Exported by builds with run-time dispatch only, undocumented: weak, so that other builds still link.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

static const char *core_for_processor(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
  return NULL;
}

static void select_core(void) {
  openblas_set_num_threads(1);
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  // An operator's own choice wins; a core other than the fallback was recognised.
  if (getenv("OPENBLAS_CORETYPE") || strcmp(openblas_get_corename(), "Prescott") != 0) return;
  const char *core = core_for_processor();
  if (!core) return;
  setenv("OPENBLAS_CORETYPE", core, 0);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
}

void ob_initialize(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, select_core);
}

const char *ob_core_name(void) { return openblas_get_corename(); }

const char *ob_configuration(void) { return openblas_get_config(); }

void ob_sgemm(bool transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a,
              ptrdiff_t lda, const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc) {
  cblas_sgemm(row_major, no_transpose, transpose_b ? transpose : no_transpose, (int)m, (int)n, (int)k, alpha,
              a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
