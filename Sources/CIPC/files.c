// Locks on files, folders and links, one call to a function.
#define _GNU_SOURCE
#include "CIPCFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
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

int64_t ipc_page_size(void) { return sysconf(_SC_PAGESIZE); }
int64_t ipc_clock_ticks_per_second(void) { return sysconf(_SC_CLK_TCK); }
