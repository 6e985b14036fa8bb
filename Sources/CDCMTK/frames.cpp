// One frame as stored values: native bytes or a codec's output, then masked to Bits Stored and sign-extended.
#include "internal.hpp"

#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"

#include <algorithm>
#include <array>

namespace {

using Bytes = std::vector<uint8_t>;

struct Syntax {
  const char *uid;
  dk::Encoding encoding;
};

/// What can be decoded here (PS3.6 table A-1). Debian's DCMTK has no JPEG 2000; OpenJPEG does it.
constexpr std::array<Syntax, 15> syntaxes{{
    {"1.2.840.10008.1.2", dk::Encoding::native},           // Implicit VR Little Endian
    {"1.2.840.10008.1.2.1", dk::Encoding::native},         // Explicit VR Little Endian
    {"1.2.840.10008.1.2.1.99", dk::Encoding::native},      // Deflated Explicit VR Little Endian
    {"1.2.840.10008.1.2.2", dk::Encoding::native},         // Explicit VR Big Endian
    {"1.2.840.10008.1.2.4.50", dk::Encoding::jpeg},        // JPEG baseline
    {"1.2.840.10008.1.2.4.51", dk::Encoding::jpeg},        // JPEG extended
    {"1.2.840.10008.1.2.4.53", dk::Encoding::jpeg},        // JPEG spectral selection (retired)
    {"1.2.840.10008.1.2.4.55", dk::Encoding::jpeg},        // JPEG full progression (retired)
    {"1.2.840.10008.1.2.4.57", dk::Encoding::jpeg},        // JPEG lossless
    {"1.2.840.10008.1.2.4.70", dk::Encoding::jpeg},        // JPEG lossless, first-order prediction
    {"1.2.840.10008.1.2.4.80", dk::Encoding::jpegls},      // JPEG-LS lossless
    {"1.2.840.10008.1.2.4.81", dk::Encoding::jpegls},      // JPEG-LS near-lossless
    {"1.2.840.10008.1.2.4.90", dk::Encoding::jpeg2000},    // JPEG 2000 lossless
    {"1.2.840.10008.1.2.4.91", dk::Encoding::jpeg2000},    // JPEG 2000
    {"1.2.840.10008.1.2.5", dk::Encoding::rle},            // RLE
}};

/// Native frames, straight to where they are wanted; of odd ones the even window around them, since OW values are swapped
/// by words.
dk_status read_native(dk_file &file, DcmPixelData &element, const dk_pixels &pixels, int32_t frame, uint8_t *buffer) {
  const uint64_t size = dk::frame_bytes(pixels);
  const uint64_t begin = uint64_t(frame) * size;
  const uint64_t end = begin + size;
  if (end > element.getLength())
    return dk::failure(DK_MISSING_PIXELS, "Pixel Data ends before frame %d; send it again", int(frame) + 1);
  const uint64_t first = begin & ~uint64_t(1);
  const uint64_t last = std::min<uint64_t>((end + 1) & ~uint64_t(1), element.getLength());
  const bool is_even = first == begin && last == end;
  Bytes window(is_even ? 0 : size_t(last - first) + 1);
  void *target = is_even ? buffer : window.data();
  if (element.getPartialValue(target, Uint32(first), Uint32(last - first), &file.cache).bad())
    return dk::failure(DK_DAMAGED, "Pixel Data of frame %d cannot be read", int(frame) + 1);
  if (!is_even) std::memcpy(buffer, window.data() + (begin - first), size_t(size));
  // Words are in machine order now; 32-bit values of a big endian file still have their halves exchanged.
  if (pixels.bytes_per_sample == 4 && file.syntax == "1.2.840.10008.1.2.2" && element.getTag().getEVR() != EVR_OL)
    for (size_t at = 0; at + 4 <= size; at += 4) std::swap_ranges(buffer + at, buffer + at + 2, buffer + at + 2);
  return dk::success();
}

dk_status decode_by_dcmtk(dk_file &file, DcmPixelData &element, const dk_pixels &pixels, int32_t frame,
                          uint8_t *buffer) {
  const size_t size = dk::frame_bytes(pixels);
  Uint32 needed = 0;
  if (element.getUncompressedFrameSize(file.dataset, needed).bad() || needed < size || needed > size + 1)
    return dk::failure(DK_DAMAGED, "size of frame %d is not what the header says", int(frame) + 1);
  const size_t even = needed + (needed & 1u);
  Bytes padded(even == size ? 0 : even);
  uint8_t *target = even == size ? buffer : padded.data();
  std::memset(target, 0, even);
  Uint32 fragment = file.frame_starts[size_t(frame)];
  OFString colour;
  const OFCondition decoded =
      element.getUncompressedFrame(file.dataset, Uint32(frame), fragment, target, Uint32(even), colour, &file.cache);
  if (decoded.bad())
    return dk::failure(DK_DAMAGED, "frame %d cannot be decoded (DCMTK %u:%u); send it again", int(frame) + 1,
                       unsigned(decoded.module()), unsigned(decoded.code()));
  if (even != size) std::memcpy(buffer, padded.data(), size);
  return dk::success();
}

dk_status gather(dk_file &file, DcmPixelSequence &fragments, int32_t frame, Bytes &codestream) {
  for (uint32_t index = file.frame_starts[size_t(frame)]; index < file.frame_starts[size_t(frame) + 1]; ++index) {
    DcmPixelItem *fragment = nullptr;
    if (fragments.getItem(fragment, index).bad() || fragment == nullptr)
      return dk::failure(DK_DAMAGED, "fragment %u is missing", index);
    const size_t old = codestream.size();
    codestream.resize(old + fragment->getLength());
    if (fragment->getLength() == 0) continue;
    if (fragment->getPartialValue(codestream.data() + old, 0, fragment->getLength(), &file.cache).bad())
      return dk::failure(DK_DAMAGED, "fragment %u cannot be read", index);
  }
  return dk::success();
}

/// Keeps the stored bits, which need not be the lowest ones (PS3.5 8.1.1): overlay planes may sit above them.
template <typename Unsigned> void keep_stored_bits(uint8_t *buffer, size_t size, const dk_pixels &pixels) {
  const unsigned width = unsigned(pixels.bytes_per_sample) * 8;
  const unsigned stored = unsigned(pixels.bits_stored);
  const unsigned low = unsigned(pixels.high_bit) + 1 - stored;
  if (low == 0 && stored == width) return;
  const Unsigned mask = Unsigned((uint64_t(1) << stored) - 1);
  // Exchanging the sign bit and taking it away again extends the sign; without one it does nothing.
  const Unsigned sign = pixels.is_signed ? Unsigned(uint64_t(1) << (stored - 1)) : Unsigned(0);
  const size_t count = size / sizeof(Unsigned);
  for (size_t index = 0; index < count; ++index) {
    Unsigned raw;
    std::memcpy(&raw, buffer + index * sizeof raw, sizeof raw);
    raw = Unsigned(Unsigned((Unsigned(raw >> low) & mask) ^ sign) - sign);
    std::memcpy(buffer + index * sizeof raw, &raw, sizeof raw);
  }
}

/// `[sample][row][column]` to `[row][column][sample]`.
void interleave(uint8_t *buffer, size_t size, const dk_pixels &pixels) {
  const size_t samples = size_t(pixels.samples), width = size_t(pixels.bytes_per_sample);
  const size_t plane = size / samples / width;
  const Bytes planes(buffer, buffer + size);
  for (size_t sample = 0; sample < samples; ++sample)
    for (size_t pixel = 0; pixel < plane; ++pixel)
      std::memcpy(buffer + (pixel * samples + sample) * width, &planes[(sample * plane + pixel) * width], width);
}

dk_status decode(dk_file &file, const dk_pixels &pixels, int32_t frame, uint8_t *buffer) {
  DcmPixelData *element = nullptr;
  DcmPixelSequence *fragments = nullptr;
  dk_status status = dk::pixel_element(file, element, fragments);
  if (status.code == DK_OK && fragments != nullptr) status = dk::map_frames(file, *fragments, pixels.frames);
  if (status.code != DK_OK) return status;
  switch (dk::encoding(file.syntax)) {
  case dk::Encoding::native: return read_native(file, *element, pixels, frame, buffer);
  case dk::Encoding::jpeg:
    status = dk::check_jpeg_header(file, *fragments, frame);
    return status.code != DK_OK ? status : decode_by_dcmtk(file, *element, pixels, frame, buffer);
  case dk::Encoding::jpegls:
    if (pixels.samples > 1) return decode_by_dcmtk(file, *element, pixels, frame, buffer);
    [[fallthrough]];
  case dk::Encoding::rle:
  case dk::Encoding::jpeg2000: {
    Bytes codestream;
    status = gather(file, *fragments, frame, codestream);
    if (status.code != DK_OK) return status;
    const dk::Encoding encoding = dk::encoding(file.syntax);
    std::memset(buffer, 0, dk::frame_bytes(pixels));
    return (encoding == dk::Encoding::rle      ? dk::decode_rle
            : encoding == dk::Encoding::jpegls ? dk::decode_jpegls
                                               : dk::decode_jpeg2000)(codestream, pixels, buffer);
  }
  case dk::Encoding::unsupported: break;
  }
  return dk::failure(DK_UNSUPPORTED_SYNTAX, "transfer syntax %.64s cannot be decoded here", file.syntax.c_str());
}

} // namespace

