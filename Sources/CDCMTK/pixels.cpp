// The pixel layout and whether all of it is there; which fragments make which frame. Decodes nothing.
#include "internal.hpp"

#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"

namespace {

/// Largest decoded frame this reader allocates for, bytes. A header can promise 65535² pixels in a few bytes.
constexpr uint64_t largest_frame = uint64_t(1) << 29;

dk_status required(dk_file &file, const char *path, const char *name, int64_t low, int64_t high, int32_t &value) {
  int64_t found = 0;
  const dk_status status = dk::integer(file, path, found);
  if (status.code == DK_MISSING) return dk::failure(DK_MISSING, "%s %s has no value", name, path);
  if (status.code != DK_OK) return dk::failure(DK_INVALID, "%s %s is not a whole number", name, path);
  if (found < low || found > high)
    return dk::failure(DK_INVALID, "%s %s is outside %lld…%lld", name, path, (long long)low, (long long)high);
  value = int32_t(found);
  return dk::success();
}

dk_status optional(dk_file &file, const char *path, const char *name, int64_t low, int64_t high, int32_t missing,
                   int32_t &value) {
  const dk_status status = required(file, path, name, low, high, value);
  if (status.code != DK_MISSING) return status;
  value = missing;
  return dk::success();
}

dk_status check_layout(dk_pixels &pixels) {
  const int32_t allocated = pixels.bits_allocated;
  if (allocated != 8 && allocated != 16 && allocated != 32)
    return dk::failure(DK_UNSUPPORTED_PIXELS, "has %d bits allocated per sample; 8, 16 and 32 can be read",
                       int(allocated));
  if (pixels.bits_stored > allocated || pixels.high_bit >= allocated || pixels.high_bit + 1 < pixels.bits_stored)
    return dk::failure(DK_INVALID, "Bits Stored and High Bit do not fit into Bits Allocated");
  pixels.bytes_per_sample = allocated / 8;
  const uint64_t bytes = uint64_t(pixels.rows) * uint64_t(pixels.columns) * uint64_t(pixels.samples) *
                         uint64_t(pixels.bytes_per_sample);
  if (bytes > largest_frame)
    return dk::failure(DK_UNSUPPORTED_PIXELS, "promises a frame over %u MiB", unsigned(largest_frame >> 20));
  return dk::success();
}

bool starts_codestream(DcmPixelItem &fragment) {
  Uint8 head[12] = {};
  const Uint32 length = fragment.getLength();
  if (length < sizeof head || fragment.getPartialValue(head, 0, sizeof head).bad()) return false;
  if (head[0] == 0xFF && (head[1] == 0xD8 || head[1] == 0x4F)) return true; // JPEG SOI, JPEG 2000 SOC
  return std::memcmp(head + 4, "jP  ", 4) == 0;
}

/// Frame starts by the basic offset table: byte offsets of the first fragments' item tags (PS3.5 A.4).
bool starts_by_offsets(DcmPixelSequence &fragments, int32_t frames, std::vector<uint32_t> &starts) {
  DcmPixelItem *table = nullptr;
  if (fragments.getItem(table, 0).bad() || table == nullptr || table->getLength() != uint32_t(frames) * 4u)
    return false;
  Uint8 *bytes = nullptr;
  if (table->getUint8Array(bytes).bad() || bytes == nullptr) return false;
  std::map<uint64_t, uint32_t> fragment_at;
  uint64_t offset = 0;
  for (unsigned long index = 1; index < fragments.card(); ++index) {
    DcmPixelItem *fragment = nullptr;
    if (fragments.getItem(fragment, index).bad() || fragment == nullptr) return false;
    fragment_at[offset] = uint32_t(index);
    offset += 8u + uint64_t(fragment->getLength());
  }
  for (int32_t frame = 0; frame < frames; ++frame) {
    const Uint8 *word = bytes + 4 * frame;
    const uint32_t at = uint32_t(word[0]) | uint32_t(word[1]) << 8 | uint32_t(word[2]) << 16 | uint32_t(word[3]) << 24;
    const auto found = fragment_at.find(at);
    if (found == fragment_at.end() || (!starts.empty() && found->second <= starts.back())) return false;
    starts.push_back(found->second);
  }
  return !starts.empty() && starts.front() == 1;
}

/// Frame starts by what fragments begin with, where the offset table is empty or wrong.
bool starts_by_markers(DcmPixelSequence &fragments, std::vector<uint32_t> &starts) {
  for (unsigned long index = 1; index < fragments.card(); ++index) {
    DcmPixelItem *fragment = nullptr;
    if (fragments.getItem(fragment, index).bad() || fragment == nullptr) return false;
    if (starts_codestream(*fragment)) starts.push_back(uint32_t(index));
  }
  return true;
}

/// YBR_FULL_422 and its like: fewer colour samples than pixels, in an order of their own (PS3.3 C.7.6.3.1.2).
bool is_subsampled(dk_file &file) {
  OFString interpretation;
  (void)file.dataset->findAndGetOFString(DCM_PhotometricInterpretation, interpretation);
  return interpretation.find("_42") != OFString_npos;
}

} // namespace

