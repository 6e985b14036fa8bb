// Bytes of a file at any offset, through a small window or inflated into memory. Read only.
#pragma once
#include "internal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>

namespace dk {

class Source {
public:
  Source() = default;
  Source(const Source &) = delete;
  Source &operator=(const Source &) = delete;
  ~Source() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool open(const char *path) {
    descriptor_ = ::open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (descriptor_ < 0 || ::fstat(descriptor_, &facts) != 0) return false;
    size_ = uint64_t(facts.st_size);
    return true;
  }

  /// Bytes there are, inflated ones once `inflate` was called.
  uint64_t size() const { return size_; }

  /// Copies up to `count` bytes from `offset` on and returns how many there were.
  size_t read(uint64_t offset, void *target, size_t count) {
    if (offset > (uint64_t(1) << 62)) return 0;
    if (!inflated_ && (offset < start_ || offset + count > start_ + bytes_.size())) load(offset);
    if (offset < start_ || offset - start_ >= bytes_.size()) return 0;
    const size_t taken = std::min<size_t>(count, bytes_.size() - size_t(offset - start_));
    std::memcpy(target, bytes_.data() + (offset - start_), taken);
    return taken;
  }

  /// Replaces the bytes from `offset` on by what they inflate to (PS3.5 A.5); offsets then count from there.
  bool inflate(uint64_t offset) {
    std::vector<uint8_t> out;
    z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
    int state = Z_OK;
    while (state == Z_OK && out.size() <= largest_inflated) {
      load(offset);
      offset += bytes_.size();
      if (bytes_.empty()) break;
      stream.next_in = bytes_.data();
      stream.avail_in = uInt(bytes_.size());
      state = drain(stream, out);
    }
    ::inflateEnd(&stream);
    // A data set cut short inflates to what is there; DCMTK finds it truncated.
    const bool sound = (state == Z_OK || state == Z_STREAM_END) && out.size() <= largest_inflated;
    bytes_.swap(out);
    size_ = bytes_.size();
    start_ = 0;
    inflated_ = true;
    return sound;
  }

private:
  static constexpr size_t window = size_t(1) << 14;
  static constexpr size_t largest_inflated = size_t(1) << 30;

  static int drain(z_stream &stream, std::vector<uint8_t> &out) {
    int state = Z_OK;
    while (state == Z_OK && out.size() <= largest_inflated) {
      const size_t old = out.size();
      out.resize(old + window * 4);
      stream.next_out = out.data() + old;
      stream.avail_out = uInt(window * 4);
      state = ::inflate(&stream, Z_NO_FLUSH);
      out.resize(out.size() - stream.avail_out);
      if (state == Z_BUF_ERROR || (stream.avail_in == 0 && stream.avail_out != 0)) break;
    }
    return state == Z_BUF_ERROR ? Z_OK : state;
  }

  void load(uint64_t offset) {
    bytes_.resize(window);
    const ssize_t count = ::pread(descriptor_, bytes_.data(), window, off_t(offset));
    bytes_.resize(count > 0 ? size_t(count) : 0);
    start_ = offset;
  }

  int descriptor_ = -1;
  bool inflated_ = false;
  uint64_t start_ = 0;
  uint64_t size_ = 0;
  std::vector<uint8_t> bytes_;
};

} // namespace dk
