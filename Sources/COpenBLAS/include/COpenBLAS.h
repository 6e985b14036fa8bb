// The few matrix products taken from OpenBLAS, and which of its kernels run – not a BLAS binding.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

/// Chooses OpenBLAS's kernels for this processor and one thread per call. Safe to call again; the first call
/// must come before any product runs.
void ob_initialize(void);

/// Name of the kernels in use, e.g. "SkylakeX". It belongs in the provenance: last bits differ between cores.
const char *ob_core_name(void);

/// OpenBLAS's own description of its build.
const char *ob_configuration(void);

/// c (m × n, row stride ldc) = alpha · a · op(b) + beta · c, all row-major.
/// a is m × k (row stride lda); b is k × n, or n × k when `transpose_b` (row stride ldb).
void ob_sgemm(bool transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a,
              ptrdiff_t lda, const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc);

#pragma clang assume_nonnull end
