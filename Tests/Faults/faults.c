// Preloaded into the program under test: counts every call that changes files below a folder, and at one of them lets it
// fail with a given error, or cuts the power. For the latter, a shadow folder keeps what had been made durable.
//
// FUSELINE_TEST_PREFIX   the folder
// FUSELINE_TEST_CONTROL  a file of four 64-bit numbers: calls so far, the call to act at, the action, calls it lasts
//                        action: an errno, or 1000 to cut the power
// FUSELINE_TEST_LOG      a file that gets a line for each call: its name and the path
// FUSELINE_TEST_SHADOW   a folder: i<inode> holds the bytes of a file when it was last flushed, d<inode> the names of a
//                        folder when it was last flushed, a line each: inode, type, name

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POWER_CUT = 1000 };

typedef struct {
  _Atomic int64_t calls;
  int64_t at, action, lasts;
} control;

static control *plan;
static const char *prefix, *shadow;
static int protocol = -1;

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  prefix = getenv("FUSELINE_TEST_PREFIX");
  shadow = getenv("FUSELINE_TEST_SHADOW");
  const char *path = getenv("FUSELINE_TEST_CONTROL");
  REAL(open);
  int file = prefix && path ? real(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  const char *log = getenv("FUSELINE_TEST_LOG");
  if (log) protocol = real(log, O_WRONLY | O_APPEND | O_CLOEXEC);
  void *page = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) plan = page;
}

static int is_ours(const char *path) {
  return plan && path && strncmp(path, prefix, strlen(prefix)) == 0;
}

// The path of an open file below the folder, NULL for any other.
static const char *our_descriptor(int descriptor, char path[4096]) {
  char link[64];
  if (!plan) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, 4095);
  if (length <= 0) return NULL;
  path[length] = 0;
  // Shared memory of SQLite is no file in the end: it is rebuilt from the log.
  return is_ours(path) && !strstr(path, "-shm") ? path : NULL;
}

// 1 if the call is to fail; errno is set then. Does not return where the power is cut.
static int fails(const char *name, const char *path) {
  int64_t call = atomic_fetch_add(&plan->calls, 1) + 1;
  if (protocol >= 0) dprintf(protocol, "%lld %s %s\n", (long long)call, name, path + strlen(prefix));
  if (!plan->at || call < plan->at || call >= plan->at + plan->lasts) return 0;
  if (plan->action == POWER_CUT) {
    if (getenv("FUSELINE_WORKER")) kill(getppid(), SIGKILL);
    kill(getpid(), SIGKILL);
  }
  errno = (int)plan->action;
  return 1;
}

static int descriptor_fails(const char *name, int descriptor) {
  char buffer[4096];
  const char *path = our_descriptor(descriptor, buffer);
  return path && fails(name, path);
}

static int path_fails(const char *name, const char *path) {
  return is_ours(path) && !strstr(path, "-shm") && fails(name, path);
}

static void keep_bytes(int descriptor, const struct stat *info) {
  char path[4096], part[4200];
  snprintf(path, sizeof path, "%s/i%llu", shadow, (unsigned long long)info->st_ino);
  snprintf(part, sizeof part, "%s.%d", path, getpid());
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  __typeof__(open) *plain = (__typeof__(open) *)dlsym(RTLD_NEXT, "open");
  int from = plain(link, O_RDONLY | O_CLOEXEC), to = plain(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  REAL(write);
  char buffer[1 << 16];
  for (ssize_t count; from >= 0 && to >= 0 && (count = read(from, buffer, sizeof buffer)) > 0;)
    if (real(to, buffer, (size_t)count) != count) break;
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  ((__typeof__(rename) *)dlsym(RTLD_NEXT, "rename"))(part, path);
}

static void keep_names(int descriptor, const struct stat *info) {
  char path[4096], link[64];
  snprintf(path, sizeof path, "%s/d%llu", shadow, (unsigned long long)info->st_ino);
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  DIR *folder = opendir(link);
  FILE *list = ((__typeof__(fopen) *)dlsym(RTLD_NEXT, "fopen"))(path, "we");
  for (struct dirent *entry; folder && list && (entry = readdir(folder));)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      fprintf(list, "%llu %d %s\n", (unsigned long long)entry->d_ino, entry->d_type == DT_DIR, entry->d_name);
  if (folder) closedir(folder);
  if (list) ((__typeof__(fclose) *)dlsym(RTLD_NEXT, "fclose"))(list);
}

static void keep(int descriptor) {
  struct stat info;
  if (!shadow || fstat(descriptor, &info) != 0) return;
  if (S_ISDIR(info.st_mode)) keep_names(descriptor, &info);
  if (S_ISREG(info.st_mode)) keep_bytes(descriptor, &info);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  REAL(write);
  return descriptor_fails("write", descriptor) ? -1 : real(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  REAL(pwrite);
  return descriptor_fails("write", descriptor) ? -1 : real(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  REAL(pwrite64);
  return descriptor_fails("write", descriptor) ? -1 : real(descriptor, bytes, count, offset);
}

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file) {
  REAL(fwrite);
  return descriptor_fails("write", fileno(file)) ? 0 : real(bytes, size, count, file);
}

int fclose(FILE *file) {
  REAL(fclose);
  int bad = descriptor_fails("close", fileno(file)), code = errno, result = real(file);
  if (bad) errno = code;
  return bad ? EOF : result;
}

static int flush(const char *name, int descriptor, int (*real)(int)) {
  char buffer[4096];
  const char *path = our_descriptor(descriptor, buffer);
  if (path && fails(name, path)) return -1;
  int result = real(descriptor);
  if (path && result == 0) keep(descriptor);
  return result;
}

int fsync(int descriptor) {
  REAL(fsync);
  return flush("fsync", descriptor, real);
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  return flush("fsync", descriptor, real);
}

int ftruncate(int descriptor, off_t size) {
  REAL(ftruncate);
  return descriptor_fails("truncate", descriptor) ? -1 : real(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
  REAL(ftruncate64);
  return descriptor_fails("truncate", descriptor) ? -1 : real(descriptor, size);
}

static mode_t mode_of(int flags, va_list list) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; }

#define OPENS(name)                                                  \
  int name(const char *path, int flags, ...) {                       \
    REAL(name);                                                      \
    va_list list;                                                    \
    va_start(list, flags);                                           \
    mode_t mode = mode_of(flags, list);                              \
    va_end(list);                                                    \
    if (flags & O_CREAT && path_fails("create", path)) return -1;    \
    return real(path, flags, mode);                                  \
  }
OPENS(open)
OPENS(open64)

FILE *fopen(const char *path, const char *mode) {
  REAL(fopen);
  return mode[0] != 'r' && path_fails("create", path) ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  REAL(fopen64);
  return mode[0] != 'r' && path_fails("create", path) ? NULL : real(path, mode);
}

int rename(const char *from, const char *to) {
  REAL(rename);
  return path_fails("rename", to) ? -1 : real(from, to);
}

int link(const char *from, const char *to) {
  REAL(link);
  return path_fails("link", to) ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(unlink);
  return path_fails("unlink", path) ? -1 : real(path);
}

int rmdir(const char *path) {
  REAL(rmdir);
  return path_fails("rmdir", path) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  return path_fails("mkdir", path) ? -1 : real(path, mode);
}
