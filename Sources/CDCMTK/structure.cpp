// A look at a file's skeleton before DCMTK recurses into it: does it begin like DICOM.
#include "internal.hpp"

namespace {
bool upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }

/// Without preamble and meta information, a data set begins with a group 2 or 8 element.
bool begins_like_data_set(const uint8_t *b, size_t n) {
  if (n < 8) return false;
  const bool little = (b[0] == 2 || b[0] == 8) && b[1] == 0;
  const bool big = b[0] == 0 && (b[1] == 2 || b[1] == 8);
  if (!little && !big) return false;
  if (upper(b[4]) && upper(b[5])) return true;
  const uint32_t length = uint32_t(b[4]) | uint32_t(b[5]) << 8 | uint32_t(b[6]) << 16 | uint32_t(b[7]) << 24;
  return little && length <= 1024;
}
} // namespace

dk_status dk::check_structure(const char *path) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path, "rb"), &std::fclose);
  if (!file) return failure(DK_UNREADABLE, "cannot be opened for reading");
  uint8_t head[140];
  const size_t count = std::fread(head, 1, sizeof head, file.get());
  if (count >= 132 && std::memcmp(head + 128, "DICM", 4) == 0) return success();
  if (begins_like_data_set(head, count)) return success();
  return failure(DK_NOT_DICOM, "is not a DICOM file");
}
