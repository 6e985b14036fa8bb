// Process-wide set-up of DCMTK: decoders, silence, data dictionary. Runs once, whoever comes first.
#include "internal.hpp"

#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/oflog/oflog.h"

#include <mutex>

namespace dk {

void prepare() {
  static std::once_flag once;
  std::call_once(once, [] {
    // DCMTK's log lines quote attribute values; every failure reaches the caller as a status instead.
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    // EDC_never: stored values as the file has them, no colour conversion behind the caller's back.
    DJDecoderRegistration::registerCodecs(EDC_never);
    DJLSDecoderRegistration::registerCodecs();
  });
}

} // namespace dk

bool dk_dictionary_loaded(void) {
  bool loaded = false;
  (void)dk::guarded([&] {
    loaded = dcmDataDict.isDictionaryLoaded();
    return dk::success();
  });
  return loaded;
}
