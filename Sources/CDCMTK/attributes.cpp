// Reading attributes by path: presence, items, text, numbers. Values leave only through the caller's pointers.
#include "internal.hpp"

#include "dcmtk/dcmdata/dcspchrs.h"

#include <charconv>
#include <cmath>

namespace {

struct Step {
  DcmTagKey tag;
  long item = -1; // -1: the last step
};

/// Reads four hexadecimal digits at `cursor`.
bool parse_hexadecimal(const char *&cursor, Uint16 &value) {
  unsigned number = 0;
  const auto result = std::from_chars(cursor, cursor + strnlen(cursor, 4), number, 16);
  if (result.ec != std::errc() || result.ptr != cursor + 4) return false;
  cursor += 4;
  value = Uint16(number);
  return true;
}

bool skip(const char *&cursor, char expected) {
  if (*cursor != expected) return false;
  ++cursor;
  return true;
}

/// Reads one `(gggg,eeee)` or `(gggg,eeee)[n].` at `cursor`. Done for every attribute of every file: no sscanf.
bool parse_step(const char *&cursor, Step &step) {
  Uint16 group = 0, element = 0;
  if (!skip(cursor, '(') || !parse_hexadecimal(cursor, group) || !skip(cursor, ',') ||
      !parse_hexadecimal(cursor, element) || !skip(cursor, ')'))
    return false;
  step.tag = DcmTagKey(group, element);
  if (*cursor == '\0') return true;
  if (!skip(cursor, '[')) return false;
  const auto item = std::from_chars(cursor, cursor + strnlen(cursor, 8), step.item);
  if (item.ec != std::errc() || step.item < 0) return false;
  cursor = item.ptr;
  return skip(cursor, ']') && skip(cursor, '.');
}

std::vector<DcmItem *> collect_items(DcmItem &parent, const DcmTagKey &tag) {
  std::vector<DcmItem *> found;
  DcmSequenceOfItems *sequence = nullptr;
  if (parent.findAndGetSequence(tag, sequence).bad() || sequence == nullptr) return found;
  for (DcmObject *object = nullptr; (object = sequence->nextInContainer(object)) != nullptr;)
    if (object->ident() == EVR_item) found.push_back(static_cast<DcmItem *>(object));
  return found;
}

const std::vector<DcmItem *> &top_items(dk_file &file, const DcmTagKey &tag) {
  auto known = file.items.find(tag);
  if (known == file.items.end()) known = file.items.emplace(tag, collect_items(*file.dataset, tag)).first;
  return known->second;
}

DcmItem *enter(dk_file &file, DcmItem *parent, const Step &step) {
  if (parent == file.dataset) {
    const auto &items = top_items(file, step.tag);
    return size_t(step.item) < items.size() ? items[size_t(step.item)] : nullptr;
  }
  DcmItem *item = nullptr;
  return parent->findAndGetSequenceItem(step.tag, item, step.item).good() ? item : nullptr;
}

/// The bytes of any element as stored, trailing padding removed.
dk_status raw_text(DcmElement &element, std::string &text) {
  Uint8 *bytes = nullptr;
  switch (element.ident()) {
  case EVR_UN:
  case EVR_OB:
    if (element.getUint8Array(bytes).bad()) return dk::failure(DK_INVALID, "attribute cannot be read as bytes");
    if (bytes != nullptr) text.assign(reinterpret_cast<const char *>(bytes), element.getLength());
    break;
  default: {
    OFString value;
    if (element.getOFStringArray(value, OFFalse).bad())
      return dk::failure(DK_INVALID, "attribute cannot be read as text");
    text.assign(value.data(), value.size());
  }
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  return dk::success();
}

/// Where an ISO 2022 escape is reset (PS3.5 6.1.2.5.3): names at their separators too, free text nowhere.
const char *delimiters(DcmEVR vr) {
  switch (vr) {
  case EVR_PN: return "\\^=";
  case EVR_LT:
  case EVR_ST:
  case EVR_UT: return "";
  default: return "\\";
  }
}

/// To UTF-8 where the character set is known to iconv; false leaves `text` alone.
bool convert(dk_file &file, DcmEVR vr, std::string &text) {
  OFString charset;
  if (file.dataset->findAndGetOFStringArray(DCM_SpecificCharacterSet, charset).bad()) return false;
  DcmSpecificCharacterSet converter;
  if (converter.selectCharacterSet(charset).bad()) return dk::convert_iso2022(charset.c_str(), text);
  OFString out;
  if (converter.convertString(OFString(text.data(), text.size()), out, delimiters(vr)).bad()) return false;
  text.assign(out.data(), out.size());
  return true;
}

bool parse_number(const char *first, const char *last, double &value) {
  while (first < last && (*first == ' ' || *first == '+')) ++first;
  while (first < last && (last[-1] == ' ' || last[-1] == '\0')) --last;
  // from_chars: no locale, no hexadecimal, and it says where it stopped.
  const auto result = std::from_chars(first, last, value);
  return result.ec == std::errc() && result.ptr == last && std::isfinite(value);
}

dk_status numbers_of_text(const std::string &text, std::vector<double> &values) {
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('\\', begin), text.size());
    double value = 0;
    if (!parse_number(text.data() + begin, text.data() + end, value))
      return dk::failure(DK_INVALID, "attribute is not a finite number");
    values.push_back(value);
    begin = end + 1;
  }
  return dk::success();
}

