// Reading zip archives through libzip: entries by number, one at a time; no names become paths here.

#ifndef CZIP_H
#define CZIP_H

#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct fz_archive fz_archive;

// What an archive says of one entry; sizes in bytes. None of it is to be believed before the entry was read.
typedef struct {
  const char *_Nullable name;  // as stored, in UTF-8 as far as libzip can tell; valid until fz_close
  uint64_t size;           // uncompressed
  uint64_t compressed;
  int is_encrypted;        // 1: cannot be read without a password
} fz_entry;

enum { FZ_OK = 0, FZ_DAMAGED = 1, FZ_WRITE = 2, FZ_TOO_LONG = 3 };

// Opens an archive for reading; NULL where the file is not one or is damaged.
fz_archive *_Nullable fz_open(const char *path);

// Entries of the archive, folders included.
int64_t fz_count(fz_archive *archive);

// 0 on success.
int fz_describe(fz_archive *archive, int64_t index, fz_entry *entry);

// Writes an entry's bytes, at most `limit`, to a file descriptor and checks them against the archive's CRC.
//   FZ_DAMAGED: they cannot be unpacked; FZ_WRITE: see *system_error; FZ_TOO_LONG: there are more than `limit`.
int fz_extract(fz_archive *archive, int64_t index, int descriptor, uint64_t limit, int *system_error);

void fz_close(fz_archive *archive);

#pragma clang assume_nonnull end

#endif
