// The header of a JPEG frame, looked at before DCMTK decodes it: DCMTK 3.6.7 walks it without end when a TEM marker
// (0xFF01) stands in it. Decodes nothing; goes when the distribution's DCMTK does not.
#include "internal.hpp"

#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"

namespace {

/// SOF0–SOF15 without DHT, JPG and DAC, which share the numbers (ITU-T T.81 table B.1).
bool starts_frame(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Markers that carry a length and may stand between SOI and the frame header: DHT, DAC, DQT, DRI, APPn and COM.
bool carries_length(uint8_t marker) {
  return marker == 0xC4 || marker == 0xCC || marker == 0xDB || marker == 0xDD ||
         (marker >= 0xE0 && marker <= 0xEF) || marker == 0xFE;
}

/// Do these bytes lead from SOI over well-formed segments to a frame header with a sample precision?
bool leads_to_frame(const std::vector<uint8_t> &bytes) {
  if (bytes.size() < 2 || bytes[0] != 0xFF || bytes[1] != 0xD8) return false;
  for (size_t at = 2; at + 4 < bytes.size();) {
    if (bytes[at] != 0xFF) return false;
    if (starts_frame(bytes[at + 1])) return bytes[at + 4] != 0;
    if (!carries_length(bytes[at + 1])) return false;
    const size_t length = size_t(bytes[at + 2]) << 8 | bytes[at + 3];
    if (length < 2) return false;
    at += 2 + length;
  }
  return false;
}

} // namespace

dk_status dk::check_jpeg_header(dk_file &file, DcmPixelSequence &fragments, int32_t frame) {
  DcmPixelItem *fragment = nullptr;
  if (fragments.getItem(fragment, file.frame_starts[size_t(frame)]).bad() || fragment == nullptr)
    return failure(DK_DAMAGED, "frame %d has no fragment", int(frame) + 1);
  std::vector<uint8_t> bytes(fragment->getLength());
  if (bytes.empty() || fragment->getPartialValue(bytes.data(), 0, Uint32(bytes.size()), &file.cache).bad() ||
      !leads_to_frame(bytes))
    return failure(DK_DAMAGED, "frame %d has no JPEG header that can be followed; send it again", int(frame) + 1);
  return success();
}
