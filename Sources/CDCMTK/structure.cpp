// A walk over a file's skeleton before DCMTK recurses into it: does it begin like DICOM, is it nested too deep,
// does it inflate, or announce values, beyond measure. Whether it is whole is left to DCMTK. Goes when DCMTK limits
// its own recursion and checks lengths before it makes room for them.
#include "internal.hpp"
#include "source.hpp"

#include <algorithm>

namespace {

/// Deepest nesting of sequences let through to DCMTK, which spends about 1 KiB of stack on each.
/// Structured reports nest a dozen deep.
constexpr size_t deepest_nesting = 64;
constexpr uint32_t undefined_length = 0xFFFFFFFFu;
constexpr uint64_t no_end = ~uint64_t(0);

struct Encoding {
  bool explicit_vr, big_endian;
};

/// An open item or sequence.
struct Level {
  uint64_t end; // no_end: until its delimiter
  bool explicit_vr;
};

struct Element {
  uint16_t group, element;
  char vr[2]; // zero in implicit VR
  uint32_t length;
  uint64_t value; // where it starts
};

class Walk {
public:
  Walk(dk::Source &source, uint64_t position, Encoding encoding)
      : source_(source), position_(position), encoding_(encoding) {}

  /// Reads the element at the position, but stays there; false at the end of the data.
  bool peek(Element &element) {
    uint8_t head[12];
    const size_t count = source_.read(position_, head, sizeof head);
    if (count < 8) return false;
    element.group = number16(head);
    element.element = number16(head + 2);
    element.vr[0] = element.vr[1] = 0;
    element.length = number32(head + 4);
    element.value = position_ + 8;
    if (!explicit_vr() || element.group == 0xFFFE) return true;
    element.vr[0] = char(head[4]);
    element.vr[1] = char(head[5]);
    element.length = number16(head + 6);
    if (!has_long_length(element.vr)) return true;
    if (count < 12) return false;
    element.length = number32(head + 8);
    element.value = position_ + 12;
    return true;
  }

  void skip(const Element &element) {
    // DCMTK makes room for a value of a deflated file before it reads it: up to 4 GiB for a few hundred bytes.
    announces_too_much_ = announces_too_much_ || element.length > source_.size();
    position_ = element.value + element.length;
  }
  uint64_t position() const { return position_; }

  /// Walks to the end of the data, or to the first thing DCMTK must not be given.
  dk_status run() {
    Element element;
    while (leave_ended_levels(), peek(element)) {
      if (levels_.size() > 2 * deepest_nesting)
        return dk::failure(DK_DAMAGED, "nests sequences more than %d deep", int(deepest_nesting));
      if (element.group == 0xFFFE) enter_or_leave(element);
      else if (is_fragments(element)) skip_fragments(element);
      else if (is_sequence(element)) {
        const bool implicit = std::memcmp(element.vr, "UN", 2) == 0; // PS3.5 6.2.2 note 2
        enter(element, explicit_vr() && !implicit);
      } else skip(element);
      if (announces_too_much_) return dk::failure(DK_TRUNCATED, "announces more bytes than it has; send it again");
    }
    return dk::success();
  }

private:
  bool explicit_vr() const { return levels_.empty() ? encoding_.explicit_vr : levels_.back().explicit_vr; }

  uint16_t number16(const uint8_t *b) const {
    return encoding_.big_endian ? uint16_t(b[0] << 8 | b[1]) : uint16_t(b[1] << 8 | b[0]);
  }

  uint32_t number32(const uint8_t *b) const {
    const uint32_t first = number16(b), second = number16(b + 2);
    return encoding_.big_endian ? first << 16 | second : second << 16 | first;
  }

  /// PS3.5 7.1.2; VRs nobody knows are read as DCMTK reads them.
  static bool has_long_length(const char *vr) {
    static const char *const short_ones[] = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO",
                                             "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"};
    if (vr[0] < 'A' || vr[0] > 'Z' || vr[1] < 'A' || vr[1] > 'Z') return false;
    return std::none_of(std::begin(short_ones), std::end(short_ones),
                        [&](const char *known) { return std::memcmp(known, vr, 2) == 0; });
  }