dk_status dk::pixel_element(dk_file &file, DcmPixelData *&element, DcmPixelSequence *&fragments) {
  DcmElement *found = nullptr;
  fragments = nullptr;
  if (file.dataset->findAndGetElement(DCM_PixelData, found).bad() || found == nullptr) {
    const bool floats = file.dataset->tagExists(DCM_FloatPixelData) || file.dataset->tagExists(DCM_DoubleFloatPixelData);
    if (floats) return failure(DK_UNSUPPORTED_PIXELS, "stores floating point pixels, which cannot be read");
    return failure(DK_MISSING_PIXELS, "has no Pixel Data (7FE0,0010)");
  }
  element = dynamic_cast<DcmPixelData *>(found);
  if (element == nullptr) return failure(DK_DAMAGED, "Pixel Data is not of a pixel VR");
  E_TransferSyntax syntax = EXS_Unknown;
  const DcmRepresentationParameter *parameter = nullptr;
  element->getOriginalRepresentationKey(syntax, parameter);
  const bool encapsulated = DcmXfer(syntax).isEncapsulated();
  if (encapsulated && element->getEncapsulatedRepresentation(syntax, parameter, fragments).bad())
    return failure(DK_DAMAGED, "encapsulated Pixel Data without fragments");
  if (encapsulated != (encoding(file.syntax) != Encoding::native))
    return failure(DK_DAMAGED, "Pixel Data does not match the transfer syntax");
  return success();
}

dk_status dk::map_frames(dk_file &file, DcmPixelSequence &fragments, int32_t frames) {
  if (!file.frame_starts.empty()) return success();
  const unsigned long count = fragments.card() > 0 ? fragments.card() - 1 : 0;
  if (count < (unsigned long)frames)
    return failure(DK_MISSING_PIXELS, "has %lu fragments for %d frames; send it again", count, int(frames));
  std::vector<uint32_t> starts;
  if (count == (unsigned long)frames)
    for (int32_t frame = 0; frame < frames; ++frame) starts.push_back(uint32_t(frame) + 1);
  else if (frames == 1)
    starts.push_back(1);
  else if (!starts_by_offsets(fragments, frames, starts)) {
    starts.clear();
    if (!starts_by_markers(fragments, starts) || starts.size() != size_t(frames) || starts.front() != 1)
      return failure(DK_DAMAGED, "%lu fragments cannot be assigned to %d frames", count, int(frames));
  }
  starts.push_back(uint32_t(count) + 1);
  file.frame_starts = std::move(starts);
  return success();
}

dk_status dk_describe_pixels(dk_file *file, dk_pixels *pixels) {
  return dk::guarded([&] {
    *pixels = dk_pixels{};
    struct { const char *path, *name; int64_t low, high; int32_t *value; } const attributes[] = {
        {"(0028,0010)", "Rows", 1, 65535, &pixels->rows},
        {"(0028,0011)", "Columns", 1, 65535, &pixels->columns},
        {"(0028,0002)", "Samples per Pixel", 1, 4, &pixels->samples},
        {"(0028,0100)", "Bits Allocated", 1, 64, &pixels->bits_allocated},
        {"(0028,0101)", "Bits Stored", 1, 64, &pixels->bits_stored},
        {"(0028,0103)", "Pixel Representation", 0, 1, &pixels->is_signed},
    };
    dk_status status = dk::success();
    for (const auto &attribute : attributes) {
      status = required(*file, attribute.path, attribute.name, attribute.low, attribute.high, *attribute.value);
      if (status.code != DK_OK) return status;
    }
    status = optional(*file, "(0028,0102)", "High Bit", 0, 63, pixels->bits_stored - 1, pixels->high_bit);
    if (status.code == DK_OK)
      status = optional(*file, "(0028,0006)", "Planar Configuration", 0, 1, 0, pixels->planar);
    if (status.code == DK_OK)
      status = optional(*file, "(0028,0008)", "Number of Frames", 1, 1 << 24, 1, pixels->frames);
    return status.code == DK_OK ? check_layout(*pixels) : status;
  });
}

dk_status dk_check_pixels(dk_file *file) {
  return dk::guarded([&] {
    dk_pixels pixels;
    dk_status status = dk_describe_pixels(file, &pixels);
    if (status.code != DK_OK) return status;
    if (dk::encoding(file->syntax) == dk::Encoding::unsupported)
      return dk::failure(DK_UNSUPPORTED_SYNTAX, "transfer syntax %.64s cannot be decoded here", file->syntax.c_str());
    DcmPixelData *element = nullptr;
    DcmPixelSequence *fragments = nullptr;
    status = dk::pixel_element(*file, element, fragments);
    if (status.code != DK_OK) return status;
    if (fragments != nullptr) return dk::map_frames(*file, *fragments, pixels.frames);
    if (is_subsampled(*file))
      return dk::failure(DK_UNSUPPORTED_PIXELS, "stores uncompressed pixels with subsampled colour");
    const uint64_t wanted = uint64_t(dk::frame_bytes(pixels)) * uint64_t(pixels.frames);
    if (element->getLength() < wanted)
      return dk::failure(DK_MISSING_PIXELS, "has %llu of %llu bytes of Pixel Data; send it again",
                         (unsigned long long)element->getLength(), (unsigned long long)wanted);
    return dk::success();
  });
}
