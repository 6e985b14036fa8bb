// Half precision as a place to keep weights: to single precision and, where nothing is lost, back.

/// FK_LANES halves.
FK_INLINE vf load_halves(const uint16_t *p) {
#if FK_LANES == 16
  return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif FK_LANES == 8
  return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
#else
  vf values;
  for (int i = 0; i < FK_LANES; i++) {
    const uint32_t sign = (uint32_t)(p[i] & 0x8000) << 16, rest = p[i] & 0x7fff, exponent = rest >> 10;
    float value = (float)rest * 0x1p-24f;  // zero and subnormals: exact
    if (exponent) {
      const uint32_t bits = exponent == 31 ? 0x7f800000 | (rest & 0x3ff) << 13 : (rest << 13) + ((127 - 15) << 23);
      memcpy(&value, &bits, sizeof value);
    }
    values[i] = sign ? -value : value;
  }
  return values;
#endif
}

/// FK_LANES values to halves: exact where there is such a half, near otherwise.
FK_INLINE void store_halves(uint16_t *p, vf v) {
#if FK_LANES == 16
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT));
#elif FK_LANES == 8
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
#else
  for (int i = 0; i < FK_LANES; i++) {
    const float size = __builtin_fabsf(v[i]);
    uint32_t bits;
    memcpy(&bits, &size, sizeof bits);
    uint32_t half = 0x7c00;
    if (size < 0x1p-14f) half = (uint32_t)(size * 0x1p24f);
    else if (size < 65520.0f) half = (bits - ((127 - 15) << 23)) >> 13;
    p[i] = (uint16_t)(half | (__builtin_signbitf(v[i]) ? 0x8000u : 0));
  }
#endif
}

static void half_to_float(const void *halves, ptrdiff_t count, float *values) {
  const char *from = halves;
  uint16_t last[FK_LANES] = {0};
  for (ptrdiff_t i = 0; i < count; i += FK_LANES) {
    const ptrdiff_t left = count - i < FK_LANES ? count - i : FK_LANES;
    memcpy(last, from + 2 * i, (size_t)left * sizeof(uint16_t));  // need not be aligned
    store_first(values + i, load_halves(last), left);
  }
}

static bool exact_halves(const float *values, ptrdiff_t count, uint16_t *halves) {
  for (ptrdiff_t i = 0; i < count; i += FK_LANES) {
    const ptrdiff_t left = count - i < FK_LANES ? count - i : FK_LANES;
    float some[FK_LANES] = {0}, back[FK_LANES];
    uint16_t rounded[FK_LANES];
    memcpy(some, values + i, (size_t)left * sizeof(float));
    store_halves(rounded, load(some));
    store(back, load_halves(rounded));
    if (memcmp(some, back, sizeof some) != 0) return false;
    memcpy(halves + i, rounded, (size_t)left * sizeof(uint16_t));
  }
  return true;
}
