// Opening a file: is it DICOM, does it parse to its very end, what transfer syntax is it in. Pixels stay on disk.
#include "internal.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

/// Values longer than this (bytes) are left on disk until asked for.
constexpr Uint32 longest_value_in_memory = 4096;

dk_status check_regular(const char *path) {
  struct stat facts;
  if (::stat(path, &facts) != 0) return dk::failure(DK_UNREADABLE, "cannot be read: %s", std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return dk::failure(DK_UNREADABLE, "is not a regular file");
  if (facts.st_size == 0) return dk::failure(DK_EMPTY, "is empty; send it again");
  return dk::success();
}

/// What DCMTK's conditions mean to an operator. Their own texts are not passed on: some quote values.
dk_status explain(const OFCondition &condition) {
  if (condition == EC_MemoryExhausted) return dk::failure(DK_MEMORY, "not enough memory for this file");
  if (condition == EC_EndOfStream || condition == EC_InvalidStream || condition == EC_StreamNotifyClient ||
      condition == EC_SequDelimitationItemMissing ||
      condition == EC_ItemDelimitationItemMissing || condition == EC_TooManyBytesRequested)
    return dk::failure(DK_TRUNCATED, "ends in the middle of an element; send it again");
  return dk::failure(DK_DAMAGED, "contradicts itself and cannot be parsed to its end (DCMTK %u:%u); send it again",
                     unsigned(condition.module()), unsigned(condition.code()));
}

} // namespace

dk_status dk_open(const char *path, dk_file **file) {
  *file = nullptr;
  return dk::guarded([&] {
    dk_status status = check_regular(path);
    if (status.code == DK_OK) status = dk::check_structure(path);
    if (status.code != DK_OK) return status;
    if (!dcmDataDict.isDictionaryLoaded())
      return dk::failure(DK_NO_DICTIONARY, "cannot be read without DCMTK's data dictionary; check DCMDICTPATH");
    auto opened = std::make_unique<dk_file>();
    opened->path = path;
    const OFCondition loaded =
        opened->format.loadFile(path, EXS_Unknown, EGL_noChange, longest_value_in_memory);
    if (loaded.bad()) return explain(loaded);
    opened->dataset = opened->format.getDataset();
    if (opened->dataset == nullptr || opened->dataset->card() == 0)
      return dk::failure(DK_TRUNCATED, "holds no data set; send it again");
    OFString named;
    if (opened->format.getMetaInfo() != nullptr)
      (void)opened->format.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, named);
    if (named.empty()) named = DcmXfer(opened->dataset->getOriginalXfer()).getXferID();
    opened->syntax.assign(named.data(), named.size());
    *file = opened.release();
    return dk::success();
  });
}

void dk_close(dk_file *file) {
  (void)dk::guarded([&] {
    delete file;
    return dk::success();
  });
}

dk_status dk_transfer_syntax(dk_file *file, char uid[65]) {
  return dk::guarded([&] {
    if (file->syntax.empty() || file->syntax.size() > 64)
      return dk::failure(DK_INVALID, "Transfer Syntax UID (0002,0010) is not a UID");
    std::memcpy(uid, file->syntax.c_str(), file->syntax.size() + 1);
    return dk::success();
  });
}
