// Preloaded into the program under test: counts every call that changes files below a folder, and at one of them lets it
// fail with a given error, or cuts the power. For the latter, a shadow folder keeps what had been made durable.
//
// FUSELINE_TEST_PREFIX   the folder
// FUSELINE_TEST_CONTROL  a file of four 64-bit numbers: calls so far, the call to act at, the action, calls it lasts
//                        action: an errno, or 1000 to cut the power
// FUSELINE_TEST_SHADOW   a folder: i<inode> holds the bytes of a file when it was last flushed, d<inode> the names of a
//                        folder when it was last flushed, a line each: inode, type, name

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  prefix = getenv("FUSELINE_TEST_PREFIX");
  shadow = getenv("FUSELINE_TEST_SHADOW");
  const char *path = getenv("FUSELINE_TEST_CONTROL");
  int file = prefix && path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) plan = page;
}

static int is_ours(const char *path) {
  return plan && path && strncmp(path, prefix, strlen(prefix)) == 0;
}

static int is_our_descriptor(int descriptor) {
  char link[64], path[4096];
  if (!plan) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  // Shared memory of SQLite is no file in the end: it is rebuilt from the log.
  return is_ours(path) && !strstr(path, "-shm");
}

// 1 if the call is to fail; errno is set then. Does not return where the power is cut.
static int fails(void) {
  int64_t call = atomic_fetch_add(&plan->calls, 1) + 1;
  if (!plan->at || call < plan->at || call >= plan->at + plan->lasts) return 0;
  if (plan->action == POWER_CUT) {
    if (getenv("FUSELINE_WORKER")) kill(getppid(), SIGKILL);
    kill(getpid(), SIGKILL);
  }
  errno = (int)plan->action;
  return 1;
}

static void keep_bytes(int descriptor, const struct stat *info) {
  char path[4096], part[4200];
  snprintf(path, sizeof path, "%s/i%llu", shadow, (unsigned long long)info->st_ino);
  snprintf(part, sizeof part, "%s.%d", path, getpid());
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  int from = open(link, O_RDONLY | O_CLOEXEC), to = open(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
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
  FILE *list = fopen(path, "we");
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
  if (is_our_descriptor(descriptor) && fails()) return -1;
  return real(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  REAL(pwrite);
  if (is_our_descriptor(descriptor) && fails()) return -1;
  return real(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  REAL(pwrite64);
  if (is_our_descriptor(descriptor) && fails()) return -1;
  return real(descriptor, bytes, count, offset);
}

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file) {
  REAL(fwrite);
  if (is_our_descriptor(fileno(file)) && fails()) return 0;
  return real(bytes, size, count, file);
}

int fclose(FILE *file) {
  REAL(fclose);
  int bad = is_our_descriptor(fileno(file)) && fails();
  int code = errno, result = real(file);
  if (bad) errno = code;
  return bad ? EOF : result;
}

int fsync(int descriptor) {
  REAL(fsync);
  int ours = is_our_descriptor(descriptor);
  if (ours && fails()) return -1;
  int result = real(descriptor);
  if (ours && result == 0) keep(descriptor);
  return result;
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  int ours = is_our_descriptor(descriptor);
  if (ours && fails()) return -1;
  int result = real(descriptor);
  if (ours && result == 0) keep(descriptor);
  return result;
}

int rename(const char *from, const char *to) {
  REAL(rename);
  return is_ours(to) && fails() ? -1 : real(from, to);
}

int link(const char *from, const char *to) {
  REAL(link);
  return is_ours(to) && fails() ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(unlink);
  return is_ours(path) && fails() ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  return is_ours(path) && fails() ? -1 : real(path, mode);
}
