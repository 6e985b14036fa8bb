// Reading DICOM files through DCMTK, OpenJPEG and a decoder of JPEG-LS: open, attributes, stored pixel values. No policy, and no
// C++ exception gets out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// What went wrong, coarse enough to become a reason code. Values are stable.
enum {
  DK_OK = 0,
  DK_UNREADABLE = 1,          // the file system refused
  DK_EMPTY = 2,               // zero bytes
  DK_NOT_DICOM = 3,           // no data set in it
  DK_TRUNCATED = 4,           // ends inside an element it announced
  DK_DAMAGED = 5,             // a data set that contradicts itself
  DK_MISSING = 6,             // the attribute is absent or has no value
  DK_INVALID = 7,             // the attribute is there but cannot be understood as asked
  DK_MISSING_PIXELS = 8,      // no pixel data, or fewer than announced
  DK_UNSUPPORTED_SYNTAX = 9,  // transfer syntax without a decoder here
  DK_UNSUPPORTED_PIXELS = 10, // pixel layout this reader does not decode
  DK_MEMORY = 11,             // out of memory
  DK_INTERNAL = 12,           // a C++ exception that is our fault or DCMTK's
  DK_CANNOT_WRITE = 13,       // the file system refused to write
  DK_NO_DICTIONARY = 14       // DCMTK found no data dictionary: DCMDICTPATH, or the libdcmtk package's data
};

/// Outcome of every call. `message` is a sentence for an operator; it never holds an attribute's value.
typedef struct dk_status {
  int32_t code;
  char message[256];
} dk_status;

/// An open file, parsed to its end. One owner at a time.
typedef struct dk_file dk_file;

/// Pixel layout of the stored values, from the data set (PS3.3 C.7.6.3).
typedef struct dk_pixels {
  int32_t rows, columns, samples, bits_allocated, bits_stored, high_bit;
  int32_t is_signed, planar, frames;
  /// Bytes of one decoded sample: 1, 2 or 4.
  int32_t bytes_per_sample;
} dk_pixels;

/// Prepares DCMTK once per process (codecs, silence) and says whether its data dictionary is loaded.
bool dk_dictionary_loaded(void);

/// Parses the whole file at `path`; pixel data stays on disk. `*file` is set only when the code is DK_OK.
dk_status dk_open(const char *path, dk_file *_Nullable *_Nonnull file);
void dk_close(dk_file *_Nullable file);

/// Transfer Syntax UID the file was read in (from the meta information, or as found without one).
dk_status dk_transfer_syntax(dk_file *file, char uid[_Nonnull 65]);

/// Attribute paths: `(gggg,eeee)` steps joined by dots, each but the last with an item index:
/// `(5200,9230)[3].(0020,9113)[0].(0020,0032)`. Group 0002 is looked up in the meta information.

/// Is the attribute there, even if it has no value?
dk_status dk_has(dk_file *file, const char *path, bool *present);
/// Number of items of a sequence; 0 when it is absent.
dk_status dk_items(dk_file *file, const char *path, int64_t *count);
/// The whole value as text, backslashes included, converted to UTF-8 when `utf8` and the character set allows
/// (else the bytes as stored). Calls `take` once with the bytes; they are gone when it returns.
dk_status dk_string(dk_file *file, const char *path, bool utf8, void *_Nullable context,
                    void (*take)(void *_Nullable context, const char *bytes, size_t length));
/// All values as numbers (DS, IS, FL, FD, US, SS, UL, SL, OW words): at most `capacity` are stored in
/// `values`, `*count` is how many there are.
dk_status dk_doubles(dk_file *file, const char *path, double *_Nullable values, int64_t capacity,
                     int64_t *count);

/// The pixel layout; refuses what contradicts itself.
dk_status dk_describe_pixels(dk_file *file, dk_pixels *pixels);
/// Is the pixel data there and long enough for all frames (native), or in enough fragments (encapsulated)?
/// Decodes nothing.
dk_status dk_check_pixels(dk_file *file);
/// Decodes frame `frame` (0-based) into `buffer`: stored values, `[row][column][sample]`, in
/// `bytes_per_sample` machine-order integers, masked to Bits Stored and sign-extended. `size` is the buffer's
/// size in bytes and must be exactly rows · columns · samples · bytes_per_sample.
dk_status dk_frame(dk_file *file, int32_t frame, void *buffer, size_t size);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif

// Last, because it builds on the types above: this header is the module's umbrella.
#include "CDCMTKWrite.h"
