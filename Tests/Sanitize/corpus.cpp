// Feeds files to the reading shim under sanitizers: every path given, then seeded damage to the small ones.
// Prints one line a file; a crash, a hang or a sanitizer report is the failure. Not part of any target.
#include "CDCMTK.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

void ignore(void *, const char *, size_t) {}

/// Everything the reader may ask of a file; returns the first refusal's code.
int exercise(const char *path) {
  dk_file *file = nullptr;
  dk_status status = dk_open(path, &file);
  if (status.code != DK_OK) return status.code;
  char syntax[65];
  (void)dk_transfer_syntax(file, syntax);
  const char *const attributes[] = {"(0010,0010)", "(0020,0032)", "(0028,1053)", "(0002,0010)", "(7053,1000)",
                                    "(5200,9229)[0].(0028,9145)[0].(0028,1053)", "(0054,0016)[0].(0018,1074)"};
  for (const char *attribute : attributes) {
    bool present = false;
    int64_t count = 0;
    double values[8];
    (void)dk_has(file, attribute, &present);
    (void)dk_items(file, attribute, &count);
    (void)dk_string(file, attribute, true, nullptr, ignore);
    (void)dk_doubles(file, attribute, values, 8, &count);
  }
  dk_pixels pixels;
  status = dk_check_pixels(file);
  if (status.code == DK_OK) status = dk_describe_pixels(file, &pixels);
  if (status.code == DK_OK) {
    const size_t size = size_t(pixels.rows) * size_t(pixels.columns) * size_t(pixels.samples) *
                        size_t(pixels.bytes_per_sample);
    std::vector<unsigned char> buffer(size);
    for (int32_t frame = 0; frame < pixels.frames && frame < 4 && status.code == DK_OK; ++frame)
      status = dk_frame(file, frame, buffer.data(), size);
  }
  dk_close(file);
  return status.code;
}

std::vector<char> contents(const char *path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Truncations and byte flips, half of them in the first 4 KiB, where lengths and layouts are.
void mutate(const char *path, const std::string &scratch, unsigned rounds, int counts[32]) {
  const std::vector<char> original = contents(path);
  if (original.size() < 200 || original.size() > (1u << 18)) return;
  std::mt19937 random(20260101u);
  for (unsigned round = 0; round < rounds; ++round) {
    std::vector<char> bytes = original;
    if (round % 4 == 0) bytes.resize(random() % bytes.size());
    const unsigned flips = 1 + random() % 8;
    for (unsigned flip = 0; flip < flips && !bytes.empty(); ++flip) {
      const size_t range = flip % 2 == 0 ? std::min<size_t>(bytes.size(), 4096) : bytes.size();
      bytes[random() % range] = char(random());
    }
    std::ofstream(scratch, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
    counts[exercise(scratch.c_str()) & 31] += 1;
  }
}

} // namespace

/// usage: corpus SCRATCH_FILE ROUNDS PATH…
int main(int argc, char **argv) {
  if (argc < 4) return 64;
  int counts[32] = {};
  for (int index = 3; index < argc; ++index) {
    const int code = exercise(argv[index]);
    std::printf("%2d %s\n", code, argv[index]);
    std::fflush(stdout);
    mutate(argv[index], argv[1], unsigned(std::atoi(argv[2])), counts);
  }
  std::printf("damaged copies by outcome:");
  for (int code = 0; code < 32; ++code)
    if (counts[code] != 0) std::printf(" %d×%d", counts[code], code);
  std::printf("\n");
  return 0;
}
