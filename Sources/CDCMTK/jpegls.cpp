// JPEG-LS frames of one component (ITU-T T.87), which is what scanners write: twice as fast as CharLS, which DCMTK brings
// along, and which ends the process on some damaged frames. Decodes no colour.
#include "internal.hpp"
#include "jpegls.hpp"

#include <cstdlib>

namespace {

using namespace dk::jpegls;
using Bytes = std::vector<uint8_t>;

/// Lengths of runs, as powers of two (A.7.1.1).
constexpr std::array<uint8_t, 32> run_lengths{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                              4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// `Lossless`: errors are whole, and values wrap by masking.
template <bool Lossless> class Scan {
public:
  Scan(const Bytes &codestream, const Header &header)
      : header_(header), bits_(codestream, header.scan), quantised_(size_t(2 * header.maximum) + 1),
        neighbours_(size_t(header.columns)) {
    const int start = std::max(2, (header.range + 32) / 64);
    for (Context &context : contexts_) {
      context = {start, 0, 1, 0, 0, 0};
      context.settle(header.near);
    }
    run_contexts_.fill({start, 1, 0});
    for (int value = -header.maximum; value <= header.maximum; ++value)
      quantised_[size_t(value + header.maximum)] = int8_t(quantise(value));
    for (auto &line : lines_) line.assign(size_t(header.columns) + 2, 0);
  }

  /// Line after line to `take(row, samples)`; false where the codestream does not hold them.
  template <typename Take> bool decode(Take take) {
    for (int row = 0; row < header_.rows; ++row) {
      uint16_t *above = lines_[size_t(row + 1) & 1].data() + 1, *line = lines_[size_t(row) & 1].data() + 1;
      // Beyond the ends: what is above the first sample, and again what is above the last (A.2.1).
      line[-1] = above[0];
      above[header_.columns] = above[header_.columns - 1];
      look_above(above);
      decode_line(above, line);
      if (damaged_ || bits_.overran()) return false;
      take(row, line);
    }
    return bits_.is_at_end();
  }

private:
  /// −4…4 for a gradient (A.3.3).
  int quantise(int gradient) const {
    const auto &t = header_.thresholds;
    const int size = std::abs(gradient);
    const int region = int(size > header_.near) + int(size >= t[0]) + int(size >= t[1]) + int(size >= t[2]);
    return gradient < 0 ? -region : region;
  }

  /// What the line above says of each sample's context: 81·Q1 + 9·Q2.
  void look_above(const uint16_t *above) {
    const int8_t *quantised = quantised_.data() + header_.maximum;
    for (int x = 0; x < header_.columns; ++x)
      neighbours_[size_t(x)] =
          int16_t(81 * quantised[above[x + 1] - above[x]] + 9 * quantised[above[x] - above[x - 1]]);
  }

  void decode_line(const uint16_t *above, uint16_t *line) {
    const int8_t *quantised = quantised_.data() + header_.maximum;
    int left = line[-1];
    for (int x = 0; x < header_.columns;) {
      const int context = neighbours_[size_t(x)] + quantised[above[x - 1] - left];
      if (context == 0) {
        x = decode_run(above, line, x);
        left = line[x - 1];
      } else {
        line[x] = uint16_t(left = decode_sample(context, left, above[x], above[x - 1]));
        ++x;
      }
    }
  }

  /// One sample after its left, upper and upper left neighbours (A.4, A.5).
  int decode_sample(int context_number, int left, int up, int corner) {
    const int sign = context_number >> 31;
    Context &context = contexts_[size_t((context_number ^ sign) - sign)];
    const int low = std::min(left, up), high = std::max(left, up);
    int expected = std::clamp(left + up - corner, low, high);
    expected = std::clamp(expected + ((context.correction ^ sign) - sign), 0, header_.maximum);
    const uint32_t mapped = golomb(context.shift, header_.limit);
    const int error = int(mapped >> 1) ^ -int(mapped & 1) ^ context.flip;
    context.update(error, header_);
    return reconstruct(expected, (error ^ sign) - sign);
  }

  int reconstruct(int expected, int error) const {
    if (Lossless) return (expected + error) & header_.maximum;
    const int step = 2 * header_.near + 1;
    int value = expected + error * step;
    if (value < -header_.near) value += header_.range * step;
    else if (value > header_.maximum + header_.near) value -= header_.range * step;
    return std::clamp(value, 0, header_.maximum);
  }

  /// A Golomb code of parameter `shift`, as long as `limit` at most (A.5.3).
  uint32_t golomb(int shift, int limit) {
    const int most = limit - header_.quantised_bits - 1;
    bits_.refill();
    const int zeros = bits_.zeros();
    // 30 zeros, a one and at most 25 bits are at hand.
    if (__builtin_expect(zeros >= std::min(most, 31), 0)) return long_golomb(shift, most);
    bits_.skip(zeros + 1);
    return checked(uint64_t(zeros) << shift | bits_.take(shift));
  }

  uint32_t long_golomb(int shift, int most) {
    int zeros = 0;
    while (bits_.zeros() >= 32) {
      bits_.skip(32);
      bits_.refill();
      if ((zeros += 32) > most) return fail();
    }
    zeros += bits_.zeros();
    bits_.skip(bits_.zeros() + 1);
    bits_.refill();
    if (zeros > most) return fail();
    if (zeros == most) return checked(uint64_t(bits_.take(header_.quantised_bits)) + 1);
    return checked(uint64_t(zeros) << shift | bits_.take(shift));
  }

  /// No error is larger than the longest code can say, so no state overflows.
  uint32_t checked(uint64_t mapped) {
    return __builtin_expect(mapped <= largest_, 1) ? uint32_t(mapped) : fail();
  }

  uint32_t fail() {
    damaged_ = true;
    return 0;
  }

  /// A run of the left neighbour's value and, where it ends inside the line, the sample that ends it (A.7).
  int decode_run(const uint16_t *above, uint16_t *line, int from) {
    const uint16_t value = line[from - 1];
    int x = from;
    for (;;) {
      bits_.refill();
      const int length = 1 << run_lengths[size_t(run_)];
      if (bits_.take(1) == 0) break;
      const int filled = std::min(length, header_.columns - x);
      std::fill_n(line + x, filled, value);
      x += filled;
      if (filled == length) run_ = std::min(run_ + 1, 31);
      if (x == header_.columns) return x;
    }
    const int filled = int(bits_.take(run_lengths[size_t(run_)]));
    if (filled > header_.columns - x) {
      damaged_ = true;
      return header_.columns;
    }
    std::fill_n(line + x, filled, value);
    x += filled;
    if (x == header_.columns) return x;
    line[x] = uint16_t(decode_end_of_run(value, above[x]));
    run_ = std::max(run_ - 1, 0);
    return x + 1;
  }

  int decode_end_of_run(int left, int up) {
    const int is_flat = int(std::abs(left - up) <= header_.near);
    RunContext &context = run_contexts_[size_t(is_flat)];
    const int magnitude = context.magnitude + (is_flat != 0 ? context.count >> 1 : 0);
    const int shift = Context::golomb_shift(magnitude, context.count);
    const int mapped = int(golomb(shift, header_.limit - run_lengths[size_t(run_)] - 1));
    const int size = (mapped + is_flat + 1) >> 1;
    const bool is_odd = ((mapped + is_flat) & 1) != 0;
    const bool is_negative = (shift != 0 || 2 * context.negative >= context.count) == is_odd;
    context.magnitude += (mapped + 1 - is_flat) >> 1;
    context.negative += int(is_negative && size != 0);
    if (context.count == header_.reset) {
      context.magnitude >>= 1;
      context.count >>= 1;
      context.negative >>= 1;
    }
    context.count += 1;
    const int error = is_negative ? -size : size;
    return is_flat != 0 ? reconstruct(left, error) : reconstruct(up, left > up ? -error : error);
  }

  const Header header_;
  const uint64_t largest_ = uint64_t(1) << header_.quantised_bits;
  Bits bits_;
  std::array<Context, 365> contexts_;
  std::array<RunContext, 2> run_contexts_;
  std::vector<int8_t> quantised_;
  std::vector<int16_t> neighbours_;
  std::array<std::vector<uint16_t>, 2> lines_;
  int run_ = 0;
  bool damaged_ = false;
};

template <typename Sample> bool decode_samples(const Bytes &codestream, const Header &header, uint8_t *buffer) {
  const auto take = [&, columns = header.columns](int row, const uint16_t *line) {
    uint8_t *target = buffer + size_t(row) * size_t(columns) * sizeof(Sample);
    for (int x = 0; x < columns; ++x) {
      const Sample sample = Sample(line[x]);
      std::memcpy(target + size_t(x) * sizeof sample, &sample, sizeof sample);
    }
  };
  return header.near == 0 ? Scan<true>(codestream, header).decode(take) : Scan<false>(codestream, header).decode(take);
}

} // namespace

dk_status dk::decode_jpegls(const std::vector<uint8_t> &codestream, const dk_pixels &pixels, uint8_t *buffer) {
  Header header;
  if (!read_header(codestream, header))
    return failure(DK_DAMAGED, "JPEG-LS frame has no header of one component that can be followed; send it again");
  if (header.rows != pixels.rows || header.columns != pixels.columns)
    return failure(DK_DAMAGED, "JPEG-LS frame is not of the header's Rows and Columns");
  if (header.bits > pixels.bits_allocated)
    return failure(DK_UNSUPPORTED_PIXELS, "JPEG-LS samples of %d bits do not fit into Bits Allocated", header.bits);
  // CharLS, and so DCMTK, departs from the standard here: what it wrote and what others did would need two decoders, and
  // nothing says which.
  if (header.maximum != (1 << header.bits) - 1)
    return failure(DK_UNSUPPORTED_PIXELS, "JPEG-LS frame has MAXVAL %d, which encoders disagree on", header.maximum);
  const bool is_sound = pixels.bytes_per_sample == 1   ? decode_samples<uint8_t>(codestream, header, buffer)
                        : pixels.bytes_per_sample == 2 ? decode_samples<uint16_t>(codestream, header, buffer)
                                                       : decode_samples<uint32_t>(codestream, header, buffer);
  if (!is_sound) return failure(DK_DAMAGED, "JPEG-LS frame cannot be decoded; send it again");
  return success();
}
