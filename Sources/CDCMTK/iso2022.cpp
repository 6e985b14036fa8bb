// The multi-byte ISO 2022 character sets, which DCMTK cannot convert with the C library's iconv; goes when it can.
#include "internal.hpp"

#include <iconv.h>

namespace {

struct Conversion {
  const char *term;   // Defined term of Specific Character Set (PS3.3 C.12.1.1.2)
  const char *escape; // what designates it to G1 and has no place in `encoding`; empty when the codec wants it
  const char *encoding;
};

constexpr Conversion conversions[] = {
    {"ISO 2022 IR 87", "", "ISO-2022-JP-2"},
    {"ISO 2022 IR 159", "", "ISO-2022-JP-2"},
    {"ISO 2022 IR 149", "\x1b$)C", "EUC-KR"},
    {"ISO 2022 IR 58", "\x1b$)A", "EUC-CN"},
};

bool run_iconv(const char *encoding, std::string text, std::string &out) {
  const iconv_t converter = ::iconv_open("UTF-8", encoding);
  if (converter == iconv_t(-1)) return false;
  out.resize(text.size() * 6 + 16);
  char *from = text.data(), *to = out.data();
  size_t left = text.size(), room = out.size();
  const bool done = ::iconv(converter, &from, &left, &to, &room) != size_t(-1) && left == 0;
  ::iconv_close(converter);
  out.resize(out.size() - room);
  return done;
}

} // namespace

bool dk::convert_iso2022(const std::string &charset, std::string &text) {
  for (const Conversion &conversion : conversions) {
    if (charset.find(conversion.term) == std::string::npos) continue;
    std::string plain = text, out;
    const size_t length = std::strlen(conversion.escape);
    for (size_t at; length != 0 && (at = plain.find(conversion.escape)) != std::string::npos;) plain.erase(at, length);
    if (!run_iconv(conversion.encoding, plain, out)) continue;
    text.swap(out);
    return true;
  }
  return false;
}
