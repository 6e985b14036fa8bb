// Vectors of FK_LANES floats and the functions of them – included once per instruction set.
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if FK_LANES > 4
#include <immintrin.h>
#endif

#include "fk_engine.h"

typedef float vf __attribute__((ext_vector_type(FK_LANES)));
typedef float vf_unaligned __attribute__((ext_vector_type(FK_LANES), aligned(4), may_alias));
typedef int32_t vi __attribute__((ext_vector_type(FK_LANES)));
typedef float vh __attribute__((ext_vector_type(FK_LANES / 2)));
typedef float vh_unaligned __attribute__((ext_vector_type(FK_LANES / 2), aligned(4), may_alias));
typedef double vd __attribute__((ext_vector_type(FK_LANES / 2)));

#define FK_INLINE static inline __attribute__((always_inline, unused))

FK_INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
FK_INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
FK_INLINE vd load_double(const float *p) {
  return __builtin_convertvector((vh)(*(const vh_unaligned *)p), vd);
}
/// The first n lanes, n > 0.
FK_INLINE void store_first(float *p, vf v, ptrdiff_t n) {
  if (n >= FK_LANES) {
    store(p, v);
  } else {
#if FK_LANES == 16
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif FK_LANES == 8
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), index), (__m256)v);
#else
    float lanes[FK_LANES];
    store(lanes, v);
    for (ptrdiff_t i = 0; i < n; i++) p[i] = lanes[i];
#endif
  }
}

// Elements 0, 2, 4 … and 1, 3, 5 … of two vectors one after the other; and the way back, first and second half.
#if FK_LANES == 16
FK_INLINE vf evens(vf a, vf b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
FK_INLINE vf odds(vf a, vf b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
FK_INLINE vf zip_low(vf a, vf b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
FK_INLINE vf zip_high(vf a, vf b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
/// Elements 1 … FK_LANES of the two.
FK_INLINE vf shifted(vf a, vf b) {
  return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}
#elif FK_LANES == 8
FK_INLINE vf shifted(vf a, vf b) { return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8); }
FK_INLINE vf evens(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
FK_INLINE vf odds(vf a, vf b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
FK_INLINE vf zip_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
FK_INLINE vf zip_high(vf a, vf b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
FK_INLINE vf shifted(vf a, vf b) { return __builtin_shufflevector(a, b, 1, 2, 3, 4); }
FK_INLINE vf evens(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
FK_INLINE vf odds(vf a, vf b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
FK_INLINE vf zip_low(vf a, vf b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
FK_INLINE vf zip_high(vf a, vf b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

FK_INLINE vf maximum(vf a, vf b) { return a > b ? a : b; }
FK_INLINE vf magnitude(vf a) { return __builtin_elementwise_abs(a); }

FK_INLINE vf lane_index(void) {
  vf v;
  for (int i = 0; i < FK_LANES; i++) v[i] = (float)i;
  return v;
}
/// v in the first n lanes, `other` in the rest.
FK_INLINE vf keep_first(vf v, ptrdiff_t n, float other) {
  return n >= FK_LANES ? v : (lane_index() < (vf)((float)n) ? v : (vf)(other));
}
FK_INLINE double sum_double(vd v) {
  double s = 0;
  for (int i = 0; i < FK_LANES / 2; i++) s += v[i];
  return s;
}
FK_INLINE vd low_double(vf v) {
  vh half;
  memcpy(&half, &v, sizeof half);
  return __builtin_convertvector(half, vd);
}
FK_INLINE vd high_double(vf v) {
  vh half;
  memcpy(&half, (const char *)&v + sizeof half, sizeof half);
  return __builtin_convertvector(half, vd);
}
FK_INLINE float largest(vf v) {
  float m = v[0];
  for (int i = 1; i < FK_LANES; i++) m = v[i] > m ? v[i] : m;
  return m;
}

/// e^x − `less` (0 or 1) for −87 ≤ x ≤ 88, saturating outside; relative error below 2e-7.
/// x = n·ln 2 + r, |r| ≤ ln 2 / 2; e^r by a polynomial fitted to 5e-9.
FK_INLINE vf exponential_less(vf x, vf less) {
  x = x < -87.0f ? (vf)(-87.0f) : x;  // comparisons that leave NaN as it is: it must reach the output's check
  x = x > 88.0f ? (vf)(88.0f) : x;
  vf shifted = x * 1.44269504f + 12582912.0f;  // 1.5·2^23: the addition rounds to an integer
  vf n = shifted - 12582912.0f;
  vf r = x - n * 0.693145751953125f;  // ln 2 in two parts, n · first is exact
  r = r - n * 1.42860682e-06f;
  vf p = r * 0.0013946526451f + 0.0083692157641f;
  p = p * r + 0.0416662618519f;
  p = p * r + 0.1666651517153f;
  p = p * r + 0.5f;
  p = p * (r * r) + r;
  vi power = ((vi)shifted + 127) << 23;  // the low bits of `shifted` are n, the rest is shifted out
  return p * (vf)power + ((vf)power - less);
}
FK_INLINE vf exponential(vf x) { return exponential_less(x, (vf)(0.0f)); }

FK_INLINE vf hyperbolic_tangent(vf x) {
  vf e = exponential_less(2.0f * x, (vf)(1.0f));
  return e / (e + 2.0f);
}

FK_INLINE vf activate(vf v, const fk_activation activation) {
  switch (activation) {
    case fk_relu: return v < 0.0f ? (vf)(0.0f) : v;
    case fk_leaky_relu: return v < 0.0f ? v * 0.01f : v;
    case fk_tanh: return hyperbolic_tangent(v);
    case fk_sigmoid: return 1.0f / (1.0f + exponential(-v));
    default: return v;
  }
}

/// Number of positions of a plane read as one long row, zero column included.
FK_INLINE ptrdiff_t flat_count(const fk_map *map) { return (ptrdiff_t)map->height * (map->width + 1); }
FK_INLINE float *plane_of(const fk_map *map, int image, int channel) {
  return map->data + ((ptrdiff_t)image * map->channels + channel) * map->stride;
}
FK_INLINE void clear_column(float *plane, const fk_map *map) {
  for (int y = 0; y < map->height; y++) plane[(ptrdiff_t)y * (map->width + 1) + map->width] = 0;
}
