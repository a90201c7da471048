// Replacing this process by another image of its program, and what else a daemon needs from the kernel.
#define _GNU_SOURCE
#include "CIPCDaemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int32_t ipc_record_is_locked(int32_t fd, int64_t start, int64_t length) {
    struct flock record = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    if (fcntl(fd, F_OFD_GETLK, &record) < 0) return -errno;
    return record.l_type != F_UNLCK;
}

int32_t ipc_replace_contents(int32_t fd, const void *bytes, size_t count) {
    if (ftruncate(fd, 0) < 0) return -errno;
    ssize_t written = pwrite(fd, bytes, count, 0);
    if (written < 0) return -errno;
    return (size_t)written == count ? 0 : -ENOSPC;
}

long ipc_read_at(int32_t fd, void *buffer, size_t count, int64_t offset) {
    ssize_t result = pread(fd, buffer, count, offset);
    return result < 0 ? -errno : result;
}

int32_t ipc_remove_file(const char *path) { return unlink(path) < 0 ? -errno : 0; }

long ipc_current_directory(char *buffer, size_t count) {
    long length = syscall(SYS_getcwd, buffer, count);
    return length < 0 ? -errno : length - 1;
}

int32_t ipc_replace_process(
    const char *path, char *const *arguments, char *const *environment, const int32_t *kept, int32_t kept_count) {
    syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);  // what foreign code has opened without it
    for (int i = 0; i < kept_count; i++)
        if (fcntl(kept[i], F_SETFD, 0) < 0) return -errno;
    // What is caught would end the new image by default: a second SIGHUP before it catches them itself changes nothing.
    struct sigaction ignored = {.sa_handler = SIG_IGN}, hangup;
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_DFL) sigaction(SIGHUP, &ignored, NULL);
    // What this thread holds the new image would hold for ever.
    uint64_t none = 0, former;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, &former, sizeof none);
    execve(path, arguments, environment);
    int error = errno;
    if (hangup.sa_handler != SIG_DFL) sigaction(SIGHUP, &hangup, NULL);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &former, NULL, sizeof former);
    for (int i = 0; i < kept_count; i++) fcntl(kept[i], F_SETFD, FD_CLOEXEC);
    return -error;
}

int32_t ipc_notify(const char *address, const void *bytes, size_t count) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(address);
    if (length < 2 || length >= sizeof to.sun_path || (address[0] != '/' && address[0] != '@')) return -EINVAL;
    memcpy(to.sun_path, address, length);
    if (address[0] == '@') to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t sent = sendto(
        fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to,
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    int error = errno;
    close(fd);
    return sent < 0 ? -error : 0;
}
