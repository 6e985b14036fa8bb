// Building a data set attribute by attribute and encoding it in memory. What belongs into it is decided elsewhere.
#include "CDCMTKWrite.h"
#include "internal.hpp"

#include "dcmtk/dcmdata/dcostrmb.h"
#include <vector>

struct dk_dataset {
  DcmFileFormat format;
  std::vector<DcmItem *> open; // the data set and the items begun in it, owned by format
};

namespace {

/// Bytes DCMTK encodes before we take them away.
constexpr size_t chunk_bytes = 1 << 16;

dk_status refused(uint16_t group, uint16_t element) {
  return dk::failure(DK_INVALID, "attribute (%04x,%04x) does not take this value", group, element);
}

dk_status insert(dk_dataset *dataset, std::unique_ptr<DcmElement> element) {
  const DcmTagKey key = element->getTag();
  const OFCondition inserted = dataset->open.back()->insert(element.get(), OFTrue /* replace */);
  if (inserted.bad()) return refused(key.getGroup(), key.getElement());
  (void)element.release();
  return dk::success();
}

/// A text element of the dictionary's VR; null when the dictionary has none or the VR is not text.
std::unique_ptr<DcmElement> make_text(const DcmTag &tag, const char *bytes, size_t length) {
  DcmElement *created = nullptr;
  if (tag.getEVR() == EVR_UN || tag.getEVR() == EVR_UNKNOWN || DcmItem::newDicomElementWithVR(created, tag).bad()) return nullptr;
  std::unique_ptr<DcmElement> element(created);
  if (!element->isaString()) return nullptr;
  if (length > 0 && element->putString(bytes, Uint32(length)).bad()) return nullptr;
  return element;
}

/// The attribute to insert for one found in a source. Text that was stored without a usable VR gets the
/// dictionary's; everything else is cloned.
std::unique_ptr<DcmElement> duplicate(DcmElement &found, const DcmTag &tag) {
  const DcmEVR stored = found.ident();
  if (stored == EVR_UN || stored == EVR_OB) {
    Uint8 *bytes = nullptr;
    if (found.getLength() > 0 && found.getUint8Array(bytes).bad()) return nullptr;
    return make_text(tag, reinterpret_cast<const char *>(bytes), found.getLength());
  }
  return std::unique_ptr<DcmElement>(OFstatic_cast(DcmElement *, found.clone()));
}

/// Meta information (PS3.10 7.1) in our name instead of the toolkit's.
dk_status complete_meta(DcmFileFormat &format, const char *class_uid, const char *version_name) {
  if (format.validateMetaInfo(EXS_LittleEndianExplicit, EWM_createNewMeta).bad())
    return dk::failure(DK_INVALID, "the data set lacks its SOP class or instance UID");
  DcmMetaInfo *meta = format.getMetaInfo();
  if (meta->putAndInsertString(DCM_ImplementationClassUID, class_uid).bad() ||
      meta->putAndInsertString(DCM_ImplementationVersionName, version_name).bad())
    return dk::failure(DK_INVALID, "the implementation cannot be named like this");
  // The names have other lengths than the toolkit's, for which (0002,0000) was filled in.
  (void)meta->computeGroupLengthAndPadding(EGL_recalcGL, EPD_withoutPadding, EXS_LittleEndianExplicit,
                                           EET_ExplicitLength);
  return dk::success();
}

OFCondition encode(DcmFileFormat &format, std::vector<uint8_t> &file) {
  std::vector<uint8_t> chunk(chunk_bytes);
  DcmOutputBufferStream stream(chunk.data(), offile_off_t(chunk.size()));
  OFCondition written = EC_StreamNotifyClient;
  format.transferInit();
  while (written == EC_StreamNotifyClient) {
    written = format.write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, nullptr, EGL_withoutGL,
                           EPD_withoutPadding, 0, 0, 0, EWM_dontUpdateMeta);
    void *filled = nullptr;
    offile_off_t length = 0;
    stream.flushBuffer(filled, length);
    file.insert(file.end(), static_cast<uint8_t *>(filled), static_cast<uint8_t *>(filled) + length);
  }
  format.transferEnd();
  return written;
}

} // namespace

