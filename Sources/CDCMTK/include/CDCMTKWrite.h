// Building a DICOM data set and encoding it as a file in memory, through DCMTK. No policy, no files written.

#pragma once
#include "CDCMTK.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// A data set under construction. One owner at a time.
typedef struct dk_dataset dk_dataset;

/// An empty data set; `*dataset` is set only when the code is DK_OK.
dk_status dk_dataset_create(dk_dataset *_Nullable *_Nonnull dataset);
void dk_dataset_free(dk_dataset *_Nullable dataset);

/// Every `put` goes to the item opened last, or to the data set itself, and replaces an attribute already there.

/// A text attribute from its encoded bytes, backslashes between values included; the VR is the dictionary's.
/// No bytes make it empty.
dk_status dk_put_text(dk_dataset *dataset, uint16_t group, uint16_t element, const char *_Nullable bytes,
                      size_t length);
/// A US attribute of one value.
dk_status dk_put_word(dk_dataset *dataset, uint16_t group, uint16_t element, uint16_t value);
/// Pixel Data: `count` samples of 1 byte (OB) or of 2 bytes in machine order (OW).
dk_status dk_put_pixels(dk_dataset *dataset, const void *samples, size_t count, int32_t bytes_per_sample);

/// Opens a new last item of a sequence; what is put until `dk_end_item` goes there.
dk_status dk_begin_item(dk_dataset *dataset, uint16_t group, uint16_t element);
dk_status dk_end_item(dk_dataset *dataset);

/// Copies a top-level attribute of `source` as it is, with all items of a sequence and an empty value kept
/// empty. `*copied` is false when the source has none.
dk_status dk_copy(dk_dataset *dataset, dk_file *source, uint16_t group, uint16_t element, bool *copied);

/// Encodes preamble, meta information and data set in Explicit VR Little Endian: same data set, same bytes.
/// Calls `take` once with the whole file; the bytes are gone when it returns.
dk_status dk_encode(dk_dataset *dataset, const char *implementation_class_uid,
                    const char *implementation_version_name, void *_Nullable context,
                    void (*take)(void *_Nullable context, const uint8_t *bytes, size_t length));

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
