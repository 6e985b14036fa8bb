// Feeds files to the reading shim under sanitizers: every path given, then seeded damage to the small ones.
// Prints one line a file; a crash, a hang or a sanitizer report is the failure. Not part of any target.
#include "exercise.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

/// Frames of more bytes are not decoded.
constexpr size_t largest = size_t(1) << 31;

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
    counts[exercise::file(scratch.c_str(), 4, largest) & 31] += 1;
  }
}

} // namespace

/// usage: corpus SCRATCH_FILE ROUNDS PATH…
int main(int argc, char **argv) {
  if (argc < 4) return 64;
  int counts[32] = {};
  for (int index = 3; index < argc; ++index) {
    const int code = exercise::file(argv[index], 4, largest);
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