dk_status dk_dataset_create(dk_dataset **dataset) {
  *dataset = nullptr;
  return dk::guarded([&] {
    auto created = std::make_unique<dk_dataset>();
    created->open.push_back(created->format.getDataset());
    *dataset = created.release();
    return dk::success();
  });
}

void dk_dataset_free(dk_dataset *dataset) {
  (void)dk::guarded([&] {
    delete dataset;
    return dk::success();
  });
}

dk_status dk_put_text(dk_dataset *dataset, uint16_t group, uint16_t element, const char *bytes, size_t length) {
  return dk::guarded([&] {
    auto text = make_text(DcmTag(group, element), bytes, length);
    return text ? insert(dataset, std::move(text)) : refused(group, element);
  });
}

dk_status dk_put_word(dk_dataset *dataset, uint16_t group, uint16_t element, uint16_t value) {
  return dk::guarded([&] {
    auto word = std::make_unique<DcmUnsignedShort>(DcmTag(group, element, EVR_US));
    return word->putUint16(value).good() ? insert(dataset, std::move(word)) : refused(group, element);
  });
}

dk_status dk_put_pixels(dk_dataset *dataset, const void *samples, size_t count, int32_t bytes_per_sample) {
  return dk::guarded([&] {
    const bool bytes = bytes_per_sample == 1;
    auto pixels = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, bytes ? EVR_OB : EVR_OW));
    const OFCondition put =
        bytes ? pixels->putUint8Array(static_cast<const Uint8 *>(samples), static_cast<unsigned long>(count))
              : pixels->putUint16Array(static_cast<const Uint16 *>(samples), static_cast<unsigned long>(count));
    return put.good() ? insert(dataset, std::move(pixels)) : refused(0x7FE0, 0x0010);
  });
}

dk_status dk_begin_item(dk_dataset *dataset, uint16_t group, uint16_t element) {
  return dk::guarded([&] {
    DcmItem *item = nullptr;
    const signed long append = -2;
    if (dataset->open.back()->findOrCreateSequenceItem(DcmTag(group, element), item, append).bad())
      return refused(group, element);
    dataset->open.push_back(item);
    return dk::success();
  });
}

dk_status dk_end_item(dk_dataset *dataset) {
  return dk::guarded([&] {
    if (dataset->open.size() < 2) return dk::failure(DK_INTERNAL, "an item was ended that had not begun");
    dataset->open.pop_back();
    return dk::success();
  });
}

dk_status dk_copy(dk_dataset *dataset, dk_file *source, uint16_t group, uint16_t element, bool *copied) {
  *copied = false;
  return dk::guarded([&] {
    DcmElement *found = nullptr;
    if (source->dataset->findAndGetElement(DcmTagKey(group, element), found).bad() || found == nullptr)
      return dk::success();
    auto twin = duplicate(*found, DcmTag(group, element));
    if (!twin)
      return dk::failure(DK_INVALID, "attribute (%04x,%04x) of the source cannot be copied", group, element);
    const dk_status status = insert(dataset, std::move(twin));
    *copied = status.code == DK_OK;
    return status;
  });
}

dk_status dk_encode(dk_dataset *dataset, const char *class_uid, const char *version_name, void *context,
                    void (*take)(void *context, const uint8_t *bytes, size_t length)) {
  return dk::guarded([&] {
    const dk_status named = complete_meta(dataset->format, class_uid, version_name);
    if (named.code != DK_OK) return named;
    std::vector<uint8_t> file;
    const OFCondition written = encode(dataset->format, file);
    if (written.bad())
      return dk::failure(DK_CANNOT_WRITE, "cannot be encoded (DCMTK %u:%u)", unsigned(written.module()),
                         unsigned(written.code()));
    take(context, file.data(), file.size());
    return dk::success();
  });
}
