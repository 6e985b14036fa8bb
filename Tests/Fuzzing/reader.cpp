// libFuzzer target: any bytes, as a file, through everything the program may ask of it. Not part of any target.
#include "../Sanitize/exercise.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  // The shim reads files by their path: this one never leaves memory.
  static const int descriptor = memfd_create("input", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  if (descriptor < 0 || ftruncate(descriptor, 0) != 0) std::abort();
  if (pwrite(descriptor, bytes, size, 0) != ssize_t(size)) std::abort();
  // Large frames say nothing more and cost the most: 4 MiB holds any fixture's.
  (void)exercise::file(path.c_str(), 4, size_t(1) << 22);
  return 0;
}