dk::Encoding dk::encoding(const std::string &syntax) {
  const auto known = std::find_if(syntaxes.begin(), syntaxes.end(), [&](const Syntax &s) { return syntax == s.uid; });
  return known == syntaxes.end() ? Encoding::unsupported : known->encoding;
}

dk_status dk_frame(dk_file *file, int32_t frame, void *buffer, size_t size) {
  return dk::guarded([&] {
    dk_pixels pixels;
    dk_status status = dk_describe_pixels(file, &pixels);
    if (status.code != DK_OK) return status;
    if (frame < 0 || frame >= pixels.frames) return dk::failure(DK_INVALID, "has no frame %d", int(frame) + 1);
    if (size != dk::frame_bytes(pixels)) return dk::failure(DK_INVALID, "buffer is not of a frame's size");
    auto *values = static_cast<uint8_t *>(buffer);
    status = decode(*file, pixels, frame, values);
    if (status.code != DK_OK) return status;
    // Our own decoders put samples together by pixel; the others follow Planar Configuration.
    const dk::Encoding encoding = dk::encoding(file->syntax);
    const bool is_ours = encoding == dk::Encoding::rle || encoding == dk::Encoding::jpeg2000;
    const bool planar = pixels.planar == 1 && !is_ours;
    if (pixels.samples > 1 && planar) interleave(values, size, pixels);
    if (pixels.bytes_per_sample == 1) keep_stored_bits<uint8_t>(values, size, pixels);
    if (pixels.bytes_per_sample == 2) keep_stored_bits<uint16_t>(values, size, pixels);
    if (pixels.bytes_per_sample == 4) keep_stored_bits<uint32_t>(values, size, pixels);
    return dk::success();
  });
}
