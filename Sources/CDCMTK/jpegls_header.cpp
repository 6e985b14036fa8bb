// The markers of a JPEG-LS frame (ITU-T T.87 C.2) and the parameters that follow from them. Decodes no pixel.
#include "jpegls.hpp"

namespace {

using dk::jpegls::Header;
using Bytes = std::vector<uint8_t>;

/// Marker segment of a codestream; `at` is its first byte after the length.
struct Segment {
  uint8_t marker;
  size_t at, size;
};

int word(const Bytes &bytes, size_t at) { return int(bytes[at]) << 8 | bytes[at + 1]; }

/// The segment at `at`, which then is where the next begins.
bool next_segment(const Bytes &bytes, size_t &at, Segment &segment) {
  while (at + 1 < bytes.size() && bytes[at] == 0xFF && bytes[at + 1] == 0xFF) ++at; // fill bytes
  if (at + 4 > bytes.size() || bytes[at] != 0xFF) return false;
  const int length = word(bytes, at + 2);
  if (length < 2 || at + 2 + size_t(length) > bytes.size()) return false;
  segment = {bytes[at + 1], at + 4, size_t(length) - 2};
  at += 2 + size_t(length);
  return true;
}

/// SOF55: precision, lines, samples a line, one component.
bool read_frame(const Bytes &bytes, const Segment &segment, Header &header) {
  if (header.bits != 0 || segment.size != 9) return false;
  header.bits = bytes[segment.at];
  header.rows = word(bytes, segment.at + 1);
  header.columns = word(bytes, segment.at + 3);
  return header.bits >= 2 && header.bits <= 16 && header.rows > 0 && header.columns > 0 && bytes[segment.at + 5] == 1;
}

/// LSE with presets (C.2.4.1.1); those with tables or sizes are not for here. Zeros stand for defaults.
bool read_presets(const Bytes &bytes, const Segment &segment, Header &header) {
  if (segment.size != 11 || bytes[segment.at] != 1) return false;
  header.maximum = word(bytes, segment.at + 1);
  for (size_t index = 0; index < 3; ++index) header.thresholds[index] = word(bytes, segment.at + 3 + 2 * index);
  header.reset = word(bytes, segment.at + 9);
  return true;
}

/// SOS of one component without mapping table and point transform; there is nothing to interleave it with.
bool read_scan(const Bytes &bytes, const Segment &segment, Header &header) {
  if (header.bits == 0 || segment.size != 6 || bytes[segment.at] != 1) return false;
  header.near = bytes[segment.at + 3];
  return bytes[segment.at + 2] == 0 && bytes[segment.at + 5] == 0;
}

/// Default thresholds of C.2.4.1.1.1 where none were given; false where given ones are out of order.
bool set_thresholds(Header &header) {
  constexpr int base[3] = {3, 7, 21}, small[3] = {2, 3, 4};
  int least = header.near + 1;
  for (int index = 0; index < 3; ++index) {
    int &threshold = header.thresholds[size_t(index)];
    if (threshold == 0) {
      const int slack = (2 * index + 3) * header.near;
      if (header.maximum >= 128) {
        const int factor = (std::min(header.maximum, 4095) + 128) / 256;
        threshold = factor * (base[index] - small[index]) + small[index] + slack;
      } else {
        threshold = std::max(small[index], base[index] / (256 / (header.maximum + 1)) + slack);
      }
      if (threshold > header.maximum || threshold < least) threshold = least;
    }
    if (threshold < least || threshold > header.maximum) return false;
    least = threshold;
  }
  return true;
}

int bits_for(int values) {
  int bits = 0;
  while ((1 << bits) < values) ++bits;
  return bits;
}

bool derive(Header &header) {
  const int largest = (1 << header.bits) - 1;
  if (header.maximum == 0) header.maximum = largest;
  if (header.reset == 0) header.reset = 64;
  if (header.maximum > largest || header.near > std::min(255, header.maximum / 2)) return false;
  if (header.reset < 3 || header.reset > 255 || !set_thresholds(header)) return false;
  header.range = (header.maximum + 2 * header.near) / (2 * header.near + 1) + 1;
  header.quantised_bits = bits_for(header.range);
  const int bits = std::max(2, bits_for(header.maximum + 1));
  header.limit = 2 * (bits + std::max(8, bits));
  return true;
}

/// Segments that change nothing here: APPn and COM.
bool is_comment(uint8_t marker) { return (marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE; }

} // namespace

bool dk::jpegls::read_header(const std::vector<uint8_t> &codestream, Header &header) {
  if (codestream.size() < 2 || codestream[0] != 0xFF || codestream[1] != 0xD8) return false;
  size_t at = 2;
  Segment segment;
  while (next_segment(codestream, at, segment)) {
    const bool is_sound = segment.marker == 0xF7   ? read_frame(codestream, segment, header)
                          : segment.marker == 0xF8 ? read_presets(codestream, segment, header)
                          : segment.marker == 0xDA ? read_scan(codestream, segment, header)
                                                   : is_comment(segment.marker);
    if (!is_sound) return false;
    if (segment.marker != 0xDA) continue;
    header.scan = at;
    return derive(header);
  }
  return false;
}
