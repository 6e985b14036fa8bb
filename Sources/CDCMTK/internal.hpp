// What every file of the shim shares: the guard that keeps C++ exceptions inside, statuses, an open file.
#pragma once
#include "CDCMTK.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcfcache.h"
#include "dcmtk/dcmdata/dctk.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

struct dk_file {
  std::string path;
  DcmFileFormat format;
  DcmDataset *dataset = nullptr; // owned by format
  std::string syntax;            // Transfer Syntax UID it was read in
  DcmFileCache cache;            // keeps the file open between frames of one reader
  /// Items of top-level sequences: DCMTK finds item n by walking n items, too slow for enhanced objects.
  std::map<DcmTagKey, std::vector<DcmItem *>> items;
  /// First fragment of each frame of encapsulated pixel data, and one past the last; empty until needed.
  std::vector<uint32_t> frame_starts;
};

namespace dk {

/// Codecs and logging, once per process; every entry point comes through here by `guarded`.
void prepare();

inline dk_status success() {
  dk_status status;
  status.code = DK_OK;
  status.message[0] = '\0';
  return status;
}

/// `format` must never be fed with an attribute's value: messages reach logs.
__attribute__((format(printf, 2, 3))) inline dk_status failure(int32_t code, const char *format, ...) {
  dk_status status;
  status.code = code;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(status.message, sizeof status.message, format, arguments);
  va_end(arguments);
  return status;
}

/// Runs `body` and turns any exception into a status. DCMTK's what() texts may quote values, so they stay here.
template <typename Body> dk_status guarded(Body &&body) noexcept {
  try {
    prepare();
    return body();
  } catch (const std::bad_alloc &) {
    return failure(DK_MEMORY, "not enough memory for this file");
  } catch (const std::exception &) {
    return failure(DK_INTERNAL, "unexpected exception in the DICOM toolkit");
  } catch (...) {
    return failure(DK_INTERNAL, "unexpected exception of unknown type in the DICOM toolkit");
  }
}

/// How a transfer syntax stores pixels here.
enum class Encoding { native, jpeg, jpegls, jpeg2000, rle, unsupported };
Encoding encoding(const std::string &syntax);

/// The structure of the data set at `path` (nesting depth, lengths inside the file), before DCMTK recurses into it.
dk_status check_structure(const char *path);

/// The element behind an attribute path, nullptr when any step is absent; DK_INVALID when the path is malformed.
dk_status locate(dk_file &file, const char *path, DcmElement *&element);
/// First value as a whole number; DK_MISSING or DK_INVALID.
dk_status integer(dk_file &file, const char *path, int64_t &value);

/// The top-level Pixel Data element and, if encapsulated, its fragments (item 0 is the offset table).
dk_status pixel_element(dk_file &file, DcmPixelData *&element, DcmPixelSequence *&fragments);
/// Fills `file.frame_starts`.
dk_status map_frames(dk_file &file, DcmPixelSequence &fragments, int32_t frames);

/// The first fragment of a frame before DCMTK's JPEG decoder sees it; after `map_frames`.
dk_status check_jpeg_header(dk_file &file, DcmPixelSequence &fragments, int32_t frame);

/// Bytes of one frame, `[row][column][sample]`; cannot overflow after dk_describe_pixels.
inline size_t frame_bytes(const dk_pixels &pixels) {
  return size_t(pixels.rows) * size_t(pixels.columns) * size_t(pixels.samples) *
         size_t(pixels.bytes_per_sample);
}

/// Decodes the JPEG 2000 codestream (bare or in a JP2 box) into samples of `pixels.bytes_per_sample` bytes.
dk_status decode_jpeg2000(const std::vector<uint8_t> &codestream, const dk_pixels &pixels, uint8_t *buffer);

/// Decodes the JPEG-LS codestream of one component into samples of `pixels.bytes_per_sample` bytes.
dk_status decode_jpegls(const std::vector<uint8_t> &codestream, const dk_pixels &pixels, uint8_t *buffer);

/// To UTF-8 where Specific Character Set names a multi-byte ISO 2022 set; false leaves `text` alone.
bool convert_iso2022(const std::string &charset, std::string &text);

/// Decodes one RLE frame, by pixel whatever Planar Configuration says.
dk_status decode_rle(const std::vector<uint8_t> &frame, const dk_pixels &pixels, uint8_t *buffer);

} // namespace dk
