// What JPEG-LS decoding (ITU-T T.87) is made of: the header of a frame, its bits, its contexts. Decodes no pixel.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace dk::jpegls {

/// A frame of one component and one scan, as its markers say (C.2), and what follows from that (A.2.1, C.2.4.1.1).
struct Header {
  int bits = 0, rows = 0, columns = 0;
  int near = 0, maximum = 0, reset = 0;
  std::array<int, 3> thresholds{};
  int range = 0, quantised_bits = 0, limit = 0;
  size_t scan = 0; // where the coded bits begin
};

/// False where the codestream is none, is damaged, or holds what is not decoded: several components, mapping tables,
/// restart intervals, lines to be counted, or thresholds out of their ranges.
bool read_header(const std::vector<uint8_t> &codestream, Header &header);

/// The bits of a scan, a zero taken out after every byte of ones (A.1). Reads zeros past the end, and says so.
class Bits {
public:
  Bits(const std::vector<uint8_t> &codestream, size_t scan)
      : bytes_(codestream.data()), begin_(scan), at_(scan), end_(scan_end(codestream, scan)) {
    find_ones();
  }

  /// Were more bits taken than there are?
  bool overran() const { return borrowed_ > held_; }

  /// Is nothing left but what fills the last byte, and perhaps a byte that makes their number even?
  bool is_at_end() const { return !overran() && int64_t(end_ - at_) * 8 + held_ - borrowed_ < 16; }

  /// At least 56 bits are at hand after it.
  void refill() {
    if (__builtin_expect(at_ >= clear_, 0)) return refill_slowly();
    uint64_t next;
    std::memcpy(&next, bytes_ + at_, sizeof next);
    // What is put below the bits that count is put there again, the same, by the next refill.
    window_ |= big_endian(next) >> held_;
    at_ += size_t(63 - held_) >> 3;
    held_ |= 56;
  }

  /// Zeros before the next one, at most 63; after `refill`.
  int zeros() const { return __builtin_clzll(window_ | 1); }

  /// The next `count` bits, at most 56; after `refill`.
  uint32_t take(int count) {
    const uint32_t value = uint32_t(window_ >> 1 >> (63 - count));
    skip(count);
    return value;
  }

  void skip(int count) {
    window_ <<= count;
    held_ -= count;
  }

private:
  static uint64_t big_endian(uint64_t word) {
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(word) : word;
  }

  /// The first marker at or after `scan`, or the codestream's end.
  static size_t scan_end(const std::vector<uint8_t> &bytes, size_t scan) {
    for (size_t at = scan; at + 1 < bytes.size(); ++at) {
      const void *found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - 1 - at);
      if (found == nullptr) break;
      at = size_t(static_cast<const uint8_t *>(found) - bytes.data());
      if (bytes[at + 1] >= 0x80) return at;
    }
    return bytes.size();
  }

  bool is_stuffed() const { return at_ > begin_ && bytes_[at_ - 1] == 0xFF; }

  void refill_slowly() {
    while (held_ < 56 && at_ < end_) {
      const int width = is_stuffed() ? 7 : 8;
      window_ |= uint64_t(bytes_[at_++]) << (64 - width - held_);
      held_ += width;
    }
    if (held_ < 56) {
      borrowed_ += 56 - held_;
      held_ = 56;
    }
    find_ones();
  }

  /// Up to `clear_`, eight bytes can be taken at once: none of them is 0xFF or follows one.
  void find_ones() {
    clear_ = 0;
    if (at_ >= end_ || is_stuffed()) return;
    if (ones_ < at_) {
      const void *found = std::memchr(bytes_ + at_, 0xFF, end_ - at_);
      ones_ = found == nullptr ? end_ : size_t(static_cast<const uint8_t *>(found) - bytes_);
    }
    clear_ = ones_ >= 8 ? ones_ - 7 : 0;
  }

  const uint8_t *bytes_;
  size_t begin_, at_, end_;
  size_t ones_ = 0, clear_ = 0;
  uint64_t window_ = 0; // the next bit highest
  int held_ = 0;        // bits of it that count
  int64_t borrowed_ = 0;
};

/// What is known of the errors in one of 365 neighbourhoods (A.2.1): A, B, C, N of the standard, and what the next sample
/// there is decoded with.
struct Context {
  int32_t magnitude, bias;
  int32_t count;
  int16_t correction;
  uint8_t shift; // k of A.5.1
  int8_t flip;   // −1 where errors are mapped the other way round (A.5.2)

  /// After an error (A.6), free of branches that noise would decide.
  void update(int error, const Header &header) {
    magnitude += std::abs(error);
    bias += error * (2 * header.near + 1);
    if (count == header.reset) {
      magnitude >>= 1;
      bias >>= 1;
      count >>= 1;
    }
    count += 1;
    const int step = int(bias > 0) - int(bias <= -count);
    correction = int16_t(std::clamp(correction + step, -128, 127));
    bias = std::clamp(bias - step * count, 1 - count, 0);
    settle(header.near);
  }

  void settle(int near) {
    shift = uint8_t(golomb_shift(magnitude, count));
    flip = int8_t(-int((near | shift) == 0 && 2 * bias <= -count));
  }

  /// The least k with count · 2^k ≥ magnitude.
  static int golomb_shift(int magnitude, int count) {
    const int k = std::max(0, __builtin_clz(unsigned(count)) - __builtin_clz(unsigned(magnitude) | 1u));
    return k + int((count << k) < magnitude);
  }
};

/// The same of samples that end a run (A.7.2): A, N and Nn.
struct RunContext {
  int32_t magnitude, count, negative;
};

} // namespace dk::jpegls
