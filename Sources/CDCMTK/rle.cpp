// RLE Lossless (PS3.5 annex G), because DCMTK 3.6.7 reads outside its buffer when a segment offset lies; goes when
// the distribution's DCMTK does not.
#include "internal.hpp"

#include <algorithm>

namespace {

uint32_t little(const uint8_t *b) {
  return uint32_t(b[0]) | uint32_t(b[1]) << 8 | uint32_t(b[2]) << 16 | uint32_t(b[3]) << 24;
}

/// One PackBits segment of `size` bytes into every `stride`th byte of `target`; false when it gives fewer than
/// `count` bytes. Surplus bytes, padding among them, are ignored.
bool unpack(const uint8_t *segment, size_t size, uint8_t *target, size_t stride, size_t count) {
  size_t at = 0, written = 0;
  while (written < count && at < size) {
    const uint8_t control = segment[at++];
    if (control == 128) continue;
    const bool literal = control < 128;
    const size_t length = std::min<size_t>(literal ? control + 1u : 257u - control, count - written);
    if (at + (literal ? length : 1) > size) return false;
    for (size_t index = 0; index < length; ++index)
      target[(written + index) * stride] = segment[literal ? at + index : at];
    at += literal ? length : 1;
    written += length;
  }
  return written == count;
}

} // namespace

dk_status dk::decode_rle(const std::vector<uint8_t> &frame, const dk_pixels &pixels, uint8_t *buffer) {
  const dk_status damaged = failure(DK_DAMAGED, "RLE frame does not hold what the header says; send it again");
  constexpr size_t header = 64;
  const size_t width = size_t(pixels.bytes_per_sample), samples = size_t(pixels.samples);
  const size_t segments = width * samples;
  if (frame.size() < header || little(frame.data()) != segments || segments > 15) return damaged;
  for (size_t segment = 0; segment < segments; ++segment) {
    const uint32_t begin = little(&frame[4 * (segment + 1)]);
    const uint32_t next = segment + 1 < segments ? little(&frame[4 * (segment + 2)]) : uint32_t(frame.size());
    const size_t end = std::min<size_t>(next, frame.size());
    if (begin < header || begin >= end) return damaged;
    // Segments are ordered by sample, and within a sample from the most significant byte down (G.2).
    const size_t sample = segment / width, byte = width - 1 - segment % width;
    uint8_t *target = buffer + sample * width + byte;
    const size_t count = size_t(pixels.rows) * size_t(pixels.columns);
    if (!unpack(&frame[begin], end - begin, target, segments, count)) return damaged;
  }
  return success();
}