  static bool is_fragments(const Element &e) {
    return e.length == undefined_length && (e.vr[0] == 'O' || (e.group == 0x7FE0 && e.element == 0x0010));
  }

  bool is_sequence(const Element &e) {
    if (e.length == undefined_length || std::memcmp(e.vr, "SQ", 2) == 0) return true;
    uint8_t head[4];
    const bool maybe = e.vr[0] == 0 && e.length >= 8 && source_.read(e.value, head, 4) == 4;
    return maybe && number16(head) == 0xFFFE && number16(head + 2) == 0xE000;
  }

  void enter(const Element &element, bool explicit_inside) {
    const uint64_t end = element.length == undefined_length ? no_end : element.value + element.length;
    levels_.push_back({end, explicit_inside});
    position_ = element.value;
  }

  void enter_or_leave(const Element &element) {
    if (element.element == 0xE000) return enter(element, explicit_vr());
    if (!levels_.empty()) levels_.pop_back();
    position_ = element.value;
  }

  void leave_ended_levels() {
    while (!levels_.empty() && position_ >= levels_.back().end) levels_.pop_back();
  }

  void skip_fragments(const Element &element) {
    position_ = element.value;
    Element fragment;
    while (peek(fragment) && fragment.group == 0xFFFE && fragment.element == 0xE000 &&
           fragment.length != undefined_length)
      skip(fragment);
  }

  dk::Source &source_;
  uint64_t position_;
  Encoding encoding_;
  std::vector<Level> levels_;
  bool announces_too_much_ = false;
};

bool upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }

/// How the bytes at `position` look: explicit VR shows its letters, big endian its group number.
Encoding guess(dk::Source &source, uint64_t position) {
  uint8_t b[6] = {};
  (void)source.read(position, b, sizeof b);
  return {upper(b[4]) && upper(b[5]), b[0] == 0 && b[1] != 0};
}

/// Without preamble and meta information, a data set begins with a group 2 or 8 element.
bool begins_like_data_set(dk::Source &source) {
  uint8_t b[8];
  if (source.read(0, b, sizeof b) < sizeof b) return false;
  const bool little = (b[0] == 2 || b[0] == 8) && b[1] == 0;
  const bool big = b[0] == 0 && (b[1] == 2 || b[1] == 8);
  const uint32_t length = uint32_t(b[4]) | uint32_t(b[5]) << 8 | uint32_t(b[6]) << 16 | uint32_t(b[7]) << 24;
  return (little || big) && ((upper(b[4]) && upper(b[5])) || (little && length <= 1024));
}

/// Steps over the meta information at `position` and returns its transfer syntax, empty without one.
std::string read_meta(dk::Source &source, uint64_t &position) {
  Walk meta(source, position, guess(source, position));
  std::string syntax;
  Element element;
  while (meta.peek(element) && element.group == 0x0002) {
    if (element.element == 0x0010 && element.length <= 66) {
      syntax.resize(element.length);
      syntax.resize(source.read(element.value, syntax.data(), syntax.size()));
      while (!syntax.empty() && (syntax.back() == ' ' || syntax.back() == '\0')) syntax.pop_back();
    }
    meta.skip(element);
  }
  position = meta.position();
  return syntax;
}

} // namespace

dk_status dk::check_structure(const char *path) {
  Source source;
  if (!source.open(path)) return failure(DK_UNREADABLE, "cannot be opened for reading");
  char magic[4] = {};
  uint64_t position = 0;
  if (source.read(128, magic, 4) == 4 && std::memcmp(magic, "DICM", 4) == 0) position = 132;
  else if (!begins_like_data_set(source))
    return failure(DK_NOT_DICOM, "is not a DICOM file; if it should be one, export it again");
  const std::string syntax = read_meta(source, position);
  if (syntax == "1.2.840.10008.1.2.1.99") {
    if (!source.inflate(position))
      return failure(DK_DAMAGED, "cannot be inflated or inflates to more than 1 GiB; send it again");
    position = 0;
  }
  return Walk(source, position, guess(source, position)).run();
}
