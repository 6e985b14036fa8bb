// The few calls of libzip that taking an archive apart needs.

#include "CZip.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>
#include <zip.h>

// fz_archive is libzip's own handle under a name that needs no header of libzip.
static zip_t *handle(fz_archive *archive) { return (zip_t *)archive; }

fz_archive *fz_open(const char *path) {
  int code = 0;
  return (fz_archive *)zip_open(path, ZIP_RDONLY, &code);
}

int64_t fz_count(fz_archive *archive) { return zip_get_num_entries(handle(archive), 0); }

int fz_describe(fz_archive *archive, int64_t index, fz_entry *entry) {
  zip_stat_t stat;
  zip_stat_init(&stat);
  const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if (zip_stat_index(handle(archive), (zip_uint64_t)index, 0, &stat) != 0) return FZ_DAMAGED;
  if ((stat.valid & wanted) != wanted) return FZ_DAMAGED;
  entry->name = stat.name;
  entry->size = stat.size;
  entry->compressed = stat.comp_size;
  entry->is_encrypted = (stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE;
  return FZ_OK;
}

static int write_all(int descriptor, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t done = write(descriptor, bytes, count);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    bytes += done;
    count -= (size_t)done;
  }
  return 0;
}

int fz_extract(fz_archive *archive, int64_t index, int descriptor, uint64_t limit, int *system_error) {
  zip_file_t *file = zip_fopen_index(handle(archive), (zip_uint64_t)index, 0);
  if (!file) return FZ_DAMAGED;
  char buffer[1 << 16];
  uint64_t total = 0;
  int result = FZ_OK;
  while (result == FZ_OK) {
    zip_int64_t count = zip_fread(file, buffer, sizeof buffer);
    if (count < 0) result = FZ_DAMAGED;
    if (count <= 0) break;
    total += (uint64_t)count;
    if (total > limit) {
      result = FZ_TOO_LONG;
    } else if ((*system_error = write_all(descriptor, buffer, (size_t)count)) != 0) {
      result = FZ_WRITE;
    }
  }
  if (zip_fclose(file) != 0 && result == FZ_OK) result = FZ_DAMAGED;
  return result;
}

void fz_close(fz_archive *archive) { zip_discard(handle(archive)); }
