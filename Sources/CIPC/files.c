// Locks on files, folders and links, one call to a function.
#define _GNU_SOURCE
#include "CIPCFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t ipc_flock(int32_t fd, int32_t lock, int32_t may_wait) {
    int operation = lock == IPC_LOCK_NONE ? LOCK_UN : lock == IPC_LOCK_SHARED ? LOCK_SH : LOCK_EX;
    return flock(fd, operation | (may_wait ? 0 : LOCK_NB)) < 0 ? -errno : 0;
}

int32_t ipc_record_lock(int32_t fd, int32_t lock, int64_t start, int64_t length, int32_t may_wait) {
    struct flock record = {
        .l_type = lock == IPC_LOCK_NONE ? F_UNLCK : lock == IPC_LOCK_SHARED ? F_RDLCK : F_WRLCK,
        .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, may_wait ? F_OFD_SETLKW : F_OFD_SETLK, &record) < 0 ? -errno : 0;
}

int32_t ipc_open_at(int32_t folder, const char *path, int32_t flags) {
    int fd = openat(folder, path, flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

long ipc_read_folder(int32_t fd, void *buffer, size_t count) {
    long result = syscall(SYS_getdents64, fd, buffer, count);
    return result < 0 ? -errno : result;
}

long ipc_read_link_at(int32_t folder, const char *path, void *buffer, size_t count) {
    long result = readlinkat(folder, path, buffer, count);
    return result < 0 ? -errno : result;
}

int32_t ipc_make_fifo(const char *path, uint32_t mode) { return mkfifo(path, mode) < 0 ? -errno : 0; }
int32_t ipc_change_mode(const char *path, uint32_t mode) { return chmod(path, mode) < 0 ? -errno : 0; }

int32_t ipc_rename(const char *from, const char *to, int32_t how) {
    unsigned flags = how == IPC_RENAME_NEW ? RENAME_NOREPLACE : how == IPC_RENAME_EXCHANGE ? RENAME_EXCHANGE : 0;
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags) < 0 ? -errno : 0;
}

static int32_t watched(int watch, int result) {
    if (result >= 0) return watch;
    int error = errno;
    close(watch);
    return -error;
}

int32_t ipc_watch_name(const char *path) {
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0) return -errno;
    return watched(watch, inotify_add_watch(watch, path, IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF));
}

int32_t ipc_watch_use(const char *path) {
    int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_FID, O_RDONLY);
    if (watch < 0) return -errno;
    return watched(watch, fanotify_mark(watch, FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_CLOSE_NOWRITE, AT_FDCWD, path));
}

// The kernel makes one event of those of one process; without privilege it does not say which process, but for our own.
int32_t ipc_count_use(int32_t watch, int32_t *openings, int32_t *closings) {
    _Alignas(struct fanotify_event_metadata) char events[4096];
    ssize_t count = read(watch, events, sizeof events);
    if (count < 0) return -errno;
    *openings = *closings = 0;
    struct fanotify_event_metadata *event = (void *)events;
    for (; FAN_EVENT_OK(event, count); event = FAN_EVENT_NEXT(event, count)) {
        if (event->pid == getpid()) continue;
        *openings += (event->mask & FAN_OPEN) != 0;
        *closings += (event->mask & FAN_CLOSE_NOWRITE) != 0;
    }
    return 0;
}

long ipc_find_bytes(const void *bytes, long count, const void *wanted, long length) {
    const char *found = memmem(bytes, (size_t)count, wanted, (size_t)length);
    return found == NULL ? -1 : found - (const char *)bytes;
}

int64_t ipc_page_size(void) { return sysconf(_SC_PAGESIZE); }
int64_t ipc_clock_ticks_per_second(void) { return sysconf(_SC_CLK_TCK); }