template <typename Number>
dk_status numbers_of_binary(DcmElement &element, OFCondition (DcmElement::*get)(Number *&),
                            std::vector<double> &values) {
  Number *numbers = nullptr;
  const size_t count = element.getLength() / sizeof(Number);
  if ((element.*get)(numbers).bad() || numbers == nullptr)
    return dk::failure(DK_INVALID, "attribute cannot be read as numbers");
  for (size_t index = 0; index < count; ++index) {
    const double value = double(numbers[index]);
    if (!std::isfinite(value)) return dk::failure(DK_INVALID, "attribute is not a finite number");
    values.push_back(value);
  }
  return dk::success();
}

dk_status numbers(DcmElement &element, std::vector<double> &values) {
  switch (element.ident()) {
  case EVR_US:
  case EVR_xs:
  case EVR_lt: return numbers_of_binary<Uint16>(element, &DcmElement::getUint16Array, values);
  case EVR_SS: return numbers_of_binary<Sint16>(element, &DcmElement::getSint16Array, values);
  case EVR_UL: return numbers_of_binary<Uint32>(element, &DcmElement::getUint32Array, values);
  case EVR_SL: return numbers_of_binary<Sint32>(element, &DcmElement::getSint32Array, values);
  case EVR_AT: return numbers_of_binary<Uint16>(element, &DcmElement::getUint16Array, values);
  case EVR_FL: return numbers_of_binary<Float32>(element, &DcmElement::getFloat32Array, values);
  case EVR_FD: return numbers_of_binary<Float64>(element, &DcmElement::getFloat64Array, values);
  default: {
    std::string text;
    const dk_status status = raw_text(element, text);
    return status.code == DK_OK ? numbers_of_text(text, values) : status;
  }
  }
}

} // namespace

dk_status dk::locate(dk_file &file, const char *path, DcmElement *&element) {
  element = nullptr;
  DcmItem *item = file.dataset;
  if (std::strncmp(path, "(0002,", 6) == 0) item = file.format.getMetaInfo();
  for (const char *cursor = path;;) {
    Step step;
    if (!parse_step(cursor, step)) return failure(DK_INVALID, "malformed attribute path");
    if (step.item < 0) {
      if (item != nullptr && item->findAndGetElement(step.tag, element).bad()) element = nullptr;
      return success();
    }
    if (item != nullptr) item = enter(file, item, step);
  }
}

dk_status dk::integer(dk_file &file, const char *path, int64_t &value) {
  double number = 0;
  int64_t count = 0;
  const dk_status status = dk_doubles(&file, path, &number, 1, &count);
  if (status.code != DK_OK) return status;
  if (std::nearbyint(number) != number || std::fabs(number) > 9007199254740992.0)
    return failure(DK_INVALID, "%s is not a whole number", path);
  value = int64_t(number);
  return success();
}

dk_status dk_has(dk_file *file, const char *path, bool *present) {
  return dk::guarded([&] {
    DcmElement *element = nullptr;
    const dk_status status = dk::locate(*file, path, element);
    *present = element != nullptr;
    return status;
  });
}

dk_status dk_items(dk_file *file, const char *path, int64_t *count) {
  return dk::guarded([&] {
    DcmElement *element = nullptr;
    const dk_status status = dk::locate(*file, path, element);
    *count = 0;
    if (element != nullptr && element->ident() == EVR_SQ)
      *count = int64_t(static_cast<DcmSequenceOfItems *>(element)->card());
    return status;
  });
}

dk_status dk_string(dk_file *file, const char *path, bool utf8, void *context,
                    void (*take)(void *context, const char *bytes, size_t length)) {
  return dk::guarded([&] {
    DcmElement *element = nullptr;
    dk_status status = dk::locate(*file, path, element);
    if (status.code != DK_OK) return status;
    if (element == nullptr || element->getLength() == 0) return dk::failure(DK_MISSING, "%s has no value", path);
    if (!element->isLeaf()) return dk::failure(DK_INVALID, "%s is a sequence, not text", path);
    std::string text;
    status = raw_text(*element, text);
    if (status.code != DK_OK) return status;
    if (text.empty()) return dk::failure(DK_MISSING, "%s has no value", path);
    if (utf8) convert(*file, element->ident(), text);
    take(context, text.data(), text.size());
    return dk::success();
  });
}

dk_status dk_doubles(dk_file *file, const char *path, double *values, int64_t capacity, int64_t *count) {
  return dk::guarded([&] {
    *count = 0;
    DcmElement *element = nullptr;
    const dk_status status = dk::locate(*file, path, element);
    if (status.code != DK_OK) return status;
    if (element == nullptr || element->getLength() == 0) return dk::failure(DK_MISSING, "%s has no value", path);
    if (!element->isLeaf()) return dk::failure(DK_INVALID, "%s is a sequence, not numbers", path);
    std::vector<double> found;
    if (numbers(*element, found).code != DK_OK)
      return dk::failure(DK_INVALID, "%s is not a finite number", path);
    *count = int64_t(found.size());
    for (int64_t index = 0; index < *count && index < capacity; ++index) values[index] = found[size_t(index)];
    return dk::success();
  });
}
