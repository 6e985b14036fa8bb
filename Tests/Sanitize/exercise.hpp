// Everything the program may ask of one file through the shim, for the sanitizers and the fuzzer. No expectations.
#pragma once
#include "CDCMTK.h"

#include <cstddef>
#include <vector>

namespace exercise {

inline void ignore(void *, const char *, size_t) {}
inline void ignore_encoded(void *, const uint8_t *, size_t) {}

/// Attributes of every kind: meta information, text, numbers, private, in sequences, and paths no file has.
inline void attributes(dk_file *file) {
  const char *const paths[] = {
      "(0002,0010)", "(0008,0005)", "(0008,0008)", "(0010,0010)", "(0018,0050)", "(0020,0032)", "(0020,0037)",
      "(0028,0030)", "(0028,1053)", "(0029,1010)", "(0054,0080)", "(7053,1000)",
      "(5200,9229)[0].(0028,9145)[0].(0028,1053)", "(5200,9230)[1].(0020,9113)[0].(0020,0032)",
      "(0054,0016)[0].(0018,1074)", "(0054,0022)[0].(0020,0037)", "(0040,9096)[0].(0040,9225)",
      "(0070,0308)[0].(0070,0309)[0].(0070,030A)[0].(3006,00C6)", "(0008,1140)[70000].(0008,1155)"};
  for (const char *path : paths) {
    bool present = false;
    int64_t count = 0;
    double values[8];
    (void)dk_has(file, path, &present);
    (void)dk_items(file, path, &count);
    (void)dk_string(file, path, true, nullptr, ignore);
    (void)dk_string(file, path, false, nullptr, ignore);
    (void)dk_doubles(file, path, values, 8, &count);
  }
}

/// What a derived object takes over from its source, encoded as a file.
inline void copies(dk_file *file) {
  dk_dataset *dataset = nullptr;
  if (dk_dataset_create(&dataset).code != DK_OK) return;
  const uint16_t tags[][2] = {{0x0008, 0x0005}, {0x0008, 0x0060}, {0x0008, 0x1140}, {0x0010, 0x0010},
                              {0x0010, 0x0020}, {0x0020, 0x0032}, {0x0020, 0x0052}, {0x0054, 0x0016},
                              {0x5200, 0x9229}};
  for (const auto &tag : tags) {
    bool copied = false;
    (void)dk_copy(dataset, file, tag[0], tag[1], &copied);
  }
  (void)dk_encode(dataset, "2.25.1", "EXERCISE", nullptr, ignore_encoded);
  dk_dataset_free(dataset);
}

/// The first `most` frames decoded, where the layout allows it and a frame has at most `largest` bytes; returns
/// the first refusal's code.
inline int pixels(dk_file *file, int32_t most, size_t largest) {
  dk_pixels layout;
  dk_status status = dk_check_pixels(file);
  if (status.code == DK_OK) status = dk_describe_pixels(file, &layout);
  if (status.code != DK_OK) return status.code;
  const size_t size = size_t(layout.rows) * size_t(layout.columns) * size_t(layout.samples) *
                      size_t(layout.bytes_per_sample);
  if (size > largest) return DK_MEMORY;
  std::vector<unsigned char> buffer(size);
  for (int32_t frame = 0; frame < layout.frames && frame < most && status.code == DK_OK; ++frame)
    status = dk_frame(file, frame, buffer.data(), size);
  return status.code;
}

/// Returns the first refusal's code.
inline int file(const char *path, int32_t frames, size_t largest) {
  dk_file *opened = nullptr;
  const dk_status status = dk_open(path, &opened);
  if (status.code != DK_OK) return status.code;
  char syntax[65];
  (void)dk_transfer_syntax(opened, syntax);
  attributes(opened);
  copies(opened);
  const int code = pixels(opened, frames, largest);
  dk_close(opened);
  return code;
}

} // namespace exercise
