// What every file of the shim shares: the guard that keeps C++ exceptions inside, statuses, an open file.
#pragma once
#include "CDCMTK.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

struct dk_file {
  DcmFileFormat format;
  DcmDataset *dataset = nullptr; // owned by format
};

namespace dk {

/// Codecs and logging, once per process; every entry point comes through here by `guarded`.
void prepare();

inline dk_status success() {
  dk_status status;
  status.code = DK_OK;
  status.message[0] = '\0';
  return status;
}

/// `format` must never be fed with an attribute's value: messages reach logs.
__attribute__((format(printf, 2, 3))) inline dk_status failure(int32_t code, const char *format, ...) {
  dk_status status;
  status.code = code;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(status.message, sizeof status.message, format, arguments);
  va_end(arguments);
  return status;
}

/// Runs `body` and turns any exception into a status. DCMTK's what() texts may quote values, so they stay here.
template <typename Body> dk_status guarded(Body &&body) noexcept {
  try {
    prepare();
    return body();
  } catch (const std::bad_alloc &) {
    return failure(DK_MEMORY, "not enough memory for this file");
  } catch (const std::exception &) {
    return failure(DK_INTERNAL, "unexpected exception in the DICOM toolkit");
  } catch (...) {
    return failure(DK_INTERNAL, "unexpected exception of unknown type in the DICOM toolkit");
  }
}

} // namespace dk
